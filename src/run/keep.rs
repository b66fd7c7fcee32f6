//! What is kept of contained directories: sealed by a worker, among the mounts that the command has seen, while they are there.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;

use crate::fs::NewFile;
use crate::recipients::RecipientSet;

use super::RunError;
use super::facts::Facts;
use super::start::{option, start_beside};

/// The hidden verb of the worker.
const VERB: &str = "keep";

/// That nothing can be sealed for who opens what the site gets is told before the command starts, not when it has ended.
pub(super) fn check(facts: &Facts) -> Result<(), RunError> {
    RecipientSet::listed(&facts.recipients)?;
    Ok(())
}

/// Has a worker seal all that is in `directories` to `output`, for who opens what the site gets, and gives that its name.
pub(super) fn keep_after(
    directories: &[PathBuf],
    facts: &Facts,
    output: &NewFile,
    environment: &[(OsString, OsString)],
) -> Result<(), RunError> {
    let mut words = vec![OsString::from(VERB)];
    words.extend(facts.recipients.iter().map(|recipient| option("--recipient=", recipient)));
    words.extend(directories.iter().map(|directory| option("--directory=", directory)));
    let file = output.file().try_clone_to_owned();
    let file = file.map_err(|source| RunError::Os { what: "pass a descriptor on", source })?;
    let mut worker = start_beside(words, environment, Stdio::null(), Stdio::from(file))?;
    if !worker.wait().is_ok_and(|status| status.success()) {
        return Err(RunError::NotKept);
    }
    Ok(output.commit()?)
}
