use std::fmt;

use super::error::list_quoted;

/// Why a certificate was refused. What it says of itself is escaped: anybody may have sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateFault {
    /// It is a CA's own, which must not serve as a server's.
    CaAsServer,
    /// It has expired.
    Expired {
        /// On which day, if it says so.
        since: Option<String>,
    },
    /// One of its issuers is not a CA.
    IssuerIsNoCa,
    /// It has no subjectAltName; a CN counts for nothing.
    NoName {
        /// The host of the URL.
        wanted: HostName,
    },
    /// It is not valid yet.
    NotYetValid {
        /// From which day on, if it says so.
        from: Option<String>,
    },
    /// Something else, in rustls's words.
    Other(String),
    /// It is made out to others.
    OtherNames {
        /// The host of the URL.
        wanted: HostName,
        /// To whom it is made out.
        names: Vec<String>,
    },
    /// It may not be used by a server.
    Purpose,
    /// It has signed itself, and nobody here has said that it is to be trusted.
    SelfSigned {
        /// Whether `cacert` says what is trusted, instead of the system.
        by_cacert: bool,
    },
    /// Its issuer is not trusted here.
    UnknownIssuer {
        /// The issuer's name, where it could be had.
        issuer: Option<String>,
        /// Whether `cacert` says what is trusted, instead of the system.
        by_cacert: bool,
    },
    /// It is of X.509's first version, which has no extensions.
    VersionOne,
}

/// A host as a URL names it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostName {
    /// By an IP address.
    Address(String),
    /// By a name of the DNS.
    Dns(String),
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "the IP address `{address}`"),
            Self::Dns(name) => write!(f, "the host name `{name}`"),
        }
    }
}

impl HostName {
    /// What makes a certificate valid for it, in the words of openssl and of certmonger.
    fn remedy(&self) -> String {
        let (kind, flag, name) = match self {
            Self::Address(address) => ("IP", "-A", address),
            Self::Dns(name) => ("DNS", "-D", name),
        };
        format!(
            "openssl: -addext subjectAltName={kind}:{name}; certmonger: getcert resubmit -i ID {flag} {name}"
        )
    }
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CaAsServer => {
                f.write_str("it is a CA's own certificate, which may not serve as a server's")
            }
            Self::Expired { since: Some(day) } => write!(f, "it has expired on {day}"),
            Self::Expired { since: None } => f.write_str("it has expired"),
            Self::IssuerIsNoCa => f.write_str("one of its issuers is not a CA (no `CA:TRUE`)"),
            Self::NoName { wanted } => {
                write!(
                    f,
                    "it has no subjectAltName, so that it is not valid for {wanted}: a CN does not count"
                )
            }
            Self::NotYetValid { from: Some(day) } => write!(f, "it is valid only from {day} on"),
            Self::NotYetValid { from: None } => f.write_str("it is not valid yet"),
            Self::Other(words) => f.write_str(words),
            Self::OtherNames { wanted, names } => {
                write!(f, "it is made out to {}, not to {wanted}", list_quoted(names))
            }
            Self::Purpose => {
                f.write_str("it may not be used by a server (its extendedKeyUsage has no `serverAuth`)")
            }
            Self::SelfSigned { by_cacert: true } => {
                f.write_str("it is self-signed, and not in the file that `cacert` names")
            }
            Self::SelfSigned { by_cacert: false } => f.write_str("it is self-signed, and not trusted here"),
            Self::UnknownIssuer { issuer, by_cacert } => {
                f.write_str("its issuer ")?;
                if let Some(issuer) = issuer {
                    write!(f, "`{issuer}` ")?;
                }
                f.write_str(if *by_cacert {
                    "is not in the file that `cacert` names"
                } else {
                    "is not trusted here"
                })
            }
            Self::VersionOne => {
                f.write_str("it is an X.509 certificate of version 1, which can name no host")
            }
        }
    }
}

impl CertificateFault {
    pub(super) fn hint(&self) -> String {
        String::from(match self {
            Self::CaAsServer => {
                "let that CA sign a certificate for the server (`CA:FALSE`, a subjectAltName), and keep the CA's in `cacert`"
            }
            Self::Expired { .. } => "have it renewed; is this host's clock right?",
            Self::IssuerIsNoCa => "have its CA's certificate made anew with basicConstraints=CA:TRUE",
            Self::NoName { wanted } => return format!("have it made anew with a name. {}", wanted.remedy()),
            Self::NotYetValid { .. } => "is this host's clock right? Else have it made anew",
            Self::Other(_) => "look at it: openssl s_client -connect HOST:PORT -showcerts",
            Self::OtherNames { wanted, .. } => {
                return format!(
                    "use one of its names in the URL, or have this one added. {}",
                    wanted.remedy()
                );
            }
            Self::Purpose => "have it made anew with extendedKeyUsage=serverAuth, or without one",
            Self::SelfSigned { .. } => {
                "fetch it from the server itself, not over this network, and name its file in `cacert` (clouds.yaml) or OS_CACERT"
            }
            Self::UnknownIssuer { by_cacert: true, .. } => {
                "name a file with its CA's certificate there; a server's own does not do, unless it is self-signed"
            }
            Self::UnknownIssuer { by_cacert: false, .. } => {
                "name its CA in `cacert` (clouds.yaml) or OS_CACERT; certmonger's is /etc/pki/ca-trust/source/anchors/cm-local-ca.pem"
            }
            Self::VersionOne => {
                "have it made anew as version 3, with a subjectAltName: openssl req -x509 -addext subjectAltName=…"
            }
        })
    }
}
