//! What the cloud holds: a user, a plan, a stack with outputs.

use serde_json::{Map, Value, json};

use super::made_up::{self, Secrets};
use super::{outputs, pyyaml};

/// tripleo-common's `PASSWORD_PARAMETER_NAMES` as of Train.
pub const TRAIN_PASSWORDS: &str = "
    AdminPassword AdminToken AodhPassword BarbicanPassword BarbicanSimpleCryptoKek CeilometerMeteringSecret
    CeilometerPassword CephClientKey CephClusterFSID CephManilaClientKey CephRgwKey CephGrafanaAdminPassword
    CephDashboardAdminPassword CinderPassword CongressPassword DesignatePassword DesignateRndcKey Ec2ApiPassword
    EtcdInitialClusterToken GlancePassword GnocchiPassword HAProxyStatsPassword HeatAuthEncryptionKey HeatPassword
    HeatStackDomainAdminPassword HorizonSecret IronicPassword LibvirtTLSPassword KeystoneCredential0 KeystoneCredential1
    KeystoneFernetKey0 KeystoneFernetKey1 KeystoneFernetKeys ManilaPassword MistralPassword MysqlClustercheckPassword
    MysqlMariabackupPassword MysqlRootPassword NeutronMetadataProxySharedSecret NeutronPassword NovaPassword
    NovajoinPassword MigrationSshKey OctaviaServerCertsKeyPassphrase OctaviaCaKeyPassphrase OctaviaHeartbeatKey
    OctaviaPassword OpenDaylightPassword PacemakerRemoteAuthkey PankoPassword PcsdPassword PlacementPassword
    RpcPassword NotifyPassword RabbitCookie RabbitPassword RedisPassword SaharaPassword SnmpdReadonlyUserPassword
    SwiftHashSuffix SwiftPassword ZaqarPassword";

/// Strings to PyYAML that a reader by YAML 1.2, or by text, takes for something else; PyYAML quotes some of them.
const AWKWARD: &[(&str, &str)] = &[
    ("EdgeDate", "2024-02-29"),
    ("EdgeEmpty", ""),
    ("EdgeExponent", "12e03"),
    ("EdgeHex", "0xDEADBEEF"),
    ("EdgeInfinite", "9e999999"),
    ("EdgeLeadingZero", "0899"),
    ("EdgeNull", "null"),
    ("EdgeOctal", "0123456"),
    ("EdgeOctal12", "0o17"),
    ("EdgeSexagesimal", "12:30:45"),
    ("EdgeY", "y"),
    ("EdgeYes", "yes"),
];

#[derive(Clone)]
pub struct Contents {
    pub user: String,
    pub password: String,
    /// The domain of both user and project.
    pub domain: String,
    pub project: String,
    pub region: String,
    pub stack: String,
    pub stack_status: String,
    /// The plan's name, which is its container's.
    pub plan: String,
    /// `plan-environment.yaml`; change it by `set_plan` or by hand.
    pub plan_bytes: Vec<u8>,
    /// The container's other objects.
    pub objects: Vec<(String, Vec<u8>)>,
    /// What the plan has under `passwords`.
    pub passwords: Map<String, Value>,
    /// What the plan has under `parameter_defaults`.
    pub parameter_defaults: Map<String, Value>,
    /// Keys and JSON texts; the texts go out as they stand.
    pub outputs: Vec<(String, String)>,
    /// What `secrets` gives beside the password.
    pub noted: Vec<String>,
}

impl Contents {
    pub fn made_up() -> Self {
        let mut secrets = Secrets::default();
        let passwords = make_passwords(&mut secrets);
        let parameter_defaults = make_parameter_defaults(&mut secrets);
        let outputs = outputs::make_outputs(&passwords);
        let mut contents = Self {
            user: "admin".to_owned(),
            password: made_up::make_word(40),
            domain: "Default".to_owned(),
            project: "admin".to_owned(),
            region: "regionOne".to_owned(),
            stack: "overcloud".to_owned(),
            stack_status: "UPDATE_COMPLETE".to_owned(),
            plan: "overcloud".to_owned(),
            plan_bytes: Vec::new(),
            objects: vec![("user-environment.yaml".to_owned(), b"parameter_defaults: {}\n".to_vec())],
            passwords: Map::new(),
            parameter_defaults: Map::new(),
            outputs,
            noted: secrets.into_list(),
        };
        contents.set_plan(passwords, parameter_defaults);
        contents
    }

