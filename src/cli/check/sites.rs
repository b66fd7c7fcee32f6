use std::collections::{BTreeMap, BTreeSet};

use crate::audience;
use crate::bundle::Bundle;
use crate::model::{EnvironmentFile, Grant, ParameterName, Site};
use crate::open::OpenError;
use crate::recipients::Listing;
use crate::vault::Vault;

use super::super::difference::named;
use super::{Failure, Line, Verdict, finding, or_ok};

/// Against `keys/` and `sites`, when the vault lists sites there: a bundle for others has nothing to be compared with.
pub(super) fn check(bundle: &Bundle, vault: &Vault) -> Result<Vec<Line>, Failure> {
    let listed = Listing::of_vault(&vault.keys())?.texts();
    if listed.is_empty() {
        return Ok(Vec::new());
    }
    let sealed = &bundle.manifest.recipients;
    let mut found: Vec<Line> =
        missing(sealed, &listed, "is not listed in keys/, and can open the bundle").collect();
    found.extend(missing(&listed, sealed, "is listed in keys/, and cannot open the bundle"));
    let mut lines = or_ok(found, "recipients", String::from("those in keys/, and no others"));
    if let Some(settings) = &vault.sites {
        let sites: BTreeSet<&Site> = listed.keys().collect();
        let release = bundle.manifest.source.release.as_deref();
        let (should, _) = audience::grants(&sites, settings, release, &offered(bundle))?;
        lines.extend(or_ok(
            grants(bundle, &sites, &should),
            "sites",
            String::from("each gets what dcn-vault.yaml says"),
        ));
    }
    Ok(lines)
}

/// What a site gets, for who asks for one.
pub(super) fn gets(bundle: &Bundle, site: &Site) -> Result<Line, Failure> {
    let manifest = &bundle.manifest;
    if !manifest.recipients.contains_key(site) {
        return Err(OpenError::NoSuchSite { site: site.clone() }.into());
    }
    let exposed = manifest.exposed_by(manifest.grant_of(site));
    let names: Vec<ParameterName> = exposed.into_iter().cloned().collect();
    let says = format!("{site} opens {} of {}: {}", names.len(), manifest.secrets.len(), named(&names));
    Ok(Line { check: "site", verdict: Verdict::Ok, says })
}

/// A line for each recipient of `ours` that is not among `theirs`.
fn missing<'a>(
    ours: &'a BTreeMap<Site, Vec<String>>,
    theirs: &'a BTreeMap<Site, Vec<String>>,
    says: &'static str,
) -> impl Iterator<Item = Line> + 'a {
    let is_there = |site, recipient| theirs.get(site).is_some_and(|known| known.contains(recipient));
    let each = ours.iter().flat_map(|(site, recipients)| recipients.iter().map(move |one| (site, one)));
    each.filter(move |(site, recipient)| !is_there(site, recipient))
        .map(move |(site, recipient)| finding("recipients", format!("{site}: {recipient} {says}")))
}

/// All that a site could be given.
fn offered(bundle: &Bundle) -> BTreeSet<ParameterName> {
    let names = bundle.manifest.secrets.iter().map(|secret| secret.name.clone());
    // A file that was to be clear, and is sealed, is given by its parameter
    let files = bundle.files().iter().filter(|file| file.sealed).map(|file| file.file);
    let parameters = files.filter_map(EnvironmentFile::parameter);
    names.chain(parameters.filter_map(|name| ParameterName::parse(name).ok())).collect()
}

/// A line for each site that gets more or less than the settings say now.
fn grants(bundle: &Bundle, listed: &BTreeSet<&Site>, should: &[Grant]) -> Vec<Line> {
    let of = |grants: &[Grant]| -> BTreeMap<Site, BTreeSet<ParameterName>> {
        let each = grants.iter().flat_map(|grant| {
            grant.sites.iter().map(|site| (site.clone(), grant.parameters.iter().cloned().collect()))
        });
        each.collect()
    };
    let (has, should) = (of(&bundle.manifest.grants), of(should));
    // Of one that is not listed any more its recipients say it
    let sites = bundle.manifest.recipients.keys().filter(|site| listed.contains(site));
    let lines = sites.filter_map(|site| {
        let says = match (has.get(site), should.get(site)) {
            (None, Some(_)) => String::from("gets everything, and dcn-vault.yaml says less"),
            (Some(_), None) => String::from("gets a part, and dcn-vault.yaml says everything"),
            (Some(has), Some(should)) => {
                let more: Vec<_> = has.difference(should).cloned().collect();
                let less: Vec<_> = should.difference(has).cloned().collect();
                match (more.as_slice(), less.as_slice()) {
                    ([], []) => return None,
                    ([], less) => format!("does not get {}, and dcn-vault.yaml says it does", named(less)),
                    (more, _) => format!("gets {}, and dcn-vault.yaml does not say so", named(more)),
                }
            }
            (None, None) => return None,
        };
        Some(finding("sites", format!("{site} {says}: pull again")))
    });
    lines.collect()
}
