//! `rekey` and `site remove`: what is there, sealed anew for those who may have it now.

use std::path::Path;
use std::process::ExitCode;

use crate::classify::Classified;
use crate::fs;
use crate::guard::{OnSecret, clear};
use crate::identity::{IdentityError, IdentitySet};
use crate::model::Site;
use crate::open::reopen;
use crate::recipients::{self, RecipientSet};
use crate::report::Hint;
use crate::vault::{Vault, without_site};

use super::args::{RekeyArguments, SiteRemoveArguments};
use super::exit::Failure;
use super::generation::{Generation, Recipients, audience};
use super::ui::{self, Ui};
use super::{admission, bill, environment, identities};

/// Why nothing is sealed anew, and no site removed.
#[derive(Debug, thiserror::Error)]
enum RekeyError {
    #[error("no identity, and sealing anew takes one: looked for {searched}")]
    NoIdentity { searched: String },
    #[error("there is no site `{site}`, neither in keys/ nor in the bundle")]
    NoSite { site: Site },
}

impl Hint for RekeyError {
    fn hint(&self) -> String {
        match self {
            Self::NoIdentity { .. } => String::from(
                "name one that opens everything: -i FILE; or `dcn-vault pull`, which takes none (to remove a site, after `site remove --no-rekey`)",
            ),
            Self::NoSite { .. } => String::from("`dcn-vault site list` names those that there are"),
        }
    }
}

pub(super) fn rekey(
    arguments: &RekeyArguments,
    directory: Option<&Path>,
    batch: bool,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    let vault = environment::vault(directory)?;
    let recipients = Recipients::Vault(RecipientSet::of_vault(&vault.keys())?);
    recipients.fit(&vault)?;
    for warning in recipients.warnings() {
        ui.warn(&warning.to_string());
    }
    let RekeyArguments { identity, generation, trust } = arguments;
    let generation = Generation::begin(generation, &vault, &identity.identity, trust, true, batch, ui)?;
    let reopened = opened(arguments, &vault, batch, ui)?;
    let cleared = clear(reopened, OnSecret::Seal)?;
    let audience = audience(recipients, &cleared, &vault, ui)?;
    generation.end(cleared, &audience, &vault, ui)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn remove(
    arguments: &SiteRemoveArguments,
    mut vault: Vault,
    batch: bool,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    let (file, site) = (vault.file()?, &arguments.name);
    let recipients = RecipientSet::of_vault(&vault.keys())?;
    let is_listed = recipients.sites().any(|known| known == site);
    let RekeyArguments { generation, identity, trust } = &arguments.rekey;
    let is_dry = generation.dry_run;
    let generation = Generation::begin(generation, &vault, &identity.identity, trust, true, batch, ui)?;
    let before = generation.before().cloned();
    let is_sealed_for = before.as_ref().is_some_and(|before| before.recipients.contains_key(site));
    // After a crash it may be in the settings alone
    let is_in_settings = vault.sites.as_mut().is_some_and(|sites| sites.remove(site).is_some());
    if !is_listed && !is_sealed_for && !is_in_settings {
        return Err(RekeyError::NoSite { site: site.clone() }.into());
    }
    // All that can fail before anything is changed
    let recipients = recipients.without(site)?;
    let settings = String::from_utf8_lossy(&fs::read_public(&file)?).into_owned();
    let settings = if is_in_settings { Some(without_site(&settings, site)?) } else { None };
    let reseals = is_sealed_for && !arguments.no_rekey;
    let ready = if reseals {
        let cleared = clear(opened(&arguments.rekey, &vault, batch, ui)?, OnSecret::Seal)?;
        let audience = audience(Recipients::Vault(recipients), &cleared, &vault, ui)?;
        Some((cleared, audience))
    } else {
        None
    };
    if !is_dry {
        // First who may not any more: a crash behind it leaves a bundle that `check` and the next pull put right
        if is_listed {
            recipients::remove_site(&vault.keys(), site)?;
        }
        if let Some(text) = &settings {
            fs::replace_public(&file, text.as_bytes())?;
        }
        ui.say(&format!("removed {site} from keys/ and dcn-vault.yaml"));
    }
    let owed = match (ready, &before) {
        (Some((cleared, audience)), _) => generation.end(cleared, &audience, &vault, ui)?.bill,
        (None, Some(before)) => before.owed_without(site),
        (None, None) => Vec::new(),
    };
    for line in bill::whole(owed.iter().filter(|entry| entry.site == *site)) {
        ui::print_text(&format!("{line}\n"))?;
    }
    if is_sealed_for && !reseals {
        ui.warn(&format!("the bundle is still sealed for {site}: `dcn-vault pull` seals it anew"));
    }
    if owed.iter().any(|entry| entry.due().next().is_some()) {
        ui.say("next: rotate these in OpenStack, then `dcn-vault pull`; until it has seen each of them changed, `dcn-vault check` ends with 3");
    }
    Ok(ExitCode::SUCCESS)
}

/// The bundle that is there, admitted and read back.
fn opened(arguments: &RekeyArguments, vault: &Vault, batch: bool, ui: Ui) -> Result<Classified, Failure> {
    let bundle = arguments.generation.output.clone().unwrap_or_else(|| vault.bundle());
    let admitted = admission::of(bundle, &arguments.trust).look()?;
    admission::warn(&admitted, ui);
    let identities = IdentitySet::find(&identities::of(&arguments.identity.identity, batch, ui));
    let identities = match identities {
        Err(IdentityError::NotFound { searched }) => return Err(RekeyError::NoIdentity { searched }.into()),
        other => other?,
    };
    Ok(reopen(&admitted, &identities)?)
}
