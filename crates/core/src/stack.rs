//! Recursive work over what a user wrote, on a stack that is large enough for it.

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
