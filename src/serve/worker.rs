//! A worker as the listener sees it: a process of its own, that is told what to open, says when it has, and waits for our word.

use std::ffi::OsString;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};
use serde_json::{Map, Value, json};

use crate::model::EnvironmentFile;

use super::asked::Asked;
use super::protocol::request_line;

/// The longest word between the two.
pub(super) const LONGEST_WORD: usize = 128 * 1024;
/// What a worker waits for before it opens anything, and again before it writes a byte to the client.
pub(super) const GO: &[u8] = b"go";
/// The first byte of a task: with a line before the answer, or the answer alone.
pub(super) const FRAMED: u8 = b'F';
pub(super) const BARE: u8 = b'B';

/// How workers are started.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs, reason = "it is made by naming its parts")]
pub struct Workshop {
    /// The arguments that make this program a worker.
    pub words: Vec<OsString>,
    /// The worker's whole environment.
    pub environment: Vec<(OsString, OsString)>,
}

/// One that works.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    pub(super) control: OwnedFd,
}

/// What a worker says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// It knows where the answer is, and waits for our word.
    Found(Found),
    /// It has the answer, and waits for our word.
    Ready,
    /// It has none.
    Failed { error: String, hint: String },
}

/// Where an answer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) vault: String,
    pub(super) generation: u64,
    pub(super) file: EnvironmentFile,
    /// All that it can be of.
    pub(super) parameters: Vec<String>,
    /// The switches of what was let pass.
    pub(super) waived: Vec<String>,
}

impl Workshop {
    /// Starts one for `asked`, which will write to `client` itself.
    pub(super) fn start(&self, asked: &Asked, is_bare: bool, client: &OwnedFd) -> std::io::Result<Worker> {
        let flags = SocketFlags::CLOEXEC;
        let (control, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        let child = command()
            .args(&self.words)
            .env_clear()
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::from(client.try_clone()?))
            .stdout(Stdio::from(theirs))
            .spawn()?;
        let worker = Worker { child, control };
        let task = [&[if is_bare { BARE } else { FRAMED }][..], &request_line(asked)].concat();
        // One that has ended already says so by its status
        let _ = send(&worker.control, &task, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
        Ok(worker)
    }
}

impl Worker {
    /// What it says, if it does.
    pub(super) fn word(&self) -> Option<Word> {
        let mut block = vec![0; LONGEST_WORD];
        let count = loop {
            match recv(&self.control, &mut block, RecvFlags::DONTWAIT) {
                Err(Errno::INTR) => {}
                other => break other.ok()?.0,
            }
        };
        Word::parse(block.get(..count).filter(|word| !word.is_empty())?)
    }

    /// Lets it answer. False when it is not there to hear it.
    pub(super) fn let_go(&self) -> bool {
        send(&self.control, GO, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).is_ok()
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Ends it. It is still to be waited for.
    pub(super) fn kill(&mut self) {
        let _ = self.child.kill();
    }
}

impl Word {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let word = match self {
            Self::Found(found) => json!({
                "vault": found.vault,
                "generation": found.generation,
                "file": found.file.file_name(),
                "parameters": found.parameters,
                "waived": found.waived,
            }),
            Self::Ready => json!({"ready": true}),
            Self::Failed { error, hint } => json!({"error": error, "hint": hint}),
        };
        word.to_string().into_bytes()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let word: Map<String, Value> = serde_json::from_slice(bytes).ok()?;
        let text = |key| word.get(key).and_then(Value::as_str).map(str::to_owned);
        let texts = |key| -> Option<Vec<String>> {
            word.get(key)?.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
        };
        if let Some(error) = text("error") {
            return Some(Self::Failed { error, hint: text("hint")? });
        }
        if word.contains_key("ready") {
            return Some(Self::Ready);
        }
        Some(Self::Found(Found {
            vault: text("vault")?,
            generation: word.get("generation")?.as_u64()?,
            file: EnvironmentFile::named(&text("file")?)?,
            parameters: texts("parameters")?,
            waived: texts("waived")?,
        }))
    }
}

#[allow(clippy::disallowed_methods, reason = "each request is opened by a process of its own")]
fn command() -> Command {
    Command::new("/proc/self/exe")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workers_word_is_read_as_it_was_said() {
        for word in [
            Word::Found(Found {
                vault: String::from("5a"),
                generation: 7,
                file: EnvironmentFile::Passwords,
                parameters: vec![String::from("A"), String::from("B \"x\"")],
                waived: vec![String::from("--allow-expired")],
            }),
            Word::Ready,
            Word::Failed { error: String::from("no `x`"), hint: String::from("see \"y\"\n") },
        ] {
            assert_eq!(Word::parse(&word.to_bytes()), Some(word));
        }
        assert_eq!(Word::parse(b"{}"), None);
        assert_eq!(Word::parse(b"hunter2"), None);
    }
}
