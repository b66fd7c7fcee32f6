//! From the parser's events to a tree in which each scalar has its type: `PyYAML`'s composer.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use granit_parser::{Event, Marker, Options, Parser, ScalarStyle, Span, StrInput, StructureStyle, Tag};

use super::dialect::{Spot, is_anchor_name};
use super::error::{Place, YamlError};
use super::resolve::Resolved;
use super::tag::{core_kind, core_suffix, is_non_specific};
use super::valid::is_valid;
use crate::model::Kind;
use crate::secret::SecretValue;

/// A value as it stands in the file. Aliases share it.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) content: Content,
    pub(super) mark: Marker,
    /// Levels of lists and maps below, through aliases too: so that neither a walk nor a drop overflows the stack.
    height: usize,
}

#[derive(Debug)]
pub(super) enum Content {
    Scalar(Resolved, SecretValue),
    List(Vec<Rc<Node>>),
    Map(Vec<(Rc<Node>, Rc<Node>)>),
}

/// The only document of `text`; `None` if there is none.
pub(super) fn compose(text: &str, name: &str) -> Result<Option<Rc<Node>>, YamlError> {
    let mut options = Options::default();
    options.emit_anchor_events = true;
    let parser = Parser::new_from_str_with_options(text, options);
    let mut composer =
        Composer { anchor_names: BTreeSet::new(), anchors: BTreeMap::new(), name, parser, text };
    if !composer.starts_document()? {
        return Ok(None);
    }
    let root = composer.node(Around { depth: 0, in_flow: false })?;
    composer.end_document()?;
    Ok(root)
}

/// Where `mark` is, as editors count.
pub(super) fn place(mark: Marker, name: &str) -> Place {
    Place { name: name.to_owned(), line: mark.line().max(1), column: mark.col() + 1 }
}

/// What stands in front of a value: its anchor (0 is none) and its tag.
struct Properties<'a> {
    anchor: usize,
    tag: Option<Cow<'a, Tag>>,
}

/// The lists and maps around a value: how many, and whether one of them is in `[]` or `{}`.
#[derive(Clone, Copy)]
struct Around {
    depth: usize,
    in_flow: bool,
}

impl Around {
    fn within(self, style: StructureStyle) -> Self {
        Self { depth: self.depth + 1, in_flow: self.in_flow || style == StructureStyle::Flow }
    }
}

struct Composer<'a> {
    anchor_names: BTreeSet<Cow<'a, str>>,
    anchors: BTreeMap<usize, Rc<Node>>,
    name: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    text: &'a str,
}

impl<'a> Composer<'a> {
    fn starts_document(&mut self) -> Result<bool, YamlError> {
        let (mut event, _) = self.event()?;
        if matches!(event, Event::StreamStart) {
            (event, _) = self.event()?;
        }
        Ok(matches!(event, Event::DocumentStart(..)))
    }

    fn end_document(&mut self) -> Result<(), YamlError> {
        let (mut event, mut span) = self.event()?;
        if matches!(event, Event::DocumentEnd) {
            (event, span) = self.event()?;
        }
        if matches!(event, Event::StreamEnd) {
            Ok(())
        } else {
            Err(YamlError::AnotherDocument { at: self.at(span.start) })
        }
    }

