use clap::Args;

use crate::model::Site;

use super::{GenerationArguments, IdentityArguments, TrustArguments, admission};

#[derive(Debug, Args)]
pub(in crate::cli) struct RekeyArguments {
    #[command(flatten)]
    pub(in crate::cli) identity: IdentityArguments,
    #[command(flatten)]
    pub(in crate::cli) generation: GenerationArguments,
    #[command(flatten)]
    pub(in crate::cli) trust: TrustArguments,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SiteRemoveArguments {
    /// The site
    #[arg(value_name = "NAME", value_parser = admission::parse_site)]
    pub(in crate::cli) name: Site,
    /// Do not seal the bundle anew: the next pull does
    #[arg(long)]
    pub(in crate::cli) no_rekey: bool,
    #[command(flatten)]
    pub(in crate::cli) rekey: RekeyArguments,
}
