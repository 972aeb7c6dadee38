//! Carries out one attempt of a call: the part of a run that happens outside.

use super::Env;
use crate::flight::{Flight, Ticket, follow};
use crate::live::LiveRun;
use crate::port::provider::CallContext;
use flowtrace_core::call::{Call, ModelCall, Outcome, ToolCall};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::id::StepPath;
use flowtrace_core::payload::sha256_hex;
use flowtrace_core::state::StepIx;
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// How much longer than the attempt's own timeout the host waits, so that the adapter's more precise message comes first.
const GRACE: Duration = Duration::from_millis(250);

/// An attempt that is recorded and now has to be made.
pub(crate) struct Effect {
    pub ix: StepIx,
    pub path: StepPath,
    pub request: u32,
    pub attempt: u32,
    pub call: Call,
    pub context: CallContext,
    /// The cache is asked first, unless the author turned it off.
    pub cache: bool,
}

/// What an attempt came to.
pub(crate) struct Finished {
    pub ix: StepIx,
    pub path: StepPath,
    pub request: u32,
    pub attempt: u32,
    pub outcome: Outcome,
    /// Held until the answer is committed: until then nobody finds it in the cache.
    pub flight: Option<Flight>,
}

/// Never fails and never panics: whatever happens becomes an outcome. Dropping it cancels the attempt.
pub(crate) async fn perform(env: Arc<Env>, live: Arc<LiveRun>, effect: Effect) -> Finished {
    let Effect { ix, path, request, attempt, call, context, cache } = effect;
    let limit = Duration::from_millis(context.timeout_ms) + GRACE;
    let work = AssertUnwindSafe(async {
        match &call {
            Call::Model(call) => ask_model(&env, &live, call, &context, &path, request, cache).await,
            Call::Tool(call) => (Outcome::Tool(use_tool(&env, call, &context).await), None),
            Call::Session(call) => (Outcome::Session(env.sessions.change(&env, call, &context.idempotency_key).await), None),
        }
    });
    let failed = |failure| match &call {
        Call::Model(_) => Outcome::Model(Err(failure)),
        Call::Tool(_) => Outcome::Tool(Err(failure)),
        Call::Session(_) => Outcome::Session(Err(failure)),
    };
    let (outcome, flight) = match tokio::time::timeout(limit, work.catch_unwind()).await {
        Ok(Ok(done)) => done,
        Ok(Err(_panic)) => {
            let message =
                format!("Step `{path}` hit a fault inside FlowTrace. The server's log has the details; please report it.");
            (failed(Failure::new(FailureCode::Internal, message)), None)
        }
        Err(_elapsed) => {
            let message = format!("Step `{path}` got no complete answer within {} ms.", context.timeout_ms);
            (failed(Failure::new(FailureCode::Timeout, message)), None)
        }
    };
    Finished { ix, path, request, attempt, outcome, flight }
}

async fn use_tool(env: &Env, call: &ToolCall, context: &CallContext) -> Result<serde_json::Value, Failure> {
    env.tools.get(&call.tool)?.call(call, context).await
}

async fn ask_model(
    env: &Env,
    live: &LiveRun,
    call: &ModelCall,
    context: &CallContext,
    path: &StepPath,
    request: u32,
    cache: bool,
) -> (Outcome, Option<Flight>) {
    let Some(provider) = env.providers.get(call.target.provider.as_str()) else {
        let known = env.provider_names().join("`, `");
        let message = format!("This server has no provider named `{}`; it knows `{known}`.", call.target.provider);
        return (Outcome::Model(Err(Failure::new(FailureCode::NotConfigured, message))), None);
    };
    let mut flight = None;
    if cache {
        let key = cache_key(call, provider.simulated());
        loop {
            match env.store.cached(&key, env.clock.now()).await {
                Ok(Some(row)) => return (Outcome::Cached(row.answer), None),
                Ok(None) => {}
                // The cache is a help, not a need: without it the provider is asked.
                Err(error) => tracing::warn!(%error, "the cache cannot be read"),
            }
            match env.flights.board(&key) {
                Ticket::Lead(lead) => {
                    flight = Some(lead);
                    break;
                }
                Ticket::Follow(receiver) => {
                    if let Some(answer) = follow(receiver).await {
                        return (Outcome::Cached((*answer).clone()), None);
                    }
                }
            }
        }
    }
    let on_delta = |text: &str| live.push(path, request, context.attempt, text);
    let answer = provider.call(call, context, &on_delta).await;
    (Outcome::Model(answer), flight)
}

/// Everything that can change the answer: target, messages, parameters, schema, and whether it is simulated.
pub(crate) fn cache_key(call: &ModelCall, simulated: bool) -> String {
    let text = serde_json::to_vec(&(simulated, call)).expect("a call holds only JSON values");
    sha256_hex(&text)
}
