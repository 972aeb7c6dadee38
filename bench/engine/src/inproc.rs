//! The engine and its SQLite store in this process, with a tool that does nothing.

use crate::meter::{Meter, directory_bytes, peak_rss_mb, percentile};
use crate::{Args, workload};
use flowtrace_adapters::store::sqlite::SqliteStore;
use flowtrace_core::call::{ModelAnswer, ModelCall, Role, ToolCall, ToolUse};
use flowtrace_core::equivalence::Equivalence;
use flowtrace_core::event::{Limits, ModelDefaults, WorkflowRef};
use flowtrace_core::failure::Failure;
use flowtrace_core::id::{RunId, StreamId};
use flowtrace_core::payload::sha256_hex;
use flowtrace_core::plan::Plan;
use flowtrace_core::price::PriceTable;
use flowtrace_core::usage::Usage;
use flowtrace_engine::host::{Host, Ports, Settings, StartRun};
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::clock::SystemClock;
use flowtrace_engine::port::provider::{CallContext, OnDelta, Provider};
use flowtrace_engine::port::store::{RunRow, Store};
use flowtrace_engine::port::tool::{Tool, Tools};
use futures::StreamExt;
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Builds its payload and returns it; notes when it was entered.
struct NoOp {
    entries: Mutex<Vec<Instant>>,
    /// W5: every execution is written here, and the process kills itself on entering the given step.
    side_log: Option<(Mutex<File>, Option<usize>)>,
}

impl Tool for NoOp {
    fn name(&self) -> &str {
        "noop"
    }

    fn description(&self) -> &str {
        "Does nothing."
    }

    fn config_schema(&self) -> Value {
        json!({"type": "object"})
    }

    fn is_remote(&self) -> bool {
        false
    }

    fn call<'a>(&'a self, call: &'a ToolCall, _context: &'a CallContext) -> BoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            self.entries.lock().expect("no panic while it is held").push(Instant::now());
            let index = call.inputs["i"].as_u64().unwrap_or(0) as usize;
            if let Some((log, crash_at)) = &self.side_log {
                let mut log = log.lock().expect("no panic while it is held");
                writeln!(log, "{index}").expect("the side log can be written");
                if *crash_at == Some(index) {
                    kill_self();
                }
            }
            if let Some(turn) = call.inputs["turn"].as_u64() {
                return Ok(json!(prose(1000 + turn as usize, 1024)));
            }
            match call.inputs["kb"].as_u64() {
                Some(kb) => Ok(json!({"text": "y".repeat(kb as usize * 1024)})),
                None => Ok(workload::payload(index)),
            }
        })
    }
}

/// A model that calls the tool in every turn but its last, and says about 400 characters each time.
struct Talker;

/// Turns of an agent that talks to it.
pub const TURNS: usize = 50;

impl Provider for Talker {
    fn name(&self) -> &str {
        "openai"
    }

    fn simulated(&self) -> bool {
        true
    }

    fn call<'a>(
        &'a self,
        call: &'a ModelCall,
        _context: &'a CallContext,
        _on_delta: OnDelta<'a>,
    ) -> BoxFuture<'a, Result<ModelAnswer, Failure>> {
        let turn = call.messages.iter().filter(|message| message.role == Role::Assistant).count();
        let used = ToolUse { id: format!("call_{turn}"), name: "noop".to_owned(), arguments: json!({"turn": turn}) };
        Box::pin(std::future::ready(Ok(ModelAnswer {
            text: prose(turn, 400),
            tool_calls: if turn + 1 < TURNS { vec![used] } else { Vec::new() },
            model: call.target.model.clone(),
            finish_reason: Some("stop".to_owned()),
            usage: Some(Usage { input_uncached: 10, output: 10, ..Usage::default() }),
            raw_usage: None,
            upstream_request_id: None,
            first_token_ms: None,
            simulated: true,
        })))
    }
}

/// Words in an order that repeats only after long, so that they compress about as prose does.
fn prose(seed: usize, length: usize) -> String {
    const WORDS: [&str; 32] = [
        "order",
        "the",
        "river",
        "looked",
        "amount",
        "of",
        "and",
        "customer",
        "shipped",
        "between",
        "parcel",
        "a",
        "weather",
        "is",
        "number",
        "found",
        "seven",
        "reply",
        "with",
        "late",
        "refund",
        "in",
        "torn",
        "page",
        "policy",
        "within",
        "days",
        "atlas",
        "no",
        "second",
        "confirmed",
        "please",
    ];
    let (mut text, mut state) = (String::new(), seed as u64 + 1);
    while text.len() < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(WORDS[(state >> 33) as usize % WORDS.len()]);
        text.push(' ');
    }
    text
}

