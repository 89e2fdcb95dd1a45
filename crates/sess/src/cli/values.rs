//! Values on the command line: what they may be, and what is said of the rest.
//! Must not know which option they belong to.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use sess_holder::pattern::Pattern;
use sess_proto::SessionName;
use sess_proto::message::Size;

use crate::config::{HISTORY_MAX, Lines};

pub(super) use crate::time::{parse as time, parse_limit as limit};

/// The most columns or rows that a session's terminal may have.
const SIZE_MAX: u16 = 1_000;

pub(super) fn new_name(text: &str) -> Result<SessionName, String> {
    SessionName::new(text).map_err(|error| error.to_string())
}

pub(super) fn existing_name(text: &str) -> Result<SessionName, String> {
    SessionName::existing(text).map_err(|error| error.to_string())
}

pub(super) fn size(text: &str) -> Result<Size, String> {
    let side = |text: &str| digits(text).and_then(|text| text.parse().ok());
    match text.split_once('x').map(|(cols, rows)| (side(cols), side(rows))) {
        Some((Some(cols @ 1..=SIZE_MAX), Some(rows @ 1..=SIZE_MAX))) => {
            Ok(Size { cols, rows, xpixel: 0, ypixel: 0 })
        }
        _ => Err(format!("a size is COLSxROWS, as 80x24, each from 1 to {SIZE_MAX}")),
    }
}

pub(super) fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        None => Err("a label is KEY=VALUE".to_owned()),
        Some(("", _)) => Err("a label has a key before the '='".to_owned()),
        Some((key, _)) if key.chars().any(char::is_control) => {
            Err("a label's key can't hold control characters".to_owned())
        }
        // Nobody could ask for it: `--filter state=…` is about something else.
        Some(("state", _)) => Err("a label can't be called 'state'".to_owned()),
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "clap hands values over")]
pub(super) fn variable(text: OsString) -> Result<(OsString, OsString), &'static str> {
    let bytes = text.as_bytes();
    match bytes.iter().position(|byte| *byte == b'=') {
        None => Err("a variable is KEY=VALUE"),
        Some(0) => Err("a variable has a name before the '='"),
        Some(_) if bytes.contains(&0) => Err("a variable can't hold a NUL"),
        Some(at) => Ok((
            OsStr::from_bytes(&bytes[..at]).to_owned(),
            OsString::from_vec(bytes[at + 1..].to_vec()),
        )),
    }
}

pub(super) fn history(text: &str) -> Result<u64, String> {
    digits(text)
        .and_then(|text| text.parse().ok())
        .filter(|lines| *lines <= HISTORY_MAX)
        .ok_or_else(|| format!("it takes 0 to {HISTORY_MAX} lines"))
}

pub(super) fn signal(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '-';
    if !text.is_empty() && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("a signal is a name or number, as INT, SIGINT or 2".to_owned())
    }
}

pub(super) fn lines(text: &str) -> Result<Lines, String> {
    match text.parse() {
        Ok(lines) if text != "none" => Ok(lines),
        _ => Err("it takes a number or 'all'".to_owned()),
    }
}

pub(super) fn count(text: &str) -> Result<u64, String> {
    number(text).ok_or_else(|| "it takes a number".to_owned())
}

pub(super) fn offset(text: &str) -> Result<u64, String> {
    number(text).ok_or_else(|| "an offset is a number of bytes".to_owned())
}

pub(super) fn bytes(text: &str) -> Result<u64, String> {
    number(text)
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "it takes a number of bytes, from 1".to_owned())
}

pub(super) fn pid(text: &str) -> Result<i32, String> {
    digits(text)
        .and_then(|text| text.parse().ok())
        .filter(|pid| *pid > 0)
        .ok_or_else(|| "it takes the id of a process".to_owned())
}

#[expect(clippy::unnecessary_wraps, reason = "clap takes no other")]
pub(super) fn on_exit(text: &str) -> Result<Option<String>, String> {
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

pub(super) fn regex(text: &str) -> Result<String, String> {
    Pattern::parse(text).map(|_| text.to_owned())
}

fn number(text: &str) -> Option<u64> {
    digits(text)?.parse().ok()
}

/// Digits alone, without the sign that `parse` would take.
fn digits(text: &str) -> Option<&str> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_bounds() {
        let side = |text| size(text).map(|size| (size.cols, size.rows));
        assert_eq!(side("80x24"), Ok((80, 24)));
        assert_eq!(side("1x1000"), Ok((1, 1000)));
        for bad in [
            "", "80", "80x", "x24", "0x24", "80x0", "1001x24", "80x70000", "80X24", "+80x24",
            "80x24x3", "80 x 24", "-1x5",
        ] {
            assert_eq!(
                side(bad).unwrap_err(),
                "a size is COLSxROWS, as 80x24, each from 1 to 1000",
                "{bad}"
            );
        }
    }

    #[test]
    fn labels_have_a_key() {
        assert_eq!(label("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(label("a="), Ok(("a".into(), String::new())));
        for bad in ["", "a", "=b", "a\n=b", "a\u{9b}=b", "state=x"] {
            assert!(label(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn variables_are_any_bytes() {
        let bytes = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        assert_eq!(variable(bytes(b"A=\xff=\n")), Ok((bytes(b"A"), bytes(b"\xff=\n"))));
        assert_eq!(variable(bytes(b"A=")), Ok((bytes(b"A"), bytes(b""))));
        for bad in [&b""[..], b"A", b"=x", b"A=\0"] {
            assert!(variable(bytes(bad)).is_err(), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn history_is_bounded() {
        assert_eq!(history("0"), Ok(0));
        assert_eq!(history("1000000"), Ok(1_000_000));
        for bad in ["", "1000001", "-1", "+1", "all"] {
            assert_eq!(history(bad).unwrap_err(), "it takes 0 to 1000000 lines", "{bad}");
        }
    }

    #[test]
    fn a_bad_regular_expression_is_told_in_a_line() {
        assert_eq!(regex("^a|b$").as_deref(), Ok("^a|b$"));
        assert_eq!(regex("a(b"), Err("unclosed group".to_owned()));
    }

    #[test]
    fn numbers_have_no_signs() {
        assert_eq!(lines("12"), Ok(Lines::Count(12)));
        assert_eq!(lines("all"), Ok(Lines::All));
        assert!(lines("none").is_err());
        assert_eq!((count("0"), offset("0")), (Ok(0), Ok(0)));
        assert_eq!(bytes("1"), Ok(1));
        for bad in ["", "+1", "-1", "1k", "x"] {
            assert!(count(bad).is_err() && offset(bad).is_err() && bytes(bad).is_err(), "{bad}");
            assert!(lines(bad).is_err(), "{bad}");
        }
        assert!(bytes("0").is_err());
    }

    #[test]
    fn processes_have_positive_ids() {
        assert_eq!(pid("1"), Ok(1));
        assert_eq!(pid("2147483647"), Ok(i32::MAX));
        for bad in ["", "0", "-1", "+1", "2147483648", "init"] {
            assert_eq!(pid(bad).unwrap_err(), "it takes the id of a process", "{bad}");
        }
    }

    #[test]
    fn signals_are_names_or_numbers() {
        for good in ["INT", "SIGTERM", "9", "RTMIN+1"] {
            assert_eq!(signal(good).as_deref(), Ok(good));
        }
        for bad in ["", " ", "a b", "\x1b"] {
            assert!(signal(bad).is_err(), "{bad:?}");
        }
    }
}
