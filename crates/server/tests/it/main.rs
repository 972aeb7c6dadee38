//! Everything that is tested against the real binary, as one test program: it links once, and helpers are shared.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a panic is how a test fails, and the harness shows what it prints")]

mod api;
mod boundary;
mod cli;
mod control;
mod crash;
mod demo;
mod disk;
mod examples;
mod faults;
mod hostile;
mod idempotency;
mod reference;
mod startup;
mod stream;
mod support;
