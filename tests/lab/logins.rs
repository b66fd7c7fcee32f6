//! Every way to log in, against the real Keystone, over http and TLS: what comes is the same, and no token of ours is left.

#![allow(clippy::disallowed_methods, reason = "tests start processes")]

use std::collections::BTreeMap;
use std::process::Command;

use crate::operator::{Operator, User, Way};
use crate::program::refusal::after_the_way;
use crate::program::said;

/// A token of the lab's own, and what Keystone says of it.
fn is_alive(operator: &Operator, token: &str) -> bool {
    let keystone = operator.lab.variables("admin").remove("OS_AUTH_URL").unwrap();
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--output", "/dev/null", "--write-out", "%{http_code}"]);
    // Its own token in both headers: who may ask is who is asked about
    for header in ["X-Auth-Token", "X-Subject-Token"] {
        curl.arg("--header").arg(format!("{header}: {token}"));
    }
    said(curl.arg(format!("{keystone}/auth/tokens"))).succeeded() == "200"
}

fn pulls(profile: &'static str, way: Way) -> (Operator, BTreeMap<String, String>) {
    let operator = Operator::new(User::Own);
    let variables = match way {
        Way::Variables(_) => operator.variables(profile),
        Way::Cloud(_) => BTreeMap::new(),
    };
    let mut command = operator.program();
    command.args(["pull", "--batch", "--stack", "standalone", "--plan", "overcloud", "-o", "bundle", "-r"]);
    command.arg(&operator.recipient).envs(&variables);
    if let Way::Cloud(name) = way {
        command.args(["--os-cloud", name]);
    }
    let pulled = said(&mut command);
    assert_eq!(pulled.code, 0, "{profile}: {}", pulled.err);
    assert!(!pulled.err.contains("revoked"), "{profile}: {}", pulled.err);
    let (expected, opened) = (operator.lab.expected(), operator.open_by_age());
    operator.lab.python("check_passwords.py", [&expected, &opened.join("passwords.yaml")]).succeeded();
    operator.has_no_secret_in_clear(&pulled.err);
    (operator, variables)
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn an_application_credential_pulls_by_its_id_and_by_its_name() {
    for profile in ["appcred", "appcred-tls", "appcred-name", "appcred-name-tls"] {
        pulls(profile, Way::Cloud(profile));
        pulls(profile, Way::Variables(profile));
    }
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_trustee_pulls_from_the_trustors_project() {
    for profile in ["trust", "trust-tls"] {
        pulls(profile, Way::Cloud(profile));
        pulls(profile, Way::Variables(profile));
    }
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_password_and_a_code_pull_together_and_neither_does_alone() {
    for profile in ["totp", "totp-tls"] {
        pulls(profile, Way::Variables(profile));
    }
    let operator = Operator::new(User::Own);
    for (name, value) in [("OS_PASSCODE", "000000"), ("OS_PASSWORD", "wrong"), ("OS_AUTH_TYPE", "v3password")]
    {
        let mut command = operator.program();
        command.args(["pull", "--batch", "-r", &operator.recipient]);
        let refused = said(command.envs(operator.variables("totp")).env(name, value));
        let err = "error: Keystone refuses the login of `totp` to project `admin` (401)\n";
        assert_eq!(refused.code, 1);
        assert!(after_the_way(&refused.err).starts_with(err), "{name}: {}", refused.err);
    }
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_given_token_is_exchanged_for_one_with_a_project_and_outlives_the_pull() {
    for profile in ["token", "token-tls"] {
        let (operator, variables) = pulls(profile, Way::Variables(profile));
        assert!(is_alive(&operator, &variables["OS_TOKEN"]), "{profile}");
    }
    assert!(!is_alive(&Operator::new(User::Own), "gAAAAA-none"));
    let operator = Operator::new(User::Own);
    let mut command = operator.program();
    command.args(["pull", "--batch", "-r", &operator.recipient]).envs(operator.variables("token-tls"));
    let refused = said(command.env("OS_TOKEN", "gAAAAA-none"));
    let err = "error: Keystone does not know the token: it has expired, or was revoked (404)\nhint: `openstack token issue` prints a new one\n";
    assert_eq!((refused.code, refused.err.as_str()), (1, err));
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_token_in_a_file_logs_in_at_a_cloud_that_has_a_password() {
    let operator = Operator::new(User::Own);
    let token = operator.variables("token").remove("OS_TOKEN").unwrap();
    std::fs::write(operator.home().join("token"), &token).unwrap();
    said(Command::new("chmod").arg("600").arg(operator.home().join("token"))).succeeded();
    let mut command = operator.program();
    command.args(["pull", "--batch", "--os-cloud", "wrongpw", "--os-token-file", "token"]);
    let pulled = said(command.args(["--stack", "standalone", "-r", &operator.recipient, "-o", "bundle"]));
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    assert!(is_alive(&operator, &token));
}
