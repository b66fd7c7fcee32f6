//! A process of ours that holds made-up secrets, as the one that looks into it sees it.

use std::ffi::OsString;
use std::io;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};

use rustix::fd::{AsFd, BorrowedFd};
use rustix::process::Pid;

use crate::fs::write_fd;
use crate::secret::SecretBuffer;

const LONGEST_LINE: usize = 200;

/// It says a line, and waits for one from us before it goes on.
#[derive(Debug)]
pub(super) struct Probe {
    process: Child,
    to: Option<ChildStdin>,
}

impl Probe {
    /// Starts this program with the hidden verb's `words`, and with no environment.
    pub(super) fn start(words: &[OsString]) -> io::Result<Self> {
        let mut process = command()
            .arg("probe")
            .args(words)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What it could say is of made-up things; that it failed is seen
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { to: process.stdin.take(), process })
    }

    /// Its process id.
    pub(super) fn id(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    /// Gives it a text, its length first.
    pub(super) fn give(&self, content: &SecretBuffer) -> io::Result<()> {
        let mut length = SecretBuffer::new();
        length.push_str(&format!("{:08}", content.len()));
        Ok(write_fd(self.to()?, &length).and_then(|()| write_fd(self.to()?, content))?)
    }

    /// Waits until it says `expected`.
    pub(super) fn await_line(&self, expected: &str) -> io::Result<()> {
        if self.line()? == expected { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    /// The next line that it says.
    pub(super) fn line(&self) -> io::Result<String> {
        let from = self.process.stdout.as_ref().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut line = Vec::new();
        let mut byte = [0];
        while line.len() < LONGEST_LINE {
            match rustix::io::read(from, &mut byte) {
                Err(rustix::io::Errno::INTR) => {}
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) if byte == *b"\n" => break,
                Ok(_) => line.extend(byte),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    /// Lets it go on.
    pub(super) fn go_on(&self) -> io::Result<()> {
        rustix::io::write(self.to()?, b"\n").map(|_| ()).map_err(Into::into)
    }

    /// Waits until it has ended.
    pub(super) fn end(mut self) -> io::Result<ExitStatus> {
        self.to = None;
        self.process.wait()
    }

    fn to(&self) -> rustix::io::Result<BorrowedFd<'_>> {
        self.to.as_ref().map(AsFd::as_fd).ok_or(rustix::io::Errno::PIPE)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        // Its own children wait for the same pipe, and end with it
        self.to = None;
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[allow(clippy::disallowed_methods, reason = "it starts this program itself, and looks into it")]
fn command() -> Command {
    Command::new("/proc/self/exe")
}
