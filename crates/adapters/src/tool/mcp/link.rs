//! The way to one server: connected when it is needed, again after it broke, with growing waits in between.

use super::connection::{Connection, Info, connect};
use super::{McpSettings, Surroundings, answer};
use crate::tool::refuse;
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_engine::port::provider::CallContext;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use rmcp::model::{CallToolRequestParams, CallToolResponse, MetaObject, RequestMetaObject};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::time::Instant;

/// Waits after the first and after many failures in a row.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// A call waits for the next try itself if that is this near.
const PATIENCE: Duration = Duration::from_secs(5);
/// A connection that lasted this long was a good one.
const GOOD: Duration = Duration::from_secs(60);
/// After so many calls in a row that got no answer the connection is given up: the server hangs.
const MOST_TIMEOUTS: u32 = 3;

type Connecting = Shared<BoxFuture<'static, Result<Arc<Connection>, Failure>>>;

pub struct Link {
    pub settings: McpSettings,
    surroundings: Surroundings,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    live: Option<Arc<Connection>>,
    /// Somebody is connecting; everybody waits for the same.
    connecting: Option<Connecting>,
    /// Failures in a row.
    failures: u32,
    not_before: Option<Instant>,
    /// Why the server cannot be used, where the last thing that happened was a failure.
    problem: Option<Failure>,
    tools: Arc<BTreeMap<String, Arc<Info>>>,
    reached: bool,
    stopped: bool,
}

enum Step {
    Wait(Duration),
    Join(Connecting),
}

impl Link {
    pub fn new(settings: McpSettings, surroundings: Surroundings) -> Self {
        Link { settings, surroundings, state: Mutex::default() }
    }

    /// The tools that were listed last.
    pub fn known(&self) -> Arc<BTreeMap<String, Arc<Info>>> {
        self.state().tools.clone()
    }

    pub fn info(&self, tool: &str) -> Option<Arc<Info>> {
        self.state().tools.get(tool).cloned()
    }

    /// Whether the tools are known, and what is wrong at the moment.
    pub fn status(&self) -> (bool, Option<String>) {
        let state = self.state();
        (state.reached, state.problem.as_ref().map(|failure| failure.message.clone()))
    }

    pub fn stop(&self) {
        let mut state = self.state();
        state.stopped = true;
        state.live = None;
        state.connecting = None;
    }

