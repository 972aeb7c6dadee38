//! Threads for what may wait: taking spans in fills every core that it gets, and the engine's commits and the answers to people go
//! first. The threads have a lower priority, and so lose a core at once to anybody else who wants it.

use std::sync::LazyLock;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// Of all threads here, where 0 is that of the others and 19 the lowest. With 10, the scheduler gives a thread a tenth of the share of
/// the others, and a thread that wakes up among the others takes over from it at once. <https://man7.org/linux/man-pages/man7/sched.7.html>
const NICENESS: i32 = 10;

/// As many threads as cores, which also bounds the memory of what they have under way. Nothing runs on it but its blocking threads.
static POOL: LazyLock<std::io::Result<Runtime>> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Builder::new_current_thread().max_blocking_threads(cores).thread_name("background").on_thread_start(yield_to_others).build()
});

/// Runs work on a background thread, in the order of the calls.
pub fn run<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> JoinHandle<R> {
    match &*POOL {
        Ok(pool) => pool.spawn_blocking(work),
        // Without threads of its own it still has to be done.
        Err(_) => tokio::task::spawn_blocking(work),
    }
}

/// Lowers the priority of the calling thread, where the system knows such a thing for single threads.
pub fn yield_to_others() {
    // What fails leaves the priority as it is.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(NICENESS);
}
