/// A pattern for parameter names: `*` stands for any run of characters, `?` for any one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// Any text is a pattern; one without `*` and `?` matches only itself.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }

    /// Whether it matches nothing but itself.
    #[must_use]
    pub fn is_a_name(&self) -> bool {
        !self.0.contains(['*', '?'])
    }

    /// Whether the pattern matches the whole of `name`.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let (mut pattern, mut rest) = (self.0.as_str(), name);
        // The last star, and what it has not yet taken: it takes one character more whenever the rest does not fit
        let mut star: Option<(&str, &str)> = None;
        loop {
            let (symbol, after) = split_first(pattern);
            match (symbol, split_first(rest)) {
                (Some('*'), _) => {
                    star = Some((after, rest));
                    pattern = after;
                }
                (None, (None, _)) => return true,
                (Some(symbol), (Some(character), others)) if symbol == '?' || symbol == character => {
                    pattern = after;
                    rest = others;
                }
                _ => {
                    let Some((after, untaken)) = star else { return false };
                    let (Some(_), others) = split_first(untaken) else { return false };
                    star = Some((after, others));
                    pattern = after;
                    rest = others;
                }
            }
        }
    }
}

fn split_first(text: &str) -> (Option<char>, &str) {
    let mut characters = text.chars();
    (characters.next(), characters.as_str())
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
            ("*a*b", "axbxb", true),
            ("a*b*c", "abbb", false),
            ("**", "", true),
            ("*é?", "xéü", true),
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
