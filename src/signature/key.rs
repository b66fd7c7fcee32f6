use std::fmt;

use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, SshSig};

use super::KeyFault;

/// With fewer bits an RSA key can be broken.
const FEWEST_BITS: usize = 2048;
/// With more the arithmetic under it refuses the work.
const MOST_BITS: usize = 4096;
/// Of security keys only this: ssh-key 0.6 writes the signatures of the ecdsa ones in a form that nobody else reads.
const KINDS: [&str; 4] = ["ssh-ed25519", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "ssh-rsa"];

/// A public key of a kind, and of a strength, that may sign.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(ssh_key::PublicKey);

impl PublicKey {
    /// Reads `kind base64`, as it stands in a `.pub` file or a line of signers; what follows is a comment.
    ///
    /// # Errors
    ///
    /// Any [`KeyFault`].
    pub fn parse(text: &str) -> Result<Self, KeyFault> {
        let mut words = text.split_ascii_whitespace();
        let (kind, base64) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let key = ssh_key::PublicKey::from_openssh(&format!("{kind} {base64}"));
        Self::of(key.map_err(|_| KeyFault::Unreadable)?.into())
    }

    /// `kind base64`, without a comment.
    #[must_use]
    pub fn line(&self) -> String {
        // A key that was read can be written
        self.0.to_openssh().unwrap_or_default().trim_end().to_owned()
    }

    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    /// OpenSSH's name of its kind, such as `ssh-ed25519`.
    #[must_use]
    pub fn kind(&self) -> String {
        self.0.algorithm().as_str().to_owned()
    }

    /// Whether it lies in a security key, which has to be touched.
    #[must_use]
    pub fn is_hardware(&self) -> bool {
        matches!(self.0.key_data(), KeyData::SkEd25519(_))
    }

    pub(super) fn of(key: KeyData) -> Result<Self, KeyFault> {
        let kind = key.algorithm().as_str().to_owned();
        if !KINDS.contains(&kind.as_str()) {
            return Err(KeyFault::Kind { kind: kind.escape_debug().take(60).collect() });
        }
        match key.rsa().map(|rsa| bits(rsa.n.as_bytes())) {
            Some(bits) if bits < FEWEST_BITS => Err(KeyFault::Short { bits }),
            Some(bits) if bits > MOST_BITS => Err(KeyFault::Long { bits }),
            _ => Ok(Self(key.into())),
        }
    }

    /// As an agent sends it and wants it.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes().unwrap_or_default()
    }

    pub(super) fn data(&self) -> &KeyData {
        self.0.key_data()
    }

    pub(super) fn is_rsa(&self) -> bool {
        self.0.key_data().is_rsa()
    }

    /// Whether its signatures are of this algorithm. An RSA key has two, and SHA-1 is none of them.
    pub(super) fn makes(&self, algorithm: &Algorithm) -> bool {
        if self.is_rsa() {
            matches!(algorithm, Algorithm::Rsa { hash: Some(_) })
        } else {
            *algorithm == self.0.algorithm()
        }
    }

    pub(super) fn verify(&self, namespace: &str, message: &[u8], signature: &SshSig) -> bool {
        self.0.verify(namespace, message, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", self.kind(), self.fingerprint())
    }
}

fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let first = number.get(zeros).map_or(0, |byte| byte.leading_zeros() as usize);
    8 * (number.len() - zeros) - first
}
