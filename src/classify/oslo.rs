//! `oslo-messaging.yaml`: the bus without TLS, as the documented procedure has it, unless `GlobalConfig` says that TLS
//! is on (then the file would send the site's messages in clear over the WAN).

use crate::model::{Data, EnvironmentFile, Kind, ParameterName, Scalar};
use crate::secret::SecretValue;
use crate::source::Output;

/// The role that the documented procedure names.
pub const DEFAULT_ROLE: &str = "Compute";

const BUSES: [&str; 2] = ["oslo_messaging_notify_use_ssl", "oslo_messaging_rpc_use_ssl"];

/// When the file is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OsloMessaging {
    /// For the buses that do not use TLS at the centre.
    #[default]
    Auto,
    /// For all buses, whatever they use.
    Always,
    /// Not at all.
    Never,
}

/// The file's parameters, unless all buses use TLS, or it is not known.
pub(super) fn settings(
    outputs: &[Output],
    roles: &[String],
    when: OsloMessaging,
) -> Option<Vec<(ParameterName, Data)>> {
    let plain: Vec<&str> = match when {
        OsloMessaging::Always => BUSES.to_vec(),
        OsloMessaging::Auto => {
            // Without GlobalConfig nobody knows: better no file than one that turns TLS off
            let global = outputs.iter().find(|output| output.file == EnvironmentFile::GlobalConfig)?;
            let uses_tls = |bus: &&str| global.value.under(bus).is_some_and(is_on);
            BUSES.into_iter().filter(|bus| !uses_tls(bus)).collect()
        }
        OsloMessaging::Never => Vec::new(),
    };
    if plain.is_empty() {
        return None;
    }
    let default = [DEFAULT_ROLE.to_owned()];
    let roles = if roles.is_empty() { &default } else { roles };
    let of_role = |role: &String| {
        let off = |bus: &&str| (Scalar::string(bus), bool_of(false));
        let parameter = ParameterName::parse(&format!("{role}ExtraConfig")).ok()?;
        Some((parameter, Data::Map(plain.iter().map(off).collect())))
    };
    Some(roles.iter().filter_map(of_role).collect())
}

fn bool_of(value: bool) -> Data {
    let text = if value { "true" } else { "false" };
    Data::Scalar(Scalar::new(Kind::Bool, SecretValue::copy_of(text)))
}

// Heat has it as a boolean or as Python's text for one
fn is_on(data: &Data) -> bool {
    matches!(data, Data::Scalar(scalar) if scalar.is("true") || scalar.is("True"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn written(global: &[u8]) -> Option<String> {
        written_when(global, OsloMessaging::Auto)
    }

    fn written_when(global: &[u8], when: OsloMessaging) -> Option<String> {
        let value = json::read(global, "GlobalConfig").unwrap();
        let outputs = [Output { file: EnvironmentFile::GlobalConfig, value }];
        let document =
            super::super::parameters(EnvironmentFile::OsloMessaging, settings(&outputs, &[], when)?);
        // EXPOSE: no secret is in it
        Some(document.text.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap()))
    }

    #[test]
    fn without_tls_at_the_centre_both_buses_are_told_so() {
        let expected = "parameter_defaults:\n  ComputeExtraConfig:\n    oslo_messaging_notify_use_ssl: false\n    oslo_messaging_rpc_use_ssl: false\n";
        assert_eq!(written(br#"{"oslo_messaging_rpc_use_ssl": "False"}"#).unwrap(), expected);
    }

    #[test]
    fn a_bus_that_uses_tls_is_left_alone_and_no_file_is_made_when_both_do() {
        let one = written(br#"{"oslo_messaging_notify_use_ssl": true}"#).unwrap();
        assert!(!one.contains("notify") && one.contains("rpc"), "{one}");
        let both = br#"{"oslo_messaging_notify_use_ssl": "True", "oslo_messaging_rpc_use_ssl": true}"#;
        assert_eq!(written(both), None);
    }
    #[test]
    fn who_says_always_or_never_is_obeyed() {
        let (on, off) =
            (&br#"{"oslo_messaging_notify_use_ssl": true, "oslo_messaging_rpc_use_ssl": true}"#[..], b"{}");
        assert_eq!(written_when(on, OsloMessaging::Always), written_when(off, OsloMessaging::Auto));
        assert_eq!(written_when(off, OsloMessaging::Never), None);
    }
}
