//! `dcn-vault.yaml`: what is wrong is said by place and by what to write, before anything is done; what is right is obeyed.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test may panic, and starts programs")]

mod program;

use std::os::unix::fs::PermissionsExt;

use program::Scratch;

/// An export with an endpoint map, and a `GlobalConfig` that says of the bus what `tls` is.
fn export(tls: bool) -> String {
    format!(
        "parameter_defaults:
  EndpointMapOverride: {{KeystonePublic: {{port: '13000'}}}}
  GlobalConfigExtraMapData: {{oslo_messaging_rpc_use_ssl: {tls}, oslo_messaging_notify_use_ssl: {tls}}}
  NovaPassword: not-a-real-secret
"
    )
}

#[test]
fn a_vault_of_somebody_else_above_us_is_not_taken_for_ours() {
    let (scratch, _) = Scratch::with_plan();
    let file = scratch.join("dcn-vault.yaml");
    scratch.write("dcn-vault.yaml", "version: 1\n", 0o644);
    std::fs::create_dir(scratch.join("work")).unwrap();
    assert_eq!(scratch.run(["-C", "work", "site", "list"]).code, 0);
    // Only root can make a file another user's
    if std::os::unix::fs::chown(&file, Some(65534), None).is_err() {
        return;
    }
    let err = "error: `{here}` has a vault file, which belongs to another user\nhint: if it is meant, say so: -C {here}\n";
    scratch.refuses(&["-C", "work", "pull", "--from-file", "plan.yaml"], err);
    let here = scratch.path().to_str().unwrap();
    assert_eq!(scratch.run(["-C", here, "site", "list"]).code, 0);
    // In a directory of that same user it is no surprise
    std::os::unix::fs::chown(scratch.join("work"), Some(65534), None).unwrap();
    assert_eq!(scratch.run(["-C", "work", "site", "list"]).code, 0);
}

#[test]
fn what_is_wrong_is_said_by_every_verb_that_reads_the_file() {
    let (scratch, recipient) = Scratch::with_plan();
    let before = "version: 1\nsites:\n  edge1: {}\n";
    for (text, err) in [
        (
            "  edge2: {secret: [hunter2]}\n",
            "4:11: no setting of `sites.edge2`\nhint: did you mean `secrets`?\n",
        ),
        (
            "  edge2: {secrets: hunter2}\n",
            "4:20: `sites.edge2.secrets` should be a list of texts\nhint: write it in brackets, such as [Nova*, Ceph*]\n",
        ),
        ("  edge1: {}\n", "4:3: `sites.edge1` is there twice\nhint: leave one of them\n"),
        (
            "bundle: {not_after: hunter2}\n",
            "4:21: `bundle.not_after` should be a span of time\nhint: write days, weeks or hours, such as 90d, 12w or 36h\n",
        ),
        (
            "passwords: {Nova: hunter2}\n",
            "4:1: no setting of this version\nhint: it takes version, source, sites, bundle\n",
        ),
    ] {
        scratch.write("dcn-vault.yaml", format!("{before}{text}"), 0o644);
        let err = format!("error: `{{here}}/dcn-vault.yaml`:{err}");
        for words in [
            &["pull", "--from-file", "plan.yaml", "-r", &recipient][..],
            &["show"],
            &["check"],
            &["site", "list"],
            &["site", "add", "edge3", &recipient],
        ] {
            scratch.refuses(words, &err);
        }
    }
    scratch.write("dcn-vault.yaml", "", 0o644);
    let err =
        "error: `{here}/dcn-vault.yaml`:1:1: there is nothing in it\nhint: begin it with `version: 1`\n";
    scratch.refuses(&["site", "list"], err);
}

#[test]
fn who_wants_the_file_for_the_bus_gets_it_for_the_roles_that_he_names() {
    let (scratch, recipient) = Scratch::with_plan();
    let off = "oslo_messaging_notify_use_ssl: false\n    oslo_messaging_rpc_use_ssl: false\n";
    for (tls, settings, expected) in [
        (false, "{}", Some(format!("parameter_defaults:\n  ComputeExtraConfig:\n    {off}"))),
        (true, "{}", None),
        (true, "{when: auto}", None),
        (false, "{when: never}", None),
        (
            true,
            "{when: always, roles: [Compute, Edge]}",
            Some(format!(
                "parameter_defaults:\n  ComputeExtraConfig:\n    {off}  EdgeExtraConfig:\n    {off}"
            )),
        ),
    ] {
        scratch.write("export.yaml", export(tls), 0o600);
        let text = format!("version: 1\nsource: {{oslo_messaging: {settings}}}\n");
        scratch.write("dcn-vault.yaml", text, 0o644);
        let pulled = scratch.run(["pull", "--from-file", "export.yaml", "-r", &recipient, "-o", "bundle"]);
        assert_eq!(pulled.code, 0, "{}", pulled.err);
        let written = std::fs::read_to_string(scratch.join("bundle/oslo-messaging.yaml")).ok();
        assert_eq!(written, expected, "{tls} {settings}");
    }
}

#[test]
fn an_edit_keeps_the_mode_and_leaves_nothing_beside_the_file() {
    let (scratch, recipient) = Scratch::with_plan();
    let path = scratch.write("dcn-vault.yaml", "version: 1 # ours\n", 0o640);
    let added = scratch.run(["site", "add", "edge1", &recipient, "--secrets", "Nova*"]);
    assert_eq!(added.code, 0, "{}", added.err);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o640);
    let text = "version: 1 # ours\nsites:\n  edge1: {secrets: [Nova*]}\n";
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
    assert_eq!(scratch.names(), ["dcn-vault.yaml", "identity.txt", "keys", "plan.yaml"]);
}
