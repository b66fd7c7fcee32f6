//! Sites: who is one, with which keys, and what each gets.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test may panic, and runs ssh-keygen")]

mod program;

use std::process::{Command, Stdio};

use program::refusal::assert_refused;
use program::{PLAN, Scratch, said};
use serde_json::{Value, json};

/// A vault without sites, and two recipients.
fn vault() -> (Scratch, String, String) {
    let scratch = Scratch::new();
    assert_eq!(scratch.run(["init"]).code, 0);
    std::fs::create_dir(scratch.join("identities")).unwrap();
    let (_, one) = scratch.keygen("identities/one");
    let (_, other) = scratch.keygen("identities/other");
    (scratch, one, other)
}

fn added(scratch: &Scratch, words: &[&str]) -> String {
    let added = scratch.run([&["site", "add"], words].concat());
    assert_eq!((added.code, added.out.as_str()), (0, ""), "{}", added.err);
    added.err
}

fn read(scratch: &Scratch, name: &str) -> String {
    String::from_utf8(std::fs::read(scratch.join(name)).unwrap()).unwrap()
}

#[test]
fn the_first_site_gets_everything_and_the_vault_file_is_not_touched() {
    let (scratch, one, other) = vault();
    let before = read(&scratch, "dcn-vault.yaml");
    let err = added(&scratch, &["edge1", &one, &other]);
    let words = "added 2 recipients to {here}/keys/edge1/recipients.txt
edge1 gets everything
next: let someone else read the change, commit it, and `dcn-vault pull`
";
    assert_eq!(err, scratch.filled(words));
    assert_eq!(read(&scratch, "keys/edge1/recipients.txt"), format!("{one}\n{other}\n"));
    assert_eq!(read(&scratch, "dcn-vault.yaml"), before);
}

#[test]
fn once_something_is_withheld_from_one_the_others_are_listed_with_everything() {
    let (scratch, one, other) = vault();
    added(&scratch, &["edge1", &one]);
    let before = read(&scratch, "dcn-vault.yaml");
    let policy = ["edge2", &other, "--role", "DistributedCompute", "--secrets", "Nova*", "--secrets", "*Key"];
    let err = added(&scratch, &policy);
    assert!(err.contains("\nedge2 gets what role DistributedCompute takes, and Nova*, *Key\n"), "{err}");
    let lines = "sites:\n  edge1: {}\n  edge2: {role: DistributedCompute, secrets: [Nova*, \"*Key\"]}\n";
    assert_eq!(read(&scratch, "dcn-vault.yaml"), format!("{before}{lines}"));
    // A further recipient changes nothing in what the site gets; a third site gets a line
    let (_, third) = scratch.keygen("identities/third");
    let err = added(&scratch, &["edge2", &third]);
    assert!(err.contains("\nedge2 gets what role"), "{err}");
    assert_eq!(read(&scratch, "dcn-vault.yaml"), format!("{before}{lines}"));
    let (_, fourth) = scratch.keygen("identities/fourth");
    added(&scratch, &["edge3", &fourth]);
    assert_eq!(read(&scratch, "dcn-vault.yaml"), format!("{before}{lines}  edge3: {{}}\n"));
}

#[test]
fn the_list_says_who_can_open_what() {
    let (scratch, one, other) = vault();
    let listed = scratch.run(["site", "list"]);
    let words = "there is no site yet: `dcn-vault site add NAME RECIPIENT`\n";
    assert_eq!((listed.code, listed.out.as_str(), listed.err.as_str()), (0, "", words));
    added(&scratch, &["edge1", &one, &other]);
    scratch.write("keys/lyon-north/recipients.txt", format!("# theirs\n{one}\n"), 0o644);
    scratch.write("keys/oslo/recipients.txt", format!("{}\n", ed25519()), 0o644);
    let settings = "version: 1
sites:
  edge1: {role: Compute, release: train}
  gone: {secrets: []}
  oslo: {}
";
    scratch.write("dcn-vault.yaml", settings, 0o644);
    let listed = scratch.run(["site", "list"]);
    let out = "\
edge1       2 x25519       what role Compute takes in train
gone        no recipients  no secret by name
lyon-north  1 x25519       nothing: dcn-vault.yaml lists sites, and not this one
oslo        1 ssh-ed25519  everything
";
    let err = format!(
        "warning: edge1 and lyon-north share a recipient: whoever has its identity opens what is for any of them: {one}\n"
    );
    assert_eq!((listed.code, listed.out.as_str(), listed.err), (0, out, err));
    let listed = scratch.run(["site", "list", "--json"]);
    let mut recipients = [one.clone(), other];
    recipients.sort();
    let site = |site: &str, recipients: &[String], listed: bool| json!({ "site": site, "recipients": recipients, "listed": listed, "role": null, "release": null, "secrets": null });
    let mut expected = [
        site("edge1", &recipients, true),
        site("gone", &[], true),
        site("lyon-north", &[one], false),
        site("oslo", &[ed25519()], true),
    ];
    (expected[0]["role"], expected[0]["release"]) = (json!("Compute"), json!("train"));
    expected[1]["secrets"] = json!([]);
    assert_eq!(serde_json::from_str::<Value>(&listed.out).unwrap(), json!(expected));
}

