//! What a line is looked for with: a regular expression that can't cost much, and how
//! a line is held against it. The holder and the command line, for sessions that have
//! ended, must agree on both.

use regex::{Error, Regex, RegexBuilder};
use sess_screen::WrittenLine;

/// What a compiled expression may take, in bytes.
const LIMIT: usize = 1 << 20;

/// A regular expression for lines.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Reads an expression; the reason, in one line, if it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        match RegexBuilder::new(text).size_limit(LIMIT).build() {
            Ok(regex) => Ok(Self(regex)),
            Err(Error::CompiledTooBig(_)) => Err("it is too large".to_owned()),
            Err(error) => {
                // Drawn over several lines, the reason last.
                let error = error.to_string();
                let reason = error.lines().last().unwrap_or_default();
                Err(reason.strip_prefix("error: ").unwrap_or(reason).to_owned())
            }
        }
    }

    /// Whether a line matches as it looks, or with the blanks at its end: a prompt has
    /// one, while others fill a line up with them.
    pub fn matches(&self, line: &WrittenLine) -> bool {
        let Self(regex) = self;
        regex.is_match(&line.text)
            || (line.blanks > 0 && regex.is_match(&(line.text.clone() + &" ".repeat(line.blanks))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> String {
        Pattern::parse(text).map(drop).unwrap_err()
    }

    #[test]
    fn what_is_no_expression_is_told_in_one_line() {
        assert_eq!(reason("a(b"), "unclosed group");
        assert_eq!(reason("[z-a]").lines().count(), 1);
        assert_eq!(reason("\\w{9999}"), "it is too large");
    }

    #[test]
    fn blanks_at_a_lines_end_may_be_asked_for_or_not() {
        let line = WrittenLine { text: ">>>".into(), blanks: 1, written: 1 };
        for (pattern, matches) in [("^>>>$", true), ("^>>> $", true), ("^>>>  $", false)] {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(&line), matches, "{pattern}");
        }
    }
}
