//! Made-up policies, and who gets what by them: worked out here, and not by what is tested.

#![allow(
    dead_code,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    clippy::indexing_slicing,
    clippy::must_use_candidate,
    clippy::string_slice,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{Read, Write};

use age::secrecy::ExposeSecret;
use age::x25519::Identity;

use crate::centre::{Centre, GLOBAL_CONFIG, made_up};
use crate::program::Scratch;

const OF: [&str; 8] = ["Nova", "Neutron", "Rpc", "Mysql", "Glance", "Heat", "Octavia", "Swift"];
const WHAT: [&str; 5] = ["Password", "Token", "HashSuffix", "AuthKey", "Seed"];

/// Identities, of which some are those of several sites.
#[derive(Clone)]
pub struct Pool {
    pub identities: Vec<Identity>,
}

/// Who gets what.
pub struct Policy {
    pub pool: Pool,
    pub names: BTreeSet<String>,
    pub sites: BTreeMap<String, SitePolicy>,
}

pub struct SitePolicy {
    /// Which of the pool's identities is its.
    pub key: usize,
    /// What it gets; without globs, everything.
    pub globs: Option<Vec<String>>,
}

impl Pool {
    pub fn make(count: usize) -> Self {
        Self { identities: (0..count).map(|_| Identity::generate()).collect() }
    }
}

impl Policy {
    pub fn make(state: &mut u64, pool: &Pool) -> Self {
        let names = OF.iter().flat_map(|of| WHAT.iter().map(move |what| format!("{of}{what}"))).collect();
        let sites = (0..2 + random(state, 6)).map(|number| {
            let globs = match random(state, 6) {
                0 => None,
                1 => Some(Vec::new()),
                _ => Some((0..=random(state, 4)).map(|_| glob(state)).collect()),
            };
            let key = random(state, pool.identities.len());
            (format!("site{number}"), SitePolicy { key, globs })
        });
        Self { pool: pool.clone(), names, sites: sites.collect() }
    }

    pub fn settings(&self) -> String {
        let mut text = String::from("version: 1\nsites:\n");
        for (name, site) in &self.sites {
            let wish = match &site.globs {
                None => String::from("{}"),
                Some(globs) => format!("{{secrets: {globs:?}}}"),
            };
            writeln!(text, "  {name}: {wish}").unwrap();
        }
        text
    }

    /// A vault with this policy.
    pub fn centre(&self) -> Centre {
        let passwords = self.names.iter().map(|name| (name.clone(), made_up(name, 7))).collect();
        let centre = Centre { scratch: Scratch::new(), passwords };
        centre.scratch.write("dcn-vault.yaml", self.settings(), 0o644);
        for (position, identity) in self.pool.identities.iter().enumerate() {
            let text = identity.to_string();
            centre.scratch.write(&format!("{position}.txt"), format!("{}\n", text.expose_secret()), 0o600);
        }
        for (name, site) in &self.sites {
            let recipient = self.pool.identities[site.key].to_public();
            centre.scratch.write(&format!("keys/{name}/recipients.txt"), format!("{recipient}\n"), 0o644);
        }
        centre
    }

    /// What a site gets of all that there is.
    pub fn gets(&self, site: &SitePolicy) -> BTreeSet<String> {
        let all = self.names.iter().cloned().chain([GLOBAL_CONFIG.to_owned()]);
        let is_given = |name: &String| match &site.globs {
            None => true,
            Some(globs) => globs.iter().any(|glob| fits(glob.as_bytes(), name.as_bytes())),
        };
        all.filter(is_given).collect()
    }

    /// The sealed files, which keys open each, and which passwords are in it.
    pub fn sealed_files(&self) -> BTreeMap<String, (BTreeSet<usize>, BTreeSet<String>)> {
        let mut files: BTreeMap<String, (BTreeSet<usize>, BTreeSet<String>)> = BTreeMap::new();
        for (name, site) in &self.sites {
            let mut gets = self.gets(site);
            let below = if site.globs.is_some() { format!("sites/{name}/") } else { String::new() };
            let mut add = |file: &str, holds: BTreeSet<String>| {
                let entry = files.entry(format!("{below}{file}")).or_default();
                entry.0.insert(site.key);
                entry.1 = holds;
            };
            if gets.remove(GLOBAL_CONFIG) {
                add("global-config-extra-map-data.json.age", BTreeSet::new());
            }
            if !gets.is_empty() {
                add("passwords.yaml.age", gets);
            }
        }
        files
    }
}

/// The text of an age file, if this identity opens it.
pub fn decrypted(bytes: &[u8], identity: &Identity) -> Option<String> {
    let mut reader =
        age::Decryptor::new(bytes).unwrap().decrypt([identity as &dyn age::Identity].into_iter()).ok()?;
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    Some(text)
}

/// An age file for these.
pub fn encrypted(text: &str, identities: &[&Identity]) -> Vec<u8> {
    let recipients: Vec<_> = identities.iter().map(|identity| identity.to_public()).collect();
    let recipients = recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
    let mut bytes = Vec::new();
    let mut writer = age::Encryptor::with_recipients(recipients).unwrap().wrap_output(&mut bytes).unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap();
    bytes
}

fn glob(state: &mut u64) -> String {
    let of = OF[random(state, OF.len())];
    let what = WHAT[random(state, WHAT.len())];
    match random(state, 9) {
        0 | 1 => format!("{of}*"),
        2 => format!("*{what}"),
        3 | 4 => format!("{of}{what}"),
        5 => format!("?{}*{}", &of[1..], &what[1..]),
        6 => format!("*{}*", &of[1..3]),
        7 => GLOBAL_CONFIG.to_owned(),
        _ => format!("{}{what}", of.to_lowercase()),
    }
}

/// Whether a pattern takes the whole of `name`: `*` any run, `?` one character.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|taken| fits(rest, &name[taken..])),
        Some((symbol, rest)) => name
            .split_first()
            .is_some_and(|(first, others)| (*symbol == b'?' || symbol == first) && fits(rest, others)),
    }
}

/// xorshift64.
fn random(state: &mut u64, below: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state >> 33).unwrap() % below
}
