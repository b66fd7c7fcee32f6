//! What is said over the socket: a line of JSON to ask, a line of JSON before the answer.
//!
//! `src/manual/protocol.md` is its description.

use serde_json::{Map, Value, json};

use crate::model::EnvironmentFile;
use crate::open::ValuePath;
use crate::report::{Hint, nearest};

use super::asked::Asked;

/// The only version.
pub(super) const VERSION: u64 = 1;
/// The longest request, with the end of its line.
pub(super) const LONGEST_REQUEST: usize = 4096;
/// The longest line before an answer.
pub(super) const LONGEST_STATUS: usize = 4096;
/// Of either text in it: the rest is of the line itself.
const LONGEST_TEXT: usize = LONGEST_STATUS / 2 - 64;
/// The longest answer: a sealed file's plaintext.
pub(super) const LONGEST_ANSWER: u64 = 64 * 1024 * 1024;

const KEYS: [&str; 4] = ["file", "get", "json", "version"];

/// Why a request is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A file that no bundle has.
    #[error("the request's file is none of a bundle")]
    File,
    /// A key that is not known, or a value of another kind.
    #[error("the request has something that version 1 does not know")]
    Form {
        /// What is meant, perhaps.
        nearest: Option<&'static str>,
    },
    /// It is no JSON object in one line.
    #[error("the request is no line of JSON")]
    Json,
    /// It does not end.
    #[error("the request is longer than 4096 bytes")]
    Long,
    /// It asks for nothing.
    #[error("the request asks for nothing")]
    Nothing,
    /// What it asks for is no path.
    #[error("the request's path is none")]
    Path,
    /// It is of another version.
    #[error("the request is not of version 1")]
    Version,
}

impl Hint for RequestError {
    fn hint(&self) -> String {
        match self {
            Self::File => {
                let names = EnvironmentFile::ALL.map(EnvironmentFile::file_name).join(", ");
                format!("it is one of: {names}")
            }
            Self::Form { nearest: Some(nearest) } => format!("did you mean `{nearest}`?"),
            Self::Form { nearest: None } => String::from("it takes file, get, json, version"),
            Self::Json | Self::Long | Self::Nothing => String::from(
                "a request is such as {\"version\":1,\"get\":\"NovaPassword\"}, and a line's end",
            ),
            Self::Path => String::from(
                "it is such as NovaPassword, or a JSON pointer, in which a `~` is followed by 0 or 1",
            ),
            Self::Version => String::from("this service speaks version 1: use a dcn-vault of its age"),
        }
    }
}

/// What stands before an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// So many bytes follow.
    Ok { length: u64 },
    /// Nothing follows.
    Refused { error: String, hint: String },
}

/// The request for `asked`, as a line.
pub(super) fn request_line(asked: &Asked) -> Vec<u8> {
    let request = match asked {
        Asked::File(file) => json!({"version": VERSION, "file": file.file_name()}),
        Asked::Value { path, file: Some(file), json } => {
            json!({"version": VERSION, "get": path.as_str(), "file": file.file_name(), "json": json})
        }
        Asked::Value { path, file: None, json } => {
            json!({"version": VERSION, "get": path.as_str(), "json": json})
        }
    };
    format!("{request}\n").into_bytes()
}

/// Reads a request, without its line's end.
pub(super) fn parse_request(line: &[u8]) -> Result<Asked, RequestError> {
    let request: Map<String, Value> = serde_json::from_slice(line).map_err(|_| RequestError::Json)?;
    if request.get("version").and_then(Value::as_u64) != Some(VERSION) {
        return Err(RequestError::Version);
    }
    let strange = request.keys().find(|key| !KEYS.contains(&key.as_str()));
    if let Some(key) = strange {
        return Err(RequestError::Form { nearest: nearest(key, KEYS.into_iter()) });
    }
    let text = |key| {
        let is_text =
            |value: &Value| value.as_str().map(str::to_owned).ok_or(RequestError::Form { nearest: None });
        request.get(key).map(is_text).transpose()
    };
    let file =
        text("file")?.map(|name| EnvironmentFile::named(&name).ok_or(RequestError::File)).transpose()?;
    let json = match request.get("json") {
        None => false,
        Some(Value::Bool(json)) => *json,
        Some(_) => return Err(RequestError::Form { nearest: None }),
    };
    match (text("get")?, file) {
        (Some(path), file) => {
            let path = ValuePath::parse(&path).map_err(|_| RequestError::Path)?;
            Ok(Asked::Value { path, file, json })
        }
        (None, Some(file)) if !json => Ok(Asked::File(file)),
        (None, _) => Err(RequestError::Nothing),
    }
}

impl Status {
    pub(super) fn refused(error: &dyn Hint) -> Self {
        Self::Refused { error: error.to_string(), hint: error.hint() }
    }

    /// As a line.
    pub(super) fn line(&self) -> Vec<u8> {
        let status = match self {
            Self::Ok { length } => json!({"version": VERSION, "status": "ok", "length": length}),
            Self::Refused { error, hint } => {
                // What was asked for may be in them, escaped
                let (error, hint) = (cut(error), cut(hint));
                json!({"version": VERSION, "status": "refused", "error": error, "hint": hint})
            }
        };
        format!("{status}\n").into_bytes()
    }

