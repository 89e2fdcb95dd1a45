//! A session's bytes for programs: as text or base64 in JSON, cut at characters
//! and lines. Must not know where they come from.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

/// A piece of a session's output. The fields are the keys of the JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Page {
    /// The offset of its first byte.
    pub(crate) offset: u64,
    /// The offset behind its last.
    pub(crate) next: u64,
    #[serde(flatten)]
    data: Data,
    /// What was asked for and came before it is no longer kept.
    pub(crate) truncated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
enum Data {
    #[serde(rename = "data")]
    Text(String),
    #[serde(rename = "data_base64")]
    Bytes(String),
}

impl Page {
    /// A piece of output.
    pub(crate) fn new(offset: u64, bytes: &[u8], truncated: bool) -> Self {
        let data = match str::from_utf8(bytes) {
            Ok(text) => Data::Text(text.to_owned()),
            Err(_) => Data::Bytes(STANDARD.encode(bytes)),
        };
        Self { offset, next: offset + bytes.len() as u64, data, truncated }
    }
}

/// What came of a command in a session's shell. The fields are the keys of the
/// JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Ran {
    /// The session's name.
    pub(crate) name: String,
    /// Its id.
    pub(crate) id: String,
    #[serde(flatten)]
    pub(crate) output: Said,
    /// The command's exit status, if it has ended.
    pub(crate) code: Option<u8>,
    /// Seconds that it took.
    pub(crate) duration: f64,
    /// The offset of its output's first byte, if it has begun.
    pub(crate) offset: Option<u64>,
    /// The offset behind its last.
    pub(crate) next: Option<u64>,
    /// Some of its output is missing.
    pub(crate) truncated: bool,
}

/// What a command said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Said {
    /// As text.
    #[serde(rename = "output")]
    Text(String),
    /// In base64, as it isn't UTF-8.
    #[serde(rename = "output_base64")]
    Bytes(String),
}

impl From<Vec<u8>> for Said {
    fn from(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes)
            .map_or_else(|error| Self::Bytes(STANDARD.encode(error.as_bytes())), Self::Text)
    }
}

/// How many of these bytes there are without a character that is cut off at the
/// end; all if they are no text.
pub(crate) fn whole_characters(bytes: &[u8]) -> usize {
    match str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

/// Where the last `count` lines begin, and whether there are so many. What follows
/// the last line feed is a line if it is anything.
pub(crate) fn last_lines(bytes: &[u8], count: u64) -> (usize, bool) {
    if count == 0 {
        return (bytes.len(), true);
    }
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let mut left = count;
    for (index, _) in body.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
        left -= 1;
        if left == 0 {
            return (index + 1, true);
        }
    }
    (0, left == 1 && !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(page: &Page) -> String {
        serde_json::to_string(page).unwrap()
    }

    #[test]
    fn text_is_text_and_the_rest_is_base64() {
        assert_eq!(
            json(&Page::new(5, "añ\r\n".as_bytes(), false)),
            r#"{"offset":5,"next":10,"data":"añ\r\n","truncated":false}"#
        );
        assert_eq!(
            json(&Page::new(0, b"a\xff", true)),
            r#"{"offset":0,"next":2,"data_base64":"Yf8=","truncated":true}"#
        );
    }

    #[test]
    fn a_result_has_all_keys_in_any_case() {
        let result = Ran {
            name: "work".into(),
            id: "ab".into(),
            output: Said::from(b"x\n".to_vec()),
            code: None,
            duration: 0.25,
            offset: Some(3),
            next: Some(5),
            truncated: false,
        };
        assert_eq!(
            serde_json::to_string(&result).unwrap(),
            concat!(
                r#"{"name":"work","id":"ab","output":"x\n","code":null,"duration":0.25,"#,
                r#""offset":3,"next":5,"truncated":false}"#
            )
        );
        let result = Ran { output: Said::from(vec![0xff]), code: Some(1), ..result };
        assert!(serde_json::to_string(&result).unwrap().contains(r#""output_base64":"/w==""#));
    }

    #[test]
    fn a_character_is_not_cut() {
        assert_eq!(whole_characters("aé".as_bytes()), 3);
        assert_eq!(whole_characters(&"aé".as_bytes()[..2]), 1);
        assert_eq!(whole_characters(&"é".as_bytes()[..1]), 0);
        assert_eq!(whole_characters(b"\xffa\xc3"), 3);
        assert_eq!(whole_characters(b""), 0);
    }

    #[test]
    fn lines_are_counted_from_the_end() {
        let lines = |text: &'static str, count| {
            let (at, enough) = last_lines(text.as_bytes(), count);
            (&text[at..], enough)
        };
        assert_eq!(lines("a\nb\nc\n", 2), ("b\nc\n", true));
        assert_eq!(lines("a\nb\nc", 2), ("b\nc", true));
        assert_eq!(lines("a\nb\n", 2), ("a\nb\n", true));
        assert_eq!(lines("a\nb\n", 3), ("a\nb\n", false));
        assert_eq!(lines("a\n\n\n", 2), ("\n\n", true));
        assert_eq!(lines("a\n", 0), ("", true));
        assert_eq!(lines("", 1), ("", false));
    }
}
