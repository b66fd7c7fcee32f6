//! The settings as types, and how a text becomes them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::SignedDuration;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::model::Site;

use super::error::{Fault, Misfit};
use super::schema;

/// The most days for which a bundle can be good: a hundred years.
const MOST_HOURS: i64 = 24 * 36_525;

/// The `source` of a vault file. The command line overrides each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct SourceSettings {
    /// An entry of clouds.yaml.
    pub cloud: Option<String>,
    /// The control plane's stack.
    pub stack: Option<String>,
    /// Its plan.
    pub plan: Option<String>,
    /// Globs on parameter names to leave out.
    pub exclude: Vec<String>,
    /// Parameters that Barbican has, each with its reference.
    #[serde(deserialize_with = "or_default")]
    pub barbican: BTreeMap<String, String>,
    /// `TripleO`'s release, where it is not to be found out.
    pub release: Option<String>,
    /// The deployment's working directory, from Wallaby on: files instead of a cloud.
    pub working_dir: Option<PathBuf>,
    /// Where config-download has left its files, if not in the release's own place.
    pub config_download_dir: Option<PathBuf>,
    /// Clusters of Ceph to add.
    #[serde(deserialize_with = "or_default")]
    pub ceph: CephSettings,
    /// The message bus.
    #[serde(deserialize_with = "or_default")]
    pub oslo_messaging: OsloSettings,
}

/// The `ceph` of a vault file's `source`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct CephSettings {
    /// The stacks that have one each.
    pub stacks: Vec<String>,
    /// Whose key to them.
    pub client: Option<String>,
}

/// The `oslo_messaging` of a vault file's `source`: the file that turns TLS off for the message bus.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct OsloSettings {
    /// The roles that get the setting; none means the documented procedure's own.
    pub roles: Vec<String>,
    /// When the file is written.
    pub when: OsloWhen,
}

/// When the settings of the message bus are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum OsloWhen {
    /// Unless the centre says that its bus uses TLS.
    #[default]
    Auto,
    /// Whatever the centre says.
    Always,
    /// Not at all.
    Never,
}

/// What a site gets. Neither a role nor secrets: everything. Both: what either names.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct SiteSettings {
    /// The role whose services' parameters it gets.
    pub role: Option<String>,
    /// The release whose table says which those are.
    pub release: Option<String>,
    /// Globs on the names of parameters.
    pub secrets: Option<Vec<String>>,
}

/// The `bundle` of a vault file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BundleSettings {
    /// How long after it was made a bundle is good.
    pub not_after: Option<SignedDuration>,
    /// How many must have signed it: 1 to 9.
    pub signatures: u32,
}

/// A whole vault file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    /// Checked before.
    pub(super) version: Option<u32>,
    #[serde(deserialize_with = "or_default")]
    pub(super) source: SourceSettings,
    #[serde(deserialize_with = "sites")]
    pub(super) sites: Option<BTreeMap<Site, SiteSettings>>,
    #[serde(deserialize_with = "or_default")]
    pub(super) bundle: BundleSettings,
}

impl SiteSettings {
    /// Settings with these parts; of empty globs nothing is taken, of no globs everything.
    #[must_use]
    pub const fn new(role: Option<String>, release: Option<String>, secrets: Option<Vec<String>>) -> Self {
        Self { role, release, secrets }
    }

    /// Whether nothing is withheld from the site.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.role.is_none() && self.secrets.is_none()
    }
}

impl Default for BundleSettings {
    fn default() -> Self {
        Self { not_after: None, signatures: 1 }
    }
}

impl<'de> Deserialize<'de> for BundleSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            not_after: Option<String>,
            signatures: Option<u32>,
        }
        let written = Written::deserialize(deserializer)?;
        let not_after = written.not_after.map(|text| span(&text).ok_or_else(|| D::Error::custom("")));
        Ok(Self { not_after: not_after.transpose()?, signatures: written.signatures.unwrap_or(1) })
    }
}

/// Reads a whole vault file. What is wrong is found by a walk that knows places and words; the types come after it.
pub(super) fn read(text: &[u8]) -> Result<Settings, Misfit> {
    schema::walk(text)?;
    serde_yaml::from_slice(text).map_err(|error| Misfit::at(&error, Fault::Syntax))
}

/// `90d`, `12w`, `36h`: a whole number above 0 and its unit.
pub(super) fn span(text: &str) -> Option<SignedDuration> {
    let (number, hours) = [('d', 24), ('w', 24 * 7), ('h', 1)]
        .into_iter()
        .find_map(|(unit, hours)| Some((text.strip_suffix(unit)?, hours)))?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = is_number.then(|| number.parse().ok())??;
    let hours = number.checked_mul(hours).filter(|hours| (1..=MOST_HOURS).contains(hours))?;
    Some(SignedDuration::from_hours(hours))
}

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// A key `sites` with nothing below it lists nobody: that is not everybody.
fn sites<'de, D: Deserializer<'de>>(from: D) -> Result<Option<BTreeMap<Site, SiteSettings>>, D::Error> {
    let sites: BTreeMap<Site, Option<SiteSettings>> = or_default(from)?;
    Ok(Some(sites.into_iter().map(|(site, settings)| (site, settings.unwrap_or_default())).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_whole_number_and_its_unit() {
        assert_eq!(span("90d"), Some(SignedDuration::from_hours(2160)));
        assert_eq!(span("2w"), span("14d"));
        assert_eq!(span("48h"), span("2d"));
        for text in [
            "",
            "d",
            "90",
            "0d",
            "-1d",
            "+1d",
            "1.5d",
            "90 d",
            "90days",
            "1d1h",
            "36526d",
            "99999999999999999999w",
        ] {
            assert_eq!(span(text), None, "{text}");
        }
    }
}