    /// Reads a status, without its line's end; nothing where it is none.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let status: Map<String, Value> = serde_json::from_slice(line).ok()?;
        if status.get("version")?.as_u64()? != VERSION {
            return None;
        }
        let text = |key| status.get(key).and_then(Value::as_str);
        match text("status")? {
            "ok" => {
                let length = status.get("length")?.as_u64().filter(|length| *length <= LONGEST_ANSWER)?;
                Some(Self::Ok { length })
            }
            "refused" => {
                Some(Self::Refused { error: text("error")?.to_owned(), hint: text("hint")?.to_owned() })
            }
            _ => None,
        }
    }
}

/// As much of `text` as has room in a status, as JSON writes it.
fn cut(text: &str) -> String {
    let length = |text: &str| Value::from(text).to_string().len();
    if length(text) <= LONGEST_TEXT {
        return text.to_owned();
    }
    let mut room = LONGEST_TEXT - length("…");
    let fits = |one: &char| {
        let left = room.checked_sub(length(one.encode_utf8(&mut [0; 4])));
        room = left.unwrap_or_default();
        left.is_some()
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let value =
            |path: &str, file, json| Asked::Value { path: ValuePath::parse(path).unwrap(), file, json };
        for asked in [
            Asked::File(EnvironmentFile::Passwords),
            value("NovaPassword", None, false),
            value("KeystoneFernetKeys./etc/keystone/fernet-keys/0.content", None, true),
            value("a \"quoted\"\nname", Some(EnvironmentFile::GlobalConfig), true),
        ] {
            let line = request_line(&asked);
            let (end, line) = line.split_last().unwrap();
            assert_eq!((*end, line.contains(&b'\n')), (b'\n', false));
            assert_eq!(parse_request(line), Ok(asked));
        }
        let short = parse_request(br#"{"version":1,"get":"NovaPassword"}"#);
        assert_eq!(short, Ok(value("NovaPassword", None, false)));
    }

    #[test]
    fn what_is_no_request_is_refused_each_by_its_own_words() {
        for (line, error) in [
            (&b""[..], RequestError::Json),
            (b"GET / HTTP/1.1\r", RequestError::Json),
            (b"[1]", RequestError::Json),
            (b"{\"version\":1,\"get\":\"\xff\"}", RequestError::Json),
            (br#"{"get":"NovaPassword"}"#, RequestError::Version),
            (br#"{"version":2,"get":"NovaPassword"}"#, RequestError::Version),
            (br#"{"version":"1","get":"NovaPassword"}"#, RequestError::Version),
            (br#"{"version":1}"#, RequestError::Nothing),
            (br#"{"version":1,"json":true,"file":"passwords.yaml"}"#, RequestError::Nothing),
            (br#"{"version":1,"get":""}"#, RequestError::Path),
            (br#"{"version":1,"get":"/a~"}"#, RequestError::Path),
            (br#"{"version":1,"get":7}"#, RequestError::Form { nearest: None }),
            (br#"{"version":1,"get":"x","json":1}"#, RequestError::Form { nearest: None }),
            (br#"{"version":1,"gett":"x"}"#, RequestError::Form { nearest: Some("get") }),
            (br#"{"version":1,"get":"x","file":"/etc/shadow"}"#, RequestError::File),
        ] {
            assert_eq!(parse_request(line), Err(error), "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn a_refusal_of_any_length_fits_into_its_line() {
        for text in ["a", "\u{1}", "\"", "\u{10ffff}"] {
            let long = text.repeat(4000);
            for (error, hint) in [(long.as_str(), "h"), ("e", long.as_str()), (long.as_str(), long.as_str())]
            {
                let line = Status::Refused { error: error.to_owned(), hint: hint.to_owned() }.line();
                assert!(line.len() <= LONGEST_STATUS, "{} bytes", line.len());
                let read = Status::parse(line.strip_suffix(b"\n").unwrap());
                let Some(Status::Refused { error, hint }) = read else { panic!("{text:?}") };
                assert!(error.starts_with(text) || error == "e");
                assert!(hint.starts_with(text) || hint == "h");
            }
        }
    }

    #[test]
    fn a_status_is_read_as_it_was_written_and_nothing_else_is_one() {
        let refused = Status::Refused { error: String::from("no"), hint: String::from("ask \"ada\"") };
        for status in [Status::Ok { length: 7 }, refused] {
            let line = status.line();
            assert_eq!(Status::parse(line.strip_suffix(b"\n").unwrap()), Some(status));
        }
        for line in [
            "",
            "hunter2",
            r#"{"status":"ok","length":1}"#,
            r#"{"version":2,"status":"ok","length":1}"#,
            r#"{"version":1,"status":"ok"}"#,
            r#"{"version":1,"status":"ok","length":-1}"#,
            r#"{"version":1,"status":"ok","length":67108865}"#,
            r#"{"version":1,"status":"maybe"}"#,
        ] {
            assert_eq!(Status::parse(line.as_bytes()), None, "{line}");
        }
    }
}
