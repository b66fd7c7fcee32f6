//! An ssh agent: OpenSSH's own, or one that answers as a test wants.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use dcn_vault::signature::{NAMESPACE, Signature};
use ssh_key::public::{KeyData, SkEd25519};
use ssh_key::rand_core::OsRng;
use ssh_key::sha2::{Digest, Sha256};
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, SshSig};

use crate::program::{Scratch, said};

const SECURITY_KEY: &str = "sk-ssh-ed25519@openssh.com";
const APPLICATION: &str = "ssh:";

/// OpenSSH's agent, which ends with the test.
#[derive(Debug)]
pub struct Agent {
    socket: PathBuf,
    process: String,
}

impl Agent {
    pub fn start(scratch: &Scratch) -> Self {
        let socket = scratch.join("agent");
        let started = said(Command::new("ssh-agent").arg("-s").arg("-a").arg(&socket));
        assert_eq!(started.code, 0, "{}", started.err);
        let process = started.out.split("SSH_AGENT_PID=").nth(1).unwrap();
        Self { socket, process: process.split(';').next().unwrap().to_owned() }
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }

    pub fn add(&self, scratch: &Scratch, key: &str) {
        let mut add = Command::new("ssh-add");
        let added = said(add.arg("-q").arg(scratch.join(key)).env("SSH_AUTH_SOCK", &self.socket));
        assert_eq!(added.code, 0, "{}", added.err);
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let mut kill = Command::new("ssh-agent");
        let _ = kill.arg("-k").env("SSH_AGENT_PID", &self.process).output();
    }
}

/// What is written in answer to a request; nothing closes the connection.
pub type Script = Box<dyn Fn(&[u8]) -> Vec<u8> + Send>;

/// An agent that keeps to its script.
#[derive(Debug)]
pub struct Fake {
    socket: PathBuf,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Fake {
    pub fn start(scratch: &Scratch, script: Script) -> Self {
        let socket = scratch.join("fake");
        let listener = UnixListener::bind(&socket).unwrap();
        let ends = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&ends);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                let mut stream = stream.unwrap();
                let mut length = [0; 4];
                stream.read_exact(&mut length).unwrap();
                let mut request = vec![0; u32::from_be_bytes(length) as usize];
                stream.read_exact(&mut request).unwrap();
                // Who does not want the rest of it closes
                let _ = stream.write_all(&script(&request));
            }
        });
        Self { socket, ends, thread: Some(thread) }
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let _ = UnixStream::connect(&self.socket);
        let _ = self.thread.take().map(JoinHandle::join);
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// Agents that answer amiss when asked for a signature by `key`, and what is said of each.
pub fn faults(key: &PrivateKey, other: &PrivateKey) -> Vec<(&'static str, Script, &'static str)> {
    let listed = {
        let listed = listing(&key.public_key().to_bytes().unwrap());
        move || listed.clone()
    };
    let by = {
        let (key, other) = (key.clone(), other.clone());
        move |is_ours: bool| if is_ours { key.clone() } else { other.clone() }
    };
    let strange = "the ssh agent at `{socket}`: its answer is no agent's";
    let bad = "the signature that {fingerprint} made does not verify";
    let after_listing = |listed: Vec<u8>, answer: Script| -> Script {
        Box::new(move |request| if request == [11] { listed.clone() } else { answer(request) })
    };
    let (theirs, ours) = (by(false), by(true));
    vec![
        ("closes", Box::new(|_| Vec::new()), "the ssh agent at `{socket}`: unexpected end of file"),
        ("says nothing", Box::new(|_| framed(&[])), strange),
        ("talks of something else", Box::new(|_| framed(&[99, 0, 0])), strange),
        ("promises too much", Box::new(|_| vec![0xff; 4]), "the ssh agent at `{socket}`: invalid data"),
        ("counts what is not there", Box::new(|_| framed(&[12, 0xff, 0xff, 0xff, 0xff])), strange),
        (
            "fails",
            after_listing(listed(), Box::new(|_| framed(&[5]))),
            "the ssh agent has not signed with {fingerprint}",
        ),
        ("signs nothing", after_listing(listed(), Box::new(|_| framed(&[14]))), strange),
        (
            "signs with another key",
            after_listing(listed(), Box::new(move |request| answer(&raw(&theirs, data_of(request))))),
            bad,
        ),
        (
            "signs something else",
            after_listing(listed(), Box::new(move |_| answer(&raw(&ours, b"something else")))),
            bad,
        ),
    ]
}

