//! The world around a simulated host: a store that survives crashes, providers and tools that fail by a script drawn from the
//! seed, virtual time, and a switch that kills the process at a chosen operation.

use flowtrace_core::call::{ModelAnswer, ModelCall, ToolCall, ToolUse};
use flowtrace_core::event::{Body, Event};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::id::{RunId, StreamId, Timestamp};
use flowtrace_core::tool::Effect;
use flowtrace_core::usage::Usage;
use flowtrace_engine::memory::MemoryStore;
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::clock::Clock;
use flowtrace_engine::port::provider::{CallContext, OnDelta, Provider};
use flowtrace_engine::port::store::*;
use flowtrace_engine::port::tool::Tool;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// SplitMix64: small, seedable, and the same on every machine.
#[derive(Clone)]
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// What outlives a crash: the store, the outside world's own records, and the script.
pub struct World {
    pub seed: u64,
    pub store: Arc<MemoryStore>,
    /// Percent of attempts that fail.
    pub fault_percent: u64,
    state: Mutex<State>,
    crash: Notify,
}

struct State {
    rng: Rng,
    /// Operations of this life so far.
    operations: u64,
    crash_at: Option<u64>,
    crashed: bool,
    /// Virtual microseconds at the start of this life.
    epoch: u64,
    /// Calls by idempotency key: the attempt numbers, in order.
    calls: BTreeMap<String, Vec<u32>>,
    violations: Vec<String>,
    /// What people asked for once and would not ask for again.
    known: BTreeSet<usize>,
    keys: u64,
    appends: u64,
    /// Appends that meet a full disk, by number from 1.
    full: Range<u64>,
    refused: u64,
}

impl World {
    pub fn new(seed: u64, fault_percent: u64) -> Arc<Self> {
        let state = State {
            rng: Rng(seed ^ 0x5eed),
            operations: 0,
            crash_at: None,
            crashed: false,
            epoch: 1_700_000_000_000_000,
            calls: BTreeMap::new(),
            violations: Vec::new(),
            known: BTreeSet::new(),
            keys: 0,
            appends: 0,
            full: 0..0,
            refused: 0,
        };
        Arc::new(World { seed, store: Arc::default(), fault_percent, state: Mutex::new(state), crash: Notify::new() })
    }

    /// Starts a new life of the process, which dies at its operation number `crash_at`.
    pub fn begin_life(&self, crash_at: Option<u64>, down_micros: u64) {
        let mut state = self.state.lock().unwrap();
        state.operations = 0;
        state.crash_at = crash_at;
        state.crashed = false;
        state.epoch += down_micros;
    }

    pub fn end_life(&self, elapsed: Duration) {
        self.state.lock().unwrap().epoch += elapsed.as_micros() as u64;
    }

    /// Lets the disk be full for these appends, counted from 1.
    pub fn fill_disk(&self, appends: Range<u64>) {
        self.state.lock().unwrap().full = appends;
    }

    /// Appends that met a full disk.
    pub fn refused(&self) -> u64 {
        self.state.lock().unwrap().refused
    }

    fn disk_is_full(&self) -> bool {
        let mut state = self.state.lock().unwrap();
        state.appends += 1;
        let full = state.full.contains(&state.appends);
        state.refused += u64::from(full);
        full
    }

    pub fn operations(&self) -> u64 {
        self.state.lock().unwrap().operations
    }

    pub fn is_known(&self, ask: usize) -> bool {
        self.state.lock().unwrap().known.contains(&ask)
    }

    pub fn know(&self, ask: usize) {
        self.state.lock().unwrap().known.insert(ask);
    }

    pub fn next_key(&self) -> u64 {
        let mut state = self.state.lock().unwrap();
        state.keys += 1;
        state.keys
    }

    /// The time at which this life is so old, in microseconds.
    pub fn now_at(&self, elapsed: Duration) -> u64 {
        self.state.lock().unwrap().epoch + elapsed.as_micros() as u64
    }

    pub async fn crashed(&self) {
        self.crash.notified().await;
    }

    pub fn violations(&self) -> Vec<String> {
        self.state.lock().unwrap().violations.clone()
    }

    pub fn calls(&self) -> BTreeMap<String, Vec<u32>> {
        self.state.lock().unwrap().calls.clone()
    }

