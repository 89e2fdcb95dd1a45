//! What could not be ended is named.

use sess_sys::process::{Process, Signal};

use crate::harness::{PATIENCE, Sandbox, find, is_root, set_mode, skipped, wait_within};

#[test]
fn who_may_not_be_ended_is_named() {
    let (Some(setpriv), Some(python)) = (find("setpriv"), find("python3")) else { return };
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    set_mode(&sandbox.path(""), 0o755);
    let sess = sandbox.install(env!("CARGO_BIN_EXE_sess"), "sess", "755");
    // Whoever runs this becomes root, where the file system allows that.
    let stranger = sandbox.install(python.canonicalize().unwrap(), "stranger", "4755");
    let home = sandbox.path("theirs");
    std::fs::create_dir(&home).unwrap();
    std::os::unix::fs::chown(&home, Some(65_534), Some(65_534)).unwrap();
    let as_them = |words: &[&str]| {
        let mut command = sandbox.command(&setpriv);
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&sess);
        command.args(words).env("SESS_DIR", home.join("sessions")).env("PYTHONHOME", "/usr");
        sandbox.run(command)
    };
    let script = "import os, time\ntry: os.setresuid(0, 0, 0)\nexcept OSError: pass\n\
        open('stranger.uid', 'w').write(f'{os.getuid()}\\n')\ntime.sleep(1000)";
    sandbox.write("stays.py", script);
    let script = format!("trap '' HUP; '{}' stays.py & exec cat", stranger.display());
    as_them(&["new", "-d", "work", "--", "sh", "-c", &script]).expect(0);
    let tells =
        || String::from_utf8(sandbox.read("stranger.uid")).ok().filter(|t| t.ends_with('\n'));
    if wait_within(PATIENCE, tells).as_deref() != Some("0\n") {
        return skipped("nobody becomes root here");
    }
    let output = as_them(&["kill", "--grace", "100ms", "work"]).expect_error(1, "stranger");
    let list = output.stderr.split_once("could not be ended: ").expect("they are listed").1;
    let pid = list.split(' ').next().unwrap().parse().unwrap();
    let process = Process::read(sess_sys::Pid(pid)).unwrap().unwrap();
    assert!(process.alive() && process.name.starts_with("stranger"), "{process:?}");
    // It is the only one, and the program is gone.
    assert!(!list.contains(", "), "{list}");
    process.signal(Signal::KILL).unwrap();
    as_them(&["kill", "work"]).expect(0);
    as_them(&["status", "work"]).expect(3);
}
