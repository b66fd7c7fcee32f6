use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::bundle::{Envelope, Manifest};
use crate::fs;
use crate::model::Site;
use crate::recipients::{self, Addition, Listing};
use crate::vault::{SiteSettings, Vault, VaultError, with_sites};

use super::args::{AddArguments, ListArguments, SiteVerb};
use super::exit::Failure;
use super::ui::{self, Ui};
use super::{environment, rekey};

pub(super) fn site(
    verb: &SiteVerb,
    directory: Option<&Path>,
    batch: bool,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    let vault = environment::vault(directory)?;
    match verb {
        SiteVerb::Add(arguments) => add(arguments, &vault, ui),
        SiteVerb::List(arguments) => list(arguments, &vault, ui),
        SiteVerb::Remove(arguments) => rekey::remove(arguments, vault, batch, ui),
    }
}

fn add(arguments: &AddArguments, vault: &Vault, ui: Ui) -> Result<ExitCode, Failure> {
    let file = vault.file()?;
    let site = Site::parse(&arguments.name)?;
    let listed = Listing::of_vault(&vault.keys())?;
    let mut texts = arguments.recipients.clone();
    texts.extend(recipients::texts_in(&arguments.recipients_file)?);
    let addition = Addition::of(&vault.keys(), &site, &texts)?;
    let secrets = (!arguments.secrets.is_empty()).then(|| arguments.secrets.clone());
    let wanted = SiteSettings::new(arguments.role.clone(), None, secrets);
    // First what is withheld, then who may open the rest: a crash between the two gives nothing away
    if let Some(text) = edited(vault, &file, &site, &wanted, &listed)? {
        fs::replace_public(&file, text.as_bytes())?;
    }
    let path = addition.save()?;
    let count = match texts.len() {
        1 => String::from("1 recipient"),
        count => format!("{count} recipients"),
    };
    ui.say(&format!("added {count} to {}", path.display()));
    let listed = Listing::of_vault(&vault.keys())?;
    let after = environment::vault(Some(&vault.directory))?;
    ui.say(&format!("{site} gets {}", gets(&after, &site)));
    for warning in listed.warnings() {
        ui.warn(&warning.to_string());
    }
    ui.say("next: let someone else read the change, commit it, and `dcn-vault pull`");
    Ok(ExitCode::SUCCESS)
}

/// The vault file with the site in it; nothing where it says so already.
fn edited(
    vault: &Vault,
    file: &Path,
    site: &Site,
    wanted: &SiteSettings,
    listed: &Listing,
) -> Result<Option<String>, Failure> {
    let is_there = match &vault.sites {
        None => true,
        Some(sites) => sites.contains_key(site),
    };
    // Who names no policy changes none
    if wanted.is_everything() && is_there {
        return Ok(None);
    }
    let bytes = fs::read_public(file)?;
    let text = String::from_utf8(bytes).map_err(|_| VaultError::not_utf8(site))?;
    let mut sites = Vec::new();
    if vault.sites.is_none() {
        // Until now everybody got everything: with a list, who is not on it gets nothing
        let others = listed.texts().into_keys().filter(|other| other != site);
        sites.extend(others.map(|other| (other, SiteSettings::default())));
    }
    sites.push((site.clone(), wanted.clone()));
    Ok(Some(with_sites(&text, &sites)?))
}

fn list(arguments: &ListArguments, vault: &Vault, ui: Ui) -> Result<ExitCode, Failure> {
    vault.file()?;
    let listing = Listing::of_vault(&vault.keys())?;
    let (texts, kinds) = (listing.texts(), listing.kinds());
    let with_settings = vault.sites.iter().flat_map(BTreeMap::keys);
    let sites: BTreeSet<&Site> = texts.keys().chain(with_settings).collect();
    for warning in listing.warnings() {
        ui.warn(&warning.to_string());
    }
    if arguments.json {
        let each = sites.iter().map(|site| as_json(site, vault, texts.get(*site)));
        ui::print(&format!("{:#}\n", Value::Array(each.collect())))?;
        return Ok(ExitCode::SUCCESS);
    }
    if sites.is_empty() {
        ui.say("there is no site yet: `dcn-vault site add NAME RECIPIENT`");
    }
    let bundle = Envelope::read(&vault.bundle()).and_then(|envelope| envelope.manifest()).ok();
    let rows: Vec<[String; 3]> = sites
        .iter()
        .map(|site| {
            let gets = format!("{}{}", gets(vault, site), in_bundle(bundle.as_ref(), site));
            [site.to_string(), counted(kinds.get(*site)), gets]
        })
        .collect();
    ui::print_text(&table(&rows))?;
    Ok(ExitCode::SUCCESS)
}

/// How many secrets it opens in the bundle that is there.
fn in_bundle(bundle: Option<&Manifest>, site: &Site) -> String {
    let Some(manifest) = bundle else { return String::new() };
    if !manifest.recipients.contains_key(site) {
        return String::from(" (not yet in the bundle: pull)");
    }
    let (has, all) = (manifest.exposed_by(manifest.grant_of(site)).len(), manifest.secrets.len());
    match all.saturating_sub(has) {
        0 => format!(": all {all} secrets"),
        withheld => format!(": {has} of {all} secrets, {withheld} withheld"),
    }
}

/// What a site gets, in words.
fn gets(vault: &Vault, site: &Site) -> String {
    let Some(sites) = &vault.sites else { return String::from("everything") };
    let Some(settings) = sites.get(site) else {
        return String::from("nothing: dcn-vault.yaml lists sites, and not this one");
    };
    let role = settings.role.as_ref().map(|role| match &settings.release {
        Some(release) => format!("what role {role} takes in {release}"),
        None => format!("what role {role} takes"),
    });
    let secrets = settings.secrets.as_ref().map(|globs| match globs.as_slice() {
        [] => String::from("no secret by name"),
        globs => globs.join(", "),
    });
    let parts: Vec<String> = [role, secrets].into_iter().flatten().collect();
    if parts.is_empty() { String::from("everything") } else { parts.join(", and ") }
}

fn counted(kinds: Option<&BTreeMap<String, usize>>) -> String {
    let Some(kinds) = kinds else { return String::from("no recipients") };
    kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ")
}

fn table(rows: &[[String; 3]]) -> String {
    let widest =
        |column: fn(&[String; 3]) -> &String| rows.iter().map(|row| column(row).len()).max().unwrap_or(0);
    let (sites, recipients) = (widest(|row| &row[0]), widest(|row| &row[1]));
    let mut text = String::new();
    for [site, recipient, gets] in rows {
        // Writing to a String does not fail
        let _ = writeln!(text, "{site:<sites$}  {recipient:<recipients$}  {}", ui::shown(gets));
    }
    text
}

fn as_json(site: &Site, vault: &Vault, recipients: Option<&Vec<String>>) -> Value {
    let settings = vault.sites.as_ref().map(|sites| sites.get(site));
    let known = settings.flatten();
    json!({
        "site": site.as_str(),
        "recipients": recipients.cloned().unwrap_or_default(),
        // Without a list everybody is on it
        "listed": settings.is_none_or(|settings| settings.is_some()),
        "role": known.and_then(|settings| settings.role.clone()),
        "release": known.and_then(|settings| settings.release.clone()),
        "secrets": known.and_then(|settings| settings.secrets.clone()),
    })
}
