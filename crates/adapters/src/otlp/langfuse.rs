//! The ingestion API of Langfuse: batches of events that create and change traces and observations (its SDKs up to version 2), and
//! scores (all versions). <https://api.reference.langfuse.com/#tag/ingestion>
//!
//! The fields are brought into the names that version 3 uses over OpenTelemetry, so that one convention reads both.

use super::json::{check_size, parse_record};
use super::{Refused, foreign_id};
use flowtrace_core::id::{SpanId, TraceId};
use flowtrace_core::span::raw::{RawSpan, plausible};
use flowtrace_core::span::{Score, Scored, SpanStatus};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// What a batch holds, and what becomes of each of its events.
#[derive(Debug, Default, PartialEq)]
pub struct Batch {
    /// Each span once, with all that the batch says of it.
    pub pieces: Vec<RawSpan>,
    pub scores: Vec<Score>,
    /// Ids of the events that were understood.
    pub accepted: Vec<String>,
    /// Ids of those that were not, with the reason.
    pub refused: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    batch: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    id: Value,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    timestamp: Value,
    #[serde(default)]
    body: Map<String, Value>,
}

/// `POST /api/public/ingestion`. `received` is for scores without a time.
pub fn batch(body: &[u8], received: i64) -> Result<Batch, Refused> {
    let what = "a batch of events in JSON";
    check_size(body)?;
    let envelope: Envelope<'_> =
        serde_json::from_slice(body).map_err(|error| Refused::Malformed { what, why: error.to_string() })?;
    let mut batch = Batch::default();
    let mut pieces = Pieces::default();
    let mut events: Vec<Event> = Vec::new();
    for raw in envelope.batch {
        match parse_record(raw) {
            Ok(event) => events.push(event),
            Err(error) => batch.refused.push((String::new(), format!("the event cannot be read: {error}"))),
        }
    }
    for event in &events {
        pieces.know(event);
    }
    for event in events {
        let id = identifier(&event.id).unwrap_or_default();
        let outcome = match event.kind.as_str() {
            "trace-create" => trace(event.body, &mut pieces),
            "score-create" => {
                let at = time(&event.timestamp).ok().flatten().unwrap_or(received);
                score(&event.body, &id, at).map(|score| batch.scores.push(score))
            }
            // What the SDK says about itself.
            "sdk-log" => Ok(()),
            kind => match kind.rsplit_once('-') {
                Some((kind, change @ ("create" | "update"))) => observation(kind, change == "create", event.body, &mut pieces),
                _ => Err(format!("there is no event type `{}`", kind.chars().take(60).collect::<String>())),
            },
        };
        match outcome {
            Ok(()) => batch.accepted.push(id),
            Err(why) => batch.refused.push((id, why)),
        }
    }
    batch.pieces = pieces.list;
    Ok(batch)
}

/// Scores and the reasons why others were refused.
#[derive(Debug, Default, PartialEq)]
pub struct Scores {
    pub scores: Vec<Score>,
    pub refused: Vec<String>,
}

/// `POST /api/public/scores`: one, or a list of them.
pub fn scores(body: &[u8], received: i64) -> Result<Scores, Refused> {
    let what = "a score or a list of scores in JSON";
    check_size(body)?;
    let malformed = |why: String| Refused::Malformed { what, why };
    let value: Value = serde_json::from_slice(body).map_err(|error| malformed(error.to_string()))?;
    let list = match value {
        Value::Array(list) => list,
        one @ Value::Object(_) => vec![one],
        _ => return Err(malformed("it is neither an object nor a list".to_owned())),
    };
    let mut scores = Scores::default();
    for (index, item) in list.into_iter().enumerate() {
        let read = match &item {
            Value::Object(body) => score(body, "", received),
            _ => Err("it is no object".to_owned()),
        };
        match read {
            Ok(score) => scores.scores.push(score),
            Err(why) => scores.refused.push(format!("score {index}: {why}")),
        }
    }
    Ok(scores)
}

/// The spans of a batch, each once.
#[derive(Default)]
struct Pieces {
    /// What the batch says about observations somewhere, for those of its events that leave it out: their traces, and which of them
    /// stand in no other one.
    traces: HashMap<String, String>,
    outermost: HashSet<String>,
    at: HashMap<(TraceId, SpanId), usize>,
    list: Vec<RawSpan>,
}

