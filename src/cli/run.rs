use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use rustix::stdio::stdin;

use crate::identity::IdentitySource;
use crate::run::{Command, Delivered, Identities, RunError, Supervisor, hand_over};

use super::args::{DeliverArguments, RunArguments};
use super::exit::Failure;
use super::ui::Ui;
use super::{admission, environment, identities};

pub(super) fn run(
    arguments: &RunArguments,
    directory: Option<&Path>,
    batch: bool,
) -> Result<ExitCode, Failure> {
    let Some(command) = Command::of(arguments.command.clone()) else {
        return Err(RunError::NotFound { command: String::new() }.into());
    };
    let bundle = match &arguments.admission.bundle {
        Some(path) => path.clone(),
        None => environment::vault(directory)?.bundle(),
    };
    let mut worker = vec![OsString::from("deliver"), OsString::from("--bundle"), bundle.into_os_string()];
    worker.extend(arguments.admission.trust.words());
    worker.extend(batch.then(|| OsString::from("--batch")));
    let named = &arguments.identity.identity;
    for source in named {
        let mut word = OsString::from("--identity=");
        word.push(source.word());
        worker.push(word);
    }
    match supervisor(worker, named).run(&command) {
        Ok(exit) => Ok(ExitCode::from(exit.code())),
        // The worker has said why
        Err(RunError::Worker) => Ok(ExitCode::FAILURE),
        Err(error) => Err(error.into()),
    }
}

fn supervisor(worker: Vec<OsString>, named: &[IdentitySource]) -> Supervisor {
    let has_command = named.iter().any(|source| matches!(source, IdentitySource::Command(_)));
    Supervisor {
        worker,
        worker_environment: environment::for_worker(has_command),
        command_environment: environment::for_command(),
        runtime_directory: environment::runtime_directory(),
        closed_to_command: named.iter().filter_map(IdentitySource::descriptor).collect(),
    }
}

pub(super) fn deliver(arguments: &DeliverArguments, batch: bool, ui: Ui) -> Result<ExitCode, Failure> {
    let admission = admission::of(arguments.bundle.clone(), &arguments.trust);
    let search = identities::of(&arguments.identity, batch, ui);
    let identities = Identities { search: &search, site: arguments.trust.site.as_ref() };
    let admit = || admission.admit().inspect(|admitted| admission::warn(admitted, ui));
    match hand_over(admit, &identities, &arguments.directory, stdin()) {
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
