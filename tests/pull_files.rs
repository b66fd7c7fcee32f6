//! `pull --from-file`: what a file is, is told by what is in it, and what is none of the kinds is named.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test may panic")]

mod program;

use program::{Said, Scratch, said};

const OUTPUT: &str =
    r#"{"description": "d", "output_key": "GlobalConfig", "output_value": {"port": 5672, "exact": 16.0}}"#;

/// Pulls these files, in this order, and returns what the sealed files hold, one after the other, and what was said.
fn pulled(scratch: &Scratch, files: &[&str], more: &[&str]) -> (String, Said) {
    let mut command = scratch.program();
    let (_, recipient) = if scratch.join("identity.txt").exists() {
        let shown = std::fs::read_to_string(scratch.join("recipient")).unwrap();
        (scratch.join("identity.txt"), shown)
    } else {
        scratch.keygen("identity.txt")
    };
    std::fs::write(scratch.join("recipient"), &recipient).unwrap();
    command.args(["pull", "-r", &recipient, "-o", "bundle"]).args(more);
    for file in files {
        command.args(["--from-file", file]);
    }
    let said = said(&mut command);
    (if said.code == 0 { opened(scratch, "passwords.yaml") } else { String::new() }, said)
}

fn opened(scratch: &Scratch, file: &str) -> String {
    let opened = scratch.run(["decrypt", file, "-b", "bundle", "-i", "identity.txt"]);
    assert_eq!(opened.code, 0, "{file}: {}", opened.err);
    opened.out
}

#[test]
fn each_kind_of_file_is_told_by_its_content_and_said() {
    let plan = "passwords: {NovaPassword: not-a-real-one}\nparameter_defaults: {NtpServer: ntp}\n";
    let environment = "parameter_defaults: {NovaPassword: not-a-real-one, UnheardOf: not-a-real-two}\n";
    let kolla = "kolla_ssh_key: {private_key: not-a-real-key, public_key: p}\ndatabase_password: 0123\nnova_password:\n";
    let osa = "galera_root_password: not-a-real-one\nnova_container_mysql_password: 12e03\n";
    let cases = [
        ("a plan", plan, "parameter_defaults:\n  NovaPassword: not-a-real-one\n"),
        (
            "an environment file",
            environment,
            "parameter_defaults:\n  NovaPassword: not-a-real-one\n  UnheardOf: not-a-real-two\n",
        ),
        // Ansible takes variables: there is no `parameter_defaults` around them
        (
            "kolla-ansible's passwords",
            kolla,
            "database_password: 0123\nkolla_ssh_key:\n  private_key: not-a-real-key\n  public_key: p\nnova_password: null\n",
        ),
        (
            "OpenStack-Ansible's secrets",
            osa,
            "galera_root_password: not-a-real-one\nnova_container_mysql_password: \"12e03\"\n",
        ),
    ];
    for (kind, text, expected) in cases {
        let scratch = Scratch::new();
        scratch.write("some.txt", text, 0o600);
        let (passwords, said) = pulled(&scratch, &["some.txt"], &[]);
        assert_eq!((said.code, passwords.as_str()), (0, expected), "{kind}: {}", said.err);
        assert!(said.err.starts_with(&format!("some.txt: {kind}\n")), "{}", said.err);
    }
}

