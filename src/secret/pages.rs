use std::alloc::{Layout, handle_alloc_error};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use memmap2::{Advice, MmapMut};
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox};
use zeroize::Zeroize;

/// Bytes of secrets that the kernel would not lock, since the process started.
static UNLOCKED: AtomicUsize = AtomicUsize::new(0);

/// How many bytes of secrets may be swapped out, because the limit on locked memory (`RLIMIT_MEMLOCK`) was reached.
/// It counts what was ever held, not what is held now.
#[must_use]
pub fn unlocked_bytes() -> usize {
    UNLOCKED.load(Ordering::Relaxed)
}

/// Memory of our own for secrets: locked as far as the limit goes, left out of core dumps, not inherited by a fork, wiped
/// when dropped.
pub(super) struct Pages(SecretBox<Mapping>);

struct Mapping(MmapMut);

impl Pages {
    /// At least `size` bytes, all zero.
    pub(super) fn of(size: usize) -> Self {
        let Ok(mapping) = MmapMut::map_anon(size.max(1)) else {
            handle_alloc_error(Layout::from_size_align(size, 1).unwrap_or_else(|_| Layout::new::<u8>()))
        };
        if mapping.lock().is_err() {
            UNLOCKED.fetch_add(size, Ordering::Relaxed);
        }
        // Neither can fail on a mapping of our own, but on a kernel without them; then the process's own settings stand
        let _ = mapping.advise(Advice::DontDump);
        let _ = mapping.advise(Advice::DontFork);
        Self(SecretBox::new(Box::new(Mapping(mapping))))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0.expose_secret().0
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0.expose_secret_mut().0
    }
}

impl Zeroize for Mapping {
    fn zeroize(&mut self) {
        self.0.as_mut().zeroize();
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pages([REDACTED])")
    }
}
