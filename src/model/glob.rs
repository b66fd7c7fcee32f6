/// A pattern for parameter names: `*` stands for any run of characters, `?` for any one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// Any text is a pattern; one without `*` and `?` matches only itself.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }

    /// Whether the pattern matches the whole of `name`.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let pattern: Vec<char> = self.0.chars().collect();
        let name: Vec<char> = name.chars().collect();
        // reached[n]: the pattern so far can end just before name[n]
        let mut reached = vec![false; name.len() + 1];
        if let Some(first) = reached.first_mut() {
            *first = true;
        }
        for symbol in pattern {
            let mut next = vec![false; name.len() + 1];
            let mut before = false;
            for (position, slot) in next.iter_mut().enumerate() {
                let here = reached.get(position).copied().unwrap_or(false);
                let previous = position.checked_sub(1);
                let consumed = previous.is_some_and(|at| reached.get(at).copied().unwrap_or(false));
                *slot = match symbol {
                    '*' => here || before,
                    '?' => consumed,
                    other => consumed && previous.and_then(|at| name.get(at)) == Some(&other),
                };
                before = *slot;
            }
            reached = next;
        }
        reached.last().copied().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_takes_any_run_and_a_question_mark_one_character() {
        for (pattern, name, expected) in [
            ("Ceph*", "CephClientKey", true),
            ("Ceph*", "Ceph", true),
            ("Ceph*", "MyCephKey", false),
            ("*Key", "CephClientKey", true),
            ("*a*b*", "xxaxxbxx", true),
            ("Key?", "Key1", true),
            ("Key?", "Key", false),
            ("", "", true),
            ("", "x", false),
            ("SSLKey", "SSLKey", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(name), expected, "{pattern} on {name}");
        }
    }
}
