//! The engine against a simulated world: one test binary, so that it links once.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod check;
mod fork;
mod generate;
mod host;
mod journals;
mod nested;
mod simulation;
mod world;
