use md5::{Digest, Md5};
use reqwest::Url;

use crate::model::hex;
use crate::source::{Plan, Service, SourceError};

use super::http::{Answer, below, unexpected};
use super::keystone::Session;

const OBJECT: &str = "plan-environment.yaml";

/// Fetches and reads the plan, and holds it against its `ETag`.
pub(super) async fn plan(session: &Session<'_>, swift: &Url, plan: &str) -> Result<Plan, SourceError> {
    let url = below(swift, &[plan, OBJECT]);
    let answer = session.get(Service::Swift, url).await?;
    match answer.status {
        200 => {}
        404 => return Err(missing(session, swift, plan).await),
        status => return Err(unexpected(Service::Swift, status)),
    }
    if !is_whole(&answer) {
        return Err(SourceError::PlanDamaged);
    }
    // EXPOSE: parsed into secret values; the parser's errors carry no text
    answer.body.expose(|bytes| Plan::read(bytes, &format!("{plan}/{OBJECT}")))
}

/// An object's 404 does not say whether its container is there.
async fn missing(session: &Session<'_>, swift: &Url, plan: &str) -> SourceError {
    match session.head(Service::Swift, below(swift, &[plan])).await {
        Ok(answer) if answer.status == 404 => SourceError::ContainerNotFound { plan: plan.to_owned() },
        Ok(_) => SourceError::ObjectNotFound { plan: plan.to_owned() },
        Err(error) => error,
    }
}

/// Swift's `ETag` is the MD5 of the body, but for objects in segments (DLO, SLO): theirs is of something else.
fn is_whole(answer: &Answer) -> bool {
    let segmented =
        ["x-object-manifest", "x-static-large-object"].iter().any(|name| answer.header(name).is_some());
    let Some(etag) = answer.header("etag").filter(|_| !segmented) else { return true };
    // EXPOSE: hashed in place
    let computed = answer.body.expose(|bytes| hex(&Md5::digest(bytes)));
    computed.eq_ignore_ascii_case(etag.trim_matches('"'))
}
