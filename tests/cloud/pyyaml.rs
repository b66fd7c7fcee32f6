//! YAML as PyYAML's `safe_dump(…, default_flow_style=False)` writes it, which is how tripleo-common stores a plan.
//!
//! Apart from the crate's own writer on purpose: a mistake there must not hide behind the same mistake here.

use std::mem;

use serde_json::Value;

use super::resolver::is_of_another_type;

const WIDTH: usize = 80;

pub fn dump(root: &Value) -> String {
    let mut writer = Writer::default();
    writer.node(root, 0, false);
    writer.text.push('\n');
    writer.text
}

#[derive(Default)]
struct Writer {
    text: String,
    column: usize,
}

impl Writer {
    /// Writes a value whose own lines, if it takes several, start at `indent`.
    fn node(&mut self, value: &Value, indent: usize, in_mapping: bool) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                let mut keys: Vec<&String> = map.keys().collect();
                keys.sort();
                for (index, key) in keys.into_iter().enumerate() {
                    self.start_entry(index, indent, in_mapping);
                    self.scalar(key, indent, false);
                    self.put(":");
                    self.entry(&map[key], indent);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    self.start_entry(index, indent, in_mapping);
                    self.put("- ");
                    self.node(item, indent + 2, false);
                }
            }
            Value::Object(_) => self.put("{}"),
            Value::Array(_) => self.put("[]"),
            Value::String(text) => self.scalar(text, indent, true),
            Value::Null | Value::Bool(_) | Value::Number(_) => self.put(&value.to_string()),
        }
    }

    fn start_entry(&mut self, index: usize, indent: usize, in_mapping: bool) {
        if index > 0 || in_mapping {
            self.line(indent);
        }
    }

    /// Writes what follows `key:`. A list stands at its key's own column.
    fn entry(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => self.node(value, indent + 2, true),
            Value::Array(items) if !items.is_empty() => self.node(value, indent, true),
            _ => {
                self.put(" ");
                self.node(value, indent + 2, false);
            }
        }
    }

    fn scalar(&mut self, text: &str, indent: usize, may_fold: bool) {
        if is_plain(text) {
            self.folded(text, indent, may_fold);
        } else if needs_escapes(text) {
            self.double_quoted(text, indent, may_fold);
        } else {
            self.put("'");
            self.folded(&text.replace('\'', "''"), indent, may_fold);
            self.put("'");
        }
    }

    /// Plain and single-quoted text: a lone space beyond the width becomes a line break, a line break two.
    fn folded(&mut self, text: &str, indent: usize, may_fold: bool) {
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let kind = Kind::of(first);
            let (run, after) = rest.split_at(rest.find(|c| Kind::of(c) != kind).unwrap_or(rest.len()));
            let between = !after.is_empty() && rest.len() < text.len();
            match kind {
                Kind::Break => {
                    self.text.push_str(run);
                    self.line(indent);
                }
                Kind::Space if run == " " && may_fold && between && self.column > WIDTH => self.line(indent),
                Kind::Space | Kind::Word => self.put(run),
            }
            rest = after;
        }
    }

    fn double_quoted(&mut self, text: &str, indent: usize, may_fold: bool) {
        let length = text.chars().count();
        let mut pending = String::new();
        self.put("\"");
        for (index, c) in text.chars().enumerate() {
            let escape = escape_of(c);
            if escape.is_some() {
                self.put(&mem::take(&mut pending));
            }
            let escaped = escape.is_some();
            if let Some(escape) = escape {
                self.put(&escape);
            }
            let breakable = may_fold && 0 < index && index + 1 < length && (c == ' ' || pending.is_empty());
            if breakable && self.column + pending.len() > WIDTH + usize::from(escaped) {
                self.put(&(mem::take(&mut pending) + "\\"));
                self.line(indent);
                // a space at a line's start is lost unless it is escaped
                if text.chars().nth(index + usize::from(escaped)) == Some(' ') {
                    self.put("\\");
                }
            }
            if !escaped {
                pending.push(c);
            }
        }
        self.put(&(pending + "\""));
    }

    fn put(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.chars().count();
    }

    fn line(&mut self, indent: usize) {
        self.text.push('\n');
        self.text.push_str(&" ".repeat(indent));
        self.column = indent;
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Break,
    Space,
    Word,
}

impl Kind {
    fn of(c: char) -> Self {
        match c {
            '\n' => Self::Break,
            ' ' => Self::Space,
            _ => Self::Word,
        }
    }
}

fn is_plain(text: &str) -> bool {
    let indicators = "#,[]{}&*!|>'\"%@`";
    let starts_badly = text.starts_with(|c| indicators.contains(c))
        || text.starts_with("---")
        || text.starts_with("...")
        || ["- ", "? ", ": "].iter().any(|start| text.starts_with(start))
        || ["-", "?", ":"].contains(&text);
    let reads_badly = text.contains(": ") || text.ends_with(':') || text.contains(" #");
    let padded = text.starts_with(' ') || text.ends_with(' ');
    let one_line = text.chars().all(|c| (' '..='~').contains(&c));
    one_line && !starts_badly && !reads_badly && !padded && !is_of_another_type(text)
}

fn needs_escapes(text: &str) -> bool {
    let printable = |c: char| c == '\n' || (' '..='~').contains(&c);
    !text.chars().all(printable) || text.contains(" \n") || text.contains("\n ")
}

fn escape_of(c: char) -> Option<String> {
    let short = match c {
        '\0' => '0',
        '\x07' => 'a',
        '\x08' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\x0b' => 'v',
        '\x0c' => 'f',
        '\r' => 'r',
        '\x1b' => 'e',
        '"' | '\\' => c,
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        ' '..='~' => return None,
        _ => {
            return Some(match u32::from(c) {
                code @ ..=0xff => format!("\\x{code:02X}"),
                code @ ..=0xffff => format!("\\u{code:04X}"),
                code => format!("\\U{code:08X}"),
            });
        }
    };
    Some(format!("\\{short}"))
}
