//! `selftest`: it holds here, it says so to people and to an auditor's file, and it sees what does not.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod program;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use program::{Said, Scratch, said};
use serde_json::Value;

const CHECKS: [&str; 9] =
    ["scanner", "sealing", "opening", "pieces", "supervisor", "delivery", "others", "cores", "swap"];

/// The program, with a runtime directory that must be empty when it has ended.
fn run(scratch: &Scratch, command: &mut Command) -> Said {
    let began = Instant::now();
    let ended = said(command.env("XDG_RUNTIME_DIR", scratch.path()));
    println!("{:.2} s\n{}", began.elapsed().as_secs_f64(), ended.out);
    let left = scratch.names();
    assert!(left.iter().all(|name| name == ".program"), "{left:?}");
    ended
}

fn report(ended: &Said) -> Value {
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    let names: Vec<&str> = checks(&report).map(|check| check["check"].as_str().unwrap()).collect();
    assert_eq!(names, CHECKS);
    let is_bad = checks(&report).any(|check| check["verdict"] == "does not hold");
    assert_eq!(ended.code, if is_bad { 3 } else { 0 });
    report
}

fn checks(report: &Value) -> impl Iterator<Item = &Value> {
    report["checks"].as_array().unwrap().iter()
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    checks(report).find(|check| check["check"] == name).unwrap()
}

#[test]
fn every_promise_about_our_own_memory_holds_for_an_ordinary_user() {
    let scratch = Scratch::new();
    let ended = run(&scratch, scratch.program_of_ordinary_user().args(["selftest", "--json"]));
    let report = report(&ended);
    for name in ["scanner", "sealing", "opening", "pieces", "supervisor", "others", "cores"] {
        assert_eq!(check(&report, name)["verdict"], "holds", "{}", ended.out);
    }
    assert_eq!(check(&report, "supervisor")["figures"]["pieces"], 0);
    assert_eq!(check(&report, "supervisor")["figures"]["found_in_command"], 20);
    assert_eq!(check(&report, "others")["figures"]["open"].as_array().unwrap().len(), 0);
    // At most 4 readable copies of one secret, as SECURITY.md says
    let figures = &check(&report, "scanner")["figures"];
    for stage in ["most_copies_of_one_when_sorted", "most_copies_of_one_when_opened"] {
        assert!((1..=4).contains(&figures[stage].as_u64().unwrap()), "{stage}: {figures}");
    }
    // These two are the host's: what they say must follow from what they count
    let delivery = &check(&report, "delivery")["figures"];
    let may_swap = delivery["ramfs"] == false && delivery["swap_areas"] != 0;
    assert_eq!(check(&report, "delivery")["verdict"] == "holds", !may_swap);
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert!(report["uid"] != 0 && report["kernel"].as_str().unwrap().contains('.'));
    report["time"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
}

#[test]
fn a_person_gets_a_line_for_each_promise_and_no_value() {
    let scratch = Scratch::new();
    let ended = run(&scratch, scratch.program().arg("selftest"));
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    let lines: Vec<&str> = ended.out.lines().skip(2).collect();
    assert_eq!(lines.len(), CHECKS.len());
    for (line, name) in lines.iter().zip(CHECKS) {
        assert!(line.starts_with(&format!("  {name} ")) && line.len() <= 120, "{line}");
        let is_word = |word: &str| word.len() < 30;
        assert!(line.split_whitespace().all(is_word), "a value? {line}");
    }
}

#[test]
fn secrets_that_cannot_all_be_locked_are_counted() {
    let scratch = Scratch::new();
    let ours = scratch.program_of_ordinary_user();
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -l 64 && exec \"$@\"", "sh"]).arg(ours.get_program()).args(ours.get_args());
    shell.current_dir(scratch.path()).args(["selftest", "--json"]);
    let report = report(&run(&scratch, &mut shell));
    let swap = check(&report, "swap");
    assert_eq!(swap["figures"]["limit_bytes"], 64 * 1024);
    assert!(swap["figures"]["unlocked_bytes"].as_u64().unwrap() > 0, "{swap}");
    assert_eq!(swap["verdict"] == "holds", swap["figures"]["swap_areas"] == 0);
}

#[test]
fn a_probe_takes_nothing_that_may_be_a_real_secret() {
    let scratch = Scratch::new();
    let file = scratch.write("passwords.yaml", "parameter_defaults:\n  NovaPassword: x\n", 0o600);
    let hint = "hint: this verb is a part of `dcn-vault selftest`: run that\n";
    let err = format!("error: this is not made up by `selftest`\n{hint}");
    let child = ["child", file.to_str().unwrap()];
    for (words, go_on, out) in [
        (&child[..], "", ""),
        (&["hold"], "", ""),
        (&["crash"], "", ""),
        (&["walk", ".", "age1x"], "\n", "started\n"),
    ] {
        let mut program = scratch.program();
        program.arg("probe").args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut probe = program.spawn().unwrap();
        // One of them does not even ask
        let _ = probe
            .stdin
            .take()
            .unwrap()
            .write_all(format!("{go_on}00000029passwords: {{NovaPassword: x}}\n").as_bytes());
        let output = probe.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), out.as_bytes()), "{words:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), err, "{words:?}");
    }
}
