//! What `run` says of the copies that its command has left.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod program;

use std::process::Command;

use program::{RUN, Said, Scratch, said};

const HINT: &str =
    "hint: remove these copies, or seal them; rotate what others could read, and what was stored elsewhere\n";

fn pulled() -> Scratch {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    scratch
}

/// `run` of a shell script that gets the passwords file, in a directory of its own.
fn run(scratch: &Scratch, options: &[&str], script: &str) -> Command {
    for directory in ["runtime", "here", "watched"] {
        std::fs::create_dir_all(scratch.join(directory)).unwrap();
    }
    let mut program = scratch.program();
    program.current_dir(scratch.join("here"));
    program.env("XDG_RUNTIME_DIR", scratch.join("runtime")).env("TMPDIR", scratch.join("tmp"));
    program.args(["run", "-b", "../bundle", "-i", "../identity.txt", "--delivery", "fd"]).args(options);
    program.args(["--", "sh", "-c", script, "sh", "{passwords}"]);
    program
}

fn after(scratch: &Scratch, options: &[&str], script: &str) -> Said {
    said(&mut run(scratch, options, script))
}

#[test]
fn a_command_that_copies_nothing_is_told_nothing() {
    let scratch = pulled();
    let ended = after(&scratch, &[], "cat \"$1\" >/dev/null; echo harmless >file; exit 5");
    assert_eq!((ended.code, ended.err.as_str()), (5, ""));
}

#[test]
fn copies_in_five_places_and_forms_are_all_named_with_their_modes() {
    let scratch = pulled();
    let script = "umask 0
        mkdir -p ../watched/a/b/c/d ../watched/.hidden ../tmp/tripleoclient-x ../.tripleo
        cp \"$1\" ../watched/a/b/c/d/passwords.yaml && chmod 644 ../watched/a/b/c/d/passwords.yaml
        base64 <\"$1\" >../watched/.hidden/.copy && chmod 600 ../watched/.hidden/.copy
        printf '{\"x\": \"not-a-real-secret\"}' >../tmp/tripleoclient-x/env.json
        echo 'log: neither-is-this was set' >>../.tripleo/history && chmod 640 ../.tripleo/history
        printf not-a-real-secret | od -An -v -tx1 | tr -d ' \\n' >hex && chmod 4711 hex";
    let ended = after(&scratch, &["--watch", "../watched", "--audit-log", "../audit.jsonl"], script);
    let expected = "warning: {here}/.tripleo/history (mode 0640) holds the value of RpcPassword
warning: {here}/here/hex (mode 4711) holds the value of NovaPassword
warning: {here}/tmp/tripleoclient-x/env.json (mode 0666) holds the value of NovaPassword
warning: {here}/watched/.hidden/.copy (mode 0600) holds values of NovaPassword, RpcPassword
warning: {here}/watched/a/b/c/d/passwords.yaml (mode 0644) holds values of NovaPassword, RpcPassword
";
    assert_eq!(ended.err, scratch.filled(expected) + HINT);
    assert_eq!(ended.code, 0);
    let log = std::fs::read_to_string(scratch.join("audit.jsonl")).unwrap();
    let line: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!((&line["event"], &line["escapes"]), (&"ended".into(), &2.into()));
}

#[test]
fn what_was_there_before_is_not_the_commands() {
    let scratch = pulled();
    scratch.write("here/old", "not-a-real-secret", 0o600);
    scratch.write(".tripleo/old", "not-a-real-secret", 0o600);
    // The clock of the file system moves in ticks
    let mut first = run(&scratch, &[], "true");
    assert_eq!(said(&mut first).code, 0);
    let ended = after(&scratch, &[], "cat old ../.tripleo/old >/dev/null");
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
}

#[test]
fn nothing_is_claimed_but_of_what_was_looked_at() {
    let scratch = pulled();
    let ended = after(&scratch, &["--watch", "../watched"], "echo harmless >../watched/new");
    assert_eq!(
        ended.err,
        scratch.filled("no copy of a secret in {here}/watched: 1 changed file looked at\n")
    );
    let absent = after(&scratch, &["--watch", "absent"], "touch started");
    assert_eq!(
        (absent.code, absent.err.as_str()),
        (1, "error: cannot open `absent`: no such file or directory\nhint: check the path\n")
    );
    assert!(!scratch.join("here/started").exists());
}

#[test]
fn a_copy_fails_the_run_where_that_is_wanted_and_the_commands_own_failure_stays() {
    let scratch = pulled();
    for (options, script, code) in [
        (&["--on-escape", "warn"][..], "cp \"$1\" copy", 0),
        (&["--on-escape", "fail"], "cp -f \"$1\" copy", 1),
        (&["--on-escape", "fail"], "cp -f \"$1\" copy; exit 7", 7),
        (&["--on-escape", "fail"], "cp -f \"$1\" copy; kill -TERM $$", 143),
        (&["--on-escape", "fail"], "rm copy", 0),
    ] {
        assert_eq!(after(&scratch, options, script).code, code, "{options:?} {script}");
    }
}

