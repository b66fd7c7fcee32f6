use super::*;
use crate::fs::TemporaryDirectory;

fn names(names: &[&str]) -> BTreeSet<ParameterName> {
    names.iter().map(|name| ParameterName::parse(name).unwrap()).collect()
}

/// What is said of these words where the bundle sets two passwords and the endpoints.
fn said(home: &TemporaryDirectory, words: &str) -> Vec<String> {
    let bundle = home.path().join("bundle");
    let sets = BTreeMap::from([
        (EnvironmentFile::EndpointMap, names(&["EndpointMapOverride"])),
        (EnvironmentFile::Passwords, names(&["NovaPassword", "RpcPassword"])),
    ]);
    let around = Surroundings { bundle: &bundle, sets: &sets, home: Some(home.path()) };
    let words = words.replace("HERE", home.path().to_str().unwrap());
    let command = Command::of(words.split(' ').map(Into::into).collect()).unwrap();
    let said = traps(&command, &around).iter().map(ToString::to_string).collect::<Vec<_>>();
    said.iter().map(|line| line.replace(home.path().to_str().unwrap(), "HERE")).collect()
}

const DEPLOY: &str = "openstack overcloud deploy --stack edge1";

#[test]
fn an_ordinary_deployment_is_warned_of_nothing() {
    let home = TemporaryDirectory::scratch();
    home.write("own.yaml", "parameter_defaults: {ComputeCount: 3}\n");
    home.write("more.yaml", "parameter_defaults: {ComputeCount: 4}\nresource_registry: {NovaPassword: x}\n");
    home.write(".tripleo/environments/own.yaml", "parameter_defaults: {ComputeCount: 3}\n");
    assert_eq!(said(&home, &format!("{DEPLOY} -v -e HERE/own.yaml {{env}} -e HERE/more.yaml")), [""; 0]);
    assert_eq!(said(&home, "ansible --debug -vv --no-cleanup -e {passwords} -e {passwords}"), [""; 0]);
}

#[test]
fn what_makes_the_client_tell_or_leave_more_is_named() {
    let home = TemporaryDirectory::scratch();
    let logs = "makes the client log whole requests, with the secrets in them";
    assert_eq!(said(&home, &format!("{DEPLOY} --debug {{env}}")), [format!("`--debug` {logs}")]);
    assert_eq!(said(&home, &format!("{DEPLOY} -vv {{env}}")), [format!("`-v -v` {logs}")]);
    assert_eq!(
        said(&home, &format!("{DEPLOY} --no-cleanup")),
        [
            "`--no-cleanup` leaves the client's temporary files: in Train its copy of the plan, with all passwords"
        ]
    );
}

#[test]
fn a_slip_in_a_placeholder_is_said_of_any_command() {
    let home = TemporaryDirectory::scratch();
    assert_eq!(
        said(&home, "sh -c {enviroment} --in={env}"),
        [
            "`{enviroment}` is passed on as it is: is `{env}` meant?",
            "`{env}` within a word is passed on as it is: it is filled as an argument of its own",
        ]
    );
    assert_eq!(
        said(&home, "cat {env} {env}"),
        ["`{env}` stands there more than once: Zed's client logs both values of each parameter"]
    );
}

#[test]
fn what_the_bundle_sets_and_another_file_too_is_named_with_both_files() {
    let home = TemporaryDirectory::scratch();
    home.write("own.yaml", "parameters:\n  RpcPassword: not-a-real-secret\nparameter_defaults:\n  X: 1\n");
    home.write("own.json", r#"{"parameter_defaults": {"NovaPassword": "x", "RpcPassword": "y"}}"#);
    let later = "the later one counts, and Zed's client logs both values";
    for option in ["-e HERE/own.yaml", "-eHERE/own.yaml", "--environment-file=HERE/own.yaml"] {
        let expected = format!("`RpcPassword` is set in `passwords.yaml` and in `HERE/own.yaml`: {later}");
        assert_eq!(said(&home, &format!("{DEPLOY} {{env}} {option}")), [expected]);
    }
    assert_eq!(
        said(&home, &format!("{DEPLOY} -e {{passwords}} -e HERE/own.json")),
        [format!(
            "`NovaPassword`, `RpcPassword` are set in `passwords.yaml` and in `HERE/own.json`: {later}"
        )]
    );
    assert_eq!(
        said(&home, &format!("{DEPLOY} -e HERE/own.yaml -e HERE/own.json")),
        [format!("`RpcPassword` is set in `HERE/own.yaml` and in `HERE/own.json`: {later}")]
    );
}

#[test]
fn a_file_of_the_bundle_that_is_given_twice_is_named_however_it_is_written() {
    let home = TemporaryDirectory::scratch();
    home.write("bundle/manifest.json", "{}");
    let twice = |file: &str| {
        format!("`{file}` is given twice: Zed's client logs both values of each parameter in it")
    };
    for file in ["{passwords}", "{dir}/passwords.yaml", "HERE/bundle/passwords.yaml"] {
        assert_eq!(said(&home, &format!("{DEPLOY} {{env}} -e {file}")), [twice("passwords.yaml")], "{file}");
    }
    assert_eq!(
        said(&home, &format!("{DEPLOY} -e {{dir}}/endpoint-map.json -e {{dir}}/endpoint-map.json")),
        [twice("endpoint-map.json")]
    );
}

#[test]
fn a_stray_file_that_the_client_takes_unasked_is_named() {
    let home = TemporaryDirectory::scratch();
    home.write(".tripleo/environments/old.yaml", "parameter_defaults: {NovaPassword: x}\n");
    home.write(".tripleo/environments/old.json", r#"{"parameter_defaults": {"NovaPassword": "x"}}"#);
    home.write("more/a.yaml", "parameter_defaults: {RpcPassword: x}\n");
    let unasked = |file: &str, name: &str| {
        format!(
            "`HERE/{file}`, which the client takes unasked, sets `{name}` as `passwords.yaml` does: is that value old? Zed's client logs both values"
        )
    };
    let nova = unasked(".tripleo/environments/old.yaml", "NovaPassword");
    assert_eq!(said(&home, &format!("{DEPLOY} {{env}}")), [&*nova]);
    assert_eq!(
        said(&home, &format!("{DEPLOY} {{env}} --environment-directory HERE/more")),
        [nova, unasked("more/a.yaml", "RpcPassword")]
    );
}

#[test]
fn a_file_that_is_no_environment_or_cannot_be_read_is_passed_over() {
    let home = TemporaryDirectory::scratch();
    home.write("broken.yaml", "parameter_defaults: {RpcPassword: [\n");
    home.write("list.yaml", "- RpcPassword\n");
    let pipe = home.path().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    for file in ["HERE/broken.yaml", "HERE/list.yaml", "HERE/absent.yaml", "HERE/pipe", "HERE", "/dev/fd/63"]
    {
        assert_eq!(said(&home, &format!("{DEPLOY} {{env}} -e {file}")), [""; 0], "{file}");
    }
}
