//! The host that carries out what the core decides, and the ports it needs.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod flight;
pub mod host;
pub mod live;
pub mod memory;
pub mod port;
mod values;
