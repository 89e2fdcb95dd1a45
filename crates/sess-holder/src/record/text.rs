//! What the system takes for text and needn't be: kept whole, and readable where it
//! can be read.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use serde::{Deserialize, Serialize};

/// A command's argument, a path, a variable: a string in JSON if it is UTF-8, else its
/// bytes as numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// UTF-8.
    Plain(String),
    /// Anything else.
    Bytes(Vec<u8>),
}

impl Default for Text {
    fn default() -> Self {
        Self::Plain(String::new())
    }
}

impl Text {
    /// For people: what is no text in it is replaced.
    pub fn shown(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        }
    }

    /// As the system takes it.
    pub fn to_os(&self) -> OsString {
        match self {
            Self::Plain(text) => text.into(),
            Self::Bytes(bytes) => OsString::from_vec(bytes.clone()),
        }
    }
}

impl<T: AsRef<OsStr>> From<T> for Text {
    fn from(text: T) -> Self {
        let text = text.as_ref();
        match text.to_str() {
            Some(text) => Self::Plain(text.to_owned()),
            None => Self::Bytes(text.as_bytes().to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_readable_and_anything_stays_whole() {
        let plain = Text::from("größer");
        assert_eq!(serde_json::to_string(&plain).unwrap(), "\"größer\"");
        let odd = Text::from(OsStr::from_bytes(b"a\xff"));
        assert_eq!(serde_json::to_string(&odd).unwrap(), "[97,255]");
        for text in [plain, odd] {
            let json = serde_json::to_string(&text).unwrap();
            assert_eq!(serde_json::from_str::<Text>(&json).unwrap(), text);
            assert_eq!(Text::from(text.to_os()), text);
        }
    }
}