    /// One operation: takes a little virtual time, and never comes back from the one at which the process dies.
    async fn operation(&self, longest_ms: u64) {
        let pause = {
            let mut state = self.state.lock().unwrap();
            state.operations += 1;
            if state.crash_at.is_some_and(|at| state.operations >= at) {
                state.crashed = true;
            }
            if state.crashed {
                self.crash.notify_one();
                None
            } else {
                Some(state.rng.below(longest_ms * 1000 + 1))
            }
        };
        match pause {
            Some(0) => {}
            Some(micros) => tokio::time::sleep(Duration::from_micros(micros)).await,
            None => std::future::pending().await,
        }
    }

    /// Notes a call and checks that its step has not already succeeded.
    async fn note_call(&self, context: &CallContext) {
        let key = context.idempotency_key.clone();
        let (run, rest) = key.split_once('/').expect("a key is run/path/request");
        let (path, _) = rest.rsplit_once('/').expect("a key is run/path/request");
        let run = RunId::parse(run).expect("a key starts with a run id");
        let events = self.store.read(run, 0, usize::MAX).await.unwrap();
        // Also those that ended because something around them did.
        let rows = self.store.steps(run).await.unwrap();
        let ended = self.store.run(run).await.unwrap().is_none_or(|row| row.finished_at.is_some());
        let done = ended || rows.iter().any(|row| &*row.path == path);
        let taking_back = events.iter().any(|event| matches!(event.body, Body::UndoStarted { .. }));
        let scheduled =
            events.iter().any(|event| event.step.as_deref() == Some(path) && matches!(event.body, Body::StepScheduled { .. }));
        let mut state = self.state.lock().unwrap();
        if done {
            state.violations.push(format!("{key} was called after its step had ended"));
        }
        if taking_back && !path.ends_with("/undo") {
            state.violations.push(format!("{key} was called after the run had begun to take back what it did"));
        }
        if !scheduled {
            state.violations.push(format!("{key} was called before that was committed"));
        }
        state.calls.entry(key).or_default().push(context.attempt);
    }

    /// Checks that a call which comes back was still waited for: what was stopped has to be stopped out there as well.
    async fn note_return(&self, context: &CallContext) {
        let key = &context.idempotency_key;
        let (run, rest) = key.split_once('/').expect("a key is run/path/request");
        let (path, _) = rest.rsplit_once('/').expect("a key is run/path/request");
        let rows = self.store.steps(RunId::parse(run).expect("a key starts with a run id")).await.unwrap();
        if rows.iter().any(|row| &*row.path == path) {
            self.state.lock().unwrap().violations.push(format!("the call {key} went on after its step had ended"));
        }
    }

    /// What the model says to a conversation with tools: an answer, not always as the schema wants it, or up to three calls, some of them
    /// of tools that do not exist.
    fn turn(&self, call: &ModelCall) -> (String, Vec<ToolUse>) {
        let mut hasher = DefaultHasher::new();
        self.seed.hash(&mut hasher);
        call.messages.iter().for_each(|message| message.content.hash(&mut hasher));
        let mut rng = Rng(hasher.finish());
        let turn = call.messages.len();
        if rng.chance(35) {
            let fits = call.schema.is_some() && rng.chance(75);
            let text = if fits { json!({"done": turn}).to_string() } else { format!("done after {turn}") };
            return (text, Vec::new());
        }
        let mut calls = Vec::new();
        for at in 0..1 + rng.below(3) {
            let offered = &call.tools[rng.below(call.tools.len() as u64) as usize].name;
            let name = if rng.chance(10) { "nobody".to_owned() } else { offered.clone() };
            let arguments = if rng.chance(10) { json!("no object") } else { json!({"turn": turn, "at": at}) };
            calls.push(ToolUse { id: format!("call_{turn}_{at}"), name, arguments });
        }
        (String::new(), calls)
    }

    /// The fault of an attempt: the same in every life, because it depends only on the seed and on what is asked.
    fn fault(&self, subject: &str, attempt: u32) -> Option<Failure> {
        let mut hasher = DefaultHasher::new();
        (self.seed, subject, attempt).hash(&mut hasher);
        let mut rng = Rng(hasher.finish());
        if !rng.chance(self.fault_percent) {
            return None;
        }
        use FailureCode::*;
        let code = [RateLimited, ServerError, Timeout, Connection, Malformed, StreamCut, BadRequest, Unauthorized]
            [rng.below(8) as usize];
        let retry_after = (code == RateLimited && rng.chance(50)).then(|| rng.below(90_000));
        Some(Failure::new(code, "scripted").with_retry_after_ms(retry_after))
    }
}

