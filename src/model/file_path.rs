use std::fmt;

use super::{EnvironmentFile, Site};

/// How the name of a sealed file ends.
const AGE: &str = ".age";
/// The directory of those for one site.
const SITES: &str = "sites";

/// Where a file stands in a bundle: `endpoint-map.json`, `passwords.yaml.age`, `sites/edge2/passwords.yaml.age`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(clippy::exhaustive_structs, reason = "a path has no more to it")]
pub struct FilePath {
    /// The site that it is for alone; none for one that every site sees, and, sealed, every site that gets everything opens.
    pub site: Option<Site>,
    /// Which file it is.
    pub file: EnvironmentFile,
    /// Whether it is encrypted.
    pub sealed: bool,
}

impl FilePath {
    /// Reads a path. A manifest could name anything, even a path out of the bundle: that is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (site, name) = match text.split('/').collect::<Vec<_>>().as_slice() {
            [name] => (None, *name),
            [SITES, site, name] => (Some(Site::parse(site).ok()?), *name),
            _ => return None,
        };
        let (name, sealed) = name.strip_suffix(AGE).map_or((name, false), |name| (name, true));
        let file = EnvironmentFile::named(name)?;
        // What is in clear is everybody's
        (sealed || site.is_none()).then_some(Self { site, file, sealed })
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(site) = &self.site {
            write!(f, "{SITES}/{site}/")?;
        }
        write!(f, "{}{}", self.file.file_name(), if self.sealed { AGE } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_as_it_is_written_and_none_leads_out_of_the_bundle() {
        for text in ["endpoint-map.json", "passwords.yaml.age", "sites/edge-1/passwords.yaml.age"] {
            assert_eq!(FilePath::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "/etc/passwd",
            "../passwords.yaml.age",
            "sites/../passwords.yaml.age",
            "sites/edge1/passwords.yaml",
            "sites//passwords.yaml.age",
            "sites/edge1/x/passwords.yaml.age",
            "site/edge1/passwords.yaml.age",
            "manifest.json",
            "passwords.yaml.age.age",
        ] {
            assert_eq!(FilePath::parse(text), None, "{text}");
        }
    }
}
