//! What others see of how this process was started: its command line and its
//! environment, which the kernel reads from the process's own memory.

#![expect(unsafe_code, reason = "the kernel shows memory, so memory must be written")]

use std::ffi::CString;
use std::fs::File;
use std::io::Read;
use std::ptr;
use std::sync::OnceLock;

use nix::sys::prctl::set_name;

/// As much as the kernel shows of a command line that was written over.
const MOST_SHOWN: usize = 4096;

/// The longest name of a process, as the kernel keeps it.
const LONGEST_NAME: usize = 15;

/// Makes `title` this process's command line as others see it (`ps`,
/// `/proc/PID/cmdline`) and its name. What [`std::env::args`] gives is lost, and
/// for a long title part of the environment as well. For a process with one
/// thread.
pub fn set_command_line(title: &str) {
    let title: String = title.chars().filter(|&it| it != '\0').collect();
    if let Some(area) = Area::of_this_process() {
        area.show(title.as_bytes());
    }
    let mut end = title.len().min(LONGEST_NAME);
    while !title.is_char_boundary(end) {
        end -= 1;
    }
    if let Ok(name) = CString::new(&title[..end]) {
        // No name can be refused.
        let _ = set_name(&name);
    }
}

/// Wipes the environment that this process was started with, so that
/// `/proc/PID/environ` shows none of it and [`std::env::var`] finds nothing. For
/// a process with one thread.
pub fn forget_environment() {
    if let Some(area) = Area::of_this_process() {
        area.wipe_environment();
    }
}

/// Where the kernel put arguments and environment: one after the other, at the
/// top of the stack.
struct Area {
    /// An address.
    start: usize,
    /// How long the arguments are, with the last NUL.
    args: usize,
    /// How long both are; as long as the arguments, if the environment is elsewhere.
    whole: usize,
}

impl Area {
    /// It never moves, and a child has it where its parent had it.
    fn of_this_process() -> Option<&'static Area> {
        static AREA: OnceLock<Option<Area>> = OnceLock::new();
        AREA.get_or_init(Area::find).as_ref()
    }

    fn find() -> Option<Area> {
        // One read has all of it; to ask for its length says nothing.
        let mut stat = [0; 2048];
        let len = File::open("/proc/self/stat").ok()?.read(&mut stat).ok()?;
        let stat = String::from_utf8_lossy(&stat[..len]);
        let (_, fields) = stat.rsplit_once(')')?;
        // Fields 48 to 51 of all; the first after the name is the third.
        let mut fields = fields.split_ascii_whitespace().skip(48 - 3);
        let mut address = || fields.next()?.parse::<usize>().ok();
        let (arg_start, arg_end) = (address()?, address()?);
        let (env_start, env_end) = (address()?, address()?);
        // Zeroes are what we are shown if we may not look.
        let args = arg_end.checked_sub(arg_start).filter(|_| arg_start != 0)?;
        let whole = if env_start == arg_end { env_end.checked_sub(arg_start)? } else { args };
        (args > 0).then_some(Area { start: arg_start, args, whole: whole.max(args) })
    }

    fn start(&self) -> *mut u8 {
        ptr::with_exposed_provenance_mut(self.start)
    }

    /// The kernel (`get_mm_cmdline`) shows the arguments as they are if their last
    /// byte is NUL; else it shows what is there up to the first NUL, running on
    /// into the environment. A shorter title must therefore *not* leave a NUL at
    /// the end of the arguments, or it would be shown with all the NULs after it.
    fn show(&self, title: &[u8]) {
        let title = &title[..title.len().min(self.whole - 1).min(MOST_SHOWN - 1)];
        // SAFETY: the kernel says that these `whole` bytes hold the strings we were
        // started with: writable memory of this process, to which nobody has
        // references, only the C pointers of `argv` and `environ`, read by copying.
        // No other thread reads them meanwhile, and they stay terminated, since the
        // title's NUL fits in and what follows ends as it did.
        unsafe {
            let start = self.start();
            start.write_bytes(0, self.args);
            ptr::copy_nonoverlapping(title.as_ptr(), start, title.len());
            start.add(title.len()).write(0);
            if title.len() + 1 < self.args {
                start.add(self.args - 1).write(b'.');
            }
        }
    }

    fn wipe_environment(&self) {
        // SAFETY: as in `show`; NULs leave every string in there terminated.
        unsafe {
            let area = std::slice::from_raw_parts_mut(self.start(), self.whole);
            // A title that runs on into the environment stays.
            let title = area.iter().position(|&byte| byte == 0).unwrap_or(0);
            area[title.max(self.args)..].fill(0);
        }
    }
}
