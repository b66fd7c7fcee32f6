use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser};

use crate::identity::IdentitySource;

/// What every verb takes that opens a bundle for its site.
#[derive(Debug, Args)]
pub(in crate::cli) struct IdentityArguments {
    /// An identity: a FILE of mode 0600, fd:N, an inherited descriptor, or cmd:WORDS, what a command writes; a file of such
    /// a name is ./fd:N [default: the usual places, see the manual]
    #[arg(short, long, value_name = "IDENTITY", value_parser = parser())]
    pub(in crate::cli) identity: Vec<IdentitySource>,
}

pub(super) fn parser() -> impl TypedValueParser<Value = IdentitySource> {
    PathBufValueParser::new().try_map(IdentitySource::parse)
}
