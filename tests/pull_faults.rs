//! `pull` from a cloud that does something wrong: an error of its own for each, and not one file.
//!
//! Each row runs twice: with no bundle before, and with one, which must be the same afterwards. A service that never
//! answers is not here: the product waits 120 s for one, and a test must not.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod cloud;
mod program;

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use cloud::{Cloud, Contents, ErrorBody, Fault, Place};
use program::refusal::{IN_CLEAR, assert_refused_over_http};
use program::{Scratch, occurring, said};

const KEYSTONE_PROXY: &str =
    "a proxy in front of it has answered, with a page: is Keystone itself running? Else try again later";
const HEAT_PROXY: &str =
    "a proxy in front of it has answered, with a page: is Heat itself running? Else try again later";
const BROKEN: &str = "try again; if it stays so, look at what stands between this host and the service";
const DELAYED: &str = "try again later; the service's own log says why";
const OTHER_PLAN: &str =
    "is it the plan of a deployed stack? Name it with --plan, or give another --from-file";
const OTHER_SERVICE: &str =
    "the endpoint may belong to another service or to a proxy: `openstack catalog list` shows it";
const ROLE: &str = "log in as a user with a member's or an admin's role";
const SWIFT_ROLE: &str = "reading a plan takes the role `admin` or `swiftoperator` in the plan's project";
const TOKEN: &str = "pull again; if it stays so, the service's own login to Keystone is broken";
const WAIT: &str = "wait until it is *_COMPLETE, then pull again";
const HIDDEN: &str =
    "it was saved from what Heat shows (LP#1999665): set the value anew, and update the stack";
const ADDRESS: &str = "set the endpoint's URL to the address that it names";
const LOCKED: &str = "a proxy may stand in between, or the account be locked: Keystone's log says more";
const QUOTES: &str = "look at this line and the one before: quotes, indentation, tabs, a missing `: `";
const REPAIR: &str = "its outputs may be stale: repair the stack until it is *_COMPLETE, then pull again";
const OWN_WORDS: &str = "Heat's own words: openstack stack output show overcloud EndpointMap";
const UPDATE: &str = "look, then update the stack: openstack stack output show overcloud EndpointMap";
const SCOPE: &str = "set `project_name` (OS_PROJECT_NAME), and check the user's role in it";
const NO_STACK: &str = "name it with --stack; `dcn-vault pull --list` shows what there is";

const NOT_REVOKED: &str = "warning: the token could not be revoked: it lives until it expires\n";
const AT_ONCE: usize = 12;

/// What is wrong, the error, the hint.
type Row = (Fault, &'static str, &'static str);

#[test]
fn a_login_that_goes_wrong_leaves_nothing() {
    use Place::Login;
    #[rustfmt::skip]
    let rows: &[Row] = &[
        (Fault::unavailable(Login), "Keystone answered with status 503, 5 times in a row", KEYSTONE_PROXY),
        (Fault::forbidden(Login), "Keystone lets nobody log in from here (403)", LOCKED),
        (refused(Login), "Keystone refuses the login of `admin` to project `admin` (401)", "Keystone says no more: check user, password, project and their domains"),
        (escapes(Login), "Keystone answered with status 500", DELAYED),
        (Fault::NotJson(Login), "Keystone gave an answer that is not a login", OTHER_SERVICE),
        (Fault::RedirectAway(Login), "Keystone redirects elsewhere, and no redirect is followed", ADDRESS),
        (Fault::Status(Login, 201, ErrorBody::Json), "Keystone gave an answer that is not a login", OTHER_SERVICE),
        (Fault::MissingCatalog, "the login gave no project's catalog", SCOPE),
        (Fault::NoHeat, "the catalog has no Heat", "from Wallaby on it runs only while it deploys: pull with --working-dir ~/overcloud-deploy/STACK; `dcn-vault pull --list` names those that are here"),
        (Fault::HangsUp(Login), "Keystone's answer broke off", BROKEN),
        (Fault::Truncated(Login), "Keystone's answer broke off", BROKEN),
        (Fault::Endless(Login), "Keystone's answer is larger than 4 MiB", BROKEN),
        (Fault::HugeLength(Login), "Keystone's answer is larger than 4 MiB", BROKEN),
    ];
    check_all(rows);
}

