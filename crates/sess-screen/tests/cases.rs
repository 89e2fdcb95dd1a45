//! The project's own cases, one small one for each behaviour: what they show, and
//! that it comes back wherever they are cut.

#[allow(dead_code, reason = "the example uses the rest")]
#[path = "../examples/conformance/case.rs"]
mod case;
#[path = "../examples/conformance/round_trip.rs"]
mod round_trip;

use std::path::Path;

use case::Case;

fn cases() -> Vec<Case> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let cases = case::load(&dir).expect("they can be read");
    assert!(cases.len() > 300, "only {} cases were found", cases.len());
    cases
}

fn all_pass(mut check: impl FnMut(&Case) -> Result<(), String>) {
    let failed: Vec<String> = cases()
        .iter()
        .filter_map(|case| check(case).err().map(|error| format!("{}: {error}", case.id)))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn each_shows_what_the_documentation_says() {
    all_pass(case::check);
}

#[test]
fn each_comes_back_wherever_it_is_cut() {
    let mut cuts = 0;
    all_pass(|case| round_trip::check(case, &mut cuts));
    assert!(cuts > 5_000, "only {cuts} cuts were made");
}
