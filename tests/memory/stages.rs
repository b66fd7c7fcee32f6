//! Each verb, at the points where its memory must hold nothing, and at those where it must hold little.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::libc;

use super::canaries::Canaries;
use super::scan::{Found, Scanner};
use super::stage::Table;
use super::trace::{At, Trace};
use crate::cloud::{Cloud, Contents};
use crate::program::Scratch;

/// While a pull, `decrypt` or a worker works: the most whole copies of one secret at any of the stops below.
const MOST_OF_ONE: usize = 4;
/// Each request that is under way has the token in its headers, and each connection in what it has sent.
const MOST_OF_TOKEN: usize = 16;

/// A site with a bundle of the loopback cloud.
pub struct Site {
    pub scratch: Scratch,
    pub cloud: Cloud,
    pub identity: PathBuf,
    pub recipient: String,
}

impl Site {
    pub fn new() -> Self {
        assert!(
            rustix::process::geteuid().is_root(),
            "only root sees the memory of the program: run tests/all as root"
        );
        let (scratch, cloud) = (Scratch::new(), Cloud::start(Contents::made_up()));
        let (identity, recipient) = scratch.keygen("identity.txt");
        Self { scratch, cloud, identity, recipient }
    }

    pub fn with_bundle() -> Self {
        let site = Self::new();
        let pulled = crate::program::said(&mut site.pull());
        assert_eq!(pulled.code, 0, "{}", pulled.err);
        site
    }

    pub fn pull(&self) -> Command {
        let mut pull = self.scratch.program();
        pull.envs(self.cloud.os_variables()).env_remove("OS_PASSWORD").env_remove("OS_CLOUDNAME");
        pull.env("OS_CLIENT_CONFIG_FILE", self.scratch.write("clouds.yaml", self.cloud.clouds_yaml(), 0o600));
        pull.args(["pull", "--os-cloud", "undercloud", "-r", &self.recipient, "-o", "bundle"]);
        pull
    }

    pub fn bundle(&self) -> PathBuf {
        self.scratch.join("bundle")
    }

    /// The plan's values, the cloud's password and the tokens so far.
    pub fn cloud_canaries(&self) -> Canaries {
        let secrets = self.cloud.contents().secrets();
        Canaries::of("plan", &secrets)
            .join(&Canaries::of_decoded("key, decoded", &secrets))
            .join(&Canaries::of("token", self.cloud.tokens_issued()))
    }

    /// Those that a bundle is opened to, and the keys of the opening.
    pub fn opened_canaries(&self) -> Canaries {
        let mut contents = self.cloud.contents().secrets();
        contents.retain(|secret| *secret != self.cloud.contents().password);
        let keys =
            Canaries::of_bundle(&self.bundle(), &self.identity).join(&Canaries::of_identity(&self.identity));
        Canaries::of("plan", contents).join(&keys)
    }
}