#[test]
fn a_stack_that_goes_wrong_leaves_nothing() {
    use Place::{Heat, Stack};
    #[rustfmt::skip]
    let rows: &[Row] = &[
        (Fault::unavailable(Stack), "Heat answered with status 503, 5 times in a row", HEAT_PROXY),
        (Fault::RetryAfter(Heat, 60), "Heat answered with status 503", DELAYED),
        (Fault::unavailable(Heat), "Heat answered with status 503, 5 times in a row", HEAT_PROXY),
        (Fault::forbidden(Stack), "Heat refuses this: the user's role is not enough (403)", ROLE),
        (refused(Stack), "Heat does not accept the token that Keystone gave (401)", TOKEN),
        (absent(Stack), "there is no stack `overcloud` in this project", NO_STACK),
        (escapes(Stack), "Heat answered with status 500", DELAYED),
        (Fault::NotJson(Stack), "Heat answered with status 200", DELAYED),
        (Fault::HangsUp(Stack), "Heat's answer broke off", BROKEN),
        (Fault::Truncated(Stack), "Heat's answer broke off", BROKEN),
        (Fault::Endless(Stack), "Heat's answer is larger than 16 MiB", BROKEN),
        (Fault::HugeLength(Stack), "Heat's answer is larger than 16 MiB", BROKEN),
        (Fault::RedirectAway(Stack), "Heat gave an answer that is not a stack's address", OTHER_SERVICE),
        (status("UPDATE_IN_PROGRESS"), "stack `overcloud` is being changed: its status is UPDATE_IN_PROGRESS", WAIT),
        (status("DELETE_COMPLETE"), "there is no stack `overcloud` in this project", NO_STACK),
        (status("UPDATE_FAILED"), "stack `overcloud` has failed: its status is UPDATE_FAILED", REPAIR),
        (status("\u{1b}[2Jx\n"), "stack `overcloud` is being changed: its status is \\u{1b}[2Jx\\n", WAIT),
        (location(""), "Heat gave an answer that is not a stack's address", OTHER_SERVICE),
        (location("/"), "Heat gave an answer that is not a stack's address", OTHER_SERVICE),
        (location("file:///stacks/overcloud/etc/passwd"), "Heat gave an answer that is not a stack's address", OTHER_SERVICE),
        (location("//h/stacks/overcloud/../../../identity"), "Heat gave an answer that is not a stack's address", OTHER_SERVICE),
        (location("http://h/stacks/overcloud/%2e%2e%2f%2e%2e"), "Heat gave an answer that is not a stack's address", OTHER_SERVICE),
        (location("http://h/stacks/x/01234567-89ab-cdef-0123-456789abcdef"), "there is no stack `overcloud` in this project", NO_STACK),
    ];
    check_all(rows);
}

#[test]
fn a_service_that_says_an_absurd_time_is_not_waited_for() {
    let cloud = Cloud::start(Contents::made_up());
    cloud.fault(Fault::RetryAfter(Place::Heat, u64::MAX));
    // Time goes by until then: the sum is what no clock can hold
    cloud.fault(Fault::unavailable(Place::Heat).at_first(2));
    let scratch = Scratch::new();
    let (_, recipient) = scratch.keygen("identity.txt");
    let pull = ["pull", "-r", &recipient, "-o", "bundle"];
    let pulled = said(scratch.program().envs(cloud.os_variables()).args(pull));
    let error = "error: Heat answered with status 503, 3 times in a row\n";
    assert_refused_over_http(&pulled, 1, &format!("{error}hint: {DELAYED}\n"));
    assert_eq!(cloud.tokens_alive(), 0);
}

