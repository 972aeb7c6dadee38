//! Sends every span on to another backend, as OTLP over HTTP.
//!
//! The queue is the span store itself, read as a log, and a file that says how far the other side has it: so nothing is lost when
//! either side is down, and what was sent just before a crash is sent once more, under the same ids.

mod otlp;
mod protobuf;

use crate::app::Shared;
use crate::config::{Compression, Export, Protocol};
use flowtrace_adapters::guard::{Guard, GuardPolicy, HostPort, display};
use flowtrace_core::span::Span;
use flowtrace_core::trace::facts::OPEN;
use flowtrace_engine::port::span_store::{Cursor, SpanStoreError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often the log is looked at when it had nothing new.
const IDLE: Duration = Duration::from_millis(500);

/// Spans in one request.
const BATCH: usize = 200;

const TIMEOUT: Duration = Duration::from_secs(30);
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(60);

struct Exporter {
    app: Shared,
    export: Export,
    guard: Guard,
    file: PathBuf,
}

/// Runs until the server stops.
pub async fn run(app: Shared, export: Export, data: PathBuf) {
    // The operator named the endpoint, so it may be on this machine; nothing else is allowed by that.
    let host = export.endpoint.host_str().unwrap_or_default();
    let allowed: Option<HostPort> = format!("{host}:{}", export.endpoint.port_or_known_default().unwrap_or(80)).parse().ok();
    let guard = Guard::new(GuardPolicy { allow_private: false, allowed: allowed.into_iter().collect() });
    let exporter = Exporter { app: app.clone(), export, guard, file: data.join("exported") };
    tokio::select! {
        () = app.shutdown.cancelled() => {}
        () = exporter.run() => {}
    }
}

impl Exporter {
    async fn run(&self) {
        loop {
            if let Err(error) = self.follow().await {
                tracing::warn!(%error, "spans could not be read for the export; this is tried again");
                tokio::time::sleep(LONGEST_RETRY).await;
            }
        }
    }

    async fn follow(&self) -> Result<(), SpanStoreError> {
        let mut place = match std::fs::read_to_string(&self.file) {
            Ok(text) => Cursor(text.trim().to_owned()),
            // What was there before the export was configured stays here.
            Err(_) => {
                let end = self.app.spans.log(None).await?.next;
                self.save(&end);
                end
            }
        };
        loop {
            let page = self.app.spans.log(Some(place.clone())).await?;
            if page.next == place {
                tokio::time::sleep(IDLE).await;
                continue;
            }
            let wanted: Vec<&Span> = page
                .spans
                .iter()
                // A span that is not over comes again when it is.
                .filter(|span| !span.attributes.contains_key(OPEN))
                .filter(|span| !self.export.runs_only || is_run(span))
                .collect();
            for batch in wanted.chunks(BATCH) {
                self.deliver(batch).await;
            }
            place = page.next;
            self.save(&place);
        }
    }

    /// Sends until the other side has it, or has said that it will never take it.
    async fn deliver(&self, batch: &[&Span]) {
        let mut parts: Vec<&[&Span]> = vec![batch];
        let mut wait = FIRST_RETRY;
        while let Some(part) = parts.pop() {
            match self.send(part).await {
                Answer::Taken => wait = FIRST_RETRY,
                Answer::TooLarge if part.len() > 1 => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Answer::TooLarge => {
                    tracing::error!(span = %part[0].span_id, "the export endpoint takes no span of this size; it is left out")
                }
                Answer::Refused(why) => {
                    tracing::error!(spans = part.len(), why, "the export endpoint refused spans for good; they are left out");
                }
                Answer::Later(why, after) => {
                    let pause = after.unwrap_or(wait).min(LONGEST_RETRY);
                    tracing::warn!(why, seconds = pause.as_secs(), "the export waits for its endpoint");
                    tokio::time::sleep(pause).await;
                    wait = (wait * 2).min(LONGEST_RETRY);
                    parts.push(part);
                }
            }
        }
    }

    async fn send(&self, spans: &[&Span]) -> Answer {
        let client = match self.guard.client(&self.export.endpoint) {
            Ok(client) => client,
            Err(failure) => return Answer::Later(failure.message, None),
        };
        let request = otlp::request(spans);
        let (content_type, body) = match self.export.protocol {
            Protocol::Protobuf => ("application/x-protobuf", protobuf::encode(&request)),
            Protocol::Json => ("application/json", request.to_string().into_bytes()),
        };
        let mut request = client
            .post(self.export.endpoint.clone())
            .headers(self.export.headers.clone())
            .header(http::header::CONTENT_TYPE, content_type)
            .timeout(TIMEOUT);
        request = match self.export.compression {
            Compression::None => request.body(body),
            Compression::Gzip => request.header(http::header::CONTENT_ENCODING, "gzip").body(gzip(&body)),
        };
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Answer::Later(format!("{} cannot be reached: {error}", display(&self.export.endpoint)), None),
        };
        let status = response.status();
        let after = response.headers().get(http::header::RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok());
        match status.as_u16() {
            200..=299 => Answer::Taken,
            413 => Answer::TooLarge,
            // What a repetition will not mend (https://opentelemetry.io/docs/specs/otlp/#failures). A wrong key or address can be
            // mended on either side, so those wait.
            400 | 415 | 422 => Answer::Refused(format!("status {status}")),
            _ => Answer::Later(format!("status {status}"), after.map(Duration::from_secs)),
        }
    }

    fn save(&self, place: &Cursor) {
        if let Err(error) = write(&self.file, &place.0) {
            tracing::warn!(%error, "{} cannot be written; after a restart some spans are exported again", self.file.display());
        }
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    // Nothing that writes into memory fails.
    packed.write_all(body).and_then(|()| packed.finish()).unwrap_or_default()
}

/// Whole or not at all.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let new = file.with_extension("new");
    std::fs::write(&new, text)?;
    std::fs::rename(&new, file)
}

fn is_run(span: &Span) -> bool {
    span.service.as_deref() == Some("flowtrace") && span.workflow.is_some()
}

enum Answer {
    Taken,
    TooLarge,
    Refused(String),
    Later(String, Option<Duration>),
}
