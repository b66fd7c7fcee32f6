use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::fs::Moment;

/// What `run` does about copies of the secrets.
#[derive(Debug, Args)]
pub(in crate::cli) struct EscapeArguments {
    /// Look for copies of the secrets below DIR, too, once the command has ended; can be repeated
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) watch: Vec<PathBuf>,
    /// What to do when a copy is found
    #[arg(long, value_enum, default_value_t = OnEscape::Warn, value_name = "WHAT")]
    pub(in crate::cli) on_escape: OnEscape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum OnEscape {
    /// Name each
    Warn,
    /// Name each, and exit with 1 if the command has exited with 0
    Fail,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExamineArguments {
    #[arg(long)]
    pub(in crate::cli) stack: OsString,
    #[arg(long)]
    pub(in crate::cli) watch: Vec<PathBuf>,
    #[arg(long)]
    pub(in crate::cli) working: Vec<PathBuf>,
    #[arg(long)]
    pub(in crate::cli) temporary: Vec<PathBuf>,
    #[arg(long)]
    pub(in crate::cli) here: Option<PathBuf>,
    #[arg(long)]
    pub(in crate::cli) not: Vec<PathBuf>,
    #[arg(long)]
    pub(in crate::cli) since: Moment,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct KeepArguments {
    #[arg(long)]
    pub(in crate::cli) directory: Vec<PathBuf>,
    #[arg(long)]
    pub(in crate::cli) recipient: Vec<String>,
}
