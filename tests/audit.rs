//! The audit log: a line for each opening, whoever opens and however it ends; a change of it is found; no value is in it.

#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may panic, and starts itself again"
)]

mod cloud;
mod program;
mod pulled;

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use dcn_vault::audit::{Entry, Event, Log, Verb, Who};
use program::deployment::Deployment;
use program::refusal::assert_refused;
use program::{RUN, Said, Scratch, occurring, said};
use pulled::Pulled;
use rustix::process::Signal;
use serde_json::Value;

const OWN: &str = ".local/state/dcn-vault/audit.jsonl";
/// A process that has it appends to the log that it names.
const APPENDER: &str = "DCN_VAULT_TEST_LOG";

fn lines(scratch: &Scratch, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(scratch.join(name)).unwrap();
    assert!(text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

fn keys(line: &Value) -> Vec<&str> {
    line.as_object().unwrap().keys().map(String::as_str).collect()
}

/// The chain as anybody can compute it: a line holds what `sha256sum` says of the one before.
fn is_chained(scratch: &Scratch, name: &str) -> bool {
    let script = "previous=$(printf '%064d' 0)
        while IFS= read -r line; do
            case $line in *\"\\\"previous\\\":\\\"$previous\\\"\"*) ;; *) echo \"$line\"; exit 1;; esac
            previous=$(printf %s \"$line\" | sha256sum | cut -c -64)
        done < \"$2\"; echo \"$previous\"";
    let ended = said(scratch.program_in_shell(script).arg(name));
    let verified = scratch.run(["audit", "verify", name]);
    let says_so = verified.out.ends_with(&format!("whole\nhead {}", ended.out));
    assert_eq!(ended.code == 0, verified.code == 0, "{}{}", ended.out, verified.out);
    ended.code == 0 && says_so
}

/// A bundle from a small plan, with a log of three lines: two openings, and one that was refused.
fn logged() -> Scratch {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    scratch.keygen("other.txt");
    for (identity, code) in [("identity.txt", 0), ("identity.txt", 0), ("other.txt", 1)] {
        let got = scratch.run(["get", "-b", "bundle", "-i", identity, "--audit-log", "log", "NovaPassword"]);
        assert_eq!(got.code, code, "{}", got.err);
    }
    scratch
}

#[test]
fn each_opening_has_its_lines_with_all_that_the_manifest_says_and_no_value_whatever_was_opened() {
    let pulled = Pulled::new();
    let (scratch, manifest) = (&pulled.scratch, pulled.manifest());
    let options = ["-b", "bundle", "-i", "identity.txt"];
    let run = |verb: &str, more: &[&str]| scratch.run([&[verb], &options[..], more].concat());
    assert_eq!(run("decrypt", &[]).code, 0);
    assert_eq!(run("decrypt", &["global-config-extra-map-data.json", "-o", "global.json"]).code, 0);
    assert_eq!(run("get", &["KeystoneFernetKeys./etc/keystone/fernet-keys/0.content"]).code, 0);
    let read_all = "cat \"$1\"/* >/dev/null; exit 7";
    assert_eq!(run("run", &["--", "sh", "-c", read_all, "sh", "{dir}"]).code, 7);
    assert_eq!(run("run", &["--", "./no-such-command", "--password", "hunter2"]).code, 127);
    assert_eq!(run("get", &["NoSuchParameter"]).code, 1);
    let log = std::fs::read(scratch.join(OWN)).unwrap();
    assert_eq!(occurring(&pulled.secrets, &log), Vec::<&String>::new());
    assert!(!String::from_utf8(log).unwrap().contains("hunter2"));
    assert_eq!(scratch.join(OWN).metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    assert!(is_chained(scratch, OWN));

    let lines = lines(scratch, OWN);
    let said: Vec<(&str, &str)> =
        lines.iter().map(|line| (line["verb"].as_str().unwrap(), line["event"].as_str().unwrap())).collect();
    let expected = [
        ("decrypt", "opened"),
        ("decrypt", "opened"),
        ("get", "opened"),
        ("run", "opened"),
        ("run", "ended"),
        ("run", "opened"),
        ("run", "refused"),
        ("get", "refused"),
    ];
    assert_eq!(said, expected);
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(line["number"], number + 1);
        assert_eq!(line["uid"], rustix::process::getuid().as_raw());
        let time: jiff::Timestamp = line["time"].as_str().unwrap().parse().unwrap();
        assert!(jiff::Timestamp::now().duration_since(time).as_secs().abs() < 600);
        if line["event"] == "opened" {
            assert_eq!((&line["vault"], &line["generation"]), (&manifest["vault"], &manifest["generation"]));
            assert_eq!(line["site"], "default");
        }
    }
    let of_file = |path: &str| {
        let files = manifest["files"].as_array().unwrap();
        let file = files.iter().find(|file| file["path"] == path).unwrap();
        texts(&file["parameters"])
    };
    let mut passwords = of_file("passwords.yaml.age");
    passwords.sort_unstable();
    assert_eq!(texts(&lines[0]["parameters"]), passwords);
    assert_eq!(texts(&lines[0]["files"]), ["passwords.yaml"]);
    assert_eq!(texts(&lines[1]["parameters"]), ["GlobalConfigExtraMapData"]);
    assert_eq!(texts(&lines[2]["parameters"]), ["KeystoneFernetKeys"]);
    assert_eq!(texts(&lines[3]["files"]).len(), 6);
    assert!(texts(&lines[3]["parameters"]).len() > passwords.len());
    assert_eq!((&lines[3]["child"], &lines[4]["exit"]), (&"sh".into(), &7.into()));
    assert!(["mount", "fd", "fd, memfd"].contains(&lines[3]["delivery"].as_str().unwrap()));
    assert_eq!((&lines[3]["id"], &lines[5]["id"]), (&lines[4]["id"], &lines[6]["id"]));
    assert_ne!(lines[3]["id"], lines[5]["id"]);
    assert_eq!(lines[6]["error"], "`./no-such-command` is not found");
    assert_eq!(lines[7]["error"], "no parameter `NoSuchParameter` is in what this site gets");
    assert_eq!(lines[7]["vault"], manifest["vault"]);
    let known = [
        "number",
        "previous",
        "time",
        "event",
        "id",
        "user",
        "uid",
        "login_uid",
        "tty",
        "unit",
        "verb",
        "vault",
        "generation",
        "site",
        "files",
        "parameters",
        "delivery",
        "child",
        "error",
        "exit",
        "escapes",
    ];
    assert!(lines.iter().flat_map(|line| keys(line)).all(|key| known.contains(&key)), "{lines:#?}");
}

#[test]
fn what_was_waived_and_what_was_refused_is_noted_and_why() {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    std::fs::remove_file(scratch.join("bundle/manifest.json.sig")).unwrap();
    for (more, code) in [(&[][..], 1), (&["--allow-unsigned"], 0)] {
        for verb in [&["decrypt"][..], &["get", "NovaPassword"], &["run", "true"]] {
            let (verb, rest) = verb.split_first().unwrap();
            let said = scratch.run([&[verb, "-b", "bundle", "-i", "identity.txt"], more, rest].concat());
            assert_eq!(said.code, code, "{}", said.err);
        }
    }
    let lines = lines(&scratch, OWN);
    let refused: Vec<&Value> = lines.iter().filter(|line| line["event"] == "refused").collect();
    assert_eq!(refused.len(), 3);
    assert!(
        refused
            .iter()
            .all(|line| line["error"] == "the bundle is not signed" && line["vault"] == Value::Null)
    );
    let opened: Vec<&Value> = lines.iter().filter(|line| line["event"] == "opened").collect();
    assert_eq!(opened.len(), 3);
    assert!(opened.iter().all(|line| texts(&line["waived"]) == ["--allow-unsigned"]));
    assert!(is_chained(&scratch, OWN));
}

#[test]
fn a_command_that_a_signal_ends_has_it_in_its_line_and_while_it_runs_only_its_opening() {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    let mut program = scratch.program();
    program.args(RUN).args(["--", "sh", "-c", "echo $$; read -r _; kill -9 $$"]);
    let mut deployment = Deployment::start(&mut program);
    assert_eq!(lines(&scratch, OWN).len(), 1);
    assert_eq!(deployment.end().0, 137);
    let lines = lines(&scratch, OWN);
    assert_eq!(
        (lines.len(), &lines[1]["signal"], &lines[1]["exit"]),
        (2, &Signal::KILL.as_raw().into(), &Value::Null)
    );
}

#[test]
fn an_ordinary_user_and_a_terminal_are_named() {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    let program = scratch.program().get_program().to_str().unwrap().to_owned();
    let line = format!("'{program}' get -b bundle -i identity.txt --audit-log log NovaPassword -o -");
    let mut script = scratch.program_in_shell("exec script -qec \"$2\" /dev/null");
    assert_eq!(said(script.env("SUDO_USER", "stack").arg(line)).code, 0);
    let line = &lines(&scratch, "log")[0];
    assert!(line["tty"].as_str().unwrap().starts_with("pts/"));
    if rustix::process::geteuid().is_root() && line["login_uid"] == Value::Null {
        assert_eq!(line["user"], "stack");
    }
    let mut program = scratch.program_of_ordinary_user();
    assert_eq!(said(program.args(["decrypt", "-b", "bundle", "-i", "identity.txt"])).code, 0);
    let mut program = scratch.program_of_ordinary_user();
    assert_eq!(said(program.args(RUN).args(["true"])).code, 0);
    let all = lines(&scratch, OWN);
    assert_eq!(all.len(), 3);
    if rustix::process::geteuid().is_root() {
        assert!(all.iter().all(|line| line["uid"] == 65534 && line["tty"] == Value::Null), "{all:#?}");
        let users = std::fs::read_to_string("/etc/passwd").unwrap();
        if users.contains("\nnobody:x:65534:") && all[0]["login_uid"] == Value::Null {
            assert!(all.iter().all(|line| line["user"] == "nobody"));
        }
    }
}

#[test]
fn the_log_is_that_of_the_service_or_the_one_that_is_named() {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    for name in ["service", "second"] {
        std::fs::create_dir(scratch.join(name)).unwrap();
    }
    let list = format!("{}:{}", scratch.join("service").display(), scratch.join("second").display());
    let get = |more: &[&str]| {
        let mut program = scratch.program();
        program.env("LOGS_DIRECTORY", &list).args([
            "get",
            "-b",
            "bundle",
            "-i",
            "identity.txt",
            "NovaPassword",
        ]);
        assert_eq!(said(program.args(more)).code, 0);
    };
    get(&[]);
    get(&["--audit-log", "named"]);
    assert_eq!((lines(&scratch, "service/audit.jsonl").len(), lines(&scratch, "named").len()), (1, 1));
    assert!(!scratch.join(OWN).exists());
    let verified = said(scratch.program().env("LOGS_DIRECTORY", &list).args(["audit", "verify"]));
    assert!(verified.out.contains("service/audit.jsonl: 1 line, whole\n"), "{}", verified.out);
}

/// What the audit log's fault is, and what `get` and `run` say of it, without the word in front.
fn unwritable(scratch: &Scratch) -> Vec<(&'static str, &'static str, &'static str)> {
    scratch.write("not-a-log", "root:x:0:0\n", 0o600);
    scratch.write("shared", "", 0o620);
    symlink("elsewhere", scratch.join("link")).unwrap();
    vec![
        ("no/log", "the audit log: cannot write `no/log`: no such file or directory", "check the path"),
        ("link", "the audit log: `link` is not a plain file", "put the file itself there, and no link to it"),
        (
            "/dev/full",
            "the audit log: `/dev/full` is not a plain file",
            "put the file itself there, and no link to it",
        ),
        ("shared", "the audit log: `shared` can be written by others: its mode is 0620", "chmod go-w shared"),
        (
            "not-a-log",
            "`not-a-log` is not an audit log",
            "name another file with --audit-log; `dcn-vault audit verify` says what is wrong with one that was",
        ),
    ]
}

#[test]
fn a_log_that_cannot_be_written_is_one_warning_or_where_it_is_required_an_error_before_anything_is_opened() {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    let with = |verb: &str, more: &[&str]| {
        scratch.run([&[verb, "-b", "bundle", "-i", "identity.txt"], more].concat())
    };
    for (log, error, hint) in unwritable(&scratch) {
        let before = scratch.holdings();
        let warning = format!("warning: {error}; this is not written down\n");
        for (verb, rest, out) in [
            ("get", &["NovaPassword"][..], "not-a-real-secret"),
            (
                "decrypt",
                &[],
                "parameter_defaults:\n  NovaPassword: not-a-real-secret\n  RpcPassword: neither-is-this\n",
            ),
            ("run", &["echo", "hello"], "hello\n"),
        ] {
            let Said { code, out: said, err } = with(verb, &[&["--audit-log", log], rest].concat());
            assert_eq!((code, said.as_str(), err.as_str()), (0, out, warning.as_str()), "{verb} {log}");
            let refused = with(verb, &[&["--audit-log", log, "--require-audit"], rest].concat());
            assert_refused(&refused, 1, &format!("error: {error}\nhint: {hint}\n"));
        }
        assert!(scratch.holdings() == before, "something has changed: {log}");
    }
    let homeless = |more: &[&str]| {
        let mut program = scratch.program();
        program.env_remove("HOME").args(["get", "-b", "bundle", "-i", "identity.txt", "NovaPassword"]);
        said(program.args(["--signers", ".config/dcn-vault/signers"]).args(more))
    };
    let none = "there is no place for an audit log: neither HOME nor XDG_STATE_HOME is set";
    let memory = "warning: neither HOME nor XDG_STATE_HOME is set: nothing is remembered, and an older bundle is not noticed\n";
    assert_eq!(homeless(&[]).err, format!("warning: {none}; this is not written down\n{memory}"));
    let err = format!("error: {none}\nhint: name a file with --audit-log\n");
    assert_refused(&homeless(&["--require-audit"]), 1, &err);
}

#[test]
fn a_full_disk_is_a_warning_or_an_error_before_anything_is_handed_over_and_the_log_stays_whole() {
    let scratch = Scratch::new();
    scratch.pull_from_file();
    let script = "mkdir -p small && exec unshare -rm sh -c '
        mount -t tmpfs -o size=12k none small || exit 77
        for n in 1 2; do \"$@\" get -b bundle -i identity.txt --audit-log small/log NovaPassword >/dev/null || exit 1; done
        head -c 16384 /dev/zero > small/fill 2>/dev/null
        for n in $(seq 16); do \"$@\" get -b bundle -i identity.txt --audit-log small/log NovaPassword 2>/dev/null; done; echo
        \"$@\" get -b bundle -i identity.txt --audit-log small/log NovaPassword; echo \" $?\"
        \"$@\" get -b bundle -i identity.txt --audit-log small/log --require-audit NovaPassword; echo \"$?\"
        \"$@\" run -b bundle -i identity.txt --audit-log small/log --require-audit touch started; echo \"$?\"
        \"$@\" audit verify small/log >verdict; echo \"$?\"
        rm small/fill; \"$@\" get -b bundle -i identity.txt --audit-log small/log NovaPassword; echo \" $?\"
        \"$@\" audit verify small/log >/dev/null; echo \"$?\"' sh \"$@\"";
    let ended = said(&mut scratch.program_in_shell(script));
    if ended.code == 77 {
        assert!(!rustix::process::geteuid().is_root(), "{}", ended.err);
        return;
    }
    let secret = "not-a-real-secret";
    assert_eq!(
        ended.out,
        format!("{}\n{secret} 0\n1\n1\n0\n{secret} 0\n0\n", secret.repeat(16)),
        "{}",
        ended.err
    );
    let full = "the audit log: cannot write `small/log`: no space left on device";
    let hint = "hint: check the file system: is it full, read-only or gone?\n";
    let warned = format!("warning: {full}; this is not written down\n");
    let refused = format!("error: {full}\n{hint}");
    // The worker of `run` says it, and that the bundle was not opened is nothing more to tell
    assert_eq!(ended.err, format!("{warned}{refused}{refused}"));
    assert!(!scratch.join("started").exists());
}

#[test]
fn what_was_done_to_a_log_is_found_at_its_line() {
    let scratch = logged();
    let log = std::fs::read_to_string(scratch.join("log")).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    let whole = scratch.run(["audit", "verify", "log"]);
    let head = whole.out.strip_prefix("log: 3 lines, whole\nhead ").unwrap().trim_end().to_owned();
    assert_eq!((whole.code, head.len(), whole.err.as_str()), (0, 64, ""));
    let changed = lines[1].replace("NovaPassword", "RpcPassword");
    for (text, says) in [
        (
            format!("{}\n{changed}\n{}\n", lines[0], lines[2]),
            "line 2: changed: the next line follows another\n",
        ),
        (format!("{}\n{}\n", lines[0], lines[2]), "line 2: the line before it is missing\n"),
        (format!("{}\n", lines[2]), "line 1: 2 lines before it are missing\n"),
        (
            format!("{}\n{}\n{}\n{}\n", lines[0], lines[1], lines[0], lines[2]),
            "line 3: moved, or written twice: it does not follow the line before it\nline 4: the line before it is missing\n",
        ),
        (format!("{log}root:x:0:0\n"), "line 4: not a line of an audit log\n"),
        (log[..log.len() - 20].to_owned(), "line 3: torn: a crash or a full disk has cut it short\n"),
    ] {
        scratch.write("log", &text, 0o600);
        let Said { code, out, err } = scratch.run(["audit", "verify", "log"]);
        assert!(out.starts_with(says), "{out}");
        let count = text.lines().count();
        let lines = if count == 1 { String::from("1 line") } else { format!("{count} lines") };
        assert!(out.contains(&format!("log: {lines}, not whole\nhead ")), "{out}");
        assert_eq!((code, err.as_str()), (3, ""));
    }
    // What is cut off at the end, or changed there, only a head that was kept tells
    let kept = |head: &str| scratch.run(["audit", "verify", "log", "--head", head]);
    scratch.write("log", format!("{}\n{}\n", lines[0], lines[1]), 0o600);
    assert_eq!(scratch.run(["audit", "verify", "log"]).code, 0);
    let cut = kept(&head);
    assert!(cut.out.starts_with(
        "no line has the head that was kept: it was cut off, or changed\nlog: 2 lines, not whole\n"
    ));
    assert_eq!(cut.code, 3);
    scratch.write("log", &log, 0o600);
    let there = kept(&head.to_uppercase());
    assert!(
        there.out.starts_with("the head that was kept is that of line 3\nlog: 3 lines, whole\n"),
        "{}",
        there.out
    );
    assert_eq!(there.code, 0);
    assert_eq!(kept("0123").code, 2);
    let missing = scratch.run(["audit", "verify", "no-log"]);
    assert_refused(
        &missing,
        1,
        "error: cannot read `no-log`: no such file or directory\nhint: check the path\n",
    );
}

#[test]
fn a_line_that_a_crash_has_cut_short_is_closed_off_and_called_so() {
    let scratch = logged();
    let log = std::fs::read_to_string(scratch.join("log")).unwrap();
    scratch.write("log", &log[..log.len() - 30], 0o600);
    let got =
        scratch.run(["get", "-b", "bundle", "-i", "identity.txt", "--audit-log", "log", "NovaPassword"]);
    assert_eq!((got.code, got.err.as_str()), (0, ""));
    let after = std::fs::read_to_string(scratch.join("log")).unwrap();
    assert_eq!(after.lines().count(), 4);
    let last: Value = serde_json::from_str(after.lines().last().unwrap()).unwrap();
    assert_eq!(last["number"], 4);
    let verified = scratch.run(["audit", "verify", "log"]);
    assert!(
        verified
            .out
            .starts_with("line 3: torn: a crash or a full disk has cut it short\nlog: 4 lines, not whole\n")
    );
    let shown = scratch.run(["audit", "show", "log"]);
    assert_eq!(shown.err, "warning: 1 line cannot be read: `dcn-vault audit verify` says which\n");
    assert_eq!((shown.code, shown.out.lines().count()), (0, 4));
}

#[test]
fn eight_processes_append_fifty_lines_each_and_the_chain_holds() {
    if let Some(path) = std::env::var_os(APPENDER) {
        return append_fifty(Path::new(&path));
    }
    let scratch = Scratch::bare();
    let start = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "eight_processes_append_fifty_lines_each_and_the_chain_holds"]);
        command.env(APPENDER, scratch.join("log")).stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    let mut processes: Vec<_> = (0..8).map(|_| start()).collect();
    assert!(processes.iter_mut().all(|process| process.wait().unwrap().success()));
    let lines = lines(&scratch, "log");
    assert_eq!(lines.len(), 400);
    let mut ids: Vec<&str> = lines.iter().map(|line| line["id"].as_str().unwrap()).collect();
    // They took turns
    assert!(ids.windows(2).filter(|pair| pair[0][..8] != pair[1][..8]).count() > 8);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 400);
    assert!(is_chained(&scratch, "log"));
}