#[test]
fn what_cannot_be_added_leaves_everything_as_it_was() {
    let (scratch, one, other) = vault();
    added(&scratch, &["edge1", &one]);
    let identity = std::fs::read_to_string(scratch.join("identities/one")).unwrap();
    let key = identity.lines().last().unwrap();
    for (words, err) in [
        (
            vec!["edge1", &one, "--role", "Compute"],
            "error: recipient 1 is the recipient of {here}/keys/edge1/recipients.txt:1 again\nhint: leave one of them, with the right comment\n",
        ),
        (
            vec!["../edge2", &other],
            "error: not a site's name\nhint: use letters, digits, `.`, `_` and `-`; begin with a letter or a digit\n",
        ),
        (
            vec!["edge2", &other, key],
            "error: recipient 2 is a private key, not a recipient\nhint: take it out, of git's history too, and make a new one: `dcn-vault keygen -o FILE` prints its recipient\n",
        ),
        (
            vec!["edge2", "-R", "absent"],
            "error: cannot read `absent`: no such file or directory\nhint: check the path\n",
        ),
        (
            vec!["edge2", "age1pq1qqqqqqqqqqqqqqqqlj87ja"],
            "error: recipient 1 is a post-quantum recipient, which is not supported\nhint: age cannot mix it with others: use an `age1…` of 62 characters, or an ssh key\n",
        ),
    ] {
        scratch.refuses(&[&["site", "add"], words.as_slice()].concat(), err);
    }
    let flow = "version: 1\nsites: {edge1: {}}\n";
    scratch.write("dcn-vault.yaml", flow, 0o644);
    let err = "error: dcn-vault.yaml: site `edge2` cannot be changed in it: what is after `sites:` is not on lines of its own
hint: change the line of edge2 below `sites:` by hand
";
    scratch.refuses(&["site", "add", "edge2", &other], err);
}

#[test]
fn without_a_vault_there_is_no_site() {
    let scratch = Scratch::new();
    let (_, one) = scratch.keygen("identity.txt");
    scratch.write("keys/edge1/recipients.txt", &one, 0o644);
    let err = "error: `{here}` is not in a vault\nhint: `dcn-vault init` makes one there; or name one with -C DIR\n";
    scratch.refuses(&["site", "list"], err);
    scratch.refuses(&["site", "add", "edge2", &one], err);
}

#[test]
fn a_private_key_beside_recipients_stops_every_verb_that_reads_them() {
    let (scratch, one, other) = vault();
    added(&scratch, &["edge1", &one]);
    scratch.write("plan.yaml", PLAN, 0o600);
    let pull = ["pull", "--from-file", "plan.yaml"];
    assert_eq!(scratch.run(pull).code, 0);
    std::fs::rename(scratch.join("identities/one"), scratch.join("keys/edge1/identity.txt")).unwrap();
    let err = "error: `{here}/keys/edge1/identity.txt` holds a private key
hint: take it out, of git's history too, and make a new one: `dcn-vault keygen -o FILE` prints its recipient
";
    for words in [&pull[..], &["check"], &["site", "list"], &["site", "add", "edge2", &other]] {
        scratch.refuses(words, err);
    }
}

