//! The program as a person runs it: in a directory of its own, with an environment of its own.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::panic,
    clippy::disallowed_macros,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and each test takes only a part of this"
)]

pub mod deployment;
pub mod memory;
pub mod proxy;
pub mod refusal;

use std::ffi::OsStr;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dcn_vault::signature::SigningKey;

/// A plan with two secrets.
pub const PLAN: &str = "passwords:\n  NovaPassword: not-a-real-secret\n  RpcPassword: neither-is-this\n";

/// `run` of the bundle, by the identity for which it was pulled.
pub const RUN: [&str; 5] = ["run", "-b", "bundle", "-i", "identity.txt"];

/// What a verb says that would write a secret to a terminal, as a terminal shows it.
pub const AT_TERMINAL: &str = "error: standard output is a terminal\r\nhint: -o FILE writes a new file of mode 0600; -o - writes to the terminal all the same\r\n";

/// A directory that goes away with the test. It is also `HOME`, and what the program's files are made in.
#[derive(Debug)]
pub struct Scratch(PathBuf);

/// How the program ended, and what it said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Scratch {
    /// A directory with nothing in it.
    pub fn bare() -> Self {
        let path = std::env::temp_dir().join(format!("dcn-vault-test-{:016x}", random()));
        std::fs::DirBuilder::new().mode(0o700).create(&path).unwrap();
        Self(path)
    }

    /// A directory whose owner can sign, and trusts himself.
    pub fn new() -> Self {
        let scratch = Self::bare();
        let key = SigningKey::make().unwrap();
        let signers = format!("operator namespaces=\"dcn-vault\" {}\n", key.public_line());
        scratch.write(".config/dcn-vault/signers", signers, 0o644);
        key.save(&scratch.join(".config/dcn-vault/signing_key"), "operator").unwrap();
        scratch
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file with this mode.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// The program, about to run in this directory with nothing of our own environment but `PATH`.
    pub fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dcn-vault"));
        command.current_dir(&self.0).env_clear().env("HOME", &self.0).stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    /// Runs the program with these arguments.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Said {
        said(self.program().args(arguments))
    }

    /// A shell that runs `script`, in which `"$@"` is the program.
    pub fn program_in_shell(&self, script: &str) -> Command {
        let program = self.program();
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh"]).arg(program.get_program());
        shell.current_dir(&self.0).env_clear().env("HOME", &self.0).stdin(Stdio::null());
        shell.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        shell
    }

    /// Runs the program with these arguments, as a shell reads them, at a terminal.
    pub fn run_at_terminal(&self, arguments: &str) -> Said {
        let program = self.program().get_program().to_str().unwrap().to_owned();
        let mut script = self.program_in_shell("exec script -qec \"$2\" /dev/null");
        said(script.arg(format!("'{program}' {arguments}")))
    }

    /// The program as an ordinary user, to whom this directory then belongs; our own when we are one.
    pub fn program_of_ordinary_user(&self) -> Command {
        let ours = self.program();
        if !rustix::process::geteuid().is_root() {
            return ours;
        }
        let program = self.join(".program");
        if !program.exists() {
            copy_program_to(&program);
        }
        self.give_away();
        self.of_ordinary_user(program)
    }

    /// Another program as an ordinary user; as ours when we are one.
    pub fn of_ordinary_user(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("setpriv");
        if rustix::process::geteuid().is_root() {
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        }
        command.arg(program).current_dir(&self.0).env_clear().env("HOME", &self.0).stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    /// Gives the directory, and all that is in it, to a user who is not root.
    pub fn give_away(&self) {
        let given = Command::new("chown").args(["-R", "65534:65534"]).arg(&self.0).status().unwrap();
        assert!(given.success());
    }

    /// The lines of the signing key's file that hold what is secret: the first two are of the public half alone.
    pub fn signing_key_lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.join(".config/dcn-vault/signing_key")).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("-----")).skip(2);
        lines.filter(|line| line.len() >= 16).map(str::to_owned).collect()
    }

    /// The keys under which the puller notes what values were, one for each vault.
    pub fn notes_keys(&self) -> Vec<String> {
        let notes = self
            .files()
            .into_iter()
            .filter(|(path, _)| path.starts_with(self.join(".local/state/dcn-vault/pulled")));
        let key = |(_, text): (PathBuf, Vec<u8>)| {
            let notes: serde_json::Value = serde_json::from_slice(&text).unwrap();
            notes["key"].as_str().unwrap().to_owned()
        };
        notes.map(key).collect()
    }

    /// Saves a small plan, makes `identity.txt`, and pulls the one for the other to `bundle`.
    pub fn pull_from_file(&self) -> String {
        let (_, recipient) = self.keygen("identity.txt");
        self.write("plan.yaml", PLAN, 0o600);
        let pulled = self.run(["pull", "--from-file", "plan.yaml", "-r", &recipient, "-o", "bundle"]);
        assert_eq!(pulled.code, 0, "{}", pulled.err);
        recipient
    }

    /// The manifest of `bundle`.
    pub fn manifest(&self) -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(self.join("bundle/manifest.json")).unwrap()).unwrap()
    }

    /// Writes the manifest of `bundle` anew, as `change` leaves it, signed: what lies behind the signature is reached.
    pub fn change_manifest(&self, change: impl FnOnce(&mut serde_json::Value)) {
        let mut manifest = self.manifest();
        change(&mut manifest);
        self.write_manifest(manifest.to_string());
    }

    /// Writes `text` as the manifest of `bundle`, signed by whom this directory trusts.
    pub fn write_manifest(&self, text: impl AsRef<[u8]>) {
        self.write_unsigned_manifest(&text);
        let key = SigningKey::read(&self.join(".config/dcn-vault/signing_key"), None, &mut |_| None).unwrap();
        let signature = key.sign(text.as_ref()).unwrap();
        self.write("bundle/manifest.json.sig", signature.to_armored(), 0o644);
    }

    /// Writes `text` as the manifest of `bundle`, which the signature that is there no longer fits. Nothing was seen of its
    /// vault before: two manifests of one generation are another matter.
    pub fn write_unsigned_manifest(&self, text: impl AsRef<[u8]>) {
        self.write("bundle/manifest.json", text, 0o644);
        self.forget();
    }

    /// Forgets which bundles were seen here.
    pub fn forget(&self) {
        let seen = self.join(".local/state/dcn-vault/seen");
        if seen.exists() {
            std::fs::remove_dir_all(seen).unwrap();
        }
    }

    /// Writes a file of `bundle` anew, and what the manifest says of its bytes, signed.
    pub fn replace_in_bundle(&self, name: &str, bytes: &[u8]) {
        self.write(&format!("bundle/{name}"), bytes, 0o644);
        self.change_manifest(|manifest| {
            let files = manifest["files"].as_array_mut().unwrap();
            let entry = files.iter_mut().find(|file| file["path"] == name).unwrap();
            entry["sha256"] = dcn_vault::model::Digest::of(bytes).to_string().into();
            entry["size"] = bytes.len().into();
        });
    }

    /// The fingerprint of the key that signs here.
    pub fn operator(&self) -> String {
        let signers = std::fs::read_to_string(self.join(".config/dcn-vault/signers")).unwrap();
        let (_, key) = signers.trim_end().split_once("\" ").unwrap();
        dcn_vault::signature::PublicKey::parse(key).unwrap().fingerprint()
    }

    /// Makes an identity, and returns its file and its recipient.
    pub fn keygen(&self, name: &str) -> (PathBuf, String) {
        let path = self.join(name);
        let made = self.run([OsStr::new("keygen"), OsStr::new("-o"), path.as_os_str()]);
        assert_eq!(made.code, 0, "{}", made.err);
        (path, made.out.trim().to_owned())
    }

    /// `words`, with the directory's path in place of `{here}`.
    pub fn filled(&self, words: &str) -> String {
        words.replace("{here}", self.0.to_str().unwrap())
    }

    /// A scratch directory with `plan.yaml` and `identity.txt`, and the latter's recipient.
    pub fn with_plan() -> (Self, String) {
        let scratch = Self::new();
        scratch.write("plan.yaml", PLAN, 0o600);
        let (_, recipient) = scratch.keygen("identity.txt");
        (scratch, recipient)
    }

    /// Every file below, with its content.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        collect(&self.0, &mut files);
        files.sort();
        files
    }

    /// All that is here, but what is remembered of bundles: one that is admitted is, whatever comes then; and the audit log, in which
    /// what was refused is noted.
    pub fn holdings(&self) -> (Vec<String>, Vec<(PathBuf, Vec<u8>)>) {
        let mut files = self.files();
        files.retain(|(path, _)| !path.starts_with(self.join(".local/state/dcn-vault/seen")));
        files.retain(|(path, _)| *path != self.join(".local/state/dcn-vault/audit.jsonl"));
        (self.names(), files)
    }

    /// The names of all that is in the directory itself, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        // Where a person's keys are, and where is kept what was seen
        names.retain(|name| name != ".config" && name != ".local");
        names.sort();
        names
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Copies the program to where another user can reach it. By another process: one of ours that forks meanwhile would hold
/// the copy open for writing, and the kernel then refuses to execute it.
pub fn copy_program_to(path: &Path) {
    let status = Command::new("cp").arg(env!("CARGO_BIN_EXE_dcn-vault")).arg(path).status().unwrap();
    assert!(status.success());
}

/// Runs `command` to its end.
pub fn said(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        code: output.status.code().expect("the program was killed"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The secrets of `secrets` that occur in `text`.
pub fn occurring<'a>(secrets: &'a [String], text: &[u8]) -> Vec<&'a String> {
    let holds = |secret: &&String| text.windows(secret.len()).any(|window| window == secret.as_bytes());
    secrets.iter().filter(holds).collect()
}

fn collect(directory: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            collect(&path, files);
        } else if path.is_file() {
            let content = std::fs::read(&path).unwrap();
            files.push((path, content));
        }
    }
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()).unwrap();
    u64::from_ne_bytes(bytes)
}
