//! Directories and what is in them, with links in the way.

use std::ffi::OsStr;
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use sess_sys::dir::{Dir, Kind};

fn name(text: &str) -> &OsStr {
    OsStr::new(text)
}

fn place() -> (tempfile::TempDir, Dir) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let dir = Dir::open(place.path()).expect("it is a directory");
    (place, dir)
}

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o7777
}

#[test]
fn a_final_symlink_is_refused_whatever_follows_it() {
    let (place, dir) = place();
    dir.create_in(name("real"), 0o700).expect("it can be made");
    symlink("real", place.path().join("link")).expect("a link");
    for path in ["link", "link/", "link/."] {
        let error = Dir::open(&place.path().join(path)).expect_err("it is a link");
        assert_eq!(error.kind(), ErrorKind::NotADirectory, "{path}");
    }
    let error = dir.open_in(name("link")).expect_err("it is a link");
    assert_eq!(error.kind(), ErrorKind::NotADirectory);
    Dir::open_following(&place.path().join("link")).expect("it leads to a directory");
}

#[test]
fn symlinks_on_the_way_are_followed() {
    let (place, _) = place();
    Dir::create_all(&place.path().join("real/inner"), 0o700).expect("they can be made");
    symlink("real", place.path().join("link")).expect("a link");
    Dir::open(&place.path().join("link/inner")).expect("only the way leads through a link");
}

#[test]
fn a_directory_gets_exactly_its_mode_and_only_once() {
    let (place, dir) = place();
    assert!(dir.create_in(name("new"), 0o777).expect("it can be made"));
    assert_eq!(mode_of(&place.path().join("new")), 0o777, "the umask took some");
    assert!(!dir.create_in(name("new"), 0o700).expect("it is there"));
    assert_eq!(mode_of(&place.path().join("new")), 0o777, "it was changed");
}

#[test]
fn missing_parents_are_made_and_present_ones_left_alone() {
    let (place, _) = place();
    let before = mode_of(place.path());
    let path = place.path().join("a/b/c");
    Dir::create_all(&path, 0o710).expect("they can be made");
    Dir::create_all(&path, 0o700).expect("they are there");
    assert_eq!(mode_of(&path), 0o710);
    assert_eq!(mode_of(&place.path().join("a")), 0o710);
    assert_eq!(mode_of(place.path()), before);
}

#[test]
fn names_are_complete_each_time() {
    let (place, dir) = place();
    for file in ["a", "b", ".c"] {
        fs::write(place.path().join(file), "").expect("it can be written");
    }
    for _ in 0..2 {
        let mut names = dir.names().expect("it can be read");
        names.sort();
        assert_eq!(names, [".c", "a", "b"]);
    }
}

#[test]
fn metadata_tells_what_a_name_is_without_following_it() {
    let (place, dir) = place();
    fs::write(place.path().join("file"), "12345").expect("it can be written");
    symlink("file", place.path().join("link")).expect("a link");
    let file = dir.metadata_of(name("file")).expect("it is there");
    assert_eq!((file.kind, file.size), (Kind::File, 5));
    let there = fs::metadata(place.path().join("file")).expect("it is there");
    assert_eq!((file.dev, file.ino, file.uid), (there.dev(), there.ino(), there.uid()));
    assert_eq!(file.modified, there.modified().expect("it has one"));
    assert_eq!(dir.metadata_of(name("link")).expect("it is there").kind, Kind::Symlink);
    assert_eq!(dir.metadata().expect("it is open").kind, Kind::Dir);
    assert!(!dir.is_on_network().expect("it can be asked"));
}

