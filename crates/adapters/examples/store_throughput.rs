//! How fast the journal commits on this disk, beside how fast the disk itself confirms writes.
//!
//!     cargo run --profile fast -p flowtrace-adapters --example store_throughput -- [DIRECTORY [SECONDS]]
//!
//! The directory should be on the disk of interest (default: the temporary directory); a fresh one is made inside and removed at
//! the end. Each part runs for the given time (default: 5 s).

#![allow(clippy::print_stdout)]

use flowtrace_adapters::store::sqlite::SqliteStore;
use flowtrace_core::event::{Body, Event, LlmResponse};
use flowtrace_core::id::{RunId, StreamId, Timestamp};
use flowtrace_core::payload::Payload;
use flowtrace_core::usage::Usage;
use flowtrace_core::{call::Target, price};
use flowtrace_engine::port::store::{Append, Journal, RunRow, StepRow};
use serde_json::json;
use std::error::Error;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Turns of one run; then the task starts a new one.
const TURNS: u64 = 20;

#[tokio::main(flavor = "multi_thread", worker_threads = 3)]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().map_or_else(std::env::temp_dir, Into::into);
    let span = Duration::from_secs(arguments.next().map_or(Ok(5), |text| text.parse())?);
    let directory = tempfile::tempdir_in(directory)?;
    let path = directory.path();
    println!("load average {}", fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    println!("append size  {} bytes of events", flowtrace_core::event::encode(&turn(RunId::default(), 3).events).len());

    let mut syncs = sync_latencies(path, span / 5)?;
    println!("fdatasync    {}", percentiles(&mut syncs));

    let store = Arc::new(SqliteStore::open(path)?);
    println!("idle memory  {}", resident());
    for tasks in [1, 8, 64, 512] {
        let (before, busy, start) = (written(), writer_time(), Instant::now());
        let running: Vec<_> = (0..tasks).map(|_| tokio::spawn(append_for(store.clone(), span))).collect();
        let mut latencies = Vec::new();
        for task in running {
            latencies.extend(task.await??);
        }
        let (appends, seconds) = (latencies.len(), start.elapsed().as_secs_f64());
        let bytes = (written() - before) / appends.max(1) as u64;
        let rate = appends as f64 / seconds;
        let busy = (writer_time() - busy).as_secs_f64() * 1e6 / appends.max(1) as f64;
        println!(
            "{tasks:>4} in flight: {rate:>7.0} appends/s, {}, {bytes} bytes and {busy:.1} µs of the writer each",
            percentiles(&mut latencies)
        );
    }
    let size = |name: &str| fs::metadata(path.join(name)).map_or(0, |file| file.len() / 1024);
    println!("journal.db {} KiB, log {} KiB, memory {}", size("journal.db"), size("journal.db-wal"), resident());

    let runs = store.runs(flowtrace_engine::port::store::RunQuery { limit: 500, ..Default::default() }).await?;
    let mut reads = Vec::new();
    for run in runs {
        let start = Instant::now();
        store.read(run.id, 0, 1000).await?;
        reads.push(start.elapsed());
    }
    println!("read one run {}", percentiles(&mut reads));
    let start = Instant::now();
    drop(store);
    println!("close        {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    Ok(())
}

/// Appends runs of [`TURNS`] turns, one append after the other, as the task of one active run does.
async fn append_for(store: Arc<SqliteStore>, span: Duration) -> Result<Vec<Duration>> {
    let begin = Instant::now();
    let mut latencies = Vec::new();
    while begin.elapsed() < span {
        let run = StreamId(uuid::Uuid::now_v7().as_u128());
        for number in 0..TURNS {
            let append = turn(run, number);
            let start = Instant::now();
            store.append(append).await?;
            latencies.push(start.elapsed());
        }
    }
    Ok(latencies)
}

/// What a model step writes when it ends and the next one begins.
fn turn(run: RunId, number: u64) -> Append {
    let now = Timestamp::from_millis(1_700_000_000_000 + number);
    let target = || Target { provider: "openai".to_string(), model: "gpt-4o-mini".to_string() };
    let answer =
        "The quarterly figures show a steady rise in both regions, with one exception that needs a second look. ".repeat(3);
    let line = |what: &str, tokens| price::CostLine {
        what: what.to_string(),
        tokens,
        picousd_per_token: 150_000,
        nanousd: 150 * tokens,
    };
    let response = LlmResponse {
        tool_calls: Vec::new(),
        request: 1,
        attempt: 1,
        target: target(),
        answered_by: "gpt-4o-mini-2024-07-18".to_string(),
        output: Payload::Inline(Arc::new(json!({ "text": answer }))),
        finish_reason: Some("stop".to_string()),
        usage: Some(Usage { input_uncached: 412, output: 96, ..Usage::default() }),
        raw_usage: Some(json!({"prompt_tokens": 412, "completion_tokens": 96, "total_tokens": 508})),
        cost: Some(price::Cost { nanousd: 76_200, lines: vec![line("input", 412), line("output", 96)] }),
        first_token_ms: Some(212.4),
        upstream_request_id: Some("req_0123456789abcdef".to_string()),
        simulated: false,
    };
    let bodies = [
        Body::LlmResponse(Arc::new(response)),
        Body::StepSucceeded { output: Payload::Inline(Arc::new(json!({"ok": true}))), taken: vec![1] },
        Body::StepScheduled { input: Payload::Inline(Arc::new(json!({"region": "north"}))) },
    ];
    let expected = number * bodies.len() as u64;
    let path: Arc<str> = format!("summarize_{number}").into();
    let events = bodies.into_iter().zip(expected + 1..).map(|(body, seq)| Event { seq, ts: now, step: Some(path.clone()), body });
    let finished = number + 1 == TURNS;
    let row = RunRow {
        id: run,
        workflow_id: Some("0190b5a0-0000-7000-8000-000000000001".to_string()),
        workflow_version: Some(1),
        workflow_hash: "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8".into(),
        session_id: None,
        trace_id: format!("{:032x}", run.0),
        triggered_by: "api".to_string(),
        status: if finished { "succeeded" } else { "running" }.to_string(),
        simulated: false,
        started_at: Timestamp::from_millis(1_700_000_000_000),
        finished_at: finished.then_some(now),
        total_tokens: 508 * number,
        total_cost_nanousd: 76_200 * number,
        cost_complete: true,
        steps: number,
        retries: 0,
        cache_hits: 0,
        error_summary: None,
        failed_step: None,
    };
    let step = StepRow {
        path: path.clone(),
        node_id: path.clone(),
        node_type: "llm".to_string(),
        status: "succeeded".to_string(),
        started_at: Some(now),
        finished_at: Some(now),
        tokens_input: Some(412),
        tokens_output: Some(96),
        cost_nanousd: Some(76_200),
        error: None,
    };
    Append { stream: run, expected, events: events.collect(), run: Some(row), steps: vec![step], ..Append::default() }
}

/// Overwrites a block that is already there and syncs it, as a log does that was used before.
fn sync_latencies(path: &Path, span: Duration) -> Result<Vec<Duration>> {
    let path = path.join("sync-probe");
    let file = File::create(&path)?;
    let block = [7u8; 4096];
    for place in 0..256 {
        file.write_all_at(&block, place * 4096)?;
    }
    file.sync_all()?;
    let begin = Instant::now();
    let mut latencies = Vec::new();
    while begin.elapsed() < span {
        let start = Instant::now();
        file.write_all_at(&block, (latencies.len() as u64 % 256) * 4096)?;
        file.sync_data()?;
        latencies.push(start.elapsed());
    }
    fs::remove_file(path)?;
    Ok(latencies)
}

fn percentiles(latencies: &mut [Duration]) -> String {
    latencies.sort_unstable();
    let at = |share: f64| {
        let place = (latencies.len() as f64 * share) as usize;
        latencies.get(place.min(latencies.len().saturating_sub(1))).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    };
    format!("p50 {:.3} ms, p99 {:.3} ms, max {:.1} ms", at(0.5), at(0.99), at(1.0))
}

/// Bytes that this process sent to the disk so far (Linux counts them).
fn written() -> u64 {
    field("/proc/self/io", "write_bytes:")
}

/// Processor time of the thread that writes: what limits the rate when many appends share a sync. It depends much less than the
/// rate on what else the machine does.
fn writer_time() -> Duration {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let writer = threads
        .map(|thread| thread.path())
        .find(|thread| fs::read_to_string(thread.join("comm")).is_ok_and(|name| name.trim() == "journal-writer"));
    let schedule = writer.and_then(|thread| fs::read_to_string(thread.join("schedstat")).ok()).unwrap_or_default();
    Duration::from_nanos(schedule.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0))
}

fn resident() -> String {
    format!("{} MiB resident", field("/proc/self/status", "VmRSS:") / 1024)
}

fn field(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let value =
        text.lines().find_map(|line| line.strip_prefix(name)).and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    value.unwrap_or(0)
}
