//! `run` and SIGKILL, at any moment of its life: whoever is killed, no secret stays anywhere that a path leads to, and with `mount`
//! no process either.
//!
//! Each test prints its seed and what it has seen. `DCN_VAULT_TEST_KILLS` is how many moments each takes, and
//! `DCN_VAULT_TEST_SEED` repeats them.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may panic"
)]

mod program;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use program::Scratch;
use program::deployment::descendants;
use program::refusal::assert_refused;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, pidfd_open, pidfd_send_signal, set_child_subreaper, waitpid,
};

/// It reads its files for a while, keeps copies where its temporary files are, and leaves somebody behind in a session of his own,
/// who with `fd` and `file` ends by himself. Once the launcher of a `mount` is killed it does not end by itself.
const COMMAND: &str = r#"exec 2>/dev/null; setsid sh -c "$2" left & i=0
while [ $i -lt 30 ]; do cat "$1" >"$TMPDIR/copy"; i=$((i+1)); done
while [ -e killed ]; do sleep 1; done"#;
const KILLED_WORKER: &str = "error: the process that opens the bundle was killed\nhint: is the host short of memory? `dmesg` says more\n";
const WORKER_BESIDE: &str = "error: cannot pass a descriptor on: Broken pipe (os error 32)\nhint: a container or a security module may forbid it: `dmesg` and the audit log say more\n";
const WORKER_ALONE: &str = "error: the process that supervises the command is gone\nhint: nothing was run\n";
const OF_FILE: &str = "warning: --delivery file: the secrets have a name while the command runs, may be swapped out, and stay if we are killed\n";
const TOO_LATE: &str = "killed too late";
/// How long a process of ours takes to begin, or a little longer.
const BEGINNING: Duration = Duration::from_micros(1_500);
/// How long what must come may take on a busy host.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Child,
    First,
    Launcher,
    /// As soon as the first process of the namespace is there, which may not follow the launcher yet.
    LauncherOfFirst,
    Worker,
}

impl Victim {
    const fn is_launcher(self) -> bool {
        matches!(self, Self::Launcher | Self::LauncherOfFirst)
    }
}

#[test]
fn mount_leaves_nothing_when_the_launcher_is_killed_at_any_moment() {
    kill_at_moments("mount", Victim::Launcher, 200);
}

#[test]
fn mount_leaves_nothing_when_the_worker_is_killed_at_any_moment() {
    kill_at_moments("mount", Victim::Worker, 40);
}

#[test]
fn mount_leaves_nothing_when_the_first_process_is_killed_at_any_moment() {
    kill_at_moments("mount", Victim::First, 40);
}

#[test]
fn mount_leaves_nothing_when_the_child_is_killed_at_any_moment() {
    kill_at_moments("mount", Victim::Child, 40);
}

#[test]
fn mount_leaves_nothing_when_the_launcher_is_killed_as_its_first_process_begins() {
    kill_at_moments("mount", Victim::LauncherOfFirst, 60);
}

#[test]
fn a_worker_whose_launcher_was_killed_before_it_could_follow_opens_nothing() {
    let place = Place::new("file");
    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(ours);
    let mut worker = place.scratch.program();
    worker.args(["deliver", "--bundle", "bundle", "--identity=identity.txt", "--delivery", "file"]);
    let ended = program::said(worker.arg("--directory").arg(&place.runtime).stdin(OwnedFd::from(theirs)));
    assert_refused(&ended, 1, WORKER_ALONE);
    assert_eq!(names(&place.runtime), [""; 0]);
}

#[test]
fn fd_leaves_no_secret_when_the_launcher_is_killed_at_any_moment() {
    kill_at_moments("fd", Victim::Launcher, 60);
}

#[test]
fn fd_leaves_nothing_when_the_worker_is_killed_at_any_moment() {
    kill_at_moments("fd", Victim::Worker, 40);
}

#[test]
fn fd_leaves_nothing_when_the_child_is_killed_at_any_moment() {
    kill_at_moments("fd", Victim::Child, 40);
}

#[test]
fn file_leaves_what_the_next_run_wipes_when_the_launcher_is_killed_at_any_moment() {
    kill_at_moments("file", Victim::Launcher, 30);
}

#[test]
fn file_leaves_nothing_when_the_worker_is_killed_at_any_moment() {
    kill_at_moments("file", Victim::Worker, 20);
}

#[test]
fn file_leaves_nothing_when_the_child_is_killed_at_any_moment() {
    kill_at_moments("file", Victim::Child, 20);
}

