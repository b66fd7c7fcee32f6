//! A bundle of all files, pulled from a made-up cloud, and the secrets in it.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::must_use_candidate,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a test may panic, and each test takes only a part of this"
)]

use std::path::PathBuf;

use crate::cloud::{Cloud, Contents};
use crate::program::{Said, Scratch, said};

/// A scratch directory with `bundle` and the `identity.txt` that opens it.
#[derive(Debug)]
pub struct Pulled {
    pub scratch: Scratch,
    pub recipient: String,
    pub secrets: Vec<String>,
}

impl Pulled {
    pub fn new() -> Self {
        let scratch = Scratch::new();
        let (_, recipient) = scratch.keygen("identity.txt");
        let cloud = Cloud::start(Contents::made_up());
        let pull = ["pull", "-r", &recipient, "-o", "bundle"];
        let pulled = said(scratch.program().envs(cloud.os_variables()).args(pull));
        assert_eq!(pulled.code, 0, "{}", pulled.err);
        Self { scratch, recipient, secrets: cloud.contents().secrets() }
    }

    pub fn manifest(&self) -> serde_json::Value {
        self.scratch.manifest()
    }

    /// Writes the manifest anew, as `change` leaves it, signed.
    pub fn change_manifest(&self, change: impl FnOnce(&mut serde_json::Value)) {
        self.scratch.change_manifest(change);
    }

    /// The bundle's files, without the manifest.
    pub fn files(&self) -> Vec<PathBuf> {
        let files = self.manifest()["files"].as_array().unwrap().clone();
        files.iter().map(|file| self.scratch.join("bundle").join(file["path"].as_str().unwrap())).collect()
    }

    pub fn decrypt(&self, arguments: &[&str]) -> Said {
        self.scratch.run(["decrypt", "-b", "bundle", "-i", "identity.txt"].iter().chain(arguments))
    }
}