impl Pieces {
    fn know(&mut self, event: &Event) {
        let (Some(id), Some((kind, change))) = (text(&event.body, "id"), event.kind.rsplit_once('-')) else { return };
        if matches!(kind, "trace" | "score" | "sdk") {
            return;
        }
        if let Some(trace) = text(&event.body, "traceId") {
            self.traces.insert(id.to_owned(), trace.to_owned());
        }
        if change == "create" && text(&event.body, "parentObservationId").is_none() {
            self.outermost.insert(id.to_owned());
        }
    }

    fn piece(&mut self, trace: TraceId, span: SpanId) -> &mut RawSpan {
        let index = *self.at.entry((trace, span)).or_insert_with(|| {
            self.list.push(RawSpan::new(trace, span, 0, 0));
            self.list.len() - 1
        });
        &mut self.list[index]
    }

    /// The span that stands for the trace lasts from the first of what is in it to the last.
    fn root(&mut self, trace: TraceId, from: i64, to: i64) -> &mut RawSpan {
        let root = self.piece(trace, foreign_id::root(trace));
        root.attributes.insert("langfuse.observation.type".to_owned(), "workflow".into());
        cover(root, from, to);
        root
    }
}

/// Widens the time of a piece; 0 says nothing.
fn cover(piece: &mut RawSpan, from: i64, to: i64) {
    if piece.started_at == 0 || (from != 0 && from < piece.started_at) {
        piece.started_at = from;
    }
    piece.ended_at = piece.ended_at.max(to);
}

fn trace(body: Map<String, Value>, pieces: &mut Pieces) -> Result<(), String> {
    let id = text(&body, "id").ok_or("a trace needs an `id`")?;
    let trace_id = foreign_id::trace(id);
    let at = member_time(&body, "timestamp")?.or(member_time(&body, "start_time")?).unwrap_or(0);
    let end = member_time(&body, "end_time")?.unwrap_or(at);
    let root = pieces.root(trace_id, at, end);
    if let Some(name) = text(&body, "name") {
        root.name = name.to_owned();
    }
    for (key, value) in body {
        let name = match key.as_str() {
            "name" => "langfuse.trace.name",
            "input" => "langfuse.observation.input",
            "output" => "langfuse.observation.output",
            "sessionId" => "session.id",
            "userId" => "user.id",
            "tags" => "langfuse.trace.tags",
            "metadata" => "langfuse.trace.metadata",
            "environment" => "langfuse.environment",
            "release" => "langfuse.release",
            "version" => "langfuse.version",
            "public" => "langfuse.trace.public",
            _ => continue,
        };
        set(root, name, value);
    }
    Ok(())
}

fn observation(kind: &str, create: bool, mut body: Map<String, Value>, pieces: &mut Pieces) -> Result<(), String> {
    let id = text(&body, "id").ok_or("an observation needs an `id`")?.to_owned();
    // An observation without a trace is a trace of its own.
    let trace = text(&body, "traceId").or_else(|| pieces.traces.get(&id).map(String::as_str)).unwrap_or(&id).to_owned();
    let trace_id = foreign_id::trace(&trace);
    let span_id = foreign_id::span(&id);
    let start = member_time(&body, "startTime")?.unwrap_or(0);
    let end = member_time(&body, "endTime")?.unwrap_or(0);
    let parent = text(&body, "parentObservationId").map(foreign_id::span);
    if create && parent.is_none() || end != 0 {
        pieces.root(trace_id, start, end.max(start));
    }
    let failed = text(&body, "level") == Some("ERROR");
    if failed && matches!(kind, "span" | "agent" | "chain" | "workflow") && pieces.outermost.contains(&id) {
        // The root of the trace is ours; the one that the application has says how it ended.
        let root = pieces.root(trace_id, 0, 0);
        root.status = SpanStatus::Error;
        root.status_message = text(&body, "statusMessage").unwrap_or_default().to_owned();
    }
    let piece = pieces.piece(trace_id, span_id);
    cover(piece, start, end);
    if create {
        piece.parent_span_id = parent.or(Some(foreign_id::root(trace_id)));
    } else if parent.is_some() {
        piece.parent_span_id = parent;
    }
    let kind = match kind {
        "observation" => text(&body, "type").unwrap_or("span").to_owned(),
        other => other.to_owned(),
    };
    set(piece, "langfuse.observation.type", Value::String(kind.to_ascii_lowercase()));
    if let Some(name) = text(&body, "name") {
        piece.name = name.to_owned();
    }
    if failed {
        piece.status = SpanStatus::Error;
    }
    // At its creation a call names the model that it asks for; one that brings its answer along names the one that gave it.
    let answered = ["output", "usage", "usageDetails"].iter().any(|key| body.get(*key).is_some_and(|value| !value.is_null()));
    if let Some(model) = body.remove("model") {
        if create {
            set(piece, "gen_ai.request.model", model.clone());
        }
        if answered || !create {
            set(piece, "langfuse.observation.model.name", model);
        }
    }
    let has_details = body.get("usageDetails").is_some_and(Value::is_object);
    for (key, value) in body {
        let name = match key.as_str() {
            "input" => "langfuse.observation.input",
            "output" => "langfuse.observation.output",
            "metadata" => "langfuse.observation.metadata",
            "level" => "langfuse.observation.level",
            "statusMessage" => "langfuse.observation.status_message",
            "modelParameters" => "langfuse.observation.model.parameters",
            "usageDetails" => "langfuse.observation.usage_details",
            "usage" if !has_details => "langfuse.observation.usage_details",
            "usage" => "langfuse.observation.usage_as_sent",
            "costDetails" => "langfuse.observation.cost_details",
            "completionStartTime" => "langfuse.observation.completion_start_time",
            "promptName" => "langfuse.observation.prompt.name",
            "promptVersion" => "langfuse.observation.prompt.version",
            "environment" => "langfuse.environment",
            "version" => "langfuse.version",
            _ => continue,
        };
        set(piece, name, value);
    }
    Ok(())
}

