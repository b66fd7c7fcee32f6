//! What a vault file may have: one table, and a walk that compares a file with it.
//!
//! The walk comes before the types, since serde's own errors quote what they read, and know no nearest key.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use crate::model::Site;
use crate::report::nearest;

use super::error::{Fault, Misfit};
use super::settings::span;

/// What a value may be.
enum Shape {
    /// A number from 1 to 9.
    Count,
    /// A map with these keys.
    Map(&'static [(&'static str, Self)]),
    /// A map with any keys, and texts.
    Named,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A map of sites, each with its settings.
    Sites,
    /// A span of time.
    Span,
    /// A text.
    Text,
    /// A list of texts.
    Texts,
    /// A number.
    Version,
}

static FILE: Shape = Shape::Map(&[
    ("version", Shape::Version),
    ("source", SOURCE),
    ("sites", Shape::Sites),
    ("bundle", Shape::Map(&[("not_after", Shape::Span), ("signatures", Shape::Count)])),
]);
const SOURCE: Shape = Shape::Map(&[
    ("cloud", Shape::Text),
    ("stack", Shape::Text),
    ("plan", Shape::Text),
    ("exclude", Shape::Texts),
    ("barbican", Shape::Named),
    ("release", Shape::Text),
    ("working_dir", Shape::Text),
    ("config_download_dir", Shape::Text),
    ("ceph", Shape::Map(&[("stacks", Shape::Texts), ("client", Shape::Text)])),
    ("oslo_messaging", Shape::Map(&[("roles", Shape::Texts), ("when", Shape::OneOf(&OSLO_WHEN))])),
]);
static SITE: Shape =
    Shape::Map(&[("role", Shape::Text), ("release", Shape::Text), ("secrets", Shape::Texts)]);
const OSLO_WHEN: [&str; 3] = ["auto", "always", "never"];

/// Finds the first thing in `text` that no vault file has.
pub(super) fn walk(text: &[u8]) -> Result<(), Misfit> {
    let has_content = |line: &[u8]| {
        let line = line.trim_ascii();
        !line.is_empty() && !line.starts_with(b"#") && line != b"---" && line != b"..."
    };
    // An empty text has no end that could be missed
    if !text.split(|byte| *byte == b'\n').any(has_content) {
        return Err(Misfit { line: 1, column: 1, fault: Fault::Empty });
    }
    let fault = RefCell::new(None);
    let walk = Walk { shape: &FILE, place: String::new(), fault: &fault };
    walk.deserialize(serde_yaml::Deserializer::from_slice(text)).map_err(|error| {
        // Syntax apart: only where that is right, what is wrong is a key or a value
        if let Err(error) = serde_yaml::from_slice::<IgnoredAny>(text) {
            return Misfit::at(&error, Fault::Syntax);
        }
        let fault = fault.borrow_mut().take().unwrap_or(Fault::Syntax);
        Misfit::at(&error, fault)
    })
}

/// A value on the way, and where it is.
struct Walk<'w> {
    shape: &'static Shape,
    place: String,
    fault: &'w RefCell<Option<Fault>>,
}

/// A key on the way.
struct Key<'w, 's> {
    map: &'w Walk<'w>,
    seen: &'s mut BTreeSet<String>,
}

