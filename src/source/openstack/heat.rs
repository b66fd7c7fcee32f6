use std::collections::BTreeMap;

use std::path::Path;

use jiff::Timestamp;
use reqwest::Url;
use serde::Deserialize;

use crate::fs;
use crate::json;
use crate::model::{Data, EnvironmentFile, Kind};
use crate::source::output::{Holder, checked};
use crate::source::{Plan, Service, SourceError};

use super::http::below;
use super::keystone::Session;
use super::listing::{NAMES_AT_MOST, Names};

const PAGE: usize = 500;
const PAGES_AT_MOST: usize = 200;

/// A stack whose id is known: only then does Heat show a single output.
pub(super) struct Stack<'a> {
    session: &'a Session<'a>,
    name: &'a str,
    id: String,
    url: Url,
}

/// What Heat says of the stack as a whole.
pub(super) struct StackState {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) updated: Option<String>,
}

impl<'a> Stack<'a> {
    /// Looks the name up. Heat answers with a 302 whose Location may carry an inside host name: only what stands after
    /// `/stacks/` is taken, and the token goes nowhere but to the catalog's endpoint.
    pub(super) async fn find(
        session: &'a Session<'a>,
        heat: &Url,
        name: &'a str,
    ) -> Result<Self, SourceError> {
        let by_name = below(heat, &["stacks", name]);
        let answer = session.get(Service::Heat, by_name).await?;
        match answer.status {
            302 => {}
            404 => return Err(SourceError::StackNotFound { stack: name.to_owned() }),
            _ => return Err(answer.unexpected(Service::Heat)),
        }
        let id = answer.header("location").and_then(id_of).ok_or(bad_answer("a stack's address"))?;
        let url = below(heat, &["stacks", name, &id]);
        Ok(Self { session, name, id, url })
    }

    /// The stack's status.
    pub(super) async fn state(&self) -> Result<StackState, SourceError> {
        let mut url = self.url.clone();
        url.set_query(Some("resolve_outputs=False"));
        let answer = self.session.get(Service::Heat, url).await?;
        match answer.status {
            200 => {}
            // It went away since it was looked up
            404 => return Err(SourceError::StackNotFound { stack: self.name.to_owned() }),
            _ => return Err(answer.unexpected(Service::Heat)),
        }
        // EXPOSE: only the status and two times are read from it
        let parsed: Result<ShowAnswer, _> = answer.body.expose(|bytes| serde_json::from_slice(bytes));
        let shown = parsed.map_err(|_| bad_answer("JSON"))?.stack;
        let status = shown.stack_status.escape_debug().to_string();
        if status == "DELETE_COMPLETE" {
            return Err(SourceError::StackNotFound { stack: self.name.to_owned() });
        }
        Ok(StackState { id: self.id.clone(), status, updated: shown.updated_time.or(shown.creation_time) })
    }

    /// The plan in the stack's environment: early Wallaby keeps none in Swift.
    pub(super) async fn plan(&self) -> Result<Plan, SourceError> {
        let answer = self.session.get(Service::Heat, below(&self.url, &["environment"])).await?;
        if answer.status != 200 {
            return Err(answer.unexpected(Service::Heat));
        }
        // EXPOSE: parsed into secret values; the error carries no text
        let environment = answer.body.expose(|bytes| json::read(bytes, "environment"));
        let environment = environment.map_err(|_| bad_answer("JSON"))?;
        Plan::of_stack(environment, &format!("the environment of stack `{}`", self.name))
    }

    /// The value of one output, whatever it is.
    pub(super) async fn output(&self, output: &'static str) -> Result<Data, SourceError> {
        let stack = || self.name.to_owned();
        let url = below(&self.url, &["outputs", output]);
        let answer = self.session.get(Service::Heat, url).await?;
        match answer.status {
            200 => {}
            404 => return Err(SourceError::OutputNotFound { stack: stack(), output }),
            _ => return Err(answer.unexpected(Service::Heat)),
        }
        // EXPOSE: parsed into secret values; the error carries no text
        let parsed = answer.body.expose(|bytes| json::read(bytes, output)).map_err(|_| bad_answer("JSON"))?;
        let mut shown = parsed.take("output").ok_or(bad_answer("an output"))?;
        // A failed output is a 200, too
        if shown.under("output_error").is_some_and(|error| !is_null(error)) {
            return Err(SourceError::OutputFailed { stack: stack(), output });
        }
        shown.take_from("output_value").ok_or(bad_answer("an output"))
    }

