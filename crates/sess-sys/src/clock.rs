//! The time as people read it. It sets no clock and knows no other notation.

#![expect(unsafe_code, reason = "only the C library knows the user's time zone")]

use std::fmt;
use std::mem::MaybeUninit;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::libc;

const SECONDS_OF_DAY: i64 = 24 * 60 * 60;

/// Remembers the user's time zone, for when the environment that says it is gone.
pub fn note_zone() {
    tzset();
}

/// A date and the time of day, wherever that is.
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

/// This moment in the user's time zone (`TZ`, else the machine's), such as
/// `2026-11-20 21:40:00`; in UTC, if the system can't say.
pub fn local_time(at: SystemTime) -> String {
    let seconds = seconds_since_epoch(at);
    local(seconds).unwrap_or_else(|| utc(seconds)).to_string()
}

impl fmt::Display for Civil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

/// Whole seconds; a part of one that has begun before 1970 counts back.
fn seconds_since_epoch(at: SystemTime) -> i64 {
    match at.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => {
            let before = before.duration();
            let whole = before.as_secs() + u64::from(before.subsec_nanos() > 0);
            i64::try_from(whole).map_or(i64::MIN, |whole| -whole)
        }
    }
}

/// `None` for years that the C library can't count.
fn local(seconds: i64) -> Option<Civil> {
    #[allow(clippy::useless_conversion, reason = "the C library may count in fewer bits")]
    let seconds = seconds.try_into().ok()?;
    let mut time = MaybeUninit::<libc::tm>::uninit();
    // SAFETY: it reads the one, fills in the other unless it returns null, and keeps
    // no pointer to either.
    let time = unsafe {
        if libc::localtime_r(&raw const seconds, time.as_mut_ptr()).is_null() {
            return None;
        }
        time.assume_init()
    };
    Some(Civil {
        year: i64::from(time.tm_year) + 1900,
        month: i64::from(time.tm_mon) + 1,
        day: time.tm_mday.into(),
        hour: time.tm_hour.into(),
        minute: time.tm_min.into(),
        second: time.tm_sec.into(),
    })
}

// SAFETY: it is in every C library as declared. It reads `TZ` and takes a lock; who
// changes the environment while others may read it has answered for that already.
unsafe extern "C" {
    safe fn tzset();
}

/// The calendar's arithmetic, in years that begin in March, so that the leap day is
/// the last, and eras of 400 of them, which are all of one length.
fn utc(seconds: i64) -> Civil {
    const DAYS_OF_ERA: i64 = 146_097;
    /// From 1 March of the year 0 to 1970.
    const DAYS_BEFORE: i64 = 719_468;
    let days = seconds.div_euclid(SECONDS_OF_DAY) + DAYS_BEFORE;
    let second = seconds.rem_euclid(SECONDS_OF_DAY);
    let (era, day) = (days.div_euclid(DAYS_OF_ERA), days.rem_euclid(DAYS_OF_ERA));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Any five months from March or August on have 153 days.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (next_year, month) = if month < 10 { (0, month + 3) } else { (1, month - 9) };
    Civil {
        year: era * 400 + year + next_year,
        month,
        day,
        hour: second / 3600,
        minute: second / 60 % 60,
        second: second % 60,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn shown(seconds: i64) -> String {
        utc(seconds).to_string()
    }

    #[test]
    fn utc_knows_the_calendar() {
        assert_eq!(shown(0), "1970-01-01 00:00:00");
        assert_eq!(shown(-1), "1969-12-31 23:59:59");
        assert_eq!(shown(951_827_696), "2000-02-29 12:34:56");
        assert_eq!(shown(1_795_210_800), "2026-11-20 21:40:00");
        assert_eq!(shown(4_107_542_400), "2100-03-01 00:00:00");
    }

    #[test]
    fn seconds_before_1970_count_back() {
        let before = |millis| seconds_since_epoch(UNIX_EPOCH - Duration::from_millis(millis));
        assert_eq!((before(1), before(1000), before(1001)), (-1, -1, -2));
    }

    #[test]
    fn a_year_that_the_c_library_cannot_count_is_told_all_the_same() {
        let far = local_time(UNIX_EPOCH + Duration::from_secs(1 << 60));
        assert_eq!(far, "36534630048-05-13 13:56:16");
    }
}
