use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jiff::Timestamp;

use crate::bundle::{Envelope, Manifest};
use crate::model::Digest;
use crate::report::Hint;
use crate::signature::{PublicKey, Signature, SignatureError, Signer, Signers, read_beside};
use crate::trust::{
    Claim, Memory, OwnSigners, Seen, TrustError, Waivers, claimed_name, judge, trusted_signers,
};

use super::args::{TrustAddArguments, TrustResetArguments, TrustVerb};
use super::environment;
use super::exit::Failure;
use super::prompt;
use super::trust_list;
use super::ui::{Ui, shown};

const MANIFEST: &str = "manifest.json";

/// Why nobody is trusted, and nothing forgotten.
#[derive(Debug, thiserror::Error)]
pub(super) enum TrustVerbError {
    /// The person who was asked does not agree.
    #[error("not confirmed: nothing has changed")]
    Declined,
    /// There is no directory of the user's own.
    #[error("neither HOME nor XDG_CONFIG_HOME and XDG_STATE_HOME say where your files are")]
    NoHome,
    /// The signer who was named has not signed it.
    #[error("`{}` is not signed by {wanted}, but by {found}", .path.display())]
    NotBy {
        /// The manifest.
        path: PathBuf,
        /// Who was named.
        wanted: String,
        /// Who has signed it.
        found: String,
    },
    /// Nobody has.
    #[error("`{}` is not signed", .path.display())]
    NotSigned {
        /// The manifest.
        path: PathBuf,
    },
    /// Nobody can be asked.
    #[error("this has to be confirmed, and nobody can be asked")]
    Unasked {
        /// The switch that makes a question needless.
        instead: &'static str,
    },
}

impl Hint for TrustVerbError {
    fn hint(&self) -> String {
        match self {
            Self::Declined => String::from("type `yes` to confirm"),
            Self::NoHome => String::from("set HOME"),
            Self::NotBy { .. } => String::from(
                "do not deploy with it, unless the centre tells you this fingerprint over another way",
            ),
            Self::NotSigned { .. } => String::from(
                "have it signed at the centre: a pull with a signing key signs; copy manifest.json.sig too",
            ),
            Self::Unasked { instead } => format!("give {instead}, or run it at a terminal without --batch"),
        }
    }
}

pub(super) fn trust(
    verb: &TrustVerb,
    directory: Option<&Path>,
    batch: bool,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    match verb {
        TrustVerb::Add(arguments) => add(arguments, directory, batch, ui),
        TrustVerb::List(arguments) => trust_list::list(arguments, &memory()?),
        TrustVerb::Reset(arguments) => reset(arguments, directory, batch, ui),
    }
}

/// A bundle as far as trust is concerned: the exact bytes of its manifest, and who says that they made it.
struct Signed {
    directory: PathBuf,
    bytes: Vec<u8>,
    manifest: Manifest,
    signatures: Vec<Signature>,
}

fn add(
    arguments: &TrustAddArguments,
    directory: Option<&Path>,
    batch: bool,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    let vault = environment::vault(directory)?;
    let signed = Signed::read(arguments.bundle.bundle.clone().unwrap_or_else(|| vault.bundle()))?;
    let path = environment::own_signers().ok_or(TrustVerbError::NoHome)?;
    let (memory, now) = (memory()?, environment::now());
    let in_use = trusted_signers(None, &environment::usual_signers())?;
    let strangers = signed.strangers(arguments.fingerprint.as_deref(), in_use.as_ref(), now)?;
    let mut own = OwnSigners::read(&path)?;
    for key in &strangers {
        let name = claimed_name(&vault.keys().join("signers"), key);
        if arguments.fingerprint.is_none() {
            introduce(&signed, key, name.as_deref(), ui);
            let question = "Is this the fingerprint that the centre has told you, over another way? (yes/no)";
            confirm(question, batch, "--fingerprint SHA256:…")?;
        }
        own.add(key, name.as_deref());
    }
    let verified = match &in_use {
        Some((_, signers)) if strangers.is_empty() => signed.verified(signers, now),
        _ => signed.verified(&own.signers()?, now),
    };
    // An old bundle shows who signs as well as a new one; what was let pass is said below
    let waivers = Waivers { unsigned: true, expired: true, ..Waivers::default() };
    let digest = Digest::of(&signed.bytes);
    let recollection = memory.recall(&signed.manifest.vault, &signed.directory)?;
    let accepted = judge(&signed.claim(&digest), &verified, &recollection, now, waivers)?;
    memory.remember(&accepted)?;
    if strangers.is_empty() {
        ui.say("whoever has signed it is trusted already");
    } else {
        own.save()?;
    }
    for key in &strangers {
        ui.say(&format!("{} may sign from now on: {}", key.fingerprint(), path.display()));
    }
    for waived in &accepted.waived {
        ui.warn(&waived.says);
    }
    if let Some((other, _)) = in_use.filter(|(other, _)| *other != path && !strangers.is_empty()) {
        ui.warn(&format!("for you {} counts from now on, and not {}", path.display(), other.display()));
    }
    Ok(ExitCode::SUCCESS)
}

