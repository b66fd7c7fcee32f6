//! The program under strace: what it asks of the kernel, and what happens when it is killed or refused on the way.
//!
//! # What this does not do
//!
//! The watch must run as root: the program shuts itself to others of its user (not dumpable), and then only root can read
//! where its descriptors lead.

#![allow(
    dead_code,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may panic, and each test takes only a part of this"
)]

mod trace;
mod watch;

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use aho_corasick::AhoCorasick;

use crate::program::Scratch;

pub use trace::Call;
#[allow(unused_imports, reason = "each test takes only a part of this")]
pub use watch::{Place, Sighting, Watch};

/// Each call that can change a file or its name, or asks for one. Those with `?` are not on every architecture.
const FILE_CALLS: &str = "\
    ?open,?creat,openat,?openat2,write,pwrite64,writev,pwritev,fsync,fdatasync,?rename,renameat,\
    renameat2,?mkdir,mkdirat,?unlink,unlinkat,?rmdir,?link,linkat,?symlink,symlinkat,ftruncate,\
    fallocate,fchmod,?chmod,fchmodat,?getdents,getdents64,flock,sendfile,copy_file_range";

/// Strings that must not be where they are not meant to be, each also as JSON writes it.
pub struct Canaries {
    strings: Vec<String>,
    engine: AhoCorasick,
}

/// How a disturbed run ended.
#[derive(Debug)]
pub struct Ended {
    /// `None` when it was killed.
    pub code: Option<i32>,
    pub out: Vec<u8>,
    pub err: String,
}

/// What a disturbance did.
#[derive(Debug)]
pub struct Disturbed {
    pub ended: Ended,
    /// Whether a directory had taken its new name before the call that was refused.
    pub exchanged: bool,
    /// Whether a call was refused, and was one of a file.
    pub of_file: bool,
}

/// A call at which a run can be disturbed. strace counts each kind of call for itself.
#[derive(Debug)]
pub struct Point {
    pub name: String,
    /// Which call of this name it is, from 1.
    pub number: usize,
    /// Whether the program makes it after its start: the loader and the runtime have theirs before.
    pub is_own: bool,
    /// Whether it concerns a file, and not a socket or the like.
    pub is_of_file: bool,
}

impl Canaries {
    pub fn of(strings: impl IntoIterator<Item = String>) -> Self {
        let mut all = Vec::new();
        for string in strings {
            assert!(string.len() >= 8, "bug: a canary that occurs by chance");
            let json = serde_json::to_string(&string).unwrap();
            let escaped = json.trim_matches('"').to_owned();
            if escaped != string && !escaped.ends_with('\\') {
                all.push(escaped);
            }
            all.push(string);
        }
        let engine = AhoCorasick::new(&all).unwrap();
        Self { strings: all, engine }
    }

