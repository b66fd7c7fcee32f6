//! A deployment at a site: the real client creates a real stack from the bundle, and the stack itself says what has arrived.

#![allow(clippy::disallowed_methods, reason = "tests write files and start processes")]

use std::ffi::OsStr;

use crate::operator::{Operator, User, Way};
use crate::program::{Said, Scratch, said};
use crate::running::{Lab, SITE};

/// The ways in which `run` hands the files over, as its options.
pub(crate) const DELIVERIES: [&[&str]; 3] =
    [&["--delivery", "mount"], &["--delivery", "fd"], &["--delivery", "file"]];
/// What `openstack stack create` imports, and what it would complain of if it were missing.
const CLIENT: [&str; 9] = [
    "heatclient.osc.plugin",
    "heatclient.osc.v1.stack",
    "openstackclient.compute.client",
    "openstackclient.identity.client",
    "openstackclient.image.client",
    "openstackclient.network.client",
    "openstackclient.object.client",
    "openstackclient.shell",
    "openstackclient.volume.client",
];

/// A stack in the site's project, until it is dropped.
#[derive(Debug)]
struct SiteStack {
    name: String,
    lab: Lab,
}

impl SiteStack {
    fn new() -> Self {
        // A name that nobody else takes: that of a directory that is there only once
        let unique = Scratch::bare();
        let name = unique.path().file_name().unwrap().to_str().unwrap().to_owned();
        Self { name, lab: Lab::running() }
    }

    /// Creates it by a `run` of `openstack` with these options, with a template that wants all that the plan has; again when the
    /// lab's Keystone was too busy.
    fn create(&self, operator: &Operator, options: &[&str]) -> Said {
        let template = operator.join("home/site.yaml");
        let expected = operator.lab.expected();
        let words = [OsStr::new("template"), expected.as_os_str(), template.as_os_str()];
        operator.lab.python("site_stack.py", words).succeeded();
        operator.give();
        let mut openstack = operator.run_of(&operator.lab.interpreter(), &CLIENT, options);
        openstack.args(["-m", "openstackclient.shell", "--os-cloud", SITE, "stack", "create", "--wait"]);
        openstack.args(["-t", "home/site.yaml", "{env}", &self.name]);
        let first = said(&mut openstack);
        if first.err.contains("(HTTP 500)") { said(&mut openstack) } else { first }
    }

    /// Fails unless it has what the centre's stack and plan have, and these settings.
    #[track_caller]
    fn has_all_of(&self, stack: &str, settings: &str, parameters: usize) {
        let expected = self.lab.expected();
        let words = [OsStr::new("check"), expected.as_os_str()];
        let rest = [stack, &self.name, settings].map(OsStr::new);
        let checked = self.lab.python_at_site("site_stack.py", &[&words[..], &rest].concat());
        assert_eq!(checked.succeeded(), format!("{parameters} parameters\n"));
    }
}

impl Drop for SiteStack {
    fn drop(&mut self) {
        let _ = self.lab.python_at_site("site_stack.py", &["delete", &self.name].map(OsStr::new));
    }
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_site_creates_its_stack_and_every_parameter_arrives_with_its_type() {
    for user in [User::Own, User::Unprivileged] {
        let operator = Operator::new(user);
        let pulled = operator.pull(Way::Cloud("admin-tls"), "standalone", "overcloud");
        assert_eq!(pulled.code, 0, "{}", pulled.err);
        for options in DELIVERIES {
            let stack = SiteStack::new();
            let told = stack.create(&operator, options).succeeded_with_words();
            stack.has_all_of("standalone", "{}", 134);
            operator.has_no_secret_in_clear(&told);
            // The client's own cache of entry points, and what the test has put there
            let (cache, template) = ("home/.cache", "home/site.yaml");
            let mut left = vec![cache, "home/.config", "home/.local", "home/bundle", "home/ca.crt"];
            left.extend(["home/identity.txt", template]);
            assert_eq!(operator.names(), left, "{user:?} {options:?}");
        }
    }
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn what_the_release_itself_would_export_besides_arrives_too() {
    let deployment = crate::tripleoclient::Deployment::new();
    let operator = &deployment.operator;
    let pulled = deployment.pull(&["--working-dir", "wd"]);
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    // What a site has is the bundle, and nothing of the centre's
    std::fs::remove_dir_all(operator.join("home/wd")).unwrap();
    for options in DELIVERIES {
        let stack = SiteStack::new();
        let told = stack.create(operator, options).succeeded_with_words();
        let settings = format!(r#"{{"AddVipsToEtcHosts": false, "AuthCloudName": "{}"}}"#, deployment.name());
        stack.has_all_of("standalone", &settings, 134);
        operator.has_no_secret_in_clear(&told);
    }
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_stack_that_lacks_one_of_the_passwords_is_refused_by_heat_and_that_is_our_end() {
    let operator = Operator::new(User::Own);
    let pulled = said(operator.program().args([
        "pull",
        "--os-cloud",
        "admin-tls",
        "--stack",
        "standalone",
        "--plan",
        "overcloud",
        "--exclude",
        "NovaPassword",
        "-r",
        &operator.recipient,
        "-o",
        "bundle",
    ]));
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    let stack = SiteStack::new();
    let refused = stack.create(&operator, &[]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("The Parameter (NovaPassword) was not provided."), "{}", refused.err);
    operator.has_no_secret_in_clear(&(refused.out + &refused.err));
}
