//! Identity v3: discovery, login by password, revocation.

use serde_json::{Value, json};

use super::fault::Fault;
use super::http::{Request, Response};
use super::made_up;
use super::state::State;

pub fn answer(state: &State, request: &Request, path: &[&str]) -> Response {
    match (request.method.as_str(), path) {
        ("GET", []) => {
            let versions = [version(&state.auth_url())];
            Response::json(300, &json!({ "versions": { "values": versions } }))
        }
        ("GET", ["v3"]) => Response::json(200, &json!({ "version": version(&state.auth_url()) })),
        ("POST", ["v3", "auth", "tokens"]) => log_in(state, &request.body),
        ("DELETE", ["v3", "auth", "tokens"]) => revoke(state, request),
        _ => error(404, "Not Found", "The resource could not be found."),
    }
}

/// What the port's own root says, as behind a proxy: the versions, at a host inside.
pub fn versions(state: &State) -> Response {
    let old = json!({ "id": "v2.0", "status": "deprecated", "links": [] });
    let inside = format!("{}/identity", state.elsewhere_url);
    Response::json(300, &json!({ "versions": { "values": [old, version(&inside)] } }))
}

pub fn unauthorized(state: &State) -> Response {
    error(401, "Unauthorized", "The request you have made requires authentication.")
        .with("WWW-Authenticate", &format!("Keystone uri=\"{}\"", state.auth_url()))
}

fn version(base: &str) -> Value {
    json!({
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{ "rel": "self", "href": format!("{base}/v3/") }],
        "media-types": [{ "base": "application/json", "type": "application/vnd.openstack.identity-v3+json" }],
    })
}

fn log_in(state: &State, body: &[u8]) -> Response {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return error(400, "Bad Request", "Expecting to find valid JSON in request body.");
    };
    let scope = &body["auth"]["scope"];
    if !knows_user(state, &body["auth"]["identity"]) || !(scope.is_null() || knows_project(state, scope)) {
        return unauthorized(state);
    }
    let token = format!("gAAAAA{}", made_up::make_word(177));
    let mut memory = state.memory();
    memory.alive.insert(token.clone());
    memory.issued.push(token.clone());
    drop(memory);
    Response::json(201, &json!({ "token": token_body(state, !scope.is_null()) }))
        .with("X-Subject-Token", &token)
}

fn knows_user(state: &State, identity: &Value) -> bool {
    let user = &identity["password"]["user"];
    identity["methods"] == json!(["password"])
        && user["name"] == state.contents.user.as_str()
        && user["password"] == state.contents.password.as_str()
        && is_domain(state, &user["domain"])
}

fn knows_project(state: &State, scope: &Value) -> bool {
    let project = &scope["project"];
    project["id"] == state.project_id.as_str()
        || (project["name"] == state.contents.project.as_str() && is_domain(state, &project["domain"]))
}

fn is_domain(state: &State, domain: &Value) -> bool {
    domain["name"] == state.contents.domain.as_str() || domain["id"] == "default"
}

fn token_body(state: &State, scoped: bool) -> Value {
    let mut token = json!({
        "methods": ["password"],
        "user": { "name": state.contents.user, "domain": { "id": "default", "name": state.contents.domain } },
        "audit_ids": [made_up::make_word(22)],
        "expires_at": "2099-12-31T23:59:59.000000Z",
        "issued_at": "2020-05-13T08:00:00.000000Z",
    });
    if scoped {
        let domain = json!({ "id": "default", "name": state.contents.domain });
        token["project"] =
            json!({ "id": state.project_id, "name": state.contents.project, "domain": domain });
        token["roles"] = json!([{ "id": made_up::make_uuid(), "name": "admin" }]);
        token["catalog"] = catalog(state);
    }
    token
}

fn catalog(state: &State) -> Value {
    if state.pick(|fault| matches!(fault, Fault::MissingCatalog).then_some(())).is_some() {
        return json!([]);
    }
    let mut services = vec![
        service(state, "identity", "keystone", &state.auth_url()),
        service(state, "orchestration", "heat", &state.heat_url()),
    ];
    if state.pick(|fault| matches!(fault, Fault::NoSwift).then_some(())).is_none() {
        services.push(service(state, "object-store", "swift", &state.swift_url()));
    }
    Value::Array(services)
}

fn service(state: &State, kind: &str, name: &str, url: &str) -> Value {
    let region = &state.contents.region;
    let endpoints: Vec<Value> = ["admin", "internal", "public"]
        .map(|interface| {
            json!({
                "id": made_up::make_uuid(), "interface": interface, "region": region, "region_id": region, "url": url,
            })
        })
        .to_vec();
    json!({ "id": made_up::make_uuid(), "type": kind, "name": name, "endpoints": endpoints })
}

fn revoke(state: &State, request: &Request) -> Response {
    if !state.has_live_token(request) {
        return unauthorized(state);
    }
    let subject = request.header("x-subject-token").unwrap_or_default();
    if state.memory().alive.remove(subject) {
        Response { status: 204, headers: Vec::new(), body: Vec::new() }
    } else {
        error(404, "Not Found", "Failed to validate token")
    }
}

fn error(status: u16, title: &str, message: &str) -> Response {
    Response::json(status, &json!({ "error": { "code": status, "message": message, "title": title } }))
}
