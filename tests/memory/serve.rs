//! `serve`: the listener never holds a copy, and a worker none at its end.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use nix::libc;

use super::scan::Scanner;
use super::stage::Table;
use super::stages::Site;
use super::trace::{At, Trace};

const WAITS: [i64; 3] = [libc::SYS_epoll_wait, libc::SYS_epoll_pwait, libc::SYS_epoll_pwait2];
const POLICY: &str = "version: 1\nrules: [{user: '*', allow: [passwords.yaml]}]\n";

#[test]
#[ignore = "needs root and gdb: run tests/all"]
fn the_listener_holds_nothing_while_a_worker_answers_and_the_worker_nothing_at_its_end() {
    let site = Site::with_bundle();
    let canaries = site.opened_canaries();
    let scanner = Scanner::new(&canaries);
    site.scratch.write("serve.yaml", POLICY, 0o600);
    let mut serve = site.scratch.program();
    serve.args(["serve", "-b", "bundle", "-i", "identity.txt", "--policy", "serve.yaml"]);
    serve.args(["--audit-log", "audit.log", "--socket", "socket"]);
    let mut trace = Trace::start(&serve, "", |held| {
        held.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    });
    let mut table = Table::of("serve");
    let listener = trace.root;
    let waits = |at: &At| at.pid == listener && at.result.is_none() && WAITS.contains(&at.call);
    trace.until(waits).expect("the listener waits for clients");
    let socket = site.scratch.join("socket");
    let client = std::thread::spawn(move || {
        let mut client = UnixStream::connect(socket).unwrap();
        client.write_all(b"{\"version\":1,\"file\":\"passwords.yaml\"}\n").unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        answer.len()
    });
    // The client is the worker's standard input; what comes first is the status
    let mut writes = 0;
    let answers = |at: &At| {
        writes += usize::from(at.pid != listener && at.enters(libc::SYS_write) && at.arguments[0] == 0);
        writes == 2
    };
    let worker = trace.until(answers).expect("a worker answers").pid;
    table.look("worker, answers", &scanner, worker);
    table.look("listener, worker answers", &scanner, listener);
    let at = trace.until(|at| at.pid == worker && at.enters(libc::SYS_exit_group)).expect("the worker ends");
    assert_eq!(at.arguments[0], 0);
    table.look("worker, exit", &scanner, worker);
    trace.until(waits).expect("the listener waits for the next");
    table.look("listener, between two answers", &scanner, listener);
    println!("{table}");
    table.assert_nothing_at(&["listener, worker answers", "worker, exit", "listener, between two answers"]);
    let found = table.found("worker, answers");
    assert!(found.distinct() > 100, "the scan is blind\n{table}");
    assert!(found.most_of_one("plan").0 <= 4, "{table}{:#?}", found.details());
    drop(trace);
    assert!(client.join().unwrap() > 1000);
}
