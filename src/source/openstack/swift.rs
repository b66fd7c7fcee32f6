use std::cell::{Cell, RefCell};

use md5::{Digest, Md5};
use reqwest::Url;
use serde::Deserialize;

use crate::model::{Data, hex};
use crate::source::plan::{Layer, defaults_of, users_file};
use crate::source::{Plan, Service, SourceError};
use crate::yaml;

use super::http::{Answer, below};
use super::keystone::Session;
use super::listing::{NAMES_AT_MOST, Names};

const PAGES_AT_MOST: usize = 200;
const OBJECT: &str = "plan-environment.yaml";

const FILES_AT_MOST: usize = 256;
const FILES_AT_MOST_MIB: usize = 16;

/// What is left for a plan's environment files.
struct Room {
    files: usize,
    bytes: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { files: FILES_AT_MOST, bytes: FILES_AT_MOST_MIB * 1024 * 1024 }
    }
}

/// A plan as it was at one moment.
pub(super) struct StoredPlan {
    pub(super) plan: Plan,
    version: Option<String>,
}

/// A plan's container: Swift calls a plan by its name.
pub(super) struct Container<'a> {
    session: &'a Session<'a>,
    url: Url,
    name: &'a str,
}

impl<'a> Container<'a> {
    pub(super) fn new(session: &'a Session<'a>, swift: &Url, name: &'a str) -> Self {
        Self { session, url: below(swift, &[name]), name }
    }

    /// Fetches and reads the plan, holds it against its `ETag`, and adds what its environment files set.
    pub(super) async fn plan(&self) -> Result<StoredPlan, SourceError> {
        let (mut plan, environments, version) = self.plan_itself().await?;
        let (mut set, mut room) = (Vec::new(), Room::default());
        for environment in environments {
            if let Some((content, name)) = self.environment(environment, &mut room).await? {
                set.extend(defaults_of(content, &name)?);
            }
        }
        // What a plan's environment files set, it sets before everything else
        plan.layers.insert(0, Layer::settings(set));
        Ok(StoredPlan { plan, version })
    }

    // Apart, so that the answer is gone before the next one comes
    async fn plan_itself(&self) -> Result<(Plan, Vec<Data>, Option<String>), SourceError> {
        let answer = self.object(OBJECT).await?;
        let version = answer.header("etag").map(str::to_owned);
        let name = self.path_of(OBJECT);
        // EXPOSE: parsed into secret values; the parser's errors carry no text
        let (plan, environments) = answer.body.expose(|bytes| Plan::read_with_environments(bytes, &name))?;
        Ok((plan, environments, version))
    }

    /// Whether the plan is still the one that was read. Without an `ETag` nobody can tell.
    pub(super) async fn still_holds(&self, plan: &StoredPlan) -> Result<bool, SourceError> {
        let answer = self.session.head(Service::Swift, below(&self.url, &[OBJECT])).await?;
        match answer.status {
            200..=204 => Ok(plan.version.is_none() || plan.version.as_deref() == answer.header("etag")),
            404 => Ok(false),
            _ => Err(answer.unexpected(Service::Swift)),
        }
    }

    /// One of the plan's environments: its `data`, or the file at its `path` where users put theirs. The rest is
    /// `TripleO`'s own, and sets no secret.
    async fn environment(
        &self,
        mut listed: Data,
        room: &mut Room,
    ) -> Result<Option<(Data, String)>, SourceError> {
        if let Some(data) = listed.take_from("data") {
            return Ok(Some((data, self.path_of(OBJECT))));
        }
        let Some(Data::Scalar(path)) = listed.take_from("path") else { return Ok(None) };
        let Some(path) = users_file(&path.text) else { return Ok(None) };
        let crowded = || SourceError::PlanCrowded {
            plan: self.name.to_owned(),
            files: FILES_AT_MOST,
            mib: FILES_AT_MOST_MIB,
        };
        room.files = room.files.checked_sub(1).ok_or_else(crowded)?;
        let answer = self.object(&path).await?;
        room.bytes = room.bytes.checked_sub(answer.body.len()).ok_or_else(crowded)?;
        let name = self.path_of(&path);
        // EXPOSE: parsed into secret values; the parser's errors carry no text
        let content = answer.body.expose(|bytes| yaml::read(bytes, &name))?;
        Ok(Some((content, name)))
    }

