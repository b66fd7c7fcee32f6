use std::fmt;
use std::path::{Path, PathBuf};

use crate::model::{Data, Kind, ParameterName, Scalar};
use crate::secret::SecretValue;

/// The releases whose ways are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Release {
    /// 2018.
    Queens,
    /// 2018.
    Rocky,
    /// 2019.
    Stein,
    /// 2019.
    Train,
    /// 2020.
    Ussuri,
    /// 2020.
    Victoria,
    /// 2021.
    Wallaby,
    /// 2022, the last.
    Zed,
}

/// Where a release keeps what a site needs. This can be seen from outside; the release itself cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Layout {
    /// The plan in Swift, all four outputs in Heat: Stein and before.
    Outputs,
    /// The plan in Swift, three outputs in Heat, `AllNodesConfig` in a file: Train to Victoria.
    ConfigDownload,
    /// Files alone; early on the stack's environment in Heat: Wallaby and later.
    WorkingDirectory,
}

/// Where deployments leave their files on this host, unless told otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Places {
    /// Train's: `/var/lib/mistral`, with a directory for each stack.
    pub mistral: PathBuf,
    /// The home of the user who deploys, for later releases.
    pub home: Option<PathBuf>,
}

impl Release {
    /// All of them, the oldest first.
    pub const ALL: [Self; 8] = [
        Self::Queens,
        Self::Rocky,
        Self::Stein,
        Self::Train,
        Self::Ussuri,
        Self::Victoria,
        Self::Wallaby,
        Self::Zed,
    ];

    /// Its name, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queens => "queens",
            Self::Rocky => "rocky",
            Self::Stein => "stein",
            Self::Train => "train",
            Self::Ussuri => "ussuri",
            Self::Victoria => "victoria",
            Self::Wallaby => "wallaby",
            Self::Zed => "zed",
        }
    }

    /// Its name, as people write it.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Queens => "Queens",
            Self::Rocky => "Rocky",
            Self::Stein => "Stein",
            Self::Train => "Train",
            Self::Ussuri => "Ussuri",
            Self::Victoria => "Victoria",
            Self::Wallaby => "Wallaby",
            Self::Zed => "Zed",
        }
    }

    /// The release of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|release| release.name() == name)
    }

    /// Where it keeps things.
    #[must_use]
    pub const fn layout(self) -> Layout {
        match self {
            Self::Queens | Self::Rocky | Self::Stein => Layout::Outputs,
            Self::Train | Self::Ussuri | Self::Victoria => Layout::ConfigDownload,
            Self::Wallaby | Self::Zed => Layout::WorkingDirectory,
        }
    }
}

impl Layout {
    /// What to call it where somebody may have said the release.
    pub(super) fn known_as(self, release: Option<Release>) -> String {
        release.map_or_else(|| self.to_string(), |release| release.name().to_owned())
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Outputs => "stein or before",
            Self::ConfigDownload => "train to victoria",
            Self::WorkingDirectory => "wallaby or later",
        })
    }
}

impl Places {
    /// `TripleO`'s own, with this home.
    #[must_use]
    pub fn with_home(home: Option<PathBuf>) -> Self {
        Self { mistral: PathBuf::from("/var/lib/mistral"), home }
    }

    /// The working directory of `stack`, from Wallaby on.
    #[must_use]
    pub fn working_dir(&self, stack: &str) -> Option<PathBuf> {
        Some(self.working_dirs()?.join(stack))
    }

    /// Where the working directories of all stacks are.
    pub(super) fn working_dirs(&self) -> Option<PathBuf> {
        Some(self.home.as_ref()?.join("overcloud-deploy"))
    }

    /// Where config-download leaves its files for `stack`: in each release's place, or in that of `release` alone.
    pub(super) fn config_download(&self, stack: &str, release: Option<Release>) -> Vec<PathBuf> {
        let is_asked = |releases: &[Release]| release.is_none_or(|release| releases.contains(&release));
        let mut places = Vec::new();
        if is_asked(&[Release::Train]) {
            places.push(self.mistral.join(stack));
        }
        if let (true, Some(home)) = (is_asked(&[Release::Ussuri, Release::Victoria]), &self.home) {
            places.push(home.join("config-download").join(stack));
        }
        if let (true, Some(directory)) =
            (is_asked(&[Release::Wallaby, Release::Zed]), self.working_dir(stack))
        {
            places.push(config_download_in(&directory, stack));
        }
        places
    }
}

/// Where config-download leaves its files in a working directory.
pub(super) fn config_download_in(working_dir: &Path, stack: &str) -> PathBuf {
    working_dir.join("config-download").join(stack)
}

/// What the release's own `overcloud export` adds to what it exports: no second entries for the centre's VIPs
/// (LP#1911792; Ussuri alone never got it), and from Wallaby on whose cloud is authenticated against.
pub(super) fn export_settings(
    layout: Layout,
    release: Option<Release>,
    auth_cloud_name: Option<&str>,
) -> Vec<(ParameterName, Data)> {
    let mut settings = Vec::new();
    if layout != Layout::Outputs && release != Some(Release::Ussuri) {
        let off = Data::Scalar(Scalar::new(Kind::Bool, SecretValue::copy_of("false")));
        settings.extend(ParameterName::parse("AddVipsToEtcHosts").ok().map(|name| (name, off)));
    }
    if let (Layout::WorkingDirectory, Some(cloud)) = (layout, auth_cloud_name) {
        let cloud = Data::Scalar(Scalar::string(cloud));
        settings.extend(ParameterName::parse("AuthCloudName").ok().map(|name| (name, cloud)));
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        Places { mistral: PathBuf::from("/m"), home: Some(PathBuf::from("/h")) }
    }

    #[test]
    fn each_release_has_its_place_and_an_unknown_one_all_three() {
        let of = |release| {
            let paths = places().config_download("central", release);
            paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of(Some(Release::Train)), "/m/central");
        assert_eq!(of(Some(Release::Victoria)), "/h/config-download/central");
        assert_eq!(of(Some(Release::Zed)), "/h/overcloud-deploy/central/config-download/central");
        assert_eq!(of(Some(Release::Stein)), "");
        assert_eq!(
            of(None),
            "/m/central /h/config-download/central /h/overcloud-deploy/central/config-download/central"
        );
    }

    #[test]
    fn what_an_export_adds_is_the_releases_own() {
        let names = |layout, release| {
            let settings = export_settings(layout, release, Some("central"));
            settings.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(Layout::Outputs, None), "");
        assert_eq!(names(Layout::ConfigDownload, None), "AddVipsToEtcHosts");
        assert_eq!(names(Layout::ConfigDownload, Some(Release::Ussuri)), "");
        assert_eq!(names(Layout::WorkingDirectory, Some(Release::Zed)), "AddVipsToEtcHosts AuthCloudName");
    }

    #[test]
    fn a_release_is_known_by_its_name() {
        for release in Release::ALL {
            assert_eq!(Release::named(release.name()), Some(release));
        }
        assert_eq!(Release::named("Zed"), None);
    }
}
