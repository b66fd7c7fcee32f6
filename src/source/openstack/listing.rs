use crate::source::{Service, SourceError, Warning};

use super::cloud::CloudSettings;
use super::clouds_yaml::Clouds;
use super::keystone::Session;
use super::retry::Patience;
use super::variables::Variables;
use super::{Say, heat, say_route, swift, with_session};

/// A listing ends here: whoever has more knows a stack's name.
pub(super) const NAMES_AT_MOST: usize = 10_000;

/// What a service shows, and whether it has more.
#[derive(Debug)]
pub(super) struct Names<T> {
    pub(super) names: Vec<T>,
    pub(super) is_cut: bool,
}

/// What can be seen with a login. A service that shows nothing leaves the other one's part.
#[derive(Debug)]
#[non_exhaustive]
pub struct Listing {
    /// The Swift containers that are plans; `None` where the cloud has no Swift.
    pub plans: Option<Result<Vec<String>, SourceError>>,
    /// The stacks, each with its state.
    pub stacks: Result<Vec<(String, String)>, SourceError>,
}

/// The names of the clouds in clouds.yaml, sorted; none where there is no such file.
///
/// # Errors
///
/// [`SourceError::Login`], [`SourceError::Yaml`], [`SourceError::Json`] and [`SourceError::File`].
pub fn clouds(variables: &Variables) -> Result<Vec<String>, SourceError> {
    Ok(Clouds::read(&variables.clouds_files, &variables.secure_files)?.names())
}

/// Logs in, and looks what there is to pull.
///
/// # Errors
///
/// Any [`SourceError`] of the login; that of a service only when neither Heat nor Swift shows anything.
pub fn list(settings: &CloudSettings, say: Say<'_>) -> Result<Listing, SourceError> {
    let work = async |session: &Session<'_>, say: Say<'_>| look(session, settings, say).await;
    with_session(settings, Patience::USUAL, say, work)
}

async fn look(session: &Session<'_>, settings: &CloudSettings, say: Say<'_>) -> Result<Listing, SourceError> {
    let heat = session.endpoint(Service::Heat, settings);
    let swift = session.has(Service::Swift).then(|| session.endpoint(Service::Swift, settings));
    let places = [
        (Service::Heat, heat.as_ref().ok()),
        (Service::Swift, swift.as_ref().and_then(|swift| swift.as_ref().ok())),
    ];
    say_route(settings, &places, say);
    let stacks = async {
        match &heat {
            Ok(heat) => Some(heat::stacks(session, heat).await),
            Err(_) => None,
        }
    };
    let plans = async {
        match &swift {
            Some(Ok(swift)) => Some(Box::pin(swift::plans(session, swift)).await),
            Some(Err(_)) | None => None,
        }
    };
    let (stacks, plans) = tokio::join!(stacks, plans);
    let is_cut = matches!(&stacks, Some(Ok(shown)) if shown.is_cut)
        || matches!(&plans, Some(Ok(shown)) if shown.is_cut);
    if is_cut {
        say(Warning::ListingCut { most: NAMES_AT_MOST });
    }
    let stacks = match (stacks, heat) {
        (Some(stacks), _) => stacks.map(|shown| shown.names),
        (None, heat) => heat.map(|_| Vec::new()),
    };
    let plans = match (plans, swift) {
        (Some(plans), _) => Some(plans.map(|shown| shown.names)),
        (None, swift) => swift.map(|swift| swift.map(|_| Vec::new())),
    };
    match (stacks, plans) {
        (Err(error), None | Some(Err(_))) => Err(error),
        (stacks, plans) => Ok(Listing { plans, stacks }),
    }
}
