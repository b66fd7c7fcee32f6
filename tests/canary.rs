//! No secret reaches a file, a message, an argument or an environment: each verb is watched at the kernel's door, where
//! nothing that it does can be missed.
//!
//! # What this does not do
//!
//! The command of `run` is its user's: it is watched up to its `execve`, and keeps the user's `OS_*` variables, the cloud's
//! password among them, since a deployment needs them. What a process reads is not watched. A secret is looked for as it is
//! and as JSON writes it; one in base64 or under a cipher would pass.

#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic, and reads what the program wrote"
)]

mod cloud;
mod program;
mod strace;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use cloud::{Cloud, Contents, Fault, Place as Request};
use program::{Scratch, said};
use strace::{Canaries, Place, Sighting, Watch, watch};

/// A cloud, an identity and a bundle.
struct Bench {
    cloud: Cloud,
    scratch: Scratch,
    identity: String,
    recipient: String,
}

impl Bench {
    fn new() -> Self {
        let cloud = Cloud::start(Contents::made_up());
        let scratch = Scratch::new();
        let (path, recipient) = scratch.keygen("identity.txt");
        let bench = Self { cloud, scratch, identity: secret_key(&std::fs::read(path).unwrap()), recipient };
        let made = said(bench.pull().args(["-o", "bundle"]));
        assert_eq!(made.code, 0, "{}", made.err);
        bench
    }

    fn pull(&self) -> Command {
        let mut command = self.scratch.program();
        command.envs(self.cloud.os_variables()).args(["pull", "-r", &self.recipient]);
        command
    }

    /// The verb with the user's cloud password around, as after `source stackrc`.
    fn verb(&self, arguments: &[&str]) -> Command {
        let mut command = self.scratch.program();
        command.envs(self.cloud.os_variables()).args(arguments);
        command
    }

    fn canaries(&self) -> Canaries {
        let key = self.scratch.signing_key_lines();
        assert!(key.len() > 2, "{}", key.len());
        Canaries::of(self.cloud.secrets().into_iter().chain([self.identity.clone()]).chain(key))
    }

    /// What was seen, but for the password in a login and a token in a header, both at the cloud's port.
    fn stray(&self, watch: &Watch) -> BTreeSet<Sighting> {
        let port: u16 =
            self.cloud.auth_url().rsplit(':').next().unwrap().split('/').next().unwrap().parse().unwrap();
        let mut meant = self.cloud.tokens_issued();
        meant.push(self.cloud.contents().password.clone());
        let mut seen = watch.sightings(&self.canaries());
        seen.retain(|sighting| sighting.place != Place::Network(port) || !meant.contains(&sighting.canary));
        seen
    }
}

fn secret_key(file: &[u8]) -> String {
    let text = String::from_utf8_lossy(file);
    text.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap().to_owned()
}

fn places(sightings: &BTreeSet<Sighting>) -> BTreeSet<Place> {
    sightings.iter().map(|sighting| sighting.place.clone()).collect()
}

