use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::fs::{self, FileError};
use crate::json;
use crate::source::SourceError;
use crate::yaml;

use super::login_error::LoginError;
use super::setting::{Setting, Settings, merge, normalized};

/// The clouds of clouds.yaml, with secure.yaml over them.
pub(super) struct Clouds {
    clouds: Settings,
    read: Vec<PathBuf>,
}

impl Clouds {
    /// Reads the first that exists of each kind of file, and no more, as openstacksdk does. One that we may not read is passed
    /// over as if it were not there; a broken one is an error.
    pub(super) fn read(clouds: &[PathBuf], secure: &[PathBuf]) -> Result<Self, SourceError> {
        let mut all = Self { clouds: Settings::new(), read: Vec::new() };
        for (path, file) in [first(clouds)?, first(secure)?].into_iter().flatten() {
            merge(&mut all.clouds, section(file, "clouds"));
            all.read.push(path);
        }
        Ok(all)
    }

    /// The entry of that name.
    pub(super) fn take(&mut self, name: &str, looked_for: &[PathBuf]) -> Result<Settings, SourceError> {
        if self.read.is_empty() {
            return Err(SourceError::NoCloudsFile { searched: listed(looked_for) });
        }
        let entry = self.clouds.remove(name).ok_or_else(|| SourceError::CloudNotFound {
            cloud: name.to_owned(),
            searched: listed(&self.read),
            known: self.clouds.keys().map(|name| name.escape_debug().to_string()).collect(),
        })?;
        let entry = entry.into_map().map(normalized);
        entry.ok_or_else(|| {
            LoginError::NoSettings { place: format!("{}: cloud `{name}`", listed(&self.read)) }.into()
        })
    }

    /// The name of the only cloud; `None` where there are none or several.
    pub(super) fn only(&self) -> Option<String> {
        let mut names = self.clouds.keys();
        names.next().filter(|_| names.next().is_none()).cloned()
    }

    /// The names of the clouds, sorted.
    pub(super) fn names(self) -> Vec<String> {
        self.clouds.into_keys().collect()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.clouds.contains_key(name)
    }
}

/// The settings that clouds-public.yaml has for `profile`.
pub(super) fn public_profile(profile: &str, files: &[PathBuf]) -> Result<Settings, SourceError> {
    let profiles = first(files)?.map(|(_, file)| section(file, "public-clouds"));
    let found = profiles.and_then(|mut profiles| profiles.remove(profile)).and_then(Setting::into_map);
    found.map(normalized).ok_or_else(|| {
        let error = if profile.contains("://") {
            LoginError::ProfileElsewhere
        } else {
            LoginError::ProfileNotFound { profile: profile.to_owned(), searched: listed(files) }
        };
        error.into()
    })
}

fn first(files: &[PathBuf]) -> Result<Option<(PathBuf, Settings)>, SourceError> {
    let mut closed = None;
    for path in files.iter().filter(|path| path.exists()) {
        match fs::read_secret(path) {
            Ok(text) => {
                // EXPOSE: parsed into secret values; the errors carry no text
                return text.expose(|bytes| parsed(bytes, path)).map(|file| Some((path.clone(), file)));
            }
            Err(FileError::Os { source, verb, path }) if source.kind() == ErrorKind::PermissionDenied => {
                closed.get_or_insert(FileError::Os { source, verb, path });
            }
            Err(error) => return Err(error.into()),
        }
    }
    // Where another file is found nobody misses it; where none is, this is why
    closed.map_or(Ok(None), |error| Err(error.into()))
}

fn parsed(bytes: &[u8], path: &Path) -> Result<Settings, SourceError> {
    let name = path.display().to_string();
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    let data = if is_json { json::read(bytes, &name)? } else { yaml::read(bytes, &name)? };
    match Setting::read(data) {
        Some(Setting::Map(map)) => Ok(map),
        // Nothing in it but comments
        None => Ok(Settings::new()),
        _ => Err(LoginError::NoSettings { place: name }.into()),
    }
}

fn section(mut file: Settings, name: &str) -> Settings {
    file.remove(name).and_then(Setting::into_map).unwrap_or_default()
}

/// The files, of those looked for only the usual form of each.
fn listed(files: &[PathBuf]) -> String {
    let is_usual = |path: &&PathBuf| {
        files.len() < 2 || path.extension().is_none_or(|form| form != "yml" && form != "json")
    };
    files.iter().filter(is_usual).map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
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
        let found =
            with_file(FILE, |files| Clouds::read(files, &[]).unwrap().take("undercloud", files).unwrap());
        let Some(Setting::Map(auth)) = found.get("auth") else { panic!("a map") };
        for (settings, name, value) in
            [(auth, "password", "0123"), (&found, "verify", "False"), (auth, "username", "admin")]
        {
            // EXPOSE: made up
            assert!(settings[name].text().unwrap().expose(|text| text == value), "{name}");
        }
    }

    #[test]
    fn an_unknown_cloud_is_an_error_that_names_the_file() {
        let error =
            with_file(FILE, |files| Clouds::read(files, &[]).unwrap().take("overcloud", files).unwrap_err());
        assert!(error.to_string().starts_with("no cloud `overcloud` in "), "{error}");
    }

    #[test]
    fn a_broken_file_is_named_and_not_quoted() {
        let error =
            with_file("clouds:\n  a:\n    auth: 'hunter2\n", |files| Clouds::read(files, &[]).err().unwrap());
        assert!(error.to_string().contains("clouds.yaml:4"), "{error}");
        assert!(!error.to_string().contains("hunter2"));
    }
}
