use std::path::PathBuf;

use clap::Args;

use super::SourceArguments;

#[derive(Debug, Args)]
pub(in crate::cli) struct DiffArguments {
    /// An older bundle [default: compare with the live plan]
    #[arg(value_name = "OLDER", conflicts_with = "generation")]
    pub(in crate::cli) older: Option<PathBuf>,
    /// An older generation of the same bundle, from git's history
    #[arg(long, value_name = "NUMBER")]
    pub(in crate::cli) generation: Option<u64>,
    /// The bundle [default: bundle/ of the vault]
    #[arg(short, long, value_name = "DIR")]
    pub(in crate::cli) bundle: Option<PathBuf>,
    /// Print the differences as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArguments,
}
