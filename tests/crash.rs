//! A SIGKILL, a full disk or a broken one, at each call that concerns a file: the old bundle or the new one is there, whole.
//!
//! # What this does not do
//!
//! A power cut: what the kernel had not yet written is not lost here. `fsync` before the exchange is for that, and its
//! order is only read, not tried.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and says how many points it tried"
)]

mod cloud;
mod program;
mod strace;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use cloud::{Cloud, Contents};
use program::{Scratch, said};
use strace::{Canaries, disturb, points};

/// What the puller remembers of the bundles that he made.
const NOTES: &str = ".local/state/dcn-vault/pulled";
const END_OF_CERTIFICATE: &str = "-----END CERTIFICATE-----\n";

/// A directory's files: what must be the same, byte for byte.
type Files = Vec<(PathBuf, Vec<u8>)>;

/// A bundle, and what its puller has noted of it.
#[derive(Default)]
struct Old {
    bundle: Files,
    notes: Files,
}

struct Bench {
    cloud: Cloud,
    scratch: Scratch,
    recipient: String,
    identity: Vec<u8>,
    canaries: Canaries,
}

impl Bench {
    fn new() -> Self {
        let cloud = Cloud::start(Contents::made_up());
        let scratch = Scratch::new();
        let (path, recipient) = scratch.keygen("identity.txt");
        let identity = std::fs::read(&path).unwrap();
        // One authority: the hundreds of this machine are not what is tried here
        let all = std::fs::read_to_string("/etc/ssl/certs/ca-certificates.crt").unwrap();
        let end = all.find(END_OF_CERTIFICATE).unwrap() + END_OF_CERTIFICATE.len();
        scratch.write("authority.pem", all.get(..end).unwrap(), 0o644);
        let canaries = Canaries::of(cloud.secrets());
        Self { cloud, scratch, recipient, identity, canaries }
    }

    fn pull(&self) -> Command {
        let mut command = self.scratch.program();
        command
            .envs(self.cloud.os_variables())
            .env("SSL_CERT_FILE", self.scratch.join("authority.pem"))
            .args(["pull", "-r", &self.recipient, "-o", "bundle"]);
        command
    }

    fn pull_whole(&self) {
        let pulled = said(&mut self.pull());
        assert_eq!(pulled.code, 0, "{}", pulled.err);
    }

    fn below(&self, directory: &str) -> Files {
        let directory = self.scratch.join(directory);
        self.scratch.files().into_iter().filter(|(path, _)| path.starts_with(&directory)).collect()
    }

    fn old(&self) -> Old {
        Old { bundle: self.below("bundle"), notes: self.below(NOTES) }
    }

    /// Puts `old` back as the bundle; nothing means none.
    fn restore(&self, old: &Old) {
        for directory in ["bundle", ".local"] {
            let _ = std::fs::remove_dir_all(self.scratch.join(directory));
        }
        for (path, content) in old.bundle.iter().chain(&old.notes) {
            self.scratch.write(path.to_str().unwrap(), content, 0o600);
        }
    }

    /// The generation of the bundle as `show` reads it, all digests checked, and its signature; `None` without a bundle.
    fn generation(&self, when: &str) -> Option<u64> {
        if !self.scratch.join("bundle").exists() {
            return None;
        }
        let checked = self.scratch.run(["check", "-b", "bundle"]);
        assert!(checked.out.starts_with("ok       signature "), "{when}: {}{}", checked.out, checked.err);
        let shown = self.scratch.run(["show", "-b", "bundle", "--json"]);
        assert_eq!(shown.code, 0, "{when}: {}", shown.err);
        let manifest: serde_json::Value = serde_json::from_str(&shown.out).unwrap();
        Some(manifest["generation"].as_u64().unwrap())
    }

    /// The old bundle byte for byte, or a whole one of the generation after it. Returns whether it is the new one.
    fn is_new(&self, old: &Old, when: &str) -> bool {
        if self.below("bundle") == old.bundle {
            return false;
        }
        let before = u64::from(!old.bundle.is_empty());
        let now = self.generation(when).unwrap_or_default();
        assert_eq!(now, before + 1, "{when}");
        true
    }

    /// What is there beside the identity, the bundle and the notes on it.
    fn leftovers(&self) -> Vec<String> {
        let mut names = self.scratch.names();
        names.retain(|name| !["authority.pem", "bundle", "identity.txt"].contains(&name.as_str()));
        let notes = self.below(NOTES).into_iter();
        names.extend(
            notes
                .map(|(path, _)| path.file_name().unwrap().to_str().unwrap().to_owned())
                .filter(|name| !is_id(name)),
        );
        names
    }

    /// A pull over what is there knows what was there before: the notes are of this bundle.
    fn assert_notes_fit(&self, when: &str) {
        let pulled = said(self.pull().arg("--dry-run"));
        assert_eq!(pulled.code, 0, "{when}: {}", pulled.err);
        assert!(!pulled.err.contains("was not made from here"), "{when}: {}", pulled.err);
    }

