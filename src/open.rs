//! From an [`Admitted`] bundle and an identity to [`Opened`]: the only way back to plaintext.
//!
//! It stands apart because all that can be refused without a key has been refused by then: who signed it, whether it is the
//! newest, each digest. Each file is decrypted to its end before any of it is used, since age authenticates piece by piece.
//!
//! # What this does not do
//!
//! It does not wipe the identity, which is its caller's. What age leaves on the stack (copies of each payload key,
//! measured) is wiped before it returns, not while it works: callers open in a process that exits.

mod header;
mod reopen;
mod select;
mod select_error;
mod value_path;

use std::collections::BTreeMap;
use std::io::Read;

use age::{DecryptError, Decryptor};
use zeroize::Zeroizing;

use crate::admit::Admitted;
use crate::bundle::{Bundle, BundleError};
use crate::identity::{IdentityError, IdentitySet};
use crate::model::{EnvironmentFile, FilePath, Site};
use crate::report::Hint;
use crate::secret::{SecretBuffer, wipe_finished_frames};

use self::header::AgeFile;

pub use reopen::reopen;
pub use select::{Whereabouts, Writing, find, select};
pub use select_error::SelectError;
pub use value_path::ValuePath;

const BLOCK: usize = 16 * 1024;

/// The environment files in clear. Only [`open`] makes one.
#[derive(Debug)]
#[non_exhaustive]
pub struct Opened {
    /// All files that the site gets, in the order in which a deployment takes them.
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
    /// A file has changed between two looks at it.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// An identity that is needed cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// It is no age file, or its bytes are not those that were encrypted.
    #[error("`{path}` is damaged")]
    Damaged {
        /// The file.
        path: FilePath,
    },
    /// The bundle does not have the file, or not for this site.
    #[error("the bundle has no `{file}` for site `{site}`", file = .file.file_name())]
    NotInBundle {
        /// The file.
        file: EnvironmentFile,
        /// Who asks.
        site: Site,
    },
    /// The bundle is for other sites.
    #[error("the bundle is not for a site `{site}`")]
    NoSuchSite {
        /// The site.
        site: Site,
    },
    /// Only others open the rest.
    #[error("{missing} of {of} secrets are not opened by any identity of yours")]
    Incomplete {
        /// How many are not.
        missing: usize,
        /// How many there are.
        of: usize,
    },
    /// An identity is that of several sites, which get different things.
    #[error("your identity is that of {sites}, which do not get the same")]
    SeveralSites {
        /// The sites.
        sites: String,
    },
    /// It is encrypted for others.
    #[error("no identity of yours opens `{path}`")]
    WrongIdentity {
        /// The file.
        path: FilePath,
    },
    /// It is for none of the sites' keys that we have.
    #[error("no identity of yours is a recipient of the bundle")]
    NoIdentity,
}

impl Hint for OpenError {
    fn hint(&self) -> String {
        String::from(match self {
            Self::Bundle(error) => return error.hint(),
            Self::Identity(error) => return error.hint(),
            Self::Damaged { .. } => "get the bundle anew from where it was made; do not deploy with it",
            Self::NotInBundle { .. } => "`dcn-vault show` lists the files that it has, and who gets what",
            Self::NoSuchSite { .. } => "`dcn-vault show` lists the sites",
            Self::Incomplete { .. } => {
                "add the identities of other sites with -i, or have them sealed anew by `dcn-vault pull`"
            }
            Self::SeveralSites { .. } => "say which: --site NAME",
            Self::WrongIdentity { .. } | Self::NoIdentity => {
                "`dcn-vault show` lists the recipients; is yours among them? Else ask for a new pull with it"
            }
        })
    }
}

/// Which site of the bundle `identities` are: the one that is `named`, or the one that has the recipient of one of them. A site
/// that gets everything comes before one that does not.
///
/// # Errors
///
/// [`OpenError::NoSuchSite`], [`OpenError::SeveralSites`], [`OpenError::NoIdentity`] and [`OpenError::Identity`].
pub fn site_of(bundle: &Bundle, identities: &IdentitySet, named: Option<&Site>) -> Result<Site, OpenError> {
    let sites = &bundle.manifest.recipients;
    if let Some(site) = named {
        let is_known = sites.contains_key(site);
        return if is_known { Ok(site.clone()) } else { Err(OpenError::NoSuchSite { site: site.clone() }) };
    }
    let listing = |is_ours: &dyn Fn(&str) -> bool| {
        let ours = sites.iter().filter(|(_, texts)| texts.iter().any(|text| is_ours(text)));
        ours.map(|(site, _)| site).collect::<Vec<&Site>>()
    };
    let mut ours = listing(&|text| identities.has(text));
    if ours.is_empty() {
        // A plugin asks for a PIN each time: where one site alone has a key of it, nothing is tried
        ours = listing(&|text| identities.plugin_has(text));
        if ours.len() != 1 {
            // What a plugin has, or a passphrase protects, does not say whose it is: what opens, does
            ours = openable(bundle, identities)?;
        }
    }
    let Some((first, others)) = ours.split_first() else { return Err(OpenError::NoIdentity) };
    if let Some(entire) = ours.iter().find(|site| bundle.manifest.grant_of(site).is_none()) {
        return Ok((*entire).clone());
    }
    let get_the_same = |site: &&Site| bundle.manifest.grant_of(site) == bundle.manifest.grant_of(first);
    if others.iter().all(get_the_same) {
        return Ok((*first).clone());
    }
    Err(OpenError::SeveralSites {
        sites: ours.iter().map(|site| site.as_str()).collect::<Vec<_>>().join(", "),
    })
}

