use std::path::Path;
use std::process::ExitCode;

use crate::identity::IdentitySet;
use crate::model::EnvironmentFile;
use crate::open::{open_one, site_of};
use crate::report::Hint;

use super::admission::{admission, warn};
use super::args::DecryptArguments;
use super::environment;
use super::exit::Failure;
use super::output::Output;
use super::ui::Ui;

/// A name that no file of a bundle has.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` is not a file of a bundle")]
pub(super) struct NoSuchFile {
    name: String,
}

impl Hint for NoSuchFile {
    fn hint(&self) -> String {
        let names = EnvironmentFile::ALL.map(EnvironmentFile::file_name).join(", ");
        format!("it is one of: {names}")
    }
}

pub(super) fn decrypt(
    arguments: &DecryptArguments,
    directory: Option<&Path>,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    let file = file_named(&arguments.file)?;
    let output = Output::of(arguments.output.as_deref())?;
    write(arguments, directory, file, &output, ui)
}

/// The file of this name, with or without `.age`.
pub(super) fn file_named(name: &str) -> Result<EnvironmentFile, NoSuchFile> {
    let plain = name.strip_suffix(".age").unwrap_or(name);
    EnvironmentFile::named(plain).ok_or_else(|| NoSuchFile { name: plain.escape_debug().to_string() })
}

fn write(
    arguments: &DecryptArguments,
    directory: Option<&Path>,
    file: EnvironmentFile,
    output: &Output,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    let admitted = admission(&arguments.admission, directory)?.admit()?;
    warn(&admitted, ui);
    let identities = IdentitySet::read(&arguments.identity.identity, &environment::usual_identities())?;
    let site = site_of(admitted.bundle(), &identities, arguments.admission.trust.site.as_ref())?;
    let opened = open_one(&admitted, &site, file, &identities)?;
    output.write(&opened.content)?;
    Ok(ExitCode::SUCCESS)
}
