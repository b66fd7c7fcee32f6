//! One line of a file of signers: `principals [options] key [comment]` (ssh-keygen(1), ALLOWED SIGNERS).

use jiff::Timestamp;

use crate::model::Glob;

use super::{KeyFault, PublicKey, moment};

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) principals: String,
    pub(super) options: Options,
    pub(super) key: PublicKey,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) namespaces: Option<String>,
    pub(super) valid_after: Option<Timestamp>,
    pub(super) valid_before: Option<Timestamp>,
}

/// Why it says nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LineFault {
    CertificateAuthority,
    Key(KeyFault),
    Malformed(&'static str),
    PrivateKey,
}

/// What `line` says; `None` of one that is blank or a comment.
pub(super) fn parse(line: &str) -> Result<Option<Line>, LineFault> {
    let line = line.trim_matches([' ', '\t', '\r']);
    if line.contains("PRIVATE KEY") {
        return Err(LineFault::PrivateKey);
    }
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    if line.contains(|c: char| c.is_control() && c != '\t') {
        return Err(LineFault::Malformed("a control character"));
    }
    let (principals, rest) = principals(line)?;
    let (options, key) = if is_key(rest) { (Options::default(), rest) } else { options_before_key(rest)? };
    let key = PublicKey::parse(key).map_err(LineFault::Key)?;
    Ok(Some(Line { principals: principals.to_owned(), options, key }))
}

/// Whether a name is matched by a list of patterns, as OpenSSH has them: one must match, and none of those with `!`.
pub(super) fn matches(patterns: &str, name: &str) -> bool {
    let mut is_matched = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(not) if Glob::new(not).matches(name) => return false,
            Some(_) => {}
            None => is_matched |= Glob::new(pattern).matches(name),
        }
    }
    is_matched
}

fn principals(line: &str) -> Result<(&str, &str), LineFault> {
    let parted = match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').ok_or(LineFault::Malformed("a quote that is not closed"))?,
        None => line.split_once(BLANK).unwrap_or((line, "")),
    };
    let (principals, rest) = (parted.0, parted.1.trim_start_matches(BLANK));
    if principals.is_empty() || principals.contains('"') {
        return Err(LineFault::Malformed("no name before the key"));
    }
    if rest.is_empty() {
        return Err(LineFault::Malformed("no key"));
    }
    Ok((principals, rest))
}

/// Options have other names.
fn is_key(text: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-"].iter().any(|start| text.starts_with(start))
}

fn options_before_key(text: &str) -> Result<(Options, &str), LineFault> {
    let mut is_quoted = false;
    let mut before = ' ';
    let end = text.find(|c: char| {
        is_quoted ^= c == '"' && before != '\\';
        before = c;
        !is_quoted && BLANK.contains(&c)
    });
    if is_quoted {
        return Err(LineFault::Malformed("a quote that is not closed"));
    }
    let (options, key) = end.and_then(|end| text.split_at_checked(end)).unwrap_or((text, ""));
    let options = parse_options(options)?;
    let key = key.trim_start_matches(BLANK);
    if key.is_empty() { Err(LineFault::Malformed("no key")) } else { Ok((options, key)) }
}

fn parse_options(text: &str) -> Result<Options, LineFault> {
    const TWICE: LineFault = LineFault::Malformed("an option twice");
    const NO_TIME: LineFault = LineFault::Malformed("a time that is none, or not as YYYYMMDD[HHMM[SS]][Z]");
    let mut options = Options::default();
    let mut rest = text;
    loop {
        let name = rest.split([',', '=']).next().unwrap_or_default();
        if name.eq_ignore_ascii_case("cert-authority") {
            return Err(LineFault::CertificateAuthority);
        }
        let value = rest.get(name.len()..).and_then(|rest| rest.strip_prefix('='));
        let (value, after) = quoted(value.ok_or(LineFault::Malformed("an option that is not known"))?)?;
        match name.to_ascii_lowercase().as_str() {
            "namespaces" if options.namespaces.is_none() => options.namespaces = Some(value),
            "valid-after" if options.valid_after.is_none() => {
                options.valid_after = Some(moment::parse(&value).ok_or(NO_TIME)?);
            }
            "valid-before" if options.valid_before.is_none() => {
                options.valid_before = Some(moment::parse(&value).ok_or(NO_TIME)?);
            }
            "namespaces" | "valid-after" | "valid-before" => return Err(TWICE),
            _ => return Err(LineFault::Malformed("an option that is not known")),
        }
        if after.is_empty() {
            break;
        }
        rest = after.strip_prefix(',').ok_or(LineFault::Malformed("an option that is not known"))?;
    }
    let is_never =
        options.valid_before.zip(options.valid_after).is_some_and(|(before, after)| before <= after);
    if is_never { Err(LineFault::Malformed("a time that ends before it begins")) } else { Ok(options) }
}

/// A value in quotes, in which `\"` is one, and what follows it.
fn quoted(text: &str) -> Result<(String, &str), LineFault> {
    let body = text.strip_prefix('"').ok_or(LineFault::Malformed("an option's value without quotes"))?;
    let mut value = String::new();
    let mut characters = body.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Ok((value, body.get(at + 1..).unwrap_or_default())),
            '\\' if characters.peek().is_some_and(|(_, next)| *next == '"') => {
                characters.next();
                value.push('"');
            }
            _ => value.push(c),
        }
    }
    Err(LineFault::Malformed("a quote that is not closed"))
}

const BLANK: [char; 2] = [' ', '\t'];
