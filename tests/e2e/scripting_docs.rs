//! `docs/scripting.md`: its recipes run as they stand there, and what is printed as
//! JSON is as its schema says.

use serde_json::Value;

use crate::harness::{Output, Sandbox, find, wait_until};

const PAGE: &str = include_str!("../../docs/scripting.md");
const SCHEMA: &str = include_str!("../../docs/scripting.schema.json");

/// The script under this heading.
#[track_caller]
fn recipe(heading: &str) -> String {
    let (_, rest) = PAGE.split_once(&format!("### {heading}\n")).expect("there is such a recipe");
    let (_, rest) = rest.split_once("```sh\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// A shell that runs this script, `sess` in its path.
fn script(sandbox: &Sandbox, text: &str) -> std::process::Command {
    let sess = std::path::Path::new(env!("CARGO_BIN_EXE_sess"));
    let path = format!("{}:{}", sess.parent().unwrap().display(), crate::harness::PATH);
    let mut command = sandbox.command("bash");
    command.env("PATH", path).args(["-euo", "pipefail", "-c", text]);
    command
}

/// Runs a recipe, and what follows it, to its end.
#[track_caller]
fn run(sandbox: &Sandbox, heading: &str, then: &str) -> Output {
    sandbox.run(script(sandbox, &format!("{}\n{then}", recipe(heading)))).expect(0)
}

#[test]
fn every_recipe_has_a_test() {
    let (_, recipes) = PAGE.split_once("## Recipes").unwrap();
    let tests = include_str!("scripting_docs.rs");
    let headings: Vec<_> = recipes.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    assert!(headings.len() >= 5);
    for heading in headings {
        assert!(tests.contains(&format!("\"{heading}\"")), "{heading}");
    }
}

#[test]
fn start_a_session_unless_it_runs() {
    let sandbox = Sandbox::new();
    let heading = "Start a session unless it runs";
    run(&sandbox, heading, "");
    let id = sandbox.status("build")["id"].clone();
    run(&sandbox, heading, "");
    assert_eq!(sandbox.status("build")["id"], id);
}

#[test]
fn wait_for_something_to_listen() {
    if find("python3").is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    let output = run(&sandbox, "Wait until something listens", "echo port=$port");
    let port: u16 = output.stdout.trim().rsplit('=').next().unwrap().parse().unwrap();
    std::net::TcpStream::connect(("127.0.0.1", port)).expect("it listens");
}

#[test]
fn drive_a_repl() {
    if find("python3").is_some() {
        run(&Sandbox::new(), "Drive a REPL", "");
    }
}

#[test]
fn run_a_job_and_keep_its_log() {
    let sandbox = Sandbox::new();
    let output = run(&sandbox, "Run a job and keep its log", "echo $code; cat job.log");
    assert_eq!(output.stdout.trim_end(), "job\n3\nworking");
}

#[test]
fn an_agents_loop() {
    let sandbox = Sandbox::new();
    let output = run(&sandbox, "An agent's loop", "cat screen.txt");
    assert!(output.stdout.contains("\netc\n") && output.stdout.contains("date"), "{output:?}");
}

#[test]
fn ask_whether_somebody_is_wanted() {
    if find("jq").is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.start_script("asks", "printf '\\007'; read x");
    sandbox.start_session("silent", ["cat"]);
    wait_until("the bell", || sandbox.status("asks")["activity"] == "asking");
    assert_eq!(run(&sandbox, "Ask whether somebody is wanted", "").stdout, "asks\n");
}

#[test]
fn pick_a_session_with_fzf() {
    if find("fzf").is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["cat"]);
    sandbox.start_session("other", ["cat"]);
    assert_eq!(run(&sandbox, "Pick a session with fzf", "").stdout, "sess attach work\n");
}

#[test]
fn follow_what_happens_everywhere() {
    if find("jq").is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    let session = sandbox.start_script("work", "read x; exit 3");
    let mut follows =
        script(&sandbox, &format!("({}) >told", recipe("Follow what happens everywhere")));
    follows.stdin(std::process::Stdio::null());
    let follower = sandbox.start(follows);
    session.wait_until_heard(&[&follower]);
    sandbox.sess(["send", "work", "--enter"]).expect(0);
    wait_until("the end to be told", || sandbox.read("told") == b"work ended: 3\n");
}

/// Fails unless this is what the schema calls `name`.
#[track_caller]
fn assert_is(name: &str, text: &str) {
    let mut schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert!(schema["$defs"][name].is_object(), "the schema has no {name}");
    schema["$ref"] = format!("#/$defs/{name}").into();
    let value: Value = serde_json::from_str(text).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(&value)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{name}: {errors:?}\n{text}");
}

/// Fails if the schema would take anything for this.
#[track_caller]
fn assert_minds(name: &str, text: &str, change: impl Fn(&mut Value)) {
    let mut value: Value = serde_json::from_str(text).unwrap();
    change(&mut value);
    let mut schema: Value = serde_json::from_str(SCHEMA).unwrap();
    schema["$ref"] = format!("#/$defs/{name}").into();
    assert!(!jsonschema::is_valid(&schema, &value), "{name} is anything: {value}");
}

#[test]
fn what_is_printed_as_json_is_as_the_schema_says() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["bash", "--norc"]);
    let _terminal = sandbox.attach("work");
    sandbox.start_session_that_ends("over", "exit 3");
    sandbox.start_session_that_ends("killed", "kill -9 $$");
    sandbox.start_session("dead", ["cat"]).lose_holder();
    sandbox.start_session("hung", ["cat"]).stop_holder();
    let says = |args: &[&str]| sandbox.sess(args).stdout;
    for name in ["work", "over", "killed", "dead", "hung"] {
        let status = says(&["status", "--json", name]);
        assert_is("session", &status);
        assert_minds("session", &status, |value| value["state"] = "asleep".into());
        assert_minds("session", &status, |value| {
            value.as_object_mut().unwrap().remove("exit");
        });
    }
    assert_is("sessions", &says(&["ls", "-a", "--json"]));
    sandbox
        .sess(["run", "work", "--", "printf '\\033[1;38;5;99mx\\033[48;2;1;2;3my\\033[4:3mz\\n'"])
        .expect(0);
    let capture = says(&["capture", "work", "--format", "json", "--history", "all"]);
    assert_is("capture", &capture);
    assert_minds("capture", &capture, |value| value["lines"][0]["runs"][0]["text"] = 1.into());
    assert_is("capture", &says(&["capture", "over", "--format", "json"]));
    assert_is("piece", &says(&["logs", "work", "--json"]));
    assert_is("piece", &says(&["logs", "over", "--json"]));
    assert_is("run", &says(&["run", "work", "--json", "--", "(exit 3)"]));
    assert_is("run", &says(&["run", "work", "--json", "--raw", "--", "printf '\\377'"]));
    assert_is("run", &says(&["run", "work", "--json", "--timeout", "200ms", "--", "sleep 1"]));
}

#[test]
fn events_are_as_the_schema_says() {
    let sandbox = Sandbox::new();
    let script = "read x; printf '\\007\\033]2;t\\007\\033]9;n\\007'; read x; exit 3";
    let session = sandbox.start_script("work", script);
    let events = sandbox.start_sess(["events", "work", "--json"]);
    session.wait_until_heard(&[&events]);
    sandbox.attach("work").detach();
    sandbox.sess(["resize", "work", "90x30"]).expect(0);
    sandbox.sess(["rename", "work", "play"]).expect(0);
    sandbox.sess(["send", "play", "--enter", "--wait-idle", "100ms"]).expect(0);
    sandbox.sess(["send", "play", "--enter"]).expect(0);
    let output = sandbox.finish(events).expect(0);
    let mut seen = Vec::new();
    for line in output.stdout.lines() {
        assert_is("event", line);
        assert_minds("event", line, |value| value["event"] = "nothing".into());
        let value: Value = serde_json::from_str(line).unwrap();
        seen.push(value["event"].as_str().unwrap().to_owned());
    }
    for event in
        ["attached", "detached", "resized", "renamed", "bell", "title", "notification", "exited"]
    {
        assert!(seen.iter().any(|one| one == event), "no {event} in {seen:?}");
    }
}
