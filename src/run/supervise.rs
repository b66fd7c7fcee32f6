use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp};
use nix::sys::signal::{SigSet, Signal as NixSignal};
use nix::sys::signalfd::SignalFd;
use rustix::fd::OwnedFd;
use rustix::fs::Mode;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, umask, waitpid};

use crate::fs::{self, TemporaryDirectory};

use super::links::Links;
use super::{Command, RunError, pass};

/// With it the worker is told where the links to its files will be.
const DIRECTORY_OPTION: &str = "--directory";
const DIRECTORY_VARIABLE: &str = "DCN_VAULT_DIR";
/// siginfo's code for a signal that the kernel sent: a key on the terminal, which the child has got as well.
const SENT_BY_KERNEL: i32 = 0x80;

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChildExit {
    /// With this code.
    Code(u8),
    /// By this signal.
    Signal(u8),
}

impl ChildExit {
    /// The code that a shell would give: the child's own, or 128 and the signal's number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal(number) => 128_u8.saturating_add(number),
        }
    }
}

/// The process that stays: it starts the worker, then the child, and returns when the child has ended.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "it is made by naming its parts")]
pub struct Supervisor {
    /// The arguments that make this program a worker.
    pub worker: Vec<OsString>,
    /// The worker's whole environment.
    pub worker_environment: Vec<(OsString, OsString)>,
    /// The command's environment, to which `DCN_VAULT_DIR` is added.
    pub command_environment: Vec<(OsString, OsString)>,
    /// Where the directory of links is made.
    pub runtime_directory: PathBuf,
    /// Descriptors that the worker inherits and the command does not: an identity comes by them.
    pub closed_to_command: Vec<i32>,
}

impl Supervisor {
    /// Runs `command` with the bundle's files in place, and forwards signals to it until it ends.
    ///
    /// # Errors
    ///
    /// Any [`RunError`]; the command has not started then.
    pub fn run(&self, command: &Command) -> Result<ChildExit, RunError> {
        let directory = TemporaryDirectory::name_below(&fs::true_path(&self.runtime_directory)?)?;
        let files = self.open_bundle(&directory)?;
        // From here on signals wait for us: none is lost between the child's start and our care for it
        let signals = Signals::hold()?;
        let mut links = Links::make(directory, files)?;
        let child = start(command, &self.command_environment, &links, &self.closed_to_command)?;
        links.close();
        signals.forward_until_end(child)
    }

    /// The worker reads nothing from its standard input: the socket takes that place. Ours is closed when this returns, so
    /// that a worker's end is the socket's end.
    fn start_worker(&self, socket: OwnedFd, directory: &Path) -> Result<Child, RunError> {
        let mut worker = command_for(Path::new("/proc/self/exe"));
        worker
            .args(&self.worker)
            .arg(DIRECTORY_OPTION)
            .arg(directory)
            .env_clear()
            .envs(self.worker_environment.iter().cloned());
        worker.stdin(Stdio::from(socket)).stdout(Stdio::null());
        worker.spawn().map_err(|source| RunError::Os { what: "start the worker", source })
    }

    fn open_bundle(&self, directory: &Path) -> Result<Vec<(String, OwnedFd)>, RunError> {
        let (ours, theirs) = pass::socket_pair().map_err(RunError::os("make a socket"))?;
        let mut worker = self.start_worker(theirs, directory)?;
        let files = pass::receive_all(&ours).map_err(RunError::os("receive a descriptor"))?;
        let status = worker.wait().map_err(|source| RunError::Os { what: "wait for the worker", source })?;
        match (files, status.success(), status.code()) {
            (Some(files), true, _) => Ok(files),
            (_, _, Some(_)) => Err(RunError::Worker),
            (_, _, None) => Err(RunError::WorkerKilled),
        }
    }
}

