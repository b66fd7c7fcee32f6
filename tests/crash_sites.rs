//! A SIGKILL, a full disk or a broken one, at each call that concerns a file, of the verbs that write a vault of several sites: the old
//! bundle or the new one is there, whole; nobody who was removed gets anything; what was known of the values is known still.
//!
//! # What this does not do
//!
//! A power cut: what the kernel had not yet written is not lost here. That all of it is on the disk before the exchange is read in the
//! order of the calls, not tried.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and says how many points it tried"
)]

mod program;
mod strace;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use program::{Said, Scratch, said};
use serde_json::Value;
use strace::{Call, calls, disturb, points};

const SETTINGS: &str = "version: 1
sites:
  edge1: {}
  edge2: {secrets: [NovaPassword]}
  edge3: {secrets: [RpcPassword]}
  edge4: {secrets: [RpcPassword, NovaPassword]}
";
const WITHOUT_EDGE3: &str = "version: 1
sites:
  edge1: {}
  edge2: {secrets: [NovaPassword]}
  edge4: {secrets: [RpcPassword, NovaPassword]}
";
const OLD: &str = "passwords:\n  NovaPassword: not-a-real-secret\n  RpcPassword: neither-is-this\n";
const ROTATED: &str = "passwords:\n  NovaPassword: not-a-real-secret\n  RpcPassword: another-that-is-none\n";
const PULL: [&str; 3] = ["pull", "--from-file", "plan.yaml"];
const REKEY: [&str; 3] = ["rekey", "-i", "identity.txt"];
const REMOVE: [&str; 5] = ["site", "remove", "edge3", "-i", "identity.txt"];

/// Files by path, each with its mode and its content.
type Files = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// A vault of four sites, with a first generation.
struct Vault {
    scratch: Scratch,
}

/// How many kills, or errors, ended how.
#[derive(Debug, Default)]
struct Sums {
    points: usize,
    kept: usize,
    replaced: usize,
    left: usize,
}

impl Vault {
    fn new() -> Self {
        let scratch = Scratch::new();
        for (site, identity) in
            [("edge1", "identity.txt"), ("edge2", "two.txt"), ("edge3", "three.txt"), ("edge4", "four.txt")]
        {
            let (_, recipient) = scratch.keygen(identity);
            scratch.write(&format!("keys/{site}/recipients.txt"), format!("{recipient}\n"), 0o644);
        }
        scratch.write("keys/edge3/note.txt", "theirs\n", 0o644);
        scratch.write("dcn-vault.yaml", SETTINGS, 0o644);
        scratch.write("plan.yaml", OLD, 0o600);
        let vault = Self { scratch };
        vault.run_whole(&PULL);
        vault
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.scratch.program();
        command.args(words);
        command
    }

