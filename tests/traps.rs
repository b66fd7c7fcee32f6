//! What `run` says of a command line before the command starts. It never stops anybody.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod program;

use program::{Said, Scratch, said};

/// `run` of a made-up client, which prints its arguments one a line.
fn deploy(scratch: &Scratch, words: &[&str]) -> Said {
    scratch.write("bin/openstack", "#!/bin/sh\nprintf '%s\\n' \"$@\"\nexit 7\n", 0o755);
    let mut program = scratch.program();
    let path = format!("{}:/usr/bin:/bin", scratch.join("bin").display());
    said(program.env("PATH", path).args(["run", "-b", "bundle", "-i", "identity.txt", "--"]).args(words))
}

fn pulled() -> Scratch {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    scratch
}

#[test]
fn each_trap_is_one_warning_and_the_command_runs_all_the_same() {
    let scratch = pulled();
    scratch.write("own/own.yaml", "parameter_defaults:\n  NovaPassword: not-a-real-secret\n", 0o600);
    scratch.write(".tripleo/environments/old.yaml", "parameter_defaults: {RpcPassword: x}\n", 0o600);
    let words = [
        "openstack",
        "overcloud",
        "deploy",
        "--debug",
        "--no-cleanup",
        "{env}",
        "-e",
        "own/own.yaml",
        "--x={env}",
    ];
    let ended = deploy(&scratch, &words);
    assert_eq!(ended.code, 7);
    assert_eq!(
        ended.err,
        scratch.filled(
            "warning: `{env}` within a word is passed on as it is: it is filled as an argument of its own\n\
             warning: `--debug` makes the client log whole requests, with the secrets in them\n\
             warning: `--no-cleanup` leaves the client's temporary files: in Train its copy of the plan, with all passwords\n\
             warning: `{here}/.tripleo/environments/old.yaml`, which the client takes unasked, sets `RpcPassword` as `passwords.yaml` does: is that value old? Zed's client logs both values\n\
             warning: `NovaPassword` is set in `passwords.yaml` and in `own/own.yaml`: the later one counts, and Zed's client logs both values\n"
        )
    );
    let lines: Vec<&str> = ended.out.lines().collect();
    assert!(lines.starts_with(&["overcloud", "deploy", "--debug", "--no-cleanup", "-e"]), "{lines:?}");
    assert!(lines.ends_with(&["-e", "own/own.yaml", "--x={env}"]), "{lines:?}");
}

#[test]
fn the_documented_command_line_is_warned_of_nothing() {
    let scratch = pulled();
    let ended = deploy(&scratch, &["openstack", "overcloud", "deploy", "--stack", "edge1", "{env}"]);
    assert_eq!((ended.code, ended.err.as_str()), (7, ""));
}

#[test]
fn a_second_pair_of_hyphens_and_options_like_ours_are_the_commands_own() {
    let scratch = pulled();
    let words = ["openstack", "--", "-i", "x", "--bundle", "--directory=y", "--word", "--", "-C"];
    let ended = deploy(&scratch, &words);
    assert_eq!((ended.code, ended.err.as_str()), (7, ""));
    assert_eq!(ended.out.lines().collect::<Vec<_>>(), words[1..]);
}
