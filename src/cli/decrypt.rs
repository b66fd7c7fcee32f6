use std::path::Path;
use std::process::ExitCode;

use rustix::stdio::stdout;
use rustix::termios::isatty;

use crate::fs;
use crate::identity::IdentitySet;
use crate::model::EnvironmentFile;
use crate::open::{open_one, site_of};
use crate::report::Hint;

use super::admission::{admission, warn};
use super::args::DecryptArguments;
use super::exit::Failure;
use super::identities;
use super::ui::{BrokenPipe, Ui};

/// Why a secret was not put where it was asked for.
#[derive(Debug, thiserror::Error)]
enum DecryptError {
    #[error("`{name}` is not a file of a bundle")]
    NoSuchFile { name: String },
    #[error("standard output is a terminal")]
    Terminal,
}

impl Hint for DecryptError {
    fn hint(&self) -> String {
        match self {
            Self::NoSuchFile { .. } => {
                let names = EnvironmentFile::ALL.map(EnvironmentFile::file_name).join(", ");
                format!("it is one of: {names}")
            }
            Self::Terminal => String::from(
                "-o FILE writes a new file of mode 0600; -o - writes to the terminal all the same",
            ),
        }
    }
}

pub(super) fn decrypt(
    arguments: &DecryptArguments,
    directory: Option<&Path>,
    batch: bool,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    let name = arguments.file.strip_suffix(".age").unwrap_or(&arguments.file);
    let file = EnvironmentFile::named(name)
        .ok_or_else(|| DecryptError::NoSuchFile { name: name.escape_debug().to_string() })?;
    if arguments.output.is_none() && isatty(stdout()) {
        return Err(DecryptError::Terminal.into());
    }
    let admitted = admission(&arguments.admission, directory)?.admit()?;
    warn(&admitted, ui);
    let identities = IdentitySet::find(&identities::of(&arguments.identity.identity, batch, ui))?;
    let site = site_of(admitted.bundle(), &identities, arguments.admission.trust.site.as_ref())?;
    let opened = open_one(&admitted, &site, file, &identities)?;
    match &arguments.output {
        Some(path) if path.as_os_str() != "-" => fs::create_private(path, &opened.content)?,
        _ => fs::write_fd(stdout(), &opened.content).map_err(|_| BrokenPipe)?,
    }
    Ok(ExitCode::SUCCESS)
}