/// Follows a pull to its end. `make` gives what is to be found once the pull is at a stop.
pub fn follow_pull(
    pull: &Command,
    make: &dyn Fn() -> Canaries,
    keys: &dyn Fn(&Path) -> Canaries,
    scratch: &Scratch,
) -> Table {
    let mut table = Table::of("pull");
    let signing = Canaries::of_signing_key(&scratch.join(".config/dcn-vault/signing_key"));
    let make = || make().join(&signing);
    let mut trace = Trace::start(pull, "", |held| {
        held.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    });
    // Every arrival of more than a few bytes, up to the first random number of age: the worst of them counts
    let mut worst: Option<(usize, Found)> = None;
    let mut arrivals = 0;
    let mut connected = false;
    trace.until(|at: &At| {
        connected |= at.call == libc::SYS_connect;
        if at.received() >= 512 && connected {
            let scanner = Scanner::new(&make());
            let found = scanner.process(at.pid);
            arrivals += 1;
            if worst
                .as_ref()
                .is_none_or(|(_, before)| found.most_of_one("plan") >= before.most_of_one("plan"))
            {
                worst = Some((scanner.count(), found));
            }
        }
        at.enters(libc::SYS_getrandom) && at.arguments[1] == 16 && arrivals > 0
    });
    assert!(arrivals > 4, "the plan and the outputs come in by more than {arrivals} calls");
    let (count, found) = worst.unwrap();
    table.note("receiving, worst stop", count, found);
    let pid = trace.root;
    table.look("before the seal", &Scanner::new(&make()), pid);
    let at = trace.until(|at| at.enters(libc::SYS_renameat2)).expect("the bundle is put in place");
    // What is about to be put in place has the keys of the seal in it, for who has the identity
    let staged = std::fs::read_dir(scratch.path()).unwrap().map(|entry| entry.unwrap().path());
    let staged = staged.into_iter().find(|path| path.extension().is_some_and(|new| new == "new")).unwrap();
    let canaries = make().join(&keys(&staged));
    table.look("commit", &Scanner::new(&canaries), at.pid);
    let at = trace.until(|at| at.enters(libc::SYS_exit_group)).expect("it ends");
    assert_eq!(at.arguments[0], 0, "the pull failed");
    // The notes are written, and may be written once more, when the bundle is in place
    let canaries = canaries.join(&Canaries::of_notes(scratch.notes_keys()));
    table.look_at_end("exit", &canaries, &at, &mut trace, scratch);
    table
}

/// What a process that works may hold at a time: S2's bound.
fn assert_few(table: &Table, stages: &[&str]) {
    for stage in stages {
        let found = table.found(stage);
        for (kind, most) in [
            ("plan", MOST_OF_ONE),
            ("file key", 1),
            ("payload key", 1),
            ("signing key", MOST_OF_ONE),
            ("token", MOST_OF_TOKEN),
        ] {
            assert!(found.most_of_one(kind).0 <= most, "{stage}: {kind}\n{table}{:#?}", found.details());
        }
    }
}

#[test]
#[ignore = "needs root and gdb: run tests/all"]
fn a_pull_holds_nothing_when_the_bundle_is_put_in_place_and_nothing_at_its_end() {
    let site = Site::new();
    let keys = |bundle: &Path| Canaries::of_bundle(bundle, &site.identity);
    let table = follow_pull(&site.pull(), &|| site.cloud_canaries(), &keys, &site.scratch);
    println!("{table}");
    table.assert_nothing_at(&["commit", "exit"]);
    assert!(table.found("before the seal").distinct() > 100, "the scan is blind\n{table}");
    assert_few(&table, &["receiving, worst stop", "before the seal"]);
    let here = table.found("before the seal").most_of_one("signing key, seed").0;
    assert!(here > 0, "the scan is blind to what signs\n{table}");
}

#[test]
#[ignore = "needs root and gdb: run tests/all"]
fn a_pull_over_a_bundle_holds_nothing_of_what_it_compared_it_with_at_its_end() {
    let site = Site::with_bundle();
    let signing = Canaries::of_signing_key(&site.scratch.join(".config/dcn-vault/signing_key"));
    let canaries = site.cloud_canaries().join(&signing);
    let notes = Canaries::of_notes(site.scratch.notes_keys());
    let mut trace = Trace::start(&site.pull(), "", |held| {
        held.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    });
    let mut table = Table::of("pull over a bundle");
    let at = trace.until(|at| at.enters(libc::SYS_connect)).expect("it asks the cloud");
    table.look("connect", &Scanner::new(&notes), at.pid);
    let at = trace.until(|at| at.enters(libc::SYS_renameat2)).expect("the bundle is put in place");
    table.look("commit", &Scanner::new(&canaries), at.pid);
    let at = trace.until(|at| at.enters(libc::SYS_exit_group)).expect("it ends");
    assert_eq!(at.arguments[0], 0, "the pull failed");
    // This pull had a token of its own
    let canaries = site.cloud_canaries().join(&signing).join(&notes);
    table.look_at_end("exit", &canaries, &at, &mut trace, &site.scratch);
    println!("{table}");
    table.assert_nothing_at(&["commit", "exit"]);
    let found = table.found("connect");
    assert!(found.distinct() > 0, "the scan is blind\n{table}");
    assert!(found.most_of_one("notes' key").0 <= MOST_OF_ONE, "{table}{:#?}", found.details());
}

