//! The control flow in process: a loop with a growing state, a map of many items, many runs that wait, and going on from the end.

use crate::inproc::{Bench, TURNS, document};
use crate::meter::{Meter, directory_bytes, peak_rss_mb, percentile, rss_mb};
use crate::workload;
use flowtrace_core::event::Body;
use flowtrace_core::id::RunId;
use flowtrace_core::payload::Payload;
use flowtrace_core::state::StepStatus;
use flowtrace_engine::host::fork::ForkRun;
use flowtrace_engine::port::store::{ApprovalQuery, InboxRequest};
use futures::StreamExt;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Items of the map, and how many are worked on at once.
const ITEMS: usize = 10_000;
const CONCURRENCY: usize = 64;
/// Iterations of the long loop.
const ITERATIONS: usize = 10_000;
/// Runs that wait for a person.
const WAITING: usize = 10_000;
/// Decisions that are timed among them.
const DECISIONS: usize = 50;
/// Steps of the run that is forked at its last.
const STEPS: usize = 1_000;

/// W4: 50 iterations of one step that returns 1 kB, appended to a state that begins with 20 kB.
fn growing_loop() -> Value {
    json!({
        "version": "1",
        "entry": "again",
        "nodes": [{"id": "again", "type": "loop", "config": {
            "maxIterations": 50,
            "state": {"text": "x".repeat(20 * 1024)},
            "update": {"text": {"$append": "{{node.step.output.text}}"}},
            "body": {"entry": "step", "nodes": [
                {"id": "step", "type": "tool", "config": {"tool": "noop"}, "inputs": {"kb": 1, "i": "{{iteration.index}}"}},
            ]},
        }}],
    })
}

/// An agent of 50 turns, each with one call of a tool that returns 1 kB.
fn agent() -> Value {
    let tool = json!({"tool": "noop", "description": "Looks something up.", "parameters": {"type": "object"}});
    json!({
        "version": "1",
        "entry": "agent",
        "nodes": [{"id": "agent", "type": "agent", "config": {"provider": "openai", "model": "gpt-4o-mini", "prompt": "Look it all up.",
            "maxSteps": TURNS, "cache": {"enabled": false}, "tools": [tool]}}],
    })
}

fn long_loop(iterations: usize) -> Value {
    json!({
        "version": "1",
        "entry": "again",
        "nodes": [{"id": "again", "type": "loop", "config": {
            "maxIterations": iterations,
            "state": {"n": 0},
            "update": {"n": {"$add": 1}},
            "body": {"entry": "step", "nodes": [{"id": "step", "type": "router", "config": {"rule": "'on'"}, "inputs": {"n": "{{iteration.state.n}}"}}]},
        }}],
    })
}

fn wide_map() -> Value {
    json!({
        "version": "1",
        "entry": "each",
        "nodes": [{"id": "each", "type": "map", "config": {
            "items": "{{input.items}}",
            "maxConcurrency": CONCURRENCY,
            "body": {"entry": "step", "nodes": [
                {"id": "step", "type": "tool", "config": {"tool": "noop"}, "inputs": {"i": "{{each.item}}"}},
            ]},
        }}],
    })
}

fn question() -> Value {
    json!({
        "version": "1",
        "entry": "ask",
        "nodes": [
            {"id": "ask", "type": "approval", "config": {"message": "Go on?"}, "inputs": {"n": 1}},
            {"id": "after", "type": "router", "config": {"rule": "'on'"}},
        ],
        "edges": [{"from": "ask", "to": "after"}],
    })
}

