//! Where a `pull` finds what it needs, and where it puts what it made.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod cloud;
mod program;

use cloud::{Cloud, Contents};
use program::refusal::{assert_refused, assert_refused_over_http};
use program::{PLAN, Said, Scratch, occurring, said};
use serde_json::Value;

const SIGNING_KEY: &str = ".config/dcn-vault/signing_key";
const FROM_FILE: [&str; 3] = ["pull", "--from-file", "plan.yaml"];

fn pulled(ended: &Said) {
    assert_eq!((ended.code, ended.out.as_str()), (0, ""), "{}", ended.err);
}

fn manifest(scratch: &Scratch, bundle: &str) -> Value {
    serde_json::from_slice(&std::fs::read(scratch.join(bundle).join("manifest.json")).unwrap()).unwrap()
}

fn below(scratch: &Scratch, directory: &str) -> Vec<String> {
    let entries = std::fs::read_dir(scratch.join(directory)).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn every_site_in_keys_opens_the_bundle_and_nobody_else() {
    let (scratch, _) = Scratch::with_plan();
    for site in ["lyon", "turin"] {
        let (_, recipient) = scratch.keygen(&format!("{site}.txt"));
        scratch.write(&format!("keys/{site}/recipients.txt"), format!("# {site}\n{recipient}\n"), 0o644);
    }
    let ended = scratch.run(FROM_FILE);
    pulled(&ended);
    assert_eq!(
        ended.err,
        scratch.filled(
            "plan.yaml: a plan\nwrote {here}/bundle: generation 1, 2 secrets, sealed for lyon, turin\n"
        )
    );
    for identity in ["lyon.txt", "turin.txt"] {
        let opened = scratch.run(["decrypt", "-i", identity]);
        assert!(opened.code == 0 && opened.out.contains("not-a-real-secret"), "{}", opened.err);
    }
    assert_eq!(scratch.run(["decrypt", "-i", "identity.txt"]).code, 1);
}

#[test]
fn a_second_pull_is_the_next_generation_and_replaces_all_files() {
    let (scratch, recipient) = Scratch::with_plan();
    let cloud = Cloud::start(Contents::made_up());
    let whole = ["pull", "-r", &recipient, "-o", "bundle"];
    pulled(&said(scratch.program().envs(cloud.os_variables()).args(whole)));
    assert_eq!(below(&scratch, "bundle").len(), 8);
    let first = manifest(&scratch, "bundle");
    pulled(&scratch.run(FROM_FILE.iter().chain(&["-r", &recipient])));
    let second = manifest(&scratch, "bundle");
    assert_eq!(below(&scratch, "bundle"), ["manifest.json", "manifest.json.sig", "passwords.yaml.age"]);
    assert_eq!((&first["generation"], &second["generation"]), (&Value::from(1), &Value::from(2)));
    assert_eq!((&first["previous"], &first["vault"]), (&Value::Null, &second["vault"]));
    assert_eq!(second["previous"].as_str().map(str::len), Some(64));
    assert_eq!(scratch.names(), ["bundle", "identity.txt", "plan.yaml"]);
}

#[test]
fn a_dry_run_writes_nothing() {
    let (scratch, recipient) = Scratch::with_plan();
    let ended = scratch.run(FROM_FILE.iter().chain(&["-r", &recipient, "--dry-run", "-o", "deep/bundle"]));
    pulled(&ended);
    assert_eq!(ended.err, "plan.yaml: a plan\n  = default: all 2 secrets\ndry run: nothing was written\n");
    assert_eq!(scratch.names(), ["identity.txt", "plan.yaml"]);
}

#[test]
fn what_the_bundle_before_had_and_the_next_has_not_is_named() {
    let (scratch, recipient) = Scratch::with_plan();
    let cloud = Cloud::start(Contents::made_up());
    let pull = ["pull", "-r", &recipient, "-o", "bundle"];
    let first = said(scratch.program().envs(cloud.os_variables()).args(pull));
    pulled(&first);
    let again = said(scratch.program().envs(cloud.os_variables()).args(pull));
    for ended in [&first, &again] {
        assert!(!ended.err.contains("bundle before"), "{}", ended.err);
    }
    let less = scratch.run(FROM_FILE.iter().chain(&["-r", &recipient, "-o", "bundle"]));
    pulled(&less);
    let warnings: Vec<&str> = less.err.lines().filter(|line| line.starts_with("warning: ")).collect();
    let files = "warning: the bundle before had files that this one has not: endpoint-map.json, all-nodes-extra-map-data.json, global-config-extra-map-data.json, extra-host-file-entries.json, oslo-messaging.yaml";
    assert_eq!(warnings[0], files);
    assert!(warnings[1].starts_with("warning: the bundle before had "), "{}", less.err);
    assert!(
        warnings[1].contains(" secrets that this one has not: AdminPassword, AdminToken, "),
        "{}",
        less.err
    );
    assert!(warnings[1].contains(" more"), "{}", less.err);

    let stack = |stack: &str| {
        let scratch_pull = ["pull", "--stack", stack, "-r", &recipient, "-o", "other"];
        let path = format!("overcloud-deploy/{stack}");
        scratch.write(
            &format!("{path}/{stack}-passwords.yaml"),
            "parameter_defaults: {RpcPassword: one-of-two}\n",
            0o600,
        );
        said(scratch.program().args(scratch_pull).args(["--allow-incomplete", "--working-dir", &path]))
    };
    pulled(&stack("central"));
    let other = stack("edge1");
    pulled(&other);
    let words = "warning: the bundle before was of stack central, this one is of edge1\n";
    assert!(other.err.contains(words), "{}", other.err);
}

#[test]
fn what_is_excluded_is_nowhere() {
    let (scratch, recipient) = Scratch::with_plan();
    scratch.write("dcn-vault.yaml", "version: 1\nsource: {exclude: [Nov*]}\n", 0o644);
    pulled(&scratch.run(FROM_FILE.iter().chain(&["-r", &recipient, "--exclude", "NoSuch?"])));
    let opened = scratch.run(["decrypt", "-i", "identity.txt"]);
    assert_eq!(opened.out, "parameter_defaults:\n  RpcPassword: neither-is-this\n");
    let text = std::fs::read_to_string(scratch.join("bundle/manifest.json")).unwrap();
    assert!(!text.contains("NovaPassword"), "{text}");
}

#[test]
fn a_secret_in_a_plaintext_file_can_be_refused() {
    let cloud = Cloud::start(Contents::made_up());
    let (scratch, recipient) = Scratch::with_plan();
    let before = (scratch.names(), scratch.files());
    let pull = ["pull", "-r", &recipient, "--on-secret", "refuse"];
    let ended = said(scratch.program().envs(cloud.os_variables()).args(pull));
    let err = "error: `global-config-extra-map-data.json` holds a secret at GlobalConfigExtraMapData.oslo_messaging_rpc_password\nhint: leave --on-secret at `seal`: the file is then sealed whole\n";
    assert_refused_over_http(&ended, 1, &format!("release: stein or before\n{err}"));
    assert_eq!((scratch.names(), scratch.files()), before);
    assert_eq!(cloud.tokens_alive(), 0);
}

#[test]
fn the_vault_is_found_from_below_and_by_name() {
    let (scratch, recipient) = Scratch::with_plan();
    scratch.write("vault/dcn-vault.yaml", "version: 1\n", 0o644);
    scratch.write("vault/keys/lyon/recipients.txt", &recipient, 0o644);
    scratch.write("vault/a/b/plan.yaml", PLAN, 0o600);
    pulled(&said(scratch.program().current_dir(scratch.join("vault/a/b")).args(FROM_FILE)));
    assert_eq!(manifest(&scratch, "vault/bundle")["generation"], 1);
    pulled(&scratch.run(["-C", "vault"].iter().chain(&FROM_FILE)));
    let mut inside = scratch.program();
    pulled(&said(inside.current_dir(scratch.join("vault/a/b")).args(["-C", "."].iter().chain(&FROM_FILE))));
    pulled(&scratch.run(FROM_FILE.iter().chain(&["-C", "vault/a"])));
    assert_eq!(manifest(&scratch, "vault/bundle")["generation"], 4);
    assert_eq!(scratch.names(), ["identity.txt", "plan.yaml", "vault"]);
}

#[test]
fn a_vault_that_is_named_is_never_the_one_around_us() {
    let (scratch, recipient) = Scratch::with_plan();
    scratch.write("mine/dcn-vault.yaml", "version: 1\n", 0o644);
    scratch.write("mine/keys/lyon/recipients.txt", &recipient, 0o644);
    scratch.write("other/plan.yaml", PLAN, 0o600);
    let before = (scratch.names(), scratch.files());
    let pull = ["-C", "../other", "pull", "--from-file", "../plan.yaml"];
    let ended = said(scratch.program().current_dir(scratch.join("mine")).args(pull));
    let err = "error: no recipients: nobody could open the bundle\nhint: give -r age1… or -R FILE, or list a site's in keys/SITE/recipients.txt\n";
    assert_refused(&ended, 1, err);
    let ended = scratch.run(["-C", "mnie", "pull", "--from-file", "plan.yaml", "-r", &recipient]);
    assert_refused(&ended, 1, "error: cannot open `mnie`: no such file or directory\nhint: check the path\n");
    assert_eq!((scratch.names(), scratch.files()), before);
}

#[test]
fn clouds_yaml_is_found_where_openstacksdk_finds_it() {
    let cloud = Cloud::start(Contents::made_up());
    for (name, variable) in [
        ("clouds.yaml", None),
        (".config/openstack/clouds.yaml", None),
        ("xdg/openstack/clouds.yaml", Some("XDG_CONFIG_HOME")),
        ("deep/any-name", Some("OS_CLIENT_CONFIG_FILE")),
    ] {
        let (scratch, recipient) = Scratch::with_plan();
        let path = scratch.write(name, cloud.clouds_yaml(), 0o600);
        let mut program = scratch.program();
        match variable {
            Some("XDG_CONFIG_HOME") => program.env("XDG_CONFIG_HOME", scratch.join("xdg")),
            Some(variable) => program.env(variable, &path),
            None => &mut program,
        };
        let ended = said(program.args([
            "pull",
            "--os-cloud",
            "undercloud",
            "-r",
            &recipient,
            "--sign-key",
            SIGNING_KEY,
        ]));
        pulled(&ended);
        assert_eq!(occurring(&cloud.secrets(), ended.err.as_bytes()), Vec::<&String>::new());
        assert_eq!(below(&scratch, "bundle").len(), 8, "{name}");
    }
    assert_eq!(cloud.tokens_alive(), 0);
}

#[test]
fn a_masked_value_in_a_config_download_directory_is_refused() {
    let cloud = Cloud::start(Contents::made_up());
    let (scratch, recipient) = Scratch::with_plan();
    let pull = ["pull", "-r", &recipient, "--config-download-dir", "download"];
    let pull = || said(scratch.program().envs(cloud.os_variables()).args(pull));
    let ended = pull();
    assert_refused_over_http(
        &ended,
        1,
        "error: the data of all nodes of stack `overcloud` cannot be found\nhint: looked for download/group_vars/overcloud.json and download/overcloud/group_vars/overcloud.json: name the directory above `group_vars` with --config-download-dir\n",
    );
    scratch.write("download/group_vars/overcloud.json", r#"{"key": "******"}"#, 0o600);
    let hidden =
        "hint: it was saved from what Heat shows (LP#1999665): set the value anew, and update the stack\n";
    assert_refused_over_http(
        &pull(),
        1,
        &format!(
            "error: output `AllNodesConfig` of `download/group_vars/overcloud.json` holds `******`, which is Heat's mask and no value\n{hidden}"
        ),
    );
    assert_eq!((scratch.join("bundle").exists(), cloud.tokens_alive()), (false, 0));
    scratch.write("download/group_vars/overcloud.json", r#"{"key": "value"}"#, 0o600);
    pulled(&pull());
}

#[test]
fn the_last_generation_that_can_be_counted_is_not_passed() {
    let (scratch, recipient) = Scratch::with_plan();
    let pull = || scratch.run(FROM_FILE.iter().chain(&["-r", &recipient]));
    pulled(&pull());
    scratch.change_manifest(|last| last["generation"] = Value::from(u64::MAX));
    pulled(&pull());
    assert_eq!(manifest(&scratch, "bundle")["generation"], u64::MAX);
}
