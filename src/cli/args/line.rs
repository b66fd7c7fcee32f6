use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::examples::RUN_EXAMPLES;
use super::{
    AnswerArguments, Arguments, Common, DeliverArguments, EnclosedArguments, ExamineArguments, KeepArguments,
    MergeDriverArguments, RunArguments, TextconvArguments, Verb,
};

/// A command line: a person's, or one that none types.
///
/// All verbs together have three hundred options, and to define them takes half a millisecond. A deployment would wait for that at
/// each start of ours, so `run` is read by a definition of its own, and so are the workers' lines.
#[derive(Debug)]
pub(in crate::cli) enum Line {
    Person(Box<Arguments>),
    Worker(Box<WorkerArguments>),
}

#[derive(Debug, Parser)]
#[command(name = "dcn-vault", version, max_term_width = 100, subcommand_required = true)]
struct RunLine {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: RunVerb,
}

#[derive(Debug, Subcommand)]
enum RunVerb {
    /// Run a command with the secrets in place, for its process tree alone
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArguments),
}

#[derive(Debug, Parser)]
#[command(name = "dcn-vault")]
pub(in crate::cli) struct WorkerArguments {
    #[arg(long, global = true)]
    pub(in crate::cli) batch: bool,
    #[command(subcommand)]
    pub(in crate::cli) verb: WorkerVerb,
}

/// What our own processes and git call.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum WorkerVerb {
    /// The worker of `serve`: opens one file, and writes the answer to the client
    Answer(AnswerArguments),
    /// The worker of `run`: opens a bundle and passes descriptors over standard input
    Deliver(DeliverArguments),
    /// The first process of `run --delivery mount`: starts the command, and ends all that came of it
    Enclosed(EnclosedArguments),
    /// The worker of `run` that looks for copies of what it receives over standard input
    Examine(ExamineArguments),
    /// The worker of `run` that seals what is kept of contained directories to standard output
    Keep(KeepArguments),
    /// What git calls to show a manifest or an age file as text
    Textconv(TextconvArguments),
    /// What git calls to merge a file of a bundle, which it refuses
    MergeDriver(MergeDriverArguments),
    /// The processes that `selftest` looks into: they hold made-up secrets
    #[command(subcommand)]
    Probe(Probe),
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Probe {
    /// The command of `run`
    Child { file: PathBuf },
    /// Crash
    Crash,
    /// Hold secrets, shut to others
    Hold,
    /// The supervisor of `run`
    Run { directory: PathBuf },
    /// Seal, and open
    Walk { directory: PathBuf, recipient: String },
}

impl Line {
    /// Reads `words`, the program's name first.
    pub(in crate::cli) fn parse(words: &[OsString]) -> Result<Self, clap::Error> {
        match words.get(1).and_then(|verb| verb.to_str()) {
            Some(verb) if WorkerVerb::has_subcommand(verb) => {
                WorkerArguments::try_parse_from(words).map(|line| Self::Worker(Box::new(line)))
            }
            Some("run") => {
                RunLine::try_parse_from(words).map(|RunLine { common, verb: RunVerb::Run(verb) }| {
                    Self::Person(Box::new(Arguments { common, verb: Verb::Run(verb) }))
                })
            }
            _ => Arguments::try_parse_from(words).map(|line| Self::Person(Box::new(line))),
        }
    }

    /// Whether the process shuts itself to others at once. `run` and its worker do so themselves, later; a probe may be
    /// looked into, and holds nothing that is secret.
    pub(in crate::cli) const fn is_shut_at_once(&self) -> bool {
        match self {
            Self::Person(line) => !matches!(line.verb, Verb::Run(_)),
            Self::Worker(line) => !matches!(
                line.verb,
                WorkerVerb::Deliver(_)
                    | WorkerVerb::Probe(Probe::Child { .. } | Probe::Run { .. } | Probe::Walk { .. })
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_sees_the_same_help_and_errors_of_run_by_either_definition() {
        for words in [&["run", "--help"][..], &["run", "-h"], &["run"], &["run", "--no-such", "x"]] {
            let words = ["dcn-vault"].iter().chain(words);
            let said = |error: clap::Error| error.render().to_string();
            let all = said(Arguments::try_parse_from(words.clone()).unwrap_err());
            assert_eq!(said(RunLine::try_parse_from(words).unwrap_err()), all);
        }
    }

    #[test]
    fn a_workers_verb_is_none_of_a_persons() {
        use clap::CommandFactory;
        for verb in Arguments::command().get_subcommands() {
            assert!(!WorkerVerb::has_subcommand(verb.get_name()), "{}", verb.get_name());
        }
        WorkerArguments::command().debug_assert();
        RunLine::command().debug_assert();
    }
}
