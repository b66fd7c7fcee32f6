//! What `pull`, `rekey` and `site remove` share: from what the guard has cleared to the next generation.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::audience::{Audience, refuse_unlisted};
use crate::bundle::{Manifest, Slot, Terms, losses};
use crate::certificate;
use crate::fingerprint::{Notes, Record};
use crate::fs;
use crate::guard::Cleared;
use crate::identity::{IdentitySet, IdentitySource};
use crate::model::{EnvironmentFile, Glob, GuardReport, ParameterName, Rule, Site};
use crate::open::reopen;
use crate::recipients::{RecipientSet, Warning};
use crate::report::Hint;
use crate::seal::{Nowhere, Sealed, seal};
use crate::vault::Vault;

use super::args::{GenerationArguments, TrustArguments};
use super::environment;
use super::exit::Failure;
use super::signing::Signing;
use super::ui::{Ui, counted};
use super::{admission, bill, difference, identities};

/// Of more sites only the number is said.
const MOST_NAMED: usize = 8;

/// Where a vault's bundle was, another's is, or none: who builds on that has no bill, and nobody would see it.
#[derive(Debug, thiserror::Error)]
#[error("`{place}` had generation {generation} of another vault, made from here")]
struct OtherVault {
    place: String,
    generation: u64,
    notes: PathBuf,
}

impl Hint for OtherVault {
    fn hint(&self) -> String {
        format!(
            "get that bundle back, or write elsewhere with -o; to begin anew, and forget what is on its bill, remove {}",
            self.notes.display()
        )
    }
}

/// What is known before anything is pulled or opened.
pub(super) struct Generation {
    slot: Slot,
    notes: Notes,
    signing: Signing,
    /// What is known of the values of the generation before.
    record: Option<Record>,
    settled: Vec<Glob>,
    after: Option<u64>,
    dry_run: bool,
    /// Whether a file that has not changed gets new keys all the same.
    fresh: bool,
}

impl Generation {
    /// Takes the place, and looks at what is there. All that can be wrong on this side is found before anybody is asked for a secret.
    pub(super) fn begin(
        arguments: &GenerationArguments,
        vault: &Vault,
        named: &[IdentitySource],
        trust: &TrustArguments,
        fresh: bool,
        batch: bool,
        ui: Ui,
    ) -> Result<Self, Failure> {
        let output = arguments.output.clone().unwrap_or_else(|| vault.bundle());
        let slot = if arguments.dry_run { Slot::look(&output)? } else { Slot::at(&output)? };
        if let (Ok(file), false) = (vault.file(), arguments.dry_run) {
            // What a crash has left of the removal of a site; it is harmless where it cannot be removed
            let _ = (fs::sweep(&file), fs::sweep(&vault.keys()));
        }
        let mut notes = Notes::read(environment::notes_directory().as_deref(), slot.vault())?;
        let place = place_of(slot.directory());
        let others = Notes::on_another(environment::notes_directory().as_deref(), slot.vault(), &place)?;
        if let Some((notes, generation)) = others {
            return Err(OtherVault { place, generation, notes }.into());
        }
        let is_ours = slot.before().is_some_and(|before| notes.of(&before.digest).is_some());
        let signing = Signing::prepare(arguments, slot.before(), is_ours, trust, batch, ui)?;
        if arguments.after.is_none() {
            slot.refuse_older_than(notes.highest())?;
        }
        let before = slot.before().map(|before| &before.digest);
        notes.keep_only(before);
        if let Some(before) =
            slot.before().filter(|before| notes.of(&before.digest).is_none() && !named.is_empty())
        {
            // Somebody else has made it: what it holds, it says itself
            let admitted = admission::of(before.envelope.directory.clone(), trust).look()?;
            let values = reopen(&admitted, &IdentitySet::find(&identities::only(named, batch, ui))?)?;
            notes.learn(before.manifest.generation, before.digest.clone(), &values);
        }
        let record = slot.before().and_then(|before| notes.of(&before.digest)).cloned();
        if let (Some(before), None, false) = (slot.before(), &record, fresh) {
            ui.warn(&format!(
                "generation {} was not made from here: which values have changed since cannot be told (an identity that opens it would tell, -i FILE), and all files are sealed anew",
                before.manifest.generation
            ));
        }
        Ok(Self {
            slot,
            notes,
            signing,
            record,
            settled: arguments.settled.iter().map(|glob| Glob::new(glob)).collect(),
            after: arguments.after,
            dry_run: arguments.dry_run,
            fresh,
        })
    }

