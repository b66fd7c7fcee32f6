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

    heading("The site makes an identity, and gives its recipient to the centre");
    place.program(&cloud, &["keygen", "-o", "edge1-identity.txt"], Some("keys/edge1/recipients.txt"));

    heading("The centre pulls: passwords, keys and the four outputs, sealed for every site in keys/");
    place.program(&cloud, &["pull"], None);

    heading("What is in the bundle (no identity is needed for this)");
    place.program(&cloud, &["show"], None);

    heading("The site deploys: the command reads the files, and nothing else does");
    let script = "for file in \"$DCN_VAULT_DIR\"/*; do echo \"  $(wc -c < \"$file\") bytes  ${file##*/}\"; done; \
                  echo \"  arguments: $*\"; sed -n 's/^\\(  NeutronPassword: ...\\).*/\\1… (the deployment sees it)/p' \"$DCN_VAULT_DIR\"/passwords.yaml";
    place.program(
        &cloud,
        &["run", "-i", "edge1-identity.txt", "--", "sh", "-c", script, "sh", "{env}"],
        None,
    );

    heading("Is any secret in clear on the disk?");
    let verdict = place.search(&cloud);
    println!("\nThe token was revoked: {} of the cloud's tokens are alive.", cloud.tokens_alive());
    drop(place);
    verdict
}

fn heading(text: &str) {
    println!("\n== {text}");
}

/// A temporary vault.
struct Place(PathBuf);

impl Place {
    fn make() -> Self {
        let path = std::env::temp_dir().join(format!("dcn-vault-demo-{}", std::process::id()));
        std::fs::create_dir_all(path.join("keys/edge1")).expect("a temporary directory can be made");
        std::fs::write(path.join("dcn-vault.yaml"), "version: 1\n").expect("a file can be written");
        Self(path)
    }

    /// Runs the program here, with the cloud's variables as a stackrc would set them.
    fn program(&self, cloud: &Cloud, arguments: &[&str], output: Option<&str>) {
        let shown = arguments.iter().map(|word| if word.contains(' ') { "'…'" } else { word });
        let redirected = output.map_or_else(String::new, |file| format!(" > {file}"));
        println!("$ dcn-vault {}{redirected}", shown.collect::<Vec<_>>().join(" "));
        let mut program = Command::new(std::env::current_exe().expect("this program has a path"));
        program.args(arguments).current_dir(&self.0).envs(cloud.os_variables()).env_remove("OS_CLOUD");
        if let Some(file) = output {
            program.stdout(std::fs::File::create(self.0.join(file)).expect("a file can be written"));
        }
        assert!(program.status().expect("the program starts").success(), "dcn-vault {arguments:?} failed");
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
