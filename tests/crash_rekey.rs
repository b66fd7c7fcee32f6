//! `rekey` and `site remove`, killed or refused at each call that concerns a file: the old bundle or the new one is there, whole,
//! and the same command once more brings what was begun to its end.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and says how many points it tried"
)]

mod program;
mod strace;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use program::{PLAN, Scratch, said};
use strace::{Point, disturb, points};

const SETTINGS: &str = "version: 1\nsites:\n  edge1: {}\n  edge2: {secrets: [RpcPassword]}\n";
/// What a verb may change.
const CHANGING: [&str; 4] = ["bundle", "dcn-vault.yaml", "keys", ".local"];
const SECRETS: [&str; 2] = ["not-a-real-secret", "neither-is-this"];

/// A vault with two sites, one of which gets a part, and what was in it at first.
struct Bench {
    scratch: Scratch,
    verb: &'static [&'static str],
    first: Vec<(PathBuf, Vec<u8>, u32)>,
}

impl Bench {
    fn new(verb: &'static [&'static str]) -> Self {
        let scratch = Scratch::new();
        scratch.write("plan.yaml", PLAN, 0o600);
        scratch.write("dcn-vault.yaml", SETTINGS, 0o644);
        for site in ["edge1", "edge2"] {
            let (_, recipient) = scratch.keygen(&format!("{site}.txt"));
            scratch.write(&format!("keys/{site}/recipients.txt"), format!("{recipient}\n"), 0o644);
        }
        let pulled = scratch.run(["pull", "--from-file", "plan.yaml"]);
        assert_eq!(pulled.code, 0, "{}", pulled.err);
        std::fs::remove_file(scratch.join("plan.yaml")).unwrap();
        let mode = |path: &PathBuf| path.metadata().unwrap().permissions().mode();
        let changing = |path: &PathBuf| CHANGING.iter().any(|name| path.starts_with(scratch.join(name)));
        let files = scratch.files().into_iter().filter(|(path, _)| changing(path));
        let first = files.map(|(path, content)| (path.clone(), content, mode(&path))).collect();
        Self { scratch, verb, first }
    }

    fn command(&self) -> Command {
        let mut command = self.scratch.program();
        command.args(self.verb).args(["-i", "edge1.txt"]);
        command
    }

    fn restore(&self) {
        for name in CHANGING {
            let path = self.scratch.join(name);
            let _ = std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path));
        }
        for (path, content, mode) in &self.first {
            self.scratch.write(path.to_str().unwrap(), content, *mode);
        }
    }

    /// The old bundle byte for byte, or a whole and signed one of the generation after it. Returns whether it is the new one.
    fn is_new(&self, when: &str) -> bool {
        let bundle = self.scratch.join("bundle");
        let is_old = |(path, content, _): &(PathBuf, Vec<u8>, u32)| {
            !path.starts_with(&bundle) || std::fs::read(path).is_ok_and(|now| now == *content)
        };
        let checked = self.scratch.run(["check", "-b", "bundle"]);
        assert!(checked.out.starts_with("ok       signature "), "{when}: {}{}", checked.out, checked.err);
        let opened = self.scratch.run(["decrypt", "-b", "bundle", "-i", "edge1.txt"]);
        assert!(opened.code == 0 && opened.out.contains(SECRETS[0]), "{when}: {}", opened.err);
        let generation = self.scratch.manifest()["generation"].as_u64();
        assert_eq!(generation, Some(if self.first.iter().all(is_old) { 1 } else { 2 }), "{when}");
        generation == Some(2)
    }

    /// Whether all is as the verb leaves it.
    fn is_done(&self) -> bool {
        let manifest = self.scratch.manifest();
        if self.verb[0] == "rekey" {
            return manifest["generation"] == 2;
        }
        let settings = std::fs::read_to_string(self.scratch.join("dcn-vault.yaml")).unwrap();
        let in_keys = self.scratch.join("keys/edge2").exists();
        let is_sealed_for = manifest["recipients"].get("edge2").is_some();
        assert!(in_keys || is_sealed_for || !settings.contains("edge2"), "nobody would take it out again");
        !in_keys && !is_sealed_for && !settings.contains("edge2")
    }

    /// What is there that does not belong there.
    fn leftovers(&self) -> Vec<String> {
        let mut names = self.scratch.names();
        names.retain(|name| name.starts_with('.'));
        let notes = self.scratch.files().into_iter().map(|(path, _)| path);
        let names_of_notes = notes.filter(|path| path.starts_with(self.scratch.join(".local")));
        names.extend(
            names_of_notes
                .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
                .filter(|name| name.starts_with('.')),
        );
        names
    }

    /// The same command once more, where it has not come to its end.
    fn assert_again(&self, when: &str) {
        if !self.is_done() {
            let again = said(&mut self.command());
            assert_eq!(again.code, 0, "{when}: {}", again.err);
            assert!(self.is_done(), "{when}");
            assert_eq!(self.leftovers(), Vec::<String>::new(), "{when}, and then once more");
        }
        if self.verb[0] != "rekey" {
            let bill = self.scratch.manifest()["bill"].to_string();
            assert!(bill.contains("edge2") && bill.contains("RpcPassword"), "{when}: {bill}");
            let opened = self.scratch.run(["decrypt", "-b", "bundle", "-i", "edge2.txt"]);
            assert_eq!(opened.code, 1, "{when}");
        }
    }

    fn assert_no_secret(&self, when: &str) {
        for (path, content) in self.scratch.files() {
            for secret in SECRETS {
                let found = content.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{when}: {}", path.display());
            }
        }
    }
}

/// Kills the verb at each point, and refuses each of its calls that concern a file.
fn disturb_everywhere(bench: &Bench) {
    let all = points(&bench.command());
    for what in ["signal=KILL", "error=ENOSPC", "error=EIO"] {
        let is_kill = what == "signal=KILL";
        let (mut kept, mut replaced) = (0, 0);
        for point in all.iter().filter(|point| is_kill || point.is_own && point.is_of_file) {
            let Point { name, number, .. } = point;
            let when = format!("{what} at {name} {number}");
            bench.restore();
            let disturbed = disturb(&bench.command(), what, point);
            let is_new = bench.is_new(&when);
            bench.assert_no_secret(&when);
            if is_new {
                replaced += 1
            } else {
                kept += 1
            }
            match disturbed.ended.code {
                None => assert!(is_kill, "{when}"),
                Some(0) => assert!(bench.is_done(), "{when}: {}", disturbed.ended.err),
                Some(code) => {
                    let err = disturbed.ended.err;
                    assert_eq!((code, is_new), (1, disturbed.exchanged), "{when}: {err}");
                    assert!(err.contains("error: ") && err.contains("\nhint: "), "{when}: {err}");
                }
            }
            bench.assert_again(&when);
        }
        println!("{what}: {} left the bundle as it was, {replaced} the new one", kept);
        assert!(kept > 10 && replaced > 2, "before, at and after the exchange");
    }
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn a_rekey_that_is_killed_or_refused_at_any_point_leaves_the_old_bundle_or_the_new_one_whole() {
    disturb_everywhere(&Bench::new(&["rekey"]));
}
