//! The outside world of W5 over HTTP: a service that notes every call, and pulls the plug at one of them.

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Answers `GET /<index>` with the step's payload and writes the index to the side log. On the call for `crash_at` it answers
/// nothing and says so on the channel.
pub async fn serve(listener: TcpListener, mut log: File, crash_at: Option<usize>, crash: mpsc::Sender<()>) {
    while let Ok((stream, _)) = listener.accept().await {
        let Ok(log) = log.try_clone() else { return };
        tokio::spawn(answer(stream, log, crash_at, crash.clone()));
    }
    let _ = log.flush();
}

pub async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| format!("{address}: {error}"))
}

async fn answer(mut stream: TcpStream, mut log: File, crash_at: Option<usize>, crash: mpsc::Sender<()>) {
    let mut request = Vec::new();
    loop {
        // A GET has no body: its end is the empty line.
        while let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            let head: Vec<u8> = request.drain(..end + 4).collect();
            let Some(index) = index(&head) else { return };
            if writeln!(log, "{index}").is_err() {
                return;
            }
            if crash_at == Some(index) {
                let _ = crash.send(()).await;
                // The connection stays open: the caller learns nothing before it is gone.
                std::future::pending::<()>().await;
            }
            let body = crate::workload::payload(index).to_string();
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

pub fn index(head: &[u8]) -> Option<usize> {
    std::str::from_utf8(head).ok()?.split(' ').nth(1)?.trim_start_matches('/').parse().ok()
}
