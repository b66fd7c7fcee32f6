//! The whole job with no cloud of your own: a made-up OpenStack on loopback, then the real program.
//!
//! This binary is `dcn-vault` with a cloud in it: with arguments it is the program, without it shows what the program
//! does. Everything happens in a temporary directory, which is gone at the end.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_macros,
    reason = "a demonstration talks, and gives up when something is wrong"
)]

#[path = "../tests/cloud/mod.rs"]
mod cloud;

use std::alloc::System;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use cloud::{Cloud, Contents};
use dcn_vault::signature::PublicKey;

/// What the deployment does here: it counts what it gets.
const DEPLOYMENT: &str = "\
    for file in \"$DCN_VAULT_DIR\"/*; do echo \"  $(wc -c < \"$file\") bytes  ${file##*/}\"; done; \
    echo \"  $(grep -c '^  [A-Z]' \"$DCN_VAULT_DIR\"/passwords.yaml) parameters in passwords.yaml\"; \
    sed -n 's/^\\(  NeutronPassword: ...\\).*/\\1… (the deployment sees it)/p' \"$DCN_VAULT_DIR\"/passwords.yaml";

#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<System> = zeroizing_alloc::ZeroAlloc(System);

fn main() -> ExitCode {
    if std::env::args_os().len() > 1 {
        return dcn_vault::cli::main(std::env::args_os());
    }
    let cloud = Cloud::start(Contents::made_up());
    let place = Place::make();
    println!("A made-up OpenStack (Keystone, Heat, Swift) answers on {}.", cloud.auth_url());
    println!("Everything below happens in {}; at the end it is gone.", place.0.display());

    heading("Each site makes an identity, and gives its recipient to the centre");
    place.at("edge1", &["keygen", "-o", "identity.txt"], Some("../centre/edge1.pub"));
    place.at("edge2", &["keygen", "-o", "identity.txt"], Some("../centre/edge2.pub"));

    heading("The centre makes a vault, with a key to sign with, and says who gets what");
    place.at("centre", &["init"], None);
    place.at("centre", &["site", "add", "edge1", "-R", "edge1.pub"], None);
    let some =
        ["site", "add", "edge2", "-R", "edge2.pub", "--secrets", "Neutron*", "--secrets", "RpcPassword"];
    place.at("centre", &some, None);

    heading("It pulls: passwords, keys and the four outputs, sealed for each site, and signed");
    place.pull(&cloud);

    heading("What is in the bundle (no identity is needed for this)");
    place.at("centre", &["show"], None);

    heading("Each site takes the bundle, and learns once whose it is");
    let fingerprint = place.fingerprint();
    for site in ["edge1", "edge2"] {
        place.copy_bundle(site);
        place.at(site, &["trust", "add", "--fingerprint", &fingerprint], None);
    }

    let run = ["run", "-i", "identity.txt", "--", "sh", "-c", DEPLOYMENT];
    heading("edge1 deploys: the command reads the files, and nothing else does");
    place.at("edge1", &run, None);
    heading("edge2 gets the parameters that it was given, and can open no others");
    place.at("edge2", &run, None);

    heading("Somebody changes one byte of the bundle on its way: nothing is opened");
    let path = place.0.join("edge1/bundle/manifest.json");
    let manifest = std::fs::read_to_string(&path).expect("the manifest can be read");
    std::fs::write(&path, manifest.replacen("\"generation\": 1", "\"generation\": 9", 1))
        .expect("it can be written");
    let is_refused = !place.runs("edge1", &run, None, None);

    heading("Is any secret in clear on the disk?");
    let verdict = place.search(&cloud);
    println!("\nThe token was revoked: {} of the cloud's tokens are alive.", cloud.tokens_alive());
    drop(place);
    if is_refused { verdict } else { ExitCode::FAILURE }
}

fn heading(text: &str) {
    println!("\n== {text}");
}

/// The centre and two sites: a directory for each, which is also its home.
struct Place(PathBuf);