#[test]
fn an_output_that_goes_wrong_leaves_nothing() {
    let output = || Place::Output(String::from("EndpointMap"));
    #[rustfmt::skip]
    let rows: &[Row] = &[
        (Fault::unavailable(output()), "Heat answered with status 503, 5 times in a row", HEAT_PROXY),
        (Fault::forbidden(output()), "Heat refuses this: the user's role is not enough (403)", ROLE),
        (refused(output()), "Heat does not accept the token that Keystone gave (401)", TOKEN),
        (absent(output()), "stack `overcloud` has no output `EndpointMap`", "is it the control plane's stack? Name it with --stack"),
        (absent(Place::Output(String::from("AllNodesConfig"))), "the data of all nodes of stack `overcloud` cannot be found", "Train keeps it in /var/lib/mistral/overcloud/group_vars/overcloud.json, Ussuri and Victoria in {here}/config-download/overcloud/group_vars/overcloud.json, Wallaby and later in {here}/overcloud-deploy/overcloud/config-download/overcloud/group_vars/overcloud.json, of whoever deployed: name the directory above `group_vars` with --config-download-dir"),
        (escapes(output()), "Heat answered with status 500", DELAYED),
        (Fault::NotJson(output()), "Heat gave an answer that is not JSON", OTHER_SERVICE),
        (Fault::Truncated(output()), "Heat's answer broke off", BROKEN),
        (Fault::Endless(output()), "Heat's answer is larger than 16 MiB", BROKEN),
        (Fault::HugeLength(output()), "Heat's answer is larger than 16 MiB", BROKEN),
        (Fault::RedirectAway(output()), "Heat redirects elsewhere, and no redirect is followed", ADDRESS),
        (Fault::NullOutput(String::from("EndpointMap")), "output `EndpointMap` of stack `overcloud` is null", UPDATE),
        (Fault::OutputError(String::from("EndpointMap"), String::from("\u{1b}]0;x\u{7}")), "Heat could not resolve output `EndpointMap` of stack `overcloud`", OWN_WORDS),
    ];
    check_all(rows);
    let masked = |contents: &mut Contents| contents.set_output("HostsEntry", r#"[["x", "******"]]"#);
    check(
        masked,
        None,
        (
            "output `HostsEntry` of stack `overcloud` holds `******`, which is Heat's mask and no value",
            HIDDEN,
        ),
    );
}

#[test]
fn a_plan_that_goes_wrong_leaves_nothing() {
    use Place::Swift;
    #[rustfmt::skip]
    let rows: &[Row] = &[
        (Fault::unavailable(Swift), "Swift answered with status 503, 5 times in a row", DELAYED),
        (Fault::forbidden(Swift), "Swift refuses this: the user's role is not enough (403)", SWIFT_ROLE),
        (refused(Swift), "Swift does not accept the token that Keystone gave (401)", TOKEN),
        (absent(Swift), "there is no plan `overcloud`: Swift has no container of that name", "a plan has its stack's name: give it with --plan. From Wallaby on there is none: use --working-dir ~/overcloud-deploy/STACK"),
        (escapes(Swift), "Swift answered with status 500", DELAYED),
        (Fault::NotJson(Swift), "overcloud/plan-environment.yaml:1:2: this is not YAML", QUOTES),
        (Fault::Truncated(Swift), "Swift's answer broke off", BROKEN),
        (Fault::Endless(Swift), "Swift's answer is larger than 16 MiB", BROKEN),
        (Fault::HugeLength(Swift), "Swift's answer is larger than 16 MiB", BROKEN),
        (Fault::RedirectAway(Swift), "Swift redirects elsewhere, and no redirect is followed", ADDRESS),
        (Fault::WrongETag, "overcloud/plan-environment.yaml does not match its ETag: it arrived damaged", "pull again; if it stays so, look at what stands between this host and Swift"),
        (Fault::PlanChanges(u64::MAX), "plan `overcloud` has changed while it was read, 3 times in a row", "pull again when nothing else writes to the plan"),
        (Fault::EMPTY_PLAN, "overcloud/plan-environment.yaml is empty", OTHER_PLAN),
        (plan("passwords: {a: 'CANARY\n"), "overcloud/plan-environment.yaml:1:16: this is not YAML", QUOTES),
        (plan("passwords: CANARY\n"), "overcloud/plan-environment.yaml is not a plan: a map with `passwords` and `parameter_defaults`, each a map of parameters", OTHER_PLAN),
        (plan("CANARY\n"), "overcloud/plan-environment.yaml is not a plan: a map with `passwords` and `parameter_defaults`, each a map of parameters", OTHER_PLAN),
        (plan("parameter_defaults: {A: CANARY}\n"), "overcloud/plan-environment.yaml has no passwords: `passwords` is missing or empty", OTHER_PLAN),
        (plan("passwords: {\"\\e[2JCANARY\": a}\n"), "overcloud/plan-environment.yaml is not a plan: a map with `passwords` and `parameter_defaults`, each a map of parameters", OTHER_PLAN),
        (plan("passwords: {NovaPassword: '******'}\n"), "overcloud/plan-environment.yaml: `NovaPassword` holds `******`, which is Heat's mask and no value", HIDDEN),
        (plan("passwords: {A: CANARY}\nparameter_defaults: {B: {c: ['******']}}\n"), "overcloud/plan-environment.yaml: `B` holds `******`, which is Heat's mask and no value", HIDDEN),
    ];
    check_all(rows);
}

#[test]
fn an_environment_file_of_the_plan_that_goes_wrong_leaves_nothing() {
    let without = |contents: &mut Contents| contents.objects.clear();
    let error = "container `overcloud` holds no user-environment.yaml";
    let hint = "name the right plan with --plan; what is in this one: openstack object list overcloud";
    check(without, None, (error, hint));
    #[rustfmt::skip]
    let rows: &[(&str, &str, &str)] = &[
        ("a: 'CANARY", "overcloud/user-environment.yaml:1:4: this is not YAML", QUOTES),
        ("[CANARY]", "overcloud/user-environment.yaml is not a plan: a map with `passwords` and `parameter_defaults`, each a map of parameters", OTHER_PLAN),
        ("parameter_defaults: {SSLKey: '******'}", "overcloud/user-environment.yaml: `SSLKey` holds `******`, which is Heat's mask and no value", HIDDEN),
    ];
    for (text, error, hint) in rows {
        let change = |contents: &mut Contents| {
            contents.objects = vec![("user-environment.yaml".to_owned(), text.as_bytes().to_vec())];
        };
        check(change, None, (error, hint));
    }
}

#[test]
fn what_only_looks_wrong_is_accepted() {
    for fault in [Fault::NoETag, Fault::SegmentedPlan, Fault::PlanChanges(1), Fault::PlanChanges(2)] {
        let cloud = Cloud::start(Contents::made_up());
        cloud.fault(fault.clone());
        let scratch = Scratch::new();
        let (_, recipient) = scratch.keygen("identity.txt");
        let pull = ["pull", "-r", &recipient, "-o", "bundle"];
        let pulled = said(scratch.program().envs(cloud.os_variables()).args(pull));
        assert_eq!((pulled.code, cloud.tokens_alive()), (0, 0), "{fault:?}: {}", pulled.err);
    }
}

#[test]
fn a_token_that_cannot_be_revoked_is_said_and_the_bundle_is_whole() {
    for fault in [Fault::unavailable(Place::Revocation), Fault::RedirectAway(Place::Revocation)] {
        let cloud = Cloud::start(Contents::made_up());
        cloud.fault(fault);
        let scratch = Scratch::new();
        let (_, recipient) = scratch.keygen("identity.txt");
        let pull = ["pull", "-r", &recipient, "-o", "bundle"];
        let pulled = said(scratch.program().envs(cloud.os_variables()).args(pull));
        assert_eq!(pulled.code, 0, "{}", pulled.err);
        assert!(pulled.err.contains(NOT_REVOKED), "{}", pulled.err);
        assert_eq!(occurring(&cloud.secrets(), pulled.err.as_bytes()), Vec::<&String>::new());
        assert_eq!(scratch.run(["show", "-b", "bundle"]).code, 0);
        assert!(!cloud.token_was_sent_elsewhere());
    }
}

#[test]
fn what_there_is_to_say_of_the_way_is_said_when_nothing_comes_of_it_too() {
    let cloud = Cloud::start(Contents::made_up());
    cloud.fault(Fault::unavailable(Place::Revocation));
    cloud.fault(Fault::forbidden(Place::Heat));
    cloud.fault(Fault::unavailable(Place::Heat).at_first(2));
    let scratch = Scratch::new();
    let (_, recipient) = scratch.keygen("identity.txt");
    let error = format!("error: Heat refuses this: the user's role is not enough (403)\nhint: {ROLE}\n");
    for pull in [&["pull", "-r", &recipient, "-o", "bundle"][..], &["pull", "--list"]] {
        cloud.fault(Fault::forbidden(Place::Swift));
        let pulled = said(scratch.program().envs(cloud.os_variables()).args(pull));
        let again = if pull.len() > 2 {
            "warning: Heat did not answer at once: it was asked again, twice in all\n"
        } else {
            ""
        };
        let way = format!("{IN_CLEAR}Keystone\n{IN_CLEAR}Heat, Swift\n{NOT_REVOKED}{again}");
        assert_eq!((pulled.code, pulled.err), (1, format!("{way}{error}")));
    }
    // A login that gives nothing to work with has made a token, too
    cloud.fault(Fault::MissingCatalog);
    let pulled = said(scratch.program().envs(cloud.os_variables()).args(["pull", "-r", &recipient]));
    assert!(pulled.err.starts_with(&format!("{IN_CLEAR}Keystone\n{NOT_REVOKED}error: ")), "{}", pulled.err);
}

#[test]
fn answers_without_an_end_take_little_memory() {
    let cloud = Cloud::start(Contents::made_up());
    for output in ["AllNodesConfig", "EndpointMap", "GlobalConfig", "HostsEntry"] {
        cloud.fault(Fault::Endless(Place::Output(output.to_owned())));
    }
    let scratch = Scratch::new();
    let (_, recipient) = scratch.keygen("identity.txt");
    // Four at a time, each of 16 MiB and what growing takes; without a limit they would take all there is
    let mut program = scratch.program_in_shell(r#"ulimit -v 360000; exec "$@""#);
    program.args(["pull", "-r", &recipient, "-o", "bundle"]).envs(cloud.os_variables());
    let error = "error: Heat's answer is larger than 16 MiB\n";
    assert_refused_over_http(&said(&mut program), 1, &format!("{error}hint: {BROKEN}\n"));
    assert_eq!(scratch.names(), ["identity.txt"]);
}

#[test]
fn a_port_where_nobody_listens_is_named() {
    let closed = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let cloud = Cloud::start(Contents::made_up());
    let scratch = Scratch::new();
    let (_, recipient) = scratch.keygen("identity.txt");
    let mut program = scratch.program();
    program.envs(cloud.os_variables()).env("OS_AUTH_URL", format!("http://{closed}/identity"));
    let pulled = said(program.args(["pull", "-r", &recipient, "-o", "bundle"]));
    let error = format!("error: Keystone cannot be reached at http://{closed}: connection refused\n");
    let hint = "hint: check the URL, the route and the firewall: `curl -v` on it says more\n";
    assert_refused_over_http(&pulled, 1, &(error + hint));
    assert_eq!(scratch.names(), ["identity.txt"]);
}

/// Some at a time: most of the time goes by in waiting before another try.
fn check_all(rows: &[Row]) {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((fault, error, hint)) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
            check(|_| {}, Some(fault), (error, hint));
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().unwrap();
        }
    });
}

