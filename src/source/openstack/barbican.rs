use reqwest::Url;
use serde::Deserialize;

use crate::model::{Data, Kind, ParameterName, Scalar};
use crate::report::Hint;
use crate::secret::{SecretBuffer, SecretValue};
use crate::source::{Service, SourceError};

use super::http::{Answer, below};
use super::keystone::Session;

/// A secret or a container of Barbican, and the parameter that takes its value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BarbicanReference {
    place: Place,
    id: String,
    parameter: ParameterName,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Secrets,
    Containers,
}

/// Why something could not be had from Barbican.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each variant's text says what it is; the fields are the words in it")]
pub enum BarbicanError {
    // Not with its text: a value typed there would be in it
    #[error("the reference for `{parameter}` names no secret of Barbican")]
    BadReference { parameter: ParameterName },
    #[error("Barbican's container {id} is of type `{kind}`, not `certificate`")]
    ContainerKind { id: String, kind: String },
    #[error("Barbican has no {what} {id} for this project")]
    NotFound { what: &'static str, id: String },
    #[error("an argument of --barbican names no parameter")]
    NoParameter,
    #[error("`{parameter}` cannot take a certificate container")]
    NotACertificate { parameter: ParameterName },
    #[error("Barbican's secret {id} has no payload")]
    WithoutPayload { id: String },
}

impl Hint for BarbicanError {
    fn hint(&self) -> String {
        match self {
            Self::BadReference { .. } | Self::NoParameter => String::from(
                "write REF=PARAMETER, REF as Barbican prints it: `…/v1/secrets/UUID` or `…/v1/containers/UUID`",
            ),
            Self::ContainerKind { .. } => String::from("name its secrets one by one"),
            Self::NotFound { .. } => String::from(
                "`openstack secret list` and `openstack secret container list` show what there is",
            ),
            Self::NotACertificate { .. } => String::from(
                "name a parameter that ends in `Certificate` or `Cert`; the key goes to the one that ends in `Key`",
            ),
            Self::WithoutPayload { id } => format!("look at it: openstack secret get …/v1/secrets/{id}"),
        }
    }
}

impl BarbicanReference {
    /// Reads `reference` as Barbican prints it. Only `secrets/UUID` or `containers/UUID` at its end counts: what is asked
    /// is the catalog's Barbican, whatever host the reference names.
    ///
    /// # Errors
    ///
    /// [`BarbicanError::BadReference`] and [`BarbicanError::NotACertificate`].
    pub fn new(reference: &str, parameter: ParameterName) -> Result<Self, BarbicanError> {
        let mut segments = reference.trim_end_matches('/').rsplit('/');
        let (id, place) = (segments.next().unwrap_or_default(), segments.next());
        let place = match place {
            None | Some("secrets") => Place::Secrets,
            Some("containers") => Place::Containers,
            Some(_) => return Err(BarbicanError::BadReference { parameter }),
        };
        if id.len() != 36 || !id.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
            return Err(BarbicanError::BadReference { parameter });
        }
        if place == Place::Containers && parts_of(&parameter).is_none() {
            return Err(BarbicanError::NotACertificate { parameter });
        }
        Ok(Self { place, id: id.to_owned(), parameter })
    }
}

/// Fetches what `references` name.
pub(super) async fn fetch(
    session: &Session<'_>,
    barbican: &Url,
    references: &[BarbicanReference],
) -> Result<Vec<(ParameterName, Data)>, SourceError> {
    // The catalog may name it with its version or without
    let base = if barbican.path().trim_end_matches('/').ends_with("/v1") {
        barbican.clone()
    } else {
        below(barbican, &["v1"])
    };
    let mut found = Vec::new();
    for BarbicanReference { place, id, parameter } in references {
        match place {
            Place::Secrets => found.push((parameter.clone(), secret(session, &base, id).await?)),
            Place::Containers => {
                for (parameter, id) in container(session, &base, id, parameter).await? {
                    found.push((parameter, secret(session, &base, &id).await?));
                }
            }
        }
    }
    Ok(found)
}

/// The secrets of a certificate container, each with its parameter.
async fn container(
    session: &Session<'_>,
    base: &Url,
    id: &str,
    parameter: &ParameterName,
) -> Result<Vec<(ParameterName, String)>, SourceError> {
    let answer = session.get(Service::Barbican, below(base, &["containers", id])).await?;
    let shown: Container = shown(&answer, "container", id)?;
    if shown.kind != "certificate" {
        return Err(BarbicanError::ContainerKind { id: id.to_owned(), kind: printable(&shown.kind) }.into());
    }
    let mut secrets = Vec::new();
    for (name, parameter) in parts_of(parameter).into_iter().flatten() {
        let Some(part) = shown.secret_refs.iter().find(|part| part.name.as_deref() == Some(name)) else {
            continue;
        };
        let id = BarbicanReference::new(&part.secret_ref, parameter.clone()).map_err(|_| bad_answer())?.id;
        secrets.push((parameter, id));
    }
    Ok(secrets)
}

