//! Identities that a plugin keeps: a real program speaks age's plugin protocol (C2SP age-plugin.md), for sealing and for opening.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test starts what a person would"
)]

mod program;

use std::io::Write;
use std::process::{Command, Stdio};

use program::{Scratch, occurring, said};
use serde_json::{Value, json};

const RECIPIENT: &str = "age1tester1qqqqqqqqqqqqqqqqzw83fk";
const PIN: &str = "made-up-pin";
const UNASKED: &str = "hint: run it at a terminal, without --batch; or take an identity that nobody is asked for: a file of mode 0600, a systemd credential, -i fd:N, -i cmd:…\n";

/// Wraps a file's key by writing it down, and asks before it gives it back what the file `mode` beside it says.
const PLUGIN: &str = r#"#!/bin/sh
here=${0%/*}
mode=$(cat "$here/mode")
echo "$1" >> "$here/started"
say() { printf %s "$1" | base64 -w0 | tr -d =; }
ask() { printf -- '-> %s\n%s\n' "$1" "$2"; read -r _ status answer; read -r body; }
key=
while read -r line; do
    case $line in
    '-> done') read -r _; break ;;
    '-> wrap-file-key' | '-> recipient-stanza 0 tester') read -r key ;;
    esac
done
if [ "$1" = --age-plugin=recipient-v1 ]; then
    printf -- '-> recipient-stanza 0 tester\n%s\n' "$key"
    read -r _; read -r _
    printf -- '-> done\n\n'
    exit
fi
case $mode in
msg) ask msg "$(say "$(printf 'touch it\033[2J')")" ;;
secret) ask request-secret "$(say 'PIN: ')"; [ "$body" = "$(say made-up-pin)" ] || key= ;;
public) ask request-public "$(say Slot)"; [ "$body" = "$(say 7)" ] || key= ;;
confirm) ask "confirm $(say Plugged) $(say Skip)" "$(say 'Plug it in')"; [ "$answer" = yes ] || key= ;;
error) ask 'error identity 0' "$(say 'no hardware')"; key= ;;
leak) ask 'error internal' "$(say AGE-PLUGIN-TESTER-1QQQ)"; key= ;;
silent) key= ;;
dies) exit 1 ;;
babbles) echo babble; exit ;;
esac
[ -z "$key" ] || ask 'file-key 0' "$key"
printf -- '-> done\n\n'
"#;

/// A bundle that only the plugin opens, and its identity in `plugin.txt`.
struct AtPlugin(Scratch);

impl AtPlugin {
    fn new() -> Self {
        let scratch = Scratch::new();
        scratch.write("plan.yaml", program::PLAN, 0o600);
        let identity = age::plugin::Identity::default_for_plugin("tester").unwrap();
        scratch.write("plugin.txt", format!("# a comment\n{identity}\n"), 0o600);
        scratch.write("bin/age-plugin-tester", PLUGIN, 0o755);
        let here = Self(scratch);
        here.is("plain");
        let pull = ["pull", "--from-file", "plan.yaml", "-r", RECIPIENT, "-o", "bundle"];
        let pulled = said(here.program().args(pull));
        assert_eq!(pulled.code, 0, "{}", pulled.err);
        here.is("plain");
        here
    }

    /// What the plugin does from now on.
    fn is(&self, mode: &str) {
        self.0.write("bin/mode", mode, 0o644);
        self.0.write("bin/started", "", 0o666);
    }

    fn with_path(&self, mut program: Command) -> Command {
        let path = format!("{}:{}", self.0.join("bin").display(), std::env::var("PATH").unwrap());
        program.env("PATH", path);
        program
    }

    fn program(&self) -> Command {
        self.with_path(self.0.program())
    }

    fn count_started(&self) -> usize {
        std::fs::read_to_string(self.0.join("bin/started")).unwrap().lines().count()
    }

    /// `decrypt` and `run` say this of the plugin, and open nothing.
    fn opens_nothing(&self, before: &[&str], err: &str) {
        for verb in ["decrypt", "run"] {
            let mut program = self.program();
            program.args(before).args(words(verb, "plugin.txt"));
            let ended = said(&mut program);
            assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (1, "", err), "{verb}");
        }
    }

    fn at_terminal(&self, verb: &str, question: &str, keys: &str) -> Value {
        let program = self.program();
        let words: Vec<String> = std::iter::once(program.get_program().to_str().unwrap().to_owned())
            .chain(words(verb, "plugin.txt").into_iter().map(str::to_owned))
            .collect();
        let plan =
            json!({"program": words, "question": question, "ignored": [], "keys": keys, "signal": null});
        let mut python = Command::new("python3");
        python.arg("-B").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/prompt/terminal.py"));
        python.current_dir(self.0.path()).env_clear().env("HOME", self.0.path());
        let mut python = self.with_path(python).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        python.stdin.take().unwrap().write_all(plan.to_string().as_bytes()).unwrap();
        serde_json::from_slice(&python.wait_with_output().unwrap().stdout).unwrap()
    }
}

fn words(verb: &str, identity: &'static str) -> Vec<&'static str> {
    match verb {
        "run" => vec!["run", "-b", "bundle", "-i", identity, "--", "grep", "-c", "not-a-real", "{passwords}"],
        _ => vec!["decrypt", "-b", "bundle", "-i", identity, "-o", "-"],
    }
}

#[test]
fn a_plugin_opens_what_it_has_sealed_for_root_and_for_others() {
    let here = AtPlugin::new();
    let opens = |program: &dyn Fn() -> Command| {
        for verb in ["decrypt", "run", "check"] {
            let words = match verb {
                "check" => vec!["check", "-b", "bundle", "-i", "plugin.txt"],
                _ => words(verb, "plugin.txt"),
            };
            let ended = said(program().args(&words));
            assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{verb}: {}", ended.out);
        }
    };
    opens(&|| here.program());
    opens(&|| here.with_path(here.0.program_of_ordinary_user()));
}

#[test]
fn what_a_plugin_says_is_told_under_its_name_and_cannot_move_the_cursor() {
    let here = AtPlugin::new();
    here.is("msg");
    for verb in ["decrypt", "run"] {
        let ended = said(here.program().args(words(verb, "plugin.txt")));
        let told = "age-plugin-tester: touch it\\u{1b}[2J\n";
        assert_eq!((ended.code, ended.err.as_str(), here.count_started()), (0, told, 1), "{verb}");
        here.is("msg");
    }
}

#[test]
fn a_plugin_is_not_started_when_another_identity_opens() {
    let here = AtPlugin::new();
    let (_, recipient) = here.0.keygen("identity.txt");
    let pull = ["pull", "--from-file", "plan.yaml", "-r", RECIPIENT, "-r", &recipient, "-o", "bundle"];
    assert_eq!(said(here.program().args(pull)).code, 0);
    here.is("dies");
    let ended = said(here.program().args(words("decrypt", "plugin.txt")).args(["-i", "identity.txt"]));
    assert_eq!((ended.code, ended.err.as_str(), here.count_started()), (0, "", 0));
    assert!(ended.out.contains("not-a-real-secret"));
}

#[test]
fn a_plugin_that_does_not_open_is_named_with_its_reason() {
    let here = AtPlugin::new();
    let failed = "error: `age-plugin-tester` has ended before its time, or does not speak as a plugin of age\nhint: run `age -d` with this identity: does it open there?\n";
    let refused = |says: &str| {
        format!(
            "error: a plugin does not open: {says}\nhint: these are the plugin's words; is its hardware there, and unlocked?\n"
        )
    };
    let not_ours = "error: no identity of yours opens `passwords.yaml.age`\nhint: `dcn-vault show` lists the recipients; is yours among them? Else ask for a new pull with it\n";
    for (mode, err) in [
        ("dies", failed.to_owned()),
        ("babbles", failed.to_owned()),
        ("error", refused("'age-plugin-tester' couldn't use an identity: no hardware")),
        ("leak", refused("it repeats a key, which is not shown")),
        ("silent", not_ours.to_owned()),
    ] {
        here.is(mode);
        here.opens_nothing(&[], &err);
    }
    std::fs::remove_file(here.0.join("bin/age-plugin-tester")).unwrap();
    here.opens_nothing(&[], "error: `plugin.txt` takes `age-plugin-tester`, which is not on PATH\nhint: install age-plugin-tester, and look that PATH has it\n");
}

#[test]
fn a_plugin_asks_nobody_where_that_is_forbidden() {
    let here = AtPlugin::new();
    let err = format!("error: `age-plugin-tester` has a question: --batch forbids to ask\n{UNASKED}");
    for mode in ["secret", "public", "confirm"] {
        here.is(mode);
        here.opens_nothing(&["--batch"], &err);
    }
}

#[test]
#[ignore = "needs python3: run tests/all"]
fn a_plugin_asks_at_the_terminal_without_echo_what_is_secret() {
    let here = AtPlugin::new();
    for (mode, question, keys, echoes) in [
        ("secret", "age-plugin-tester: PIN: ", PIN, false),
        ("public", "age-plugin-tester: Slot: ", "7", true),
        ("confirm", "age-plugin-tester: Plug it in (1: Plugged, 2: Skip): ", "1", true),
    ] {
        for verb in ["decrypt", "run"] {
            here.is(mode);
            let ended = here.at_terminal(verb, question, &format!("{keys}\n"));
            let shown = ended["shown"].as_str().unwrap();
            assert!(shown.starts_with(question), "{ended}");
            assert_eq!(ended["echo_at_question"], json!(echoes), "{ended}");
            assert_eq!(occurring(&[PIN.to_owned()], shown.as_bytes()), Vec::<&String>::new());
            assert_eq!(ended["status"], 0, "{ended}");
        }
    }
}

#[test]
fn several_identities_of_one_plugin_are_tried_by_one_process() {
    let here = AtPlugin::new();
    let identity = std::fs::read_to_string(here.0.join("plugin.txt")).unwrap();
    here.0.write("more.txt", identity.repeat(3), 0o600);
    let once = said(here.program().args(words("decrypt", "plugin.txt")));
    let count = here.count_started();
    here.is("plain");
    let thrice = said(here.program().args(words("decrypt", "more.txt")));
    assert_eq!((once.code, thrice.code), (0, 0), "{}{}", once.err, thrice.err);
    assert_eq!(here.count_started(), count);
}

#[test]
fn no_key_is_written_to_standard_error_for_those_who_write_plugins() {
    let here = AtPlugin::new();
    for words in [words("decrypt", "plugin.txt"), words("run", "plugin.txt"), vec!["pull", "-r", RECIPIENT]] {
        let ended = said(here.program().env("AGEDEBUG", "plugin").args(words));
        let err = "error: with AGEDEBUG=plugin, age would write keys to standard error\nhint: unset AGEDEBUG; with a plugin alone, and what is made up, `age` itself shows the same\n";
        assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (1, "", err));
    }
}