pub async fn run(workload: &str, bench: &Bench) -> Result<Value, String> {
    let me = std::process::id();
    let text = |error: flowtrace_engine::port::store::StoreError| error.to_string();
    match workload {
        "W4" => {
            let document = document(growing_loop())?;
            let before = directory_bytes(&bench.data);
            let meter = Meter::start(me);
            bench.finish(&document).await?;
            let reading = meter.read();
            Ok(json!({"total_s": reading.total_s, "bytes_written": reading.bytes_written,
                "store_bytes": directory_bytes(&bench.data).saturating_sub(before), "rss_mb": peak_rss_mb(me)}))
        }
        "agent" => {
            let document = document(agent())?;
            let before = directory_bytes(&bench.data);
            let meter = Meter::start(me);
            let run = bench.start(&document).await?;
            bench.wait(run).await?;
            let reading = meter.read();
            let (mut events, mut prompts) = (0, 0);
            for event in bench.store.read(run, 0, usize::MAX).await.map_err(text)? {
                events += flowtrace_core::event::encode(std::slice::from_ref(&event)).len();
                if let Body::LlmRequest { prompt: Some(Payload::Blob(prompt)), .. } = &event.body {
                    prompts += prompt.bytes;
                }
            }
            Ok(json!({"total_s": reading.total_s, "bytes_written": reading.bytes_written, "events_bytes": events,
                "prompts_bytes": prompts, "store_bytes": directory_bytes(&bench.data).saturating_sub(before)}))
        }
        "map" => {
            let document = document(wide_map())?;
            let items: Vec<usize> = (0..ITEMS).collect();
            let meter = Meter::start(me);
            let run = bench.start_with(&document, json!({"items": items})).await?;
            bench.wait(run).await?;
            let reading = meter.read();
            Ok(json!({"total_s": reading.total_s, "steps_per_s": ITEMS as f64 / reading.total_s, "cpu_s": reading.cpu_s,
                "bytes_written": reading.bytes_written, "rss_mb": peak_rss_mb(me)}))
        }
        "loop" => {
            // The same work twice over: what one iteration costs must not depend on how many came before it.
            let (short, long) = (document(long_loop(ITERATIONS / 10))?, document(long_loop(ITERATIONS))?);
            let begin = Instant::now();
            bench.finish(&short).await?;
            let short_s = begin.elapsed().as_secs_f64();
            let begin = Instant::now();
            bench.finish(&long).await?;
            let long_s = begin.elapsed().as_secs_f64();
            let (short_us, long_us) = (short_s * 1e6 / (ITERATIONS / 10) as f64, long_s * 1e6 / ITERATIONS as f64);
            Ok(json!({"us_per_iteration_of_1000": short_us, "us_per_iteration_of_10000": long_us, "ratio": long_us / short_us,
                "rss_mb": peak_rss_mb(me)}))
        }
        "waiting" => {
            let document = document(question())?;
            let runs: Vec<Result<RunId, String>> =
                futures::stream::iter(0..WAITING).map(|_| bench.start(&document)).buffer_unordered(CONCURRENCY).collect().await;
            let runs = runs.into_iter().collect::<Result<Vec<RunId>, String>>()?;
            for run in &runs {
                bench.host.idle(*run).await;
            }
            // What the runs left behind in caches and buffers settles.
            tokio::time::sleep(Duration::from_secs(2)).await;
            let rss = rss_mb(me);
            let mut wake_ms = Vec::with_capacity(DECISIONS);
            for run in runs.iter().step_by(WAITING / DECISIONS) {
                let begin = Instant::now();
                let request = InboxRequest::Decide {
                    step: "ask".into(),
                    approved: true,
                    key: "bench".to_owned(),
                    payload: None,
                    by: "bench".to_owned(),
                    reason: None,
                };
                bench.host.ask(*run, "decide".to_owned(), request).await.map_err(text)?;
                bench.wait(*run).await?;
                wake_ms.push(begin.elapsed().as_secs_f64() * 1000.0);
            }
            let open = bench.store.open_approvals().await.map_err(text)?;
            let begin = Instant::now();
            bench
                .store
                .approvals(ApprovalQuery { open: Some(true), limit: 50, ..ApprovalQuery::default() })
                .await
                .map_err(text)?;
            let list_ms = begin.elapsed().as_secs_f64() * 1000.0;
            Ok(json!({"rss_mb": rss, "wake_ms_p50": percentile(&mut wake_ms, 0.5), "wake_ms_p99": percentile(&mut wake_ms, 0.99),
                "open": open, "list_ms": list_ms}))
        }
        "replay" => {
            let document = document(workload::chain("noop", STEPS))?;
            let run = bench.start(&document).await?;
            bench.wait(run).await?;
            let snapshot = bench.host.snapshot(run, None).await.map_err(text)?.ok_or("the run is gone")?;
            let last = (0..snapshot.state.steps.len() as u32).find(|ix| {
                let state = snapshot.state.step(*ix);
                state.status == StepStatus::Succeeded && snapshot.plan.node(state.node).outgoing.is_empty()
            });
            let from = last.map(|ix| snapshot.state.step(ix).path.to_string()).ok_or("the chain has no end")?;
            let mut ms = Vec::new();
            for _ in 0..10 {
                bench.clear();
                let begin = Instant::now();
                let wanted = ForkRun { run, from: from.clone(), triggered_by: "bench".to_owned(), ..ForkRun::default() };
                let forked = bench.host.fork(&wanted).await.map_err(|error| error.to_string())?;
                bench.wait(forked.id).await?;
                let entered = bench.first_entry().ok_or("no step was run again")?;
                ms.push((entered - begin).as_secs_f64() * 1000.0);
            }
            Ok(json!({"first_step_ms_p50": percentile(&mut ms, 0.5), "first_step_ms_max": percentile(&mut ms, 1.0)}))
        }
        other => Err(format!("there is no workload {other}")),
    }
}
