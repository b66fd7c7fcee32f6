//! Who gets what: each site with its recipients, and with everything or a subset.
//!
//! It stands apart because it is where least privilege is decided, and it is pure: settings and names in, subsets out. What a
//! setting does not grant, a site does not get.
//!
//! # What this does not do
//!
//! It does not know values: a file that holds the value of a parameter is the guard's finding. What a site knew before is the
//! bundle's bill.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::model::{Glob, Grant, ParameterName, Site};
use crate::recipients::RecipientSet;
use crate::report::Hint;
use crate::role::{self, RoleError};
use crate::vault::SiteSettings;

/// The sites of a bundle.
#[derive(Debug)]
#[non_exhaustive]
pub struct Audience {
    pub(crate) recipients: RecipientSet,
    /// The subsets. A site that is in none gets everything.
    pub(crate) grants: Vec<Grant>,
}

/// What may be a slip of the pen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AudienceWarning {
    /// A site gets no secret at all.
    Nothing {
        /// The site.
        site: Site,
    },
    /// A glob that no secret matches.
    NoMatch {
        /// The site.
        site: Site,
        /// The glob.
        glob: String,
    },
}

/// Why it is not known who gets what.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AudienceError {
    /// The settings have a site that has no recipients.
    #[error("dcn-vault.yaml has the site `{site}`, and keys/ has not")]
    NoRecipients {
        /// The site.
        site: Site,
    },
    /// A site has recipients, and the settings, which have others, do not say what it gets.
    #[error("keys/ has the site `{site}`, and `sites` in dcn-vault.yaml has not")]
    NotListed {
        /// The site.
        site: Site,
    },
    /// What its role takes is not known.
    #[error("site `{site}`: {error}")]
    Role {
        /// The site.
        site: Site,
        /// Why not.
        error: RoleError,
    },
}

impl Hint for AudienceError {
    fn hint(&self) -> String {
        match self {
            Self::NoRecipients { site } => {
                format!("`dcn-vault site add {site} RECIPIENT`, or take it out of dcn-vault.yaml")
            }
            Self::NotListed { site } => {
                format!(
                    "say there what it gets: `{site}: {{}}` for everything; or `dcn-vault site remove {site}`"
                )
            }
            Self::Role { error, .. } => error.hint(),
        }
    }
}

impl fmt::Display for AudienceWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing { site } => write!(f, "site `{site}` gets no secret at all"),
            Self::NoMatch { site, glob } => {
                write!(f, "site `{site}`: no secret is called `{}`", glob.escape_debug())
            }
        }
    }
}

impl Audience {
    /// Every site gets everything.
    #[must_use]
    pub const fn everyone(recipients: RecipientSet) -> Self {
        Self { recipients, grants: Vec::new() }
    }

    /// Each site gets what `settings` say, as [`grants`] works it out.
    ///
    /// # Errors
    ///
    /// Any [`AudienceError`].
    pub fn of(
        recipients: RecipientSet,
        settings: &BTreeMap<Site, SiteSettings>,
        release: Option<&str>,
        offered: &BTreeSet<ParameterName>,
    ) -> Result<(Self, Vec<AudienceWarning>), AudienceError> {
        let (grants, warnings) = grants(&recipients.sites().collect(), settings, release, offered)?;
        Ok((Self { recipients, grants }, warnings))
    }

    /// The sites that get everything.
    pub(crate) fn entire(&self) -> Vec<&Site> {
        let granted: BTreeSet<&Site> = self.grants.iter().flat_map(|grant| &grant.sites).collect();
        self.recipients.sites().filter(|site| !granted.contains(site)).collect()
    }
}

/// What each of `sites` gets of what is `offered`, as `settings` say; `release` is what a role without one of its own is looked up
/// in. A site that is in no subset gets everything.
///
/// # Errors
///
/// Any [`AudienceError`].
pub fn grants(
    sites: &BTreeSet<&Site>,
    settings: &BTreeMap<Site, SiteSettings>,
    release: Option<&str>,
    offered: &BTreeSet<ParameterName>,
) -> Result<(Vec<Grant>, Vec<AudienceWarning>), AudienceError> {
    refuse_unlisted(sites, settings)?;
    let mut warnings = Vec::new();
    // Thousands of sites share a handful of roles: each is looked up once
    let mut subsets: BTreeMap<&SiteSettings, Grant> = BTreeMap::new();
    for (site, wish) in settings {
        if wish.is_everything() {
            continue;
        }
        let grant = match subsets.remove(wish) {
            Some(known) => known,
            None => subset(site, wish, release, offered, &mut warnings)?,
        };
        let grant = subsets.entry(wish).or_insert(grant);
        if grant.parameters.is_empty() {
            warnings.push(AudienceWarning::Nothing { site: site.clone() });
        }
        grant.sites.push(site.clone());
    }
    Ok((subsets.into_values().collect(), warnings))
}