impl Walk<'_> {
    fn fail<E: Error>(&self, fault: Fault) -> E {
        self.fault.replace(Some(fault));
        // Never shown: the fault is
        E::custom("")
    }

    fn child(&self, name: &str, shape: &'static Shape) -> Self {
        let place = if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) };
        Self { shape, place, fault: self.fault }
    }

    fn named(&self) -> String {
        if self.place.is_empty() { String::from("the file") } else { format!("`{}`", self.place) }
    }

    fn misfit(&self) -> Fault {
        let (expected, example) = match self.shape {
            Shape::Count => {
                ("a whole number from 1 to 9", String::from("write it without quotes, such as 2"))
            }
            Shape::Map(keys) => {
                ("a map", format!("it takes {}, each on a line of its own", known(keys).join(", ")))
            }
            Shape::Named => {
                ("a map of texts", String::from("write it as {NAME: TEXT}, or each on a line of its own"))
            }
            Shape::OneOf(words) => ("a word that it knows", format!("write one of {}", words.join(", "))),
            Shape::Sites => {
                ("a map of sites", String::from("write each site on a line of its own, such as `edge1: {}`"))
            }
            Shape::Span => {
                ("a span of time", String::from("write days, weeks or hours, such as 90d, 12w or 36h"))
            }
            Shape::Text => (
                "a text",
                String::from("write one; in quotes where it looks like a number, or like true or false"),
            ),
            Shape::Texts => ("a list of texts", String::from("write it in brackets, such as [Nova*, Ceph*]")),
            Shape::Version => ("a number", String::from("write `version: 1`")),
        };
        Fault::Kind { of: self.named(), expected, example }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        // What no method below takes is of another kind
        self.fault.replace(Some(self.misfit()));
        let fault = self.fault;
        from.deserialize_any(self)?;
        fault.replace(None);
        Ok(())
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another kind")
    }

    /// Nothing at all is as good as an empty map, and as nothing else: an empty `secrets` could mean none, or all.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        let is_map = matches!(self.shape, Shape::Map(_) | Shape::Named | Shape::Sites);
        if is_map && !self.place.is_empty() { Ok(()) } else { Err(self.fail(self.misfit())) }
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let fits = match self.shape {
            Shape::Text => true,
            Shape::OneOf(words) => words.contains(&text),
            Shape::Span => span(text).is_some(),
            Shape::Count | Shape::Map(_) | Shape::Named | Shape::Sites | Shape::Texts | Shape::Version => {
                false
            }
        };
        if fits { Ok(()) } else { Err(self.fail(self.misfit())) }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        let is_count = matches!(self.shape, Shape::Count) && (1..=9).contains(&number);
        let fits = is_count || matches!(self.shape, Shape::Version);
        if fits { Ok(()) } else { Err(self.fail(self.misfit())) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if !matches!(self.shape, Shape::Texts) {
            return Err(self.fail(self.misfit()));
        }
        let place = format!("an entry of {}", self.named());
        while list.next_element_seed(Entry { place: &place, list: &self })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if !matches!(self.shape, Shape::Map(_) | Shape::Named | Shape::Sites) {
            return Err(self.fail(self.misfit()));
        }
        let mut seen = BTreeSet::new();
        while let Some(child) = map.next_key_seed(Key { map: &self, seen: &mut seen })? {
            map.next_value_seed(child)?;
        }
        if self.place.is_empty() && !seen.contains("version") {
            return Err(self.fail(Fault::Versionless));
        }
        if std::ptr::eq(self.shape, std::ptr::from_ref(&SITE))
            && seen.contains("release")
            && !seen.contains("role")
        {
            return Err(self.fail(Fault::ReleaseWithoutRole { of: self.named() }));
        }
        Ok(())
    }

    /// A tag of somebody's own.
    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.fail(self.misfit()))
    }
}

impl<'de, 'w> DeserializeSeed<'de> for Key<'w, '_> {
    type Value = Walk<'w>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Walk<'w>, D::Error> {
        self.map.fault.replace(Some(self.map.misfit()));
        from.deserialize_str(self)
    }
}

impl<'w> Visitor<'_> for Key<'w, '_> {
    type Value = Walk<'w>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Walk<'w>, E> {
        let map = self.map;
        let child = match map.shape {
            Shape::Sites => {
                let site = Site::parse(key).map_err(|error| map.fail(Fault::Site(error)))?;
                map.child(site.as_str(), &SITE)
            }
            Shape::Map(keys) => match keys.iter().find(|(name, _)| *name == key) {
                Some((name, shape)) => map.child(name, shape),
                None => return Err(map.fail(unknown(key, map, keys))),
            },
            // Its keys are the user's own, and are not repeated
            Shape::Count
            | Shape::Named
            | Shape::OneOf(_)
            | Shape::Span
            | Shape::Text
            | Shape::Texts
            | Shape::Version => Walk { shape: &Shape::Text, place: map.place.clone(), fault: map.fault },
        };
        if self.seen.insert(key.to_owned()) {
            return Ok(child);
        }
        let is_users_own = matches!(map.shape, Shape::Named);
        let of = if is_users_own { format!("a key of {}", map.named()) } else { child.named() };
        Err(map.fail(Fault::Twice { of }))
    }
}

/// An entry of a list: a text.
struct Entry<'w> {
    place: &'w str,
    list: &'w Walk<'w>,
}

impl<'de> DeserializeSeed<'de> for Entry<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        let Walk { fault, .. } = self.list;
        let text = Walk { shape: &Shape::Text, place: String::new(), fault };
        text.deserialize(from).inspect_err(|_| {
            if let Some(Fault::Kind { of, .. }) = fault.borrow_mut().as_mut() {
                self.place.clone_into(of);
            }
        })
    }
}

fn known(keys: &[(&'static str, Shape)]) -> Vec<&'static str> {
    keys.iter().map(|(name, _)| *name).collect()
}

fn unknown(key: &str, map: &Walk<'_>, keys: &[(&'static str, Shape)]) -> Fault {
    let of = if map.place.is_empty() { String::new() } else { map.named() };
    let written = key.replace('-', "_");
    let nearest = nearest(&written, keys.iter().map(|(name, _)| *name));
    Fault::Unknown { of, nearest, known: known(keys) }
}
