use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use nix::spawn::PosixSpawnFileActions;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::Mode;
use rustix::process::{Pid, Signal, geteuid, umask};
use rustix::stdio::stdin;

use crate::escape::Examination;
use crate::fs::{self, Moment, NewFile};
use crate::model::EnvironmentFile;
use crate::secret::harden;

use super::delivery::{Choice, Delivery, Places};
use super::enclosure::{self, Enclosure};
use super::examine::examine_after;
use super::facts::Facts;
use super::keep::{check, keep_after};
use super::links::Links;
use super::place::Place;
use super::plain::PlainFiles;
use super::scratch::Scratch;
use super::signals::{OnStop, Signals};
use super::start::{Environment, file_actions, not_started, start, start_again, start_worker};
use super::terminal::Terminal;
use super::{Command, RunError, pass};

/// What the worker is told beside its own arguments.
const DELIVERY_OPTION: &str = "--delivery";
const DIRECTORY_OPTION: &str = "--directory";
/// The hidden verb of the first process of a namespace.
const ENCLOSED_VERB: &str = "enclosed";
const DIRECTORY_VARIABLE: &str = "DCN_VAULT_DIR";
const TEMPORARY_VARIABLE: &str = "TMPDIR";

/// By these a person, or the host, ends what is not wanted any more.
const ENDING: [i32; 4] =
    [Signal::HUP.as_raw(), Signal::INT.as_raw(), Signal::QUIT.as_raw(), Signal::TERM.as_raw()];

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChildExit {
    /// With this code.
    Code(u8),
    /// By this signal.
    Signal(u8),
}

impl ChildExit {
    /// The code that a shell would give: the child's own, or 128 and the signal's number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal(number) => 128_u8.saturating_add(number),
        }
    }
}

/// How a command ended, and what it has left.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ended {
    /// How it ended.
    pub exit: ChildExit,
    /// What was found of the secrets, where it was looked for.
    pub examined: Option<Result<Examination, RunError>>,
    /// Whether what was to be kept is.
    pub kept: Option<Result<(), RunError>>,
}

/// The process that stays: it starts the worker, then the child, and returns when the child has ended.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "it is made by naming its parts")]
pub struct Supervisor {
    /// The arguments that make this program a worker.
    pub worker: Vec<OsString>,
    /// The worker's whole environment.
    pub worker_environment: Environment,
    /// The command's environment, to which `DCN_VAULT_DIR` and `TMPDIR` are added.
    pub command_environment: Environment,
    /// The arguments that make this program the worker that looks for copies, if they are to be looked for.
    pub examiner: Option<Vec<OsString>>,
    /// Where what is in contained directories is kept, sealed.
    pub keep: Option<NewFile>,
    /// Descriptors of ours that the command must not have.
    pub closed_to_command: Vec<i32>,
    /// Where the files are.
    pub places: Places,
    /// Whether this process shuts itself to others of its user: it never has a secret, but its descriptors lead to some.
    pub is_shut: bool,
}

impl Supervisor {
    /// What is chosen for `command` when nobody says: `mount` for root, `fd` for others, and for root too where `mount` will not
    /// do.
    #[must_use]
    pub fn choose(&self, command: &Command) -> Choice {
        // Without a bundle it is all the same: the worker says what is wrong
        if !geteuid().is_root() || !self.places.bundle.is_dir() {
            return Choice { delivery: Delivery::Fd, because: None };
        }
        match self.obstacle(command) {
            None => Choice { delivery: Delivery::Mount, because: None },
            Some(error) => Choice { delivery: Delivery::Fd, because: Some(error.to_string()) },
        }
    }

    /// Runs `command` with the bundle's files in place, and forwards signals to it until it ends.
    ///
    /// # Errors
    ///
    /// Any [`RunError`]; the command has not started then.
    pub fn run(&self, command: &Command, delivery: Delivery) -> Result<Ended, RunError> {
        match delivery {
            Delivery::Fd => self.run_with_descriptors(command),
            Delivery::File => self.run_with_files(command),
            Delivery::Mount => self.run_enclosed(command),
        }
    }

    fn run_with_descriptors(&self, command: &Command) -> Result<Ended, RunError> {
        self.shut()?;
        let runtime = fs::true_path(&self.places.runtime)?;
        fs::TemporaryDirectory::sweep(&runtime);
        let directory = fs::TemporaryDirectory::name_below(&runtime)?;
        let files = self.open_bundle(Delivery::Fd, &directory, None)?;
        // From here on signals wait for us: none is lost between the child's start and our care for it
        let signals = Signals::hold()?;
        let since = Moment::now();
        let exit = self.run_in_place(command, &Links::make(directory, &files)?, &signals)?;
        Ok(self.ended(exit, since, &[], &files))
    }

