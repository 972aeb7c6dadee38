//! Writes spans into the store as fast as it takes them, then asks for some. See `README.md`.
#![allow(clippy::print_stdout, reason = "the figures are what it is for")]

mod load;

use clap::Parser;
use flowtrace_adapters::spans::SqliteSpans;
use flowtrace_adapters::store::sqlite::end_process;
use flowtrace_core::id::TraceId;
use flowtrace_core::trace::TraceStatus;
use flowtrace_engine::port::clock::SystemClock;
use flowtrace_engine::port::span_store::{SpanStore, SpanStoreError, SpanWrite, TraceQuery};
use load::Random;
use serde_json::json;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Args {
    /// An empty directory, or one that an earlier run filled.
    dir: PathBuf,
    #[arg(long, default_value_t = 100_000)]
    spans: u64,
    /// Requests under way at once.
    #[arg(long, default_value_t = 4)]
    writers: u64,
    /// Spans a request; a trace has 8.
    #[arg(long, default_value_t = 200)]
    batch: u64,
    /// Makes the spans and throws them away, to know what making them costs.
    #[arg(long)]
    only_make: bool,
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let words = Arc::new(load::words());
    let store = Arc::new(SqliteSpans::open(&args.dir, Arc::new(SystemClock), end_process())?);
    let before = store.counters().await?.stored;
    let batches = args.spans / args.batch;
    let (next, refused) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let cpu = cpu_seconds();
    let began = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..args.writers {
        let (store, words, next, refused) = (store.clone(), words.clone(), next.clone(), refused.clone());
        let (batch, seed, only_make) = (args.batch, args.seed, args.only_make);
        tasks.push(tokio::spawn(async move {
            let mut slowest = std::time::Duration::ZERO;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= batches {
                    return Ok::<_, SpanStoreError>(slowest);
                }
                let mut random = Random::new(seed << 40 | number);
                let mut spans = Vec::with_capacity(batch as usize);
                while (spans.len() as u64) < batch {
                    let now =
                        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_nanos() as i64);
                    load::trace(&mut random, &words, now - 10_000_000_000, &mut spans);
                }
                if only_make {
                    continue;
                }
                let writes: Vec<SpanWrite> = spans.into_iter().map(SpanWrite::from).collect();
                let sent = Instant::now();
                // 1.6 kB a span on the wire.
                let admission = loop {
                    match store.admit(writes.len() * 1600) {
                        Err(SpanStoreError::Overloaded { .. }) => {
                            refused.fetch_add(1, Ordering::Relaxed);
                            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                        }
                        admitted => break admitted?,
                    }
                };
                store.write(writes, admission).await?;
                slowest = slowest.max(sent.elapsed());
            }
        }));
    }
    let mut slowest = std::time::Duration::ZERO;
    for task in tasks {
        slowest = slowest.max(task.await??);
    }
    let acknowledged = began.elapsed().as_secs_f64();
    store.indexed().await;
    let indexed = began.elapsed().as_secs_f64();
    let spans = (batches * args.batch) as f64;
    let cpu = cpu_seconds() - cpu;
    let counters = store.counters().await?;
    let mut figures = json!({
        "spans": spans, "writers": args.writers, "batch": args.batch,
        "spans_s_acknowledged": (spans / acknowledged).round(),
        "spans_s_with_words": (spans / indexed).round(),
        "slowest_write_ms": slowest.as_secs_f64() * 1e3,
        "cpu_us_per_span": cpu / spans * 1e6,
        "cpu_us_per_span_by_thread": threads(spans),
        "refused": refused.load(Ordering::Relaxed),
        "rss_mb_after_ingest": rss_mb(),
        "accepted_stored_queryable": [counters.accepted, counters.stored, counters.queryable],
        "there_before": before,
    });
    if args.only_make {
        println!("{figures:#}");
        return Ok(());
    }
    drop(store);
    let bytes = disk(&args.dir)?;
    figures["disk_bytes_per_span"] = json!((bytes.0 + bytes.1) as f64 / counters.stored as f64);
    figures["of_it_words"] = json!(bytes.1 as f64 / counters.stored as f64);

    let store = SqliteSpans::open(&args.dir, Arc::new(SystemClock), end_process())?;
    let base = || TraceQuery { limit: 100, ..TraceQuery::default() };
    let latest = store.find(base()).await?.items;
    let ids: Vec<TraceId> = latest.iter().map(|trace| trace.trace_id).collect();
    let user = latest[50].user_id.clone();
    let mut queries = json!({});
    let mut at = 0;
    queries["trace_by_id"] = measure(async || {
        at += 1;
        Ok(store.trace(ids[at % ids.len()]).await?.map_or(0, |trace| trace.spans.len()))
    })
    .await?;
    let some = |text: &str| Some(text.to_owned());
    let middle = latest[0].started_at - 3_600_000_000_000..=i64::MAX;
    for (name, query) in [
        ("latest_100", base()),
        ("failed", TraceQuery { status: Some(TraceStatus::Failed), ..base() }),
        ("model", TraceQuery { model: some("gpt-4o"), ..base() }),
        ("text_common", TraceQuery { text: some("warehouse"), ..base() }),
        ("text_two_words", TraceQuery { text: some("warehouse refund"), ..base() }),
        ("text_absent", TraceQuery { text: some("zzzznotthere"), ..base() }),
        ("user", TraceQuery { user: user.clone(), ..base() }),
        ("text_user_time", TraceQuery { text: some("warehouse"), user, started: Some(middle), ..base() }),
        ("phrase_absent", TraceQuery { text: some("\"warehouse refund policy late\""), ..base() }),
    ] {
        queries[name] = measure(async || Ok(store.find(query.clone()).await?.items.len())).await?;
    }
    figures["queries_ms"] = queries;
    figures["rss_mb_after_queries"] = json!(rss_mb());
    println!("{figures:#}");
    Ok(())
}

