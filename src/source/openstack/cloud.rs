use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use reqwest::Url;

use crate::fs;
use crate::secret::{SecretBuffer, SecretValue};
use crate::source::{Service, SourceError, Warning};

use super::auth::{AuthType, Login, Method, bad};
use super::login_error::LoginError;
use super::place::{Place, interface};
use super::profile::Profile;
use super::proxy::Proxies;
use super::scope::Scope;
use super::setting::{Setting, is};
use super::variables::Variables;

/// How to log in, and which endpoints to use. Its `Debug` shows no secret.
#[derive(Debug)]
#[non_exhaustive]
pub struct CloudSettings {
    /// Keystone's URL, with its `/v3`; `None` where there is no Keystone.
    pub auth_url: Option<Url>,
    pub(super) access: Access,
    /// The region, where the cloud has several.
    pub region: Option<String>,
    /// `public`, `internal` or `admin`.
    pub interface: String,
    pub(super) places: BTreeMap<Service, Place>,
    pub(super) ca: Option<Vec<reqwest::Certificate>>,
    pub(super) client: Option<reqwest::Identity>,
    pub(super) verify: bool,
    pub(super) proxies: Rc<Proxies>,
    described: BTreeMap<String, String>,
    cloud: Option<String>,
}

/// What opens the services.
#[derive(Debug)]
pub(super) enum Access {
    /// Nothing (`auth_type: none`), or a token that is Keystone's own (`admin_token`).
    Endpoint {
        token: Option<SecretValue>,
        wants_token: bool,
    },
    Keystone(Login),
}

/// A secret that may be missing from the settings, and can be given at the last moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Credential {
    /// The user's password.
    Password,
    /// The code of the second factor.
    Passcode,
    /// A token that somebody has already.
    Token,
}

impl Credential {
    const fn setting(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Passcode => "passcode",
            Self::Token => "token",
        }
    }
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password => "password",
            Self::Passcode => "one-time code",
            Self::Token => "token",
        })
    }
}

impl CloudSettings {
    /// The settings of the clouds.yaml entry `cloud` (or `OS_CLOUD`), or else of the `OS_*` variables, or else of the only
    /// entry. What openstacksdk would make of the same files and variables.
    ///
    /// # Errors
    ///
    /// A [`SourceError`] that names the file or the setting: [`SourceError::NoCloudsFile`], [`SourceError::CloudNotFound`],
    /// [`SourceError::MissingSetting`], [`LoginError::AuthTypeUnknown`], [`SourceError::BadSetting`] and others.
    pub fn find(cloud: Option<&str>, mut variables: Variables) -> Result<Self, SourceError> {
        let home = variables.home.take();
        let proxies = Rc::new(std::mem::take(&mut variables.proxies));
        let (password, token) = (variables.password.take(), variables.token.take());
        // A code is for one login, and has no place in a file; as with any variable, a login that needs none passes it over
        let passcode = variables.os.get("passcode").map(SecretValue::duplicate);
        let mut settings = Self::of(Profile::choose(cloud, variables)?, home.as_ref(), token.is_some())?;
        settings.proxies = proxies;
        let passcode = passcode.filter(|_| settings.place_of(Credential::Passcode).is_some());
        for (credential, given) in
            [(Credential::Password, password), (Credential::Token, token), (Credential::Passcode, passcode)]
        {
            if let Some(given) = given.filter(|given| !is(given, "")) {
                settings.give(credential, given)?;
            }
        }
        Ok(settings)
    }

    /// The secrets that the login needs, and that no file and no variable has.
    #[must_use]
    pub fn lacking(&self) -> Vec<Credential> {
        let lacks = |method: &Method| match method {
            Method::Password { password: None, .. } => Some(Credential::Password),
            Method::Token(None) => Some(Credential::Token),
            Method::Totp { passcode: None, .. } => Some(Credential::Passcode),
            Method::ApplicationCredential { .. }
            | Method::Password { .. }
            | Method::Token(_)
            | Method::Totp { .. } => None,
        };
        match &self.access {
            Access::Endpoint { token: None, wants_token: true } => vec![Credential::Token],
            Access::Endpoint { .. } => Vec::new(),
            Access::Keystone(login) => login.methods.iter().filter_map(lacks).collect(),
        }
    }

    /// Gives a secret in place of the one in the settings.
    ///
    /// # Errors
    ///
    /// [`LoginError::TakesNone`]: whoever gives a secret means to log in with it.
    pub fn give(&mut self, credential: Credential, secret: SecretValue) -> Result<(), LoginError> {
        *self.place_of(credential).ok_or(LoginError::TakesNone { credential })? = Some(secret);
        Ok(())
    }

    /// The error that a secret is missing, for who cannot be asked.
    #[must_use]
    pub fn misses(&self, credential: Credential) -> SourceError {
        SourceError::MissingSetting { name: credential.setting(), cloud: self.cloud.clone() }
    }

    /// Whom the login is for, as a question names it.
    #[must_use]
    pub fn user(&self) -> String {
        match &self.access {
            Access::Endpoint { .. } => String::from("nobody"),
            Access::Keystone(login) => login.user(),
        }
    }

    /// The effective settings by openstacksdk's names. None of them is a secret.
    #[must_use]
    pub const fn describe(&self) -> &BTreeMap<String, String> {
        &self.described
    }

    /// The body of the request that logs in; `None` where nobody does.
    #[must_use]
    pub fn login_request(&self) -> Option<SecretBuffer> {
        if let Access::Keystone(login) = &self.access { Some(login.body()) } else { None }
    }

