//! `pull --list`: what can be seen, and the command for each.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

mod cloud;
mod program;

use cloud::{Cloud, Contents, Fault, Place};
use program::refusal::{IN_CLEAR, assert_refused_over_http};
use program::{Said, Scratch, occurring, said};

#[test]
fn a_listing_has_a_command_for_each_stack_and_plan_and_leaves_no_token() {
    let cloud = Cloud::start(Contents::made_up());
    let listed = list(&cloud, &Scratch::new(), &[]);
    let expected = "NAME       STACK            PLAN  COMMAND\n\
                    overcloud  UPDATE_COMPLETE  yes   dcn-vault pull --stack overcloud\n\
                    lonely     none             yes   dcn-vault pull --stack STACK --plan lonely\n";
    assert_eq!((listed.code, listed.out.as_str()), (0, expected), "{}", listed.err);
    assert_eq!(listed.err, format!("{IN_CLEAR}Keystone\n{IN_CLEAR}Heat, Swift\n"));
    assert_eq!(cloud.tokens_alive(), 0);
}

#[test]
fn a_service_that_shows_nothing_is_named_and_the_rest_is_listed() {
    let refusal = |service: &str| format!("{service} refuses this: the user's role is not enough (403)");
    let rows = [
        (
            Fault::forbidden(Place::Swift),
            format!(
                "NAME       STACK            PLAN  COMMAND\n\
                 overcloud  UPDATE_COMPLETE  ?     dcn-vault pull --stack overcloud\n\
                 \nplans cannot be seen: {}\n",
                refusal("Swift")
            ),
        ),
        (
            Fault::forbidden(Place::Heat),
            format!(
                "NAME       STACK  PLAN  COMMAND\n\
                 lonely     ?      yes   dcn-vault pull --stack STACK --plan lonely\n\
                 overcloud  ?      yes   dcn-vault pull --stack STACK --plan overcloud\n\
                 \nstacks cannot be seen: {}\n",
                refusal("Heat")
            ),
        ),
        (
            Fault::NoSwift,
            String::from(
                "NAME       STACK            PLAN  COMMAND\n\
                 overcloud  UPDATE_COMPLETE  no    dcn-vault pull --stack overcloud\n",
            ),
        ),
    ];
    for (fault, expected) in rows {
        let cloud = Cloud::start(Contents::made_up());
        cloud.fault(fault);
        let listed = list(&cloud, &Scratch::new(), &[]);
        assert_eq!((listed.code, listed.out), (0, expected), "{}", listed.err);
        assert_eq!(cloud.tokens_alive(), 0);
    }
}

#[test]
fn working_directories_are_listed_beside_the_cloud_and_without_one() {
    let scratch = Scratch::new();
    scratch.write("overcloud-deploy/central/central-passwords.yaml", "parameter_defaults: {}\n", 0o600);
    scratch.write("overcloud-deploy/other/notes.txt", "", 0o600);
    let path = scratch.filled("{here}/overcloud-deploy/central");
    let width = path.len();
    let directories = format!(
        "STACK    {:width$}  COMMAND\ncentral  {path}  dcn-vault pull --working-dir {path} --stack central\n",
        "WORKING DIRECTORY"
    );
    let alone = scratch.run(["pull", "--list"]);
    assert_eq!((alone.code, alone.out.as_str()), (0, directories.as_str()), "{}", alone.err);
    let cloud = Cloud::start(Contents::made_up());
    let beside = list(&cloud, &scratch, &[]);
    assert!(beside.out.ends_with(&format!("\n\n{directories}")), "{}", beside.out);
    // As from Wallaby on: no Heat, and none is needed
    cloud.fault(Fault::NoSwift);
    cloud.fault(Fault::NoHeat);
    let unlisted = list(&cloud, &scratch, &[]);
    let why = "the cloud cannot be seen: the catalog has no Heat\n";
    assert_eq!((unlisted.code, unlisted.out), (0, format!("{why}\n{directories}")), "{}", unlisted.err);
    let shown: serde_json::Value = serde_json::from_str(&list(&cloud, &scratch, &["--json"]).out).unwrap();
    assert_eq!(shown["working_dirs"][0]["stack"], "central");
    assert_eq!(shown["cannot_be_seen"][0]["what"], "cloud");
}

