//! The same for an identity that is in no file as it is: it comes by a descriptor, from a command, or out of a file that a passphrase
//! protects.

use std::io::Write;
use std::process::{Command, Stdio};

use age::secrecy::SecretString;
use nix::libc;
use nix::unistd::Pid;

use super::canaries::Canaries;
use super::scan::Scanner;
use super::stage::Table;
use super::stages::Site;
use super::trace::{At, Trace};

#[test]
#[ignore = "needs root and gdb: run tests/all"]
fn decrypt_holds_nothing_of_an_identity_that_came_by_a_descriptor_or_from_a_command_at_its_end() {
    let site = Site::with_bundle();
    let canaries = site.opened_canaries();
    for source in ["fd:3", "cmd:cat identity.txt"] {
        let mut decrypt = site.scratch.program();
        decrypt.args(["decrypt", "-b", "bundle", "-i", source]);
        let mut trace = Trace::start(&decrypt, "exec 3<identity.txt; ", |held| {
            held.stdin(Stdio::null()).stdout(Stdio::null());
        });
        let (mut table, program) = (Table::of(&format!("decrypt -i {source}")), trace.root);
        let writes =
            trace.until(|at| at.pid == program && at.enters(libc::SYS_write) && at.arguments[0] == 1);
        assert!(writes.is_some(), "it writes");
        table.look("first write", &Scanner::new(&canaries), program);
        let at = trace.until(|at| at.pid == program && at.enters(libc::SYS_exit_group)).expect("it ends");
        table.look_at_end("exit", &canaries, &at, &mut trace, &site.scratch);
        println!("{table}");
        table.assert_nothing_at(&["exit"]);
        assert!(table.found("first write").distinct() > 100, "the scan is blind\n{table}");
    }
}

#[test]
#[ignore = "needs root, gdb and script: run tests/all"]
fn decrypt_holds_nothing_of_a_passphrase_or_of_what_it_protects_at_its_end() {
    const PASSPHRASE: &str = "hedgehog-4711-umbrella";
    let site = Site::with_bundle();
    let canaries = site.opened_canaries().join(&Canaries::of("passphrase", [PASSPHRASE]));
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(PASSPHRASE.to_owned()));
    recipient.set_work_factor(4);
    let text = std::fs::read(&site.identity).unwrap();
    site.scratch.write("identity.age", age::encrypt(&recipient, &text).unwrap(), 0o600);

    let words = format!("{} decrypt -b bundle -i identity.age -o out", env!("CARGO_BIN_EXE_dcn-vault"));
    let mut terminal = site.scratch.program();
    let variables: Vec<_> =
        terminal.get_envs().map(|(name, value)| (name.to_owned(), value.unwrap().to_owned())).collect();
    terminal = Command::new("script");
    terminal.args(["-qec", &words, "/dev/null"]).current_dir(site.scratch.path()).envs(variables);
    let mut trace = Trace::start(&terminal, "", |held| {
        held.stdin(Stdio::piped()).stdout(Stdio::null());
    });
    let is_program = |pid: Pid| {
        std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "dcn-vault\n")
    };
    let mut table = Table::of("decrypt with a passphrase");
    // Whoever types before the question is not heard
    let waits = |at: &At| at.enters(libc::SYS_poll) || at.enters(libc::SYS_ppoll);
    let at = trace.until(|at| waits(at) && at.arguments[1] == 2 && is_program(at.pid));
    let program = at.expect("it asks").pid;
    let mut keys = trace.child.stdin.take().unwrap();
    keys.write_all(format!("{PASSPHRASE}\n").as_bytes()).unwrap();
    let typed = trace.until(|at| at.pid == program && at.received() > PASSPHRASE.len());
    assert!(typed.is_some(), "it reads");
    table.look("typed", &Scanner::new(&canaries), program);
    assert!(table.found("typed").most_of_one("passphrase").0 > 0, "the scan is blind to it\n{table}");
    let writes = |at: &At| at.pid == program && at.enters(libc::SYS_write) && at.arguments[2] > 512;
    assert!(trace.until(writes).is_some(), "it writes");
    table.look("first write", &Scanner::new(&canaries), program);
    let at = trace.until(|at| at.pid == program && at.enters(libc::SYS_exit_group)).expect("it ends");
    assert_eq!(at.arguments[0], 0, "it failed");
    table.look_at_end("exit", &canaries, &at, &mut trace, &site.scratch);
    println!("{table}");
    table.assert_nothing_at(&["exit"]);
    assert!(table.found("first write").distinct() > 100, "the scan is blind\n{table}");
}
