//! The host that carries out what the core decides, and the ports it needs.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod memory;
pub mod port;
