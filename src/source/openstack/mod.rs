//! A harvest from Keystone, Heat and Swift: one token, the outputs and the plan at the same time.
//!
//! It is the only place that is asynchronous. Each body goes straight into a wiped buffer, and nothing secret is held
//! across an `await` but the token, which every request needs.
//!
//! # What this does not do
//!
//! hyper and rustls keep a response's last bytes in their own buffers until the client is dropped, which is before
//! [`pull`] returns.

mod auth;
mod barbican;
mod cloud;
mod clouds_yaml;
mod describe;
mod discovery;
mod failure;
mod heat;
mod http;
mod keystone;
mod listing;
mod login_error;
mod place;
mod profile;
mod proxy;
mod retry;
mod scope;
mod setting;
mod swift;
mod tls;
mod variables;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::model::{Data, EnvironmentFile, Origin, SecretOrigin, SourceKind};

use super::config_download::ConfigDownload;
use super::incomplete::Incomplete;
use super::release::export_settings;
use super::{
    Harvest, Holds, Layer, Layout, Note, Output, Places, Plan, Release, Service, SourceError, Warning,
};

pub use barbican::{BarbicanError, BarbicanReference};
pub use cloud::{CloudSettings, Credential};
pub use listing::{Listing, clouds, list};
pub use login_error::LoginError;
pub use proxy::{Proxies, ProxyError};
pub use variables::Variables;

use self::heat::{Stack, StackState};
use self::http::Http;
use self::keystone::Session;
use self::retry::Patience;
use self::swift::Container;

/// How often a plan that changes is read.
const READINGS: usize = 3;

/// What to pull.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wanted {
    /// The control plane's stack.
    pub stack: String,
    /// The Swift container of its plan.
    pub plan: String,
    /// The release, where somebody says it.
    pub release: Option<Release>,
    /// Where config-download has left `group_vars/overcloud.json`: from Train on, instead of `AllNodesConfig`.
    pub config_download_dir: Option<PathBuf>,
    /// Where it is looked for otherwise.
    pub places: Places,
    /// What Barbican is asked for.
    pub barbican: Vec<BarbicanReference>,
    /// Whether to do without what the stack does not have.
    pub allow_incomplete: bool,
}

impl Wanted {
    /// The stack of this name with its plan; TripleO gives both the same name unless told otherwise.
    #[must_use]
    pub const fn new(stack: String, plan: String, places: Places) -> Self {
        Self {
            stack,
            plan,
            release: None,
            config_download_dir: None,
            places,
            barbican: Vec::new(),
            allow_incomplete: false,
        }
    }
}

/// Is told at once what the person at the keyboard should know of the way to the cloud: also when nothing comes of it.
pub type Say<'a> = &'a mut dyn FnMut(Warning);

/// Logs in, fetches the plan and the outputs, and revokes the token.
///
/// # Errors
///
/// Any [`SourceError`]: a harvest is whole, or there is none.
pub fn pull(settings: &CloudSettings, wanted: &Wanted, say: Say<'_>) -> Result<Harvest, SourceError> {
    let work =
        async |session: &Session<'_>, say: Say<'_>| Box::pin(gather(session, settings, wanted, say)).await;
    with_session(settings, Patience::USUAL, say, work)
}

/// What `work` makes of a login, if it is done in time.
fn with_session<T>(
    settings: &CloudSettings,
    patience: Patience,
    say: Say<'_>,
    work: impl AsyncFnOnce(&Session<'_>, Say<'_>) -> Result<T, SourceError>,
) -> Result<T, SourceError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|_| SourceError::Setup { reason: "no asynchronous runtime" })?;
    runtime.block_on(async {
        let http = Http::new(settings, patience)?;
        settings.warnings().into_iter().for_each(&mut *say);
        say_route(settings, &[(Service::Keystone, settings.auth_url.as_ref())], say);
        let done = match keystone::login(&http, settings, say).await {
            Ok(session) => {
                // Not around the login, whose token would be lost, nor around its end
                let done = tokio::time::timeout(patience.all, work(&session, say)).await;
                session.revoke(say).await;
                done.unwrap_or(Err(SourceError::TooSlow { seconds: patience.all.as_secs() }))
            }
            Err(error) => Err(error),
        };
        http.warnings().into_iter().for_each(say);
        done
    })
}

