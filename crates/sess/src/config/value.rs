//! A value as it is given for a setting: by the file or by a variable. Must not know
//! which setting.

use toml::de::DeValue;

/// One value.
pub(super) enum Value<'a> {
    /// What the file says.
    InFile(&'a DeValue<'a>),
    /// What a variable says: text, whatever it stands for.
    Variable(&'a str),
}

impl Value<'_> {
    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::InFile(value) => value.as_str(),
            Self::Variable(text) => Some(text),
        }
    }

    /// The number, if it is one, without a sign.
    pub(super) fn number(&self) -> Option<u64> {
        match self {
            Self::InFile(value) => {
                let integer = value.as_integer()?;
                u64::from_str_radix(integer.as_str(), integer.radix()).ok()
            }
            Self::Variable(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().ok()
            }
            Self::Variable(_) => None,
        }
    }

    /// The texts, if it is a list of them. A variable has commas in between.
    pub(super) fn list(&self) -> Option<Vec<String>> {
        match self {
            Self::InFile(value) => {
                let texts = value.as_array()?.iter();
                texts.map(|text| text.get_ref().as_str().map(str::to_owned)).collect()
            }
            Self::Variable(text) => {
                Some(text.split(',').map(|part| part.trim().to_owned()).collect())
            }
        }
    }
}
