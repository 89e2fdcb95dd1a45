//! `kill` means it: everything that a session started, however it detached itself,
//! and nothing else.

mod survivors;

use sess_sys::process::{self, Process, Signal};

use crate::harness::{
    Sandbox, Session, find, is_there, process_in, signal_to, wait_for, wait_until, wait_until_gone,
};

/// A script that starts what doesn't want to end, in every way we know; each
/// writes its number to a file.
const STUBBORN: &str = r#"
deaf="trap '' HUP TERM INT QUIT"
stay() { echo "$deaf; echo \$\$ >$1; exec sleep 1000"; }
sh -c "$(stay plain)" &
sh -c "echo \$\$ >stopped; kill -STOP \$\$; exec sleep 1000" &
sh -c "$deaf; echo \$\$ >deaf-stopped; kill -STOP \$\$; exec sleep 1000" &
setsid sh -c "$(stay setsid)" &
(setsid sh -c "$(stay forked)" &)
(setsid sh -c "(setsid sh -c '$(stay daemonised)' </dev/null >/dev/null 2>&1 &) ; exit" &)
(env -i PATH="$PATH" SANDBOX="$SANDBOX" setsid sh -c "cd /; $deaf; echo \$\$ >$PWD/unmarked
 exec sleep 1000" </dev/null >/dev/null 2>&1 &)
sh -c "$deaf; echo \$\$ >family; sh -c '$(stay child)' & wait; exec sleep 1000" &
"#;
const STUBBORN_ONES: [&str; 9] = [
    "plain",
    "stopped",
    "deaf-stopped",
    "setsid",
    "forked",
    "daemonised",
    "unmarked",
    "family",
    "child",
];

/// A script that goes on with `then` when all stubborn ones are there.
fn stubborn(then: &str) -> String {
    format!("{STUBBORN}\n{then}")
}

fn stubborn_processes(sandbox: &Sandbox) -> Vec<(&'static str, Process)> {
    let found: Vec<_> = STUBBORN_ONES.map(|name| (name, process_in(sandbox, name))).into();
    wait_until("what is deaf to be deaf, and what stops to be stopped", || {
        found.iter().all(|(name, process)| {
            let now = Process::read(process.pid).unwrap().expect("it lives");
            if name.ends_with("stopped") { now.state == 'T' } else { now.state == 'S' }
        })
    });
    found
}

/// A session's program and its holder.
fn both(session: &Session<'_>) -> [Process; 2] {
    [session.pid, session.holder].map(|pid| Process::read(pid).unwrap().expect("it lives"))
}

#[track_caller]
fn assert_gone(processes: &[(&'static str, Process)]) {
    for (name, process) in processes {
        assert!(!process.alive(), "{name} is still there");
    }
}

#[test]
fn a_stubborn_tree_is_gone_when_kill_returns() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_script("work", &stubborn("exec cat"));
    let processes = stubborn_processes(&sandbox);
    let [program, holder] = both(&session);
    sandbox.sess(["kill", "--grace", "300ms", "work"]).expect(0);
    assert_gone(&processes);
    assert!(!program.alive());
    sandbox.sess(["status", "work"]).expect(3);
    wait_until_gone(&holder);
}

#[test]
fn a_program_that_is_deaf_itself_ends_too() {
    let sandbox = Sandbox::new();
    let script = "trap '' HUP TERM INT QUIT; touch deaf; while :; do sleep 1000; done";
    let session = sandbox.start_script("work", script);
    wait_until("it to be deaf", || sandbox.path("deaf").exists());
    let program = Process::read(session.pid).unwrap().unwrap();
    sandbox.sess(["kill", "--grace", "200ms", "work"]).expect(0);
    assert!(!program.alive());
    let status = sandbox.status("work");
    assert_eq!(status["exit"]["signal"], "SIGKILL", "{status}");
}

#[test]
fn what_is_started_while_it_ends_ends_too() {
    let sandbox = Sandbox::new();
    // It starts a new one whenever it is asked to end.
    let script = "n=0; again() { n=$((n + 1)); : >late$n
        sh -c \"trap '' HUP TERM; exec sleep 1000\" & }
        trap again HUP TERM; touch ready; while :; do sleep 0.05; done";
    let session = sandbox.start_script("work", script);
    wait_until("it to be ready", || sandbox.path("ready").exists());
    sandbox.sess(["kill", "--grace", "1s", "work"]).expect(0);
    let mut left = process::carrying("SESS_ID", &session.id).unwrap();
    left.retain(Process::alive);
    assert!(left.is_empty(), "{left:?}");
    assert!(is_there(&sandbox.path("late1")), "it was asked");
}

#[test]
fn a_stopped_job_does_not_cost_the_grace() {
    let sandbox = Sandbox::new();
    let script = "sh -c 'echo $$ >job; kill -STOP $$; exec sleep 1000' & exec cat";
    sandbox.start_script("work", script);
    let job = process_in(&sandbox, "job");
    wait_until("it to stop", || Process::read(job.pid).unwrap().unwrap().state == 'T');
    // Longer than any command may take here.
    sandbox.sess(["kill", "--grace", "10m", "work"]).expect(0);
    assert!(!job.alive());
}

#[test]
fn a_zombie_does_not_cost_the_grace() {
    let Some(python) = find("python3") else { return };
    let sandbox = Sandbox::new();
    let script = "import os, time\npid = os.fork()\nif pid == 0: os._exit(0)\n\
        open('zombie', 'w').write(f'{pid}\\n')\ntime.sleep(1000)";
    sandbox.start_session("work", [python.to_str().unwrap(), "-c", script]);
    wait_until("the zombie", || is_there(&sandbox.path("zombie")));
    sandbox.sess(["kill", "--grace", "10m", "work"]).expect(0);
}

#[test]
fn a_signal_of_ones_own_is_sent_alone() {
    let sandbox = Sandbox::new();
    let script = "trap 'echo HUP >>got' HUP; trap 'echo TERM >>got' TERM
        trap 'echo INT >>got; exit 5' INT; touch ready; while :; do sleep 0.05; done";
    for (spelling, name) in [("INT", "a"), ("SIGINT", "b"), ("2", "c"), ("int", "d")] {
        sandbox.start_script(name, script);
        wait_until("it to be ready", || sandbox.path("ready").exists());
        sandbox.sess(["kill", "-s", spelling, "--grace", "10m", name]).expect(0);
        assert_eq!(sandbox.read("got"), b"INT\n");
        assert_eq!(sandbox.status(name)["exit"]["code"], 5);
        for file in ["ready", "got"] {
            std::fs::remove_file(sandbox.path(file)).unwrap();
        }
    }
}

#[test]
fn without_grace_it_is_over_at_once() {
    let sandbox = Sandbox::new();
    sandbox.start_script("work", &stubborn("trap '' HUP TERM; cat"));
    let processes = stubborn_processes(&sandbox);
    sandbox.sess(["kill", "--grace", "0s", "work"]).expect(0);
    assert_gone(&processes);
}

#[test]
fn no_such_signal_is_wrong_usage_and_ends_nothing() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    for signal in ["FOO", "SIG", "0", "-1", "65", "INT TERM"] {
        sandbox.sess(["kill", &format!("--signal={signal}"), "work"]).expect_error(2, signal);
    }
    assert_eq!(sandbox.session("work").pid, session.pid);
}

#[test]
fn of_several_all_are_tried_and_the_first_failure_decides() {
    let sandbox = Sandbox::new();
    for name in ["one", "two", "three"] {
        sandbox.start_session(name, ["cat"]);
    }
    let output = sandbox.sess(["kill", "one", "none", "two", "nothing", "three"]).expect(4);
    let errors: Vec<_> = output.stderr.lines().filter(|l| l.starts_with("sess: ")).collect();
    assert_eq!(errors.len(), 2, "{}", output.stderr);
    assert!(errors[0].contains("none") && errors[1].contains("nothing"));
    for name in ["one", "two", "three"] {
        sandbox.sess(["status", name]).expect(3);
    }
}

#[test]
fn several_share_one_grace() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = (0..8).map(|n| format!("work{n}")).collect();
    for name in &names {
        sandbox.start_script(
            name,
            &format!("trap '' HUP TERM; touch {name}; while :; do sleep 1000; done"),
        );
        wait_until("it to be deaf", || sandbox.path(name).exists());
    }
    let start = std::time::Instant::now();
    let words = ["kill", "--grace", "3s"].map(str::to_owned).into_iter().chain(names);
    sandbox.sess(words).expect(0);
    // One after the other would take 24 seconds.
    assert!(start.elapsed().as_secs() < 16, "{:?}", start.elapsed());
}

