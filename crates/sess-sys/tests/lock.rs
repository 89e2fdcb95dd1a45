//! Locks, and asking about them without touching anything.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use sess_sys::dir::Dir;
use sess_sys::lock::{Held, Lock, is_held};

fn place() -> (tempfile::TempDir, Dir, &'static OsStr) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let dir = Dir::open(place.path()).expect("it is a directory");
    (place, dir, OsStr::new("lock"))
}

#[test]
fn only_one_opening_gets_the_lock() {
    let (place, dir, name) = place();
    let lock = Lock::try_take(&dir, name).expect("it works").expect("it is free");
    assert!(Lock::try_take(&dir, name).expect("it works").is_none());
    drop(lock);
    assert!(Lock::try_take(&dir, name).expect("it works").is_some());
    let mode = fs::metadata(place.path().join("lock")).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn asking_takes_nothing_and_makes_nothing() {
    let (_place, dir, name) = place();
    assert_eq!(is_held(&dir, name).expect("it works"), Held::Absent);
    assert!(dir.names().expect("it can be read").is_empty(), "asking made a file");
    let lock = Lock::try_take(&dir, name).expect("it works").expect("it is free");
    assert_eq!(is_held(&dir, name).expect("it works"), Held::Held);
    assert_eq!(is_held(&dir, name).expect("it works"), Held::Held);
    drop(lock);
    assert_eq!(is_held(&dir, name).expect("it works"), Held::Free);
    assert!(Lock::try_take(&dir, name).expect("it works").is_some(), "asking took it");
}

#[test]
fn a_lock_knows_when_its_name_leads_elsewhere() {
    let (_place, dir, name) = place();
    let lock = Lock::try_take(&dir, name).expect("it works").expect("it is free");
    assert!(lock.is_at(&dir, name).expect("it works"));
    dir.remove_file(name).expect("it is there");
    assert!(!lock.is_at(&dir, name).expect("it works"));
    let other = Lock::try_take(&dir, name).expect("it works").expect("a new file is free");
    assert!(!lock.is_at(&dir, name).expect("it works"));
    assert!(other.is_at(&dir, name).expect("it works"));
}

#[test]
fn a_lock_that_is_being_replaced_is_never_held_twice_under_one_name() {
    let (_place, dir, name) = place();
    let holders = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    // Being outrun a hundred times in a row is no failure here.
                    let Ok(Some(lock)) = Lock::try_take(&dir, name) else {
                        continue;
                    };
                    let others = holders.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    assert_eq!(others, 0, "two hold it");
                    assert!(lock.is_at(&dir, name).expect("it works"));
                    holders.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                    dir.remove_file(name).expect("only who holds it removes it");
                    drop(lock);
                }
            });
        }
    });
}