    fn assert_no_secret(&self, when: &str, said: &str) {
        // Each pull has a token of its own
        let token = Canaries::of(self.cloud.tokens_issued().pop());
        let said = (PathBuf::from("standard error"), said.as_bytes().to_owned());
        for (path, content) in self.scratch.files().into_iter().chain([said]) {
            for canaries in [&self.canaries, &token] {
                assert_eq!(canaries.found_in(&content), Vec::<&str>::new(), "{when}: {}", path.display());
            }
        }
    }

    /// An undisturbed pull makes the next generation, and clears up.
    fn assert_next_pull(&self, when: &str) {
        let before = self.generation(when).unwrap_or_default();
        self.pull_whole();
        assert_eq!(self.generation(when), Some(before + 1), "{when}");
        assert_eq!(self.leftovers(), Vec::<String>::new(), "{when}, and then pulled again");
    }
}

fn is_staging(name: &str) -> bool {
    name.strip_prefix(".bundle.").is_some_and(|rest| rest.strip_suffix(".new").is_some_and(is_id))
}

/// Where somebody has written that he is at work: it holds nobody up once he has gone.
fn is_lock(name: &str) -> bool {
    name == ".bundle.lock"
}

/// Notes that were not finished: `.VAULT.ID.new`.
fn is_notes(name: &str) -> bool {
    let ids = name.strip_prefix('.').and_then(|rest| rest.strip_suffix(".new")?.split_once('.'));
    ids.is_some_and(|(vault, id)| is_id(vault) && is_id(id))
}

fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Kills a pull at each point.
fn kill_everywhere(bench: &Bench, old: &Old) {
    bench.restore(old);
    let points = points(&bench.pull());
    let (mut kept, mut replaced, mut left, mut torn) = (0, 0, 0, 0);
    for point in &points {
        let when = format!("killed at {} {}", point.name, point.number);
        bench.restore(old);
        let ended = disturb(&bench.pull(), "signal=KILL", point).ended;
        if ended.code.is_some() {
            // The runtime woke itself less often than when the points were listed
            assert_eq!((ended.code, point.name.as_str()), (Some(0), "write"), "{when}: {}", ended.err);
            continue;
        }
        let is_new = bench.is_new(old, &when);
        bench.assert_no_secret(&when, &ended.err);
        let leftovers = bench.leftovers();
        let count = |is: fn(&str) -> bool| leftovers.iter().filter(|name| is(name)).count();
        let known = [count(is_staging), count(is_lock), count(is_notes)];
        assert!(
            known.iter().sum::<usize>() == leftovers.len() && known.iter().all(|count| *count < 2),
            "{when}: {leftovers:?}"
        );
        if is_new || !old.bundle.is_empty() {
            bench.assert_notes_fit(&when);
        }
        // Of a vault that never came to be, nobody knows
        if old.bundle.is_empty() && !is_new {
            let _ = std::fs::remove_dir_all(bench.scratch.join(".local"));
        }
        if is_new || !leftovers.is_empty() {
            bench.assert_next_pull(&when);
        }
        if is_new {
            replaced += 1;
        } else {
            kept += 1;
        }
        left += known[0];
        torn += known[2];
    }
    println!(
        "{} points: {kept} kills left the bundle as it was, {replaced} the new one; {left} left a staging directory, {torn} unfinished notes",
        points.len()
    );
    assert!(kept > 20 && replaced > 2 && left > 20 && torn > 2, "before, at and after the exchange");
    bench.assert_next_pull("all kills");
}

/// Refuses each call of a pull that concerns a file, one at a time.
fn fail_everywhere(bench: &Bench, old: &Old, error: &str) {
    bench.restore(old);
    let points = points(&bench.pull());
    let (mut failed, mut unharmed, mut left) = (0, 0, 0);
    // Of a file or not is known from the call that is refused: how often the runtime wakes itself differs
    for point in points.iter().filter(|point| point.is_own) {
        let when = format!("{error} at {} {}", point.name, point.number);
        bench.restore(old);
        let disturbed = disturb(&bench.pull(), &format!("error={error}"), point);
        if !disturbed.of_file {
            continue;
        }
        let (ended, exchanged) = (disturbed.ended, disturbed.exchanged);
        let is_new = bench.is_new(old, &when);
        bench.assert_no_secret(&when, &ended.err);
        if ended.code == Some(0) {
            // A message that could not be written, the old bundle that could not be removed, a certificate
            assert!(is_new, "{when}");
            unharmed += 1;
        } else {
            assert_eq!(ended.code, Some(1), "{when}: {}", ended.err);
            let mut lines = ended.err.lines().rev();
            let (hint, fault) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
            assert!(fault.starts_with("error: ") && hint.starts_with("hint: "), "{when}: {}", ended.err);
            assert!(!fault.contains("bug"), "{when}: {}", ended.err);
            // After the exchange only the sync of the directory above can fail: the new bundle is there, whole
            assert_eq!(is_new, exchanged, "{when}: {}", ended.err);
            failed += 1;
        }
        let leftovers = bench.leftovers();
        // Only a removal fails without a word: of the old bundle, or of the lock. The next pull makes up for it
        let known = leftovers.iter().all(|name| exchanged && is_staging(name) || is_lock(name));
        assert!(leftovers.is_empty() || known, "{when}: {leftovers:?}");
        if is_new || !old.bundle.is_empty() {
            bench.assert_notes_fit(&when);
        }
        if !leftovers.is_empty() {
            bench.assert_next_pull(&when);
            left += 1;
        }
    }
    println!(
        "{error}: {failed} told of, {unharmed} without harm, {left} left the old bundle or the lock for the next pull"
    );
    assert!(failed > 20, "{failed}");
    bench.assert_next_pull("all errors");
}