#[test]
fn a_later_file_wins_and_outputs_go_to_files_of_their_own() {
    let scratch = Scratch::new();
    scratch.write(
        "plan.yaml",
        "passwords: {NovaPassword: lost-for-good, RpcPassword: kept-as-it-is}\n",
        0o600,
    );
    scratch.write("own.yaml", "parameter_defaults: {NovaPassword: chosen-later}\n", 0o600);
    scratch.write("global.json", OUTPUT, 0o600);
    scratch.write("lost.json", OUTPUT.replace("5672", "5671"), 0o600);
    scratch.write("hosts.json", r#"{"output_key": "HostsEntry", "output_value": "10.0.0.1 a\n"}"#, 0o600);
    scratch.write("nodes.json", r#"{"enabled_services": ["nova"], "redis_vip": "172.16.2.11"}"#, 0o600);
    let files = ["plan.yaml", "own.yaml", "lost.json", "global.json", "hosts.json", "nodes.json"];
    let (passwords, said) = pulled(&scratch, &files, &[]);
    assert_eq!(
        passwords, "parameter_defaults:\n  NovaPassword: chosen-later\n  RpcPassword: kept-as-it-is\n",
        "{}",
        said.err
    );
    let global = "{\n  \"parameter_defaults\": {\n    \"GlobalConfigExtraMapData\": {\n      \"port\": 5672,\n      \"exact\": 16.0\n    }\n  }\n}\n";
    assert_eq!(opened(&scratch, "global-config-extra-map-data.json"), global);
    assert!(
        opened(&scratch, "extra-host-file-entries.json")
            .contains(r#""ExtraHostFileEntries": "10.0.0.1 a\n""#)
    );
    assert!(opened(&scratch, "all-nodes-extra-map-data.json").contains(r#""redis_vip": "172.16.2.11""#));
    // The other order, the other winner
    let (passwords, _) = pulled(&scratch, &["own.yaml", "plan.yaml"], &[]);
    assert!(passwords.contains("NovaPassword: lost-for-good"), "{passwords}");
}

#[test]
fn an_export_is_taken_apart_into_the_files_of_a_bundle() {
    let scratch = Scratch::new();
    let export = "parameter_defaults:\n  AddVipsToEtcHosts: false\n  AuthCloudName: central\n  EndpointMapOverride:\n    KeystonePublic: {port: '13000'}\n  ExtraHostFileEntries: [10.0.0.1 a]\n  GlobalConfigExtraMapData: {oslo_messaging_rpc_password: not-a-real-rpc}\n  NovaPassword: not-a-real-one\n  RpcPassword: not-a-real-rpc\n";
    scratch.write("central-export.yaml", export, 0o600);
    let (passwords, said) = pulled(&scratch, &["central-export.yaml"], &[]);
    assert!(said.err.starts_with("central-export.yaml: an export of a stack\n"), "{}", said.err);
    assert_eq!(
        passwords,
        "parameter_defaults:\n  NovaPassword: not-a-real-one\n  RpcPassword: not-a-real-rpc\n"
    );
    let settings = "parameter_defaults:\n  AddVipsToEtcHosts: false\n  AuthCloudName: central\n";
    assert_eq!(opened(&scratch, "export-settings.yaml"), settings);
    assert!(scratch.join("bundle/endpoint-map.json").exists());
    assert!(scratch.join("bundle/global-config-extra-map-data.json.age").exists());
}

#[test]
fn what_a_plan_sets_in_its_own_environments_counts_least_and_files_that_are_elsewhere_are_named() {
    let scratch = Scratch::new();
    let plan = "environments:\n- path: overcloud-resource-registry-puppet.yaml\n- path: user-files/ssl.yaml\n- data:\n    parameter_defaults: {SSLKey: set-in-the-plan, NovaPassword: lost-for-good}\npasswords: {NovaPassword: generated-one}\n";
    scratch.write("plan.yaml", plan, 0o600);
    let (passwords, said) = pulled(&scratch, &["plan.yaml"], &[]);
    assert_eq!(passwords, "parameter_defaults:\n  NovaPassword: generated-one\n  SSLKey: set-in-the-plan\n");
    let notes = "plan.yaml: a plan\nplan.yaml: lists user-files/ssl.yaml, which is not here: what it sets is not taken\n";
    assert!(said.err.starts_with(notes), "{}", said.err);
}

#[test]
fn outputs_as_old_clients_print_them_and_plans_on_standard_input_are_read() {
    let scratch = Scratch::new();
    let old =
        r#"{"output_key": "EndpointMap", "output_value": "{\"KeystonePublic\": {\"port\": \"13000\"}}"}"#;
    scratch.write("old.json", old, 0o600);
    let (_, recipient) = scratch.keygen("identity.txt");
    let mut shell =
        scratch.program_in_shell(r#"printf 'passwords: {NovaPassword: not-a-real-one}\n' | "$@""#);
    shell.args(["pull", "--from-file", "-", "--from-file", "old.json", "-r", &recipient, "-o", "bundle"]);
    let ended = said(&mut shell);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.err.starts_with("<stdin>: a plan\nold.json: an output of a stack\n"), "{}", ended.err);
    assert!(opened(&scratch, "endpoint-map.json").contains(r#""port": "13000""#));
}

#[test]
fn a_release_that_is_told_adds_what_its_own_export_adds() {
    for (release, expected) in [
        ("stein", None),
        ("train", Some("AddVipsToEtcHosts: false\n")),
        ("ussuri", None),
        ("zed", Some("AddVipsToEtcHosts: false\n  AuthCloudName: central\n")),
    ] {
        let scratch = Scratch::new();
        scratch.write("plan.yaml", program::PLAN, 0o600);
        let (_, said) = pulled(&scratch, &["plan.yaml"], &["--release", release, "--stack", "central"]);
        assert_eq!(said.code, 0, "{}", said.err);
        let settings = scratch.join("bundle/export-settings.yaml");
        let expected = expected.map(|settings| format!("parameter_defaults:\n  {settings}"));
        assert_eq!(std::fs::read_to_string(settings).ok(), expected, "{release}");
    }
}

#[test]
fn what_is_none_of_the_kinds_says_what_to_do_and_leaves_nothing() {
    const KINDS: &str = "give a plan-environment.yaml, an environment file with `parameter_defaults`, an export, what `openstack stack output show -f json` prints, kolla-ansible's passwords.yml or OpenStack-Ansible's user_secrets.yml";
    const LOOK: &str = "look into the file: was it written whole, and is it the right one?";
    const FILL: &str = "let kolla-genpwd or pw-token-gen.py fill it first";
    let vault = "let it say its text to us alone: ansible-vault view f | dcn-vault pull --from-file -";
    let sops = "let it say its text to us alone: sops decrypt f | dcn-vault pull --from-file -";
    let age = "let it say its text to us alone: age -d -i IDENTITY f | dcn-vault pull --from-file -";
    let masked = "it was saved from what Heat shows (LP#1999665): set the value anew, and update the stack";
    let secrets =
        "give the plan or the passwords too: --from-file plan-environment.yaml, say; it can be repeated";
    let cases = [
        (
            "heat_template_version: 2018\nsecret: hunter2hunter2\n",
            "f is none of the files that can be read",
            KINDS,
        ),
        ("hunter2hunter2\n", "f is none of the files that can be read", KINDS),
        (
            r#"{"output_key": "RoleData", "output_value": {"a": "hunter2hunter2"}}"#,
            "f is none of the files that can be read",
            KINDS,
        ),
        ("$ANSIBLE_VAULT;1.1;AES256\n6162\n", "f is encrypted by ansible-vault", vault),
        ("a: ENC[AES256_GCM,data:x]\nsops: {mac: x}\n", "f is encrypted by sops", sops),
        ("age-encryption.org/v1\n-> X25519 x\n", "f is encrypted by age", age),
        (
            "kolla_ssh_key: {private_key: , public_key: }\ndatabase_password:\n",
            "f holds kolla-ansible's passwords, and none of them is set",
            FILL,
        ),
        (
            r#"{"output_key": "GlobalConfig", "output_value": null}"#,
            "output `GlobalConfig` of `f` is null",
            LOOK,
        ),
        (
            r#"{"output_key": "EndpointMap", "output_value": {}}"#,
            "output `EndpointMap` of `f` is empty",
            LOOK,
        ),
        (
            r#"{"output_key": "EndpointMap", "output_value": {"a": "hunter2hunter2"}}"#,
            "output `EndpointMap` of `f` is no endpoint map: it has no `KeystonePublic`",
            LOOK,
        ),
        (
            r#"{"output_key": "HostsEntry", "output_value": {"a": "hunter2hunter2"}}"#,
            "output `HostsEntry` of `f` has not the form that it should have",
            LOOK,
        ),
        ("parameter_defaults: {EndpointMapOverride: null}\n", "output `EndpointMap` of `f` is null", LOOK),
        ("parameter_defaults: {}\n", "f has no passwords: `parameter_defaults` is missing or empty", LOOK),
        (
            "parameter_defaults: {NovaPassword: '******'}\n",
            "f: `NovaPassword` holds `******`, which is Heat's mask and no value",
            masked,
        ),
        (
            "database_password: \"$ANSIBLE_VAULT;1.1;AES256\\n6162\"\n",
            "f: `database_password` is encrypted by ansible-vault, and is no value yet",
            "decrypt it first: `ansible-vault decrypt` a copy, or let Ansible write the file",
        ),
        (
            "database_password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n",
            "f:1:20: unsupported tag",
            "a value tagged `!vault` is encrypted by ansible-vault: decrypt it first; put one that only starts with `!` in quotes",
        ),
        (
            "{\n  \"output_key\": \"GlobalConfig\",\n  \"output_value\": {\"a\": \n",
            "f:4:0: expected JSON",
            "look at that place: a bracket, a quote or a comma is missing or too much",
        ),
        (OUTPUT, "none of the files has a secret", secrets),
    ];
    for (text, error, hint) in cases {
        let (scratch, recipient) = Scratch::with_plan();
        scratch.write("f", text, 0o600);
        let err = format!("error: {error}\nhint: {hint}\n");
        scratch.refuses(&["pull", "--from-file", "f", "-r", &recipient], &err);
    }
}

#[test]
fn files_that_do_not_go_together_are_named() {
    let (scratch, recipient) = Scratch::with_plan();
    scratch.write("kolla.yml", "database_password: not-a-real-one\n", 0o600);
    let mixed = "error: plan.yaml and kolla.yml are of different deployment tools\nhint: pull TripleO's parameters and Ansible's variables into bundles of their own\n";
    scratch
        .refuses(&["pull", "--from-file", "plan.yaml", "--from-file", "kolla.yml", "-r", &recipient], mixed);
    let twice = "error: standard input is named twice, and can be read once\nhint: save one of them in a file of mode 0600, or join them first\n";
    scratch.refuses(&["pull", "--from-file", "-", "--from-file", "-", "-r", &recipient], twice);
}
