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

use program::deployment::{Deployment, descriptors, proc};
use program::memory::found_in;
use program::occurring;
use pulled::Pulled;
use rustix::process::{Pid, getpid};

/// Says who it is, reads the secrets, says so, and waits.
const READ: &str = "echo $$; cat \"$1\" \"$DCN_VAULT_DIR\"/* >/dev/null; echo read; read -r _";

fn started(pulled: &Pulled) -> Deployment {
    let mut program: Command = pulled.scratch.program();
    program.args(["run", "-b", "bundle", "-i", "identity.txt", "--", "sh", "-c", READ, "sh", "{passwords}"]);
    let mut deployment = Deployment::start(&mut program);
    assert_eq!(deployment.line(), "read");
    deployment
}

#[test]
fn the_supervisor_maps_no_secret_while_the_command_runs() {
    let pulled = Pulled::new();
    let mut deployment = started(&pulled);
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
    if let Some(found) = found_in(deployment.supervisor(), &needles) {
        assert!(found == [known], "{} secrets are in the supervisor's memory", found.len().saturating_sub(1));
    }
    assert_eq!(deployment.end().0, 1);
}

#[test]
fn the_supervisor_holds_no_descriptor_of_a_file_while_the_command_has_all() {
    let pulled = Pulled::new();
    let mut deployment = started(&pulled);
    // The kernel calls each by the words of the link to it
    let handed_over = |process: Pid| {
        let targets = descriptors(process).ok()?;
        let is_ours = |target: &&String| {
            Path::new(target).extension().is_some_and(|kind| kind == "json" || kind == "yaml")
        };
        Some(targets.iter().filter(is_ours).count())
    };
    assert_eq!(handed_over(deployment.child()), Some(6));
    match handed_over(deployment.supervisor()) {
        Some(count) => assert_eq!(count, 0),
        None => println!("skipped: the supervisor may not be looked into, which takes root"),
    }
    deployment.end();
}

#[test]
fn no_secret_is_in_an_argument_or_a_variable() {
    let pulled = Pulled::new();
    let mut deployment = started(&pulled);
    let mut read = 0;
    for process in [deployment.supervisor(), deployment.child()] {
        for name in ["cmdline", "environ", "comm"] {
            let Ok(content) = std::fs::read(proc(process, name)) else {
                println!("skipped: {name} of the supervisor, which takes root");
                continue;
            };
            read += content.len();
            assert_eq!(occurring(&pulled.secrets, &content), Vec::<&String>::new(), "{name}");
        }
    }
    assert!(read > 0);
    deployment.end();
}

#[test]
fn the_supervisor_has_no_worker_left_and_leaves_no_core() {
    let pulled = Pulled::new();
    let mut deployment = started(&pulled);
    let supervisor = deployment.supervisor();
    let children = std::fs::read_to_string(proc(supervisor, &format!("task/{supervisor}/children")));
    if let Ok(children) = children {
        assert_eq!(children.trim(), deployment.child.to_string());
    }
    let limits = std::fs::read_to_string(proc(supervisor, "limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
    deployment.end();
}
