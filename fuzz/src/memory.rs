//! An end to memory: what a hostile image may cost, counted by the byte. libFuzzer's own limit sees only pages that were
//! touched, and those once in a second.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes in use at once.
const MOST: usize = 200 << 20;

struct Counting(AtomicUsize);

#[global_allocator]
static ALLOCATOR: Counting = Counting(AtomicUsize::new(0));

impl Counting {
    /// Whether there is room for so many bytes more.
    fn take(&self, size: usize) -> bool {
        let before = self.0.fetch_add(size, Ordering::Relaxed);
        let fits = before.checked_add(size).is_some_and(|sum| sum <= MOST);
        if !fits {
            self.0.fetch_sub(size, Ordering::Relaxed);
        }
        fits
    }
}

// Safety: every request is handed to the system's allocator as it came; null stands for a refusal, which aborts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.take(layout.size()) {
            unsafe { System.alloc(layout) }
        } else {
            std::ptr::null_mut()
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if self.take(layout.size()) {
            unsafe { System.alloc_zeroed(layout) }
        } else {
            std::ptr::null_mut()
        }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        self.0.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}