    /// The next value; `None` where the list or map around it ends.
    #[allow(clippy::wildcard_enum_match_arm, reason = "what is no start of a value can only be an end")]
    fn node(&mut self, around: Around) -> Result<Option<Rc<Node>>, YamlError> {
        let (event, span) = self.event()?;
        match event {
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).map(Rc::clone);
                known.ok_or_else(|| YamlError::UnknownAlias { at: self.at(span.start) }).map(Some)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let spot = Spot { file: self.text, span, style };
                // First of all, so that on no way out an unwiped copy is left
                let text = owned(spot.without_added_break(text));
                self.scalar(text, spot, &Properties { anchor, tag }, around).map(Some)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.list(&Properties { anchor, tag }, span, around.within(style)).map(Some)
            }
            Event::MappingStart(style, anchor, tag) => {
                self.map(&Properties { anchor, tag }, span, around.within(style)).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn scalar(
        &mut self,
        text: SecretValue,
        spot: Spot<'a>,
        properties: &Properties<'a>,
        around: Around,
    ) -> Result<Rc<Node>, YamlError> {
        // EXPOSE: its type is looked up in place
        let resolved = text.expose(|text| self.resolve(text, spot, properties, around))?;
        let text = match resolved {
            // Where nothing stands, the parser puts a `~`
            Resolved::Kind(Kind::Null) => SecretValue::copy_of(""),
            // EXPOSE: base64 moves from one secret to another
            Resolved::Kind(Kind::Binary) => text.expose(on_one_line),
            Resolved::Kind(_) | Resolved::Merge | Resolved::Value => text,
        };
        let node = Node { content: Content::Scalar(resolved, text), mark: spot.span.start, height: 0 };
        self.finish(properties.anchor, node)
    }

    fn resolve(
        &self,
        text: &str,
        spot: Spot<'a>,
        properties: &Properties<'a>,
        around: Around,
    ) -> Result<Resolved, YamlError> {
        if spot.is_disputed(text, around.depth, around.in_flow) {
            return Err(YamlError::Syntax { at: self.at(spot.span.start) });
        }
        let resolved = match &properties.tag {
            Some(tag) => self.resolve_tagged(text, tag, spot.span)?,
            None if spot.style == ScalarStyle::Plain => Resolved::of_plain(text),
            None => Resolved::Kind(Kind::String),
        };
        match resolved {
            Resolved::Kind(kind) if !is_valid(kind, text) => {
                Err(YamlError::BadText { at: self.at(spot.span.start), kind: noun(kind) })
            }
            Resolved::Kind(_) | Resolved::Merge | Resolved::Value => Ok(resolved),
        }
    }

    fn resolve_tagged(&self, text: &str, tag: &Tag, span: Span) -> Result<Resolved, YamlError> {
        if is_non_specific(tag) {
            // Python's `$` matches before a last line break: `! "12\n"` is a number to PyYAML
            let resolved = Resolved::of_plain(text.strip_suffix('\n').unwrap_or(text));
            let is_string = resolved == Resolved::Kind(Kind::String);
            // Of nothing at all, PyYAML makes null in Python and a string in C
            let is_disputed = !is_string && (text.is_empty() || text.ends_with('\n'));
            return if is_disputed { Err(self.unsupported_tag(span)) } else { Ok(resolved) };
        }
        let kind = core_kind(tag).ok_or_else(|| self.unsupported_tag(span))?;
        Ok(Resolved::Kind(kind))
    }

    fn list(
        &mut self,
        properties: &Properties<'a>,
        span: Span,
        around: Around,
    ) -> Result<Rc<Node>, YamlError> {
        self.check_collection(properties, "seq", span, around)?;
        let mut items = Vec::new();
        while let Some(item) = self.node(around)? {
            items.push(item);
        }
        let height = 1 + items.iter().map(|item| item.height).max().unwrap_or(0);
        self.finish(properties.anchor, Node { content: Content::List(items), mark: span.start, height })
    }

    fn map(
        &mut self,
        properties: &Properties<'a>,
        span: Span,
        around: Around,
    ) -> Result<Rc<Node>, YamlError> {
        self.check_collection(properties, "map", span, around)?;
        let mut pairs = Vec::new();
        while let Some(key) = self.node(around)? {
            let value = self.node(around)?.ok_or_else(|| YamlError::Syntax { at: self.at(key.mark) })?;
            pairs.push((key, value));
        }
        let height = 1 + pairs.iter().map(|(key, value)| key.height.max(value.height)).max().unwrap_or(0);
        self.finish(properties.anchor, Node { content: Content::Map(pairs), mark: span.start, height })
    }

    fn check_collection(
        &self,
        properties: &Properties<'a>,
        suffix: &str,
        span: Span,
        around: Around,
    ) -> Result<(), YamlError> {
        let tag = properties.tag.as_deref();
        if tag.is_some_and(|tag| !is_non_specific(tag) && core_suffix(tag) != Some(suffix)) {
            return Err(self.unsupported_tag(span));
        }
        // Refused on the way down as well, before the recursion is deep
        if around.depth <= MAX_DEPTH { Ok(()) } else { Err(self.too_deep(span.start)) }
    }

    fn finish(&mut self, anchor: usize, node: Node) -> Result<Rc<Node>, YamlError> {
        if node.height > MAX_DEPTH {
            return Err(self.too_deep(node.mark));
        }
        let node = Rc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        Ok(node)
    }

    fn event(&mut self) -> Result<(Event<'a>, Span), YamlError> {
        loop {
            match self.parser.next_event() {
                Some(Ok((Event::Anchor(_, name), span))) => self.note_anchor(name, span.start)?,
                Some(Ok(event)) => return Ok(event),
                // The parser's own words may quote the file
                Some(Err(error)) => return Err(YamlError::Syntax { at: self.at(*error.marker()) }),
                None => return Ok((Event::StreamEnd, Span::default())),
            }
        }
    }

    /// To `PyYAML` a second anchor of the same name is an error, to the parser it is not.
    fn note_anchor(&mut self, name: Cow<'a, str>, mark: Marker) -> Result<(), YamlError> {
        if is_anchor_name(&name) && self.anchor_names.insert(name) {
            Ok(())
        } else {
            Err(YamlError::Anchor { at: self.at(mark) })
        }
    }

    fn unsupported_tag(&self, span: Span) -> YamlError {
        YamlError::UnsupportedTag { at: self.at(span.tag_start().unwrap_or(span.start)) }
    }

    fn too_deep(&self, mark: Marker) -> YamlError {
        YamlError::TooDeep { at: self.at(mark), max: MAX_DEPTH }
    }

    fn at(&self, mark: Marker) -> Place {
        place(mark, self.name)
    }
}

fn owned(text: Cow<'_, str>) -> SecretValue {
    match text {
        Cow::Owned(text) => SecretValue::take(text),
        Cow::Borrowed(text) => SecretValue::copy_of(text),
    }
}

/// `PyYAML` wraps base64 at 76 characters; other decoders want it whole.
fn on_one_line(text: &str) -> SecretValue {
    let mut line = String::with_capacity(text.len());
    text.split_ascii_whitespace().for_each(|piece| line.push_str(piece));
    SecretValue::take(line)
}

const fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Bool => "a bool",
        Kind::Int => "an integer",
        Kind::Float => "a float",
        Kind::String => "a string",
        Kind::Binary => "base64",
        Kind::Timestamp => "a date",
    }
}

/// Levels of lists and maps: `TripleO` has six, `serde_json` and we stop at the same depth.
const MAX_DEPTH: usize = 128;
