//! `/api/runs/{id}/stream`: a run as it happens, as server-sent events.
//!
//! The stream is the journal, read from where the client is and then followed, so a client that comes back with
//! `Last-Event-ID` misses nothing and gets nothing twice, also across a restart of the server. Only what is committed is sent.
//! What models are saying right now comes beside it as `delta` events without id: they are live only, and whoever
//! (re)connects, or reads too slowly, gets the text so far instead.
//!
//! Memory stays bounded whatever the client does: events are read in small batches, when the connection takes more.

use super::dto::{no_such_run, run_id};
use super::extract::{Path, Query};
use super::problem::{ApiError, ApiResult, ProblemDocument};
use super::runs::snapshot;
use super::trace::EventData;
use crate::app::Shared;
use axum::extract::State;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use flowtrace_core::event::{Body, Event};
use flowtrace_core::id::RunId;
use flowtrace_engine::host::Snapshot;
use flowtrace_engine::live::{Delta, Deltas};
use flowtrace_engine::port::store::StoreError;
use futures::stream::{self, Stream};
use http::{HeaderMap, HeaderName, StatusCode};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::watch;
use utoipa::{IntoParams, ToSchema};

/// Events that are read from the journal at once.
const BATCH: usize = 128;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StreamQuery {
    /// Only later events than this one. A `Last-Event-ID` header goes first.
    after_seq: Option<u64>,
}

/// `data` of a `delta` event: a piece of an answer that a model is giving.
#[derive(Serialize, ToSchema)]
pub struct DeltaData {
    step_id: String,
    request: u32,
    attempt: u32,
    text: String,
    /// True if `text` is all that was said so far and replaces what the client has; false if it goes at its end.
    so_far: bool,
}

impl DeltaData {
    fn new(delta: &Delta, so_far: bool) -> Self {
        DeltaData {
            step_id: delta.step.to_string(),
            request: delta.request,
            attempt: delta.attempt,
            text: delta.text.to_string(),
            so_far,
        }
    }
}

/// `data` of the closing `end` event.
#[derive(Serialize, ToSchema)]
pub struct EndData {
    /// `succeeded`, `failed` or `canceled`.
    status: &'static str,
    last_seq: u64,
}