fn append_fifty(path: &Path) {
    let log = Log::open(path).unwrap();
    for number in 0..50 {
        let id = format!("{:08}-{number}", std::process::id());
        let mut entry = Entry::new(Event::Opened, Verb::Serve, &id, &Who::here(None), jiff::Timestamp::now());
        // Lines of all lengths, so that the end is looked for more than once
        entry.child = Some("x".repeat(number * 20));
        entry.parameters = (0..number * number)
            .map(|n| dcn_vault::model::ParameterName::parse(&format!("Parameter{n}")).unwrap())
            .collect();
        log.append(&entry).unwrap();
    }
}

#[test]
fn people_are_shown_who_opened_what_and_a_terminal_is_not_commanded() {
    let scratch = logged();
    scratch.run([
        "run",
        "-b",
        "bundle",
        "-i",
        "identity.txt",
        "--audit-log",
        "log",
        "--",
        "sh",
        "-c",
        "exit 3",
    ]);
    scratch.run(["run", "-b", "bundle", "-i", "identity.txt", "--audit-log", "log", "\u{1b}]0;x\u{7}"]);
    let shown = scratch.run(["audit", "show", "log"]);
    assert_eq!((shown.code, shown.err.as_str()), (0, ""));
    let vault = &scratch.manifest()["vault"].as_str().unwrap()[..8].to_owned();
    let rows: Vec<Vec<&str>> = shown.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["TIME", "WHO", "VERB", "BUNDLE", "SITE", "WHAT", "OUTCOME"]);
    let ends = |row: &[&str], end: &str| row.join(" ").ends_with(end);
    assert!(ends(&rows[1], &format!("get {vault}/1 default NovaPassword opened")), "{}", shown.out);
    assert!(ends(
        &rows[3],
        &format!("get {vault}/1 - - refused: no identity of yours is a recipient of the bundle")
    ));
    assert!(
        ends(&rows[4], &format!("run {vault}/1 default sh (mount) opened")) || ends(&rows[4], "fd) opened")
    );
    assert!(ends(&rows[5], "run - - sh ended with 3"), "{}", shown.out);
    assert!(ends(&rows[7], "is not found"), "{}", shown.out);
    assert!(!shown.out.contains(['\u{1b}', '\u{7}']));
    // Of a line that somebody has written to command the terminal, too
    let mut line = lines(&scratch, "log").pop().unwrap();
    line["user"] = "\u{1b}[31m\u{9b}\n\u{202e}x".into();
    let log = std::fs::read_to_string(scratch.join("log")).unwrap();
    scratch.write("log", format!("{log}{line}\n"), 0o600);
    let out = scratch.run(["audit", "show", "log"]).out;
    assert!(
        out.contains("\\u{1b}[31m\\u{9b}\\n\\u{202e}x") && !out.contains(['\u{1b}', '\u{9b}', '\u{202e}']),
        "{out}"
    );

    let json: Value = serde_json::from_str(&scratch.run(["audit", "show", "log", "--json"]).out).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 8);
    assert_eq!(json[0], lines(&scratch, "log")[0]);
    for (since, count) in [("1h", 8), ("0m", 0), ("2000-01-01", 8), ("2999-12-31T00:00:00Z", 0)] {
        let json = scratch.run(["audit", "show", "log", "--json", "--since", since]).out;
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap().as_array().unwrap().len(), count, "{since}");
    }
}
