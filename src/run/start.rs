//! How processes are started: our own workers, and the command.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};

use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp};
use nix::sys::signal::{SigSet, Signal as NixSignal};
use rustix::fd::OwnedFd;
use rustix::process::Pid;

use super::RunError;

/// Names of variables and their values.
pub(super) type Environment = Vec<(OsString, OsString)>;

const OURSELVES: &str = "/proc/self/exe";

/// An option and its value, as one word.
pub(super) fn option(name: &str, value: impl AsRef<OsStr>) -> OsString {
    let mut word = OsString::from(name);
    word.push(value);
    word
}

/// Starts this program again, with nothing of our environment. The socket takes the place of its standard input, and is
/// closed here when this returns, so that the worker's end is the socket's end.
pub(super) fn start_worker(
    words: impl IntoIterator<Item = OsString>,
    environment: &[(OsString, OsString)],
    socket: OwnedFd,
) -> Result<Child, RunError> {
    spawn(ourselves(words, environment).stdin(Stdio::from(socket)).stdout(Stdio::null()))
}

/// Starts this program beside us, in a process group of its own: no key on the terminal reaches it. What is given as its input and
/// output is closed here when this returns, as the socket of [`start_worker`] is.
pub(super) fn start_beside(
    words: impl IntoIterator<Item = OsString>,
    environment: &[(OsString, OsString)],
    input: Stdio,
    output: Stdio,
) -> Result<Child, RunError> {
    spawn(ourselves(words, environment).stdin(input).stdout(output).process_group(0))
}

/// Starts the program that `words` begin with.
///
/// It is not std's Command, whose child inherits the signals that are held back here, and would hear none of those
/// forwarded.
pub(super) fn start(
    words: Vec<OsString>,
    environment: &Environment,
    actions: &PosixSpawnFileActions,
) -> Result<Pid, RunError> {
    let program = words.first().cloned().unwrap_or_default();
    let words = words.into_iter().map(|word| c_string(word.into_vec())).collect::<Result<Vec<_>, _>>()?;
    let variable = |(name, value): &(OsString, OsString)| {
        c_string([name.as_encoded_bytes(), b"=", value.as_encoded_bytes()].concat())
    };
    let environment = environment.iter().map(variable).collect::<Result<Vec<_>, _>>()?;
    let attributes = ordinary_signals()
        .map_err(|error| RunError::Os { what: "give the command its signals", source: error.into() })?;
    let started =
        posix_spawnp(words.first().map_or(c"", |word| word), actions, &attributes, &words, &environment)
            .map_err(|error| refused(&program, &error.into()))?;
    Pid::from_raw(started.as_raw()).ok_or_else(|| refused(&program, &io::ErrorKind::Other.into()))
}

/// Starts this program again, to be the first process of a namespace.
pub(super) fn start_again(
    words: impl IntoIterator<Item = OsString>,
    environment: &Environment,
    actions: &PosixSpawnFileActions,
) -> Result<Pid, RunError> {
    start([OsString::from(OURSELVES)].into_iter().chain(words).collect(), environment, actions)
}

/// What is done with a child's descriptors before it begins: nothing yet.
pub(super) fn file_actions() -> Result<PosixSpawnFileActions, RunError> {
    PosixSpawnFileActions::init().map_err(not_started)
}

pub(super) fn not_started(error: nix::errno::Errno) -> RunError {
    RunError::Os { what: "start the command", source: error.into() }
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
fn ourselves(
    words: impl IntoIterator<Item = OsString>,
    environment: &[(OsString, OsString)],
) -> std::process::Command {
    let mut worker = std::process::Command::new(OURSELVES);
    worker.args(words).env_clear().envs(environment.iter().cloned());
    worker
}

fn spawn(worker: &mut std::process::Command) -> Result<Child, RunError> {
    worker.spawn().map_err(|source| RunError::Os { what: "start the worker", source })
}

fn refused(program: &OsStr, error: &io::Error) -> RunError {
    if error.kind() == io::ErrorKind::NotFound {
        RunError::not_found(program)
    } else {
        RunError::not_executable(program, error.kind().to_string())
    }
}