    fn run_whole(&self, words: &[&str]) -> Said {
        let ran = self.scratch.run(words);
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.err);
        ran
    }

    fn plan(&self, text: &str) {
        self.scratch.write("plan.yaml", text, 0o600);
    }

    fn manifest(&self) -> Value {
        self.scratch.manifest()
    }

    fn generation(&self) -> u64 {
        self.manifest()["generation"].as_u64().unwrap()
    }

    /// All that is there.
    fn files(&self) -> Files {
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
        self.scratch.files().into_iter().map(|(path, bytes)| (path.clone(), (mode(&path), bytes))).collect()
    }

    fn below(&self, files: &Files, name: &str) -> Files {
        let directory = self.scratch.join(name);
        files
            .iter()
            .filter(|(path, _)| path.starts_with(&directory))
            .map(|(path, file)| (path.clone(), file.clone()))
            .collect()
    }

    /// Puts back all that was there, and nothing else.
    fn restore(&self, files: &Files) {
        for entry in std::fs::read_dir(self.scratch.path()).unwrap() {
            let path = entry.unwrap().path();
            // The signer's key is nobody's to write
            if path.ends_with(".config") {
                continue;
            }
            if path.is_dir() {
                std::fs::remove_dir_all(&path).unwrap();
            } else {
                std::fs::remove_file(&path).unwrap();
            }
        }
        for (path, (mode, bytes)) in files {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(*mode)).unwrap();
        }
    }

    /// The old bundle byte for byte, or a whole one of the generation after it. Returns whether it is the new one.
    fn is_new(&self, old: &Files, when: &str) -> bool {
        if self.below(&self.files(), "bundle") == self.below(old, "bundle") {
            return false;
        }
        let before = old[&self.scratch.join("bundle/manifest.json")].1.as_slice();
        let before: Value = serde_json::from_slice(before).unwrap();
        assert_eq!(Some(self.generation() - 1), before["generation"].as_u64(), "{when}");
        self.assert_whole(when);
        true
    }

    /// The bundle that is there is whole, and signed by who made it.
    fn assert_whole(&self, when: &str) {
        let opened = self.scratch.run(["decrypt", "-i", "identity.txt"]);
        assert_eq!(opened.code, 0, "{when}: {}", opened.err);
        let checked = self.scratch.run(["check"]);
        assert!([0, 3].contains(&checked.code), "{when}: {}", checked.err);
        assert!(!checked.out.contains("signature: "), "{when}: {}", checked.out);
    }

    /// Names of what is unfinished, or holds a place, anywhere.
    fn leftovers(&self) -> Vec<String> {
        let mut names = Vec::new();
        walk(self.scratch.path(), &mut names);
        names.retain(|name| name.starts_with('.') && ![".config", ".local"].contains(&name.as_str()));
        names
    }

    /// An undisturbed pull makes the next generation, remembers what this machine has pulled, and clears up.
    fn assert_next_pull(&self, when: &str) -> Said {
        let before = self.generation();
        let pulled = self.scratch.run(PULL);
        assert_eq!(pulled.code, 0, "{when}: {}", pulled.err);
        assert!(!pulled.err.contains("was not made from here"), "{when}: {}", pulled.err);
        assert_eq!(self.generation(), before + 1, "{when}");
        assert_eq!(self.leftovers(), Vec::<String>::new(), "{when}, and then pulled again");
        pulled
    }

    /// Of which generation the value of a secret is.
    fn since(&self, name: &str) -> u64 {
        let manifest = self.manifest();
        let secrets = manifest["secrets"].as_array().unwrap();
        secrets.iter().find(|secret| secret["name"] == name).unwrap()["since"].as_u64().unwrap()
    }

    /// Which sites owe RPC's password.
    fn owing(&self) -> Vec<String> {
        let manifest = self.manifest();
        let bill = manifest["bill"].as_array().cloned().unwrap_or_default();
        let owes =
            |entry: &&Value| entry["secrets"].as_array().unwrap().iter().any(|name| name == "RpcPassword");
        bill.iter().filter(owes).map(|entry| entry["site"].as_str().unwrap().to_owned()).collect()
    }

    /// Kills `words` at each point, and lets `after` look at what is there. `same` is what no kill may change.
    fn kill_everywhere(&self, words: &[&str], same: &[&str], after: impl Fn(&str, bool)) -> Sums {
        let old = self.files();
        let points = points(&self.command(words));
        let mut sums = Sums::default();
        for point in &points {
            let when = format!("{words:?} killed at {} {}", point.name, point.number);
            self.restore(&old);
            let ended = disturb(&self.command(words), "signal=KILL", point).ended;
            assert_eq!(ended.code, None, "{when}: {}", ended.err);
            let now = self.files();
            for name in same {
                assert_eq!(self.below(&now, name), self.below(&old, name), "{when}: {name}");
            }
            let is_new = self.is_new(&old, &when);
            sums.points += 1;
            sums.left += usize::from(!self.leftovers().is_empty());
            if is_new {
                sums.replaced += 1;
            } else {
                sums.kept += 1;
            }
            // Before the program's own calls nothing can have happened
            if point.is_own {
                after(&when, is_new);
            }
        }
        self.restore(&old);
        println!("{words:?}: {sums:?}");
        sums
    }

    /// Refuses each call of `words` that concerns a file, one at a time.
    fn fail_everywhere(&self, words: &[&str], after: impl Fn(&str)) {
        let old = self.files();
        let points = points(&self.command(words));
        for error in ["ENOSPC", "EIO"] {
            let (mut told, mut unharmed) = (0, 0);
            for point in points.iter().filter(|point| point.is_own && point.is_of_file) {
                let when = format!("{words:?}: {error} at {} {}", point.name, point.number);
                self.restore(&old);
                let disturbed = disturb(&self.command(words), &format!("error={error}"), point);
                let (ended, exchanged) = (disturbed.ended, disturbed.exchanged);
                let is_new = self.is_new(&old, &when);
                if ended.code == Some(0) {
                    unharmed += 1;
                } else {
                    assert_eq!(ended.code, Some(1), "{when}: {}", ended.err);
                    let lines: Vec<&str> = ended.err.lines().collect();
                    let at = lines.iter().position(|line| line.starts_with("error: "));
                    // A bill that cannot be printed, because its reader has gone, is no fault of the bundle
                    if let Some(at) = at {
                        assert!(
                            lines[at + 1].starts_with("hint: ") && !lines[at].contains("bug"),
                            "{when}: {}",
                            ended.err
                        );
                    } else {
                        assert!(is_new, "{when}: {}", ended.err);
                    }
                    assert!(!is_new || exchanged, "{when}: {}", ended.err);
                    told += 1;
                }
                after(&when);
            }
            println!("{words:?}: {error}: {told} told of, {unharmed} without harm");
            assert!(told > 10, "{told}");
        }
        self.restore(&old);
    }

    /// Once more what was interrupted: now edge3 is nowhere, and owes what it knows.
    fn assert_removal_ends(&self, when: &str) {
        let again = self.scratch.run(REMOVE);
        // Nothing was left to do
        let is_done = again.code == 1 && again.err.contains("there is no site `edge3`");
        assert!(again.code == 0 || is_done, "{when}: {}", again.err);
        assert!(!self.scratch.join("keys/edge3").exists(), "{when}");
        assert_eq!(
            std::fs::read_to_string(self.scratch.join("dcn-vault.yaml")).unwrap(),
            WITHOUT_EDGE3,
            "{when}"
        );
        assert!(self.manifest()["recipients"].get("edge3").is_none(), "{when}");
        assert_eq!(self.owing(), ["edge3"], "{when}");
    }

    /// edge3 is as it was, or is given nothing any more by whatever comes next.
    fn assert_removed_or_not(&self, old: &Files, when: &str) {
        let now = self.files();
        let is_there = self.below(&now, "keys/edge3") == self.below(old, "keys/edge3");
        assert!(is_there || !self.scratch.join("keys/edge3").exists(), "{when}: half of a site");
        let settings = std::fs::read_to_string(self.scratch.join("dcn-vault.yaml")).unwrap();
        assert!(settings == SETTINGS || settings == WITHOUT_EDGE3, "{when}: {settings}");
        assert!(!is_there || settings == SETTINGS, "{when}: first who may not any more");
        if is_there {
            return;
        }
        for next in [&PULL[..], &REKEY[..]] {
            let ran = self.scratch.run(next);
            if ran.code == 0 {
                assert!(self.manifest()["recipients"].get("edge3").is_none(), "{when}, then {next:?}");
                assert!(!self.scratch.join("bundle/sites/edge3").exists(), "{when}, then {next:?}");
            } else {
                let refusal = "error: dcn-vault.yaml has the site `edge3`, and keys/ has not\nhint: ";
                assert!(
                    ran.err.contains(refusal) && settings == SETTINGS,
                    "{when}, then {next:?}: {}",
                    ran.err
                );
            }
        }
    }
}

