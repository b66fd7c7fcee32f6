//! What the kernel can do for a process that is about to hold secrets.
//!
//! The binary calls this before it reads anything; the library never does by itself, so that a program which embeds
//! it, or a test that wants to look at its own memory, decides for itself.
//!
//! # What this does not do
//!
//! Root, and whoever may trace the process, still reads it. A child can be traced again: `execve` undoes that setting. It
//! keeps the core limit, which is right for a deployment that is about to read secrets.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Forbids core dumps and any look of the same user into this process: `/proc/PID/mem`, ptrace, `/proc/PID/fd`.
///
/// # Errors
///
/// The kernel's own, when it refuses one of the two settings.
pub fn shut_out_others() -> rustix::io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}
