//! The simulated provider: a real HTTP server on loopback that speaks OpenAI's and Anthropic's wire formats, and does what the
//! script of a node says. The ordinary clients talk to it, so a simulated run exercises everything but the model.

mod answer;
mod reply;
mod request;
mod script;
mod server;

pub use answer::CHARACTERS_PER_TOKEN;
pub use script::{Fault, FaultKind, Script, ScriptedCall};
pub use server::{FailNext, Simulator, SimulatorOptions, Stats};

use super::http::Upstream;
use flowtrace_core::call::ModelCall;
use flowtrace_engine::port::provider::CallContext;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// The field of a request body that carries [`Instructions`]. A header would be limited in length, and scripts are not.
const FIELD: &str = "x_flowtrace_simulate";

/// What a client tells the simulator besides the request itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Instructions {
    /// The provider that is simulated.
    provider: Option<String>,
    /// From 1.
    attempt: Option<u32>,
    /// The number of the vote that the call is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sample: Option<u64>,
    script: Option<Arc<Value>>,
}

/// Puts the body into the request. Only a simulated upstream gets the script; a real one never sees it.
pub(super) fn with_body(
    upstream: &Upstream,
    request: reqwest::RequestBuilder,
    mut body: Value,
    call: &ModelCall,
    context: &CallContext,
) -> reqwest::RequestBuilder {
    if upstream.simulated {
        let provider = Some(upstream.name.clone());
        let instructions =
            Instructions { provider, attempt: Some(context.attempt), sample: call.sample, script: call.simulate.clone() };
        body[FIELD] = json!(instructions);
    }
    request.json(&body)
}

#[cfg(test)]
mod tests;
