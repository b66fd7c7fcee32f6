//! The clusters of Ceph that other stacks have, as `openstack overcloud export ceph` collects them.
//!
//! ceph-ansible's files are read up to Wallaby, cephadm's `ceph_client.yml` after.

use std::path::{Path, PathBuf};

use crate::model::{Data, Entry, EnvironmentFile, Kind, Scalar};
use crate::report::Hint;
use crate::secret::{SecretBuffer, SecretValue};

use super::working_dir::read_if_there;
use super::{Output, Places, SourceError};

/// Which clusters to collect, and whose key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ceph {
    /// The stacks that have one each.
    pub stacks: Vec<String>,
    /// The name of the cephx user, without `client.`.
    pub client: String,
    /// Where config-download's files are, with a directory for each stack.
    pub config_download_dir: Option<PathBuf>,
    /// Where deployments leave files otherwise.
    pub places: Places,
}

/// Why a cluster of Ceph cannot be described.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each variant's text says what it is; the fields are the words in it")]
pub enum CephError {
    #[error("stack `{stack}` has left no files of a Ceph cluster here")]
    NotFound { stack: String, searched: Vec<String> },
    #[error("the Ceph cluster of stack `{stack}` has no key for `client.{client}`")]
    NoKey { stack: String, client: String, known: Vec<String> },
    #[error("`{}` does not say `{what}`", .path.display())]
    Silent { path: PathBuf, what: &'static str },
}

impl Hint for CephError {
    fn hint(&self) -> String {
        match self {
            Self::NotFound { searched, .. } => {
                format!("looked for {}. Name the directory with --config-download-dir", searched.join(", "))
            }
            Self::NoKey { known, .. } => {
                format!("name one with --cephx-key-client-name; it has {}", known.join(", "))
            }
            Self::Silent { .. } => {
                String::from("is the deployment done? Both ceph-ansible and cephadm write it at their end")
            }
        }
    }
}

impl Ceph {
    /// The clusters of `stacks`, with the key of `client.openstack`.
    #[must_use]
    pub fn new(stacks: Vec<String>, places: Places) -> Self {
        Self { stacks, client: String::from("openstack"), config_download_dir: None, places }
    }

    /// The environment file for them.
    ///
    /// # Errors
    ///
    /// [`SourceError::Ceph`], [`SourceError::File`] and [`SourceError::Yaml`].
    pub fn collect(&self) -> Result<Output, SourceError> {
        let clusters = self.stacks.iter().map(|stack| self.cluster(stack)).collect::<Result<_, _>>()?;
        Ok(Output { file: EnvironmentFile::CephExternal, value: Data::List(clusters) })
    }

    /// One cluster, its keys sorted as the export's YAML has them.
    fn cluster(&self, stack: &str) -> Result<Data, SourceError> {
        let Described { cluster, fsid, monitors, keys } = self.described(stack)?;
        // EXPOSE: a path, made of a cluster's name, which is public
        let keyring =
            cluster.text.expose(|cluster| format!("/etc/ceph/{cluster}.client.{}.keyring", self.client));
        let client = map([("keyring", text(&keyring))]);
        let off = Data::Scalar(Scalar::new(Kind::Bool, SecretValue::copy_of("false")));
        Ok(map([
            ("ceph_conf_overrides", map([("client", client)])),
            ("cluster", Data::Scalar(cluster)),
            ("dashboard_enabled", off),
            ("external_cluster_mon_ips", monitors),
            ("fsid", fsid),
            ("keys", Data::List(vec![self.key(stack, keys)?])),
        ]))
    }

    fn key(&self, stack: &str, keys: Vec<Data>) -> Result<Data, SourceError> {
        let wanted = format!("client.{}", self.client);
        let mut known = Vec::new();
        for key in keys {
            match key.under("name") {
                Some(Data::Scalar(name)) if name.is(&wanted) => return Ok(key),
                Some(Data::Scalar(name)) => {
                    // EXPOSE: a user's name is public
                    known.push(name.text.expose(|name| name.escape_debug().take(80).collect()));
                }
                _ => {}
            }
        }
        Err(CephError::NoKey { stack: stack.to_owned(), client: self.client.clone(), known }.into())
    }

    fn described(&self, stack: &str) -> Result<Described, SourceError> {
        let directories = self.directories(stack);
        let by_cephadm = self.cephadm_files(stack);
        for path in &by_cephadm {
            if let Some(content) = read_if_there(path)? {
                return described_by_cephadm(content, path);
            }
        }
        for directory in &directories {
            let path = directory.join("ceph-ansible/group_vars/all.yml");
            if let Some(content) = read_if_there(&path)? {
                return described_by_ceph_ansible(content, &path, directory);
            }
        }
        let by_ceph_ansible = directories.iter().map(|path| path.join("ceph-ansible"));
        let searched = by_cephadm.into_iter().chain(by_ceph_ansible);
        let searched = searched.map(|path| path.display().to_string()).collect();
        Err(CephError::NotFound { stack: stack.to_owned(), searched }.into())
    }

