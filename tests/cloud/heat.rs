//! Orchestration v1: a stack by name, by identity, and its outputs.

use serde_json::{Value, json};

use super::fault::Fault;
use super::http::{Request, Response};
use super::keystone;
use super::state::State;
use super::swift::parameter;

pub fn answer(state: &State, request: &Request, project: &str, path: &[&str]) -> Response {
    if !state.has_live_token(request) {
        return keystone::unauthorized(state);
    }
    if project != state.project_id {
        return error(403, "Forbidden", "Forbidden", "You are not authorized to complete this action.");
    }
    let name = state.contents.stack.as_str();
    match (request.method.as_str(), path) {
        ("GET", ["stacks"]) => list(state, request),
        ("GET", ["stacks", wanted]) if *wanted == name || *wanted == state.stack_id => look_up(state),
        ("GET", ["stacks", wanted, id]) if *wanted == name && *id == state.stack_id => show(state, request),
        ("GET", ["stacks", wanted, id, "outputs", key]) if *wanted == name && *id == state.stack_id => {
            show_output(state, key)
        }
        ("GET", ["stacks", wanted, id, "environment"]) if *wanted == name && *id == state.stack_id => {
            environment(state)
        }
        // no route: Heat looks up stacks by name, but not their outputs
        ("GET", ["stacks", _, "outputs", _]) => no_route(),
        ("GET", ["stacks", wanted, ..]) => {
            error(404, "Not Found", "EntityNotFound", &format!("The Stack ({wanted}) could not be found."))
        }
        _ => no_route(),
    }
}

fn list(state: &State, request: &Request) -> Response {
    let contents = &state.contents;
    let stack =
        |id: &str, name: &str, status: &str| json!({ "id": id, "stack_name": name, "stack_status": status });
    let mut stacks = vec![stack(&state.stack_id, &contents.stack, &contents.stack_status)];
    for number in 0..Fault::many(state) {
        stacks.push(stack(&format!("id-{number}"), &format!("many-{number}"), "CREATE_COMPLETE"));
    }
    let limit = parameter(request, "limit").and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX);
    let marker = parameter(request, "marker");
    let after = stacks.iter().position(|stack| Some(stack["id"].as_str().unwrap()) == marker.as_deref());
    let page: Vec<_> = stacks.iter().skip(after.map_or(0, |position| position + 1)).take(limit).collect();
    Response::json(200, &json!({ "stacks": page }))
}

/// The `Location` leads elsewhere, as behind a proxy: only what stands after `/stacks/` holds.
fn look_up(state: &State) -> Response {
    let hostile = state.pick(|fault| match fault {
        Fault::StackLocation(location) => Some(location.clone()),
        _ => None,
    });
    let (base, project, name) = (&state.elsewhere_url, &state.project_id, &state.contents.stack);
    let location = hostile.unwrap_or_else(|| format!("{base}/v1/{project}/stacks/{name}/{}", state.stack_id));
    let body = json!({ "code": "302 Found", "message": location, "title": "Found" });
    Response::json(302, &body).with("Location", &location)
}

fn show(state: &State, request: &Request) -> Response {
    let status = state.pick(|fault| match fault {
        Fault::StackStatus(status) => Some(status.clone()),
        _ => None,
    });
    let mut stack = json!({
        "id": state.stack_id,
        "stack_name": state.contents.stack,
        "stack_status": status.unwrap_or_else(|| state.contents.stack_status.clone()),
        "stack_status_reason": "Stack UPDATE completed successfully",
        "creation_time": "2020-05-13T08:00:00Z",
        "updated_time": "2020-05-13T09:30:00Z",
        "parameters": { "OS::project_id": state.project_id, "OS::stack_name": state.contents.stack },
        "capabilities": [],
        "tags": null,
    });
    if !request.query().eq_ignore_ascii_case("resolve_outputs=false") {
        let outputs = state.contents.outputs.iter();
        stack["outputs"] =
            outputs.map(|(key, value)| output(key, &serde_json::from_str(value).unwrap())).collect();
    }
    Response::json(200, &json!({ "stack": stack }))
}

fn show_output(state: &State, key: &str) -> Response {
    let faulty = state.pick(|fault| match fault {
        Fault::NullOutput(faulty) if faulty == key => Some(output(key, &Value::Null)),
        Fault::OutputError(faulty, text) if faulty == key => {
            let mut output = output(key, &Value::Null);
            output["output_error"] = json!(text);
            Some(output)
        }
        _ => None,
    });
    if let Some(output) = faulty {
        return Response::json(200, &json!({ "output": output }));
    }
    let Some((_, value)) = state.contents.outputs.iter().find(|(known, _)| known == key) else {
        return error(404, "Not Found", "NotFound", &format!("Specified output key {key} not found."));
    };
    // the text is passed as it is: a test may put numbers there that a parser would round
    let (key, description) = (json!(key), json!(description(key)));
    let body = format!(
        r#"{{"output": {{"output_key": {key}, "description": {description}, "output_value": {value}}}}}"#
    );
    Response::new(200, "application/json", body)
}

/// What the stack was made with: generated passwords and the user's settings, side by side.
fn environment(state: &State) -> Response {
    let mut defaults = state.contents.passwords.clone();
    defaults.extend(state.contents.parameter_defaults.clone());
    Response::json(
        200,
        &json!({
            "parameter_defaults": defaults, "parameters": {}, "encrypted_param_names": [], "event_sinks": [],
            "resource_registry": { "resources": {} },
        }),
    )
}

fn output(key: &str, value: &Value) -> Value {
    json!({ "output_key": key, "description": description(key), "output_value": value })
}

fn description(key: &str) -> String {
    format!("{key} of the overcloud")
}

/// The form of Heat's `FaultWrapper`.
fn error(status: u16, title: &str, kind: &str, message: &str) -> Response {
    let error = json!({ "message": message, "traceback": null, "type": kind });
    let explanation = match status {
        404 => "The resource could not be found.",
        _ => "Access was denied to this resource.",
    };
    Response::json(
        status,
        &json!({ "explanation": explanation, "code": status, "error": error, "title": title }),
    )
}

/// The form of the router before it.
fn no_route() -> Response {
    let message = "The resource could not be found.<br /><br />\n\n\n";
    Response::json(404, &json!({ "message": message, "code": "404 Not Found", "title": "Not Found" }))
}
