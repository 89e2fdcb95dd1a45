//! What is garbage in a record, or stands in its place, never crashes or holds up a command,
//! is never followed elsewhere, and costs no session that runs.

mod running;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::sys::stat::{Mode, SFlag};

use crate::harness::{Output, Sandbox, is_there, listing, set_mode};

use super::{
    TOLD, answering, at_once, crash, json_in, make_pipe, names_in, record_of, tell, wait_for_record,
};

const FILES: [&str; 4] = ["start.json", "latest.json", "exit.json", "output-0000000000"];

/// Garbage in place of a file or of the record's folder.
#[derive(Clone, Copy, Debug)]
enum Garbage {
    Missing,
    Empty,
    /// Cut off behind so many hundredths.
    CutOff(usize),
    Zeros,
    Noise,
    /// Sound, but nothing that was asked for.
    Text(&'static str),
    /// Larger than it may be, and sound.
    Huge,
    Folder,
    Pipe,
    Socket,
    LinkToNowhere,
    LinkToEndless,
    LinkToItself,
}

const GARBAGE: [Garbage; 18] = [
    Garbage::Missing,
    Garbage::Empty,
    Garbage::CutOff(10),
    Garbage::CutOff(50),
    Garbage::CutOff(95),
    Garbage::Zeros,
    Garbage::Noise,
    Garbage::Text("null"),
    Garbage::Text("[[], {}]"),
    Garbage::Text("{\"id\": 7, \"command\": \"\", \"size\": [1]}"),
    Garbage::Text("\u{feff}{}"),
    Garbage::Huge,
    Garbage::Folder,
    Garbage::Pipe,
    Garbage::Socket,
    Garbage::LinkToNowhere,
    Garbage::LinkToEndless,
    Garbage::LinkToItself,
];

/// What may stand in the place of the record's folder.
const INSTEAD: [Garbage; 8] = [
    Garbage::Missing,
    Garbage::Empty,
    Garbage::Noise,
    Garbage::Folder,
    Garbage::Pipe,
    Garbage::Socket,
    Garbage::LinkToNowhere,
    Garbage::LinkToItself,
];

impl Garbage {
    /// Puts it in place of what is there.
    #[track_caller]
    fn put(self, path: &Path) {
        let before = fs::read(path).unwrap_or_default();
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            let _ = fs::remove_file(path);
        }
        match self {
            Self::Missing => {}
            Self::Empty => fs::write(path, "").unwrap(),
            Self::CutOff(part) => fs::write(path, &before[..before.len() * part / 100]).unwrap(),
            Self::Zeros => fs::write(path, vec![0; before.len().max(100)]).unwrap(),
            Self::Noise => fs::write(path, noise(before.len().max(100))).unwrap(),
            Self::Text(text) => fs::write(path, text).unwrap(),
            Self::Huge => fs::write(path, [&before[..], &vec![b' '; 5_000_000]].concat()).unwrap(),
            Self::Folder => {
                fs::create_dir(path).unwrap();
                fs::write(path.join("start.json"), "{}").unwrap();
            }
            Self::Pipe => make_node(path, SFlag::S_IFIFO),
            Self::Socket => make_node(path, SFlag::S_IFSOCK),
            Self::LinkToNowhere => symlink("nowhere", path).unwrap(),
            Self::LinkToEndless => symlink("/dev/zero", path).unwrap(),
            Self::LinkToItself => symlink(path.file_name().unwrap(), path).unwrap(),
        }
    }
}

/// Bytes that mean nothing, the same each time.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    (0..len).map(next).collect()
}

/// A pipe, or a socket that nobody listens at.
fn make_node(path: &Path, kind: SFlag) {
    nix::sys::stat::mknod(path, kind, Mode::S_IRWXU, 0).unwrap();
}

/// A session with a record that is sound; what else of its name there is are copies.
fn template(sandbox: &Sandbox, ends: bool) {
    make_pipe(sandbox);
    let session = sandbox.start_session("x", ["sh", "-c", &format!("echo something; {TOLD}")]);
    sandbox.wait_for_line("x", "something");
    if ends {
        tell(sandbox, "exit 3");
        sandbox.sess(["wait", "x"]).expect(3);
    } else {
        wait_for_record(sandbox, "x");
        crash(&session);
    }
}

/// A copy of what the session of that name has left.
#[track_caller]
fn copy(sandbox: &Sandbox, name: &str) -> PathBuf {
    let (from, to) = (sandbox.sessions().join("x"), sandbox.sessions().join(name));
    for folder in [&to, &to.join("record")] {
        fs::create_dir(folder).unwrap();
        set_mode(folder, 0o700);
    }
    fs::write(to.join("lock"), "").unwrap();
    if is_there(&from.join("sock")) {
        make_node(&to.join("sock"), SFlag::S_IFSOCK);
    }
    for file in names_in(&from.join("record")) {
        fs::copy(from.join("record").join(&file), to.join("record").join(&file)).unwrap();
    }
    to
}

