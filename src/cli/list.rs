//! What there is to pull, and the command that pulls it.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::source::openstack::Listing;

/// One line for each stack and each plan without one, for standard output.
pub(super) fn table(listing: &Listing, cloud: Option<&str>) -> String {
    let mut text = String::new();
    let plans = listing.plans.as_ref();
    let has_plan = |name: &str| plans.is_some_and(|plans| plans.iter().any(|plan| plan == name));
    let names: BTreeSet<&str> = listing.stacks.iter().map(|(name, _)| name.as_str()).collect();
    let orphans = plans.into_iter().flatten().map(String::as_str).filter(|plan| !names.contains(plan));
    let stacks = listing.stacks.iter().map(|(name, status)| (name.as_str(), Some(status.as_str())));
    let rows: Vec<(&str, Option<&str>)> = stacks.chain(orphans.map(|plan| (plan, None))).collect();
    let cloud = cloud.map(|cloud| format!(" --os-cloud {}", quoted(cloud))).unwrap_or_default();
    let wide = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or_default();
    let name_width = wide(&mut rows.iter().map(|(name, _)| name.len())).max("NAME".len());
    let status_width =
        wide(&mut rows.iter().filter_map(|(_, status)| Some((*status)?.len()))).max("STACK".len());
    // Writing to a String does not fail
    let _ = writeln!(text, "{:name_width$}  {:status_width$}  PLAN  COMMAND", "NAME", "STACK");
    for (name, status) in rows {
        let plan = if has_plan(name) { "yes" } else { "no" };
        let command = match status {
            Some(status) if status.ends_with("_COMPLETE") => {
                format!("dcn-vault pull{cloud} --stack {}", quoted(name))
            }
            Some(_) => String::from("- (not complete)"),
            None => format!("dcn-vault pull{cloud} --stack STACK --plan {}", quoted(name)),
        };
        let status = status.unwrap_or("none");
        let _ = writeln!(text, "{name:name_width$}  {status:status_width$}  {plan:4}  {command}");
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
