//! A harvest from Keystone, Heat and Swift: one token, the outputs and the plan at the same time.
//!
//! It is the only place that is asynchronous. Each body goes straight into a wiped buffer, and nothing secret is held
//! across an `await` but the token, which every request needs.
//!
//! # What this does not do
//!
//! hyper and rustls keep a response's last bytes in their own buffers until the client is dropped, which is before
//! [`pull`] returns.

mod barbican;
mod cloud;
mod clouds_yaml;
mod heat;
mod http;
mod keystone;
mod swift;

use std::path::PathBuf;

use crate::fs;
use crate::json;
use crate::model::{EnvironmentFile, Origin, SecretOrigin, SourceKind};

use super::plan::is_masked;
use super::{Harvest, Holds, Layer, Output, Plan, Service, SourceError, Warning};

pub use barbican::{BarbicanError, BarbicanReference};
pub use cloud::{CloudSettings, Variables};

use self::heat::{Stack, StackState};
use self::http::Http;
use self::keystone::Session;
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
    /// Where config-download has left `group_vars/overcloud.json`: from Train on, instead of `AllNodesConfig`.
    pub config_download_dir: Option<PathBuf>,
    /// What Barbican is asked for.
    pub barbican: Vec<BarbicanReference>,
    /// Whether to do without what the stack does not have.
    pub allow_incomplete: bool,
}

/// What can be pulled with a login.
#[derive(Debug)]
#[non_exhaustive]
pub struct Listing {
    /// The Swift containers that are plans; `None` where the cloud has no Swift.
    pub plans: Option<Vec<String>>,
    /// The stacks, each with its state.
    pub stacks: Vec<(String, String)>,
}

impl Wanted {
    /// The stack of this name with its plan; TripleO gives both the same name unless told otherwise.
    #[must_use]
    pub const fn new(stack: String, plan: String, config_download_dir: Option<PathBuf>) -> Self {
        Self { stack, plan, config_download_dir, barbican: Vec::new(), allow_incomplete: false }
    }
}

/// Logs in, fetches the plan and the outputs, and revokes the token.
///
/// # Errors
///
/// Any [`SourceError`]: a harvest is whole, or there is none.
pub fn pull(settings: &CloudSettings, wanted: &Wanted) -> Result<Harvest, SourceError> {
    let (mut harvest, revoked) =
        with_session(settings, async |session| gather(session, settings, wanted).await)?;
    if !revoked {
        harvest.warnings.push(Warning::TokenNotRevoked);
    }
    Ok(harvest)
}

/// Logs in, and looks what there is to pull.
///
/// # Errors
///
/// Any [`SourceError`].
pub fn list(settings: &CloudSettings) -> Result<Listing, SourceError> {
    let look = async |session: &Session<'_>| {
        let stacks = heat::stacks(session, &session.endpoint(Service::Heat, settings)?).await?;
        let plans = if session.has(Service::Swift) {
            Some(swift::plans(session, &session.endpoint(Service::Swift, settings)?).await?)
        } else {
            None
        };
        Ok(Listing { plans, stacks })
    };
    Ok(with_session(settings, look)?.0)
}

/// What `work` makes of a login, and whether its token could be revoked.
fn with_session<T>(
    settings: &CloudSettings,
    work: impl AsyncFnOnce(&Session<'_>) -> Result<T, SourceError>,
) -> Result<(T, bool), SourceError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|_| SourceError::Setup { reason: "no asynchronous runtime" })?;
    runtime.block_on(async {
        let http = Http::new(settings)?;
        let session = keystone::login(&http, settings).await?;
        let done = work(&session).await;
        let revoked = session.revoke().await;
        Ok((done?, revoked))
    })
}