/// Fails unless the command ended in order, in one of these ways.
#[track_caller]
fn expect_any(what: &str, output: &Output, codes: &[i32]) {
    assert!(codes.contains(&output.code), "{what}: {output:?}");
    assert!(!output.stderr.contains("panicked"), "{what}: {output:?}");
    assert!(output.code == 0 || output.stderr.len() < 1_000, "{what}: {output:?}");
}

/// Asks everything of a session whose record is garbage, begins it again, and takes its
/// name: all of that works, or says why not.
#[track_caller]
fn goes_on(sandbox: &Sandbox, name: &str, what: &str) {
    let asked: [(&[&str], &[i32]); 8] = [
        (&["status", "-q"], &[1, 3, 4]),
        (&["logs"], &[0, 3, 4]),
        (&["logs", "--json", "--since", "3"], &[0, 3, 4]),
        (&["capture", "--format", "json", "--history", "all"], &[0, 3, 4]),
        (&["wait"], &[3, 125]),
        (&["wait", "--text", "something"], &[0, 3, 4]),
        (&["attach"], &[3, 125]),
        (&["send", "-k", "Enter"], &[2, 3, 4]),
    ];
    for (words, codes) in asked {
        let output = sandbox.sess([&words[..1], &[name], &words[1..]].concat());
        expect_any(&format!("{what}: {words:?}"), &output, codes);
    }
    let output = sandbox.sess(["restart", name]);
    expect_any(&format!("{what}: restart"), &output, &[0, 1, 4]);
    if output.code == 0 {
        answering(sandbox, name);
        sandbox.sess(["kill", "--grace", "0s", name]).expect(0);
    }
    sandbox.start_script(name, "echo something new; read -r line");
    sandbox.wait_for_line(name, "^something new$");
    sandbox.sess(["kill", "--grace", "0s", name]).expect(0);
    sandbox.sess(["status", "-q", name]).expect(3);
    let told = sandbox.sess(["logs", name]).expect(0).stdout;
    assert_eq!(told, "something new\n", "{what}");
}

/// Tries all garbage in all places of the record of a session that is over.
#[track_caller]
fn try_garbage(ends: bool) {
    let files = FILES.iter().flat_map(|file| GARBAGE.map(|garbage| (Some(*file), garbage)));
    let all: Vec<_> = files.chain(INSTEAD.map(|garbage| (None, garbage))).collect();
    at_once(all.chunks(all.len().div_ceil(4)), |some| {
        // Copies have one id, so that one after the other is begun again.
        let sandbox = Sandbox::new();
        template(&sandbox, ends);
        let cases = some.iter().enumerate().map(|(number, case)| (format!("x{number}"), case));
        for (name, (file, garbage)) in cases.clone() {
            let record = copy(&sandbox, &name).join("record");
            garbage.put(&file.map_or(record.clone(), |file| record.join(file)));
        }
        for words in [&["ls", "-a"][..], &["ls", "-a", "--json"], &["restore", "--list"]] {
            let output = sandbox.sess(words).expect(0);
            assert_eq!(output.stderr, "");
        }
        for (name, (file, garbage)) in cases {
            goes_on(&sandbox, &name, &format!("{file:?} {garbage:?}"));
        }
        sandbox.sess(["prune"]).expect(0);
        assert_eq!(names_in(&sandbox.sessions()), [""; 0]);
    });
}

#[test]
fn garbage_in_a_dead_sessions_record_crashes_and_holds_up_nothing() {
    try_garbage(false);
}

#[test]
fn garbage_in_an_exited_sessions_record_crashes_and_holds_up_nothing() {
    try_garbage(true);
}

/// A frame as it is cut in files of output.
fn frame(kind: u8, claimed: usize, payload: &[u8]) -> Vec<u8> {
    let claimed = (claimed as u32).to_le_bytes();
    [&[kind, 0, 0, 0][..], &claimed, payload].concat()
}

