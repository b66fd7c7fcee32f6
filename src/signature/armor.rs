//! A signature's text. It has one form, so that no change of a byte goes unseen: what is read is written again, and must be
//! the same.

use ssh_key::{LineEnding, SshSig};

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";
/// An RSA signature of 4096 bits has 1.7 KB.
const LIMIT: usize = 16 * 1024;
/// The columns that OpenSSH gives its armor; other programs have other habits.
const WIDTH: usize = 70;

/// The signature in `armored`; lines may have any length, and end as they do on any system.
pub(super) fn read(armored: &[u8]) -> Option<SshSig> {
    if armored.len() > LIMIT || !armored.is_ascii() {
        return None;
    }
    let text = std::str::from_utf8(armored).ok()?;
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    let body = text.strip_prefix(BEGIN)?.strip_suffix(END)?;
    if !body.starts_with(['\r', '\n']) || !body.ends_with('\n') {
        return None;
    }
    let base64: String = body.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let usual = wrapped(&base64);
    let signature = SshSig::from_pem(&usual).ok()?;
    (write(&signature)? == usual).then_some(signature)
}

/// The text of `signature`, as OpenSSH writes it.
pub(super) fn write(signature: &SshSig) -> Option<String> {
    let mut text = signature.to_pem(LineEnding::LF).ok()?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Some(text)
}

fn wrapped(base64: &str) -> String {
    let mut text = String::with_capacity(base64.len() + base64.len() / WIDTH + 80);
    text.push_str(BEGIN);
    for (position, symbol) in base64.chars().enumerate() {
        if position % WIDTH == 0 {
            text.push('\n');
        }
        text.push(symbol);
    }
    text.push('\n');
    text.push_str(END);
    text.push('\n');
    text
}
