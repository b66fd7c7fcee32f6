//! How far a pull for many sites has come: said on a terminal, in a line that goes away; nowhere else.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test may panic")]

mod program;

use std::fmt::Write;
use std::process::Command;

use program::{Scratch, said};

const SITES: usize = 48;
const PULL: &str = "pull --from-file plan.yaml";

/// A vault in which each site gets a file of its own.
fn vault() -> Scratch {
    let scratch = Scratch::new();
    let mut settings = String::from("version: 1\nsites:\n");
    for number in 0..SITES {
        let recipient = dcn_vault::keygen::NewIdentity::make().recipient;
        scratch.write(&format!("keys/site{number}/recipients.txt"), recipient, 0o644);
        writeln!(settings, "  site{number}: {{secrets: [NovaPassword]}}").unwrap();
    }
    scratch.write("dcn-vault.yaml", settings, 0o644);
    scratch.write("plan.yaml", program::PLAN, 0o600);
    scratch
}

/// What a person sees of `text` in the end: a line is written over from its start, and cleared.
fn seen(text: &str) -> String {
    let line = |line: &str| line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default().to_owned();
    text.lines().map(|text| line(text).replace("\x1b[K", "")).collect::<Vec<_>>().join("\n")
}

#[test]
fn on_a_terminal_it_is_said_in_a_line_that_goes_away() {
    let scratch = vault();
    let mut shell = Command::new("script");
    let words = format!("'{}' {PULL}", scratch.program().get_program().to_str().unwrap());
    shell.args(["-qefc", &words, "/dev/null"]).current_dir(scratch.path()).env("HOME", scratch.path());
    let shown = said(&mut shell);
    assert_eq!(shown.code, 0, "{}", shown.out);
    // One core seals them one after the other, at once
    if std::thread::available_parallelism().unwrap().get() > 1 {
        assert!(shown.out.contains(&format!(" of {SITES} files")), "{}", shown.out);
    }
    let end = seen(&shown.out);
    assert!(!end.contains("files") && end.contains("\nwrote "), "{end}");
}

#[test]
fn without_a_terminal_nothing_is_said() {
    let scratch = vault();
    let pulled = scratch.run(PULL.split(' '));
    assert_eq!((pulled.code, pulled.out.as_str()), (0, ""), "{}", pulled.err);
    assert!(!pulled.err.contains('\r') && !pulled.err.contains("files"), "{}", pulled.err);
}
