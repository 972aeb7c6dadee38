//! What the engine needs from outside. Every port is object-safe, so that the engine is compiled once for all adapters.

pub mod clock;
pub mod credentials;
pub mod provider;
pub mod span_store;
pub mod store;
pub mod tool;

pub use futures::future::BoxFuture;
