//! What the machine says about itself and the user.

use std::io;
use std::path::PathBuf;

use nix::unistd::{User, getuid};
use rustix::io::retry_on_intr;
use rustix::rand::{GetRandomFlags, getrandom};

/// Who we are.
pub fn uid() -> u32 {
    getuid().as_raw()
}

/// The login shell that the user database names, if any.
pub fn shell_from_passwd() -> Option<PathBuf> {
    let user = User::from_uid(getuid()).ok().flatten()?;
    (!user.shell.as_os_str().is_empty()).then_some(user.shell)
}

/// What tells this run of the machine from any other.
pub fn boot_id() -> io::Result<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    Ok(id.trim_end().to_owned())
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
