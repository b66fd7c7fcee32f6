//! Identity v3: discovery, login by password, revocation.

use serde_json::{Value, json};

use super::fault::Fault;
use super::http::{Request, Response};
use super::made_up;
use super::state::State;

/// The id of one whose secret is the user's password.
pub const APPLICATION_CREDENTIAL: &str = "21dced0fd20347869b93710d2b98aae0";
/// The one code that is right, always.
pub const PASSCODE: &str = "424242";
pub const TRUST: &str = "0b9bd5b8a9fc4a0c8a6f4a3a1d0a3f6e";

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
    let is_bound = body["auth"]["identity"]["methods"] == json!(["application_credential"]);
    if is_bound && !scope.is_null() {
        return error(401, "Unauthorized", "Application credentials cannot request a scope.");
    }
    if !knows_user(state, &body["auth"]["identity"]) || !(scope.is_null() || knows_project(state, scope)) {
        return unauthorized(state);
    }
    let token = issue(state);
    Response::json(201, &json!({ "token": token_body(state, is_bound || !scope.is_null()) }))
        .with("X-Subject-Token", &token)
}

/// A new token, which lives.
pub fn issue(state: &State) -> String {
    let token = format!("gAAAAA{}", made_up::make_word(177));
    let mut memory = state.memory();
    memory.alive.insert(token.clone());
    memory.issued.push(token.clone());
    token
}

/// Each method that is named, and no other, must say who it is.
fn knows_user(state: &State, identity: &Value) -> bool {
    let methods = identity["methods"].as_array().cloned().unwrap_or_default();
    let is_user =
        |user: &Value| user["name"] == state.contents.user.as_str() && is_domain(state, &user["domain"]);
    let password = state.contents.password.as_str();
    let is_right = |method: &Value| match method.as_str() {
        Some("application_credential") => {
            let given = &identity["application_credential"];
            given["id"] == APPLICATION_CREDENTIAL && given["secret"] == password
        }
        Some("password") => {
            let user = &identity["password"]["user"];
            is_user(user) && user["password"] == password
        }
        Some("token") => {
            identity["token"]["id"].as_str().is_some_and(|token| state.memory().alive.contains(token))
        }
        Some("totp") => {
            let user = &identity["totp"]["user"];
            is_user(user) && user["passcode"] == PASSCODE
        }
        _ => false,
    };
    let members = identity.as_object().map_or(0, serde_json::Map::len);
    !methods.is_empty() && members == methods.len() + 1 && methods.iter().all(is_right)
}

fn knows_project(state: &State, scope: &Value) -> bool {
    if scope["OS-TRUST:trust"]["id"] == TRUST {
        return true;
    }
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
    let mut services = vec![service(state, "identity", "keystone", &state.auth_url())];
    if state.pick(|fault| matches!(fault, Fault::NoHeat).then_some(())).is_none() {
        services.push(service(state, "orchestration", "heat", &state.heat_url()));
    }
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
