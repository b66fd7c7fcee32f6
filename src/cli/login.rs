use std::path::{Path, PathBuf};

use crate::fs::{self, FileError};
use crate::secret::{SecretBuffer, SecretValue};
use crate::source::openstack::{CloudSettings, Credential, LoginError, Variables};

use super::args::SourceArguments;
use super::exit::Failure;
use super::prompt;

/// The settings of the login, with the secrets that files have, or that a person is asked for.
pub(super) fn settings(
    arguments: &SourceArguments,
    cloud: Option<&str>,
    mut variables: Variables,
    batch: bool,
) -> Result<CloudSettings, Failure> {
    let secret =
        |option, path: &Option<PathBuf>| path.as_deref().map(|path| secret_in(option, path)).transpose();
    variables.password = secret("--os-password-file", &arguments.os_password_file)?;
    variables.token = secret("--os-token-file", &arguments.os_token_file)?;
    let mut settings = CloudSettings::find(cloud, variables)?;
    for credential in settings.lacking() {
        let can_be_typed = !batch && credential != Credential::Token;
        let terminal = if can_be_typed { prompt::terminal() } else { None };
        let Some(terminal) = terminal else { return Err(settings.misses(credential).into()) };
        let typed = prompt::ask(&terminal, &question(&settings, credential))?;
        settings.give(credential, typed)?;
    }
    Ok(settings)
}

fn question(settings: &CloudSettings, credential: Credential) -> String {
    let host = settings.auth_url.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
    format!("{credential} of {} at {host}", settings.user())
}

/// The secret that is all of a file, but for the newline at its end.
fn secret_in(option: &'static str, path: &Path) -> Result<SecretValue, Failure> {
    let text: SecretBuffer = match fs::read_private(path) {
        // Not with its name: somebody may have typed the secret there
        Err(FileError::Os { source, .. }) => {
            return Err(LoginError::SecretFileMissing { option, reason: fs::reason(&source) }.into());
        }
        read => read?,
    };
    // EXPOSE: from one wiped block to another
    let read = text.expose(|bytes| {
        let text = std::str::from_utf8(bytes).ok()?;
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        (!line.is_empty() && !line.contains('\n')).then(|| SecretValue::copy_of(line))
    });
    read.ok_or_else(|| LoginError::BadSecretFile { path: path.display().to_string() }.into())
}