#[test]
fn a_file_is_read_up_to_its_limit_and_not_beyond() {
    let (place, dir) = place();
    fs::write(place.path().join("file"), "12345").expect("it can be written");
    assert_eq!(dir.read_file(name("file"), 5).expect("it fits"), b"12345");
    let error = dir.read_file(name("file"), 4).expect_err("it is too large");
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    let error = dir.read_file(name("none"), 4).expect_err("it is missing");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn only_regular_files_are_read_and_appended_to() {
    let (place, dir) = place();
    fs::write(place.path().join("file"), "12345").expect("it can be written");
    symlink("file", place.path().join("link")).expect("a link");
    dir.create_in(name("folder"), 0o700).expect("it can be made");
    let _listener = std::os::unix::net::UnixListener::bind(place.path().join("socket"));
    let fifo = std::process::Command::new("mkfifo").arg(place.path().join("fifo")).status();
    assert!(fifo.expect("mkfifo runs").success());
    for other in ["link", "folder", "socket", "fifo"] {
        let error = dir.read_file(name(other), 100).expect_err("it is no file");
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{other}");
        let error = dir.open_append(name(other)).expect_err("it is no file");
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{other}");
    }
    // Somebody who reads from it makes it no file.
    let _reader = fs::OpenOptions::new().read(true).write(true).open(place.path().join("fifo"));
    let error = dir.open_append(name("fifo")).expect_err("it is no file");
    assert_eq!(error.kind(), ErrorKind::InvalidData);
}

#[test]
fn what_is_appended_comes_at_the_end_wherever_that_is() {
    let (place, dir) = place();
    let path = place.path().join("file");
    fs::write(&path, "old ").expect("it can be written");
    let mut file = dir.open_append(name("file")).expect("it is there");
    fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .expect("it is there")
        .write_all(b"by others ")
        .expect("it can be written");
    file.write_all(b"new").expect("it can be written");
    assert_eq!(fs::read(&path).expect("it is there"), b"old by others new");
    let error = dir.open_append(name("none")).expect_err("it is missing");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(dir.names().expect("it can be read"), ["file"]);
}

#[test]
fn a_file_is_replaced_whole_with_exactly_its_mode() {
    let (place, dir) = place();
    let long = "n".repeat(255);
    dir.replace_file(name(&long), b"old", 0o600).expect("it can be written");
    let before = dir.metadata_of(name(&long)).expect("it is there").ino;
    let mut reader = fs::File::open(place.path().join(&long)).expect("it is there");
    dir.replace_file(name(&long), b"new", 0o666).expect("it can be written");
    let mut seen = String::new();
    std::io::Read::read_to_string(&mut reader, &mut seen).expect("it is open");
    assert_eq!(seen, "old", "the old file was written over");
    assert_eq!(dir.read_file(name(&long), 10).expect("it is there"), b"new");
    assert_ne!(dir.metadata_of(name(&long)).expect("it is there").ino, before);
    assert_eq!(mode_of(&place.path().join(&long)), 0o666);
    assert_eq!(dir.names().expect("it can be read").len(), 1);
}

#[test]
fn a_failed_replacement_leaves_nothing_behind() {
    let (_place, dir) = place();
    dir.replace_file(name("missing/new"), b"new", 0o600).expect_err("there is no such folder");
    dir.replace_link(Path::new("x"), name("missing/new")).expect_err("there is no such folder");
    assert!(dir.names().expect("it can be read").is_empty());
}

#[test]
fn whatever_has_the_name_is_replaced() {
    let (_place, dir) = place();
    dir.create_in(name("taken"), 0o700).expect("it can be made");
    let inner = dir.open_in(name("taken")).expect("it is there");
    inner.replace_file(name("in it"), b"old", 0o600).expect("it can be written");
    dir.replace_file(name("taken"), b"new", 0o600).expect("it is replaced");
    assert_eq!(dir.read_file(name("taken"), 10).expect("it is a file"), b"new");
    assert_eq!(dir.names().expect("it can be read"), ["taken"]);
}

#[test]
fn a_link_is_replaced_in_place() {
    let (_place, dir) = place();
    dir.replace_link(Path::new("/one"), name("link")).expect("it can be made");
    dir.replace_link(Path::new("/two"), name("link")).expect("it can be replaced");
    assert_eq!(dir.read_link(name("link")).expect("it is a link"), Path::new("/two"));
    assert_eq!(dir.names().expect("it can be read").len(), 1);
}

#[test]
fn removing_a_tree_does_not_follow_links() {
    let (place, dir) = place();
    Dir::create_all(&place.path().join("tree/a/b"), 0o700).expect("they can be made");
    Dir::create_all(&place.path().join("other"), 0o700).expect("it can be made");
    fs::write(place.path().join("other/kept"), "").expect("it can be written");
    fs::write(place.path().join("tree/a/b/file"), "").expect("it can be written");
    symlink("../../other", place.path().join("tree/a/link")).expect("a link");
    dir.remove_tree(name("tree")).expect("it can be removed");
    assert_eq!(dir.names().expect("it can be read"), ["other"]);
    assert!(place.path().join("other/kept").exists());
    symlink("other", place.path().join("link")).expect("a link");
    dir.remove_tree(name("link")).expect("it can be removed");
    assert!(place.path().join("other/kept").exists());
    let error = dir.remove_tree(name("link")).expect_err("it is gone");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_held_directory_can_be_held_by_others_but_not_claimed() {
    let (place, dir) = place();
    dir.hold_shared().expect("nobody claims it");
    let other = Dir::open(place.path()).expect("it is a directory");
    other.hold_shared().expect("sharing is possible");
    let cleaner = fs::File::open(place.path()).expect("it is there");
    assert!(cleaner.try_lock().is_err(), "a cleaner got it");
}
