//! From [`Cleared`] to [`Sealed`]: what must not be read is encrypted, and nothing else can be written.
//!
//! It stands apart because it is where plaintext ends. It takes only what the guard has cleared: plaintext that no guard
//! has searched does not compile.
//!
//! # What this does not do
//!
//! age does not say who encrypted (C2SP age.md): whoever knows the recipients can make such a file.

use std::collections::BTreeMap;
use std::io::Write;

use age::Encryptor;

use crate::guard::{Cleared, ClearedContent, ClearedFile};
use crate::model::{Certificates, EnvironmentFile, GuardReport, Origin, ParameterName, SecretOrigin, Site};
use crate::recipients::RecipientSet;
use crate::report::Hint;
use crate::secret::{SecretBuffer, wipe_finished_frames};

/// A bundle's files as bytes that anybody may see. Only [`seal`] makes one.
#[derive(Debug)]
#[non_exhaustive]
pub struct Sealed {
    pub(crate) origin: Origin,
    pub(crate) files: Vec<SealedFile>,
    pub(crate) secrets: Vec<(ParameterName, SecretOrigin)>,
    pub(crate) certificates: Certificates,
    pub(crate) recipients: BTreeMap<Site, Vec<String>>,
    pub(crate) guard: GuardReport,
}

impl Sealed {
    /// What the certificates among the secrets say of themselves.
    #[must_use]
    pub const fn certificates(&self) -> &Certificates {
        &self.certificates
    }
}

/// One file of a bundle.
#[derive(Debug)]
pub(crate) struct SealedFile {
    pub(crate) file: EnvironmentFile,
    pub(crate) parameters: Vec<ParameterName>,
    pub(crate) sealed: bool,
    pub(crate) bytes: Vec<u8>,
}

/// Why nothing could be sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// age refuses the recipients, or could not encrypt.
    #[error("`{file}` could not be encrypted", file = .file.file_name())]
    Encrypt {
        /// The file.
        file: EnvironmentFile,
    },
}

impl Hint for SealError {
    fn hint(&self) -> String {
        match self {
            Self::Encrypt { .. } => String::from("this is a bug in dcn-vault: please report it"),
        }
    }
}

/// Encrypts what the guard found secret, for all of `recipients`.
///
/// # Errors
///
/// [`SealError::Encrypt`].
pub fn seal(cleared: Cleared, recipients: &RecipientSet) -> Result<Sealed, SealError> {
    let Cleared { origin, secrets, files, certificates, report } = cleared;
    let files = files.into_iter().map(|file| seal_file(file, recipients)).collect::<Result<_, _>>();
    let secrets = secrets.into_iter().map(|secret| (secret.name, secret.origin)).collect();
    // The last plaintext is gone: so is, from here on, what age and the stages before have left on the stack
    wipe_finished_frames();
    let (files, recipients) = (files?, recipients.texts());
    Ok(Sealed { origin, files, secrets, certificates, recipients, guard: report })
}

fn seal_file(cleared: ClearedFile, recipients: &RecipientSet) -> Result<SealedFile, SealError> {
    let ClearedFile { file, parameters, content } = cleared;
    let (sealed, bytes) = match content {
        ClearedContent::Public(bytes) => (false, bytes),
        ClearedContent::Secret(text) => {
            (true, encrypt(&text, recipients).map_err(|_| SealError::Encrypt { file })?)
        }
    };
    Ok(SealedFile { file, parameters, sealed, bytes })
}

fn encrypt(text: &SecretBuffer, recipients: &RecipientSet) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let encryptor = Encryptor::with_recipients(recipients.keys())?;
    let mut bytes = Vec::new();
    let mut writer = encryptor.wrap_output(&mut bytes)?;
    // EXPOSE: age needs the bytes; its writer's block is wiped by the allocator
    text.expose(|plain| writer.write_all(plain))?;
    writer.finish()?;
    Ok(bytes)
}
