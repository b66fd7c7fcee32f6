//! Who may open what is sealed: age recipients, and the files that list them.
//!
//! It stands apart because a recipient that is taken by mistake is a leak: lines are parsed before anything is pulled,
//! and a private key in their place, or anywhere beside them, is refused.
//!
//! # What this does not do
//!
//! It does not know whose key it is: that is for those who review changes below `keys/`. A file for an ssh key shows whose
//! it is. Post-quantum recipients are not taken.

mod edit;
mod error;
mod files;
mod recipient;

pub use edit::{Addition, add_to_site, remove_site};
pub use error::{RecipientsError, Warning};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::model::Site;

use self::recipient::{Recipient, Written};

/// The site of recipients that are given by hand, without a vault.
const DEFAULT_SITE: &str = "default";
const FILE_NAME: &str = "recipients.txt";

/// The recipients that a vault lists, to be shown and compared: nothing can be sealed for them yet, and no plugin is needed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Listing {
    sites: BTreeMap<Site, Vec<Written>>,
}

/// The recipients of each site; at least one site, and for each at least one recipient.
#[derive(Debug)]
#[non_exhaustive]
pub struct RecipientSet {
    sites: BTreeMap<Site, Vec<Recipient>>,
}

impl Listing {
    /// The recipients of every site of a vault: `keys/SITE/recipients.txt`. There may be none.
    ///
    /// # Errors
    ///
    /// Any [`RecipientsError`] but [`RecipientsError::None`] and [`RecipientsError::NoPlugin`].
    pub fn of_vault(keys: &Path) -> Result<Self, RecipientsError> {
        let mut sites = files::in_keys(keys)?;
        for recipients in sites.values_mut() {
            recipients.sort_by(|one, other| one.text.cmp(&other.text));
        }
        Ok(Self { sites })
    }

    /// Each site, with its recipients as text.
    #[must_use]
    pub fn texts(&self) -> BTreeMap<Site, Vec<String>> {
        texts(&self.sites, |recipient| &recipient.text)
    }

    /// The kinds of each site's recipients (`x25519`, `ssh-ed25519`, `ssh-rsa`, `plugin NAME`), and how many of each.
    #[must_use]
    pub fn kinds(&self) -> BTreeMap<Site, BTreeMap<String, usize>> {
        let counted = |recipients: &Vec<Written>| {
            let mut kinds = BTreeMap::new();
            for recipient in recipients {
                *kinds.entry(recipient.kind()).or_default() += 1;
            }
            kinds
        };
        self.sites.iter().map(|(site, recipients)| (site.clone(), counted(recipients))).collect()
    }

    /// What is allowed and seldom meant.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        warnings(&self.sites, |recipient| &recipient.key)
    }
}

impl RecipientSet {
    /// The recipients given by hand: texts, and files with one a line (as for `age -R`).
    ///
    /// # Errors
    ///
    /// Any [`RecipientsError`] but those of sites.
    pub fn given(texts: &[String], files: &[PathBuf]) -> Result<Self, RecipientsError> {
        let mut recipients = Vec::new();
        for text in texts {
            recipients.push(Written::parse(text, || String::from("an argument of --recipient"))?);
        }
        for path in files {
            recipients.extend(files::in_file(path)?);
        }
        // Who is given by name and in a file is meant once
        recipients.sort_by(|one, other| (&one.key, &one.text).cmp(&(&other.key, &other.text)));
        recipients.dedup_by(|one, other| one.key == other.key);
        let site = Site::parse(DEFAULT_SITE).map_err(|_| RecipientsError::None)?;
        Self::of([(site, recipients)].into())
    }

    /// The recipients of every site of a vault: `keys/SITE/recipients.txt`.
    ///
    /// # Errors
    ///
    /// Any [`RecipientsError`].
    pub fn of_vault(keys: &Path) -> Result<Self, RecipientsError> {
        Self::of(files::in_keys(keys)?)
    }