pub struct SimulatedClock {
    epoch: u64,
    start: tokio::time::Instant,
}

impl SimulatedClock {
    pub fn new(world: &World) -> Self {
        SimulatedClock { epoch: world.state.lock().unwrap().epoch, start: tokio::time::Instant::now() }
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.epoch + self.start.elapsed().as_micros() as u64)
    }
}

pub struct SimulatedProvider {
    pub world: Arc<World>,
    pub name: &'static str,
}

impl Provider for SimulatedProvider {
    fn name(&self) -> &str {
        self.name
    }

    fn simulated(&self) -> bool {
        true
    }

    fn call<'a>(
        &'a self,
        call: &'a ModelCall,
        context: &'a CallContext,
        on_delta: OnDelta<'a>,
    ) -> BoxFuture<'a, Result<ModelAnswer, Failure>> {
        Box::pin(async move {
            self.world.note_call(context).await;
            self.world.operation(40).await;
            let said: Vec<&str> = call.messages.iter().map(|message| message.content.as_str()).collect();
            let prompt = &said.join("\n");
            if let Some(failure) = self.world.fault(&format!("{}/{prompt}", self.name), context.attempt) {
                return Err(failure);
            }
            on_delta("half ");
            self.world.operation(40).await;
            self.world.note_return(context).await;
            let mut hasher = DefaultHasher::new();
            prompt.hash(&mut hasher);
            let usage = Usage { input_uncached: prompt.len() as u64, output: 3, ..Usage::default() };
            let checked = call.messages.first().is_some_and(|message| message.content == "checked");
            let (text, tool_calls) = match call.tools.is_empty() {
                false => self.world.turn(call),
                true if checked && hasher.finish().is_multiple_of(2) => ("bad".to_owned(), Vec::new()),
                true => (format!("answer {:x}", hasher.finish()), Vec::new()),
            };
            Ok(ModelAnswer {
                tool_calls,
                text,
                model: call.target.model.clone(),
                finish_reason: Some("stop".to_owned()),
                usage: Some(usage),
                raw_usage: None,
                upstream_request_id: None,
                first_token_ms: None,
                simulated: true,
            })
        })
    }
}

/// A remote tool: returns its inputs, or fails by the script.
pub struct SimulatedTool {
    pub world: Arc<World>,
    pub name: &'static str,
}

impl Tool for SimulatedTool {
    fn name(&self) -> &str {
        self.name
    }

    fn description(&self) -> &str {
        "Returns its inputs."
    }

    fn config_schema(&self) -> Value {
        json!({"type": "object"})
    }

    fn effect(&self, _config: &Value) -> Effect {
        if self.name == "once" { Effect::SideEffect } else { Effect::Idempotent }
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn call<'a>(&'a self, call: &'a ToolCall, context: &'a CallContext) -> BoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            self.world.note_call(context).await;
            self.world.operation(20).await;
            self.world.note_return(context).await;
            let subject = format!("{}{}{}", self.name, call.inputs, call.config);
            match self.world.fault(&subject, context.attempt) {
                Some(failure) => Err(failure),
                None => Ok(call.inputs.clone()),
            }
        })
    }
}

/// The world's store as one life of the process sees it: it may die before or after a commit.
pub struct CrashingStore(pub Arc<World>);

