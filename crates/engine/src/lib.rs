//! The host that carries out what the core decides, and the ports it needs.

pub mod memory;
pub mod port;
