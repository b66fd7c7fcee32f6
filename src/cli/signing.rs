//! Who signs a generation.

use crate::bundle::{Before, Completed};
use crate::vault::Vault;

use super::args::GenerationArguments;
use super::exit::Failure;
use super::ui::Ui;

/// The key that signs, if any does.
pub(super) struct Signing;

impl Signing {
    pub(super) fn prepare(
        _arguments: &GenerationArguments,
        _vault: &Vault,
        _before: Option<&Before>,
        _batch: bool,
        _ui: Ui,
    ) -> Result<Self, Failure> {
        Ok(Self)
    }

    pub(super) fn sign(&self, _completed: &Completed) -> Result<(), Failure> {
        Ok(())
    }
}
