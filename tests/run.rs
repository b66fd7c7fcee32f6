//! `run` by descriptors: the command gets its files and all that it would have had without us, and its end is our end.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod cloud;
mod program;
mod pulled;

use std::io::Write;
use std::process::{Command, Stdio};

use program::deployment::Deployment;
use program::refusal::assert_refused;
use program::{RUN, Said, Scratch, said};
use pulled::Pulled;

/// `run` of these words, with a runtime directory of its own.
fn run(scratch: &Scratch, words: &[&str]) -> Command {
    run_by(scratch, scratch.program(), words)
}

fn run_by(scratch: &Scratch, mut program: Command, words: &[&str]) -> Command {
    std::fs::create_dir_all(scratch.join("runtime")).unwrap();
    program.env("XDG_RUNTIME_DIR", scratch.join("runtime"));
    program.args(RUN).args(["--delivery", "fd", "--"]).args(words);
    program
}

/// Runs a shell script with these arguments, and fails unless nothing is left.
fn script(scratch: &Scratch, text: &str, arguments: &[&str]) -> Said {
    let words: Vec<&str> = ["sh", "-c", text, "sh"].iter().chain(arguments).copied().collect();
    let ended = said(&mut run(scratch, &words));
    assert_nothing_left(scratch);
    ended
}

fn assert_nothing_left(scratch: &Scratch) {
    assert_eq!(std::fs::read_dir(scratch.join("runtime")).unwrap().count(), 0);
}

fn small() -> Scratch {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    scratch
}

#[test]
fn the_commands_exit_code_is_ours() {
    let scratch = small();
    for code in [0, 1, 2, 7, 255] {
        let Said { code: ours, out, err } = script(&scratch, &format!("exit {code}"), &[]);
        assert_eq!((ours, out.as_str(), err.as_str()), (code, "", ""));
    }
    for (signal, code) in [("KILL", 137), ("TERM", 143), ("ABRT", 134)] {
        assert_eq!(script(&scratch, &format!("kill -{signal} $$"), &[]).code, code);
    }
}

#[test]
fn a_command_that_cannot_start_says_so_as_a_shell_does() {
    let scratch = small();
    scratch.write("script", "#!/bin/sh\n", 0o644);
    scratch.write("lost", "#!/no/such/interpreter\n", 0o755);
    let spelling = "check its spelling and PATH; for shell syntax use: dcn-vault run -- sh -c '…'";
    let mode = "check its mode and its first line; the command is run without a shell";
    for (command, code, error, hint) in [
        ("no-such-command", 127, "`no-such-command` is not found", spelling),
        ("./absent", 127, "`./absent` is not found", spelling),
        ("./lost", 127, "`./lost` is not found", spelling),
        ("", 127, "`` is not found", spelling),
        ("./script", 126, "`./script` cannot be executed: permission denied", mode),
        ("./runtime", 126, "`./runtime` cannot be executed: permission denied", mode),
        ("no\u{1b}[2J", 127, "`no\\u{1b}[2J` is not found", spelling),
    ] {
        // A directory of PATH that is closed to us would make it 126
        let ended = said(run(&scratch, &[command]).env("PATH", "/usr/bin:/bin"));
        assert_refused(&ended, code, &format!("error: {error}\nhint: {hint}\n"));
        assert_nothing_left(&scratch);
    }
    assert_eq!(scratch.run(["run"]).code, 2);
}

#[test]
fn placeholders_become_the_files_in_the_documented_order() {
    let pulled = Pulled::new();
    let text = "echo \"$DCN_VAULT_DIR\"; printf '%s\\n' \"$@\"";
    let ended =
        script(&pulled.scratch, text, &["{env}", "{passwords}", "--in={dir}/x", "{env}x", "-e", "$HOME"]);
    let mut lines = ended.out.lines();
    let directory = lines.next().unwrap();
    let runtime = pulled.scratch.join("runtime");
    assert!(directory.starts_with(runtime.to_str().unwrap()), "{directory}");
    let files = [
        "endpoint-map.json",
        "all-nodes-extra-map-data.json",
        "global-config-extra-map-data.json",
        "extra-host-file-entries.json",
        "oslo-messaging.yaml",
        "passwords.yaml",
    ];
    for file in files {
        assert_eq!((lines.next(), lines.next()), (Some("-e"), Some(&*format!("{directory}/{file}"))));
    }
    let rest: Vec<&str> = lines.collect();
    assert_eq!(
        rest,
        [&*format!("{directory}/passwords.yaml"), &format!("--in={directory}/x"), "{env}x", "-e", "$HOME"]
    );
}

