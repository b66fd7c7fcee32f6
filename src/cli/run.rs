use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use rustix::stdio::stdin;

use crate::run::{Command, Delivered, RunError, Supervisor, hand_over};

use super::args::{DeliverArguments, RunArguments};
use super::environment;
use super::exit::Failure;
use super::ui::Ui;

pub(super) fn run(arguments: &RunArguments, directory: Option<&Path>) -> Result<ExitCode, Failure> {
    let Some(command) = Command::of(arguments.command.clone()) else {
        return Err(RunError::NotFound { command: String::new() }.into());
    };
    let bundle = match &arguments.bundle.bundle {
        Some(path) => path.clone(),
        None => environment::vault(directory)?.bundle(),
    };
    let mut worker = vec![OsString::from("deliver"), OsString::from("--bundle"), bundle.into_os_string()];
    for identity in &arguments.identity.identity {
        worker.extend([OsString::from("--identity"), identity.clone().into_os_string()]);
    }
    match supervisor(worker).run(&command) {
        Ok(exit) => Ok(ExitCode::from(exit.code())),
        // The worker has said why
        Err(RunError::Worker) => Ok(ExitCode::FAILURE),
        Err(error) => Err(error.into()),
    }
}

fn supervisor(worker: Vec<OsString>) -> Supervisor {
    Supervisor {
        worker,
        worker_environment: environment::for_worker(),
        command_environment: environment::for_command(),
        runtime_directory: environment::runtime_directory(),
    }
}

pub(super) fn deliver(arguments: &DeliverArguments, ui: Ui) -> Result<ExitCode, Failure> {
    let usual = environment::usual_identities();
    match hand_over(&arguments.bundle, &arguments.identity, &usual, &arguments.directory, stdin()) {
        Ok(Delivered::Ramfs) => {}
        Ok(Delivered::Memfd) => {
            ui.warn(
                "this host forbids a ramfs of one's own: the plaintext is in memory that may be swapped out",
            );
        }
        Err(error) => return Err(error.into()),
    }
    Ok(ExitCode::SUCCESS)
}
