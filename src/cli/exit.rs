//! How the program ends. 0: done. 1: failed, and nothing was written. 2: the command line is wrong. 3: something
//! was found that should not be (`check`, `diff`, `selftest`). 126 and 127: the command of `run` cannot be executed, is not found; otherwise
//! its own code, or 128 and a signal's number.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use crate::report::Hint;
use crate::run::{ChildExit, RunError};

use super::args::UsageError;
use super::ui::{self, Ui};

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const FINDINGS: u8 = 3;
const NOT_EXECUTABLE: u8 = 126;
const NOT_FOUND: u8 = 127;

/// Any error of the library, with its hint.
pub(super) struct Failure {
    error: Box<dyn Hint>,
    code: u8,
}

impl<E: Hint + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let any: &dyn Error = &error;
        let code = match any.downcast_ref() {
            Some(RunError::Interrupted { signal }) => {
                ChildExit::Signal(u8::try_from(*signal).unwrap_or(u8::MAX)).code()
            }
            Some(RunError::NotExecutable { .. }) => NOT_EXECUTABLE,
            Some(RunError::NotFound { .. }) => NOT_FOUND,
            _ if any.is::<UsageError>() => USAGE,
            _ => FAILED,
        };
        Self { error: Box::new(error), code }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// Says what is wrong with the command line, or the help that was asked for.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    // clap knows which of the two streams it goes to; a closed one is nobody's fault
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
}

/// What was looked for was found, and should not be there.
pub(super) fn findings() -> ExitCode {
    ExitCode::from(FINDINGS)
}

/// Says why nothing was done.
pub(super) fn report(failure: &Failure, ui: Ui) -> ExitCode {
    let is_silent = matches!((&*failure.error as &dyn Error).downcast_ref(), Some(ui::BrokenPipe));
    if !is_silent {
        ui.error(&failure.error.to_string(), &failure.error.hint());
    }
    ExitCode::from(failure.code)
}
