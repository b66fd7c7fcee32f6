//! `pull` against the loopback cloud: the good way.

#![allow(clippy::disallowed_methods, reason = "a test reads what the program wrote")]

mod cloud;
mod program;

use cloud::{Cloud, Contents};
use program::{Scratch, occurring, said};

#[test]
fn a_pull_leaves_secrets_only_in_sealed_files_and_revokes_its_token() {
    let cloud = Cloud::start(Contents::made_up());
    let scratch = Scratch::new();
    let (_, recipient) = scratch.keygen("identity.txt");
    let pulled =
        said(scratch.program().envs(cloud.os_variables()).args(["pull", "-r", &recipient, "-o", "bundle"]));
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    assert_eq!(pulled.out, "");
    for (path, content) in scratch.files() {
        assert_eq!(occurring(&cloud.secrets(), &content), Vec::<&String>::new(), "{}", path.display());
    }
    assert_eq!(occurring(&cloud.secrets(), pulled.err.as_bytes()), Vec::<&String>::new());
    assert_eq!(cloud.tokens_alive(), 0);
    assert!(!cloud.token_was_sent_elsewhere());
}

#[test]
fn from_train_on_all_nodes_data_comes_from_config_downloads_directory_whichever_its_layout() {
    let mut contents = Contents::made_up();
    contents.outputs.retain(|(name, _)| name != "AllNodesConfig");
    let cloud = Cloud::start(contents);
    let scratch = Scratch::new();
    let (_, recipient) = scratch.keygen("identity.txt");
    let all_nodes = r#"{"keystone_enabled": true, "redis_vip": "172.16.2.11"}"#;
    scratch.write("train/group_vars/overcloud.json", all_nodes, 0o600);
    scratch.write("victoria/overcloud/group_vars/overcloud.json", all_nodes, 0o600);
    let old = scratch.join("old/group_vars/overcloud.json");
    scratch.write("old/group_vars/overcloud.json", all_nodes, 0o600);
    std::fs::File::options().write(true).open(&old).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    let arguments = ["pull", "-r", &recipient, "-o", "old-bundle", "--config-download-dir", "old"];
    let pulled = said(scratch.program().envs(cloud.os_variables()).args(arguments));
    let words = "warning: old/group_vars/overcloud.json is older than the stack's last change: a site would get the nodes of before. Let the deployment end, and pull again\n";
    assert!(pulled.code == 0 && pulled.err.contains(words), "{}", pulled.err);
    for directory in ["train", "victoria"] {
        let output = format!("{directory}-bundle");
        let arguments = ["pull", "-r", &recipient, "-o", &output, "--config-download-dir", directory];
        let pulled = said(scratch.program().envs(cloud.os_variables()).args(arguments));
        assert_eq!(pulled.code, 0, "{}", pulled.err);
        assert!(!pulled.err.contains("older"), "{}", pulled.err);
        let written =
            std::fs::read_to_string(scratch.join(&output).join("all-nodes-extra-map-data.json")).unwrap();
        let expected = "{\n  \"parameter_defaults\": {\n    \"AllNodesExtraMapData\": {\n      \"keystone_enabled\": true,\n      \"redis_vip\": \"172.16.2.11\"\n    }\n  }\n}\n";
        assert_eq!(written, expected);
    }
}
