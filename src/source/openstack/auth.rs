//! Who logs in, how, and for what: the settings of a login, and the request that it makes (Identity API v3).

use crate::json;
use crate::secret::{SecretBuffer, SecretValue};
use crate::source::SourceError;

use super::login_error::LoginError;
use super::profile::Profile;
use super::scope::{Named, Scope, push_pair};

/// The values of `auth_type` that we know.
const SUPPORTED: &str = "password, token, v3applicationcredential, v3totp, v3multifactor, none, admin_token";

/// What a login is made of.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) methods: Vec<Method>,
    pub(super) scope: Option<Scope>,
}

/// One way to say who one is. A secret that is not in the settings can be given later.
#[derive(Debug)]
pub(super) enum Method {
    ApplicationCredential { which: ApplicationCredential, secret: SecretValue },
    Password { user: Named, password: Option<SecretValue> },
    Token(Option<SecretValue>),
    Totp { user: Named, passcode: Option<SecretValue> },
}

#[derive(Debug)]
pub(super) enum ApplicationCredential {
    Id(String),
    Name { name: String, user: Named },
}

/// What `auth_type` asks for.
pub(super) enum AuthType {
    /// An endpoint and no Keystone; with `true` also a token.
    Endpoint(bool),
    Keystone(Vec<MethodName>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum MethodName {
    ApplicationCredential,
    Password,
    Token,
    Totp,
}

impl AuthType {
    pub(super) fn of(profile: &Profile) -> Result<Self, SourceError> {
        let name = profile.plain("auth_type").unwrap_or_else(|| String::from("password"));
        match name.as_str() {
            "none" | "None" => Ok(Self::Endpoint(false)),
            "admin_token" | "token_endpoint" => Ok(Self::Endpoint(true)),
            "v3multifactor" => {
                let methods = profile.list("auth_methods");
                if methods.is_empty() {
                    return Err(profile.misses("auth_methods"));
                }
                Ok(Self::Keystone(methods.iter().map(|name| MethodName::of(name)).collect::<Result<_, _>>()?))
            }
            name => Ok(Self::Keystone(vec![MethodName::of(name)?])),
        }
    }
}

impl AuthType {
    /// As the settings say where that takes a token; otherwise the token is what logs in.
    pub(super) fn with_token(profile: &Profile) -> Result<Self, SourceError> {
        match Self::of(profile)? {
            Self::Keystone(methods) if !methods.contains(&MethodName::Token) => {
                Ok(Self::Keystone(vec![MethodName::Token]))
            }
            Self::Endpoint(_) => Ok(Self::Endpoint(true)),
            as_it_says @ Self::Keystone(_) => Ok(as_it_says),
        }
    }
}

impl MethodName {
    fn of(name: &str) -> Result<Self, SourceError> {
        match name {
            "password" | "v3password" => Ok(Self::Password),
            "token" | "v3token" => Ok(Self::Token),
            "v3applicationcredential" => Ok(Self::ApplicationCredential),
            "v3totp" => Ok(Self::Totp),
            other => {
                Err(LoginError::AuthTypeUnknown { auth_type: other.to_owned(), supported: SUPPORTED }.into())
            }
        }
    }
}

impl Login {
    pub(super) fn of(methods: &[MethodName], profile: &mut Profile) -> Result<Self, SourceError> {
        let methods: Vec<Method> =
            methods.iter().map(|name| Method::of(*name, profile)).collect::<Result<_, _>>()?;
        // Keystone takes no other: an application credential is for the project that it was made in
        let is_bound = methods.iter().any(|method| matches!(method, Method::ApplicationCredential { .. }));
        let scope = if is_bound { None } else { Scope::of(profile)? };
        Ok(Self { methods, scope })
    }

    /// Whether Keystone would take the same login twice; if not, why.
    pub(super) fn spent(&self) -> Option<&'static str> {
        self.methods.iter().find_map(|method| match method {
            Method::Token(_) => Some("a token that was given"),
            Method::Totp { .. } => Some("a one-time code"),
            Method::ApplicationCredential { .. } | Method::Password { .. } => None,
        })
    }

    pub(super) fn is_by_token(&self) -> bool {
        self.methods.iter().any(|method| matches!(method, Method::Token(_)))
    }

    /// What may be wrong when Keystone refuses it.
    pub(super) fn to_check(&self) -> &'static str {
        let is = |wanted: fn(&Method) -> bool| self.methods.iter().any(wanted);
        if is(|method| matches!(method, Method::ApplicationCredential { .. })) {
            "the application credential's id or name, its secret, and whether it has expired"
        } else if is(|method| matches!(method, Method::Totp { .. })) {
            "the one-time code and this host's clock, then user, password, project and their domains"
        } else if self.is_by_token() {
            "whether the token has expired, and the project and its domain"
        } else {
            "user, password, project and their domains"
        }
    }

