//! Who gets what.

use std::os::unix::fs::PermissionsExt;

use jiff::{Timestamp, ToSpan};

use crate::program::refusal::assert_refused;
use crate::program::{Scratch, said};
use crate::service::{Service, audited, serve, with_policy};

fn rule(text: &str) -> String {
    format!("version: 1\nrules:\n- {{user: '*', {text}}}\n")
}

const NO_RULE: &str = "no rule of the policy allows this";

#[test]
fn what_no_rule_allows_is_refused_whatever_the_bundle_has() {
    let scratch = with_policy(&rule("allow: [Nova*]"));
    let service = Service::start(&scratch);
    assert_eq!(service.get("NovaPassword").value(), "not-a-real-secret");
    for path in
        ["RpcPassword", "NoSuchParameter", "/parameter_defaults/RpcPassword", "/parameter_defaults", "/"]
    {
        assert_eq!(service.get(path).refusal(), NO_RULE, "{path}");
    }
    assert_eq!(service.answer(r#"{"version":1,"file":"passwords.yaml"}"#).refusal(), NO_RULE);
    let audited = audited(&scratch);
    assert_eq!(audited[1].2, format!("RpcPassword: {NO_RULE}"));
    assert_eq!(audited.len(), 7);
}

#[test]
fn a_policy_without_rules_allows_nothing() {
    let scratch = with_policy("version: 1\n");
    let service = Service::start(&scratch);
    assert_eq!(service.get("NovaPassword").refusal(), NO_RULE);
}

#[test]
fn a_name_with_a_dot_is_not_a_way_around_a_rule() {
    let scratch = Scratch::new();
    let (_, recipient) = scratch.keygen("identity.txt");
    let plan = "passwords: {Nova: {Extra: of-nova, Own: its-own}, Nova.Extra: of-another}\n";
    scratch.write("plan.yaml", plan, 0o600);
    assert_eq!(scratch.run(["pull", "--from-file", "plan.yaml", "-r", &recipient, "-o", "bundle"]).code, 0);
    scratch.write("serve.yaml", rule("allow: [Nova]"), 0o600);
    let service = Service::start(&scratch);
    assert_eq!(service.get("Nova.Own").value(), "its-own");
    // The bundle has a parameter of this name, which the rule does not have
    assert_eq!(service.get("Nova.Extra").refusal(), NO_RULE);
    assert_eq!(service.get("/parameter_defaults/Nova/Extra").value(), "of-nova");
}

#[test]
fn a_rule_of_another_file_does_not_stand_in_the_way() {
    let policy =
        "version: 1\nrules:\n- {user: '*', allow: [endpoint-map.json]}\n- {user: '*', allow: [Nova*]}\n";
    let scratch = with_policy(policy);
    let service = Service::start(&scratch);
    assert_eq!(service.get("NovaPassword").value(), "not-a-real-secret");
    assert_eq!(service.get("RpcPassword").refusal(), NO_RULE);
}

#[test]
fn a_rate_is_kept_and_the_hours_of_the_day_too() {
    let at = |hours: i64| {
        let time = Timestamp::now() + hours.hours();
        time.strftime("%H:%M").to_string()
    };
    let (now, later) = (format!("{}-{}", at(-1), at(1)), format!("{}-{}", at(2), at(3)));
    let policy = format!(
        "version: 1\nrules:\n- {{user: '*', allow: [NovaPassword], rate: 2/1h, hours: '{now}'}}\n\
         - {{user: '*', allow: [RpcPassword], hours: '{later}'}}\n"
    );
    let scratch = with_policy(&policy);
    let service = Service::start(&scratch);
    for _ in 0..2 {
        assert_eq!(service.get("NovaPassword").value(), "not-a-real-secret");
    }
    let refused = service.get("NovaPassword");
    assert!(refused.refusal().starts_with("asked too often: again in 3"), "{refused:?}");
    assert_eq!(service.get("RpcPassword").refusal(), "not at this time of the day");
}

#[test]
fn a_rule_is_for_its_user_its_group_and_its_unit() {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    for (who, is_ours) in [
        (format!("uid: {uid}"), true),
        (format!("uid: {}", uid + 1), false),
        (format!("gid: {gid}"), true),
        (format!("gid: {}", gid + 4242), false),
        (format!("uid: {uid}, gid: {}", gid + 4242), false),
        (String::from("user: '*', unit: edge-deploy.service"), false),
    ] {
        let scratch = with_policy(&format!("version: 1\nrules:\n- {{{who}, allow: ['*']}}\n"));
        let service = Service::start(&scratch);
        let answer = service.get("NovaPassword");
        if is_ours {
            assert_eq!(answer.value(), "not-a-real-secret", "{who}");
        } else {
            assert_eq!(answer.refusal(), NO_RULE, "{who}");
        }
    }
}

#[test]
fn a_policy_that_is_wrong_is_said_before_anything_is_served() {
    for (text, err) in [
        ("", "there is nothing in it\nhint: begin it with `version: 1`, then `rules:`"),
        ("rules: []\n", "`version: 1` is missing\nhint: begin it with `version: 1`, then `rules:`"),
        ("version: 1\nrulse: []\n", "no setting of a policy\nhint: did you mean `rules`?"),
        (
            "version: 1\nrules: [\n",
            "not YAML at 3:1, or a key is there twice\nhint: look at the line: its indent, its colons, its brackets; a name that begins with `*` is in quotes",
        ),
        (
            "version: 1\nrules: [{user: root, allow: [*]}]\n",
            "not YAML at 2:31, or a key is there twice\nhint: look at the line: its indent, its colons, its brackets; a name that begins with `*` is in quotes",
        ),
        (
            "version: 1\nrules: [{user: root, alow: [X]}]\n",
            "no setting of `rules[0]`\nhint: did you mean `allow`?",
        ),
        (
            "version: 1\nrules: [{allow: [X]}]\n",
            "`rules[0]` does not say for whom it is\nhint: name a `user`, a `group` or a `unit`; `user: \"*\"` is everybody",
        ),
        (
            "version: 1\nrules: [{user: root}]\n",
            "`rules[0]` allows nothing\nhint: add `allow: [Nova*, passwords.yaml]`, or `credentials:`",
        ),
        (
            "version: 1\nrules: [{user: root, uid: 0, allow: [X]}]\n",
            "`rules[0]` has both `uid` and `user`\nhint: leave one of them",
        ),
        (
            "version: 1\nrules: [{user: no-such-user, allow: [X]}]\n",
            "`rules[0].user` is no user of this host\nhint: `getent passwd` lists them; or write `uid:`",
        ),
        (
            "version: 1\nrules: [{user: root, allow: X}]\n",
            "`rules[0].allow` should be a list of names\nhint: write it in brackets, such as [Nova*, passwords.yaml]",
        ),
        (
            "version: 1\nrules: [{user: root, allow: [pasword.yaml]}]\n",
            "`rules[0].allow` is not a file of a bundle\nhint: did you mean `passwords.yaml`?",
        ),
        (
            "version: 1\nrules: [{user: root, allow: [X], rate: fast}]\n",
            "`rules[0].rate` should be a rate\nhint: write how many within how long, up to 1000/24h, such as 10/1m",
        ),
        (
            "version: 1\nrules: [{user: root, allow: [X], hours: 8-9}]\n",
            "`rules[0].hours` should be a part of the day\nhint: write it in UTC, such as 22:00-06:00",
        ),
        (
            "version: 1\nlimits: {workers: 0}\n",
            "`limits.workers` should be a number from 1 to 65536 (256 workers)\nhint: write it without quotes, such as 4",
        ),
    ] {
        let scratch = with_policy(text);
        let refused = said(&mut serve(&scratch));
        assert_refused(&refused, 1, &format!("error: `serve.yaml`: {err}\n"));
        assert!(!scratch.join("socket").exists() && !scratch.join("audit.log").exists());
    }
}

#[test]
fn a_policy_that_others_can_write_is_none() {
    let scratch = with_policy(&rule("allow: ['*']"));
    std::fs::set_permissions(scratch.join("serve.yaml"), std::fs::Permissions::from_mode(0o622)).unwrap();
    let err = "error: `serve.yaml` can be written by others: its mode is 0622\nhint: chmod go-w serve.yaml\n";
    assert_refused(&said(&mut serve(&scratch)), 1, err);
}
