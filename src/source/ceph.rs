//! The clusters of Ceph that other stacks have, as `openstack overcloud export ceph` collects them.
//!
//! ceph-ansible's files are read up to Wallaby, cephadm's `ceph_client.yml` after.

use std::path::{Path, PathBuf};

use crate::model::{Data, Entry, EnvironmentFile, Kind, Scalar};
use crate::report::Hint;
use crate::secret::{SecretBuffer, SecretValue};

use super::plan::MASKED;
use super::working_dir::read_if_there;
use super::{Note, Output, Places, SourceError};

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
    #[error("stacks `{one}` and `{other}` have the same Ceph cluster here: {}", .path.display())]
    SameCluster { one: String, other: String, path: PathBuf },
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
            Self::SameCluster { .. } => String::from(
                "each stack has its own directory: name the one above them with --config-download-dir, or leave it out",
            ),
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

    /// With or without `client.`: both are said.
    fn user(&self) -> &str {
        self.client.strip_prefix(CLIENT).unwrap_or(&self.client)
    }

    /// The environment file for them, and where each was found.
    ///
    /// # Errors
    ///
    /// [`SourceError::Ceph`], [`SourceError::File`] and [`SourceError::Yaml`].
    pub fn collect(&self) -> Result<(Output, Vec<Note>), SourceError> {
        let (mut clusters, mut found) = (Vec::new(), Vec::<(&String, PathBuf, Data)>::new());
        for stack in &self.stacks {
            let (described, path) = self.described(stack)?;
            // Two stacks never share one: a site would get the other's key
            let twin = found.iter().find(|(_, other, fsid)| *other == path || fsid.same(&described.fsid));
            if let Some((one, ..)) = twin {
                let (one, other) = ((*one).clone(), stack.clone());
                return Err(CephError::SameCluster { one, other, path }.into());
            }
            let (cluster, fsid) = self.cluster(stack, described)?;
            clusters.push(cluster);
            found.push((stack, path, fsid));
        }
        let notes = found.into_iter().map(|(stack, path, _)| Note::Ceph { stack: stack.clone(), path });
        let notes = notes.collect();
        Ok((Output { file: EnvironmentFile::CephExternal, value: Data::List(clusters) }, notes))
    }

    /// One cluster, its keys sorted as the export's YAML has them; and its id.
    fn cluster(&self, stack: &str, described: Described) -> Result<(Data, Data), SourceError> {
        let Described { cluster, fsid, monitors, keys } = described;
        let id = text_of(&fsid);
        // EXPOSE: a path, made of a cluster's name, which is public
        let keyring =
            cluster.text.expose(|cluster| format!("/etc/ceph/{cluster}.client.{}.keyring", self.user()));
        let client = map([("keyring", text(&keyring))]);
        let off = Data::Scalar(Scalar::new(Kind::Bool, SecretValue::copy_of("false")));
        let key = self.key(stack, keys)?;
        let described = map([
            ("ceph_conf_overrides", map([("client", client)])),
            ("cluster", Data::Scalar(cluster)),
            ("dashboard_enabled", off),
            ("external_cluster_mon_ips", monitors),
            ("fsid", fsid),
            ("keys", Data::List(vec![key])),
        ]);
        Ok((described, id))
    }

    fn key(&self, stack: &str, keys: Vec<Data>) -> Result<Data, SourceError> {
        let wanted = format!("client.{}", self.user());
        let mut known = Vec::new();
        for key in keys {
            match key.under("name") {
                Some(Data::Scalar(name)) if name.is(&wanted) && has_key(&key) => return Ok(key),
                Some(Data::Scalar(name)) => {
                    // EXPOSE: a user's name is public
                    known
                        .push(name.text.expose(|name| {
                            name.trim_start_matches(CLIENT).escape_debug().take(80).collect()
                        }));
                }
                _ => {}
            }
        }
        Err(CephError::NoKey { stack: stack.to_owned(), client: self.user().to_owned(), known }.into())
    }

    fn described(&self, stack: &str) -> Result<(Described, PathBuf), SourceError> {
        let directories = self.directories(stack);
        let by_cephadm = self.cephadm_files(stack);
        for path in &by_cephadm {
            if let Some(content) = read_if_there(path)? {
                return Ok((described_by_cephadm(content, path)?, path.clone()));
            }
        }
        for directory in &directories {
            let path = directory.join("ceph-ansible/group_vars/all.yml");
            if let Some(content) = read_if_there(&path)? {
                return Ok((described_by_ceph_ansible(content, &path, directory)?, path));
            }
        }
        let by_ceph_ansible = directories.iter().map(|path| path.join("ceph-ansible"));
        let searched = by_cephadm.into_iter().chain(by_ceph_ansible);
        let searched = searched.map(|path| path.display().to_string()).collect();
        Err(CephError::NotFound { stack: stack.to_owned(), searched }.into())
    }

    /// The stack's own directories of config-download: below the one that was named, or that one when it is the stack's;
    /// then in the releases' places.
    fn directories(&self, stack: &str) -> Vec<PathBuf> {
        let given = self.config_download_dir.iter();
        let given = given.flat_map(|given| [Some(given.join(stack)), of_stack(given, stack)]).flatten();
        given.chain(self.places.config_download(stack, None)).collect()
    }

    /// In the stack's working directory, or at home, where a fault of the release has left it (LP#1978846).
    fn cephadm_files(&self, stack: &str) -> Vec<PathBuf> {
        let given = self.config_download_dir.as_deref();
        let given = [given, given.and_then(Path::parent)].into_iter().flatten();
        let given = given.filter_map(|directory| of_stack(directory, stack));
        let own = given.chain(self.places.working_dir(stack));
        let at_home = self.places.home.iter().map(|home| home.join("ceph_client.yaml"));
        own.map(|directory| directory.join("ceph_client.yml")).chain(at_home).collect()
    }
}

/// `directory`, when it is the stack's.
fn of_stack(directory: &Path, stack: &str) -> Option<PathBuf> {
    directory.file_name().is_some_and(|name| name == stack).then(|| directory.to_owned())
}

const CLIENT: &str = "client.";

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
        fsid: Data::Scalar(scalar(said("tripleo_ceph_client_fsid")?, path, "tripleo_ceph_client_fsid")?),
        monitors: Data::Scalar(scalar(said("external_cluster_mon_ips")?, path, "external_cluster_mon_ips")?),
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
        fsid: Data::Scalar(scalar(said("fsid")?, path, "fsid")?),
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

/// A value that says something.
fn scalar(data: Data, path: &Path, what: &'static str) -> Result<Scalar, SourceError> {
    match data {
        Data::Scalar(scalar) if says_something(&scalar) => Ok(scalar),
        Data::Scalar(_) | Data::List(_) | Data::Map(_) => Err(silent(path, what)),
    }
}

fn says_something(scalar: &Scalar) -> bool {
    // EXPOSE: asked only whether it is empty
    let is_empty = scalar.text.expose(|text| text.trim().is_empty());
    scalar.kind != Kind::Null && !is_empty && !scalar.is(MASKED)
}

fn has_key(key: &Data) -> bool {
    matches!(key.under("key"), Some(Data::Scalar(key)) if says_something(key))
}

fn text_of(data: &Data) -> Data {
    let Data::Scalar(scalar) = data else { return Data::List(Vec::new()) };
    // EXPOSE: a cluster's id is public
    Data::Scalar(Scalar::new(scalar.kind, scalar.text.expose(SecretValue::copy_of)))
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
