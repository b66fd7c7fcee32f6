//! Names. Of `parameter_defaults` only these are pulled; under `passwords` everything is, known or not.

/// Whether a user may have set this parameter to a secret that the plan's `passwords` do not have.
pub(super) fn is_secret_parameter(name: &str) -> bool {
    PASSWORDS.contains(&name) || TLS.contains(&name) || OTHERS.contains(&name) || is_manila_backend(name)
}

/// The password of a storage system below Manila: each driver has its own parameter.
fn is_manila_backend(name: &str) -> bool {
    name.strip_prefix("Manila").is_some_and(|rest| rest.ends_with("NasPassword"))
}

/// tripleo-common's `PASSWORD_PARAMETER_NAMES`, all releases from Stein to Zed together.
const PASSWORDS: &[&str] = &[
    "AdminPassword",
    "AdminToken",
    "AodhPassword",
    "BarbicanPassword",
    "BarbicanSimpleCryptoKek",
    "CeilometerMeteringSecret",
    "CeilometerPassword",
    "CephAdminKey",
    "CephClientKey",
    "CephClusterFSID",
    "CephDashboardAdminPassword",
    "CephGrafanaAdminPassword",
    "CephManilaClientKey",
    "CephMdsKey",
    "CephMonKey",
    "CephRgwKey",
    "CinderPassword",
    "CongressPassword",
    "DesignatePassword",
    "DesignateRndcKey",
    "Ec2ApiPassword",
    "EtcdInitialClusterToken",
    "GlancePassword",
    "GnocchiPassword",
    "HAProxyStatsPassword",
    "HeatAuthEncryptionKey",
    "HeatPassword",
    "HeatStackDomainAdminPassword",
    "HorizonSecret",
    "IronicPassword",
    "KeystoneCredential0",
    "KeystoneCredential1",
    "KeystoneFernetKey0",
    "KeystoneFernetKey1",
    "KeystoneFernetKeys",
    "KeystonePassword",
    "LibvirtTLSPassword",
    "ManilaPassword",
    "MigrationSshKey",
    "MistralPassword",
    "MysqlClustercheckPassword",
    "MysqlMariabackupPassword",
    "MysqlRootPassword",
    "NeutronMetadataProxySharedSecret",
    "NeutronPassword",
    "NotifyPassword",
    "NovaPassword",
    "NovajoinPassword",
    "OctaviaCaKeyPassphrase",
    "OctaviaHeartbeatKey",
    "OctaviaPassword",
    "OctaviaServerCertsKeyPassphrase",
    "OpenDaylightPassword",
    "PacemakerRemoteAuthkey",
    "PankoPassword",
    "PcsdPassword",
    "PlacementPassword",
    "RabbitCookie",
    "RabbitPassword",
    "RedisPassword",
    "RpcPassword",
    "SaharaPassword",
    "SnmpdReadonlyUserPassword",
    "SwiftHashSuffix",
    "SwiftPassword",
    "TackerPassword",
    "TrovePassword",
    "ZaqarPassword",
];

/// Certificates and keys, which no release has under `passwords`. A certificate is public; it goes with its key.
const TLS: &[&str] = &[
    "CAMap",
    "LoggingSSLCertificate",
    "LoggingSSLKey",
    "OctaviaCaCert",
    "OctaviaCaKey",
    "OctaviaClientCert",
    "RsyslogElasticsearchTlsCACert",
    "RsyslogElasticsearchTlsClientCert",
    "RsyslogElasticsearchTlsClientKey",
    "SSLCertificate",
    "SSLIntermediateCertificate",
    "SSLKey",
    "SSLRootCertificate",
];

/// Secrets of third parties that a user sets, and that tripleo-heat-templates do not hide in every release.
const OTHERS: &[&str] = &[
    "CinderDellPsSanPrivateKey",
    "CinderPureAPIToken",
    "IdMNovaKeytab",
    "KeystoneOpenIdcClientSecret",
    "NsxApiPassword",
    "VrtsSSHPassword",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_that_only_a_user_sets_are_known_by_name() {
        for name in ["LoggingSSLKey", "OctaviaClientCert", "ManilaIsilonNasPassword", "IdMNovaKeytab"] {
            assert!(is_secret_parameter(name), "{name}");
        }
        for name in ["ManilaNasPasswordLength", "CinderNetappPassword", "InternalTLSCAFile"] {
            assert!(!is_secret_parameter(name), "{name}");
        }
    }
}
