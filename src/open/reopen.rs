//! A whole bundle back into the stage before the guard: what `rekey` seals anew.

use std::collections::BTreeMap;

use crate::admit::Admitted;
use crate::classify::{Classified, Document, Form, Reopened, Secret};
use crate::identity::IdentitySet;
use crate::json;
use crate::model::{Data, EnvironmentFile, FilePath, ParameterName};
use crate::secret::wipe_finished_frames;
use crate::yaml;

use super::{OpenError, OpenedFile, open_file, try_open};

/// The key of an environment file.
const PARAMETERS: &str = "parameter_defaults";

/// Opens all that `identities` can of `admitted`, which must be all that any site gets.
///
/// # Errors
///
/// Any [`OpenError`]; [`OpenError::Incomplete`] when another identity is needed.
pub fn reopen(admitted: &Admitted, identities: &IdentitySet) -> Result<Classified, OpenError> {
    let reopened = read(admitted, identities);
    wipe_finished_frames();
    Ok(Classified::again(reopened?))
}

fn read(admitted: &Admitted, identities: &IdentitySet) -> Result<Reopened, OpenError> {
    let bundle = admitted.bundle();
    let manifest = &bundle.manifest;
    let mut files = Files::default();
    let mut candidates = Vec::new();
    for path in bundle.files() {
        if !path.sealed {
            candidates.push(document(open_file(bundle, path, identities)?, path)?);
        } else if files.lack(admitted, path) > 0 {
            // Of thousands of sites' files only those that add something are opened
            if let Some(opened) = try_open(admitted, path, identities)? {
                files.add(opened, path)?;
            }
        }
    }
    let origins: BTreeMap<_, _> =
        manifest.secrets.iter().map(|secret| (&secret.name, secret.origin)).collect();
    let missing =
        bundle.files().iter().filter(|path| path.sealed).map(|path| files.lack(admitted, path)).max();
    if let Some(missing) = missing.filter(|missing| *missing > 0) {
        return Err(OpenError::Incomplete { missing, of: manifest.secrets.len() });
    }
    let Files { values, form, others } = files;
    let secrets = values.into_iter().filter_map(|(name, value)| {
        let origin = origins.get(&name).copied()?;
        Some((Secret { name, origin }, value))
    });
    let (sealed, kept) =
        others.into_values().partition(|document| document.file == EnvironmentFile::CephExternal);
    Ok(Reopened {
        origin: manifest.source.clone(),
        secrets: secrets.collect(),
        form,
        sealed,
        kept,
        candidates,
        found_before: manifest.guard.clone(),
    })
}

/// What was opened so far.
#[derive(Default)]
struct Files {
    values: BTreeMap<ParameterName, Data>,
    form: Form,
    others: BTreeMap<EnvironmentFile, Document>,
}

impl Files {
    /// How much of the sealed file at `path` is not yet known.
    fn lack(&self, admitted: &Admitted, path: &FilePath) -> usize {
        if path.file != EnvironmentFile::Passwords {
            return usize::from(!self.others.contains_key(&path.file));
        }
        let manifest = &admitted.bundle().manifest;
        let grant = path.site.as_ref().and_then(|site| manifest.grant_of(site));
        let names = manifest.secrets.iter().map(|secret| &secret.name);
        // The others have a file of their own
        let names = names.filter(|name| EnvironmentFile::taking(name.as_str()).is_none());
        let names = names.filter(|name| grant.is_none_or(|grant| grant.holds(name)));
        names.filter(|name| !self.values.contains_key(*name)).count()
    }

    fn add(&mut self, opened: OpenedFile, path: &FilePath) -> Result<(), OpenError> {
        if opened.file != EnvironmentFile::Passwords {
            self.others.insert(opened.file, document(opened, path)?);
            return Ok(());
        }
        let OpenedFile { content, .. } = opened;
        let damaged = || OpenError::Damaged { path: path.clone() };
        // EXPOSE: parsed into secret values, as `source` does it
        let parsed = content.expose(|text| yaml::read(text, path.file.file_name())).map_err(|_| damaged())?;
        self.form = if parsed.under(PARAMETERS).is_some() { Form::Environment } else { Form::Flat };
        let parameters = match self.form {
            Form::Environment => parsed.take(PARAMETERS).unwrap_or_else(|| Data::Map(Vec::new())),
            Form::Flat => parsed,
        };
        let Data::Map(entries) = parameters else { return Err(damaged()) };
        for (name, value) in entries {
            // EXPOSE: a parameter's name is public
            let name = name.text.expose(ParameterName::parse).map_err(|_| damaged())?;
            self.values.insert(name, value);
        }
        Ok(())
    }
}

fn document(opened: OpenedFile, path: &FilePath) -> Result<Document, OpenError> {
    let OpenedFile { file, content: text } = opened;
    let damaged = || OpenError::Damaged { path: path.clone() };
    // EXPOSE: parsed into secret values; what is public is decided later
    let content = text.expose(|bytes| {
        let name = file.file_name();
        if file.is_json() { json::read(bytes, name).ok() } else { yaml::read(bytes, name).ok() }
    });
    let content = content.ok_or_else(damaged)?;
    let names = match content.under(PARAMETERS) {
        Some(Data::Map(entries)) => entries.as_slice(),
        _ => &[],
    };
    // EXPOSE: a parameter's name is public
    let parameters =
        names.iter().filter_map(|(name, _)| name.text.expose(ParameterName::parse).ok()).collect();
    Ok(Document { file, parameters, text, parts: Vec::new(), content })
}