/// Null says nothing, so it never hides what was said before.
fn set(piece: &mut RawSpan, name: &str, value: Value) {
    if value.is_null() {
        return;
    }
    match (piece.attributes.get_mut(name), value) {
        (Some(Value::Object(there)), Value::Object(more)) => there.extend(more),
        (_, value) => {
            piece.attributes.insert(name.to_owned(), value);
        }
    }
}

fn score(body: &Map<String, Value>, event: &str, received: i64) -> Result<Score, String> {
    let name = text(body, "name").ok_or("a score needs a `name`")?.to_owned();
    let span = text(body, "observationId");
    let of = match (text(body, "traceId"), text(body, "sessionId")) {
        (Some(trace), _) => Scored::Trace { trace_id: foreign_id::trace(trace), span_id: span.map(foreign_id::span) },
        (None, Some(session)) => Scored::Session { session_id: session.to_owned() },
        (None, None) => return Err("a score needs a `traceId` or a `sessionId`; other scores are not kept".to_owned()),
    };
    let boolean = text(body, "dataType").is_some_and(|kind| kind.eq_ignore_ascii_case("BOOLEAN"));
    let value = match body.get("value") {
        Some(Value::Number(number)) if boolean => Value::Bool(number.as_f64().is_some_and(|number| number != 0.0)),
        Some(value @ (Value::Number(_) | Value::String(_) | Value::Bool(_))) => value.clone(),
        _ => return Err("the `value` of a score is a number, a text or a boolean".to_owned()),
    };
    let id = match text(body, "id") {
        Some(id) => id.to_owned(),
        None if !event.is_empty() => event.to_owned(),
        // The same score sent again is the same score.
        None => match &of {
            Scored::Trace { trace_id, .. } => format!("{trace_id}-{}-{name}", span.unwrap_or_default()),
            Scored::Session { session_id } => format!("session-{session_id}-{name}"),
        },
    };
    Ok(Score {
        id,
        of,
        name,
        value,
        comment: text(body, "comment").map(str::to_owned),
        at: member_time(body, "timestamp")?.unwrap_or(received),
    })
}

fn text<'a>(body: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn identifier(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn member_time(body: &Map<String, Value>, key: &str) -> Result<Option<i64>, String> {
    body.get(key).map_or(Ok(None), |value| time(value).map_err(|why| format!("`{key}` {why}")))
}

/// RFC 3339. Nanoseconds since the Unix epoch.
pub(super) fn time(value: &Value) -> Result<Option<i64>, String> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) if text.is_empty() => return Ok(None),
        Value::String(text) => text,
        _ => return Err("is no time: write it like 2026-01-31T12:00:00Z".to_owned()),
    };
    let parsed = text.parse::<jiff::Timestamp>().map_err(|_| "is no time: write it like 2026-01-31T12:00:00Z".to_owned())?;
    match i64::try_from(parsed.as_nanosecond()) {
        Ok(nanos) if plausible(nanos) => Ok(Some(nanos)),
        _ => Err("is not within the years 2000 and 2100".to_owned()),
    }
}
