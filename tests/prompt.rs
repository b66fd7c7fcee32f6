//! What is asked at a terminal: without echo, which comes back however it ends, and never from standard input.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may panic"
)]

mod cloud;
mod program;

use std::io::Write;
use std::process::{Command, Stdio};

use cloud::{Cloud, Contents, PASSCODE};
use program::{Scratch, occurring};
use serde_json::{Value, json};

const INTERRUPT: &str = "\u{3}";
const END: &str = "\u{4}";
const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;
const QUESTION: &str = "password of admin at 127.0.0.1: ";

/// Somebody at a terminal who pulls without a password in the variables.
struct AtTerminal {
    cloud: Cloud,
    scratch: Scratch,
    recipient: String,
    /// Signals that the program is started to ignore; they come before the keys.
    ignored: &'static [i32],
}

impl AtTerminal {
    fn new() -> Self {
        let scratch = Scratch::new();
        let (_, recipient) = scratch.keygen("identity.txt");
        Self { cloud: Cloud::start(Contents::made_up()), scratch, recipient, ignored: &[] }
    }

    fn password(&self) -> &str {
        &self.cloud.contents().password
    }

    /// Pulls, and types `keys` once the question is there. The echo is off meanwhile, and on afterwards.
    fn pull(&self, changes: &[(&str, &str)], question: &str, keys: &str, signal: Option<i32>) -> Value {
        let ended = self.run(&[], changes, question, keys, signal);
        let echoes = (&ended["echo_at_question"], &ended["echo_after"]);
        assert_eq!(echoes, (&json!(false), &json!(true)), "{ended}");
        ended
    }

    fn run(
        &self,
        arguments: &[&str],
        changes: &[(&str, &str)],
        question: &str,
        keys: &str,
        signal: Option<i32>,
    ) -> Value {
        let program = self.scratch.program();
        let words = [program.get_program().to_str().unwrap(), "pull", "-r", &self.recipient, "-o", "bundle"];
        let words = [&words, arguments].concat();
        let plan = json!({
            "program": words,
            "question": question,
            "ignored": self.ignored,
            "keys": keys,
            "signal": signal,
        });
        let mut python = Command::new("python3");
        python.arg("-B").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/prompt/terminal.py"));
        python.current_dir(self.scratch.path()).env_clear().env("HOME", self.scratch.path());
        python.env("PATH", std::env::var_os("PATH").unwrap());
        python.envs(self.cloud.os_variables()).env("OS_PASSWORD", "").envs(changes.iter().copied());
        let mut python = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        python.stdin.take().unwrap().write_all(plan.to_string().as_bytes()).unwrap();
        let printed = python.wait_with_output().unwrap().stdout;
        let ended: Value = serde_json::from_slice(&printed).unwrap();
        let shown = ended["shown"].as_str().unwrap();
        let secrets = self.cloud.secrets();
        assert_eq!(occurring(&secrets, shown.as_bytes()), Vec::<&String>::new());
        assert!(!shown.contains(PASSCODE), "{shown}");
        ended
    }

    fn has_bundle(&self) -> bool {
        self.scratch.join("bundle").exists()
    }
}

#[test]
#[ignore = "needs python3: run tests/all"]
fn a_password_is_asked_for_without_echo_and_logs_in() {
    let terminal = AtTerminal::new();
    let ended = terminal.pull(&[], QUESTION, &format!("{}\n", terminal.password()), None);
    assert_eq!(ended["status"], 0, "{ended}");
    let shown = ended["shown"].as_str().unwrap();
    assert!(shown.starts_with(&format!("{QUESTION}\r\n")), "{shown}");
    assert!(terminal.has_bundle());
}

#[test]
#[ignore = "needs python3: run tests/all"]
fn a_mistyped_password_can_be_mended_on_the_line() {
    let terminal = AtTerminal::new();
    let keys = format!("wrong\u{15}{}x\u{7f}\n", terminal.password());
    let ended = terminal.pull(&[], QUESTION, &keys, None);
    assert_eq!(ended["status"], 0, "{ended}");
}

#[test]
#[ignore = "needs python3: run tests/all"]
fn a_one_time_code_is_asked_for_after_the_password_is_known() {
    let terminal = AtTerminal::new();
    let password = terminal.password().to_owned();
    let way = [
        ("OS_AUTH_TYPE", "v3multifactor"),
        ("OS_AUTH_METHODS", "v3password,v3totp"),
        ("OS_PASSWORD", password.as_str()),
    ];
    let ended = terminal.pull(&way, "one-time code of admin at 127.0.0.1: ", &format!("{PASSCODE}\n"), None);
    assert_eq!(ended["status"], 0, "{ended}");
}

#[test]
#[ignore = "needs python3: run tests/all"]
fn an_interrupt_ends_the_program_by_its_signal_and_gives_the_echo_back() {
    let terminal = AtTerminal::new();
    for (keys, signal, code) in [(INTERRUPT, None, 130), ("half a pass", Some(SIGTERM), 143)] {
        let ended = terminal.pull(&[], QUESTION, keys, signal);
        assert_eq!(ended["status"], code, "{ended}");
    }
    assert!(!terminal.has_bundle() && terminal.cloud.requests().is_empty());
}

#[test]
#[ignore = "needs python3: run tests/all"]
fn a_signal_that_is_ignored_does_not_end_the_question_nor_the_silence() {
    let nohup_in_the_background = &[SIGHUP, SIGINT];
    let terminal = AtTerminal { ignored: nohup_in_the_background, ..AtTerminal::new() };
    let ended = terminal.pull(&[], QUESTION, &format!("{}\n", terminal.password()), None);
    assert_eq!(ended["status"], 0, "{ended}");
    let ended = terminal.pull(&[], QUESTION, "half a pass", Some(SIGTERM));
    assert_eq!(ended["status"], 143, "{ended}");
}

#[test]
#[ignore = "needs python3: run tests/all"]
fn nothing_is_asked_where_that_is_forbidden() {
    let terminal = AtTerminal::new();
    let ended = terminal.run(&["--batch"], &[], QUESTION, "", None);
    let shown = "error: `OS_PASSWORD` is not set\r\nhint: give it with --os-password-file FILE, or be asked for it: at a terminal, without --batch\r\n";
    assert_eq!((ended["status"].as_i64(), ended["shown"].as_str()), (Some(1), Some(shown)));
}

#[test]
#[ignore = "needs python3: run tests/all"]
fn an_empty_answer_is_no_password() {
    let terminal = AtTerminal::new();
    for keys in ["\n", END] {
        let ended = terminal.pull(&[], QUESTION, keys, None);
        let shown =
            format!("{QUESTION}\r\nerror: nothing was typed\r\nhint: try again, or give it in a file\r\n");
        assert_eq!((ended["status"].as_i64(), ended["shown"].as_str()), (Some(1), Some(shown.as_str())));
    }
    assert!(!terminal.has_bundle() && terminal.cloud.requests().is_empty());
}