#[test]
fn all_means_all_that_live() {
    let sandbox = Sandbox::new();
    sandbox.sess(["kill", "--all"]).expect(0);
    sandbox.start_session_that_ends("ended", "exit 3");
    let stopped = sandbox.start_session("stopped", ["cat"]);
    sandbox.start_session("one", ["cat"]);
    sandbox.start_session("two", ["cat"]);
    stopped.stop_holder();
    let before = sandbox.status("ended");
    sandbox.sess(["kill", "--all"]).expect(0);
    assert_eq!(sandbox.sess(["ls", "-q"]).expect(0).stdout, "");
    for name in ["stopped", "one", "two"] {
        sandbox.sess(["status", name]).expect(3);
    }
    assert_eq!(sandbox.status("ended"), before);
}

#[test]
fn a_session_that_was_started_inside_is_spared_with_all_that_is_its_own() {
    let sandbox = Sandbox::new();
    let sess = env!("CARGO_BIN_EXE_sess");
    for (name, how) in [("asked", "running"), ("stopped", "stopped"), ("lost", "lost")] {
        let inner = format!("inner-{name}");
        let script = format!(
            "trap '' HUP; '{sess}' new -d {inner} -- sh -c 'echo $$ >{name}.pid; sleep 1000 &
             echo $! >{name}.child; exec cat' && touch {name}.ready; sleep 1000 & exec cat"
        );
        let outer = sandbox.start_script(name, &script);
        wait_until("the session inside", || sandbox.path(&format!("{name}.ready")).exists());
        let child = process_in(&sandbox, &format!("{name}.child"));
        let before = sandbox.session(&inner);
        match how {
            "stopped" => outer.stop_holder(),
            "lost" => outer.lose_holder(),
            _ => {}
        }
        sandbox.sess(["kill", "--grace", "500ms", name]).expect(0);
        let now = sandbox.session(&inner);
        assert_eq!((now.pid, now.holder), (before.pid, before.holder), "{how}");
        assert!(child.alive(), "{how}");
        sandbox.sess(["kill", &inner]).expect(0);
        assert!(!child.alive());
    }
}

