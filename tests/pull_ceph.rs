//! `pull --ceph-stack`: the clusters of Ceph that other stacks have, with a key to each, and sealed.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test may panic")]

mod program;

use program::Scratch;

// By their shape keys of cephx; nothing knows them
const KEY: &str = "AQBO/mteAAAAABAAnotarealkeyofanycluster000==";
const OTHER: &str = "AQBO/mteAAAAABAAneitherisTHISakeyofcluster0==";
const IP: &str = "172.16.12.61";

fn ceph_ansible(scratch: &Scratch, directory: &str) {
    let all = format!(
        "cluster: dcn0\nfsid: 539e2b96-316e-4c23-b7df-035a3037ddd1\nkeys:\n- {{name: client.openstack, key: {KEY}, mode: '0600', caps: {{mon: profile rbd}}}}\n- {{name: client.external, key: {OTHER}, mode: '0600', caps: {{mon: profile rbd}}}}\n"
    );
    let inventory = "mons:\n  children:\n    ControllerMon: {}\n    OtherMon: {}\nControllerMon:\n  hosts:\n    c0: {storage_ip: 10.0.0.1, ceph_net_ip: 172.16.11.61}\n    c1: {ceph_net_ip: 172.16.11.62}\nOtherMon:\n  hosts:\n    c2: {ceph_net_ip: 172.16.11.63}\n";
    scratch.write(&format!("{directory}/ceph-ansible/group_vars/all.yml"), all, 0o600);
    scratch.write(&format!("{directory}/ceph-ansible/inventory.yml"), inventory, 0o600);
    let globals = "service_net_map: {ceph_mon_network: ceph_net}\n";
    scratch.write(&format!("{directory}/global_vars.yaml"), globals, 0o600);
}

fn cephadm(scratch: &Scratch, path: &str) -> std::path::PathBuf {
    let client = format!(
        "tripleo_ceph_client_fsid: 11111111-316e-4c23-b7df-035a3037ddd1\ntripleo_ceph_client_cluster: dcn1\nexternal_cluster_mon_ips: {IP}\nkeys:\n- {{name: client.openstack, key: {OTHER}, mode: '0600', caps: {{mon: profile rbd}}}}\n"
    );
    scratch.write(path, client, 0o600)
}

fn pull<'a>(recipient: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let pull = ["pull", "--from-file", "plan.yaml", "-r", recipient, "-o", "bundle"];
    pull.iter().chain(more).copied().collect()
}