/// Decrypts all sealed files that `site` gets.
///
/// # Errors
///
/// Any [`OpenError`].
pub fn open(admitted: &Admitted, site: &Site, identities: &IdentitySet) -> Result<Opened, OpenError> {
    let bundle = admitted.bundle();
    let files = bundle.files_for(site).into_iter().map(|file| open_file(bundle, file, identities));
    let files = files.collect::<Result<_, _>>();
    wipe_finished_frames();
    Ok(Opened { files: files? })
}

/// Decrypts one file of those that `site` gets.
///
/// # Errors
///
/// Any [`OpenError`].
pub fn open_one(
    admitted: &Admitted,
    site: &Site,
    file: EnvironmentFile,
    identities: &IdentitySet,
) -> Result<OpenedFile, OpenError> {
    let bundle = admitted.bundle();
    let found = bundle.file_for(site, file);
    let missing = || OpenError::NotInBundle { file, site: site.clone() };
    let opened = open_file(bundle, found.ok_or_else(missing)?, identities);
    wipe_finished_frames();
    opened
}

/// Decrypts the file at `path`; nothing where it is for others.
///
/// # Errors
///
/// [`OpenError::Damaged`], [`OpenError::Bundle`] and [`OpenError::Identity`].
pub fn try_open(
    admitted: &Admitted,
    path: &FilePath,
    identities: &IdentitySet,
) -> Result<Option<OpenedFile>, OpenError> {
    match open_file(admitted.bundle(), path, identities) {
        Err(OpenError::WrongIdentity { .. }) => Ok(None),
        other => other.map(Some),
    }
}

/// The sites of which a sealed file opens; of those alone that list what may be ours, where any does.
fn openable<'a>(bundle: &'a Bundle, identities: &IdentitySet) -> Result<Vec<&'a Site>, OpenError> {
    let recipients = &bundle.manifest.recipients;
    let may_be_ours = |texts: &Vec<String>| texts.iter().any(|text| identities.may_have(text));
    let is_any = recipients.values().any(may_be_ours);
    // Most sites share one file
    let mut seen: BTreeMap<&FilePath, bool> = BTreeMap::new();
    let mut sites = Vec::new();
    for (site, _) in recipients.iter().filter(|(_, texts)| !is_any || may_be_ours(texts)) {
        let Some(path) = bundle.files_for(site).into_iter().find(|file| file.sealed) else { continue };
        let opens = match seen.get(path) {
            Some(opens) => *opens,
            None => opens(bundle, path, identities)?,
        };
        seen.insert(path, opens);
        if opens {
            sites.push(site);
        }
    }
    wipe_finished_frames();
    Ok(sites)
}

fn opens(bundle: &Bundle, path: &FilePath, identities: &IdentitySet) -> Result<bool, OpenError> {
    let bytes = bundle.file(path)?.bytes;
    let Ok(file) = Decryptor::new_buffered(AgeFile::of(&bytes)) else { return Ok(false) };
    match file.decrypt(identities.keys_untold()).map_err(|error| Closed::of(&error, identities)) {
        Ok(_) => Ok(true),
        Err(Closed::Identity(error)) => Err(error.into()),
        Err(Closed::Damaged | Closed::ToUs) => Ok(false),
    }
}

/// Why a file does not open.
enum Closed {
    Damaged,
    /// An identity that may open it cannot be used.
    Identity(IdentityError),
    /// It is for others.
    ToUs,
}

impl Closed {
    /// What age says when none of `identities` has given it a file's key.
    fn of(error: &DecryptError, identities: &IdentitySet) -> Self {
        if let Some(failure) = identities.failure() {
            return Self::Identity(failure);
        }
        if matches!(error, DecryptError::NoMatchingKeys) {
            return Self::ToUs;
        }
        if let DecryptError::Plugin(errors) = error {
            return Self::Identity(IdentitySet::said(errors.iter().map(ToString::to_string)));
        }
        // The file is in memory: what has failed to be read, or written, is a plugin
        if matches!(error, DecryptError::Io(_)) {
            return Self::Identity(identities.plugin_has_failed());
        }
        Self::Damaged
    }
}

fn open_file(bundle: &Bundle, path: &FilePath, identities: &IdentitySet) -> Result<OpenedFile, OpenError> {
    let bytes = bundle.file(path)?.bytes;
    let mut content = SecretBuffer::with_capacity(bytes.len());
    if path.sealed {
        decrypt(&bytes, identities, &mut content).map_err(|closed| match closed {
            Closed::Damaged => OpenError::Damaged { path: path.clone() },
            Closed::Identity(error) => error.into(),
            Closed::ToUs => OpenError::WrongIdentity { path: path.clone() },
        })?;
    } else {
        content.push(&bytes);
    }
    Ok(OpenedFile { file: path.file, content })
}

fn decrypt(bytes: &[u8], identities: &IdentitySet, into: &mut SecretBuffer) -> Result<(), Closed> {
    let file = Decryptor::new_buffered(AgeFile::of(bytes)).map_err(|_| Closed::Damaged)?;
    let mut reader = file.decrypt(identities.keys()).map_err(|error| Closed::of(&error, identities))?;
    let mut block = Zeroizing::new(vec![0; BLOCK]);
    loop {
        match reader.read(&mut block).map_err(|_| Closed::Damaged)? {
            0 => return Ok(()),
            count => into.push(block.get(..count).unwrap_or_default()),
        }
    }
}
