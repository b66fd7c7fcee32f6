//! What is searched for: secrets, and the forms in which one may lie in memory.

use std::collections::BTreeMap;
use std::path::Path;

use age_core::format::read::age_stanza;
use age_core::primitives::{bech32_decode, hkdf};
use age_core::secrecy::ExposeSecret;
use sha2::{Digest, Sha512};

/// The shortest piece of a secret that counts as one.
pub const WINDOW: usize = 8;
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Secrets by name. Values are bytes; those that are text have more forms.
#[derive(Clone, Default)]
pub struct Canaries(pub BTreeMap<String, Vec<u8>>);

impl Canaries {
    /// Each line of each text as a secret of its own: a PEM's frame is not secret, nor the made-up ones' first line.
    pub fn of<T: AsRef<str>>(kind: &str, texts: impl IntoIterator<Item = T>) -> Self {
        let mut all = Self::default();
        for text in texts {
            let is_public = |line: &str| line.starts_with("-----") || line.starts_with("NotAKey/");
            for line in text.as_ref().lines().filter(|line| !is_public(line) && line.len() >= WINDOW) {
                all.add(&format!("{kind} {}", all.0.len()), line.as_bytes());
            }
        }
        all
    }

    /// The bytes of each whole line of base64: what somebody who looks into a key holds of it.
    pub fn of_decoded<T: AsRef<str>>(kind: &str, texts: impl IntoIterator<Item = T>) -> Self {
        let mut all = Self::default();
        for text in texts {
            let is_whole =
                |line: &&str| line.len() == 64 && line.bytes().all(|digit| DIGITS.contains(&digit));
            for line in text.as_ref().lines().filter(is_whole) {
                all.add(&format!("{kind} {}", all.0.len()), &from_base64(line));
            }
        }
        assert!(all.0.len() > 10);
        all
    }

    pub fn add(&mut self, name: &str, value: &[u8]) {
        if !self.0.values().any(|known| known == value) {
            self.0.insert(name.to_owned(), value.to_vec());
        }
    }

    pub fn join(mut self, other: &Self) -> Self {
        for (name, value) in &other.0 {
            self.add(name, value);
        }
        self
    }

    /// An age identity, as text in both cases and as the scalar.
    pub fn of_identity(file: &Path) -> Self {
        let text = identity_line(file);
        let key = text.strip_prefix("AGE-SECRET-KEY-1").unwrap().to_owned();
        let scalar =
            bech32_decode(&text, |_| (), |_| Ok(()), |_, data| Ok(data.collect::<Vec<u8>>())).unwrap();
        assert_eq!(scalar.len(), 32);
        let mut all = Self::default();
        all.add("identity, text", key.as_bytes());
        all.add("identity, lower-case text", key.to_lowercase().as_bytes());
        all.add("identity, scalar", &scalar);
        all
    }

    /// An ssh-ed25519 key as OpenSSH keeps it: the lines of its file, and the seed, which stands before the public key.
    pub fn of_ssh_key(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("-----")).collect();
        let bytes = from_base64(&lines.concat());
        let kind = b"ssh-ed25519\0\0\0\x20";
        let public = bytes.windows(kind.len()).position(|window| window == kind).unwrap() + kind.len();
        let public = &bytes[public..public + 32];
        // Once in the public part, once after the seed
        let after_seed = bytes.windows(32).rposition(|window| window == public).unwrap();
        // The first lines hold the public key alone
        let mut all = Self::of("ssh key, text", lines.iter().skip(2));
        all.add("ssh key, seed", &bytes[after_seed - 32..after_seed]);
        all
    }

    /// An ssh-ed25519 key that signs: what [`Self::of_ssh_key`] has, and the two halves that the seed is expanded to (RFC 8032 §5.1.5).
    pub fn of_signing_key(file: &Path) -> Self {
        let mut all = Self::default();
        for (name, value) in Self::of_ssh_key(file).0 {
            all.add(&name.replace("ssh key, ", "signing key, "), &value);
        }
        let expanded = Sha512::digest(&all.0["signing key, seed"]);
        // Bits at both ends of the scalar are set and cleared
        all.add("signing key, scalar, its middle", &expanded[1..31]);
        all.add("signing key, nonces' key", &expanded[32..]);
        assert!(all.0.len() > 4);
        all
    }

    /// A key under which a puller notes what values were: as it is, and as HMAC takes it (RFC 2104): it fills a block.
    pub fn of_notes<T: AsRef<str>>(keys: impl IntoIterator<Item = T>) -> Self {
        let mut all = Self::default();
        for key in keys {
            let key = key.as_ref().as_bytes();
            assert_eq!(key.len(), 64);
            let number = all.0.len();
            for (name, pad) in [("text", 0), ("inner pad", 0x36), ("outer pad", 0x5c)] {
                let padded: Vec<u8> = key.iter().map(|byte| byte ^ pad).collect();
                all.add(&format!("notes' key {number}, {name}"), &padded);
            }
        }
        assert!(!all.0.is_empty());
        all
    }

    /// The keys of a sealed file (C2SP age.md): the file key, and what is derived from it.
    pub fn of_sealed(file: &Path, identity: &Path) -> Self {
        let identity = read_identity(identity);
        let bytes = std::fs::read(file).unwrap();
        let mut rest = bytes.strip_prefix(b"age-encryption.org/v1\n").unwrap();
        let mut key = None;
        while let Ok((after, stanza)) = age_stanza(rest) {
            if let Some(Ok(found)) = identity.unwrap_stanza(&stanza.into()) {
                key = Some(*found.expose_secret());
            }
            rest = after;
        }
        let key = key.expect("the identity opens the file");
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap();
        let nonce = &rest[end + 1..end + 17];
        let name = file.file_name().unwrap().to_string_lossy();
        let mut all = Self::default();
        all.add(&format!("file key of {name}"), &key);
        all.add(&format!("payload key of {name}"), &hkdf(nonce, b"payload", &key));
        all.add(&format!("header key of {name}"), &hkdf(&[], b"header", &key));
        all
    }

    /// The keys of every sealed file of a bundle.
    pub fn of_bundle(bundle: &Path, identity: &Path) -> Self {
        let mut all = Self::default();
        for entry in std::fs::read_dir(bundle).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "age") {
                all = all.join(&Self::of_sealed(&path, identity));
            }
        }
        assert!(!all.0.is_empty());
        all
    }
}

