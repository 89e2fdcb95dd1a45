//! Contract 3, `restore`: what a reboot, a crash or the system took is brought back, and
//! nothing else.

use sess_sys::process::{Pid, Process, Signal};

use crate::harness::{
    Sandbox, Session, contents, process_in, signal_to, wait_until, wait_until_gone,
};

/// The names in a table of sessions.
fn names(table: &str) -> Vec<&str> {
    table.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect()
}

/// Takes a session as a system does that goes down.
#[track_caller]
fn take(session: &Session<'_>) {
    session.signal_holder(Signal::TERM);
    session.wait_for_state("exited");
}

/// Sessions that are to be restored, in the order of their names.
#[track_caller]
fn start_taken(sandbox: &Sandbox) -> Vec<(&'static str, String)> {
    let mut taken = Vec::new();
    for name in ["a-dead", "b-taken", "c-hup", "d-term", "e-kill"] {
        let session = sandbox.start_script(name, &format!("echo {name}; exec cat"));
        match name {
            "a-dead" => session.lose_both(),
            "b-taken" => take(&session),
            _ => {
                let signal = match name {
                    "c-hup" => Signal::HUP,
                    "d-term" => Signal::TERM,
                    _ => Signal::KILL,
                };
                signal_to(session.pid, signal);
                session.wait_for_state("exited");
            }
        }
        taken.push((name, session.id));
    }
    taken
}

/// Sessions that are not to be restored.
#[track_caller]
fn start_others(sandbox: &Sandbox) {
    for (name, script) in [("zero", "exit 0"), ("three", "exit 3"), ("segv", "kill -SEGV $$")] {
        sandbox.start_session_that_ends(name, script);
    }
    for (name, options) in
        [("killed", &[][..]), ("killed-term", &["-s", "TERM"]), ("killed-hard", &["--grace", "0s"])]
    {
        sandbox.start_session(name, ["cat"]);
        sandbox.sess([&["kill"], options, &[name]].concat()).expect(0);
    }
    let policies = [
        ("idle", &["--idle-timeout", "50ms"][..]),
        ("timeout", &["--timeout", "50ms"]),
        ("gave-up", &["--restart", "on-failure:1"]),
    ];
    for (name, options) in policies {
        let script = if name == "gave-up" { "kill -KILL $$" } else { "exec cat" };
        let words = [&["new", "-d"], options, &[name, "--", "sh", "-c", script]].concat();
        sandbox.sess(words).expect(0);
        sandbox.wait_for_end(name);
    }
    let mut other = sandbox.command("sleep").arg("1000").spawn().unwrap();
    let pid = other.id().to_string();
    sandbox.sess(["new", "-d", "--with-pid", &pid, "with-pid", "--", "cat"]).expect(0);
    other.kill().unwrap();
    other.wait().unwrap();
    sandbox.wait_for_end("with-pid");
    sandbox.start_session("runs", ["cat"]);
}

#[test]
fn what_was_taken_is_brought_back_and_nothing_else() {
    let sandbox = Sandbox::new();
    start_others(&sandbox);
    let taken = start_taken(&sandbox);
    let expected: Vec<_> = taken.iter().map(|(name, _)| *name).collect();
    let before = contents(&sandbox.sessions());
    for _ in 0..2 {
        let list = sandbox.sess(["restore", "--list"]).expect(0);
        assert_eq!(names(&list.stdout), expected, "{}", list.stdout);
        assert_eq!(contents(&sandbox.sessions()), before);
    }
    let output = sandbox.sess(["restore"]).expect(0);
    assert_eq!(output.stdout, expected.join("\n") + "\n");
    for (name, id) in &taken {
        let session = sandbox.session(name);
        assert_eq!(&session.id, id);
        sandbox.sess(["send", name, "hello", "--enter", "--wait-text", "^hello$"]).expect(0);
        let text = sandbox.sess(["logs", name]).expect(0).stdout;
        assert_eq!(text.matches("restarted").count(), 1, "{text}");
    }
    let running = sandbox.sess(["ls", "-q"]).expect(0).stdout;
    assert_eq!(running.lines().count(), expected.len() + 1, "{running}");
    // Nothing is left to be done.
    let output = sandbox.sess(["restore"]).expect(0);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    assert_eq!(sandbox.sess(["restore", "--list"]).expect(0).stdout, "");
    for (name, id) in &taken {
        assert_eq!(&sandbox.session(name).id, id);
    }
}

