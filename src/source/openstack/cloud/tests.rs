use super::*;

const STACKRC: [(&str, &str); 7] = [
    ("OS_AUTH_URL", "https://192.168.24.2:13000"),
    ("OS_USERNAME", "admin"),
    ("OS_PASSWORD", "hunter2"),
    ("OS_PROJECT_NAME", "admin"),
    ("OS_USER_DOMAIN_NAME", "Default"),
    ("OS_PROJECT_DOMAIN_NAME", "Default"),
    ("OS_CACERT", ""),
];

fn found(changes: &[(&str, &str)]) -> Result<CloudSettings, SourceError> {
    let mut environment: BTreeMap<&str, &str> = STACKRC.into_iter().collect();
    environment.extend(changes.iter().copied());
    let environment = environment.into_iter().map(|(name, value)| (name.into(), value.into()));
    CloudSettings::find(None, Variables::of(environment, Path::new("/nowhere"))?)
}

fn error(changes: &[(&str, &str)]) -> String {
    found(changes).unwrap_err().to_string()
}

#[test]
fn a_stackrc_is_enough_and_its_url_gets_a_version() {
    let found = found(&[]).unwrap();
    assert_eq!(found.auth_url.as_ref().unwrap().as_str(), "https://192.168.24.2:13000/v3");
    assert_eq!(found.interface, "public");
    assert!(found.verify && found.ca.is_none() && found.lacking().is_empty());
}

#[test]
fn the_old_spelling_of_the_interface_is_understood_and_wins() {
    let given = [("OS_ENDPOINT_TYPE", "internalURL"), ("OS_INTERFACE", "admin")];
    assert_eq!(found(&given).unwrap().interface, "internal");
    assert_eq!(found(&given[1..]).unwrap().interface, "admin");
}

#[test]
fn what_is_missing_is_named_as_the_variable_and_a_password_can_still_be_given() {
    assert_eq!(error(&[("OS_AUTH_URL", "")]), "`OS_AUTH_URL` is not set");
    assert_eq!(error(&[("OS_USERNAME", "")]), "`OS_USERNAME` is not set");
    let mut found = found(&[("OS_PASSWORD", "")]).unwrap();
    assert_eq!(found.lacking(), [Credential::Password]);
    assert_eq!(found.misses(Credential::Password).to_string(), "`OS_PASSWORD` is not set");
    found.give(Credential::Password, SecretValue::copy_of("hunter2")).unwrap();
    assert!(found.lacking().is_empty());
}

#[test]
fn a_url_with_a_password_is_refused_without_repeating_it() {
    let text = error(&[("OS_AUTH_URL", "https://admin:hunter2@keystone")]);
    assert_eq!(
        text,
        "the setting `auth_url` cannot be used: a URL with a password in it would end up in logs"
    );
}

#[test]
fn turning_verification_off_is_never_silent() {
    for given in [("OS_VERIFY", "False"), ("OS_INSECURE", "true"), ("OS_INSECURE", "True")] {
        assert_eq!(found(&[given]).unwrap().warnings(), [Warning::NotVerified]);
    }
    for given in [("OS_INSECURE", "1"), ("OS_INSECURE", "no"), ("OS_VERIFY", "True")] {
        assert_eq!(found(&[given]).unwrap().warnings(), []);
    }
}

#[test]
fn no_secret_is_shown_by_debug_or_described() {
    let secrets = [
        ("OS_PASSWORD", "hunter2"),
        ("OS_TOKEN", "hunter2"),
        ("OS_PASSCODE", "hunter2"),
        ("OS_APPLICATION_CREDENTIAL_SECRET", "hunter2"),
        ("OS_APPLICATION_CREDENTIAL_ID", "an-id"),
        ("OS_AUTH_METHODS", "v3password,v3totp,v3token,v3applicationcredential"),
    ];
    for auth_type in ["password", "token", "v3totp", "v3applicationcredential", "v3multifactor"] {
        let settings = found(&[&secrets[..], &[("OS_AUTH_TYPE", auth_type)]].concat()).unwrap();
        let shown = format!("{settings:?}{:?}", settings.describe());
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(settings.lacking().is_empty(), "{auth_type}");
    }
}

