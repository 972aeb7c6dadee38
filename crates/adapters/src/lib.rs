//! What stands behind the ports of the engine: the store, the model providers, the tools, and the guard on what goes out.

pub mod background;
pub mod child;
pub mod clean;
pub mod guard;
pub mod otlp;
pub mod provider;
pub mod redactor;
mod retry_after;
pub mod secrets;
pub mod spans;
pub mod store;
pub mod tool;
pub mod vault;
