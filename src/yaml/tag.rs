//! What a tag in front of a value asks for.

use granit_parser::Tag;

use crate::model::Kind;

/// `!` alone: the value is resolved as if it stood plain, even in quotes.
pub(super) fn is_non_specific(tag: &Tag) -> bool {
    tag.handle().is_empty() && tag.suffix() == "!"
}

/// The type of `!!int` and its like; `None` for a tag that is none of ours.
pub(super) fn core_kind(tag: &Tag) -> Option<Kind> {
    match core_suffix(tag)? {
        "null" => Some(Kind::Null),
        "bool" => Some(Kind::Bool),
        "int" => Some(Kind::Int),
        "float" => Some(Kind::Float),
        "str" => Some(Kind::String),
        "binary" => Some(Kind::Binary),
        "timestamp" => Some(Kind::Timestamp),
        _ => None,
    }
}

/// `int` of `!!int` and of `!<tag:yaml.org,2002:int>`.
pub(super) fn core_suffix(tag: &Tag) -> Option<&str> {
    match tag.handle() {
        CORE => Some(tag.suffix()),
        "" => tag.suffix().strip_prefix(CORE),
        _ => None,
    }
}

const CORE: &str = "tag:yaml.org,2002:";
