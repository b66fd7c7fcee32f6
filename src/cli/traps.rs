//! What the command of `run` will do that its writer may not want.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::Path;

use crate::admit::Admitted;
use crate::model::{EnvironmentFile, ParameterName, Site};
use crate::run::{Command, Surroundings, traps};

use super::environment;
use super::ui::Ui;

/// The options that hand the command's words to the worker, which can be told from its own.
pub(super) fn words(command: &Command) -> impl Iterator<Item = OsString> + '_ {
    std::iter::once(&command.program).chain(&command.arguments).map(|word| {
        let mut option = OsString::from("--word=");
        option.push(word);
        option
    })
}

/// Says what is to be said of the command with these words, which gets the files of `site`.
pub(super) fn warn(words: &[OsString], bundle: &Path, admitted: &Admitted, site: Option<&Site>, ui: Ui) {
    let Some(command) = Command::of(words.to_vec()) else { return };
    let sets = sets(admitted, site);
    let home = environment::home();
    let around = Surroundings { bundle, sets: &sets, home: home.as_deref() };
    for trap in traps(&command, &around) {
        ui.warn(&trap.to_string());
    }
}

/// What each file of the bundle sets. Who is not named may get less than is said here.
fn sets(admitted: &Admitted, site: Option<&Site>) -> BTreeMap<EnvironmentFile, BTreeSet<ParameterName>> {
    let manifest = &admitted.bundle().manifest;
    let grant = site.and_then(|site| manifest.grant_of(site));
    let is_his = |name: &ParameterName| grant.is_none_or(|grant| grant.holds(name));
    let mut sets: BTreeMap<EnvironmentFile, BTreeSet<ParameterName>> = BTreeMap::new();
    for file in &manifest.files {
        let Ok(place) = file.place() else { continue };
        let names = sets.entry(place.file).or_default();
        names.extend(file.parameters.iter().filter(|name| !place.sealed || is_his(name)).cloned());
        if place.file == EnvironmentFile::Passwords {
            // The passwords of who gets a part are in a file of his own, of which the names are not said
            let secrets = manifest.secrets.iter().map(|secret| &secret.name);
            let in_passwords = |name: &&ParameterName| EnvironmentFile::taking(name.as_str()).is_none();
            names.extend(secrets.filter(in_passwords).filter(|name| is_his(name)).cloned());
        }
    }
    sets
}
