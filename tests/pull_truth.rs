//! What a pull takes for the truth: where several places set a parameter, where one is missing, where the plan moves.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod cloud;
mod program;

use cloud::{Cloud, Contents, Fault};
use program::refusal::after_the_way;
use program::{Said, Scratch, said};

#[test]
fn a_generated_password_beats_an_environment_file_and_the_users_setting_beats_both() {
    let mut contents = Contents::made_up();
    let listed = "parameter_defaults: {NovaPassword: lost, NeutronPassword: lost, OctaviaCaKey: only-here, NtpServer: x}\n";
    contents.objects = vec![("user-environment.yaml".to_owned(), listed.as_bytes().to_vec())];
    let (nova, neutron) =
        (contents.passwords["NovaPassword"].clone(), contents.parameter_defaults["NeutronPassword"].clone());
    let cloud = Cloud::start(contents);
    let (passwords, _) = pull(&cloud, &[]);
    assert!(passwords.contains(&format!("\n  NovaPassword: {}\n", nova.as_str().unwrap())));
    assert!(passwords.contains(neutron.as_str().unwrap()));
    assert!(passwords.contains("\n  OctaviaCaKey: only-here\n"));
    assert!(!passwords.contains("lost") && !passwords.contains("NtpServer"));
}

#[test]
fn a_plan_that_lists_files_without_end_is_left_at_the_first_too_many() {
    for (count, size) in [(257, 0), (5, 4 * 1024 * 1024)] {
        let mut contents = Contents::made_up();
        let listed: Vec<String> =
            (0..count).map(|number| format!("- path: user-files/{number}.yaml")).collect();
        let listed = listed.join("\n");
        let plan = String::from_utf8(contents.plan_bytes).unwrap();
        contents.plan_bytes =
            format!("{}\nenvironments:\n{listed}\n", plan.replace("environments:", "others:")).into_bytes();
        // Blanks: an environment file that sets nothing
        let file = |number| (format!("user-files/{number}.yaml"), vec![b'\n'; size]);
        contents.objects = (0..count).map(file).collect();
        let cloud = Cloud::start(contents);
        let refused = try_pull(&cloud, &Scratch::new(), &[]);
        let err = "error: plan `overcloud` lists more environment files than 256, or more of them than 16 MiB\nhint: this is no plan of TripleO; look at its `environments`: openstack object list overcloud\n";
        assert!(refused.code == 1 && refused.err.ends_with(err), "{}", refused.err);
        let asked = cloud.requests().iter().filter(|request| request.contains("user-files")).count();
        assert!(asked <= 256, "{asked}");
        assert_eq!(cloud.tokens_alive(), 0);
    }
}

#[test]
fn a_plan_that_changes_once_is_read_again_and_with_it_the_outputs() {
    let cloud = Cloud::start(Contents::made_up());
    cloud.fault(Fault::PlanChanges(1));
    pull(&cloud, &[]);
    let asked = |what: &str| cloud.requests().iter().filter(|request| request.contains(what)).count();
    assert_eq!(
        (asked("GET /object-store/v1/"), asked("HEAD /object-store/v1/")),
        (4, 2),
        "{:?}",
        cloud.requests()
    );
    assert_eq!(asked("/outputs/GlobalConfig"), 2);
}

#[test]
fn without_swift_the_passwords_come_from_the_stacks_environment() {
    let contents = Contents::made_up();
    let neutron = contents.parameter_defaults["NeutronPassword"].clone();
    let redis = contents.passwords["RedisPassword"].clone();
    let cloud = Cloud::start(contents);
    cloud.fault(Fault::NoSwift);
    let (passwords, _) = pull(&cloud, &[]);
    for value in [neutron, redis] {
        assert!(passwords.contains(value.as_str().unwrap()));
    }
    assert!(!passwords.contains("ControllerCount"));
}

