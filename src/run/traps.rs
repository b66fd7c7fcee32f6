//! What a command line will do that its writer may not want: told before the command starts, and never an error.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::fs;
use crate::model::{Data, EnvironmentFile, ParameterName};
use crate::yaml;

use super::Command;

const FILE_OPTIONS: [&str; 2] = ["-e", "--environment-file"];
const DIRECTORY_OPTION: &str = "--environment-directory";
/// Below the home, what the client takes without being told.
const UNASKED: &str = ".tripleo/environments";
/// What a file of environment says that it sets.
const SETTING: [&str; 2] = ["parameter_defaults", "parameters"];

/// What a bundle sets, by name, and where the client finds more.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs, reason = "it is made by naming its parts")]
pub struct Surroundings<'a> {
    /// The bundle's directory.
    pub bundle: &'a Path,
    /// Its files, and what each sets.
    pub sets: &'a BTreeMap<EnvironmentFile, BTreeSet<ParameterName>>,
    /// The home of who deploys.
    pub home: Option<&'a Path>,
}

/// A warning. What it says never holds a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trap {
    /// A file of the bundle is given twice.
    GivenTwice {
        /// The file.
        file: EnvironmentFile,
    },
    /// The client logs its requests.
    LogsRequests {
        /// The option that makes it.
        option: &'static str,
    },
    /// What looks like a placeholder is none.
    Misspelt {
        /// As it is written.
        written: String,
        /// The nearest placeholder.
        meant: &'static str,
    },
    /// The client leaves its temporary files.
    NoCleanup,
    /// Two files set the same.
    SetTwice {
        /// What they set.
        parameters: Vec<ParameterName>,
        /// The one that is read first.
        one: String,
        /// The other.
        other: String,
        /// Whether the first is taken without being named.
        unasked: bool,
    },
    /// All files are given more than once.
    TwiceEnv,
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LOGGED: &str = "Zed's client logs both values";
        match self {
            Self::GivenTwice { file } => {
                write!(f, "`{}` is given twice: {LOGGED} of each parameter in it", file.file_name())
            }
            Self::LogsRequests { option } => {
                write!(f, "`{option}` makes the client log whole requests, with the secrets in them")
            }
            Self::Misspelt { written, meant } if written == meant => {
                write!(f, "`{written}` within a word is passed on as it is: it is filled as an argument of its own")
            }
            Self::Misspelt { written, meant } => {
                write!(f, "`{written}` is passed on as it is: is `{meant}` meant?")
            }
            Self::NoCleanup => f.write_str(
                "`--no-cleanup` leaves the client's temporary files: in Train its copy of the plan, with all passwords",
            ),
            Self::SetTwice { parameters, one, other, unasked: true } => write!(
                f,
                "`{one}`, which the client takes unasked, sets {} as `{other}` does: is that value old? {LOGGED}",
                named(parameters)
            ),
            Self::SetTwice { parameters, one, other, unasked: false } => write!(
                f,
                "{} {} set in `{one}` and in `{other}`: the later one counts, and {LOGGED}",
                named(parameters),
                if parameters.len() == 1 { "is" } else { "are" }
            ),
            Self::TwiceEnv => {
                write!(f, "`{{env}}` stands there more than once: {LOGGED} of each parameter")
            }
        }
    }
}

fn named(parameters: &[ParameterName]) -> String {
    parameters.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What `command` will do that its writer may not want. Of files that users name it reads the names of what they set; one that
/// cannot be read is passed over, since the client will say so.
#[must_use]
pub fn traps(command: &Command, around: &Surroundings<'_>) -> Vec<Trap> {
    let misspelt = command.misspelt().into_iter();
    let mut traps: Vec<Trap> =
        misspelt.map(|one| Trap::Misspelt { written: one.written.to_owned(), meant: one.meant }).collect();
    if command.times_env() > 1 {
        traps.push(Trap::TwiceEnv);
    }
    if !command.is_deployment() {
        return traps;
    }
    traps.extend(command.logs_requests().map(|option| Trap::LogsRequests { option }));
    if command.has("--no-cleanup") {
        traps.push(Trap::NoCleanup);
    }
    let mut environments = Environments { around, read: Vec::new(), given: BTreeSet::new() };
    traps.extend(environments.of(command));
    traps.extend(environments.set_twice());
    traps
}

/// The environment files of a deployment, in the order in which it reads them.
struct Environments<'a> {
    around: &'a Surroundings<'a>,
    read: Vec<Environment>,
    given: BTreeSet<EnvironmentFile>,
}

