use std::path::Path;
use std::process::ExitCode;

use crate::admit::AdmitError;
use crate::bundle::{Bundle, Envelope, add_signature};
use crate::report::Hint;
use crate::signature::Signature;

use super::args::{SignArguments, TrustArguments};
use super::exit::Failure;
use super::ui::Ui;
use super::{admission, environment, signing};

/// Why a bundle is not signed.
#[derive(Debug, thiserror::Error)]
enum SignError {
    #[error("you have signed it already: {fingerprint}")]
    Already { fingerprint: String },
}

impl Hint for SignError {
    fn hint(&self) -> String {
        match self {
            Self::Already { .. } => {
                String::from("another signer is needed: `dcn-vault sign --sign-key FILE`")
            }
        }
    }
}

pub(super) fn sign(
    arguments: &SignArguments,
    directory: Option<&Path>,
    batch: bool,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    let bundle = match &arguments.bundle.bundle {
        Some(path) => path.clone(),
        None => environment::vault(directory)?.bundle(),
    };
    let envelope = Envelope::read(&bundle)?;
    // Who signs answers for what is there: it must be whole, and nobody else's who may not
    match admission::of(bundle.clone(), &TrustArguments::default()).signers_of(&envelope) {
        Ok(signers) => {
            for signer in signers {
                ui.say(&format!("signed by {} ({})", signer.principal, signer.fingerprint));
            }
        }
        Err(AdmitError::Unsigned | AdmitError::NoSigners { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let whole = Bundle::of(&envelope, envelope.manifest()?)?;
    let key = signing::key(arguments.sign_key.as_deref(), batch)?;
    let fingerprint = key.fingerprint();
    let is_ours = |armored: &Vec<u8>| {
        Signature::parse(armored).is_ok_and(|signature| signature.fingerprint() == fingerprint)
    };
    if envelope.signatures.iter().any(|(_, armored)| is_ours(armored)) {
        return Err(SignError::Already { fingerprint }.into());
    }
    let name = add_signature(&envelope, &key.sign(&envelope.bytes)?.to_armored())?;
    ui.say(&format!(
        "wrote {}: {} of {} signatures of generation {}",
        bundle.join(name).display(),
        envelope.signatures.len() + 1,
        whole.manifest.signatures,
        whole.manifest.generation
    ));
    Ok(ExitCode::SUCCESS)
}
