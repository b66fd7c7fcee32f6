//! What an operator reads when the cloud, the stack or the plan is not what it should be: the whole of standard error.

use std::collections::BTreeSet;

use crate::explained::{Case, cloud, complaints, each_is_explained, plan, stack};
use crate::live;
use crate::operator::{Operator, User, Way};
use crate::program::proxy::HttpProxy;
use crate::program::refusal::after_the_way;
use crate::program::said;
use crate::running::Lab;

const CHECK_LOGIN: &str = "Keystone says no more: check user, password, project and their domains";
const SET_PROJECT: &str = "set `project_name` (OS_PROJECT_NAME), and check the user's role in it";
const TAKE_ROLE: &str = "reading a plan takes the role `admin` or `swiftoperator` in the plan's project";
const NAME_PLAN: &str = "a plan has its stack's name: give it with --plan. From Wallaby on there is none: use --working-dir ~/overcloud-deploy/STACK";
const OTHER_ISSUER: &str =
    "Keystone's certificate is refused: its issuer `lab test CA` is not in the file that `cacert` names";
const NAME_ISSUER: &str =
    "name a file with its CA's certificate there; a server's own does not do, unless it is self-signed";
const REACH: &str = "check the URL, the route and the firewall: `curl -v` on it says more";
const ONE_SCOPE: &str =
    "set `project_name` (OS_PROJECT_NAME), and leave out `system_scope` and `domain_id` or `domain_name`";
const DEPLOYED: &str = "is it the plan of a deployed stack? Name it with --plan, or give another --from-file";
const MASKED: &str =
    "it was saved from what Heat shows (LP#1999665): set the value anew, and update the stack";
const NAME_STACK: &str = "is it the control plane's stack? Name it with --stack";

const LIST_STACKS: &str = "name it with --stack; `dcn-vault pull --list` shows what there is";
const ASK_HEAT: &str = "log in as a user with a member's or an admin's role";

