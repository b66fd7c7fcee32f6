//! A `run` that is under way: its child tells us things over a pipe, and waits for us on its standard input.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// How long a command may be silent before the test fails instead of waiting for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// The supervisor of a shell script. The script's first line of output must be its own process id.
#[derive(Debug)]
pub struct Deployment {
    supervisor: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    rest: String,
    pub child: i32,
}

impl Deployment {
    /// Starts `program`, and waits until its child has said who it is.
    pub fn start(program: &mut Command) -> Self {
        let mut supervisor =
            program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdin = supervisor.stdin.take();
        let stdout = BufReader::new(supervisor.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let mut deployment = Self { supervisor, stdin, lines, rest: String::new(), child: 0 };
        let line = deployment.line();
        let said = line.parse().unwrap_or_else(|_| panic!("no child: {line}"));
        let supervisor = deployment.supervisor();
        deployment.child = descendants(supervisor)
            .into_iter()
            .find(|process| known_within(*process) == Some(said))
            // It has ended already
            .unwrap_or_default();
        deployment
    }

    /// The next line that the child says.
    pub fn line(&mut self) -> String {
        self.next_line().unwrap_or_else(|| panic!("the command has ended: {:?}", self.end()))
    }

    pub fn supervisor(&self) -> Pid {
        Pid::from_child(&self.supervisor)
    }

    pub fn child(&self) -> Pid {
        Pid::from_raw(self.child).unwrap()
    }

    pub fn send(&self, signal: Signal) {
        kill_process(self.supervisor(), signal).unwrap();
    }

    /// The exit code, while the child's standard input stays open.
    pub fn wait(&mut self) -> i32 {
        while let Some(line) = self.next_line() {
            self.rest.push_str(&line);
            self.rest.push('\n');
        }
        self.supervisor.wait().unwrap().code().unwrap_or(-1)
    }

    /// Closes the child's standard input, for which it waits, and returns the exit code and what was said since.
    pub fn end(&mut self) -> (i32, String, String) {
        self.stdin = None;
        let code = self.wait();
        let mut err = String::new();
        self.supervisor.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (code, std::mem::take(&mut self.rest), err)
    }

    fn next_line(&self) -> Option<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the command says nothing"),
        }
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        if matches!(self.supervisor.try_wait(), Ok(None)) {
            // Of a test that has failed
            if self.child != 0 {
                let _ = kill_process(self.child(), Signal::KILL);
            }
            let _ = self.supervisor.kill();
            let _ = self.supervisor.wait();
        }
    }
}

/// All processes that come of this one, as the host counts them.
pub fn descendants(process: Pid) -> Vec<i32> {
    let tasks = std::fs::read_dir(proc(process, "task")).into_iter().flatten().flatten();
    let children = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let children: Vec<i32> = children
        .flat_map(|line| line.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<_>>())
        .collect();
    let below = children.iter().flat_map(|child| descendants(Pid::from_raw(*child).unwrap()));
    children.iter().copied().chain(below).collect()
}

/// What a process calls itself in the innermost of its namespaces.
fn known_within(process: i32) -> Option<i32> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("NSpid:"))?;
    line.split_whitespace().last()?.parse().ok()
}

/// A file of a process.
pub fn proc(process: Pid, name: &str) -> PathBuf {
    Path::new("/proc").join(process.to_string()).join(name)
}

/// What a process's descriptors lead to.
pub fn descriptors(process: Pid) -> std::io::Result<Vec<String>> {
    let entries = std::fs::read_dir(proc(process, "fd"))?;
    let targets = entries.map(|entry| std::fs::read_link(entry?.path()));
    targets.map(|target| Ok(target?.to_string_lossy().into_owned())).collect()
}