/// Pulls from a cloud with these contents and this fault, once with no bundle before and once with one.
fn check(change: impl Fn(&mut Contents), fault: Option<&Fault>, (error, hint): (&str, &str)) {
    for has_bundle in [false, true] {
        let mut contents = Contents::made_up();
        change(&mut contents);
        let cloud = Cloud::start(contents);
        if let Some(fault) = fault {
            cloud.fault(fault.clone());
        }
        let scratch = Scratch::new();
        let recipient = if has_bundle { scratch.pull_from_file() } else { scratch.keygen("identity.txt").1 };
        let before = (scratch.names(), scratch.files());

        let pull = ["pull", "-r", &recipient, "-o", "bundle"];
        let pulled = said(scratch.program().envs(cloud.os_variables()).args(pull));

        assert_refused_over_http(&pulled, 1, &scratch.filled(&format!("error: {error}\nhint: {hint}\n")));
        assert_eq!(occurring(&cloud.secrets(), pulled.err.as_bytes()), Vec::<&String>::new());
        assert!(!pulled.err.contains("CANARY"), "{}", pulled.err);
        assert!((scratch.names(), scratch.files()) == before, "{fault:?}: a file has appeared or changed");
        assert!(!cloud.token_was_sent_elsewhere() && !cloud.password_was_sent_elsewhere());
        assert_eq!(cloud.requests_elsewhere(), Vec::<String>::new());
        assert_eq!(cloud.tokens_alive(), 0, "{fault:?}");
    }
}

fn refused(place: Place) -> Fault {
    Fault::Status(place, 401, ErrorBody::Json)
}

fn absent(place: Place) -> Fault {
    Fault::Status(place, 404, ErrorBody::Json)
}

fn escapes(place: Place) -> Fault {
    Fault::Status(place, 500, ErrorBody::TerminalEscapes)
}

fn status(status: &str) -> Fault {
    Fault::StackStatus(status.to_owned())
}

fn location(location: &str) -> Fault {
    Fault::StackLocation(location.to_owned())
}

fn plan(text: &str) -> Fault {
    Fault::PlanBytes(text.as_bytes().to_vec())
}
