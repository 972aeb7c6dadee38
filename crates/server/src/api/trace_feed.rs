//! Many traces at once: all that match, as lines of JSON, and those that arrive, as they arrive.

use super::problem::{ApiError, ApiResult, ProblemDocument};
use super::trace_view::{Trace, TraceSummary};
use super::traces::{Filter, summaries};
use crate::app::Shared;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use flowtrace_core::id::TraceId;
use flowtrace_engine::port::span_store::{SpanStoreError, TraceQuery};
use futures::stream;
use http::{HeaderName, header};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Summaries that are read at once.
const PAGE: usize = 100;

/// Every trace that matches, one to a line, each as `/api/traces/{trace_id}` gives it; the last that arrived first. What arrives
/// while it is read is left out.
#[utoipa::path(get, path = "/api/traces.jsonl", operation_id = "exportTraces", tag = "traces", params(Filter), responses(
    (status = 200, description = "One trace a line", content((String = "application/jsonl"))),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn export(State(app): State<Shared>, RawQuery(raw): RawQuery) -> ApiResult<Response> {
    let query = TraceQuery { limit: PAGE, ..Filter::of(raw)? };
    let mut export = Export { app, query, waiting: VecDeque::new(), over: false };
    // The first page tells whether the query works at all, while there still is a status to say so.
    export.page().await?;
    let lines = stream::try_unfold(export, |mut export| async move {
        match export.line().await {
            Ok(Some(line)) => Ok(Some((line, export))),
            Ok(None) => Ok(None),
            // The connection is cut: a client must not take what it has for all.
            Err(error) => {
                tracing::error!(%error, "an export of traces was cut");
                Err(std::io::Error::other(error))
            }
        }
    });
    let headers = [(header::CONTENT_TYPE, "application/jsonl")];
    Ok((headers, Body::from_stream(lines)).into_response())
}

struct Export {
    app: Shared,
    query: TraceQuery,
    waiting: VecDeque<TraceId>,
    over: bool,
}

impl Export {
    async fn page(&mut self) -> Result<(), SpanStoreError> {
        let page = self.app.spans.find(self.query.clone()).await?;
        self.waiting.extend(page.items.iter().map(|trace| trace.trace_id));
        self.over = page.next.is_none();
        self.query.after = page.next;
        Ok(())
    }

    async fn line(&mut self) -> Result<Option<String>, SpanStoreError> {
        loop {
            while let Some(id) = self.waiting.pop_front() {
                if let Some(trace) = self.app.spans.trace(id).await? {
                    let mut line = serde_json::to_string(&Trace::from(trace))
                        .expect("what the API sends holds only strings, numbers and JSON values");
                    line.push('\n');
                    return Ok(Some(line));
                }
            }
            if self.over {
                return Ok(None);
            }
            self.page().await?;
        }
    }
}

/// Traces as they arrive: `event: trace`, `data:` a summary as in the list, each time that spans of it arrive. `event: missed`
/// (`data: {}`) tells a reader that was too slow to read the list again.
#[utoipa::path(get, path = "/api/traces/tail", operation_id = "tailTraces", tag = "traces", params(Filter), responses(
    (status = 200, content((TraceSummary = "text/event-stream"))),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn tail(State(app): State<Shared>, RawQuery(raw): RawQuery) -> ApiResult<Response> {
    let query = Filter::of(raw)?;
    if query.text.is_some() {
        let detail =
            "`q` cannot be followed live: words are indexed a moment after the traces arrive. Ask `/api/traces` for them.";
        return Err(ApiError::bad_request("invalid_query", detail));
    }
    let touched = app.spans.tail();
    let tail = Tail { app, query, touched, waiting: VecDeque::new() };
    let events = stream::unfold(tail, |mut tail| async move {
        let event = tail.next().await?;
        Some((Ok::<_, Infallible>(event), tail))
    });
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15)).text("still here");
    let headers = [(HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((headers, Sse::new(events).keep_alive(keep_alive)).into_response())
}

struct Tail {
    app: Shared,
    query: TraceQuery,
    touched: Receiver<Arc<[TraceId]>>,
    waiting: VecDeque<TraceId>,
}

impl Tail {
    /// If it is among those that are followed.
    async fn summary(&self, id: TraceId) -> Result<Option<TraceSummary>, SpanStoreError> {
        let found = self.app.spans.matches(id, self.query.clone()).await?;
        Ok(summaries(&self.app, found.as_slice()).await?.pop())
    }

    async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some(id) = self.waiting.pop_front() {
                match self.summary(id).await {
                    Ok(Some(summary)) => {
                        let json = serde_json::to_string(&summary)
                            .expect("what the API sends holds only strings, numbers and JSON values");
                        return Some(Event::default().event("trace").data(json));
                    }
                    Ok(None) => {}
                    Err(error) => {
                        tracing::error!(%error, "a live list of traces was cut");
                        return None;
                    }
                }
            }
            let touched = tokio::select! {
                () = self.app.shutdown.cancelled() => return None,
                touched = self.touched.recv() => touched,
            };
            match touched {
                Ok(touched) => self.waiting.extend(touched.iter()),
                Err(RecvError::Lagged(_)) => return Some(Event::default().event("missed").data("{}")),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