/// A security key that is none: it signs as one does (`PROTOCOL.u2f`).
#[derive(Debug)]
pub struct SecurityKey(PrivateKey);

impl SecurityKey {
    pub fn make() -> Self {
        Self(PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap())
    }

    /// Its public half, as in a `.pub` file.
    pub fn line(&self) -> String {
        ssh_key::PublicKey::from(self.public()).to_openssh().unwrap().trim_end().to_owned()
    }

    /// An agent that has it.
    pub fn script(&self, is_touched: bool) -> Script {
        let key = Self(self.0.clone());
        let blob = ssh_key::PublicKey::from(self.public()).to_bytes().unwrap();
        Box::new(move |request| {
            if request == [11] {
                return listing(&blob);
            }
            let signature = key.sign(is_touched, data_of(request));
            let (signature, flags_and_counter) = signature.split_at(64);
            answer(&[string(SECURITY_KEY.as_bytes()), string(signature), flags_and_counter.to_vec()].concat())
        })
    }

    /// Its signature of `message`.
    pub fn signature(&self, is_touched: bool, message: &[u8]) -> Signature {
        let data = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, message).unwrap();
        let signature = ssh_key::Signature::new(Algorithm::SkEd25519, self.sign(is_touched, &data)).unwrap();
        let signature = SshSig::new(self.public(), NAMESPACE, HashAlg::Sha512, signature).unwrap();
        Signature::parse(signature.to_pem(LineEnding::LF).unwrap().as_bytes()).unwrap()
    }

    fn public(&self) -> KeyData {
        let key = self.0.public_key().key_data().ed25519().unwrap();
        KeyData::SkEd25519(SkEd25519::new(*key, APPLICATION))
    }

    fn sign(&self, is_touched: bool, data: &[u8]) -> Vec<u8> {
        let flags_and_counter = [u8::from(is_touched), 0, 0, 0, 7];
        let (application, data) = (Sha256::digest(APPLICATION), Sha256::digest(data));
        let signed = [application.as_slice(), flags_and_counter.as_slice(), data.as_slice()].concat();
        [signature_of(&self.0, &signed), flags_and_counter.to_vec()].concat()
    }
}

/// What an agent is to sign: after the key, in a sign request.
fn data_of(request: &[u8]) -> &[u8] {
    let length = |at: usize| u32::from_be_bytes(request[at..at + 4].try_into().unwrap()) as usize;
    let data = 1 + 4 + length(1);
    &request[data + 4..data + 4 + length(data)]
}

fn listing(key: &[u8]) -> Vec<u8> {
    framed(&[&[12, 0, 0, 0, 1][..], &string(key), &string(b"a comment")].concat())
}

fn raw(key: &PrivateKey, data: &[u8]) -> Vec<u8> {
    [string(b"ssh-ed25519"), string(&signature_of(key, data))].concat()
}

fn answer(signature: &[u8]) -> Vec<u8> {
    framed(&[&[14][..], &string(signature)].concat())
}

fn signature_of<K: ssh_key::SigningKey>(key: &K, data: &[u8]) -> Vec<u8> {
    key.try_sign(data).unwrap().as_bytes().to_vec()
}

fn framed(message: &[u8]) -> Vec<u8> {
    string(message)
}

fn string(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}
