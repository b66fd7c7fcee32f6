//! Every way to log in, what is revoked, and the new login after a 401.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test may panic")]

mod cloud;
mod program;

use cloud::{APPLICATION_CREDENTIAL, Cloud, Contents, ErrorBody, Fault, PASSCODE, Place, TRUST};
use program::refusal::{after_the_way, assert_refused};
use program::{Said, Scratch, occurring, said};

/// Changes of the variables, the error, and its hint.
type Row<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);

/// A cloud, and somebody who pulls from it.
struct Operator {
    cloud: Cloud,
    scratch: Scratch,
    recipient: String,
}

impl Operator {
    fn new() -> Self {
        let scratch = Scratch::new();
        let (_, recipient) = scratch.keygen("identity.txt");
        Self { cloud: Cloud::start(Contents::made_up()), scratch, recipient }
    }

    /// Pulls with the stackrc's variables and these; an empty one is none.
    fn pull(&self, changes: &[(&str, &str)], arguments: &[&str]) -> Said {
        let mut program = self.scratch.program();
        program.envs(self.cloud.os_variables()).envs(changes.iter().copied());
        said(program.args(["pull", "--batch", "-r", &self.recipient, "-o", "bundle"]).args(arguments))
    }

    /// Fails unless the pull went well, with so many logins, and left no token of ours and no secret in what was said.
    #[track_caller]
    fn has_pulled(&self, pulled: &Said, logins: usize) {
        assert_eq!(pulled.code, 0, "{}", pulled.err);
        assert_eq!(self.cloud.logins(), logins);
        assert!(!pulled.err.contains("revoked"), "{}", pulled.err);
        assert_eq!(occurring(&self.cloud.secrets(), pulled.err.as_bytes()), Vec::<&String>::new());
        assert_eq!(self.scratch.run(["show", "-b", "bundle"]).code, 0);
    }

    #[track_caller]
    fn is_refused(&self, changes: &[(&str, &str)], arguments: &[&str], err: &str) {
        let pulled = self.pull(changes, arguments);
        let rest = Said { err: after_the_way(&pulled.err).to_owned(), ..pulled };
        assert_refused(&rest, 1, &self.scratch.filled(err));
        assert!(!self.scratch.join("bundle").exists());
    }
}

const TWO_FACTORS: [(&str, &str); 3] =
    [("OS_AUTH_TYPE", "v3multifactor"), ("OS_AUTH_METHODS", "v3password,v3totp"), ("OS_PASSCODE", PASSCODE)];

#[test]
fn each_way_to_log_in_pulls_and_what_it_made_is_revoked() {
    for way in [
        &[("OS_AUTH_TYPE", "v3password")][..],
        &[("OS_AUTH_TYPE", "v3totp"), ("OS_PASSCODE", PASSCODE)],
        &TWO_FACTORS,
        &[("OS_TRUST_ID", TRUST), ("OS_PROJECT_NAME", "")],
    ] {
        let operator = Operator::new();
        operator.has_pulled(&operator.pull(way, &[]), 1);
        assert_eq!(operator.cloud.tokens_alive(), 0, "{way:?}");
    }
}

#[test]
fn an_application_credential_logs_in_for_its_own_project() {
    let operator = Operator::new();
    let secret = operator.cloud.contents().password.clone();
    let way = [
        ("OS_AUTH_TYPE", "v3applicationcredential"),
        ("OS_APPLICATION_CREDENTIAL_ID", APPLICATION_CREDENTIAL),
        ("OS_APPLICATION_CREDENTIAL_SECRET", &secret),
    ];
    operator.has_pulled(&operator.pull(&way, &[]), 1);
    assert_eq!(operator.cloud.tokens_alive(), 0);
}

#[test]
fn a_token_that_was_given_is_exchanged_and_is_never_revoked() {
    let operator = Operator::new();
    let token = operator.cloud.issue_token();
    operator.has_pulled(&operator.pull(&[("OS_AUTH_TYPE", "token"), ("OS_TOKEN", &token)], &[]), 1);
    assert_eq!(operator.cloud.tokens_alive(), 1);

    operator.scratch.write("token", format!("{token}\n"), 0o600);
    operator.has_pulled(&operator.pull(&[], &["--os-token-file", "token"]), 2);
    assert_eq!((operator.cloud.tokens_alive(), operator.cloud.tokens_issued().len()), (1, 3));
    let revoked = operator.cloud.requests().iter().filter(|request| request.starts_with("DELETE")).count();
    assert_eq!(revoked, 2);
}

#[test]
fn a_heat_without_keystone_is_asked_without_a_token() {
    let operator = Operator::new();
    operator.cloud.open();
    let alone = [("OS_AUTH_TYPE", "none"), ("OS_ENDPOINT", &operator.cloud.heat_url())];
    operator.has_pulled(&operator.pull(&alone, &[]), 0);
    let asked = operator.cloud.requests();
    assert!(asked.iter().all(|request| request.starts_with("GET /orchestration/")), "{asked:?}");
    let manifest = std::fs::read_to_string(operator.scratch.join("bundle/manifest.json")).unwrap();
    assert!(manifest.contains("\"project\": \"admin\"") && !manifest.contains("auth_url"), "{manifest}");
}