    /// The generation that is there.
    pub(super) fn before(&self) -> Option<&Manifest> {
        self.slot.before().map(|before| &before.manifest)
    }

    /// Seals, signs, and puts it in place.
    pub(super) fn end(
        mut self,
        cleared: Cleared,
        audience: &Audience,
        vault: &Vault,
        ui: Ui,
    ) -> Result<Manifest, Failure> {
        let record = self.record.take();
        let terms = Terms {
            lifetime: vault.bundle.not_after,
            signatures: vault.bundle.signatures,
            after: self.after,
            settled: &self.settled,
            record: record.as_ref(),
        };
        let same = record.as_ref().filter(|_| !self.fresh);
        let before = self.before().cloned();
        if self.dry_run {
            let sealed = seal(cleared, audience, &self.notes, same, &Nowhere)?;
            let manifest = self.slot.preview(&sealed, &terms);
            say_sealed(before.as_ref(), &manifest, ui);
            for line in difference::plan(&manifest) {
                ui.say(&line);
            }
            ui.say("dry run: nothing was written");
            return Ok(manifest);
        }
        let output = self.slot.directory().display().to_string();
        let draft = self.slot.draft(ui.progress("sealed"))?;
        let sealed = seal(cleared, audience, &self.notes, same, &draft)?;
        let completed = draft.complete(&sealed, &terms)?;
        say_sealed(before.as_ref(), &completed.manifest, ui);
        self.signing.sign(&completed, ui)?;
        // Before the exchange: of the two generations that are known then, one is there, whatever happens
        let place = place_of(Path::new(&output));
        let mut record = sealed.record(
            completed.manifest.generation,
            completed.digest(),
            completed.past.clone(),
            terms.record,
        );
        record.place = place;
        self.notes.announce(record)?;
        let manifest = completed.commit()?;
        // It is there; of the two generations that the notes know, the next pull finds the right one
        if let Err(error) = self.notes.confirm() {
            ui.warn(&error.to_string());
        }
        say_written(&manifest, &sealed, &output, ui);
        Ok(manifest)
    }
}

/// The directory as its true path says; it need not exist yet.
fn place_of(directory: &Path) -> String {
    let above = match directory.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        _ => Path::new("."),
    };
    let above = fs::true_path(above).unwrap_or_else(|_| above.to_owned());
    above.join(directory.file_name().unwrap_or_default()).display().to_string()
}

/// Who gets what: the vault's sites by its settings; who is named by hand, everything.
pub(super) fn audience(
    recipients: Recipients,
    cleared: &Cleared,
    vault: &Vault,
    ui: Ui,
) -> Result<Audience, Failure> {
    let (recipients, sites) = match recipients {
        Recipients::Vault(recipients) => (recipients, vault.sites.as_ref()),
        Recipients::Given(recipients) => (recipients, None),
    };
    let Some(sites) = sites else { return Ok(Audience::everyone(recipients)) };
    let (audience, warnings) = Audience::of(recipients, sites, cleared.release(), &cleared.offered())?;
    for warning in warnings {
        ui.warn(&warning.to_string());
    }
    Ok(audience)
}

/// Where recipients come from.
pub(super) enum Recipients {
    /// `keys/`.
    Vault(RecipientSet),
    /// The command line.
    Given(RecipientSet),
}

impl Recipients {
    /// Refuses what does not fit the vault's settings, before anybody is asked for a secret.
    pub(super) fn fit(&self, vault: &Vault) -> Result<(), Failure> {
        if let (Self::Vault(recipients), Some(settings)) = (self, &vault.sites) {
            refuse_unlisted(&recipients.sites().collect(), settings)?;
        }
        Ok(())
    }

    /// What is allowed and seldom meant.
    pub(super) fn warnings(&self) -> Vec<Warning> {
        match self {
            Self::Vault(recipients) | Self::Given(recipients) => recipients.warnings(),
        }
    }
}

