//! What a bundle is held against, from the command line and the environment.

use std::path::{Path, PathBuf};

use crate::admit::{Admission, Admitted};
use crate::trust::Waivers;

use super::args::{AdmissionArguments, TrustArguments};
use super::environment;
use super::exit::Failure;
use super::ui::Ui;

/// For the bundle that the arguments name, or that of the vault.
pub(super) fn admission(
    arguments: &AdmissionArguments,
    directory: Option<&Path>,
) -> Result<Admission, Failure> {
    let bundle = match &arguments.bundle {
        Some(path) => path.clone(),
        None => environment::vault(directory)?.bundle(),
    };
    Ok(of(bundle, &arguments.trust))
}

/// For the bundle in `directory`.
pub(super) fn of(directory: PathBuf, trust: &TrustArguments) -> Admission {
    Admission {
        directory,
        signers: trust.signers.clone(),
        usual_signers: environment::usual_signers(),
        state: environment::state(),
        waivers: Waivers {
            unsigned: trust.allow_unsigned,
            rollback: trust.allow_rollback,
            expired: trust.allow_expired,
        },
        now: environment::now(),
    }
}

/// Says what is given up.
pub(super) fn warn(admitted: &Admitted, ui: Ui) {
    if environment::state().is_none() {
        ui.warn("neither HOME nor XDG_STATE_HOME is set: nothing is remembered, and an older bundle is not noticed");
    }
    for waived in admitted.waived() {
        ui.warn(&format!("{}: {}", waived.by.switch(), waived.says));
    }
}
