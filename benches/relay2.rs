//! The baseline that any tool of this shape can be held against: a process that
//! holds the program's terminal, and one in the user's, with a socket between
//! them; bytes are passed on and nothing else is done.
//!
//! Both are this benchmark's executable, started with an argument of their own.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use sess_sys::{
    Connect, Dir, Entry, Listener, Outcome, Program, PtyLeader, Stream, Terminal, WindowSize,
    detach, poll, process,
};

const HOLD: &str = "--relay2-hold";
const SHOW: &str = "--relay2-show";
/// Bytes read at a time.
const READ: usize = 64 * 1024;
const STARTED: &[u8] = b"started";

/// If the arguments ask for one of the two processes, is it until its end.
pub(crate) fn asked_for(arguments: &[OsString]) -> Option<Result<(), String>> {
    let (first, rest) = arguments.split_first()?;
    match (first.to_str()?, rest) {
        (HOLD, [dir, name, cols, rows, command @ ..]) => Some(hold(dir, name, cols, rows, command)),
        (SHOW, [dir, name]) => Some(show(Path::new(dir), name).map_err(|error| error.to_string())),
        _ => None,
    }
}

struct Held {
    dir: Dir,
    name: OsString,
    size: WindowSize,
    program: Program,
}

/// Starts the process that holds; returns when its program runs.
fn hold(
    dir: &OsStr,
    name: &OsStr,
    cols: &OsStr,
    rows: &OsStr,
    command: &[OsString],
) -> Result<(), String> {
    let number = |text: &OsStr| text.to_str().and_then(|text| text.parse().ok());
    let (Some(cols), Some(rows)) = (number(cols), number(rows)) else {
        return Err("no size".to_owned());
    };
    let start = || {
        let env: Vec<_> = std::env::vars_os().collect();
        let program = Program::new(command, &env, Path::new("/"), process::umask(), None)?;
        let held = Held {
            dir: Dir::open_following(&PathBuf::from(dir))?,
            name: name.to_owned(),
            size: WindowSize { cols, rows, ..WindowSize::default() },
            program,
        };
        detach::detach(held, |held| vec![held.dir.as_fd()], held_until_over)?.wait()
    };
    match start() {
        Ok(said) if said == STARTED => Ok(()),
        Ok(_) => Err("the program did not start".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn held_until_over(held: Held, outcome: Outcome) -> i32 {
    let start = move || {
        let Held { dir, name, size, program } = held;
        let listener = Listener::bind(&dir, &name)?;
        let (pty, follower) = PtyLeader::open(size)?;
        program.spawn(&follower).map_err(|error| io::Error::other(error.to_string()))?;
        io::Result::Ok((listener, pty))
    };
    let Ok((listener, pty)) = start() else {
        return 1;
    };
    // Who started us may be gone by now.
    let _ = outcome.send(STARTED);
    // The end of the program shows as an error, and as nothing else.
    let _ = relay_held(&listener, &pty);
    0
}

fn relay_held(listener: &Listener, pty: &PtyLeader) -> io::Result<()> {
    let mut client: Option<Stream> = None;
    let (mut output, mut input) = (Way::new(), Way::new());
    loop {
        let mut entries = vec![
            Entry::new(listener.as_fd(), true, false),
            Entry::new(pty.as_fd(), output.is_empty(), !input.is_empty()),
        ];
        entries.extend(
            client.iter().map(|it| Entry::new(it.as_fd(), input.is_empty(), !output.is_empty())),
        );
        poll::poll(&mut entries, None)?;
        let ready: Vec<_> = entries.iter().map(|entry| entry.ready).collect();
        if ready[1].read && output.is_empty() {
            output.fill(pty)?;
        }
        match &client {
            Some(stream) => {
                let heard = ready.get(2).is_some_and(|ready| ready.read) && input.is_empty();
                let went = (|| {
                    if heard {
                        input.fill(stream)?;
                    }
                    output.drain(stream)
                })();
                if went.is_err() {
                    client = None;
                    output.clear();
                }
            }
            None => output.clear(),
        }
        input.drain(pty)?;
        if ready[0].read
            && let Some(stream) = listener.accept()?
        {
            client = Some(stream);
        }
    }
}

/// Shows a session in this terminal until it is over.
fn show(dir: &Path, name: &OsStr) -> io::Result<()> {
    let Some(terminal) = Terminal::from_stdin()? else {
        return Err(io::Error::other("no terminal"));
    };
    let Connect::Connected(stream) = Stream::connect(&Dir::open_following(dir)?, name)? else {
        return Err(io::Error::other("no such session"));
    };
    let _raw = terminal.raw()?;
    let (mut output, mut input) = (Way::new(), Way::new());
    loop {
        let mut entries = [
            Entry::new(terminal.as_fd(), input.is_empty(), !output.is_empty()),
            Entry::new(stream.as_fd(), output.is_empty(), !input.is_empty()),
        ];
        poll::poll(&mut entries, None)?;
        let [tty, held] = entries.map(|entry| entry.ready);
        if held.read && output.is_empty() {
            output.fill(&stream)?;
        }
        if tty.read && input.is_empty() {
            input.fill(&terminal)?;
        }
        output.drain(&terminal)?;
        input.drain(&stream)?;
    }
}

/// Something that bytes come from and go to.
trait End {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize>;
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;
}

macro_rules! ends {
    ($($end:ty),*) => {
        $(impl End for $end {
            fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
                <$end>::read(self, buffer)
            }

            fn write(&self, bytes: &[u8]) -> io::Result<usize> {
                <$end>::write(self, bytes)
            }
        })*
    };
}

ends!(PtyLeader, Stream, Terminal);

/// Bytes on their way in one direction: read when there are none, and not again
/// before all are written.
struct Way {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Way {
    fn new() -> Way {
        Way { buffer: vec![0; READ], start: 0, end: 0 }
    }

    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    fn clear(&mut self) {
        self.start = self.end;
    }

    /// The other side's end is an error as well.
    fn fill(&mut self, from: &impl End) -> io::Result<()> {
        match from.read(&mut self.buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                (self.start, self.end) = (0, count);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn drain(&mut self, to: &impl End) -> io::Result<()> {
        while !self.is_empty() {
            match to.write(&self.buffer[self.start..self.end]) {
                Ok(count) => self.start += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
