//! A centre with sites: plans that change, settings, keys, and bundles that anybody may tamper with.

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

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{Said, Scratch, said};
use serde_json::Value;

/// The parameter of the file that was to be clear, and holds a password.
pub const GLOBAL_CONFIG: &str = "GlobalConfigExtraMapData";

/// What is pulled: passwords by name. The password of RPC stands in `GlobalConfig`, too.
pub type Passwords = BTreeMap<String, String>;

/// A vault in a scratch directory, which is the home of its operator.
#[derive(Debug)]
pub struct Centre {
    pub scratch: Scratch,
    pub passwords: Passwords,
}

/// A key that signs, as ssh-keygen makes it.
#[derive(Debug)]
pub struct Key {
    pub path: PathBuf,
    pub public: String,
}

impl Centre {
    /// A vault with these sites, each with what its settings say, and with an identity `NAME.txt` of its own.
    pub fn with(sites: &[(&str, &str)], settings: &str) -> Self {
        let names = ["NeutronPassword", "NovaPassword", "RpcPassword"];
        let passwords = names.map(|name| (name.to_owned(), made_up(name, 0))).into();
        let centre = Self { scratch: Scratch::new(), passwords };
        let mut text = format!("version: 1\n{settings}sites:\n");
        for (site, wish) in sites {
            let (_, recipient) = centre.scratch.keygen(&format!("{site}.txt"));
            centre.scratch.write(&format!("keys/{site}/recipients.txt"), format!("{recipient}\n"), 0o644);
            writeln!(text, "  {site}: {wish}").unwrap();
        }
        centre.scratch.write("dcn-vault.yaml", text, 0o644);
        centre
    }

    /// One site gets everything, two get a part.
    pub fn new() -> Self {
        let edge2 = format!("{{secrets: [Neutron*, RpcPassword, {GLOBAL_CONFIG}]}}");
        Self::with(&[("all", "{}"), ("edge1", "{secrets: [Nova*]}"), ("edge2", &edge2)], "")
    }

    /// Saves what there is to pull.
    pub fn save(&self) {
        let lines = self.passwords.iter().map(|(name, value)| format!("  {name}: {value}\n"));
        self.scratch.write("plan.yaml", format!("passwords:\n{}", lines.collect::<String>()), 0o600);
        let rpc = self.passwords.get("RpcPassword").map_or("nobody's", String::as_str);
        let global = serde_json::json!({
            "output_key": "GlobalConfig", "output_value": { "port": 5672, "oslo_messaging_rpc_password": rpc },
        });
        self.scratch.write("global.json", global.to_string(), 0o600);
        let hosts = serde_json::json!({ "output_key": "HostsEntry", "output_value": "192.0.2.1 centre\n" });
        self.scratch.write("hosts.json", hosts.to_string(), 0o600);
    }

