//! The same for an identity that is in no file of the program's: it comes by a descriptor, or from a command.

use std::process::Stdio;

use nix::libc;

use super::scan::Scanner;
use super::stage::Table;
use super::stages::Site;
use super::trace::Trace;

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