#[test]
fn what_cannot_be_looked_into_or_for_is_said() {
    let scratch = Scratch::new();
    let (_, recipient) = scratch.keygen("identity.txt");
    let plan = "passwords:\n  NovaPassword: not-a-real-secret\n  RedisPassword: abc1234\n";
    scratch.write("plan.yaml", plan, 0o600);
    let pulled = scratch.run(["pull", "--from-file", "plan.yaml", "-r", &recipient, "-o", "bundle"]);
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    let script = "cd ../watched; mkdir -p .git/objects/ab
        for name in log edge1-install-20261126.tar heat-db.sql-1.tar; do gzip -c <\"$1\" >$name.gz; done
        cp log.gz .git/objects/ab/cd";
    let ended = after(&scratch, &["--watch", "../watched"], script);
    let expected = "warning: {here}/watched/edge1-install-20261126.tar.gz is compressed and was not looked into: it holds all of the working directory
warning: {here}/watched/heat-db.sql-1.tar.gz is compressed and was not looked into: it holds a dump of Heat's database, with all parameters
warning: {here}/watched/.git has 1 new object, which are compressed and were not looked into: what was committed stays in its history
warning: compressed, and not looked into: {here}/watched/log.gz
warning: no copy was looked for of a value of fewer than 8 bytes: RedisPassword
no copy of a secret in {here}/watched: 3 changed files looked at
";
    assert_eq!(ended.err, scratch.filled(expected));
}

#[test]
fn only_a_deployment_of_a_release_with_a_plan_is_told_where_no_scan_looks() {
    let scratch = pulled();
    scratch.write("bin/openstack", "#!/bin/sh\n", 0o755);
    let says = |release: &str, words: &[&str]| {
        scratch.change_manifest(|manifest| manifest["source"]["release"] = release.into());
        let mut program = scratch.program();
        let path = format!("{}:/usr/bin:/bin", scratch.join("bin").display());
        program.env("PATH", path).args(["run", "-b", "bundle", "-i", "identity.txt", "--"]);
        said(program.args(words)).err
    };
    let deploy = ["openstack", "overcloud", "deploy", "{env}"];
    let stored = "warning: this release's client has stored the parameters in Swift (the plan), in Mistral's executions and in Heat's database, which no scan of files sees\n";
    assert_eq!(says("train", &deploy), stored);
    assert_eq!(says("train to victoria", &deploy), stored);
    assert_eq!(says("zed", &deploy), "");
    assert_eq!(says("train", &["openstack", "stack", "list"]), "");
}

#[test]
fn an_ordinary_users_copies_are_found_too() {
    let scratch = pulled();
    std::fs::create_dir_all(scratch.join("runtime")).unwrap();
    let mut program = scratch.program_of_ordinary_user();
    program.env("XDG_RUNTIME_DIR", scratch.join("runtime")).env("TMPDIR", scratch.path());
    let words = ["--", "sh", "-c", "cp \"$1\" copy", "sh", "{passwords}"];
    let ended = said(program.args(RUN).args(words));
    let expected = "warning: {here}/copy (mode 0400) holds values of NovaPassword, RpcPassword\n";
    assert_eq!(ended.err, scratch.filled(expected) + HINT);
}

