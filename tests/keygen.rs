//! `keygen`: the file that age-keygen would have written, and nobody else's.

#![allow(clippy::disallowed_methods, reason = "a test starts programs")]

mod program;

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use program::refusal::assert_refused;
use program::{Scratch, said};

#[test]
fn the_file_has_the_three_lines_of_age_keygen() {
    let scratch = Scratch::new();
    let (path, recipient) = scratch.keygen("identity.txt");
    let text = String::from_utf8(std::fs::read(path).unwrap()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let [created, public, secret] = lines.as_slice() else { panic!("not three lines") };
    let time = created.strip_prefix("# created: ").unwrap();
    assert!(time.len() == 20 && time.ends_with('Z') && time.as_bytes()[10] == b'T', "{time}");
    assert_eq!(*public, format!("# public key: {recipient}"));
    assert!(secret.starts_with("AGE-SECRET-KEY-1") && secret.len() == 74);
    assert!(text.ends_with('\n'));
    assert!(recipient.starts_with("age1") && recipient.len() == 62, "{recipient}");
}

#[test]
fn without_a_file_the_identity_is_data_and_the_recipient_a_word() {
    let scratch = Scratch::new();
    let made = scratch.run(["keygen"]);
    let recipient = made.out.lines().nth(1).unwrap().strip_prefix("# public key: ").unwrap();
    assert_eq!((made.code, made.err), (0, format!("Public key: {recipient}\n")));
    assert_eq!(scratch.names(), Vec::<String>::new());
}

#[test]
fn the_file_is_its_owners_alone_whatever_the_umask() {
    for umask in ["000", "022", "077", "177"] {
        let scratch = Scratch::new();
        let mut shell = scratch.program_in_shell(&format!("umask {umask}; \"$@\" keygen -o identity.txt"));
        let made = said(&mut shell);
        assert_eq!(made.code, 0, "{}", made.err);
        let permissions = scratch.join("identity.txt").metadata().unwrap().permissions();
        assert_eq!(permissions.mode() & 0o7777, 0o600, "umask {umask}");
    }
}

#[test]
fn nothing_is_overwritten() {
    let scratch = Scratch::new();
    scratch.write("identity.txt", "precious", 0o644);
    std::os::unix::fs::symlink("nowhere", scratch.join("link")).unwrap();
    let before = (scratch.names(), scratch.files());
    for name in ["identity.txt", "link"] {
        let err = format!("error: `{name}` exists\nhint: choose another name, or remove it first\n");
        assert_refused(&scratch.run(["keygen", "-o", name]), 1, &err);
    }
    assert_eq!((scratch.names(), scratch.files()), before);
    let err = "error: cannot create `no/identity.txt`: no such file or directory\nhint: check the path\n";
    assert_refused(&scratch.run(["keygen", "-o", "no/identity.txt"]), 1, err);
}

#[test]
fn each_identity_is_another_and_opens_what_was_sealed_for_it() {
    let scratch = Scratch::new();
    let recipient = scratch.pull_from_file();
    let (_, other) = scratch.keygen("other.txt");
    assert_ne!(recipient, other);
    let opened = scratch.run(["decrypt", "-b", "bundle", "-i", "identity.txt"]);
    assert_eq!(opened.code, 0, "{}", opened.err);
    assert!(opened.out.contains("not-a-real-secret"));
}

#[test]
#[ignore = "needs Debian's age: run tests/all"]
fn age_itself_reads_the_identity() {
    let scratch = Scratch::new();
    let recipient = scratch.pull_from_file();
    let run = |program: &str, arguments: &[&str]| {
        said(Command::new(program).args(arguments).current_dir(scratch.path()).stdin(Stdio::null()))
    };
    assert_eq!(run("age-keygen", &["-y", "identity.txt"]).out, format!("{recipient}\n"));
    let opened = run("age", &["-d", "-i", "identity.txt", "bundle/passwords.yaml.age"]);
    assert_eq!(opened.out, scratch.run(["decrypt", "-b", "bundle", "-i", "identity.txt"]).out);
}
