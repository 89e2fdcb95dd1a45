//! An open directory, and what is in it. Every name is looked up relative to the
//! open descriptor, so path length never matters and nobody can swap a
//! component. It knows nothing of what the files mean.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{self, AtFlags, CWD, FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::{Errno, retry_on_intr};

mod files;

/// An open directory.
#[derive(Debug)]
pub struct Dir(OwnedFd);

/// What something in the file system is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A directory.
    Dir,
    /// A regular file.
    File,
    /// A symbolic link.
    Symlink,
    /// A Unix socket.
    Socket,
    /// A device, a FIFO.
    Other,
}

/// What the file system says about something in it.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// The file system it is on.
    pub dev: u64,
    /// Its number there.
    pub ino: u64,
    /// Whose it is.
    pub uid: u32,
    /// The permission bits, including set-id and sticky.
    pub mode: u32,
    /// What it is.
    pub kind: Kind,
    /// Its length in bytes.
    pub size: u64,
    /// When it was last written to.
    pub modified: SystemTime,
}

impl Dir {
    /// Opens `path`. Symbolic links on the way are followed; a final one is
    /// refused with [`io::ErrorKind::NotADirectory`].
    pub fn open(path: &Path) -> io::Result<Dir> {
        // A trailing `/` would follow the final link all the same; components
        // have none.
        let path = path.components().as_path();
        open_at(CWD, path, OFlags::NOFOLLOW)
    }

    /// Opens `path`, wherever it leads.
    pub fn open_following(path: &Path) -> io::Result<Dir> {
        open_at(CWD, path, OFlags::empty())
    }

    /// Opens the directory `name` in this one; a symbolic link is refused as by
    /// [`Dir::open`].
    pub fn open_in(&self, name: &OsStr) -> io::Result<Dir> {
        open_at(&self.0, Path::new(name), OFlags::NOFOLLOW)
    }

    /// Makes the directory `name` with exactly `mode`, whatever the umask.
    /// `Ok(false)`: there is something of that name already, left as it is.
    pub fn create_in(&self, name: &OsStr, mode: u32) -> io::Result<bool> {
        match fs::mkdirat(&self.0, name, Mode::from_raw_mode(mode)) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        // Asked for without access (O_PATH): the umask may have left none.
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let new = fs::openat(&self.0, name, flags, Mode::empty())?;
        if meta(&fs::fstat(&new)?).mode != mode {
            fs::chmod(fd_path(&new), Mode::from_raw_mode(mode))?;
        }
        Ok(true)
    }

    /// Makes `path` and whatever is missing above it, each with exactly `mode`;
    /// what is there already stays as it is.
    pub fn create_all(path: &Path, mode: u32) -> io::Result<()> {
        match Dir::open_following(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => return other.map(drop),
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Errno::NOENT.into());
        };
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        Dir::create_all(parent, mode)?;
        Dir::open_following(parent)?.create_in(name, mode).map(drop)
    }

    /// What the file system says about this directory.
    pub fn metadata(&self) -> io::Result<Meta> {
        metadata_of_open(&self.0)
    }

    /// What the file system says about `name`, which is not followed if it is a
    /// symbolic link.
    pub fn metadata_of(&self, name: &OsStr) -> io::Result<Meta> {
        Ok(meta(&fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// Whether it lies on a file system that other machines share, where locks
    /// and sockets can't be relied on.
    pub fn is_on_network(&self) -> io::Result<bool> {
        let kind = fs::fstatfs(&self.0)?.f_type;
        #[expect(clippy::cast_sign_loss, reason = "32 bits mean something, whatever holds them")]
        let magic = kind as u32;
        Ok(NETWORK_FILE_SYSTEMS.contains(&magic))
    }

    /// The names in it, in no order, without `.` and `..`.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        // Opens "." anew, so that two readers don't share a position.
        for entry in fs::Dir::read_from(&self.0)? {
            let name = entry?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(OsString::from_vec(name));
            }
        }
        Ok(names)
    }

    /// Holds a shared `flock` on it until every copy of this descriptor is
    /// closed, which keeps cleaners of temporary directories off.
    pub fn hold_shared(&self) -> io::Result<()> {
        retry_on_intr(|| fs::flock(&self.0, FlockOperation::NonBlockingLockShared))?;
        Ok(())
    }

    /// A second descriptor of the same open directory.
    pub fn try_clone(&self) -> io::Result<Dir> {
        self.0.try_clone().map(Dir)
    }

    /// A path to `name` in this directory for calls that need one: short, and
    /// valid only in this process and while this `Dir` is open.
    pub fn fd_path(&self, name: &OsStr) -> PathBuf {
        fd_path(&self.0).join(name)
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<Dir> for OwnedFd {
    fn from(dir: Dir) -> OwnedFd {
        dir.0
    }
}

/// What the file system says about an open file.
pub(crate) fn metadata_of_open(fd: impl AsFd) -> io::Result<Meta> {
    Ok(meta(&fs::fstat(fd)?))
}

fn open_at(dir: impl AsFd, path: &Path, more: OFlags) -> io::Result<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | more;
    let fd = retry_on_intr(|| fs::openat(&dir, path, flags, Mode::empty()))?;
    Ok(Dir(fd))
}

fn fd_path(fd: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

fn meta(stat: &Stat) -> Meta {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Kind::Dir,
        FileType::RegularFile => Kind::File,
        FileType::Symlink => Kind::Symlink,
        FileType::Socket => Kind::Socket,
        _ => Kind::Other,
    };
    let since = Duration::from_secs(stat.st_mtime.unsigned_abs());
    let whole = if stat.st_mtime < 0 {
        SystemTime::UNIX_EPOCH - since
    } else {
        SystemTime::UNIX_EPOCH + since
    };
    Meta {
        dev: stat.st_dev,
        ino: stat.st_ino,
        uid: stat.st_uid,
        mode: stat.st_mode & 0o7777,
        kind,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        modified: whole + Duration::from_nanos(stat.st_mtime_nsec),
    }
}

/// File systems that other machines share, by the number in `statfs`
/// (linux/magic.h and their own headers).
const NETWORK_FILE_SYSTEMS: [u32; 13] = [
    0x6969,      // nfs
    0x517b,      // smb
    0xff53_4d42, // cifs
    0xfe53_4d42, // smb2
    0x5346_414f, // afs (OpenAFS)
    0x6b41_4653, // afs (kernel)
    0x7375_7245, // coda
    0x0102_1997, // 9p
    0x00c3_6400, // ceph
    0x0bd0_0bd0, // lustre
    0x564c,      // ncp
    0x7461_636f, // ocfs2
    0x0116_1970, // gfs2
];
