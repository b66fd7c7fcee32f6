use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use crate::model::EnvironmentFile;

const DIRECTORY: &[u8] = b"{dir}";
const ENVIRONMENT: &[u8] = b"{env}";
const PASSWORDS: &[u8] = b"{passwords}";

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

    /// `{dir}` becomes `directory` and `{passwords}` the passwords file in it, within words too; an argument that is
    /// just `{env}` becomes `-e FILE` for each of `files`. All else is left as it is.
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

fn replaced(word: &[u8], placeholder: &[u8], with: &OsStr) -> Vec<u8> {
    let mut result = Vec::with_capacity(word.len());
    let mut rest = word;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(placeholder) {
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
    fn dir_and_passwords_are_filled_within_words_and_all_else_is_left() {
        let expected = ["--in=/d/x:/d", "-e/d/passwords.yaml", "{}", "{env}x", "$HOME"];
        assert_eq!(filled(&["c", "--in={dir}/x:{dir}", "-e{passwords}", "{}", "{env}x", "$HOME"]), expected);
    }
}
