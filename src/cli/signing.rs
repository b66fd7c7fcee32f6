//! Who signs a generation, and who has signed the one before.

use std::path::{Path, PathBuf};

use crate::admit::AdmitError;
use crate::bundle::{Before, Completed};
use crate::report::Hint;
use crate::secret::SecretValue;
use crate::signature::SigningKey;
use crate::trust::trusted_signers;

use super::args::{GenerationArguments, TrustArguments};
use super::exit::Failure;
use super::ui::Ui;
use super::{admission, environment, prompt};

/// Who signs.
pub(super) struct Signing {
    /// The key, if any does.
    key: Option<SigningKey>,
    /// How many signatures the generation before needs. A site that has seen it needs as many of the next one.
    so_far: u32,
}

/// Why nothing can be signed.
#[derive(Debug, thiserror::Error)]
enum NoKey {
    #[error("there is no key to sign with: looked for {searched}")]
    NotFound { searched: String },
}

impl Hint for NoKey {
    fn hint(&self) -> String {
        match self {
            Self::NotFound { searched } => format!(
                "`ssh-keygen -t ed25519 -f {searched}` makes one, --sign-key FILE names another; keys/signers lists its .pub"
            ),
        }
    }
}

/// Why nothing is built on a generation: whoever took its signature away could have taken secrets off its bill.
#[derive(Debug, thiserror::Error)]
#[error("generation {generation} is not signed, and was not made from here")]
struct UnsignedBefore {
    generation: u64,
}

impl Hint for UnsignedBefore {
    fn hint(&self) -> String {
        String::from(
            "get it back with its signature; if you know who made it, and answer for it: `dcn-vault sign`",
        )
    }
}

impl Signing {
    /// Finds the key, and asks for its passphrase; and looks at who signed `before`, on which the next generation builds; or whether
    /// it `is_ours`, made from here.
    pub(super) fn prepare(
        arguments: &GenerationArguments,
        before: Option<&Before>,
        is_ours: bool,
        trust: &TrustArguments,
        batch: bool,
        ui: Ui,
    ) -> Result<Self, Failure> {
        if let Some(before) = before {
            look_at(before, is_ours, trust, ui)?;
        }
        let so_far = before.map_or(1, |before| before.manifest.signatures);
        let key = if arguments.no_sign { None } else { Some(key(arguments.sign_key.as_deref(), batch)?) };
        Ok(Self { key, so_far })
    }

    /// Signs, or says that nobody does; the key goes with it.
    pub(super) fn sign(self, completed: &Completed, ui: Ui) -> Result<(), Failure> {
        let Some(key) = self.key else {
            ui.warn("the bundle is not signed: a site opens it only with --allow-unsigned");
            return Ok(());
        };
        completed.add_signature(&key.sign(&completed.bytes)?.to_armored())?;
        let (wanted, so_far) = (completed.manifest.signatures, self.so_far);
        if wanted > 1 || so_far > 1 {
            let why = if so_far > wanted { ", as the generation before needs them" } else { "" };
            let wanted = wanted.max(so_far);
            ui.warn(&format!("1 of {wanted} signatures{why}: the other signers run `dcn-vault sign`"));
        }
        Ok(())
    }
}

/// The key that is named, or one's own.
pub(super) fn key(named: Option<&Path>, batch: bool) -> Result<SigningKey, Failure> {
    let usual = environment::usual_signing_key();
    let path: PathBuf = match (named, usual) {
        (Some(path), _) => path.to_owned(),
        (None, Some(usual)) if usual.exists() => usual,
        (None, usual) => {
            let searched = usual.map_or_else(|| String::from("~/.config"), |path| path.display().to_string());
            return Err(NoKey::NotFound { searched }.into());
        }
    };
    let mut failed = None;
    let mut ask = |path: &Path| -> Option<SecretValue> {
        let terminal = if batch { None } else { prompt::terminal() }?;
        match prompt::ask(&terminal, &format!("Passphrase of {}", path.display())) {
            Ok(passphrase) => Some(passphrase),
            Err(error) => {
                failed = Some(error);
                None
            }
        }
    };
    let read = SigningKey::read(&path, environment::ssh_agent().as_deref(), &mut ask);
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(read?),
    }
}

/// The bill and the names of the next generation are taken from the one before: it must be by somebody who may sign, or be the
/// very one that was made here.
fn look_at(before: &Before, is_ours: bool, trust: &TrustArguments, ui: Ui) -> Result<(), Failure> {
    let generation = before.manifest.generation;
    let admission = admission::of(before.envelope.directory.clone(), trust);
    let why = match admission.signers_of(&before.envelope) {
        Ok(_) => return Ok(()),
        // Who pulls need not trust anybody: he makes the next one himself
        Err(AdmitError::NoSigners { .. }) if is_ours => return Ok(()),
        Err(AdmitError::NoSigners { .. }) => "is signed by nobody who is trusted here",
        Err(AdmitError::Unsigned) => {
            let trusts_somebody =
                trusted_signers(trust.signers.as_deref(), &admission.usual_signers)?.is_some();
            if trusts_somebody && !is_ours && !trust.allow_unsigned {
                return Err(UnsignedBefore { generation }.into());
            }
            "is not signed"
        }
        Err(error) => return Err(error.into()),
    };
    ui.warn(&format!("generation {generation} {why}: what it says of itself is taken as it stands"));
    Ok(())
}
