//! The allocator of these tests: the system's, counting what each thread holds.

#![allow(unsafe_code, reason = "an allocator that counts is unsafe to write")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static HELD: Cell<i64> = const { Cell::new(0) };
    static PEAK: Cell<i64> = const { Cell::new(0) };
}

/// The bytes that this thread has allocated and nobody has freed on it.
pub(crate) fn held() -> i64 {
    HELD.get()
}

/// Begins to watch for the most that this thread holds; returns the bytes that it holds now.
pub(crate) fn start_peak() -> i64 {
    PEAK.set(HELD.get());
    HELD.get()
}

/// The most bytes that this thread has held since the peak was started.
pub(crate) fn peak() -> i64 {
    PEAK.get()
}

struct Counting;

/// The bytes of an allocation: a word of the allocator's own beside it, in steps of two.
fn taken(size: usize) -> i64 {
    const WORD: usize = size_of::<usize>();
    (size + WORD).next_multiple_of(2 * WORD).max(4 * WORD).cast_signed() as i64
}

fn count(bytes: i64) {
    HELD.set(HELD.get() + bytes);
    PEAK.set(PEAK.get().max(HELD.get()));
}

// SAFETY: every call is handed to the system's allocator unchanged; the counters are plain words
// without a destructor, so that counting allocates nothing and works on a thread that ends.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(taken(layout.size()));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-taken(layout.size()));
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
