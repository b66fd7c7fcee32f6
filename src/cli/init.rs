use std::path::Path;
use std::process::ExitCode;

use crate::fs;
use crate::signature::{PublicKey, SigningError, SigningKey};
use crate::trust::OwnSigners;
use crate::vault::{self, FILE_NAME};

use super::args::InitArguments;
use super::exit::Failure;
use super::ui::Ui;
use super::{environment, git};

pub(super) fn init(arguments: &InitArguments, directory: Option<&Path>, ui: Ui) -> Result<ExitCode, Failure> {
    let directory = environment::here(directory);
    // In a clone the vault is there, and git's settings are not
    let is_clone = arguments.git_config && directory.join(FILE_NAME).is_file();
    if arguments.git_config {
        git::expect_repository(&directory)?;
    }
    if !is_clone {
        for path in vault::make(&directory)? {
            ui.say(&format!("wrote {}", path.display()));
        }
        signer(&directory, ui)?;
    }
    if arguments.git_config {
        git::configure(&directory)?;
        ui.say("git shows bundles by name here, and does not merge them");
    }
    if !is_clone {
        ui.say("next:");
        for step in next(arguments, &directory) {
            ui.say(&format!("  {step}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes a key to sign with where there is none, and lists it: in the vault, for people; here, since who signs trusts himself.
fn signer(directory: &Path, ui: Ui) -> Result<(), Failure> {
    let (Some(path), Some(own)) = (environment::usual_signing_key(), environment::own_signers()) else {
        ui.warn("HOME is not set: no key to sign with was made");
        return Ok(());
    };
    let public = path.with_extension("pub");
    if !path.exists() {
        let key = SigningKey::make()?;
        if let Some(parent) = path.parent() {
            fs::make_private_directories(parent)?;
        }
        let name = environment::user();
        key.save(&path, &name)?;
        fs::replace_public(&public, format!("{} {name}\n", key.public_line()).as_bytes())?;
        ui.say(&format!("wrote {}: your signing key, {}", path.display(), key.fingerprint()));
    }
    let Ok(line) = fs::read_public(&public) else {
        ui.warn(&format!("there is no {}: list your key in keys/signers by hand", public.display()));
        return Ok(());
    };
    let key = PublicKey::parse(String::from_utf8_lossy(&line).trim())
        .map_err(|fault| SigningError::Key { path: public.clone(), fault })?;
    let name = environment::user();
    let listed = directory.join("keys").join("signers");
    let mut signers = OwnSigners::read(&listed)?;
    signers.add(&key, Some(&name));
    fs::replace_public(&listed, signers.text().as_bytes())?;
    ui.say(&format!("wrote {}: {name} may sign", listed.display()));
    let mut trusted = OwnSigners::read(&own)?;
    if !trusted.lists(&key)? {
        trusted.add(&key, Some(&name));
        trusted.save()?;
    }
    Ok(())
}

/// What is left to do, in order.
fn next(arguments: &InitArguments, directory: &Path) -> Vec<String> {
    let mut steps = Vec::new();
    if !arguments.git_config && (arguments.git || git::has_work_tree(directory)) {
        steps.extend(git::commands());
    }
    steps.extend(
        [
            "dcn-vault keygen -o identity.txt      at each site; it prints the recipient",
            "dcn-vault site add SITE RECIPIENT     here; someone else reads the change",
            "dcn-vault pull                        after a look at dcn-vault.yaml",
        ]
        .map(ToOwned::to_owned),
    );
    steps
}