/// Gathers until nothing has changed in between: passwords of one update and outputs of another do not fit.
async fn gather(
    session: &Session<'_>,
    settings: &CloudSettings,
    wanted: &Wanted,
    say: Say<'_>,
) -> Result<Harvest, SourceError> {
    let heat = session.endpoint(Service::Heat, settings)?;
    let swift =
        session.has(Service::Swift).then(|| session.endpoint(Service::Swift, settings)).transpose()?;
    let barbican =
        if wanted.barbican.is_empty() { None } else { Some(session.endpoint(Service::Barbican, settings)?) };
    let places = [
        (Service::Heat, Some(&heat)),
        (Service::Swift, swift.as_ref()),
        (Service::Barbican, barbican.as_ref()),
    ];
    say_route(settings, &places, say);
    let is_by_plan =
        |_: &&reqwest::Url| wanted.release.is_none_or(|release| release.layout() != Layout::WorkingDirectory);
    let swift = swift.as_ref().filter(is_by_plan);
    let found = match swift {
        Some(swift) => Box::pin(gather_with_plan(session, &heat, swift, wanted)).await?,
        None => gather_from_heat(session, &heat, wanted).await?,
    };
    let (mut plan, shown) = found;
    if let Some(barbican) = &barbican {
        let kept = barbican::fetch(session, barbican, &wanted.barbican).await?;
        plan.layers.push(Layer::new(SecretOrigin::Barbican, Holds::Secrets, kept));
    }
    let layout = match (wanted.release, swift) {
        (Some(release), _) => release.layout(),
        (None, None) => Layout::WorkingDirectory,
        (None, Some(_)) if shown.has_all_nodes_output => Layout::Outputs,
        (None, Some(_)) => Layout::ConfigDownload,
    };
    let release = layout.known_as(wanted.release);
    let mut notes = vec![Note::Release { name: release.clone(), forced: wanted.release.is_some() }];
    notes.extend(shown.all_nodes_file.map(|path| Note::AllNodes { path }));
    // While Heat was a service, no export named a cloud yet
    let auth_cloud_name = (wanted.release == Some(Release::Zed)).then_some(wanted.stack.as_str());
    let origin = Origin {
        auth_url: settings.auth_url.as_ref().map(ToString::to_string),
        region: settings.region.clone(),
        project: session.project.clone(),
        plan: swift.map(|_| wanted.plan.clone()),
        stack: Some(wanted.stack.clone()),
        stack_id: Some(shown.state.id),
        stack_status: Some(shown.state.status),
        stack_updated: shown.state.updated,
        release: Some(release),
        ..Origin::of(SourceKind::Openstack)
    };
    Ok(Harvest {
        origin,
        plan,
        outputs: shown.outputs,
        settings: export_settings(layout, wanted.release, auth_cloud_name),
        notes,
        warnings: shown.warnings,
    })
}

/// Says what stands between us and those that are asked next, before they are.
fn say_route(settings: &CloudSettings, places: &[(Service, Option<&reqwest::Url>)], say: Say<'_>) {
    let places: Vec<_> = places.iter().filter_map(|(service, url)| Some((service, (*url)?))).collect();
    let mut by_proxy: BTreeMap<String, Vec<Service>> = BTreeMap::new();
    for (service, url) in &places {
        // One that cannot be used is the error of the request
        if let Ok(Some(proxy)) = settings.proxies.host_for(url) {
            by_proxy.entry(proxy).or_default().push(**service);
        }
    }
    let through = by_proxy.into_iter().map(|(proxy, services)| Warning::Proxied { proxy, services });
    let in_clear = places.iter().filter(|(_, url)| url.scheme() == "http");
    let services: Vec<Service> = in_clear.map(|(service, _)| **service).collect();
    let unencrypted = (!services.is_empty()).then_some(Warning::Unencrypted { services });
    through.chain(unencrypted).for_each(say);
}

