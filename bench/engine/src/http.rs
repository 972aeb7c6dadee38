//! The real binary as a server, driven through its API with the built-in `echo` tool.

use crate::meter::{Meter, directory_bytes, peak_rss_mb, percentile, rss_mb};
use crate::{Args, upstream, workload};
use futures::StreamExt;
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub struct Server {
    child: Child,
    base: String,
    client: reqwest::Client,
    data: PathBuf,
    pub ready_s: f64,
}

impl Server {
    async fn start(args: &Args) -> Result<Self, String> {
        Server::start_with(args, &[]).await
    }

    pub async fn start_with(args: &Args, flags: &[String]) -> Result<Self, String> {
        let binary = match &args.flowtrace {
            Some(path) => path.clone(),
            None => std::env::current_exe().map_err(|error| error.to_string())?.with_file_name("flowtrace"),
        };
        let data = args.workdir.join("data");
        let begin = Instant::now();
        let child = Command::new(&binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--no-demo", "--allow-private-network", "--data"])
            .arg(&data)
            .args(flags)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{} cannot be started: {error}", binary.display()))?;
        let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build().map_err(|error| error.to_string())?;
        let mut server = Server { child, base: String::new(), client, data, ready_s: 0.0 };
        while begin.elapsed() < Duration::from_secs(20) {
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(format!("the server ended with {status} instead of becoming ready"));
            }
            if let Some(base) = announced(&server.data)
                && server.client.get(format!("{base}/health")).send().await.is_ok_and(|answer| answer.status().is_success())
            {
                server.base = base;
                server.ready_s = begin.elapsed().as_secs_f64();
                return Ok(server);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Err("the server did not become ready within 20 s".to_owned())
    }

    pub async fn create(&self, document: Value) -> Result<String, String> {
        let answer = self.post("/api/workflows", json!({"name": "bench", "graph_json": document})).await?;
        answer["id"].as_str().map(str::to_owned).ok_or_else(|| format!("the workflow was not accepted: {answer}"))
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value, String> {
        let answer =
            self.client.post(format!("{}{path}", self.base)).json(&body).send().await.map_err(|error| error.to_string())?;
        read(answer).await
    }

    pub async fn get(&self, path: &str) -> Result<Value, String> {
        let answer = self.client.get(format!("{}{path}", self.base)).send().await.map_err(|error| error.to_string())?;
        read(answer).await
    }

    /// Starts a run and does not wait for it.
    pub async fn post_run(&self, workflow: &str, input: Value) -> Result<Value, String> {
        self.post(&format!("/api/workflows/{workflow}/runs"), json!({"input_vars": input})).await
    }

    /// Starts a run and waits for its end in the same request.
    async fn finish(&self, workflow: &str) -> Result<String, String> {
        let answer = self.post(&format!("/api/workflows/{workflow}/runs?wait=60"), json!({})).await?;
        match (answer["run"]["status"].as_str(), answer["runId"].as_str()) {
            (Some("succeeded"), Some(id)) => Ok(id.to_owned()),
            _ => Err(format!("the run did not succeed: {answer}")),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

/// The body of an answer that is a success.
async fn read(answer: reqwest::Response) -> Result<Value, String> {
    let status = answer.status();
    let body = answer.bytes().await.map_err(|error| error.to_string())?;
    if !status.is_success() {
        return Err(format!("the server answered {status}: {}", String::from_utf8_lossy(&body)));
    }
    serde_json::from_slice(&body).map_err(|error| error.to_string())
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address that the server wrote down for other commands.
fn announced(data: &Path) -> Option<String> {
    let text = std::fs::read_to_string(data.join("server.json")).ok()?;
    let note: Value = serde_json::from_str(&text).ok()?;
    note["url"].as_str().map(str::to_owned)
}

pub async fn run(args: &Args) -> Result<Value, String> {
    let begin = Instant::now();
    match args.workload.as_str() {
        "W5" => return crash(args).await,
        "recovery" => return crate::recovery::run(args).await,
        _ => {}
    }
    let server = Server::start(args).await?;
    if args.workload == "W0" {
        let workflow = server.create(workload::chain("echo", 1)).await?;
        server.finish(&workflow).await?;
        let total_s = begin.elapsed().as_secs_f64();
        // What the process keeps when nothing happens.
        tokio::time::sleep(Duration::from_secs(2)).await;
        return Ok(json!({"total_s": total_s, "ready_s": server.ready_s, "rss_mb": rss_mb(server.pid())}));
    }
    let warm = server.create(workload::chain("echo", workload::WARM_UP)).await?;
    server.finish(&warm).await?;
    let before = directory_bytes(&server.data);
    match args.workload.as_str() {
        "W1" => {
            let workflow = server.create(workload::chain("echo", workload::CHAIN)).await?;
            let meter = Meter::start(server.pid());
            let run = server.finish(&workflow).await?;
            let reading = meter.read();
            let mut gaps = gaps(&server, &run).await?;
            Ok(
                json!({"total_s": reading.total_s, "step_ms_p50": percentile(&mut gaps, 0.5), "step_ms_p99": percentile(&mut gaps, 0.99),
                "cpu_ms_per_step": reading.cpu_s * 1000.0 / workload::CHAIN as f64, "bytes_written": reading.bytes_written,
                "store_bytes": directory_bytes(&server.data).saturating_sub(before)}),
            )
        }
        "W2" => {
            let workflow = server.create(workload::fan_out("echo", workload::BRANCHES)).await?;
            let meter = Meter::start(server.pid());
            server.finish(&workflow).await?;
            let reading = meter.read();
            Ok(json!({"total_s": reading.total_s, "cpu_s": reading.cpu_s, "bytes_written": reading.bytes_written}))
        }
        "W3" => {
            let workflow = server.create(workload::chain("echo", workload::RUN_STEPS)).await?;
            let runs = args.runs.unwrap_or(workload::RUNS);
            let meter = Meter::start(server.pid());
            let results: Vec<Result<f64, String>> = futures::stream::iter(0..runs)
                .map(|_| async {
                    let begin = Instant::now();
                    server.finish(&workflow).await.map(|_| begin.elapsed().as_secs_f64() * 1000.0)
                })
                .buffer_unordered(workload::IN_FLIGHT)
                .collect()
                .await;
            let reading = meter.read();
            let mut latencies = results.into_iter().collect::<Result<Vec<f64>, String>>()?;
            let steps = (runs * workload::RUN_STEPS) as f64;
            Ok(json!({"runs": runs, "total_s": reading.total_s, "steps_per_s": steps / reading.total_s,
                "run_ms_p50": percentile(&mut latencies, 0.5), "run_ms_p99": percentile(&mut latencies, 0.99),
                "cpu_s": reading.cpu_s, "cpu_ms_per_step": reading.cpu_s * 1000.0 / steps, "rss_mb": peak_rss_mb(server.pid())}))
        }
        other => Err(format!("`http` has no workload {other}; it has W0, W1, W2, W3, W5 and recovery")),
    }
}

/// The server is killed while a service that it calls holds the call for one step; a second server goes on by itself.
async fn crash(args: &Args) -> Result<Value, String> {
    let text = |error: std::io::Error| error.to_string();
    let log = OpenOptions::new().append(true).create(true).open(args.workdir.join("steps.log")).map_err(text)?;
    let note = args.workdir.join("run.json");
    let (pull, mut plug) = tokio::sync::mpsc::channel(1);
    if args.phase == "crash" {
        let listener = upstream::listen(([127, 0, 0, 1], 0).into()).await?;
        let address = listener.local_addr().map_err(text)?;
        tokio::spawn(upstream::serve(listener, log, Some(workload::CRASH_AT), pull));
        let server = Server::start(args).await?;
        let workflow = server.create(workload::remote_chain(&format!("http://{address}"), workload::CHAIN)).await?;
        let run = server.post(&format!("/api/workflows/{workflow}/runs"), json!({})).await?;
        let noted = json!({"run": run["runId"], "upstream": address.to_string()});
        std::fs::write(&note, noted.to_string()).map_err(text)?;
        let crashed = tokio::time::timeout(Duration::from_secs(60), plug.recv()).await;
        // Dropping the server sends SIGKILL.
        drop(server);
        return match crashed {
            Ok(Some(())) => Ok(json!({"crashed": true})),
            _ => Err("the run did not come to the step at which the server is killed".to_owned()),
        };
    }
    let noted = std::fs::read_to_string(&note).map_err(|error| format!("run the crash phase first: {error}"))?;
    let noted: Value = serde_json::from_str(&noted).map_err(|error| error.to_string())?;
    let (Some(run), Some(Ok(address))) = (noted["run"].as_str(), noted["upstream"].as_str().map(str::parse)) else {
        return Err("the crash phase left no run".to_owned());
    };
    tokio::spawn(upstream::serve(upstream::listen(address).await?, log, None, pull));
    let begin = Instant::now();
    let server = Server::start(args).await?;
    while begin.elapsed() < Duration::from_secs(60) {
        let view = server.get(&format!("/api/runs/{run}")).await?;
        match view["status"].as_str() {
            Some("succeeded") => {
                let resume_s = begin.elapsed().as_secs_f64();
                return Ok(
                    json!({"resume_s": resume_s, "ready_s": server.ready_s, "steps": view["step_count"], "manual": false}),
                );
            }
            Some("running" | "queued") => tokio::time::sleep(Duration::from_millis(5)).await,
            _ => return Err(format!("the run did not succeed: {view}")),
        }
    }
    Err("the run did not end within 60 s".to_owned())
}

/// The gaps between the starts of consecutive steps, from the run's own trace, in milliseconds.
async fn gaps(server: &Server, run: &str) -> Result<Vec<f64>, String> {
    let run = server.get(&format!("/api/runs/{run}")).await?;
    let steps = run["steps"].as_array().ok_or("the run has no steps")?;
    let started: Vec<f64> = steps.iter().filter_map(|step| seconds(step["started_at"].as_str()?)).collect();
    if started.len() != workload::CHAIN {
        return Err(format!("{} of {} steps have a start", started.len(), workload::CHAIN));
    }
    Ok(started.windows(2).map(|pair| (pair[1] - pair[0]) * 1000.0).collect())
}

/// Seconds within the day of an RFC 3339 time in UTC; a run over midnight would have to be measured again.
fn seconds(text: &str) -> Option<f64> {
    let time = text.split_once('T')?.1.trim_end_matches('Z');
    let mut parts = time.split(':').map(|part| part.parse::<f64>().ok());
    Some(parts.next()?? * 3600.0 + parts.next()?? * 60.0 + parts.next()??)
}
