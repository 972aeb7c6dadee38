//! The binary under test, and a client that checks every answer against the served OpenAPI document.

pub mod api;
pub mod binary;
pub mod documents;
pub mod sse;
pub mod upstream;
pub mod wire;

pub use api::{Answer, Api};
pub use binary::{Finished, PATIENCE, Server, flowtrace};
pub use upstream::{Call, End, Reply, To, Tokens, Upstream, wait_until};
