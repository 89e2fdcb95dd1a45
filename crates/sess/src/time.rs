//! Times as they are written on the command line and in the configuration. Must not
//! know what they are for.

use std::time::Duration;

/// Longer than anybody waits, and short enough to be added to any clock.
const MAX: Duration = Duration::from_secs(3_650 * 24 * 3_600);

/// How long something may take; `None` as long as it likes.
pub(crate) type Limit = Option<Duration>;

/// The time that is written like this.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    const FORMS: &str = "a time is written as 500ms, 2s, 5m, 1h or 7d";
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "" if !number.is_empty() => {
            return Err(format!(
                "a time has a unit: {number}s, {number}m, {number}h, or {number}ms"
            ));
        }
        _ => return Err(FORMS.to_owned()),
    };
    if number.is_empty() {
        return Err(FORMS.to_owned());
    }
    // Too large for a u64 is too large in any case.
    let number = number.parse::<u64>().unwrap_or(u64::MAX);
    let time = Duration::from_millis(number.saturating_mul(milliseconds));
    if time > MAX {
        return Err("a time is at most 3650d".to_owned());
    }
    Ok(time)
}

/// The limit that is written like this: a time, or 'none'.
pub(crate) fn parse_limit(text: &str) -> Result<Limit, String> {
    match text {
        "none" => Ok(None),
        _ if !text.starts_with(|c: char| c.is_ascii_digit()) => {
            Err("it takes a time, as 30m, or 'none'".to_owned())
        }
        _ => match parse(text)? {
            Duration::ZERO => Err("it takes a time of at least 1ms, or 'none'".to_owned()),
            time => Ok(Some(time)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, milliseconds) in [
            ("500ms", 500),
            ("0s", 0),
            ("2s", 2_000),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("7d", 604_800_000),
            ("3650d", 315_360_000_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(parse("5").unwrap_err(), "a time has a unit: 5s, 5m, 5h, or 5ms");
        for bad in ["", "s", "1.5s", "-1s", "+1s", "1 s", "1w", "1sec", "1S", "1m30s"] {
            assert_eq!(
                parse(bad).unwrap_err(),
                "a time is written as 500ms, 2s, 5m, 1h or 7d",
                "{bad}"
            );
        }
        for long in ["3651d", "99999999999999999999999s", "18446744073709551615d"] {
            assert_eq!(parse(long).unwrap_err(), "a time is at most 3650d", "{long}");
        }
    }

    #[test]
    fn limits_are_times_from_a_millisecond_or_none() {
        assert_eq!(parse_limit("none"), Ok(None));
        assert_eq!(parse_limit("1ms"), Ok(Some(Duration::from_millis(1))));
        for zero in ["0ms", "0s", "00d"] {
            assert_eq!(
                parse_limit(zero).unwrap_err(),
                "it takes a time of at least 1ms, or 'none'",
                "{zero}"
            );
        }
        for bad in ["", "None", "never", "-1s"] {
            assert_eq!(parse_limit(bad).unwrap_err(), "it takes a time, as 30m, or 'none'");
        }
        assert_eq!(parse_limit("5"), parse("5").map(Some));
        assert_eq!(parse_limit("3651d"), parse("3651d").map(Some));
    }
}
