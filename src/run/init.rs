use std::ffi::OsString;

use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::mount::{MountFlags, mount};
use rustix::process::{Signal, set_parent_process_death_signal};

use super::pass::{self, Word};
use super::signals::{OnStop, Signals};
use super::start::{Environment, file_actions, not_started, start};
use super::{ChildExit, Command, RunError, namespace};

/// The first process of a `mount`'s namespace: it starts the command, passes signals on to it, and sees its orphans to their
/// end. When it ends, the kernel ends whatever is left; when the supervisor dies, it does so at once.
///
/// `socket` leads to the supervisor, which sends what will be the command's standard input.
///
/// # Errors
///
/// Any [`RunError`]; the command has not started then.
pub fn enclosed(
    command: &Command,
    environment: &[(OsString, OsString)],
    socket: BorrowedFd<'_>,
) -> Result<ChildExit, RunError> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(RunError::os("follow the supervisor"))?;
    let socket =
        socket.try_clone_to_owned().map_err(|source| RunError::Os { what: "keep a socket", source })?;
    // It answers only then: one that has died before that, and would not be followed, has sent nothing
    pass::tell(&socket, &Word::Ready);
    let input = pass::receive_one(&socket).map_err(RunError::os("receive a descriptor"))?;
    let input = input.ok_or(RunError::SupervisorGone)?;
    show_own_processes();
    namespace::give_up_right_to_mount().map_err(RunError::os("give up the right to mount"))?;
    let signals = Signals::hold()?;
    let mut actions = file_actions()?;
    actions.add_dup2(input.as_raw_fd(), 0).map_err(not_started)?;
    let words = std::iter::once(command.program.clone()).chain(command.arguments.iter().cloned());
    let environment: Environment = environment.to_vec();
    let started = start(words.collect(), &environment, &actions);
    drop(input);
    let exit = match started {
        Ok(child) => signals.forward_until_end(child, &OnStop::Tell(&socket))?,
        Err(error) => {
            // The supervisor says it to the user
            if let RunError::NotFound { .. } = error {
                pass::tell(&socket, &Word::NotFound);
            } else if let RunError::NotExecutable { reason, .. } = error {
                pass::tell(&socket, &Word::NotExecutable(reason));
            } else {
                return Err(error);
            }
            return Ok(ChildExit::Code(1));
        }
    };
    if let ChildExit::Signal(number) = exit {
        pass::tell(&socket, &Word::Signal(number));
    }
    Ok(exit)
}

/// A `/proc` in which a process finds itself by the number that it knows. A kernel that shows a container only a part of `/proc` refuses it:
/// the host's stays, whose `/proc/self` is right all the same.
fn show_own_processes() {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    // In a namespace of its own, since the supervisor needs the host's
    if namespace::enter_mount_namespace().is_ok() {
        let _ = mount("proc", "/proc", "proc", flags, None);
    }
}
