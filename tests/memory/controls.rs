//! The same search where it must find something: a zero of it elsewhere is worth nothing otherwise.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::libc;

use super::canaries::Canaries;
use super::scan::Scanner;
use super::stage::Table;
use super::stages::{Site, follow_pull};
use super::trace::{At, Trace};

/// A program of `examples/`, which `cargo test` builds beside the tests.
pub fn example(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_dcn-vault")).with_file_name("examples").join(name);
    assert!(
        path.is_file(),
        "{} is not built: `cargo build --examples`, with --release if the tests are",
        path.display()
    );
    path
}

/// `command`, with another program in the program's place.
fn instead(command: &Command, program: &str) -> Command {
    let mut other = Command::new(example(program));
    other.args(command.get_args()).env_clear().current_dir(command.get_current_dir().unwrap());
    other.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    other
}

#[test]
#[ignore = "needs root and gdb: run tests/all"]
fn the_same_search_finds_hundreds_of_copies_in_a_pull_whose_allocator_does_not_wipe() {
    let site = Site::new();
    let keys = |bundle: &Path| Canaries::of_bundle(bundle, &site.identity);
    let pull = instead(&site.pull(), "plain_allocator");
    let table = follow_pull(&pull, &|| site.cloud_canaries(), &keys, &site.scratch);
    println!("plain allocator: {table}");
    for stage in ["commit", "exit"] {
        let found = table.found(stage);
        assert!(found.full.len() >= 100 && found.distinct() >= 100, "{table}");
    }
}

#[test]
#[ignore = "needs root: run tests/all"]
fn a_body_that_is_taken_as_text_and_kept_is_found() {
    let site = Site::new();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/plan", listener.local_addr().unwrap());
    let plan = site.cloud.contents().plan_bytes.clone();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", plan.len());
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&plan).unwrap();
    });
    let mut careless = Command::new(example("careless"));
    careless.args(["text", &url]).env_clear().current_dir(site.scratch.path());
    let mut trace = Trace::start(&careless, "", |held| {
        held.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    });
    let scanner = Scanner::new(&Canaries::of("plan", site.cloud.contents().noted.clone()));
    let mut table = Table::of("a kept .text()");
    let at = trace.until(|at| at.enters(libc::SYS_write) && at.arguments[0] == 2).expect("it says how much");
    table.look("text in use", &scanner, at.pid);
    let at = trace.until(|at| at.enters(libc::SYS_exit_group)).expect("it ends");
    table.look("exit", &scanner, at.pid);
    server.join().unwrap();
    println!("{table}");
    assert!(table.found("exit").distinct() >= 100, "{table}");
}

#[test]
#[ignore = "needs root: run tests/all"]
fn plaintext_that_is_still_open_while_a_child_runs_is_found() {
    let site = Site::with_bundle();
    let scanner = Scanner::new(&site.opened_canaries());
    let mut careless = Command::new(example("careless"));
    careless.args(["keep", "bundle", "identity.txt", "/bin/sh", "-c", "read x"]).env_clear();
    careless.env("PATH", std::env::var_os("PATH").unwrap()).current_dir(site.scratch.path());
    let mut trace = Trace::start(&careless, "", |held| {
        held.stdin(Stdio::piped()).stdout(Stdio::null());
    });
    let parent = trace.root;
    // The child's first read of its standard input: it runs, and its parent has nothing to do but to wait
    let reads = |at: &At| at.pid != parent && at.enters(libc::SYS_read) && at.arguments[0] == 0;
    trace.until(reads).expect("the child reads");
    let mut table = Table::of("a kept Opened");
    table.look("child runs", &scanner, parent);
    trace.child.stdin.take().unwrap().write_all(b"\n").unwrap();
    trace.until(|at| at.pid == parent && at.enters(libc::SYS_exit_group)).expect("it ends");
    table.look("exit", &scanner, parent);
    println!("{table}");
    assert!(table.found("child runs").distinct() >= 100, "{table}");
}
