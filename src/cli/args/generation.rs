use std::path::PathBuf;

use clap::Args;

/// What every verb takes that makes a generation.
#[derive(Debug, Args)]
pub(in crate::cli) struct GenerationArguments {
    /// Where the bundle goes [default: bundle/ of the vault]
    #[arg(short, long, value_name = "DIR")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Do everything, and write nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Sign with this ssh key; with a .pub file, the agent signs [default: ~/.config/dcn-vault/signing_key]
    #[arg(long, value_name = "FILE", conflicts_with = "no_sign")]
    pub(in crate::cli) sign_key: Option<PathBuf>,
    /// Do not sign: no site opens the bundle without --allow-unsigned
    #[arg(long)]
    pub(in crate::cli) no_sign: bool,
    /// Take these secrets off the bill: they were rotated, or are gone, and it cannot be told from here
    #[arg(long, value_name = "GLOB")]
    pub(in crate::cli) settled: Vec<String>,
    /// Go on behind this generation, one more than any site has seen: for a centre that was restored from a backup
    #[arg(long, value_name = "GENERATION")]
    pub(in crate::cli) after: Option<u64>,
}
