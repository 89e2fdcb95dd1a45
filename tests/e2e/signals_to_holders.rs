//! Contract 6.11: SIGTERM to a holder ends its session as `kill` does, SIGUSR1
//! makes it look after its places.

use sess_sys::process::{Process, Signal};

use crate::harness::{Sandbox, is_there, process_in, wait_until};

#[test]
fn sigterm_ends_the_session_and_everything_it_started() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_script(
        "work",
        "setsid sleep 1000 & echo $! >child; (setsid sleep 1001 & echo $! >grandchild); cat",
    );
    let mut living = vec![process_in(&sandbox, "child"), process_in(&sandbox, "grandchild")];
    living.extend(Process::read(session.pid).unwrap());
    let mut terminal = sandbox.attach("work");
    session.signal_holder(Signal::TERM);
    let code = terminal.wait_for_exit();
    assert!(code == 129 || code == 143, "{code}");
    wait_until("the end of all", || living.iter().all(|process| !process.alive()));
    sandbox.sess(["status", "work"]).expect(3);
}

#[test]
fn sigterm_to_a_holder_spares_other_sessions() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    sandbox.start_session("other", ["cat"]);
    session.signal_holder(Signal::TERM);
    session.wait_for_state("exited");
    sandbox.sess(["status", "other"]).expect(0);
}

#[test]
fn sigusr1_makes_it_look_after_its_places() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    session.signal_holder(Signal::USR1);
    sandbox.sess(["status", "work"]).expect(0);
    // With the removal noticed or not.
    session.stop_holder();
    std::fs::remove_dir_all(sandbox.sessions()).unwrap();
    session.signal_holder(Signal::USR1);
    session.signal_holder(Signal::CONT);
    wait_until("the socket", || is_there(&session.folder().join("sock")));
    session.wait_for_state("running");
}

#[test]
fn signals_that_end_others_do_nothing_to_a_holder() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    for signal in [Signal::HUP, Signal::INT, Signal::QUIT, Signal::PIPE, Signal::TSTP, Signal::USR1]
    {
        session.signal_holder(signal);
    }
    let terminal = sandbox.attach("work");
    terminal.type_line("hello");
    terminal.wait_for_text("hello\nhello");
}
