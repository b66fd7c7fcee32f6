//! Identities behind a passphrase: asked for at the terminal alone, only when nothing else opens, and once.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test starts what a person would"
)]

mod program;

use std::io::Write;
use std::process::{Command, Stdio};

use age::armor::{ArmoredWriter, Format};
use age::secrecy::SecretString;
use age::{Encryptor, scrypt};
use program::{Said, Scratch, said};
use serde_json::{Value, json};

const PASSPHRASE: &str = "made-up passphrase";
const UNASKED: &str = "hint: run it at a terminal, without --batch; or take an identity that nobody is asked for: a file of mode 0600, a systemd credential, -i fd:N, -i cmd:…\n";
const DECRYPT: &[&str] = &["decrypt", "-b", "bundle", "-o", "-"];
const RUN: &[&str] = &["run", "-b", "bundle"];

/// A bundle, and its identity in `identity.txt`, in `identity.age` and in `armored.age`.
fn protected() -> Scratch {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    let text = std::fs::read(scratch.join("identity.txt")).unwrap();
    for (name, format) in [("identity.age", Format::Binary), ("armored.age", Format::AsciiArmor)] {
        let mut recipient = scrypt::Recipient::new(SecretString::from(PASSPHRASE.to_owned()));
        recipient.set_work_factor(4);
        let encryptor = Encryptor::with_recipients(std::iter::once(&recipient as _)).unwrap();
        let mut out = Vec::new();
        let armor = ArmoredWriter::wrap_output(&mut out, format).unwrap();
        let mut writer = encryptor.wrap_output(armor).unwrap();
        writer.write_all(&text).unwrap();
        writer.finish().unwrap().finish().unwrap();
        scratch.write(name, out, 0o600);
    }
    scratch
}

fn with(verb: &[&str], identity: &[&str]) -> Vec<String> {
    let command: &[&str] = if verb[0] == "run" { &["--", "cat", "{passwords}"] } else { &[] };
    [verb, identity, command].concat().into_iter().map(str::to_owned).collect()
}

/// Starts `program` at a terminal, types `keys` once `question` is there, and says what was seen.
fn at_terminal(program: Command, question: &str, keys: &str) -> Value {
    at_terminal_of_a_shell(program, question, keys, false)
}

/// As [`at_terminal`]; where it is `continued`, a shell has had the terminal, and turned its echo on, before the keys are typed.
fn at_terminal_of_a_shell(mut program: Command, question: &str, keys: &str, continued: bool) -> Value {
    let words = std::iter::once(program.get_program()).chain(program.get_args());
    let words: Vec<String> = words.map(|word| word.to_str().unwrap().to_owned()).collect();
    let plan = json!({"program": words, "question": question, "ignored": [], "keys": keys, "signal": null, "continued": continued});
    let home = program.get_current_dir().unwrap().to_owned();
    program = Command::new("python3");
    program.arg("-B").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/prompt/terminal.py"));
    program.current_dir(&home).env_clear().env("HOME", &home).env("PATH", std::env::var_os("PATH").unwrap());
    let mut python = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    python.stdin.take().unwrap().write_all(plan.to_string().as_bytes()).unwrap();
    let ended: Value = serde_json::from_slice(&python.wait_with_output().unwrap().stdout).unwrap();
    assert!(!ended["shown"].as_str().unwrap().contains(keys.trim_end()), "{ended}");
    ended
}

fn assert_asked_and_opened(ended: &Value, file: &str) {
    let shown = ended["shown"].as_str().unwrap();
    assert_eq!(ended["status"], 0, "{ended}");
    assert_eq!((&ended["echo_at_question"], &ended["echo_after"]), (&json!(false), &json!(true)), "{ended}");
    assert!(shown.starts_with(&format!("Passphrase of {file}: \r\n")), "{shown}");
    assert_eq!(shown.matches("Passphrase").count(), 1, "{shown}");
}

#[test]
#[ignore = "needs python3: run tests/all"]
fn a_passphrase_is_asked_for_without_echo_by_decrypt_and_by_the_worker_of_run() {
    let scratch = protected();
    for file in ["identity.age", "armored.age"] {
        for verb in [DECRYPT, RUN] {
            let mut program = scratch.program();
            program.args(with(verb, &["-i", file]));
            let ended = at_terminal(program, &format!("Passphrase of {file}: "), &format!("{PASSPHRASE}\n"));
            assert_asked_and_opened(&ended, file);
            assert!(ended["shown"].as_str().unwrap().contains("not-a-real-secret"), "{ended}");
        }
    }
}

#[test]
#[ignore = "needs python3: run tests/all"]
fn a_passphrase_is_asked_for_again_without_echo_when_a_shell_had_the_terminal() {
    let scratch = protected();
    for verb in [DECRYPT, RUN] {
        let mut program = scratch.program();
        program.args(with(verb, &["-i", "identity.age"]));
        let question = "Passphrase of identity.age: ";
        let ended = at_terminal_of_a_shell(program, question, &format!("{PASSPHRASE}\n"), true);
        assert_eq!((&ended["status"], &ended["echo_at_question"]), (&json!(0), &json!(false)), "{ended}");
        assert!(ended["shown"].as_str().unwrap().starts_with(&question.repeat(2)), "{ended}");
    }
}

#[test]
#[ignore = "needs python3: run tests/all"]
fn a_passphrase_is_not_asked_for_at_the_terminal_when_an_identity_behind_it_opens() {
    let scratch = protected();
    for verb in [DECRYPT, RUN] {
        let mut program = scratch.program();
        program.args(with(verb, &["-i", "identity.age", "-i", "identity.txt"]));
        let ended = at_terminal(program, "Passphrase of ", "never typed\n");
        assert_eq!(ended["status"], 0, "{ended}");
        assert!(!ended["shown"].as_str().unwrap().contains("Passphrase"), "{ended}");
    }
}

