use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use crate::fs;

const COMMAND: &[u8] = b"cmd:";
const DESCRIPTOR: &[u8] = b"fd:";
/// Those below are what every process has for its input and its output.
const FIRST_DESCRIPTOR: i32 = 3;
const KEY: &[u8] = b"AGE-SECRET-KEY-";

/// Where an identity comes from, as `-i` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentitySource {
    /// `cmd:WORDS…`: what this command writes. Words end at white space, whatever stands in them: no shell, no quoting.
    Command(Vec<OsString>),
    /// `fd:N`: what this inherited descriptor gives.
    Descriptor(i32),
    /// All else: a file. One that is called `fd:3` is `./fd:3`.
    File(PathBuf),
}

/// Why a word names no place that an identity could come from. None of them repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// After `cmd:` comes nothing.
    #[error("after cmd: comes a command, its words apart from each other by spaces")]
    NoCommand,
    /// After `fd:` comes no number, or one that is taken.
    #[error("after fd: comes the number of an inherited descriptor, from 3; a file of that name is ./fd:…")]
    NoDescriptor,
    /// The descriptor is not open.
    #[error("this descriptor is not open: redirect it for this command, as in 3<FILE")]
    NotOpen,
}

impl IdentitySource {
    /// Reads the word after `-i`.
    ///
    /// # Errors
    ///
    /// Any [`SourceError`].
    pub fn parse(word: PathBuf) -> Result<Self, SourceError> {
        let bytes = word.as_os_str().as_bytes();
        // A key that is typed here is no source; as the name of a file, which it is not, it is kept out of the error
        if bytes.to_ascii_uppercase().windows(KEY.len()).any(|window| window == KEY) {
            return Ok(Self::File(word));
        }
        if let Some(command) = bytes.strip_prefix(COMMAND) {
            let words = command.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            let words: Vec<OsString> = words.map(|word| OsString::from_vec(word.to_vec())).collect();
            return if words.is_empty() { Err(SourceError::NoCommand) } else { Ok(Self::Command(words)) };
        }
        let Some(number) = bytes.strip_prefix(DESCRIPTOR) else { return Ok(Self::File(word)) };
        let number = std::str::from_utf8(number).ok().filter(|text| text.bytes().all(|c| c.is_ascii_digit()));
        match number.and_then(|number| number.parse().ok()) {
            Some(number) if number < FIRST_DESCRIPTOR => Err(SourceError::NoDescriptor),
            Some(number) if fs::is_open(number) => Ok(Self::Descriptor(number)),
            Some(_) => Err(SourceError::NotOpen),
            None => Err(SourceError::NoDescriptor),
        }
    }

    /// The word that it was read from, for a worker.
    #[must_use]
    pub fn word(&self) -> OsString {
        match self {
            Self::Command(words) => {
                let mut whole = OsString::from_vec(COMMAND.to_vec());
                for (position, word) in words.iter().enumerate() {
                    whole.push(if position == 0 { "" } else { " " });
                    whole.push(word);
                }
                whole
            }
            Self::Descriptor(number) => OsString::from(format!("fd:{number}")),
            Self::File(path) => path.clone().into_os_string(),
        }
    }

    /// The descriptor, where it is one.
    #[must_use]
    pub const fn descriptor(&self) -> Option<i32> {
        match self {
            Self::Descriptor(number) => Some(*number),
            Self::Command(_) | Self::File(_) => None,
        }
    }

    /// What it is called in words for people: of a command only the program, since its arguments may say more.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Command(words) => {
                format!("cmd:{}", words.first().map(|word| word.to_string_lossy()).unwrap_or_default())
            }
            Self::Descriptor(number) => format!("fd:{number}"),
            Self::File(path) => path.display().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(word: &str) -> Result<IdentitySource, SourceError> {
        IdentitySource::parse(PathBuf::from(word))
    }

    #[test]
    fn what_is_neither_a_command_nor_a_descriptor_is_a_file() {
        for word in ["identity.txt", "./fd:3", "./cmd:true", "/x/fd:3", "FD:3", "fd", "cmd", "-", " fd:3"] {
            assert_eq!(parsed(word), Ok(IdentitySource::File(PathBuf::from(word))));
        }
    }

    #[test]
    fn a_command_ends_its_words_at_white_space_and_knows_no_quotes() {
        let words = |words: &[&str]| Ok(IdentitySource::Command(words.iter().map(OsString::from).collect()));
        assert_eq!(parsed("cmd:pass  show\t'a b' $HOME\n"), words(&["pass", "show", "'a", "b'", "$HOME"]));
        for word in ["cmd:", "cmd: \t"] {
            assert_eq!(parsed(word), Err(SourceError::NoCommand));
        }
    }

    #[test]
    fn a_descriptor_is_a_number_from_three_that_is_open() {
        for word in ["fd:", "fd:x", "fd:0", "fd:2", "fd:-3", "fd:+3", "fd: 3", "fd:3x", "fd:99999999999"] {
            assert_eq!(parsed(word), Err(SourceError::NoDescriptor), "{word}");
        }
        assert_eq!(parsed("fd:9999"), Err(SourceError::NotOpen));
        let (reader, _writer) = std::io::pipe().unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&reader);
        assert_eq!(parsed(&format!("fd:{number}")), Ok(IdentitySource::Descriptor(number)));
    }

    #[test]
    fn a_source_comes_back_from_its_word() {
        for word in ["identity.txt", "./fd:3", "cmd:pass show dcn", "-x", "a b"] {
            let source = parsed(word).unwrap();
            assert_eq!(source.word(), OsString::from(word));
            assert_eq!(IdentitySource::parse(PathBuf::from(source.word())), Ok(source));
        }
    }
}
