//! Store, providers and tools behind the ports of the engine.

pub mod provider;