const CLOUDS: &[Case] = &[
    // The slowest first: it ends when the program's patience does
    cloud(
        "https-on-http",
        "Keystone cannot be reached at https://127.0.0.1:{port}: no answer within 10 s",
        REACH,
    ),
    cloud("wrongpw", "Keystone refuses the login of `admin` to project `admin` (401)", CHECK_LOGIN),
    cloud("nouser", "Keystone refuses the login of `nobody` to project `admin` (401)", CHECK_LOGIN),
    cloud("noproject", "Keystone refuses the login of `admin` to project `nowhere` (401)", CHECK_LOGIN),
    cloud("norole", "Keystone refuses the login of `norole` to project `admin` (401)", CHECK_LOGIN),
    cloud("disabled", "Keystone refuses the login of `disabled` to project `admin` (401)", CHECK_LOGIN),
    cloud("unscoped", "the login gave no project's catalog", SET_PROJECT),
    cloud("system", "the login is for the system, and Heat and Swift need a project", ONE_SCOPE),
    cloud("domain", "the login is for a domain, and Heat and Swift need a project", ONE_SCOPE),
    cloud(
        "badregion",
        "the catalog has no internal endpoint of Heat in region `regionTwo`",
        "set `region_name` and `interface` to what `openstack catalog list` shows",
    ),
    cloud("reader", "Swift refuses this: the user's role is not enough (403)", TAKE_ROLE),
    cloud("down", "Keystone cannot be reached at http://127.0.0.1:9: connection refused", REACH),
    cloud(
        "tls-noca",
        "Keystone's certificate is refused: its issuer `lab test CA` is not trusted here",
        "name its CA in `cacert` (clouds.yaml) or OS_CACERT; certmonger's is /etc/pki/ca-trust/source/anchors/cm-local-ca.pem",
    ),
    cloud("tls-other-ca", OTHER_ISSUER, NAME_ISSUER),
    cloud("tls-leaf-as-ca", OTHER_ISSUER, NAME_ISSUER),
    cloud(
        "tls-expired",
        "Keystone's certificate is refused: it has expired on 2021-01-01",
        "have it renewed; is this host's clock right?",
    ),
    cloud(
        "tls-notyet",
        "Keystone's certificate is refused: it is valid only from 2044-01-01 on",
        "is this host's clock right? Else have it made anew",
    ),
    cloud(
        "tls-wronghost",
        "Keystone's certificate is refused: it is made out to `other.example`, not to the IP address `127.0.0.1`",
        "use one of its names in the URL, or have this one added. openssl: -addext subjectAltName=IP:127.0.0.1; certmonger: getcert resubmit -i ID -A 127.0.0.1",
    ),
    cloud(
        "tls-nosan",
        "Keystone's certificate is refused: it has no subjectAltName, so that it is not valid for the IP address `127.0.0.1`: a CN does not count",
        "have it made anew with a name. openssl: -addext subjectAltName=IP:127.0.0.1; certmonger: getcert resubmit -i ID -A 127.0.0.1",
    ),
    cloud(
        "tls-version-1",
        "Keystone's certificate is refused: it is an X.509 certificate of version 1, which can name no host",
        "have it made anew as version 3, with a subjectAltName: openssl req -x509 -addext subjectAltName=…",
    ),
    cloud(
        "tls-purpose",
        "Keystone's certificate is refused: it may not be used by a server (its extendedKeyUsage has no `serverAuth`)",
        "have it made anew with extendedKeyUsage=serverAuth, or without one",
    ),
    cloud(
        "tls-selfsigned",
        "Keystone's certificate is refused: it is self-signed, and not in the file that `cacert` names",
        "fetch it from the server itself, not over this network, and name its file in `cacert` (clouds.yaml) or OS_CACERT",
    ),
    cloud(
        "tls-ca-as-server",
        "Keystone's certificate is refused: it is a CA's own certificate, which may not serve as a server's",
        "let that CA sign a certificate for the server (`CA:FALSE`, a subjectAltName), and keep the CA's in `cacert`",
    ),
    cloud(
        "tls-issuer-is-no-ca",
        "Keystone's certificate is refused: one of its issuers is not a CA (no `CA:TRUE`)",
        "have its CA's certificate made anew with basicConstraints=CA:TRUE",
    ),
    cloud(
        "http-on-https",
        "Keystone answered with status 400",
        "does the URL begin with http:// where the port speaks https?",
    ),
    cloud(
        "no-such-cloud",
        "no cloud `no-such-cloud` in {home}/.config/openstack/clouds.yaml",
        "it has admin, admin-tls, appcred, appcred-name, appcred-name-tls, appcred-tls, badregion, disabled and more; mind the case",
    ),
];

const STACKS: &[Case] = &[
    stack("no-such-stack", "there is no stack `no-such-stack` in this project", LIST_STACKS),
    stack("nooutputs", "stack `nooutputs` has no output `EndpointMap`", NAME_STACK),
    stack(
        "train",
        "the data of all nodes of stack `train` cannot be found",
        "Train keeps it in /var/lib/mistral/train/group_vars/overcloud.json, Ussuri and Victoria in {home}/config-download/train/group_vars/overcloud.json, Wallaby and later in {home}/overcloud-deploy/train/config-download/train/group_vars/overcloud.json, of whoever deployed: name the directory above `group_vars` with --config-download-dir",
    ),
    stack(
        "nulls",
        "output `EndpointMap` of stack `nulls` is null",
        "look, then update the stack: openstack stack output show nulls EndpointMap",
    ),
    stack(
        "masked",
        "output `GlobalConfig` of stack `masked` holds `******`, which is Heat's mask and no value",
        MASKED,
    ),
    stack(
        "inprogress",
        "stack `inprogress` is being changed: its status is CREATE_IN_PROGRESS",
        "wait until it is *_COMPLETE, then pull again",
    ),
    stack(
        "failed",
        "stack `failed` has failed: its status is CREATE_FAILED",
        "its outputs may be stale: repair the stack until it is *_COMPLETE, then pull again",
    ),
];

