//! What stands behind the ports of the engine: tools, and the guard on everything that goes out.

pub mod guard;
pub mod retry_after;
pub mod secrets;
pub mod tool;
