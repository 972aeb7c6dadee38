//! The `flowtrace` binary: the HTTP API, the command line, and the deployment's configuration around the engine.

mod api;
mod app;
mod boundary;
mod cli;
mod config;
mod deployment;
mod seed;
mod server;
mod web;

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run(cli::args::Cli::parse())
}
