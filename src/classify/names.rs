//! What a name says of its value.

/// Whether a key's name says that its value is secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let words = words_of(name);
    let says_so = |word: &String| {
        matches!(
            word.as_str(),
            "password"
                | "passwd"
                | "pass"
                | "passphrase"
                | "secret"
                | "secrets"
                | "token"
                | "credential"
                | "credentials"
                | "cookie"
                | "kek"
                | "private"
                | "authkey"
                | "apikey"
        )
    };
    words.iter().any(says_so) || words.last().is_some_and(|word| word == "key")
}

/// The words of `oslo_messaging_rpc_password`, `tripleo::haproxy::stats_password` and `RpcPassword`, in lower case.
fn words_of(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut after_lower = false;
    for character in name.chars() {
        let starts_word = character.is_uppercase() && after_lower;
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
            "service_key",
            "adminToken",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "oslo_messaging_rpc_use_ssl",
            "bypass_mode",
            "keystone_enabled",
            "monkey",
            "pci_passthrough",
            "key_manager",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
