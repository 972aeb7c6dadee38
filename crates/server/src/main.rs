//! The `flowtrace` binary: the HTTP API, the command line, and the deployment's configuration around the engine.

mod access;
mod api;
mod app;
mod boundary;
mod cli;
mod config;
mod deployment;
mod export;
mod folds;
#[cfg(unix)]
mod launch;
mod log;
mod otlp;
mod projector;
mod seed;
mod server;
mod upkeep;
mod web;

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Gives memory back to the system 10 ms after it was freed instead of a second: under full ingest that is 100 MB less, and no slower
/// (bench/ingest).
#[allow(unsafe_code, reason = "the allocator has no other way to be told")]
fn give_memory_back_soon() {
    // `mi_option_purge_delay`, which the binding does not name; its unit is a millisecond.
    const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
    // SAFETY: it writes a number, and is not safe beside other threads: there are none yet.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, 10) };
}

fn main() -> ExitCode {
    give_memory_back_soon();
    // With huge pages an idle server takes 16 MB more, and a busy one is no faster for them (measured with W3 over HTTP). It
    // is a wish, so a kernel that knows nothing of it changes nothing.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    #[cfg(unix)]
    if let Some(code) = launch::requested(std::env::args_os()) {
        return code;
    }
    cli::run(cli::args::Cli::parse())
}
