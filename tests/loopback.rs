//! The loopback cloud itself, asked over a bare socket, so that it cannot rot unseen.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "cloud/bare_client.rs"]
mod bare_client;
mod cloud;

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use bare_client::{Answer, read, send_to};
use cloud::{Cloud, Contents, ErrorBody, Fault, Place};

#[test]
fn a_session_runs_from_login_to_revocation() {
    let cloud = Cloud::start(Contents::made_up());
    let (token, login) = log_in(&cloud);
    assert_eq!(cloud.tokens_alive(), 1);
    let heat = endpoint(&login, "orchestration");
    let swift = endpoint(&login, "object-store");

    let lookup = ask(&cloud, "GET", &format!("{heat}/stacks/overcloud"), &token, "");
    assert_eq!(lookup.status, 302);
    let suffix = lookup.header("location").unwrap().split_once("/stacks/").unwrap().1.to_owned();
    let stack =
        ask(&cloud, "GET", &format!("{heat}/stacks/{suffix}?resolve_outputs=False"), &token, "").json();
    assert_eq!(stack["stack"]["stack_status"], "UPDATE_COMPLETE");
    assert_eq!(stack["stack"]["outputs"], Value::Null);
    let output =
        ask(&cloud, "GET", &format!("{heat}/stacks/{suffix}/outputs/GlobalConfig"), &token, "").json();
    let config = &output["output"]["output_value"];
    assert_eq!(config["oslo_messaging_rpc_password"], cloud.contents().passwords["RpcPassword"]);

    let plan = ask(&cloud, "GET", &format!("{swift}/overcloud/plan-environment.yaml"), &token, "");
    assert_eq!(plan.body, cloud.contents().plan_bytes);
    assert_eq!(plan.header("etag").unwrap().len(), 32);

    assert_eq!(ask(&cloud, "DELETE", "/identity/v3/auth/tokens", &token, "").status, 204);
    assert_eq!((cloud.tokens_alive(), cloud.tokens_issued()), (0, vec![token.clone()]));
    assert_eq!(ask(&cloud, "GET", &format!("{heat}/stacks/overcloud"), &token, "").status, 401);
    let project = cloud.project_id();
    assert_eq!(cloud.requests()[1], format!("GET /orchestration/v1/{project}/stacks/overcloud"));
    assert!(cloud.requests_elsewhere().is_empty());
}

#[test]
fn missing_things_answer_in_the_forms_of_their_services() {
    let cloud = Cloud::start(Contents::made_up());
    let (token, login) = log_in(&cloud);
    let heat = endpoint(&login, "orchestration");
    let stack = cloud.stack_id();
    let get = |path: String| ask(&cloud, "GET", &path, &token, "");

    assert_eq!(get(format!("{heat}/stacks/other")).json()["error"]["type"], "EntityNotFound");
    assert_eq!(get(format!("{heat}/stacks/overcloud/outputs/EndpointMap")).json()["code"], "404 Not Found");
    assert_eq!(
        get(format!("{heat}/stacks/overcloud/{stack}/outputs/Nothing")).json()["error"]["type"],
        "NotFound"
    );
    let missing = get(format!("{}/other/plan-environment.yaml", endpoint(&login, "object-store")));
    assert!(missing.status == 404 && missing.body.starts_with(b"<html>"));
}

#[test]
fn a_login_needs_the_right_password_and_project() {
    let cloud = Cloud::start(Contents::made_up());
    let password = &cloud.contents().password;
    let log_in = |password: &str, project: Option<&str>| {
        ask(&cloud, "POST", "/identity/v3/auth/tokens", "", &credentials(password, project))
    };
    assert_eq!(log_in("wrong", Some("admin")).json()["error"]["title"], "Unauthorized");
    assert_eq!(log_in(password, Some("other")).status, 401);
    assert_eq!(log_in(password, None).json()["token"]["catalog"], Value::Null);
    cloud.fault(Fault::MissingCatalog);
    assert_eq!(log_in(password, Some("admin")).json()["token"]["catalog"], json!([]));
}