#[test]
fn an_admin_token_is_used_as_it_is_and_is_never_revoked() {
    let operator = Operator::new();
    let token = operator.cloud.issue_token();
    let heat = operator.cloud.heat_url();
    let way = [("OS_AUTH_TYPE", "admin_token"), ("OS_TOKEN", token.as_str()), ("OS_ENDPOINT", &heat)];
    operator.has_pulled(&operator.pull(&way, &[]), 0);
    assert_eq!(operator.cloud.tokens_alive(), 1);
    operator.cloud.expire_tokens();
    std::fs::remove_dir_all(operator.scratch.join("bundle")).unwrap();
    std::fs::remove_dir_all(operator.scratch.join(".local/state/dcn-vault/pulled")).unwrap();
    let refused = operator.pull(&way, &[]);
    assert_eq!((refused.code, operator.cloud.logins()), (1, 0));
    assert!(
        after_the_way(&refused.err).starts_with("error: Heat does not accept the token"),
        "{}",
        refused.err
    );
}

#[test]
fn an_endpoint_of_the_settings_is_asked_instead_of_the_catalogs() {
    let operator = Operator::new();
    let heat = operator.cloud.heat_url().replace(operator.cloud.project_id(), "%(project_id)s");
    operator.cloud.fault(Fault::NoSwift);
    let way = [("OS_INTERFACE", "admin"), ("OS_ORCHESTRATION_ENDPOINT_OVERRIDE", heat.as_str())];
    operator.has_pulled(&operator.pull(&way, &[]), 1);
    let nowhere = [("OS_ORCHESTRATION_ENDPOINT_OVERRIDE", "http://127.0.0.1:9/v1/x")];
    let pulled = operator.pull(&nowhere, &[]);
    assert!(
        after_the_way(&pulled.err).starts_with("error: Heat cannot be reached at http://127.0.0.1:9: "),
        "{}",
        pulled.err
    );
}

#[test]
fn tokens_that_die_at_any_moment_of_a_pull_are_replaced_by_one_new_login() {
    let requests = {
        let operator = Operator::new();
        operator.has_pulled(&operator.pull(&[], &[]), 1);
        let all = operator.cloud.requests();
        u32::try_from(all.iter().filter(|request| !request.contains("/identity/")).count()).unwrap()
    };
    assert!(requests > 8);
    for moment in 0..requests {
        let operator = Operator::new();
        operator.cloud.expire_tokens_after(moment);
        operator.has_pulled(&operator.pull(&[], &[]), 2);
        assert_eq!(operator.cloud.tokens_alive(), 0, "after {moment} requests");
    }
}

#[test]
fn a_second_401_is_the_error_and_both_tokens_are_revoked() {
    let operator = Operator::new();
    operator.cloud.fault(Fault::Status(Place::Swift, 401, ErrorBody::Json));
    let err = "error: Swift does not accept the token that Keystone gave (401)\nhint: pull again; if it stays so, the service's own login to Keystone is broken\n";
    operator.is_refused(&[], &[], err);
    assert_eq!((operator.cloud.logins(), operator.cloud.tokens_alive()), (2, 0));
}

#[test]
fn what_logs_in_once_is_not_tried_again() {
    let hint = "hint: pull again with a new one; a password or an application credential needs none\n";
    let operator = Operator::new();
    operator.cloud.expire_tokens_after(0);
    let err = "error: Heat does not accept the token any more (401), and a one-time code cannot log in a second time\n";
    operator.is_refused(&TWO_FACTORS, &[], &(err.to_owned() + hint));
    assert_eq!(operator.cloud.logins(), 1);

    let token = operator.cloud.issue_token();
    operator.cloud.fault(Fault::Status(Place::Heat, 401, ErrorBody::Json));
    let err = "error: Heat does not accept the token any more (401), and a token that was given cannot log in a second time\n";
    let given = [("OS_AUTH_TYPE", "token"), ("OS_TOKEN", token.as_str())];
    operator.is_refused(&given, &[], &(err.to_owned() + hint));
    assert_eq!((operator.cloud.logins(), operator.cloud.tokens_alive()), (2, 1));
}

