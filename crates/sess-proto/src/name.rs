//! Session names: what may be one, decided once, by type.

use std::ffi::OsStr;
use std::fmt;
use std::str::FromStr;

/// The longest name, in bytes.
pub const NAME_LIMIT: usize = 64;

/// The name of a session: 1 to 64 bytes of UTF-8, without `/`, `~` and control
/// characters, beginning with neither `-` nor `.`.
///
/// A name given by sess itself to a session whose name was taken may end in
/// `~N`; such a name is parsed by [`SessionName::existing`] only.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionName(String);

/// Why something is no session name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// It has no characters.
    Empty,
    /// It has more than [`NAME_LIMIT`] bytes.
    TooLong(usize),
    /// It holds a character that no name may hold.
    Character(char),
    /// It begins with `-` or `.`.
    Start(char),
}

impl SessionName {
    /// Parses the name of a session to be.
    pub fn new(name: &str) -> Result<Self, NameError> {
        check(name)?;
        Ok(Self(name.to_owned()))
    }

    /// Parses the name of a session that may exist: also `NAME~N`.
    pub fn existing(name: &str) -> Result<Self, NameError> {
        check(split_suffix(name).map_or(name, |(base, _)| base))?;
        Ok(Self(name.to_owned()))
    }

    /// This name with the suffix `~n`, in place of the one it may have.
    #[must_use]
    pub fn with_suffix(&self, n: u32) -> Self {
        let base = split_suffix(&self.0).map_or(self.0.as_str(), |(base, _)| base);
        Self(format!("{base}~{n}"))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check(name: &str) -> Result<(), NameError> {
    if name.len() > NAME_LIMIT {
        return Err(NameError::TooLong(name.len()));
    }
    match name.chars().next() {
        None => return Err(NameError::Empty),
        Some(first @ ('-' | '.')) => return Err(NameError::Start(first)),
        Some(_) => {}
    }
    match name.chars().find(|&c| c == '/' || c == '~' || c.is_control()) {
        Some(character) => Err(NameError::Character(character)),
        None => Ok(()),
    }
}

/// Splits `base~7` into `base` and 7; the number is written as sess writes it.
fn split_suffix(name: &str) -> Option<(&str, u32)> {
    let (base, digits) = name.rsplit_once('~')?;
    let n = digits.parse::<u32>().ok()?;
    (n.to_string() == digits).then_some((base, n))
}

impl AsRef<str> for SessionName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl AsRef<OsStr> for SessionName {
    fn as_ref(&self) -> &OsStr {
        OsStr::new(&self.0)
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SessionName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::new(name)
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a session name has at least one character"),
            Self::TooLong(bytes) => {
                write!(f, "a session name has at most {NAME_LIMIT} bytes, this one has {bytes}")
            }
            Self::Character('~') => {
                f.write_str("a session name can't hold '~', which only sess itself gives")
            }
            Self::Character(character) => {
                write!(f, "a session name can't hold {character:?}")
            }
            Self::Start(character) => {
                write!(f, "a session name can't begin with {character:?}")
            }
        }
    }
}

impl std::error::Error for NameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_names() {
        for name in ["work", "1", "a b", "größe", "日本", "a.b-c_d", &"x".repeat(64)] {
            assert_eq!(SessionName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn what_could_lead_elsewhere_is_no_name() {
        assert_eq!(SessionName::new(""), Err(NameError::Empty));
        assert_eq!(SessionName::new("."), Err(NameError::Start('.')));
        assert_eq!(SessionName::new(".."), Err(NameError::Start('.')));
        assert_eq!(SessionName::new(".agent"), Err(NameError::Start('.')));
        assert_eq!(SessionName::new("-d"), Err(NameError::Start('-')));
        assert_eq!(SessionName::new("a/b"), Err(NameError::Character('/')));
        assert_eq!(SessionName::new("a\nb"), Err(NameError::Character('\n')));
        assert_eq!(SessionName::new("a\u{9b}b"), Err(NameError::Character('\u{9b}')));
        assert_eq!(SessionName::new("a\0b"), Err(NameError::Character('\0')));
        assert_eq!(SessionName::new(&"x".repeat(65)), Err(NameError::TooLong(65)));
        assert_eq!(SessionName::new(&"é".repeat(33)), Err(NameError::TooLong(66)));
    }

    #[test]
    fn a_tilde_is_given_by_sess_and_only_accepted_for_what_exists() {
        assert_eq!(SessionName::new("work~2"), Err(NameError::Character('~')));
        assert_eq!(SessionName::existing("work~2").unwrap().as_str(), "work~2");
        for name in ["work~", "work~x", "work~02", "~2", "a~1~2", "work~-1"] {
            assert!(SessionName::existing(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_suffix_replaces_a_suffix() {
        let name = SessionName::new("work").unwrap();
        assert_eq!(name.with_suffix(2).as_str(), "work~2");
        assert_eq!(name.with_suffix(2).with_suffix(3).as_str(), "work~3");
    }
}
