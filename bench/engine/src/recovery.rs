//! Many unfinished runs and a server that dies: how long the next one takes until all of them move again.

use crate::http::Server;
use crate::meter::{peak_rss_mb, percentile};
use crate::{Args, workload};
use futures::StreamExt;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Every run is in the middle of a call that never ends when the server is killed. After the restart the call is made again, which a
/// run does only after `step.lost` and the next `tool.request` are in its journal: so the call is its first new event, seen from outside.
pub async fn run(args: &Args) -> Result<Value, String> {
    let runs = args.runs.unwrap_or(workload::RUNS);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let holding = Arc::new(AtomicBool::new(true));
    let (told, mut calls) = mpsc::unbounded_channel();
    tokio::spawn(serve(listener, holding.clone(), told));

    // All of them at once in the middle of a call: more than the server would let run unless it is told.
    let config = args.workdir.join("flowtrace.toml");
    std::fs::write(&config, format!("[limits]\nmax_active_runs = {runs}\n")).map_err(|error| error.to_string())?;
    let flags = ["--config".to_owned(), config.display().to_string()];
    let server = Server::start_with(args, &flags).await?;
    let workflow = server.create(workload::held(&format!("http://{address}"))).await?;
    let started: Vec<Result<Value, String>> = futures::stream::iter(0..runs)
        .map(|index| server.post_run(&workflow, json!({"i": index})))
        .buffer_unordered(workload::IN_FLIGHT)
        .collect()
        .await;
    let ids: Vec<String> = started
        .into_iter()
        .map(|run| run.map(|run| run["runId"].as_str().unwrap_or_default().to_owned()))
        .collect::<Result<_, _>>()?;
    all_called(&mut calls, runs, Instant::now()).await?;
    // Dropping the server sends SIGKILL.
    drop(server);
    holding.store(false, Ordering::SeqCst);
    while calls.try_recv().is_ok() {}

    let begin = Instant::now();
    let starting = Server::start_with(args, &flags);
    let counting = all_called(&mut calls, runs, begin);
    let (server, moved) = tokio::join!(starting, counting);
    let (server, mut moved) = (server?, moved?);
    let mut waiting: Vec<&String> = ids.iter().collect();
    while !waiting.is_empty() && begin.elapsed() < Duration::from_secs(60) {
        let mut left = Vec::new();
        for id in waiting {
            let status = server.get(&format!("/api/runs/{id}")).await?["status"].clone();
            match status.as_str() {
                Some("succeeded") => {}
                Some("running" | "queued") => left.push(id),
                _ => return Err(format!("run {id} is {status}")),
            }
        }
        waiting = left;
    }
    if !waiting.is_empty() {
        return Err(format!("{} runs did not end within 60 s", waiting.len()));
    }
    Ok(json!({"runs": runs, "ready_s": server.ready_s, "all_moved_s": moved.last().copied().unwrap_or(0.0),
        "moved_s_p50": percentile(&mut moved, 0.5), "rss_mb": peak_rss_mb(server.pid())}))
}

/// When each of the runs made its first call, in seconds after `begin`, in that order.
async fn all_called(calls: &mut mpsc::UnboundedReceiver<usize>, runs: usize, begin: Instant) -> Result<Vec<f64>, String> {
    let mut seen = vec![false; runs];
    let mut times = Vec::with_capacity(runs);
    while times.len() < runs {
        let next = tokio::time::timeout(Duration::from_secs(120), calls.recv()).await;
        let Ok(Some(index)) = next else { return Err(format!("only {} of {runs} runs made their call", times.len())) };
        if let Some(seen) = seen.get_mut(index).filter(|seen| !**seen) {
            *seen = true;
            times.push(begin.elapsed().as_secs_f64());
        }
    }
    Ok(times)
}

/// Tells of every `GET /<index>`; answers nothing while `holding`, else at once.
async fn serve(listener: TcpListener, holding: Arc<AtomicBool>, told: mpsc::UnboundedSender<usize>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream, holding.clone(), told.clone()));
    }
}

async fn answer(mut stream: TcpStream, holding: Arc<AtomicBool>, told: mpsc::UnboundedSender<usize>) {
    let mut request = Vec::new();
    loop {
        while let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            let head: Vec<u8> = request.drain(..end + 4).collect();
            let Some(index) = crate::upstream::index(&head) else { return };
            let hold = holding.load(Ordering::SeqCst);
            if told.send(index).is_err() {
                return;
            }
            if hold {
                // Until the caller is gone.
                let _ = stream.read_buf(&mut request).await;
                return;
            }
            let body = workload::payload(index).to_string();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
            if stream.write_all((head + &body).as_bytes()).await.is_err() {
                return;
            }
        }
        match stream.read_buf(&mut request).await {
            Ok(read) if read > 0 => {}
            _ => return,
        }
    }
}
