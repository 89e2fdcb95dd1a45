//! What comes out: aligned tables on standard output, the same as JSON on demand.
//! The only place that prints.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark tells")]

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use serde_json::{Map, Value, json};

use crate::alternate::Lane;
use crate::peers::Tool;
use crate::samples::{Summary, ratio};

/// One number of those that a turn gives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    /// Tools that the others are compared with.
    pub(crate) beside: &'static [&'static str],
}

/// What is told.
#[derive(Debug)]
pub(crate) struct Report {
    file: Option<PathBuf>,
    machine: Value,
    measurement: &'static str,
    tables: Vec<Value>,
    notes: Vec<String>,
}

/// Prints one line.
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// Says what is wrong.
pub(crate) fn complain(text: &str) {
    eprintln!("peers: {text}");
}

impl Report {
    pub(crate) fn new(file: Option<PathBuf>) -> Report {
        let machine = machine();
        Report { file, machine, measurement: "", tables: Vec::new(), notes: Vec::new() }
    }

    /// Prints what everything was measured on.
    pub(crate) fn begin(&mut self, tools: &[&Tool], absent: &[&Tool], quick: bool) {
        let names = |tools: &[&Tool]| {
            let names: Vec<&str> = tools.iter().map(|tool| tool.name).collect();
            names.join(", ")
        };
        let fact = |key: &str| self.machine[key].as_str().unwrap_or("?").to_owned();
        println!("{} · {} · {}", fact("date"), fact("kernel"), fact("processor"));
        println!(
            "{} processors · load {} · {}",
            self.machine["processors"],
            fact("load"),
            if quick { "quick" } else { "full" }
        );
        println!("tools: {}", names(tools));
        if !absent.is_empty() {
            println!("not installed: {}", names(absent));
        }
        println!("median, least–most; then times (×) what another tool has, turn by turn");
        self.machine["quick"] = json!(quick);
    }

    pub(crate) fn measurement(&mut self, name: &'static str) {
        self.measurement = name;
    }

    pub(crate) fn note(&mut self, text: &str) {
        println!("\nnote: {text}");
        self.notes.push(text.to_owned());
    }

    /// Prints what the lanes measured.
    pub(crate) fn table<S>(&mut self, title: &str, metrics: &[Metric], lanes: &[Lane<S>]) {
        let mut grid = vec![headings(metrics)];
        let mut rows = Vec::new();
        for lane in lanes {
            let mut cells = vec![lane.tool.name.to_owned()];
            let mut numbers = Map::new();
            for (index, metric) in metrics.iter().enumerate() {
                let samples = lane.samples(index);
                let summary = Summary::of(&samples);
                let ratios: Vec<(&str, Option<f64>)> = metric
                    .beside
                    .iter()
                    .map(|&name| {
                        let other = lanes.iter().find(|lane| lane.tool.name == name);
                        (name, other.and_then(|other| ratio(&samples, &other.samples(index))))
                    })
                    .collect();
                cells.extend(summary.map_or(["–".to_owned(), String::new()], |it| {
                    [number(it.median), format!("{}–{}", number(it.min), number(it.max))]
                }));
                cells.extend(
                    ratios.iter().map(|(_, it)| it.map_or(String::new(), |it| format!("{it:.2}"))),
                );
                numbers.insert(metric.name.to_owned(), as_json(metric, summary, &ratios));
            }
            let failure = lane.state.as_ref().err();
            cells.push(failure.cloned().unwrap_or_default());
            grid.push(cells);
            rows.push(json!({ "tool": lane.tool.name, "numbers": numbers, "failure": failure }));
        }
        println!("\n{} · {title}", self.measurement);
        print_aligned(&grid);
        self.tables.push(json!({
            "measurement": self.measurement,
            "title": title,
            "rows": rows,
        }));
    }

    /// Writes the file, if one was asked for.
    pub(crate) fn write(&self) -> Result<(), String> {
        let Some(path) = &self.file else {
            return Ok(());
        };
        let all = json!({
            "machine": self.machine,
            "tables": self.tables,
            "notes": self.notes,
        });
        fs::write(path, format!("{all:#}\n"))
            .map_err(|error| format!("{}: {error}", path.display()))
    }
}

fn as_json(metric: &Metric, summary: Option<Summary>, ratios: &[(&str, Option<f64>)]) -> Value {
    let Some(summary) = summary else {
        return Value::Null;
    };
    let ratios: Map<String, Value> =
        ratios.iter().map(|&(name, ratio)| (name.to_owned(), json!(ratio))).collect();
    json!({
        "unit": metric.unit,
        "median": summary.median,
        "min": summary.min,
        "max": summary.max,
        "samples": summary.count,
        "times": ratios,
    })
}

fn headings(metrics: &[Metric]) -> Vec<String> {
    let mut headings = vec!["tool".to_owned()];
    for metric in metrics {
        headings.push(format!("{} {}", metric.name, metric.unit).trim().to_owned());
        headings.push("least–most".to_owned());
        headings.extend(metric.beside.iter().map(|name| format!("×{name}")));
    }
    headings.push(String::new());
    headings
}

/// With as many digits as matter.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn print_aligned(grid: &[Vec<String>]) {
    let columns = grid.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = grid.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in grid {
        let mut text = String::new();
        for (column, cell) in row.iter().enumerate() {
            let gap = widths[column].saturating_sub(cell.chars().count());
            let padding = " ".repeat(gap);
            // Names and reasons stand left, numbers right.
            if column == 0 || column + 1 == columns {
                let _ = write!(text, "{cell}{padding}  ");
            } else {
                let _ = write!(text, "{padding}{cell}  ");
            }
        }
        println!("  {}", text.trim_end());
    }
}

fn machine() -> Value {
    let told = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("", |(_, name)| name.trim());
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    json!({
        "date": told("date", "-Iseconds"),
        "kernel": told("uname", "-sr"),
        "processor": processor,
        "processors": thread::available_parallelism().map_or(0, usize::from),
        "load": load.split(' ').next(),
    })
}