#[test]
fn a_recipients_file_that_a_stranger_can_write_is_refused() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let (scratch, one, _) = vault();
    added(&scratch, &["edge1", &one]);
    let path = scratch.write("keys/edge1/recipients.txt", &one, 0o664);
    assert_eq!(scratch.run(["site", "list"]).code, 0, "our own may be our group's");
    std::os::unix::fs::chown(&path, Some(65534), None).unwrap();
    let err =
        "error: `{here}/keys/edge1/recipients.txt` belongs to another user, and its mode lets others write it
hint: see who has written it, then: chown it to yourself, or chmod go-w {here}/keys/edge1/recipients.txt
";
    scratch.refuses(&["site", "list"], err);
    scratch.write("keys/edge1/recipients.txt", &one, 0o644);
    assert_eq!(scratch.run(["site", "list"]).code, 0, "who owns a file may write it");
}

#[test]
fn a_plugin_seals_and_one_that_is_not_installed_is_named() {
    let (scratch, one, _) = vault();
    let plugin = "age1absent1qqqqqqqqqqqqqqqqvf2y8d";
    let err = added(&scratch, &["edge1", &one, plugin]);
    assert!(err.starts_with("added 2 recipients"), "{err}");
    assert!(scratch.run(["site", "list"]).out.contains("1 plugin absent, 1 x25519"));
    scratch.write("plan.yaml", PLAN, 0o600);
    let err = "error: {here}/keys/edge1/recipients.txt:2 takes `age-plugin-absent`, which is not on PATH\nhint: install age-plugin-absent, and look that PATH has it\n";
    scratch.refuses(&["pull", "--from-file", "plan.yaml"], err);
    // The plugin's side of the protocol (C2SP age-plugin.md), as little as it takes
    let script = "#!/bin/sh
while read -r line; do [ \"$line\" = '-> done' ] && break; done
echo \"$1\" > \"$HOME/started\"
printf -- '-> recipient-stanza 0 made-up\\n\\n-> done\\n\\n'
cat > /dev/null
";
    scratch.write("bin/age-plugin-absent", script, 0o755);
    let path = format!("{}:{}", scratch.join("bin").display(), std::env::var("PATH").unwrap());
    let pulled = said(scratch.program().env("PATH", path).args(["pull", "--from-file", "plan.yaml"]));
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    assert_eq!(read(&scratch, "started"), "--age-plugin=recipient-v1\n");
    let checked = scratch.run(["check"]);
    assert_eq!(checked.code, 0, "{}", checked.out);
    assert_eq!(scratch.run(["decrypt", "-i", "identities/one"]).code, 0);
}

#[test]
#[ignore = "needs ssh-keygen: run tests/all"]
fn ssh_keys_are_taken_by_kind_and_refused_by_kind() {
    let (scratch, ..) = vault();
    for (name, kind, fault) in [
        ("ed25519", &["-t", "ed25519"][..], None),
        ("rsa2048", &["-t", "rsa", "-b", "2048"], None),
        ("rsa1024", &["-t", "rsa", "-b", "1024"], Some("an ssh-rsa key of less than 2048 bits")),
        ("ecdsa", &["-t", "ecdsa"], Some("an ssh key of another kind")),
    ] {
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-N", "", "-C", "made up", "-f", name]).args(kind);
        let made = said(keygen.current_dir(scratch.path()).stdin(Stdio::null()));
        assert_eq!(made.code, 0, "{}", made.err);
        let words = ["site", "add", name, "-R", &format!("{name}.pub")].map(ToOwned::to_owned);
        let ended = scratch.run(words);
        match fault {
            None => assert_eq!(ended.code, 0, "{}", ended.err),
            Some(kind) => {
                let err = format!(
                    "error: {name}.pub:1 is {kind}, which age does not take\nhint: use ssh-ed25519, or ssh-rsa of 2048 to 4096 bits\n"
                );
                assert_refused(&ended, 1, &err);
            }
        }
    }
    let listed = scratch.run(["site", "list"]).out;
    assert_eq!(listed, "ed25519  1 ssh-ed25519  everything\nrsa2048  1 ssh-rsa      everything\n");
}

/// The public half of a key whose private one was never kept.
fn ed25519() -> String {
    String::from("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKuSHMxBB2/0iGnUPaOJd99/vkRqia0r/bb5rxD0W5X5")
}
