//! What a passphrase protects. It is asked for when nothing else opens, once.

use std::io::Read;

use age::armor::ArmoredReader;
use age::secrecy::SecretString;
use age::{DecryptError, Decryptor, scrypt, ssh};
use zeroize::Zeroizing;

use crate::secret::{SecretBuffer, SecretValue, wipe_finished_frames};

use super::{Identity, IdentityError, Person, Ready, file};

/// The most that comes out of an encrypted file of identities.
const LIMIT: usize = 1024 * 1024;
const BLOCK: usize = 4096;

/// Identities behind a passphrase.
pub(super) enum Locked {
    /// A file of identities, as `age -p` encrypts it.
    File {
        /// Where it is.
        place: String,
        /// Its bytes: what they hold is secret, they are not.
        bytes: Vec<u8>,
    },
    /// An ssh key, with its public half.
    Ssh {
        /// Where it is.
        place: String,
        /// It is encrypted; boxed, since it is large.
        key: Box<ssh::Identity>,
        /// Its recipient.
        recipient: Option<String>,
    },
}

impl Locked {
    /// A file that is encrypted with a passphrase.
    pub(super) fn of_file(bytes: &[u8], place: &str) -> Result<Self, IdentityError> {
        let place = place.to_owned();
        // Whether it is one at all is said before anybody is asked
        match Decryptor::new(ArmoredReader::new(bytes)) {
            Ok(file) if file.is_scrypt() => Ok(Self::File { place, bytes: bytes.to_vec() }),
            Ok(_) => Err(IdentityError::NotByPassphrase { place }),
            Err(_) => Err(IdentityError::Damaged { place }),
        }
    }

    /// The public half, where it is known.
    pub(super) fn recipient(&self) -> Option<&str> {
        match self {
            Self::File { .. } => None,
            Self::Ssh { recipient, .. } => recipient.as_deref(),
        }
    }

    /// Asks for the passphrase, and opens them.
    pub(super) fn unlock(&self, person: &dyn Person) -> Result<Vec<Identity>, IdentityError> {
        let (Self::File { place, .. } | Self::Ssh { place, .. }) = self;
        let unasked = |why| IdentityError::Unanswered { place: place.clone(), why };
        let passphrase = person.secret(&format!("Passphrase of {place}")).map_err(unasked)?;
        let unlocked = match self {
            Self::File { bytes, .. } => in_file(bytes, place, passphrase),
            Self::Ssh { key, recipient, .. } => ssh_key(key, recipient.clone(), place, &passphrase),
        };
        // The passphrase's last copies are on the stack, below us
        wipe_finished_frames();
        unlocked
    }
}

fn in_file(bytes: &[u8], place: &str, passphrase: SecretValue) -> Result<Vec<Identity>, IdentityError> {
    // Its bound on the work is age's own: what takes sixteen times as long as a new file would here
    let key = scrypt::Identity::new(for_age(&passphrase));
    drop(passphrase);
    let failed = |error| {
        let place = place.to_owned();
        if matches!(error, DecryptError::DecryptionFailed) {
            IdentityError::WrongPassphrase { place }
        } else if matches!(error, DecryptError::ExcessiveWork { .. }) {
            IdentityError::TooMuchWork { place }
        } else {
            IdentityError::Damaged { place }
        }
    };
    let file = Decryptor::new(ArmoredReader::new(bytes)).map_err(failed)?;
    let mut reader = file.decrypt(std::iter::once(&key as &dyn age::Identity)).map_err(failed)?;
    let mut content = SecretBuffer::with_capacity(BLOCK);
    let mut block = Zeroizing::new(vec![0; BLOCK]);
    loop {
        match reader.read(&mut block) {
            Ok(0) => break,
            Ok(count) if content.len() + count <= LIMIT => {
                content.push(block.get(..count).unwrap_or_default());
            }
            _ => return Err(IdentityError::Damaged { place: place.to_owned() }),
        }
    }
    // EXPOSE: parsed in place into age's own types, which wipe themselves
    let parsed = content.expose(|bytes| file::parse(bytes, place))?;
    // What is encrypted twice is nobody's file of identities
    let is_locked = parsed.iter().any(|identity| matches!(identity, Identity::Locked(_)));
    if is_locked { Err(IdentityError::NoneInFile { place: place.to_owned() }) } else { Ok(parsed) }
}

