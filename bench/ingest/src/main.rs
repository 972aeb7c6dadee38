//! Sends spans to the real server over HTTP as fast as it takes them, checks that each of them is found, then asks for some. See
//! `README.md`.
#![allow(clippy::print_stdout, reason = "the figures are what it is for")]

mod client;
mod journal;
mod load;
mod questions;
mod server;
mod wire;

use clap::Parser;
use client::Client;
use load::{Random, Traces};
use serde_json::{Value, json};
use server::Server;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use wire::{Body, Request, SpanBytes};

#[derive(Parser)]
struct Args {
    /// An empty directory, or one that an earlier run filled.
    dir: PathBuf,
    /// The server; by default `flowtrace` beside this binary.
    #[arg(long)]
    flowtrace: Option<PathBuf>,
    #[arg(long, default_value_t = 100_000)]
    spans: u64,
    /// Connections, each with one request under way.
    #[arg(long, default_value_t = 8)]
    connections: u64,
    /// Spans a request; a trace has 8.
    #[arg(long, default_value_t = 200)]
    batch: u64,
    /// All spans are of one trace.
    #[arg(long)]
    one_trace: bool,
    /// Workflow runs that are started each second beside the ingest.
    #[arg(long, default_value_t = 0)]
    runs: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only sends, to `/v1/traces` of a server that runs already.
    #[arg(long, value_name = "ADDRESS")]
    to: Option<SocketAddr>,
}

/// Bodies that are made beforehand. More requests than that send them again with other ids and times.
const BODIES: u64 = 500;

/// Traces that are asked for by their id, at most.
const CHECKED: u64 = 20_000;

const OTLP: &str = "application/x-protobuf";

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos() as i64)
}

fn main() -> Result<(), String> {
    let args = Args::parse();
    let batches = args.spans / args.batch;
    if args.one_trace && batches > BODIES {
        return Err(format!("one trace takes at most {BODIES} requests"));
    }
    let binary = match &args.flowtrace {
        Some(path) => path.clone(),
        None => std::env::current_exe().map_err(|error| error.to_string())?.with_file_name("flowtrace"),
    };
    let made = now();
    let bodies = bodies(&args, batches.min(BODIES), made);
    let wire_bytes = bodies.iter().map(|body| body.bytes.len()).sum::<usize>() / bodies.iter().map(Body::len).sum::<usize>();
    if let Some(address) = args.to {
        return send_only(&args, address, &bodies, made);
    }
    let server = Server::start(&binary, &args.dir)?;
    let before = server.connect()?.get("/api/ingest")?["accepted"].as_u64().unwrap_or(0);
    let (cpu, written) = (server.cpu_s(), server.written_bytes());
    let sender = Sender {
        args: &args,
        address: server.address,
        bodies: &bodies,
        made,
        batches,
        next: AtomicU64::new(0),
        refused: AtomicU64::new(0),
    };
    let over = AtomicBool::new(false);
    let began = Instant::now();
    let (mut sent, probed, started) = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..args.connections).map(|_| scope.spawn(|| sender.send())).collect();
        let prober = scope.spawn(|| probe(&server, args.seed, &over));
        let starter = scope.spawn(|| start_runs(&server, args.runs, &over));
        let sent: Result<Vec<Vec<f64>>, String> = senders.into_iter().map(|sender| join(sender.join())).collect();
        let acknowledged = began.elapsed().as_secs_f64();
        over.store(true, Ordering::Relaxed);
        Ok::<_, String>(((sent?.concat(), acknowledged), join(prober.join())?, join(starter.join())?))
    })?;
    let acknowledged = sent.1;
    let spans = batches * args.batch;
    let (mut delays, mut starts) = (probed, started);
    // Spans of the runs come on top.
    let wanted = before + spans + delays.len() as u64;
    let mut client = server.connect()?;
    let mut status = client.get("/api/ingest")?;
    let number = |status: &Value, name: &str| status[name].as_u64().unwrap_or(0);
    let mut sustained = None;
    while began.elapsed() < Duration::from_secs_f64(acknowledged + 120.0) {
        if number(&status, "queryable") >= wanted {
            sustained.get_or_insert(began.elapsed().as_secs_f64());
            if number(&status, "unindexed") == 0 {
                break;
            }
        }
        std::thread::sleep(Duration::from_millis(20));
        status = client.get("/api/ingest")?;
    }
    let indexed = began.elapsed().as_secs_f64();
    let sustained = sustained.ok_or(format!("of {wanted} spans that were acknowledged not all are found: {status}"))?;
    let (cpu, written) = (server.cpu_s() - cpu, server.written_bytes() - written);
    let [rss, most] = server.rss_mb();
    let commits = journal::commits(&mut client)?;
    let missing = sender.check()?;
    let mut figures = json!({
        "load_average": std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim(),
        "spans": spans, "connections": args.connections, "batch": args.batch, "bytes_on_the_wire_per_span": wire_bytes,
        "spans_per_s_acknowledged": (spans as f64 / acknowledged).round(),
        "spans_per_s_until_queryable": (spans as f64 / sustained).round(),
        "spans_per_s_until_indexed": (spans as f64 / indexed).round(),
        "request_ms": percentiles(&mut sent.0),
        "refused": sender.refused.load(Ordering::Relaxed),
        "searchable_after_ms": percentiles(&mut delays),
        "server_cpu_us_per_span": cpu / spans as f64 * 1e6,
        "server_threads_s": server.threads_s(),
        "bytes_written_per_span": written / spans,
        "rss_mb_after_ingest": rss, "rss_mb_most": most,
        "traces_missing": missing, "ingest": status,
    });
    if args.runs > 0 {
        figures["runs_started"] = json!(starts.len());
        figures["start_of_a_run_ms"] = percentiles(&mut starts);
        figures["journal_commit"] = commits;
    }
    let id = sender.trace_id(0, 0);
    server.stop()?;
    let stored = number(&status, "stored") as f64;
    let [spans, words] = disk(&args.dir).map_err(|error| error.to_string())?;
    figures["disk_bytes_per_span"] = json!((spans + words) as f64 / stored);
    figures["of_it_words"] = json!(words as f64 / stored);
    let server = Server::start(&binary, &args.dir)?;
    figures["ready_again_s"] = json!(server.ready_s);
    figures["queries_ms"] = if args.one_trace { questions::one_trace(&server, id)? } else { questions::ask(&server)? };
    figures["rss_mb_after_queries"] = json!(server.rss_mb()[0]);
    server.stop()?;
    println!("{figures:#}");
    if missing > 0 { Err(format!("{missing} traces are not whole")) } else { Ok(()) }
}

