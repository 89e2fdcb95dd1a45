//! What the machine says about itself and the user.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::unistd::getuid;
use rustix::io::retry_on_intr;
use rustix::rand::{GetRandomFlags, getrandom};

/// Who we are.
pub fn uid() -> u32 {
    getuid().as_raw()
}

/// What the user database says of us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Our home directory.
    pub home: Option<PathBuf>,
    /// Our login shell.
    pub shell: Option<PathBuf>,
}

/// Our entry in the user database, empty if there is none. The C library isn't
/// asked: in a program that is linked statically it crashes over what other
/// databases than `/etc/passwd` need. `getent` asks them.
pub fn account() -> Account {
    let uid = uid();
    let file = std::fs::read("/etc/passwd").unwrap_or_default();
    let asked = || {
        let mut getent = Command::new("getent");
        getent.args(["passwd", &uid.to_string()]).stdin(Stdio::null()).stderr(Stdio::null());
        entry(&getent.output().ok()?.stdout, uid)
    };
    entry(&file, uid).or_else(asked).unwrap_or_default()
}

/// A user's line in the format of `/etc/passwd`.
fn entry(passwd: &[u8], uid: u32) -> Option<Account> {
    let uid = uid.to_string();
    passwd.split(|&byte| byte == b'\n').find_map(|line| {
        let fields: Vec<&[u8]> = line.split(|&byte| byte == b':').collect();
        let [_, _, number, _, _, home, shell] = fields[..] else { return None };
        let path = |field: &[u8]| {
            (!field.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(field).to_owned()))
        };
        (number == uid.as_bytes()).then(|| Account { home: path(home), shell: path(shell) })
    })
}

/// What tells this run of the machine from any other.
pub fn boot_id() -> io::Result<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    Ok(id.trim_end().to_owned())
}

/// For how long the machine has been running.
pub fn uptime() -> io::Result<Duration> {
    let text = std::fs::read_to_string("/proc/uptime")?;
    let seconds = text.split_whitespace().next().and_then(|text| text.parse().ok());
    let known = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    known.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/uptime says no time"))
}

/// The machine's name; empty if it can't say.
pub fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim_end().to_owned()
}

/// A number nobody can guess.
pub fn random_u64() -> io::Result<u64> {
    let mut bytes = [0; 8];
    // So few bytes come all at once or not at all.
    retry_on_intr(|| getrandom(&mut bytes, GetRandomFlags::empty()))?;
    Ok(u64::from_ne_bytes(bytes))
}

/// The permissions that files made by this process don't get.
pub fn umask() -> u32 {
    // It can only be read by setting it; nothing makes a file in between.
    let mask = nix::sys::stat::umask(nix::sys::stat::Mode::empty());
    nix::sys::stat::umask(mask);
    mask.bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_by_its_number() {
        let passwd = b"root:x:0:0:root:/root:/bin/bash\nbad:line\nme:x:100:5:,,:/home/me:\n";
        let root = Account { home: Some("/root".into()), shell: Some("/bin/bash".into()) };
        assert_eq!(entry(passwd, 0), Some(root));
        assert_eq!(
            entry(passwd, 100),
            Some(Account { home: Some("/home/me".into()), shell: None })
        );
        assert_eq!(entry(passwd, 10), None);
    }
}