#[test]
fn a_cloud_that_shows_nothing_at_all_is_an_error() {
    let cloud = Cloud::start(Contents::made_up());
    cloud.fault(Fault::forbidden(Place::Swift));
    cloud.fault(Fault::forbidden(Place::Heat));
    let err = "error: Heat refuses this: the user's role is not enough (403)\n\
               hint: log in as a user with a member's or an admin's role\n";
    assert_refused_over_http(&list(&cloud, &Scratch::new(), &[]), 1, err);
    assert_eq!(cloud.tokens_alive(), 0);
}

#[test]
fn pages_are_turned_to_the_last_one() {
    let cloud = Cloud::start(Contents::made_up());
    cloud.fault(Fault::Many(1200));
    let listed = list(&cloud, &Scratch::new(), &[]);
    assert_eq!(listed.code, 0, "{}", listed.err);
    let commands = listed
        .out
        .lines()
        .filter(|line| line.contains("  CREATE_COMPLETE  yes   dcn-vault pull --stack many-"));
    assert_eq!((commands.count(), listed.out.lines().count()), (1200, 1203));
}

#[test]
fn who_names_no_cloud_learns_which_there_are() {
    let cloud = Cloud::start(Contents::made_up());
    let scratch = Scratch::new();
    let quoted = "  it's:\n    auth: {password: not-a-real-secret}\n";
    scratch.write("clouds.yaml", cloud.clouds_yaml() + quoted, 0o600);
    let clouds = "CLOUD       COMMAND\n\
                  it's        dcn-vault pull --list --os-cloud 'it'\\''s'\n\
                  undercloud  dcn-vault pull --list --os-cloud undercloud\n";
    let listed = scratch.run(["pull", "--list"]);
    assert_eq!((listed.code, listed.out.as_str(), listed.err.as_str()), (0, clouds, ""));
    let stacks = "NAME       STACK            PLAN  COMMAND\n\
                  overcloud  UPDATE_COMPLETE  yes   dcn-vault pull --stack overcloud\n\
                  lonely     none             yes   dcn-vault pull --stack STACK --plan lonely\n";
    assert_eq!(list(&cloud, &scratch, &[]).out, format!("{clouds}\n{stacks}"));
    let named = scratch.run(["pull", "--list", "--os-cloud", "undercloud"]);
    let stacks = stacks.replace("dcn-vault pull ", "dcn-vault pull --os-cloud undercloud ");
    assert_eq!((named.code, named.out), (0, stacks), "{}", named.err);
}

#[test]
fn a_listing_that_ends_before_the_cloud_does_says_so() {
    for (count, is_cut) in [(10_001, true), (600, false)] {
        let cloud = Cloud::start(Contents::made_up());
        cloud.fault(Fault::Many(count));
        cloud.fault(Fault::forbidden(Place::Swift));
        let listed = list(&cloud, &Scratch::new(), &[]);
        let words = "warning: there is more than a listing shows: it ends at 10000 names\n";
        assert_eq!((listed.code, listed.err.contains(words)), (0, is_cut), "{}", listed.err);
    }
}

#[test]
fn a_listing_for_programs_has_the_same_and_no_secret() {
    let cloud = Cloud::start(Contents::made_up());
    cloud.fault(Fault::forbidden(Place::Swift));
    let scratch = Scratch::new();
    scratch.write("clouds.yaml", cloud.clouds_yaml(), 0o600);
    let listed = list(&cloud, &scratch, &["--json"]);
    let expected = serde_json::json!({
        "working_dirs": [],
        "clouds": [{ "name": "undercloud", "command": "dcn-vault pull --list --os-cloud undercloud" }],
        "stacks_and_plans": [{
            "name": "overcloud", "stack": "UPDATE_COMPLETE", "plan": null,
            "command": "dcn-vault pull --stack overcloud",
        }],
        "cannot_be_seen": [{ "what": "plans", "why": "Swift refuses this: the user's role is not enough (403)" }],
    });
    let found: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
    assert_eq!((listed.code, found), (0, expected), "{}", listed.err);
    assert_eq!(occurring(&cloud.secrets(), listed.out.as_bytes()), Vec::<&String>::new());
}

fn list(cloud: &Cloud, scratch: &Scratch, more: &[&str]) -> Said {
    said(scratch.program().envs(cloud.os_variables()).args(["pull", "--list"]).args(more))
}
