//! Edits of a vault file as a text: its owner's comments, order and blank lines are the owner's.
//!
//! Only the plain form is known, one site a line or a block below `sites:`. Whatever an edit yields is read again, and
//! must mean what it meant, but for the one site.

use std::fmt::Write;
use std::ops::Range;

use crate::model::Site;

use super::error::VaultError;
use super::settings::{self, Settings, SiteSettings};

/// `text` with this site, as one line below `sites:`; what was there of the site before is replaced.
///
/// # Errors
///
/// [`VaultError::Edit`] when that is to be done by hand.
pub fn with_site(text: &str, site: &Site, settings: &SiteSettings) -> Result<String, VaultError> {
    with_sites(text, &[(site.clone(), settings.clone())])
}

/// As [`with_site`], of several sites at once.
///
/// # Errors
///
/// [`VaultError::Edit`] when that is to be done by hand.
pub fn with_sites(text: &str, sites: &[(Site, SiteSettings)]) -> Result<String, VaultError> {
    let Some((last, _)) = sites.last() else { return Ok(text.to_owned()) };
    let mut wanted = parsed(text, last)?;
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut lines: Vec<String> = text.split_inclusive('\n').map(ToOwned::to_owned).collect();
    if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
        last.push_str(end);
    }
    let mut block = if let Some(block) = Block::find(&lines, last)? {
        block
    } else {
        lines.push(format!("sites:{end}"));
        Block { start: lines.len(), end: lines.len(), indent: 2 }
    };
    for (site, settings) in sites {
        let was_there = wanted.sites.get_or_insert_default().insert(site.clone(), settings.clone()).is_some();
        let entry = format!("{}{}: {}{end}", " ".repeat(block.indent), quoted(site.as_str()), flow(settings));
        let range = was_there.then(|| block.of(site, &lines)).flatten().unwrap_or(block.end..block.end);
        block.end = block.end + 1 - range.len();
        lines.splice(range, [entry]);
    }
    checked(lines.concat(), &wanted, last)
}

/// `text` without this site. `sites:` stays, even when nobody is below it: without it everybody would get everything.
///
/// # Errors
///
/// [`VaultError::Edit`] when that is to be done by hand.
pub fn without_site(text: &str, site: &Site) -> Result<String, VaultError> {
    let mut wanted = parsed(text, site)?;
    if wanted.sites.as_mut().and_then(|sites| sites.remove(site)).is_none() {
        return Ok(text.to_owned());
    }
    let mut lines: Vec<String> = text.split_inclusive('\n').map(ToOwned::to_owned).collect();
    if let Some(range) = Block::find(&lines, site)?.and_then(|block| block.of(site, &lines)) {
        lines.drain(range);
    }
    checked(lines.concat(), &wanted, site)
}

/// The lines below `sites:`.
struct Block {
    start: usize,
    /// After the last line of the last site.
    end: usize,
    /// How far each site stands in.
    indent: usize,
}

impl Block {
    fn find(lines: &[String], site: &Site) -> Result<Option<Self>, VaultError> {
        let Some(heading) = lines.iter().position(|line| key(line).is_some_and(|key| key == "sites")) else {
            return Ok(None);
        };
        let after = lines.get(heading).and_then(|line| line.split_once(':')).map_or("", |(_, after)| after);
        if !is_blank(after) {
            return Err(by_hand(site, "what is after `sites:` is not on lines of its own"));
        }
        let start = heading + 1;
        let below = lines.iter().skip(start);
        let content = below.take_while(|line| is_blank(line) || indent(line) > 0);
        let content: Vec<usize> =
            content.enumerate().filter(|(_, line)| !is_blank(line)).map(|(at, _)| start + at).collect();
        let first = content.first().and_then(|first| lines.get(*first));
        let end = content.last().map_or(start, |last| last + 1);
        Ok(Some(Self { start, end, indent: first.map_or(2, |line| indent(line)) }))
    }

