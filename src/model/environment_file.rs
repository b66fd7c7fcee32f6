/// A file that a site's deployment takes with `-e`, in the order of the documented procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum EnvironmentFile {
    /// Where the centre's services are.
    EndpointMap,
    /// Hieradata of all the centre's nodes.
    AllNodes,
    /// Hieradata that the centre's services publish; `RabbitMQ`'s password is in it.
    GlobalConfig,
    /// Lines for `/etc/hosts`.
    HostEntries,
    /// Turns TLS off for the message bus where the centre does not use it.
    OsloMessaging,
    /// What the release's own export adds.
    ExportSettings,
    /// Other clusters of Ceph, with a key to each.
    CephExternal,
    /// The centre's passwords and keys.
    Passwords,
}

impl EnvironmentFile {
    /// All of them; a later one wins where two set the same parameter.
    pub const ALL: [Self; 8] = [
        Self::EndpointMap,
        Self::AllNodes,
        Self::GlobalConfig,
        Self::HostEntries,
        Self::OsloMessaging,
        Self::ExportSettings,
        Self::CephExternal,
        Self::Passwords,
    ];

    /// The name of the plaintext file.
    #[must_use]
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::EndpointMap => "endpoint-map.json",
            Self::AllNodes => "all-nodes-extra-map-data.json",
            Self::GlobalConfig => "global-config-extra-map-data.json",
            Self::HostEntries => "extra-host-file-entries.json",
            Self::OsloMessaging => "oslo-messaging.yaml",
            Self::ExportSettings => "export-settings.yaml",
            Self::CephExternal => "ceph-external.yaml",
            Self::Passwords => "passwords.yaml",
        }
    }

    /// Whether it is written as JSON, as the documented procedure writes it; YAML else.
    #[must_use]
    pub const fn is_json(self) -> bool {
        matches!(self, Self::EndpointMap | Self::AllNodes | Self::GlobalConfig | Self::HostEntries)
    }

    /// The stack output that the file is made from.
    #[must_use]
    pub const fn output(self) -> Option<&'static str> {
        match self {
            Self::EndpointMap => Some("EndpointMap"),
            Self::AllNodes => Some("AllNodesConfig"),
            Self::GlobalConfig => Some("GlobalConfig"),
            Self::HostEntries => Some("HostsEntry"),
            Self::OsloMessaging | Self::ExportSettings | Self::CephExternal | Self::Passwords => None,
        }
    }

    /// The parameter of the site's deployment that takes the value.
    #[must_use]
    pub const fn parameter(self) -> Option<&'static str> {
        match self {
            Self::EndpointMap => Some("EndpointMapOverride"),
            Self::AllNodes => Some("AllNodesExtraMapData"),
            Self::GlobalConfig => Some("GlobalConfigExtraMapData"),
            Self::HostEntries => Some("ExtraHostFileEntries"),
            Self::CephExternal => Some("CephExternalMultiConfig"),
            Self::OsloMessaging | Self::ExportSettings | Self::Passwords => None,
        }
    }

    /// The file, beside the passwords, that an export's parameter of this name belongs in.
    #[must_use]
    pub fn taking(parameter: &str) -> Option<Self> {
        match parameter {
            "AddVipsToEtcHosts" | "AuthCloudName" => Some(Self::ExportSettings),
            _ => Self::ALL.into_iter().find(|file| file.parameter() == Some(parameter)),
        }
    }

    /// The file of this name, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|file| file.file_name() == name)
    }
}
