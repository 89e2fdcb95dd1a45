//! Memory for a process to run on that is begun in the memory of another. It does not
//! know who runs there.

#![expect(unsafe_code, reason = "memory is mapped")]

use std::ffi::c_void;
use std::{io, ptr, slice};

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

/// As large as a thread's is by default in Rust, in bytes.
const SIZE: usize = 2 << 20;
/// What is below it is never there, in bytes: a whole number of pages everywhere.
const GUARD: usize = 64 << 10;

/// A stack. It takes memory only as far as it is used.
#[derive(Debug)]
pub(crate) struct Stack(*mut c_void);

impl Stack {
    pub(crate) fn new() -> io::Result<Stack> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        let flags = MapFlags::PRIVATE | MapFlags::STACK | MapFlags::NORESERVE;
        // SAFETY: memory that nobody has, at an address of the kernel's choice.
        let start = unsafe { mmap_anonymous(ptr::null_mut(), GUARD + SIZE, access, flags) }?;
        let stack = Stack(start);
        // SAFETY: the lower part of what has just been mapped.
        unsafe { mprotect(start, GUARD, MprotectFlags::empty()) }?;
        Ok(stack)
    }

    /// All of it, above the guard.
    pub(crate) fn memory(&mut self) -> &mut [u8] {
        // SAFETY: mapped, zeroed and ours; the guard is left out.
        unsafe { slice::from_raw_parts_mut(self.0.cast::<u8>().add(GUARD), SIZE) }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: mapped by us, and nobody runs on it any more in this process.
        let _ = unsafe { munmap(self.0, GUARD + SIZE) };
    }
}