    /// The lines of `site`: its own, and those that stand further in.
    fn of(&self, site: &Site, lines: &[String]) -> Option<Range<usize>> {
        let lines = lines.get(..self.end)?;
        let is_it = |line: &String| {
            indent(line) == self.indent && key(line.trim_start_matches(' ')).as_deref() == Some(site.as_str())
        };
        let first = self.start + lines.get(self.start..)?.iter().position(is_it)?;
        let below = lines.iter().enumerate().skip(first + 1);
        let content = below.take_while(|(_, line)| is_blank(line) || indent(line) > self.indent);
        let last = content.filter(|(_, line)| !is_blank(line)).last().map_or(first, |(last, _)| last);
        Some(first..last + 1)
    }
}

/// The key that `line` begins with, without its quotes.
fn key(line: &str) -> Option<String> {
    let (key, after) = line.split_once(':')?;
    let key = key.trim_end_matches(' ');
    let is_end = after.is_empty() || after.starts_with([' ', '\t', '\r', '\n']);
    let bare = ['\'', '"'].into_iter().find_map(|quote| key.strip_prefix(quote)?.strip_suffix(quote));
    is_end.then(|| bare.unwrap_or(key).to_owned())
}

fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

fn indent(line: &str) -> usize {
    line.bytes().take_while(|byte| *byte == b' ').count()
}

/// `{role: …, release: …, secrets: […]}`.
fn flow(settings: &SiteSettings) -> String {
    let SiteSettings { role, release, secrets } = settings;
    let role = role.as_ref().map(|role| format!("role: {}", quoted(role)));
    let release = release.as_ref().map(|release| format!("release: {}", quoted(release)));
    let secrets = secrets.as_ref().map(|globs| {
        format!("secrets: [{}]", globs.iter().map(|glob| quoted(glob)).collect::<Vec<_>>().join(", "))
    });
    let parts: Vec<String> = [role, release, secrets].into_iter().flatten().collect();
    format!("{{{}}}", parts.join(", "))
}