    pub fn found_in(&self, bytes: &[u8]) -> Vec<&str> {
        let mut found: Vec<&str> = self
            .engine
            .find_overlapping_iter(bytes)
            .map(|hit| self.strings[hit.pattern().as_usize()].as_str())
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Runs `program` whole, and notes each system call of it and of its children but those that only bring data in.
pub fn watch(program: &Command, user: Option<&str>) -> Watch {
    assert!(
        rustix::process::geteuid().is_root(),
        "only root sees the descriptors of a process that is not dumpable"
    );
    let log = Scratch::new();
    let mut options: Vec<String> =
        ["-ff", "-qq", "-v", "-xx", "-yy", "-s", "1000000", "-e", "signal=none", "-o"]
            .map(String::from)
            .to_vec();
    options.push(log.join("calls").to_str().unwrap().to_owned());
    options.extend(["-e".to_owned(), format!("trace=!{}", trace::INCOMING)]);
    options.extend(user.into_iter().flat_map(|user| ["-u".to_owned(), user.to_owned()]));
    let ended = run(&mut strace(&options, program));
    let mut processes = log.files();
    processes.retain(|(path, _)| path.file_stem().is_some_and(|name| name == "calls"));
    let processes = processes.into_iter().map(|(_, text)| trace::parse(&String::from_utf8(text).unwrap()));
    Watch::new(ended, &processes.collect::<Vec<_>>())
}

/// Runs `program` whole, which has one thread and no children, and lists its system calls in order.
pub fn calls(program: &Command) -> Vec<Call> {
    let log = Scratch::new();
    let path = log.join("calls");
    let trace = format!("trace={FILE_CALLS},syncfs");
    let options = [
        "-f",
        "-qq",
        "-xx",
        "-yy",
        "-s",
        "1000000",
        "-e",
        "signal=none",
        "-e",
        &trace,
        "-o",
        path.to_str().unwrap(),
    ];
    let ended = run(&mut strace(&options.map(String::from), program));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let text = String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
    // With -f each line begins with the id of the process
    let lines = text.lines().filter_map(|line| line.split_once(' ')).map(|(_, call)| call.trim_start());
    trace::parse(&lines.collect::<Vec<_>>().join("\n"))
}

/// Runs `program` whole, and lists the points at which it can be disturbed.
pub fn points(program: &Command) -> Vec<Point> {
    let log = Scratch::new();
    let path = log.join("calls");
    let trace = format!("trace={FILE_CALLS},prctl");
    let options = ["-f", "-qq", "-y", "-e", "signal=none", "-e", &trace, "-o", path.to_str().unwrap()];
    let ended = run(&mut strace(&options.map(String::from), program));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
    let (mut points, mut counts, mut is_own) = (Vec::new(), BTreeMap::new(), false);
    let first = text.split_whitespace().next().unwrap();
    for line in text.lines().filter(|line| line.contains('(')) {
        let line = line.strip_prefix(first).expect("one thread: strace counts for each");
        let (name, arguments) = line.trim_start().split_once('(').unwrap();
        let number: &mut usize = counts.entry(name.to_owned()).or_default();
        *number += 1;
        let (name, number) = (name.to_owned(), *number);
        if name == "prctl" {
            is_own = is_own || arguments.starts_with("PR_SET_DUMPABLE");
        } else if !arguments.contains("\"/etc/ssl/certs/") {
            // Those left out are hundreds of authorities' certificates, read one like the other
            points.push(Point { name, number, is_own, is_of_file: is_of_file(arguments) });
        }
    }
    points
}

/// Runs `program` and does `what` (`signal=KILL`, `error=EIO`) at this point.
pub fn disturb(program: &Command, what: &str, point: &Point) -> Disturbed {
    let log = Scratch::new();
    let path = log.join("calls");
    let trace = format!("trace={},renameat2", point.name);
    let inject = format!("inject={}:{what}:when={}", point.name, point.number);
    let options =
        ["-f", "-qq", "-y", "-e", "signal=none", "-e", &trace, "-e", &inject, "-o", path.to_str().unwrap()];
    let ended = run(&mut strace(&options.map(String::from), program));
    let calls = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
    let at = calls.lines().position(|line| line.ends_with("(INJECTED)"));
    let before = calls.lines().take(at.unwrap_or(usize::MAX));
    let exchanged = before.into_iter().any(|line| line.contains("renameat2(") && line.ends_with(" = 0"));
    // How many times the runtime wakes itself differs, so the point may be another call than it was when they were listed
    let refused = at.and_then(|at| calls.lines().nth(at)).map(str::to_owned);
    let of_file = refused.as_ref().is_some_and(|line| is_of_file(line));
    Disturbed { ended, exchanged, of_file }
}

/// Whether a call concerns a file, and not a socket or the like.
fn is_of_file(line: &str) -> bool {
    !["<anon_inode:", "<socket:", "<TCP:"].iter().any(|kind| line.contains(kind))
}

fn strace(options: &[String], program: &Command) -> Command {
    let mut command = Command::new("strace");
    command.args(options).arg("--").arg(program.get_program()).args(program.get_args());
    command.env_clear().envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(program.get_current_dir().unwrap()).stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> Ended {
    let output = command.output().expect("strace is installed");
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(!err.contains("strace: "), "{err}");
    // strace ends as the program did, by the same signal too
    assert!(output.status.signal().is_none_or(|signal| signal == 9), "{:?}: {err}", output.status);
    Ended { code: output.status.code(), out: output.stdout, err }
}
