//! Which secrets a site's role takes: least privilege without a list by hand.
//!
//! It stands apart because it is data of another project: for each release a table, computed from that release's own
//! templates by `tools/role_tables.py`, which says how. A role is a list of services, and each service's template
//! declares what it takes:
//!
//! ```
//! use dcn_vault::role;
//!
//! let needs = role::needs(Some("train"), "DistributedCompute")?;
//! assert!(needs.takes("NovaPassword") && !needs.takes("MysqlRootPassword"));
//! # Ok::<(), role::RoleError>(())
//! ```
//!
//! Services that are off by default take nothing. An environment file that turns one on is written after the role, as
//! it is called below `environments/`: `DistributedComputeHCI + dcn-storage + ceph-ansible/ceph-ansible`.
//!
//! # What this does not do
//!
//! It knows upstream's roles and templates alone. A parameter that no table has (of a service of one's own, of a vendor's,
//! of a later release) is not taken: `secrets: [NAME…]` beside `role` adds it. What only two environment files together
//! would add is not seen. And it does not look at how a template uses a parameter: what is declared is taken.

mod error;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::EnvironmentFile;
use crate::report::nearest;

use table::{RELEASES, Release};

pub use error::RoleError;

/// What a role takes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Needs {
    parameters: BTreeSet<&'static str>,
    origin: String,
}

impl Needs {
    /// Whether a site with this role is given `parameter`.
    #[must_use]
    pub fn takes(&self, parameter: &str) -> bool {
        self.parameters.contains(parameter) || is_everyones(parameter)
    }

    /// What is taken of the centre's secrets, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.parameters.iter().copied()
    }

    /// Which role it is, and by whose word, in one line.
    #[must_use]
    pub fn origin(&self) -> String {
        self.origin.clone()
    }
}

/// What `role` takes in `release`; where that is several releases that cannot be told apart, what it takes in any.
///
/// # Errors
///
/// Any [`RoleError`].
pub fn needs(release: Option<&str>, role: &str) -> Result<Needs, RoleError> {
    let Asked { name, environments, releases } = Asked::parse(release, role)?;
    let mut parameters = BTreeSet::new();
    let mut origins: Vec<String> = Vec::new();
    for release in releases {
        let table = release.table();
        parameters.extend(table.taken_by(name).into_iter().flatten());
        for environment in &environments {
            parameters.extend(table.added_by(environment, name));
        }
        // The package is named once
        let origin =
            table.origin.strip_prefix(PACKAGE).filter(|_| !origins.is_empty()).unwrap_or(table.origin);
        origins.push(format!("{origin} ({})", release.name));
    }
    let role: Vec<&str> = std::iter::once(name).chain(environments).collect();
    let origin = format!("role {} of {}", role.join(" + "), origins.join(", "));
    Ok(Needs { parameters, origin })
}

/// The roles that `release` has.
///
/// # Errors
///
/// [`RoleError::NoRelease`] and [`RoleError::NoTable`].
pub fn roles(release: Option<&str>) -> Result<BTreeSet<&'static str>, RoleError> {
    let releases = releases(release)?;
    Ok(releases.iter().flat_map(|release| release.table().roles()).collect())
}

/// The environment files that let `role` take more, and what each adds.
///
/// # Errors
///
/// Any [`RoleError`].
pub fn environments(
    release: Option<&str>,
    role: &str,
) -> Result<BTreeMap<&'static str, BTreeSet<&'static str>>, RoleError> {
    let known = needs(release, role)?;
    let Asked { name, releases, .. } = Asked::parse(release, role)?;
    let mut all: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for table in releases.iter().map(|release| release.table()) {
        for environment in table.environments() {
            let added = table.added_by(environment, name);
            all.entry(environment).or_default().extend(added.difference(&known.parameters));
        }
    }
    all.retain(|_, added| !added.is_empty());
    Ok(all)
}

/// A role and its environment files as somebody wrote them, once they are known to be there.
struct Asked<'a> {
    name: &'a str,
    environments: Vec<&'static str>,
    releases: Vec<&'static Release>,
}

impl<'a> Asked<'a> {
    fn parse(release: Option<&str>, role: &'a str) -> Result<Self, RoleError> {
        let mut parts = role.split('+').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let mut releases = releases(release)?;
        let said = release.unwrap_or_default();
        let all: Vec<_> = releases.iter().map(|release| release.table()).collect();
        releases.retain(|release| release.table().roles().any(|known| known == name));
        if releases.is_empty() {
            let known = all.iter().flat_map(|table| table.roles());
            return Err(RoleError::role(name, said, nearest(name, known)));
        }
        let environment = |part: &str| {
            let part = part.strip_prefix("environments/").unwrap_or(part);
            let part = part.strip_suffix(".yaml").unwrap_or(part);
            let all = || all.iter().flat_map(|table| table.environments());
            let known = all().find(|known| *known == part);
            known.ok_or_else(|| RoleError::environment(part, said, nearest_environment(part, all)))
        };
        let environments = parts.map(environment).collect::<Result<_, _>>()?;
        Ok(Self { name, environments, releases })
    }
}

/// The one whose last part it is, before one that is written like it.
fn nearest_environment<I>(part: &str, all: impl Fn() -> I) -> Option<&'static str>
where
    I: Iterator<Item = &'static str>,
{
    all().find(|known| known.rsplit('/').next() == Some(part)).or_else(|| nearest(part, all()))
}

/// The tables of what a pull calls a release: one, or several that cannot be told apart.
fn releases(release: Option<&str>) -> Result<Vec<&'static Release>, RoleError> {
    let name = release.ok_or(RoleError::NoRelease)?;
    let at = |name: &str| RELEASES.iter().position(|release| release.name == name);
    let last = RELEASES.len() - 1;
    let range = if let Some(name) = name.strip_suffix(" or before") {
        at(name).map(|to| 0..=to)
    } else if let Some(name) = name.strip_suffix(" or later") {
        at(name).map(|from| from..=last)
    } else if let Some((from, to)) = name.split_once(" to ") {
        at(from).zip(at(to)).map(|(from, to)| from..=to)
    } else {
        at(name).map(|only| only..=only)
    };
    let known = range.and_then(|range| RELEASES.get(range)).filter(|releases| !releases.is_empty());
    known.map(|releases| releases.iter().collect()).ok_or_else(|| RoleError::no_table(name))
}

/// What no deployment of a site does without. It is in clear unless the guard found a secret in it.
fn is_everyones(parameter: &str) -> bool {
    matches!(
        EnvironmentFile::taking(parameter),
        Some(
            EnvironmentFile::AllNodes
                | EnvironmentFile::EndpointMap
                | EnvironmentFile::ExportSettings
                | EnvironmentFile::HostEntries
        )
    )
}

const PACKAGE: &str = "tripleo-heat-templates ";

#[cfg(test)]
mod tests;