#[test]
#[ignore = "needs root, gdb and the lab: run tests/all"]
fn a_pull_over_tls_holds_nothing_when_the_bundle_is_put_in_place_and_nothing_at_its_end() {
    let lab = PathBuf::from(std::env::var_os("DCN_VAULT_LAB").expect("DCN_VAULT_LAB: run tests/all"));
    let expected = std::fs::read(lab.join("seed/expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_slice(&expected).unwrap();
    let secrets = expected["secrets"].as_array().unwrap().iter().map(|secret| secret.as_str().unwrap());
    // Shorter ones are a YAML reader's puzzles (`12:30:45`), which stand in other texts, too
    let secrets: Vec<&str> = secrets.filter(|secret| secret.len() >= 16).collect();
    let canaries = Canaries::of("plan", &secrets);
    let scratch = Scratch::new();
    let (identity, recipient) = scratch.keygen("identity.txt");
    let mut pull = scratch.program();
    pull.env("OS_CLIENT_CONFIG_FILE", lab.join("clouds.yaml"));
    pull.args(["pull", "--os-cloud", "admin-tls", "--stack", "standalone", "--plan", "overcloud"]);
    pull.args(["-r", &recipient, "-o", "bundle"]);
    let keys = |bundle: &Path| Canaries::of_bundle(bundle, &identity);
    let table = follow_pull(&pull, &|| canaries.clone(), &keys, &scratch);
    println!("over TLS: {table}");
    table.assert_nothing_at(&["commit", "exit"]);
    assert_few(&table, &["receiving, worst stop", "before the seal"]);
}

#[test]
#[ignore = "needs root and gdb: run tests/all"]
fn decrypt_holds_few_copies_while_it_writes_and_nothing_at_its_end() {
    let seen = holds_few_while_it_writes(&["decrypt", "passwords.yaml"]);
    assert!(seen > 100, "the scan is blind");
}

#[test]
#[ignore = "needs root and gdb: run tests/all"]
fn get_holds_few_copies_while_it_writes_and_nothing_at_its_end() {
    let seen = holds_few_while_it_writes(&["get", "KeystoneFernetKeys", "--json"]);
    assert!((1..10).contains(&seen), "{seen} of others, or none");
}

/// How many secrets are in memory at the first write of a verb, few of each, and none at its end.
fn holds_few_while_it_writes(words: &[&str]) -> usize {
    let site = Site::with_bundle();
    let canaries = site.opened_canaries();
    let mut verb = site.scratch.program();
    verb.args(words).args(["-b", "bundle", "-i", "identity.txt"]);
    let mut trace = Trace::start(&verb, "", |held| {
        held.stdin(Stdio::null()).stdout(Stdio::null());
    });
    let mut table = Table::of(words[0]);
    let at = trace.until(|at| at.enters(libc::SYS_write) && at.arguments[0] == 1).expect("it writes");
    table.look("first write", &Scanner::new(&canaries), at.pid);
    let at = trace.until(|at| at.enters(libc::SYS_exit_group)).expect("it ends");
    assert_eq!(at.arguments[0], 0);
    table.look_at_end("exit", &canaries, &at, &mut trace, &site.scratch);
    println!("{table}");
    table.assert_nothing_at(&["exit"]);
    assert_few(&table, &["first write"]);
    table.found("first write").distinct()
}

#[test]
#[ignore = "needs root and gdb: run tests/all"]
fn the_supervisor_holds_nothing_while_the_child_runs_nor_after_and_each_worker_nothing_at_its_end() {
    for delivery in ["fd", "mount", "file"] {
        holds_nothing_while_the_child_runs(delivery);
    }
}

fn holds_nothing_while_the_child_runs(delivery: &str) {
    let site = Site::with_bundle();
    let canaries = site.opened_canaries();
    let scanner = Scanner::new(&canaries);
    let mut run = site.scratch.program();
    run.args(["run", "-b", "bundle", "-i", "identity.txt", "--delivery", delivery, "--"]);
    run.args(["sh", "-c", "grep -c Password {passwords}; read x"]);
    let mut trace = Trace::start(&run, "", |held| {
        held.stdin(Stdio::piped()).stdout(Stdio::null());
    });
    let mut table = Table::of(&format!("run --delivery {delivery}"));
    let supervisor = trace.root;
    let at = trace.until(|at| at.pid != supervisor && at.enters(libc::SYS_sendmsg)).expect("a worker sends");
    let worker = at.pid;
    table.look("worker, first file sent", &scanner, worker);
    let at = trace.until(|at| at.pid == worker && at.enters(libc::SYS_exit_group)).expect("the worker ends");
    table.look("worker, exit", &scanner, at.pid);
    table.look("supervisor, worker at its exit", &scanner, supervisor);
    let waits = |at: &At| at.pid == supervisor && at.enters(libc::SYS_ppoll);
    trace.until(waits).expect("the supervisor waits for its child");
    table.look("supervisor, child runs", &scanner, supervisor);
    trace.child.stdin.take().unwrap().write_all(b"\n").unwrap();
    // Then a second one reads the files again, and looks for copies
    let mut worst: Option<Found> = None;
    let at = loop {
        let looks = |at: &At| {
            [libc::SYS_pread64, libc::SYS_getdents64].iter().any(|call| at.enters(*call))
                && is_examiner(at.pid)
        };
        let at = trace.until(looks).expect("copies are looked for");
        if at.enters(libc::SYS_getdents64) && worst.is_some() {
            break at;
        }
        let found = scanner.process(at.pid);
        if worst.as_ref().is_none_or(|before| found.distinct() >= before.distinct()) {
            worst = Some(found);
        }
    };
    table.note("second worker, reads", scanner.count(), worst.unwrap());
    // What it searches with are no strings any more
    table.look("second worker, search", &scanner, at.pid);
    let examiner = at.pid;
    let at = trace.until(|at| at.pid == examiner && at.enters(libc::SYS_exit_group)).expect("it ends");
    assert_eq!(at.arguments[0], 0);
    table.look("second worker, exit", &scanner, examiner);
    let end = trace.until(|at| at.pid == supervisor && at.enters(libc::SYS_exit_group)).expect("it ends");
    assert_eq!(end.arguments[0], 0);
    table.look_at_end("supervisor, exit", &canaries, &end, &mut trace, &site.scratch);
    println!("{table}");
    table.assert_nothing_at(&[
        "worker, exit",
        "supervisor, worker at its exit",
        "supervisor, child runs",
        "second worker, search",
        "second worker, exit",
        "supervisor, exit",
        "supervisor, exit, registers",
    ]);
    for stage in ["worker, first file sent", "second worker, reads"] {
        assert!(table.found(stage).distinct() > 100, "the scan is blind\n{table}");
    }
    assert_few(&table, &["worker, first file sent", "second worker, reads"]);
}

/// Whether this is the worker that looks for copies.
fn is_examiner(pid: nix::unistd::Pid) -> bool {
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    words.split(|byte| *byte == 0).nth(1) == Some(b"examine")
}

#[test]
#[ignore = "needs root and gdb: run tests/all"]
fn keygen_holds_nothing_at_its_end() {
    let scratch = Scratch::new();
    for arguments in [&["keygen"][..], &["keygen", "-o", "identity.txt"]] {
        let mut keygen = scratch.program();
        keygen.args(arguments);
        let out = scratch.join("out");
        let mut trace = Trace::start(&keygen, "", |held| {
            held.stdin(Stdio::null()).stdout(File::create(&out).unwrap()).stderr(Stdio::null());
        });
        let end = trace.until(|at| at.enters(libc::SYS_exit_group)).expect("it ends");
        let file = if arguments.len() == 1 { out } else { scratch.join("identity.txt") };
        let mut table = Table::of(&arguments.join(" "));
        table.look("exit", &Scanner::new(&Canaries::of_identity(&file)), end.pid);
        println!("{table}");
        table.assert_nothing_at(&["exit"]);
        drop(trace);
    }
}
