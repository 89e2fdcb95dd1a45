//! Unix stream sockets, nonblocking, found relative to an open directory so that
//! no length of path is too long. It knows nothing of what is said on them.

#![expect(unsafe_code, reason = "rustix has no safe call for how much is unsent")]

use std::ffi::{OsStr, c_int};
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{self, AtFlags, Mode};
use rustix::io::{Errno, retry_on_intr};
use rustix::ioctl::{self, Getter, Opcode};
use rustix::net::{
    self, AddressFamily, RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown, SocketAddrUnix,
    SocketFlags, SocketType, sockopt,
};

use crate::dir::Dir;
use crate::process::Pid;

/// How many connections may wait to be accepted; the system's own limit
/// (net.core.somaxconn) holds as well.
const BACKLOG: i32 = 4096;

/// What the file of a listener may be used for, and by whom.
const MODE: u32 = 0o600;

/// As many pieces as one call takes (`UIO_MAXIOV`).
const MOST_PIECES: usize = 1024;

/// A socket that accepts connections. Dropping it leaves its file behind.
#[derive(Debug)]
pub struct Listener(OwnedFd);

/// One connection.
#[derive(Debug)]
pub struct Stream(OwnedFd);

/// What came of trying to connect.
#[derive(Debug)]
pub enum Connect {
    /// Connected; the other side may not have accepted yet.
    Connected(Stream),
    /// Somebody listens, but the queue of those waiting to be accepted is full.
    Busy,
    /// The file is there, and nobody listens.
    Refused,
    /// There is no such file.
    Absent,
}

/// Who is on the other side.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Peer {
    /// The process that connected, or that listened; 0 if it is outside our view.
    pub pid: Pid,
    /// Whose it is.
    pub uid: u32,
}

impl Listener {
    /// Listens at `name` in `dir`, mode 0600 whatever the umask. Something there
    /// already is [`io::ErrorKind::AddrInUse`].
    pub fn bind(dir: &Dir, name: &OsStr) -> io::Result<Listener> {
        let socket = new_socket()?;
        // Before binding, so that the file never has more than this.
        fs::fchmod(&socket, Mode::from_raw_mode(MODE))?;
        net::bind(&socket, &address(dir, name)?)?;
        let listening = listen(&socket, dir, name);
        if listening.is_err() {
            // Why it failed is what the caller must hear.
            let _ = dir.remove_file(name);
        }
        listening.map(|()| Listener(socket))
    }

    /// The next connection, or `None` if none waits. Errors for want of
    /// descriptors or memory leave it waiting.
    pub fn accept(&self) -> io::Result<Option<Stream>> {
        loop {
            match net::accept_with(&self.0, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                Ok(stream) => return Ok(Some(Stream(stream))),
                Err(Errno::INTR | Errno::CONNABORTED) => {}
                Err(Errno::AGAIN) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Stream {
    /// Connects to `name` in `dir` without waiting.
    pub fn connect(dir: &Dir, name: &OsStr) -> io::Result<Connect> {
        let socket = new_socket()?;
        let address = address(dir, name)?;
        match retry_on_intr(|| net::connect(&socket, &address)) {
            Ok(()) => Ok(Connect::Connected(Stream(socket))),
            Err(Errno::AGAIN) => Ok(Connect::Busy),
            Err(Errno::CONNREFUSED) => Ok(Connect::Refused),
            Err(Errno::NOENT) => Ok(Connect::Absent),
            Err(error) => Err(error.into()),
        }
    }

    /// Two ends of one connection.
    pub fn pair() -> io::Result<(Stream, Stream)> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (one, other) = net::socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        Ok((Stream(one), Stream(other)))
    }

    /// Reads what has come; 0 is the end, [`io::ErrorKind::WouldBlock`] nothing
    /// yet.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let (count, _) = retry_on_intr(|| net::recv(&self.0, &mut *buffer, RecvFlags::empty()))?;
        Ok(count)
    }

    /// Writes as much as fits, never raising `SIGPIPE`.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(retry_on_intr(|| net::send(&self.0, bytes, SendFlags::NOSIGNAL))?)
    }

    /// Writes as much of several pieces as fits, in one call, never raising
    /// `SIGPIPE`. At most 1,024 pieces are looked at.
    pub fn write_vectored(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let pieces = &pieces[..pieces.len().min(MOST_PIECES)];
        Ok(retry_on_intr(|| {
            let mut nothing = SendAncillaryBuffer::default();
            net::sendmsg(&self.0, pieces, &mut nothing, SendFlags::NOSIGNAL)
        })?)
    }

    /// Who is on the other side, as the kernel noted when the connection was made.
    pub fn peer(&self) -> io::Result<Peer> {
        let peer = sockopt::socket_peercred(&self.0)?;
        Ok(Peer { pid: Pid(peer.pid.as_raw_pid()), uid: peer.uid.as_raw() })
    }

    /// Sets how much may wait to be read by the other side; the kernel doubles
    /// it for its own accounting and bounds it.
    pub fn set_send_buffer(&self, bytes: usize) -> io::Result<()> {
        Ok(sockopt::set_socket_send_buffer_size(&self.0, bytes)?)
    }

    /// How much of what was written the other side hasn't read, as the kernel
    /// accounts for it (overhead included); 0 is exactly nothing.
    pub fn unsent(&self) -> io::Result<usize> {
        // SAFETY: `TIOCOUTQ`, which sockets know as `SIOCOUTQ`, fills in one
        // `c_int` and nothing else; the getter provides exactly that.
        let unsent = unsafe {
            ioctl::ioctl(&self.0, Getter::<{ nix::libc::TIOCOUTQ as Opcode }, c_int>::new())?
        };
        Ok(usize::try_from(unsent).unwrap_or(0))
    }

    /// Tells the other side that nothing more will come.
    pub fn shutdown_write(&self) -> io::Result<()> {
        Ok(net::shutdown(&self.0, Shutdown::Write)?)
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn new_socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?)
}

fn listen(socket: &OwnedFd, dir: &Dir, name: &OsStr) -> io::Result<()> {
    // A strange umask may have taken even that away. Not touched otherwise, as
    // somebody may be watching the directory.
    if dir.metadata_of(name)?.mode != MODE {
        fs::chmodat(dir, name, Mode::from_raw_mode(MODE), AtFlags::empty())?;
    }
    Ok(net::listen(socket, BACKLOG)?)
}

/// An address holds 107 bytes; the way through the descriptor makes it the length
/// of the name that counts, not that of the directory's path.
fn address(dir: &Dir, name: &OsStr) -> io::Result<SocketAddrUnix> {
    Ok(SocketAddrUnix::new(dir.fd_path(name))?)
}
