use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use crate::fs;
use crate::secret::SecretValue;
use crate::source::SourceError;

/// The settings of one entry, as `OS_*` variables would name them.
pub(super) fn entry(cloud: &str, files: &[PathBuf]) -> Result<BTreeMap<String, SecretValue>, SourceError> {
    let Some(path) = files.iter().find(|path| path.exists()) else {
        let searched = files.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        return Err(SourceError::NoCloudsFile { searched });
    };
    let mut file = read(path)?;
    let Some(entry) = file.clouds.remove(cloud) else {
        return Err(SourceError::CloudNotFound {
            cloud: cloud.to_owned(),
            searched: path.display().to_string(),
        });
    };
    Ok(entry.into_settings())
}

/// The names of the entries.
pub(super) fn names(files: &[PathBuf]) -> Result<Vec<String>, SourceError> {
    let found = files.iter().find(|path| path.exists()).map(|path| read(path)).transpose()?;
    Ok(found.map(|file| file.clouds.into_keys().collect()).unwrap_or_default())
}

fn read(path: &Path) -> Result<CloudsFile, SourceError> {
    let text = fs::read_secret(path)?;
    // EXPOSE: parsed into secret values; what the parser says of an error is not passed on
    text.expose(|bytes| serde_yaml::from_slice(bytes)).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &serde_yaml::Error) -> SourceError {
    // Only the place: serde_yaml quotes the value that it did not like
    let place = error.location().map_or_else(String::new, |at| format!(":{}:{}", at.line(), at.column()));
    SourceError::BadCloudsFile { place: format!("{}{place}", path.display()) }
}

#[derive(Deserialize)]
struct CloudsFile {
    clouds: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    auth: BTreeMap<String, Text>,
    auth_type: Option<Text>,
    cacert: Option<Text>,
    endpoint_type: Option<Text>,
    interface: Option<Text>,
    region_name: Option<Text>,
    verify: Option<Text>,
}

impl Entry {
    fn into_settings(self) -> BTreeMap<String, SecretValue> {
        let rest = [
            ("auth_type", self.auth_type),
            ("cacert", self.cacert),
            ("endpoint_type", self.endpoint_type),
            ("interface", self.interface),
            ("region_name", self.region_name),
            ("verify", self.verify),
        ];
        let rest = rest.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        self.auth.into_iter().chain(rest).map(|(name, Text(value))| (name, value)).collect()
    }
}

/// A scalar of any type, as text: people write `password: 12345` and `verify: False`.
struct Text(SecretValue);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl Visitor<'_> for TextVisitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a single value")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(SecretValue::copy_of(text)))
            }
        }
        // serde_yaml gives a scalar's own text when it is asked for a string, whatever it looks like
        deserializer.deserialize_str(TextVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::TemporaryDirectory;

    const FILE: &str = "clouds:\n  undercloud:\n    auth:\n      auth_url: https://192.168.24.2:13000\n      password: 0123\n      username: admin\n    cacert: ''\n    verify: False\n    unknown: {a: [1]}\n";

    fn with_file<R>(text: &str, check: impl FnOnce(&[PathBuf]) -> R) -> R {
        let here = TemporaryDirectory::scratch();
        let path = here.write("clouds.yaml", text);
        check(&[here.path().join("absent.yaml"), path])
    }

    #[test]
    fn the_first_file_that_exists_counts_and_values_keep_their_text() {
        let found = with_file(FILE, |files| entry("undercloud", files).unwrap());
        for (name, value) in [("password", "0123"), ("verify", "False"), ("username", "admin")] {
            // EXPOSE: made up
            assert!(found[name].expose(|text| text == value), "{name}");
        }
    }

    #[test]
    fn an_unknown_cloud_is_an_error_that_names_the_file() {
        let error = with_file(FILE, |files| entry("overcloud", files).unwrap_err());
        assert!(error.to_string().starts_with("no cloud `overcloud` in "), "{error}");
    }

    #[test]
    fn a_broken_file_is_named_and_not_quoted() {
        let error = with_file("clouds:\n  a:\n    auth: hunter2\n", |files| entry("a", files).unwrap_err());
        assert!(error.to_string().contains("clouds.yaml:3"), "{error}");
        assert!(!error.to_string().contains("hunter2"));
    }
}