/// The identity in a file: an ssh key, or age's own.
fn read_identity(file: &Path) -> Box<dyn age::Identity> {
    let text = std::fs::read_to_string(file).unwrap();
    if text.starts_with("-----BEGIN") {
        return Box::new(age::ssh::Identity::from_buffer(text.as_bytes(), None).unwrap());
    }
    Box::new(identity_line(file).parse::<age::x25519::Identity>().unwrap())
}

/// What one secret may look like when it is not as it is: name of the form, and its bytes.
pub fn forms(value: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms: Vec<(&'static str, Vec<u8>)> = Vec::new();
    if let Ok(text) = std::str::from_utf8(value) {
        let json = serde_json::to_string(text).unwrap();
        forms.push(("json", json.trim_matches('"').into()));
        let units =
            |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
        forms.push(("json", escaped(&json[1..json.len() - 1], units).into()));
        for upper in [false, true] {
            let number = |c: char| number(u32::from(c), upper);
            forms.push(("yaml", escaped(&json[1..json.len() - 1], number).into()));
        }
        forms.push(("yaml", text.replace('\'', "''").into()));
        forms.push(("utf-16", text.encode_utf16().flat_map(u16::to_le_bytes).collect()));
    }
    for shift in 0..3_usize {
        let shifted = [&[0; 2][..shift.min(2)], value].concat();
        let digits = base64(&shifted);
        // The digits at both ends depend on the neighbours
        forms.push(("base64", digits[(shift * 8).div_ceil(6)..shifted.len() * 8 / 6].to_vec()));
    }
    let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    forms.push(("hex", hex.to_uppercase().into()));
    forms.push(("hex", hex.into()));
    forms.retain(|(_, form)| form != value);
    forms.sort();
    forms.dedup();
    forms
}

fn escaped(text: &str, escape: impl Fn(char) -> String) -> String {
    text.chars().map(|c| if c.is_ascii() { c.to_string() } else { escape(c) }).collect()
}

fn number(code: u32, upper: bool) -> String {
    let (letter, width) = match code {
        0..=0xff => ('x', 2),
        0x100..=0xffff => ('u', 4),
        _ => ('U', 8),
    };
    let digits = format!("{code:0width$x}");
    format!("\\{letter}{}", if upper { digits.to_uppercase() } else { digits })
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    let bits = |index: usize| {
        (0..6).fold(0, |value, bit| {
            let at = index * 6 + bit;
            let byte = bytes.get(at / 8).copied().unwrap_or_default();
            value << 1 | usize::from(byte >> (7 - at % 8) & 1)
        })
    };
    (0..bytes.len() * 8 / 6).map(|index| DIGITS[bits(index)]).collect()
}

fn identity_line(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().find(|line| line.starts_with("AGE-SECRET-KEY-1")).unwrap().to_owned()
}

fn from_base64(text: &str) -> Vec<u8> {
    let mut bits = 0_u32;
    let mut held = 0;
    let mut bytes = Vec::new();
    for digit in text.bytes().filter_map(|byte| DIGITS.iter().position(|known| *known == byte)) {
        bits = bits << 6 | u32::try_from(digit).unwrap();
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).unwrap());
        }
    }
    bytes
}
