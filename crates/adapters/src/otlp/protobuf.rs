//! OTLP in protobuf. Field numbers are those of <https://github.com/open-telemetry/opentelemetry-proto>.

use super::wire::{Field, Malformed, Reader};
use super::{Decoded, MAX_ITEMS_PER_SPAN, MAX_VALUES, Refused, moment, times};
use base64::Engine;
use flowtrace_core::id::{SpanId, TraceId};
use flowtrace_core::span::raw::{RawLog, RawSpan};
use flowtrace_core::span::{SpanEvent, SpanLink, SpanStatus};
use serde_json::{Map, Number, Value};

/// How deep lists and maps may stand inside each other.
pub(super) const MAX_DEPTH: usize = 32;

/// `ExportTraceServiceRequest`.
pub fn traces(body: &[u8]) -> Result<Decoded, Refused> {
    let mut decoded = Decoded::default();
    let mut budget = Budget { request: MAX_VALUES };
    let outcome = each_scope(body, &mut budget, |resource, scope, span, budget| {
        let mut items = MAX_ITEMS_PER_SPAN;
        match read_span(span, &mut items, budget) {
            Ok(mut span) => {
                span.resource = resource.clone();
                span.scope = scope.cloned();
                decoded.spans.push(span);
            }
            Err(Problem::Bad(why)) => decoded.rejected.add(|| format!("a span was left out: {why}")),
            Err(Problem::TooMany) => return Err(Problem::TooMany),
        }
        Ok(())
    });
    outcome.map_err(|problem| problem.refused("an OTLP trace request in protobuf"))?;
    Ok(decoded)
}

/// `ExportLogsServiceRequest`. `received` is for records without a time.
pub fn logs(body: &[u8], received: i64) -> Result<Decoded, Refused> {
    let mut decoded = Decoded::default();
    let mut budget = Budget { request: MAX_VALUES };
    let outcome = each_scope(body, &mut budget, |resource, scope, record, budget| {
        match read_log(record, received, budget) {
            Ok(Some(mut log)) => {
                log.resource = resource.clone();
                log.scope = scope.cloned();
                decoded.logs.push(log);
            }
            Ok(None) => decoded.homeless += 1,
            Err(Problem::Bad(why)) => decoded.rejected.add(|| format!("a log record was left out: {why}")),
            Err(Problem::TooMany) => return Err(Problem::TooMany),
        }
        Ok(())
    });
    outcome.map_err(|problem| problem.refused("an OTLP log request in protobuf"))?;
    Ok(decoded)
}

/// How many metrics an `ExportMetricsServiceRequest` holds.
pub fn metrics(body: &[u8]) -> Result<u64, Refused> {
    let mut count = 0;
    let mut budget = Budget { request: MAX_VALUES };
    let outcome = each_scope(body, &mut budget, |_, _, _, _| {
        count += 1;
        Ok(())
    });
    outcome.map_err(|problem| problem.refused("an OTLP metrics request in protobuf"))?;
    Ok(count)
}

enum Problem {
    /// This span or record cannot be read; the reason.
    Bad(String),
    /// The request as a whole holds too much.
    TooMany,
}

impl Problem {
    fn refused(self, what: &'static str) -> Refused {
        match self {
            Problem::Bad(why) => Refused::Malformed { what, why },
            Problem::TooMany => Refused::TooMany,
        }
    }
}

impl From<Malformed> for Problem {
    fn from(malformed: Malformed) -> Self {
        Problem::Bad(malformed.to_string())
    }
}

/// What may still be made of the request.
struct Budget {
    request: usize,
}

impl Budget {
    fn spend(&mut self) -> Result<(), Problem> {
        self.request = self.request.checked_sub(1).ok_or(Problem::TooMany)?;
        Ok(())
    }
}

/// The three services nest alike: resources (1) hold a resource (1) and scopes (2), which hold a scope (1) and records (2).
fn each_scope<'a>(
    body: &'a [u8],
    budget: &mut Budget,
    mut record: impl FnMut(&Map<String, Value>, Option<&String>, &'a [u8], &mut Budget) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let mut request = Reader::new(body);
    while let Some((number, field)) = request.next()? {
        if number != 1 {
            continue;
        }
        let resource_records = field.bytes()?;
        let mut resource = Map::new();
        let mut parts = Reader::new(resource_records);
        while let Some((number, field)) = parts.next()? {
            if number == 1 {
                resource = read_resource(field.bytes()?, budget)?;
            }
        }
        let mut parts = Reader::new(resource_records);
        while let Some((number, field)) = parts.next()? {
            if number != 2 {
                continue;
            }
            let scope_records = field.bytes()?;
            let mut scope = None;
            let mut parts = Reader::new(scope_records);
            while let Some((number, field)) = parts.next()? {
                if number == 1 {
                    scope = read_scope(field.bytes()?)?;
                }
            }
            let mut parts = Reader::new(scope_records);
            while let Some((number, field)) = parts.next()? {
                if number == 2 {
                    budget.spend()?;
                    record(&resource, scope.as_ref(), field.bytes()?, budget)?;
                }
            }
        }
    }
    Ok(())
}

