//! What the kernel says of a process: time on a processor, memory, wake-ups.
//! Threads are counted together.

use std::fs;

use sess_sys::process::{self, Pid, Process};

/// Time on a processor so far, in milliseconds.
pub(crate) fn cpu_ms(pid: Pid) -> f64 {
    let nanoseconds: u64 = each_thread(pid, "schedstat")
        .iter()
        .filter_map(|text| text.split_ascii_whitespace().next()?.parse::<u64>().ok())
        .sum();
    nanoseconds as f64 / 1e6
}

/// Memory, what is shared divided by those who share it, in kB.
pub(crate) fn pss_kb(pid: Pid) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    field(&text, "Pss:")
}

/// How often it was put on a processor.
pub(crate) fn wake_ups(pid: Pid) -> f64 {
    each_thread(pid, "status")
        .iter()
        .flat_map(|text| {
            ["voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"].map(|key| field(text, key))
        })
        .flatten()
        .sum()
}

/// The process that holds what `program` runs in: the last one above it that is
/// not this one. Whatever detaches itself becomes a child of this process, which
/// adopts orphans.
pub(crate) fn holder_of(program: Pid) -> Option<Pid> {
    let us = process::current();
    let program = Process::read(program).ok()??;
    let mut line = vec![program.clone()];
    line.extend(process::ancestors(program.pid));
    let ours = line.iter().position(|process| process.pid == us)?;
    line.get(ours.checked_sub(1)?).map(|process| process.pid)
}

fn each_thread(pid: Pid, file: &str) -> Vec<String> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join(file)).ok()).collect()
}

fn field(text: &str, key: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}
