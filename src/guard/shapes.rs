//! What a secret looks like when nobody has told us its value.

use crate::classify::NameSays;
use crate::model::{Data, Kind, Shape};

/// The form of a secret that `text` has, or holds.
pub(super) fn shape_of(text: &str) -> Option<Shape> {
    if holds_private_key(text) {
        return Some(Shape::PrivateKey);
    }
    if holds_uri_password(text) {
        return Some(Shape::UriPassword);
    }
    text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';')).find_map(|word| {
        if is_cephx_key(word) {
            Some(Shape::CephxKey)
        } else if is_fernet_key(word) {
            Some(Shape::FernetKey)
        } else {
            None
        }
    })
}

/// Whether a value could be the secret that a name announces: text that is no switch. A number, or what is deeper in a
/// map, only where the name is the secret's own.
pub(super) fn is_secret_like(value: &Data, name: NameSays) -> bool {
    let is_its_own = name == NameSays::ASecret;
    match value {
        Data::Scalar(scalar) => match scalar.kind {
            // EXPOSE: compared in place
            Kind::String => scalar.text.expose(is_no_switch),
            Kind::Binary | Kind::Float | Kind::Int => is_its_own,
            Kind::Bool | Kind::Null | Kind::Timestamp => false,
        },
        Data::List(items) => items.iter().any(|item| is_secret_like(item, name)),
        Data::Map(entries) => is_its_own && entries.iter().any(|(_, item)| is_secret_like(item, name)),
    }
}

fn is_no_switch(text: &str) -> bool {
    let switches = ["", "true", "false", "yes", "no", "none", "null"];
    !switches.contains(&text.to_ascii_lowercase().as_str())
}

pub(super) fn holds_private_key(text: &str) -> bool {
    text.split("-----BEGIN ")
        .skip(1)
        .any(|after| after.split("-----").next().is_some_and(|kind| kind.ends_with("PRIVATE KEY")))
}

fn holds_uri_password(text: &str) -> bool {
    text.split("://").skip(1).any(|after| {
        let authority = after.split(['/', '?', '#', ' ', '\n', '"', '\'']).next().unwrap_or_default();
        authority.rsplit_once('@').is_some_and(|(userinfo, _)| {
            userinfo.split_once(':').is_some_and(|(_, password)| !password.is_empty())
        })
    })
}

// 28 bytes of base64: a type, a time and a length, then 16 bytes of key
fn is_cephx_key(word: &str) -> bool {
    word.len() == 40
        && word.starts_with("AQ")
        && word.ends_with("==")
        && word.trim_end_matches('=').chars().all(is_base64)
}

fn is_fernet_key(word: &str) -> bool {
    word.len() == 44
        && word.ends_with('=')
        && !word.ends_with("==")
        && word.trim_end_matches('=').chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

const fn is_base64(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '+' | '/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_found_within_text_and_endpoints_are_none() {
        for (text, expected) in [
            (concat!("x -----BEGIN RSA ", "PRIVATE KEY-----\nMII"), Some(Shape::PrivateKey)),
            (concat!("-----BEGIN ", "PRIVATE KEY-----"), Some(Shape::PrivateKey)),
            ("-----BEGIN CERTIFICATE-----", None),
            ("rabbit://guest:pw@172.16.2.10:5672/", Some(Shape::UriPassword)),
            ("http://172.16.2.10:8776/v3/%(tenant_id)s", None),
            ("http://[2001:db8::10]:8080/v1/AUTH_%(tenant_id)s", None),
            ("ssh://git@host/x:y@z", None),
            ("key = AQBO/mteAAAAABAAc4mVMTpq7OFtrPlRFqN+FQ==", Some(Shape::CephxKey)),
            ("O8NSPxr4zXBBAoGIj-5aUmtE7-Jk5a4ptVsEhzJ8Vd8=", Some(Shape::FernetKey)),
            ("overcloud-controller-0.internalapi.localdomain", None),
        ] {
            assert_eq!(shape_of(text), expected, "{text}");
        }
    }
}
