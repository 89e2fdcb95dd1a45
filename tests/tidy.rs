//! House rules that no lint knows: words, file sizes, where unsafe code, printing
//! and sleeping may stand.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::path::{Path, PathBuf};

/// Where code and texts are.
const PLACES: [&str; 5] = ["crates", "tests", "benches", "docs", "README.md"];

/// Words that say too little or belong to another design.
const AVOIDED: [&str; 9] =
    ["server", "daemon", "master", "slave", "manager", "handler", "helper", "util", "common"];

/// Names of others that hold an avoided word: (what may stand, why).
const QUOTED: [(&str, &str); 4] = [
    ("http.server", "a Python module"),
    ("openssh-server", "a Debian package"),
    ("coreutils", "a Debian package"),
    ("util-linux", "a Debian package"),
];

/// Longer files hold more than one concept.
const LONGEST: usize = 600;

/// Where printing is allowed: (the end of the path, why).
const PRINTERS: [(&str, &str); 8] = [
    ("crates/sess/src/output.rs", "what verbs tell"),
    ("crates/sess/src/error.rs", "what goes wrong"),
    ("crates/sess/build.rs", "what cargo is told"),
    ("crates/sess-sys/tests/support/mod.rs", "runs tests without the usual harness"),
    ("crates/sess-screen/benches/throughput.rs", "a measurement's table"),
    ("crates/sess-screen/examples/conformance/main.rs", "what a run of cases tells"),
    ("crates/sess-screen/examples/storm.rs", "what arbitrary input found"),
    ("benches/report.rs", "the measurements' tables"),
];

/// Where tests may sleep: (the end of the path, why).
const SLEEPERS: [(&str, &str); 3] = [
    ("tests/e2e/harness/patience.rs", "the loop that waits for facts"),
    ("crates/sess-sys/tests/support/mod.rs", "the same for that crate"),
    ("crates/sess-sys/tests/detach.rs", "a process that is there to be killed"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every file of the places, with its path from the root and its text.
fn files() -> Vec<(String, String)> {
    let root = root();
    let mut found = Vec::new();
    let mut waiting: Vec<PathBuf> = PLACES.iter().map(|place| root.join(place)).collect();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
            waiting.extend(entries.filter(|path| !path.ends_with("target")));
        } else if let Ok(text) = fs::read_to_string(&path) {
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            found.push((name, text));
        }
    }
    assert!(found.len() > 50, "only {} files found", found.len());
    found
}

/// The same, Rust alone.
fn sources() -> Vec<(String, String)> {
    let mut files = files();
    files.retain(|(name, _)| Path::new(name).extension().is_some_and(|kind| kind == "rs"));
    files
}

/// Fails with all that was found.
#[track_caller]
fn assert_none(rule: &str, found: &[String]) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

fn is_listed<T>(list: &[(&str, T)], name: &str) -> bool {
    list.iter().any(|(end, _)| name.ends_with(end))
}

/// Lines of the files that hold one of these, as `path:line: text`.
fn lines_with(files: &[(String, String)], parts: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in files {
        for (index, line) in text.lines().enumerate() {
            if parts.iter().any(|part| line.contains(part)) {
                found.push(format!("{name}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn every_file_opens_with_what_it_is() {
    let mut found: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//! ") && !text.starts_with("#!/"))
        .map(|(name, _)| name)
        .collect();
    found.sort();
    assert_none("a file opens with `//!`: what it owns, what it must not know", &found);
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<String> = sources()
        .into_iter()
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(name, lines)| format!("{name}: {lines} lines"))
        .collect();
    assert_none("a file is one concept", &long);
}

#[test]
fn avoided_words_are_avoided() {
    let mut found = Vec::new();
    for (name, text) in files().into_iter().filter(|(name, _)| !name.ends_with("tidy.rs")) {
        if let Some(word) = avoided_word(&name) {
            found.push(format!("{name}: {word} in its name"));
        }
        for (index, line) in text.lines().enumerate() {
            if let Some(word) = avoided_word(line) {
                found.push(format!("{name}:{}: {word}: {}", index + 1, line.trim()));
            }
        }
    }
    assert_none("words to be avoided (docs/architecture.md has those to use)", &found);
}

/// The first avoided word in a text.
fn avoided_word(text: &str) -> Option<&'static str> {
    let mut text = text.to_lowercase();
    for (quoted, _) in QUOTED {
        text = text.replace(quoted, "");
    }
    AVOIDED.into_iter().find(|word| has_word(&text, word))
}

#[test]
fn an_avoided_word_is_found_as_a_word() {
    assert_eq!(avoided_word("the Server's"), Some("server"));
    assert_eq!(avoided_word("mod utils;"), Some("util"));
    assert_eq!(avoided_word("signal_handler"), Some("handler"));
    assert_eq!(avoided_word("observer, utility, openssh-server, uncommon"), None);
}

/// Whether a word, or its plural, stands in a text of small letters.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].trim_start_matches('s').chars().next();
        !before.is_some_and(char::is_alphabetic) && !after.is_some_and(char::is_alphabetic)
    })
}

#[test]
fn unsafe_code_stands_behind_the_fence() {
    let mut outside = sources();
    outside.retain(|(name, _)| {
        !name.starts_with("crates/sess-sys/src/") && !name.ends_with("tidy.rs")
    });
    let found =
        lines_with(&outside, &["unsafe {", "unsafe fn", "unsafe impl", "allow(unsafe_code"]);
    assert_none("only sess-sys has unsafe code", &found);
}

#[test]
fn only_output_and_error_print() {
    let mut others = sources();
    others.retain(|(name, _)| !is_listed(&PRINTERS, name) && !name.ends_with("tidy.rs"));
    let found = lines_with(&others, &["println!(", "print!(", "dbg!("]);
    assert_none("printing is for output.rs and error.rs", &found);
}

#[test]
fn no_test_is_ignored() {
    let mut others = sources();
    others.retain(|(name, _)| !name.ends_with("tidy.rs"));
    assert_none("a test runs or doesn't exist", &lines_with(&others, &["#[ignore"]));
}

#[test]
fn no_test_sleeps() {
    let mut tests = sources();
    tests.retain(|(name, _)| {
        name.contains("tests/") && !name.ends_with("tidy.rs") && !is_listed(&SLEEPERS, name)
    });
    let found = lines_with(&tests, &["thread::sleep", "sleep(Duration"]);
    assert_none("tests wait for facts", &found);
}

#[test]
fn the_readme_leads_with_two_commands_that_exist() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let start = readme.find("```").expect("a block of code");
    let block = readme[start..].lines().skip(1).take_while(|line| !line.starts_with("```"));
    let commands: Vec<&str> =
        block.map(|line| line.split('#').next().unwrap_or_default().trim()).collect();
    assert_eq!(commands, ["cargo run --release -- new work", "cargo test --workspace"]);
    // `cargo run` finds one binary, and `cargo test` the tests of the top.
    let binaries = sources().into_iter().filter(|(name, _)| name.ends_with("src/main.rs")).count();
    assert_eq!(binaries, 1);
    let manifest = fs::read_to_string(root().join("crates/sess/Cargo.toml")).unwrap();
    for path in ["../../tests/e2e/main.rs", "../../tests/tidy.rs"] {
        assert!(manifest.contains(&format!("path = \"{path}\"")), "{path}");
    }
}
