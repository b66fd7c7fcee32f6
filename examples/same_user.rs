//! Tries every way in which one process of a user may look into another, and says of each whether it worked: the attacker
//! of `tests/memory.rs`. It does nothing with what it can read.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "an attacker, which gives up when something is wrong"
)]

use std::fs::File;
use std::io::{IoSliceMut, Read, Write};
use std::os::unix::fs::FileExt;
use std::process::{Command, Stdio};

use nix::sys::ptrace;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

type Way = (&'static str, fn(Pid) -> bool);

const WAYS: &[Way] = &[
    ("environ", |pid| read(pid, "environ").is_some()),
    ("maps", |pid| read(pid, "maps").is_some()),
    ("mem", |pid| {
        let memory = File::open(format!("/proc/{pid}/mem"));
        memory.and_then(|memory| memory.read_exact_at(&mut [0; 8], address(pid) as u64)).is_ok()
    }),
    ("fd", |pid| std::fs::read_dir(format!("/proc/{pid}/fd")).is_ok_and(|entries| entries.count() > 0)),
    ("root", |pid| std::fs::read_dir(format!("/proc/{pid}/root/")).is_ok()),
    ("process_vm_readv", |pid| {
        let mut bytes = [0; 8];
        let from = RemoteIoVec { base: address(pid), len: bytes.len() };
        process_vm_readv(pid, &mut [IoSliceMut::new(&mut bytes)], &[from]) == Ok(bytes.len())
    }),
    ("ptrace seize", |pid| {
        ptrace::seize(pid, ptrace::Options::empty()).and_then(|()| ptrace::interrupt(pid)).is_ok()
            && let_go(pid)
    }),
    ("ptrace attach", |pid| ptrace::attach(pid).is_ok() && let_go(pid)),
    ("gcore", |pid| {
        let path = std::env::temp_dir().join(format!("same-user-{}", std::process::id()));
        let dump = format!("generate-core-file {}", path.display());
        let mut gdb = Command::new("gdb");
        gdb.args(["--batch", "-nx", "--readnever", "-p", &pid.to_string(), "-ex", &dump]);
        gdb.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().expect("gdb is there");
        std::fs::remove_file(path).is_ok()
    }),
];

fn main() {
    let victim = std::env::args().nth(1).and_then(|word| word.parse().ok()).expect("a process id");
    for (name, way) in WAYS {
        let verdict = if way(Pid::from_raw(victim)) { "works" } else { "refused" };
        writeln!(std::io::stdout(), "{name}: {verdict}").expect("standard output");
    }
}

fn read(pid: Pid, file: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(format!("/proc/{pid}/{file}")).and_then(|mut file| file.read_to_end(&mut bytes)).ok()?;
    Some(bytes).filter(|bytes| !bytes.is_empty())
}

/// Where the victim's first page is, or any address when that is kept from us: the kernel refuses before it looks.
fn address(pid: Pid) -> usize {
    let maps = read(pid, "maps").unwrap_or_default();
    let start = maps.split(|byte| *byte == b'-').next().and_then(|text| std::str::from_utf8(text).ok());
    start.and_then(|text| usize::from_str_radix(text, 16).ok()).filter(|_| !maps.is_empty()).unwrap_or(0x1000)
}

fn let_go(pid: Pid) -> bool {
    waitpid(pid, Some(WaitPidFlag::__WALL)).is_ok() && ptrace::detach(pid, None).is_ok()
}
