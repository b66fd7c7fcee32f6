//! The program that makes the tables of roles, on made-up packages: which parameter it finds where, and that it says it again.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

use std::path::Path;
use std::process::{Command, Output};

mod program;
use program::Scratch;

const TEMPLATES: &[(&str, &str)] = &[
    (
        "overcloud-resource-registry-puppet.j2.yaml",
        "resource_registry:\n\
         {% for role in roles %}\n  OS::TripleO::{{role.name}}: puppet/{{role.name.lower()}}-role.yaml\n{% endfor %}\n  \
         OS::TripleO::Services::Agent: deployment/agent/agent.yaml\n  \
         OS::TripleO::Services::CephClient: OS::Heat::None\n  \
         OS::TripleO::Services::Logging: deployment/logging.yaml\n  \
         OS::TripleO::Services::Off: OS::Heat::None\n  \
         OS::TripleO::Services::Quiet: OS::TripleO::Services::Alias\n  \
         OS::TripleO::Services::Alias: deployment/quiet.yaml\n",
    ),
    (
        "roles/Edge.yaml",
        "- name: Edge\n  ServicesDefault:\n    - OS::TripleO::Services::Quiet\n    - OS::TripleO::Services::Agent\n    \
         - OS::TripleO::Services::Off\n    - OS::TripleO::Services::CephClient\n    - OS::TripleO::Services::Unknown\n",
    ),
    ("roles/Undercloud.yaml", "- name: Undercloud\n  ServicesDefault: [OS::TripleO::Services::Agent]\n"),
    // Not YAML once the loops are taken out
    ("puppet/role.role.j2.yaml", "parameters:\n  SSLKey: {}\n{% if x %}\n  a: {% raw %}b: c\n{% endif %}\n"),
    (
        "deployment/agent/agent.yaml",
        "parameters: {NovaPassword: {}, NovaWorkers: {}}\n\
         resources:\n  Base: {type: ./base.yaml}\n  Log: {type: OS::TripleO::Services::Logging}\n  \
         Value: {type: OS::Heat::Value}\n\
         outputs: {role_data: {value: {step_config: 'include ::tripleo::profile::base::agent'}}}\n",
    ),
    (
        "deployment/agent/base.j2.yaml",
        "{# how #}\nparameters:\n{% for x in y %}\n  {{x}}Port: {}\n{% endfor %}\n  MigrationSshKey: {}\n",
    ),
    ("deployment/logging.yaml", "parameters: {ManilaAnyNasPassword: {}, LoggingSSLKey: {}}\n"),
    (
        "deployment/quiet.yaml",
        "parameters: {OfThisReleasePassword: {}}\n# include tripleo::profile::base::agent\n\
         outputs: {a: 'include tripleo::profile::base::quiet'}\n",
    ),
    ("deployment/off.yaml", "parameters: {GlancePassword: {}}\nresources: {Loop: {type: ./off.yaml}}\n"),
    ("deployment/ceph.yaml", "parameters: {CephClientKey: {}, CephExternalMultiConfig: {}}\n"),
    ("environments/on.yaml", "resource_registry:\n  OS::TripleO::Services::Off: ../deployment/off.yaml\n"),
    (
        "environments/sub/also.yaml",
        "resource_registry:\n  OS::TripleO::Services::Off: ../../deployment/off.yaml\n",
    ),
    (
        "environments/ceph.yaml",
        "resource_registry:\n  OS::TripleO::Services::CephClient: ../deployment/ceph.yaml\n",
    ),
    ("environments/nothing.yaml", "parameter_defaults: {NovaPassword: x}\n"),
];

const COMMON: &[(&str, &str)] =
    &[("tripleo_common/constants.py", "OTHER = 1\nPASSWORD_PARAMETER_NAMES = ('OfThisReleasePassword',)\n")];

