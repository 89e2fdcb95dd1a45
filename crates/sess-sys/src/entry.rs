//! How a program begins: what of the standard library's own beginning is needed, without
//! the rest. It does not know what the program does.

#![expect(unsafe_code, reason = "nobody but the system calls main, with pointers")]

use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
use std::fs::OpenOptions;
use std::mem::forget;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;

use nix::libc;

/// The status of a process that panicked, as Rust has it.
pub(crate) const PANICKED: i32 = 101;

/// Makes a function the program: it gets the arguments, the program's name first, and
/// returns the status. To be used once, in a crate that is `no_main`.
///
/// Rust's own beginning prepares a message for a stack that overflows. It reads
/// `/proc/self/maps` for that, a tenth of what the quickest commands take (decision 16).
#[macro_export]
macro_rules! main {
    ($main:path) => {
        // SAFETY: the one function of this name.
        #[unsafe(no_mangle)]
        extern "C" fn main(
            count: ::core::ffi::c_int,
            arguments: *const *const ::core::ffi::c_char,
        ) -> ::core::ffi::c_int {
            // SAFETY: they are what the system calls `main` with.
            unsafe { $crate::entry::begin(count, arguments, $main) }
        }
    };
}

/// Runs `main` and ends the process with the status that it returns; with 101 if it panics.
/// Before that 0, 1 and 2 are open, and failed writes say so instead of sending `SIGPIPE`.
///
/// # Safety
///
/// `arguments` leads to `count` strings that nobody changes.
#[expect(clippy::exit, reason = "this is where the program ends")]
pub unsafe fn begin(
    count: c_int,
    arguments: *const *const c_char,
    main: fn(Vec<OsString>) -> u8,
) -> c_int {
    let begun = catch_unwind(AssertUnwindSafe(|| {
        open_stdio();
        // SAFETY: no code of ours is to run.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
        // SAFETY: as the caller said.
        main(unsafe { collect(count, arguments) })
    }));
    // What stands in stdout's buffer is written now, which returning would not do.
    process::exit(begun.map_or(PANICKED, i32::from))
}

/// # Safety
///
/// As for [`begin`].
unsafe fn collect(count: c_int, arguments: *const *const c_char) -> Vec<OsString> {
    let places = 0..usize::try_from(count).unwrap_or(0);
    // SAFETY: that many are there, each with a NUL at its end.
    let strings = places.map(|place| unsafe { CStr::from_ptr(*arguments.add(place)) });
    strings.map(|string| OsStr::from_bytes(string.to_bytes()).to_owned()).collect()
}

/// Has `/dev/null` open where nothing is: what is opened next must not be taken for
/// input, output or errors.
fn open_stdio() {
    for fd in 0..=libc::STDERR_FILENO {
        // SAFETY: only asks.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
            // It takes the lowest number that is free.
            let null = OpenOptions::new().read(true).write(true).open("/dev/null");
            forget(null);
        }
    }
}
