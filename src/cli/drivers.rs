//! What git calls: to show a bundle's files as text, and to merge them. Public facts in, public words out.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

use crate::bundle;
use crate::fs;
use crate::report::Hint;

use super::args::{MergeDriverArguments, TextconvArguments};
use super::exit::Failure;
use super::facts;
use super::ui::{self, Ui};

const BUNDLE: &str = "bundle";
const MANIFEST: &str = "manifest.json";

/// Why git's merge stops here.
#[derive(Debug, thiserror::Error)]
pub(super) enum MergeError {
    /// A bundle is one piece: its digests and its signature are over the whole.
    #[error("`{}` is not merged: a bundle is taken whole, ours or theirs; ours is in place", .path.display())]
    Never {
        /// The file.
        path: PathBuf,
        /// The bundle.
        bundle: PathBuf,
    },
}

impl Hint for MergeError {
    fn hint(&self) -> String {
        let Self::Never { bundle, .. } = self;
        let bundle = bundle.display();
        // Not `checkout`: it leaves the files that only the other side has
        format!(
            "`git restore -SW --source=HEAD -- {bundle}` takes ours, --source=MERGE_HEAD theirs (in a rebase: REBASE_HEAD); then `dcn-vault pull --after N`, with one more than either generation: sites may have seen both"
        )
    }
}

pub(super) fn textconv(arguments: &TextconvArguments) -> Result<ExitCode, Failure> {
    let bytes = fs::read_public(&arguments.file)?;
    let size = bytes.len();
    let mut text = String::new();
    if let Some(recipients) = bundle::count_recipients(&bytes) {
        let s = if recipients == 1 { "" } else { "s" };
        text = format!("age file for {recipients} recipient{s}, {size} bytes\n");
    } else if let Some(manifest) = manifest(&bytes) {
        for fact in facts::lines(&manifest) {
            text.push_str(&ui::shown(&fact));
            text.push('\n');
        }
    } else {
        // Whatever it is, it is not shown: it could be what an age file should have been
        text = format!("neither a manifest nor an age file, {size} bytes\n");
    }
    ui::print_text(&text)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn merge_driver(arguments: &MergeDriverArguments, ui: Ui) -> Result<ExitCode, Failure> {
    let path = &arguments.path;
    if path.file_name().is_some_and(|name| name == MANIFEST) {
        let read = |path: &Path| fs::read_public(path).map(|bytes| manifest(&bytes).unwrap_or_default());
        for line in facts::differences(&read(&arguments.ours)?, &read(&arguments.theirs)?) {
            ui.say(&ui::shown(&line));
        }
    }
    let within = path.ancestors().find(|above| above.file_name().is_some_and(|name| name == BUNDLE));
    let bundle = within.or_else(|| path.parent()).unwrap_or(path).to_owned();
    Err(MergeError::Never { path: path.clone(), bundle }.into())
}

fn manifest(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes)
        .ok()
        .filter(|value: &Value| value.get("format").is_some_and(Value::is_string))
}
