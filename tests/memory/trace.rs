//! Stops the real program at a system call, with no hook in it: ptrace, from the thread that calls this.

use std::collections::BTreeSet;
use std::io::Read;
use std::process::{Child, Command};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// What no stage of these tests may need: a hang becomes a failure.
const PATIENCE: Duration = Duration::from_secs(120);

/// A process and all that it starts, each of which stops at each of its system calls.
pub struct Trace {
    pub root: Pid,
    pub child: Child,
    pub ended: Option<WaitStatus>,
    live: BTreeSet<Pid>,
    inside: BTreeSet<Pid>,
    stopped: Option<Pid>,
    /// Ends the thread that kills what takes too long.
    _patience: Sender<()>,
}

/// One stop: before the call does anything, or after it.
#[derive(Clone, Debug)]
pub struct At {
    pub pid: Pid,
    pub call: i64,
    pub arguments: [u64; 3],
    pub result: Option<i64>,
}

impl At {
    pub const fn enters(&self, call: i64) -> bool {
        self.call == call && self.result.is_none()
    }

    /// How many bytes came in, when this is the end of a read or a receive.
    pub fn received(&self) -> usize {
        let reads =
            [libc::SYS_read, libc::SYS_recvfrom, libc::SYS_readv, libc::SYS_recvmsg].contains(&self.call);
        self.result.filter(|_| reads).and_then(|count| usize::try_from(count).ok()).unwrap_or_default()
    }
}

impl Trace {
    /// Starts `command`, with the standard streams that `shape` gives. A shell does `before`, stops itself, and becomes the
    /// program once we hold it: no code of ours runs between fork and exec.
    pub fn start(command: &Command, before: &str, shape: impl FnOnce(&mut Command)) -> Self {
        let mut held = Command::new("/bin/sh");
        held.args(["-c", &format!("{before}kill -STOP $$; exec \"$@\""), "sh"]);
        held.arg(command.get_program()).args(command.get_args());
        held.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        held.current_dir(command.get_current_dir().unwrap());
        shape(&mut held);
        Self::hold(held)
    }

    fn hold(mut held: Command) -> Self {
        let child = held.spawn().unwrap();
        let root = Pid::from_raw(i32::try_from(child.id()).unwrap());
        assert!(matches!(waitpid(root, Some(WaitPidFlag::WUNTRACED)).unwrap(), WaitStatus::Stopped(..)));
        let options = Options::PTRACE_O_TRACESYSGOOD
            | Options::PTRACE_O_TRACEFORK
            | Options::PTRACE_O_TRACEVFORK
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_TRACEEXEC
            | Options::PTRACE_O_EXITKILL;
        ptrace::seize(root, options).unwrap();
        kill(root, Signal::SIGCONT).unwrap();
        let live = BTreeSet::from([root]);
        let mut trace = Self {
            root,
            child,
            ended: None,
            live,
            inside: BTreeSet::new(),
            stopped: None,
            _patience: watch(root),
        };
        // The program itself begins where the shell's exec is over
        let begun = trace.until(|at| at.call == libc::SYS_execve && at.result == Some(0));
        assert!(begun.is_some(), "the program does not start");
        trace
    }

    /// Lets all run until one of them is at a stop that `wanted` likes; `None` when the first process has ended.
    pub fn until(&mut self, mut wanted: impl FnMut(&At) -> bool) -> Option<At> {
        loop {
            if let Some(pid) = self.stopped.take() {
                let _ = ptrace::syscall(pid, None);
            }
            let at = self.next()?;
            self.stopped = Some(at.pid);
            if wanted(&at) {
                return Some(at);
            }
        }
    }

    /// Lets go of a process at its stop, without the call that it was about to make, and leaves it stopped by a signal:
    /// a debugger, or an attacker, can have it then.
    pub fn release_stopped(&mut self, pid: Pid) {
        assert_eq!(self.stopped.take(), Some(pid));
        let mut registers = ptrace::getregs(pid).unwrap();
        assert!(self.inside.contains(&pid), "{pid} is not at the entry of a call");
        registers.orig_rax = u64::MAX;
        ptrace::setregs(pid, registers).unwrap();
        ptrace::detach(pid, Signal::SIGSTOP).unwrap();
        self.live.remove(&pid);
        let deadline = Instant::now() + PATIENCE;
        while state(pid) != Some('T') {
            assert!(Instant::now() < deadline, "{pid} does not stop");
            std::thread::yield_now();
        }
    }

    fn next(&mut self) -> Option<At> {
        loop {
            // Only what this thread traces: the tests beside us have children, too
            let mine = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
            match waitpid(Pid::from_raw(-1), Some(mine)) {
                Ok(WaitStatus::PtraceSyscall(pid)) => {
                    if let Some(at) = self.look(pid) {
                        return Some(at);
                    }
                }
                Ok(WaitStatus::PtraceEvent(pid, ..)) => {
                    self.live.insert(pid);
                    let _ = ptrace::syscall(pid, None);
                }
                Ok(WaitStatus::Stopped(pid, signal)) => {
                    let _ = ptrace::syscall(pid, signal);
                }
                Ok(status @ (WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..))) => {
                    self.live.remove(&pid);
                    self.inside.remove(&pid);
                    if pid == self.root {
                        self.ended = Some(status);
                        return None;
                    }
                }
                Ok(_) => {}
                Err(error) => panic!("nothing left to wait for: {error}"),
            }
        }
    }

    fn look(&mut self, pid: Pid) -> Option<At> {
        self.live.insert(pid);
        let Ok(registers) = ptrace::getregs(pid) else {
            return None; // killed in the meantime
        };
        let enters = self.inside.insert(pid);
        if !enters {
            self.inside.remove(&pid);
        }
        Some(At {
            pid,
            call: registers.orig_rax.cast_signed(),
            arguments: [registers.rdi, registers.rsi, registers.rdx],
            result: (!enters).then_some(registers.rax.cast_signed()),
        })
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        let mut all = std::mem::take(&mut self.live);
        if self.ended.is_none() {
            all.insert(self.root);
        }
        for pid in all {
            let _ = kill(pid, Signal::SIGKILL);
            let _ = waitpid(pid, Some(WaitPidFlag::__WALL));
        }
    }
}

/// Kills `root` when its trace takes longer than `PATIENCE`; the trace finds it ended then.
fn watch(root: Pid) -> Sender<()> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        if receiver.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let _ = kill(root, Signal::SIGKILL);
        }
    });
    sender
}

/// The one-letter state of a process.
pub fn state(pid: Pid) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

/// Reads `stream` up to and with the line `line`.
pub fn wait_for_line(stream: &mut impl Read, line: &str) {
    let (mut text, mut byte) = (String::new(), [0]);
    while !text.ends_with(&format!("{line}\n")) {
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "it ended after `{text}`");
        text.push(char::from(byte[0]));
    }
}