// Not std's Command: its child inherits the signals that are held back here, and would hear none of those forwarded
fn start(
    command: &Command,
    environment: &[(OsString, OsString)],
    links: &Links,
    closed: &[i32],
) -> Result<Pid, RunError> {
    let words = std::iter::once(command.program.clone()).chain(command.filled(links.path(), links.files()));
    let words = words.map(|word| c_string(word.into_vec())).collect::<Result<Vec<_>, _>>()?;
    let directory = (OsString::from(DIRECTORY_VARIABLE), links.path().as_os_str().to_owned());
    let environment = environment.iter().chain([&directory]);
    let environment =
        environment.map(|(name, value)| c_string([name.as_bytes(), b"=", value.as_bytes()].concat()));
    let environment = environment.collect::<Result<Vec<_>, _>>()?;
    let attributes = ordinary_signals()
        .map_err(|error| RunError::Os { what: "give the command its signals", source: error.into() })?;
    let program = words.first().cloned().unwrap_or_default();
    // What the child copies is for its user alone, whatever the modes that it asks for
    umask(Mode::RWXG | Mode::RWXO);
    links.open_to_child()?;
    let actions = without(closed)
        .map_err(|error| RunError::Os { what: "close a descriptor to the command", source: error.into() })?;
    let started = posix_spawnp(&program, &actions, &attributes, &words, &environment)
        .map_err(|error| refused(command, &error.into()))?;
    Pid::from_raw(started.as_raw()).ok_or_else(|| refused(command, &io::ErrorKind::Other.into()))
}

/// What a new process does first: it closes these descriptors.
fn without(closed: &[i32]) -> nix::Result<PosixSpawnFileActions> {
    let mut actions = PosixSpawnFileActions::init()?;
    closed.iter().try_for_each(|number| actions.add_close(*number))?;
    Ok(actions)
}

/// Nothing held back, and SIGPIPE, which Rust ignores, as every program expects it.
fn ordinary_signals() -> nix::Result<PosixSpawnAttr> {
    let mut attributes = PosixSpawnAttr::init()?;
    attributes.set_flags(PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF)?;
    attributes.set_sigmask(&SigSet::empty())?;
    attributes.set_sigdefault(&SigSet::from(NixSignal::SIGPIPE))?;
    Ok(attributes)
}

fn c_string(bytes: Vec<u8>) -> Result<CString, RunError> {
    CString::new(bytes).map_err(|error| RunError::Os { what: "pass an argument on", source: error.into() })
}

#[allow(clippy::disallowed_methods, reason = "this is the module that starts processes")]
fn command_for(program: &Path) -> std::process::Command {
    std::process::Command::new(program)
}

fn refused(command: &Command, error: &io::Error) -> RunError {
    let name = command.program.to_string_lossy().escape_debug().to_string();
    if error.kind() == io::ErrorKind::NotFound {
        RunError::NotFound { command: name }
    } else {
        RunError::NotExecutable { command: name, reason: error.kind().to_string() }
    }
}

/// All signals, held back and read one by one.
struct Signals(SignalFd);

impl Signals {
    fn hold() -> Result<Self, RunError> {
        let failed =
            |error: nix::errno::Errno| RunError::Os { what: "take over the signals", source: error.into() };
        let mut signals = SigSet::all();
        // Those that a fault of our own raises must keep their effect
        for fault in [NixSignal::SIGBUS, NixSignal::SIGFPE, NixSignal::SIGILL, NixSignal::SIGSEGV] {
            signals.remove(fault);
        }
        signals.thread_block().map_err(failed)?;
        SignalFd::new(&signals).map(Self).map_err(failed)
    }

    fn forward_until_end(&self, child: Pid) -> Result<ChildExit, RunError> {
        loop {
            let Ok(Some(info)) = self.0.read_signal() else { continue };
            let number = i32::try_from(info.ssi_signo).unwrap_or_default();
            if number == Signal::CHILD.as_raw() {
                if let Some(exit) = look_after(child)? {
                    return Ok(exit);
                }
            } else if info.ssi_code != SENT_BY_KERNEL
                && let Some(signal) = Signal::from_named_raw(number)
            {
                // A child that has just ended takes no signal: its end is the next thing that we read
                let _ = kill_process(child, signal);
            }
        }
    }
}

/// Asks how the child is. One that was stopped (Ctrl-Z) takes us with it, so that the shell gets its terminal back; what
/// wakes us is a signal, too, and is passed on.
fn look_after(child: Pid) -> Result<Option<ChildExit>, RunError> {
    let options = WaitOptions::NOHANG | WaitOptions::UNTRACED;
    let Some((_, status)) = waitpid(Some(child), options).map_err(RunError::os("wait for the command"))?
    else {
        return Ok(None);
    };
    if status.stopped() {
        let _ = kill_process(getpid(), Signal::STOP);
        return Ok(None);
    }
    Ok(Some(exit_of(status)))
}

fn exit_of(status: WaitStatus) -> ChildExit {
    let byte = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => ChildExit::Code(byte(code)),
        (None, Some(number)) => ChildExit::Signal(byte(number)),
        (None, None) => ChildExit::Code(1),
    }
}