    /// The user, as errors name it.
    pub(super) fn user(&self) -> String {
        let who = |method: &Method| match method {
            Method::ApplicationCredential { which: ApplicationCredential::Id(name), .. }
            | Method::ApplicationCredential { which: ApplicationCredential::Name { name, .. }, .. } => {
                Some(name.clone())
            }
            Method::Password { user, .. } | Method::Totp { user, .. } => Some(user.shown()),
            Method::Token(_) => None,
        };
        self.methods.iter().find_map(who).unwrap_or_else(|| String::from("a token"))
    }

    /// The body of `POST /v3/auth/tokens`.
    pub(super) fn body(&self) -> SecretBuffer {
        let mut body = SecretBuffer::with_capacity(1024);
        body.push(br#"{"auth":{"identity":{"methods":["#);
        for (position, method) in self.methods.iter().enumerate() {
            body.push(if position == 0 { b"" } else { b"," });
            json::write_string(method.name(), &mut body);
        }
        body.push(b"]");
        for method in &self.methods {
            body.push(b",");
            json::write_string(method.name(), &mut body);
            body.push(b":{");
            method.push(&mut body);
            body.push(b"}");
        }
        body.push(b"}");
        if let Some(scope) = &self.scope {
            body.push(br#","scope":{"#);
            scope.push(&mut body);
            body.push(b"}");
        }
        body.push(b"}}");
        body
    }
}

impl Method {
    fn of(name: MethodName, profile: &mut Profile) -> Result<Self, SourceError> {
        match name {
            MethodName::ApplicationCredential => {
                const SECRET: &str = "application_credential_secret";
                let which = ApplicationCredential::of(profile)?;
                let secret = profile.take_secret(SECRET).ok_or_else(|| profile.misses(SECRET))?;
                Ok(Self::ApplicationCredential { which, secret })
            }
            MethodName::Password => {
                Ok(Self::Password { user: user(profile)?, password: profile.take_secret("password") })
            }
            MethodName::Token => Ok(Self::Token(profile.take_secret("token"))),
            MethodName::Totp => {
                Ok(Self::Totp { user: user(profile)?, passcode: profile.take_secret("passcode") })
            }
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::ApplicationCredential { .. } => "application_credential",
            Self::Password { .. } => "password",
            Self::Token(_) => "token",
            Self::Totp { .. } => "totp",
        }
    }

    fn push(&self, body: &mut SecretBuffer) {
        match self {
            Self::ApplicationCredential { which, secret } => {
                which.push(body);
                body.push(b",");
                push_secret("secret", Some(secret), body);
            }
            Self::Password { user, password: secret } | Self::Totp { user, passcode: secret } => {
                body.push(br#""user":{"#);
                user.push(body);
                body.push(b",");
                push_secret(
                    if matches!(self, Self::Totp { .. }) { "passcode" } else { "password" },
                    secret.as_ref(),
                    body,
                );
                body.push(b"}");
            }
            Self::Token(token) => push_secret("id", token.as_ref(), body),
        }
    }
}

impl ApplicationCredential {
    fn of(profile: &Profile) -> Result<Self, SourceError> {
        const ID: &str = "application_credential_id";
        if let Some(id) = profile.plain(ID) {
            return Ok(Self::Id(id));
        }
        let name = profile.plain("application_credential_name").ok_or_else(|| profile.misses(ID))?;
        Ok(Self::Name { name, user: user(profile)? })
    }

    fn push(&self, body: &mut SecretBuffer) {
        match self {
            Self::Id(id) => push_pair("id", id, body),
            Self::Name { name, user } => {
                push_pair("name", name, body);
                body.push(br#","user":{"#);
                user.push(body);
                body.push(b"}");
            }
        }
    }
}

fn user(profile: &Profile) -> Result<Named, SourceError> {
    let named = Named::of(profile, "user", "username").or_else(|| Named::of(profile, "user", "user_name"));
    named.ok_or_else(|| profile.misses("username"))
}

pub(super) const fn bad(name: &'static str, reason: &'static str) -> SourceError {
    SourceError::BadSetting { name, reason }
}

fn push_secret(key: &str, value: Option<&SecretValue>, body: &mut SecretBuffer) {
    json::write_string(key, body);
    body.push(b":");
    match value {
        // EXPOSE: into a buffer that is wiped
        Some(value) => value.expose(|text| json::write_string(text, body)),
        None => body.push(br#""""#),
    }
}