    fn directories(&self, stack: &str) -> Vec<PathBuf> {
        match &self.config_download_dir {
            Some(directory) => vec![directory.join(stack), directory.clone()],
            None => self.places.config_download(stack, None),
        }
    }

    /// The working directory's, or the one that a fault of the release left at home (LP#1978846).
    fn cephadm_files(&self, stack: &str) -> Vec<PathBuf> {
        let beside = self.config_download_dir.as_deref().and_then(Path::parent).map(Path::to_owned);
        let working_dir = beside.or_else(|| self.places.working_dir(stack));
        let at_home = self.places.home.as_ref().filter(|_| self.config_download_dir.is_none());
        let paths = working_dir.map(|directory| directory.join("ceph_client.yml"));
        paths.into_iter().chain(at_home.map(|home| home.join("ceph_client.yaml"))).collect()
    }
}

struct Described {
    cluster: Scalar,
    fsid: Data,
    monitors: Data,
    keys: Vec<Data>,
}

fn described_by_cephadm(mut content: Data, path: &Path) -> Result<Described, SourceError> {
    let mut said = |what| content.take_from(what).ok_or_else(|| silent(path, what));
    Ok(Described {
        cluster: scalar(said("tripleo_ceph_client_cluster")?, path, "tripleo_ceph_client_cluster")?,
        fsid: said("tripleo_ceph_client_fsid")?,
        monitors: said("external_cluster_mon_ips")?,
        keys: list(said("keys")?, path, "keys")?,
    })
}

fn described_by_ceph_ansible(
    mut content: Data,
    path: &Path,
    directory: &Path,
) -> Result<Described, SourceError> {
    let mut said = |what| content.take_from(what).ok_or_else(|| silent(path, what));
    Ok(Described {
        cluster: scalar(said("cluster")?, path, "cluster")?,
        fsid: said("fsid")?,
        keys: list(said("keys")?, path, "keys")?,
        monitors: monitors(directory)?,
    })
}

/// The monitors' addresses in the network that the stack's services use for them: not always `storage` (LP#1922788).
fn monitors(directory: &Path) -> Result<Data, SourceError> {
    let path = directory.join("global_vars.yaml");
    let globals = read_if_there(&path)?;
    let network =
        globals.as_ref().and_then(|globals| globals.under("service_net_map")?.under("ceph_mon_network"));
    let Some(Data::Scalar(network)) = network else { return Err(silent(&path, "ceph_mon_network")) };
    // EXPOSE: a network's name is public
    let key = network.text.expose(|network| format!("{network}_ip"));
    let path = directory.join("ceph-ansible/inventory.yml");
    let inventory = read_if_there(&path)?.ok_or_else(|| silent(&path, "mons"))?;
    let roles = inventory.under("mons").and_then(|group| group.under("children"));
    let mut addresses = SecretBuffer::new();
    for (role, _) in entries(roles) {
        // EXPOSE: a role's name is public
        let hosts = role.text.expose(|role| inventory.under(role).and_then(|role| role.under("hosts")));
        for (_, host) in entries(hosts) {
            let Some(Data::Scalar(address)) = host.under(&key) else {
                return Err(silent(&path, "the monitors' addresses"));
            };
            if !addresses.is_empty() {
                addresses.push(b",");
            }
            // EXPOSE: an address is public
            address.text.expose(|address| addresses.push_str(address));
        }
    }
    if addresses.is_empty() {
        return Err(silent(&path, "mons"));
    }
    // EXPOSE: addresses, which are public
    Ok(addresses.expose(|bytes| text(std::str::from_utf8(bytes).unwrap_or_default())))
}

fn entries(data: Option<&Data>) -> &[Entry] {
    if let Some(Data::Map(entries)) = data { entries } else { &[] }
}

fn scalar(data: Data, path: &Path, what: &'static str) -> Result<Scalar, SourceError> {
    if let Data::Scalar(scalar) = data { Ok(scalar) } else { Err(silent(path, what)) }
}

fn list(data: Data, path: &Path, what: &'static str) -> Result<Vec<Data>, SourceError> {
    if let Data::List(items) = data { Ok(items) } else { Err(silent(path, what)) }
}

fn silent(path: &Path, what: &'static str) -> SourceError {
    CephError::Silent { path: path.to_owned(), what }.into()
}

fn text(text: &str) -> Data {
    Data::Scalar(Scalar::string(text))
}

fn map<const N: usize>(entries: [(&str, Data); N]) -> Data {
    Data::Map(entries.into_iter().map(|(key, value)| (Scalar::string(key), value)).collect())
}
