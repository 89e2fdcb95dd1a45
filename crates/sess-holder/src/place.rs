//! A session's place in the sessions directory: its folder, lock and socket.
//!
//! Only who holds the lock binds, unlinks, renames or replaces anything in the
//! folder. What is removed from under a living session is put back. Knows nothing
//! of clients, programs or messages.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use sess_proto::SessionName;
use sess_sys::{Dir, FolderWatch, Listener, Lock, Meta, process, process::Signal};

use crate::record;

/// The lock's name in the folder.
pub const LOCK: &str = "lock";
/// The socket's name in the folder.
pub const SOCKET: &str = "sock";
/// The folder of the links to SSH agents, in the sessions directory.
pub const AGENTS: &str = ".agent";
/// Names tried before giving up.
const SUFFIXES: u32 = 1000;

/// A name that is ours: its folder, and the lock in it.
#[derive(Debug)]
pub struct Claim {
    /// Where the sessions directory is, absolute.
    pub root_path: PathBuf,
    /// The sessions directory.
    pub root: Dir,
    /// The name.
    pub name: SessionName,
    /// The session's folder.
    pub folder: Dir,
    lock: Lock,
}

impl Claim {
    /// Takes a name; `None` if somebody else has it.
    pub fn take(root_path: &Path, root: &Dir, name: &SessionName) -> io::Result<Option<Self>> {
        let file: &OsStr = name.as_ref();
        // Another may remove the folder between any two of these steps.
        for _ in 0..100 {
            let made = match root.create_in(file, 0o700) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                made => made?,
            };
            let folder = match root.open_in(file) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                folder => folder?,
            };
            let lock = match Lock::try_take(&folder, OsStr::new(LOCK)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => {
                    if made {
                        // Nothing is in it; if somebody was quicker, it stays.
                        let _ = root.remove_dir(file);
                    }
                    return Err(error);
                }
                Ok(lock) => lock,
            };
            let Some(lock) = lock else {
                return Ok(None);
            };
            if leads_to(root, file, &folder)? {
                return Ok(Some(Self {
                    root_path: root_path.to_owned(),
                    root: root.try_clone()?,
                    name: name.clone(),
                    folder,
                    lock,
                }));
            }
        }
        Err(io::Error::other(format!("{} keeps disappearing", root_path.join(file).display())))
    }

    /// The lock, to be kept open over the fork.
    pub fn lock(&self) -> &Lock {
        &self.lock
    }

    /// Gives the name up and leaves nothing behind, but for the record of an
    /// earlier session.
    pub fn withdraw(self) -> io::Result<()> {
        remove_if_there(&self.folder, SOCKET)?;
        match self.folder.metadata_of(OsStr::new(record::RECORD)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.remove(),
            _ => Ok(()),
        }
    }

    /// Gives the name up; the record stays.
    pub fn clear(self) -> io::Result<()> {
        remove_if_there(&self.folder, SOCKET)
    }

    /// Removes the folder and all that is in it. It is put out of the way first:
    /// who opens it meanwhile sees that the name no longer leads to it.
    pub fn remove(self) -> io::Result<()> {
        let aside = format!(".gone-{}", process::current());
        let aside = OsStr::new(&aside);
        match self.root.rename(self.name.as_ref(), aside) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => self.root.remove_tree(aside),
        }
    }
}

/// A living session's place.
#[derive(Debug)]
pub struct Place {
    claim: Claim,
    listener: Listener,
    /// The file that the listener is bound to.
    socket: Meta,
    watch: Option<FolderWatch>,
    signal: Signal,
    id: String,
    /// Where the session's agent link leads.
    agent: Option<PathBuf>,
}

/// What looking after a place has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Healed {
    /// The folder is another one: it has no record yet.
    pub folder: bool,
    /// The name is another one.
    pub name: bool,
}

impl Place {
    /// Listens at a claimed name. `signal` is raised when something is removed.
    pub fn new(claim: Claim, id: &str, signal: Signal) -> Result<Self, (Claim, io::Error)> {
        match bind(&claim.folder) {
            Ok((listener, socket)) => {
                // A sessions directory that can't be locked is only less safe from
                // those who clean up.
                let _ = claim.root.hold_shared();
                let watch = FolderWatch::new(&claim.folder, signal).ok();
                let id = id.to_owned();
                Ok(Self { claim, listener, socket, watch, signal, id, agent: None })
            }
            Err(error) => Err((claim, error)),
        }
    }