#[test]
fn a_session_that_was_restored_is_like_any_other() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    // Taken again, it is restored again; killed, it isn't.
    for _ in 0..2 {
        take(&sandbox.session("work"));
        assert_eq!(sandbox.status("work")["exit"]["cause"], "taken");
        assert_eq!(sandbox.status("work")["restorable"], true);
        assert_eq!(sandbox.sess(["restore"]).expect(0).stdout, "work\n");
        assert_eq!(sandbox.session("work").id, session.id);
    }
    sandbox.sess(["kill", "work"]).expect(0);
    assert_eq!(sandbox.status("work")["restorable"], false);
    assert_eq!(sandbox.sess(["restore"]).expect(0).stdout, "");
    sandbox.sess(["status", "work"]).expect(3);
}

#[test]
fn who_kills_what_was_taken_does_not_want_it_back() {
    let sandbox = Sandbox::new();
    let living = "setsid sh -c 'trap \"\" HUP TERM; echo $$ >pid; while :; do sleep 1000; done' &
        while ! test -s pid; do sleep 0.02; done; kill -KILL $$";
    sandbox.start_session_that_ends("work", living);
    let left = process_in(&sandbox, "pid");
    assert_eq!(sandbox.status("work")["exit"]["cause"], "taken");
    sandbox.sess(["kill", "--grace", "0s", "work"]).expect(0);
    assert!(!left.alive());
    let exit = sandbox.wait_for_end("work");
    assert_eq!((&exit["signal"], &exit["cause"]), (&"SIGKILL".into(), &"killed".into()), "{exit}");
    assert_eq!(sandbox.sess(["restore"]).expect(0).stdout, "");
    // By its name it can be had.
    sandbox.sess(["restart", "work"]).expect(0);
}

#[test]
fn a_holder_that_was_lost_in_the_pause_before_a_restart_is_restored() {
    let sandbox = Sandbox::new();
    let script = "echo >>runs; test -e again && exec cat; exit 3";
    let words = ["new", "-d", "--restart", "on-failure", "work", "--", "sh", "-c", script];
    sandbox.sess(words).expect(0);
    wait_until("the pause", || sandbox.status("work")["upkeep"]["next_start"].is_string());
    let holder = sandbox.status("work")["holder_pid"].as_i64().unwrap();
    let holder = Process::read(Pid(i32::try_from(holder).unwrap())).unwrap().unwrap();
    holder.signal(Signal::KILL).unwrap();
    wait_until_gone(&holder);
    let runs = sandbox.count_lines("runs");
    sandbox.sess(["status", "work"]).expect(1);
    sandbox.write("again", "");
    assert_eq!(sandbox.sess(["restore"]).expect(0).stdout, "work\n");
    sandbox.sess(["send", "work", "hello", "--enter", "--wait-text", "^hello$"]).expect(0);
    assert_eq!(sandbox.count_lines("runs"), runs + 1);
}

#[test]
fn what_kill_ended_although_its_holder_was_stopped_is_not_restored() {
    let sandbox = Sandbox::new();
    for restart in ["never", "always"] {
        let words = ["new", "-d", "--restart", restart, restart, "--", "sh", "-c"];
        sandbox.sess([&words[..], &["echo >>runs-$SESS_SESSION; exec cat"]].concat()).expect(0);
        let runs = format!("runs-{restart}");
        wait_until("it to run", || sandbox.count_lines(&runs) == 1);
        sandbox.session(restart).stop_holder();
        sandbox.sess(["kill", restart]).expect(0);
        let exit = sandbox.wait_for_end(restart);
        assert_eq!(exit["cause"], "killed", "{exit}");
        assert_eq!(sandbox.count_lines(&runs), 1, "it was started again");
    }
    assert_eq!(sandbox.sess(["restore"]).expect(0).stdout, "");
}