fn read_resource(bytes: &[u8], budget: &mut Budget) -> Result<Map<String, Value>, Problem> {
    let mut attributes = Map::new();
    let mut fields = Reader::new(bytes);
    while let Some((number, field)) = fields.next()? {
        if number == 1 {
            read_attribute(field, &mut attributes, budget)?;
        }
    }
    Ok(attributes)
}

fn read_scope(bytes: &[u8]) -> Result<Option<String>, Problem> {
    let (mut name, mut version) = (String::new(), String::new());
    let mut fields = Reader::new(bytes);
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => name = field.text()?,
            2 => version = field.text()?,
            _ => {}
        }
    }
    Ok(scope_text(name, &version))
}

/// The instrumentation library as one text.
pub(super) fn scope_text(mut name: String, version: &str) -> Option<String> {
    if !version.is_empty() {
        if !name.is_empty() {
            name.push(' ');
        }
        name.push_str(version);
    }
    (!name.is_empty()).then_some(name)
}

fn read_span(bytes: &[u8], items: &mut usize, budget: &mut Budget) -> Result<RawSpan, Problem> {
    let (mut trace_id, mut span_id, mut parent) = (&[][..], &[][..], &[][..]);
    let (mut start, mut end) = (0, 0);
    let mut span = RawSpan::new(TraceId(1), SpanId(1), 0, 0);
    let mut events = Vec::new();
    let mut fields = Reader::new(bytes);
    while let Some((number, field)) = fields.next()? {
        if matches!(number, 9 | 11 | 13) {
            *items = items
                .checked_sub(1)
                .ok_or_else(|| Problem::Bad(format!("it has more than {MAX_ITEMS_PER_SPAN} attributes, events and links")))?;
        }
        match number {
            1 => trace_id = field.bytes()?,
            2 => span_id = field.bytes()?,
            4 => parent = field.bytes()?,
            5 => span.name = field.text()?,
            7 => start = field.fixed64()?,
            8 => end = field.fixed64()?,
            9 => read_attribute(field, &mut span.attributes, budget)?,
            11 => events.push(field.bytes()?),
            13 => span.links.extend(read_link(field.bytes()?)?),
            15 => (span.status, span.status_message) = read_status(field.bytes()?)?,
            _ => {}
        }
    }
    span.trace_id = trace(trace_id).ok_or_else(|| Problem::Bad("its trace id is not 16 bytes, not all zero".to_owned()))?;
    span.span_id = self::span(span_id).ok_or_else(|| Problem::Bad("its span id is not 8 bytes, not all zero".to_owned()))?;
    span.parent_span_id = self::span(parent);
    (span.started_at, span.ended_at) = times(start, end).map_err(Problem::Bad)?;
    for event in events {
        span.events.push(read_event(event, span.started_at, budget)?);
    }
    Ok(span)
}

fn read_event(bytes: &[u8], otherwise: i64, budget: &mut Budget) -> Result<SpanEvent, Problem> {
    budget.spend()?;
    let mut event = SpanEvent { name: String::new(), at: otherwise, attributes: Map::new() };
    let mut fields = Reader::new(bytes);
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => event.at = moment(field.fixed64()?, otherwise),
            2 => event.name = field.text()?,
            3 => read_attribute(field, &mut event.attributes, budget)?,
            _ => {}
        }
    }
    Ok(event)
}

/// `None` for a link that leads nowhere.
fn read_link(bytes: &[u8]) -> Result<Option<SpanLink>, Problem> {
    let (mut trace_id, mut span_id) = (None, None);
    let mut fields = Reader::new(bytes);
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => trace_id = trace(field.bytes()?),
            2 => span_id = self::span(field.bytes()?),
            _ => {}
        }
    }
    Ok(trace_id.zip(span_id).map(|(trace_id, span_id)| SpanLink { trace_id, span_id }))
}

fn read_status(bytes: &[u8]) -> Result<(SpanStatus, String), Problem> {
    let (mut status, mut message) = (SpanStatus::Unset, String::new());
    let mut fields = Reader::new(bytes);
    while let Some((number, field)) = fields.next()? {
        match number {
            2 => message = field.text()?,
            3 => status = status_of(field.varint()?),
            _ => {}
        }
    }
    Ok((status, message))
}