/// Refuses a site that only `keys/` or only the settings have: known before anything is pulled.
///
/// # Errors
///
/// [`AudienceError::NotListed`] and [`AudienceError::NoRecipients`].
pub fn refuse_unlisted(
    sites: &BTreeSet<&Site>,
    settings: &BTreeMap<Site, SiteSettings>,
) -> Result<(), AudienceError> {
    if let Some(site) = sites.iter().find(|site| !settings.contains_key(site)) {
        return Err(AudienceError::NotListed { site: (*site).clone() });
    }
    match settings.keys().find(|site| !sites.contains(site)) {
        Some(site) => Err(AudienceError::NoRecipients { site: site.clone() }),
        None => Ok(()),
    }
}

fn subset(
    site: &Site,
    wish: &SiteSettings,
    release: Option<&str>,
    offered: &BTreeSet<ParameterName>,
    warnings: &mut Vec<AudienceWarning>,
) -> Result<Grant, AudienceError> {
    let mut names = BTreeSet::new();
    let mut by = Vec::new();
    if let Some(role) = &wish.role {
        let needs = role::needs(wish.release.as_deref().or(release), role)
            .map_err(|error| AudienceError::Role { site: site.clone(), error })?;
        names.extend(offered.iter().filter(|name| needs.takes(name.as_str())));
        by.push(needs.origin());
    }
    for text in wish.secrets.iter().flatten() {
        let matched = matching(text, offered);
        if matched.is_empty() {
            warnings.push(AudienceWarning::NoMatch { site: site.clone(), glob: text.clone() });
        }
        names.extend(matched);
    }
    if let Some(globs) = &wish.secrets {
        by.push(format!("secrets {}", globs.join(", ")));
    }
    Ok(Grant::new(by.join("; "), names.into_iter().cloned().collect()))
}

/// What of `offered` a glob matches. A whole name, of which thousands of sites may have their own lists, is looked up.
fn matching<'a>(text: &str, offered: &'a BTreeSet<ParameterName>) -> Vec<&'a ParameterName> {
    let glob = Glob::new(text);
    if glob.is_a_name() {
        let name = ParameterName::parse(text).ok();
        return name.and_then(|name| offered.get(&name)).into_iter().collect();
    }
    offered.iter().filter(|name| glob.matches(name.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keygen::NewIdentity;

    fn site(name: &str) -> Site {
        Site::parse(name).unwrap()
    }

    fn offered() -> BTreeSet<ParameterName> {
        ["NovaPassword", "NeutronPassword", "RpcPassword", "SSLKey"]
            .map(|name| ParameterName::parse(name).unwrap())
            .into()
    }

    fn audience(settings: &str) -> Result<(Audience, Vec<AudienceWarning>), AudienceError> {
        let here = crate::fs::TemporaryDirectory::scratch();
        for site in ["a", "b", "c"] {
            here.write(&format!("{site}/recipients.txt"), &NewIdentity::make().recipient);
        }
        let settings: BTreeMap<Site, SiteSettings> = serde_yaml::from_str(settings).unwrap();
        Audience::of(RecipientSet::of_vault(here.path()).unwrap(), &settings, None, &offered())
    }

    #[test]
    fn a_site_gets_what_its_globs_match_and_one_without_any_gets_everything() {
        let (audience, warnings) =
            audience("{a: {}, b: {secrets: [N*, RpcPassword]}, c: {secrets: [N*, RpcPassword]}}").unwrap();
        assert_eq!(warnings, []);
        assert_eq!(audience.entire(), [&site("a")]);
        let [grant] = audience.grants.as_slice() else { panic!("one subset for two sites") };
        assert_eq!(grant.sites, [site("b"), site("c")]);
        let names: Vec<&str> = grant.parameters.iter().map(ParameterName::as_str).collect();
        assert_eq!(names, ["NeutronPassword", "NovaPassword", "RpcPassword"]);
    }

    #[test]
    fn what_matches_nothing_is_said_and_grants_nothing() {
        let (audience, warnings) = audience("{a: {}, b: {}, c: {secrets: [Nvoa*]}}").unwrap();
        let glob = String::from("Nvoa*");
        let expected = [
            AudienceWarning::NoMatch { site: site("c"), glob },
            AudienceWarning::Nothing { site: site("c") },
        ];
        assert_eq!(warnings, expected);
        assert!(audience.grants[0].parameters.is_empty());
    }

    #[test]
    fn a_site_that_only_keys_or_only_the_settings_know_is_an_error() {
        assert!(
            matches!(audience("{a: {}, b: {}}"), Err(AudienceError::NotListed { site }) if site.as_str() == "c")
        );
        let one_more = audience("{a: {}, b: {}, c: {}, d: {}}");
        assert!(matches!(one_more, Err(AudienceError::NoRecipients { site }) if site.as_str() == "d"));
    }
}