/// Kills, then refuses, at each point of a verb that writes one private file.
fn one_private_file(scratch: &Scratch, arguments: &[&str], path: &Path, is_whole: impl Fn(&[u8]) -> bool) {
    let before = scratch.names();
    let command = || {
        let mut command = scratch.program();
        command.args(arguments);
        command
    };
    let points = points(&command());
    let (mut empty, mut whole) = (0, 0);
    for what in ["signal=KILL", "error=ENOSPC", "error=EIO"] {
        let is_kill = what == "signal=KILL";
        for point in points.iter().filter(|point| is_kill || point.is_own && point.is_of_file) {
            let when = format!("{what} at {} {}", point.name, point.number);
            let _ = std::fs::remove_file(path);
            let ended = disturb(&command(), what, point).ended;
            assert_eq!(ended.code.is_none(), is_kill, "{when}");
            match std::fs::read(path) {
                Ok(content) => {
                    assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600, "{when}");
                    assert!(
                        is_whole(&content) || content.is_empty() && ended.code.is_none(),
                        "{when}: {content:?}"
                    );
                    if content.is_empty() { empty += 1 } else { whole += 1 }
                }
                Err(error) => {
                    assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{when}");
                    assert_ne!(ended.code, Some(0), "{when}");
                }
            }
            if ended.code.is_some_and(|code| code != 0) {
                assert_eq!(ended.code, Some(1), "{when}: {}", ended.err);
                let told = ended.err.starts_with("error: ") && ended.err.contains("\nhint: ");
                // Whoever reads the recipient has gone: the identity stays
                assert!(told || ended.err.is_empty() && path.exists(), "{when}: {}", ended.err);
            }
            let _ = std::fs::remove_file(path);
            assert_eq!(scratch.names(), before, "{when}");
        }
    }
    println!("{} points: {whole} runs left the whole file, {empty} an empty one", points.len());
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn a_first_pull_that_is_killed_at_any_point_leaves_no_bundle_or_a_whole_one() {
    kill_everywhere(&Bench::new(), &Old::default());
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn a_pull_over_a_bundle_that_is_killed_at_any_point_leaves_the_old_one_or_the_new_one_whole() {
    let bench = Bench::new();
    bench.pull_whole();
    kill_everywhere(&bench, &bench.old());
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn a_first_pull_on_a_full_or_broken_disk_says_so_and_leaves_nothing() {
    let bench = Bench::new();
    for error in ["ENOSPC", "EIO"] {
        fail_everywhere(&bench, &Old::default(), error);
    }
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn a_pull_over_a_bundle_on_a_full_or_broken_disk_says_so_and_leaves_the_old_one() {
    let bench = Bench::new();
    bench.pull_whole();
    let old = bench.old();
    for error in ["ENOSPC", "EIO"] {
        fail_everywhere(&bench, &old, error);
    }
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn keygen_that_is_killed_or_refused_at_any_point_leaves_a_whole_identity_an_empty_file_or_none() {
    let scratch = Scratch::new();
    let is_whole = |content: &[u8]| content.ends_with(b"\n") && content.len() == 184;
    one_private_file(&scratch, &["keygen", "-o", "made.txt"], &scratch.join("made.txt"), is_whole);
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn decrypt_that_is_killed_or_refused_at_any_point_leaves_a_whole_file_an_empty_one_or_none() {
    let bench = Bench::new();
    bench.pull_whole();
    let arguments = ["decrypt", "-b", "bundle", "-i", "identity.txt", "-o", "clear.yaml"];
    let opened = bench.scratch.run(&arguments[..5]);
    assert_eq!(opened.code, 0, "{}", opened.err);
    one_private_file(&bench.scratch, &arguments, &bench.scratch.join("clear.yaml"), |content| {
        content == opened.out.as_bytes()
    });
    assert_eq!(std::fs::read(bench.scratch.join("identity.txt")).unwrap(), bench.identity);
}
