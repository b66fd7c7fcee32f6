//! Where an identity comes from: a file, a descriptor, a command. Each opens for `decrypt` and for `run`, whose command gets none of
//! it.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test starts what a person would"
)]

mod program;

use std::process::Command;

use program::{Said, Scratch, said};

const DESCRIPTOR: &str =
    "after fd: comes the number of an inherited descriptor, from 3; a file of that name is ./fd:…";
const NO_OUTPUT_HINT: &str = "hint: what it has said stands above; run it by hand\n";

/// The verbs that open, each with what it says of a secret once it has.
const VERBS: [(&str, &str); 2] =
    [("decrypt -b bundle", "not-a-real-secret"), ("run -b bundle", "not-a-real-secret")];

/// A shell command line: `verb`, then what names the identity, then what `run` runs.
fn line(verb: &str, identity: &str) -> String {
    let command = if verb.starts_with("run") { "-- cat {passwords}" } else { "" };
    format!("\"$@\" {verb} {identity} {command}")
}

fn in_shell(scratch: &Scratch, script: &str) -> Said {
    said(&mut scratch.program_in_shell(script))
}

/// The same by a user who is not root.
fn in_shell_of_ordinary_user(scratch: &Scratch, script: &str) -> Said {
    let program = scratch.program_of_ordinary_user();
    let words: Vec<&std::ffi::OsStr> =
        std::iter::once(program.get_program()).chain(program.get_args()).collect();
    let (path, before) = words.split_last().unwrap();
    let mut shell = Command::new(before.first().copied().unwrap_or_else(|| "env".as_ref()));
    shell.args(before.iter().skip(1)).args(["sh", "-c", script, "sh"]).arg(path);
    shell.current_dir(scratch.path()).env_clear().env("HOME", scratch.path());
    shell.env("PATH", std::env::var_os("PATH").unwrap()).stdin(std::process::Stdio::null());
    said(&mut shell)
}

fn assert_opens(ended: &Said, what: &str) {
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{what}: {}", ended.out);
    assert!(ended.out.contains("not-a-real-secret"), "{what}: {}", ended.out);
}

fn pulled() -> Scratch {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    scratch
}

#[test]
fn an_inherited_descriptor_opens_be_it_a_file_a_pipe_or_a_here_document() {
    let scratch = pulled();
    let key = std::fs::read_to_string(scratch.join("identity.txt")).unwrap();
    let key = key.lines().last().unwrap();
    for (verb, _) in VERBS {
        for script in [
            format!("{} 3<identity.txt", line(verb, "-i fd:3")),
            format!("cat identity.txt | {{ {} 9<&0 </dev/null; }}", line(verb, "-i fd:9")),
            format!("{} 3<<END\n# a comment\n{key}\nEND\n", line(verb, "--identity=fd:3")),
        ] {
            assert_opens(&in_shell(&scratch, &script), &script);
        }
    }
}

#[test]
fn an_inherited_descriptor_and_a_command_open_for_a_user_who_is_not_root() {
    let scratch = pulled();
    for (verb, _) in VERBS {
        for script in [
            format!("{} 3<identity.txt", line(verb, "-i fd:3")),
            format!("cat identity.txt | {{ {} 3<&0 </dev/null; }}", line(verb, "-i fd:3")),
            line(verb, "-i 'cmd:cat identity.txt'"),
        ] {
            assert_opens(&in_shell_of_ordinary_user(&scratch, &script), &script);
        }
    }
}

#[test]
fn a_file_that_only_its_opener_may_read_opens_by_its_descriptor() {
    let scratch = pulled();
    // The shell opens it, and then may no longer
    let script =
        format!("exec 3<identity.txt; chmod 0 identity.txt; {}", line("decrypt -b bundle", "-i fd:3"));
    assert_opens(&in_shell_of_ordinary_user(&scratch, &script), &script);
}

#[test]
fn the_command_of_run_has_neither_the_descriptor_nor_a_variable_of_an_identity() {
    let scratch = pulled();
    let script = "\"$@\" run -b bundle -i fd:7 -i fd:8 -- sh -c 'for fd in 7 8 9; do [ ! -e /proc/self/fd/$fd ] || echo $fd; done; env' 7<identity.txt 8<identity.txt 9</dev/null";
    let mut shell = scratch.program_in_shell(script);
    shell.env("CREDENTIALS_DIRECTORY", scratch.path()).env("SOPS_AGE_KEY_FILE", "identity.txt");
    let ended = said(&mut shell);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    let (descriptors, variables): (Vec<&str>, Vec<&str>) =
        ended.out.lines().partition(|line| line.len() == 1);
    assert_eq!(descriptors, ["9"]);
    let leads_to_an_identity = |line: &&str| line.contains("CREDENTIALS") || line.contains("identity");
    assert_eq!(variables.into_iter().find(leads_to_an_identity), None);
}

#[test]
fn what_a_command_writes_opens_and_it_reads_nothing() {
    let scratch = pulled();
    scratch.write("bin/tell", "#!/bin/sh\necho telling >&2\ncat\nexec cat \"$1\"\n", 0o755);
    for (verb, _) in VERBS {
        let mut command = scratch.program_in_shell(&line(verb, "-i 'cmd: tell  identity.txt'"));
        let path = format!("{}:{}", scratch.join("bin").display(), std::env::var("PATH").unwrap());
        let ended = said(command.env("PATH", path));
        assert_eq!((ended.code, ended.err.as_str()), (0, "telling\n"), "{verb}");
        assert!(ended.out.contains("not-a-real-secret"));
    }
}

