//! Many small secrets on few pages: a page for each would be slow, and soon at the limit on locked memory.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use zeroize::Zeroize;

use super::pages::Pages;

const CHUNK: usize = 64 * 1024;

thread_local! {
    /// The chunk that still has room.
    static CURRENT: RefCell<Option<Rc<Chunk>>> = const { RefCell::new(None) };
}

/// A few bytes of a chunk, wiped when dropped. The chunk goes with the last of its blocks.
pub(super) struct Block {
    chunk: Rc<Chunk>,
    range: Range<usize>,
}

struct Chunk {
    filled: RefCell<Filled>,
    /// Blocks that were dropped while another of this chunk was being read, and wait to be wiped.
    stale: RefCell<Vec<Range<usize>>>,
}

struct Filled {
    pages: Pages,
    used: usize,
}

impl Block {
    /// A block with a copy of `bytes`.
    pub(super) fn copy_of(bytes: &[u8]) -> Self {
        let in_current = CURRENT.try_with(|current| {
            let current = current.borrow();
            let chunk = current.as_ref()?;
            Some(Self { range: chunk.take(bytes)?, chunk: Rc::clone(chunk) })
        });
        in_current.ok().flatten().unwrap_or_else(|| Self::in_new_chunk(bytes))
    }

    /// Lends the bytes to `reader`.
    pub(super) fn expose<R>(&self, reader: impl FnOnce(&[u8]) -> R) -> R {
        let filled = self.chunk.filled.borrow();
        reader(filled.pages.bytes().get(self.range.clone()).unwrap_or_default())
    }

    fn in_new_chunk(bytes: &[u8]) -> Self {
        let mut pages = Pages::of(bytes.len().max(CHUNK));
        let range = 0..bytes.len();
        if let Some(place) = pages.bytes_mut().get_mut(range.clone()) {
            place.copy_from_slice(bytes);
        }
        let filled = RefCell::new(Filled { pages, used: bytes.len() });
        let chunk = Rc::new(Chunk { filled, stale: RefCell::default() });
        // Where the thread is ending, the chunk lives as long as the block
        let _ = CURRENT.try_with(|current| current.replace(Some(Rc::clone(&chunk))));
        Self { chunk, range }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.chunk.stale.borrow_mut().push(self.range.clone());
        self.chunk.wipe_stale();
    }
}

impl Chunk {
    /// Copies `bytes` to its end; `None` when there is no room, or when a block of it is being read.
    fn take(&self, bytes: &[u8]) -> Option<Range<usize>> {
        let mut filled = self.filled.try_borrow_mut().ok()?;
        let range = filled.used..filled.used.checked_add(bytes.len())?;
        filled.pages.bytes_mut().get_mut(range.clone())?.copy_from_slice(bytes);
        filled.used = range.end;
        Some(range)
    }

    /// Wipes what was dropped, unless a block is being read; then the next drop does, or the chunk's own.
    fn wipe_stale(&self) {
        let Ok(mut filled) = self.filled.try_borrow_mut() else { return };
        for range in self.stale.borrow_mut().drain(..) {
            if let Some(place) = filled.pages.bytes_mut().get_mut(range) {
                place.zeroize();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(block: &Block) -> Vec<u8> {
        block.expose(<[u8]>::to_vec)
    }

    #[test]
    fn blocks_keep_their_bytes_over_many_chunks_and_whatever_is_dropped_between() {
        let mut blocks: Vec<(usize, Block)> =
            (0..5_000).map(|n| (n, Block::copy_of(format!("{n:0100}").as_bytes()))).collect();
        blocks.retain(|(n, _)| n % 3 != 0);
        for (n, block) in &blocks {
            assert_eq!(text_of(block), format!("{n:0100}").as_bytes());
        }
    }

    #[test]
    fn a_block_that_is_larger_than_a_chunk_has_one_of_its_own() {
        let large = vec![7; 3 * CHUNK];
        assert_eq!(text_of(&Block::copy_of(&large)), large);
    }

    #[test]
    fn a_copy_can_be_made_and_dropped_while_its_original_is_read() {
        let original = Block::copy_of(b"original");
        let other = Block::copy_of(b"other");
        let copy = original.expose(|bytes| {
            drop(other);
            Block::copy_of(bytes)
        });
        assert_eq!(text_of(&copy), b"original");
        assert_eq!(text_of(&original), b"original");
    }

    #[test]
    fn a_dropped_block_leaves_zeros_at_the_latest_when_the_next_is_dropped() {
        let (first, second, third) =
            (Block::copy_of(b"first"), Block::copy_of(b"second"), Block::copy_of(b"third"));
        let chunk = Rc::clone(&third.chunk);
        let ranges = [first.range.clone(), second.range.clone()];
        drop(first);
        third.expose(|_| drop(second));
        drop(third);
        let filled = chunk.filled.borrow();
        for range in ranges {
            assert!(filled.pages.bytes()[range].iter().all(|byte| *byte == 0));
        }
    }
}
