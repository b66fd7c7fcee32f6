//! `run` by files that have a name: in memory, for their owner alone, and gone afterwards; and the temporary files of a command that
//! is in no namespace.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod program;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use program::deployment::Deployment;
use program::refusal::assert_refused;
use program::{Scratch, said};
use rustix::process::{Signal, kill_process};

const WARNING: &str = "warning: --delivery file: the secrets have a name while the command runs, may be swapped out, and stay if we are killed\n";
/// Says who it is and where its files are, and reads them once it may.
const WAIT: &str = "echo $$; echo \"$DCN_VAULT_DIR\"; read -r _; grep -c secret \"$1\"";

/// A vault, and a runtime directory in memory.
struct Place {
    scratch: Scratch,
    runtime: PathBuf,
}

impl Place {
    fn new() -> Self {
        let scratch = Scratch::new();
        scratch.pull_from_file();
        let runtime = Path::new("/dev/shm").join(scratch.path().file_name().unwrap());
        std::fs::create_dir(&runtime).unwrap();
        Self { scratch, runtime }
    }

    fn run(&self, delivery: &str, script: &str) -> Command {
        let mut program = self.scratch.program();
        program.env("XDG_RUNTIME_DIR", &self.runtime);
        program.args(["run", "-b", "bundle", "-i", "identity.txt", "--delivery", delivery]);
        program.args(["--", "sh", "-c", script, "sh", "{passwords}"]);
        program
    }

    fn names(&self) -> usize {
        std::fs::read_dir(&self.runtime).unwrap().count()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.runtime);
    }
}

#[test]
fn the_files_are_in_memory_for_their_owner_alone_and_gone_afterwards() {
    let place = Place::new();
    let script = "stat -c '%a %F' \"$DCN_VAULT_DIR\" \"$1\"; stat -fc %T \"$1\"; dirname \"$DCN_VAULT_DIR\"; cat \"$1\" \"$1\" | grep -c not-a-real; exit 3";
    let ended = said(&mut place.run("file", script));
    let runtime = place.runtime.display();
    let expected = format!("700 directory\n600 regular file\ntmpfs\n{runtime}\n2\n");
    assert_eq!((ended.code, ended.out, ended.err.as_str()), (3, expected, WARNING));
    assert_eq!(place.names(), 0);
}

#[test]
fn without_a_place_in_memory_nothing_is_opened() {
    let place = Place::new();
    let disk = place.scratch.join("disk");
    std::fs::create_dir(&disk).unwrap();
    let run = place.run("file", "touch started");
    // A mount namespace of its own, in which /dev/shm is on a disk
    let mut shell = Command::new("unshare");
    shell.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
    shell.args(["mount --bind \"$XDG_RUNTIME_DIR\" /dev/shm && exec \"$@\"", "sh"]).arg(run.get_program());
    shell.args(run.get_args()).current_dir(place.scratch.path()).env_clear();
    shell.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("XDG_RUNTIME_DIR", &disk);
    let error = format!(
        "{WARNING}error: no directory in memory for the files: looked at {}, /dev/shm\nhint: use --delivery fd, or set XDG_RUNTIME_DIR to a directory on a tmpfs\n",
        disk.display()
    );
    assert_refused(&said(&mut shell), 1, &error);
    assert!(!place.scratch.join("started").exists());
    assert_eq!(std::fs::read_dir(&disk).unwrap().count(), 0);
}

#[test]
fn the_next_run_sweeps_what_a_killed_one_has_left_and_nothing_that_a_living_one_holds() {
    let place = Place::new();
    let mut living = Deployment::start(&mut place.run("file", WAIT));
    let held = PathBuf::from(living.line());
    let mut killed = Deployment::start(&mut place.run("file", WAIT));
    let left = PathBuf::from(killed.line());
    // Whoever has opened them before keeps them, without what was in them
    let [of_living, of_killed] =
        [&held, &left].map(|place| File::open(place.join("passwords.yaml")).unwrap());
    kill_process(killed.supervisor(), Signal::KILL).unwrap();
    let next = || assert_eq!(said(&mut place.run("file", "true")).code, 0);
    // Its command goes on: it has its files until it ends
    next();
    assert!(held.join("passwords.yaml").exists() && left.join("passwords.yaml").exists());
    assert_eq!(killed.end().1, "1\n");
    assert!(left.exists());
    next();
    assert!(held.join("passwords.yaml").exists() && !left.exists());
    assert!(is_wiped(of_killed), "what a killed run has left");
    assert_eq!(living.end(), (0, String::from("1\n"), WARNING.to_owned()));
    assert!(is_wiped(of_living), "what a run takes away at its end");
    assert_eq!(place.names(), 0);
}

fn is_wiped(mut file: File) -> bool {
    let mut content = Vec::new();
    file.read_to_end(&mut content).unwrap();
    !content.is_empty() && content.iter().all(|byte| *byte == 0)
}

#[test]
fn temporary_files_are_in_memory_and_gone_afterwards() {
    for (delivery, err) in [("fd", ""), ("file", WARNING)] {
        let place = Place::new();
        let script = "cp \"$1\" \"$(mktemp -d)\"; echo \"$TMPDIR\"; stat -fc %T \"$TMPDIR\"; stat -c %a \"$TMPDIR\" \"$TMPDIR/..\"";
        let ended = said(place.run(delivery, script).env("TMPDIR", place.scratch.path()));
        let (directory, rest) = ended.out.split_once('\n').unwrap();
        assert_eq!((rest, ended.err.as_str()), ("tmpfs\n700\n700\n", err), "{delivery}");
        assert!(directory.starts_with("/dev/shm/dcn-vault-run-"), "{directory}");
        assert!(!Path::new(directory).parent().unwrap().exists(), "{delivery}");
    }
}