impl Journal for CrashingStore {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), AppendError>> {
        Box::pin(async move {
            self.0.operation(1).await;
            if self.0.disk_is_full() {
                return Err(StoreError::Full("simulated".to_owned()).into());
            }
            let result = self.0.store.append(append).await;
            self.0.operation(1).await;
            result
        })
    }
    fn append_many(&self, appends: Vec<Append>) -> BoxFuture<'_, Result<(), AppendError>> {
        self.0.store.append_many(appends)
    }
    fn read(&self, stream: StreamId, after: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Event>, StoreError>> {
        self.0.store.read(stream, after, limit)
    }
    fn watch(&self, stream: StreamId) -> watch::Receiver<u64> {
        self.0.store.watch(stream)
    }
    fn blob(&self, hash: &str) -> BoxFuture<'_, Result<Option<Arc<[u8]>>, StoreError>> {
        self.0.store.blob(hash)
    }
    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<RunRow>, StoreError>> {
        self.0.store.run(id)
    }
    fn runs(&self, query: RunQuery) -> BoxFuture<'_, Result<Vec<RunRow>, StoreError>> {
        self.0.store.runs(query)
    }
    fn steps(&self, run: RunId) -> BoxFuture<'_, Result<Vec<StepRow>, StoreError>> {
        self.0.store.steps(run)
    }
    fn approvals(&self, query: ApprovalQuery) -> BoxFuture<'_, Result<Vec<ApprovalRow>, StoreError>> {
        self.0.store.approvals(query)
    }
    fn open_approvals(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.0.store.open_approvals()
    }
    fn unfinished(&self) -> BoxFuture<'_, Result<Vec<RunId>, StoreError>> {
        self.0.store.unfinished()
    }
    fn parked(&self, runs: Vec<RunId>) -> BoxFuture<'_, Result<Vec<Parked>, StoreError>> {
        self.0.store.parked(runs)
    }
    fn wakeups(&self) -> BoxFuture<'_, Result<Vec<Wakeup>, StoreError>> {
        self.0.store.wakeups()
    }
}

impl Inbox for CrashingStore {
    fn post(&self, stream: StreamId, key: String, request: InboxRequest) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move {
            self.0.operation(1).await;
            self.0.store.post(stream, key, request).await
        })
    }
    fn inbox(&self, stream: StreamId) -> BoxFuture<'_, Result<Vec<InboxItem>, StoreError>> {
        self.0.store.inbox(stream)
    }
}

impl Cache for CrashingStore {
    fn cached(&self, key: &str, now: Timestamp) -> BoxFuture<'_, Result<Option<CacheRow>, StoreError>> {
        self.0.store.cached(key, now)
    }
    fn clear_cache(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.0.store.clear_cache()
    }
}

impl Workflows for CrashingStore {
    fn create_workflow(&self, workflow: Workflow) -> BoxFuture<'_, Result<(), WorkflowError>> {
        self.0.store.create_workflow(workflow)
    }
    fn workflow(&self, id: &str) -> BoxFuture<'_, Result<Option<Workflow>, StoreError>> {
        self.0.store.workflow(id)
    }
    fn workflows(&self, after: Option<String>, limit: usize) -> BoxFuture<'_, Result<Vec<Workflow>, StoreError>> {
        self.0.store.workflows(after, limit)
    }
    fn update_workflow(
        &self,
        id: &str,
        change: WorkflowChange,
        expected: Option<u32>,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Workflow, WorkflowError>> {
        self.0.store.update_workflow(id, change, expected, now)
    }
    fn delete_workflow(&self, id: &str, now: Timestamp) -> BoxFuture<'_, Result<(), WorkflowError>> {
        self.0.store.delete_workflow(id, now)
    }
    fn undelete_workflow(&self, id: &str) -> BoxFuture<'_, Result<(), WorkflowError>> {
        self.0.store.undelete_workflow(id)
    }
    fn workflow_versions(&self, id: &str) -> BoxFuture<'_, Result<Vec<WorkflowVersion>, StoreError>> {
        self.0.store.workflow_versions(id)
    }
    fn put_draft(&self, id: &str, draft: Option<Draft>, expected: Option<DraftTag>) -> BoxFuture<'_, Result<(), WorkflowError>> {
        self.0.store.put_draft(id, draft, expected)
    }
    fn draft(&self, id: &str) -> BoxFuture<'_, Result<Option<Draft>, StoreError>> {
        self.0.store.draft(id)
    }
    fn put_document(&self, hash: &str, graph_json: &str) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.store.put_document(hash, graph_json)
    }
    fn document(&self, hash: &str) -> BoxFuture<'_, Result<Option<Arc<str>>, StoreError>> {
        self.0.store.document(hash)
    }
    fn bindings(&self) -> BoxFuture<'_, Result<Vec<ProviderBinding>, StoreError>> {
        self.0.store.bindings()
    }
    fn put_binding(&self, binding: ProviderBinding) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.store.put_binding(binding)
    }
    fn delete_binding(&self, id: &str) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.0.store.delete_binding(id)
    }
    fn meta(&self, key: &str) -> BoxFuture<'_, Result<Option<Value>, StoreError>> {
        self.0.store.meta(key)
    }
    fn put_meta(&self, key: &str, value: Value) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.store.put_meta(key, value)
    }
}
