//! systemd as a client: the address by which it says for which unit it asks, and the drop-in by which a unit asks.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::report::Hint;

/// `sun_path` has 108 bytes, of which systemd takes one for the leading NUL and wants one at the end.
const LONGEST_ADDRESS: usize = 107;
/// A NUL, sixteen digits, `/unit/`, and `/` between the unit and the credential.
const ADDRESS_FRAME: usize = 1 + 16 + 6 + 1;
const LONGEST_ID: usize = 255;
const KINDS: [&str; 11] = [
    "automount",
    "device",
    "mount",
    "path",
    "scope",
    "service",
    "slice",
    "socket",
    "swap",
    "target",
    "timer",
];

/// What systemd asks for with `LoadCredential=ID:SOCKET`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CredentialRequest {
    pub(super) unit: String,
    pub(super) id: String,
}

impl CredentialRequest {
    /// Reads the abstract address that the client is bound to, without its leading NUL: `RANDOM/unit/UNIT/ID`, as `load_credential` in
    /// systemd's `src/core/exec-credential.c` writes it.
    pub(super) fn parse(address: &[u8]) -> Option<Self> {
        let address = std::str::from_utf8(address).ok()?;
        let [random, "unit", unit, id] = address.split('/').collect::<Vec<_>>()[..] else { return None };
        let is_random =
            (1..=16).contains(&random.len()) && random.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_random && is_unit(unit) && is_credential_id(id))
            .then(|| Self { unit: unit.to_owned(), id: id.to_owned() })
    }
}

/// Whether `text` names a credential, and needs no quotes anywhere.
pub(super) fn is_credential_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(is_plain) && text != "." && text != ".."
}

/// Whether `text` is the name of a unit.
pub(super) fn is_unit(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    let Some((name, kind)) = text.rsplit_once('.') else { return false };
    !name.is_empty() && text.len() <= LONGEST_ID && text.bytes().all(is_plain) && KINDS.contains(&kind)
}

/// Why there is no drop-in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DropInError {
    /// Not a credential's name.
    #[error("`{id}` is not a credential's name")]
    Id {
        /// What was given.
        id: String,
    },
    /// systemd could not say what it wants.
    #[error("`{unit}` and `{id}` together are too long: systemd asks by an address of at most 107 bytes")]
    Long {
        /// The unit.
        unit: String,
        /// The credential.
        id: String,
    },
    /// Not a path that a unit file takes as it stands.
    #[error("`{}` is not a path that a unit file can have", .path.display())]
    Path {
        /// The socket.
        path: PathBuf,
    },
    /// Not a service.
    #[error("`{unit}` is not the name of a service")]
    Unit {
        /// What was given.
        unit: String,
    },
}

impl Hint for DropInError {
    fn hint(&self) -> String {
        String::from(match self {
            Self::Id { .. } => "use letters, digits, `.`, `_` and `-`, such as passwords.yaml",
            Self::Long { .. } => {
                "choose a shorter name for the credential, and list it under `credentials` in the policy"
            }
            Self::Path { .. } => "give an absolute path of letters, digits, `.`, `_`, `-` and `/`",
            Self::Unit { .. } => "name a service, such as edge-deploy.service or deploy@.service",
        })
    }
}

