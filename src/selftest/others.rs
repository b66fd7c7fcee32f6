//! What another process of the same user may try.

use std::io::IoSliceMut;

use nix::sys::ptrace;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::fs::read_capped;

use super::memory::{of_process, open};

const LIMIT: usize = 1024 * 1024;
/// No program is mapped so low: who is let in gets EFAULT, who is not EPERM.
const ADDRESS: usize = 0x1000;

/// Its name, and whether it is open.
type Way = (&'static str, fn(Pid) -> bool);

/// Tries all ways into `process`, and returns those that are open. It may be traced by us then: it **must** be ended.
pub(super) fn open_ways(process: Pid) -> Vec<&'static str> {
    let ways: [Way; 7] = [
        ("/proc/PID/mem", |process| open(process).is_ok()),
        ("/proc/PID/maps", |process| read_capped(&of_process(process, "maps"), LIMIT).is_ok()),
        ("/proc/PID/environ", |process| read_capped(&of_process(process, "environ"), LIMIT).is_ok()),
        ("/proc/PID/fd", may_open_descriptor),
        ("pidfd_getfd", may_take_descriptors),
        ("process_vm_readv", may_read),
        ("ptrace", |process| ptrace::seize(nix_id(process), ptrace::Options::empty()).is_ok()),
    ];
    ways.into_iter().filter(|(_, is_open)| is_open(process)).map(|(way, _)| way).collect()
}

/// Opens what its descriptor 0 leads to. Their mere numbers a root without capabilities can list.
fn may_open_descriptor(process: Pid) -> bool {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    openat(CWD, of_process(process, "fd/0"), flags, Mode::empty()).is_ok()
}

fn may_take_descriptors(process: Pid) -> bool {
    pidfd_open(process, PidfdFlags::empty())
        .and_then(|process| pidfd_getfd(process, 0, PidfdGetfdFlags::empty()))
        .is_ok()
}

fn may_read(process: Pid) -> bool {
    let mut byte = [0];
    let remote = [RemoteIoVec { base: ADDRESS, len: 1 }];
    let read = process_vm_readv(nix_id(process), &mut [IoSliceMut::new(&mut byte)], &remote);
    matches!(read, Ok(_) | Err(nix::errno::Errno::EFAULT))
}

fn nix_id(process: Pid) -> nix::unistd::Pid {
    nix::unistd::Pid::from_raw(process.as_raw_nonzero().get())
}