#[test]
fn a_stopped_holder_is_no_obstacle() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_script("work", &stubborn("exec cat"));
    let processes = stubborn_processes(&sandbox);
    let [program, holder] = both(&session);
    session.stop_holder();
    sandbox.sess(["status", "work"]).expect(5);
    sandbox.sess(["kill", "--grace", "500ms", "work"]).expect(0);
    assert_gone(&processes);
    assert!(!program.alive() && !holder.alive());
    sandbox.sess(["status", "work"]).expect(3);
    assert!(sandbox.status("work")["exit"]["signal"].is_string());
}

#[test]
fn what_a_lost_holder_left_is_ended_and_its_folder_goes() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_script("work", &stubborn("trap '' HUP; exec sleep 1000"));
    let processes = stubborn_processes(&sandbox);
    let program = Process::read(session.pid).unwrap().unwrap();
    session.lose_holder();
    sandbox.sess(["status", "work"]).expect(1);
    assert!(program.alive());
    sandbox.sess(["kill", "--grace", "500ms", "work"]).expect(0);
    // Who gave up its SESS_ID and its parent can't be known any more.
    let known: Vec<_> = processes.into_iter().filter(|(name, _)| *name != "unmarked").collect();
    assert_gone(&known);
    assert!(!program.alive());
    assert!(!is_there(&session.folder()));
    sandbox.sess(["status", "work"]).expect(4);
    sandbox.sess(["kill", "work"]).expect(4);
}

#[test]
fn what_a_program_that_ends_by_itself_leaves_runs_on_until_it_is_killed() {
    let sandbox = Sandbox::new();
    let script = stubborn("while ! test -e go; do sleep 0.02; done; exit 7");
    let session = sandbox.start_script("work", &script);
    let processes = stubborn_processes(&sandbox);
    let [_, holder] = both(&session);
    sandbox.write("go", "");
    session.wait_for_state("exited");
    wait_until_gone(&holder);
    // The kernel ends what is stopped and lost its terminal; nothing else.
    for (name, process) in &processes {
        assert!(process.alive() || *name == "stopped", "{name}");
    }
    let before = sandbox.status("work");
    sandbox.sess(["kill", "--grace", "300ms", "work"]).expect(0);
    let known: Vec<_> = processes.into_iter().filter(|(name, _)| *name != "unmarked").collect();
    assert_gone(&known);
    assert_eq!(sandbox.status("work"), before);
    assert_eq!(before["exit"]["code"], 7);
    sandbox.sess(["kill", "work"]).expect(0);
    sandbox.sess(["status", "work"]).expect(3);
}

