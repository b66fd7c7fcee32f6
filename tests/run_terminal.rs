//! `run` at a terminal, started from a shell with job control, as a person does: the keys reach whom they are for, and the shell
//! has its terminal back afterwards.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod program;

use std::io::Write;
use std::process::{Command, Stdio};

use program::Scratch;
use serde_json::{Value, json};

const DELIVERIES: [&str; 3] = ["mount", "fd", "file"];
/// An interactive shell as the command. What is typed is shown, so that it must not be what is waited for.
const SHELL: &str = "env PS1='in''ner> ' bash --norc -i";
const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";
const CTRL_Z: &str = "\u{1a}";

/// Does this at an interactive shell, in which `go` is `run` by this delivery.
fn at_terminal(delivery: &str, steps: &[Value]) {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    let alias = "go() { \"$PROGRAM\" run -b bundle -i identity.txt --delivery \"$DELIVERY\" -- \"$@\"; }\n";
    let mut plan = vec![json!(["expect", "outer> "]), json!(["send", alias]), json!(["expect", "outer> "])];
    plan.extend_from_slice(steps);
    plan.push(json!(["send", "exit\n"]));
    let environment = json!({
        "DELIVERY": delivery, "HOME": scratch.path(), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PS1": "outer> ",
        "PROGRAM": scratch.program().get_program().to_str().unwrap(), "TERM": "dumb",
    });
    let plan = json!({"program": ["bash", "--norc", "-i"], "environment": environment, "steps": plan});
    let mut driver = Command::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/terminal/drive.py"))
        .current_dir(scratch.path())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    driver.stdin.take().unwrap().write_all(plan.to_string().as_bytes()).unwrap();
    let ended = driver.wait_with_output().unwrap();
    assert!(ended.status.success(), "{delivery}: {}", String::from_utf8_lossy(&ended.stderr));
}

fn send(keys: impl std::fmt::Display) -> Value {
    json!(["send", keys.to_string()])
}

fn expect(text: &str) -> Value {
    json!(["expect", text])
}

/// A line is shown as it is typed, and once more by `cat`, which so is in the foreground.
fn cat_answers() -> [Value; 4] {
    [json!(["lines"]), send("hello\n"), expect("hello\r\n"), expect("hello\r\n")]
}

/// The shell around us goes on: it has its terminal, and reads from it.
fn outer_goes_on(code: i32) -> Vec<Value> {
    vec![
        expect("outer> "),
        send("echo code=$?; read -r word; echo got=$word\n"),
        expect(&format!("code={code}\r\n")),
        json!(["lines"]),
        send("something\n"),
        expect("got=something\r\n"),
        expect("outer> "),
    ]
}

#[test]
#[ignore = "needs python3: run tests/all"]
fn a_shell_as_the_command_has_job_control_and_gives_the_terminal_back() {
    for delivery in DELIVERIES {
        let mut steps = vec![send(format!("go {SHELL}\n")), expect("inner> "), send("cat\n")];
        // A key interrupts what is in the foreground, and not the shell
        steps.extend(cat_answers());
        steps.extend([send(CTRL_C), expect("inner> "), send("echo code=$?\n"), expect("code=130\r\n")]);
        // Or stops it, and the shell wakes it
        steps.extend([expect("inner> "), send("cat\n")]);
        steps.extend(cat_answers());
        steps.extend([send(CTRL_Z), expect("Stopped"), expect("inner> "), send("fg\n"), expect("cat\r\n")]);
        steps.extend(cat_answers());
        steps.extend([send(CTRL_D), expect("inner> ")]);
        steps.push(send("exit 7\n"));
        steps.extend(outer_goes_on(7));
        at_terminal(delivery, &steps);
    }
}

#[test]
#[ignore = "needs python3: run tests/all"]
fn a_command_is_stopped_and_woken_and_interrupted_with_us() {
    for delivery in DELIVERIES {
        let mut steps = vec![send("go cat\n")];
        steps.extend(cat_answers());
        for _ in 0..2 {
            steps.extend([send(CTRL_Z), expect("Stopped")]);
            // 128 and the signal's number, as bash has it of a job that is stopped
            steps.extend(outer_goes_on(147));
            steps.extend([send("fg\n"), expect("\"$@\"\r\n")]);
            steps.extend(cat_answers());
        }
        steps.push(send(CTRL_D));
        steps.extend(outer_goes_on(0));
        steps.push(send("go cat\n"));
        steps.extend(cat_answers());
        steps.push(send(CTRL_C));
        steps.extend(outer_goes_on(130));
        at_terminal(delivery, &steps);
    }
}

#[test]
#[ignore = "needs python3: run tests/all"]
fn the_command_is_told_of_another_window_size() {
    // Held back, so that none comes in between
    let script = "import os, signal; winch = [signal.SIGWINCH]; signal.pthread_sigmask(signal.SIG_BLOCK, winch); print(\"rea\" + \"dy\", flush=True); [print(os.get_terminal_size(0), flush=True) for _ in range(2) if signal.sigwait(winch)]";
    for delivery in DELIVERIES {
        let mut steps = vec![send(format!("go python3 -c '{script}'\n")), expect("ready\r\n")];
        for (rows, columns) in [(33, 101), (17, 83)] {
            steps.push(json!(["size", rows, columns]));
            steps.push(expect(&format!("columns={columns}, lines={rows}")));
        }
        steps.extend(outer_goes_on(0));
        at_terminal(delivery, &steps);
    }
}

#[test]
#[ignore = "needs python3: run tests/all"]
fn a_script_reads_on_after_a_shell_that_could_not_give_the_terminal_back() {
    let script = "\"$PROGRAM\" run -b bundle -i identity.txt --delivery \"$DELIVERY\" -- env PS1=\"in\"\"ner> \" bash --norc -i; echo code=$?; read -r word; echo got=$word";
    for delivery in DELIVERIES {
        let steps = [
            send(format!("sh -c '{script}'\n")),
            expect("inner> "),
            send("kill -KILL $$\n"),
            expect("code=137\r\n"),
            json!(["lines"]),
            send("something\n"),
            expect("got=something\r\n"),
            expect("outer> "),
        ];
        at_terminal(delivery, &steps);
    }
}
