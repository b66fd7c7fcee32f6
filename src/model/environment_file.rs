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
    /// The centre's passwords and keys.
    Passwords,
}

impl EnvironmentFile {
    /// All of them; a later one wins where two set the same parameter.
    pub const ALL: [Self; 6] = [
        Self::EndpointMap,
        Self::AllNodes,
        Self::GlobalConfig,
        Self::HostEntries,
        Self::OsloMessaging,
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
            Self::Passwords => "passwords.yaml",
        }
    }

    /// The stack output that the file is made from.
    #[must_use]
    pub const fn output(self) -> Option<&'static str> {
        match self {
            Self::EndpointMap => Some("EndpointMap"),
            Self::AllNodes => Some("AllNodesConfig"),
            Self::GlobalConfig => Some("GlobalConfig"),
            Self::HostEntries => Some("HostsEntry"),
            Self::OsloMessaging | Self::Passwords => None,
        }
    }

    /// The parameter of the site's deployment that takes the output's value.
    #[must_use]
    pub const fn parameter(self) -> Option<&'static str> {
        match self {
            Self::EndpointMap => Some("EndpointMapOverride"),
            Self::AllNodes => Some("AllNodesExtraMapData"),
            Self::GlobalConfig => Some("GlobalConfigExtraMapData"),
            Self::HostEntries => Some("ExtraHostFileEntries"),
            Self::OsloMessaging | Self::Passwords => None,
        }
    }

    /// The file of this name, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|file| file.file_name() == name)
    }
}