#[test]
fn clusters_of_several_stacks_are_collected_and_sealed() {
    let (scratch, recipient) = Scratch::with_plan();
    ceph_ansible(&scratch, "config-download/dcn0");
    cephadm(&scratch, "overcloud-deploy/dcn1/ceph_client.yml");
    // A file that has a monitor's address stays in clear: of a cluster only its keys are secret
    let hosts = format!(r#"{{"output_key": "HostsEntry", "output_value": ["{IP} c0"]}}"#);
    scratch.write("hosts.json", hosts, 0o600);
    let more = ["--ceph-stack", "dcn0", "--ceph-stack", "dcn1", "--from-file", "hosts.json"];
    let pulled = scratch.run(pull(&recipient, &more));
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    for (path, content) in scratch.files().iter().filter(|(path, _)| path.starts_with(scratch.join("bundle")))
    {
        let text = String::from_utf8_lossy(content);
        assert!(!text.contains(KEY) && !text.contains(OTHER), "{}", path.display());
    }
    assert!(scratch.join("bundle/extra-host-file-entries.json").exists());
    let opened = scratch.run(["decrypt", "ceph-external.yaml", "-b", "bundle", "-i", "identity.txt"]);
    let cluster = |name: &str, ips: &str, fsid: &str, key: &str| {
        format!(
            "  - ceph_conf_overrides:\n      client:\n        keyring: /etc/ceph/{name}.client.openstack.keyring\n    cluster: {name}\n    dashboard_enabled: false\n    external_cluster_mon_ips: {ips}\n    fsid: {fsid}\n    keys:\n    - name: client.openstack\n      key: {key}\n      mode: \"0600\"\n      caps:\n        mon: profile rbd\n"
        )
    };
    let expected = format!(
        "parameter_defaults:\n  CephExternalMultiConfig:\n{}{}",
        cluster(
            "dcn0",
            "172.16.11.61,172.16.11.62,172.16.11.63",
            "539e2b96-316e-4c23-b7df-035a3037ddd1",
            KEY
        ),
        cluster("dcn1", IP, "11111111-316e-4c23-b7df-035a3037ddd1", OTHER),
    );
    assert_eq!(opened.out, expected, "{}", opened.err);
    let manifest = std::fs::read_to_string(scratch.join("bundle/manifest.json")).unwrap();
    assert!(manifest.contains(r#""name": "CephExternalMultiConfig""#), "{manifest}");
}

#[test]
fn no_stack_is_given_the_cluster_of_another() {
    let (scratch, recipient) = Scratch::with_plan();
    // The control plane's own, whose directory of config-download a pull names for other reasons
    ceph_ansible(&scratch, "old/central");
    cephadm(&scratch, "overcloud-deploy/central/ceph_client.yml");
    scratch.write("overcloud-deploy/central/config-download/group_vars/overcloud.json", r#"{"a": 1}"#, 0o600);
    scratch.write("old/central/group_vars/overcloud.json", r#"{"a": 1}"#, 0o600);
    for directory in ["old/central", "overcloud-deploy/central/config-download"] {
        let more = ["--ceph-stack", "dcn0", "--config-download-dir", directory];
        let refused = scratch.run(pull(&recipient, &more));
        let none = "error: stack `dcn0` has left no files of a Ceph cluster here\n";
        assert_eq!((refused.code, refused.err.starts_with(none)), (1, true), "{}", refused.err);
        let pulled =
            scratch.run(pull(&recipient, &["--ceph-stack", "central", "--config-download-dir", directory]));
        assert_eq!(pulled.code, 0, "{}", pulled.err);
    }
    // Its own place is found beside a directory that is named for something else
    std::fs::create_dir_all(scratch.join("overcloud-deploy/dcn0")).unwrap();
    let text = std::fs::read_to_string(scratch.join("overcloud-deploy/central/ceph_client.yml")).unwrap();
    let other = text.replace("11111111", "22222222").replace("dcn1", "dcn0");
    scratch.write("overcloud-deploy/dcn0/ceph_client.yml", &other, 0o600);
    let more = ["--ceph-stack", "dcn0", "--config-download-dir", "old/central"];
    let pulled = scratch.run(pull(&recipient, &more));
    let note = scratch.filled("Ceph cluster of stack dcn0: {here}/overcloud-deploy/dcn0/ceph_client.yml\n");
    assert!(pulled.code == 0 && pulled.err.contains(&note), "{}", pulled.err);
    // The same file, or another with the same id
    std::fs::rename(scratch.join("overcloud-deploy/dcn0/ceph_client.yml"), scratch.join("ceph_client.yaml"))
        .unwrap();
    scratch.write("overcloud-deploy/dcn3/ceph_client.yml", &other, 0o600);
    for (one, two) in [("dcn0", "dcn2"), ("dcn0", "dcn3")] {
        let refused = scratch.run(pull(&recipient, &["--ceph-stack", one, "--ceph-stack", two]));
        let same = format!("error: stacks `{one}` and `{two}` have the same Ceph cluster here: ");
        assert_eq!((refused.code, refused.err.starts_with(&same)), (1, true), "{}", refused.err);
    }
}

#[test]
fn a_description_that_says_nothing_is_none() {
    for (said, silent) in [
        ("tripleo_ceph_client_fsid: 11111111-316e-4c23-b7df-035a3037ddd1", "tripleo_ceph_client_fsid:"),
        ("external_cluster_mon_ips: 172.16.12.61", "external_cluster_mon_ips: ''"),
        ("tripleo_ceph_client_cluster: dcn1", "tripleo_ceph_client_cluster: '******'"),
        (OTHER, "'******'"),
        (OTHER, "''"),
    ] {
        let (scratch, recipient) = Scratch::with_plan();
        let path = cephadm(&scratch, "overcloud-deploy/dcn1/ceph_client.yml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(said));
        std::fs::write(&path, text.replace(said, silent)).unwrap();
        let refused = scratch.run(pull(&recipient, &["--ceph-stack", "dcn1"]));
        assert_eq!(refused.code, 1, "{silent}: {}", refused.err);
        assert!(
            refused.err.contains(" does not say `") || refused.err.contains(" has no key for "),
            "{}",
            refused.err
        );
        assert!(!scratch.join("bundle").exists());
    }
}

#[test]
fn clusters_of_an_export_and_of_stacks_go_into_one_file() {
    let (scratch, recipient) = Scratch::with_plan();
    cephadm(&scratch, "overcloud-deploy/dcn1/ceph_client.yml");
    let export = format!(
        "parameter_defaults: {{CephExternalMultiConfig: [{{cluster: dcn9, keys: [{{key: {KEY}}}]}}]}}\n"
    );
    scratch.write("export.yaml", export, 0o600);
    let more = ["--from-file", "export.yaml", "--ceph-stack", "dcn1"];
    let pulled = scratch.run(pull(&recipient, &more));
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    let opened = scratch.run(["decrypt", "ceph-external.yaml", "-b", "bundle", "-i", "identity.txt"]);
    assert!(
        opened.out.contains("cluster: dcn9\n") && opened.out.contains("cluster: dcn1\n"),
        "{}",
        opened.out
    );
}

#[test]
fn another_client_can_be_named_and_the_vault_can_name_the_stacks() {
    let (scratch, recipient) = Scratch::with_plan();
    ceph_ansible(&scratch, "given/dcn0");
    scratch.write("dcn-vault.yaml", "version: 1\nsource: {ceph: {stacks: [dcn0], client: nobody}}\n", 0o644);
    let more = ["--cephx-key-client-name", "client.external", "--config-download-dir", "given"];
    let refused = scratch.run(pull(&recipient, &more[..2]));
    assert!(
        refused.err.starts_with(
            "error: stack `dcn0` has left no files of a Ceph cluster here\nhint: looked for {"
                .trim_end_matches('{')
        ),
        "{}",
        refused.err
    );
    // With files the same directory would have to have the nodes' data, too
    scratch.write("given/group_vars/overcloud.json", r#"{"a": 1}"#, 0o600);
    let pulled = scratch.run(pull(&recipient, &more));
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    let opened = scratch.run(["decrypt", "ceph-external.yaml", "-b", "bundle", "-i", "identity.txt"]);
    assert!(opened.out.contains("keyring: /etc/ceph/dcn0.client.external.keyring\n"), "{}", opened.out);
    assert!(opened.out.contains(OTHER) && !opened.out.contains(KEY), "{}", opened.out);
}

#[test]
fn what_is_missing_is_named_and_nothing_is_written() {
    let (scratch, recipient) = Scratch::with_plan();
    ceph_ansible(&scratch, "config-download/dcn0");
    let no_key = "error: the Ceph cluster of stack `dcn0` has no key for `client.cinder`\nhint: name one with --cephx-key-client-name; it has openstack, external\n";
    scratch
        .refuses(&pull(&recipient, &["--ceph-stack", "dcn0", "--cephx-key-client-name", "cinder"]), no_key);
    std::fs::remove_file(scratch.join("config-download/dcn0/global_vars.yaml")).unwrap();
    let silent = "error: `{here}/config-download/dcn0/global_vars.yaml` does not say `ceph_mon_network`\nhint: is the deployment done? Both ceph-ansible and cephadm write it at their end\n";
    scratch.refuses(&pull(&recipient, &["--ceph-stack", "dcn0"]), silent);
}