pub(super) fn status_of(code: u64) -> SpanStatus {
    match code {
        1 => SpanStatus::Ok,
        2 => SpanStatus::Error,
        _ => SpanStatus::Unset,
    }
}

/// `None` for a record that names no span.
fn read_log(bytes: &[u8], received: i64, budget: &mut Budget) -> Result<Option<RawLog>, Problem> {
    let (mut time, mut observed) = (0, 0);
    let (mut trace_id, mut span_id) = (None, None);
    let mut log = RawLog {
        trace_id: TraceId(1),
        span_id: SpanId(1),
        at: received,
        event_name: String::new(),
        severity: String::new(),
        body: Value::Null,
        attributes: Map::new(),
        resource: Map::new(),
        scope: None,
    };
    let mut items = MAX_ITEMS_PER_SPAN;
    let mut fields = Reader::new(bytes);
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => time = field.fixed64()?,
            3 => log.severity = field.text()?,
            5 => log.body = read_any(field.bytes()?, MAX_DEPTH, budget)?,
            6 => {
                items = items
                    .checked_sub(1)
                    .ok_or_else(|| Problem::Bad(format!("it has more than {MAX_ITEMS_PER_SPAN} attributes")))?;
                read_attribute(field, &mut log.attributes, budget)?;
            }
            9 => trace_id = trace(field.bytes()?),
            10 => span_id = self::span(field.bytes()?),
            11 => observed = field.fixed64()?,
            12 => log.event_name = field.text()?,
            _ => {}
        }
    }
    let (Some(trace_id), Some(span_id)) = (trace_id, span_id) else { return Ok(None) };
    log.trace_id = trace_id;
    log.span_id = span_id;
    log.at = moment(time, moment(observed, received));
    Ok(Some(log))
}

fn read_attribute(field: Field<'_>, attributes: &mut Map<String, Value>, budget: &mut Budget) -> Result<(), Problem> {
    let (key, value) = read_key_value(field.bytes()?, MAX_DEPTH, budget)?;
    attributes.insert(key, value);
    Ok(())
}

fn read_key_value(bytes: &[u8], depth: usize, budget: &mut Budget) -> Result<(String, Value), Problem> {
    budget.spend()?;
    let (mut key, mut value) = (String::new(), Value::Null);
    let mut fields = Reader::new(bytes);
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => key = field.text()?,
            2 => value = read_any(field.bytes()?, depth, budget)?,
            _ => {}
        }
    }
    Ok((key, value))
}

fn read_any(bytes: &[u8], depth: usize, budget: &mut Budget) -> Result<Value, Problem> {
    let mut value = Value::Null;
    let mut fields = Reader::new(bytes);
    while let Some((number, field)) = fields.next()? {
        value = match number {
            1 => Value::String(field.text()?),
            2 => Value::Bool(field.varint()? != 0),
            3 => Value::Number(Number::from(field.varint()?.cast_signed())),
            4 => double(f64::from_bits(field.fixed64()?)),
            5 | 6 if depth == 0 => {
                return Err(Problem::Bad(format!("a value is nested more than {MAX_DEPTH} levels deep")));
            }
            5 => {
                let mut values = Vec::new();
                let mut fields = Reader::new(field.bytes()?);
                while let Some((number, field)) = fields.next()? {
                    if number == 1 {
                        budget.spend()?;
                        values.push(read_any(field.bytes()?, depth - 1, budget)?);
                    }
                }
                Value::Array(values)
            }
            6 => {
                let mut values = Map::new();
                let mut fields = Reader::new(field.bytes()?);
                while let Some((number, field)) = fields.next()? {
                    if number == 1 {
                        let (key, value) = read_key_value(field.bytes()?, depth - 1, budget)?;
                        values.insert(key, value);
                    }
                }
                Value::Object(values)
            }
            7 => Value::String(base64::engine::general_purpose::STANDARD.encode(field.bytes()?)),
            _ => continue,
        };
    }
    Ok(value)
}

/// JSON has no word for what is no number, so its name is kept.
pub(super) fn double(number: f64) -> Value {
    match Number::from_f64(number) {
        Some(number) => Value::Number(number),
        None if number.is_nan() => "NaN".into(),
        None if number > 0.0 => "Infinity".into(),
        None => "-Infinity".into(),
    }
}

fn trace(bytes: &[u8]) -> Option<TraceId> {
    let id = u128::from_be_bytes(bytes.try_into().ok()?);
    (id != 0).then_some(TraceId(id))
}

fn span(bytes: &[u8]) -> Option<SpanId> {
    let id = u64::from_be_bytes(bytes.try_into().ok()?);
    (id != 0).then_some(SpanId(id))
}
