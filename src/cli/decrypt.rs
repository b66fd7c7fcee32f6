use std::path::Path;
use std::process::ExitCode;

use crate::audit::Verb;
use crate::identity::{IdentitySet, Search};
use crate::model::EnvironmentFile;
use crate::open::{open_one, site_of};
use crate::report::Hint;

use super::admission::{admission, warn};
use super::args::DecryptArguments;
use super::auditor::{Auditor, Opening};
use super::exit::Failure;
use super::identities;
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
    batch: bool,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    let file = file_named(&arguments.file)?;
    let output = Output::of(arguments.output.as_deref())?;
    let mut auditor = Auditor::begin(&arguments.audit, Verb::Decrypt, ui)?;
    let search = identities::of(&arguments.identity.identity, batch, ui);
    let written = write(arguments, directory, file, &output, &search, &mut auditor, ui);
    auditor.close(written)
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
    search: &Search,
    auditor: &mut Auditor,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    let admitted = admission(&arguments.admission, directory)?.admit()?;
    auditor.admitted(&admitted);
    warn(&admitted, ui);
    let identities = IdentitySet::find(search)?;
    let bundle = admitted.bundle();
    let site = site_of(bundle, &identities, arguments.admission.trust.site.as_ref())?;
    let opened = open_one(&admitted, &site, file, &identities)?;
    let parameters = bundle.file_for(&site, file).map(|path| bundle.parameters_of(path));
    auditor.opened(Opening {
        files: vec![file.file_name().to_owned()],
        parameters: parameters.unwrap_or_default(),
        delivery: None,
        site,
    })?;
    output.write(&opened.content)?;
    Ok(ExitCode::SUCCESS)
}
