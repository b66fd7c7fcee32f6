//! What there is to pull, and the command that pulls it.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::source::WorkingDir;
use crate::source::openstack::Listing;

/// All that can be seen from here.
#[derive(Default)]
pub(super) struct Seen {
    /// The entry of clouds.yaml that was named.
    pub(super) cloud: Option<String>,
    pub(super) clouds: Vec<String>,
    pub(super) listing: Option<Listing>,
    /// Why the cloud shows nothing, where there is something beside it.
    pub(super) unlisted: Option<String>,
    pub(super) working_dirs: Vec<WorkingDir>,
}

/// A stack, or a plan without one.
struct Row<'a> {
    name: &'a str,
    status: Option<&'a str>,
    has_plan: Option<bool>,
    command: Option<String>,
}

/// For people: a table of clouds, one of stacks and plans, and why a part of it cannot be seen.
pub(super) fn table(seen: &Seen) -> String {
    let mut parts = Vec::new();
    if !seen.clouds.is_empty() {
        let cells = seen.clouds.iter().map(|name| vec![name.clone(), list_command(name)]);
        parts.push(columns(&["CLOUD", "COMMAND"], cells));
    }
    if let Some(listing) = &seen.listing {
        let no_stack = if listing.stacks.is_ok() { "none" } else { "?" };
        let cells = rows(listing, seen.cloud.as_deref()).into_iter().map(|row| {
            let plan = row.has_plan.map_or("?", |has_plan| if has_plan { "yes" } else { "no" });
            let command = row.command.unwrap_or_else(|| String::from("- (not complete)"));
            let words = [row.name, row.status.unwrap_or(no_stack), plan];
            words.iter().map(ToString::to_string).chain([command]).collect()
        });
        parts.push(columns(&["NAME", "STACK", "PLAN", "COMMAND"], cells));
        let unseen = unseen(listing);
        parts.extend(unseen.into_iter().map(|(what, why)| format!("{what} cannot be seen: {why}\n")));
    }
    parts.extend(seen.unlisted.as_ref().map(|why| format!("the cloud cannot be seen: {why}\n")));
    if !seen.working_dirs.is_empty() {
        let cells = seen.working_dirs.iter().map(|found| {
            vec![found.stack.clone(), found.directory.display().to_string(), pull_command(found)]
        });
        parts.push(columns(&["STACK", "WORKING DIRECTORY", "COMMAND"], cells));
    }
    parts.join("\n")
}

/// The same for programs.
pub(super) fn json(seen: &Seen) -> Value {
    let clouds = seen.clouds.iter().map(|name| json!({ "name": name, "command": list_command(name) }));
    let clouds: Vec<Value> = clouds.collect();
    let working_dirs = seen.working_dirs.iter().map(
        |found| json!({ "stack": found.stack, "directory": found.directory, "command": pull_command(found) }),
    );
    let working_dirs: Vec<Value> = working_dirs.collect();
    let Some(listing) = &seen.listing else {
        let unseen = seen.unlisted.as_ref().map(|why| json!({ "what": "cloud", "why": why }));
        let unseen: Vec<Value> = unseen.into_iter().collect();
        return json!({ "clouds": clouds, "working_dirs": working_dirs, "cannot_be_seen": unseen });
    };
    let shown = rows(listing, seen.cloud.as_deref()).into_iter().map(
        |row| json!({ "name": row.name, "stack": row.status, "plan": row.has_plan, "command": row.command }),
    );
    let unseen = unseen(listing).into_iter().map(|(what, why)| json!({ "what": what, "why": why }));
    json!({
        "clouds": clouds,
        "working_dirs": working_dirs,
        "stacks_and_plans": shown.collect::<Vec<_>>(),
        "cannot_be_seen": unseen.collect::<Vec<_>>(),
    })
}

fn rows<'a>(listing: &'a Listing, cloud: Option<&str>) -> Vec<Row<'a>> {
    let cloud = cloud.map(|cloud| format!(" --os-cloud {}", quoted(cloud))).unwrap_or_default();
    let stacks = listing.stacks.as_ref().map(Vec::as_slice).unwrap_or_default();
    let plans = match &listing.plans {
        Some(Ok(plans)) => Some(plans.as_slice()),
        // Without Swift there is none, and none is needed
        None => Some(&[][..]),
        Some(Err(_)) => None,
    };
    let of_stack = stacks.iter().map(|(name, status)| {
        let has_plan = plans.map(|plans| plans.contains(name));
        let plan = if has_plan == Some(false) && listing.plans.is_some() { " --plan PLAN" } else { "" };
        let command = status
            .ends_with("_COMPLETE")
            .then(|| format!("dcn-vault pull{cloud} --stack {}{plan}", quoted(name)));
        Row { name, status: Some(status), has_plan, command }
    });
    let lonely = plans.into_iter().flatten().filter(|plan| stacks.iter().all(|(name, _)| name != *plan));
    let of_plan = lonely.map(|name| Row {
        name,
        status: None,
        has_plan: Some(true),
        command: Some(format!("dcn-vault pull{cloud} --stack STACK --plan {}", quoted(name))),
    });
    of_stack.chain(of_plan).collect()
}

/// What a service does not show, and its reason.
fn unseen(listing: &Listing) -> Vec<(&'static str, String)> {
    let stacks = listing.stacks.as_ref().err().map(|error| ("stacks", error.to_string()));
    let plans = listing.plans.as_ref().and_then(|plans| plans.as_ref().err());
    stacks.into_iter().chain(plans.map(|error| ("plans", error.to_string()))).collect()
}

fn list_command(cloud: &str) -> String {
    format!("dcn-vault pull --list --os-cloud {}", quoted(cloud))
}

fn pull_command(found: &WorkingDir) -> String {
    let directory = quoted(&found.directory.display().to_string());
    format!("dcn-vault pull --working-dir {directory} --stack {}", quoted(&found.stack))
}

/// Lines of cells, each as wide as its column; the last one as it is.
pub(super) fn columns(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head = heads.iter().map(ToString::to_string).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..heads.len().saturating_sub(1)).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a String does not fail
            let _ = write!(text, "{cell:width$}  ");
        }
        text.extend(row.last().map(String::as_str));
        text.push('\n');
    }
    text
}

/// `text` as a shell takes it for one word.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/@:+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
