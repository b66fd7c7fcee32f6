use age::{ssh, x25519};

use super::passphrase::Locked;
use super::plugin::OfPlugin;
use super::{Identity, IdentityError, Ready};

/// How a line begins that names who may open something, and opens nothing.
const RECIPIENT: [&[u8]; 3] = [b"age1", b"ssh-ed25519 ", b"ssh-rsa "];

/// The identities in a text that is `place`'s; at least one.
pub(super) fn parse(bytes: &[u8], place: &str) -> Result<Vec<Identity>, IdentityError> {
    if bytes.starts_with(b"age-encryption.org/") || bytes.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----") {
        return Ok(vec![Identity::Locked(Locked::of_file(bytes, place)?)]);
    }
    if bytes.starts_with(b"-----BEGIN ") {
        return Ok(vec![ssh_key(bytes, place)?]);
    }
    if holds_recipients(bytes) {
        return Err(IdentityError::Recipients { place: place.to_owned() });
    }
    let mut identities = Vec::new();
    for (line, number) in lines(bytes) {
        let none = || IdentityError::NotAnIdentity { place: place.to_owned(), line: number };
        let text = std::str::from_utf8(line).map_err(|_| none())?;
        if let Ok(identity) = text.parse() {
            identities.push(Identity::Plugin(OfPlugin::new(place, identity)));
            continue;
        }
        let key: x25519::Identity = text.parse().map_err(|_| none())?;
        let recipient = Some(key.to_public().to_string());
        identities.push(Identity::Ready(Ready { key: Box::new(key), recipient }));
    }
    if identities.is_empty() {
        return Err(IdentityError::NoneInFile { place: place.to_owned() });
    }
    Ok(identities)
}

/// Whether it is a list of recipients, by its first line.
pub(super) fn holds_recipients(bytes: &[u8]) -> bool {
    let first = lines(bytes).next();
    first.is_some_and(|(line, _)| RECIPIENT.iter().any(|start| line.starts_with(start)))
}

/// Those lines that say something, each with its number.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (&[u8], usize)> {
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).zip(1..);
    lines.filter(|(line, _)| !line.is_empty() && !line.starts_with(b"#"))
}

fn ssh_key(bytes: &[u8], place: &str) -> Result<Identity, IdentityError> {
    match ssh::Identity::from_buffer(bytes, None) {
        Ok(key @ ssh::Identity::Encrypted(_)) => {
            let (place, recipient) = (place.to_owned(), public_half(&key));
            Ok(Identity::Locked(Locked::Ssh { place, key: Box::new(key), recipient }))
        }
        Ok(key @ ssh::Identity::Unencrypted(_)) => {
            let recipient = public_half(&key);
            Ok(Identity::Ready(Ready { key: Box::new(key), recipient }))
        }
        Ok(ssh::Identity::Unsupported(_)) | Err(_) => {
            Err(IdentityError::UnknownKey { place: place.to_owned() })
        }
    }
}

fn public_half(key: &ssh::Identity) -> Option<String> {
    ssh::Recipient::try_from(key.clone()).ok().map(|recipient| recipient.to_string())
}