#[test]
fn a_command_of_an_identity_has_our_own_variables_in_run_too() {
    let scratch = pulled();
    scratch.write("tell", "exec cat \"$VAULT_FILE\"\n", 0o600);
    for (verb, _) in VERBS {
        let mut command = scratch.program_in_shell(&line(verb, "-i 'cmd:sh tell'"));
        assert_opens(&said(command.env("VAULT_FILE", "identity.txt")), verb);
    }
}

#[test]
fn a_command_that_fails_is_named_with_how_it_has_ended_and_not_with_what_it_has_written() {
    let scratch = pulled();
    scratch.write("killed", "cat identity.txt; kill -9 $$\n", 0o600);
    scratch.write("fails", "cat identity.txt; echo 'cannot say' >&2; exit 7\n", 0o600);
    let started = "cannot be started: no such file or directory\nhint: cmd: takes a program and its arguments, without a shell: check its name, its mode and PATH\n";
    for (command, err) in [
        ("cmd:false", format!("error: `false`, which was to write an identity, ended with exit code 1\n{NO_OUTPUT_HINT}")),
        ("cmd:sh fails", format!("cannot say\nerror: `sh`, which was to write an identity, ended with exit code 7\n{NO_OUTPUT_HINT}")),
        ("cmd:sh killed", format!("error: `sh`, which was to write an identity, was killed by signal 9\n{NO_OUTPUT_HINT}")),
        ("cmd:absent-command x", format!("error: `absent-command`, which was to write an identity, {started}")),
        ("cmd:cat|sh", format!("error: `cat|sh`, which was to write an identity, {started}")),
        ("cmd:true", "error: `cmd:true` holds no identity\nhint: an identity is a line AGE-SECRET-KEY-1…, as `dcn-vault keygen` and `age-keygen` write it, or an ssh key\n".to_owned()),
        ("cmd:head -c 1048577 /dev/zero", "error: `cmd:head` is larger than 1 MiB\nhint: is it the right file?\n".to_owned()),
        ("cmd:yes", "error: `cmd:yes` is larger than 1 MiB\nhint: is it the right file?\n".to_owned()),
    ] {
        scratch.opens_nothing(&["-i", command], &err);
    }
}

#[test]
fn a_descriptor_that_is_none_is_a_fault_of_the_command_line() {
    let scratch = pulled();
    for (word, why) in [
        ("fd:7", "this descriptor is not open: redirect it for this command, as in 3<FILE"),
        ("fd:0", DESCRIPTOR),
        ("fd:x", DESCRIPTOR),
        ("cmd:", "after cmd: comes a command, its words apart from each other by spaces"),
    ] {
        for verb in ["decrypt", "check", "rekey"] {
            let ended = scratch.run([verb, "-i", word]);
            let err = format!(
                "error: invalid value '{word}' for '--identity <IDENTITY>': {why}\n\nFor more information, try '--help'.\n"
            );
            assert_eq!((ended.code, ended.err), (2, err));
        }
    }
}

#[test]
fn a_key_that_is_typed_after_a_prefix_is_not_repeated() {
    let scratch = pulled();
    let key = std::fs::read_to_string(scratch.join("identity.txt")).unwrap();
    let key = key.lines().last().unwrap();
    for word in [format!("fd:{key}"), format!("cmd:echo {key}")] {
        let ended = scratch.run(["decrypt", "-b", "bundle", "-i", word.as_str()]);
        let start = word.split_once("AGE-").unwrap().0;
        let err = format!(
            "error: cannot read `{start}AGE-SECRET-KEY-…`: no such file or directory\nhint: check the path\n"
        );
        assert_eq!((ended.code, ended.err), (1, err));
    }
}

#[test]
fn a_descriptor_of_a_file_that_others_can_read_is_refused_by_its_name() {
    let scratch = pulled();
    for (verb, _) in VERBS {
        let script = format!("chmod 644 identity.txt; {} 3<identity.txt", line(verb, "-i fd:3"));
        let ended = in_shell(&scratch, &script);
        let path = scratch.join("identity.txt");
        let path = path.display();
        let err =
            format!("error: `{path}` can be read by others: its mode is 0644\nhint: chmod 600 {path}\n");
        assert_eq!((ended.code, ended.err), (1, err));
    }
}

#[test]
fn a_file_that_is_called_as_a_descriptor_is_reached_by_its_path() {
    let scratch = pulled();
    for name in ["fd:3", "cmd:true", "-x"] {
        std::fs::rename(scratch.join("identity.txt"), scratch.join(name)).unwrap();
        for (verb, _) in VERBS {
            let script = line(verb, &format!("--identity=./{name}"));
            assert_opens(&in_shell(&scratch, &script), &script);
        }
        std::fs::rename(scratch.join(name), scratch.join("identity.txt")).unwrap();
    }
}

#[test]
fn a_list_of_recipients_is_refused_for_what_it_is_whatever_its_mode() {
    let scratch = Scratch::new();
    let recipient = scratch.pull_from_file();
    let ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN somebody";
    for text in [format!("# edge1\n\n{recipient}\n"), format!("{ssh}\n")] {
        for mode in [0o644, 0o600] {
            scratch.write("recipients.txt", &text, mode);
            scratch.opens_nothing(&["-i", "recipients.txt"], "error: `recipients.txt` holds recipients, not identities\nhint: name the private half: what `dcn-vault keygen` has written, or the ssh key without .pub\n");
        }
    }
}

#[test]
fn sources_of_each_kind_are_tried_together() {
    let scratch = pulled();
    scratch.keygen("other.txt");
    for (verb, _) in VERBS {
        let script = format!("{} 3<identity.txt", line(verb, "-i other.txt -i fd:3 -i 'cmd:cat other.txt'"));
        assert_opens(&in_shell(&scratch, &script), &script);
    }
}
