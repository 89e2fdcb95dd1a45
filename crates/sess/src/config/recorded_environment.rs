//! Which variables a record keeps, for when its session is started again. Owns how
//! they are named. Must not know what they hold.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// What every program needs and no secret is in.
const DEFAULT: [&str; 9] =
    ["PATH", "HOME", "SHELL", "USER", "LANG", "LC_*", "TZ", "TERM", "COLORTERM"];

/// The variables that are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RecordedEnvironment {
    /// Every one.
    All,
    /// None.
    None,
    /// Those of these names, of which a `*` at the end stands for any end.
    Names(Vec<String>),
}

impl Default for RecordedEnvironment {
    fn default() -> Self {
        Self::Names(DEFAULT.map(str::to_owned).into())
    }
}

impl RecordedEnvironment {
    /// Those of these names, if they all can be names.
    pub(super) fn names(names: Vec<String>) -> Option<Self> {
        let can_be = |name: &String| {
            let beginning = name.strip_suffix('*').unwrap_or(name);
            !name.is_empty() && !beginning.contains(['=', '\0', '*'])
        };
        names.iter().all(can_be).then_some(Self::Names(names))
    }

    /// Whether the variable of this name is kept.
    pub(crate) fn keeps(&self, name: &OsStr) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Names(names) => names.iter().any(|kept| match kept.strip_suffix('*') {
                Some(beginning) => name.as_bytes().starts_with(beginning.as_bytes()),
                None => name == kept.as_str(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Option<RecordedEnvironment> {
        RecordedEnvironment::names(names.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_is_named_is_kept() {
        let kept = names(&["PATH", "LC_*"]).unwrap();
        for name in ["PATH", "LC_ALL", "LC_"] {
            assert!(kept.keeps(OsStr::new(name)), "{name}");
        }
        for name in ["PATHS", "PAT", "path", "LC", "XLC_ALL", "LANG", ""] {
            assert!(!kept.keeps(OsStr::new(name)), "{name}");
        }
        assert!(kept.keeps(OsStr::from_bytes(b"LC_\xff")));
        assert!(names(&["*"]).unwrap().keeps(OsStr::new("ANY")));
        assert!(!names(&[]).unwrap().keeps(OsStr::new("ANY")));
        assert!(RecordedEnvironment::All.keeps(OsStr::new("ANY")));
        assert!(!RecordedEnvironment::None.keeps(OsStr::new("PATH")));
    }

    #[test]
    fn by_default_secrets_are_not_kept() {
        let kept = RecordedEnvironment::default();
        assert!(kept.keeps(OsStr::new("PATH")) && kept.keeps(OsStr::new("LC_CTYPE")));
        for secret in ["GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK", "LANGUAGE"] {
            assert!(!kept.keeps(OsStr::new(secret)), "{secret}");
        }
    }

    #[test]
    fn names_are_what_variables_can_be_called() {
        for bad in ["", "A=B", "A\0", "*_TOKEN", "A*B", "A**"] {
            assert_eq!(names(&["PATH", bad]), None, "{bad:?}");
        }
    }
}