    async fn object(&self, object: &str) -> Result<Answer, SourceError> {
        let segments: Vec<&str> = object.split('/').collect();
        let answer = self.session.get(Service::Swift, below(&self.url, &segments)).await?;
        match answer.status {
            200 if is_whole(&answer) => Ok(answer),
            200 => Err(SourceError::PlanDamaged { object: self.path_of(object) }),
            404 => Err(self.missing(object).await),
            _ => Err(answer.unexpected(Service::Swift)),
        }
    }

    /// An object's 404 does not say whether its container is there.
    async fn missing(&self, object: &str) -> SourceError {
        match self.session.head(Service::Swift, self.url.clone()).await {
            Ok(answer) if answer.status == 404 => {
                SourceError::ContainerNotFound { plan: self.name.to_owned() }
            }
            Ok(_) => SourceError::ObjectNotFound { plan: self.name.to_owned(), object: object.to_owned() },
            Err(error) => error,
        }
    }

    fn path_of(&self, object: &str) -> String {
        format!("{}/{object}", self.name)
    }
}

/// The containers that `TripleO` has marked as plans.
pub(super) async fn plans(session: &Session<'_>, swift: &Url) -> Result<Names<String>, SourceError> {
    let Names { names, is_cut } = containers(session, swift).await?;
    let (next, plans) = (Cell::new(0), RefCell::new(Vec::new()));
    // On one thread, so that nothing is locked: each takes the next name when its last answer is there
    let look = async || {
        while let Some(name) = names.get(next.replace(next.get() + 1)) {
            let answer = session.head(Service::Swift, below(swift, &[name])).await?;
            if answer.header("x-container-meta-usage-tripleo") == Some("plan") {
                plans.borrow_mut().push(name.clone());
            }
        }
        Ok::<(), SourceError>(())
    };
    tokio::try_join!(look(), look(), look(), look(), look(), look(), look(), look())?;
    let mut plans = plans.into_inner();
    plans.sort();
    Ok(Names { names: plans, is_cut })
}

/// The containers whose name may be a plan's, page by page, and no more than so many. How long a page is, the server says; the last one is empty.
async fn containers(session: &Session<'_>, swift: &Url) -> Result<Names<String>, SourceError> {
    let mut names: Vec<String> = Vec::new();
    let (mut marker, mut is_cut) = (String::new(), true);
    for _ in 0..PAGES_AT_MOST {
        let mut url = swift.clone();
        url.query_pairs_mut().append_pair("format", "json").append_pair("marker", &marker);
        let answer = session.get(Service::Swift, url).await?;
        let page: Vec<Listed> = match answer.status {
            // EXPOSE: only names are read from it
            200 => answer.body.expose(|bytes| serde_json::from_slice(bytes)).map_err(|_| {
                SourceError::BadAnswer { service: Service::Swift, expected: "a list of containers" }
            })?,
            204 => Vec::new(),
            _ => return Err(answer.unexpected(Service::Swift)),
        };
        match page.last() {
            Some(last) if last.name > marker => marker.clone_from(&last.name),
            // Empty, or the same again
            _ => {
                is_cut = false;
                break;
            }
        }
        names.extend(page.into_iter().map(|listed| listed.name).filter(|name| is_plans_name(name)));
        if names.len() > NAMES_AT_MOST {
            names.truncate(NAMES_AT_MOST);
            break;
        }
    }
    Ok(Names { names, is_cut })
}

/// A plan's name is a stack's; other containers need not be asked about.
fn is_plans_name(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
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

#[derive(Deserialize)]
struct Listed {
    name: String,
}