#[test]
#[ignore = "needs python3: run tests/all"]
fn a_passphrase_is_asked_for_once_for_many_files_and_by_a_user_who_is_not_root() {
    let scratch = protected();
    for words in
        [with(RUN, &["-i", "identity.age"]), with(&["check", "-b", "bundle"], &["-i", "identity.age"])]
    {
        let mut program = scratch.program_of_ordinary_user();
        program.args(words);
        let ended = at_terminal(program, "Passphrase of identity.age: ", &format!("{PASSPHRASE}\n"));
        assert_asked_and_opened(&ended, "identity.age");
    }
}

#[test]
#[ignore = "needs python3 and ssh-keygen: run tests/all"]
fn an_ssh_key_with_a_passphrase_opens_and_is_not_asked_for_when_it_is_no_recipient() {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-a", "1", "-N", PASSPHRASE, "-C", "made up", "-f", "key"]);
    assert_eq!(said(keygen.current_dir(scratch.path())).code, 0);
    let unlisted = "error: no identity of yours is a recipient of the bundle\nhint: `dcn-vault show` lists the recipients; is yours among them? Else ask for a new pull with it\n";
    scratch.opens_nothing(&["--batch", "-i", "key"], unlisted);
    let pulled = scratch.run(["pull", "--from-file", "plan.yaml", "-R", "key.pub", "-o", "bundle"]);
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    scratch.opens_nothing(&["--batch", "-i", "key"], &refused("key", "--batch forbids to ask"));
    for verb in [DECRYPT, RUN] {
        let mut program = scratch.program();
        program.args(with(verb, &["-i", "key"]));
        let ended = at_terminal(program, "Passphrase of key: ", &format!("{PASSPHRASE}\n"));
        assert_asked_and_opened(&ended, "key");
    }
    let mut program = scratch.program();
    program.args(with(DECRYPT, &["-i", "key"]));
    assert_wrong(&at_terminal(program, "Passphrase of key: ", "another\n"), "key");
}

#[test]
#[ignore = "needs python3: run tests/all"]
fn a_wrong_passphrase_is_said_to_be_wrong_and_an_empty_one_to_be_none() {
    let scratch = protected();
    for verb in [DECRYPT, RUN] {
        let program = || {
            let mut program = scratch.program();
            program.args(with(verb, &["-i", "identity.age"]));
            program
        };
        let question = "Passphrase of identity.age: ";
        assert_wrong(&at_terminal(program(), question, "another\n"), "identity.age");
        let ended = at_terminal(program(), question, "\u{4}");
        let shown = format!(
            "{question}\r\n{}",
            refused("identity.age", "nothing was typed")
                .replace(UNASKED, "hint: try again, or give it in a file\n")
                .replace('\n', "\r\n")
        );
        assert_eq!((ended["status"].as_i64(), ended["shown"].as_str()), (Some(1), Some(shown.as_str())));
    }
}

fn assert_wrong(ended: &Value, file: &str) {
    let shown = format!(
        "Passphrase of {file}: \r\nerror: this is not the passphrase of `{file}`\r\nhint: try again\r\n"
    );
    assert_eq!((ended["status"].as_i64(), ended["shown"].as_str()), (Some(1), Some(shown.as_str())));
}

fn refused(file: &str, why: &str) -> String {
    format!("error: `{file}` is protected by a passphrase: {why}\n{UNASKED}")
}

#[test]
fn nothing_is_asked_where_that_is_forbidden_or_nobody_is_there() {
    let scratch = protected();
    let forbidden = refused("identity.age", "--batch forbids to ask");
    scratch.opens_nothing(&["--batch", "-i", "identity.age"], &forbidden);
    for verb in [DECRYPT, RUN] {
        let program = scratch.program();
        let mut without_terminal = Command::new("setsid");
        without_terminal.arg("--wait").arg(program.get_program()).args(with(verb, &["-i", "armored.age"]));
        without_terminal.current_dir(scratch.path()).env_clear().env("HOME", scratch.path());
        let Said { code, out, err } = said(without_terminal.stdin(Stdio::null()));
        let expected = refused("armored.age", "there is no terminal to ask at");
        assert_eq!((code, out.as_str(), err), (1, "", expected));
    }
}

#[test]
fn nothing_is_asked_when_another_identity_opens() {
    let scratch = protected();
    for verb in [DECRYPT, RUN] {
        let ended = scratch.run(with(verb, &["--batch", "-i", "identity.age", "-i", "identity.txt"]));
        assert_eq!((ended.code, ended.err.as_str()), (0, ""));
        assert!(ended.out.contains("not-a-real-secret"));
    }
    // The files of a protected identity that is nobody's are looked for all the same, and it is said why they are not
    scratch.keygen("other.txt");
    scratch.opens_nothing(
        &["--batch", "-i", "other.txt", "-i", "identity.age"],
        &refused("identity.age", "--batch forbids to ask"),
    );
}

#[test]
fn a_protected_file_that_others_can_read_is_refused_as_any() {
    let scratch = protected();
    let protected = std::fs::read(scratch.join("identity.age")).unwrap();
    scratch.write("open.age", protected, 0o644);
    let err = "error: `open.age` can be read by others: its mode is 0644\nhint: chmod 600 open.age\n";
    scratch.opens_nothing(&["-i", "open.age"], err);
}