const PLANS: &[Case] = &[
    plan("no-such-plan", "there is no plan `no-such-plan`: Swift has no container of that name", NAME_PLAN),
    plan(
        "empty",
        "container `empty` holds no plan-environment.yaml",
        "name the right plan with --plan; what is in this one: openstack object list empty",
    ),
    plan("empty-file", "empty-file/plan-environment.yaml is empty", DEPLOYED),
    plan(
        "broken",
        "broken/plan-environment.yaml:4:5: this is not YAML",
        "look at this line and the one before: quotes, indentation, tabs, a missing `: `",
    ),
    plan(
        "not-utf8",
        "not-utf8/plan-environment.yaml:1:56: expected UTF-8",
        "save the file as UTF-8, for instance with `iconv -t UTF-8`",
    ),
    plan(
        "not-a-map",
        "not-a-map/plan-environment.yaml is not a plan: a map with `passwords` and `parameter_defaults`, each a map of parameters",
        DEPLOYED,
    ),
    plan(
        "no-passwords",
        "no-passwords/plan-environment.yaml has no passwords: `passwords` is missing or empty",
        DEPLOYED,
    ),
    plan(
        "null-passwords",
        "null-passwords/plan-environment.yaml has no passwords: `passwords` is missing or empty",
        DEPLOYED,
    ),
    plan(
        "empty-passwords",
        "empty-passwords/plan-environment.yaml has no passwords: `passwords` is missing or empty",
        DEPLOYED,
    ),
    plan(
        "masked",
        "masked/plan-environment.yaml: `NovaPassword` holds `******`, which is Heat's mask and no value",
        MASKED,
    ),
    plan(
        "python-tag",
        "python-tag/plan-environment.yaml:2:18: unsupported tag",
        "a value tagged `!vault` is encrypted by ansible-vault: decrypt it first; put one that only starts with `!` in quotes",
    ),
    plan(
        "bomb",
        "bomb/plan-environment.yaml:2:23: expected at most 1000000 values, and aliases that repeat little text",
        "this is no file of TripleO; look at its aliases",
    ),
];

/// The profiles of the lab with which a pull succeeds.
const GOOD: [&str; 12] = [
    "admin",
    "admin-tls",
    "appcred",
    "appcred-name",
    "appcred-name-tls",
    "appcred-tls",
    "member",
    "tls-insecure",
    "tls-ip",
    "tls-selfsigned-named",
    "trust",
    "trust-tls",
];

/// Those whose secret is good for a moment, and in no file: `logins.rs` and `matrix.rs` pull with them.
const BY_VARIABLES: [&str; 4] = ["token", "token-tls", "totp", "totp-tls"];

/// Those whose error depends on who answers first.
const BY_ONE_OF_TWO: [&str; 3] = ["domuser", "other", "stackuser"];