fn walk(directory: &Path, names: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        if path.is_dir() {
            walk(&path, names);
        }
    }
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn a_pull_that_is_killed_at_any_point_leaves_a_whole_bundle_and_the_next_one_knows_what_has_changed() {
    let vault = Vault::new();
    vault.plan(ROTATED);
    let sums = vault.kill_everywhere(&PULL, &["keys", "dcn-vault.yaml", "plan.yaml"], |when, _| {
        vault.assert_next_pull(when);
        // Whether the second generation came before the kill or after it
        assert_eq!((vault.since("NovaPassword"), vault.since("RpcPassword")), (1, 2), "{when}");
    });
    assert!(sums.points > 100 && sums.replaced > 5 && sums.left > 20, "{sums:?}");
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn a_bill_is_not_settled_by_the_notes_of_a_pull_that_was_killed() {
    let vault = Vault::new();
    vault.run_whole(&REMOVE);
    assert_eq!(vault.owing(), ["edge3"]);
    vault.plan(ROTATED);
    vault.kill_everywhere(&PULL, &["keys", "dcn-vault.yaml"], |when, is_new| {
        assert_eq!(vault.owing().is_empty(), is_new, "{when}");
        // The rotation was taken back: what edge3 knows is in use, whether or not the rotation was ever pulled
        vault.plan(OLD);
        vault.assert_next_pull(when);
        assert_eq!(vault.owing(), ["edge3"], "{when}");
    });
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn a_rekey_that_is_killed_at_any_point_leaves_a_whole_bundle() {
    let vault = Vault::new();
    let sums = vault.kill_everywhere(&REKEY, &["keys", "dcn-vault.yaml"], |when, _| {
        vault.assert_next_pull(when);
        assert_eq!((vault.since("NovaPassword"), vault.since("RpcPassword")), (1, 1), "{when}");
    });
    assert!(sums.points > 100 && sums.replaced > 5, "{sums:?}");
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn a_removal_that_is_killed_at_any_point_never_gives_the_removed_site_anything_and_can_be_done_again() {
    let vault = Vault::new();
    let old = vault.files();
    let sums = vault.kill_everywhere(&REMOVE, &["plan.yaml"], |when, _| {
        let here = vault.files();
        vault.assert_removed_or_not(&old, when);
        vault.restore(&here);
        vault.assert_removal_ends(when);
        vault.assert_next_pull(when);
        assert_eq!(vault.owing(), ["edge3"], "{when}");
    });
    assert!(sums.points > 100 && sums.replaced > 5, "{sums:?}");
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn a_removal_of_a_site_that_the_bundle_is_not_for_can_be_done_again() {
    let vault = Vault::new();
    let old = vault.files();
    let words = ["site", "remove", "edge3", "--no-rekey"];
    vault.kill_everywhere(&words, &["bundle"], |when, _| {
        let here = vault.files();
        vault.assert_removed_or_not(&old, when);
        vault.restore(&here);
        vault.assert_removal_ends(when);
        vault.assert_next_pull(when);
    });
}

#[test]
fn a_site_that_a_crash_has_left_in_the_settings_alone_can_be_removed() {
    let vault = Vault::new();
    vault.run_whole(&REMOVE);
    vault.scratch.write("dcn-vault.yaml", SETTINGS, 0o644);
    vault.assert_removal_ends("in the settings alone");
    vault.assert_next_pull("in the settings alone");
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn a_signature_that_is_killed_at_any_point_is_there_whole_or_not_at_all() {
    let vault = Vault::new();
    std::fs::remove_file(vault.scratch.join("bundle/manifest.json.sig")).unwrap();
    let old = vault.files();
    let points = points(&vault.command(&["sign"]));
    let (mut signed, mut not) = (0, 0);
    for point in &points {
        let when = format!("sign killed at {} {}", point.name, point.number);
        vault.restore(&old);
        let ended = disturb(&vault.command(&["sign"]), "signal=KILL", point).ended;
        assert_eq!(ended.code, None, "{when}: {}", ended.err);
        let is_signed = vault.scratch.join("bundle/manifest.json.sig").exists();
        if is_signed {
            vault.assert_whole(&when);
            signed += 1;
        } else {
            assert_eq!(vault.below(&vault.files(), "bundle"), vault.below(&old, "bundle"), "{when}");
            not += 1;
        }
        if point.is_own {
            let here = vault.files();
            if !is_signed {
                vault.run_whole(&["sign"]);
                assert_eq!(vault.leftovers(), Vec::<String>::new(), "{when}, and then signed");
                vault.restore(&here);
            }
            vault.assert_next_pull(&when);
        }
    }
    println!("sign: {} points: {signed} kills left a signature, {not} none", points.len());
    assert!(not > 20 && signed > 2, "{signed} {not}");
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn a_full_or_broken_disk_is_said_and_leaves_the_old_bundle() {
    let vault = Vault::new();
    vault.plan(ROTATED);
    vault.fail_everywhere(&PULL, |when| {
        vault.assert_next_pull(when);
        assert_eq!((vault.since("NovaPassword"), vault.since("RpcPassword")), (1, 2), "{when}");
    });
    vault.plan(OLD);
    vault.fail_everywhere(&REKEY, |when| drop(vault.assert_next_pull(when)));
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn a_removal_on_a_full_or_broken_disk_is_said_and_can_be_done_again() {
    let vault = Vault::new();
    let old = vault.files();
    vault.fail_everywhere(&REMOVE, |when| {
        let here = vault.files();
        vault.assert_removed_or_not(&old, when);
        vault.restore(&here);
        vault.assert_removal_ends(when);
        vault.assert_next_pull(when);
    });
}

/// A program that waits for us at `fifo`: what it holds, it holds now.
struct Waiting {
    child: std::process::Child,
    fifo: std::fs::File,
}

impl Waiting {
    fn at(vault: &Vault, words: &[&str]) -> Self {
        let path = vault.scratch.join("fifo");
        let _ = std::fs::remove_file(&path);
        assert!(Command::new("mkfifo").arg("-m").arg("600").arg(&path).status().unwrap().success());
        let child = vault.command(words).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        // Opened when the program opens it, too
        let fifo = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        Self { child, fifo }
    }

    fn end(mut self, text: &[u8]) {
        std::io::Write::write_all(&mut self.fifo, text).unwrap();
        drop(self.fifo);
        let ended = self.child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
}

#[test]
fn of_two_at_once_one_is_refused_with_the_others_id_and_works_when_that_has_ended() {
    let vault = Vault::new();
    let identity = std::fs::read(vault.scratch.join("identity.txt")).unwrap();
    let pull = ["pull", "--from-file", "fifo"];
    let rekey = ["rekey", "-i", "fifo"];
    for (first, text, second) in [
        (&pull[..], OLD.as_bytes(), &PULL[..]),
        (&pull, OLD.as_bytes(), &REKEY),
        (&rekey, &identity, &REMOVE),
        (&pull, OLD.as_bytes(), &["sign", "--sign-key", "other"]),
    ] {
        if second[0] == "sign" {
            let key = ["-q", "-t", "ed25519", "-N", "", "-C", "other", "-f"];
            let made = said(Command::new("ssh-keygen").args(key).arg(vault.scratch.join("other")));
            assert_eq!(made.code, 0, "{}", made.err);
        }
        let waiting = Waiting::at(&vault, first);
        let before = (vault.below(&vault.files(), "bundle"), vault.below(&vault.files(), "keys"));
        let refused = vault.scratch.run(second);
        let id = waiting.child.id();
        assert_eq!(refused.code, 1, "{second:?}: {}", refused.err);
        assert!(refused.err.contains(&format!("process {id}")), "{second:?}: {}", refused.err);
        assert_eq!(
            (vault.below(&vault.files(), "bundle"), vault.below(&vault.files(), "keys")),
            before,
            "{second:?}"
        );
        let generation = vault.generation();
        waiting.end(text);
        assert_eq!(vault.generation(), generation + 1, "{first:?}");
        vault.run_whole(second);
        std::fs::remove_file(vault.scratch.join("fifo")).unwrap();
        assert_eq!(vault.leftovers(), Vec::<String>::new(), "{second:?}");
    }
}

/// What makes a generation last, in order: `write PATH` for the first write of a file, `flush PATH`, `name PATH`, `exchange`.
fn steps(calls: &[Call]) -> Vec<String> {
    let path = |call: &Call| {
        let target = call.descriptor.as_ref().map(|(_, target)| target.clone()).unwrap_or_default();
        Path::new(&target).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    };
    let named = |call: &Call, position: usize| String::from_utf8_lossy(&call.strings[position]).into_owned();
    let mut steps = Vec::new();
    for call in calls.iter().filter(|call| call.succeeded()) {
        steps.push(match call.name.as_str() {
            "fsync" | "fdatasync" => format!("flush {}", path(call)),
            "syncfs" => format!("flush all of {}", path(call)),
            "renameat2" => String::from("exchange"),
            "rename" | "renameat" => {
                format!("name {}", named(call, 1).rsplit('/').next().unwrap_or_default())
            }
            "unlink" | "unlinkat" | "rmdir" => String::from("remove"),
            _ => continue,
        });
    }
    steps.dedup();
    steps
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn all_of_a_generation_is_on_the_disk_before_it_is_exchanged_and_the_exchange_before_the_old_one_goes() {
    let vault = Vault::new();
    vault.plan(ROTATED);
    let steps = steps(&calls(&vault.command(&PULL)));
    let exchange = steps.iter().position(|step| step == "exchange").unwrap();
    let (before, after) = steps.split_at(exchange);
    for name in
        ["passwords.yaml.age", "manifest.json", "manifest.json.sig", "edge2", "edge3", "edge4", "sites"]
    {
        let flush = format!("flush {name}");
        assert!(before.contains(&flush), "{flush}: {steps:?}");
    }
    let is_new = |name: &str| name.starts_with("flush .bundle.");
    assert!(before.iter().any(|step| is_new(step)), "{steps:?}");
    // What may come is known before: the notes, under their name
    let vault_id = vault.manifest()["vault"].as_str().unwrap().to_owned();
    let noted = before.iter().position(|step| *step == format!("name {vault_id}")).unwrap();
    assert!(before[noted + 1].starts_with("flush pulled"), "{steps:?}");
    let directory = vault.scratch.path().file_name().unwrap().to_str().unwrap();
    assert_eq!(after[1], format!("flush {directory}"), "{steps:?}");
    assert!(!before.contains(&String::from("remove")), "{steps:?}");
}
