//! Contract 5, `activity`: busy, idle, or asking for somebody.

use crate::harness::{Sandbox, wait_until};

#[track_caller]
fn wait_for_activity(sandbox: &Sandbox, activity: &str) {
    wait_until(activity, || sandbox.status("work")["activity"] == activity);
}

#[test]
fn output_makes_busy_and_quiet_idle() {
    let sandbox = Sandbox::new();
    sandbox.start_script("work", "echo x; read x; while :; do echo y; sleep 0.1; done");
    wait_for_activity(&sandbox, "busy");
    wait_for_activity(&sandbox, "idle");
    sandbox.sess(["send", "work", "--enter"]).expect(0);
    wait_for_activity(&sandbox, "busy");
    let listed = sandbox.sess(["ls", "--json"]).expect(0).stdout;
    assert!(listed.contains("\"activity\":\"busy\""), "{listed}");
}

#[test]
fn a_password_is_asked_for() {
    let sandbox = Sandbox::new();
    sandbox
        .start_script("work", "stty -echo; printf 'Password: '; read x; stty echo; echo; read y");
    wait_for_activity(&sandbox, "asking");
    sandbox.sess(["send", "work", "secret", "--enter"]).expect(0);
    wait_for_activity(&sandbox, "idle");
}

#[test]
fn a_bell_asks_until_somebody_types() {
    let sandbox = Sandbox::new();
    sandbox.start_script("work", "printf '\\007'; cat");
    wait_for_activity(&sandbox, "asking");
    sandbox.sess(["wait", "work", "--idle", "2s"]).expect(0);
    wait_for_activity(&sandbox, "asking");
    sandbox.sess(["send", "work", "x"]).expect(0);
    wait_for_activity(&sandbox, "busy");
}

#[test]
fn a_shell_that_says_where_it_is_is_believed() {
    let sandbox = Sandbox::new();
    sandbox.start_script(
        "work",
        "printf '\\033]133;A\\007$ '; read x; printf '\\033]133;C\\007'; read x; cat",
    );
    sandbox.sess(["wait", "work", "--text", "\\$"]).expect(0);
    assert_eq!(sandbox.status("work")["activity"], "idle");
    sandbox.sess(["send", "work", "--enter", "--wait-idle", "2100ms"]).expect(0);
    assert_eq!(sandbox.status("work")["activity"], "busy");
}
