//! What is kept of the directories in which the command of `run` has written.

use std::io;
use std::process::ExitCode;

use crate::escape::keep;
use crate::recipients::RecipientSet;
use crate::run::begin_beside;

use super::args::KeepArguments;
use super::exit::Failure;
use super::ui::{self, Ui};

/// The worker.
pub(super) fn worker(arguments: &KeepArguments, ui: Ui) -> Result<ExitCode, Failure> {
    begin_beside()?;
    let recipients = RecipientSet::listed(&arguments.recipient)?;
    for path in keep(&arguments.directory, &recipients, io::stdout().lock())? {
        ui.warn(&format!("{} is no file, and was not kept", ui::shown(&path.to_string_lossy())));
    }
    Ok(ExitCode::SUCCESS)
}
