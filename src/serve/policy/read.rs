use std::collections::BTreeMap;
use std::time::Duration;

use nix::unistd::{Group, User};
use serde_yaml::{Mapping, Value};

use crate::model::{EnvironmentFile, Glob};
use crate::report::nearest;
use crate::serve::asked::Asked;
use crate::serve::credential::is_credential_id;

use super::fault::Fault;
use super::hours::Hours;
use super::rate::{Rate, span_of};
use super::{Allowed, Limits, Policy, Rule, Who};

const VERSION: u64 = 1;
const FILE: [&str; 3] = ["limits", "rules", "version"];
const LIMITS: [&str; 5] = ["clients", "patience", "request", "workers", "waiting"];
const RULE: [&str; 9] = ["allow", "credentials", "gid", "group", "hours", "rate", "uid", "unit", "user"];
const MOST_WORKERS: u64 = 256;
const MOST_CLIENTS: u64 = 65_536;
const LONGEST: Duration = Duration::from_secs(600);

const A_TEXT: (&str, &str) =
    ("a text", "write one; in quotes where it looks like a number, or like true or false");
const A_LIST: (&str, &str) = ("a list of names", "write it in brackets, such as [Nova*, passwords.yaml]");
const A_MAP: (&str, &str) = ("a map", "write each setting on a line of its own");
const A_RATE: (&str, &str) = ("a rate", "write how many within how long, up to 1000/24h, such as 10/1m");
const SOME_HOURS: (&str, &str) = ("a part of the day", "write it in UTC, such as 22:00-06:00");
const A_SPAN: (&str, &str) = ("a span of time", "write seconds or minutes, up to 10m, such as 10s");
const AN_ID: (&str, &str) = ("a number of a user or a group", "write it without quotes, such as 1001");

/// Reads a policy out of a file's text.
pub(super) fn read(text: &[u8]) -> Result<Policy, Fault> {
    let value: Value = serde_yaml::from_slice(text).map_err(|error| {
        // The parser's own words quote what it read: they are not taken
        let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
        Fault::Syntax { line, column }
    })?;
    if value.is_null() {
        return Err(Fault::Empty);
    }
    let file = Settings::of(&value, "", &FILE)?;
    if file.value("version").and_then(Value::as_u64) != Some(VERSION) {
        return Err(Fault::Version);
    }
    let limits = match file.value("limits") {
        Some(value) => limits(&Settings::of(value, "limits", &LIMITS)?)?,
        None => Limits::default(),
    };
    let rules = match file.value("rules") {
        Some(Value::Sequence(rules)) => {
            let number = |(index, value): (usize, &Value)| {
                let place = format!("rules[{index}]");
                rule(&Settings::of(value, &place, &RULE)?)
            };
            rules.iter().enumerate().map(number).collect::<Result<_, _>>()?
        }
        None => Vec::new(),
        Some(_) => {
            return Err(kind(String::from("rules"), ("a list of rules", "begin each rule with a dash")));
        }
    };
    Ok(Policy { limits, rules, answers: super::rate::Answers::default() })
}

fn limits(settings: &Settings<'_>) -> Result<Limits, Fault> {
    let usual = Limits::default();
    let count = |key, most, usual| match settings.value(key) {
        None => Ok(usual),
        Some(value) => value
            .as_u64()
            .filter(|count| (1..=most).contains(count))
            .and_then(|count| usize::try_from(count).ok())
            .ok_or_else(|| {
                kind(
                    settings.place(key),
                    ("a number from 1 to 65536 (256 workers)", "write it without quotes, such as 4"),
                )
            }),
    };
    let span = |key, usual| match settings.text(key)? {
        None => Ok(usual),
        Some(text) => {
            let span = span_of(text).filter(|span| *span <= LONGEST);
            span.ok_or_else(|| kind(settings.place(key), A_SPAN))
        }
    };
    Ok(Limits {
        clients: count("clients", MOST_CLIENTS, usual.clients)?,
        workers: count("workers", MOST_WORKERS, usual.workers)?,
        request: span("request", usual.request)?,
        waiting: span("waiting", usual.waiting)?,
        patience: span("patience", usual.patience)?,
    })
}

fn rule(settings: &Settings<'_>) -> Result<Rule, Fault> {
    for keys in [["uid", "user"], ["gid", "group"]] {
        if keys.iter().all(|key| settings.value(key).is_some()) {
            return Err(Fault::Twice { of: settings.place.clone(), keys });
        }
    }
    let who = who(settings)?;
    let allow = allowed(settings)?;
    let credentials = credentials(settings)?;
    if allow.is_empty() && credentials.is_empty() {
        return Err(Fault::Nothing { of: settings.place.clone() });
    }
    let rate = settings.parsed("rate", A_RATE, Rate::parse)?;
    let hours = settings.parsed("hours", SOME_HOURS, Hours::parse)?;
    Ok(Rule { who, allow, credentials, rate, hours })
}

