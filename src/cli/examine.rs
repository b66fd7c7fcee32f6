//! What the command of `run` has left of the secrets, and what is said of it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustix::stdio::stdin;

use crate::escape::{Contents, Escape, Examination, Habits, Opaque, Places};
use crate::fs;
use crate::report::Hint;
use crate::run::{Command, Ended, examine};

use super::args::{ExamineArguments, OnEscape};
use super::environment;
use super::exit::Failure;
use super::ui::{self, Ui, counted};

/// The stack of a command line that names none.
const USUAL_STACK: &str = "overcloud";
/// Of what cannot be looked into, so many are named.
const NAMED: usize = 3;

/// The words that make this program the worker that looks for copies of what `command` was given.
pub(super) fn words(command: &Command, watched: &[PathBuf]) -> Result<Vec<OsString>, Failure> {
    let mut words = vec![OsString::from("examine")];
    let mut option = |name: &str, value: &Path| {
        let mut word = OsString::from(name);
        word.push("=");
        word.push(value);
        words.push(word);
    };
    let stack = command.option(&["--stack"]).map_or_else(|| USUAL_STACK.into(), OsString::from);
    option("--stack", Path::new(&stack));
    for directory in watched {
        option("--watch", &fs::true_path(directory)?);
    }
    let named = ["--working-dir", "--output-dir", "--config-dir"].map(|name| command.option(&[name]));
    for directory in named.into_iter().flatten() {
        // One that is not there yet will be
        let here = environment::here(None).join(directory);
        option("--working", &fs::true_path(&here).unwrap_or(here));
    }
    for directory in environment::temporary_directories() {
        option("--temporary", &directory);
    }
    option("--here", &environment::here(None));
    Ok(words)
}

/// The worker.
pub(super) fn worker(arguments: &ExamineArguments) -> Result<ExitCode, Failure> {
    let places = Places {
        home: environment::home(),
        mistral: environment::places().mistral,
        stack: arguments.stack.clone(),
        temporary: arguments.temporary.clone(),
        working: arguments.working.clone(),
        here: arguments.here.clone(),
        watched: arguments.watch.clone(),
        not: arguments.not.clone(),
    };
    // Who has gone asks nothing
    let Some(found) = examine(stdin(), &places, arguments.since)? else { return Ok(ExitCode::FAILURE) };
    ui::print(&found.to_json())?;
    Ok(ExitCode::SUCCESS)
}

/// Says what was found. Nothing is said where there is nothing, unless somebody has asked.
fn say(found: &Examination, is_deployment: bool, ui: Ui) {
    for Escape { path, mode, parameters } in &found.escapes {
        let names = parameters.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let values = if parameters.len() == 1 { "the value" } else { "values" };
        ui.warn(&format!("{} (mode {mode:04o}) holds {values} of {names}", ui::shown(path)));
    }
    say_opaque(&found.opaque, ui);
    if let Some(first) = found.unreadable.first() {
        let count = counted(found.unreadable.len(), "place");
        ui.warn(&format!("{count} could not be read to look for copies, such as {}", ui::shown(first)));
    }
    let claims = is_deployment || !found.watched.is_empty() || !found.escapes.is_empty();
    if claims && !found.too_short.is_empty() {
        let names = found.too_short.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        ui.warn(&format!("no copy was looked for of a value of fewer than 8 bytes: {names}"));
    }
    if is_deployment && found.habits == Habits::Plan {
        ui.warn(
            "this release's client has stored the parameters in Swift (the plan), in Mistral's executions and in Heat's database, which no scan of files sees",
        );
    }
    if found.escapes.is_empty() {
        for (directory, files) in &found.watched {
            let files = counted(usize::try_from(*files).unwrap_or(usize::MAX), "changed file");
            ui.say(&format!("no copy of a secret in {}: {files} looked at", ui::shown(directory)));
        }
    } else {
        ui.say("hint: remove these copies, or seal them; rotate what others could read, and what was stored elsewhere");
    }
}

fn say_opaque(opaque: &[Opaque], ui: Ui) {
    let mut others = Vec::new();
    for one in opaque {
        match one {
            Opaque::Archive { path, holds: None } => others.push(ui::shown(path)),
            Opaque::Archive { path, holds: Some(contents) } => {
                let holds = match contents {
                    Contents::HeatDatabase => "a dump of Heat's database, with all parameters",
                    Contents::WorkingDirectory => "all of the working directory",
                };
                ui.warn(&format!(
                    "{} is compressed and was not looked into: it holds {holds}",
                    ui::shown(path)
                ));
            }
            Opaque::Git { path, objects } => {
                let objects = counted(usize::try_from(*objects).unwrap_or(usize::MAX), "new object");
                ui.warn(&format!(
                    "{} has {objects}, which are compressed and were not looked into: what was committed stays in its history",
                    ui::shown(path)
                ));
            }
        }
    }
    if !others.is_empty() {
        let named = others.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = others.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        ui.warn(&format!("compressed, and not looked into: {named}{more}"));
    }
}

/// Says what `command` has left, and returns the exit code of its run.
pub(super) fn finish(ended: Ended, command: &Command, on_escape: OnEscape, ui: Ui) -> ExitCode {
    // What was not looked for may be there
    let is_clean = match ended.examined {
        None => true,
        Some(Ok(found)) => {
            say(&found, command.is_deployment(), ui);
            found.escapes.is_empty()
        }
        Some(Err(error)) => {
            ui.warn(&format!("{error}: {}", error.hint()));
            false
        }
    };
    let is_kept = match ended.kept {
        None | Some(Ok(())) => true,
        Some(Err(error)) => {
            ui.error(&error.to_string(), &error.hint());
            false
        }
    };
    match ended.exit.code() {
        0 if !is_kept => ExitCode::FAILURE,
        0 if !is_clean && on_escape == OnEscape::Fail => ExitCode::FAILURE,
        code => ExitCode::from(code),
    }
}
