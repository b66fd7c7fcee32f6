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
use std::process::ExitCode;

use clap::Parser;

use crate::secret::{harden, unlocked_bytes, wipe_finished_frames};

use self::args::{Arguments, Verb};
use self::exit::Failure;
use self::ui::Ui;

/// Runs the command line `words`, the program's name first, and returns the process's exit code.
#[must_use]
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => return exit::usage(&error),
    };
    let ui = Ui;
    ui.report_panics_without_their_text();
    if arguments.verb.is_shut_at_once() && harden::shut_out_others().is_err() {
        ui.warn("this process cannot be shut to others of your user: they could read its memory");
    }
    let ended = catch_unwind(|| dispatch(&arguments, ui));
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

fn dispatch(arguments: &Arguments, ui: Ui) -> Result<ExitCode, Failure> {
    environment::refuse_debugging()?;
    let directory = arguments.directory.as_deref();
    match &arguments.verb {
        Verb::Answer(verb) => Ok(serve::answer(verb, ui)),
        Verb::Audit(verb) => audit::audit(verb, ui),
        Verb::Check(verb) => check::check(verb, directory, arguments.batch, ui),
        Verb::Decrypt(verb) => decrypt::decrypt(verb, directory, arguments.batch, ui),
        Verb::Deliver(verb) => run::deliver(verb, arguments.batch, ui),
        Verb::Enclosed(verb) => run::first(verb),
        Verb::Diff(verb) => diff::diff(verb, directory, arguments.batch, ui),
        Verb::Examine(verb) => examine::worker(verb),
        Verb::Get(verb) => get::get(verb, directory, arguments.batch, ui),
        Verb::Init(verb) => init::init(verb, directory, ui),
        Verb::Keep(verb) => keep::worker(verb, ui),
        Verb::Keygen(verb) => keygen::keygen(verb, ui),
        Verb::MergeDriver(verb) => drivers::merge_driver(verb, ui),
        Verb::Probe(probe) => selftest::probe(probe),
        Verb::Pull(verb) => pull::pull(verb, directory, arguments.batch, ui),
        Verb::Rekey(verb) => rekey::rekey(verb, directory, arguments.batch, ui),
        Verb::Run(verb) => run::run(verb, directory, arguments.batch, ui),
        Verb::Selftest(verb) => selftest::selftest(verb),
        Verb::Serve(verb) => serve::serve(verb, directory, ui),
        Verb::Sign(verb) => sign::sign(verb, directory, arguments.batch, ui),
        Verb::Show(verb) => show::show(verb, directory),
        Verb::Site(verb) => site::site(verb, directory, arguments.batch, ui),
        Verb::Textconv(verb) => drivers::textconv(verb),
        Verb::Trust(verb) => trust::trust(verb, directory, arguments.batch, ui),
    }
}
