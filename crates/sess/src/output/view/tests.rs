//! Sessions in JSON, in order, and filtered.

use super::*;

pub(in crate::output) fn info() -> Info {
    let size = Size { cols: 80, rows: 24, xpixel: 0, ypixel: 0 };
    Info {
        name: "work".into(),
        id: "6f1c9a40b2d7e853".into(),
        pid: Some(4211),
        holder_pid: 4209,
        command: vec!["bash".into()],
        cwd: "/home/u".into(),
        title: "vim".into(),
        created: 1_795_210_800_000,
        last_output: Some(1_795_210_801_000),
        last_input: None,
        size,
        clients: vec![ClientInfo {
            pid: 4300,
            tty: "/dev/pts/3".into(),
            tty_dev: 1,
            tty_rdev: 2,
            size,
            leader: true,
            read_only: false,
            attached: 1_795_210_800_500,
        }],
        offset: 18231,
        history_lines: 212,
        labels: vec![("project".into(), "x".into())],
        version: "0.1.0".into(),
        tty_dev: 1,
        tty_rdev: 2,
    }
}

fn json(session: &SessionView) -> String {
    serde_json::to_string(session).unwrap()
}

#[test]
fn json_of_a_running_session_is_the_contracts_to_the_byte() {
    let session = SessionView::from_info(&info(), None, None, Time(1_795_210_801_000));
    assert_eq!(
        json(&session),
        concat!(
            r#"{"name":"work","id":"6f1c9a40b2d7e853","state":"running","pid":4211,"holder_pid":4209,"#,
            r#""command":["bash"],"cwd":"/home/u","title":"vim","activity":"busy","created":"2026-11-20T21:40:00.000Z","#,
            r#""last_output":"2026-11-20T21:40:01.000Z","last_input":null,"size":{"cols":80,"rows":24},"#,
            r#""clients":[{"pid":4300,"tty":"/dev/pts/3","size":{"cols":80,"rows":24},"leader":true,"read_only":false,"attached":"2026-11-20T21:40:00.500Z"}],"#,
            r#""offset":18231,"history_lines":212,"labels":{"project":"x"},"exit":null,"version":"0.1.0","upkeep":null,"restorable":null}"#
        )
    );
}

#[test]
fn two_quiet_seconds_make_a_session_idle() {
    let at = |now| SessionView::from_info(&info(), None, None, Time(now)).activity;
    assert_eq!(at(1_795_210_802_999), Some(Activity::Busy));
    assert_eq!(at(1_795_210_803_000), Some(Activity::Idle));
    // A clock that was set back makes nobody idle.
    assert_eq!(at(0), Some(Activity::Busy));
}

#[test]
fn a_holder_knows_better_what_its_program_is_about() {
    let quiet = 1_795_210_900_000;
    for (said, shown) in [
        (message::Activity::Busy, "busy"),
        (message::Activity::Idle, "idle"),
        (message::Activity::Asking, "asking"),
    ] {
        let session = SessionView::from_info(&info(), Some(said), None, Time(quiet));
        assert!(json(&session).contains(&format!(r#""activity":"{shown}""#)));
    }
}

#[test]
fn the_end_is_a_code_or_a_signal_and_a_time() {
    let time = Some(Time(0));
    let exit = |exit: Exit| serde_json::to_string(&ExitView { time, ..exit.into() }).unwrap();
    assert_eq!(
        exit(Exit::Code(3)),
        r#"{"code":3,"signal":null,"time":"1970-01-01T00:00:00.000Z"}"#
    );
    assert_eq!(
        exit(Exit::Signal(9)),
        r#"{"code":null,"signal":"SIGKILL","time":"1970-01-01T00:00:00.000Z"}"#
    );
}

#[test]
fn of_a_session_that_is_over_no_process_is_named() {
    let recorded = Recorded { id: Some("ab".into()), ..Recorded::named("old") };
    let session: serde_json::Value =
        serde_json::from_str(&json(&SessionView::dead(recorded))).unwrap();
    assert_eq!(session["state"], "dead");
    assert_eq!(session["id"], "ab");
    for key in ["pid", "holder_pid", "activity", "exit", "command"] {
        assert!(session[key].is_null(), "{key}");
    }
    assert_eq!(session.as_object().unwrap().len(), 21);
}

#[test]
fn a_time_out_of_reach_is_still_written() {
    assert_eq!(Time(u64::MAX).to_string(), "9999-12-31T23:59:59.999Z");
}

#[test]
fn the_latest_activity_comes_first_and_what_is_over_last() {
    let running = |name: &str, output| {
        let info = Info { name: name.into(), last_output: output, created: 5, ..info() };
        SessionView::from_info(&info, None, None, Time(100))
    };
    let exited = |name: &str, time| {
        let exit = Some(ExitView { time: Some(Time(time)), ..Exit::Code(0).into() });
        SessionView::exited(Recorded { exit, ..Recorded::named(name) })
    };
    let mut sessions = vec![
        exited("gone long ago", 1),
        SessionView::dead(Recorded::named("dead")),
        running("silent", None),
        exited("just gone", 99),
        running("early", Some(10)),
        SessionView::unresponsive(Recorded::named("stopped"), None),
        running("late", Some(20)),
    ];
    sort(&mut sessions);
    let names: Vec<_> = sessions.iter().map(|session| session.name.as_str()).collect();
    assert_eq!(names, ["late", "early", "silent", "stopped", "just gone", "gone long ago", "dead"]);
}

#[test]
fn filters_are_for_states_and_labels() {
    let session = SessionView::from_info(&info(), None, None, Time(0));
    let holds = |text: &str| text.parse::<Filter>().unwrap().holds(&session);
    assert!(holds("state=running"));
    assert!(!holds("state=dead"));
    assert!(holds("project=x"));
    assert!(!holds("project=y"));
    assert!(!holds("other="));
    assert!(
        !"project=x".parse::<Filter>().unwrap().holds(&SessionView::dead(Recorded::named("a")))
    );
    assert_eq!("a=b=c".parse::<Filter>().unwrap(), Filter::Label("a".into(), "b=c".into()));
    assert!("state=live".parse::<Filter>().unwrap_err().contains("running, exited, dead"));
    assert!("state".parse::<Filter>().is_err());
    assert!("=x".parse::<Filter>().is_err());
    assert!("state=exited".parse::<Filter>().unwrap().asks_for_ended());
    assert!(!"state=unresponsive".parse::<Filter>().unwrap().asks_for_ended());
}