/// What a certificate container holds, and the parameters that take it: of `SSLCertificate` also `SSLKey`,
/// `SSLIntermediateCertificate` and `SSLKeyPassphrase`; of `OctaviaCaCert` also `OctaviaCaKey` and so on.
fn parts_of(parameter: &ParameterName) -> Option<[(&'static str, ParameterName); 4]> {
    let name = parameter.as_str();
    let (stem, ending) = ["Certificate", "Cert"]
        .into_iter()
        .find_map(|ending| Some((name.strip_suffix(ending).filter(|stem| !stem.is_empty())?, ending)))?;
    let parse = |text: String| ParameterName::parse(&text).ok();
    Some([
        ("certificate", parameter.clone()),
        ("private_key", parse(format!("{stem}Key"))?),
        ("intermediates", parse(format!("{stem}Intermediate{ending}"))?),
        ("private_key_passphrase", parse(format!("{stem}KeyPassphrase"))?),
    ])
}

async fn secret(session: &Session<'_>, base: &Url, id: &str) -> Result<Data, SourceError> {
    let url = below(base, &["secrets", id]);
    let answer = session.get(Service::Barbican, url.clone()).await?;
    let shown: Secret = shown(&answer, "secret", id)?;
    let Some(content_type) = shown.content_types.and_then(|types| types.default) else {
        return Err(BarbicanError::WithoutPayload { id: id.to_owned() }.into());
    };
    let answer = session.get_as(Service::Barbican, below(&url, &["payload"]), &content_type).await?;
    match answer.status {
        200 => Ok(value_of(&answer.body)),
        _ => Err(answer.unexpected(Service::Barbican)),
    }
}

fn shown<T: for<'de> Deserialize<'de>>(
    answer: &Answer,
    what: &'static str,
    id: &str,
) -> Result<T, SourceError> {
    match answer.status {
        // EXPOSE: only what describes the secret is read from it
        200 => answer.body.expose(|bytes| serde_json::from_slice(bytes)).map_err(|_| bad_answer()),
        404 => Err(BarbicanError::NotFound { what, id: id.to_owned() }.into()),
        _ => Err(answer.unexpected(Service::Barbican)),
    }
}

/// Text where the payload is text; otherwise its base64, as YAML's `!!binary` has it.
fn value_of(payload: &SecretBuffer) -> Data {
    // EXPOSE: copied into a secret value
    payload.expose(|bytes| match std::str::from_utf8(bytes) {
        Ok(text) => Data::Scalar(Scalar::new(Kind::String, SecretValue::copy_of(text))),
        Err(_) => Data::Scalar(Scalar::new(Kind::Binary, base64(bytes))),
    })
}

fn base64(bytes: &[u8]) -> SecretValue {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = SecretBuffer::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let index = (bits >> (18 - 6 * digit)) & 63;
            let shown = if digit <= chunk.len() { ALPHABET.get(index as usize).copied() } else { None };
            text.push(&[shown.unwrap_or(b'=')]);
        }
    }
    // EXPOSE: copied into a secret value
    text.expose(|bytes| SecretValue::copy_of(std::str::from_utf8(bytes).unwrap_or_default()))
}

fn printable(text: &str) -> String {
    text.escape_debug().take(200).collect()
}

const fn bad_answer() -> SourceError {
    SourceError::BadAnswer { service: Service::Barbican, expected: "a secret's description" }
}

#[derive(Deserialize)]
struct Secret {
    content_types: Option<ContentTypes>,
}

#[derive(Deserialize)]
struct ContentTypes {
    default: Option<String>,
}

#[derive(Deserialize)]
struct Container {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    secret_refs: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    name: Option<String>,
    secret_ref: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "b871488c-e78e-4d1b-bb1c-5f31aaf608ef";

    fn reference(text: &str, parameter: &str) -> Result<BarbicanReference, BarbicanError> {
        BarbicanReference::new(text, ParameterName::parse(parameter).unwrap())
    }

    #[test]
    fn a_reference_is_taken_as_barbican_prints_it_and_its_host_does_not_count() {
        for text in [
            format!("https://elsewhere:9311/v1/secrets/{ID}"),
            format!("secrets/{ID}"),
            format!("https://h/key-manager/v1/secrets/{ID}/"),
            ID.to_owned(),
        ] {
            let found = reference(&text, "SSLKey").unwrap();
            assert_eq!((found.place, found.id.as_str()), (Place::Secrets, ID), "{text}");
        }
        for text in
            ["", "secrets/", "secrets/..", "orders/b871488c-e78e-4d1b-bb1c-5f31aaf608ef", "secrets/../../x"]
        {
            assert!(matches!(reference(text, "SSLKey"), Err(BarbicanError::BadReference { .. })), "{text}");
        }
    }

    #[test]
    fn a_container_goes_to_the_parameters_that_belong_together() {
        let names = |parameter: &str| {
            parts_of(&ParameterName::parse(parameter).unwrap())
                .map(|parts| parts.map(|(_, parameter)| parameter.to_string()))
        };
        assert_eq!(
            names("SSLCertificate").unwrap(),
            ["SSLCertificate", "SSLKey", "SSLIntermediateCertificate", "SSLKeyPassphrase"]
        );
        assert_eq!(names("OctaviaCaCert").unwrap()[..2], ["OctaviaCaCert", "OctaviaCaKey"]);
        assert!(names("SSLKey").is_none() && names("Cert").is_none());
        let error = reference(&format!("containers/{ID}"), "SSLKey").unwrap_err();
        assert!(matches!(error, BarbicanError::NotACertificate { .. }));
    }

    #[test]
    fn a_payload_that_is_no_text_becomes_base64() {
        for (bytes, text) in [
            (&b"\xff"[..], "/w=="),
            (b"\xff\xfe", "//4="),
            (b"\xff\xfe\xfd", "//79"),
            (b"\x80abc", "gGFiYw=="),
        ] {
            let mut payload = SecretBuffer::new();
            payload.push(bytes);
            let Data::Scalar(scalar) = value_of(&payload) else { panic!("no scalar") };
            assert!(scalar.kind == Kind::Binary && scalar.is(text), "{text}");
        }
    }
}
