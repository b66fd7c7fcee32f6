//! Clients of all kinds.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::process::{Command, Stdio};

use rustix::process::{Signal, kill_process};

use crate::program::Scratch;
use crate::service::{OPEN, Service, add_arguments, audited, get, heard, serve, with_policy};

const FILE: &str = "parameter_defaults:\n  NovaPassword: not-a-real-secret\n  RpcPassword: neither-is-this\n";

/// A pipe in place of the identity: who reads it waits for us.
fn with_held_identity(policy: &str) -> Scratch {
    let scratch = with_policy(policy);
    std::fs::rename(scratch.join("identity.txt"), scratch.join("held.txt")).unwrap();
    assert!(Command::new("mkfifo").arg(scratch.join("identity.txt")).status().unwrap().success());
    scratch
}

/// Gives the identity to one who waits for it.
fn let_go(scratch: &Scratch) {
    let identity = std::fs::read(scratch.join("held.txt")).unwrap();
    std::fs::OpenOptions::new()
        .write(true)
        .open(scratch.join("identity.txt"))
        .unwrap()
        .write_all(&identity)
        .unwrap();
}

fn policy_with(limits: &str) -> String {
    OPEN.replace("rules:", &format!("limits: {limits}\nrules:"))
}

#[test]
fn a_value_comes_whole_and_exact_and_a_file_too_and_each_is_written_down() {
    let scratch = with_policy(OPEN);
    let service = Service::start(&scratch);
    assert_eq!(service.get("NovaPassword").value(), "not-a-real-secret");
    assert_eq!(service.get("/parameter_defaults/RpcPassword").value(), "neither-is-this");
    let json = service.answer(r#"{"version":1,"get":"NovaPassword","file":"passwords.yaml","json":true}"#);
    assert_eq!(json.value(), "\"not-a-real-secret\"\n");
    assert_eq!(service.answer(r#"{"version":1,"file":"passwords.yaml"}"#).value(), FILE);
    let opened = |names: &str| (String::from("opened"), String::from(names), String::new());
    assert_eq!(
        audited(&scratch),
        [
            opened("NovaPassword"),
            opened("RpcPassword"),
            opened("NovaPassword"),
            opened("NovaPassword,RpcPassword")
        ]
    );
    let log = std::fs::read_to_string(scratch.join("audit.log")).unwrap();
    assert!(!log.contains("not-a-real-secret") && !log.contains("neither-is-this"));
    let line: serde_json::Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&line["verb"], &line["generation"], &line["delivery"]),
        (&"serve".into(), &1.into(), &"socket".into())
    );
    assert_eq!(line["peer"]["pid"], std::process::id());
    assert_eq!(line["peer"]["uid"], rustix::process::geteuid().as_raw());
    let ended = (Some(0), vec![String::from("ending, when what was asked for is answered")]);
    assert_eq!(service.stop(), ended);
}

#[test]
fn what_is_no_request_is_refused_by_its_own_words_and_what_is_not_there_too() {
    let scratch = with_policy(OPEN);
    let service = Service::start(&scratch);
    let long = format!("{{\"version\":1,\"get\":\"{}\"}}", "x".repeat(100_000));
    let cases = [
        ("hello", "the request is no line of JSON"),
        ("", "the request is no line of JSON"),
        (r#"{"version":2,"get":"NovaPassword"}"#, "the request is not of version 1"),
        (r#"{"version":1}"#, "the request asks for nothing"),
        (r#"{"version":1,"got":"NovaPassword"}"#, "the request has something that version 1 does not know"),
        (r#"{"version":1,"file":"../identity.txt"}"#, "the request's file is none of a bundle"),
        (r#"{"version":1,"get":"/a~"}"#, "the request's path is none"),
        (long.as_str(), "the request is longer than 4096 bytes"),
        (r#"{"version":1,"get":"NovaPasword"}"#, "no parameter `NovaPasword` is in what this site gets"),
        (
            r#"{"version":1,"get":"NovaPassword.x"}"#,
            "there is no `x` below `NovaPassword`, which is a single value",
        ),
        (
            r#"{"version":1,"get":"NovaPassword","file":"endpoint-map.json"}"#,
            "no parameter `NovaPassword` is in what this site gets",
        ),
    ];
    for (request, refusal) in cases {
        let mut client = service.connect();
        // It may be refused before it has said all
        let _ = client.write_all(format!("{request}\n").as_bytes());
        assert_eq!(heard(client).refusal(), refusal, "{request:.60}");
    }
    let cut = service.connect();
    (&cut).write_all(br#"{"version":1,"#).unwrap();
    cut.shutdown(Shutdown::Write).unwrap();
    assert_eq!(heard(cut).refusal(), "the request is cut");
    assert!(audited(&scratch).iter().all(|(event, ..)| event == "refused"));
    assert_eq!(audited(&scratch).len(), cases.len() + 1);
}

#[test]
fn who_says_nothing_is_cut_off_and_keeps_nobody_else_waiting() {
    let scratch = with_policy(&policy_with("{request: 1s}"));
    let service = Service::start(&scratch);
    let mute = service.connect();
    let mut slow = service.connect();
    slow.write_all(b"{\"version\":1,").unwrap();
    assert_eq!(service.get("NovaPassword").value(), "not-a-real-secret");
    for client in [mute, slow] {
        assert_eq!(heard(client).refusal(), "no request came in time");
    }
}

#[test]
fn who_reads_nothing_is_cut_off_in_the_middle_and_can_tell() {
    let scratch = Scratch::new();
    let (_, recipient) = scratch.keygen("identity.txt");
    // More than a socket takes at once
    let secrets = (0..110).map(|number| format!("  Large{number:03}: '{number:05000}x'\n"));
    let plan = format!("passwords:\n  NovaPassword: not-a-real-secret\n{}", secrets.collect::<String>());
    scratch.write("plan.yaml", plan, 0o600);
    assert_eq!(scratch.run(["pull", "--from-file", "plan.yaml", "-r", &recipient, "-o", "bundle"]).code, 0);
    scratch.write("serve.yaml", policy_with("{workers: 2, patience: 10s}"), 0o600);
    let service = Service::start(&scratch);
    let mut slow = service.ask(r#"{"version":1,"file":"passwords.yaml"}"#);
    // Its worker is there, and writes
    let mut begun = [0; 64];
    slow.read_exact(&mut begun).unwrap();
    let worker = service.worker();
    // One user leaves a worker to the others, so this waits until the first is cut off
    assert_eq!(service.get("NovaPassword").value(), "not-a-real-secret");
    assert!(!service.workers().contains(&worker), "who reads nothing still has his worker");
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).unwrap();
    let text = [&begun[..], &rest].concat();
    let end = text.iter().position(|byte| *byte == b'\n').unwrap();
    let status: serde_json::Value = serde_json::from_slice(&text[..end]).unwrap();
    assert_eq!(status["status"], "ok");
    let length = usize::try_from(status["length"].as_u64().unwrap()).unwrap();
    assert!(length > 500_000 && text.len() - end - 1 < length, "it got all of it");
}

#[test]
fn who_goes_before_the_answer_is_forgotten() {
    let scratch = with_held_identity(&policy_with("{workers: 1}"));
    let service = Service::start(&scratch);
    let first = service.ask(&get("NovaPassword"));
    service.worker();
    // These wait for the only worker, and go
    for _ in 0..20 {
        drop(service.ask(&get("RpcPassword")));
    }
    drop(service.connect());
    let last = service.ask(&get("RpcPassword"));
    let_go(&scratch);
    assert_eq!(heard(first).value(), "not-a-real-secret");
    let_go(&scratch);
    assert_eq!(heard(last).value(), "neither-is-this");
    let gone =
        audited(&scratch).into_iter().filter(|(.., error)| error == "RpcPassword: the client has gone");
    assert_eq!(gone.count(), 20);
}

#[test]
fn a_worker_that_is_killed_is_a_refusal_and_so_is_one_that_takes_too_long() {
    let scratch = with_held_identity(&policy_with("{patience: 3s}"));
    let service = Service::start(&scratch);
    let client = service.ask(&get("NovaPassword"));
    kill_process(service.worker(), Signal::KILL).unwrap();
    assert_eq!(heard(client).refusal(), "the process that opens the bundle was killed");
    let client = service.ask(&get("NovaPassword"));
    assert_eq!(heard(client).refusal(), "the bundle was not opened in time");
    service.wait_for_workers(0);
    let words = audited(&scratch).into_iter().map(|(event, _, error)| format!("{event} {error}"));
    assert_eq!(
        words.collect::<Vec<_>>(),
        [
            "refused NovaPassword: the process that opens the bundle was killed",
            "refused NovaPassword: the bundle was not opened in time"
        ]
    );
}

#[test]
fn one_user_leaves_a_worker_to_the_others() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: two users take root");
        return;
    }
    let scratch = with_held_identity(&policy_with("{workers: 2}"));
    let mut program = scratch.program_of_ordinary_user();
    let mut service = add_arguments(scratch.program_of_ordinary_user());
    let service = Service::start_as(&scratch, &mut service);
    let ours: Vec<_> = (0..5).map(|_| service.ask(&get("NovaPassword"))).collect();
    // Two rounds later all have been seen to
    for _ in 0..2 {
        assert_eq!(service.answer("hello").refusal(), "the request is no line of JSON");
    }
    assert_eq!(service.workers().len(), 1);
    program.args(["get", "--socket", "socket", "RpcPassword"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut other = program.spawn().unwrap();
    service.wait_for_workers(2);
    other.kill().unwrap();
    other.wait().unwrap();
    drop(ours);
}

#[test]
fn nothing_is_answered_that_cannot_be_written_down() {
    let scratch = with_policy(OPEN);
    scratch.write("audit.log", "", 0o600);
    // So much, and no more: the disk is full
    let mut shell = scratch.program_in_shell("trap '' XFSZ; ulimit -f 2; exec \"$@\"");
    let mut program = serve(&scratch);
    shell.args(program.get_args());
    program = shell;
    let service = Service::start_as(&scratch, &mut program);
    let mut answered = 0;
    let refusal = loop {
        let answer = service.get("NovaPassword");
        if answer.status["status"] != "ok" {
            break answer.refusal().to_owned();
        }
        assert_eq!(answer.value(), "not-a-real-secret");
        answered += 1;
        assert_eq!(audited(&scratch).len(), answered);
    };
    assert_eq!(refusal, "the request cannot be written down, so it is not answered");
    assert!(answered > 0);
    assert_eq!(audited(&scratch).len(), answered);
    let (code, said) = service.stop();
    assert_eq!(code, Some(0));
    assert!(
        said[0].starts_with(
            "error: a request is not answered, since it cannot be written down: the audit log: "
        ),
        "{said:?}"
    );
}
