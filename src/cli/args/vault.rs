use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::SiteRemoveArguments;
use super::examples::{ADD_EXAMPLES, LIST_EXAMPLES, REMOVE_EXAMPLES};

#[derive(Debug, Args)]
pub(in crate::cli) struct InitArguments {
    /// Set git up to show bundles by name, and never to merge them; also in a clone of a vault
    #[arg(long)]
    pub(in crate::cli) git_config: bool,
    /// Say how git is set up, also where there is no repository yet
    #[arg(long, conflicts_with = "git_config")]
    pub(in crate::cli) git: bool,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SiteVerb {
    /// Add recipients to a site, and the site where there is none
    #[command(after_help = ADD_EXAMPLES)]
    Add(AddArguments),
    /// Take a site out, seal the bundle anew without it, and say what must be rotated
    #[command(after_help = REMOVE_EXAMPLES)]
    Remove(Box<SiteRemoveArguments>),
    /// List the sites, their recipients, and what each gets
    #[command(after_help = LIST_EXAMPLES)]
    List(ListArguments),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AddArguments {
    /// The site
    #[arg(value_name = "NAME")]
    pub(in crate::cli) name: String,
    /// An age recipient who may open what is for the site
    #[arg(value_name = "RECIPIENT", required_unless_present = "recipients_file")]
    pub(in crate::cli) recipients: Vec<String>,
    /// A file of recipients, one a line
    #[arg(short = 'R', long, value_name = "FILE")]
    pub(in crate::cli) recipients_file: Vec<PathBuf>,
    /// Give it what the services of this role take [default: everything]
    #[arg(long, value_name = "ROLE")]
    pub(in crate::cli) role: Option<String>,
    /// Give it the secrets that match; `*` and `?` are wildcards; can be repeated
    #[arg(long, value_name = "GLOB")]
    pub(in crate::cli) secrets: Vec<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ListArguments {
    /// Print the sites as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TextconvArguments {
    /// A manifest, or an age file
    pub(in crate::cli) file: PathBuf,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct MergeDriverArguments {
    /// What both began with
    pub(in crate::cli) base: PathBuf,
    /// Ours, which stays
    pub(in crate::cli) ours: PathBuf,
    /// Theirs
    pub(in crate::cli) theirs: PathBuf,
    /// Its name in the repository
    pub(in crate::cli) path: PathBuf,
}
