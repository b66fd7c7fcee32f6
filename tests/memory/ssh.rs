//! The same for a site whose identity is an ssh key.

use std::process::{Command, Stdio};

use nix::libc;

use super::canaries::Canaries;
use super::scan::Scanner;
use super::stage::Table;
use super::stages::Site;
use super::trace::Trace;
use crate::program::said;

#[test]
#[ignore = "needs root, gdb and ssh-keygen: run tests/all"]
fn decrypt_with_an_ssh_key_holds_nothing_of_it_or_of_the_plan_at_its_end() {
    let site = Site::new();
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "made up for a test", "-f", "key"]);
    assert_eq!(said(keygen.current_dir(site.scratch.path())).code, 0);
    let key = site.scratch.join("key");
    let mut pull = site.pull();
    assert_eq!(said(pull.args(["-R", "key.pub"])).code, 0);
    let mut canaries = site.cloud.contents().secrets();
    canaries.retain(|secret| *secret != site.cloud.contents().password);
    let keys = Canaries::of_bundle(&site.bundle(), &key).join(&Canaries::of_ssh_key(&key));
    let canaries = Canaries::of("plan", canaries).join(&keys);

    let mut decrypt = site.scratch.program();
    decrypt.args(["decrypt", "-b", "bundle", "-i", "key"]);
    let mut trace = Trace::start(&decrypt, "", |held| {
        held.stdin(Stdio::null()).stdout(Stdio::null());
    });
    let mut table = Table::of("decrypt with an ssh key");
    let at = trace.until(|at| at.enters(libc::SYS_write) && at.arguments[0] == 1).expect("it writes");
    table.look("first write", &Scanner::new(&canaries), at.pid);
    let at = trace.until(|at| at.enters(libc::SYS_exit_group)).expect("it ends");
    table.look_at_end("exit", &canaries, &at, &mut trace, &site.scratch);
    println!("{table}");
    table.assert_nothing_at(&["exit"]);
    assert!(table.found("first write").distinct() > 100, "the scan is blind\n{table}");
}
