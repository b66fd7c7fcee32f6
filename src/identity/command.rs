use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, ExitStatus, Stdio};

use crate::fs;
use crate::secret::SecretBuffer;

use super::IdentityError;

/// What the command in `words` writes to its standard output. It reads nothing, and its words for people go where ours go.
pub(super) fn output(words: &[OsString]) -> Result<SecretBuffer, IdentityError> {
    let Some((program, arguments)) = words.split_first() else { return Ok(SecretBuffer::new()) };
    let name = program.to_string_lossy().escape_debug().to_string();
    let not_started = |error: std::io::Error| IdentityError::CommandNotStarted {
        program: name.clone(),
        reason: fs::reason(&error),
    };
    let mut command = command_for(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(not_started)?;
    // Not by std's reader: it would collect the identity in blocks that nobody wipes
    let from = child.stdout.take().map(OwnedFd::from);
    let read = from.as_ref().map_or_else(
        || Ok(SecretBuffer::new()),
        |from| fs::read_output(from.as_fd(), &format!("cmd:{name}")),
    );
    drop(from);
    if read.is_err() {
        // It has more to say than anybody reads
        let _ = child.kill();
    }
    let status = child.wait().map_err(not_started)?;
    let read = read?;
    if status.success() {
        Ok(read)
    } else {
        Err(IdentityError::CommandFailed { program: name, how: how(status) })
    }
}

fn how(status: ExitStatus) -> String {
    match (status.code(), std::os::unix::process::ExitStatusExt::signal(&status)) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(number)) => format!("was killed by signal {number}"),
        (None, None) => String::from("did not end well"),
    }
}

#[allow(clippy::disallowed_methods, reason = "the command that is named by -i cmd:…, and no other")]
fn command_for(program: &OsString) -> Command {
    Command::new(program)
}
