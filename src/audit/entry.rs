use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};

use crate::model::{ParameterName, Site};

use super::Who;

/// A text of a line is cut after so many bytes: few of ours are longer.
const LONGEST_TEXT: usize = 1000;
/// A bundle has fewer files, and there are fewer waivers.
const MOST: usize = 16;

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(clippy::exhaustive_enums, reason = "an opening has no more to it")]
pub enum Event {
    /// A bundle was opened: what `files` and `parameters` name is about to be handed over.
    Opened,
    /// It was not handed over, or not whole: `error` says why.
    Refused,
    /// The command that had it in place has ended.
    Ended,
}

/// By what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(clippy::exhaustive_enums, reason = "the verbs that open a bundle for somebody")]
pub enum Verb {
    /// `run`.
    Run,
    /// `decrypt`.
    Decrypt,
    /// `get`.
    Get,
    /// `serve`.
    Serve,
}

/// Who asked `serve`, as the kernel says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::exhaustive_structs, reason = "it is made by naming its parts")]
pub struct Peer {
    /// The process.
    pub pid: i32,
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// The systemd unit that it belongs to, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// One line of the log, without what chains it to the others. **No field may hold a value of a secret**: names, ids, texts of errors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Entry {
    /// When.
    pub time: Timestamp,
    /// What has happened.
    pub event: Event,
    /// The opening's own id, which the line of its end has too.
    pub id: String,
    /// The user who has logged in, by name, where it can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The user as whom we run.
    pub uid: u32,
    /// The user who has logged in, where the kernel knows it and it is another: before `sudo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_uid: Option<u32>,
    /// The terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tty: Option<String>,
    /// The systemd unit that we are part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// By what it was asked for.
    pub verb: Verb,
    /// The vault's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault: Option<String>,
    /// The bundle's generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// The site as which it was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Site>,
    /// The files, by their plain names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// The parameters that were asked for, or that these files hold, sorted; names only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<ParameterName>,
    /// How many more they are, where a line cannot hold the names of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_parameters: Option<usize>,
    /// How it was handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
    /// The command of `run`: the program alone, since an argument could be anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child: Option<String>,
    /// Who asked, of `serve`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Peer>,
    /// The switches of what was let pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waived: Vec<String>,
    /// Of what was refused: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Of what has ended: the command's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<u8>,
    /// Of what has ended: the signal that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<u8>,
    /// Of what has ended: how many secrets were found where the command has left them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escapes: Option<usize>,
}

impl Entry {
    /// That `event` has happened by `verb` at the moment `time`, to the opening `id`; the rest is to be filled in.
    #[must_use]
    pub fn new(event: Event, verb: Verb, id: &str, who: &Who, time: Timestamp) -> Self {
        Self {
            time: for_people(time),
            event,
            id: id.to_owned(),
            user: who.user.clone(),
            uid: who.uid,
            login_uid: who.login_uid,
            tty: who.tty.clone(),
            unit: who.unit.clone(),
            verb,
            vault: None,
            generation: None,
            site: None,
            files: Vec::new(),
            parameters: Vec::new(),
            more_parameters: None,
            delivery: None,
            child: None,
            peer: None,
            waived: Vec::new(),
            error: None,
            exit: None,
            signal: None,
            escapes: None,
        }
    }

    /// The same opening, where `event` has happened at the moment `time`.
    #[must_use]
    pub fn at(&self, event: Event, time: Timestamp) -> Self {
        Self { event, time: for_people(time), ..self.clone() }
    }

    /// As it stands in a line: texts short and of printable characters, parameters sorted, each once, and no more than take `room`
    /// bytes.
    pub(super) fn fit(&self, room: usize) -> Self {
        let mut fit = self.clone();
        let texts = [
            &mut fit.user,
            &mut fit.tty,
            &mut fit.unit,
            &mut fit.vault,
            &mut fit.delivery,
            &mut fit.child,
            &mut fit.error,
        ];
        let unit = fit.peer.as_mut().map(|peer| &mut peer.unit);
        fit.files.truncate(MOST);
        fit.waived.truncate(MOST);
        let lists = fit.files.iter_mut().chain(&mut fit.waived).chain([&mut fit.id]);
        for text in texts.into_iter().chain(unit).filter_map(Option::as_mut).chain(lists) {
            *text = printable(text);
        }
        fit.parameters.sort_unstable();
        fit.parameters.dedup();
        let mut taken = 0_usize;
        let fitting = fit.parameters.iter().take_while(|name| {
            // A quote and a backslash take two bytes, and no other character of a name more than it has
            taken += name.as_str().len() * 2 + 3;
            taken <= room
        });
        let fitting = fitting.count();
        let more = fit.parameters.len() - fitting;
        fit.parameters.truncate(fitting);
        fit.more_parameters = (more > 0).then_some(more);
        fit
    }
}

/// The order of the lines is that of the file.
fn for_people(time: Timestamp) -> Timestamp {
    time.round(Unit::Millisecond).unwrap_or(time)
}

/// A terminal obeys control characters, and some others turn the reading around: they are escaped.
fn printable(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        match c {
            '\'' | '"' | '\\' => shown.push(c),
            _ => shown.extend(c.escape_debug()),
        }
        if shown.len() > LONGEST_TEXT {
            shown.push('…');
            break;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let who = Who { user: None, uid: 0, login_uid: None, tty: None, unit: None };
        Entry::new(Event::Opened, Verb::Run, "00", &who, "2026-01-02T03:04:05.678912Z".parse().unwrap())
    }

    #[test]
    fn what_comes_from_elsewhere_is_escaped_and_cut() {
        let mut entry = entry();
        entry.child = Some(String::from("a\u{1b}[2J\u{9b}\u{202e}\n'\"\\é"));
        entry.error = Some("x".repeat(5000));
        let fit = entry.fit(1000);
        assert_eq!(fit.child.unwrap(), "a\\u{1b}[2J\\u{9b}\\u{202e}\\n'\"\\é");
        assert_eq!(fit.error.unwrap().chars().count(), LONGEST_TEXT + 2);
    }

    #[test]
    fn names_are_sorted_each_stands_once_and_those_too_many_are_counted() {
        let mut entry = entry();
        let name = |text: &str| ParameterName::parse(text).unwrap();
        entry.parameters = ["B", "A", "C", "B"].map(name).to_vec();
        assert_eq!(entry.fit(100).parameters, ["A", "B", "C"].map(name));
        let fit = entry.fit(10);
        assert_eq!((fit.parameters, fit.more_parameters), (["A", "B"].map(name).to_vec(), Some(1)));
    }
}