#[test]
fn the_name_is_free_at_once() {
    let sandbox = Sandbox::new();
    for round in 0..15 {
        sandbox.start_session("work", ["cat"]);
        let grace = if round % 2 == 0 { "0s" } else { "5s" };
        sandbox.sess(["kill", "--grace", grace, "work"]).expect(0);
    }
}

#[test]
fn a_session_can_kill_itself() {
    let sandbox = Sandbox::new();
    let sess = env!("CARGO_BIN_EXE_sess");
    let script = format!("'{sess}' kill --grace 10m work; touch survived; exec cat");
    let output = sandbox.sess(["new", "-d", "work", "--", "sh", "-c", &script]).expect(0);
    assert_eq!(output.stdout, "work\n");
    wait_for("its end", || (sandbox.status("work")["state"] == "exited").then_some(()));
    assert!(!sandbox.path("survived").exists());
}

#[test]
fn all_from_inside_ends_the_others_too() {
    let sandbox = Sandbox::new();
    let sess = env!("CARGO_BIN_EXE_sess");
    sandbox.start_session("aaa", ["cat"]);
    sandbox.start_session("zzz", ["cat"]);
    let script = format!("read -r line; '{sess}' kill --all; touch survived");
    sandbox.start_script("mmm", &script);
    let terminal = sandbox.attach("mmm");
    terminal.type_line("");
    for name in ["aaa", "mmm", "zzz"] {
        wait_for("its end", || (sandbox.status(name)["state"] == "exited").then_some(()));
    }
    assert!(!sandbox.path("survived").exists());
}

#[test]
fn two_kills_at_once_both_succeed() {
    let sandbox = Sandbox::new();
    for round in 0..5 {
        let name = format!("work{round}");
        let script = "trap '' HUP TERM; touch deaf; while :; do sleep 1000; done";
        sandbox.start_script(&name, script);
        wait_until("it to be deaf", || sandbox.path("deaf").exists());
        std::fs::remove_file(sandbox.path("deaf")).unwrap();
        let kills = [0, 1, 2]
            .map(|_| sandbox.start(sandbox.sess_command(["kill", "--grace", "200ms", &name])));
        for kill in kills {
            sandbox.finish(kill).expect(0);
        }
        sandbox.sess(["status", &name]).expect(3);
    }
}

#[test]
fn a_kill_that_is_interrupted_goes_on_in_the_holder() {
    let sandbox = Sandbox::new();
    let script = "sh -c 'echo $$ >child; exec sleep 1000' & trap '' HUP TERM
        while :; do sleep 1000; done";
    let session = sandbox.start_script("work", script);
    let child = process_in(&sandbox, "child");
    let program = Process::read(session.pid).unwrap().unwrap();
    let kill = sandbox.start(sandbox.sess_command(["kill", "--grace", "2s", "work"]));
    wait_until_gone(&child);
    drop(kill);
    assert!(program.alive());
    session.wait_for_state("exited");
    assert!(!program.alive());
}

#[test]
fn sigterm_to_the_holder_ends_the_session_as_kill_does() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_script("work", "setsid sleep 1000 & echo $! >child; exec cat");
    let child = process_in(&sandbox, "child");
    let [_, holder] = both(&session);
    let mut terminal = sandbox.attach("work");
    session.signal_holder(Signal::TERM);
    session.wait_for_state("exited");
    wait_until_gone(&child);
    assert_eq!(terminal.wait_for_exit(), 129, "{}", terminal.text());
    terminal.assert_in_order_after("[work killed: SIGHUP]");
    wait_until_gone(&holder);
    sandbox.start_session("work", ["cat"]);
}

#[test]
fn a_stopped_program_is_killed_and_told() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    signal_to(session.pid, Signal::STOP);
    let mut terminal = sandbox.attach("work");
    sandbox.sess(["kill", "--grace", "10m", "work"]).expect(0);
    assert_eq!(terminal.wait_for_exit(), 129);
}