/// As it stands where YAML takes it for itself, else in quotes.
fn quoted(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '*' | '?'))
        && serde_yaml::from_str(text).is_ok_and(|value: serde_yaml::Value| value.is_string());
    if is_plain {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() || c == '\u{feff}' || ('\u{2028}'..='\u{2029}').contains(&c) => {
                // Writing to a String does not fail
                let _ = write!(quoted, "\\U{:08x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn parsed(text: &str, site: &Site) -> Result<Settings, VaultError> {
    settings::read(text.as_bytes()).map_err(|_| by_hand(site, "it has faults of its own"))
}

fn checked(text: String, wanted: &Settings, site: &Site) -> Result<String, VaultError> {
    match settings::read(text.as_bytes()) {
        Ok(read) if read == *wanted => Ok(text),
        _ => Err(by_hand(site, "it is not written in the form that can be edited")),
    }
}

fn by_hand(site: &Site, why: &'static str) -> VaultError {
    VaultError::Edit { site: site.to_string(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# ours
version: 1   # of the file

sites:
  # the first
  edge1: {}  # all of it

  \"edge2\":
    # a role of ours
    role: DistributedCompute

    secrets: [Nova*]
  # the end

# how long
bundle: {not_after: 90d}
";

    fn site(name: &str) -> Site {
        Site::parse(name).unwrap()
    }

    fn globs(globs: &[&str]) -> SiteSettings {
        SiteSettings::new(None, None, Some(globs.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn a_site_is_added_after_the_last_and_nothing_else_changes() {
        let role = SiteSettings::new(Some(String::from("Compute")), Some(String::from("train")), None);
        let added = with_site(TEXT, &site("edge3"), &role).unwrap();
        let line = "  edge3: {role: Compute, release: train}\n";
        assert_eq!(added, TEXT.replace("  # the end\n", &format!("{line}  # the end\n")));
        assert_eq!(without_site(&added, &site("edge3")).unwrap(), TEXT);
    }

    #[test]
    fn a_site_is_replaced_where_it_stands() {
        let changed = with_site(TEXT, &site("edge2"), &globs(&["Ceph*", "*Key"])).unwrap();
        let block = TEXT.find("  \"edge2\"").unwrap()..TEXT.find("  # the end").unwrap();
        let mut expected = TEXT.to_owned();
        expected.replace_range(block, "  edge2: {secrets: [Ceph*, \"*Key\"]}\n");
        assert_eq!(changed, expected);
    }

    #[test]
    fn the_last_site_leaves_the_heading_so_that_nobody_gets_everything_by_that() {
        let text = "version: 1\nsites:\n  edge1: {}\n";
        let without = without_site(text, &site("edge1")).unwrap();
        assert_eq!(without, "version: 1\nsites:\n");
        assert_eq!(with_site(&without, &site("edge1"), &SiteSettings::default()).unwrap(), text);
        assert_eq!(without_site(text, &site("edge9")).unwrap(), text);
    }

    #[test]
    fn a_file_without_sites_gets_the_heading_and_a_missing_last_newline() {
        let added = with_site("version: 1", &site("1"), &SiteSettings::default()).unwrap();
        assert_eq!(added, "version: 1\nsites:\n  \"1\": {}\n");
        let dos = with_site("version: 1\r\n", &site("edge1"), &SiteSettings::default()).unwrap();
        assert_eq!(dos, "version: 1\r\nsites:\r\n  edge1: {}\r\n");
    }

    #[test]
    fn several_sites_come_in_their_order_and_each_once() {
        let sites = ["edge3", "edge2", "edge4"].map(|name| (site(name), globs(&["A"])));
        let added = with_sites(TEXT, &sites).unwrap();
        let one_by_one = sites
            .iter()
            .fold(TEXT.to_owned(), |text, (site, settings)| with_site(&text, site, settings).unwrap());
        assert_eq!(added, one_by_one);
        assert!(
            added.contains(
                "  edge2: {secrets: [A]}\n  edge3: {secrets: [A]}\n  edge4: {secrets: [A]}\n  # the end\n"
            ),
            "{added}"
        );
        assert_eq!(with_sites(TEXT, &[]).unwrap(), TEXT);
    }

    #[test]
    fn what_is_not_in_the_plain_form_is_left_to_its_owner() {
        for text in [
            "version: 1\nsites: {edge1: {}}\n",
            "{version: 1, sites: {edge1: {}}}\n",
            "version: 1\nsites: &all\n  edge1: {}\n",
            "version: 1\nsites:\n  edge1: &all {}\n  edge2: *all\n",
            "version: 1\n\"sites\": {edge1: {}}\n",
            "version: 1\nnonsense: 1\n",
            "version: 1\n...\n",
        ] {
            let kept = [with_site(text, &site("edge1"), &globs(&[])), without_site(text, &site("edge1"))];
            for edited in kept.into_iter().filter(|edited| !matches!(edited, Ok(same) if same == text)) {
                let Err(VaultError::Edit { site, .. }) = edited else { panic!("{text:?}: {edited:?}") };
                assert_eq!(site, "edge1");
            }
        }
    }

    #[test]
    fn an_edit_that_would_do_nothing_is_no_success() {
        let text = "version: 1\nsites:\n  ? edge1\n  : {secrets: [A]}\n";
        assert!(matches!(without_site(text, &site("edge1")), Err(VaultError::Edit { .. })));
    }

    #[test]
    fn any_name_and_any_glob_comes_back_as_it_was() {
        for glob in [
            "*", "?x", "true", "1e3", "a b", "a\"b\\c", "é", "#x", "a: b", "[x]", "\u{2028}", "", "~", "0x1f",
        ] {
            let settings = SiteSettings::new(Some(glob.to_owned()), None, Some(vec![glob.to_owned()]));
            for name in ["edge1", "true", "12", "1.5", "0x1f", "no", "null", "a.b_c-d"] {
                let added = with_site("version: 1\nsites:\n    other: {}\n", &site(name), &settings);
                assert!(
                    added.as_ref().is_ok_and(|text| text.contains("\n    ")),
                    "{name} {glob:?}: {added:?}"
                );
            }
        }
    }
}