/// A run as it happens. `id: <seq>`, `event: trace`, `data: {ts, kind, step_id, payload}` for each event of the journal;
/// `event: delta` (no id) for pieces of answers under way; `event: end` after the last event, then the stream closes.
/// Whoever comes back after that with `Last-Event-ID` gets 204.
#[utoipa::path(get, path = "/api/runs/{id}/stream", operation_id = "streamRun", tag = "runs",
    params(
        ("id" = String, Path, description = "The run"),
        StreamQuery,
        ("Last-Event-ID" = Option<u64>, Header, description = "Seq of the last event that the client has"),
    ),
    responses(
    (status = 200, content((EventData = "text/event-stream"))),
    (status = 204, description = "The run has ended and the client has all of it"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn get(
    State(app): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Query(query): Query<StreamQuery>,
) -> ApiResult<Response> {
    let id = run_id(&id)?;
    let last_event_id = match headers.get("last-event-id").map(|value| value.to_str().unwrap_or("?").trim()) {
        None | Some("") => None,
        Some(text) => Some(text.parse::<u64>().map_err(|_| {
            ApiError::bad_request("invalid_header", "`Last-Event-ID` has to be the seq of an event, a whole number.")
        })?),
    };
    let after = last_event_id.or(query.after_seq).unwrap_or(0).min(i64::MAX as u64);

    // The watch comes first: whatever is committed after this line wakes the stream.
    let head = app.store.watch(id);
    let row = app.store.run(id).await?.ok_or_else(|| no_such_run(id))?;
    let ended = matches!(row.status.as_str(), "succeeded" | "failed" | "canceled");
    if last_event_id.is_some() && ended && app.store.read(id, after, 1).await?.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }

    let reader = Reader { app, run: id, after, head, queue: VecDeque::new(), deltas: None, phase: Phase::CatchingUp };
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15)).text("still here");
    let headers = [(HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((headers, Sse::new(events(reader)).keep_alive(keep_alive)).into_response())
}

struct Reader {
    app: Shared,
    run: RunId,
    /// Seq of the last event that was queued.
    after: u64,
    head: watch::Receiver<u64>,
    /// What was read and not yet sent; at most one batch and the answers under way.
    queue: VecDeque<SseEvent>,
    /// `None` until the client has caught up with the journal.
    deltas: Option<Deltas>,
    phase: Phase,
}

#[derive(PartialEq)]
enum Phase {
    CatchingUp,
    Following,
    Over,
}

fn events(reader: Reader) -> impl Stream<Item = Result<SseEvent, Infallible>> {
    stream::unfold(reader, |mut reader| async move {
        loop {
            if let Some(event) = reader.queue.pop_front() {
                return Some((Ok(event), reader));
            }
            if reader.phase == Phase::Over {
                return None;
            }
            if let Err(error) = reader.fill().await {
                // The client comes back with `Last-Event-ID` and is told by a status then.
                tracing::error!(%error, run = %reader.run, "a stream was cut because the journal could not be read");
                return None;
            }
        }
    })
}

impl Reader {
    /// Queues what is there, or waits for something to happen.
    async fn fill(&mut self) -> Result<(), StoreError> {
        // Deltas that came before an event have to go out before it, and they were sent before it was committed.
        self.head.borrow_and_update();
        let events = self.app.store.read(self.run, self.after, BATCH).await?;
        self.drain_deltas();
        for event in &events {
            self.push(event);
        }
        if !events.is_empty() || !self.queue.is_empty() {
            return Ok(());
        }
        if self.phase == Phase::CatchingUp {
            self.phase = Phase::Following;
            self.subscribe();
            return Ok(());
        }
        self.wait().await;
        Ok(())
    }

    fn push(&mut self, event: &Event) {
        self.after = event.seq;
        self.queue.push_back(trace_event(event));
        if let Some(status) = final_status(&event.body) {
            self.queue.push_back(json_event("end", &EndData { status, last_seq: event.seq }));
            self.phase = Phase::Over;
        }
    }

    async fn wait(&mut self) {
        let next = async {
            match &mut self.deltas {
                Some(deltas) => deltas.next.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            // The client comes back to the next process with `Last-Event-ID`.
            () = self.app.shutdown.cancelled() => self.phase = Phase::Over,
            delta = next => match delta {
                Ok(delta) => self.queue.push_back(json_event("delta", &DeltaData::new(&delta, false))),
                Err(RecvError::Lagged(_)) => self.subscribe(),
                Err(RecvError::Closed) => self.deltas = None,
            },
            changed = self.head.changed() => match changed {
                // A run that waited in the store may have become active again.
                Ok(()) if self.deltas.is_none() => self.subscribe(),
                Ok(()) => {}
                Err(_) => self.phase = Phase::Over,
            },
        }
    }

    /// Queues the text so far of every answer under way, and follows from there.
    fn subscribe(&mut self) {
        self.deltas = self.app.host.deltas(self.run);
        if let Some(deltas) = &self.deltas {
            self.queue.extend(deltas.so_far.iter().map(|delta| json_event("delta", &DeltaData::new(delta, true))));
        }
    }

    fn drain_deltas(&mut self) {
        while let Some(deltas) = &mut self.deltas {
            match deltas.next.try_recv() {
                Ok(delta) => self.queue.push_back(json_event("delta", &DeltaData::new(&delta, false))),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Lagged(_)) => self.subscribe(),
                Err(TryRecvError::Closed) => self.deltas = None,
            }
        }
    }
}

fn trace_event(event: &Event) -> SseEvent {
    json_event("trace", &EventData::from(event)).id(event.seq.to_string())
}

fn json_event(name: &'static str, data: &impl Serialize) -> SseEvent {
    let json = serde_json::to_string(data).expect("what the API sends holds only strings, numbers and JSON values");
    SseEvent::default().event(name).data(json)
}

pub fn final_status(body: &Body) -> Option<&'static str> {
    match body {
        Body::RunSucceeded { .. } => Some("succeeded"),
        Body::RunFailed { .. } => Some("failed"),
        Body::RunCanceled => Some("canceled"),
        _ => None,
    }
}

/// The run as it ended, or as it is when the server stops. The caller bounds the time.
pub async fn until_ended(app: &Arc<crate::app::App>, run: RunId) -> ApiResult<Arc<Snapshot>> {
    let mut head: Option<watch::Receiver<u64>> = None;
    loop {
        // While the run is worked on here, its commits say nothing that has to be read.
        tokio::select! {
            () = app.shutdown.cancelled() => return snapshot(app, run, None).await,
            () = app.host.idle(run) => {}
        }
        if let Some(head) = &mut head {
            head.borrow_and_update();
        }
        let now = snapshot(app, run, None).await?;
        if now.state.status.is_final() {
            return Ok(now);
        }
        // It queues or sleeps: its next commit is the sign that it goes on. Whatever came before the watch is looked at again.
        let Some(head) = &mut head else {
            head = Some(app.store.watch(run));
            continue;
        };
        tokio::select! {
            () = app.shutdown.cancelled() => return Ok(now),
            changed = head.changed() => if changed.is_err() { return Ok(now) },
        }
    }
}
