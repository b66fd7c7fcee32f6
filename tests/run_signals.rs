//! `run` and signals: each reaches the command, and a shell's job control works through us.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod program;

use std::process::Command;

use program::deployment::{Deployment, descendants};
use program::{RUN, Scratch};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, test_kill_process, waitpid};

/// A script that keeps waiting, though traps interrupt it, until its standard input ends. `cat` ends with that.
const WAIT: &str = "exec 3<&0; cat <&3 >/dev/null & cat=$!; echo $$; while ! wait $cat; do :; done";

/// `run` of a shell that has the usual handling of signals, whatever our own.
fn shell(scratch: &Scratch, delivery: &str, script: &str) -> Command {
    std::fs::create_dir_all(scratch.join("runtime")).unwrap();
    // Around us and not around the command: `env` unblocks signals, too, which is ours to do
    let mut program = scratch.program_in_shell("exec env --default-signal \"$@\"");
    program.env("XDG_RUNTIME_DIR", scratch.join("runtime"));
    program.args(RUN).args(["--delivery", delivery, "--", "sh", "-c", script]);
    program
}

const DELIVERIES: [&str; 3] = ["mount", "fd", "file"];
const OF_FILE: &str = "warning: --delivery file: the secrets have a name while the command runs, may be swapped out, and stay if we are killed\n";

/// What is said, whatever the command does.
fn warned(delivery: &str) -> String {
    String::from(if delivery == "file" { OF_FILE } else { "" })
}

fn small() -> Scratch {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    scratch
}

fn assert_nothing_left(scratch: &Scratch) {
    assert_eq!(std::fs::read_dir(scratch.join("runtime")).unwrap().count(), 0);
}

#[test]
fn signals_are_passed_on_and_the_command_decides_what_they_mean() {
    for delivery in DELIVERIES {
        let scratch = small();
        let signals = [
            ("TERM", Signal::TERM),
            ("INT", Signal::INT),
            ("HUP", Signal::HUP),
            ("QUIT", Signal::QUIT),
            ("USR1", Signal::USR1),
            ("USR2", Signal::USR2),
            ("WINCH", Signal::WINCH),
            ("CONT", Signal::CONT),
        ];
        let traps = signals.map(|(name, _)| format!("trap 'echo {name}' {name}; ")).concat();
        let mut deployment =
            Deployment::start(&mut shell(&scratch, delivery, &format!("{traps}{WAIT}; exit 3")));
        for (name, signal) in signals {
            deployment.send(signal);
            assert_eq!(deployment.line(), name);
        }
        assert_eq!(deployment.end(), (3, String::new(), warned(delivery)));
        assert_nothing_left(&scratch);
    }
}

#[test]
fn a_command_that_a_signal_ends_gives_its_number() {
    for delivery in DELIVERIES {
        for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
            let scratch = small();
            let mut deployment = Deployment::start(&mut shell(&scratch, delivery, "echo $$; read -r _"));
            deployment.send(signal);
            assert_eq!(deployment.wait(), code);
            assert_eq!(deployment.end(), (code, String::new(), warned(delivery)));
            assert_nothing_left(&scratch);
        }
    }
}

#[test]
fn a_command_that_is_killed_leaves_nothing() {
    for delivery in DELIVERIES {
        let scratch = small();
        let mut deployment = Deployment::start(&mut shell(&scratch, delivery, "echo $$; read -r _"));
        kill_process(deployment.child(), Signal::KILL).unwrap();
        assert_eq!(deployment.wait(), 137);
        assert_eq!(deployment.end(), (137, String::new(), warned(delivery)));
        assert_nothing_left(&scratch);
    }
}

#[test]
fn a_command_that_stops_stops_us_and_is_woken_with_us() {
    for delivery in DELIVERIES {
        let scratch = small();
        // TSTP itself does nothing in an orphaned process group, as a test's may be
        let script = format!("trap 'kill -STOP $$; echo awake' TSTP; {WAIT}; exit 5");
        let mut deployment = Deployment::start(&mut shell(&scratch, delivery, &script));
        for _ in 0..3 {
            deployment.send(Signal::TSTP);
            let (_, status) = waitpid(Some(deployment.supervisor()), WaitOptions::UNTRACED).unwrap().unwrap();
            assert!(
                status.stopped() && status.stopping_signal() == Some(Signal::STOP.as_raw()),
                "{status:?}"
            );
            deployment.send(Signal::CONT);
            assert_eq!(deployment.line(), "awake");
        }
        assert_eq!(deployment.end(), (5, String::new(), warned(delivery)));
        assert_nothing_left(&scratch);
    }
}