/// The first call, then the median and the slowest of 15.
async fn measure(mut query: impl AsyncFnMut() -> Result<usize, SpanStoreError>) -> Result<serde_json::Value, SpanStoreError> {
    let mut times = Vec::new();
    let mut rows = 0;
    for _ in 0..16 {
        let began = Instant::now();
        rows = query().await?;
        times.push((began.elapsed().as_secs_f64() * 1e5).round() / 100.0);
    }
    let first = times.remove(0);
    times.sort_by(f64::total_cmp);
    Ok(json!({"first": first, "median": times[7], "slowest": times[14], "rows": rows}))
}

/// Bytes of the files of spans and of words.
fn disk(dir: &Path) -> std::io::Result<(u64, u64)> {
    let mut bytes = (0, 0);
    for file in std::fs::read_dir(dir)? {
        let file = file?;
        let length = file.metadata()?.len();
        if file.file_name().to_string_lossy().starts_with("text-") { bytes.1 += length } else { bytes.0 += length }
    }
    Ok(bytes)
}

fn rss_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// CPU time of each thread that is still there, since its start.
fn threads(spans: f64) -> serde_json::Value {
    let mut all = serde_json::Map::new();
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let Ok(stat) = std::fs::read_to_string(task.path().join("stat")) else { continue };
        let Some((name, fields)) = stat.rsplit_once(") ") else { continue };
        let name = name.split_once('(').map_or("", |(_, name)| name).to_owned();
        let fields: Vec<&str> = fields.split(' ').collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
        let sum =
            all.get(&name).and_then(serde_json::Value::as_f64).unwrap_or(0.0) + (ticks(11) + ticks(12)) / 100.0 / spans * 1e6;
        all.insert(name, json!((sum * 10.0).round() / 10.0));
    }
    serde_json::Value::Object(all)
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or("").split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
