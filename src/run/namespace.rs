//! Namespaces of our own, in which a process may mount without anybody else seeing it.

use nix::sched::{CloneFlags, unshare};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{getegid, geteuid};
use rustix::thread::{
    CapabilitySet, capabilities, clear_ambient_capability_set, configure_capability_in_ambient_set,
    set_capabilities,
};

/// Enters a mount namespace; a user namespace as well, where that is what it takes. It must be done first, while the
/// process is one thread and may still write its own maps.
pub(super) fn enter_any() -> Result<(), Errno> {
    if enter_mount_namespace().is_err() {
        enter_user_namespace()?;
    }
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
}

/// Enters a mount namespace, which takes a user who may mount.
pub(super) fn enter_mount_namespace() -> Result<(), Errno> {
    unshare(CloneFlags::CLONE_NEWNS).map_err(errno)
}

/// Enters a user and a mount namespace, in which we are who we are.
pub(super) fn enter_user_namespace() -> Result<(), Errno> {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS).map_err(errno)?;
    write_map("/proc/self/setgroups", "deny")?;
    write_map("/proc/self/uid_map", &format!("{uid} {uid} 1"))?;
    write_map("/proc/self/gid_map", &format!("{gid} {gid} 1"))
}

/// From here on the first process that we start is the first of a namespace: when it ends, all that came of it end.
pub(super) fn enter_process_namespace() -> Result<(), Errno> {
    unshare(CloneFlags::CLONE_NEWPID).map_err(errno)
}

/// Lets the programs that we start mount in the user namespace that we are in, as we may. Without it they lose that right by
/// being started.
pub(super) fn keep_right_to_mount() -> Result<(), Errno> {
    let mut sets = capabilities(None)?;
    sets.inheritable |= CapabilitySet::SYS_ADMIN;
    set_capabilities(None, sets)?;
    configure_capability_in_ambient_set(CapabilitySet::SYS_ADMIN, true)
}

/// Undoes that.
pub(super) fn give_up_right_to_mount() -> Result<(), Errno> {
    clear_ambient_capability_set()?;
    let mut sets = capabilities(None)?;
    sets.inheritable -= CapabilitySet::SYS_ADMIN;
    set_capabilities(None, sets)
}

fn write_map(path: &str, line: &str) -> Result<(), Errno> {
    let file = openat(CWD, path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&file, line.as_bytes()).map(|_| ())
}

fn errno(error: nix::errno::Errno) -> Errno {
    Errno::from_raw_os_error(error as i32)
}