#[test]
fn we_wait_for_the_command_alone_and_not_for_what_it_left_running() {
    for delivery in ["fd", "file"] {
        let scratch = small();
        let script = "exec 3<&0; cat <&3 >/dev/null 2>&1 & echo $$; echo $!; exit 4";
        let mut deployment = Deployment::start(&mut shell(&scratch, delivery, script));
        let left = Pid::from_raw(deployment.line().parse().unwrap()).unwrap();
        assert_eq!(deployment.wait(), 4);
        assert!(test_kill_process(left).is_ok());
        assert_nothing_left(&scratch);
    }
}

#[test]
fn what_a_mounted_command_left_running_ends_with_it() {
    let scratch = small();
    // One in its own session, and one whose parent is gone
    let script = "exec 3<&0; echo $$; setsid cat <&3 >/dev/null 2>&1 & (cat <&3 >/dev/null 2>&1 & ); echo left; read -r _; exit 4";
    let mut deployment = Deployment::start(&mut shell(&scratch, "mount", script));
    assert_eq!(deployment.line(), "left");
    let below = || descendants(deployment.supervisor());
    while below().len() < 4 {
        std::thread::yield_now();
    }
    let left = below();
    assert_eq!(deployment.end().0, 4);
    for process in left {
        assert!(test_kill_process(Pid::from_raw(process).unwrap()).is_err(), "{process} is still there");
    }
}

/// A directory in memory of this test alone.
struct Memory(std::path::PathBuf);

impl Memory {
    fn of(scratch: &Scratch) -> Self {
        let path = std::path::Path::new("/dev/shm").join(scratch.path().file_name().unwrap());
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// The names of the files in the directories in it.
    fn files(&self) -> Vec<std::ffi::OsString> {
        let directories = std::fs::read_dir(&self.0).unwrap().flatten();
        let entries = directories.filter_map(|entry| std::fs::read_dir(entry.path()).ok());
        entries.flatten().flatten().map(|entry| entry.file_name()).collect()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn whoever_is_ended_while_a_file_is_written_leaves_none() {
    let scratch = small();
    let memory = Memory::of(&scratch);
    for _ in 0..20 {
        let mut program = shell(&scratch, "file", "exec sleep 60");
        let mut supervisor = program.env("XDG_RUNTIME_DIR", &memory.0).spawn().unwrap();
        while supervisor.try_wait().unwrap().is_none() {
            if memory.files().iter().any(|name| name == "passwords.yaml") {
                kill_process(Pid::from_child(&supervisor), Signal::TERM).unwrap();
                break;
            }
        }
        supervisor.wait().unwrap();
        assert_eq!(std::fs::read_dir(&memory.0).unwrap().count(), 0);
    }
}

#[test]
fn whoever_is_ended_before_the_command_starts_says_so() {
    let scratch = small();
    let memory = Memory::of(&scratch);
    assert!(Command::new("mkfifo").arg(scratch.join("pipe")).status().unwrap().success());
    let mut program = scratch.program_in_shell("exec env --default-signal \"$@\"");
    program.env("XDG_RUNTIME_DIR", &memory.0).stderr(std::process::Stdio::piped());
    let words = ["run", "-b", "bundle", "-i", "cmd:cat pipe", "--delivery", "file", "--", "echo", "started"];
    let mut supervisor = program.args(words).stdout(std::process::Stdio::piped()).spawn().unwrap();
    // Once the identity is waited for
    let identity = std::fs::OpenOptions::new().write(true).open(scratch.join("pipe")).unwrap();
    kill_process(Pid::from_child(&supervisor), Signal::TERM).unwrap();
    supervisor.wait().unwrap();
    // Which has our standard error
    drop(identity);
    let output = supervisor.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let expected = "error: ended by signal 15 before the command started\nhint: nothing was run\n";
    assert_eq!((output.status.code(), said), (Some(143), format!("{OF_FILE}{expected}")));
    assert!(output.stdout.is_empty());
    assert_eq!(std::fs::read_dir(&memory.0).unwrap().count(), 0);
}

#[test]
fn whoever_is_ended_while_copies_are_looked_for_leaves_no_file() {
    let scratch = small();
    let memory = Memory::of(&scratch);
    std::fs::create_dir(scratch.join("watched")).unwrap();
    // So large that it is still being looked at when the signal comes
    let mut program = scratch.program_in_shell("exec env --default-signal \"$@\"");
    program.env("XDG_RUNTIME_DIR", &memory.0);
    let words = ["run", "-b", "bundle", "-i", "identity.txt", "--delivery", "file", "--watch", "watched"];
    let mut supervisor =
        program.args(words).args(["--", "truncate", "-s", "8G", "watched/large"]).spawn().unwrap();
    let is_watched = || scratch.join("watched/large").exists();
    while !is_watched() || memory.files().iter().any(|name| name == "passwords.yaml") {
        assert!(supervisor.try_wait().unwrap().is_none());
    }
    assert!(supervisor.try_wait().unwrap().is_none(), "it has ended with its files in place");
    kill_process(Pid::from_child(&supervisor), Signal::KILL).unwrap();
    supervisor.wait().unwrap();
    assert!(memory.files().is_empty());
}