#[test]
fn each_fault_shows() {
    let cloud = Cloud::start(Contents::made_up());
    let (token, login) = log_in(&cloud);
    let path = format!("{}/overcloud/plan-environment.yaml", endpoint(&login, "object-store"));
    let plan = |fault: Fault| {
        cloud.heal();
        cloud.fault(fault);
        ask(&cloud, "GET", &path, &token, "")
    };
    let length = cloud.contents().plan_bytes.len();

    assert_eq!(plan(Fault::Truncated(Place::Swift)).body.len(), length / 2);
    assert_eq!(
        plan(Fault::HugeLength(Place::Swift)).header("content-length").unwrap(),
        (1_u64 << 60).to_string()
    );
    assert_eq!(plan(Fault::EMPTY_PLAN).header("etag").unwrap(), "d41d8cd98f00b204e9800998ecf8427e");
    assert_eq!(plan(Fault::NoETag).header("etag"), None);
    assert_ne!(plan(Fault::WrongETag).header("etag"), plan(Fault::PlanBytes(Vec::new())).header("etag"));
    assert_eq!(plan(Fault::SegmentedPlan).header("x-static-large-object"), Some("True"));
    assert_ne!(plan(Fault::PlanChanges(u64::MAX)).body, ask(&cloud, "GET", &path, &token, "").body);
    assert!(plan(Fault::RedirectAway(Place::Swift)).header("location").unwrap().ends_with(&path));
    let proxy = plan(Fault::unavailable(Place::Swift));
    assert!(proxy.status == 503 && proxy.text().contains(cloud.canary()) && proxy.text().contains(&token));
    let escapes = plan(Fault::Status(Place::Swift, 500, ErrorBody::TerminalEscapes));
    assert!(escapes.json()["explanation"].as_str().unwrap().starts_with("\x1b]0;"));
    assert!(serde_json::from_slice::<Value>(&plan(Fault::NotJson(Place::Swift)).body).is_err());
}

#[test]
fn a_fault_that_comes_at_first_goes_away_and_the_one_before_it_stays() {
    let cloud = Cloud::start(Contents::made_up());
    let (token, login) = log_in(&cloud);
    let path = format!("{}/overcloud/plan-environment.yaml", endpoint(&login, "object-store"));
    cloud.fault(Fault::forbidden(Place::Swift));
    cloud.fault(Fault::unavailable(Place::Swift).at_first(2));
    let statuses = [(); 4].map(|()| ask(&cloud, "GET", &path, &token, "").status);
    assert_eq!(statuses, [503, 503, 403, 403]);
    cloud.fault(Fault::HangsUp(Place::Swift));
    let mut answer = Vec::new();
    assert_eq!(send(&cloud, "GET", &path, &token, "").read_to_end(&mut answer).unwrap_or(0), 0);
}

#[test]
fn long_lists_come_in_pages() {
    let cloud = Cloud::start(Contents::made_up());
    cloud.fault(Fault::Many(700));
    let (token, login) = log_in(&cloud);
    let get = |path: String| ask(&cloud, "GET", &path, &token, "").json();
    let heat = format!("{}/stacks", endpoint(&login, "orchestration"));
    let swift = format!("{}?format=json", endpoint(&login, "object-store"));
    let count = |list: &Value| list.as_array().map_or(0, Vec::len);
    assert_eq!(count(&get(heat.clone())["stacks"]), 701);
    let page = get(format!("{heat}?limit=500"));
    let marker = page["stacks"][499]["id"].as_str().unwrap();
    assert_eq!(count(&get(format!("{heat}?limit=500&marker={marker}"))["stacks"]), 201);
    let page = get(swift.clone());
    assert_eq!(count(&page), 500);
    let marker = page[499]["name"].as_str().unwrap();
    assert_eq!(count(&get(format!("{swift}&marker={marker}"))), 204);
    assert_eq!(count(&get(format!("{swift}&marker=with+space"))), 0);
}

#[test]
fn a_fault_of_heat_keeps_to_its_place() {
    let cloud = Cloud::start(Contents::made_up());
    let (token, login) = log_in(&cloud);
    let stack = format!("{}/stacks/overcloud/{}", endpoint(&login, "orchestration"), cloud.stack_id());
    let get = |path: &str| ask(&cloud, "GET", &format!("{stack}{path}"), &token, "");
    cloud.fault(Fault::StackStatus("UPDATE_IN_PROGRESS".to_owned()));
    cloud.fault(Fault::NullOutput("EndpointMap".to_owned()));
    cloud.fault(Fault::OutputError("HostsEntry".to_owned(), "unresolved".to_owned()));
    cloud.fault(Fault::forbidden(Place::Output("AllNodesConfig".to_owned())));

    assert_eq!(get("?resolve_outputs=False").json()["stack"]["stack_status"], "UPDATE_IN_PROGRESS");
    assert_eq!(get("/outputs/EndpointMap").json()["output"]["output_value"], Value::Null);
    assert_eq!(get("/outputs/HostsEntry").json()["output"]["output_error"], "unresolved");
    assert_eq!(get("/outputs/AllNodesConfig").status, 403);
    assert_eq!(get("/outputs/GlobalConfig").status, 200);
    cloud.expire_tokens();
    assert_eq!(get("/outputs/GlobalConfig").status, 401);
}

