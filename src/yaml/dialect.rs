//! Where the parser, which follows YAML 1.2, would read another value than `PyYAML`, which follows 1.1.
//!
//! What can be put right is, the rest is refused. Found by reading random documents with both.

use std::borrow::Cow;

use granit_parser::{ScalarStyle, Span};

/// A scalar in its file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot<'a> {
    pub(super) file: &'a str,
    pub(super) span: Span,
    pub(super) style: ScalarStyle,
}

impl Spot<'_> {
    /// Whether `PyYAML` may see something else in this scalar. It is within `depth` lists and maps, one of them in `[]`
    /// or `{}` if `in_flow`.
    pub(super) fn is_disputed(self, text: &str, depth: usize, in_flow: bool) -> bool {
        // In `[]` and `{}` PyYAML takes each question mark for a key's, and a colon in front for a value's
        let is_mark =
            self.style == ScalarStyle::Plain && in_flow && (text.contains('?') || text.starts_with(':'));
        // Where a whole file is one block, `#` in the first column starts a comment for PyYAML
        let is_comment = depth == 0 && self.is_block() && self.has_comment_line();
        // Whether spaces count as a last line is the dispute
        let is_blank_end = self.lacks_break() && self.file.ends_with([' ', '\t']);
        is_mark || is_comment || is_blank_end
    }

    /// `text` without the line break that the parser adds where the file ends within a block.
    pub(super) fn without_added_break(self, text: Cow<'_, str>) -> Cow<'_, str> {
        if !self.lacks_break() {
            return text;
        }
        match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.strip_suffix('\n').unwrap_or(text)),
            Cow::Owned(mut text) => {
                text.truncate(text.strip_suffix('\n').unwrap_or(&text).len());
                Cow::Owned(text)
            }
        }
    }

    /// Whether this is a block scalar whose last line is the file's last, and has no line break.
    fn lacks_break(self) -> bool {
        let ends_file = self.span.byte_range().is_none_or(|range| range.end >= self.file.len());
        self.is_block() && ends_file && !self.file.ends_with(['\n', '\r'])
    }

    fn has_comment_line(self) -> bool {
        self.span.slice(self.file).is_none_or(|source| source.lines().any(|line| line.starts_with('#')))
    }

    const fn is_block(self) -> bool {
        matches!(self.style, ScalarStyle::Literal | ScalarStyle::Folded)
    }
}

/// Whether `PyYAML` reads this name of an anchor to its end: it stops at the first character that is none of these.
pub(super) fn is_anchor_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use crate::yaml::{YamlError, read};

    #[test]
    fn what_the_parser_would_read_otherwise_than_pyyaml_is_refused() {
        for yaml in ["[:two]", "[a?b]", "{?a: b}", "|-\n#- x\n", "a: |\n  x\n    "] {
            let read = read(yaml.as_bytes(), "f");
            assert!(matches!(read, Err(YamlError::Syntax { .. })), "{yaml:?}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_read() {
        for yaml in [
            "a: b?c",
            "a: :two",
            "[a:b]",
            "['?', ':a']",
            "a: |\n  # x\n",
            "|\n  x\n",
            "a: x  ",
            "a: |\n  x\n  \n",
        ] {
            assert!(read(yaml.as_bytes(), "f").is_ok(), "{yaml:?}");
        }
    }
}
