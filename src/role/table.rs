use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// The releases that have a table, the oldest first.
pub(super) static RELEASES: [Release; 8] = [
    Release::new("queens", include_str!("queens.txt")),
    Release::new("rocky", include_str!("rocky.txt")),
    Release::new("stein", include_str!("stein.txt")),
    Release::new("train", include_str!("train.txt")),
    Release::new("ussuri", include_str!("ussuri.txt")),
    Release::new("victoria", include_str!("victoria.txt")),
    Release::new("wallaby", include_str!("wallaby.txt")),
    Release::new("zed", include_str!("zed.txt")),
];

/// Parameters of the services that take them.
type Services = BTreeMap<&'static str, Vec<&'static str>>;

/// A release, and its table as text until somebody asks.
#[derive(Debug)]
pub(super) struct Release {
    pub(super) name: &'static str,
    text: &'static str,
    table: OnceLock<Table>,
}

/// What the services of a release take, and which of them a role has.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// The package that it was computed from, and its version.
    pub(super) origin: &'static str,
    by_default: Services,
    /// What the environment files of these names add.
    environments: Vec<(Vec<&'static str>, Services)>,
    roles: Services,
}

impl Release {
    const fn new(name: &'static str, text: &'static str) -> Self {
        Self { name, text, table: OnceLock::new() }
    }

    pub(super) fn table(&self) -> &Table {
        self.table.get_or_init(|| Table::parse(self.text))
    }
}

impl Table {
    /// Reads what `tools/role_tables.py` writes.
    fn parse(text: &'static str) -> Self {
        let mut table = Self::default();
        let mut section = "";
        let mut name = "";
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(title) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = title;
                if let Some(names) = title.strip_prefix("with ") {
                    table.environments.push((names.split(' ').collect(), Services::new()));
                }
                continue;
            }
            let mut words = line;
            if let Some((first, rest)) = line.split_once(": ") {
                (name, words) = (first, rest);
            }
            let entries = match section {
                "services" => &mut table.by_default,
                "roles" => &mut table.roles,
                "" => {
                    table.origin = words;
                    continue;
                }
                _ => match table.environments.last_mut() {
                    Some((_, entries)) => entries,
                    None => continue,
                },
            };
            entries.entry(name).or_default().extend(words.split_whitespace());
        }
        table
    }

    pub(super) fn roles(&self) -> impl Iterator<Item = &'static str> {
        self.roles.keys().copied()
    }

    pub(super) fn environments(&self) -> impl Iterator<Item = &'static str> {
        self.environments.iter().flat_map(|(names, _)| names.iter().copied())
    }

    /// What the services of `role` take; `None` if there is no such role.
    pub(super) fn taken_by(&self, role: &str) -> Option<BTreeSet<&'static str>> {
        Some(taken(self.roles.get(role)?, &self.by_default))
    }

    /// What they take besides with the environment file `environment`.
    pub(super) fn added_by(&self, environment: &str, role: &str) -> BTreeSet<&'static str> {
        let section = self.environments.iter().find(|(names, _)| names.contains(&environment));
        section
            .zip(self.roles.get(role))
            .map_or_else(BTreeSet::new, |((_, added), services)| taken(services, added))
    }
}

fn taken(services: &[&str], entries: &Services) -> BTreeSet<&'static str> {
    services.iter().filter_map(|service| entries.get(service)).flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_table_is_read() {
        for release in &RELEASES {
            let table = release.table();
            let entries = |services: &Services| services.values().map(|words| 1 + words.len()).sum::<usize>();
            let environments: usize =
                table.environments.iter().map(|(names, added)| 1 + names.len() + entries(added)).sum();
            let read = 2 + entries(&table.by_default) + environments + entries(&table.roles);
            let lines =
                release.text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("origin"));
            assert_eq!(read, lines.flat_map(str::split_whitespace).count(), "{}", release.name);
            assert!(table.origin.starts_with("tripleo-heat-templates "), "{}", release.name);
        }
    }

    #[test]
    fn every_table_says_what_it_was_made_from() {
        for release in &RELEASES {
            let comments: Vec<&str> =
                release.text.lines().take_while(|line| line.starts_with("# ")).collect();
            assert!(comments.iter().any(|line| line.contains("tools/role_tables.py")), "{}", release.name);
            assert_eq!(
                comments.iter().filter(|line| line.contains(", sha256 ")).count(),
                2,
                "{}",
                release.name
            );
        }
    }
}