#[test]
fn a_connection_carries_several_requests() {
    let cloud = Cloud::start(Contents::made_up());
    let url = cloud.auth_url();
    let mut stream = TcpStream::connect(url.split('/').nth(2).unwrap()).unwrap();
    stream.write_all(b"GET /identity/v3 HTTP/1.1\r\n\r\n").unwrap();
    assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
    stream.write_all(b"GET /identity HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
    assert_eq!(read(stream).status, 300);
    assert_eq!(cloud.requests(), ["GET /identity/v3", "GET /identity"]);
}

#[test]
fn a_silent_and_an_endless_answer_end_with_the_cloud() {
    let cloud = Cloud::start(Contents::made_up());
    cloud.fault(Fault::Silent(Place::Login));
    cloud.fault(Fault::Endless(Place::Swift));
    let mut silent = send(&cloud, "POST", "/identity/v3/auth/tokens", "", "");
    let mut endless = send(&cloud, "GET", "/object-store/v1/AUTH_x/overcloud/plan-environment.yaml", "", "");
    endless.read_exact(&mut vec![0; 1 << 20]).unwrap();
    drop(cloud);
    assert_eq!(silent.read(&mut [0]).unwrap_or(0), 0);
}

#[test]
fn a_token_that_follows_a_redirect_is_seen() {
    let cloud = Cloud::start(Contents::made_up());
    let (token, login) = log_in(&cloud);
    let lookup =
        ask(&cloud, "GET", &format!("{}/stacks/overcloud", endpoint(&login, "orchestration")), &token, "");
    let (host, path) =
        lookup.header("location").unwrap().strip_prefix("http://").unwrap().split_once("/v1/").unwrap();
    assert!(!cloud.token_was_sent_elsewhere());
    read(send_to(host, "GET", &format!("/v1/{path}"), &token, ""));
    assert!(cloud.token_was_sent_elsewhere());
    assert!(!cloud.password_was_sent_elsewhere());
}

#[test]
fn the_plan_is_written_as_pyyaml_writes() {
    let contents = Contents::made_up();
    let text = String::from_utf8(contents.plan_bytes.clone()).unwrap();
    for line in [
        "description: 'Default Deployment plan\n\n  '\n",
        "environments:\n- path: overcloud-resource-registry-puppet.yaml\n",
        "\n  EdgeExponent: 12e03\n",
        "\n  EdgeLeadingZero: 0899\n",
        "\n  EdgeOctal: '0123456'\n",
        "\n  EdgeOctal12: 0o17\n",
        concat!("\n    private_key: '-----BEGIN RSA ", "PRIVATE KEY-----\n\n      "),
        "\n      Generated by TripleO\n",
        "\n    /etc/keystone/fernet-keys/7:\n      content: ",
        "\nversion: 1.0\n",
    ] {
        assert!(text.contains(line), "{line:?} is missing");
    }
    assert!(contents.secrets().iter().all(|secret| secret.chars().count() >= 8));
    assert_ne!(contents.passwords["RpcPassword"], Contents::made_up().passwords["RpcPassword"]);
}

fn log_in(cloud: &Cloud) -> (String, Value) {
    let body = credentials(&cloud.contents().password, Some("admin"));
    let answer = ask(cloud, "POST", "/identity/v3/auth/tokens", "", &body);
    assert_eq!(answer.status, 201);
    (answer.header("x-subject-token").unwrap_or_default().to_owned(), answer.json())
}

fn credentials(password: &str, project: Option<&str>) -> String {
    let domain = json!({ "name": "Default" });
    let user = json!({ "name": "admin", "domain": domain, "password": password });
    let mut auth = json!({ "identity": { "methods": ["password"], "password": { "user": user } } });
    if let Some(project) = project {
        auth["scope"] = json!({ "project": { "name": project, "domain": domain } });
    }
    json!({ "auth": auth }).to_string()
}

/// The path of a service's endpoint.
fn endpoint(login: &Value, kind: &str) -> String {
    let services = login["token"]["catalog"].as_array().map_or(&[][..], Vec::as_slice);
    let service = services.iter().find(|service| service["type"] == kind).unwrap_or(&Value::Null);
    let url = service["endpoints"][2]["url"].as_str().unwrap_or_default();
    url.splitn(4, '/').last().map_or_else(String::new, |path| format!("/{path}"))
}

fn ask(cloud: &Cloud, method: &str, target: &str, token: &str, body: &str) -> Answer {
    read(send(cloud, method, target, token, body))
}

fn send(cloud: &Cloud, method: &str, target: &str, token: &str, body: &str) -> TcpStream {
    let url = cloud.auth_url();
    send_to(url.split('/').nth(2).unwrap_or_default(), method, target, token, body)
}
