use serde::{Deserialize, Serialize};

/// Where a bundle's contents came from. Public: it stands in the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Origin {
    /// What kind of source it was.
    pub kind: SourceKind,
    /// Keystone's URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_url: Option<String>,
    /// The region of the endpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The project of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The plan: a Swift container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The stack's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// The stack's UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_id: Option<String>,
    /// The stack's status when it was read, such as `UPDATE_COMPLETE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_status: Option<String>,
    /// When the stack last changed, as Heat says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_updated: Option<String>,
    /// The release of `TripleO`, or several that cannot be told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
}

/// The kinds of source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SourceKind {
    /// A saved plan or environment file.
    File,
    /// Keystone, Heat and Swift.
    Openstack,
    /// The working directory of a deployment.
    WorkingDir,
}

impl Origin {
    /// An origin of which only the kind is known.
    #[must_use]
    pub const fn of(kind: SourceKind) -> Self {
        Self {
            kind,
            auth_url: None,
            region: None,
            project: None,
            plan: None,
            stack: None,
            stack_id: None,
            stack_status: None,
            stack_updated: None,
            release: None,
        }
    }
}

/// Where a secret's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SecretOrigin {
    /// Barbican keeps it.
    Barbican,
    /// `TripleO` made it up.
    Generated,
    /// The plan's user chose it, in `parameter_defaults`.
    User,
}