    /// Those that a manifest lists for a site.
    ///
    /// # Errors
    ///
    /// Any [`RecipientsError`] but those of sites.
    pub fn listed(texts: &[String]) -> Result<Self, RecipientsError> {
        let place = || String::from("a recipient in the manifest");
        let recipients = texts.iter().map(|text| Written::parse(text, place)).collect::<Result<_, _>>()?;
        let site = Site::parse(DEFAULT_SITE).map_err(|_| RecipientsError::None)?;
        Self::of([(site, recipients)].into())
    }

    /// All but `site`.
    ///
    /// # Errors
    ///
    /// [`RecipientsError::None`].
    pub fn without(mut self, site: &Site) -> Result<Self, RecipientsError> {
        self.sites.remove(site);
        if self.sites.is_empty() { Err(RecipientsError::None) } else { Ok(self) }
    }

    /// Each site, with its recipients as text.
    #[must_use]
    pub fn texts(&self) -> BTreeMap<Site, Vec<String>> {
        texts(&self.sites, |recipient| &recipient.text)
    }

    /// The sites, in order.
    pub fn sites(&self) -> impl Iterator<Item = &Site> {
        self.sites.keys()
    }

    /// What is allowed and seldom meant.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        warnings(&self.sites, |recipient| &recipient.key)
    }

    /// The keys of one site; of one that is not in the set, none.
    pub(crate) fn site(&self, site: &Site) -> impl Iterator<Item = &dyn age::Recipient> {
        self.sites.get(site).into_iter().flatten().map(Recipient::for_age)
    }

    /// The keys of some sites. A key that two of them share comes twice, as both list it.
    pub(crate) fn keys_of<'s>(
        &'s self,
        sites: impl IntoIterator<Item = &'s Site>,
    ) -> impl Iterator<Item = &'s dyn age::Recipient> {
        sites.into_iter().flat_map(|site| self.site(site))
    }

    /// The texts of one site.
    pub(crate) fn texts_of(&self, site: &Site) -> impl Iterator<Item = &str> {
        self.sites.get(site).into_iter().flatten().map(|recipient| recipient.text.as_str())
    }

    fn of(sites: BTreeMap<Site, Vec<Written>>) -> Result<Self, RecipientsError> {
        if sites.values().all(Vec::is_empty) {
            return Err(RecipientsError::None);
        }
        let mut ready = BTreeMap::new();
        for (site, mut recipients) in sites {
            recipients.sort_by(|one, other| one.text.cmp(&other.text));
            let recipients = recipients.into_iter().map(Written::ready).collect::<Result<_, _>>()?;
            ready.insert(site, recipients);
        }
        Ok(Self { sites: ready })
    }
}

/// The recipients in `files`, one a line, as text.
///
/// # Errors
///
/// Any [`RecipientsError`] of a file.
pub fn texts_in(files: &[PathBuf]) -> Result<Vec<String>, RecipientsError> {
    let read = files.iter().map(|path| files::in_file(path)).collect::<Result<Vec<_>, _>>()?;
    Ok(read.into_iter().flatten().map(|recipient| recipient.text).collect())
}

fn texts<T>(sites: &BTreeMap<Site, Vec<T>>, text: impl Fn(&T) -> &String) -> BTreeMap<Site, Vec<String>> {
    sites
        .iter()
        .map(|(site, all)| (site.clone(), all.iter().map(|one| text(one).clone()).collect()))
        .collect()
}

fn warnings<T>(sites: &BTreeMap<Site, Vec<T>>, key: impl Fn(&T) -> &String) -> Vec<Warning> {
    let mut users: BTreeMap<&str, Vec<Site>> = BTreeMap::new();
    for (site, recipients) in sites {
        for recipient in recipients {
            users.entry(key(recipient)).or_default().push(site.clone());
        }
    }
    let shared = users.into_iter().filter(|(_, sites)| sites.len() > 1);
    shared.map(|(recipient, sites)| Warning::Shared { recipient: recipient.to_owned(), sites }).collect()
}

#[cfg(test)]
mod tests;
