//! `decrypt`: one file in clear, where it was asked for and nowhere else.

mod cloud;
mod program;
mod pulled;

use std::os::unix::fs::{PermissionsExt, symlink};

use program::refusal::assert_refused;
use program::{AT_TERMINAL, Said, Scratch, occurring, said};
use pulled::Pulled;

#[test]
fn a_file_that_no_bundle_has_is_named_with_those_that_it_may_have() {
    let pulled = Pulled::new();
    let list = "hint: it is one of: endpoint-map.json, all-nodes-extra-map-data.json, global-config-extra-map-data.json, extra-host-file-entries.json, oslo-messaging.yaml, export-settings.yaml, ceph-external.yaml, passwords.yaml\n";
    for (name, shown) in
        [("secrets.yaml", "secrets.yaml"), ("../identity.txt", "../identity.txt"), ("\u{1b}c", "\\u{1b}c")]
    {
        let err = format!("error: `{shown}` is not a file of a bundle\n{list}");
        assert_refused(&pulled.decrypt(&[name]), 1, &err);
    }
    let scratch = Scratch::new();
    scratch.pull_from_file();
    let lacking = scratch.run(["decrypt", "-b", "bundle", "-i", "identity.txt", "endpoint-map.json"]);
    let err = "error: the bundle has no `endpoint-map.json` for site `default`\nhint: `dcn-vault show` lists the files that it has, and who gets what\n";
    assert_refused(&lacking, 1, err);
}

#[test]
fn decrypted_text_goes_to_a_pipe_exactly_or_to_a_private_file_or_not_at_all() {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    let decrypt = |arguments: &[&str]| {
        scratch.run(["decrypt", "-b", "bundle", "-i", "identity.txt"].iter().chain(arguments))
    };
    let text = "parameter_defaults:\n  NovaPassword: not-a-real-secret\n  RpcPassword: neither-is-this\n";
    for arguments in [&[][..], &["passwords.yaml"], &["passwords.yaml.age"], &["-o", "-"]] {
        let Said { code, out, err } = decrypt(arguments);
        assert_eq!((code, out.as_str(), err.as_str()), (0, text, ""));
    }
    let mut loose = scratch.program_in_shell("umask 000; \"$@\" decrypt -b bundle -i identity.txt -o out");
    assert_eq!(said(&mut loose).code, 0);
    assert_eq!(std::fs::read(scratch.join("out")).unwrap(), text.as_bytes());
    assert_eq!(scratch.join("out").metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    symlink("nowhere", scratch.join("dangling")).unwrap();
    symlink("/dev/stdout", scratch.join("device")).unwrap();
    scratch.write("taken", "precious", 0o644);
    let before = scratch.holdings();
    for name in ["out", "taken", "dangling", "device"] {
        let err = format!("error: `{name}` exists\nhint: choose another name, or remove it first\n");
        assert_refused(&decrypt(&["-o", name]), 1, &err);
    }
    assert_eq!(scratch.holdings(), before);
}

#[test]
fn a_terminal_gets_no_secret_unless_it_is_asked_for_by_name() {
    let pulled = Pulled::new();
    let (scratch, secrets) = (&pulled.scratch, &pulled.secrets);
    let refused = scratch.run_at_terminal("decrypt -b bundle -i identity.txt");
    assert_eq!((refused.code, refused.out.as_str()), (1, AT_TERMINAL));
    let asked = scratch.run_at_terminal("decrypt -b bundle -i identity.txt -o -");
    assert_eq!(asked.code, 0);
    assert!(!occurring(secrets, asked.out.as_bytes()).is_empty());
}