    /// The output that becomes `file`.
    pub(super) async fn output_for(&self, file: EnvironmentFile) -> Result<Data, SourceError> {
        let value = self.output(file.output().unwrap_or_else(|| file.file_name())).await?;
        checked(file, value, || Holder::Stack(self.name.to_owned()))
    }
}

impl StackState {
    /// Whether the stack has changed since `path` was written; not where one of the two cannot be told.
    pub(super) fn has_changed_since(&self, path: &Path) -> bool {
        let changed = self.updated.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
        let written = fs::modified(path).ok().and_then(|time| Timestamp::try_from(time).ok());
        changed.zip(written).is_some_and(|(changed, written)| written < changed)
    }

    /// Whether the stack is `*_COMPLETE`: Heat serves the outputs of others too, and they may be stale.
    pub(super) fn check(&self, stack: &str) -> Result<(), SourceError> {
        let (stack, status) = (stack.to_owned(), self.status.clone());
        if status.ends_with("_COMPLETE") {
            Ok(())
        } else if status.ends_with("_FAILED") {
            Err(SourceError::StackFailed { stack, status })
        } else {
            Err(SourceError::StackInProgress { stack, status })
        }
    }
}

/// The names and states of the project's stacks, page by page.
pub(super) async fn stacks(
    session: &Session<'_>,
    heat: &Url,
) -> Result<Names<(String, String)>, SourceError> {
    let mut stacks = BTreeMap::new();
    let (mut marker, mut is_cut) = (None, true);
    for _ in 0..PAGES_AT_MOST {
        let page = page(session, heat, marker.as_deref()).await?;
        let (length, known) = (page.len(), stacks.len());
        marker = page.last().map(|stack| stack.id.clone());
        stacks.extend(page.into_iter().map(|stack| (stack.id, (stack.stack_name, stack.stack_status))));
        // A Heat that does not know markers gives the same page again
        if length < PAGE || stacks.len() == known {
            is_cut = false;
            break;
        }
        if stacks.len() > NAMES_AT_MOST {
            break;
        }
    }
    let mut stacks: Vec<(String, String)> = stacks.into_values().collect();
    stacks.sort();
    is_cut |= stacks.len() > NAMES_AT_MOST;
    stacks.truncate(NAMES_AT_MOST);
    Ok(Names { names: stacks, is_cut })
}

async fn page(session: &Session<'_>, heat: &Url, marker: Option<&str>) -> Result<Vec<Listed>, SourceError> {
    let mut url = below(heat, &["stacks"]);
    url.query_pairs_mut().append_pair("limit", &PAGE.to_string());
    if let Some(marker) = marker {
        url.query_pairs_mut().append_pair("marker", marker);
    }
    let answer = session.get(Service::Heat, url).await?;
    if answer.status != 200 {
        return Err(answer.unexpected(Service::Heat));
    }
    // EXPOSE: only ids, names and states are read from it
    let parsed: Result<ListAnswer, _> = answer.body.expose(|bytes| serde_json::from_slice(bytes));
    Ok(parsed.map_err(|_| bad_answer("JSON"))?.stacks)
}

const fn bad_answer(expected: &'static str) -> SourceError {
    SourceError::BadAnswer { service: Service::Heat, expected }
}

const fn is_null(data: &Data) -> bool {
    matches!(data, Data::Scalar(scalar) if matches!(scalar.kind, Kind::Null))
}

/// The id in `…/stacks/NAME/ID`.
fn id_of(location: &str) -> Option<String> {
    let (_, path) = location.split_once("/stacks/")?;
    let id = path.split('/').nth(1)?;
    let is_uuid = id.len() == 36 && id.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    is_uuid.then(|| id.to_owned())
}

#[derive(Deserialize)]
struct ListAnswer {
    stacks: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    stack_name: String,
    stack_status: String,
}

#[derive(Deserialize)]
struct ShowAnswer {
    stack: Shown,
}

#[derive(Deserialize)]
struct Shown {
    stack_status: String,
    updated_time: Option<String>,
    creation_time: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_id_is_taken_from_a_location() {
        let id = "6a1f7c1e-8f9c-4c5e-9f3e-0d6a4b1c2d3e";
        let location = format!("http://internal:8004/v1/p/stacks/overcloud/{id}");
        assert_eq!(id_of(&location).as_deref(), Some(id));
        for other in ["http://h/v1/p/stacks/overcloud", "http://h/stacks/a/../../evil", "/", ""] {
            assert_eq!(id_of(other), None, "{other}");
        }
    }
}
