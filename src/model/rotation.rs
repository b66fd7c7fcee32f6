use super::ParameterName;

/// Why a secret that somebody should no longer know is not simply rotated; nothing where it is.
///
/// The list is `TripleO`'s own (tripleo-common, `DO_NOT_ROTATE_LIST`), and what is no secret by itself.
#[must_use]
pub fn hindrance(name: &ParameterName) -> Option<&'static str> {
    HINDRANCES.iter().find(|(known, _)| *known == name.as_str()).map(|(_, why)| *why)
}

const HINDRANCES: [(&str, &str); 22] = [
    ("BarbicanSimpleCryptoKek", "what Barbican keeps is encrypted with it"),
    ("CAMap", "certificates are public"),
    ("CephClientKey", "it is the cluster's: rotate it in Ceph"),
    ("CephClusterFSID", "it is the cluster's name, and no secret"),
    ("CephManilaClientKey", "it is the cluster's: rotate it in Ceph"),
    ("CephRgwKey", "it is the cluster's: rotate it in Ceph"),
    ("HeatAuthEncryptionKey", "what Heat keeps is encrypted with it"),
    ("KeystoneCredential0", "what Keystone keeps is encrypted with it: keystone-manage credential_rotate"),
    ("KeystoneCredential1", "what Keystone keeps is encrypted with it: keystone-manage credential_rotate"),
    ("KeystoneFernetKey0", "rotate it with the workflow rotate_fernet_keys"),
    ("KeystoneFernetKey1", "rotate it with the workflow rotate_fernet_keys"),
    ("KeystoneFernetKeys", "rotate them with the workflow rotate_fernet_keys, as often as there are keys"),
    ("MysqlClustercheckPassword", "TripleO does not change it on a running cluster"),
    ("MysqlMariabackupPassword", "TripleO does not change it on a running cluster"),
    ("OctaviaCaCert", "certificates are public"),
    ("PacemakerRemoteAuthkey", "TripleO does not change it on a running cluster"),
    ("PcsdPassword", "TripleO does not change it on a running cluster"),
    ("RsyslogElasticsearchTlsCACert", "certificates are public"),
    ("RsyslogElasticsearchTlsClientCert", "certificates are public"),
    ("SSLCertificate", "certificates are public"),
    ("SSLIntermediateCertificate", "certificates are public"),
    ("SSLRootCertificate", "certificates are public"),
];