/// Failures that the lab does not have: names of nothing.
const NOT_OF_THE_LAB: [&str; 3] = ["no-such-cloud", "no-such-plan", "no-such-stack"];

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_cloud_that_refuses_is_explained_and_nothing_is_written() {
    each_is_explained(CLOUDS);
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_stack_that_is_not_whole_is_explained_and_nothing_is_written() {
    each_is_explained(STACKS);
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_plan_that_is_no_plan_is_explained_without_quoting_it_and_nothing_is_written() {
    each_is_explained(PLANS);
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_user_who_is_refused_by_two_services_hears_it_from_one_of_them() {
    // Heat and Swift are asked at the same time: what is said depends on who answers first
    let no_plan = cloud("", "there is no plan `overcloud`: Swift has no container of that name", NAME_PLAN);
    let no_stack = cloud("", "there is no stack `standalone` in this project", LIST_STACKS);
    let swift = cloud("", "Swift refuses this: the user's role is not enough (403)", TAKE_ROLE);
    let heat = cloud("", "Heat refuses this: the user's role is not enough (403)", ASK_HEAT);
    for (name, by_swift, by_heat) in
        [("other", &no_plan, &no_stack), ("domuser", &no_plan, &no_stack), ("stackuser", &swift, &heat)]
    {
        let wrong = complaints(&cloud(name, "", ""), &[by_swift.words(), by_heat.words()]);
        assert_eq!(wrong, None);
    }
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn an_unverified_certificate_is_accepted_on_request_with_a_warning() {
    let operator = Operator::new(User::Own);
    let pulled = operator.pull(Way::Cloud("tls-insecure"), "standalone", "overcloud");
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    let warning = "warning: certificates are not verified (`verify: false`): whoever sits on the network can read and \
                   answer for the cloud\n";
    assert!(pulled.err.contains(warning), "{}", pulled.err);
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_good_profile_pulls() {
    for name in GOOD {
        let operator = Operator::new(User::Own);
        let pulled = operator.pull(Way::Cloud(name), "standalone", "overcloud");
        assert_eq!(pulled.code, 0, "{name}: {}", pulled.err);
    }
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn tls_goes_through_a_proxy_untouched_and_certificates_are_explained_as_without() {
    let operator = Operator::new(User::Own);
    let proxy = HttpProxy::start();
    let pull = |cloud: &str| {
        let mut program = operator.program();
        program.env("https_proxy", format!("http://{}", proxy.address)).args(["pull", "--os-cloud", cloud]);
        said(program.args(["--stack", "standalone", "-r", &operator.recipient, "-o", "bundle"]))
    };
    let pulled = pull("tls-ip");
    let through = format!("warning: through the proxy {}, as the environment says: ", proxy.address);
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    assert!(pulled.err.starts_with(&format!("{through}Keystone\n{through}Heat, Swift\n")), "{}", pulled.err);
    assert!(proxy.heads().iter().all(|head| head.starts_with("CONNECT 127.0.0.1:")), "{:?}", proxy.heads());
    for name in ["tls-noca", "tls-nosan", "tls-expired"] {
        let case = CLOUDS.iter().find(|case| case.cloud == name).unwrap();
        assert_eq!(after_the_way(&pull(name).err), case.words());
    }
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn no_failure_of_the_lab_is_left_out() {
    let lab = Lab::running();
    let tested = |place: &str, cases: &[Case], name: fn(&Case) -> &'static str| {
        let names = cases.iter().map(name).filter(|name| !NOT_OF_THE_LAB.contains(name));
        names.map(|name| format!("{place}\t{name}")).collect::<Vec<_>>()
    };
    let by_one = BY_ONE_OF_TWO.map(|name| format!("cloud\t{name}"));
    let tested: BTreeSet<String> = tested("cloud", CLOUDS, |case| case.cloud)
        .into_iter()
        .chain(by_one)
        .chain(tested("stack", STACKS, |case| case.stack))
        .chain(tested("plan", PLANS, |case| case.plan))
        .chain(live::FAULTS.map(|name| format!("service\t{name}")))
        .collect();
    let listed = lab.command(&["failures"]);
    let listed: BTreeSet<String> =
        listed.lines().filter_map(|line| Some(line.rsplit_once('\t')?.0.to_owned())).collect();
    assert_eq!(tested, listed, "the tables here, and `lab failures`");

    let profiles = lab.command(&["env", "--list"]);
    let known = |name: &str| {
        GOOD.contains(&name) || BY_VARIABLES.contains(&name) || listed.contains(&format!("cloud\t{name}"))
    };
    let unknown: Vec<&str> = profiles.lines().filter(|name| !known(name)).collect();
    assert_eq!(unknown, Vec::<&str>::new(), "profiles that are neither good nor a failure");
}
