//! From a bundle on disk to an [`Admitted`] one: who signed it, whether it is the newest that this machine has seen, and that each
//! of its files is what was signed.
//!
//! It stands apart because it is the gate before any decryption: `open` takes nothing else. The signatures come first, over the
//! bytes of the manifest, before a word of it is read.
//!
//! # What this does not do
//!
//! It does not decide whom to trust: the signers are listed outside the bundle, by this machine's own people. A waiver lets a
//! fault pass, and is said by whoever gives it.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::bundle::{Bundle, BundleError, Envelope, Manifest};
use crate::report::Hint;
use crate::signature::{Signature, SignatureError, Signer, SignersError};
use crate::trust::{Accepted, Claim, Memory, TrustError, Waived, Waiver, Waivers, judge, trusted_signers};

/// A bundle that may be opened. Only [`Admission::admit`] makes one.
#[derive(Debug)]
#[non_exhaustive]
pub struct Admitted {
    bundle: Bundle,
    accepted: Accepted,
    /// The manifest's bytes and the signatures, where they were looked at.
    envelope: Option<Envelope>,
}

/// What a bundle is held against.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs, reason = "its caller fills it in, and must not leave out a field")]
pub struct Admission {
    /// The bundle's directory.
    pub directory: PathBuf,
    /// The file of trusted signers, where one is named.
    pub signers: Option<PathBuf>,
    /// Where it is looked for else.
    pub usual_signers: Vec<PathBuf>,
    /// Where is kept what was seen of vaults.
    pub state: Option<PathBuf>,
    /// What is let pass.
    pub waivers: Waivers,
    /// The time.
    pub now: Timestamp,
}

/// Why a bundle is not admitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdmitError {
    /// It is not whole.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Nobody has said whom to trust.
    #[error("no signer is trusted here: looked for {searched}")]
    NoSigners {
        /// Where.
        searched: String,
    },
    /// A signature is none that counts.
    #[error("{name}: {error}")]
    Signature {
        /// The signature's file.
        name: String,
        /// Why it does not count.
        error: SignatureError,
    },
    /// A copy of a signature, which says nothing more.
    #[error("{name}: {fingerprint} has signed already")]
    SignedAlready {
        /// The signature's file.
        name: String,
        /// The key.
        fingerprint: String,
    },
    /// The file of trusted signers cannot be used.
    #[error(transparent)]
    Signers(#[from] SignersError),
    /// It is older than what was seen, or otherwise not to be believed.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// It has no signature.
    #[error("the bundle is not signed")]
    Unsigned,
}

impl Hint for AdmitError {
    fn hint(&self) -> String {
        match self {
            Self::Bundle(error) => error.hint(),
            Self::NoSigners { .. } => String::from(
                "`dcn-vault trust add` shows who signed it, and takes the key once you have compared the fingerprint",
            ),
            Self::Signature { error, .. } => error.hint(),
            Self::SignedAlready { .. } => {
                String::from("each signs once: get the bundle anew, with its signatures")
            }
            Self::Signers(error) => error.hint(),
            Self::Trust(error) => error.hint(),
            Self::Unsigned => String::from(
                "ask who made it for one that is signed; --allow-unsigned opens it, whoever may have written it",
            ),
        }
    }
}

impl Admitted {
    /// A bundle that this very process has made, for which nobody else has to answer.
    #[must_use]
    pub(crate) const fn made_here(bundle: Bundle) -> Self {
        Self {
            bundle,
            accepted: Accepted { signers: Vec::new(), waived: Vec::new(), seen: None },
            envelope: None,
        }
    }

    /// The bundle.
    #[must_use]
    pub const fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// The names and the bytes of the manifest and of the signatures that were looked at.
    pub(crate) fn signed(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.envelope.iter().flat_map(Envelope::files)
    }

    /// Who has signed it.
    #[must_use]
    pub fn signers(&self) -> &[Signer] {
        &self.accepted.signers
    }

    /// What was let pass, which must be said.
    #[must_use]
    pub fn waived(&self) -> &[Waived] {
        &self.accepted.waived
    }
}

impl Admission {
    /// Holds the bundle against all of it, and remembers its generation.
    ///
    /// # Errors
    ///
    /// Any [`AdmitError`].
    pub fn admit(&self) -> Result<Admitted, AdmitError> {
        let admitted = self.look()?;
        if let Some(state) = &self.state {
            Memory::at(state).remember(&admitted.accepted)?;
        }
        Ok(admitted)
    }

    /// As [`Admission::admit`], and remembers nothing.
    ///
    /// # Errors
    ///
    /// Any [`AdmitError`].
    pub fn look(&self) -> Result<Admitted, AdmitError> {
        let envelope = Envelope::read(&self.directory)?;
        let (signers, let_pass) = match self.signers_of(&envelope) {
            Ok(signers) => (signers, None),
            Err(error) if self.waivers.unsigned => {
                (Vec::new(), Some(Waived::new(Waiver::Unsigned, error.to_string())))
            }
            Err(error) => return Err(error),
        };
        let manifest = envelope.manifest()?;
        let mut accepted = self.judge(&envelope, &manifest, &signers)?;
        if let Some(waived) = let_pass {
            // It says why there are too few
            accepted.waived.retain(|waived| waived.by != Waiver::Unsigned);
            accepted.waived.insert(0, waived);
        }
        Ok(Admitted { bundle: Bundle::of(&envelope, manifest)?, accepted, envelope: Some(envelope) })
    }

    /// Who has signed the manifest in `envelope`, each of them trusted.
    ///
    /// # Errors
    ///
    /// Any [`AdmitError`] on signatures and signers.
    pub fn signers_of(&self, envelope: &Envelope) -> Result<Vec<Signer>, AdmitError> {
        if envelope.signatures.is_empty() {
            return Err(AdmitError::Unsigned);
        }
        let trusted = trusted_signers(self.signers.as_deref(), &self.usual_signers)?;
        let Some((_, trusted)) = trusted else {
            let searched = self.usual_signers.iter().map(|path| path.display().to_string());
            return Err(AdmitError::NoSigners { searched: searched.collect::<Vec<_>>().join(", ") });
        };
        let mut signers: Vec<Signer> = Vec::new();
        for (name, armored) in &envelope.signatures {
            let signer = Signature::parse(armored)
                .and_then(|signature| trusted.verify(&envelope.bytes, &signature, self.now))
                .map_err(|error| AdmitError::Signature { name: name.clone(), error })?;
            if signers.iter().any(|known| known.fingerprint == signer.fingerprint) {
                return Err(AdmitError::SignedAlready {
                    name: name.clone(),
                    fingerprint: signer.fingerprint,
                });
            }
            signers.push(signer);
        }
        Ok(signers)
    }

    fn judge(
        &self,
        envelope: &Envelope,
        manifest: &Manifest,
        signers: &[Signer],
    ) -> Result<Accepted, AdmitError> {
        let digest = envelope.digest();
        let claim = Claim {
            vault: &manifest.vault,
            generation: manifest.generation,
            digest: &digest,
            previous: manifest.previous.as_ref(),
            created: manifest.created,
            not_after: manifest.not_after,
            signatures_required: manifest.signatures,
        };
        // Without a place to remember nothing is known
        let nowhere = PathBuf::from("/nonexistent");
        let memory = Memory::at(self.state.as_ref().unwrap_or(&nowhere));
        let recollection = memory.recall(&manifest.vault, &self.directory)?;
        Ok(judge(&claim, signers, &recollection, self.now, self.waivers)?)
    }
}
