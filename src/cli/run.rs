use std::cell::RefCell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustix::stdio::stdin;

use crate::audit::Verb;
use crate::fs::NewFile;
use crate::identity::IdentitySource;
use crate::model::EnvironmentFile;
use crate::run::{
    Command, Delivered, Delivery, Identities, Places, RunError, Supervisor, containable, enclosed, hand_over,
};

use super::args::{DeliverArguments, EnclosedArguments, RunArguments};
use super::auditor::{Auditor, Opening};
use super::exit::Failure;
use super::ui::Ui;
use super::{admission, environment, examine, identities, traps};

pub(super) fn run(
    arguments: &RunArguments,
    directory: Option<&Path>,
    batch: bool,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    let Some(command) = Command::of(arguments.command.clone()) else {
        return Err(RunError::NotFound { command: String::new() }.into());
    };
    let bundle = match &arguments.admission.bundle {
        Some(path) => path.clone(),
        None => environment::vault(directory)?.bundle(),
    };
    let asked = arguments.asked_delivery()?;
    let contained = containable(&arguments.contain)?;
    let mut auditor = Auditor::begin(&arguments.audit, Verb::Run, ui)?;
    let mut worker =
        vec![OsString::from("deliver"), OsString::from("--bundle"), bundle.clone().into_os_string()];
    worker.extend(auditor.words(&command.program.to_string_lossy()));
    worker.extend(arguments.admission.trust.words());
    worker.extend(batch.then(|| OsString::from("--batch")));
    let named = &arguments.identity.identity;
    worker.extend(identities::words(named));
    worker.extend(traps::words(&command));
    let runtime = environment::runtime_directory();
    let memory = vec![runtime.clone(), PathBuf::from("/dev/shm")];
    let places = Places { bundle, runtime, memory, watched: arguments.escape.watch.clone(), contained };
    let examiner = examine::words(&command, &arguments.escape.watch)?;
    // Whatever is mounted over its directory later, it is made there
    let keep = arguments.keep_sealed.as_deref().map(NewFile::at).transpose()?;
    let supervisor = Supervisor { examiner: Some(examiner), keep, ..supervisor(worker, named, places) };
    let delivery = asked.unwrap_or_else(|| chosen(&supervisor, &command, ui));
    if delivery == Delivery::File {
        ui.warn("--delivery file: the secrets have a name while the command runs, may be swapped out, and stay if we are killed");
    }
    let ended = match supervisor.run(&command, delivery) {
        // Nobody has asked for it by name
        Err(error @ RunError::NoMount { .. }) if asked.is_none() => {
            say_choice(&error.to_string(), ui);
            supervisor.run(&command, Delivery::Fd)
        }
        ended => ended,
    };
    match ended {
        Ok(ended) => {
            auditor.ended(&ended);
            Ok(examine::finish(ended, &command, arguments.escape.on_escape, ui))
        }
        // The worker has said why, and written it down
        Err(RunError::Worker) => Ok(ExitCode::FAILURE),
        Err(error) => auditor.close(Err(error.into())),
    }
}

fn chosen(supervisor: &Supervisor, command: &Command, ui: Ui) -> Delivery {
    let choice = supervisor.choose(command);
    if let Some(because) = choice.because {
        say_choice(&because, ui);
    }
    choice.delivery
}

fn say_choice(because: &str, ui: Ui) {
    ui.say(&format!("--delivery fd is taken: {because}"));
}

/// The first process of a `mount`'s namespace.
pub(super) fn first(arguments: &EnclosedArguments) -> Result<ExitCode, Failure> {
    let Some(command) = Command::of(arguments.command.clone()) else {
        return Err(RunError::NotFound { command: String::new() }.into());
    };
    let exit = enclosed(&command, &environment::whole(), stdin())?;
    Ok(ExitCode::from(exit.code()))
}

fn supervisor(worker: Vec<OsString>, named: &[IdentitySource], places: Places) -> Supervisor {
    Supervisor {
        worker,
        worker_environment: identities::worker_environment(named),
        command_environment: environment::for_command(),
        closed_to_command: named.iter().filter_map(IdentitySource::descriptor).collect(),
        places,
        is_shut: true,
        examiner: None,
        keep: None,
    }
}

pub(super) fn deliver(arguments: &DeliverArguments, batch: bool, ui: Ui) -> Result<ExitCode, Failure> {
    // Who we are is asked before a namespace is entered
    let auditor = RefCell::new(Auditor::resume(&arguments.opening, ui)?);
    let admission = admission::of(arguments.bundle.clone(), &arguments.trust);
    let search = identities::of(&arguments.identity, batch, ui);
    let identities = Identities { search: &search, site: arguments.trust.site.as_ref() };
    let admit = || {
        admission.admit().inspect(|admitted| {
            auditor.borrow_mut().admitted(admitted);
            admission::warn(admitted, ui);
            traps::warn(&arguments.word, &arguments.bundle, admitted, arguments.trust.site.as_ref(), ui);
        })
    };
    let note = |opening: &crate::run::Opening<'_>| {
        let bundle = opening.admitted.bundle();
        let files = bundle.files_for(opening.site);
        let files = files.into_iter().filter(|path| opening.files.contains(&path.file));
        auditor.borrow_mut().opened(Opening {
            site: opening.site.clone(),
            files: opening.files.iter().copied().map(EnvironmentFile::file_name).map(str::to_owned).collect(),
            parameters: files.flat_map(|path| bundle.parameters_of(path)).collect(),
            delivery: Some(String::from(match opening.delivered {
                Delivered::Memfd => "fd, memfd",
                Delivered::Ramfs | Delivered::Named => arguments.delivery.name(),
            })),
        })
    };
    let delivered = hand_over(admit, note, &identities, arguments.delivery, &arguments.directory, stdin())
        .map_err(Failure::from);
    if auditor.borrow_mut().close(delivered)? == Delivered::Memfd {
        ui.warn("this host forbids a ramfs of one's own: the plaintext is in memory that may be swapped out");
    }
    Ok(ExitCode::SUCCESS)
}
