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
mod export;
mod faults;
mod folds;
mod hostile;
mod idempotency;
mod ingest;
mod ingest_crash;
mod ingest_hostile;
mod reference;
mod settings;
mod span_replay;
mod startup;
mod steering;
mod stream;
mod support;
mod tools;
mod traces;
