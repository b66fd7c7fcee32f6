use std::fmt;

use zeroize::Zeroize;

use super::arena::Block;

/// A piece of text that may be a password, a key or a token.
///
/// It is wiped when dropped. It is never printed, compared, cloned or serialized:
///
/// ```compile_fail,E0277
/// fn show<T: std::fmt::Display>(_: T) {}
/// show(dcn_vault::secret::SecretValue::copy_of("x"));
/// ```
/// ```compile_fail,E0599
/// let secret = dcn_vault::secret::SecretValue::copy_of("x");
/// let _ = secret.clone();
/// ```
/// ```compile_fail,E0369
/// let secret = dcn_vault::secret::SecretValue::copy_of("x");
/// let _ = secret == dcn_vault::secret::SecretValue::copy_of("x");
/// ```
/// ```compile_fail,E0614
/// let secret = dcn_vault::secret::SecretValue::copy_of("x");
/// let _ = *secret;
/// ```
/// ```
/// let secret = dcn_vault::secret::SecretValue::copy_of("x");
/// assert_eq!(format!("{secret:?}"), "SecretValue([REDACTED])");
/// ```
pub struct SecretValue(Block);

impl SecretValue {
    /// Copies `plain` to memory of its own. The caller's copy stays the caller's to wipe.
    #[must_use]
    pub fn copy_of(plain: &str) -> Self {
        Self(Block::copy_of(plain.as_bytes()))
    }

    /// Takes `plain` over and wipes the block that it came in.
    #[must_use]
    pub fn take(mut plain: String) -> Self {
        let kept = Self::copy_of(&plain);
        plain.zeroize();
        kept
    }

    /// Lends the text to `reader`.
    pub fn expose<R>(&self, reader: impl FnOnce(&str) -> R) -> R {
        // It went in as text
        self.0.expose(|bytes| reader(std::str::from_utf8(bytes).unwrap_or_default()))
    }

    /// A second copy, for the rare value that stands in two places of one file (a YAML alias).
    #[must_use]
    pub fn duplicate(&self) -> Self {
        self.expose(Self::copy_of)
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_comes_out_as_it_went_in() {
        let secret = SecretValue::take(String::from("pass word"));
        assert!(secret.expose(|plain| plain == "pass word"));
        assert!(secret.duplicate().expose(|plain| plain == "pass word"));
    }
}
