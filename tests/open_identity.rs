//! Identities for opening: `decrypt`, and `run`'s first step. What is not right opens nothing, starts nothing and leaves nothing.

#![allow(clippy::disallowed_methods, reason = "a test reads a made-up identity")]

mod cloud;
mod program;
mod pulled;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use program::{Scratch, said};
use pulled::Pulled;

const NAME_ONE: &str = "hint: name yours with -i; a new one, from `dcn-vault keygen`, opens nothing until the centre lists it and seals anew\n";
const NO_IDENTITY: &str =
    "hint: an identity is a line AGE-SECRET-KEY-1… or AGE-PLUGIN-…, or the file is an ssh key\n";
const NONE_IN_FILE: &str = "hint: an identity is a line AGE-SECRET-KEY-1…, as `dcn-vault keygen` and `age-keygen` write it, or an ssh key\n";
const RECIPIENTS: &str =
    "hint: `dcn-vault show` lists the recipients; is yours among them? Else ask for a new pull with it\n";

#[test]
fn a_key_that_is_typed_where_its_file_belongs_is_not_repeated() {
    let pulled = Pulled::new();
    let key = std::fs::read_to_string(pulled.scratch.join("identity.txt")).unwrap();
    let key = key.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap();
    for arguments in [["decrypt", "-b", "bundle", "-i", key], ["pull", "--from-file", "plan.yaml", "-R", key]]
    {
        let refused = pulled.scratch.run(arguments);
        let err = "error: cannot read `AGE-SECRET-KEY-…`: no such file or directory\nhint: check the path\n";
        assert_eq!((refused.code, refused.err.as_str()), (1, err));
    }
}

#[test]
fn an_identity_of_somebody_else_opens_nothing() {
    let pulled = Pulled::new();
    pulled.scratch.keygen("other.txt");
    let error = format!("error: no identity of yours is a recipient of the bundle\n{RECIPIENTS}");
    pulled.scratch.opens_nothing(&["-i", "other.txt"], &error);
    let both = pulled.scratch.run(["decrypt", "-b", "bundle", "-i", "other.txt", "-i", "identity.txt"]);
    assert_eq!(both.code, 0, "{}", both.err);
}

#[test]
fn an_identity_for_which_the_bundle_is_not_sealed_though_it_says_so_opens_nothing() {
    let pulled = Pulled::new();
    let (_, other) = pulled.scratch.keygen("other.txt");
    pulled.change_manifest(|manifest| manifest["recipients"]["default"] = serde_json::json!([other]));
    let error = |file: &str| format!("error: no identity of yours opens `{file}.age`\n{RECIPIENTS}");
    let (one, first) = (error("passwords.yaml"), error("global-config-extra-map-data.json"));
    pulled.scratch.opens_nothing_as(&["-i", "other.txt"], &one, &first);
}

#[test]
fn an_identity_that_others_can_read_is_refused() {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    for mode in [0o640, 0o604, 0o644, 0o610, 0o601, 0o660] {
        std::fs::set_permissions(scratch.join("identity.txt"), PermissionsExt::from_mode(mode)).unwrap();
        let err = format!(
            "error: `identity.txt` can be read by others: its mode is {mode:04o}\nhint: chmod 600 identity.txt\n"
        );
        scratch.opens_nothing(&["-i", "identity.txt"], &err);
    }
    std::fs::set_permissions(scratch.join("identity.txt"), PermissionsExt::from_mode(0o400)).unwrap();
    assert_eq!(scratch.run(["decrypt", "-b", "bundle", "-i", "identity.txt"]).code, 0);
}

#[test]
#[ignore = "needs root: run tests/all"]
fn a_secret_file_of_another_user_is_refused_whatever_it_holds() {
    let scratch = Scratch::new();
    let recipient = scratch.pull_from_file();
    let error = |name: &str| {
        format!(
            "error: `{name}` belongs to another user\nhint: use a file of your own, or run this as its owner\n"
        )
    };
    for name in ["identity.txt", "password"] {
        let path = scratch.join(name);
        let content = std::fs::read(&path).unwrap_or_else(|_| b"made-up\n".to_vec());
        scratch.write(name, content, 0o600);
        std::os::unix::fs::chown(path, Some(65534), Some(65534)).unwrap();
    }
    scratch.opens_nothing(&["-i", "identity.txt"], &error("identity.txt"));
    for flag in ["--os-password-file", "--os-token-file"] {
        scratch.refuses(&["pull", "-r", &recipient, "-o", "other", flag, "password"], &error("password"));
    }
}

#[test]
fn an_identity_file_without_an_identity_is_not_repeated() {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    let none = format!("error: `odd.txt` holds no identity\n{NONE_IN_FILE}");
    let rows: &[(&[u8], &str)] = &[
        (b"", &none),
        (b"# comment\n", &none),
        (
            b"# x\nAGE-SECRET-KEY-1GARBAGE\n",
            &format!("error: odd.txt:2 is not an age identity\n{NO_IDENTITY}"),
        ),
        (b"\x1b[2J\xff\0", &format!("error: odd.txt:1 is not an age identity\n{NO_IDENTITY}")),
        (
            b"-----BEGIN OPENSSH PRIVATE KEY-----\n",
            "error: `odd.txt` is not a private key that age can use\nhint: ssh-ed25519 and ssh-rsa keys are taken, as ssh-keygen writes them\n",
        ),
        (
            b"age-encryption.org/v1\n",
            "error: `odd.txt` is damaged\nhint: get it from where it was made, or from your backup\n",
        ),
    ];
    for (text, err) in rows {
        scratch.write("odd.txt", text, 0o600);
        scratch.opens_nothing(&["-i", "odd.txt"], err);
        scratch.opens_nothing(&["-i", "identity.txt", "-i", "odd.txt"], err);
    }
    let absent = "error: cannot read `absent.txt`: no such file or directory\nhint: check the path\n";
    scratch.opens_nothing(&["-i", "absent.txt"], absent);
}

#[test]
fn an_identity_is_found_in_the_usual_places() {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    let decrypt = ["decrypt", "-b", "bundle"];
    if !Path::new("/etc/dcn-vault/identity.txt").exists() {
        scratch.opens_nothing(&[],
            &format!(
                "error: no identity: looked for {{here}}/.config/dcn-vault/identity.txt, /etc/dcn-vault/identity.txt\n{NAME_ONE}"
            ),
        );
    }
    let key = std::fs::read(scratch.join("identity.txt")).unwrap();
    scratch.write(".config/dcn-vault/identity.txt", &key, 0o600);
    assert_eq!(scratch.run(decrypt).code, 0);
    scratch.keygen("other.txt");
    let other = std::fs::read(scratch.join("other.txt")).unwrap();
    scratch.write(".config/dcn-vault/identity.txt", &other, 0o600);
    assert_eq!(scratch.run(decrypt).code, 1);
    scratch.write("xdg/dcn-vault/identity.txt", &key, 0o600);
    let mut elsewhere = scratch.program();
    elsewhere.env("XDG_CONFIG_HOME", scratch.join("xdg")).args(decrypt);
    assert_eq!(said(elsewhere.args(["--signers", ".config/dcn-vault/signers"])).code, 0);
    scratch.write("credentials/dcn-vault-identity", &key, 0o400);
    let mut unit = scratch.program();
    assert_eq!(said(unit.env("CREDENTIALS_DIRECTORY", scratch.join("credentials")).args(decrypt)).code, 0);
}