#[test]
fn each_file_is_the_decrypted_one_as_often_as_it_is_read() {
    let pulled = Pulled::new();
    for file in ["endpoint-map.json", "global-config-extra-map-data.json", "passwords.yaml"] {
        let text = pulled.decrypt(&[file]).out;
        let read = script(
            &pulled.scratch,
            "cat \"$1\" \"$1\"; cat <\"$1\"; (cat \"$1\")",
            &[&format!("{{dir}}/{file}")],
        );
        assert_eq!((read.code, read.out == text.repeat(4)), (0, true), "{file}: {}", read.err);
    }
}

#[test]
fn a_hook_finds_what_was_signed_beside_the_files_in_each_delivery() {
    let pulled = Pulled::new();
    let bundle = pulled.scratch.join("bundle");
    for delivery in ["mount", "fd", "file"] {
        for name in ["manifest.json", "manifest.json.sig"] {
            let file = format!("{{dir}}/{name}");
            let words = ["run", "-b", "bundle", "-i", "identity.txt", "--delivery", delivery, "cat", &file];
            let read = pulled.scratch.run(words);
            assert_eq!(
                read.out,
                std::fs::read_to_string(bundle.join(name)).unwrap(),
                "{delivery}: {}",
                read.err
            );
        }
    }
}

#[test]
fn the_files_are_for_reading_by_their_owner_alone() {
    let scratch = small();
    let text = "stat -Lc '%a %u' \"$1\"; stat -c '%a' \"$DCN_VAULT_DIR\"; test -f \"$1\" && echo file";
    let seen = script(&scratch, text, &["{passwords}"]);
    let me = rustix::process::geteuid().as_raw();
    assert_eq!(seen.out, format!("400 {me}\n700\nfile\n"), "{}", seen.err);
    for write in [
        "echo x >\"$1\"",
        "echo x >>\"$1\"",
        "truncate -s 0 \"$1\"",
        "dd if=/dev/zero of=\"$1\" conv=notrunc",
    ] {
        let refused =
            script(&scratch, &format!("({write}) 2>/dev/null && exit 9; cat \"$1\""), &["{passwords}"]);
        assert_eq!(refused.code, 0, "{write} was not refused");
        assert!(refused.out.contains("not-a-real-secret"), "{write}");
    }
}

#[test]
fn the_command_has_its_input_its_umask_and_its_environment() {
    let scratch = small();
    let mut passing = run(&scratch, &["cat"]);
    let mut child = passing.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"for the child").unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"for the child");
    let seen =
        script(&scratch, "umask; pwd; echo $HOME; ulimit -c hard >/dev/null; umask 022; echo x >copy", &[]);
    assert_eq!(seen.out, scratch.filled("0077\n{here}\n{here}\n"));
}

#[test]
fn no_signal_is_held_back_or_ignored_for_the_command() {
    let scratch = small();
    let seen = script(&scratch, "grep -E '^Sig(Blk|Ign)' /proc/self/status", &[]);
    let masks: Vec<u64> = seen
        .out
        .lines()
        .map(|line| u64::from_str_radix(line.split_whitespace().last().unwrap(), 16).unwrap())
        .collect();
    let pipe = 1_u64 << (rustix::process::Signal::PIPE.as_raw() - 1);
    assert_eq!((masks[0], masks[1] & pipe), (0, 0), "{}", seen.out);
}

