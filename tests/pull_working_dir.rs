//! `pull --working-dir`: everything from files, as Wallaby and later keep it.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test may panic")]

mod program;

use program::{Said, Scratch};

const PASSWORDS: &str = "parameter_defaults:\n  CephClientKey: not-a-real-cephx\n  NovaPassword: generated-one\n  RpcPassword: generated-two\n  SSLKeyPassphrase: generated-three\n";
const ENVIRONMENT: &str = "wd/environment/tripleo-central-environment.yaml";
const COPIES: &str = "wd/tripleo-heat-templates/user-environments";
const MASKED: &str =
    "hint: it was saved from what Heat shows (LP#1999665): set the value anew, and update the stack\n";

/// A working directory of the stack `central` as a deployment leaves it, and a recipient.
fn working_dir() -> (Scratch, String) {
    let scratch = Scratch::new();
    let (_, recipient) = scratch.keygen("identity.txt");
    scratch.write("wd/central-passwords.yaml", PASSWORDS, 0o600);
    // Merged: it has what was generated, too
    scratch.write(ENVIRONMENT, PASSWORDS, 0o644);
    scratch.write("wd/outputs/EndpointMap", "KeystonePublic: {port: '13000'}\n", 0o644);
    scratch.write("wd/outputs/GlobalConfig", "{oslo_messaging_rpc_password: generated-two}\n", 0o644);
    scratch.write("wd/outputs/HostsEntry", "['10.0.0.1 a', '10.0.0.2  b']\n", 0o644);
    let nodes = "wd/config-download/central/group_vars/overcloud.json";
    scratch.write(nodes, r#"{"redis_vip": "172.16.2.11"}"#, 0o600);
    (scratch, recipient)
}

fn pull(scratch: &Scratch, recipient: &str, more: &[&str]) -> Said {
    let pull = ["pull", "--working-dir", "wd", "--stack", "central", "-r", recipient, "-o", "bundle"];
    scratch.run(pull.iter().chain(more))
}

fn opened(scratch: &Scratch, file: &str) -> String {
    let opened = scratch.run(["decrypt", file, "-b", "bundle", "-i", "identity.txt"]);
    assert_eq!(opened.code, 0, "{file}: {}", opened.err);
    opened.out
}

#[test]
fn a_working_directory_gives_all_that_a_cloud_would_and_asks_nobody() {
    let (scratch, recipient) = working_dir();
    let pulled = pull(&scratch, &recipient, &["--exclude", "Ceph*"]);
    let said = "release: wallaby or later\ndata of all nodes: wd/config-download/central/group_vars/overcloud.json\nsealed global-config-extra-map-data.json: it holds the value of RpcPassword\nwrote bundle: generation 1, 3 secrets, sealed for default\n";
    assert_eq!((pulled.code, pulled.err.as_str()), (0, said));
    assert_eq!(
        opened(&scratch, "passwords.yaml"),
        "parameter_defaults:\n  NovaPassword: generated-one\n  RpcPassword: generated-two\n  SSLKeyPassphrase: generated-three\n"
    );
    let settings = "parameter_defaults:\n  AddVipsToEtcHosts: false\n  AuthCloudName: central\n";
    assert_eq!(opened(&scratch, "export-settings.yaml"), settings);
    assert!(opened(&scratch, "extra-host-file-entries.json").contains(r#""10.0.0.2  b""#));
    let shown = scratch.run(["show", "-b", "bundle"]);
    // Nobody has set what the environment only repeats
    assert!(shown.out.contains("\n    NovaPassword RpcPassword SSLKeyPassphrase\n"), "{}", shown.out);
    assert!(
        shown.out.contains("source      the working directory of stack central, wallaby or later\n"),
        "{}",
        shown.out
    );
}

#[test]
fn the_vault_can_name_it_and_the_shells_home_is_understood() {
    let (scratch, recipient) = working_dir();
    std::fs::create_dir_all(scratch.join("overcloud-deploy")).unwrap();
    std::fs::rename(scratch.join("wd"), scratch.join("overcloud-deploy/central")).unwrap();
    let settings =
        "version: 1\nsource:\n  stack: central\n  release: zed\n  working_dir: ~/overcloud-deploy/central\n";
    scratch.write("vault/dcn-vault.yaml", settings, 0o644);
    let pulled = scratch.run(["-C", "vault", "pull", "-r", &recipient]);
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    assert!(pulled.err.starts_with("release: zed, as you say\n"), "{}", pulled.err);
    scratch.write("vault/dcn-vault.yaml", "version: 1\nsource: {release: bexar}\n", 0o644);
    let unknown = "error: dcn-vault.yaml: `bexar` is no release of TripleO that this version knows\nhint: `dcn-vault pull --help` lists those that it knows\n";
    let refused = scratch.run(["-C", "vault", "pull", "-r", &recipient]);
    assert_eq!((refused.code, refused.err.as_str()), (1, unknown));
}

#[test]
fn what_users_set_beats_what_was_generated_which_the_releases_own_export_forgets() {
    let (scratch, recipient) = working_dir();
    let environment = "parameter_defaults:\n  NovaPassword: chosen-one\n  SSLKey: chosen-key-of-a-user\n  NtpServer: ntp\n  RpcPassword: '******'\n";
    scratch.write("wd/environment/tripleo-central-environment.yaml", environment, 0o644);
    // Heat has masked it: the users' own files tell, and the client's file in between does not count
    let own = "wd/tripleo-heat-templates/user-environments";
    scratch.write(&format!("{own}/passwords.yaml"), "parameter_defaults: {RpcPassword: chosen-two}\n", 0o644);
    let between = "parameter_defaults: {RpcPassword: generated-two}\n";
    scratch.write(&format!("{own}/tripleoclient-parameters.yaml"), between, 0o644);
    let pulled = pull(&scratch, &recipient, &[]);
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    let expected = "parameter_defaults:\n  CephClientKey: not-a-real-cephx\n  NovaPassword: chosen-one\n  RpcPassword: chosen-two\n  SSLKey: chosen-key-of-a-user\n  SSLKeyPassphrase: generated-three\n";
    assert_eq!(opened(&scratch, "passwords.yaml"), expected);

    scratch.write(
        &format!("{own}/home/stack/other.yaml"),
        "parameter_defaults: {RpcPassword: x-two}\n",
        0o644,
    );
    let refused = pull(&scratch, &recipient, &[]);
    let twice = "error: `RpcPassword` is set in two files, to two values: `wd/tripleo-heat-templates/user-environments/home/stack/other.yaml` and `wd/tripleo-heat-templates/user-environments/passwords.yaml`\nhint: the order of the files is not kept: say which counts in a file of your own that sets RpcPassword, and pull with --from-file\n";
    assert_eq!((refused.code, refused.err.as_str()), (1, twice));
}

#[test]
fn where_it_is_not_known_what_users_have_set_what_was_generated_is_not_taken_for_it() {
    type Change = fn(&Scratch);
    let missing = "error: what users have set is not known: `wd/environment/tripleo-central-environment.yaml` is missing or empty\nhint: a deployment writes it when the stack is done; --allow-incomplete takes what was generated, also where a user has set something else\n";
    let no_copies = "error: what users have set is not known: `wd/tripleo-heat-templates/user-environments` is missing\nhint: Heat has masked the environment, and these copies say what it hides; --allow-incomplete takes what was generated\n";
    let cases: [(Change, &str); 4] = [
        (|scratch| std::fs::remove_file(scratch.join(ENVIRONMENT)).unwrap(), missing),
        (
            |scratch| {
                scratch.write(ENVIRONMENT, "", 0o644);
            },
            missing,
        ),
        (
            |scratch| {
                scratch.write(ENVIRONMENT, "parameter_defaults: [a]\n", 0o644);
            },
            missing,
        ),
        (
            |scratch| {
                scratch.write(ENVIRONMENT, "parameter_defaults: {NovaPassword: '******'}\n", 0o644);
            },
            no_copies,
        ),
    ];
    for (change, err) in cases {
        let (scratch, recipient) = working_dir();
        change(&scratch);
        let refused = pull(&scratch, &recipient, &[]);
        assert_eq!((refused.code, refused.err.as_str()), (1, err));
        let pulled = pull(&scratch, &recipient, &["--allow-incomplete"]);
        assert!(pulled.code == 0 && pulled.err.contains("warning: incomplete"), "{}", pulled.err);
        assert!(opened(&scratch, "passwords.yaml").contains("NovaPassword: generated-one\n"));
    }
}

#[test]
fn a_users_copy_may_have_any_name_and_lie_among_templates() {
    let (scratch, recipient) = working_dir();
    scratch.write(ENVIRONMENT, "parameter_defaults: {NovaPassword: '******'}\n", 0o644);
    // A descriptor's number, as `run` hands files down
    scratch.write(&format!("{COPIES}/7"), "parameter_defaults: {NovaPassword: chosen-one}\n", 0o644);
    scratch.write(&format!("{COPIES}/nic.j2"), "{% if a %}\n\tb: [\n", 0o644);
    scratch.write(&format!("{COPIES}/net.yaml"), "heat_template_version: rocky\n", 0o644);
    std::os::unix::fs::symlink("..", scratch.join(&format!("{COPIES}/round"))).unwrap();
    let pulled = pull(&scratch, &recipient, &[]);
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    assert!(opened(&scratch, "passwords.yaml").contains("NovaPassword: chosen-one\n"));
    scratch.write(&format!("{COPIES}/net.yaml"), "a: [\n", 0o644);
    let refused = pull(&scratch, &recipient, &[]);
    assert!(refused.err.contains("net.yaml:1:4: this is not YAML"), "{}", refused.err);
}

#[test]
fn a_release_without_working_directories_is_refused_and_a_login_means_the_cloud() {
    let (scratch, recipient) = working_dir();
    let err = "error: Stein has no working directory\nhint: leave --release out, or pull from the cloud: before Wallaby the plan is in Swift\n";
    let refused = pull(&scratch, &recipient, &["--release", "stein"]);
    assert_eq!((refused.code, refused.err.as_str()), (1, err));
    scratch.write(
        "vault/dcn-vault.yaml",
        "version: 1\nsource: {stack: central, working_dir: ../wd}\n",
        0o644,
    );
    for flag in ["--os-password-file", "--os-token-file"] {
        let refused = scratch.run(["-C", "vault", "pull", "-r", &recipient, flag, "absent"]);
        let err = format!(
            "error: the file that {flag} names cannot be read: no such file or directory\nhint: it takes a FILE of mode 0600 with the secret in it, not the secret\n"
        );
        assert_eq!((refused.code, refused.err), (1, err));
    }
}

#[test]
fn what_is_masked_everywhere_is_missing() {
    let (scratch, recipient) = working_dir();
    let environment = "parameter_defaults:\n  NovaPassword: '******'\n  SSLKey: '******'\n";
    scratch.write("wd/environment/tripleo-central-environment.yaml", environment, 0o644);
    let masked = "error: wd/environment/tripleo-central-environment.yaml: `SSLKey` holds `******`, which is Heat's mask and no value\n";
    let own = "wd/tripleo-heat-templates/user-environments/ssl.yaml";
    scratch.write(own, "parameter_defaults: {NtpServer: ntp}\n", 0o644);
    let refused = pull(&scratch, &recipient, &[]);
    assert_eq!((refused.code, refused.err), (1, format!("{masked}{MASKED}")));
    let pulled = pull(&scratch, &recipient, &["--allow-incomplete"]);
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    let warning = "warning: incomplete, as you allow it: wd/environment/tripleo-central-environment.yaml: `SSLKey` holds `******`, which is Heat's mask and no value\n";
    assert!(pulled.err.contains(warning), "{}", pulled.err);
    let passwords = opened(&scratch, "passwords.yaml");
    assert!(
        passwords.contains("NovaPassword: generated-one\n") && !passwords.contains("****"),
        "{passwords}"
    );
}

/// A change to the directory, and the words that follow from it.
type Case = (fn(&Scratch), &'static str, &'static str);

#[test]
fn what_is_not_there_is_named_and_nothing_is_written() {
    let cases: [Case; 11] = [
        (
            |scratch| std::fs::remove_file(scratch.join("wd/outputs/GlobalConfig")).unwrap(),
            "the working directory has no output `GlobalConfig`: there is no `wd/outputs/GlobalConfig`",
            "a deployment writes it when the stack is done: let `openstack overcloud deploy` end, or do without by --allow-incomplete",
        ),
        (
            |scratch| {
                scratch.write("wd/outputs/EndpointMap", "null\n...\n", 0o644);
            },
            "output `EndpointMap` of `wd/outputs/EndpointMap` is null",
            "look into the file: was it written whole, and is it the right one?",
        ),
        (
            |scratch| std::fs::remove_dir_all(scratch.join("wd/config-download")).unwrap(),
            "the data of all nodes of stack `central` cannot be found",
            "looked for wd/config-download/central/group_vars/overcloud.json and wd/config-download/central/central/group_vars/overcloud.json: name the directory above `group_vars` with --config-download-dir",
        ),
        (
            |scratch| {
                let path = "wd/config-download/central/group_vars/overcloud.json";
                scratch.write(path, "{\"a\": hunter2hunter2", 0o644);
            },
            "wd/config-download/central/group_vars/overcloud.json:1:7: expected JSON",
            "look at that place: a bracket, a quote or a comma is missing or too much",
        ),
        (
            |scratch| {
                let status = "deployment_status: DEPLOY_FAILED\n";
                scratch.write("wd/central-deployment_status.yaml", status, 0o644);
            },
            "the deployment of stack `central` is not finished: its status is DEPLOY_FAILED",
            "repair the deployment until `openstack overcloud status` says DEPLOY_SUCCESS, then pull again",
        ),
        (
            |scratch| {
                let (from, to) = ("wd/central-passwords.yaml", "wd/other-passwords.yaml");
                std::fs::rename(scratch.join(from), scratch.join(to)).unwrap();
            },
            "`wd` is no working directory of stack `central`: it has no central-passwords.yaml",
            "name the stack with --stack: it is of other",
        ),
        (
            |scratch| std::fs::remove_file(scratch.join("wd/central-passwords.yaml")).unwrap(),
            "`wd` is no working directory of stack `central`: it has no central-passwords.yaml",
            "name the directory of a deployment by Wallaby or later, ~/overcloud-deploy/STACK; before, the plan is in Swift: pull from the cloud",
        ),
        (
            |scratch| {
                scratch.write("wd/central-passwords.yaml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n", 0o600);
            },
            "wd/central-passwords.yaml is encrypted by ansible-vault",
            "let it say its text to us alone: ansible-vault view wd/central-passwords.yaml | dcn-vault pull --from-file -",
        ),
        (
            |scratch| {
                scratch.write("wd/central-passwords.yaml", "parameter_defaults: {}\n", 0o600);
            },
            "wd/central-passwords.yaml has no passwords: `parameter_defaults` is missing or empty",
            "look into the file: was it written whole, and is it the right one?",
        ),
        (
            |scratch| {
                std::fs::remove_dir_all(scratch.join("wd")).unwrap();
                scratch.write("wd", "", 0o600);
            },
            "cannot read `wd`: not a directory",
            "name a directory",
        ),
        (
            |scratch| std::fs::remove_dir_all(scratch.join("wd")).unwrap(),
            "cannot read `wd`: no such file or directory",
            "check the path",
        ),
    ];
    for (change, error, hint) in cases {
        let (scratch, recipient) = working_dir();
        change(&scratch);
        let pull = ["pull", "--working-dir", "wd", "--stack", "central", "-r", &recipient, "-o", "bundle"];
        scratch.refuses(&pull, &format!("error: {error}\nhint: {hint}\n"));
    }
}

#[test]
fn an_unfinished_deployment_is_taken_on_request_with_what_it_lacks_named() {
    let (scratch, recipient) = working_dir();
    scratch.write("wd/central-deployment_status.yaml", "deployment_status: DEPLOYING\n", 0o644);
    std::fs::remove_file(scratch.join("wd/outputs/HostsEntry")).unwrap();
    let pulled = pull(&scratch, &recipient, &["--allow-incomplete"]);
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    for what in [
        "the deployment of stack `central` is not finished: its status is DEPLOYING",
        "the working directory has no output `HostsEntry`: there is no `wd/outputs/HostsEntry`",
    ] {
        assert!(
            pulled.err.contains(&format!("warning: incomplete, as you allow it: {what}\n")),
            "{}",
            pulled.err
        );
    }
    assert!(!scratch.join("bundle/extra-host-file-entries.json").exists());
}
