//! Questions, for secrets with the echo off: at the terminal, or not at all.

use std::io;
use std::path::Path;

use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::process::getpgrp;
use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcgetpgrp, tcsetattr,
};

use crate::fs::{FileError, read_capped, read_line};
use crate::report::Hint;
use crate::secret::{SecretBuffer, SecretValue};

use super::ui::printable;

const TERMINAL: &str = "/dev/tty";
/// With any of these a person ends or leaves a program at the prompt.
const ENDING: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];
/// What the kernel says of this process.
const STATUS: &str = "/proc/self/status";
const STATUS_LIMIT: usize = 64 * 1024;

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub(super) enum PromptError {
    /// What was typed is no text.
    #[error("what was typed is not UTF-8")]
    NotText,
    /// The terminal is gone, or its user has ended the input.
    #[error("nothing was typed")]
    Nothing,
    /// It cannot be read, or set.
    #[error(transparent)]
    Terminal(#[from] FileError),
}

impl Hint for PromptError {
    fn hint(&self) -> String {
        match self {
            Self::NotText => String::from("set the terminal to UTF-8, or give it in a file"),
            Self::Nothing => String::from("try again, or give it in a file"),
            Self::Terminal(error) => error.hint(),
        }
    }
}

/// The terminal that this process has, if it has one.
pub(super) fn terminal() -> Option<OwnedFd> {
    open(TERMINAL, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).ok()
}

/// Asks for a secret. The echo comes back however this ends, by a signal too.
pub(super) fn ask(terminal: &OwnedFd, question: &str) -> Result<SecretValue, PromptError> {
    let signals = Held::hold().map_err(failed)?;
    let silent = Silent::make(terminal).map_err(failed)?;
    let question = format!("{}: ", printable(question, &[]));
    write(terminal, &question);
    let again = || {
        silent.renew()?;
        write(terminal, &question);
        Ok(())
    };
    let answer = answer(terminal, &signals.fd, &again);
    // The line's end was not echoed either
    write(terminal, "\n");
    drop(silent);
    let line = match answer? {
        Answer::Line(line) => line,
        Answer::Signal(signal) => {
            drop(signals);
            // Dies of it, as if nobody had held it back
            let _ = raise(signal);
            return Err(PromptError::Nothing);
        }
    };
    if line.is_empty() {
        return Err(PromptError::Nothing);
    }
    // EXPOSE: from one wiped block to another
    line.expose(|bytes| std::str::from_utf8(bytes).map(SecretValue::copy_of))
        .map_err(|_| PromptError::NotText)
}

/// Asks for what may be seen while it is typed, a name say.
pub(super) fn ask_openly(terminal: &OwnedFd, question: &str) -> Result<String, PromptError> {
    let line = put(terminal, question)?;
    if line.is_empty() {
        return Err(PromptError::Nothing);
    }
    // EXPOSE: it is no secret
    line.expose(|bytes| std::str::from_utf8(bytes).map(str::to_owned)).map_err(|_| PromptError::NotText)
}

/// Asks for a `yes`, which is typed out and seen. Anything else is none.
pub(super) fn confirm(terminal: &OwnedFd, question: &str) -> Result<bool, PromptError> {
    let answer = put(terminal, question)?;
    // EXPOSE: a yes or a no
    Ok(answer.expose(|bytes| bytes.trim_ascii() == b"yes"))
}

/// Puts a question whose answer is typed out.
fn put(terminal: &OwnedFd, question: &str) -> Result<SecretBuffer, PromptError> {
    // What was typed ahead is no answer to a question that nobody has read
    tcflush(terminal, QueueSelector::IFlush).map_err(failed)?;
    write(terminal, &format!("{}: ", printable(question, &[])));
    Ok(read_line(terminal.as_fd())?)
}

enum Answer {
    Line(SecretBuffer),
    Signal(Signal),
}

/// What comes first. The line is read here, while there is no echo: with one, a read that has to wait shows it.
fn answer(
    terminal: &OwnedFd,
    signals: &SignalFd,
    again: &dyn Fn() -> io::Result<()>,
) -> Result<Answer, PromptError> {
    match wait(terminal, signals, again).map_err(failed)? {
        Some(signal) => Ok(Answer::Signal(signal)),
        None => Ok(Answer::Line(read_line(terminal.as_fd())?)),
    }
}

/// Waits for a line, or a signal. Who started us may have stopped, as the parent of a worker does: then the terminal is a shell's, with
/// what is typed there, and comes back with its echo on. So the question is asked `again`.
fn wait(
    terminal: &OwnedFd,
    signals: &SignalFd,
    again: &dyn Fn() -> io::Result<()>,
) -> io::Result<Option<Signal>> {
    loop {
        let typed = if is_ours(terminal) { PollFlags::IN } else { PollFlags::empty() };
        let mut events = [PollFd::new(signals, PollFlags::IN), PollFd::new(terminal, typed)];
        match poll(&mut events, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        if let Some(received) = signals.read_signal()? {
            let number = i32::try_from(received.ssi_signo).unwrap_or_default();
            let signal = Signal::try_from(number).ok();
            if signal != Some(Signal::SIGCONT) {
                return Ok(signal);
            }
            if is_ours(terminal) {
                again()?;
            }
            continue;
        }
        let [_, line] = events;
        // It may have become another's while we waited; one that is gone is nobody's, and the read says so
        let is_gone = line.revents().intersects(PollFlags::HUP | PollFlags::ERR);
        if is_gone || (!line.revents().is_empty() && is_ours(terminal)) {
            return Ok(None);
        }
    }
}

/// Whether what is typed there is for us.
fn is_ours(terminal: &OwnedFd) -> bool {
    tcgetpgrp(terminal).is_ok_and(|foreground| foreground == getpgrp())
}

fn write(terminal: &OwnedFd, text: &str) {
    // A terminal that takes no question will not give an answer either: the read says so
    let _ = rustix::io::write(terminal, text.as_bytes());
}

fn failed(error: impl Into<io::Error>) -> PromptError {
    FileError::os("read", Path::new(TERMINAL), error).into()
}

/// The terminal without its echo, until this is dropped.
struct Silent<'a> {
    terminal: &'a OwnedFd,
    before: Termios,
}

impl<'a> Silent<'a> {
    fn make(terminal: &'a OwnedFd) -> io::Result<Self> {
        let silent = Self { terminal, before: tcgetattr(terminal)? };
        silent.renew()?;
        Ok(silent)
    }

    fn renew(&self) -> io::Result<()> {
        let mut silent = self.before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
        silent.local_modes.insert(LocalModes::ICANON | LocalModes::ISIG);
        // What was typed ahead was seen, and may be for somebody else
        Ok(tcsetattr(self.terminal, OptionalActions::Flush, &silent)?)
    }
}

impl Drop for Silent<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

/// Signals that wait until this is dropped. A stop waits as well: a shell would find its terminal without echo. What is
/// ignored, by `nohup` say, stays so: a descriptor would get it all the same.
struct Held {
    all: SigSet,
    fd: SignalFd,
}

impl Held {
    fn hold() -> nix::Result<Self> {
        let ignored = ignored();
        let is_ignored = |signal: &Signal| ignored >> (*signal as i32 - 1) & 1 == 1;
        let ending: SigSet = ENDING.into_iter().filter(|signal| !is_ignored(signal)).collect();
        let mut heard = ending;
        heard.add(Signal::SIGCONT);
        let mut all = heard;
        all.add(Signal::SIGTSTP);
        all.thread_block()?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        Ok(Self { all, fd: SignalFd::with_flags(&heard, flags)? })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.all.thread_unblock();
    }
}

/// The signals that this process was started to ignore: a bit each, the first one's the lowest (`man proc_pid_status`).
/// Without `/proc` none is known.
fn ignored() -> u64 {
    let status = read_capped(Path::new(STATUS), STATUS_LIMIT).unwrap_or_default();
    let status = String::from_utf8_lossy(&status);
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}
