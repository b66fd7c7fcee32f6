//! What the cloud can do wrong.

use serde_json::json;

use super::http::{Reply, Request, Response};
use super::state::State;

/// Requests that a fault concerns.
#[derive(Clone, Debug)]
pub enum Place {
    /// All of Heat: the stack and its outputs.
    Heat,
    /// All of Keystone: discovery, login, revocation.
    Keystone,
    Login,
    /// One output, by its key.
    Output(String),
    Revocation,
    /// The lookup of the stack and its description, not its outputs.
    Stack,
    /// All of Swift: the plan.
    Swift,
}

/// What stands in an error's body. All but `Bytes` repeat the canary and what the client sent, its token included.
#[derive(Clone, Debug)]
pub enum ErrorBody {
    Bytes(Vec<u8>),
    /// JSON in the service's own form.
    Json,
    /// The HTML of a proxy before the service.
    ProxyPage,
    /// JSON whose message sets the terminal's title, clears the screen and fakes a line.
    TerminalEscapes,
}

/// One thing done wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// So many times, and then no more.
    AtFirst(u32, Box<Self>),
    /// The true status, then blanks that never stop.
    Endless(Place),
    /// A length that no machine has memory for, then the true body.
    HugeLength(Place),
    /// Reads, and hangs up without an answer, as a service that is being restarted.
    HangsUp(Place),
    /// So many more stacks and plans, `many-0` and on, which the services list in pages of 500.
    Many(usize),
    /// A project without services.
    MissingCatalog,
    NoETag,
    /// A catalog that has no object store, as from Wallaby on.
    NoSwift,
    /// A catalog that has no orchestration: from Wallaby on Heat runs only while it deploys.
    NoHeat,
    /// 200 with something that is no JSON.
    NotJson(Place),
    /// 200 with a null value and no error, as an attribute that is not there yet.
    NullOutput(String),
    /// 200 with a null value and this text as `output_error`.
    OutputError(String, String),
    /// Another object in place of the plan, with its own true `ETag`.
    PlanBytes(Vec<u8>),
    /// Each further read of the plan, up to this many, gives other bytes and another `ETag`.
    PlanChanges(u64),
    /// A redirect to the second listener.
    RedirectAway(Place),
    /// 503, with a `Retry-After` of so many seconds.
    RetryAfter(Place, u64),
    /// A static large object: its `ETag` is not the MD5 of its bytes.
    SegmentedPlan,
    /// Reads and never answers.
    Silent(Place),
    /// Heat's `Location` for the stack.
    StackLocation(String),
    StackStatus(String),
    Status(Place, u16, ErrorBody),
    /// Half a body, then the end of the connection.
    Truncated(Place),
    WrongETag,
}

impl Fault {
    pub const EMPTY_PLAN: Self = Self::PlanBytes(Vec::new());

    /// How many more stacks and plans there are.
    pub(super) fn many(state: &State) -> usize {
        let many = state.pick(|fault| if let Self::Many(count) = fault { Some(*count) } else { None });
        many.unwrap_or_default()
    }

    /// 503 as HAProxy says it when no server is up.
    pub fn unavailable(place: Place) -> Self {
        Self::Status(place, 503, ErrorBody::ProxyPage)
    }

    /// 403 as for a role that is not enough.
    pub fn forbidden(place: Place) -> Self {
        Self::Status(place, 403, ErrorBody::Json)
    }

    /// This, so many times.
    pub fn at_first(self, times: u32) -> Self {
        Self::AtFirst(times, Box::new(self))
    }

    pub(super) fn place(&self) -> Option<&Place> {
        match self {
            Self::AtFirst(_, fault) => fault.place(),
            Self::Endless(place)
            | Self::HangsUp(place)
            | Self::HugeLength(place)
            | Self::NotJson(place)
            | Self::RedirectAway(place)
            | Self::RetryAfter(place, _)
            | Self::Silent(place)
            | Self::Status(place, ..)
            | Self::Truncated(place) => Some(place),
            _ => None,
        }
    }

    /// The reply in place of the service's own. `honest` is asked only where the service itself does its work.
    pub(super) fn reply(&self, state: &State, request: &Request, honest: impl FnOnce() -> Response) -> Reply {
        match self {
            Self::Endless(_) => Reply::Endless(honest()),
            Self::HangsUp(_) => Reply::HangUp,
            Self::HugeLength(_) => truncated(honest(), 1 << 60, usize::MAX),
            Self::NotJson(_) => {
                Reply::Whole(Response::new(200, "application/json", format!("{{\"{}", echo(state, request))))
            }
            Self::RedirectAway(_) => Reply::Whole(redirect(state, request)),
            Self::RetryAfter(_, seconds) => Reply::Whole(
                error(503, &ErrorBody::Json, state, request).with("Retry-After", &seconds.to_string()),
            ),
            Self::Silent(_) => Reply::Silence,
            Self::Status(_, status, body) => Reply::Whole(error(*status, body, state, request)),
            Self::Truncated(_) => {
                let response = honest();
                let (length, half) = (response.body.len() as u64, response.body.len() / 2);
                truncated(response, length.max(64), half)
            }
            _ => Reply::Whole(honest()),
        }
    }
}

impl Place {
    pub(super) fn covers(&self, request: &Request) -> bool {
        let path = request.path();
        match self {
            Self::Heat => path.starts_with("/orchestration/"),
            Self::Keystone => path.starts_with("/identity"),
            Self::Login => path.starts_with("/identity") && request.method == "POST",
            Self::Output(key) => {
                path.starts_with("/orchestration/") && path.ends_with(&format!("/outputs/{key}"))
            }
            Self::Revocation => path.starts_with("/identity") && request.method == "DELETE",
            Self::Stack => path.starts_with("/orchestration/") && !path.contains("/outputs/"),
            Self::Swift => path.starts_with("/object-store/"),
        }
    }
}

fn truncated(response: Response, promised: u64, sent: usize) -> Reply {
    let sent = sent.min(response.body.len());
    Reply::Truncated { response, promised, sent }
}

fn redirect(state: &State, request: &Request) -> Response {
    // 307 keeps method and body: a client that follows it hands over the password
    let status = if request.method == "POST" { 307 } else { 302 };
    Response::html(status, "Found", &echo(state, request))
        .with("Location", &format!("{}{}", state.elsewhere_url, request.target))
}

fn error(status: u16, body: &ErrorBody, state: &State, request: &Request) -> Response {
    match body {
        ErrorBody::Bytes(bytes) => Response::new(status, "text/plain", bytes.clone()),
        ErrorBody::Json => error_json(status, &echo(state, request)),
        ErrorBody::ProxyPage => Response::html(status, "No server is available", &echo(state, request)),
        ErrorBody::TerminalEscapes => {
            let message =
                format!("\x1b]0;{}\x07\x1b[2J\x1b[1;1H\r\x1b[32mdone\x1b[0m\u{9b}1A", echo(state, request));
            error_json(status, &message)
        }
    }
}

/// Keystone's, Heat's and Swift's clients each look for the message in another member.
fn error_json(status: u16, message: &str) -> Response {
    let error =
        json!({ "code": status, "message": message, "title": message, "traceback": null, "type": message });
    Response::json(
        status,
        &json!({ "code": status, "error": error, "explanation": message, "title": message }),
    )
}

fn echo(state: &State, request: &Request) -> String {
    let token = request.header("x-auth-token").unwrap_or("none");
    format!("canary {} token {token} body {}", state.canary, String::from_utf8_lossy(&request.body))
}
