use std::path::Path;
use std::process::ExitCode;

use crate::vault::{self, FILE_NAME};

use super::exit::Failure;
use super::ui::Ui;
use super::args::InitArguments;
use super::{environment, git};

pub(super) fn init(arguments: &InitArguments, directory: Option<&Path>, ui: Ui) -> Result<ExitCode, Failure> {
    let directory = environment::here(directory);
    // In a clone the vault is there, and git's settings are not
    let is_clone = arguments.git_config && directory.join(FILE_NAME).is_file();
    if !is_clone {
        for path in vault::make(&directory)? {
            ui.say(&format!("wrote {}", path.display()));
        }
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
