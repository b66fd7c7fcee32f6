//! The command line: arguments in, library calls, words out. No logic of its own.
//!
//! Each verb is a file: its arguments (`args.rs` has them together, for the help), what it calls, what it says.

mod admission;
mod args;
mod audit;
mod auditor;
mod bill;
mod check;
mod decrypt;
mod diff;
mod difference;
mod drivers;
mod environment;
mod examine;
mod exit;
mod facts;
mod generation;
mod get;
mod git;
mod harvest;
mod identities;
mod init;
mod keep;
mod keygen;
mod list;
mod login;
mod output;
mod prompt;
mod pull;
mod rekey;
mod run;
mod selftest;
mod serve;
mod show;
mod sign;
mod signing;
mod site;
mod traps;
mod trust;
mod trust_list;
mod ui;

use std::ffi::OsString;
use std::panic::catch_unwind;
use std::path::Path;
use std::process::ExitCode;

use crate::secret::{harden, unlocked_bytes, wipe_finished_frames};

use self::args::{Line, Verb, WorkerVerb};
use self::exit::Failure;
use self::ui::Ui;

/// Runs the command line `words`, the program's name first, and returns the process's exit code.
#[must_use]
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = words.into_iter().collect();
    let line = match Line::parse(&words) {
        Ok(line) => line,
        Err(error) => return exit::usage(&error),
    };
    let ui = Ui;
    ui.report_panics_without_their_text();
    if line.is_shut_at_once() && harden::shut_out_others().is_err() {
        ui.warn("this process cannot be shut to others of your user: they could read its memory");
    }
    let ended = catch_unwind(|| dispatch(&line, ui));
    if unlocked_bytes() > 0 {
        ui.warn("the limit on locked memory (`ulimit -l`) is too low for all secrets: some could have been swapped out");
    }
    let code = match ended {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => exit::report(&failure, ui),
        // The hook has said it
        Err(_) => ExitCode::FAILURE,
    };
    // All values are dropped; what their moves have left behind is not
    wipe_finished_frames();
    code
}

fn dispatch(line: &Line, ui: Ui) -> Result<ExitCode, Failure> {
    environment::refuse_debugging()?;
    match line {
        Line::Person(arguments) => {
            person(&arguments.verb, arguments.common.directory.as_deref(), arguments.common.batch, ui)
        }
        Line::Worker(arguments) => worker(&arguments.verb, arguments.batch, ui),
    }
}

fn person(verb: &Verb, directory: Option<&Path>, batch: bool, ui: Ui) -> Result<ExitCode, Failure> {
    match verb {
        Verb::Audit(verb) => audit::audit(verb, ui),
        Verb::Check(verb) => check::check(verb, directory, batch, ui),
        Verb::Decrypt(verb) => decrypt::decrypt(verb, directory, batch, ui),
        Verb::Diff(verb) => diff::diff(verb, directory, batch, ui),
        Verb::Get(verb) => get::get(verb, directory, batch, ui),
        Verb::Init(verb) => init::init(verb, directory, ui),
        Verb::Keygen(verb) => keygen::keygen(verb, ui),
        Verb::Pull(verb) => pull::pull(verb, directory, batch, ui),
        Verb::Rekey(verb) => rekey::rekey(verb, directory, batch, ui),
        Verb::Run(verb) => run::run(verb, directory, batch, ui),
        Verb::Selftest(verb) => selftest::selftest(verb),
        Verb::Serve(verb) => serve::serve(verb, directory, ui),
        Verb::Show(verb) => show::show(verb, directory),
        Verb::Sign(verb) => sign::sign(verb, directory, batch, ui),
        Verb::Site(verb) => site::site(verb, directory, batch, ui),
        Verb::Trust(verb) => trust::trust(verb, directory, batch, ui),
    }
}

fn worker(verb: &WorkerVerb, batch: bool, ui: Ui) -> Result<ExitCode, Failure> {
    match verb {
        WorkerVerb::Answer(verb) => Ok(serve::answer(verb, ui)),
        WorkerVerb::Deliver(verb) => run::deliver(verb, batch, ui),
        WorkerVerb::Enclosed(verb) => run::first(verb),
        WorkerVerb::Examine(verb) => examine::worker(verb),
        WorkerVerb::Keep(verb) => keep::worker(verb, ui),
        WorkerVerb::MergeDriver(verb) => drivers::merge_driver(verb, ui),
        WorkerVerb::Probe(probe) => selftest::probe(probe),
        WorkerVerb::Textconv(verb) => drivers::textconv(verb),
    }
}
