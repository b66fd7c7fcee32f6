use rustix::fd::OwnedFd;
use rustix::fs::fstat;
use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::secret::SecretBuffer;

const BLOCK: usize = 256 * 1024;

/// Reads files that may hold secrets, of any size, through one block of memory that is wiped.
#[derive(Debug)]
pub struct Blocks {
    memory: Zeroizing<Vec<u8>>,
    overlap: usize,
}

impl Blocks {
    /// Blocks of which each begins with the last `overlap` bytes of the one before.
    #[must_use]
    pub fn overlapping(overlap: usize) -> Self {
        Self { memory: Zeroizing::new(vec![0; BLOCK + overlap]), overlap }
    }

    /// Shows `each` the bytes of `file`.
    ///
    /// # Errors
    ///
    /// The kernel's own.
    pub fn read(&mut self, file: &OwnedFd, mut each: impl FnMut(&[u8])) -> rustix::io::Result<()> {
        let mut held = 0;
        loop {
            let free = self.memory.get_mut(held..).unwrap_or_default();
            let count = match rustix::io::read(file, free) {
                Ok(0) => return Ok(()),
                Err(Errno::INTR) => continue,
                count => count?,
            };
            let filled = held + count;
            each(self.memory.get(..filled).unwrap_or_default());
            held = filled.min(self.overlap);
            self.memory.copy_within(filled - held..filled, 0);
        }
    }
}

/// Reads all of an open file that may hold secrets, wherever others who have it open are in it.
///
/// # Errors
///
/// The kernel's own.
pub fn read_open_secret(file: &OwnedFd) -> rustix::io::Result<SecretBuffer> {
    let size = usize::try_from(fstat(file)?.st_size).unwrap_or_default();
    let mut content = SecretBuffer::with_capacity(size);
    let mut block = Zeroizing::new(vec![0; 64 * 1024]);
    loop {
        let at = u64::try_from(content.len()).unwrap_or(u64::MAX);
        match rustix::io::pread(file, block.as_mut_slice(), at) {
            Ok(0) => return Ok(content),
            Err(Errno::INTR) => {}
            count => content.push(block.get(..count?).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::{Step, TemporaryDirectory, look};

    #[test]
    fn what_lies_across_the_edge_of_a_block_is_whole_in_one_of_them() {
        let here = TemporaryDirectory::scratch();
        let mut blocks = Blocks::overlapping(5);
        for offset in [0, BLOCK - 4, BLOCK - 1, BLOCK, BLOCK + 5, 2 * BLOCK - 3, 3 * BLOCK] {
            let path = here.write("file", &format!("{}needle{}", "x".repeat(offset), "y".repeat(offset % 7)));
            let mut found = 0;
            look(&path, &mut |step| {
                if let Step::Found(file) = step {
                    let file = file.open().unwrap();
                    let mut count = |bytes: &[u8]| {
                        found += usize::from(bytes.windows(6).any(|window| window == b"needle"));
                    };
                    blocks.read(&file, &mut count).unwrap();
                    let whole = read_open_secret(&file).unwrap();
                    assert_eq!(whole.len(), offset + 6 + offset % 7);
                    // EXPOSE: made up
                    assert!(whole.expose(|bytes| bytes.ends_with(&bytes[offset..])));
                }
                true
            });
            assert_eq!(found, 1, "{offset}");
        }
    }
}