fn ssh_key(
    key: &ssh::Identity,
    recipient: Option<String>,
    place: &str,
    passphrase: &SecretValue,
) -> Result<Vec<Identity>, IdentityError> {
    let ssh::Identity::Encrypted(key) = key else {
        return Err(IdentityError::UnknownKey { place: place.to_owned() });
    };
    let wrong = |_| IdentityError::WrongPassphrase { place: place.to_owned() };
    let key = key.decrypt(for_age(passphrase)).map_err(wrong)?;
    Ok(vec![Identity::Ready(Ready { key: Box::new(ssh::Identity::from(key)), recipient })])
}

fn for_age(passphrase: &SecretValue) -> SecretString {
    // EXPOSE: age's own type, which wipes itself
    passphrase.expose(|text| SecretString::from(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use age::armor::{ArmoredWriter, Format};
    use age::{Encryptor, x25519};

    use super::super::Unanswered;
    use super::*;

    /// Somebody who knows one passphrase.
    #[derive(Debug)]
    struct Knows(&'static str);

    impl Person for Knows {
        fn secret(&self, question: &str) -> Result<SecretValue, Unanswered> {
            assert_eq!(question, "Passphrase of here");
            Ok(SecretValue::copy_of(self.0))
        }

        fn text(&self, _: &str) -> Result<String, Unanswered> {
            Err(Unanswered::NoTerminal)
        }

        fn tell(&self, _: &str) {}
    }

    fn protected(text: &str, format: Format) -> Vec<u8> {
        let mut recipient = scrypt::Recipient::new(SecretString::from("right".to_owned()));
        recipient.set_work_factor(2);
        sealed(text, &recipient, format)
    }

    fn sealed(text: &str, recipient: &dyn age::Recipient, format: Format) -> Vec<u8> {
        let encryptor = Encryptor::with_recipients(std::iter::once(recipient)).unwrap();
        let mut out = Vec::new();
        let armor = ArmoredWriter::wrap_output(&mut out, format).unwrap();
        let mut writer = encryptor.wrap_output(armor).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
        writer.finish().unwrap().finish().unwrap();
        out
    }

    fn unlocked(bytes: &[u8], passphrase: &'static str) -> Result<Vec<Identity>, IdentityError> {
        Locked::of_file(bytes, "here")?.unlock(&Knows(passphrase))
    }

    fn identity() -> (String, String) {
        use age::secrecy::ExposeSecret;
        let identity = x25519::Identity::generate();
        (format!("# x\n{}\n", identity.to_string().expose_secret()), identity.to_public().to_string())
    }

    #[test]
    fn the_right_passphrase_opens_armored_or_not() {
        let (text, recipient) = identity();
        for format in [Format::AsciiArmor, Format::Binary] {
            let identities = unlocked(&protected(&text, format), "right").unwrap();
            let [Identity::Ready(ready)] = identities.as_slice() else { unreachable!() };
            assert_eq!(ready.recipient.as_deref(), Some(recipient.as_str()));
        }
    }

    #[test]
    fn what_does_not_open_says_why() {
        let (text, _) = identity();
        let good = protected(&text, Format::Binary);
        let cut = &good[..good.len() - 1];
        let hours = String::from_utf8_lossy(&good).replacen(" 2\n", " 30\n", 1);
        // All but the header is not text, and does not come to be read
        let hours = hours.as_bytes();
        let other = sealed(&text, &x25519::Identity::generate().to_public(), Format::Binary);
        let twice =
            protected(&String::from_utf8(protected(&text, Format::AsciiArmor)).unwrap(), Format::Binary);
        let large = protected(&"#\n".repeat(LIMIT / 2 + 1), Format::Binary);
        for (bytes, passphrase, says) in [
            (good.as_slice(), "wrong", "this is not the passphrase of `here`"),
            (cut, "right", "`here` is damaged"),
            (b"age-encryption.org/v1\n", "right", "`here` is damaged"),
            (hours, "right", "the passphrase of `here` would take this machine too long"),
            (&other, "right", "`here` is encrypted, and not with a passphrase"),
            (&twice, "right", "`here` holds no identity"),
            (&protected("nothing", Format::Binary), "right", "here:1 is not an age identity"),
            (&large, "right", "`here` is damaged"),
        ] {
            let error = unlocked(bytes, passphrase).err().unwrap();
            assert_eq!(error.to_string(), says);
        }
    }
}
