//! The engine against a simulated world: one test binary, so that it links once.

mod generate;
mod host;
mod journals;
mod simulation;
mod world;
