//! A thousand at once: each is answered or refused, none is left with nothing, and the listener does not grow.

use std::os::unix::net::UnixStream;
use std::process::Stdio;

use crate::program::memory::found_in;
use crate::service::{OPEN, Service, audited, get, heard, with_policy};

const CROWD: usize = 1000;
const SECRET: &str = "not-a-real-secret";
/// What the allocator may keep of a crowd of connections, in KiB.
const GROWTH: u64 = 2048;
/// What a second crowd may add, in KiB: half as much as one that leaves a KiB behind for each.
const MORE: u64 = 512;

fn crowd(service: &Service) -> (usize, usize) {
    // All are connected, and have asked, before anyone's answer is read
    let request = |number| if number % 4 == 0 { get("RpcPassword") } else { get("NovaPassword") };
    let clients: Vec<UnixStream> = (0..CROWD).map(|number| service.ask(&request(number))).collect();
    let (mut answered, mut refused) = (0, 0);
    for (number, client) in clients.into_iter().enumerate() {
        let answer = heard(client);
        if number % 4 == 0 {
            assert_eq!(answer.refusal(), "no rule of the policy allows this");
            refused += 1;
        } else {
            assert_eq!(answer.value(), SECRET);
            answered += 1;
        }
    }
    (answered, refused)
}

#[test]
fn a_thousand_at_once_are_all_answered_or_refused_and_the_listener_neither_grows_nor_holds_a_copy() {
    let policy = OPEN
        .replace("'*', passwords.yaml", "NovaPassword")
        .replace("rules:", "limits: {waiting: 10m}\nrules:");
    let scratch = with_policy(&policy);
    let service = Service::start(&scratch);
    assert_eq!(service.get("NovaPassword").value(), SECRET);
    let before = service.kib("VmHWM");
    assert_eq!(crowd(&service), (750, 250));
    let first = service.kib("VmHWM");
    assert_eq!(crowd(&service), (750, 250));
    let second = service.kib("VmHWM");
    println!(
        "VmHWM of the listener: {before} KiB, after a thousand {first} KiB, after another thousand {second} KiB"
    );
    assert!(first < before + GROWTH, "{before} {first}");
    assert!(second < first + MORE, "{first} {second}");
    assert_eq!(audited(&scratch).len(), 2 * CROWD + 1);
    let identity = std::fs::read_to_string(scratch.join("identity.txt")).unwrap();
    let needles = [SECRET.as_bytes(), identity.lines().last().unwrap().as_bytes(), b"serve.yaml"];
    if let Some(found) = found_in(service.pid(), &needles) {
        assert_eq!(found, [b"serve.yaml"], "the search is blind, or has found a secret");
    }
}

#[test]
fn two_hundred_programs_at_once_get_what_they_ask_for() {
    let policy = OPEN.replace("rules:", "limits: {waiting: 10m}\nrules:");
    let scratch = with_policy(&policy);
    let service = Service::start(&scratch);
    let mut programs = Vec::new();
    for _ in 0..200 {
        let mut get = scratch.program();
        get.args(["get", "--socket", "socket", "NovaPassword"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        programs.push(get.spawn().unwrap());
    }
    for program in programs {
        let ended = program.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
        assert_eq!((ended.status.code(), ended.stdout.as_slice()), (Some(0), SECRET.as_bytes()));
    }
    drop(service);
}
