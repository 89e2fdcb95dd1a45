//! The time as people read it, beside what `date` says.

use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use sess_sys::clock::local_time;

/// Summer and winter, and a leap day.
const MOMENTS: [u64; 4] = [0, 951_827_696, 1_782_000_000, 1_795_210_800];

#[test]
fn it_is_what_date_says() {
    for moment in MOMENTS {
        let at = format!("@{moment}");
        let date = Command::new("date").args(["-d", &at, "+%Y-%m-%d %H:%M:%S"]).output();
        let date = String::from_utf8(date.expect("it starts").stdout).expect("it is text");
        let shown = local_time(UNIX_EPOCH + Duration::from_secs(moment));
        assert_eq!(shown, date.trim_end());
    }
}

#[test]
fn the_zone_is_the_one_that_the_environment_names() {
    let this = std::env::current_exe().expect("it has a path");
    for zone in ["UTC", "XST-5:45", "CET-1CEST,M3.5.0,M10.5.0/3", "no such zone", ""] {
        let inside =
            Command::new(&this).args(["--exact", "it_is_what_date_says"]).env("TZ", zone).output();
        let inside = inside.expect("it starts");
        let said = String::from_utf8_lossy(&inside.stdout);
        assert!(inside.status.success() && said.contains("1 passed"), "{zone}: {said}");
    }
}
