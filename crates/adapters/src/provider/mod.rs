//! Model providers: thin clients of our own, because the trace needs every header and every byte.
//!
//! [`config::build`] makes them from the operator's settings. All of them share [`http::exchange`], which owns deadlines, limits
//! and the sentences of failures; a provider itself is a request body and a [`wire::Wire`] decoder.

mod anthropic;
mod config;
mod http;
mod model;
mod openai;
mod schema;
mod secret;
pub mod simulated;
mod sse;
#[cfg(test)]
mod testing;
mod tools;
mod unconfigured;
mod wire;

#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod tool_tests;

pub use anthropic::{Anthropic, DEFAULT_MAX_TOKENS};
pub use config::{ConfigError, Kind, ProviderSettings, build};
pub use http::{HttpClient, MAX_BODY};
pub use openai::{MaxTokensField, OpenAi};
pub use secret::{ApiKey, KeySource, redact};
pub use unconfigured::NeedsKey;