fn reset(
    arguments: &TrustResetArguments,
    directory: Option<&Path>,
    batch: bool,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    let path = match &arguments.bundle.bundle {
        Some(path) => path.clone(),
        None => environment::vault(directory)?.bundle(),
    };
    let memory = memory()?;
    // A bundle that is gone, or damaged, may have been seen all the same
    let vault = Signed::manifest_in(&path).ok().map(|(manifest, _)| manifest.vault);
    let known = match memory.about(vault.as_deref(), &path) {
        Ok(known) if known.is_empty() => {
            ui.say(&format!("nothing was seen of {}", path.display()));
            return Ok(ExitCode::SUCCESS);
        }
        Ok(known) => known.iter().map(remembered).collect(),
        Err(error @ TrustError::Damaged { .. }) => error.to_string(),
        Err(error) => return Err(error.into()),
    };
    if !arguments.yes {
        ui.say(&known);
        confirm("Forget it, so that any bundle is taken as the first? (yes/no)", batch, "--yes")?;
    }
    for seen in memory.forget(vault.as_deref(), &path)? {
        ui.say(&format!("forgotten: {}", remembered(&seen)));
    }
    Ok(ExitCode::SUCCESS)
}

impl Signed {
    fn read(directory: PathBuf) -> Result<Self, Failure> {
        let (manifest, bytes) = Self::manifest_in(&directory)?;
        let path = directory.join(MANIFEST);
        let mut signatures = Vec::new();
        for (file, signature) in read_beside(&path)? {
            signature.fits(&bytes).map_err(|fault| fault.in_file(&file))?;
            signatures.push(signature);
        }
        if signatures.is_empty() {
            return Err(TrustVerbError::NotSigned { path }.into());
        }
        Ok(Self { directory, bytes, manifest, signatures })
    }

    fn manifest_in(directory: &Path) -> Result<(Manifest, Vec<u8>), Failure> {
        let envelope = Envelope::read(directory)?;
        Ok((envelope.manifest()?, envelope.bytes))
    }

    /// The signatures by this key; without one, all of them.
    fn by(&self, fingerprint: Option<&str>) -> Result<Vec<&Signature>, TrustVerbError> {
        let Some(wanted) = fingerprint else { return Ok(self.signatures.iter().collect()) };
        let by: Vec<&Signature> =
            self.signatures.iter().filter(|signature| signature.fingerprint() == wanted).collect();
        if by.is_empty() {
            let path = self.directory.join(MANIFEST);
            let found: Vec<String> = self.signatures.iter().map(Signature::fingerprint).collect();
            let wanted = wanted.escape_debug().take(80).collect();
            return Err(TrustVerbError::NotBy { path, wanted, found: found.join(", ") });
        }
        Ok(by)
    }

    /// The keys of those signatures that nobody trusts yet.
    fn strangers(
        &self,
        fingerprint: Option<&str>,
        in_use: Option<&(PathBuf, Signers)>,
        now: Timestamp,
    ) -> Result<Vec<&PublicKey>, Failure> {
        let mut strangers = Vec::new();
        for signature in self.by(fingerprint)? {
            let verified = in_use.map(|(_, signers)| signers.verify(&self.bytes, signature, now));
            match verified {
                Some(Ok(_)) => {}
                // Who is listed, and may not sign now, is not let in by another line
                Some(Err(error)) if !matches!(error, SignatureError::Stranger { .. }) => {
                    return Err(error.into());
                }
                Some(Err(_)) | None if strangers.contains(&signature.public_key()) => {}
                Some(Err(_)) | None => strangers.push(signature.public_key()),
            }
        }
        Ok(strangers)
    }

    fn verified(&self, signers: &Signers, now: Timestamp) -> Vec<Signer> {
        self.signatures.iter().filter_map(|one| signers.verify(&self.bytes, one, now).ok()).collect()
    }

    fn claim<'a>(&'a self, digest: &'a Digest) -> Claim<'a> {
        let manifest = &self.manifest;
        Claim {
            vault: &manifest.vault,
            generation: manifest.generation,
            digest,
            previous: manifest.previous.as_ref(),
            created: manifest.created,
            not_after: self.manifest.not_after,
            signatures_required: self.manifest.signatures,
        }
    }
}

fn introduce(signed: &Signed, key: &PublicKey, name: Option<&str>, ui: Ui) {
    let manifest = &signed.manifest;
    let (directory, vault) = (signed.directory.display(), shown(&manifest.vault));
    ui.say(&format!(
        "{directory}: generation {} of vault {vault}, made {}",
        manifest.generation, manifest.created
    ));
    ui.say(&format!("signed by  {}  {}", key.fingerprint(), key.kind()));
    if let Some(name) = name {
        ui.say(&format!("           {name}, says the vault itself: nobody has verified that"));
    }
}

fn remembered(seen: &Seen) -> String {
    format!("vault {}, generation {}, seen until {}", seen.vault, seen.generation, seen.latest)
}

fn confirm(question: &str, batch: bool, instead: &'static str) -> Result<(), Failure> {
    let terminal = if batch { None } else { prompt::terminal() };
    let terminal = terminal.ok_or(TrustVerbError::Unasked { instead })?;
    if prompt::confirm(&terminal, question)? { Ok(()) } else { Err(TrustVerbError::Declined.into()) }
}

fn memory() -> Result<Memory, TrustVerbError> {
    environment::memory().ok_or(TrustVerbError::NoHome)
}
