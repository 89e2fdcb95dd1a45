//! Which processes belong together: below one, above one, or by what their
//! environment says.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::Path;
use std::{fs, io};

use super::{Pid, Process, current, has_ended};

/// Everything below `of`, parents before children, zombies included. Where
/// `spare` says true, that process and all below it are left out.
///
/// What is started or orphaned during the walk may be missed: whoever wants all
/// gone repeats it until nothing is found.
pub fn descendants(of: Pid, spare: &mut dyn FnMut(&Process) -> bool) -> io::Result<Vec<Process>> {
    let mut children = if kernel_lists_children() {
        Children::Asked
    } else {
        Children::Known(children_by_scan()?)
    };
    let mut found = Vec::new();
    // A number used anew while we walk must not lead us in a circle.
    let mut seen = HashSet::from([of]);
    let mut waiting = VecDeque::from([of]);
    while let Some(parent) = waiting.pop_front() {
        for pid in children.of(parent)? {
            if !seen.insert(pid) {
                continue;
            }
            let Some(process) = Process::read(pid)? else {
                continue;
            };
            if !spare(&process) {
                waiting.push_back(pid);
                found.push(process);
            }
        }
    }
    Ok(found)
}

/// The processes above `of`, nearest first, without itself.
pub fn ancestors(of: Pid) -> Vec<Process> {
    let mut above = Vec::new();
    let mut next = Process::read(of).ok().flatten().map(|process| process.parent);
    while let Some(pid) = next.filter(|pid| pid.0 > 0) {
        let Ok(Some(process)) = Process::read(pid) else {
            break;
        };
        // Numbers used anew while we climb must not lead us in a circle.
        if above.iter().any(|known: &Process| known.pid == pid) {
            break;
        }
        next = Some(process.parent);
        above.push(process);
    }
    above
}

/// All processes but this one that were started with `variable` set to exactly
/// `value` in the environment, as far as this user may see.
pub fn carrying(variable: &str, value: &str) -> io::Result<Vec<Process>> {
    let wanted = format!("{variable}={value}");
    let mut found = Vec::new();
    for pid in all()? {
        if pid == current() {
            continue;
        }
        let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else {
            continue;
        };
        let carries = environment.split(|&byte| byte == 0).any(|it| it == wanted.as_bytes());
        if carries && let Some(process) = Process::read(pid)? {
            found.push(process);
        }
    }
    Ok(found)
}

/// Where the children of a process are looked up.
enum Children {
    /// In the kernel's own lists, one process at a time.
    Asked,
    /// In a picture of the whole system, made once.
    Known(HashMap<Pid, Vec<Pid>>),
}

impl Children {
    fn of(&mut self, parent: Pid) -> io::Result<Vec<Pid>> {
        match self {
            Children::Asked => listed_children(parent),
            Children::Known(map) => Ok(map.remove(&parent).unwrap_or_default()),
        }
    }
}

/// Whether the kernel was built with lists of children (`CONFIG_PROC_CHILDREN`).
fn kernel_lists_children() -> bool {
    Path::new("/proc/thread-self/children").exists()
}

/// A process has the children of all its threads.
fn listed_children(parent: Pid) -> io::Result<Vec<Pid>> {
    let threads = match fs::read_dir(format!("/proc/{parent}/task")) {
        Ok(threads) => threads,
        Err(error) if has_ended(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut children = Vec::new();
    for thread in threads {
        let list = thread.and_then(|thread| fs::read_to_string(thread.path().join("children")));
        match list {
            Ok(list) => {
                children.extend(list.split_ascii_whitespace().filter_map(parse_pid));
            }
            Err(error) if has_ended(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(children)
}

fn children_by_scan() -> io::Result<HashMap<Pid, Vec<Pid>>> {
    let mut children: HashMap<Pid, Vec<Pid>> = HashMap::new();
    for pid in all()? {
        if let Some(process) = Process::read(pid)? {
            children.entry(process.parent).or_default().push(pid);
        }
    }
    Ok(children)
}

/// The number of every process in our view.
fn all() -> io::Result<Vec<Pid>> {
    let mut pids = Vec::new();
    for entry in fs::read_dir("/proc")? {
        pids.extend(entry?.file_name().to_str().and_then(parse_pid));
    }
    Ok(pids)
}

fn parse_pid(text: &str) -> Option<Pid> {
    text.parse().ok().map(Pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scan_finds_the_same_children_as_the_kernels_lists() {
        let mut child =
            std::process::Command::new("sleep").arg("100").spawn().expect("sleep can be started");
        let pid = Pid(i32::try_from(child.id()).expect("it is a process number"));
        let scanned = children_by_scan().expect("/proc can be read");
        assert!(scanned[&current()].contains(&pid));
        if kernel_lists_children() {
            let listed = listed_children(current()).expect("/proc can be read");
            assert!(listed.contains(&pid));
        }
        child.kill().expect("it is ours");
        child.wait().expect("it is ours");
    }
}
