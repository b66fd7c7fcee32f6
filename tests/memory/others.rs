//! Other processes of the same user: none of them reads a process of ours, and no signal makes it leave a core.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::libc;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use super::controls::example;
use super::stages::Site;
use super::trace::{Trace, wait_for_line};

const NOBODY: u32 = 65534;
const UNLIMITED: &str = "ulimit -c unlimited; ";

/// A site whose directory, programs included, belongs to a user who is nobody else.
struct Account(Site);

impl Account {
    fn new() -> Self {
        let site = Site::with_bundle();
        let copy = |from: &Path, name: &str| {
            std::fs::copy(from, site.scratch.join(name)).unwrap();
            std::fs::set_permissions(site.scratch.join(name), std::fs::Permissions::from_mode(0o755))
                .unwrap();
        };
        copy(Path::new(env!("CARGO_BIN_EXE_dcn-vault")), "dcn-vault");
        copy(&example("same_user"), "same_user");
        give(site.scratch.path());
        Self(site)
    }

    fn path(&self) -> &Path {
        self.0.scratch.path()
    }

    /// A command as this user, in its directory. `setpriv` becomes it, so its process is the one that we start.
    fn command(&self, program: impl Into<PathBuf>, arguments: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        let id = NOBODY.to_string();
        command
            .args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"])
            .arg(program.into())
            .args(arguments);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.path());
        command.env("TMPDIR", self.path()).current_dir(self.path()).stdin(Stdio::null());
        command
    }

    fn program(&self, arguments: &[&str]) -> Command {
        self.command(self.path().join("dcn-vault"), arguments)
    }

    /// What each way to look into `pid` has come to.
    fn attack(&self, pid: Pid) -> Vec<(String, bool)> {
        let mut attacker = self.command(self.path().join("same_user"), &[&pid.to_string()]);
        let output = attacker.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| (line.to_owned(), line.ends_with(": works"))).collect()
    }

    /// All ways work on a process that does not defend itself: what is refused elsewhere is refused by the program.
    fn assert_attacks_work(&self) {
        let mut other = self.command("/bin/sh", &["-c", "echo ready; read x"]);
        let other = Running(other.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap());
        let seen = self.attack(other.ready());
        let ways = [
            "environ: works",
            "maps: works",
            "mem: works",
            "fd: works",
            "root: works",
            "process_vm_readv: works",
            "ptrace seize: works",
            "ptrace attach: works",
            "gcore: works",
        ];
        assert_eq!(
            seen.iter().map(|(line, _)| line.as_str()).collect::<Vec<_>>(),
            ways,
            "this host's own rules are in the way"
        );
    }

    fn assert_refused(&self, pid: Pid) {
        let seen = self.attack(pid);
        assert_eq!(seen.len(), 9);
        assert!(seen.iter().all(|(_, works)| !works), "{seen:?}");
    }

    fn assert_no_core(&self) {
        let names = self.0.scratch.names();
        assert!(!names.iter().any(|name| name.starts_with("core")), "{names:?}");
    }
}

/// A child that says `ready`, and that does not outlive the test.
struct Running(Child);

impl Running {
    fn ready(&self) -> Pid {
        let mut out =
            std::fs::File::open(format!("/proc/self/fd/{}", descriptor(self.0.stdout.as_ref().unwrap())))
                .unwrap();
        wait_for_line(&mut out, "ready");
        Pid::from_raw(i32::try_from(self.0.id()).unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Its own child reads from the pipe that closes here, and ends
        drop(self.0.stdin.take());
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn descriptor(stream: &impl std::os::fd::AsRawFd) -> i32 {
    stream.as_raw_fd()
}

fn give(path: &Path) {
    std::os::unix::fs::lchown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path());
        }
    }
}

const RUN: &[&str] = &[
    "run",
    "-b",
    "bundle",
    "-i",
    "identity.txt",
    "--delivery",
    "fd",
    "--",
    "sh",
    "-c",
    "echo ready; read x",
];

#[test]
#[ignore = "needs root and gdb: run tests/all"]
fn no_process_of_the_same_user_looks_into_the_supervisor_while_the_child_runs() {
    let account = Account::new();
    account.assert_attacks_work();
    let mut run = account.program(RUN);
    let run = Running(run.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap());
    account.assert_refused(run.ready());
}

#[test]
#[ignore = "needs root and gdb: run tests/all"]
fn no_process_of_the_same_user_looks_into_a_worker_that_holds_plaintext() {
    let account = Account::new();
    account.assert_attacks_work();
    let mut trace = Trace::start(&account.program(RUN), "", |held| {
        held.stdin(Stdio::piped()).stdout(Stdio::null());
    });
    let supervisor = trace.root;
    let at = trace.until(|at| at.pid != supervisor && at.enters(libc::SYS_sendmsg)).expect("a worker sends");
    trace.release_stopped(at.pid);
    account.assert_refused(at.pid);
    kill(at.pid, Signal::SIGKILL).unwrap();
}

