use super::BoxFuture;
use flowtrace_core::call::{ModelAnswer, ModelCall};
use flowtrace_core::failure::Failure;

/// What every outgoing call carries besides its content.
#[derive(Clone, Debug)]
pub struct CallContext {
    /// `<run>/<path>/<request>`: the same over retries and after a crash.
    pub idempotency_key: String,
    /// W3C `traceparent` of this attempt.
    pub traceparent: String,
    /// From 1.
    pub attempt: u32,
    /// The longest this attempt may take; also the deadline for the first byte.
    pub timeout_ms: u64,
    /// The most tokens that the answer of a model may have, at least 1: what a budget leaves. The call's own limit holds too.
    pub max_output_tokens: Option<u64>,
}

/// Receives the text of an answer piece by piece, as it arrives.
pub type OnDelta<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// One configured model provider. Dropping the future cancels the call at once.
pub trait Provider: Send + Sync {
    /// The name that workflows use in `config.provider`.
    fn name(&self) -> &str;

    /// Whether it has what it needs to be called. One that has not fails each call with a sentence that names what is missing.
    fn configured(&self) -> bool {
        true
    }

    /// Whether its answers are simulated.
    fn simulated(&self) -> bool;

    /// One attempt. A cut stream, a malformed answer or a missing end marker is an error, never a short answer.
    fn call<'a>(
        &'a self,
        call: &'a ModelCall,
        context: &'a CallContext,
        on_delta: OnDelta<'a>,
    ) -> BoxFuture<'a, Result<ModelAnswer, Failure>>;
}