    /// What the settings themselves give reason to say.
    pub(super) fn warnings(&self) -> Vec<Warning> {
        if self.verify { Vec::new() } else { vec![Warning::NotVerified] }
    }

    /// The place of this service, as far as the settings say something of it.
    pub(super) fn place(&self, service: Service) -> Option<&Place> {
        self.places.get(&service)
    }

    /// The token that is used as it is.
    pub(super) fn given_token(&self) -> Option<&SecretValue> {
        if let Access::Endpoint { token, .. } = &self.access { token.as_ref() } else { None }
    }

    /// What the login is scoped to, where it is to something that is no project.
    pub(super) fn scope_without_project(&self) -> Option<&'static str> {
        let Access::Keystone(login) = &self.access else { return None };
        login.scope.as_ref().and_then(Scope::without_project)
    }

    fn of(mut profile: Profile, home: Option<&PathBuf>, by_token: bool) -> Result<Self, SourceError> {
        let auth_type = if by_token { AuthType::with_token(&profile)? } else { AuthType::of(&profile)? };
        let interface = interface(&profile, "interface")?.unwrap_or_else(|| String::from("public"));
        let verify = !turns_off_verification(&profile);
        let file = |name: &str| profile.plain(name).map(|path| expanded(&path, home));
        let (cacert, cert, key) = (file("cacert"), file("cert"), file("key"));
        let ca = cacert.filter(|_| verify).map(|path| certificates(&path)).transpose()?;
        let client = cert.map(|cert| client_certificate(&cert, key.as_deref())).transpose()?;
        let places = Place::of_all(&profile, matches!(auth_type, AuthType::Endpoint(_)))?;
        let described = super::describe::of(&profile, &interface, verify, home);
        let (auth_url, access) = match auth_type {
            AuthType::Endpoint(wants_token) => {
                if places.get(&Service::Heat).is_none_or(|place| place.endpoint.is_none()) {
                    return Err(profile.misses("endpoint"));
                }
                let token = profile.take_secret("token").filter(|_| wants_token);
                (None, Access::Endpoint { token, wants_token })
            }
            AuthType::Keystone(methods) => {
                let text = profile.plain("auth_url").ok_or_else(|| profile.misses("auth_url"))?;
                (Some(auth_url(&text)?), Access::Keystone(Login::of(&methods, &mut profile)?))
            }
        };
        let (region, cloud) = (profile.plain("region_name"), profile.cloud);
        Ok(Self {
            auth_url,
            access,
            region,
            interface,
            places,
            ca,
            client,
            verify,
            proxies: Rc::default(),
            described,
            cloud,
        })
    }

    fn place_of(&mut self, wanted: Credential) -> Option<&mut Option<SecretValue>> {
        let methods = match &mut self.access {
            Access::Endpoint { token, wants_token: true } if wanted == Credential::Token => {
                return Some(token);
            }
            Access::Endpoint { .. } => return None,
            Access::Keystone(login) => &mut login.methods,
        };
        methods.iter_mut().find_map(|method| match (method, wanted) {
            (Method::Password { password: place, .. }, Credential::Password)
            | (Method::Totp { passcode: place, .. }, Credential::Passcode)
            | (Method::Token(place), Credential::Token) => Some(place),
            _ => None,
        })
    }
}

/// `insecure` is what openstacksdk takes for true: `true` without quotes, or this word.
fn turns_off_verification(profile: &Profile) -> bool {
    let insecure = match profile.beside("insecure") {
        Some(Setting::Flag(insecure, _)) => *insecure,
        Some(Setting::Text(text)) => is(text, "true"),
        Some(Setting::List(_) | Setting::Map(_)) | None => false,
    };
    let verify = match profile.beside("verify") {
        Some(Setting::Flag(verify, _)) => *verify,
        Some(Setting::Text(text)) => !is(text, "false"),
        Some(Setting::List(_) | Setting::Map(_)) | None => true,
    };
    insecure || !verify
}

fn auth_url(text: &str) -> Result<Url, SourceError> {
    let trimmed = text.trim_end_matches('/').trim_end_matches("/v2.0");
    let versioned = if trimmed.ends_with("/v3") { trimmed.to_owned() } else { format!("{trimmed}/v3") };
    checked_url("auth_url", &versioned)
}

/// A URL that can be asked, and shown.
pub(super) fn checked_url(name: &'static str, text: &str) -> Result<Url, SourceError> {
    let url = Url::parse(text).map_err(|_| bad(name, "it is no URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad(name, "it must begin with `https://` or `http://`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad(name, "a URL with a password in it would end up in logs"));
    }
    Ok(url)
}

/// `~` is the home, as for a shell.
pub(super) fn expanded(path: &str, home: Option<&PathBuf>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(below), Some(home)) => home.join(below),
        _ => PathBuf::from(path),
    }
}

fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, SourceError> {
    let pem = fs::read_public(path)?;
    match reqwest::Certificate::from_pem_bundle(&pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(SourceError::BadCaFile { path: path.display().to_string() }),
    }
}

fn client_certificate(certificate: &Path, key: Option<&Path>) -> Result<reqwest::Identity, SourceError> {
    let mut pem = fs::read_secret(certificate)?;
    if let Some(key) = key {
        pem.push(b"\n");
        // EXPOSE: into a buffer that is wiped
        fs::read_secret(key)?.expose(|bytes| pem.push(bytes));
    }
    // EXPOSE: rustls keeps the key as long as the client lives; the zeroizing allocator wipes it
    pem.expose(reqwest::Identity::from_pem)
        .map_err(|_| LoginError::BadClientCertificate { path: certificate.display().to_string() }.into())
}

#[cfg(test)]
mod tests;