fn kill_at_moments(delivery: &'static str, victim: Victim, usual: usize) {
    // What our children leave behind becomes ours, and is seen to its end
    set_child_subreaper(Some(getpid())).unwrap();
    let count = variable("DCN_VAULT_TEST_KILLS").map_or(usual, |count| usize::try_from(count).unwrap());
    let seed = variable("DCN_VAULT_TEST_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("{delivery}, {victim:?}: {count} moments, DCN_VAULT_TEST_SEED={seed}");
    let place = Place::new(delivery);
    // How long he lives when nobody kills him
    let mut life = Duration::ZERO;
    let mut lives = 0;
    while lives < 3 {
        let launcher = place.launch();
        // On a busy host a short life may pass unseen
        if let Some(found) = Place::find(victim, &launcher) {
            let from = Instant::now();
            wait_for_end(&found);
            life = life.max(from.elapsed());
            lives += 1;
        }
        assert_eq!(place.end(launcher).0, Some(0));
    }
    let mut random = Random(seed);
    let mut outcomes = BTreeMap::<String, usize>::new();
    for moment in 0..count {
        // A little later than his end, too
        let whole = if victim == Victim::LauncherOfFirst { BEGINNING } else { life.mul_f64(1.1) };
        let delay = whole.mul_f64(random.fraction());
        let outcome = place.kill(victim, delay);
        place
            .assert_nothing_left(victim, &format!("moment {moment}, after {delay:?} of {life:?}: {outcome}"));
        *outcomes.entry(outcome).or_default() += 1;
    }
    println!("{delivery}, {victim:?}: {count} moments in {life:?}: {outcomes:?}");
    assert!(count < 20 || outcomes.keys().any(|outcome| outcome != TOO_LATE), "nobody was killed");
}

/// A bundle with a secret that is nowhere else on this host, and the directories in which `run` may leave something.
struct Place {
    scratch: Scratch,
    delivery: &'static str,
    runtime: PathBuf,
    secret: String,
}

impl Place {
    fn new(delivery: &'static str) -> Self {
        let scratch = Scratch::new();
        let mark = scratch.path().file_name().unwrap().to_str().unwrap().to_owned();
        let secret = format!("not-a-real-secret-{mark}");
        let (_, recipient) = scratch.keygen("identity.txt");
        scratch.write("plan.yaml", format!("passwords:\n  NovaPassword: {secret}\n"), 0o600);
        let pulled = scratch.run(["pull", "--from-file", "plan.yaml", "-r", &recipient, "-o", "bundle"]);
        assert_eq!(pulled.code, 0, "{}", pulled.err);
        std::fs::remove_file(scratch.join("plan.yaml")).unwrap();
        let runtime =
            if delivery == "file" { Path::new("/dev/shm").join(&mark) } else { scratch.join("runtime") };
        std::fs::create_dir(&runtime).unwrap();
        Self { scratch, delivery, runtime, secret }
    }

    fn program(&self, words: &[&str]) -> Command {
        let mut program = self.scratch.program();
        program.args(["run", "-b", "bundle", "-i", "identity.txt", "--delivery", self.delivery, "--"]);
        program.args(words).env("XDG_RUNTIME_DIR", &self.runtime).stdin(Stdio::null());
        program
    }

    fn launch(&self) -> Child {
        let left = if self.delivery == "mount" { "exec sleep 1000" } else { "exec true" };
        let mut program = self.program(&["sh", "-c", COMMAND, "command", "{passwords}", left]);
        program.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The one to kill, once there is one; none where the launcher ends without.
    fn find(victim: Victim, launcher: &Child) -> Option<OwnedFd> {
        let launcher = Pid::from_child(launcher);
        let itself = pidfd_open(launcher, PidfdFlags::empty()).unwrap();
        let word = match victim {
            Victim::Launcher => return Some(itself),
            Victim::Child => "sh\0-c\0",
            Victim::First | Victim::LauncherOfFirst => "/proc/self/exe\0enclosed\0",
            Victim::Worker => "/proc/self/exe\0deliver\0",
        };
        while !has_ended(&itself) {
            let found = descendants(launcher).into_iter().find_map(|process| {
                let process = Pid::from_raw(process)?;
                let opened = pidfd_open(process, PidfdFlags::empty()).ok()?;
                let words = std::fs::read_to_string(format!("/proc/{process}/cmdline")).ok()?;
                words.starts_with(word).then_some(opened)
            });
            if found.is_some() {
                return if victim.is_launcher() { Some(itself) } else { found };
            }
            std::thread::yield_now();
        }
        None
    }

    /// Kills him after this long, and says what came of it.
    fn kill(&self, victim: Victim, delay: Duration) -> String {
        let launcher = self.launch();
        if let Some(found) = Self::find(victim, &launcher) {
            // The moment is what is tested: nothing waits for anything here
            std::thread::sleep(delay);
            if victim.is_launcher() && self.delivery == "mount" {
                self.scratch.write("killed", "", 0o600);
            }
            let _ = pidfd_send_signal(&found, Signal::KILL);
        }
        let (code, err) = self.end(launcher);
        let _ = std::fs::remove_file(self.scratch.join("killed"));
        let err = err.strip_prefix(OF_FILE).unwrap_or(&err);
        match (victim, code, err) {
            (_, None, "") if victim.is_launcher() => String::from("the launcher was killed"),
            // Its end of the socket is closed a little before the kernel ends those that follow it
            (_, None, WORKER_ALONE | WORKER_BESIDE) if victim.is_launcher() => {
                String::from("the launcher was killed, and the worker saw it")
            }
            (Victim::Worker, Some(1), KILLED_WORKER) => String::from("the bundle was not opened"),
            (Victim::Child | Victim::First, Some(137), "") => String::from("137"),
            (_, Some(0), "") => String::from(TOO_LATE),
            other => panic!("{}: {other:?}", self.delivery),
        }
    }

    fn end(&self, mut launcher: Child) -> (Option<i32>, String) {
        let mut err = String::new();
        let code = launcher.wait().unwrap().code();
        // What is left of the tree may hold it open for a while
        self.wait_for_all();
        launcher.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (code, err)
    }

    /// Waits until no process of ours is there any more: with `mount` the kernel ends them, with the others they end by themselves.
    fn wait_for_all(&self) {
        let from = Instant::now();
        loop {
            let left = self.processes();
            if left.is_empty() {
                return;
            }
            assert!(from.elapsed() < PATIENCE, "{}: still there: {left:?}", self.delivery);
            for (process, _) in left {
                if let Ok(process) = pidfd_open(process, PidfdFlags::empty()) {
                    wait_for_end(&process);
                }
                let _ = waitpid(Some(process), WaitOptions::NOHANG);
            }
        }
    }

    /// Who has our directory in his words, his environment, or as the one that he works in. One that has ended has nothing.
    fn processes(&self) -> Vec<(Pid, String)> {
        let mark = self.scratch.path().to_str().unwrap();
        let ids = std::fs::read_dir("/proc").unwrap().flatten();
        let ids = ids.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
        let shown = |process: Pid| {
            let read = |name| std::fs::read(format!("/proc/{process}/{name}")).unwrap_or_default();
            let place = std::fs::read_link(format!("/proc/{process}/cwd")).unwrap_or_default();
            let text =
                [read("environ"), read("cmdline"), place.into_os_string().into_encoded_bytes()].concat();
            let text = String::from_utf8_lossy(&text).into_owned();
            text.contains(mark).then_some((process, text))
        };
        ids.filter(|process| *process != getpid()).filter_map(shown).collect()
    }

    fn assert_nothing_left(&self, victim: Victim, when: &str) {
        let may_be_left = victim.is_launcher() && self.delivery != "mount";
        let mut holding = self.holding(self.scratch.path());
        holding.extend(self.holding(Path::new("/dev/shm")));
        if !may_be_left {
            assert_eq!(holding, [""; 0].map(PathBuf::from), "{when}");
            assert_eq!(names(&self.runtime), [""; 0], "{when}");
            return;
        }
        // The child's own copies are in memory until the next run; so are the files of `file`, and nothing of `fd`
        for path in &holding {
            let is_copy = path.starts_with("/dev/shm") && path.ends_with("tmp/copy");
            let is_ours = self.delivery == "file" && path.starts_with(&self.runtime);
            assert!(is_copy || is_ours, "{when}: {}", path.display());
        }
        if self.delivery == "fd" {
            for entry in walk(&self.runtime) {
                assert!(
                    entry.is_dir() || entry.is_symlink() && !entry.exists(),
                    "{when}: {}",
                    entry.display()
                );
            }
        }
        let open: Vec<File> = holding.iter().filter_map(|path| File::open(path).ok()).collect();
        let next = program::said(&mut self.program(&["true"]));
        assert_eq!(next.code, 0, "{}", next.err);
        assert_eq!(names(&self.runtime), [""; 0], "{when}: the next run does not sweep");
        assert_eq!(self.holding(Path::new("/dev/shm")), [""; 0].map(PathBuf::from), "{when}");
        if self.delivery == "file" {
            let is_ours = |(path, _): &(&PathBuf, File)| path.starts_with(&self.runtime);
            for (path, mut file) in holding.iter().zip(open).filter(is_ours) {
                let mut content = Vec::new();
                file.read_to_end(&mut content).unwrap();
                assert!(content.iter().all(|byte| *byte == 0), "{when}: {} is not wiped", path.display());
            }
        }
    }

    /// The files below with the secret in them.
    fn holding(&self, directory: &Path) -> Vec<PathBuf> {
        let holds = |path: &PathBuf| {
            let is_plain = path.symlink_metadata().is_ok_and(|found| found.is_file());
            let content = if is_plain { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
            content.windows(self.secret.len()).any(|window| window == self.secret.as_bytes())
        };
        walk(directory).into_iter().filter(holds).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.runtime);
    }
}

/// All that is below. What others make and remove meanwhile may be missing.
fn walk(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let below = |path: PathBuf| {
        let is_directory = path.symlink_metadata().is_ok_and(|found| found.is_dir());
        let more = if is_directory { walk(&path) } else { Vec::new() };
        std::iter::once(path).chain(more)
    };
    entries.map(|entry| entry.path()).flat_map(below).collect()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn has_ended(process: &OwnedFd) -> bool {
    poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&Timespec::default())).unwrap() > 0
}

fn wait_for_end(process: &OwnedFd) {
    let patience = Timespec::try_from(PATIENCE).unwrap();
    let ended = poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&patience)).unwrap();
    assert!(ended > 0, "a process does not end");
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

/// Splitmix64: the same moments for the same seed.
struct Random(u64);

impl Random {
    fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from(u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap()) / f64::from(u32::MAX)
    }
}
