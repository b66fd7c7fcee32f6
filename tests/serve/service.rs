//! A service that is under way, and clients that speak to it byte by byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::program::Scratch;

/// How long anything may be silent before the test fails instead of waiting for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything to root and to whoever runs the tests.
pub const OPEN: &str = "version: 1\nrules:\n- user: '*'\n  allow: ['*', passwords.yaml]\n";

/// The listener.
#[derive(Debug)]
pub struct Service {
    process: Child,
    lines: Receiver<String>,
    pub socket: PathBuf,
}

/// What came back: the status line, and what followed it.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: Value,
    pub value: Vec<u8>,
}

impl Answer {
    /// The value, of an answer that is whole.
    pub fn value(&self) -> &str {
        assert_eq!(self.status["status"], "ok", "{}", self.status);
        assert_eq!(self.status["length"], self.value.len());
        std::str::from_utf8(&self.value).unwrap()
    }

    /// The words of a refusal, with which nothing comes.
    pub fn refusal(&self) -> &str {
        assert_eq!(self.status["status"], "refused", "{}", self.status);
        assert!(self.value.is_empty() && self.status["hint"].as_str().is_some_and(|hint| !hint.is_empty()));
        self.status["error"].as_str().unwrap()
    }
}

/// A bundle of a small plan, and `serve.yaml`.
pub fn with_policy(policy: &str) -> Scratch {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    scratch.write("serve.yaml", policy, 0o600);
    scratch
}

/// What `serve` is told.
const ARGUMENTS: [&str; 7] = ["serve", "-b", "bundle", "-i", "identity.txt", "--policy", "serve.yaml"];

/// `serve` of what is in `scratch`, about to start.
pub fn serve(scratch: &Scratch) -> Command {
    add_arguments(scratch.program())
}

/// As [`serve`], by another program.
pub fn add_arguments(mut program: Command) -> Command {
    program.args(ARGUMENTS).args(["--audit-log", "audit.log", "--socket", "socket"]);
    program
}

/// As [`serve`], with these places for its log and its socket.
pub fn serve_at(scratch: &Scratch, log: &str, socket: &[&str]) -> Command {
    let mut program = scratch.program();
    program.args(ARGUMENTS).args(["--audit-log", log]).args(socket);
    program
}

impl Service {
    /// Starts one in `scratch`, and waits until it answers.
    pub fn start(scratch: &Scratch) -> Self {
        Self::start_as(scratch, &mut serve(scratch))
    }

    /// Starts `program`, and waits until it answers.
    pub fn start_as(scratch: &Scratch, program: &mut Command) -> Self {
        let service = Self::begin(scratch, program);
        service.wait_for("answering");
        service
    }

    pub fn begin(scratch: &Scratch, program: &mut Command) -> Self {
        let mut process = program.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { process, lines, socket: scratch.join("socket") }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    pub fn send(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits until it says `line`, and returns what it has said before.
    pub fn wait_for(&self, line: &str) -> Vec<String> {
        let mut before = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(said) if said == line => return before,
                Ok(said) => before.push(said),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended after {before:?}"),
                Err(RecvTimeoutError::Timeout) => panic!("it does not say `{line}` after {before:?}"),
            }
        }
    }

    /// Ends it as systemd does, and returns its exit code and what it has said since.
    pub fn stop(mut self) -> (Option<i32>, Vec<String>) {
        self.send(Signal::TERM);
        self.wait()
    }

    /// Its exit code, and what it has said.
    pub fn wait(&mut self) -> (Option<i32>, Vec<String>) {
        let code = self.process.wait().unwrap().code();
        (code, self.lines.iter().collect())
    }

    /// A client that has said nothing yet.
    pub fn connect(&self) -> UnixStream {
        let client = UnixStream::connect(&self.socket).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client
    }

    /// A client that has asked.
    pub fn ask(&self, request: &str) -> UnixStream {
        let mut client = self.connect();
        client.write_all(request.as_bytes()).unwrap();
        client.write_all(b"\n").unwrap();
        client
    }

    /// What comes back when this is asked.
    pub fn answer(&self, request: &str) -> Answer {
        heard(self.ask(request))
    }

    /// What comes back when this parameter is asked for.
    pub fn get(&self, path: &str) -> Answer {
        self.answer(&get(path))
    }

    /// The processes that it has started.
    pub fn workers(&self) -> Vec<Pid> {
        let pid = self.pid();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        children.split_whitespace().filter_map(|id| Pid::from_raw(id.parse().unwrap())).collect()
    }

    /// The only one, as soon as there is one.
    pub fn worker(&self) -> Pid {
        self.wait_for_workers(1)[0]
    }

    /// As many, as soon as they are there.
    pub fn wait_for_workers(&self, count: usize) -> Vec<Pid> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let workers = self.workers();
            if workers.len() == count {
                return workers;
            }
            assert!(Instant::now() < deadline, "{} workers", workers.len());
            std::thread::yield_now();
        }
    }

    /// A figure of its `/proc/PID/status`, in KiB.
    pub fn kib(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(&format!("{name}:"))).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

/// A request for a parameter.
pub fn get(path: &str) -> String {
    serde_json::json!({"version": 1, "get": path}).to_string()
}

/// Reads to the end: a line, and what follows it.
pub fn heard(mut client: UnixStream) -> Answer {
    let mut bytes = Vec::new();
    client.read_to_end(&mut bytes).unwrap();
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or_else(|| panic!("no line: {bytes:?}"));
    let status: Value = serde_json::from_slice(&bytes[..end]).unwrap();
    assert_eq!(status["version"], 1);
    Answer { status, value: bytes[end + 1..].to_vec() }
}

/// The lines of the audit log, each as its event, what it is about, and its words.
pub fn audited(scratch: &Scratch) -> Vec<(String, String, String)> {
    let text = std::fs::read_to_string(scratch.join("audit.log")).unwrap();
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let names = line["parameters"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap());
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        (text("event"), names.collect::<Vec<_>>().join(","), text("error"))
    };
    text.lines().map(line).collect()
}
