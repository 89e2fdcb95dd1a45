//! Files and links in an open directory: reading, replacing in one step, and
//! removing.

#![expect(unsafe_code, reason = "only the C library has a way to store without waiting")]

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use nix::libc;
use rustix::fs::{self, AtFlags, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::{Dir, Kind, Meta, metadata_of_open};
use crate::process::random_u64;

/// How often a directory is emptied before it is given up.
const REMOVAL_ROUNDS: usize = 16;

impl Dir {
    /// The whole regular file `name`, which may not be a symbolic link. More
    /// than `limit` bytes, or another kind of file, is
    /// [`io::ErrorKind::InvalidData`].
    pub fn read_file(&self, name: &OsStr, limit: usize) -> io::Result<Vec<u8>> {
        let (file, meta) = self.open_regular(name, OFlags::RDONLY)?;
        let size = usize::try_from(meta.size).unwrap_or(usize::MAX);
        let mut bytes = Vec::with_capacity(size.min(limit).saturating_add(1));
        file.take((limit as u64).saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() > limit {
            return Err(invalid("larger than it may be"));
        }
        Ok(bytes)
    }

    /// Opens the regular file `name`, which must be there and may not be a symbolic
    /// link, for writing at its end, wherever that is by then. Another kind of file
    /// is [`io::ErrorKind::InvalidData`].
    pub fn open_append(&self, name: &OsStr) -> io::Result<File> {
        let (file, _) = self.open_regular(name, OFlags::WRONLY | OFlags::APPEND)?;
        Ok(file)
    }

    /// Gives `name` this content and mode in one step: whoever looks sees the old
    /// file or the new one. On failure the old one stays and nothing is left
    /// behind. Doesn't wait for it to be on disk.
    pub fn replace_file(&self, name: &OsStr, bytes: &[u8], mode: u32) -> io::Result<()> {
        let aside = self.write_aside(bytes, mode)?;
        self.put_in_place(&aside, name)
    }

    /// Writes a file of this content and mode under a name that nobody looks for,
    /// and returns that; on failure nothing is left behind.
    pub fn write_aside(&self, bytes: &[u8], mode: u32) -> io::Result<OsString> {
        let mode = Mode::from_raw_mode(mode);
        self.make_aside(|aside| {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let fd = retry_on_intr(|| fs::openat(&self.0, aside, flags, mode))?;
            // The umask may have taken some of it.
            fs::fchmod(&fd, mode)?;
            let mut file = File::from(fd);
            file.write_all(bytes)?;
            begin_to_store(&file);
            Ok(())
        })
    }

    /// Gives what was written aside its real name, replacing what has it, whatever that
    /// is; on failure it is removed.
    pub fn put_in_place(&self, aside: &OsStr, name: &OsStr) -> io::Result<()> {
        let mut done = self.rename(aside, name);
        if done.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::IsADirectory) {
            done = self.remove_tree(name).and_then(|()| self.rename(aside, name));
        }
        if done.is_err() {
            // What went wrong first is what the caller must hear.
            let _ = self.remove_file(aside);
        }
        done
    }

    /// Makes `name` a symbolic link to `target` in one step, replacing what was
    /// there.
    pub fn replace_link(&self, target: &Path, name: &OsStr) -> io::Result<()> {
        let aside = self.make_aside(|aside| Ok(fs::symlinkat(target, &self.0, aside)?))?;
        self.put_in_place(&aside, name)
    }

    /// Where the symbolic link `name` leads.
    pub fn read_link(&self, name: &OsStr) -> io::Result<PathBuf> {
        let target = fs::readlinkat(&self.0, name, Vec::new())?;
        Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
    }

    /// Renames `from` to `to` within this directory, replacing `to`.
    pub fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(fs::renameat(&self.0, from, &self.0, to)?)
    }

    /// As [`Dir::rename`], unless there is a `to` already: then it fails with
    /// [`io::ErrorKind::AlreadyExists`].
    pub fn rename_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        let flags = fs::RenameFlags::NOREPLACE;
        match fs::renameat_with(&self.0, from, &self.0, to, flags) {
            // A file system without that takes an empty directory for none.
            Err(Errno::INVAL | Errno::NOSYS) => match self.metadata_of(to) {
                Ok(_) => Err(Errno::EXIST.into()),
                Err(_) => self.rename(from, to),
            },
            renamed => Ok(renamed?),
        }
    }

    /// Removes `name`, which is not a directory.
    pub fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        Ok(fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Removes the empty directory `name`.
    pub fn remove_dir(&self, name: &OsStr) -> io::Result<()> {
        Ok(fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Removes `name` and, if it is a directory, everything below it. Symbolic
    /// links are removed, never followed. What others remove meanwhile is no
    /// error; `name` missing from the start is.
    pub fn remove_tree(&self, name: &OsStr) -> io::Result<()> {
        match fs::unlinkat(&self.0, name, AtFlags::empty()) {
            Err(Errno::ISDIR) => {}
            other => return Ok(other?),
        }
        // Somebody may be adding while we remove; not for ever, we hope.
        for _ in 0..REMOVAL_ROUNDS {
            let folder = self.open_in(name)?;
            for inner in folder.names()? {
                gone_is_fine(folder.remove_tree(&inner))?;
            }
            match fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR) {
                Err(Errno::NOTEMPTY | Errno::EXIST) => {}
                Err(Errno::NOENT) | Ok(()) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Errno::NOTEMPTY.into())
    }

    fn open_regular(&self, name: &OsStr, access: OFlags) -> io::Result<(File, Meta)> {
        // Nonblocking, so that a FIFO of that name can't hold us up.
        let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = match retry_on_intr(|| fs::openat(&self.0, name, flags, Mode::empty())) {
            Ok(fd) => fd,
            Err(Errno::LOOP | Errno::NXIO | Errno::ISDIR) => {
                return Err(invalid("not a regular file"));
            }
            Err(error) => return Err(error.into()),
        };
        let meta = metadata_of_open(&fd)?;
        if meta.kind != Kind::File {
            return Err(invalid("not a regular file"));
        }
        Ok((File::from(fd), meta))
    }

    /// Has `make` make something under a temporary name.
    fn make_aside(&self, make: impl FnOnce(&OsStr) -> io::Result<()>) -> io::Result<OsString> {
        // Short, since names that are as long as can be are replaced as well.
        let aside = OsString::from(format!(".{:016x}.tmp", random_u64()?));
        match make(&aside) {
            Ok(()) => Ok(aside),
            Err(error) => {
                let _ = self.remove_file(&aside);
                Err(error)
            }
        }
    }
}

/// Has the system begin to bring a file to the disk, without waiting for that: under a new
/// name it would else be an empty one for half a minute if the machine lost its power.
fn begin_to_store(file: &File) {
    // SAFETY: it takes a descriptor that is open and no memory. If it can't be begun, it
    // will be without us.
    unsafe { libc::sync_file_range(file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE) };
}

fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
