//! A signature's text. It has one form, so that no change of a byte goes unseen: what is read is written again, and must be
//! the same.

use ssh_key::{LineEnding, SshSig};

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";
/// An RSA signature of 4096 bits has 1.7 KB.
const LIMIT: usize = 16 * 1024;
/// The columns that OpenSSH gives its armor; other programs have other habits.
const WIDTH: usize = 70;

/// The signature in `armored`. Its lines end as they do on any system, and have any length, all the same one: a byte more or
/// fewer, even between them, is damage.
pub(super) fn read(armored: &[u8]) -> Option<SshSig> {
    if armored.len() > LIMIT || !armored.is_ascii() {
        return None;
    }
    let text = std::str::from_utf8(armored).ok()?;
    let end = if text.ends_with("\r\n") { "\r\n" } else { "\n" };
    let body = text.strip_prefix(BEGIN)?.strip_prefix(end)?;
    let body = body.strip_suffix(end)?.strip_suffix(END)?.strip_suffix(end)?;
    let lines: Vec<&str> = body.split(end).collect();
    let (last, others) = lines.split_last()?;
    let width = lines.first()?.len();
    if others.iter().any(|line| line.len() != width) || last.is_empty() || last.len() > width {
        return None;
    }
    let usual = wrapped(&lines.concat());
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
