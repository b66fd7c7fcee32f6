//! What sealing a file for each of many recipients costs at the least: `floor COUNT SIZE [DIRECTORY]` takes the primitives of an age
//! file (C2SP age.md) from the very crates that age takes them from, on as many threads as there are cores, and nothing else. With a
//! directory it also writes the files, each in a directory of its own, and has the kernel put them on the disk.
//!
//! `benches/sites.py` holds `pull` against it.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench's own tool: it gives up when something is wrong"
)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use rustix::rand::{GetRandomFlags, getrandom};
use sha2::Sha256;
use x25519_dalek::{EphemeralSecret, PublicKey};

/// The length of a header with one recipient and its grease.
const HEADER: usize = 330;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = || arguments.next().and_then(|text| text.parse::<usize>().ok());
    let (count, size) = (number().expect("COUNT"), number().expect("SIZE"));
    let directory = arguments.next().map(PathBuf::from);
    let plain = vec![b'x'; size];
    let recipient = PublicKey::from(&EphemeralSecret::random());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (next, bytes) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    let sealed = seal(&recipient, &plain);
                    bytes.fetch_add(sealed.len(), Ordering::Relaxed);
                    if let Some(directory) = &directory {
                        write(&directory.join(format!("site{number:05}")), &sealed);
                    }
                }
            });
        }
    });
    if let Some(directory) = &directory {
        let top = std::fs::File::open(directory).expect("the directory can be opened");
        rustix::fs::syncfs(&top).expect("the disk takes it");
    }
    println!("{} bytes", bytes.into_inner());
}

fn seal(recipient: &PublicKey, plain: &[u8]) -> Vec<u8> {
    let (mut file_key, mut nonce) = ([0; 16], [0; 16]);
    getrandom(&mut file_key, GetRandomFlags::empty()).expect("random numbers");
    getrandom(&mut nonce, GetRandomFlags::empty()).expect("random numbers");
    // The recipient's stanza
    let ephemeral = EphemeralSecret::random();
    let share = PublicKey::from(&ephemeral);
    let shared = ephemeral.diffie_hellman(recipient);
    let salt = [share.as_bytes().as_slice(), recipient.as_bytes()].concat();
    let wrap_key = derive(&salt, b"age-encryption.org/v1/X25519", shared.as_bytes());
    let wrapped = encrypt(&wrap_key, [0; 12], &file_key);
    // The header's HMAC
    let mac_key = derive(&[], b"header", &file_key);
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&mac_key).expect("a key of any length");
    let mut sealed = Vec::with_capacity(HEADER + plain.len() + 64);
    sealed.extend_from_slice(share.as_bytes());
    sealed.extend_from_slice(&wrapped);
    sealed.resize(HEADER, b'-');
    mac.update(&sealed);
    sealed.extend_from_slice(&mac.finalize().into_bytes());
    // The payload: one piece
    sealed.extend_from_slice(&nonce);
    let payload_key = derive(&nonce, b"payload", &file_key);
    let last = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    sealed.extend_from_slice(&encrypt(&payload_key, last, plain));
    sealed
}

fn derive(salt: &[u8], label: &[u8], secret: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(Some(salt), secret).expand(label, &mut key).expect("32 bytes");
    key
}

fn encrypt(key: &[u8; 32], nonce: [u8; 12], plain: &[u8]) -> Vec<u8> {
    let cipher = ChaCha20Poly1305::new(Key::from_slice(key));
    cipher.encrypt(Nonce::from_slice(&nonce), plain).expect("far below the most")
}

fn write(directory: &Path, sealed: &[u8]) {
    std::fs::create_dir(directory).expect("a directory can be made");
    std::fs::write(directory.join("passwords.yaml.age"), sealed).expect("a file can be written");
}