    /// The verb `pull`, of all that there is.
    pub fn pull_words<'a>(more: &[&'a str]) -> Vec<&'a str> {
        let files =
            ["pull", "--from-file", "plan.yaml", "--from-file", "global.json", "--from-file", "hosts.json"];
        [&files, more].concat()
    }

    pub fn try_pull(&self, more: &[&str]) -> Said {
        self.save();
        self.scratch.run(Self::pull_words(more))
    }

    pub fn pull(&self, more: &[&str]) -> Said {
        let pulled = self.try_pull(more);
        assert_eq!(pulled.code, 0, "{}", pulled.err);
        pulled
    }

    pub fn change(&mut self, name: &str) {
        let value = self.passwords.get_mut(name).unwrap();
        *value = format!("{value}-and-another");
    }

    /// Keeps the bundle as it is now, under another name.
    pub fn keep(&self, name: &str) {
        copy(&self.scratch.join("bundle"), &self.scratch.join(name));
    }

    /// Puts a bundle that was kept in the place of the present one.
    pub fn bring(&self, name: &str) {
        let bundle = self.scratch.join("bundle");
        let _ = std::fs::remove_dir_all(&bundle);
        copy(&self.scratch.join(name), &bundle);
    }

    pub fn bundle(&self, name: &str) -> PathBuf {
        self.scratch.join("bundle").join(name)
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.bundle(name)).unwrap()
    }

    pub fn manifest(&self) -> Value {
        self.scratch.manifest()
    }

    /// Writes the manifest as `change` leaves it, signed by the operator: what only he can do.
    pub fn change_as_operator(&self, change: impl FnOnce(&mut Value)) {
        let mut manifest = self.manifest();
        change(&mut manifest);
        self.scratch.write("bundle/manifest.json", format!("{manifest:#}\n"), 0o644);
        self.sign("manifest.json.sig", &self.operator(), "dcn-vault");
    }

    /// Writes a file of the bundle anew as the operator can: with its digest in the manifest, and signed.
    pub fn replace_as_operator(&self, name: &str, bytes: &[u8]) {
        self.scratch.write(&format!("bundle/{name}"), bytes, 0o644);
        let digest = dcn_vault::model::Digest::of(bytes);
        self.change_as_operator(|manifest| {
            let files = manifest["files"].as_array_mut().unwrap();
            let entry = files.iter_mut().find(|file| file["path"] == name).unwrap();
            entry["sha256"] = serde_json::json!(digest);
            entry["size"] = bytes.len().into();
        });
    }

    /// The key that pulls sign with here.
    pub fn operator(&self) -> Key {
        let path = self.scratch.join(".config/dcn-vault/signing_key");
        let signers = std::fs::read_to_string(self.scratch.join(".config/dcn-vault/signers")).unwrap();
        let public = signers.split_once("ssh-ed25519").unwrap().1.lines().next().unwrap();
        Key { path, public: format!("ssh-ed25519{public}") }
    }

    /// Makes a key that nobody knows.
    pub fn make_key(&self, name: &str) -> Key {
        let key = dcn_vault::signature::SigningKey::make().unwrap();
        let path = self.scratch.join(name);
        key.save(&path, name).unwrap();
        Key { path, public: key.public_line() }
    }

    /// Trusts exactly those whom these lines list.
    pub fn trust(&self, lines: &str) {
        self.scratch.write(".config/dcn-vault/signers", lines, 0o644);
    }

    /// Signs the manifest as `ssh-keygen -Y sign` does, into the file `name`.
    pub fn sign(&self, name: &str, key: &Key, namespace: &str) {
        let _ = std::fs::remove_file(self.bundle(name));
        if namespace == "dcn-vault" {
            let read = dcn_vault::signature::SigningKey::read(&key.path, None, &mut |_| None).unwrap();
            let text = read.sign(&self.read("manifest.json")).unwrap().to_armored();
            self.scratch.write(&format!("bundle/{name}"), text, 0o644);
            return;
        }
        let signed = self.scratch.write("signed", self.read("manifest.json"), 0o600);
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-Y", "sign", "-n", namespace, "-f"]).arg(&key.path).arg(&signed);
        let made = said(&mut keygen);
        assert_eq!(made.code, 0, "{}", made.err);
        std::fs::rename(self.scratch.join("signed.sig"), self.bundle(name)).unwrap();
        std::fs::remove_file(signed).unwrap();
    }

    /// What is kept of vaults that were seen: the file of this one.
    pub fn seen(&self) -> PathBuf {
        let vault = self.manifest()["vault"].as_str().unwrap().to_owned();
        self.scratch.join(".local/state/dcn-vault/seen").join(vault)
    }

    pub fn decrypt(&self, more: &[&str]) -> Said {
        self.scratch.run([&["decrypt", "-b", "bundle", "-i", "all.txt"], more].concat())
    }
}

/// A password that says what it is.
pub fn made_up(name: &str, number: u64) -> String {
    format!("not-a-real-{}-{number:08}", name.to_lowercase())
}

/// Every file of the bundle in `directory`, by its path in it.
pub fn files_of(directory: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(below) = waiting.pop() {
        for entry in std::fs::read_dir(below).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                files.push(path.strip_prefix(directory).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    files.sort();
    files
}

fn copy(from: &Path, to: &Path) {
    for name in files_of(from) {
        let target = to.join(&name);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(from.join(&name), target).unwrap();
    }
}
