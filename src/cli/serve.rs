use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use nix::unistd::Group;
use rustix::stdio::{stdin, stdout};

use crate::audit::{self, Event, Peer, Who};
use crate::fs::{self, FileError};
use crate::identity::IdentitySet;
use crate::model::ParameterName;
use crate::report::Hint;
use crate::serve::{
    self, Activation, Entry, Listener, Notice, Outcome, Policy, ServeError, Service, Unrecorded, Workshop,
};

use super::args::{AnswerArguments, ServeArguments};
use super::auditor::{self, NoPlace};
use super::environment::LogPlace;
use super::exit::Failure;
use super::ui::{self, Ui};
use super::{admission, environment, identities};

/// `--group` names none.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` is no group of this host")]
struct NoSuchGroup {
    name: String,
}

impl Hint for NoSuchGroup {
    fn hint(&self) -> String {
        String::from("`getent group` lists them")
    }
}

/// A descriptor gives an identity once.
#[derive(Debug, thiserror::Error)]
#[error("an identity of an inherited descriptor can be read once, and a bundle is opened for each request")]
struct ReadOnce;

impl Hint for ReadOnce {
    fn hint(&self) -> String {
        String::from("name a file, or have systemd load the credential dcn-vault-identity")
    }
}

pub(super) fn serve(
    arguments: &ServeArguments,
    directory: Option<&Path>,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    let usual = environment::usual_socket();
    let socket = arguments.socket.as_deref().unwrap_or(&usual);
    if let Some(unit) = &arguments.drop_in {
        ui::print(&serve::drop_in(unit, &arguments.credential, socket)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.identity.identity.iter().any(|source| source.descriptor().is_some()) {
        return Err(ReadOnce.into());
    }
    let systemd = environment::of_systemd();
    // Before anything else is opened: systemd's descriptors are numbers
    let activation = Activation { pid: systemd.listen_pid.as_deref(), count: systemd.listen_fds.as_deref() };
    let inherited = Listener::inherited(activation)?;
    // What is wrong with the policy is said before a socket is there
    Policy::read(&arguments.policy).map_err(ServeError::from)?;
    let admission = admission::admission(&arguments.admission, directory)?;
    if let Err(error) = admission.look() {
        ui.warn(&format!("requests will fail until this is mended: {error}"));
    }
    let listener = match inherited.filter(|_| arguments.socket.is_none()) {
        Some(listener) => listener,
        None => bind(socket, arguments, &usual)?,
    };
    let mut words =
        vec![OsString::from("answer"), OsString::from("--bundle"), admission.directory.into_os_string()];
    words.extend(arguments.admission.trust.words());
    let named = &arguments.identity.identity;
    words.extend(identities::words(named));
    // Without a place to write down who got what nobody gets anything
    let place = arguments.audit_log.clone().map(LogPlace::Named).or_else(environment::audit_log);
    let (log, _) = auditor::open(place.ok_or(NoPlace)?)?;
    let who = environment::who();
    let record = |entry: &Entry<'_>| {
        let line = line_of(entry, &who).map_err(|error| Unrecorded(error.to_string()))?;
        log.append(&line).map(|_| ()).map_err(|error| Unrecorded(error.to_string()))
    };
    let service = Service {
        listener,
        policy: &|| Policy::read(&arguments.policy),
        workshop: Workshop { words, environment: identities::worker_environment(named) },
        record: &record,
        tell: &|notice| tell(ui, notice),
        notify: systemd.notify_socket.as_deref(),
    };
    service.run()?;
    Ok(ExitCode::SUCCESS)
}

fn bind(socket: &Path, arguments: &ServeArguments, usual: &Path) -> Result<Listener, Failure> {
    let group = match &arguments.group {
        Some(name) => {
            let unknown = || NoSuchGroup { name: name.escape_debug().to_string() };
            Some(Group::from_name(name).ok().flatten().ok_or_else(unknown)?.gid.as_raw())
        }
        None => None,
    };
    // The directory of our own place is ours to make
    if socket == usual
        && let Some(parent) = socket.parent()
    {
        fs::make_public_directories(parent)?;
    }
    Ok(Listener::at(socket, group)?)
}

/// The audit log's line for a request.
fn line_of(entry: &Entry<'_>, who: &Who) -> Result<audit::Entry, FileError> {
    let event = match entry.outcome {
        Outcome::Answered => Event::Opened,
        Outcome::Refused(_) => Event::Refused,
    };
    let mut line = audit::Entry::new(event, audit::Verb::Serve, &fs::make_id()?, who, environment::now());
    line.peer =
        Some(Peer { pid: entry.pid, uid: entry.uid, gid: entry.gid, unit: entry.unit.map(str::to_owned) });
    line.delivery = Some(match entry.credential {
        Some(id) => format!("credential {id}"),
        None => String::from("socket"),
    });
    if let Outcome::Refused(why) = entry.outcome {
        line.error = Some(match entry.asked {
            Some(asked) => format!("{}: {why}", asked.text()),
            None => why.to_owned(),
        });
    }
    if let Some(place) = entry.place {
        line.vault = Some(place.vault.to_owned());
        line.generation = Some(place.generation);
        line.files = vec![place.file.file_name().to_owned()];
        line.parameters =
            place.parameters.iter().filter_map(|name| ParameterName::parse(name).ok()).collect();
        line.waived = place.waived.to_vec();
    }
    Ok(line)
}

fn tell(ui: Ui, notice: &Notice<'_>) {
    match notice {
        Notice::Ready => ui.say("answering"),
        Notice::UnpinnedPeers => ui.warn(
            "this kernel does not say which process a client is (SO_PEERPIDFD, Linux 6.5): a `unit` of the policy fits systemd's own \
             requests alone, and of a client's groups the first",
        ),
        Notice::Reloaded { rules } => ui.say(&format!("a new policy holds: {}", ui::counted(*rules, "rule"))),
        Notice::NotReloaded(error) => {
            ui.error(&format!("the old policy still holds, since the new one cannot: {error}"), &error.hint());
        }
        Notice::Stopping => ui.say("ending, when what was asked for is answered"),
        Notice::Unrecorded(why) => {
            ui.error(&format!("a request is not answered, since it cannot be written down: {why}"), "is the disk full?");
        }
    }
}

pub(super) fn answer(arguments: &AnswerArguments, ui: Ui) -> ExitCode {
    let admission = admission::of(arguments.bundle.clone(), &arguments.trust);
    let admit = || admission.admit().inspect(|admitted| admission::warn(admitted, ui));
    // Nobody sits at a terminal of ours
    let search = identities::of(&arguments.identity, true, ui);
    let identify = || IdentitySet::find(&search);
    let is_whole = serve::answer(admit, identify, arguments.trust.site.as_ref(), stdout(), stdin());
    if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