/// What should be known of a generation before it is there.
fn say_sealed(before: Option<&Manifest>, now: &Manifest, ui: Ui) {
    // A pull copies what the control plane uses, be it right or wrong; nobody should find that out from a client
    for notice in certificate::judge(&now.certificates, &now.unreadable_certificates, environment::now()) {
        ui.warn(&format!("{}: {}", notice.of, notice.says));
    }
    if let Some(before) = before {
        for loss in losses(before, now) {
            ui.warn(&loss.to_string());
        }
        for line in difference::sites(before, now) {
            ui.say(&line);
        }
    }
    say_guard(&now.guard, ui);
    say_within(now, ui);
    say_ungranted(now, ui);
    for line in bill::lines(&now.bill) {
        ui.warn(&line);
    }
}

/// Who gets a secret that was withheld, in the value of one that was not.
fn say_within(now: &Manifest, ui: Ui) {
    for grant in &now.grants {
        for (name, held) in now.guard.within.iter().filter(|(name, _)| grant.holds(name)) {
            let more: Vec<&str> =
                held.iter().filter(|name| !grant.holds(name)).map(ParameterName::as_str).collect();
            if let (Some(site), false) = (grant.sites.first(), more.is_empty()) {
                let others = match grant.sites.len() {
                    0 | 1 => String::new(),
                    all => format!(" and {}", counted(all - 1, "other site")),
                };
                ui.warn(&format!(
                    "{site}{others}: {name} is given, and holds the value of {}, which is not",
                    more.join(", ")
                ));
            }
        }
    }
}

/// Who does without a file that was to be clear, and that a deployment takes.
fn say_ungranted(now: &Manifest, ui: Ui) {
    for file in now.guard.findings.iter().map(|finding| finding.file.as_str()).collect::<BTreeSet<_>>() {
        let parameter = EnvironmentFile::named(file).and_then(EnvironmentFile::parameter);
        let Some(name) = parameter.and_then(|name| ParameterName::parse(name).ok()) else { continue };
        let without = now.grants.iter().filter(|grant| !grant.holds(&name));
        let sites: Vec<&Site> = without.flat_map(|grant| &grant.sites).collect();
        if !sites.is_empty() {
            ui.say(&format!(
                "without {file}: {}; `{name}` in a site's secrets gives it",
                difference::some(&sites)
            ));
        }
    }
}

fn say_guard(report: &GuardReport, ui: Ui) {
    let files: BTreeSet<&str> = report.findings.iter().map(|finding| finding.file.as_str()).collect();
    for file in files {
        let rules =
            report.findings.iter().filter(|finding| finding.file == file).map(|finding| &finding.rule);
        let known: BTreeSet<&str> = rules
            .filter_map(|rule| match rule {
                Rule::KnownValue { of } => Some(of.as_str()),
                Rule::KeyName | Rule::Shape { .. } => None,
            })
            .collect();
        let known: Vec<&str> = known.into_iter().collect();
        ui.say(&match known.as_slice() {
            [] => format!("sealed {file}: it holds what looks like a secret"),
            known => format!("sealed {file}: it holds the value of {}", known.join(", ")),
        });
    }
    match report.too_short.as_slice() {
        [] => {}
        [one] => ui.warn(&format!("the value of {one} is too short to search the plaintext files for")),
        [one, two, three, more @ ..] if !more.is_empty() => ui.warn(&format!(
            "the values of {one}, {two}, {three} and {} more are too short to search the plaintext files for",
            more.len()
        )),
        some => ui.warn(&format!(
            "the values of {} are too short to search the plaintext files for",
            some.iter().map(ParameterName::as_str).collect::<Vec<_>>().join(", ")
        )),
    }
}

fn say_written(manifest: &Manifest, sealed: &Sealed, output: &str, ui: Ui) {
    let sites: Vec<&str> = manifest.recipients.keys().map(Site::as_str).collect();
    let sites = if sites.len() > MOST_NAMED { counted(sites.len(), "site") } else { sites.join(", ") };
    let kept = match sealed.count_kept() {
        (_, 0) => String::new(),
        (all, kept) if all == kept => String::from("; no sealed file has changed"),
        (all, kept) => format!("; {} of {all} sealed files have changed", all - kept),
    };
    ui.say(&format!(
        "wrote {output}: generation {}, {}, sealed for {sites}{kept}",
        manifest.generation,
        counted(manifest.secrets.len(), "secret"),
    ));
}