#[test]
fn a_password_is_read_from_a_file_that_is_its_owners_alone() {
    let operator = Operator::new();
    let none = [("OS_PASSWORD", "")];
    let password = operator.cloud.contents().password.clone();
    for text in [password.clone(), format!("{password}\n"), format!("{password}\r\n")] {
        operator.scratch.write("password", text, 0o600);
        let pulled = operator.pull(&none, &["--os-password-file", "password"]);
        assert_eq!(pulled.code, 0, "{}", pulled.err);
    }
    // It wins over the variable
    assert_eq!(operator.pull(&[("OS_PASSWORD", "x")], &["--os-password-file", "password"]).code, 0);
    std::fs::remove_dir_all(operator.scratch.join("bundle")).unwrap();
    std::fs::remove_dir_all(operator.scratch.join(".local/state/dcn-vault/pulled")).unwrap();
    operator.scratch.write("open", &password, 0o640);
    let err = "error: `open` can be read by others: its mode is 0640\nhint: chmod 600 open\n";
    operator.is_refused(&none, &["--os-password-file", "open"], err);
    for text in ["", "\n", "two\nlines\n", "\u{fffd}\n\n"] {
        operator.scratch.write("odd", text, 0o600);
        let err = "error: `odd` is not one line of text\nhint: it has the secret, and nothing else\n";
        operator.is_refused(&none, &["--os-password-file", "odd"], err);
    }
}

#[test]
fn a_password_that_the_login_does_not_take_is_not_passed_over() {
    let operator = Operator::new();
    let secret = operator.cloud.contents().password.clone();
    operator.scratch.write("password", &secret, 0o600);
    let ways: [&[(&str, &str)]; 3] = [
        &[
            ("OS_AUTH_TYPE", "v3applicationcredential"),
            ("OS_APPLICATION_CREDENTIAL_ID", APPLICATION_CREDENTIAL),
            ("OS_APPLICATION_CREDENTIAL_SECRET", &secret),
        ],
        &[("OS_AUTH_TYPE", "token"), ("OS_TOKEN", "x")],
        &[("OS_AUTH_TYPE", "none"), ("OS_ENDPOINT", "http://127.0.0.1:9")],
    ];
    let err = "error: the login takes no password, and one was given\nhint: leave --os-password-file out, or set `auth_type` to `password`\n";
    for way in ways {
        operator.is_refused(way, &["--os-password-file", "password"], err);
    }
    operator.scratch.write("token", "x", 0o600);
    let both = operator.pull(&[], &["--os-password-file", "password", "--os-token-file", "token"]);
    assert_eq!(both.code, 2, "{}", both.err);
    assert!(both.err.contains("cannot be used with '--os-token-file <FILE>'"), "{}", both.err);
    assert_eq!(operator.cloud.requests(), Vec::<String>::new());
}

#[test]
fn a_variable_that_is_no_text_is_named_and_not_passed_over() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let operator = Operator::new();
    let pull = |name: &str| {
        let mut program = operator.scratch.program();
        program.envs(operator.cloud.os_variables()).env(name, OsStr::from_bytes(b"caf\xe9"));
        said(program.args(["pull", "--batch", "-r", &operator.recipient, "-o", "bundle"]))
    };
    for name in ["OS_PASSWORD", "OS_PROJECT_NAME"] {
        let hint = "hint: set it anew, where the locale is one of UTF-8\n";
        assert_refused(&pull(name), 1, &format!("error: `{name}` is not text in UTF-8\n{hint}"));
    }
    // A path may be any bytes, and the last one is nothing to us
    for name in ["OS_CLIENT_SECURE_FILE", "OS_LOG_FORMAT"] {
        operator.has_pulled(&pull(name), operator.cloud.logins());
        std::fs::remove_dir_all(operator.scratch.join("bundle")).unwrap();
        std::fs::remove_dir_all(operator.scratch.join(".local/state/dcn-vault/pulled")).unwrap();
    }
}

#[test]
fn what_no_file_and_no_variable_has_is_named_when_nobody_may_be_asked() {
    let operator = Operator::new();
    #[rustfmt::skip]
    let rows: &[Row<'_>] = &[
        (&[("OS_PASSWORD", "")], "`OS_PASSWORD` is not set", "give it with --os-password-file FILE, or be asked for it: at a terminal, without --batch"),
        (&[("OS_AUTH_TYPE", "v3totp")], "`OS_PASSCODE` is not set", "set OS_PASSCODE, or be asked for it: at a terminal, without --batch"),
        (&[("OS_AUTH_TYPE", "token")], "`OS_TOKEN` is not set", "give it with --os-token-file FILE: `openstack token issue` prints one"),
        (&[("OS_AUTH_TYPE", "v3oidcpassword")], "the auth type `v3oidcpassword` is not supported", "those that are: password, token, v3applicationcredential, v3totp, v3multifactor, none, admin_token"),
        (&[("OS_TRUST_ID", "x")], "the login is for two things at once: of project, domain, trust and system it can be for one", "leave the others out of the cloud's `auth` or of the OS_* variables"),
        (&[("OS_PROFILE", "https://vendor.example")], "the profile is a URL, and none is fetched from the network", "write what it has to clouds-public.yaml, and name it in `profile`"),
    ];
    for (changes, error, hint) in rows {
        operator.is_refused(changes, &[], &format!("error: {error}\nhint: {hint}\n"));
    }
    assert_eq!(operator.cloud.requests(), Vec::<String>::new());
}
