//! `check` of sealed files: without an identity their headers can be read, and no more.

#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod cloud;
mod program;
mod pulled;

use program::{PLAN, Said, Scratch};
use pulled::Pulled;

const TWO_FOR_ONE: &str =
    "finding  headers       passwords.yaml.age: its header has 2 recipients, and the manifest lists 1\n";

fn checked(scratch: &Scratch) -> Said {
    let checked = scratch.run(["check", "-b", "bundle"]);
    assert_eq!(checked.err, "");
    checked
}

#[test]
fn a_file_that_is_only_called_sealed_is_a_finding() {
    let pulled = Pulled::new();
    let sealed = std::fs::read(pulled.scratch.join("bundle/passwords.yaml.age")).unwrap();
    let intro = "age-encryption.org/v1\n";
    let stanza = "-> X25519 x\nAAAA\n";
    let mac = format!("--- {}\n", "A".repeat(43));
    let rows = [
        String::new(),
        String::from("parameter_defaults:\n  NovaPassword: harmless\n"),
        String::from("-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n"),
        String::from_utf8(sealed[..100].to_vec()).unwrap(),
        intro.to_owned(),
        format!("age-encryption.org/v2\n{stanza}{mac}{mac}"),
        format!("{intro}parameter_defaults:\n  NovaPassword: harmless\n"),
        format!("{intro}-> \nAAAA\n{mac}{mac}"),
        format!("{intro}-> X25519 \u{fc}\nAAAA\n{mac}{mac}"),
        format!("{intro}-> X25519 x\n{}\n\n{mac}{mac}", "A".repeat(65)),
        format!("{intro}-> X25519 x\n{}\n{mac}{mac}", "A".repeat(64)),
        format!("{intro}{stanza}parameter_defaults: {{}}\n{mac}{mac}"),
        format!("{intro}{stanza}--- AAAA\n{mac}"),
        format!("{intro}{stanza}{mac}nothing is encrypted in it"),
    ];
    for text in rows {
        pulled.scratch.replace_in_bundle("passwords.yaml.age", text.as_bytes());
        let checked = checked(&pulled.scratch);
        let expected = format!(
            "ok       signature     by operator ({})
ok       bundle        generation 1: 6 files as the manifest lists them
finding  guard         passwords.yaml.age is listed as sealed, and is no age file
ok       headers       1 sealed file, each for as many as are listed
ok       certificates  1 certificate, valid; 1 key fits
ok       rotation      nobody still knows what can be rotated
ok       permissions   nobody else can write here
",
            pulled.scratch.operator()
        );
        assert_eq!((checked.code, checked.out), (3, expected), "{text}");
    }
}

#[test]
fn a_file_is_sealed_for_as_many_as_the_manifest_lists() {
    let scratch = Scratch::new();
    let (_, one) = scratch.keygen("identity.txt");
    scratch.write("plan.yaml", PLAN, 0o600);
    // Each has its own stanza, though it be the same key
    scratch.write("dcn-vault.yaml", "version: 1\n", 0o644);
    for site in ["lyon", "turin"] {
        scratch.write(&format!("keys/{site}/recipients.txt"), format!("{one}\n"), 0o644);
    }
    // What age adds to the header to keep readers tolerant differs each time
    for _ in 0..20 {
        assert_eq!(scratch.run(["pull", "--from-file", "plan.yaml"]).code, 0);
        assert_eq!(checked(&scratch).code, 0);
    }
    let for_two = std::fs::read(scratch.join("bundle/passwords.yaml.age")).unwrap();
    assert_eq!(scratch.run(["pull", "--from-file", "plan.yaml", "-r", &one]).code, 0);
    scratch.replace_in_bundle("passwords.yaml.age", &for_two);
    let more = checked(&scratch);
    assert!(more.code == 3 && more.out.contains(TWO_FOR_ONE), "{}", more.out);
    std::fs::remove_file(scratch.join("dcn-vault.yaml")).unwrap();
    std::fs::remove_dir_all(scratch.join("keys")).unwrap();
    assert!(checked(&scratch).out.contains(TWO_FOR_ONE), "without a vault, too");
}

#[test]
fn a_recipient_of_any_kind_counts_but_not_what_age_adds_for_nobody() {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    let sealed = std::fs::read(scratch.join("bundle/passwords.yaml.age")).unwrap();
    let at = "age-encryption.org/v1\n".len();
    let with = |stanza: &str| [&sealed[..at], stanza.as_bytes(), &sealed[at..]].concat();
    let full = "A".repeat(64);
    for stanza in ["-> ]x-grease\n\n", &format!("-> 7-grease a 9\n{full}\n{full}\n\n")] {
        scratch.replace_in_bundle("passwords.yaml.age", &with(stanza));
        assert_eq!(checked(&scratch).code, 0, "{stanza}");
    }
    for kind in ["X25519", "ssh-ed25519", "ssh-rsa", "piv-p256", "grease"] {
        scratch.replace_in_bundle("passwords.yaml.age", &with(&format!("-> {kind} x\nAAAA\n")));
        let more = checked(&scratch);
        assert!(more.code == 3 && more.out.contains(TWO_FOR_ONE), "{kind}: {}", more.out);
    }
    let for_nobody = format!("age-encryption.org/v1\n-> x-grease\n\n--- {}\n{full}", "A".repeat(43));
    scratch.replace_in_bundle("passwords.yaml.age", for_nobody.as_bytes());
    let line = "passwords.yaml.age: its header has 0 recipients, and the manifest lists 1\n";
    let none = checked(&scratch);
    assert!(none.code == 3 && none.out.contains(line), "{}", none.out);
}
