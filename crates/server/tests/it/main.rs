//! Everything that is tested against the real binary, as one test program: it links once, and helpers are shared.
#![allow(clippy::unwrap_used)]

mod api;
mod boundary;
mod cli;
mod crash;
mod faults;
mod idempotency;
mod reference;
mod startup;
mod stream;
mod support;
