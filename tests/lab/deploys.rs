//! What a deployment sees of a bundle that came from the cloud, and what is left when it has ended.

#![allow(clippy::disallowed_methods, reason = "tests write files and start processes")]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};

use crate::operator::{Operator, User, Way};
use crate::program::{Said, said};
use crate::site_stack::DELIVERIES;

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_child_reads_every_file_by_name_and_nothing_of_them_is_on_a_file_system() {
    reads_every_file(User::Own);
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_child_of_a_user_who_is_not_root_reads_every_file_by_name() {
    reads_every_file(User::Unprivileged);
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn the_real_client_merges_the_files_to_the_values_of_the_control_plane() {
    merges(User::Own);
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn the_real_client_merges_the_files_for_a_user_who_is_not_root() {
    merges(User::Unprivileged);
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_term_signal_to_the_supervisor_reaches_the_child() {
    for user in [User::Own, User::Unprivileged] {
        let operator = with_bundle(user);
        for options in DELIVERIES {
            let mut run = Running::start(&mut operator.child("child_waits.py", &["yaml"], options));
            assert_eq!(run.line(), "blocked 0", "{user:?} {options:?}: it could not be ended");
            let directory = run.line();
            assert!(Path::new(&directory).is_dir(), "{user:?} {options:?}: no directory {directory}");
            kill_process(Pid::from_child(&run.child), Signal::TERM).unwrap();
            assert_eq!(run.line(), "signal 15", "{user:?} {options:?}");
            assert_eq!(run.ended().0, 7, "{user:?} {options:?}");
            nothing_is_left(&operator, &directory);
        }
    }
}

fn reads_every_file(user: User) {
    let operator = with_bundle(user);
    let pipe = operator.join("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    for options in DELIVERIES {
        let mut command = operator.child("child_reads.py", &["yaml"], options);
        let mut run = Running::start(command.args(["standalone", "{passwords}"]).arg(&pipe));
        let directory = run.line();
        if !directory.is_empty() {
            // Those of `file` have a name, in memory; nobody else sees those of `mount`, though they are in the bundle
            let found = operator.files_in_clear("");
            let expected = if options.contains(&"file") { 2 } else { 0 };
            assert!(found.len() == expected && found.iter().all(|file| file.starts_with(operator.memory())));
            // The child waits until this pipe has a writer; its end is the line that the child waits for
            drop(std::fs::OpenOptions::new().write(true).open(&pipe).unwrap());
        }
        let (code, complaint) = run.ended();
        assert_eq!((code, without_warnings(&complaint).as_str()), (0, ""), "{user:?} {options:?}");
        nothing_is_left(&operator, &directory);
    }
}

fn merges(user: User) {
    let operator = with_bundle(user);
    for options in DELIVERIES {
        for client in ["present", "tripleo"] {
            let merged = merge(&operator, client, options);
            let err = without_warnings(&merged.err);
            let said = (merged.code, merged.out.as_str(), err.as_str());
            assert_eq!(said, (0, "merged\n", ""), "{client} client, {user:?} {options:?}");
            operator.has_no_secret_in_clear(&merged.err);
        }
    }
}

fn merge(operator: &Operator, client: &str, options: &[&str]) -> Said {
    let mut command =
        operator.child("child_merges.py", &["yaml", "heatclient.common.template_utils"], options);
    said(command.args([client, "standalone", "{env}"]))
}

/// What was complained of, besides what is said of a delivery.
fn without_warnings(err: &str) -> String {
    err.lines()
        .filter(|line| !line.starts_with("warning: --delivery "))
        .flat_map(|line| [line, "\n"])
        .collect()
}

fn with_bundle(user: User) -> Operator {
    let operator = Operator::new(user);
    let pulled = operator.pull(Way::Cloud("admin-tls"), "standalone", "overcloud");
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    operator
}

#[track_caller]
fn nothing_is_left(operator: &Operator, directory: &str) {
    let is_bundle = Path::new(directory) == operator.bundle();
    assert!(is_bundle || !Path::new(directory).exists(), "{directory} is still there");
    assert_eq!(std::fs::read_dir(operator.memory()).unwrap().count(), 0);
    let left = ["home/.config", "home/.local", "home/bundle", "home/ca.crt", "home/identity.txt"];
    assert_eq!(operator.names(), left);
    operator.has_no_secret_in_clear("");
}

/// A supervisor with its child, of which it hears line by line.
struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The next line; empty when there is none.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Its exit code, and what it complained of.
    fn ended(mut self) -> (i32, String) {
        let mut complaint = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
        (self.child.wait().unwrap().code().expect("the program was killed"), complaint)
    }
}

/// A test that fails leaves no child behind.
impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        }
    }
}
