//! A site whose key is an ssh key.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test may panic, and runs ssh-keygen")]

mod program;

use std::process::{Command, Stdio};

use program::{PLAN, Scratch, said};

#[test]
#[ignore = "needs ssh-keygen and Debian's age: run tests/all"]
fn an_ssh_key_opens_what_is_sealed_for_it_with_us_and_with_age() {
    for kind in
        [&["-t", "ed25519"][..], &["-t", "rsa", "-b", "2048"], &["-t", "rsa", "-b", "2048", "-m", "PEM"]]
    {
        let scratch = Scratch::new();
        scratch.write("plan.yaml", PLAN, 0o600);
        make_key(&scratch, kind);
        let pull = ["pull", "--from-file", "plan.yaml", "-R", "key.pub", "-o", "bundle"];
        let pulled = scratch.run(pull);
        assert_eq!(pulled.code, 0, "{kind:?}: {}", pulled.err);
        let checked = scratch.run(["check", "-b", "bundle"]);
        assert_eq!(checked.code, 0, "{kind:?}: {}", checked.out);
        let ours = scratch.run(["decrypt", "-b", "bundle", "-i", "key"]);
        assert_eq!(ours.code, 0, "{kind:?}: {}", ours.err);
        assert!(ours.out.contains("not-a-real-secret"));
        let age = Command::new("age")
            .args(["-d", "-i", "key", "bundle/passwords.yaml.age"])
            .current_dir(scratch.path())
            .output()
            .unwrap();
        assert_eq!(ours.out.as_bytes(), age.stdout, "{kind:?}");
        let deployed = scratch.run([
            "run",
            "-b",
            "bundle",
            "-i",
            "key",
            "--",
            "grep",
            "-c",
            "not-a-real-secret",
            "{passwords}",
        ]);
        assert_eq!(deployed.code, 0, "{kind:?}: {}", deployed.err);
    }
}

fn make_key(scratch: &Scratch, kind: &[&str]) {
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-f", "key", "-C", "made up for a test", "-N", ""]).args(kind);
    let made = said(keygen.current_dir(scratch.path()).stdin(Stdio::null()));
    assert_eq!(made.code, 0, "{}", made.err);
}
