//! What sess costs, beside other tools that keep terminal programs running and
//! beside two baselines of our own: `cargo bench --bench peers`.
//!
//! It prints ratios and fails for nothing that is merely slow. See the README
//! next to this file.

#![expect(clippy::cast_precision_loss, reason = "measurements are no exact numbers")]

mod alternate;
mod interrupt;
mod measure;
mod peers;
mod place;
mod programs;
mod relay2;
mod report;
mod samples;
mod viewer;
mod vitals;
mod workload;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use measure::{MEASUREMENTS, Setting};
use report::Report;
use sess_sys::detach;

/// What was asked for on the command line.
#[derive(Debug, Default)]
struct Wish {
    filters: Vec<String>,
    tools: Vec<String>,
    quick: bool,
    list: bool,
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let Some(ended) = relay2::asked_for(&arguments) {
        return told(&ended);
    }
    told(&wish(arguments).and_then(|wish| run(&wish)))
}

fn told(ended: &Result<(), String>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            report::complain(reason);
            ExitCode::FAILURE
        }
    }
}

fn wish(arguments: Vec<OsString>) -> Result<Wish, String> {
    let mut wish = Wish::default();
    let mut rest = arguments.into_iter().map(|argument| argument.to_string_lossy().into_owned());
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{argument} takes a value"));
        match argument.as_str() {
            // What cargo says to every benchmark.
            "--bench" => {}
            "--quick" => wish.quick = true,
            "--list" => wish.list = true,
            "--json" => wish.json = Some(PathBuf::from(value()?)),
            "--tools" => wish.tools = value()?.split(',').map(str::to_owned).collect(),
            option if option.starts_with('-') => {
                return Err(format!(
                    "{option}: there are --quick, --list, --json FILE, --tools A,B and filters"
                ));
            }
            filter => wish.filters.push(filter.to_owned()),
        }
    }
    Ok(wish)
}

fn run(wish: &Wish) -> Result<(), String> {
    let chosen: Vec<_> = MEASUREMENTS
        .iter()
        .filter(|it| wish.filters.is_empty() || wish.filters.iter().any(|f| it.name.contains(f)))
        .collect();
    if wish.list {
        for one in chosen {
            report::line(&format!("{:<12}{}", one.name, one.about));
        }
        return Ok(());
    }
    interrupt::watch()?;
    // What detaches itself becomes ours: so it is found, and ended.
    detach::become_subreaper().map_err(|error| format!("adopting orphans: {error}"))?;
    let setting = Setting::new(wish.quick, &wish.tools)?;
    let mut report = Report::new(wish.json.clone());
    report.begin(&setting.tools, &setting.absent, wish.quick);
    for one in chosen {
        report.measurement(one.name);
        if let Err(reason) = (one.run)(&setting, &mut report) {
            report.note(&format!("{}: {reason}", one.name));
        }
        place::sweep();
        if interrupt::came() {
            return Err("interrupted".to_owned());
        }
    }
    report.write()
}
