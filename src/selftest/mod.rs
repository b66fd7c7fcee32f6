//! Proves on the user's own machine what the documentation promises: no copy of a secret stays in our memory, and core
//! dumps, swap and other processes of the same user are shut out.
//!
//! It stands apart because it looks at all the others from outside: it starts *probes*, which are this very program under a
//! hidden verb, lets made-up secrets take the real way through them, and searches their memory at each stage. No root, no
//! debugger, nothing to install.
//!
//! # What this does not do
//!
//! It sees memory while a process waits, not between two waits, and neither registers nor the kernel's own buffers. Of the
//! private key it searches the text, not the numbers that age makes of it: those stay on the stack until the process ends
//! (measured), as [`crate::open`] says.

mod act;
mod canary;
mod host;
mod memory;
mod others;
mod probe;
mod report;
mod scan;
mod seen;
mod verdict;

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use jiff::Timestamp;
use rustix::process::{Pid, Signal, geteuid};

use crate::fs::{FileError, TemporaryDirectory};
use crate::keygen::NewIdentity;
use crate::report::Hint;

use self::canary::Canaries;
use self::host::Host;
use self::memory::{Tally, look};
use self::probe::Probe;
use self::scan::Scanner;
use self::seen::{Crash, Others, Run, Seen, Walk};

pub use act::{ProbeError, crash, hold, read_delivered, supervise, walk};
pub use report::{Check, Figure, Report, Verdict};

/// Where a probe finds the bundle in its directory.
const BUNDLE: &str = "bundle";
/// Where a probe finds the private key in its directory.
const IDENTITY: &str = "identity.txt";

/// Why nothing could be tried at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SelftestError {
    /// There is no place for the made-up bundle.
    #[error(transparent)]
    File(#[from] FileError),
    /// The kernel gives no random numbers.
    #[error("cannot make secrets up: {0}")]
    Random(rustix::io::Errno),
}

impl Hint for SelftestError {
    fn hint(&self) -> String {
        match self {
            Self::File(error) => error.hint(),
            Self::Random(_) => String::from("a security module may forbid it: the audit log says more"),
        }
    }
}

/// Tries everything. The made-up bundle is in a directory below `runtime_directory`, and goes away.
///
/// # Errors
///
/// Any [`SelftestError`]. What could not be tried is a verdict, not an error.
pub fn selftest(runtime_directory: &Path) -> Result<Report, SelftestError> {
    let directory = TemporaryDirectory::below(&crate::fs::true_path(runtime_directory)?)?;
    let identity = NewIdentity::make();
    identity.save(&directory.path().join(IDENTITY))?;
    let canaries = Canaries::make(&identity).map_err(SelftestError::Random)?;
    let scanner = Scanner::of(&canaries.needles);
    let host = Host::ask();
    let kernel = host.kernel.clone();
    // The first makes the bundle that the second opens
    let (walk, open) = see_walk(directory.path(), &identity, &canaries, &scanner).ok().unzip();
    let run = see_run(directory.path(), &scanner).ok();
    let shut = see_shut(&canaries).ok();
    let others = shut.zip(open).map(|(shut, open)| Others { shut, open });
    let crash = see_crash(&canaries).ok();
    let seen = Seen { host, secrets: canaries.in_plan(), walk, run, others, crash };
    Ok(Report {
        version: env!("CARGO_PKG_VERSION"),
        time: Timestamp::now(),
        kernel,
        uid: geteuid().as_raw(),
        checks: seen.checks(),
    })
}

/// One that seals and opens. Its ways in are open: who sees them open knows that they are shut elsewhere for our reasons.
fn see_walk(
    directory: &Path,
    identity: &NewIdentity,
    canaries: &Canaries,
    scanner: &Scanner,
) -> io::Result<(Walk, Vec<&'static str>)> {
    let words = [OsString::from("walk"), directory.into(), OsString::from(&identity.recipient)];
    let probe = Probe::start(&words)?;
    let stage = |name: &str| -> io::Result<Tally> {
        probe.await_line(name)?;
        let tally = look(probe.id(), scanner).map_err(io::Error::other)?;
        probe.go_on()?;
        Ok(tally)
    };
    let started = stage("started")?;
    probe.give(&canaries.plan)?;
    probe.give(&canaries.output)?;
    let walk = Walk {
        started,
        given: stage("given")?,
        sorted: stage("sorted")?,
        sealed: stage("sealed")?,
        opened: stage("opened")?,
        closed: stage("closed")?,
        unlocked: probe.line()?.parse().map_err(io::Error::other)?,
    };
    Ok((walk, others::open_ways(probe.id())))
}

/// The supervisor of a `run`, while its command holds the secrets.
fn see_run(directory: &Path, scanner: &Scanner) -> io::Result<Run> {
    let probe = Probe::start(&[OsString::from("run"), directory.into()])?;
    let line = probe.line()?;
    let (child, delivered) = line.split_once(' ').ok_or(io::ErrorKind::InvalidData)?;
    let child = child.parse().ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
    let run = Run {
        supervisor: look(probe.id(), scanner).map_err(io::Error::other)?,
        child: look(child, scanner).map_err(io::Error::other)?,
        is_on_ramfs: delivered == "ramfs",
    };
    probe.go_on()?;
    probe.end()?;
    Ok(run)
}

fn see_shut(canaries: &Canaries) -> io::Result<Vec<&'static str>> {
    let probe = Probe::start(&[OsString::from("hold")])?;
    probe.give(&canaries.plan)?;
    probe.await_line("held")?;
    Ok(others::open_ways(probe.id()))
}

fn see_crash(canaries: &Canaries) -> io::Result<Crash> {
    let probe = Probe::start(&[OsString::from("crash")])?;
    probe.give(&canaries.plan)?;
    let status = probe.end()?;
    Ok(Crash { was_abort: status.signal() == Some(Signal::ABORT.as_raw()), dumped: status.core_dumped() })
}