/// Without questions: how other backends are asked is their own matter.
fn send_only(args: &Args, address: SocketAddr, bodies: &[Body], made: i64) -> Result<(), String> {
    let batches = args.spans / args.batch;
    let sender = Sender { args, address, bodies, made, batches, next: AtomicU64::new(0), refused: AtomicU64::new(0) };
    let began = Instant::now();
    let times: Result<Vec<Vec<f64>>, String> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..args.connections).map(|_| scope.spawn(|| sender.send())).collect();
        senders.into_iter().map(|sender| join(sender.join())).collect()
    });
    let seconds = began.elapsed().as_secs_f64();
    let spans = batches * args.batch;
    let figures = json!({
        "spans": spans, "seconds": seconds, "spans_per_s_acknowledged": (spans as f64 / seconds).round(),
        "request_ms": percentiles(&mut times?.concat()), "refused": sender.refused.load(Ordering::Relaxed),
    });
    println!("{figures:#}");
    Ok(())
}

fn join<T>(thread: std::thread::Result<Result<T, String>>) -> Result<T, String> {
    thread.map_err(|_| "a thread of the generator failed".to_owned())?
}

fn bodies(args: &Args, count: u64, made: i64) -> Vec<Body> {
    let words = load::words();
    (0..count)
        .map(|number| {
            let mut traces = Traces { random: Random::new(args.seed << 40 | number), words: &words, request: Request::default() };
            while (traces.request.spans.len() as u64) < args.batch {
                let id = u128::from(traces.random.next()) << 64 | u128::from(traces.random.next() | 1);
                traces.add(if args.one_trace { u128::from(args.seed) << 64 | 1 } else { id }, made - 10_000_000_000);
            }
            traces.request.finish()
        })
        .collect()
}

struct Sender<'a> {
    args: &'a Args,
    address: SocketAddr,
    bodies: &'a [Body],
    made: i64,
    batches: u64,
    next: AtomicU64,
    refused: AtomicU64,
}

/// The ids of a body that is sent for the `round`th time.
fn id_in(round: u64, id: u128) -> u128 {
    id ^ u128::from(Random::new(round << 1 | 1).next() * u64::from(round > 0)) << 64
}

