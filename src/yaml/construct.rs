//! From the composed tree to data: merge keys, equal keys and aliases, with a bound on what aliases can make.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;

use super::compose::{Content, Node, place};
use super::error::YamlError;
use super::resolve::Resolved;
use super::valid::truth;
use crate::model::{Data, Entry, Kind, Scalar};
use crate::secret::SecretValue;

/// The data that `root` stands for. `size` is the length of the text that it was read from.
pub(super) fn construct(root: &Node, name: &str, size: usize) -> Result<Data, YamlError> {
    let bytes_left = size.saturating_add(MAX_REPEATED_BYTES);
    Constructor { bytes_left, name, values_left: MAX_VALUES }.data(root)
}

/// What an empty document holds.
pub(super) fn null() -> Scalar {
    Scalar::new(Kind::Null, SecretValue::copy_of(""))
}

type Pair<'a> = (&'a Node, &'a Node);

struct Constructor<'a> {
    bytes_left: usize,
    name: &'a str,
    values_left: usize,
}

impl Constructor<'_> {
    fn data(&mut self, node: &Node) -> Result<Data, YamlError> {
        self.spend_value(node)?;
        match &node.content {
            Content::Scalar(Resolved::Merge, _) => Err(YamlError::Merge { at: place(node.mark, self.name) }),
            Content::Scalar(Resolved::Value, _) => {
                Err(YamlError::ValueIndicator { at: place(node.mark, self.name) })
            }
            Content::Scalar(Resolved::Kind(kind), text) => Ok(Data::Scalar(self.scalar(node, *kind, text)?)),
            Content::List(items) => {
                items.iter().map(|item| self.data(item)).collect::<Result<_, _>>().map(Data::List)
            }
            Content::Map(pairs) => self.map(node, pairs),
        }
    }

    fn map(&mut self, node: &Node, pairs: &[(Rc<Node>, Rc<Node>)]) -> Result<Data, YamlError> {
        let mut entries = Entries::default();
        for (key, value) in self.flatten(node, pairs)? {
            let key = self.key(key)?;
            entries.set(key, self.data(value)?);
        }
        Ok(Data::Map(entries.list))
    }

    /// The pairs with what `<<` brings in front of them: later pairs win, so a map's own win over merged ones.
    fn flatten<'n>(
        &mut self,
        node: &'n Node,
        pairs: &'n [(Rc<Node>, Rc<Node>)],
    ) -> Result<Vec<Pair<'n>>, YamlError> {
        self.spend_value(node)?;
        let (mut merged, mut own) = (Vec::new(), Vec::new());
        for (key, value) in pairs {
            self.spend_value(key)?;
            match (&key.content, &value.content) {
                (Content::Scalar(Resolved::Merge, _), Content::List(maps)) => {
                    // The first map of a list wins, so it comes last
                    for map in maps.iter().rev() {
                        merged.extend(self.merged(map)?);
                    }
                }
                (Content::Scalar(Resolved::Merge, _), _) => merged.extend(self.merged(value)?),
                _ => own.push((&**key, &**value)),
            }
        }
        merged.append(&mut own);
        Ok(merged)
    }

    fn merged<'n>(&mut self, node: &'n Node) -> Result<Vec<Pair<'n>>, YamlError> {
        match &node.content {
            Content::Map(pairs) => {
                let pairs = self.flatten(node, pairs)?;
                pairs.iter().try_for_each(|(key, _)| self.spend_value(key))?;
                Ok(pairs)
            }
            Content::Scalar(..) | Content::List(_) => {
                Err(YamlError::Merge { at: place(node.mark, self.name) })
            }
        }
    }

    fn key(&mut self, node: &Node) -> Result<Scalar, YamlError> {
        match &node.content {
            Content::Scalar(Resolved::Kind(kind), text) => self.scalar(node, *kind, text),
            // As a key, PyYAML takes `=` for text; `<<` never gets here
            Content::Scalar(Resolved::Merge | Resolved::Value, text) => self.scalar(node, Kind::String, text),
            Content::List(_) | Content::Map(_) => {
                Err(YamlError::StructuredKey { at: place(node.mark, self.name) })
            }
        }
    }

    fn scalar(&mut self, node: &Node, kind: Kind, text: &SecretValue) -> Result<Scalar, YamlError> {
        // EXPOSE: its length counts against the limit; nothing is kept
        let length = text.expose(str::len);
        self.bytes_left = self.bytes_left.checked_sub(length).ok_or_else(|| self.too_large(node))?;
        Ok(Scalar::new(kind, text.duplicate()))
    }

    fn spend_value(&mut self, node: &Node) -> Result<(), YamlError> {
        self.values_left = self.values_left.checked_sub(1).ok_or_else(|| self.too_large(node))?;
        Ok(())
    }

    fn too_large(&self, node: &Node) -> YamlError {
        YamlError::TooLarge { at: place(node.mark, self.name), max: MAX_VALUES }
    }
}

/// A map under construction, as a Python dict grows: an equal key keeps its place and gets the new value.
#[derive(Default)]
struct Entries {
    list: Vec<Entry>,
    hashes: BTreeMap<u64, Vec<usize>>,
    /// Keyed at random, so that no file can make all keys collide.
    hasher: RandomState,
}

impl Entries {
    fn set(&mut self, key: Scalar, value: Data) {
        let same_hash =
            self.hashes.entry(with_identity(&key, |text| self.hasher.hash_one(text))).or_default();
        let known =
            same_hash.iter().find(|index| self.list.get(**index).is_some_and(|(old, _)| is_equal(old, &key)));
        if let Some((_, old)) = known.and_then(|index| self.list.get_mut(*index)) {
            *old = value;
        } else {
            same_hash.push(self.list.len());
            self.list.push((key, value));
        }
    }
}

fn is_equal(one: &Scalar, other: &Scalar) -> bool {
    one.kind == other.kind && with_identity(one, |one| with_identity(other, |other| one == other))
}

/// What makes a key equal to another of its kind: `~` is `null`, `yes` is `true`, all else is its text.
fn with_identity<R>(key: &Scalar, reader: impl FnOnce(&str) -> R) -> R {
    // EXPOSE: hashed or compared in place
    key.text.expose(|text| match (key.kind, truth(text)) {
        (Kind::Null, _) => reader(""),
        (Kind::Bool, Some(true)) => reader("true"),
        (Kind::Bool, Some(false)) => reader("false"),
        _ => reader(text),
    })
}

/// Values and keys, counted each time that an alias or a merge repeats them.
const MAX_VALUES: usize = 1_000_000;
/// Text that aliases may add to the file's own.
const MAX_REPEATED_BYTES: usize = 16 << 20;