#[test]
fn frames_that_make_no_sense_are_the_end_of_what_is_readable() {
    let sandbox = Sandbox::new();
    template(&sandbox, false);
    let id = json_in(&record_of(&sandbox, "x"), "start.json")["id"].as_str().unwrap().to_owned();
    let begin = |offset: u64| {
        let payload = [&offset.to_le_bytes()[..], id.as_bytes()].concat();
        frame(1, payload.len(), &payload)
    };
    let screen = |cols: u16, rows: u16, len: u64| {
        let size = [cols.to_le_bytes(), rows.to_le_bytes()].concat();
        frame(2, 13, &[&size[..], &[0], &len.to_le_bytes()].concat())
    };
    let said = frame(4, 7, b"hello\r\n");
    let sound = [begin(0), screen(80, 24, 0), said.clone()].concat();
    // What is sound before it is told; what it claims is not waited for, nor made room for.
    for (number, more) in [
        frame(4, u32::MAX as usize, b"x"),
        frame(4, 65_536, b"x"),
        frame(200, 4, b"what"),
        screen(80, 24, u64::MAX),
        frame(3, 1, b"x"),
        frame(5, 4, &[0; 4]),
        frame(5, 4, &[255; 4]),
        frame(5, 1, b"x"),
        vec![4],
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("x{number}");
        let record = copy(&sandbox, &name).join("record");
        fs::write(record.join(FILES[3]), [&sound[..], &more].concat()).unwrap();
        let told = sandbox.sess(["logs", "--raw", &name]).expect(0).stdout;
        assert!(told.starts_with("hello\r\n"), "{number}: {told}");
        goes_on(&sandbox, &name, &format!("frame {number}"));
    }
    for (number, all) in [
        [begin(u64::MAX), screen(80, 24, 0), said.clone()].concat(),
        [begin(u64::MAX - 8), screen(80, 24, 0), said.clone()].concat(),
        [begin(u64::MAX / 2), screen(80, 24, 0), said.clone()].concat(),
        [begin(0), screen(65_535, 65_535, 0), said.clone()].concat(),
        [begin(0), screen(0, 0, 0), said.clone()].concat(),
        [said.clone(), begin(0)].concat(),
        [begin(0), begin(0), screen(80, 24, 0)].concat(),
        begin(0),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("y{number}");
        let record = copy(&sandbox, &name).join("record");
        fs::write(record.join(FILES[3]), all).unwrap();
        goes_on(&sandbox, &name, &format!("segment {number}"));
    }
}

#[test]
fn numbers_that_cant_be_are_brought_into_bounds() {
    let sandbox = Sandbox::new();
    template(&sandbox, true);
    let max = u64::MAX;
    for (number, (file, key, value)) in [
        ("start.json", "run", u32::MAX.into()),
        ("start.json", "journal", 0.into()),
        ("start.json", "journal", 1.into()),
        ("start.json", "journal", max.into()),
        ("start.json", "history", max.into()),
        ("start.json", "created", max.into()),
        ("start.json", "begun", max.into()),
        ("start.json", "umask", u32::MAX.into()),
        ("start.json", "size", serde_json::json!([0, 0])),
        ("start.json", "size", serde_json::json!([65_535, 65_535])),
        ("start.json", "command", serde_json::json!([])),
        ("start.json", "command", serde_json::json!(["a\u{0}b"])),
        ("start.json", "id", "../../x".into()),
        ("start.json", "name", "\u{1b}[31m".into()),
        ("latest.json", "offset", max.into()),
        ("latest.json", "history-lines", max.into()),
        ("latest.json", "last-output", max.into()),
        ("latest.json", "size", serde_json::json!([0, 7])),
        ("latest.json", "size", serde_json::json!([65_535, 1])),
        ("latest.json", "directory", "file:///%00%ff/../..".into()),
        ("latest.json", "cwd", "relative".into()),
        ("latest.json", "title", "\u{1b}]0;x\u{7}\n".into()),
        ("exit.json", "time", max.into()),
        ("exit.json", "duration", max.into()),
        ("exit.json", "signal", 9.into()),
        ("exit.json", "code", 256.into()),
        ("exit.json", "code", serde_json::Value::Null),
        ("exit.json", "run", 7.into()),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("x{number}");
        let what = format!("{file} {key} {value}");
        let record = copy(&sandbox, &name).join("record");
        let mut json = json_in(&record, file);
        assert!(json.get(key).is_some(), "{what}");
        json[key] = value;
        fs::write(record.join(file), json.to_string()).unwrap();
        for words in
            [&["status"][..], &["ls", "-a"], &["status", "--json"], &["ls", "-a", "--json"]]
        {
            let words = if words[0] == "ls" { words.to_vec() } else { [words, &[&name]].concat() };
            let output = sandbox.sess(&words);
            expect_any(&format!("{what}: {words:?}"), &output, &[0, 1, 3]);
            let odd = |c: char| c.is_control() && c != '\n';
            assert!(!output.stdout.contains(odd), "{what}: {output:?}");
        }
        goes_on(&sandbox, &name, &what);
    }
}

#[test]
fn what_a_record_leads_to_elsewhere_stays_as_it_is() {
    let sandbox = Sandbox::new();
    template(&sandbox, true);
    for file in FILES {
        sandbox.write(&format!("elsewhere/{file}"), "mine");
    }
    let elsewhere = sandbox.path("elsewhere");
    let before = listing(&elsewhere);
    let folder = copy(&sandbox, "x1");
    for file in FILES {
        fs::remove_file(folder.join("record").join(file)).unwrap();
        symlink(elsewhere.join(file), folder.join("record").join(file)).unwrap();
    }
    let folder = copy(&sandbox, "x2");
    fs::remove_dir_all(folder.join("record")).unwrap();
    symlink(&elsewhere, folder.join("record")).unwrap();
    for name in ["x1", "x2"] {
        goes_on(&sandbox, name, name);
        assert_eq!(listing(&elsewhere), before, "{name}");
    }
    sandbox.sess(["prune"]).expect(0);
    assert_eq!(listing(&elsewhere), before);
}
