//! Settings that are missing or wrong: variables, clouds.yaml, dcn-vault.yaml. Named, never quoted.

mod program;

use std::path::Path;

use program::Scratch;

const CORRECT: &str = "hint: correct it in clouds.yaml or in the environment\n";

#[test]
fn a_variable_that_is_missing_is_named() {
    let (scratch, recipient) = Scratch::with_plan();
    let all = [
        ("OS_AUTH_URL", "http://127.0.0.1:1"),
        ("OS_USERNAME", "admin"),
        ("OS_PASSWORD", "not-a-real-secret"),
    ];
    for (missing, _) in all {
        let hint = if missing == "OS_PASSWORD" {
            "give it with --os-password-file FILE, or be asked for it: at a terminal, without --batch"
        } else {
            "source the undercloud's stackrc, or name a clouds.yaml entry with --os-cloud"
        };
        let err = format!("error: `{missing}` is not set\nhint: {hint}\n");
        let rest: Vec<_> = all.into_iter().filter(|(name, _)| *name != missing).collect();
        scratch.refuses_with(&["pull", "--batch", "-r", &recipient], &rest, &err);
        let emptied: Vec<_> = rest.into_iter().chain([(missing, "")]).collect();
        scratch.refuses_with(&["pull", "--batch", "-r", &recipient], &emptied, &err);
    }
    let rows = [
        (
            "OS_AUTH_URL",
            "https://admin:not-a-real-secret@h",
            "the setting `auth_url` cannot be used: a URL with a password in it would end up in logs",
        ),
        ("OS_AUTH_URL", "nonsense", "the setting `auth_url` cannot be used: it is no URL"),
        (
            "OS_AUTH_URL",
            "ftp://h",
            "the setting `auth_url` cannot be used: it must begin with `https://` or `http://`",
        ),
        (
            "OS_INTERFACE",
            "private",
            "the setting `interface` cannot be used: it must be `public`, `internal` or `admin`",
        ),
    ];
    for (name, value, error) in rows {
        let variables: Vec<_> = all.into_iter().chain([(name, value)]).collect();
        scratch.refuses_with(&["pull", "-r", &recipient], &variables, &format!("error: {error}\n{CORRECT}"));
    }
    scratch.write("ca.pem", "no certificate", 0o644);
    let variables: Vec<_> = all.into_iter().chain([("OS_CACERT", "ca.pem")]).collect();
    let err = "error: the CA file `ca.pem` holds no PEM certificate\nhint: name a file with `-----BEGIN CERTIFICATE-----` in it\n";
    scratch.refuses_with(&["pull", "-r", &recipient], &variables, err);
}

#[test]
fn a_clouds_yaml_that_is_broken_is_named_and_not_quoted() {
    let (scratch, recipient) = Scratch::with_plan();
    let pull = ["pull", "--os-cloud", "centre", "-r", &recipient];
    let rows: &[(&str, &str)] = &[
        (
            "clouds: {other: {}}\n",
            "error: no cloud `centre` in clouds.yaml\nhint: it has other; mind the case\n",
        ),
        (
            "clouds: {}\n",
            "error: no cloud `centre` in clouds.yaml\nhint: it has no cloud: they stand under `clouds:`\n",
        ),
        (
            "clouds:\n  centre:\n    auth: not-a-real-secret\n",
            "error: cloud `centre` in clouds.yaml has no `auth_url`\nhint: add `auth_url` to the cloud's `auth`\n",
        ),
        (
            "clouds:\n  centre: not-a-real-secret\n",
            "error: clouds.yaml: cloud `centre`: not a map of settings\nhint: it has `clouds:`, and under it a map for each cloud\n",
        ),
        (
            "- not-a-real-secret\n",
            "error: clouds.yaml: not a map of settings\nhint: it has `clouds:`, and under it a map for each cloud\n",
        ),
        (
            "clouds:\n  centre:\n    auth: {password: 'not-a-real-secret\n",
            "error: clouds.yaml:3:22: this is not YAML\nhint: look at this line and the one before: quotes, indentation, tabs, a missing `: `\n",
        ),
        (
            "clouds: {centre: {auth: {}}}\n",
            "error: cloud `centre` in clouds.yaml has no `auth_url`\nhint: add `auth_url` to the cloud's `auth`\n",
        ),
    ];
    for (text, err) in rows {
        scratch.write("clouds.yaml", text, 0o600);
        scratch.refuses(&pull, err);
    }
    std::fs::remove_file(scratch.join("clouds.yaml")).unwrap();
    if !Path::new("/etc/openstack/clouds.yaml").exists() {
        let none = "error: no clouds.yaml found; looked for clouds.yaml, {here}/.config/openstack/clouds.yaml, /etc/xdg/openstack/clouds.yaml, /etc/openstack/clouds.yaml\nhint: put clouds.yaml there, or leave --os-cloud out and source the stackrc\n";
        scratch.refuses(&pull, none);
        scratch.refuses_with(&["pull", "-r", &recipient], &[("OS_CLOUD", "centre")], none);
    }
}

#[test]
fn a_setting_that_is_not_known_is_an_error() {
    let (scratch, _) = Scratch::with_plan();
    scratch.write("dcn-vault.yaml", "version: 1\nsource:\n  cluod: centre\n", 0o644);
    let err = "error: `{here}/dcn-vault.yaml`:3:3: no setting of `source`\nhint: did you mean `cloud`?\n";
    scratch.refuses(&["pull", "--from-file", "plan.yaml"], err);
    scratch.write("dcn-vault.yaml", "version: 2\n", 0o644);
    let err = "error: `{here}/dcn-vault.yaml` is of version 2\nhint: use a newer dcn-vault, or write `version: 1`\n";
    scratch.refuses(&["pull", "--from-file", "plan.yaml"], err);
}

#[test]
fn what_barbican_has_takes_a_cloud_and_a_secret_typed_in_place_of_its_reference_is_not_repeated() {
    let (scratch, recipient) = Scratch::with_plan();
    let secret = "d1b0ff6d2fed266789c69294";
    let err = "error: an argument of --barbican names no parameter\nhint: write REF=PARAMETER, REF as Barbican prints it: `…/v1/secrets/UUID` or `…/v1/containers/UUID`\n";
    scratch.refuses(&["pull", "--barbican", secret, "-r", &recipient], err);
    let hint = err.lines().nth(1).unwrap();
    let err = format!("error: the reference for `SSLKey` names no secret of Barbican\n{hint}\n");
    scratch.refuses(&["pull", "--barbican", &format!("{secret}=SSLKey"), "-r", &recipient], &err);
    let settings = "version: 1\nsource: {barbican: {SSLKey: b871488c-e78e-4d1b-bb1c-5f31aaf608ef}}\n";
    scratch.write("dcn-vault.yaml", settings, 0o644);
    let pulled = scratch.run(["pull", "--from-file", "plan.yaml", "-r", &recipient]);
    let warning = "warning: what the vault wants of Barbican is left out: it takes a cloud\n";
    assert!(pulled.code == 0 && pulled.err.starts_with(warning), "{}", pulled.err);
}