#[test]
fn a_password_in_a_url_that_nobody_asks_is_not_shown_either() {
    // Each in a login that does not use it: one that does refuses it
    let endpoints = [
        ("OS_ENDPOINT", "http://admin:hunter2@h/v1/%(project_id)s"),
        ("OS_KEY_MANAGER_ENDPOINT", "https://h/a@b"),
    ];
    let settings = found(&endpoints).unwrap();
    let shown = format!("{settings:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("admin:"), "{shown}");
    assert_eq!(settings.describe()["endpoint"], "http://h/v1/%(project_id)s");
    assert_eq!(settings.describe()["key_manager_endpoint_override"], "https://h/a@b");
    let alone = [
        ("OS_AUTH_TYPE", "none"),
        ("OS_ENDPOINT", "http://h"),
        ("OS_AUTH_URL", "https://admin:hunter2@keystone"),
    ];
    assert_eq!(found(&alone).unwrap().describe()["auth_url"], "https://keystone/");
    for odd in
        ["admin:hunter2@h", "http:admin:hunter2@h", "http://admin:hunter2@h:x", "http:\\\\admin:hunter2@h"]
    {
        let settings = found(&[("OS_ENDPOINT", odd)]).unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"), "{odd}");
    }
}

#[test]
fn a_password_in_an_endpoint_within_auth_is_not_shown() {
    let here = fs::TemporaryDirectory::scratch();
    let text = "clouds: {a: {auth: {auth_url: 'http://h', username: u, password: p, orchestration_endpoint_override: 'http://u:hunter2@h'}}}\n";
    let variables = Variables { clouds_files: vec![here.write("clouds.yaml", text)], ..Variables::default() };
    let settings = CloudSettings::find(Some("a"), variables).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"), "{settings:?}");
    assert_eq!(settings.describe()["orchestration_endpoint_override"], "http://h/");
}

#[test]
fn a_login_that_we_cannot_do_is_named_and_so_are_those_that_we_can() {
    use crate::report::Hint;
    for auth_type in ["v3oidcpassword", "v3kerberos", "v2password", "http_basic"] {
        let error = found(&[("OS_AUTH_TYPE", auth_type)]).unwrap_err();
        assert_eq!(error.to_string(), format!("the auth type `{auth_type}` is not supported"));
        assert_eq!(
            error.hint(),
            "those that are: password, token, v3applicationcredential, v3totp, v3multifactor, none, admin_token"
        );
    }
}

#[test]
fn a_login_is_for_one_thing() {
    let both = [("OS_TRUST_ID", "a-trust")];
    assert_eq!(
        error(&both),
        "the login is for two things at once: of project, domain, trust and system it can be for one"
    );
    let one = [("OS_TRUST_ID", "a-trust"), ("OS_PROJECT_NAME", "")];
    assert!(found(&one).is_ok());
}

#[test]
fn a_heat_without_keystone_has_one_project_and_needs_its_address() {
    let alone = [("OS_AUTH_TYPE", "none")];
    assert_eq!(error(&alone), "`OS_ENDPOINT` is not set");
    for endpoint in ["http://127.0.0.1:8006", "http://127.0.0.1:8006/", "http://127.0.0.1:8006/v1/admin"] {
        let settings = found(&[("OS_AUTH_TYPE", "none"), ("OS_ENDPOINT", endpoint)]).unwrap();
        let heat = settings.place(Service::Heat).unwrap().endpoint_for("admin").unwrap().unwrap();
        assert_eq!(heat.as_str(), "http://127.0.0.1:8006/v1/admin");
        assert!(settings.auth_url.is_none() && settings.place(Service::Swift).unwrap().endpoint.is_none());
    }
}
