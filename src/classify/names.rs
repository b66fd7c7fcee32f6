//! What a name says of its value.

/// What a name says of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NameSays {
    /// Nothing.
    Nothing,
    /// It has to do with a secret: `token_expiration`.
    AboutASecret,
    /// It is one: `rpc_password`.
    ASecret,
}

/// Looks at the words of `name`; the last is what it is a name of.
pub(crate) fn name_says(name: &str) -> NameSays {
    let words = words_of(name);
    let ends_in = |word: &String| is_secret_word(word) || word == "key";
    if words.last().is_some_and(ends_in) {
        NameSays::ASecret
    } else if words.iter().any(|word| is_secret_word(word)) {
        NameSays::AboutASecret
    } else {
        NameSays::Nothing
    }
}

fn is_secret_word(word: &str) -> bool {
    let one = if word == "pass" { word } else { word.strip_suffix('s').unwrap_or(word) };
    matches!(
        one,
        "password"
            | "passwd"
            | "pass"
            | "passphrase"
            | "secret"
            | "token"
            | "credential"
            | "cookie"
            | "kek"
            | "private"
            | "authkey"
            | "apikey"
    )
}

/// The words of `oslo_messaging_rpc_password`, `tripleo::haproxy::stats_password` and `RpcPassword`, in lower case.
fn words_of(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut after_lower = false;
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        // The last capital of several begins the next word: SSH, then Password
        let before_lower = characters.peek().is_some_and(|next| next.is_lowercase());
        let starts_word = character.is_uppercase() && (after_lower || before_lower);
        if (starts_word || !character.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if character.is_alphanumeric() {
            word.extend(character.to_lowercase());
        }
        after_lower = character.is_lowercase() || character.is_numeric();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_by_their_words() {
        for name in [
            "oslo_messaging_rpc_password",
            "RpcPassword",
            "rabbitmq::erlang_cookie",
            "vrts_ssh_passwd",
            "VrtsSSHPassword",
            "CinderPureAPIToken",
            "service_key",
            "adminToken",
        ] {
            assert_eq!(name_says(name), NameSays::ASecret, "{name}");
        }
        for name in [
            "oslo_messaging_rpc_use_ssl",
            "bypass_mode",
            "keystone_enabled",
            "monkey",
            "pci_passthrough",
            "key_manager",
        ] {
            assert_eq!(name_says(name), NameSays::Nothing, "{name}");
        }
        for name in ["token_expiration", "password_rotation", "SecretBackend"] {
            assert_eq!(name_says(name), NameSays::AboutASecret, "{name}");
        }
    }
}