#[test]
#[ignore = "needs root and gdb: run tests/all"]
fn no_process_of_the_same_user_looks_into_a_pull_or_a_decrypt_that_holds_plaintext() {
    let account = Account::new();
    account.assert_attacks_work();
    let decrypt = account.program(&["decrypt", "-b", "bundle", "-i", "identity.txt", "passwords.yaml"]);
    let mut trace = Trace::start(&decrypt, "", |held| {
        held.stdin(Stdio::null()).stdout(Stdio::null());
    });
    let at = trace.until(|at| at.enters(libc::SYS_write) && at.arguments[0] == 1).expect("it writes");
    trace.release_stopped(at.pid);
    account.assert_refused(at.pid);
    drop(trace);
    let mut pull = account.program(&["pull", "-r", &account.0.recipient, "-o", "another"]);
    pull.envs(account.0.cloud.os_variables()).env_remove("OS_CLOUDNAME");
    let mut trace = Trace::start(&pull, "", |held| {
        held.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    });
    let mut arrived = false;
    let sealing = trace.until(|at| {
        arrived |= at.received() > 4096;
        arrived && at.enters(libc::SYS_getrandom) && at.arguments[1] == 16
    });
    let pid = sealing.expect("it seals").pid;
    trace.release_stopped(pid);
    account.assert_refused(pid);
}

#[test]
#[ignore = "needs root and gdb: run tests/all"]
fn no_signal_makes_a_process_that_holds_plaintext_leave_a_core() {
    let account = Account::new();
    let mut other = account.command("/bin/sh", &["-c", &format!("{UNLIMITED}kill -ABRT $$")]);
    let pid = Pid::from_raw(i32::try_from(other.spawn().unwrap().id()).unwrap());
    assert_eq!(
        waitpid(pid, None),
        Ok(WaitStatus::Signaled(pid, Signal::SIGABRT, true)),
        "this host leaves no cores at all"
    );
    for name in account.0.scratch.names().iter().filter(|name| name.starts_with("core")) {
        std::fs::remove_file(account.0.scratch.join(name)).unwrap();
    }
    let decrypt = account.program(&["decrypt", "-b", "bundle", "-i", "identity.txt", "passwords.yaml"]);
    for signal in [Signal::SIGABRT, Signal::SIGQUIT, Signal::SIGILL] {
        let mut trace = Trace::start(&decrypt, UNLIMITED, |held| {
            held.stdin(Stdio::null()).stdout(Stdio::null());
        });
        let at = trace.until(|at| at.enters(libc::SYS_write) && at.arguments[0] == 1).expect("it writes");
        kill(at.pid, signal).unwrap();
        assert!(trace.until(|_| false).is_none());
        assert_eq!(trace.ended, Some(WaitStatus::Signaled(at.pid, signal, false)));
        account.assert_no_core();
        let mut trace = Trace::start(&account.program(RUN), UNLIMITED, |held| {
            held.stdin(Stdio::piped()).stdout(Stdio::null());
        });
        let supervisor = trace.root;
        let at =
            trace.until(|at| at.pid != supervisor && at.enters(libc::SYS_sendmsg)).expect("a worker sends");
        kill(at.pid, signal).unwrap();
        trace.until(|_| false);
        // A key that ends the worker is meant for all of us: its number is the code
        let code = if signal == Signal::SIGQUIT { 131 } else { 1 };
        assert_eq!(trace.ended, Some(WaitStatus::Exited(supervisor, code)));
        account.assert_no_core();
    }
}

#[test]
#[ignore = "needs root and gdb: run tests/all"]
fn a_fault_of_the_supervisor_leaves_no_core() {
    let account = Account::new();
    let mut trace = Trace::start(&account.program(RUN), UNLIMITED, |held| {
        held.stdin(Stdio::piped()).stdout(Stdio::null());
    });
    let supervisor = trace.root;
    let waits = trace.until(|at| at.pid == supervisor && at.enters(libc::SYS_ppoll));
    assert!(waits.is_some());
    // Not SIGSEGV: Rust's own handler passes over one that no access of memory has raised
    kill(supervisor, Signal::SIGILL).unwrap();
    trace.until(|_| false);
    assert_eq!(trace.ended, Some(WaitStatus::Signaled(supervisor, Signal::SIGILL, false)));
    account.assert_no_core();
}