impl Place {
    fn make() -> Self {
        let path = std::env::temp_dir().join(format!("dcn-vault-demo-{}", std::process::id()));
        for name in ["centre", "edge1", "edge2"] {
            std::fs::create_dir_all(path.join(name)).expect("a temporary directory can be made");
        }
        Self(path)
    }

    /// Runs the program at one of them, which must go well.
    fn at(&self, who: &str, arguments: &[&str], output: Option<&str>) {
        assert!(self.runs(who, arguments, output, None), "dcn-vault {arguments:?} failed");
    }

    /// At the centre, with the cloud's variables as a stackrc would set them.
    fn pull(&self, cloud: &Cloud) {
        assert!(self.runs("centre", &["pull"], None, Some(cloud)), "dcn-vault pull failed");
    }

    fn runs(&self, who: &str, arguments: &[&str], output: Option<&str>, cloud: Option<&Cloud>) -> bool {
        let shown = arguments.iter().map(|word| match word {
            word if word.contains(' ') => String::from("'…'"),
            word if word.contains('*') => format!("'{word}'"),
            word => (*word).to_owned(),
        });
        let redirected = output.map_or_else(String::new, |file| format!(" > {file}"));
        println!("{who}$ dcn-vault {}{redirected}", shown.collect::<Vec<_>>().join(" "));
        let here = self.0.join(who);
        let mut program = Command::new(std::env::current_exe().expect("this program has a path"));
        program.args(arguments).current_dir(&here).env("HOME", &here);
        // Its own places, and not those of whoever looks on
        for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "SSH_AUTH_SOCK", "OS_CLOUD"] {
            program.env_remove(name);
        }
        program.envs(cloud.into_iter().flat_map(Cloud::os_variables));
        if let Some(file) = output {
            program.stdout(std::fs::File::create(here.join(file)).expect("a file can be written"));
        }
        program.status().expect("the program starts").success()
    }

    /// Of the key that signs, as somebody at the centre would read it out over the telephone.
    fn fingerprint(&self) -> String {
        let path = self.0.join("centre/.config/dcn-vault/signing_key.pub");
        let line = std::fs::read_to_string(path).expect("init has made a key");
        PublicKey::parse(line.trim()).expect("it is a public key").fingerprint()
    }

    /// As git or rsync would.
    fn copy_bundle(&self, site: &str) {
        println!("{site}$ cp -r ../centre/bundle .");
        let mut copy = Command::new("cp");
        copy.args(["-r", "../centre/bundle", "."]).current_dir(self.0.join(site));
        assert!(copy.status().expect("cp starts").success(), "the bundle is not copied");
    }

    /// Searches every file for every secret of the cloud.
    fn search(&self, cloud: &Cloud) -> ExitCode {
        let secrets = cloud.secrets();
        let in_outputs =
            cloud.contents().outputs.iter().filter(|(_, text)| holds_any(text.as_bytes(), &secrets));
        let leaky: Vec<&str> = in_outputs.map(|(name, _)| name.as_str()).collect();
        println!("  as the cloud gave them, these outputs hold secrets: {}", leaky.join(", "));
        let mut files = Vec::new();
        walk(&self.0, &mut files);
        let found: Vec<&PathBuf> = files
            .iter()
            .filter(|file| holds_any(&std::fs::read(file).unwrap_or_default(), &secrets))
            .collect();
        println!(
            "  {} secrets searched for in {} files: found in {}",
            secrets.len(),
            files.len(),
            found.len()
        );
        if found.is_empty() && !leaky.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn holds_any(text: &[u8], secrets: &[String]) -> bool {
    secrets.iter().any(|secret| text.windows(secret.len()).any(|window| window == secret.as_bytes()))
}

fn walk(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("the vault can be read") {
        let path = entry.expect("the vault can be read").path();
        if path.is_dir() { walk(&path, files) } else { files.push(path) }
    }
}