/// What the stack shows.
struct Shown {
    state: StackState,
    outputs: Vec<Output>,
    /// Whether the nodes' data were in one.
    has_all_nodes_output: bool,
    /// Where they were otherwise.
    all_nodes_file: Option<PathBuf>,
    warnings: Vec<Warning>,
}

async fn gather_with_plan(
    session: &Session<'_>,
    heat: &reqwest::Url,
    swift: &reqwest::Url,
    wanted: &Wanted,
) -> Result<(Plan, Shown), SourceError> {
    let container = Container::new(session, swift, &wanted.plan);
    for _ in 0..READINGS {
        let (stored, shown) = tokio::join!(container.plan(), outputs(session, heat, wanted));
        // Of two errors always the same one first, whoever answers sooner
        let (_, shown) = shown?;
        let stored = stored?;
        if container.still_holds(&stored).await? {
            return Ok((stored.plan, shown));
        }
    }
    Err(SourceError::PlanChanging { plan: wanted.plan.clone(), times: READINGS })
}

/// Where there is no Swift, as from early Wallaby on, the stack's environment has the passwords.
async fn gather_from_heat(
    session: &Session<'_>,
    heat: &reqwest::Url,
    wanted: &Wanted,
) -> Result<(Plan, Shown), SourceError> {
    let (stack, shown) = outputs(session, heat, wanted).await?;
    Ok((stack.plan().await?, shown))
}

async fn outputs<'a>(
    session: &'a Session<'a>,
    heat: &reqwest::Url,
    wanted: &'a Wanted,
) -> Result<(Stack<'a>, Shown), SourceError> {
    let stack = Stack::find(session, heat, &wanted.stack).await?;
    let (state, endpoints, nodes, config, hosts) = tokio::join!(
        stack.state(),
        stack.output_for(EnvironmentFile::EndpointMap),
        all_nodes(&stack, wanted),
        stack.output_for(EnvironmentFile::GlobalConfig),
        stack.output_for(EnvironmentFile::HostEntries),
    );
    // The state first: it is the reason when an output of an unfinished stack is null
    let state = state?;
    let mut incomplete = Incomplete::new(wanted.allow_incomplete);
    incomplete.without(state.check(&wanted.stack))?;
    let has_all_nodes_output = matches!(&nodes, Ok((_, None)) | Err(SourceError::OutputUnusable { .. }));
    let mut all_nodes_file = None;
    let nodes = nodes.map(|(value, file)| {
        all_nodes_file = file;
        value
    });
    let shown = [
        (EnvironmentFile::EndpointMap, endpoints),
        (EnvironmentFile::AllNodes, nodes),
        (EnvironmentFile::GlobalConfig, config),
        (EnvironmentFile::HostEntries, hosts),
    ];
    let mut outputs = Vec::new();
    for (file, value) in shown {
        outputs.extend(incomplete.without(value)?.map(|value| Output { file, value }));
    }
    let mut warnings = incomplete.warnings;
    let old = all_nodes_file.iter().filter(|path| state.has_changed_since(path));
    warnings.extend(old.map(|path| Warning::AllNodesOld { path: path.clone() }));
    Ok((stack, Shown { state, outputs, has_all_nodes_output, all_nodes_file, warnings }))
}

/// The nodes' data, and the file that they were in: up to Stein they are an output, then a file of config-download.
async fn all_nodes(stack: &Stack<'_>, wanted: &Wanted) -> Result<(Data, Option<PathBuf>), SourceError> {
    let is_output = match wanted.release {
        Some(release) => release.layout() == Layout::Outputs,
        None => wanted.config_download_dir.is_none(),
    };
    if is_output {
        match stack.output_for(EnvironmentFile::AllNodes).await {
            Err(SourceError::OutputNotFound { .. }) if wanted.release.is_none() => {}
            shown => return Ok((shown?, None)),
        }
    }
    let given = wanted.config_download_dir.as_deref();
    let search =
        ConfigDownload { stack: &wanted.stack, given, release: wanted.release, places: &wanted.places };
    let (value, path) = search.all_nodes()?;
    Ok((value, Some(path)))
}

#[cfg(test)]
mod tests;
