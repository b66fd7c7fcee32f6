//! One recipient: its text, and the key that it stands for.

use std::fmt;

use age::plugin::RecipientPluginV1;
use age::ssh::ParseRecipientKeyError;
use age::{NoCallbacks, plugin, ssh, x25519};

use super::RecipientsError;

/// What age knows under a plugin's form of name, and this version does not make.
const NOT_SUPPORTED: [(&str, &str); 3] = [
    ("pq", "a post-quantum recipient"),
    ("tag", "a recipient of tagged hardware"),
    ("tagpq", "a post-quantum recipient of tagged hardware"),
];

/// A recipient as it is written, and which key it is.
#[derive(Debug)]
pub(super) struct Written {
    /// With its comment, where it has one.
    pub(super) text: String,
    /// Without: the same for the same key.
    pub(super) key: String,
    pub(super) place: String,
    parsed: Parsed,
}

enum Parsed {
    Plugin(plugin::Recipient),
    Ssh(ssh::Recipient),
    X25519(x25519::Recipient),
}

/// A recipient that age can seal for.
#[derive(Debug)]
pub(super) struct Recipient {
    pub(super) text: String,
    pub(super) key: String,
    ready: Ready,
}

enum Ready {
    Plugin(Box<RecipientPluginV1<NoCallbacks>>),
    Ssh(ssh::Recipient),
    X25519(x25519::Recipient),
}

impl Written {
    pub(super) fn parse(text: &str, place: impl Fn() -> String) -> Result<Self, RecipientsError> {
        let upper = text.to_ascii_uppercase();
        if upper.starts_with("AGE-SECRET-KEY-")
            || upper.starts_with("AGE-PLUGIN-")
            || upper.contains("PRIVATE KEY")
        {
            return Err(RecipientsError::PrivateKey { place: place() });
        }
        // One line, whatever an argument holds: it goes into a file of lines
        if text.contains(char::is_control) {
            return Err(RecipientsError::NotARecipient { place: place() });
        }
        if let Ok(native) = text.parse::<x25519::Recipient>() {
            let key = native.to_string();
            return Ok(Self { text: text.to_owned(), key, place: place(), parsed: Parsed::X25519(native) });
        }
        if let Ok(of_plugin) = text.parse::<plugin::Recipient>() {
            let kind = NOT_SUPPORTED.iter().find(|(name, _)| *name == of_plugin.plugin());
            if let Some((_, kind)) = kind {
                return Err(RecipientsError::NotSupported { place: place(), kind });
            }
            let (text, key) = (text.to_owned(), text.to_ascii_lowercase());
            return Ok(Self { text, key, place: place(), parsed: Parsed::Plugin(of_plugin) });
        }
        let ssh = text.parse::<ssh::Recipient>().map_err(|error| refusal(&error, text, place()))?;
        Ok(Self { text: text.to_owned(), key: ssh.to_string(), place: place(), parsed: Parsed::Ssh(ssh) })
    }

    /// What kind of key it is, in age's and OpenSSH's words.
    pub(super) fn kind(&self) -> String {
        match &self.parsed {
            Parsed::Plugin(recipient) => format!("plugin {}", recipient.plugin()),
            Parsed::Ssh(ssh::Recipient::SshEd25519(..)) => String::from("ssh-ed25519"),
            Parsed::Ssh(ssh::Recipient::SshRsa(..)) => String::from("ssh-rsa"),
            Parsed::X25519(_) => String::from("x25519"),
        }
    }

    /// Finds the program that a plugin's recipient needs.
    pub(super) fn ready(self) -> Result<Recipient, RecipientsError> {
        let Self { text, key, place, parsed } = self;
        let ready = match parsed {
            Parsed::Ssh(key) => Ready::Ssh(key),
            Parsed::X25519(key) => Ready::X25519(key),
            Parsed::Plugin(recipient) => {
                let name = recipient.plugin().to_owned();
                // Nobody is asked anything: a pull has no terminal in CI, and a recipient is public
                let plugin = RecipientPluginV1::new(&name, &[recipient], &[], NoCallbacks);
                let missing = |_| RecipientsError::NoPlugin { place, program: format!("age-plugin-{name}") };
                Ready::Plugin(Box::new(plugin.map_err(missing)?))
            }
        };
        Ok(Recipient { text, key, ready })
    }
}

impl Recipient {
    pub(super) fn for_age(&self) -> &dyn age::Recipient {
        match &self.ready {
            Ready::Plugin(plugin) => plugin.as_ref(),
            Ready::Ssh(key) => key,
            Ready::X25519(key) => key,
        }
    }
}

impl fmt::Debug for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parsed")
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ready")
    }
}

fn refusal(error: &ParseRecipientKeyError, text: &str, place: String) -> RecipientsError {
    let is_of_another_kind = ["ecdsa-sha2-", "sk-", "ssh-dss "].iter().any(|kind| text.starts_with(kind));
    let kind = if *error == ParseRecipientKeyError::RsaModulusTooSmall {
        "an ssh-rsa key of less than 2048 bits"
    } else if *error == ParseRecipientKeyError::RsaModulusTooLarge {
        "an ssh-rsa key of more than 4096 bits"
    } else if is_of_another_kind {
        "an ssh key of another kind"
    } else {
        return RecipientsError::NotARecipient { place };
    };
    RecipientsError::SshKey { place, kind }
}