    /// Writes the plan anew from these values.
    pub fn set_plan(&mut self, passwords: Map<String, Value>, parameter_defaults: Map<String, Value>) {
        let plan = json!({
            "version": 1.0,
            "name": self.plan,
            "description": "Default Deployment plan\n",
            "template": "overcloud.yaml",
            "environments": [{ "path": "overcloud-resource-registry-puppet.yaml" }, { "path": "user-environment.yaml" }],
            "parameter_defaults": &parameter_defaults,
            "passwords": &passwords,
        });
        self.plan_bytes = pyyaml::dump(&plan).into_bytes();
        self.passwords = passwords;
        self.parameter_defaults = parameter_defaults;
    }

    /// Sets an output, in place of the one that has this key.
    pub fn set_output(&mut self, key: &str, json: &str) {
        self.outputs.retain(|(known, _)| known != key);
        self.outputs.push((key.to_owned(), json.to_owned()));
    }

    /// The JSON text of an output.
    pub fn output(&self, key: &str) -> Option<&str> {
        self.outputs.iter().find(|(known, _)| known == key).map(|(_, json)| json.as_str())
    }

    /// Each secret string of at least eight characters. A PEM is here as a whole and line by line.
    pub fn secrets(&self) -> Vec<String> {
        let mut secrets = self.noted.clone();
        secrets.push(self.password.clone());
        secrets
    }
}

fn make_passwords(secrets: &mut Secrets) -> Map<String, Value> {
    let mut passwords = Map::new();
    for name in TRAIN_PASSWORDS.split_whitespace() {
        passwords.insert(name.to_owned(), make_password(secrets, name));
    }
    for (name, value) in AWKWARD {
        passwords.insert((*name).to_owned(), json!(value));
    }
    passwords.insert("EdgeExponentLong".to_owned(), json!(secrets.make_exponent()));
    passwords.insert(
        "EdgeQuotes".to_owned(),
        json!(secrets.note(format!("it's \"{}\": # `q`", made_up::make_word(8)))),
    );
    passwords.insert("EdgeTab".to_owned(), json!(secrets.note(format!("a\t{}\\n", made_up::make_word(8)))));
    passwords.insert(
        "EdgeUnicode".to_owned(),
        json!(secrets.note(format!("pässwörd-密码🔑-{}", made_up::make_word(8)))),
    );
    passwords
}

fn make_password(secrets: &mut Secrets, name: &str) -> Value {
    let text = match name {
        "KeystoneFernetKeys" => return secrets.make_fernet_keys(),
        "MigrationSshKey" => return secrets.make_ssh_pair(),
        "BarbicanSimpleCryptoKek"
        | "KeystoneCredential0"
        | "KeystoneCredential1"
        | "KeystoneFernetKey0"
        | "KeystoneFernetKey1" => secrets.make_fernet(),
        "CephClientKey" | "CephManilaClientKey" | "CephRgwKey" => secrets.make_cephx(),
        // listed among the passwords, but every Ceph client's configuration shows it
        "CephClusterFSID" => made_up::make_uuid(),
        "DesignateRndcKey" => secrets.make_base64(32),
        "HorizonSecret" | "MysqlRootPassword" => secrets.make_word(10),
        "PcsdPassword" => secrets.make_word(16),
        "RabbitCookie" => secrets.make_word(20),
        "SnmpdReadonlyUserPassword" => secrets.make_word(24),
        "HeatAuthEncryptionKey" | "OctaviaServerCertsKeyPassphrase" => secrets.make_word(32),
        "PacemakerRemoteAuthkey" => secrets.make_word(4096),
        _ => secrets.make_word(25),
    };
    Value::String(text)
}

fn make_parameter_defaults(secrets: &mut Secrets) -> Map<String, Value> {
    let (certificate, key) = made_up::make_tls_pair(secrets, "overcloud.example.com");
    let values = json!({
        "CloudName": "overcloud.example.com",
        "ContainerImagePrepare": [{ "set": { "namespace": "quay.io/tripleotrain", "tag": "current-tripleo" } }],
        "ControllerCount": 3,
        "Debug": true,
        "DeployIdentifier": 1_589_362_200,
        "ExtraConfig": {},
        "NeutronPassword": secrets.note(format!("chosen by the user: {}", made_up::make_word(16))),
        "NtpServer": ["0.pool.ntp.org", "1.pool.ntp.org"],
        "SSLCertificate": certificate,
        "SSLKey": key,
        "StackAction": "UPDATE",
        "UndercloudHostsEntries": ["192.168.24.1 undercloud.ctlplane.localdomain undercloud.ctlplane"],
        "UpdateIdentifier": null,
    });
    let Value::Object(values) = values else { unreachable!("json!({{}}) makes an object") };
    values
}
