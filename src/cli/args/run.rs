use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::identity::IdentitySource;
use crate::run::Delivery;

use super::examples::DELIVERY_HELP;
use super::{
    AdmissionArguments, AuditArguments, EscapeArguments, IdentityArguments, OpeningArguments, TrustArguments,
    UsageError, identity,
};

#[derive(Debug, Args)]
pub(in crate::cli) struct RunArguments {
    #[command(flatten)]
    pub(in crate::cli) admission: AdmissionArguments,
    #[command(flatten)]
    pub(in crate::cli) identity: IdentityArguments,
    #[command(flatten)]
    pub(in crate::cli) audit: AuditArguments,
    /// How the command gets the files [default: mount for root, else fd]
    #[arg(long, value_name = "HOW", value_parser = delivery_parser(), long_help = DELIVERY_HELP)]
    pub(in crate::cli) delivery: Option<Delivery>,
    /// Put memory over an empty DIR that the command writes copies into; with --delivery mount; can be repeated
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) contain: Vec<PathBuf>,
    /// Keep what the command has written to contained directories in a new FILE: a tar archive, sealed for this site
    #[arg(long, value_name = "FILE", requires = "contain")]
    pub(in crate::cli) keep_sealed: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) escape: EscapeArguments,
    /// The command and its arguments; no shell reads them
    #[arg(required = true, trailing_var_arg = true, value_name = "CMD")]
    pub(in crate::cli) command: Vec<OsString>,
}

impl RunArguments {
    /// The delivery that is asked for: by its name, or by what only `mount` can do.
    pub(in crate::cli) fn asked_delivery(&self) -> Result<Option<Delivery>, UsageError> {
        match self.delivery {
            None if !self.contain.is_empty() => Ok(Some(Delivery::Mount)),
            Some(Delivery::Fd | Delivery::File) if !self.contain.is_empty() => {
                Err(UsageError::ContainWithoutMount)
            }
            delivery => Ok(delivery),
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DeliverArguments {
    #[arg(long)]
    pub(in crate::cli) bundle: PathBuf,
    #[arg(long, value_parser = identity::parser())]
    pub(in crate::cli) identity: Vec<IdentitySource>,
    #[arg(long, value_parser = delivery_parser())]
    pub(in crate::cli) delivery: Delivery,
    #[arg(long)]
    pub(in crate::cli) directory: PathBuf,
    /// The command's words, one each, to be warned of
    #[arg(long)]
    pub(in crate::cli) word: Vec<OsString>,
    #[command(flatten)]
    pub(in crate::cli) opening: OpeningArguments,
    #[command(flatten)]
    pub(in crate::cli) trust: TrustArguments,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct EnclosedArguments {
    #[arg(required = true, trailing_var_arg = true)]
    pub(in crate::cli) command: Vec<OsString>,
}

fn delivery_parser() -> impl TypedValueParser<Value = Delivery> {
    let names = PossibleValuesParser::new(Delivery::ALL.map(Delivery::name));
    names.try_map(|name| Delivery::named(&name).ok_or("not a delivery"))
}