/// Nothing was moved by a call that hides the bytes from the watch.
fn assert_all_seen(watch: &Watch) {
    let unseen: Vec<_> =
        watch.places().into_iter().filter(|place| matches!(place, Place::Unseen(_))).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn a_pull_shows_the_password_and_the_token_to_the_cloud_and_nothing_to_anything_else() {
    let bench = Bench::new();
    let plan = bench.scratch.write("plan.yaml", &bench.cloud.contents().plan_bytes, 0o600);
    let plan = plan.to_str().unwrap();
    let recipient = bench.recipient.as_str();
    let good: [&[&str]; 5] = [
        &["pull", "-r", recipient, "-o", "first"],
        &["pull", "-r", recipient, "-o", "first"],
        &["pull", "-r", recipient, "-o", "never", "--dry-run"],
        &["pull", "-r", recipient, "-o", "from-file", "--from-file", plan],
        &["show", "-b", "first", "--json"],
    ];
    for arguments in good {
        let watched = watch(&bench.verb(arguments), None);
        assert_eq!(watched.ended.code, Some(0), "{arguments:?}: {}", watched.ended.err);
        assert_eq!(bench.stray(&watched), BTreeSet::new(), "{arguments:?}");
        assert_all_seen(&watched);
        let online = !arguments.contains(&"--from-file") && arguments[0] == "pull";
        let told = watched.sightings(&bench.canaries()).len();
        assert_eq!(told, if online { 2 } else { 0 }, "password and token to the cloud: {arguments:?}");
        // What was pulled before is noted under a key, which is written with the notes, there and nowhere else
        let notes = bench.scratch.path().canonicalize().unwrap().join(".local/state/dcn-vault/pulled");
        let is_note =
            |place: &Place| matches!(place, Place::File(path) if Path::new(path).parent() == Some(&notes));
        let keys = places(&watched.sightings(&Canaries::of(bench.scratch.notes_keys())));
        assert!(keys.iter().all(is_note), "{arguments:?}: {keys:?}");
        let writes = arguments[0] == "pull" && !arguments.contains(&"--dry-run");
        assert_eq!(!keys.is_empty(), writes, "{arguments:?}");
    }
    for (path, _) in bench.scratch.files() {
        if path.components().any(|part| part.as_os_str() == "pulled") {
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600, "{}", path.display());
        }
    }
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn a_pull_that_fails_tells_nothing_of_what_it_was_given() {
    let bench = Bench::new();
    let output = || Request::Output("GlobalConfig".to_owned());
    let secret = bench.cloud.contents().noted[0].clone();
    let plan = &bench.cloud.contents().plan_bytes;
    let broken = [&plan[..plan.len() / 2], b"\n  : [\"\n"].concat();
    let faults = [
        Fault::PlanBytes(broken),
        Fault::Truncated(Request::Swift),
        Fault::Truncated(output()),
        Fault::OutputError("GlobalConfig".to_owned(), format!("cannot resolve {secret}")),
        Fault::NotJson(output()),
        Fault::WrongETag,
        Fault::unavailable(Request::Heat),
        Fault::unavailable(Request::Keystone),
        Fault::forbidden(Request::Swift),
        Fault::RedirectAway(Request::Login),
    ];
    for fault in faults {
        bench.cloud.heal();
        bench.cloud.fault(fault.clone());
        let watched = watch(bench.pull().args(["-o", "never"]), None);
        let what = format!("{:.60}", format!("{fault:?}"));
        assert_eq!(watched.ended.code, Some(1), "{what}: {}", watched.ended.err);
        assert_eq!(bench.stray(&watched), BTreeSet::new(), "{what}");
        assert_all_seen(&watched);
        assert!(!bench.scratch.join("never").exists(), "{what}");
    }
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn run_writes_secrets_to_nameless_memory_alone_and_its_worker_gets_no_password() {
    let bench = Bench::new();
    for delivery in ["fd", "mount"] {
        let run = ["run", "-b", "bundle", "-i", "identity.txt", "--delivery", delivery, "cat", "{passwords}"];
        let watched = watch(&bench.verb(&run), None);
        assert_eq!(watched.ended.code, Some(0), "{}", watched.ended.err);
        assert_eq!(places(&bench.stray(&watched)), BTreeSet::from([Place::Memory]), "{delivery}");
        assert_all_seen(&watched);
        let worker = Place::Exec("/proc/self/exe".to_owned());
        assert!(watched.places().contains(&&worker), "{:?}", watched.places());
        assert!(!bench.canaries().found_in(&watched.ended.out).is_empty(), "the command can read them");
    }
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn serve_writes_a_secret_to_the_socket_of_who_asked_and_to_nothing_else() {
    let bench = Bench::new();
    bench.scratch.write("policy.yaml", "version: 1\nrules:\n- {uid: 0, allow: [\"*\"]}\n", 0o600);
    // The service, one who asks it when it listens, and its end
    let script = "\"$0\" serve -b bundle -i identity.txt --policy policy.yaml --socket socket 2>said & service=$!; \
        until [ -S socket ] || ! kill -0 $service; do :; done; \
        \"$0\" get NovaPassword --socket socket; code=$?; kill $service; wait $service; exit $code";
    let program = bench.verb(&[]).get_program().to_owned();
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).arg(program).current_dir(bench.scratch.path()).env_clear();
    shell.env("HOME", bench.scratch.path()).env("PATH", "/usr/bin:/bin");
    let watched = watch(&shell, None);
    let said = std::fs::read_to_string(bench.scratch.join("said")).unwrap();
    assert_eq!(watched.ended.code, Some(0), "{} {said}", watched.ended.err);
    // What the one who asked does with it is its own: its standard output
    assert_eq!(places(&bench.stray(&watched)), BTreeSet::from([Place::Local, Place::Stdout]));
    assert_all_seen(&watched);
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn what_was_asked_for_on_standard_output_goes_there_alone() {
    let bench = Bench::new();
    let decrypted = watch(&bench.verb(&["decrypt", "-b", "bundle", "-i", "identity.txt"]), None);
    assert_eq!(decrypted.ended.code, Some(0), "{}", decrypted.ended.err);
    assert_eq!(places(&bench.stray(&decrypted)), BTreeSet::from([Place::Stdout]));
    assert_all_seen(&decrypted);
    let got = watch(&bench.verb(&["get", "-b", "bundle", "-i", "identity.txt", "NovaPassword"]), None);
    assert_eq!(got.ended.code, Some(0), "{}", got.ended.err);
    assert_eq!(places(&bench.stray(&got)), BTreeSet::from([Place::Stdout]));
    assert_all_seen(&got);
    let made = watch(&bench.verb(&["keygen"]), None);
    let key = Canaries::of([secret_key(&made.ended.out)]);
    assert_eq!(places(&made.sightings(&key)), BTreeSet::from([Place::Stdout]));
    let refused = watch(&bench.verb(&["decrypt", "-b", "bundle", "-i", "bundle/manifest.json"]), None);
    assert_eq!(refused.ended.code, Some(1));
    assert_eq!(bench.stray(&refused), BTreeSet::new());
}

/// The control: a watch that finds nothing here would find nothing anywhere.
#[test]
#[ignore = "needs strace: run tests/all"]
fn the_watch_finds_the_three_verbs_that_write_a_secret_to_a_file_on_request() {
    let bench = Bench::new();
    let arguments = ["decrypt", "-b", "bundle", "-i", "identity.txt", "-o", "clear.yaml"];
    let decrypted = watch(&bench.verb(&arguments), None);
    // Such a file gets its name when it is whole
    let is_file_here = |places: BTreeSet<Place>| {
        let directory = bench.scratch.path().canonicalize().unwrap();
        let is_here = |place: &Place| matches!(place, Place::File(path) if Path::new(path).parent() == Some(&directory));
        assert!(places.len() == 1 && places.iter().all(is_here), "{places:?}");
    };
    is_file_here(places(&bench.stray(&decrypted)));
    let arguments = ["get", "-b", "bundle", "-i", "identity.txt", "-o", "value.txt", "NovaPassword"];
    is_file_here(places(&bench.stray(&watch(&bench.verb(&arguments), None))));
    let made = watch(&bench.verb(&["keygen", "-o", "other.txt"]), None);
    let key = Canaries::of([secret_key(&std::fs::read(bench.scratch.join("other.txt")).unwrap())]);
    is_file_here(places(&made.sightings(&key)));
    // In an argument it is found as well
    let told = watch(&bench.verb(&["show", "-b", &bench.identity]), None);
    assert!(places(&bench.stray(&told)).contains(&Place::Stderr));
    assert!(places(&bench.stray(&told)).iter().any(|place| matches!(place, Place::Exec(_))));
    assert!(places(&bench.stray(&told)).contains(&Place::Argument("statx".to_owned())));
}

#[test]
#[ignore = "needs strace: run tests/all"]
fn a_user_who_is_not_root_is_served_as_secretly() {
    let bench = Bench::new();
    let scratch = &bench.scratch;
    // Below a home of root's nobody else could start it
    std::fs::copy(env!("CARGO_BIN_EXE_dcn-vault"), scratch.join("dcn-vault")).unwrap();
    scratch.give_away();
    let verb = |arguments: &[&str]| {
        let mut command = Command::new(scratch.join("dcn-vault"));
        command.current_dir(scratch.path()).args(arguments).envs(bench.cloud.os_variables());
        command.env("HOME", scratch.path()).env("PATH", "/usr/bin:/bin");
        watch(&command, Some("nobody"))
    };
    let pulled = verb(&["pull", "-r", &bench.recipient, "-o", "bundle"]);
    assert_eq!(pulled.ended.code, Some(0), "{}", pulled.ended.err);
    assert_eq!(bench.stray(&pulled), BTreeSet::new());
    assert_all_seen(&pulled);
    for delivery in ["fd", "mount"] {
        let run = ["run", "-b", "bundle", "-i", "identity.txt", "--delivery", delivery, "cat", "{passwords}"];
        let ran = verb(&run);
        assert_eq!(ran.ended.code, Some(0), "{}", ran.ended.err);
        assert_eq!(places(&bench.stray(&ran)), BTreeSet::from([Place::Memory]), "{delivery}");
        assert_all_seen(&ran);
    }
}

#[test]
fn while_the_command_of_run_runs_no_argument_or_variable_of_ours_or_its_own_holds_a_secret() {
    let bench = Bench::new();
    let mut command = bench.scratch.program();
    command.args(["run", "-b", "bundle", "-i", "identity.txt", "--delivery", "fd", "--", "sh", "-c"]);
    command.args(["echo $$; cat \"$1\" >/dev/null; read go", "sh", "{passwords}"]);
    let mut supervisor = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(supervisor.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let canaries = bench.canaries();
    for pid in [supervisor.id().to_string(), line.trim().to_owned()] {
        for file in ["cmdline", "environ"] {
            let text = std::fs::read(Path::new("/proc").join(&pid).join(file));
            // Another user than root may not even look at the supervisor
            let text = match text {
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => continue,
                other => other.unwrap(),
            };
            assert!(!text.is_empty(), "{file}");
            assert_eq!(canaries.found_in(&text), Vec::<&str>::new(), "{file}");
        }
    }
    supervisor.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert!(supervisor.wait().unwrap().success());
}