    fn run_with_files(&self, command: &Command) -> Result<Ended, RunError> {
        self.shut()?;
        // From here on: whatever would end us ends the worker, and what it has written is wiped
        let signals = Signals::hold()?;
        let mut files = PlainFiles::below(&self.places.memory)?;
        let opened = self.open_bundle(Delivery::File, files.path(), Some(&signals))?;
        files.are_there(&opened);
        let since = Moment::now();
        let exit = self.run_in_place(command, &files, &signals)?;
        // Looking for copies takes time, in which anybody may end us, and descriptors, not names
        files.lose_names();
        let ended = self.ended(exit, since, &[files.path()], &opened);
        for (_, file) in &opened {
            fs::wipe_nameless(file);
        }
        Ok(ended)
    }

    /// In the host's own namespaces.
    fn run_in_place(
        &self,
        command: &Command,
        place: &dyn Place,
        signals: &Signals,
    ) -> Result<ChildExit, RunError> {
        let scratch = Scratch::make();
        let words = words_of(command, place.path(), place.files());
        let environment = self.environment(place.path(), scratch.as_ref().map(Scratch::path));
        let held = || {
            place.let_child_hold()?;
            scratch.as_ref().map_or(Ok(()), Scratch::let_child_hold)
        };
        held().map_err(RunError::os("pass a descriptor on"))?;
        keep_copies_private();
        let terminal = Terminal::remember();
        let child = start(words, &environment, &self.actions()?)?;
        place.keep_to_ourselves().map_err(RunError::os("keep a descriptor"))?;
        let exit = signals.forward_until_end(child, &OnStop::Stop);
        terminal.take_back();
        exit
    }

    fn run_enclosed(&self, command: &Command) -> Result<Ended, RunError> {
        if let Some(error) = self.obstacle(command) {
            return Err(error);
        }
        let bundle = fs::true_path(&self.places.bundle)?;
        // A process that is shut may not write the maps of its own user namespace
        let enclosure = Enclosure::enter()?;
        self.shut()?;
        let opened = self.open_bundle(Delivery::Mount, &bundle, None)?;
        let files: Vec<_> = pass::environment_files(&opened).collect();
        let facts = Facts::among(&opened);
        if self.keep.is_some() {
            check(&facts)?;
        }
        enclosure.cover(&bundle, &self.places.contained)?;
        let signals = Signals::hold()?;
        let words = words_of(command, &bundle, &files);
        let environment = self.environment(&bundle, Some(Path::new(enclosure::TEMPORARY)));
        keep_copies_private();
        let terminal = Terminal::remember();
        let since = Moment::now();
        let exit = enclosure::with_first_process(
            |socket| {
                let mut actions = self.actions()?;
                actions.add_dup2(socket.as_raw_fd(), 0).map_err(not_started)?;
                let verb = [ENCLOSED_VERB, "--"].map(OsString::from);
                start_again(verb.into_iter().chain(words), &environment, &actions)
            },
            |first, socket| {
                // Where it has gone away already its exit code says why
                if pass::hear(socket) == Some(pass::Word::Ready) {
                    let _ = pass::send(socket, "stdin", stdin());
                }
                signals.forward_to_first(first, socket, &command.program)
            },
        );
        terminal.take_back();
        let contained = self.places.contained.iter().map(PathBuf::as_path);
        let memory: Vec<&Path> =
            contained.chain([bundle.as_path(), Path::new(enclosure::TEMPORARY)]).collect();
        let exit = exit?;
        // While signals are still held back: what is not kept is lost
        let keep = |file| keep_after(&self.places.contained, &facts, file, &self.worker_environment);
        let kept = self.keep.as_ref().map(keep);
        Ok(Ended { kept, ..self.ended(exit, since, &memory, &opened) })
    }

    /// The files are open until then: what the command has left is compared with what it was given, whatever the bundle is by now.
    fn ended(&self, exit: ChildExit, since: Moment, memory: &[&Path], files: &[(String, OwnedFd)]) -> Ended {
        let examine =
            |words: &Vec<OsString>| examine_after(words, &self.worker_environment, since, memory, files);
        Ended { exit, examined: self.examiner.as_ref().map(examine), kept: None }
    }

