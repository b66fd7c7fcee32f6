//! From a bundle on disk to an [`Admitted`] one.

use crate::bundle::Bundle;

/// A bundle that may be opened.
#[derive(Debug)]
#[non_exhaustive]
pub struct Admitted {
    bundle: Bundle,
}

impl Admitted {
    /// One that this very process has made.
    #[must_use]
    pub const fn made_here(bundle: Bundle) -> Self {
        Self { bundle }
    }

    /// What was admitted.
    #[must_use]
    pub const fn bundle(&self) -> &Bundle {
        &self.bundle
    }
}