const PROFILES: &[(&str, &str)] = &[
    (
        "manifests/profile/base/agent.pp",
        "class tripleo::profile::base::agent {\n  include ::tripleo::profile::base::bus\n}\n",
    ),
    (
        "manifests/profile/base/bus.pp",
        "class tripleo::profile::base::bus (\n  $password = hiera('oslo_messaging_rpc_password'),\n) {}\n",
    ),
    (
        "manifests/profile/base/quiet.pp",
        "# Defaults to hiera('oslo_messaging_rpc_password')\nclass tripleo::profile::base::quiet {}\n",
    ),
];

const EXPECTED: &str = "origin: tripleo-heat-templates 99.1.0

[services]
(node): SSLKey
Agent: GlobalConfigExtraMapData LoggingSSLKey ManilaAnyNasPassword MigrationSshKey NovaPassword
CephClient: CephExternalMultiConfig
Quiet: OfThisReleasePassword

[with ceph]
CephClient: CephClientKey

[with on sub/also]
Off: GlancePassword

[roles]
Edge: (node) Agent CephClient Off Quiet
";

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn the_tables_are_what_the_templates_declare_and_the_same_each_time() {
    let packages = Packages::new();
    let tables = packages.tables("0");
    let (header, body) = tables.split_at(tables.find("origin: ").expect("the program says where it is from"));
    assert_eq!(body, EXPECTED);
    assert_eq!(header.matches(", sha256 ").count(), 2, "{header}");
    assert_eq!(packages.tables("1"), tables, "another order of Python's sets");
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_template_that_the_registry_names_and_is_not_there_is_an_error() {
    let packages = Packages::new();
    let mut fewer: Vec<_> = TEMPLATES.to_vec();
    fewer.retain(|(name, _)| *name != "deployment/logging.yaml");
    pack(&packages.scratch, "tripleo-heat-templates-99.1.0", &fewer);
    let output = packages.run("0");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(said.contains("not there: deployment/logging.yaml"), "{said}");
}

struct Packages {
    scratch: Scratch,
}

impl Packages {
    fn new() -> Self {
        let scratch = Scratch::new();
        pack(&scratch, "tripleo-heat-templates-99.1.0", TEMPLATES);
        pack(&scratch, "tripleo-common-99.2.0", COMMON);
        let clone = scratch.join("puppet-tripleo");
        lay_out(&clone, PROFILES);
        for arguments in [
            &["init", "--quiet"][..],
            &["add", "."],
            &["-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "made up"],
            &["tag", "99.3.0"],
        ] {
            succeeded(Command::new("git").arg("-C").arg(&clone).args(arguments));
        }
        Self { scratch }
    }

    /// Python orders its sets by `seed`.
    fn run(&self, seed: &str) -> Output {
        let python = std::env::var("DCN_VAULT_LAB_CLIENT")
            .expect("DCN_VAULT_LAB_CLIENT must name a virtual environment of Python that has PyYAML");
        Command::new(format!("{python}/bin/python"))
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/role_tables.py"))
            .arg("made-up")
            .arg(self.scratch.join("tripleo-heat-templates-99.1.0.tar.gz"))
            .arg(self.scratch.join("tripleo-common-99.2.0.tar.gz"))
            .arg(self.scratch.join("puppet-tripleo"))
            .arg("99.3.0")
            .env("PYTHONHASHSEED", seed)
            .output()
            .unwrap()
    }

    fn tables(&self, seed: &str) -> String {
        let output = self.run(seed);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// A source package: all files in one directory, as `.tar.gz`.
fn pack(scratch: &Scratch, name: &str, files: &[(&str, &str)]) {
    let directory = scratch.join(name);
    let _ = std::fs::remove_dir_all(&directory);
    lay_out(&directory, files);
    succeeded(
        Command::new("tar")
            .arg("-C")
            .arg(scratch.path())
            .args(["-czf"])
            .arg(scratch.join(&format!("{name}.tar.gz")))
            .arg(name),
    );
}

fn lay_out(directory: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

fn succeeded(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
