//! `run`'s promise: while the command runs, its process tree has the secrets, and nothing else of ours does.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod cloud;
mod program;
mod pulled;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use program::deployment::{Deployment, descendants, descriptors, proc};
use program::memory::found_in;
use program::{occurring, said};
use pulled::Pulled;
use rustix::process::{Pid, getpid};

/// Says who it is, reads the secrets, says so, and waits.
const READ: &str = "echo $$; cat \"$1\" \"$DCN_VAULT_DIR\"/* >/dev/null; echo read; read -r _";

const DELIVERIES: [&str; 3] = ["mount", "fd", "file"];

fn started(pulled: &Pulled, delivery: &str) -> Deployment {
    started_by(pulled.scratch.program(), delivery)
}

fn started_by(mut program: Command, delivery: &str) -> Deployment {
    program.args(["run", "-b", "bundle", "-i", "identity.txt", "--delivery", delivery, "--"]);
    program.args(["sh", "-c", READ, "sh", "{passwords}"]);
    let mut deployment = Deployment::start(&mut program);
    assert_eq!(deployment.line(), "read");
    deployment
}

#[test]
fn the_supervisor_maps_no_secret_while_the_command_runs() {
    for delivery in DELIVERIES {
        maps_no_secret(delivery);
    }
}

fn maps_no_secret(delivery: &str) {
    let pulled = Pulled::new();
    let mut deployment = started(&pulled, delivery);
    let identity = std::fs::read_to_string(pulled.scratch.join("identity.txt")).unwrap();
    let mut needles: Vec<&[u8]> = pulled.secrets.iter().map(String::as_bytes).collect();
    needles.push(identity.lines().last().unwrap().as_bytes());
    // The search sees what is there: in the supervisor a word of its own, in ourselves all that it looks for
    let known: &[u8] = b"DCN_VAULT_DIR";
    let Some(ours) = found_in(getpid(), &needles) else { return };
    needles.sort_unstable();
    needles.dedup();
    assert_eq!(ours.len(), needles.len(), "the search misses what is in our own memory");
    needles.push(known);
    for process in ours_of(&deployment) {
        if let Some(found) = found_in(process, &needles) {
            let count = found.len().saturating_sub(1);
            assert!(found == [known], "{delivery}: {count} secrets are in the memory of {process}");
        }
    }
    assert_eq!(deployment.end().0, 1);
}

/// The processes that are neither the command nor of its making: the supervisor, and the first one of its namespace.
fn ours_of(deployment: &Deployment) -> Vec<Pid> {
    let below = descendants(deployment.supervisor()).into_iter();
    let below = below.take_while(|process| *process != deployment.child);
    std::iter::once(deployment.supervisor()).chain(below.map(|id| Pid::from_raw(id).unwrap())).collect()
}

#[test]
fn the_command_has_a_descriptor_of_each_file_and_nobody_of_its_user_gets_at_the_supervisors() {
    let pulled = Pulled::new();
    let program = pulled.scratch.program_of_ordinary_user();
    let mut deployment = started_by(program, "fd");
    // The kernel calls each by the words of the link to it
    let targets = descriptors(deployment.child()).unwrap();
    let is_ours =
        |target: &&String| Path::new(target).extension().is_some_and(|kind| kind == "json" || kind == "yaml");
    // The seventh is the manifest, which a hook may read
    assert_eq!(targets.iter().filter(is_ours).count(), 7);
    let mut of_same_user = pulled.scratch.of_ordinary_user("ls");
    let listed = said(of_same_user.arg("-l").arg(proc(deployment.supervisor(), "fd")));
    assert!(listed.code != 0 && listed.out.is_empty(), "{listed:?}");
    let mut of_same_user = pulled.scratch.of_ordinary_user("ls");
    assert_eq!(said(of_same_user.arg("-l").arg(proc(deployment.child(), "fd"))).code, 0, "the control");
    deployment.end();
}

#[test]
fn no_secret_is_in_an_argument_or_a_variable() {
    for delivery in DELIVERIES {
        let pulled = Pulled::new();
        let mut deployment = started(&pulled, delivery);
        let mut read = 0;
        for process in ours_of(&deployment).into_iter().chain([deployment.child()]) {
            for name in ["cmdline", "environ", "comm"] {
                let Ok(content) = std::fs::read(proc(process, name)) else {
                    println!("skipped: {name} of the supervisor, which takes root");
                    continue;
                };
                read += content.len();
                assert_eq!(occurring(&pulled.secrets, &content), Vec::<&String>::new(), "{delivery}: {name}");
            }
        }
        assert!(read > 0);
        deployment.end();
    }
}

#[test]
fn the_supervisor_has_no_worker_left_and_leaves_no_core() {
    for (delivery, ours) in [("fd", 1), ("file", 1), ("mount", 2)] {
        let pulled = Pulled::new();
        let mut deployment = started(&pulled, delivery);
        let supervisor = deployment.supervisor();
        // A worker that the kernel is done with is seen to its end at once, but after the command has begun
        let deadline = Instant::now() + Duration::from_secs(10);
        while descendants(supervisor).len() > ours && Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert_eq!((ours_of(&deployment).len(), descendants(supervisor).len()), (ours, ours), "{delivery}");
        let limits = std::fs::read_to_string(proc(supervisor, "limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
        deployment.end();
    }
}
