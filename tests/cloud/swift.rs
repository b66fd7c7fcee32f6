//! Object storage: one container, with the plan and what it lists.

use md5::{Digest, Md5};
use serde_json::json;

use super::fault::Fault;
use super::http::{Request, Response};
use super::made_up;
use super::state::State;

pub fn answer(state: &State, request: &Request, account: &str, path: &[&str]) -> Response {
    if !state.has_live_token(request) {
        let text =
            "This server could not verify that you are authorized to access the document you requested.";
        return Response::html(401, "Unauthorized", text);
    }
    if account != format!("AUTH_{}", state.project_id) {
        return Response::html(403, "Forbidden", "Access was denied to this resource.");
    }
    match (request.method.as_str(), path) {
        ("GET", []) => list(state, request),
        ("HEAD", [container]) => match containers(state).into_iter().find(|(name, _)| name == container) {
            Some((_, true)) => {
                Response::new(204, "text/plain", "").with("X-Container-Meta-Usage-Tripleo", "plan")
            }
            Some((_, false)) => Response::new(204, "text/plain", ""),
            None => Response::html(404, "Not Found", "The resource could not be found."),
        },
        ("GET" | "HEAD", [container, "plan-environment.yaml"]) if *container == state.contents.plan => {
            plan(state, request)
        }
        ("GET" | "HEAD", [container, object @ ..]) if *container == state.contents.plan => {
            object_of(state, &object.join("/"))
        }
        _ => Response::html(404, "Not Found", "The resource could not be found."),
    }
}

/// The containers, and whether each is a plan; sorted, as Swift has them.
fn containers(state: &State) -> Vec<(String, bool)> {
    let few =
        [(state.contents.plan.as_str(), true), ("lonely", true), ("ov-logs", false), ("with space", true)];
    let mut containers: Vec<(String, bool)> =
        few.into_iter().map(|(name, is_plan)| (name.to_owned(), is_plan)).collect();
    containers.extend((0..Fault::many(state)).map(|number| (format!("many-{number}"), true)));
    containers.sort();
    containers
}

fn list(state: &State, request: &Request) -> Response {
    let marker = parameter(request, "marker").unwrap_or_default();
    let after = containers(state).into_iter().filter(|(name, _)| *name > marker).take(500);
    let page: Vec<_> = after.map(|(name, _)| json!({ "name": name, "count": 1, "bytes": 1 })).collect();
    Response::json(200, &json!(page))
}

/// A parameter of the query. The names here need no decoding but of a blank.
pub(super) fn parameter(request: &Request, wanted: &str) -> Option<String> {
    let mut pairs = request.query().split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == wanted)?;
    Some(value.replace('+', " "))
}

fn object_of(state: &State, wanted: &str) -> Response {
    match state.contents.objects.iter().find(|(name, _)| name == wanted) {
        Some((_, bytes)) => {
            let etag = md5_hex(bytes);
            Response::new(200, "application/octet-stream", bytes.clone()).with("ETag", &etag)
        }
        None => Response::html(404, "Not Found", "The resource could not be found."),
    }
}

fn plan(state: &State, request: &Request) -> Response {
    let bytes = plan_bytes(state);
    let etag = md5_hex(&bytes);
    if request.header("if-none-match").is_some_and(|known| known.trim_matches('"') == etag) {
        return Response { status: 304, headers: Vec::new(), body: Vec::new() }.with("ETag", &etag);
    }
    let response = Response::new(200, "application/octet-stream", bytes)
        .with("ETag", &etag)
        .with("Accept-Ranges", "bytes")
        .with("Last-Modified", "Wed, 13 May 2020 09:30:00 GMT")
        .with("X-Timestamp", "1589362199.12345")
        .with("X-Trans-Id", &format!("tx{}", made_up::make_uuid().replace('-', "")));
    with_etag_fault(state, response)
}

fn plan_bytes(state: &State) -> Vec<u8> {
    let mut memory = state.memory();
    let replaced = memory.faults.iter().rev().find_map(|fault| match fault {
        Fault::PlanBytes(bytes) => Some(bytes.clone()),
        _ => None,
    });
    let mut bytes = replaced.unwrap_or_else(|| state.contents.plan_bytes.clone());
    let changes = memory.faults.iter().rev().find_map(|fault| match fault {
        Fault::PlanChanges(times) => Some(*times),
        _ => None,
    });
    if let Some(times) = changes {
        memory.plan_reads += 1;
        let version = memory.plan_reads.min(times.saturating_add(1));
        if version > 1 {
            bytes.extend(format!("workflow_parameters:\n  version: {version}\n").into_bytes());
        }
    }
    bytes
}

fn with_etag_fault(state: &State, response: Response) -> Response {
    let other = md5_hex(b"another object");
    let fault = state.pick(|fault| {
        matches!(fault, Fault::NoETag | Fault::SegmentedPlan | Fault::WrongETag).then(|| fault.clone())
    });
    match fault {
        Some(Fault::NoETag) => response.without("ETag"),
        Some(Fault::SegmentedPlan) => response
            .without("ETag")
            .with("ETag", &format!("\"{other}\""))
            .with("X-Static-Large-Object", "True"),
        Some(_) => response.without("ETag").with("ETag", &other),
        None => response,
    }
}

fn md5_hex(bytes: &[u8]) -> String {
    made_up::hex(&Md5::digest(bytes))
}