#[test]
fn what_a_release_does_not_have_is_named_with_the_way_to_do_without() {
    for (missing, release, hint) in [
        (
            "GlobalConfig",
            "rocky",
            "it is there from Stein on, and before it nowhere: --allow-incomplete does without; else name the control plane's stack with --stack",
        ),
        (
            "AllNodesConfig",
            "stein",
            "Rocky and Stein have it: leave --release out, or name the stack's own; --allow-incomplete does without",
        ),
    ] {
        let mut contents = Contents::made_up();
        contents.outputs.retain(|(name, _)| name != missing);
        let cloud = Cloud::start(contents);
        let scratch = Scratch::new();
        let refused = try_pull(&cloud, &scratch, &["--release", release]);
        let words = format!("error: stack `overcloud` has no output `{missing}`\nhint: {hint}\n");
        assert_eq!((refused.code, after_the_way(&refused.err)), (1, words.as_str()));
        let (_, pulled) = pull(&cloud, &["--release", release, "--allow-incomplete"]);
        // Whether the bus has TLS is what GlobalConfig says: without it no file turns TLS off
        assert_eq!(pulled.out.contains("oslo-messaging.yaml"), missing != "GlobalConfig", "{}", pulled.out);
    }
}

#[test]
fn without_the_nodes_data_a_stack_is_still_one_of_train_or_later() {
    let mut contents = Contents::made_up();
    contents.outputs.retain(|(name, _)| name != "AllNodesConfig");
    let cloud = Cloud::start(contents);
    let (_, pulled) = pull(&cloud, &["--allow-incomplete"]);
    assert!(pulled.err.contains("release: train to victoria\n"), "{}", pulled.err);
    assert!(pulled.out.contains("export-settings.yaml"), "{}", pulled.out);
}

#[test]
fn a_mask_in_the_stacks_environment_is_no_password() {
    let mut contents = Contents::made_up();
    contents.passwords["RedisPassword"] = "******".into();
    let cloud = Cloud::start(contents);
    cloud.fault(Fault::NoSwift);
    let scratch = Scratch::new();
    let refused = try_pull(&cloud, &scratch, &[]);
    let error = "error: the environment of stack `overcloud`: `RedisPassword` holds `******`, which is Heat's mask and no value\n";
    assert_eq!(refused.code, 1);
    assert!(after_the_way(&refused.err).starts_with(error), "{}", refused.err);
}

#[test]
fn what_an_incomplete_stack_lacks_is_named_and_left_out_when_that_is_allowed() {
    let faults: [(Fault, &str, &[&str]); 3] = [
        (
            Fault::StackStatus("UPDATE_FAILED".to_owned()),
            "stack `overcloud` has failed: its status is UPDATE_FAILED",
            &[],
        ),
        (
            Fault::NullOutput("EndpointMap".to_owned()),
            "output `EndpointMap` of stack `overcloud` is null",
            &["endpoint-map.json"],
        ),
        (
            Fault::OutputError("HostsEntry".to_owned(), "x".to_owned()),
            "Heat could not resolve output `HostsEntry` of stack `overcloud`",
            &["extra-host-file-entries.json"],
        ),
    ];
    for (fault, what, left_out) in faults {
        let cloud = Cloud::start(Contents::made_up());
        cloud.fault(fault);
        let scratch = Scratch::new();
        assert_eq!(try_pull(&cloud, &scratch, &[]).code, 1);
        let (_, pulled) = pull(&cloud, &["--allow-incomplete"]);
        assert!(
            pulled.err.contains(&format!("warning: incomplete, as you allow it: {what}\n")),
            "{}",
            pulled.err
        );
        let wrote = pulled.out.lines().map(str::to_owned).collect::<Vec<_>>();
        for name in ["endpoint-map.json", "extra-host-file-entries.json"] {
            assert_eq!(!left_out.contains(&name), wrote.contains(&name.to_owned()), "{name}: {wrote:?}");
        }
    }
}

/// The passwords that a pull seals, and what it said; on standard output the names of the bundle's files.
fn pull(cloud: &Cloud, more: &[&str]) -> (String, Said) {
    let scratch = Scratch::new();
    let mut pulled = try_pull(cloud, &scratch, more);
    assert_eq!(pulled.code, 0, "{}", pulled.err);
    assert_eq!(cloud.tokens_alive(), 0);
    let mut names: Vec<String> = std::fs::read_dir(scratch.join("bundle"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    pulled.out = names.join("\n");
    let passwords = scratch.run(["decrypt", "-b", "bundle", "-i", "identity.txt"]);
    assert_eq!(passwords.code, 0, "{}", passwords.err);
    (passwords.out, pulled)
}

fn try_pull(cloud: &Cloud, scratch: &Scratch, more: &[&str]) -> Said {
    let (_, recipient) = scratch.keygen("identity.txt");
    let pull = ["pull", "-r", &recipient, "-o", "bundle"];
    said(scratch.program().envs(cloud.os_variables()).args(pull).args(more))
}
