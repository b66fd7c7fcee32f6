//! Where an identity is looked for: the words after `-i`, or the usual places.

use crate::identity::{IdentitySource, Search};

use super::environment;

/// Those that are `named`, or else in the usual places.
pub(super) fn of(named: &[IdentitySource]) -> Search {
    Search {
        named: named.to_vec(),
        usual: environment::usual_identities(),
        credentials: environment::credentials(),
    }
}

/// Those that are `named`, and no others.
pub(super) fn only(named: &[IdentitySource]) -> Search {
    Search { usual: Vec::new(), ..of(named) }
}
