//! A terminal that is to be opened: its size, what stands on it, what runs in it.

use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::sync::{Arc, Condvar, Mutex};

use sess_sys::{PtyLeader, WindowSize};

use super::reading::{Shared, State, read};
use super::{CELL, Terminal, modes};
use crate::harness::emulator::Emulator;
use crate::harness::sandbox::{Sandbox, line};

/// A terminal that is to be opened.
pub struct TerminalRequest<'a> {
    sandbox: &'a Sandbox,
    cols: u16,
    rows: u16,
    vars: Vec<(OsString, Option<OsString>)>,
    name: Option<u16>,
    before: Vec<u8>,
    blind: bool,
}

impl<'a> TerminalRequest<'a> {
    pub fn new(sandbox: &'a Sandbox) -> Self {
        let (cols, rows) = (80, 24);
        let (vars, before) = (Vec::new(), Vec::new());
        Self { sandbox, cols, rows, vars, name: None, before, blind: false }
    }

    /// Its size.
    pub fn size(mut self, cols: u16, rows: u16) -> Self {
        (self.cols, self.rows) = (cols, rows);
        self
    }

    /// A variable in its program's environment.
    pub fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.vars.push((key.into(), Some(value.as_ref().to_owned())));
        self
    }

    /// It answers questions, as this one.
    pub fn answering(mut self, name: u16) -> Self {
        self.name = Some(name);
        self
    }

    /// It understands nothing and only collects what it is sent.
    pub fn blind(mut self) -> Self {
        self.blind = true;
        self
    }

    /// What stands on it before its program starts.
    pub fn showing(mut self, text: impl AsRef<[u8]>) -> Self {
        self.before.extend_from_slice(text.as_ref());
        self
    }

    /// Shows a session in it; returns when that is attached.
    #[track_caller]
    pub fn attach(self, name: &str) -> Terminal {
        self.attach_with(&[], name)
    }

    /// As [`attach`](Self::attach), with options.
    #[track_caller]
    pub fn attach_with(self, options: &[&str], name: &str) -> Terminal {
        let sandbox = self.sandbox;
        let terminal = self.sess([&["attach"], options, &[name]].concat());
        terminal.wait_for_attached(sandbox, name);
        terminal
    }

    /// Runs `sess` in it.
    #[track_caller]
    pub fn sess<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Terminal {
        self.run(env!("CARGO_BIN_EXE_sess"), args)
    }

    /// Runs a program in it.
    #[track_caller]
    pub fn run<A: AsRef<OsStr>>(
        self,
        program: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Terminal {
        let size = WindowSize {
            cols: self.cols,
            rows: self.rows,
            xpixel: self.cols * CELL.0,
            ypixel: self.rows * CELL.1,
        };
        let (leader, follower) = PtyLeader::open(size).unwrap();
        let path = follower.path().to_owned();
        // A terminal of its own takes a session of its own, which takes another
        // program where nothing unsafe is allowed.
        let mut command = self.sandbox.command("setsid");
        command.arg("-c").arg(program).args(args);
        for (key, value) in &self.vars {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        let stdio = || Stdio::from(follower.as_fd().try_clone_to_owned().unwrap());
        command.stdin(stdio()).stdout(stdio()).stderr(stdio());
        let line = line(&command);
        let modes_before = modes(&self.sandbox.command("stty"), &path);
        let child = command.spawn().unwrap();
        // The command keeps its copies until it is dropped.
        drop((command, follower));

        let leader = Arc::new(leader);
        let (wake, woken) = UnixStream::pair().unwrap();
        woken.set_nonblocking(true).unwrap();
        let mut emulator = Emulator::new(self.cols, self.rows);
        emulator.show(&self.before, None);
        emulator.blind = self.blind;
        let state = State {
            emulator,
            name: self.name,
            held_replies: None,
            paused: false,
            rate: None,
            drained: false,
            closing: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), wake });
        let reader = std::thread::spawn({
            let (leader, shared) = (Arc::clone(&leader), Arc::clone(&shared));
            move || read(&leader, &shared, &woken)
        });
        self.sandbox.note(&line);
        let leader = Some(leader);
        Terminal { leader, path, child, shared, reader: Some(reader), line, modes_before }
    }
}