impl Sender<'_> {
    fn connect(&self) -> Result<Client, String> {
        Client::connect(self.address).map_err(|error| error.to_string())
    }

    /// One connection, until everything is sent. Returns how long each request took, in milliseconds.
    fn send(&self) -> Result<Vec<f64>, String> {
        let mut client = self.connect()?;
        let mut times = Vec::new();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.batches {
                return Ok(times);
            }
            let (body, round) = (&self.bodies[(number % BODIES) as usize], number / BODIES);
            let mut request = client.head("POST", "/v1/traces", OTLP, body.bytes.len());
            body.copy(|id| id_in(round, id), now() - self.made, &mut request);
            times.push(post(&mut client, &request, &self.refused)?);
        }
    }

    fn trace_id(&self, number: u64, span: usize) -> u128 {
        id_in(number / BODIES, self.bodies[(number % BODIES) as usize].trace_id(span))
    }

    /// Asks for traces by their id, evenly over everything that was sent, and counts those that are not there with all spans.
    fn check(&self) -> Result<u64, String> {
        if self.args.one_trace {
            let trace = self.connect()?.get(&format!("/api/traces/{:032x}?io=none", self.trace_id(0, 0)))?;
            return Ok(u64::from(trace["spans"].as_array().map(Vec::len) != Some((self.batches * self.args.batch) as usize)));
        }
        let each = self.args.batch / 8;
        let traces = self.batches * each;
        let step = traces.div_ceil(CHECKED).max(1);
        let missing = AtomicU64::new(0);
        std::thread::scope(|scope| {
            let lanes: Vec<_> = (0..4)
                .map(|lane| {
                    let missing = &missing;
                    scope.spawn(move || {
                        let mut client = self.connect()?;
                        for trace in (0..traces).step_by(step as usize).skip(lane).step_by(4) {
                            let id = self.trace_id(trace / each, (trace % each * 8) as usize);
                            let found = client.get(&format!("/api/traces/{id:032x}"));
                            let spans = found.ok().and_then(|trace| trace["spans"].as_array().map(Vec::len));
                            missing.fetch_add(u64::from(spans != Some(8)), Ordering::Relaxed);
                        }
                        Ok::<_, String>(())
                    })
                })
                .collect();
            lanes.into_iter().try_for_each(|lane| join(lane.join()))
        })?;
        Ok(missing.into_inner())
    }
}

/// Sends until it is acknowledged, as an exporter does. Milliseconds, waiting included.
fn post(client: &mut Client, request: &[u8], refused: &AtomicU64) -> Result<f64, String> {
    let began = Instant::now();
    loop {
        let answer = client.send(request).map_err(|error| format!("a request was not answered: {error}"))?;
        match answer.status {
            200 => return Ok(began.elapsed().as_secs_f64() * 1e3),
            429 | 503 => {
                refused.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(answer.retry_after.unwrap_or(Duration::from_secs(1)));
            }
            status => return Err(format!("a request was answered with {status}: {}", String::from_utf8_lossy(&answer.body))),
        }
    }
}

/// Sends a span with a word of its own now and then, and measures until the word is found.
fn probe(server: &Server, seed: u64, over: &AtomicBool) -> Result<Vec<f64>, String> {
    let mut client = server.connect()?;
    let mut random = Random::new(u64::MAX - seed);
    let mut delays = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let word = format!("probe{:016x}", random.next());
        let id = u128::from(random.next()) << 64 | u128::from(random.next());
        let mut span = SpanBytes::new(id, random.next() | 1, None, "probe", now(), now());
        span.attribute("input.value", &word.as_str().into());
        let body = Request { spans: vec![span] }.finish();
        let mut request = client.head("POST", "/v1/traces", OTLP, body.bytes.len());
        request.extend_from_slice(&body.bytes);
        post(&mut client, &request, &AtomicU64::new(0))?;
        let began = Instant::now();
        loop {
            let found = client.get(&format!("/api/traces?q={word}"))?;
            if found["traces"].as_array().is_some_and(|traces| traces.len() == 1) {
                break;
            }
            if began.elapsed() > Duration::from_secs(60) {
                return Err(format!("the word {word} is not found after a minute"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        delays.push(began.elapsed().as_secs_f64() * 1e3);
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(delays)
}

/// Starts runs at an even pace. An answer comes when the first events of the run are synced.
fn start_runs(server: &Server, each_second: u64, over: &AtomicBool) -> Result<Vec<f64>, String> {
    let mut times = Vec::new();
    if each_second == 0 {
        return Ok(times);
    }
    let mut client = server.connect()?;
    let node = json!({"id": "only", "type": "tool", "config": {"tool": "echo"}, "inputs": {"text": "hello"}});
    let document = json!({"version": "1", "entry": "only", "nodes": [node], "edges": []});
    let made = client.json("POST", "/api/workflows", &json!({"name": "bench", "graph_json": document}).to_string())?;
    let path = format!("/api/workflows/{}/runs", made["id"].as_str().ok_or(format!("no workflow was made: {made}"))?);
    let pace = Duration::from_secs(1) / u32::try_from(each_second).unwrap_or(u32::MAX);
    let mut due = Instant::now();
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        due += pace;
        let began = Instant::now();
        client.json("POST", &path, "{}")?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    Ok(times)
}

fn percentiles(values: &mut [f64]) -> Value {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let index = ((values.len() as f64 * share) as usize).min(values.len().saturating_sub(1));
        values.get(index).map(|value| (value * 100.0).round() / 100.0)
    };
    json!({"p50": at(0.5), "p99": at(0.99), "most": at(1.0), "of": values.len()})
}

/// Bytes of the files of spans and of words.
fn disk(dir: &Path) -> std::io::Result<[u64; 2]> {
    let mut bytes = [0, 0];
    for file in std::fs::read_dir(dir)? {
        let file = file?;
        let name = file.file_name();
        let name = name.to_string_lossy();
        for (at, kind) in ["spans-", "text-"].iter().enumerate() {
            if name.starts_with(kind) {
                bytes[at] += file.metadata()?.len();
            }
        }
    }
    Ok(bytes)
}
