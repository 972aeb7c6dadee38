//! Work over what a user wrote, kept from harming the process: on a stack that is large enough, and with panics contained.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

/// The stack of the threads that [`with_large_stack`] starts, in bytes. It is reserved, not used: pages come as they are touched.
pub const STACK: usize = 64 * 1024 * 1024;

/// Runs `work` on a thread of its own and waits for it. `None` if the thread could not be started or the work panicked.
pub fn with_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("flowtrace-deep".to_owned()).stack_size(STACK).spawn_scoped(scope, work);
        thread.ok()?.join().ok()
    })
}

/// Runs work of a library on hostile values. `None` if it panicked, which is a fault of the library; what it was working on has
/// to be thrown away.
pub fn contained<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
