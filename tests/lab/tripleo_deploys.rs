//! What TripleO's own client, in two generations, makes of the files that `run` hands over: what it merges, and what it leaves.

#![allow(clippy::disallowed_methods, reason = "tests write files and start processes")]

use crate::operator::{Operator, User, Way};
use crate::program::said;
use crate::site_stack::DELIVERIES;
use crate::tripleoclient::Deployment;

/// Each with the name that it goes by.
const GENERATIONS: [(&str, &str); 2] = [("16", "wallaby"), ("20", "zed")];
const MODULES: [&str; 2] = ["safe_import", "tripleoclient.v1.overcloud_deploy"];
/// Where both leave a copy of every environment file.
const COPIES: &str = "tripleo-heat-templates/user-environments";

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn both_generations_merge_every_parameter_and_their_copies_are_their_owners_alone() {
    for user in [User::Own, User::Unprivileged] {
        for (generation, release) in GENERATIONS {
            let operator = Operator::new(user);
            let pulled = operator.pull(Way::Cloud("admin-tls"), "standalone", "overcloud");
            assert_eq!(pulled.code, 0, "{}", pulled.err);
            let client = Client { operator: &operator, generation, release };
            for options in DELIVERIES {
                client.deploys(options, "{}", 132, &[]);
            }
        }
    }
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn what_a_working_directory_has_besides_is_merged_too() {
    let deployment = Deployment::new();
    let pulled = deployment.pull(&["--working-dir", "wd"]);
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    std::fs::remove_dir_all(deployment.operator.join("home/wd")).unwrap();
    let settings = format!(r#"{{"AddVipsToEtcHosts": false, "AuthCloudName": "{}"}}"#, deployment.name());
    for (generation, release) in GENERATIONS {
        let client = Client { operator: &deployment.operator, generation, release };
        for options in DELIVERIES {
            client.deploys(options, &settings, 134, &["export-settings.yaml"]);
        }
    }
}

/// A client of one generation, at a site.
struct Client<'a> {
    operator: &'a Operator,
    generation: &'a str,
    release: &'a str,
}

impl Client<'_> {
    /// Fails unless a `run` with these options merges all, and leaves nothing but its usual copies, of mode 0600.
    #[track_caller]
    fn deploys(&self, options: &[&str], settings: &str, parameters: usize, more: &[&str]) {
        let working_dir = self.operator.join("home/site");
        let mut run =
            self.operator.run_of(&self.operator.lab.tripleo_interpreter(self.generation), &MODULES, options);
        run.arg(self.operator.script("child_deploys.py")).arg("standalone").arg(&working_dir);
        let deployed = said(run.arg(settings).arg("{env}"));
        assert_eq!(deployed.code, 0, "{}", deployed.err);

        let files = [
            "all-nodes-extra-map-data.json",
            "endpoint-map.json",
            "extra-host-file-entries.json",
            "global-config-extra-map-data.json",
            "oslo-messaging.yaml",
            "passwords.yaml",
            // What the client has made up itself
            "tripleoclient-parameters.yaml",
        ];
        let copies = files.iter().chain(more).map(|name| format!("600 {COPIES}/{name}"));
        let merged = format!("{parameters} parameters, by {}", self.release);
        let mut expected: Vec<String> = copies.chain([merged]).collect();
        let mut lines: Vec<String> = deployed.out.lines().map(str::to_owned).collect();
        expected.sort();
        lines.sort();
        assert_eq!(lines, expected, "{options:?}");

        // The client's copies hold the secrets, and nothing else does
        let found = self.operator.files_in_clear(&deployed.err);
        let sealed = ["global-config-extra-map-data.json", "passwords.yaml"];
        assert_eq!(found, sealed.map(|name| working_dir.join(COPIES).join(name)), "{options:?}");
        std::fs::remove_dir_all(&working_dir).unwrap();
        self.operator.has_no_secret_in_clear("");
    }
}