    /// Tries until the server was reached once or the link is gone.
    pub async fn reach(link: Weak<Link>) {
        loop {
            let Some(this) = link.upgrade() else { return };
            match Link::connected(&this).await {
                Ok(_) => return,
                Err(failure) => {
                    tracing::warn!(server = this.settings.name, "{}", failure.message);
                    let Some(wait) = this.next_try() else { return };
                    drop(this);
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    /// How long until a connection may be tried again; `None`: never.
    fn next_try(&self) -> Option<Duration> {
        let state = self.state();
        let wait = state.not_before.map_or(FIRST_WAIT, |at| at.saturating_duration_since(Instant::now()));
        (!state.stopped).then_some(wait.max(FIRST_WAIT))
    }

    /// A connection that works as far as is known.
    pub async fn connected(this: &Arc<Link>) -> Result<Arc<Connection>, Failure> {
        loop {
            let step = {
                let mut state = this.state();
                if let Some(live) = &state.live {
                    if !live.is_closed() {
                        return Ok(live.clone());
                    }
                    let ended = live.clone();
                    state.fell(&ended, ended.why_closed());
                }
                let wait = state.not_before.map(|at| at.saturating_duration_since(Instant::now())).unwrap_or_default();
                match &state.connecting {
                    _ if state.stopped => {
                        let message =
                            format!("The MCP server `{}` is not used any more: FlowTrace is stopping.", this.settings.name);
                        return Err(Failure::new(FailureCode::Connection, message));
                    }
                    Some(connecting) => Step::Join(connecting.clone()),
                    None if wait > PATIENCE => return Err(this.not_yet(state.problem.as_ref(), wait)),
                    None if !wait.is_zero() => Step::Wait(wait),
                    None => {
                        // In a task of its own: a caller who gives up does not stop a server that others wait for.
                        let own = this.clone();
                        let task = tokio::spawn(async move { own.establish().await });
                        let connecting: Connecting = async move {
                            task.await.unwrap_or_else(|_| {
                                let message = "Connecting to an MCP server broke inside FlowTrace; its log says more.";
                                Err(Failure::new(FailureCode::Internal, message))
                            })
                        }
                        .boxed()
                        .shared();
                        state.connecting = Some(connecting.clone());
                        Step::Join(connecting)
                    }
                }
            };
            match step {
                Step::Wait(wait) => tokio::time::sleep(wait).await,
                Step::Join(connecting) => return connecting.await,
            }
        }
    }

    async fn establish(self: Arc<Self>) -> Result<Arc<Connection>, Failure> {
        let outcome = tokio::time::timeout(
            self.settings.start_timeout,
            connect(&self.settings, &self.surroundings, Arc::downgrade(&self)),
        )
        .await
        .unwrap_or_else(|_| {
            let message = format!(
                "The MCP server `{}` was not ready within {} s. Its operator can raise `start_timeout_seconds`, or find out why it does \
                 not answer.",
                self.settings.name,
                self.settings.start_timeout.as_secs_f64()
            );
            Err(Failure::new(FailureCode::Timeout, message))
        });
        let mut state = self.state();
        state.connecting = None;
        match outcome {
            Ok((connection, tools)) => {
                let connection = Arc::new(connection);
                if !state.stopped {
                    state.live = Some(connection.clone());
                }
                state.tools = Arc::new(tools);
                state.reached = true;
                state.problem = None;
                state.not_before = None;
                Ok(connection)
            }
            Err(failure) => {
                state.failed(failure.clone());
                Err(failure)
            }
        }
    }

    /// The server said that its tools have changed, and these are the new ones.
    pub fn learn(&self, tools: BTreeMap<String, Arc<Info>>) {
        self.state().tools = Arc::new(tools);
    }

    /// One call. The caller limits its time.
    pub async fn call(
        self: &Arc<Self>,
        tool: &str,
        arguments: Map<String, Value>,
        context: &CallContext,
    ) -> Result<Value, Failure> {
        let connection = Link::connected(self).await?;
        let info = self.info(tool).ok_or_else(|| self.no_such_tool(tool))?;
        let (name, arguments) = (&self.settings.name, Value::Object(arguments));
        if let Some(validator) = &info.input {
            validator
                .check(&arguments)
                .map_err(|why| refuse(format!("The inputs of `{tool}` of the MCP server `{name}` do not fit: {why}.")))?;
        }
        let mut params = CallToolRequestParams::new(tool.to_owned());
        params.meta = Some(meta(context));
        if let Value::Object(arguments) = arguments {
            params = params.with_arguments(arguments);
        }
        let outcome = match connection.peer().call_tool_once(params).await {
            Ok(CallToolResponse::Complete(result)) => answer::output(name, tool, &info, result, self.settings.max_output_bytes),
            Ok(_) => Err(refuse(format!(
                "`{tool}` of the MCP server `{name}` asks for something in between (input, or to come back later), which workflows \
                 cannot give."
            ))),
            Err(error) => {
                let (failure, broken) = connection.call_failure(tool, error);
                if broken {
                    let mut state = self.state();
                    state.fell(&connection, failure.clone());
                }
                Err(failure)
            }
        };
        connection.answered();
        let redactor = connection.redactor();
        outcome.map(|value| redactor.value(value)).map_err(|failure| redactor.failure(failure))
    }

    /// A call got no answer in time.
    pub fn note_timeout(&self) {
        let mut state = self.state();
        let Some(live) = state.live.clone() else { return };
        if live.timed_out() >= MOST_TIMEOUTS {
            let message = format!(
                "The MCP server `{}` did not answer {MOST_TIMEOUTS} calls in a row, so the connection to it was ended.",
                self.settings.name
            );
            state.fell(&live, Failure::new(FailureCode::Timeout, message));
        }
    }

    pub fn no_such_tool(&self, tool: &str) -> Failure {
        let known = self.known();
        let mut names: Vec<&str> = known.keys().map(String::as_str).take(30).collect();
        if known.len() > names.len() {
            names.push("…");
        }
        let short: String = tool.chars().take(100).collect();
        let message = format!(
            "The MCP server `{}` has no tool `{short}`, or it may not be used. It has: {}.",
            self.settings.name,
            names.join(", ")
        );
        Failure::new(FailureCode::NotConfigured, message)
    }

    fn not_yet(&self, problem: Option<&Failure>, wait: Duration) -> Failure {
        let why = problem.map_or_else(String::new, |failure| format!(" {}", failure.message));
        let message =
            format!("The MCP server `{}` is down and is tried again in {} s.{why}", self.settings.name, wait.as_secs().max(1));
        let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        Failure::new(FailureCode::Connection, message).with_retry_after_ms(Some(millis))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of the state is one step, so it is whole whatever another thread did.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A connection is of no more use. It may have been replaced already.
    fn fell(&mut self, connection: &Arc<Connection>, failure: Failure) {
        if self.live.as_ref().is_some_and(|live| Arc::ptr_eq(live, connection)) {
            self.live = None;
            if connection.age() >= GOOD {
                self.failures = 0;
            }
            self.failed(failure);
        }
        connection.end();
    }

    fn failed(&mut self, failure: Failure) {
        let wait = FIRST_WAIT.saturating_mul(2u32.saturating_pow(self.failures)).min(LONGEST_WAIT);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(Instant::now() + wait);
        self.problem = Some(failure);
    }
}

/// The key by which a server can know a repetition, and the place of the call in the run's trace. The second is a name of the
/// protocol (SEP-414); for the first it has none.
fn meta(context: &CallContext) -> RequestMetaObject {
    let mut meta = Map::new();
    meta.insert("idempotencyKey".to_owned(), context.idempotency_key.clone().into());
    if !context.traceparent.is_empty() {
        meta.insert("traceparent".to_owned(), context.traceparent.clone().into());
    }
    RequestMetaObject(MetaObject(meta))
}