    /// Why `mount` will not do for this command.
    fn obstacle(&self, command: &Command) -> Option<RunError> {
        let bundle = fs::true_path(&self.places.bundle).ok()?;
        if enclosure::is_here_hidden() {
            return Some(RunError::HiddenHere);
        }
        let watched = self.places.watched.iter().map(|path| path.as_os_str());
        let words = std::iter::once(&command.program).chain(&command.arguments).map(OsString::as_os_str);
        let words = words.chain(watched);
        if let Some(path) = words.into_iter().find_map(|word: &OsStr| enclosure::hidden(word, &bundle)) {
            return Some(RunError::Hidden { path });
        }
        if !geteuid().is_root()
            && let Some(program) = self.found(&command.program)
            && fs::changes_user(&program)
        {
            return Some(RunError::ChangesUser { program });
        }
        None
    }

    /// Where `program` is, as the command's own PATH has it.
    fn found(&self, program: &OsString) -> Option<PathBuf> {
        if program.as_encoded_bytes().contains(&b'/') {
            return Some(PathBuf::from(program));
        }
        let (_, path) = self.command_environment.iter().find(|(name, _)| name == "PATH")?;
        let mut places = path
            .as_bytes()
            .split(|byte| *byte == b':')
            .map(|directory| Path::new(OsStr::from_bytes(directory)).join(program));
        places.find(|place| place.is_file())
    }

    fn shut(&self) -> Result<(), RunError> {
        if self.is_shut {
            harden::shut_out_others().map_err(RunError::os("shut other processes out"))
        } else {
            Ok(())
        }
    }

    /// Has a worker open the bundle. `signals` that are held back already reach it.
    fn open_bundle(
        &self,
        delivery: Delivery,
        directory: &Path,
        signals: Option<&Signals>,
    ) -> Result<Vec<(String, OwnedFd)>, RunError> {
        let (ours, theirs) = pass::socket_pair().map_err(RunError::os("make a socket"))?;
        let told = [DELIVERY_OPTION, delivery.name(), DIRECTORY_OPTION].map(OsString::from);
        let words = self.worker.iter().cloned().chain(told).chain([directory.as_os_str().to_owned()]);
        let mut worker = start_worker(words, &self.worker_environment, theirs)?;
        let ended = match signals {
            Some(signals) => signals.forward_until_word(Pid::from_child(&worker), &ours)?,
            None => None,
        };
        let files = pass::receive_all(&ours).map_err(RunError::os("receive a descriptor"))?;
        if let Some(files) = files {
            // The kernel closes its socket after it has taken its memory away. What it does then, ends of namespaces and all, takes
            // half a millisecond, for which nobody has to wait: we see it to its end when we look after the command
            pass::wait_for_end(&ours);
            return Ok(files);
        }
        let signal = match ended {
            Some(ChildExit::Code(_)) => None,
            Some(ChildExit::Signal(signal)) => Some(i32::from(signal)),
            None => {
                let waited = worker.wait();
                waited.map_err(|source| RunError::Os { what: "wait for the worker", source })?.signal()
            }
        };
        Err(match signal {
            Some(signal) if ENDING.contains(&signal) => RunError::Interrupted { signal },
            Some(_) => RunError::WorkerKilled,
            None => RunError::Worker,
        })
    }

    /// What the command finds in its environment.
    fn environment(&self, directory: &Path, temporary: Option<&Path>) -> Environment {
        let mut environment = self.command_environment.clone();
        let ours = [(DIRECTORY_VARIABLE, Some(directory)), (TEMPORARY_VARIABLE, temporary)];
        for (name, value) in ours {
            let Some(value) = value else { continue };
            environment.retain(|(known, _)| known != name);
            environment.push((OsString::from(name), value.as_os_str().to_owned()));
        }
        environment
    }

    fn actions(&self) -> Result<PosixSpawnFileActions, RunError> {
        let mut actions = file_actions()?;
        for descriptor in &self.closed_to_command {
            actions.add_close(*descriptor).map_err(not_started)?;
        }
        Ok(actions)
    }
}

/// What the command copies is for its user alone, whatever the modes that it asks for.
fn keep_copies_private() {
    umask(Mode::RWXG | Mode::RWXO);
}

fn words_of(command: &Command, directory: &Path, files: &[EnvironmentFile]) -> Vec<OsString> {
    std::iter::once(command.program.clone()).chain(command.filled(directory, files)).collect()
}