struct Environment {
    label: String,
    sets: BTreeSet<ParameterName>,
    unasked: bool,
}

impl Environments<'_> {
    fn of(&mut self, command: &Command) -> Vec<Trap> {
        let unasked = self.around.home.map(|home| home.join(UNASKED));
        let directories = command.options(&[DIRECTORY_OPTION]).into_iter().map(PathBuf::from);
        for directory in unasked.into_iter().chain(directories) {
            for name in fs::names_in(&directory).unwrap_or_default() {
                if Path::new(&name).extension() == Some(OsStr::new("yaml")) {
                    self.add_file(&directory.join(name), true);
                }
            }
        }
        if command.times_env() > 0 {
            self.around.sets.keys().for_each(|file| self.add_bundled(*file));
        }
        let mut traps = Vec::new();
        for value in command.options(&FILE_OPTIONS) {
            match self.bundled(value) {
                Some(file) if self.given.contains(&file) => traps.push(Trap::GivenTwice { file }),
                Some(file) => self.add_bundled(file),
                None => self.add_file(Path::new(value), false),
            }
        }
        traps
    }

    /// The file of the bundle that is meant.
    fn bundled(&self, value: &OsStr) -> Option<EnvironmentFile> {
        if value == "{passwords}" {
            return Some(EnvironmentFile::Passwords);
        }
        let path = Path::new(value);
        let file = EnvironmentFile::named(path.file_name()?.to_str()?)?;
        let is_ours = |directory: &Path| {
            directory.as_os_str().as_bytes() == b"{dir}"
                || fs::true_path(directory).ok() == fs::true_path(self.around.bundle).ok()
        };
        path.parent().is_some_and(is_ours).then_some(file)
    }

    fn add_bundled(&mut self, file: EnvironmentFile) {
        let sets = self.around.sets.get(&file).cloned().unwrap_or_default();
        self.read.push(Environment { label: file.file_name().to_owned(), sets, unasked: false });
        self.given.insert(file);
    }

    fn add_file(&mut self, path: &Path, unasked: bool) {
        let label = path.display().to_string();
        self.read.extend(set_in(path).map(|sets| Environment { label, sets, unasked }));
    }

    /// What of the bundle's is set in another file as well. Users' own settings may meet as they like.
    fn set_twice(&self) -> Vec<Trap> {
        let ours: BTreeSet<&ParameterName> = self.around.sets.values().flatten().collect();
        let mut met: BTreeMap<(usize, usize), Vec<ParameterName>> = BTreeMap::new();
        for name in ours {
            let setting = self.read.iter().enumerate().filter(|(_, file)| file.sets.contains(name));
            let positions: Vec<usize> = setting.map(|(position, _)| position).collect();
            for pair in positions.windows(2) {
                if let [one, other] = pair {
                    met.entry((*one, *other)).or_default().push(name.clone());
                }
            }
        }
        let trap = |((one, other), parameters): ((usize, usize), Vec<ParameterName>)| {
            let (one, other) = (self.read.get(one)?, self.read.get(other)?);
            Some(Trap::SetTwice {
                parameters,
                one: one.label.clone(),
                other: other.label.clone(),
                unasked: one.unasked,
            })
        };
        met.into_iter().filter_map(trap).collect()
    }
}

/// What an environment file sets. YAML's reader takes JSON as well, as the client's does.
fn set_in(path: &Path) -> Option<BTreeSet<ParameterName>> {
    // A pipe would wait for ever, and be empty for the client then
    if !path.is_file() {
        return None;
    }
    let text = fs::read_secret(path).ok()?;
    // EXPOSE: of what is read, only names leave
    let content = text.expose(|bytes| yaml::read(bytes, "environment").ok())?;
    let mut sets = BTreeSet::new();
    for key in SETTING {
        let Some(Data::Map(entries)) = content.under(key) else { continue };
        // EXPOSE: a parameter's name is public
        sets.extend(entries.iter().filter_map(|(name, _)| name.text.expose(ParameterName::parse).ok()));
    }
    Some(sets)
}

#[cfg(test)]
mod tests;