#[test]
fn what_cannot_be_restored_is_told_and_holds_up_no_other() {
    let sandbox = Sandbox::new();
    std::os::unix::fs::symlink("/bin/cat", sandbox.path("program")).unwrap();
    let living = "trap '' HUP; echo $$ >pid; while :; do sleep 1000; done";
    take(&sandbox.start_session("a-fine", ["cat"]));
    take(&sandbox.start_session("b-gone", ["./program"]));
    let session = sandbox.start_script("c-living", living);
    let program = process_in(&sandbox, "pid");
    session.lose_holder();
    take(&sandbox.start_session("d-fine", ["cat"]));
    std::fs::remove_file(sandbox.path("program")).unwrap();
    let output = sandbox.sess(["restore"]).expect(1);
    assert_eq!(output.stdout, "a-fine\nd-fine\n");
    let errors: Vec<_> = output.stderr.lines().collect();
    assert_eq!(errors.len(), 3, "{}", output.stderr);
    assert!(errors[0].contains("no such command: ./program"), "{}", output.stderr);
    assert!(errors[1].contains("c-living is dead, but its processes"), "{}", output.stderr);
    assert_eq!(errors[2], "hint: sess kill c-living");
    assert!(program.alive());
    // Both can be had later.
    std::os::unix::fs::symlink("/bin/cat", sandbox.path("program")).unwrap();
    let output = sandbox.sess(["restore"]).expect(1);
    assert_eq!(output.stdout, "b-gone\n");
}

#[test]
fn where_there_is_nothing_it_does_nothing() {
    let sandbox = Sandbox::new();
    for words in [&["restore"][..], &["restore", "--list"]] {
        let output = sandbox.sess(words).expect(0);
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    }
    let mut terminal = sandbox.terminal().sess(["restore", "--list"]);
    assert_eq!(terminal.wait_for_exit(), 0);
    assert_eq!(terminal.text(), "nothing to restore");
    sandbox.sess(["restore", "work"]).expect(2);
}

#[test]
fn of_two_at_once_each_session_is_restored_by_one() {
    let sandbox = Sandbox::new();
    for n in 0..5 {
        let script = format!("echo >>runs{n}; exec cat");
        let session = sandbox.start_script(&format!("work{n}"), &script);
        wait_until("its first run", || sandbox.count_lines(&format!("runs{n}")) == 1);
        take(&session);
    }
    let restores = [0, 1, 2].map(|_| sandbox.start_sess(["restore"]));
    let outputs = restores.map(|one| sandbox.finish(one).expect(0));
    let mut all: Vec<_> = outputs.iter().flat_map(|output| output.stdout.lines()).collect();
    all.sort_unstable();
    assert_eq!(all, ["work0", "work1", "work2", "work3", "work4"], "{outputs:?}");
    for n in 0..5 {
        wait_until("its second run", || sandbox.count_lines(&format!("runs{n}")) == 2);
    }
}

#[test]
fn without_sess_dir_it_is_done_in_all_places() {
    let sandbox = Sandbox::new();
    let script = "state=$XDG_STATE_HOME
        take() { $sess new -d $1 -- cat && kill $($sess status --json $1 |
            sed 's/.*\"holder_pid\":\\([0-9]*\\).*/\\1/') && $sess wait $1; }
        take in-state
        export XDG_STATE_HOME=$PWD/none; touch none; take in-tmp; rm none
        unset XDG_STATE_HOME; take in-home
        ls -d run/sess-0/in-tmp home/.local/state/sess/in-home
        export XDG_STATE_HOME=$state
        echo restored: $($sess restore | sort)
        for name in in-state in-tmp in-home; do $sess status -q $name || exit 1; done
        echo again: $($sess restore)";
    // The home's place can't be used while one is meant for /var/tmp.
    let script = script.replace(
        "take in-tmp; rm none",
        "mkdir -p home/.local/state; touch home/.local/state/sess; take in-tmp
         rm none home/.local/state/sess",
    );
    let Some(output) = sandbox.run_with_own_var_tmp(&script) else { return };
    let output = output.expect(0);
    let lines: Vec<_> = output.stdout.lines().filter(|line| !line.starts_with("in-")).collect();
    assert_eq!(
        lines,
        [
            "home/.local/state/sess/in-home",
            "run/sess-0/in-tmp",
            "restored: in-home in-state in-tmp",
            "again:"
        ],
        "{output:?}"
    );
}
