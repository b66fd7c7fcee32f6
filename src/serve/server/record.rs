use crate::model::EnvironmentFile;
use crate::serve::asked::Asked;

/// A request and its outcome, as it is written down. Never a value.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Entry<'a> {
    /// The client's user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its process.
    pub pid: i32,
    /// Its unit, where that is certain.
    pub unit: Option<&'a str>,
    /// The credential that systemd asks for.
    pub credential: Option<&'a str>,
    /// What was asked for, where that could be read.
    pub asked: Option<&'a Asked>,
    /// Where that is, once it was found.
    pub place: Option<Place<'a>>,
    /// What became of it.
    pub outcome: Outcome<'a>,
}

/// In which bundle, and where in it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Place<'a> {
    /// The vault's id.
    pub vault: &'a str,
    /// The bundle's generation.
    pub generation: u64,
    /// The file.
    pub file: EnvironmentFile,
    /// All parameters that it can be of.
    pub parameters: &'a [String],
    /// The switches of what was let pass.
    pub waived: &'a [String],
}

/// What became of a request.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// It is answered, as soon as this is written down.
    Answered,
    /// Nothing is given, for this reason.
    Refused(&'a str),
}

/// It could not be written down; in words.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "it is a word")]
pub struct Unrecorded(pub String);
