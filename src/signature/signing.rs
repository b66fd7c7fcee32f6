use std::fmt;
use std::path::Path;

use ssh_key::rand_core::OsRng;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, SshSig};

use crate::fs::{self, FileError};
use crate::secret::{SecretBuffer, SecretValue};

use super::agent::Agent;
use super::{NAMESPACE, PublicKey, Signature, SigningError};

/// A public key's file has 1 KB at most.
const LIMIT: usize = 64 * 1024;

/// A key that signs: ssh-ed25519 from a file, or any that an ssh agent has.
pub struct SigningKey {
    public: PublicKey,
    half: Half,
}

/// Where the private half is.
enum Half {
    Agent(Agent),
    Here(Box<PrivateKey>),
}

impl SigningKey {
    /// The key in `path`. A private key signs itself; `ask` is called for its passphrase if it has one, and may have none
    /// to give. A public key is signed with by the agent at the socket `agent`.
    ///
    /// # Errors
    ///
    /// Any [`SigningError`] but those of signatures.
    pub fn read(
        path: &Path,
        agent: Option<&Path>,
        ask: &mut dyn FnMut(&Path) -> Option<SecretValue>,
    ) -> Result<Self, SigningError> {
        let content = match fs::read_private(path) {
            Ok(content) => content,
            // A public key is everybody's to read
            Err(error @ (FileError::NotPrivate { .. } | FileError::NotOwned { .. })) => {
                let public = public_key(&fs::read_capped(path, LIMIT)?, path)?;
                return Self::of_agent(path, public.ok_or(error)?, agent);
            }
            Err(error) => return Err(error.into()),
        };
        // EXPOSE: a public key's file has nothing secret; of another the start is compared
        if let Some(public) = content.expose(|bytes| public_key(bytes, path))? {
            return Self::of_agent(path, public, agent);
        }
        // EXPOSE: parsed into ssh-key's type
        let key = content.expose(|bytes| parse(bytes, path))?;
        let key = if key.is_encrypted() { decrypted(&key, path, ask)? } else { key };
        Self::of_private(key, path)
    }

    /// Makes a new ssh-ed25519 key from the kernel's random numbers.
    ///
    /// # Errors
    ///
    /// [`SigningError::NotAKey`], which no working kernel leads to.
    pub fn make() -> Result<Self, SigningError> {
        let nowhere = Path::new("a new key");
        let key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519);
        Self::of_private(key.map_err(|_| SigningError::NotAKey { path: nowhere.to_owned() })?, nowhere)
    }

    /// Writes a key that is here to a new file that only its owner can read, as `ssh-keygen` writes one without a
    /// passphrase.
    ///
    /// # Errors
    ///
    /// [`SigningError::File`], and [`SigningError::NotAKey`] of a key that an agent keeps.
    pub fn save(&self, path: &Path, comment: &str) -> Result<(), SigningError> {
        let not_here = || SigningError::NotAKey { path: path.to_owned() };
        let Half::Here(key) = &self.half else { return Err(not_here()) };
        let mut key = key.clone();
        key.set_comment(comment);
        let text = key.to_openssh(LineEnding::LF).map_err(|_| not_here())?;
        let mut content = SecretBuffer::with_capacity(text.len());
        content.push_str(&text);
        Ok(fs::create_private(path, &content)?)
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Its fingerprint, `SHA256:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.public.fingerprint()
    }

    /// `ssh-ed25519 AAAA…`: after a name, a line of a file of signers.
    #[must_use]
    pub fn public_line(&self) -> String {
        self.public.line()
    }

    /// Signs `message`, and verifies that.
    ///
    /// # Errors
    ///
    /// [`SigningError::Bad`], and those of an agent.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, SigningError> {
        let bad = || SigningError::Bad { fingerprint: self.fingerprint() };
        let signed = match &self.half {
            Half::Here(key) => key.sign(NAMESPACE, HashAlg::Sha512, message).map_err(|_| bad())?,
            Half::Agent(agent) => {
                let data = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, message).map_err(|_| bad())?;
                let bytes = agent.sign(&self.public, &data)?;
                SshSig::new(self.public.data().clone(), NAMESPACE, HashAlg::Sha512, bytes)
                    .map_err(|_| bad())?
            }
        };
        // Read from its text, as a site reads it
        let text = Signature::of(signed).map_err(|_| bad())?.to_armored();
        let signature = Signature::parse(text.as_bytes()).map_err(|_| bad())?;
        signature.fits(message).map_err(|_| bad())?;
        Ok(signature)
    }

    fn of_agent(path: &Path, public: PublicKey, agent: Option<&Path>) -> Result<Self, SigningError> {
        let socket = agent.ok_or_else(|| SigningError::NoAgent { path: path.to_owned() })?;
        let agent = Agent::at(socket);
        if !agent.has(&public)? {
            let fingerprint = public.fingerprint();
            return Err(SigningError::AgentLacksKey { path: path.to_owned(), fingerprint });
        }
        Ok(Self { public, half: Half::Agent(agent) })
    }

    fn of_private(key: PrivateKey, path: &Path) -> Result<Self, SigningError> {
        let kind = key.algorithm();
        if kind != Algorithm::Ed25519 {
            return Err(SigningError::OtherKind { path: path.to_owned(), kind: kind.as_str().to_owned() });
        }
        let public = PublicKey::of(key.public_key().key_data().clone());
        let public = public.map_err(|fault| SigningError::Key { path: path.to_owned(), fault })?;
        Ok(Self { public, half: Half::Here(Box::new(key)) })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.fingerprint())
    }
}

/// The public key that is all of the file; `None` of any other file.
fn public_key(bytes: &[u8], path: &Path) -> Result<Option<PublicKey>, SigningError> {
    const STARTS: [&[u8]; 3] = [b"ssh-", b"ecdsa-", b"sk-"];
    if !STARTS.iter().any(|start| bytes.starts_with(start)) {
        return Ok(None);
    }
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let key = PublicKey::parse(text.lines().next().unwrap_or_default());
    key.map(Some).map_err(|fault| SigningError::Key { path: path.to_owned(), fault })
}

fn parse(bytes: &[u8], path: &Path) -> Result<PrivateKey, SigningError> {
    PrivateKey::from_openssh(bytes).map_err(|_| SigningError::NotAKey { path: path.to_owned() })
}

fn decrypted(
    key: &PrivateKey,
    path: &Path,
    ask: &mut dyn FnMut(&Path) -> Option<SecretValue>,
) -> Result<PrivateKey, SigningError> {
    let passphrase = ask(path).ok_or_else(|| SigningError::NoPassphrase { path: path.to_owned() })?;
    // EXPOSE: the key that it opens is derived from it
    let opened = passphrase.expose(|text| key.decrypt(text));
    opened.map_err(|_| SigningError::WrongPassphrase { path: path.to_owned() })
}