/// Gathers until nothing has changed in between: passwords of one update and outputs of another do not fit.
async fn gather(
    session: &Session<'_>,
    settings: &CloudSettings,
    wanted: &Wanted,
) -> Result<Harvest, SourceError> {
    let heat = session.endpoint(Service::Heat, settings)?;
    let swift =
        session.has(Service::Swift).then(|| session.endpoint(Service::Swift, settings)).transpose()?;
    let barbican =
        if wanted.barbican.is_empty() { None } else { Some(session.endpoint(Service::Barbican, settings)?) };
    let places = [
        (Service::Keystone, Some(&settings.auth_url)),
        (Service::Heat, Some(&heat)),
        (Service::Swift, swift.as_ref()),
        (Service::Barbican, barbican.as_ref()),
    ];
    let in_clear = places.into_iter().filter(|(_, url)| url.is_some_and(|url| url.scheme() == "http"));
    let services: Vec<Service> = in_clear.map(|(service, _)| service).collect();
    let unencrypted = (!services.is_empty()).then_some(Warning::Unencrypted { services });
    let found = match &swift {
        Some(swift) => gather_with_plan(session, &heat, swift, wanted).await?,
        None => gather_from_heat(session, &heat, wanted).await?,
    };
    let Gathered { state, mut plan, outputs, warnings } = found;
    if let Some(barbican) = &barbican {
        let kept = barbican::fetch(session, barbican, &wanted.barbican).await?;
        plan.layers.push(Layer::new(SecretOrigin::Barbican, Holds::Secrets, kept));
    }
    let origin = Origin {
        auth_url: Some(settings.auth_url.to_string()),
        region: settings.region.clone(),
        project: session.project.clone(),
        plan: swift.map(|_| wanted.plan.clone()),
        stack: Some(wanted.stack.clone()),
        stack_id: Some(state.id),
        stack_status: Some(state.status),
        stack_updated: state.updated,
        ..Origin::of(SourceKind::Openstack)
    };
    let warnings = settings.warnings().into_iter().chain(unencrypted).chain(warnings).collect();
    Ok(Harvest { origin, plan, outputs, warnings })
}

/// What the stack and the plan have.
struct Gathered {
    state: StackState,
    plan: Plan,
    outputs: Vec<Output>,
    warnings: Vec<Warning>,
}

async fn gather_with_plan(
    session: &Session<'_>,
    heat: &reqwest::Url,
    swift: &reqwest::Url,
    wanted: &Wanted,
) -> Result<Gathered, SourceError> {
    let container = Container::new(session, swift, &wanted.plan);
    for _ in 0..READINGS {
        let (stored, shown) = tokio::join!(container.plan(), outputs(session, heat, wanted));
        // Of two errors always the same one first, whoever answers sooner
        let (_, state, outputs, warnings) = shown?;
        let stored = stored?;
        if container.still_holds(&stored).await? {
            return Ok(Gathered { state, plan: stored.plan, outputs, warnings });
        }
    }
    Err(SourceError::PlanChanging { plan: wanted.plan.clone(), times: READINGS })
}

/// Where there is no Swift, as from early Wallaby on, the stack's environment has the passwords.
async fn gather_from_heat(
    session: &Session<'_>,
    heat: &reqwest::Url,
    wanted: &Wanted,
) -> Result<Gathered, SourceError> {
    let (stack, state, outputs, warnings) = outputs(session, heat, wanted).await?;
    Ok(Gathered { state, plan: stack.plan().await?, outputs, warnings })
}

async fn outputs<'a>(
    session: &'a Session<'a>,
    heat: &reqwest::Url,
    wanted: &'a Wanted,
) -> Result<(Stack<'a>, StackState, Vec<Output>, Vec<Warning>), SourceError> {
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
    let mut warnings = Vec::new();
    let mut without = |error: SourceError| {
        if !wanted.allow_incomplete || !error.is_of_an_incomplete_stack() {
            return Err(error);
        }
        warnings.push(Warning::Incomplete { what: error.to_string() });
        Ok(())
    };
    state.check(&wanted.stack).or_else(&mut without)?;
    let shown = [
        (EnvironmentFile::EndpointMap, endpoints),
        (EnvironmentFile::AllNodes, nodes),
        (EnvironmentFile::GlobalConfig, config),
        (EnvironmentFile::HostEntries, hosts),
    ];
    let mut outputs = Vec::new();
    for (file, value) in shown {
        match value {
            Ok(value) => outputs.push(Output { file, value }),
            Err(error) => without(error)?,
        }
    }
    Ok((stack, state, outputs, warnings))
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
