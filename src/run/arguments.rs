use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use crate::model::EnvironmentFile;
use crate::report::nearest;

const DIRECTORY: &[u8] = b"{dir}";
const ENVIRONMENT: &[u8] = b"{env}";
const PASSWORDS: &[u8] = b"{passwords}";
/// What a placeholder may be called by somebody who does not remember its name, and its name.
const MEANT: [(&str, &str); 8] = [
    ("dir", "{dir}"),
    ("directory", "{dir}"),
    ("env", "{env}"),
    ("environment", "{env}"),
    ("environments", "{env}"),
    ("password", "{passwords}"),
    ("passwords", "{passwords}"),
    ("passwords.yaml", "{passwords}"),
];

/// Braces that look like a placeholder, and are passed on as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Misspelt<'a> {
    /// With its braces.
    pub(super) written: &'a str,
    /// The placeholder that is nearest. The same one, where it is filled only as an argument of its own.
    pub(super) meant: &'static str,
}

/// A command line with placeholders. No shell ever sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Command {
    /// The program.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

impl Command {
    /// The command in `words`, if there is one.
    #[must_use]
    pub fn of(words: Vec<OsString>) -> Option<Self> {
        let mut words = words.into_iter();
        words.next().map(|program| Self { program, arguments: words.collect() })
    }

    /// What looks like a placeholder and is none, each once, in the order of the alphabet. Braces of a shell (`${dir}`), of a
    /// template (`{{ dir }}`), of JSON and of `find` are none.
    pub(super) fn misspelt(&self) -> BTreeSet<Misspelt<'_>> {
        let others = self.arguments.iter().filter(|argument| argument.as_bytes() != ENVIRONMENT);
        others.filter_map(|argument| argument.to_str()).flat_map(misspelt_in).collect()
    }

    /// How often an argument is just `{env}`.
    pub(super) fn times_env(&self) -> usize {
        self.arguments.iter().filter(|argument| argument.as_bytes() == ENVIRONMENT).count()
    }

    /// `{dir}` becomes `directory` and `{passwords}` the passwords file in it, within words too; an argument that is
    /// just `{env}` becomes `-e FILE` for each of `files`. All else is left as it is, a shell's own `${dir}` too.
    pub(super) fn filled(&self, directory: &Path, files: &[EnvironmentFile]) -> Vec<OsString> {
        let path_of = |file: EnvironmentFile| directory.join(file.file_name()).into_os_string();
        let mut filled = Vec::new();
        for argument in &self.arguments {
            if argument.as_bytes() == ENVIRONMENT {
                filled.extend(files.iter().flat_map(|file| [OsString::from("-e"), path_of(*file)]));
                continue;
            }
            let passwords = path_of(EnvironmentFile::Passwords);
            let word = replaced(argument.as_bytes(), DIRECTORY, directory.as_os_str());
            filled.push(OsString::from_vec(replaced(&word, PASSWORDS, &passwords)));
        }
        filled
    }
}

fn misspelt_in(word: &str) -> Vec<Misspelt<'_>> {
    let mut found = Vec::new();
    for (start, _) in word.match_indices('{') {
        let (before, braces) = word.split_at(start);
        let Some(length) = braces.find('}').map(|end| end + 1) else { break };
        let (written, after) = braces.split_at(length);
        let is_foreign = before.ends_with(['{', '$']) || after.starts_with('}');
        let name = written.trim_matches(['{', '}']);
        let is_filled = [DIRECTORY, PASSWORDS].contains(&written.as_bytes());
        if is_foreign || is_filled || !name.chars().all(is_in_a_name) {
            continue;
        }
        let near = nearest(name, MEANT.iter().map(|(name, _)| *name));
        let meant = near.and_then(|near| MEANT.iter().find(|(name, _)| *name == near));
        found.extend(meant.map(|(_, meant)| Misspelt { written, meant }));
    }
    found
}

const fn is_in_a_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.')
}

fn replaced(word: &[u8], placeholder: &[u8], with: &OsStr) -> Vec<u8> {
    let mut result = Vec::with_capacity(word.len());
    let mut rest = word;
    while !rest.is_empty() {
        let after = rest.strip_prefix(placeholder).filter(|_| !result.ends_with(b"$"));
        if let Some(after) = after {
            result.extend_from_slice(with.as_bytes());
            rest = after;
        } else if let Some((first, after)) = rest.split_first() {
            result.push(*first);
            rest = after;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(words: &[&str]) -> Vec<String> {
        let command = Command::of(words.iter().map(OsString::from).collect()).unwrap();
        let files = [EnvironmentFile::EndpointMap, EnvironmentFile::Passwords];
        command.filled(Path::new("/d"), &files).into_iter().map(|word| word.into_string().unwrap()).collect()
    }

    #[test]
    fn env_becomes_an_option_for_each_file_in_order() {
        let expected = ["x", "-e", "/d/endpoint-map.json", "-e", "/d/passwords.yaml", "y"];
        assert_eq!(filled(&["deploy", "x", "{env}", "y"]), expected);
    }

    #[test]
    fn a_slip_in_a_placeholder_is_seen_and_other_braces_are_not() {
        let misspelt = |words: &[&str]| {
            let words = std::iter::once("c").chain(words.iter().copied()).map(OsString::from).collect();
            let command = Command::of(words).unwrap();
            command.misspelt().iter().map(|one| format!("{} {}", one.written, one.meant)).collect::<Vec<_>>()
        };
        for (word, meant) in [
            ("{env}x", "{env} {env}"),
            ("--foo={env}", "{env} {env}"),
            ("{ENV}", "{ENV} {env}"),
            ("{enviroment}", "{enviroment} {env}"),
            ("-e{password}", "{password} {passwords}"),
            ("{Dir}/x", "{Dir} {dir}"),
            ("{dri}", "{dri} {dir}"),
        ] {
            assert_eq!(misspelt(&[word]), [meant], "{word}");
        }
        for word in [
            "{env}",
            "{dir}",
            "{passwords}",
            "{}",
            "{{ env }}",
            "{{env}}",
            "${ENV}",
            "{\"env\": 1}",
            "{\"env\"}",
            "{a,b}",
            "{server}",
            "{",
            "}env{",
            "{env",
            "{ env }",
            "{1..3}",
            "{en\u{e9}}",
        ] {
            assert_eq!(misspelt(&[word]), Vec::<String>::new(), "{word}");
        }
        assert_eq!(misspelt(&["{envs}:{dirs}", "{envs}"]), ["{dirs} {dir}", "{envs} {env}"]);
    }

    #[test]
    fn dir_and_passwords_are_filled_within_words_and_all_else_is_left() {
        let expected = ["--in=/d/x:/d", "-e/d/passwords.yaml", "{}", "{env}x", "$HOME", "${dir}"];
        let words = ["c", "--in={dir}/x:{dir}", "-e{passwords}", "{}", "{env}x", "$HOME", "${dir}"];
        assert_eq!(filled(&words), expected);
    }
}