#[test]
fn what_leads_to_an_identity_does_not_reach_the_command() {
    let scratch = small();
    let key = std::fs::read(scratch.join("identity.txt")).unwrap();
    scratch.write("credentials/dcn-vault-identity", key, 0o600);
    let mut unit = scratch.program();
    unit.env("CREDENTIALS_DIRECTORY", scratch.join("credentials")).env("KEPT", "kept");
    for name in ["SOPS_AGE_KEY", "SOPS_AGE_KEY_CMD", "SOPS_AGE_KEY_FILE"] {
        unit.env(name, "not-a-real-identity");
    }
    let ended = said(unit.args(["run", "-b", "bundle", "env"]));
    assert_eq!(ended.code, 0, "{}", ended.err);
    for absent in ["CREDENTIALS_DIRECTORY", "SOPS_AGE", "not-a-real-identity", "not-a-real-secret"] {
        assert!(!ended.out.contains(absent), "{absent} is in {}", ended.out);
    }
    assert!(ended.out.contains("KEPT=kept") && ended.out.contains("DCN_VAULT_DIR=/"));
}

#[test]
fn two_runs_at_once_do_not_meet() {
    let scratch = small();
    let hold = "echo $$; echo \"$DCN_VAULT_DIR\"; read -r _; cat \"$1\"";
    let mut first = Deployment::start(&mut run(&scratch, &["sh", "-c", hold, "sh", "{passwords}"]));
    let directory = first.line();
    let second =
        said(&mut run(&scratch, &["sh", "-c", "echo \"$DCN_VAULT_DIR\"; cat \"$1\"", "sh", "{passwords}"]));
    assert!(!second.out.contains(&directory) && second.out.contains("not-a-real-secret"), "{}", second.err);
    let (code, out, err) = first.end();
    assert!(code == 0 && out.contains("not-a-real-secret"), "{err}");
    assert_nothing_left(&scratch);
}

#[test]
fn an_ordinary_user_can_run_it() {
    let scratch = small();
    std::fs::create_dir_all(scratch.join("runtime")).unwrap();
    let program = scratch.program_of_ordinary_user();
    let ordinary = run_by(
        &scratch,
        program,
        &["sh", "-c", "id -u; stat -Lc %a \"$1\"; cat \"$1\"", "sh", "{passwords}"],
    )
    .env("XDG_RUNTIME_DIR", "/tmp")
    .output()
    .unwrap();
    let (out, err) = (String::from_utf8_lossy(&ordinary.stdout), String::from_utf8_lossy(&ordinary.stderr));
    assert_eq!(ordinary.status.code(), Some(0), "{err}");
    assert!(!out.starts_with("0\n") && out.contains("\n400\n") && out.contains("not-a-real-secret"), "{out}");
    let swaps = "warning: this host forbids a ramfs of one's own: the plaintext is in memory that may be swapped out\n";
    assert!(err.is_empty() || err == swaps, "{err}");
}

#[test]
fn a_program_that_resolves_links_by_their_text_comes_back_to_the_link() {
    // As Python's Path.resolve does, and with it heatclient from 5.2.0 on: the kernel's name of the open file is the link's
    let pulled = Pulled::new();
    let script = "readlink \"$(readlink \"$1\" | sed \"s/self/$$/\")\"; printf '%s\\n' \"$1\"";
    let ended = said(&mut run(&pulled.scratch, &["sh", "-c", script, "sh", "{passwords}"]));
    assert_eq!(ended.code, 0, "{}", ended.err);
    let lines: Vec<&str> = ended.out.lines().collect();
    assert_eq!(lines[0], lines[1]);
}

#[test]
fn a_runtime_directory_of_somebody_else_is_none() {
    let scratch = small();
    let mut program = run(&scratch, &["printenv", "DCN_VAULT_DIR"]);
    let mut other = std::path::PathBuf::from("/sys");
    if rustix::process::geteuid().is_root() {
        other = scratch.join("other");
        std::fs::create_dir(&other).unwrap();
        std::os::unix::fs::chown(&other, Some(65534), None).unwrap();
    }
    let Said { code, out, err } = said(program.env("XDG_RUNTIME_DIR", &other));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(!out.starts_with(other.to_str().unwrap()), "{out}");
}
