use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::secret::SecretValue;

use super::login_error::LoginError;
use super::proxy::Proxies;
use super::setting::is;

/// Variables that name files or directories.
const PATHS: [&str; 6] = [
    "HOME",
    "OS_CLIENT_CONFIG_FILE",
    "OS_CLIENT_SECURE_FILE",
    "SNAP_REAL_HOME",
    "XDG_CONFIG_DIRS",
    "XDG_CONFIG_HOME",
];

/// Variables that are somebody else's begin so, after `OS_`.
const OTHERS: [&str; 3] = ["test", "std", "log"];

/// What the environment says of clouds: the `OS_*` variables, and where the files may be. The command line fills it; nothing
/// else reads the environment.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Variables {
    /// Name, without `OS_` and in lower case, and value.
    pub os: BTreeMap<String, SecretValue>,
    /// Where to look for clouds.yaml; the first that exists counts.
    pub clouds_files: Vec<PathBuf>,
    /// Where to look for secure.yaml, which comes over clouds.yaml.
    pub secure_files: Vec<PathBuf>,
    /// Where to look for clouds-public.yaml, which has the profiles.
    pub public_files: Vec<PathBuf>,
    /// What the environment says of proxies.
    pub proxies: Proxies,
    /// What `~/` is in `cacert`, `cert` and `key`.
    pub home: Option<PathBuf>,
    /// A password that was given in another way, in place of any other.
    pub password: Option<SecretValue>,
    /// A token that was given in another way: it is what logs in.
    pub token: Option<SecretValue>,
}

impl Variables {
    /// Whether they say where to log in: `OS_CLOUD`, or a stackrc's `OS_AUTH_URL`.
    #[must_use]
    pub fn names_a_cloud(&self) -> bool {
        ["cloud", "auth_url", "endpoint"]
            .iter()
            .any(|name| self.os.get(*name).is_some_and(|value| !is(value, "")))
    }

    /// Takes from `environment` what openstacksdk would; relative files are looked for in `directory`.
    ///
    /// # Errors
    ///
    /// [`LoginError::VariableNotText`]: a password that is passed over would be one that is not set.
    pub fn of(
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        directory: &Path,
    ) -> Result<Self, LoginError> {
        let mut variables = Self::default();
        let mut paths: BTreeMap<&str, PathBuf> = BTreeMap::new();
        for (name, value) in environment {
            let Some(name) = name.to_str() else { continue };
            if let Some(known) = PATHS.into_iter().find(|known| *known == name && !value.is_empty()) {
                paths.insert(known, directory.join(&value));
            }
            let Some(setting) = name.strip_prefix("OS_").map(str::to_ascii_lowercase) else { continue };
            if OTHERS.iter().any(|other| setting.starts_with(other)) {
                continue;
            }
            match value.into_string() {
                Ok(value) => {
                    variables.os.insert(setting, SecretValue::take(value));
                }
                // Any bytes may be a path
                Err(_) if PATHS.contains(&name) => {}
                Err(_) => return Err(LoginError::VariableNotText { name: name.to_owned() }),
            }
        }
        let home = paths.get("HOME").cloned();
        let real_home = paths.get("SNAP_REAL_HOME").or(home.as_ref());
        let user = paths.get("XDG_CONFIG_HOME").cloned().or_else(|| Some(home.as_ref()?.join(".config")));
        let site = paths.get("XDG_CONFIG_DIRS").cloned().unwrap_or_else(|| PathBuf::from("/etc/xdg"));
        let real = real_home.map(|home| home.join(".config"));
        let mut places = vec![directory.to_owned()];
        for place in user.into_iter().chain(real).chain([site, PathBuf::from("/etc")]) {
            let place = place.join("openstack");
            if !places.contains(&place) {
                places.push(place);
            }
        }
        let files = |name: &str, first: Option<&PathBuf>| {
            let kinds = places
                .iter()
                .flat_map(|place| ["yaml", "yml", "json"].map(|kind| place.join(format!("{name}.{kind}"))));
            first.cloned().into_iter().chain(kinds).collect()
        };
        variables.clouds_files = files("clouds", paths.get("OS_CLIENT_CONFIG_FILE"));
        variables.secure_files = files("secure", paths.get("OS_CLIENT_SECURE_FILE"));
        variables.public_files = files("clouds-public", None);
        variables.home = home;
        Ok(variables)
    }
}
