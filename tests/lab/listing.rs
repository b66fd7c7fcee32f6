//! `pull --list` against a real Heat and Swift.

use crate::operator::{Operator, User};
use crate::program::said;

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_listing_shows_what_a_user_may_see_and_the_command_for_it() {
    let operator = Operator::new(User::Own);
    let list = |cloud: &str| {
        let mut program = operator.program();
        let listed = said(program.args(["pull", "--list", "--os-cloud", cloud]));
        assert_eq!(listed.code, 0, "{}", listed.err);
        let squeezed = listed.out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        squeezed.collect::<Vec<_>>()
    };
    let admin = list("admin-tls");
    for line in [
        "NAME STACK PLAN COMMAND",
        "standalone CREATE_COMPLETE yes dcn-vault pull --os-cloud admin-tls --stack standalone",
        "stein CREATE_COMPLETE no dcn-vault pull --os-cloud admin-tls --stack stein --plan PLAN",
        "inprogress CREATE_IN_PROGRESS no - (not complete)",
        "bomb none yes dcn-vault pull --os-cloud admin-tls --stack STACK --plan bomb",
    ] {
        assert!(admin.iter().any(|shown| shown == line), "{line}\n{}", admin.join("\n"));
    }
    let reader = list("reader");
    let unseen = "plans cannot be seen: Swift refuses this: the user's role is not enough (403)";
    assert_eq!(reader.last().map(String::as_str), Some(unseen));
    let line = "standalone CREATE_COMPLETE ? dcn-vault pull --os-cloud reader --stack standalone";
    assert!(reader.iter().any(|shown| shown == line), "{}", reader.join("\n"));
}
