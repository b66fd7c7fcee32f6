//! The bill, in words: what must be rotated, and what cannot be, with the reason.

use crate::bundle::BillEntry;
use crate::model::{ParameterName, hindrance};

use super::difference::named;
use super::ui::counted;

/// A line for each entry that has something to rotate.
pub(super) fn lines(bill: &[BillEntry]) -> Vec<String> {
    let each = bill.iter().filter_map(|entry| {
        let due: Vec<ParameterName> = entry.due().cloned().collect();
        let (site, since) = (&entry.site, entry.since);
        (!due.is_empty()).then(|| {
            let count = counted(due.len(), "secret");
            format!(
                "a key of {site} opened {count} before generation {since}, and not since: rotate {}",
                named(&due)
            )
        })
    });
    each.collect()
}

/// The whole bill, for who asked for it.
#[allow(single_use_lifetimes, reason = "rustc wants a name here")]
pub(super) fn whole<'a>(bill: impl Iterator<Item = &'a BillEntry>) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in bill {
        let due: Vec<&ParameterName> = entry.due().collect();
        let (site, since) = (&entry.site, entry.since);
        lines.push(format!("a key of {site} opened these before generation {since}, and not since"));
        lines.extend(due.iter().map(|name| format!("  rotate  {name}")));
        let rest = entry.secrets.iter().filter_map(|name| Some((name, hindrance(name)?)));
        lines.extend(rest.map(|(name, why)| format!("  except  {name}: {why}")));
    }
    lines
}
