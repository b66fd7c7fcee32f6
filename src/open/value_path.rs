use super::SelectError;

/// Under what the parameters of an environment file stand.
pub(super) const PARAMETERS: &str = "parameter_defaults";

/// Where a value stands in a file, as somebody has typed it.
///
/// `NovaPassword` and `KeystoneFernetKeys./etc/keystone/fernet-keys/0.content` are the keys from the parameter on, with dots between
/// them; a key may have dots of its own. What begins with a slash is a JSON pointer (RFC 6901) from the file's beginning on:
/// `/parameter_defaults/KeystoneFernetKeys/~1etc~1keystone~1fernet-keys~10/content`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuePath {
    text: String,
    pointer: Option<Vec<String>>,
}

impl ValuePath {
    /// Reads what somebody has typed.
    ///
    /// # Errors
    ///
    /// [`SelectError::NoPath`] and [`SelectError::BadPointer`].
    pub fn parse(text: &str) -> Result<Self, SelectError> {
        if text.is_empty() {
            return Err(SelectError::NoPath);
        }
        let bad = || SelectError::BadPointer { path: text.to_owned() };
        let pointer = match text.strip_prefix('/') {
            Some(tokens) => Some(tokens.split('/').map(unescaped).collect::<Option<_>>().ok_or_else(bad)?),
            None => None,
        };
        Ok(Self { text: text.to_owned(), pointer })
    }

    /// As it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The keys and indices of a JSON pointer, where it is one.
    pub(super) fn pointer(&self) -> Option<&[String]> {
        self.pointer.as_deref()
    }

    /// Whether it can lead to the parameter `name`, or below it.
    pub(super) fn may_name(&self, name: &str) -> bool {
        match self.pointer() {
            Some([first, second, ..]) if first == PARAMETERS => second == name,
            Some([first, ..]) => first == name,
            Some([]) => false,
            None => self.text.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
        }
    }

    /// The parameter's name, as far as that can be told: a name may have dots.
    pub(super) fn parameter(&self) -> Option<&str> {
        match self.pointer() {
            Some([first, second, ..]) if first == PARAMETERS => Some(second),
            Some(_) => None,
            None => self.text.split('.').next(),
        }
    }
}

/// A JSON pointer with these keys.
pub(super) fn pointer_of<T: AsRef<str>>(tokens: impl IntoIterator<Item = T>) -> String {
    let mut pointer = String::new();
    for token in tokens {
        pointer.push('/');
        pointer.push_str(&token.as_ref().replace('~', "~0").replace('/', "~1"));
    }
    pointer
}

/// The position that `token` is in a list: digits, without zeros in front.
pub(super) fn index(token: &str) -> Option<usize> {
    let is_plain = token == "0" || !token.starts_with(['0', '+']);
    if is_plain { token.parse().ok() } else { None }
}

/// A token of a pointer as the key that it stands for; `~` is followed by 0 or 1.
fn unescaped(token: &str) -> Option<String> {
    let mut parts = token.split('~');
    let mut key = parts.next()?.to_owned();
    for part in parts {
        let (sign, rest) = match part.strip_prefix('0') {
            Some(rest) => ('~', rest),
            None => ('/', part.strip_prefix('1')?),
        };
        key.push(sign);
        key.push_str(rest);
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_read_as_rfc_6901_has_it() {
        let read = |text: &str| ValuePath::parse(text).map(|path| path.pointer().map(<[String]>::to_vec));
        let keys = |keys: &[&str]| Ok(Some(keys.iter().map(ToString::to_string).collect::<Vec<_>>()));
        for (text, tokens) in [
            ("/", &[""][..]),
            ("/foo/0", &["foo", "0"]),
            ("/a~1b", &["a/b"]),
            ("/m~0n", &["m~n"]),
            ("/~01", &["~1"]),
            ("/ //k\"l", &[" ", "", "k\"l"]),
        ] {
            let read = read(text);
            assert!(read == keys(tokens), "{text}: {read:?}");
            assert_eq!(pointer_of(tokens), text);
        }
        for text in ["/~", "/a~2", "/a/~x", "/~~0"] {
            assert!(matches!(read(text), Err(SelectError::BadPointer { .. })), "{text}");
        }
        assert!(matches!(read(""), Err(SelectError::NoPath)));
        assert!(matches!(read("a~b"), Ok(None)));
    }

    #[test]
    fn an_index_is_a_number_as_it_is_written() {
        assert_eq!([index("0"), index("10"), index("7")], [Some(0), Some(10), Some(7)]);
        assert_eq!([index("00"), index("01"), index("-1"), index("+1"), index(""), index("-")], [None; 6]);
    }
}