/// A drop-in for `unit`, by which it gets each of `ids` from the service at `socket`.
///
/// systemd makes an empty file of a credential that it is refused, so the unit fails where one is empty.
///
/// # Errors
///
/// Any [`DropInError`].
pub fn drop_in(unit: &str, ids: &[String], socket: &Path) -> Result<String, DropInError> {
    if !is_unit(unit) || !unit.ends_with(".service") {
        return Err(DropInError::Unit { unit: unit.escape_debug().to_string() });
    }
    let shown = socket.to_str().filter(|path| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
        path.starts_with('/') && path.bytes().all(is_plain)
    });
    let socket = shown.ok_or_else(|| DropInError::Path { path: socket.to_owned() })?;
    let mut text = format!(
        "# /etc/systemd/system/{unit}.d/dcn-vault.conf, made by dcn-vault serve --drop-in\n\
         [Unit]\nWants=dcn-vault.socket\nAfter=dcn-vault.socket\n\n[Service]\n"
    );
    for id in ids {
        if !is_credential_id(id) {
            return Err(DropInError::Id { id: id.escape_debug().to_string() });
        }
        if ADDRESS_FRAME + unit.len() + id.len() > LONGEST_ADDRESS {
            return Err(DropInError::Long { unit: unit.to_owned(), id: id.clone() });
        }
        // Writing to a String cannot fail
        let _ = writeln!(text, "LoadCredential={id}:{socket}");
    }
    text.push_str("# A credential that was refused is an empty file: without these lines the unit would start with it\n");
    for id in ids {
        let _ = writeln!(text, "ExecStartPre=/usr/bin/test -s ${{CREDENTIALS_DIRECTORY}}/{id}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(address: &str) -> Option<(String, String)> {
        CredentialRequest::parse(address.as_bytes()).map(|request| (request.unit, request.id))
    }

    #[test]
    fn the_address_of_systemd_says_unit_and_credential_and_nothing_else_does() {
        let unit = |unit: &str, id: &str| Some((unit.to_owned(), id.to_owned()));
        assert_eq!(parsed("adf9d86b6eda275e/unit/foobar.service/credx"), unit("foobar.service", "credx"));
        assert_eq!(
            parsed("0/unit/deploy@edge-1.service/passwords.yaml"),
            unit("deploy@edge-1.service", "passwords.yaml")
        );
        for address in [
            "",
            "adf9/unit/foobar.service",
            "adf9/unit/foobar.service/a/b",
            "adf9/unit/foobar.service/",
            "adf9/unit/foobar/x",
            "adf9/unit//x",
            "/unit/foobar.service/x",
            "adf9d86b6eda275e0/unit/foobar.service/x",
            "xyz/unit/foobar.service/x",
            "adf9/user/foobar.service/x",
            "adf9/unit/foo bar.service/x",
            "adf9/unit/foobar.service/..",
            "adf9/unit/foobar.service/a\nb",
        ] {
            assert_eq!(parsed(address), None, "{address}");
        }
        assert_eq!(CredentialRequest::parse(b"adf9/unit/foobar.service/\xff"), None);
    }

    #[test]
    fn a_drop_in_loads_each_credential_and_fails_the_unit_where_one_is_empty() {
        let ids = ["passwords.yaml".to_owned(), "nova".to_owned()];
        let text = drop_in("edge-deploy.service", &ids, Path::new("/run/dcn-vault/dcn-vault.sock")).unwrap();
        for line in [
            "LoadCredential=passwords.yaml:/run/dcn-vault/dcn-vault.sock",
            "LoadCredential=nova:/run/dcn-vault/dcn-vault.sock",
            "ExecStartPre=/usr/bin/test -s ${CREDENTIALS_DIRECTORY}/passwords.yaml",
            "ExecStartPre=/usr/bin/test -s ${CREDENTIALS_DIRECTORY}/nova",
        ] {
            assert!(text.lines().any(|one| one == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn a_drop_in_is_refused_for_what_systemd_could_not_ask() {
        let refused = |unit: &str, id: &str, socket: &str| {
            drop_in(unit, &[id.to_owned()], Path::new(socket)).unwrap_err().to_string()
        };
        let socket = "/run/dcn-vault/dcn-vault.sock";
        assert_eq!(refused("edge", "x", socket), "`edge` is not the name of a service");
        assert_eq!(refused("edge.timer", "x", socket), "`edge.timer` is not the name of a service");
        assert_eq!(refused("edge.service", "a/b", socket), "`a/b` is not a credential's name");
        assert_eq!(refused("edge.service", "x", "run/s"), "`run/s` is not a path that a unit file can have");
        assert_eq!(
            refused("edge.service", "x", "/run/a b"),
            "`/run/a b` is not a path that a unit file can have"
        );
        let unit = format!("{}.service", "u".repeat(LONGEST_ADDRESS - ADDRESS_FRAME - 9));
        assert!(drop_in(&unit, &[String::from("x")], Path::new(socket)).is_ok());
        assert!(refused(&unit, "xy", socket).ends_with("an address of at most 107 bytes"));
    }
}
