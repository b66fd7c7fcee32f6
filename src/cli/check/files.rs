use std::path::Path;

use crate::bundle::Bundle;
use crate::fs;
use crate::guard;
use crate::model::{EnvironmentFile, FilePath};
use crate::vault::Vault;

use super::{Failure, Line, Verdict, counted, finding, or_ok};

/// The bits of a mode.
const OTHERS_WRITE: u32 = 0o022;
const GROUP_WRITES: u32 = 0o020;

/// What is sealed must be, for as many as the manifest says, and what is clear may be.
pub(super) fn check(bundle: &Bundle) -> Result<Vec<Line>, Failure> {
    let mut guarded = Vec::new();
    let mut headers = Vec::new();
    let (mut clear, mut sealed) = (0, 0);
    for path in bundle.files() {
        let file = bundle.file(path)?;
        if path.sealed {
            match file.count_recipients() {
                None => {
                    guarded.push(finding("guard", format!("{path} is listed as sealed, and is no age file")));
                }
                Some(has) => {
                    sealed += 1;
                    headers.extend(header(bundle, path, has));
                }
            }
        } else {
            clear += 1;
            for found in guard::review(path.file, &file.bytes)? {
                guarded.push(finding("guard", format!("{}: {}: {}", found.file, found.path, found.rule)));
            }
        }
    }
    if bundle.files().iter().any(|path| path.file == EnvironmentFile::Passwords && !path.sealed) {
        guarded.push(finding("guard", format!("{} is not sealed", EnvironmentFile::Passwords.file_name())));
    }
    let says = format!("{} in clear, without the name or the form of a secret", counted(clear, "file"));
    let mut lines = or_ok(guarded, "guard", says);
    lines.extend(or_ok(
        headers,
        "headers",
        format!("{}, each for as many as are listed", counted(sealed, "sealed file")),
    ));
    Ok(lines)
}

/// Where a file has more or fewer recipients than the manifest lists. Whose they are, its header does not say.
fn header(bundle: &Bundle, path: &FilePath, has: usize) -> Option<Line> {
    let manifest = &bundle.manifest;
    let keys = |site| manifest.recipients.get(site).map_or(0, Vec::len);
    let listed: usize =
        path.site.as_ref().map_or_else(|| manifest.entire().into_iter().map(keys).sum(), keys);
    let says =
        format!("{path}: its header has {}, and the manifest lists {listed}", counted(has, "recipient"));
    (has != listed).then(|| finding("headers", says))
}

/// Who else could write what we believe.
pub(super) fn permissions(vault: &Vault, bundle: &Path) -> Result<Vec<Line>, Failure> {
    let (settings, keys) = (vault.directory.join("dcn-vault.yaml"), vault.keys());
    let places = [settings.as_path(), keys.as_path(), bundle];
    let mut lines = Vec::new();
    for place in places.into_iter().filter(|place| place.exists()) {
        let mode = fs::mode(place)?;
        let (who, verdict) = match mode & OTHERS_WRITE {
            0 => continue,
            GROUP_WRITES => ("its group", Verdict::Warning),
            _ => ("everybody", Verdict::Finding),
        };
        let says = format!("{} can be written by {who}: its mode is {mode:04o}", place.display());
        lines.push(Line { check: "permissions", verdict, says });
    }
    Ok(or_ok(lines, "permissions", String::from("nobody else can write here")))
}
