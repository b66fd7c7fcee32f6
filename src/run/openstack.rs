//! What a command line says to TripleO's client, as far as it can be read from outside.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Command;

/// The subcommands of `openstack overcloud` that take environment files.
const DEPLOYING: [&[u8]; 6] =
    [b"deploy", b"external-update", b"external-upgrade", b"ffwd-upgrade", b"update", b"upgrade"];
/// How few of `-v` make the client log all that `--debug` does.
const AS_LOUD_AS_DEBUG: usize = 2;

impl Command {
    /// Whether this is `openstack overcloud deploy` or one of its kin, also behind `sudo` or `env`. What a shell is given
    /// to run is not read.
    #[must_use]
    pub fn is_deployment(&self) -> bool {
        let words = || std::iter::once(&self.program).chain(&self.arguments);
        let is_client = |word: &&OsString| Path::new(word).file_name() == Some(OsStr::new("openstack"));
        let mut after = words().skip_while(|word| !is_client(word)).skip(1).peekable();
        while let Some(word) = after.next() {
            let next = after.peek().map(|next| next.as_bytes()).unwrap_or_default();
            if word == "overcloud" && DEPLOYING.contains(&next) {
                return true;
            }
        }
        false
    }

    /// The value of the option that is called one of `names`, where it is given; of several the last, as for the client.
    #[must_use]
    pub fn option(&self, names: &[&str]) -> Option<&OsStr> {
        self.options(names).pop()
    }

    /// All values of the option that is called one of `names`: `--name VALUE`, `--name=VALUE`, `-n VALUE`, `-nVALUE`.
    pub(super) fn options(&self, names: &[&str]) -> Vec<&OsStr> {
        let mut values = Vec::new();
        let mut arguments = self.arguments.iter();
        while let Some(argument) = arguments.next() {
            if names.iter().any(|name| argument == name) {
                values.extend(arguments.next().map(OsString::as_os_str));
                continue;
            }
            let attached = names.iter().find_map(|name| {
                let rest = argument.as_bytes().strip_prefix(name.as_bytes())?;
                if name.starts_with("--") { rest.strip_prefix(b"=") } else { Some(rest) }
            });
            values.extend(attached.map(OsStr::from_bytes));
        }
        values
    }

    /// Whether `name` is one of the arguments.
    pub(super) fn has(&self, name: &str) -> bool {
        self.arguments.iter().any(|argument| argument == name)
    }

    /// The option that makes the client log its requests, if one does.
    pub(super) fn logs_requests(&self) -> Option<&'static str> {
        let loudness = |argument: &OsString| match argument.as_bytes() {
            b"--verbose" => 1,
            [b'-', letters @ ..] if letters.iter().all(|letter| *letter == b'v') => letters.len(),
            _ => 0,
        };
        if self.has("--debug") {
            return Some("--debug");
        }
        let loud: usize = self.arguments.iter().map(loudness).sum();
        (loud >= AS_LOUD_AS_DEBUG).then_some("-v -v")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &str) -> Command {
        Command::of(words.split(' ').map(Into::into).collect()).unwrap()
    }

    #[test]
    fn a_deployment_is_known_by_its_words_also_behind_another_program() {
        for words in [
            "openstack overcloud deploy --stack edge1",
            "/usr/bin/openstack --debug overcloud update run",
            "sudo -E openstack overcloud deploy",
            "env A=b openstack overcloud ffwd-upgrade prepare",
        ] {
            assert!(command(words).is_deployment(), "{words}");
        }
        for words in [
            "openstack stack create x",
            "openstack overcloud node list",
            "./deploy.sh overcloud deploy",
            "openstack",
        ] {
            assert!(!command(words).is_deployment(), "{words}");
        }
    }

    #[test]
    fn an_options_value_is_found_in_each_of_its_forms_and_the_last_counts() {
        let value = |words: &str| command(words).option(&["--stack", "-s"]).map(ToOwned::to_owned);
        assert_eq!(value("c --stack a"), Some("a".into()));
        assert_eq!(value("c --stack a --stack=b"), Some("b".into()));
        assert_eq!(value("c -sb"), Some("b".into()));
        assert_eq!(value("c --stacked a --stack"), None);
        let files = command("c -e a -eb --environment-file c --environment-file=d");
        assert_eq!(files.options(&["-e", "--environment-file"]), ["a", "b", "c", "d"]);
    }

    #[test]
    fn two_vs_are_as_loud_as_debug_and_one_is_not() {
        for (words, option) in [
            ("c --debug", Some("--debug")),
            ("c -vv", Some("-v -v")),
            ("c -v x --verbose", Some("-v -v")),
            ("c -v", None),
            ("c -", None),
            ("c --vv", None),
        ] {
            assert_eq!(command(words).logs_requests(), option, "{words}");
        }
    }
}
