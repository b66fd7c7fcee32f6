//! What a person types, and all that is said to it: each script in `tests/cmd` is one story, from an empty directory.
//!
//! A line `edge1$ dcn-vault …` is run by a shell whose home is `edge1/`, and whose directory `edge1/vault/` once that is there; what it says on standard error stands below as it
//! is, what it prints behind `| `, and last how it has ended, where that is not 0: `? 3`. `centre> plan.yaml 600` writes a file: its
//! text follows up to a line `.`. Words that differ with each run are numbered by their kind: `<key 1>`. `$HOOKS` is examples/hooks.
//!
//! `BLESS=1 cargo test --test cmd` writes down what is said now: read the difference.

#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic, reads scripts and runs them"
)]

mod program;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use program::{Scratch, said};

macro_rules! scripts {
    ($($(#[$attribute:meta])* $name:ident,)*) => {
        const SCRIPTS: &[&str] = &[$(stringify!($name)),*];
        $(#[test] $(#[$attribute])* fn $name() { follows(stringify!($name)); })*
    };
}

scripts! {
    #[ignore = "needs git, age and ssh-keygen: run tests/all"]
    a_centre_with_two_sites_from_the_first_day_to_a_revoked_one,
    #[ignore = "needs ssh-keygen: run tests/all"]
    a_deployment_that_nobody_looks_at,
    a_key_that_leaked_is_replaced,
    #[ignore = "needs git and ssh-keygen: run tests/all"]
    a_site_is_told_what_a_pull_has_brought,
    #[ignore = "needs ssh-keygen: run tests/all"]
    what_goes_wrong_at_a_site,
    what_goes_wrong_at_the_centre,
    #[ignore = "needs ssh-keygen: run tests/all"]
    several_who_sign,
    who_opened_what,
}

#[test]
fn no_script_is_left_out() {
    let mut names: Vec<String> = std::fs::read_dir(scripts())
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    let mut listed = SCRIPTS.to_vec();
    listed.sort_unstable();
    assert_eq!(names, listed);
}

/// Fails unless the program says exactly what the script has.
fn follows(name: &str) {
    let path = scripts().join(format!("{name}.txt"));
    let script = std::fs::read_to_string(&path).unwrap();
    let happens = happens(&script);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, happens).unwrap();
        return;
    }
    for (number, (says, said)) in script.lines().zip(happens.lines()).enumerate() {
        assert_eq!(said, says, "{}:{}; in whole:\n{happens}", path.display(), number + 1);
    }
    assert_eq!(happens.lines().count(), script.lines().count(), "{happens}");
}

/// The script, with what is said now.
fn happens(script: &str) -> String {
    let scratch = Scratch::bare();
    let mut words = Words { here: scratch.path().to_str().unwrap().to_owned(), known: Vec::new() };
    let mut text = String::new();
    let mut lines = script.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some((who, command)) = prompt(line, "$ ") {
            while lines
                .next_if(|line| {
                    !is_comment(line) && prompt(line, "$ ").is_none() && prompt(line, "> ").is_none()
                })
                .is_some()
            {}
            let ended = said(&mut shell(&scratch.join(who), command));
            let block = without_gaps(&words.numbered(&ended.err)) + &behind(&words.numbered(&ended.out));
            writeln!(text, "{line}").unwrap();
            text += &block;
            if ended.code != 0 {
                writeln!(text, "? {}", ended.code).unwrap();
            }
        } else if let Some((who, file)) = prompt(line, "> ") {
            let (name, mode) = file.rsplit_once(' ').unwrap();
            let content: String =
                lines.by_ref().take_while(|line| *line != ".").flat_map(|line| [line, "\n"]).collect();
            scratch.write(&format!("{who}/{name}"), &content, u32::from_str_radix(mode, 8).unwrap());
            writeln!(text, "{line}\n{content}.").unwrap();
        } else {
            assert!(is_comment(line), "neither a comment nor a command: {line}");
            writeln!(text, "{line}").unwrap();
        }
    }
    text
}

fn is_comment(line: &str) -> bool {
    line.is_empty() || line.starts_with('#')
}

/// Who types what, at a prompt that ends so.
fn prompt<'a>(line: &'a str, end: &str) -> Option<(&'a str, &'a str)> {
    line.split_once(end).filter(|(who, _)| !who.is_empty() && who.chars().all(|c| c.is_ascii_alphanumeric()))
}

/// An empty line ends what is said.
fn without_gaps(err: &str) -> String {
    err.lines().filter(|line| !line.is_empty()).flat_map(|line| [line, "\n"]).collect()
}

/// Standard output, told apart from what is said.
fn behind(out: &str) -> String {
    out.lines().map(|line| format!("| {line}").trim_end().to_owned() + "\n").collect()
}

fn shell(home: &Path, command: &str) -> Command {
    std::fs::create_dir_all(home).unwrap();
    let vault = home.join("vault");
    let here = if vault.is_dir() { &vault } else { home };
    let program = Path::new(env!("CARGO_BIN_EXE_dcn-vault")).parent().unwrap().to_owned();
    let others = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([program].into_iter().chain(std::env::split_paths(&others))).unwrap();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("umask 022; {command}")])
        .current_dir(here)
        .env_clear()
        .env("HOME", home)
        .env("PATH", path)
        .env("HOOKS", Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hooks"))
        .env("USER", "ada");
    for (name, value) in [("NAME", "Ada"), ("EMAIL", "ada@example.com")] {
        shell.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
    }
    shell.stdin(Stdio::null());
    shell
}

/// Words that are others with each run.
struct Words {
    here: String,
    known: Vec<(&'static str, String)>,
}

impl Words {
    /// `text` with a number in the place of each of them.
    fn numbered(&mut self, text: &str) -> String {
        let text = text.replace(&self.here, "{here}");
        let is_part = |c: char| c.is_ascii_alphanumeric() || ":+/-_".contains(c);
        let mut numbered = String::new();
        for piece in text.split_inclusive(|c| !is_part(c)) {
            let word = piece.trim_end_matches(|c| !is_part(c) || c == ':');
            numbered += &self.number(word);
            numbered += piece.strip_prefix(word).unwrap();
        }
        lines(&numbered)
    }

    fn number(&mut self, word: &str) -> String {
        let is_hexadecimal = |length| word.len() == length && word.bytes().all(|b| b.is_ascii_hexdigit());
        let kind = match word {
            _ if word.starts_with("age1") && word.len() == 62 => "key",
            _ if word.starts_with("SHA256:") && word.len() == 50 => "fingerprint",
            _ if word.starts_with("AAAA") => "public key",
            _ if is_hexadecimal(32) => "vault",
            _ if is_hexadecimal(64) => "digest",
            _ if word.len() == 20 && word.starts_with("20") && word.ends_with('Z') => {
                return String::from("<time>");
            }
            _ => return word.to_owned(),
        };
        if !self.known.iter().any(|known| known.1 == word) {
            self.known.push((kind, word.to_owned()));
        }
        let same = self.known.iter().filter(|known| known.0 == kind);
        format!("<{kind} {}>", same.map(|known| &known.1).position(|known| known == word).unwrap() + 1)
    }
}

/// Without the sizes of age files, in which there are lines that only make them another size.
fn lines(text: &str) -> String {
    let line = |line: &str| match line.split_once(" B  ") {
        Some((before, after)) if line.starts_with("  sealed ") => {
            format!("{} <size>  {after}\n", before.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' '))
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

fn scripts() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cmd")
}
