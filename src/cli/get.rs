use std::path::Path;
use std::process::ExitCode;

use crate::audit::Verb;
use crate::identity::{IdentitySet, Search};
use crate::open::{ValuePath, Writing, find, open_one, select, site_of};
use crate::serve::{Asked, ask};

use super::admission::{admission, warn};
use super::args::GetArguments;
use super::auditor::{Auditor, Opening};
use super::decrypt::file_named;
use super::exit::Failure;
use super::identities;
use super::output::Output;
use super::ui::Ui;

pub(super) fn get(
    arguments: &GetArguments,
    directory: Option<&Path>,
    batch: bool,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    let path = ValuePath::parse(&arguments.name)?;
    let output = Output::of(arguments.output.as_deref())?;
    if let Some(socket) = &arguments.socket {
        let file = arguments.file.as_deref().map(file_named).transpose()?;
        output.write(&ask(socket, &Asked::Value { path, file, json: arguments.json })?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut auditor = Auditor::begin(&arguments.audit, Verb::Get, ui)?;
    let search = identities::of(&arguments.identity.identity, batch, ui);
    let written = write(arguments, directory, &path, &output, &search, &mut auditor, ui);
    auditor.close(written)
}

fn write(
    arguments: &GetArguments,
    directory: Option<&Path>,
    path: &ValuePath,
    output: &Output,
    search: &Search,
    auditor: &mut Auditor,
    ui: Ui,
) -> Result<ExitCode, Failure> {
    let file = arguments.file.as_deref().map(file_named).transpose()?;
    let admitted = admission(&arguments.admission, directory)?.admit()?;
    auditor.admitted(&admitted);
    warn(&admitted, ui);
    let identities = IdentitySet::find(search)?;
    let site = site_of(admitted.bundle(), &identities, arguments.admission.trust.site.as_ref())?;
    let place = find(admitted.bundle(), &site, path, file)?;
    let opened = open_one(&admitted, &site, place.file, &identities)?;
    let writing = if arguments.json { Writing::Json } else { Writing::Text };
    let value = select(&opened, path, writing)?;
    drop(opened);
    auditor.opened(Opening {
        files: vec![place.file.file_name().to_owned()],
        parameters: place.parameters,
        delivery: None,
        site,
    })?;
    output.write(&value)?;
    Ok(ExitCode::SUCCESS)
}