#[test]
fn what_is_sealed_comes_out_by_age_and_tar_as_it_was() {
    let scratch = Scratch::new();
    let (identity, recipient) = scratch.keygen("identity.txt");
    let long = format!("deep/{}/{}", "d".repeat(120), "n".repeat(180));
    for (name, size, mode) in [
        ("empty", 0, 0o600),
        ("small", 5, 0o640),
        ("block", 512, 0o4755),
        ("large", 700_001, 0o400),
        (&*long, 513, 0o600),
    ] {
        let text: Vec<u8> = (0..size).map(|n: u32| u8::try_from(n % 251).unwrap()).collect();
        scratch.write(&format!("kept/{name}"), text, mode);
    }
    std::os::unix::fs::symlink("small", scratch.join("kept/link")).unwrap();
    std::os::unix::fs::symlink("x".repeat(150), scratch.join("kept/long-link")).unwrap();
    std::fs::create_dir(scratch.join("kept/no-files")).unwrap();
    let fifo = Command::new("mkfifo").arg(scratch.join("kept/pipe")).status().unwrap();
    assert!(fifo.success());
    let mut keep = scratch.program();
    keep.args(["keep", "--recipient", &recipient, "--directory"]).arg(scratch.join("kept"));
    let kept = keep.output().unwrap();
    let err = String::from_utf8(kept.stderr).unwrap();
    assert_eq!(err, scratch.filled("warning: {here}/kept/pipe is no file, and was not kept\n"));
    scratch.write("kept.tar.age", kept.stdout, 0o600);
    std::fs::create_dir(scratch.join("out")).unwrap();
    // With it goes the time of its directory, which is not compared
    std::fs::remove_file(scratch.join("kept/pipe")).unwrap();
    let script = format!(
        "set -e; age -d -i {0} kept.tar.age | tar -x -p -C out; diff -r --no-dereference kept out{1}/kept
         list() {{ (cd \"$1\" && find . -mindepth 1 -printf '%p %y %m %T@ %U %G %l\\n' | sed 's/\\.[0-9][0-9]* / /' | sort); }}
         list kept >before; list out{1}/kept >after; diff before after",
        identity.display(),
        scratch.path().display()
    );
    let compared =
        said(Command::new("bash").args(["-o", "pipefail", "-c", &script]).current_dir(scratch.path()));
    assert_eq!((compared.code, compared.out.as_str(), compared.err.as_str()), (0, "", ""));
}

#[test]
fn what_is_written_to_a_contained_directory_is_memory_and_comes_out_sealed_for_the_site_alone() {
    let scratch = pulled();
    std::fs::create_dir(scratch.join("out")).unwrap();
    let contained = |file: &str, script: &str| {
        let mut program = scratch.program();
        program.args(RUN).args(["--delivery", "mount", "--contain", "out"]);
        said(program.args(["--keep-sealed", file, "--", "sh", "-c", script, "sh", "{passwords}"]))
    };
    let script = "mkdir -p out/deep && cp \"$1\" out/deep/copy && echo kept >out/file; exit 6";
    let ended = contained("kept.tar.age", script);
    assert_eq!((ended.code, ended.err.as_str()), (6, ""), "{}", ended.out);
    assert_eq!(std::fs::read_dir(scratch.join("out")).unwrap().count(), 0);
    let kept = std::fs::read(scratch.join("kept.tar.age")).unwrap();
    assert!(kept.starts_with(b"age-encryption.org/v1\n-> X25519 "));
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &scratch.join("kept.tar.age").metadata().unwrap().permissions(),
    );
    assert_eq!(mode & 0o7777, 0o600);
    let list = "age -d -i identity.txt kept.tar.age | tar -xO --wildcards '*/out/deep/copy' '*/out/file'";
    let listed = said(Command::new("bash").args(["-o", "pipefail", "-c", list]).current_dir(scratch.path()));
    let values = "parameter_defaults:\n  NovaPassword: not-a-real-secret\n  RpcPassword: neither-is-this\n";
    assert_eq!(listed.out, format!("{values}kept\n"), "{}", listed.err);
    let again = contained("kept.tar.age", "touch started");
    assert_eq!(
        (again.code, again.err.as_str()),
        (1, "error: `kept.tar.age` exists\nhint: choose another name, or remove it first\n")
    );
    assert!(!scratch.join("started").exists());
    assert_eq!(std::fs::read(scratch.join("kept.tar.age")).unwrap(), kept);
    // That a key of the site's is none is told before the command starts
    scratch.change_manifest(|manifest| {
        manifest["recipients"]["default"].as_array_mut().unwrap().push("ssh-dss AAAA".into());
    });
    let unknown = contained("unknown.tar.age", "touch started");
    assert_eq!(
        (unknown.code, unknown.err.as_str()),
        (
            1,
            "error: a recipient in the manifest is an ssh key of another kind, which age does not take\nhint: use ssh-ed25519, or ssh-rsa of 2048 to 4096 bits\n"
        )
    );
    assert!(!scratch.join("started").exists() && !scratch.join("unknown.tar.age").exists());
    scratch.change_manifest(|manifest| {
        manifest["recipients"]["default"].as_array_mut().unwrap().pop();
    });
    // What comes meanwhile is not replaced either, and what is lost is no success
    let late = contained("late.tar.age", "echo theirs >late.tar.age");
    assert_eq!(
        (late.code, late.err.as_str()),
        (1, "error: `late.tar.age` exists\nhint: choose another name, or remove it first\n")
    );
    assert_eq!(std::fs::read(scratch.join("late.tar.age")).unwrap(), b"theirs\n");
    let without = scratch.run(["run", "--keep-sealed", "x", "--", "true"]);
    assert_eq!(without.code, 2);
}

#[test]
fn each_delivery_is_searched_after_and_what_was_memory_is_no_copy() {
    let scratch = pulled();
    std::fs::create_dir(scratch.join("out")).unwrap();
    for delivery in ["fd", "file", "mount"] {
        let mut program = scratch.program();
        program.args(RUN).args(["--delivery", delivery]);
        if delivery == "mount" {
            program.args(["--contain", "out"]);
        }
        let script = "test \"$2\" = mount && cp \"$1\" out/ && cp \"$1\" /tmp/; cp \"$1\" \"$TMPDIR/tripleoclient-x\"; cp -f \"$1\" copy";
        let ended = said(program.args(["--", "sh", "-c", script, "sh", "{passwords}", delivery]));
        let expected = "warning: {here}/copy (mode 0400) holds values of NovaPassword, RpcPassword\n";
        let said: String =
            ended.err.split_inclusive('\n').filter(|line| !line.contains("--delivery")).collect();
        assert_eq!(said, scratch.filled(expected) + HINT, "{delivery}");
    }
}
