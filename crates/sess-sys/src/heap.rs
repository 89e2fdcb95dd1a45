//! Giving memory back that was used and is free again. Only the GNU C library
//! keeps so much of it that this is worth a call; it knows nothing of what the
//! memory was for.

#![expect(unsafe_code, reason = "the C library's allocator is nobody else's")]

/// Gives what is free back to the system.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it touches free memory only, and may be called at any time.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}