    /// Where clients connect.
    pub fn listener(&self) -> &Listener {
        &self.listener
    }

    /// The session's folder.
    pub fn folder(&self) -> &Dir {
        &self.claim.folder
    }

    /// The session's name.
    pub fn name(&self) -> &SessionName {
        &self.claim.name
    }

    /// Where the folder is.
    pub fn path(&self) -> PathBuf {
        self.claim.root_path.join(self.claim.name.as_str())
    }

    /// Writes the text of a command for the session's shell.
    pub fn write_script(&self, token: &str, text: &[u8]) -> io::Result<()> {
        self.claim.folder.replace_file(OsStr::new(&script(token)), text, 0o600)
    }

    /// Removes the text of a command.
    pub fn remove_script(&self, token: &str) -> io::Result<()> {
        remove_if_there(&self.claim.folder, &script(token))
    }

    /// Removes the texts of all commands: the shell is gone that might read them.
    pub fn remove_scripts(&self) -> io::Result<()> {
        for name in self.claim.folder.names()? {
            if name.to_string_lossy().starts_with(SCRIPT) {
                self.claim.folder.remove_file(&name).or_else(not_there)?;
            }
        }
        Ok(())
    }

    /// Moves the session to another name; false if that one is taken. What an ended
    /// session of that name left is replaced.
    pub fn rename(&mut self, name: &SessionName) -> io::Result<bool> {
        if *name == self.claim.name {
            return Ok(true);
        }
        if !self.is_in_place()? {
            return Err(io::Error::other("its folder was removed just now; try again"));
        }
        let claim = &self.claim;
        // The lock of the new name's folder keeps others off it until it is gone.
        let Some(there) = Claim::take(&claim.root_path, &claim.root, name)? else {
            return Ok(false);
        };
        there.remove()?;
        match claim.root.rename_new(claim.name.as_ref(), name.as_ref()) {
            // Somebody was quicker.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
            Ok(()) => {
                self.claim.name = name.clone();
                Ok(true)
            }
        }
    }

    /// Whether removals are noticed by themselves.
    pub fn is_watched(&self) -> bool {
        self.watch.is_some()
    }

    /// Gives the place up as if it had never been.
    pub fn withdraw(self) -> io::Result<()> {
        let link = self.remove_agent(&self.id);
        self.claim.withdraw().and(link)
    }

    /// Gives the name up; the record stays.
    pub fn leave(self) -> io::Result<()> {
        let socket = remove_if_there(&self.claim.folder, SOCKET);
        self.remove_agent(&self.id).and(socket)
    }

    /// Removes the agent link of a session that is over.
    pub fn remove_agent(&self, id: &str) -> io::Result<()> {
        let root = &self.claim.root;
        let agents = root.open_in(OsStr::new(AGENTS));
        agents.and_then(|agents| remove_if_there(&agents, id)).or_else(not_there)?;
        // The last one's folder goes as well.
        let _ = root.remove_dir(OsStr::new(AGENTS));
        Ok(())
    }

    /// Points the session's agent link to `socket`, unless that leads back to the
    /// link itself.
    pub fn link_agent(&mut self, socket: &Path) -> io::Result<()> {
        let agents_path = self.claim.root_path.join(AGENTS);
        if leads_back(socket, &agents_path.join(&self.id)) {
            return Ok(());
        }
        self.agent = Some(socket.to_owned());
        let link = || {
            self.claim.root.create_in(OsStr::new(AGENTS), 0o700)?;
            let agents = self.claim.root.open_in(OsStr::new(AGENTS))?;
            agents.replace_link(socket, OsStr::new(&self.id))
        };
        let mut linked = link();
        for _ in 0..10 {
            match &linked {
                // Another may remove the folder between any two of these steps.
                Err(error) if error.kind() == io::ErrorKind::NotFound => linked = link(),
                Ok(()) | Err(_) => break,
            }
        }
        linked
    }

