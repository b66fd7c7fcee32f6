//! A harvest from Keystone, Heat and Swift: one token, the outputs and the plan at the same time.
//!
//! It is the only place that is asynchronous. Each body goes straight into a wiped buffer, and nothing secret is held
//! across an `await` but the token, which every request needs.
//!
//! # What this does not do
//!
//! hyper and rustls keep a response's last bytes in their own buffers until the client is dropped, which is before
//! [`pull`] returns.

mod cloud;
mod clouds_yaml;
mod heat;
mod http;
mod keystone;
mod swift;

use std::path::PathBuf;

use crate::fs;
use crate::json;
use crate::model::{EnvironmentFile, Origin, SourceKind};

use super::plan::is_masked;
use super::{Harvest, Output, Service, SourceError, Warning};

pub use cloud::{CloudSettings, Variables};

use self::heat::{Stack, StackState};
use self::http::Http;
use self::keystone::Session;

/// What to pull.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wanted {
    /// The control plane's stack.
    pub stack: String,
    /// The Swift container of its plan.
    pub plan: String,
    /// Where config-download has left `group_vars/overcloud.json`: from Train on, instead of `AllNodesConfig`.
    pub config_download_dir: Option<PathBuf>,
}

impl Wanted {
    /// The stack of this name with its plan; TripleO gives both the same name unless told otherwise.
    #[must_use]
    pub const fn new(stack: String, plan: String, config_download_dir: Option<PathBuf>) -> Self {
        Self { stack, plan, config_download_dir }
    }
}

/// Logs in, fetches the plan and the outputs, and revokes the token.
///
/// # Errors
///
/// Any [`SourceError`]: a harvest is whole, or there is none.
pub fn pull(settings: &CloudSettings, wanted: &Wanted) -> Result<Harvest, SourceError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|_| SourceError::Setup { reason: "no asynchronous runtime" })?;
    runtime.block_on(async {
        let http = Http::new(settings)?;
        let session = keystone::login(&http, settings).await?;
        let gathered = gather(&session, settings, wanted).await;
        let revoked = session.revoke().await;
        let mut harvest = gathered?;
        if !revoked {
            harvest.warnings.push(Warning::TokenNotRevoked);
        }
        Ok(harvest)
    })
}

async fn gather(
    session: &Session<'_>,
    settings: &CloudSettings,
    wanted: &Wanted,
) -> Result<Harvest, SourceError> {
    let heat = session.endpoint(Service::Heat, settings)?;
    let swift = session.endpoint(Service::Swift, settings)?;
    let mut warnings: Vec<Warning> = settings.warnings();
    let asked = [(Service::Keystone, &settings.auth_url), (Service::Heat, &heat), (Service::Swift, &swift)];
    let in_clear = asked.into_iter().filter(|(_, url)| url.scheme() == "http");
    let services: Vec<Service> = in_clear.map(|(service, _)| service).collect();
    if !services.is_empty() {
        warnings.push(Warning::Unencrypted { services });
    }
    let (plan, outputs) =
        tokio::join!(swift::plan(session, &swift, &wanted.plan), outputs(session, &heat, wanted),);
    // Of two errors always the same one first, whoever answers sooner
    let (state, outputs) = outputs?;
    let plan = plan?;
    let origin = Origin {
        auth_url: Some(settings.auth_url.to_string()),
        region: settings.region.clone(),
        project: session.project.clone(),
        plan: Some(wanted.plan.clone()),
        stack: Some(wanted.stack.clone()),
        stack_id: Some(state.id),
        stack_status: Some(state.status),
        stack_updated: state.updated,
        ..Origin::of(SourceKind::Openstack)
    };
    Ok(Harvest { origin, plan, outputs, warnings })
}

async fn outputs(
    session: &Session<'_>,
    heat: &reqwest::Url,
    wanted: &Wanted,
) -> Result<(StackState, Vec<Output>), SourceError> {
    let stack = Stack::find(session, heat, &wanted.stack).await?;
    let (state, endpoints, nodes, config, hosts) = tokio::join!(
        stack.state(),
        stack.output("EndpointMap"),
        all_nodes(&stack, wanted),
        stack.output("GlobalConfig"),
        stack.output("HostsEntry"),
    );
    // The state first: it is the reason when an output of an unfinished stack is null
    let state = state?;
    let outputs = [
        (EnvironmentFile::EndpointMap, endpoints),
        (EnvironmentFile::AllNodes, nodes),
        (EnvironmentFile::GlobalConfig, config),
        (EnvironmentFile::HostEntries, hosts),
    ];
    let outputs = outputs.into_iter().map(|(file, value)| Ok(Output { file, value: value? }));
    Ok((state, outputs.collect::<Result<_, SourceError>>()?))
}

async fn all_nodes(stack: &Stack<'_>, wanted: &Wanted) -> Result<crate::model::Data, SourceError> {
    let Some(directory) = &wanted.config_download_dir else { return stack.output("AllNodesConfig").await };
    let below = |base: PathBuf| base.join("group_vars").join("overcloud.json");
    // Train's directory is the stack's own, a later release's holds one for each stack
    let candidates = [below(directory.clone()), below(directory.join(&wanted.stack))];
    let path = candidates.iter().find(|path| path.is_file()).unwrap_or(&candidates[0]);
    let text = fs::read_secret(path)?;
    // EXPOSE: parsed into secret values; the error carries no text
    let value = text.expose(|bytes| json::read(bytes, &path.display().to_string()))?;
    if is_masked(&value) {
        return Err(SourceError::OutputMasked { stack: wanted.stack.clone(), output: "AllNodesConfig" });
    }
    Ok(value)
}