/// SIGKILL, as a power switch would.
fn kill_self() {
    let _ = std::process::Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
    std::thread::sleep(std::time::Duration::from_secs(10));
}

pub struct Bench {
    pub host: Host,
    tool: Arc<NoOp>,
    pub store: Arc<dyn Store>,
    pub data: PathBuf,
}

impl Bench {
    fn open(args: &Args) -> Result<Self, String> {
        let data = args.workdir.join("data");
        std::fs::create_dir_all(&data).map_err(|error| error.to_string())?;
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data).map_err(|error| error.to_string())?);
        let side_log = match args.workload.as_str() {
            "W5" => {
                let path = args.workdir.join("steps.log");
                let file = OpenOptions::new().append(true).create(true).open(path).map_err(|error| error.to_string())?;
                Some((Mutex::new(file), (args.phase == "crash").then_some(workload::CRASH_AT)))
            }
            _ => None,
        };
        let tool = Arc::new(NoOp { entries: Mutex::default(), side_log });
        let ports = Ports {
            store: store.clone(),
            providers: vec![Arc::new(Talker)],
            tools: Tools::new(vec![tool.clone()], Vec::new()),
            clock: Arc::new(SystemClock),
        };
        let settings = Settings {
            prices: PriceTable::default(),
            equivalence: Equivalence::default(),
            ceilings: Limits::default(),
            max_active_runs: 1024,
            simulated: false,
            variables: Arc::default(),
        };
        Ok(Bench { host: Host::new(ports, settings), tool, store, data })
    }

    pub async fn start(&self, document: &(Arc<str>, Arc<Plan>)) -> Result<RunId, String> {
        self.start_with(document, json!({})).await
    }

    pub async fn start_with(&self, document: &(Arc<str>, Arc<Plan>), input: Value) -> Result<RunId, String> {
        let start = StartRun {
            workflow: WorkflowRef { id: None, version: None, hash: sha256_hex(document.0.as_bytes()).into() },
            graph_json: document.0.clone(),
            plan: document.1.clone(),
            linked: Vec::new(),
            input,
            session_id: None,
            labels: Default::default(),
            triggered_by: "bench".to_owned(),
            parent: None,
            replay_of: None,
            defaults: ModelDefaults::default(),
            idempotency: None,
        };
        Ok(self.host.start(start).await.map_err(|error| error.to_string())?.id)
    }

    /// Waits for the end of a run.
    pub async fn wait(&self, run: RunId) -> Result<RunRow, String> {
        self.host.idle(run).await;
        let row = self.store.run(run).await.map_err(|error| error.to_string())?;
        let row = row.ok_or_else(|| format!("there is no run {run}"))?;
        match row.status.as_str() {
            "succeeded" => Ok(row),
            other => Err(format!("run {run} is {other}: {:?}", row.error_summary)),
        }
    }

    pub async fn finish(&self, document: &(Arc<str>, Arc<Plan>)) -> Result<RunRow, String> {
        let run = self.start(document).await?;
        self.wait(run).await
    }

    /// Forgets which steps were entered.
    pub fn clear(&self) {
        self.tool.entries.lock().expect("no panic while it is held").clear();
    }

    pub fn first_entry(&self) -> Option<Instant> {
        self.tool.entries.lock().expect("no panic while it is held").first().copied()
    }

    /// The gaps between the entries of consecutive steps, in milliseconds.
    fn gaps(&self) -> Vec<f64> {
        let entries = self.tool.entries.lock().expect("no panic while it is held");
        entries.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64() * 1000.0).collect()
    }
}

pub fn document(value: Value) -> Result<(Arc<str>, Arc<Plan>), String> {
    let text: Arc<str> = value.to_string().into();
    let plan = Plan::compile(text.as_bytes()).map_err(|problems| format!("the workload is refused: {problems:?}"))?;
    Ok((text, Arc::new(plan)))
}

