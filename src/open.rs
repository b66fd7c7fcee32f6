//! From a [`Bundle`] and an identity to [`Opened`]: the only way back to plaintext.
//!
//! It stands apart because the bundle's digests are checked by then: a [`Bundle`] that could be read is whole. Each file
//! is decrypted to its end before any of it is used, since age authenticates piece by piece.
//!
//! # What this does not do
//!
//! It does not wipe the identity, which is its caller's. What age leaves on the stack (copies of each payload key,
//! measured) is wiped before it returns, not while it works: callers open in a process that exits.

use std::io::Read;

use age::{DecryptError, Decryptor};
use zeroize::Zeroizing;

use crate::bundle::{Bundle, BundleFile};
use crate::identity::IdentitySet;
use crate::model::EnvironmentFile;
use crate::report::Hint;
use crate::secret::{SecretBuffer, wipe_finished_frames};

const BLOCK: usize = 16 * 1024;

/// The environment files in clear. Only [`open`] makes one.
#[derive(Debug)]
#[non_exhaustive]
pub struct Opened {
    /// All files of the bundle, in the order in which a deployment takes them.
    pub files: Vec<OpenedFile>,
}

/// One environment file in clear.
#[derive(Debug)]
#[non_exhaustive]
pub struct OpenedFile {
    /// Which one.
    pub file: EnvironmentFile,
    /// Its text.
    pub content: SecretBuffer,
}

/// Why a bundle does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It is no age file, or its bytes are not those that were encrypted.
    #[error("`{file}.age` is damaged", file = .file.file_name())]
    Damaged {
        /// The file.
        file: EnvironmentFile,
    },
    /// The bundle does not have the file.
    #[error("the bundle has no `{file}`", file = .file.file_name())]
    NotInBundle {
        /// The file.
        file: EnvironmentFile,
    },
    /// It is encrypted for others.
    #[error("no identity of yours opens `{file}.age`", file = .file.file_name())]
    WrongIdentity {
        /// The file.
        file: EnvironmentFile,
    },
}

impl Hint for OpenError {
    fn hint(&self) -> String {
        String::from(match self {
            Self::Damaged { .. } => "get the bundle anew from where it was made; do not deploy with it",
            Self::NotInBundle { .. } => "`dcn-vault show` lists the files that it has",
            Self::WrongIdentity { .. } => {
                "`dcn-vault show` lists the recipients; is yours among them? Else ask for a new pull with it"
            }
        })
    }
}

/// Decrypts all sealed files of `bundle`.
///
/// # Errors
///
/// [`OpenError::Damaged`] and [`OpenError::WrongIdentity`].
pub fn open(bundle: Bundle, identities: &IdentitySet) -> Result<Opened, OpenError> {
    let files = bundle.files.into_iter().map(|file| open_file(file, identities)).collect::<Result<_, _>>();
    wipe_finished_frames();
    Ok(Opened { files: files? })
}

/// Decrypts one file of `bundle`, if it has it.
///
/// # Errors
///
/// Any [`OpenError`].
pub fn open_one(
    bundle: Bundle,
    file: EnvironmentFile,
    identities: &IdentitySet,
) -> Result<OpenedFile, OpenError> {
    let found = bundle.files.into_iter().find(|candidate| candidate.file == file);
    let opened = open_file(found.ok_or(OpenError::NotInBundle { file })?, identities);
    wipe_finished_frames();
    opened
}

fn open_file(sealed: BundleFile, identities: &IdentitySet) -> Result<OpenedFile, OpenError> {
    let BundleFile { file, sealed, bytes } = sealed;
    let mut content = SecretBuffer::with_capacity(bytes.len());
    if sealed {
        decrypt(&bytes, identities, &mut content).map_err(|error| {
            let is_for_others = matches!(error, DecryptError::NoMatchingKeys);
            if is_for_others { OpenError::WrongIdentity { file } } else { OpenError::Damaged { file } }
        })?;
    } else {
        content.push(&bytes);
    }
    Ok(OpenedFile { file, content })
}

fn decrypt(bytes: &[u8], identities: &IdentitySet, into: &mut SecretBuffer) -> Result<(), DecryptError> {
    let mut reader = Decryptor::new(bytes)?.decrypt(identities.keys())?;
    let mut block = Zeroizing::new(vec![0; BLOCK]);
    loop {
        match reader.read(&mut block)? {
            0 => return Ok(()),
            count => into.push(block.get(..count).unwrap_or_default()),
        }
    }
}
