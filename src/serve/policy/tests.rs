use jiff::Timestamp;
use std::time::Instant;

use super::*;

fn peer() -> Peer {
    Peer { uid: 1000, gid: 1000, groups: vec![1000, 36], pid: 7, unit: None, credential: None }
}

fn granted(policy: &str, peer: &Peer, asked: &str) -> Result<Granted, Refusal> {
    let mut policy = Policy::parse(policy.as_bytes()).unwrap();
    let asked = Asked::named(asked).unwrap();
    policy.judge(peer, Wish::Request(&asked), Timestamp::UNIX_EPOCH, Instant::now())
}

fn credential(policy: &str, unit: &str, id: &str) -> Option<Asked> {
    let peer = Peer { uid: 0, unit: Some(unit.to_owned()), ..peer() };
    let mut policy = Policy::parse(policy.as_bytes()).unwrap();
    policy
        .judge(&peer, Wish::Credential(id), Timestamp::UNIX_EPOCH, Instant::now())
        .ok()
        .map(|granted| granted.asked)
}

#[test]
fn all_that_a_rule_says_of_a_client_must_hold() {
    let in_unit = Peer { unit: Some(String::from("edge-1.service")), ..peer() };
    for (who, alone, unit) in [
        ("uid: 1000", true, true),
        ("uid: 1001", false, false),
        ("gid: 36", true, true),
        ("gid: 37", false, false),
        ("unit: edge-*.service", false, true),
        ("unit: edge-*.service, uid: 1001", false, false),
        ("unit: edge-*.service, gid: 36", false, true),
        ("user: '*'", true, true),
    ] {
        let policy = format!("version: 1\nrules: [{{{who}, allow: [Nova*]}}]\n");
        let is_granted = |peer: &Peer| granted(&policy, peer, "NovaPassword").is_ok();
        assert_eq!((is_granted(&peer()), is_granted(&in_unit)), (alone, unit), "{who}");
    }
}

#[test]
fn what_is_granted_covers_what_it_turns_out_to_be_or_not() {
    let policy = "version: 1\nrules: [{uid: 1000, allow: [Nova, passwords.yaml]}]\n";
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let value = granted(policy, &peer(), "Nova.x").unwrap();
    assert!(value.covers(EnvironmentFile::EndpointMap, &names(&["Nova"])));
    assert!(!value.covers(EnvironmentFile::EndpointMap, &names(&["Nova.x"])));
    assert!(!value.covers(EnvironmentFile::EndpointMap, &names(&["Nova", "Nova.x"])));
    assert!(!value.covers(EnvironmentFile::EndpointMap, &[]));
    // Who gets the file gets each value in it
    assert!(value.covers(EnvironmentFile::Passwords, &names(&["Rpc"])));
    let file = granted(policy, &peer(), "passwords.yaml").unwrap();
    assert!(file.covers(EnvironmentFile::Passwords, &names(&["Rpc"])));
    assert!(!file.covers(EnvironmentFile::EndpointMap, &names(&["Nova"])));
    assert_eq!(granted(policy, &peer(), "endpoint-map.json").unwrap_err(), Refusal::NoRule);
}

#[test]
fn a_credential_is_what_its_rule_calls_so_or_what_it_allows() {
    let policy = "version: 1\nrules:\n- unit: edge.service\n  allow: [passwords.yaml]\n  credentials: {nova: NovaPassword, fernet: KeystoneFernetKeys./etc/keystone/fernet-keys/0.content}\n";
    let asked = |text: &str| Some(Asked::named(text).unwrap());
    assert_eq!(credential(policy, "edge.service", "passwords.yaml"), asked("passwords.yaml"));
    assert_eq!(credential(policy, "edge.service", "nova"), asked("NovaPassword"));
    assert_eq!(
        credential(policy, "edge.service", "fernet"),
        asked("KeystoneFernetKeys./etc/keystone/fernet-keys/0.content")
    );
    assert_eq!(credential(policy, "edge.service", "endpoint-map.json"), None);
    assert_eq!(credential(policy, "other.service", "nova"), None);
}

#[test]
fn a_rule_that_may_fit_does_not_stand_in_the_way_of_one_that_does() {
    let policy = "version: 1\nrules:\n- uid: 1000\n  allow: [endpoint-map.json, A]\n  rate: 1/1m\n- uid: 1000\n  allow: [Nova*, A.b]\n- unit: edge.service\n  allow: [endpoint-map.json]\n- unit: edge.service\n  credentials: {nova: NovaPassword}\n";
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let nova = granted(policy, &peer(), "NovaPassword").unwrap();
    assert!(nova.covers(EnvironmentFile::Passwords, &names(&["NovaPassword"])));
    assert!(!nova.covers(EnvironmentFile::Passwords, &names(&["Rpc"])));
    let dotted = granted(policy, &peer(), "A.b.c").unwrap();
    assert!(dotted.covers(EnvironmentFile::Passwords, &names(&["A"])));
    assert!(dotted.covers(EnvironmentFile::Passwords, &names(&["A.b"])));
    assert!(!dotted.covers(EnvironmentFile::Passwords, &names(&["A.b.c"])));
    assert_eq!(credential(policy, "edge.service", "nova"), Some(Asked::named("NovaPassword").unwrap()));
    // Nor does it count what another has granted
    let mut policy = Policy::parse(policy.as_bytes()).unwrap();
    let mut ask = |text: &str| {
        let asked = Asked::named(text).unwrap();
        policy.judge(&peer(), Wish::Request(&asked), Timestamp::UNIX_EPOCH, Instant::now()).map(|_| ())
    };
    assert_eq!(ask("NovaPassword"), Ok(()));
    assert_eq!(ask("endpoint-map.json"), Ok(()));
    assert!(matches!(ask("endpoint-map.json"), Err(Refusal::Rate { .. })));
}