fn who(settings: &Settings<'_>) -> Result<Who, Fault> {
    let user = settings.text("user")?;
    let everybody = user == Some("*");
    let uid = match user {
        Some(name) if !everybody => {
            let unlisted = || Fault::Unlisted { of: settings.place("user"), kind: "user" };
            let known = User::from_name(name).ok().flatten();
            Some(known.ok_or_else(unlisted)?.uid.as_raw())
        }
        _ => settings.id("uid")?,
    };
    let gid = match settings.text("group")? {
        Some(name) => {
            let unlisted = || Fault::Unlisted { of: settings.place("group"), kind: "group" };
            let known = Group::from_name(name).ok().flatten();
            Some(known.ok_or_else(unlisted)?.gid.as_raw())
        }
        None => settings.id("gid")?,
    };
    let unit = settings.text("unit")?.map(Glob::new);
    if !everybody && uid.is_none() && gid.is_none() && unit.is_none() {
        return Err(Fault::Nobody { of: settings.place.clone() });
    }
    Ok(Who { uid, gid, unit })
}

fn allowed(settings: &Settings<'_>) -> Result<Vec<Allowed>, Fault> {
    let place = || settings.place("allow");
    let Some(value) = settings.value("allow") else { return Ok(Vec::new()) };
    let list = value.as_sequence().ok_or_else(|| kind(place(), A_LIST))?;
    list.iter().map(|entry| entry_of(entry.as_str().ok_or_else(|| kind(place(), A_LIST))?, &place)).collect()
}

/// A file's name stands for the whole file, anything else for parameters.
fn entry_of(text: &str, place: &dyn Fn() -> String) -> Result<Allowed, Fault> {
    if let Some(file) = EnvironmentFile::named(text) {
        return Ok(Allowed::File(file));
    }
    if [".yaml", ".yml", ".json", ".age"].iter().any(|end| text.ends_with(end)) {
        let names = EnvironmentFile::ALL.map(EnvironmentFile::file_name);
        let nearest = nearest(text, names.into_iter());
        return Err(Fault::File { of: place(), nearest });
    }
    Ok(Allowed::Names(Glob::new(text)))
}

fn credentials(settings: &Settings<'_>) -> Result<BTreeMap<String, Asked>, Fault> {
    let place = || settings.place("credentials");
    let Some(value) = settings.value("credentials") else { return Ok(BTreeMap::new()) };
    let wrong = || {
        kind(
            place(),
            ("a map of credentials", "write ID: WHAT for each, such as passwords.yaml: passwords.yaml"),
        )
    };
    let map = value.as_mapping().ok_or_else(wrong)?;
    let entry = |(id, what): (&Value, &Value)| {
        let id = id.as_str().filter(|id| is_credential_id(id)).ok_or_else(wrong)?;
        let what = what.as_str().ok_or_else(wrong)?;
        let asked = Asked::named(what).map_err(|_| wrong())?;
        // A file's name that is none would be a parameter's
        if matches!(asked, Asked::Value { .. }) && !what.starts_with('/') && !what.contains("./") {
            entry_of(what, &place)?;
        }
        Ok((id.to_owned(), asked))
    };
    map.iter().map(entry).collect()
}

/// A map of the file, whose keys are all known.
struct Settings<'v> {
    map: &'v Mapping,
    place: String,
}

impl<'v> Settings<'v> {
    fn of(value: &'v Value, place: &str, known: &[&'static str]) -> Result<Self, Fault> {
        let name = if place.is_empty() { "the file" } else { place };
        let map = value.as_mapping().ok_or_else(|| kind(name.to_owned(), A_MAP))?;
        for key in map.keys() {
            let key = key.as_str().unwrap_or_default();
            if !known.contains(&key) {
                return Err(Fault::Unknown {
                    of: place.to_owned(),
                    nearest: nearest(key, known.iter().copied()),
                    known: known.to_vec(),
                });
            }
        }
        Ok(Self { map, place: place.to_owned() })
    }

    fn value(&self, key: &str) -> Option<&'v Value> {
        self.map.get(key)
    }

    fn place(&self, key: &str) -> String {
        format!("{}.{key}", self.place)
    }

    fn text(&self, key: &str) -> Result<Option<&'v str>, Fault> {
        let wrong = || kind(self.place(key), A_TEXT);
        self.value(key).map(|value| value.as_str().ok_or_else(wrong)).transpose()
    }

    fn id(&self, key: &str) -> Result<Option<u32>, Fault> {
        let wrong = || kind(self.place(key), AN_ID);
        let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok()).ok_or_else(wrong);
        self.value(key).map(id).transpose()
    }

    fn parsed<T>(
        &self,
        key: &str,
        kinds: (&'static str, &'static str),
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        // A rate such as 10/1m is a text; hours such as 22:00-06:00, too
        let wrong = || kind(self.place(key), kinds);
        self.value(key).map(|value| value.as_str().and_then(&parse).ok_or_else(wrong)).transpose()
    }
}

fn kind(of: String, (expected, example): (&'static str, &'static str)) -> Fault {
    Fault::Kind { of, expected, example }
}