    /// Puts back what was removed. If another session has the name by now, this
    /// one goes on as `NAME~2`, or the next that is free.
    pub fn heal(&mut self) -> io::Result<Healed> {
        let mut healed = Healed::default();
        self.heal_root()?;
        if !self.is_in_place()? {
            let claim = self.claim_again()?;
            healed.folder = true;
            healed.name = claim.name != self.claim.name;
            self.claim = claim;
        }
        let bound = self.claim.folder.metadata_of(OsStr::new(SOCKET));
        if !bound.is_ok_and(|now| (now.dev, now.ino) == (self.socket.dev, self.socket.ino)) {
            (self.listener, self.socket) = bind(&self.claim.folder)?;
        }
        if healed.folder || self.watch.is_none() {
            self.watch = FolderWatch::new(&self.claim.folder, self.signal).ok();
        }
        if let Some(agent) = self.agent.clone() {
            self.link_agent(&agent)?;
        }
        Ok(healed)
    }

    /// Opens the sessions directory again if another, or none, is at its path.
    fn heal_root(&mut self) -> io::Result<()> {
        let path = &self.claim.root_path;
        let here = self.claim.root.metadata()?;
        let there = match Dir::open(path) {
            Ok(there) => there,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Dir::create_all(path, 0o700)?;
                Dir::open(path)?
            }
            Err(error) => return Err(error),
        };
        let meta = there.metadata()?;
        if (meta.dev, meta.ino) == (here.dev, here.ino) {
            return Ok(());
        }
        if meta.uid != process::uid() || meta.mode & 0o077 != 0 {
            return Err(io::Error::other(format!("{} is not private", path.display())));
        }
        self.claim.root = there;
        let _ = self.claim.root.hold_shared();
        Ok(())
    }

    /// Whether the name still leads to the folder, and the lock in it is ours.
    fn is_in_place(&self) -> io::Result<bool> {
        let claim = &self.claim;
        Ok(leads_to(&claim.root, claim.name.as_ref(), &claim.folder)?
            && claim.lock.is_at(&claim.folder, OsStr::new(LOCK))?)
    }

    /// Takes the name again, or the next best.
    fn claim_again(&self) -> io::Result<Claim> {
        let claim = &self.claim;
        let others = (2..SUFFIXES).map(|n| claim.name.with_suffix(n));
        for name in std::iter::once(claim.name.clone()).chain(others) {
            if let Some(new) = Claim::take(&claim.root_path, &claim.root, &name)? {
                let theirs = record::read(&new.folder).start;
                if theirs.is_none_or(|start| start.id == self.id) {
                    return Ok(new);
                }
            }
        }
        Err(io::Error::other(format!("no name like {} is free", claim.name)))
    }
}

/// Whether `name` in `root` is this very folder.
fn leads_to(root: &Dir, name: &OsStr, folder: &Dir) -> io::Result<bool> {
    let here = folder.metadata()?;
    match root.metadata_of(name) {
        Ok(there) => Ok((there.dev, there.ino) == (here.dev, here.ino)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Listens in a folder whose lock is ours; what is there is left by the dead.
fn bind(folder: &Dir) -> io::Result<(Listener, Meta)> {
    remove_if_there(folder, SOCKET)?;
    let listener = Listener::bind(folder, OsStr::new(SOCKET))?;
    let meta = folder.metadata_of(OsStr::new(SOCKET))?;
    Ok((listener, meta))
}

/// What the names of the files begin with that hold the texts of commands.
const SCRIPT: &str = "run-";

/// The name of the file that holds a command's text.
pub fn script(token: &str) -> String {
    format!("{SCRIPT}{token}")
}

fn remove_if_there(dir: &Dir, name: &str) -> io::Result<()> {
    dir.remove_file(OsStr::new(name)).or_else(not_there)
}

fn not_there(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// Whether following the links from `path` passes `link`.
fn leads_back(path: &Path, link: &Path) -> bool {
    let mut path = path.to_owned();
    for _ in 0..40 {
        if path == link {
            return true;
        }
        let Ok(target) = std::fs::read_link(&path) else {
            return false;
        };
        path = path.parent().map_or_else(|| target.clone(), |parent| parent.join(&target));
    }
    true
}