/// `begin`: when the process began.
pub async fn run(args: &Args, begin: Instant) -> Result<Value, String> {
    let bench = Bench::open(args)?;
    let me = std::process::id();
    if args.workload == "W0" {
        let ready_s = begin.elapsed().as_secs_f64();
        bench.finish(&document(workload::chain("noop", 1))?).await?;
        return Ok(json!({"ready_s": ready_s, "total_s": begin.elapsed().as_secs_f64(), "rss_mb": peak_rss_mb(me)}));
    }
    if args.workload == "W5" {
        return crash(args, &bench).await;
    }
    bench.finish(&document(workload::chain("noop", workload::WARM_UP))?).await?;
    bench.clear();
    let before = directory_bytes(&bench.data);
    match args.workload.as_str() {
        "W1" => {
            let chain = document(workload::chain("noop", workload::CHAIN))?;
            let meter = Meter::start(me);
            bench.finish(&chain).await?;
            let reading = meter.read();
            let mut gaps = bench.gaps();
            Ok(
                json!({"total_s": reading.total_s, "step_ms_p50": percentile(&mut gaps, 0.5), "step_ms_p99": percentile(&mut gaps, 0.99),
                "cpu_ms_per_step": reading.cpu_s * 1000.0 / workload::CHAIN as f64, "bytes_written": reading.bytes_written,
                "store_bytes": directory_bytes(&bench.data).saturating_sub(before), "rss_mb": peak_rss_mb(me)}),
            )
        }
        "W2" => {
            let fan = document(workload::fan_out("noop", workload::BRANCHES))?;
            let meter = Meter::start(me);
            bench.finish(&fan).await?;
            let reading = meter.read();
            Ok(json!({"total_s": reading.total_s, "cpu_s": reading.cpu_s, "bytes_written": reading.bytes_written,
                "store_bytes": directory_bytes(&bench.data).saturating_sub(before), "rss_mb": peak_rss_mb(me)}))
        }
        "W3" => {
            let chain = document(workload::chain("noop", workload::RUN_STEPS))?;
            let runs = args.runs.unwrap_or(workload::RUNS);
            let meter = Meter::start(me);
            let results: Vec<Result<f64, String>> = futures::stream::iter(0..runs)
                .map(|_| async {
                    let begin = Instant::now();
                    bench.finish(&chain).await.map(|_| begin.elapsed().as_secs_f64() * 1000.0)
                })
                .buffer_unordered(workload::IN_FLIGHT)
                .collect()
                .await;
            let reading = meter.read();
            let mut latencies = results.into_iter().collect::<Result<Vec<f64>, String>>()?;
            let steps = (runs * workload::RUN_STEPS) as f64;
            Ok(json!({"runs": runs, "total_s": reading.total_s, "steps_per_s": steps / reading.total_s,
                "run_ms_p50": percentile(&mut latencies, 0.5), "run_ms_p99": percentile(&mut latencies, 0.99),
                "cpu_s": reading.cpu_s, "cpu_ms_per_step": reading.cpu_s * 1000.0 / steps, "bytes_written": reading.bytes_written,
                "rss_mb": peak_rss_mb(me)}))
        }
        other => crate::control::run(other, &bench).await,
    }
}

async fn crash(args: &Args, bench: &Bench) -> Result<Value, String> {
    let note = args.workdir.join("run.id");
    if args.phase == "crash" {
        let run = StreamId(uuid_like());
        std::fs::write(&note, run.to_string()).map_err(|error| error.to_string())?;
        let chain = document(workload::chain("noop", workload::CHAIN))?;
        let start = StartRun {
            workflow: WorkflowRef { id: None, version: None, hash: sha256_hex(chain.0.as_bytes()).into() },
            graph_json: chain.0.clone(),
            plan: chain.1.clone(),
            linked: Vec::new(),
            input: json!({}),
            session_id: None,
            labels: Default::default(),
            triggered_by: "bench".to_owned(),
            parent: None,
            replay_of: None,
            defaults: ModelDefaults::default(),
            idempotency: None,
        };
        bench.host.start_as(run, start).await.map_err(|error| error.to_string())?;
        bench.wait(run).await?;
        return Err("the process should have died".to_owned());
    }
    let run =
        std::fs::read_to_string(&note).ok().and_then(|text| StreamId::parse(text.trim())).ok_or("run the crash phase first")?;
    let begin = Instant::now();
    bench.host.recover().await.map_err(|error| error.to_string())?;
    let row = bench.wait(run).await?;
    Ok(json!({"resume_s": begin.elapsed().as_secs_f64(), "steps": row.steps, "manual": false}))
}

/// A fresh id in the form of a UUIDv7; the bench needs no more of it than being new.
fn uuid_like() -> u128 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    (u128::from(since.as_millis() as u64) << 80) | (7 << 76) | (2 << 62) | u128::from(std::process::id())
}
