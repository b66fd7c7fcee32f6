//! The signals of a process that waits for another: each is passed on, and a stop is shared.

use std::ffi::OsStr;

use nix::sys::signal::{SigSet, Signal as NixSignal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, wait};

use super::pass::{self, Word};
use super::{ChildExit, RunError};

/// siginfo's code for a signal that the kernel sent: a key on the terminal, which the child has got as well.
const SENT_BY_KERNEL: i32 = 0x80;

/// All signals, held back and read one by one.
pub(super) struct Signals(SignalFd);

/// What a process does when the one that it waits for was stopped (Ctrl-Z).
pub(super) enum OnStop<'a> {
    /// It stops as well, so that the shell gets its terminal back. What wakes it is a signal, too, and is passed on.
    Stop,
    /// It tells the supervisor: the first process of a namespace cannot be stopped from within.
    Tell(&'a OwnedFd),
}

impl Signals {
    /// Holds all of them back from here on.
    pub(super) fn hold() -> Result<Self, RunError> {
        let failed =
            |error: nix::errno::Errno| RunError::Os { what: "take over the signals", source: error.into() };
        let mut signals = SigSet::all();
        // Those that a fault of our own raises must keep their effect
        for fault in [NixSignal::SIGBUS, NixSignal::SIGFPE, NixSignal::SIGILL, NixSignal::SIGSEGV] {
            signals.remove(fault);
        }
        signals.thread_block().map_err(failed)?;
        SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            .map(Self)
            .map_err(failed)
    }

    /// Passes signals on to `child` until it has ended, and sees its orphans to their end.
    pub(super) fn forward_until_end(&self, child: Pid, on_stop: &OnStop<'_>) -> Result<ChildExit, RunError> {
        // A worker may have ended before we held its signal back
        let mut ended = look_after(child, on_stop)?;
        loop {
            if let Some(exit) = ended {
                return Ok(exit);
            }
            self.wait(None)?;
            ended = self.forward(child, on_stop)?;
        }
    }

    /// The same, for the first process of a namespace, which says over `socket` what becomes of `command`.
    pub(super) fn forward_to_first(
        &self,
        first: Pid,
        socket: &OwnedFd,
        command: &OsStr,
    ) -> Result<ChildExit, RunError> {
        let mut socket = Some(socket);
        let mut heard = None;
        let mut ended = look_after(first, &OnStop::Stop)?;
        loop {
            // When it has ended there is no more to wait for, only to read to the end
            let has_word = ended.is_some() || self.wait(socket)?;
            match socket.filter(|_| has_word).map(pass::hear) {
                Some(Some(Word::Stopped)) => stop(&OnStop::Stop),
                Some(Some(word)) => heard = Some(word),
                Some(None) => socket = None,
                None => {}
            }
            ended = match ended {
                None => self.forward(first, &OnStop::Stop)?,
                some => some,
            };
            if let (Some(exit), None) = (ended, socket) {
                return match heard {
                    Some(Word::NotExecutable(reason)) => Err(RunError::not_executable(command, reason)),
                    Some(Word::NotFound) => Err(RunError::not_found(command)),
                    Some(Word::Signal(number)) => Ok(ChildExit::Signal(number)),
                    Some(Word::Ready | Word::Stopped) | None => Ok(exit),
                };
            }
        }
    }

    /// Passes signals on to `worker` until it says something over `socket`, or has gone away; says how it has ended, if that was
    /// seen.
    pub(super) fn forward_until_word(
        &self,
        worker: Pid,
        socket: &OwnedFd,
    ) -> Result<Option<ChildExit>, RunError> {
        while !self.wait(Some(socket))? {
            let ended = self.forward(worker, &OnStop::Stop)?;
            if ended.is_some() {
                return Ok(ended);
            }
        }
        Ok(None)
    }

    /// Passes on what has come; says how `child` has ended, if it has.
    fn forward(&self, child: Pid, on_stop: &OnStop<'_>) -> Result<Option<ChildExit>, RunError> {
        while let Ok(Some(info)) = self.0.read_signal() {
            let number = i32::try_from(info.ssi_signo).unwrap_or_default();
            if number == Signal::CHILD.as_raw() {
                if let Some(exit) = look_after(child, on_stop)? {
                    return Ok(Some(exit));
                }
            } else if info.ssi_code != SENT_BY_KERNEL
                && let Some(signal) = Signal::from_named_raw(number)
            {
                // A child that has just ended takes no signal: its end is the next thing that we read
                let _ = kill_process(child, signal);
            }
        }
        Ok(None)
    }

    /// Waits for a signal, or for a word; says whether there is one.
    fn wait(&self, told: Option<&OwnedFd>) -> Result<bool, RunError> {
        let mut wanted = vec![PollFd::new(&self.0, PollFlags::IN)];
        wanted.extend(told.map(|socket| PollFd::new(socket, PollFlags::IN)));
        match poll(&mut wanted, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(RunError::os("wait for the command")(error)),
        }
        Ok(wanted.get(1).is_some_and(|socket| !socket.revents().is_empty()))
    }
}

/// Asks how the child is, and all others that have become ours.
fn look_after(child: Pid, on_stop: &OnStop<'_>) -> Result<Option<ChildExit>, RunError> {
    loop {
        match wait(WaitOptions::NOHANG | WaitOptions::UNTRACED) {
            Ok(Some((pid, status))) if pid == child && status.stopped() => stop(on_stop),
            Ok(Some((pid, status))) if pid == child => return Ok(Some(exit_of(status))),
            Ok(Some(_)) => {}
            Ok(None) => return Ok(None),
            Err(error) => return Err(RunError::os("wait for the command")(error)),
        }
    }
}

fn stop(on_stop: &OnStop<'_>) {
    match on_stop {
        OnStop::Stop => {
            let _ = kill_process(getpid(), Signal::STOP);
        }
        OnStop::Tell(socket) => pass::tell(socket, &Word::Stopped),
    }
}

fn exit_of(status: WaitStatus) -> ChildExit {
    let byte = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => ChildExit::Code(byte(code)),
        (None, Some(number)) => ChildExit::Signal(byte(number)),
        (None, None) => ChildExit::Code(1),
    }
}
