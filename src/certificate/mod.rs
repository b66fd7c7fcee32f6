//! The certificates among the secrets of a pull: what they say, whether their keys fit, and what is wrong with them.
//!
//! It stands apart because it is where private keys are looked into, in wiped memory, for their public half alone. What
//! leaves is public.
//!
//! # What this does not do
//!
//! It checks no signature: of a chain it compares the names of issuer and subject. It opens no encrypted key; whether that
//! one fits cannot be told. Nor can it of an EC key that does not say its public half (RFC 5915 makes it optional,
//! OpenSSL writes it), but on P-256.

mod chain;
mod der;
mod key;
mod names;
mod pem;
mod verdict;
mod x509;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Certificate, Certificates, Data, ParameterName, PemFault, Unreadable};

use self::key::PublicHalf;
use self::x509::X509;

pub use verdict::{Notice, Severity, judge};

/// Lists every certificate in `passwords`: the content of the passwords file.
#[must_use]
pub fn list(passwords: &Data) -> Certificates {
    let Data::Map(parameters) = passwords.under("parameter_defaults").unwrap_or(passwords) else {
        return Certificates::default();
    };
    let found: Vec<Found> = parameters
        .iter()
        .filter_map(|(key, value)| {
            // EXPOSE: a parameter's name is public
            let name = key.text.expose(ParameterName::parse).ok()?;
            Some(Found::within(name, value))
        })
        .collect();
    let index = Index::of(&found);
    let mut all = Certificates::default();
    for one in &found {
        all.unreadable.extend(one.faults(&index));
        all.read.extend(one.certificates(&index));
    }
    all
}

/// What leads from one parameter to another, so that each is looked at once.
struct Index<'a> {
    /// The parameters that say something.
    by_name: BTreeMap<&'a str, &'a Found>,
    /// Where the keys of the certificates should be.
    key_names: BTreeSet<String>,
}

impl<'a> Index<'a> {
    fn of(found: &'a [Found]) -> Self {
        let filled = found.iter().filter(|one| !one.is_empty);
        let certified = found.iter().filter(|one| !one.certificates.is_empty());
        Self {
            by_name: filled.map(|one| (one.name.as_str(), one)).collect(),
            key_names: certified.filter_map(|one| names::key_of(one.name.as_str())).collect(),
        }
    }
}

/// What one parameter holds.
struct Found {
    name: ParameterName,
    is_empty: bool,
    certificates: Vec<(Option<String>, Option<X509>)>,
    /// The public half of each private key, where it can be told.
    keys: Vec<Option<PublicHalf>>,
}

impl Found {
    fn within(name: ParameterName, value: &Data) -> Self {
        let mut found = Self { name, is_empty: true, certificates: Vec::new(), keys: Vec::new() };
        found.look(value, None);
        found
    }

    fn look(&mut self, value: &Data, entry: Option<&str>) {
        match value {
            Data::Scalar(scalar) => {
                // EXPOSE: searched in place for PEM blocks; a key's is decoded in wiped memory
                scalar.text.expose(|text| self.look_into(text, entry));
            }
            Data::List(items) => items.iter().for_each(|item| self.look(item, entry)),
            Data::Map(entries) => {
                let is_named = self.name.as_str() == "CAMap" && entry.is_none();
                for (key, value) in entries {
                    if is_named {
                        // EXPOSE: the name of a certificate authority
                        key.text.expose(|name| self.look(value, Some(name)));
                    } else {
                        self.look(value, entry);
                    }
                }
            }
        }
    }

    fn look_into(&mut self, text: &str, entry: Option<&str>) {
        self.is_empty &= text.trim().is_empty();
        for block in pem::blocks(text) {
            if block.is_certificate() {
                // EXPOSE: a certificate is public
                let parsed = block.decode().and_then(|der| der.expose(X509::read));
                self.certificates.push((entry.map(ToOwned::to_owned), parsed));
            } else if block.is_private_key() {
                self.keys.push(PublicHalf::of_private(block));
            }
        }
    }

    fn faults(&self, index: &Index<'_>) -> Vec<Unreadable> {
        let name = self.name.as_str();
        let belongs = names::holds_certificates(name);
        let has_none = self.certificates.is_empty() && self.keys.is_empty() && !self.is_empty;
        let is_key = index.key_names.contains(name);
        let faults = [
            (self.certificates.iter().any(|(_, parsed)| parsed.is_none()), PemFault::Damaged),
            (belongs && has_none, PemFault::NoCertificate),
            (is_key && self.keys.is_empty() && !self.is_empty, PemFault::NoKey),
            (!self.keys.is_empty() && !names::may_hold_key(name), PemFault::PrivateKey),
        ];
        let present = faults.into_iter().filter(|(is_so, _)| *is_so);
        present.map(|(_, fault)| Unreadable { parameter: self.name.clone(), fault }).collect()
    }

    fn certificates(&self, index: &Index<'_>) -> Vec<Certificate> {
        let holder = self.key_holder(index);
        let key = holder.and_then(|holder| holder.keys.first());
        let beside = |entry: &Option<String>, until: usize| {
            self.certificates.iter().take(until).filter(|(other, _)| other == entry).count()
        };
        let read = self.certificates.iter().enumerate().filter_map(|(at, (entry, parsed))| {
            let parsed = parsed.as_ref()?;
            let has_several = beside(entry, self.certificates.len()) > 1;
            // A server's own certificate comes first; those after it are its issuers'
            let own = holder.filter(|_| at == 0);
            let fits = || key?.as_ref()?.matches(parsed.key.as_ref()?);
            Some(Certificate {
                parameter: self.name.clone(),
                position: has_several.then(|| beside(entry, at + 1)),
                entry: entry.clone(),
                subject: parsed.subject.clone(),
                issuer: parsed.issuer.clone(),
                san: parsed.san.clone(),
                not_before: parsed.not_before,
                not_after: parsed.not_after,
                spki_sha256: parsed.spki_sha256.clone(),
                key: own.map(|holder| holder.name.clone()),
                key_matches: own.and_then(|_| fits()),
            })
        });
        read.collect()
    }

    /// The parameter with this one's key: itself, or the one that the name leads to.
    fn key_holder<'a>(&'a self, index: &Index<'a>) -> Option<&'a Self> {
        if !self.keys.is_empty() {
            return Some(self);
        }
        let name = names::key_of(self.name.as_str())?;
        index.by_name.get(name.as_str()).copied()
    }
}

#[cfg(test)]
mod tests;
