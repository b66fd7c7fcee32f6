use std::collections::BTreeSet;

use crate::admit::Admitted;
use crate::identity::IdentitySet;
use crate::model::{Data, EnvironmentFile, ParameterName, Site};
use crate::open::{OpenedFile, site_of, try_open};
use crate::yaml::{self, YamlError};

use super::{Failure, Line, Verdict, counted, finding};

/// Opens all that the identity can, and holds it against what the manifest says that its site gets.
pub(super) fn check(
    admitted: &Admitted,
    identities: &IdentitySet,
    named: Option<&Site>,
) -> Result<Vec<Line>, Failure> {
    let bundle = admitted.bundle();
    let manifest = &bundle.manifest;
    let site = site_of(bundle, identities, named)?;
    // One key may be that of several sites
    let is_ours = |texts: &Vec<String>| texts.iter().any(|text| identities.has(text));
    let mut sites: BTreeSet<&Site> =
        manifest.recipients.iter().filter(|(_, texts)| is_ours(texts)).map(|(site, _)| site).collect();
    sites.insert(&site);
    let own = bundle.file_for(&site, EnvironmentFile::Passwords);
    let mut has = own.is_none().then(BTreeSet::new);
    let mut lines = Vec::new();
    for path in bundle.files().iter().filter(|path| path.sealed) {
        let is_his = match &path.site {
            Some(of) => sites.contains(of),
            None => sites.iter().any(|site| manifest.grant_of(site).is_none()),
        };
        let opened = try_open(admitted, path, identities)?;
        let opens = opened.is_some();
        if let Some(file) = opened.filter(|_| own == Some(path)) {
            has = Some(names_in(&file)?);
        }
        if opens && !is_his {
            lines.push(finding("opened", format!("{site} opens {path}, and the manifest does not say so")));
        }
        if !opens && is_his {
            lines.push(finding("opened", format!("{site} does not open {path}, and the manifest says so")));
        }
    }
    // Of a file that does not open, that is said
    let Some(has) = has else { return Ok(lines) };
    let others: BTreeSet<&str> =
        EnvironmentFile::ALL.into_iter().filter_map(EnvironmentFile::parameter).collect();
    let grant = manifest.grant_of(&site);
    let says = manifest.secrets.iter().map(|secret| &secret.name);
    let should: BTreeSet<ParameterName> = says
        .filter(|name| grant.is_none_or(|grant| grant.holds(name)) && !others.contains(name.as_str()))
        .cloned()
        .collect();
    for name in has.difference(&should) {
        lines.push(finding("opened", format!("{site} reads {name}, and the manifest does not say so")));
    }
    for name in should.difference(&has) {
        lines.push(finding("opened", format!("{site} does not read {name}, and the manifest says so")));
    }
    if lines.is_empty() {
        let says =
            format!("{site} reads {}, exactly those that the manifest says", counted(has.len(), "secret"));
        lines.push(Line { check: "opened", verdict: Verdict::Ok, says });
    }
    Ok(lines)
}

/// The parameters that a passwords file sets.
fn names_in(file: &OpenedFile) -> Result<BTreeSet<ParameterName>, YamlError> {
    // EXPOSE: parsed into secret values, of which the names are taken
    let content = file.content.expose(|bytes| yaml::read(bytes, file.file.file_name()))?;
    let Data::Map(entries) = content.under("parameter_defaults").unwrap_or(&content) else {
        return Ok(BTreeSet::new());
    };
    // EXPOSE: a parameter's name is public
    Ok(entries.iter().filter_map(|(name, _)| name.text.expose(ParameterName::parse).ok()).collect())
}
