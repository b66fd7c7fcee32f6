use std::hint::black_box;

use zeroize::Zeroize;

const WORDS: usize = 2 * 1024;
/// With the first one more than half a mebibyte: several times what any verb uses, a sixteenth of what a main thread has.
const BLOCKS: usize = 32;

/// Overwrites what finished calls have left on this thread's stack.
///
/// Rust copies a value when it moves it and wipes the last copy alone; age's payload key, for one, stays in frames that
/// are over. Call it where nothing secret is left on the stack above, just before the process ends.
#[inline(never)]
pub fn wipe_finished_frames() {
    wipe(BLOCKS);
}

#[inline(never)]
fn wipe(blocks: usize) {
    // `zeroize` writes what an optimizer may not leave out
    let mut block = [0_u64; WORDS];
    block.zeroize();
    if let Some(rest) = blocks.checked_sub(1) {
        wipe(rest);
    }
    // After the call, so that the frames lie below each other and are not one that is used again
    black_box(&block);
}
