//! OTLP in JSON. Senders differ: ids are hexadecimal, 64-bit integers come as numbers or as texts, enumerations as numbers or as
//! names, names of fields as `camelCase` or `snake_case`, and what is empty is left out or not.
//! <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>

use super::protobuf::{MAX_DEPTH, double, scope_text, status_of};
use super::{Decoded, MAX_COMMAS, MAX_ITEMS_PER_SPAN, Refused, moment, times};
use flowtrace_core::id::{SpanId, TraceId};
use flowtrace_core::span::raw::{RawLog, RawSpan};
use flowtrace_core::span::{SpanEvent, SpanLink, SpanStatus};
use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::fmt;

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow, default, alias = "resource_spans", alias = "resourceLogs", alias = "resource_logs")]
    #[serde(alias = "resourceMetrics", alias = "resource_metrics", rename = "resourceSpans", deserialize_with = "or_default")]
    resources: Vec<Resources<'a>>,
}

#[derive(Deserialize)]
struct Resources<'a> {
    #[serde(default, deserialize_with = "or_default")]
    resource: Resource,
    #[serde(borrow, default, alias = "scope_spans", alias = "scopeLogs", alias = "scope_logs")]
    #[serde(alias = "scopeMetrics", alias = "scope_metrics", rename = "scopeSpans", deserialize_with = "or_default")]
    scopes: Vec<Scopes<'a>>,
}

#[derive(Default, Deserialize)]
struct Resource {
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Deserialize)]
struct Scopes<'a> {
    #[serde(default, deserialize_with = "or_default")]
    scope: Scope,
    #[serde(borrow, default, alias = "logRecords", alias = "log_records", alias = "metrics", deserialize_with = "or_default")]
    #[serde(rename = "spans")]
    records: Vec<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Scope {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    version: String,
}

#[derive(Deserialize)]
struct Span {
    #[serde(default, alias = "trace_id", rename = "traceId", deserialize_with = "or_default")]
    trace_id: String,
    #[serde(default, alias = "span_id", rename = "spanId", deserialize_with = "or_default")]
    span_id: String,
    #[serde(default, alias = "parent_span_id", rename = "parentSpanId", deserialize_with = "or_default")]
    parent_span_id: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, alias = "start_time_unix_nano", rename = "startTimeUnixNano")]
    start: Integer,
    #[serde(default, alias = "end_time_unix_nano", rename = "endTimeUnixNano")]
    end: Integer,
    #[serde(default)]
    attributes: Attributes,
    #[serde(default, deserialize_with = "or_default")]
    events: Vec<Event>,
    #[serde(default, deserialize_with = "or_default")]
    links: Vec<Link>,
    #[serde(default, deserialize_with = "or_default")]
    status: Status,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, alias = "time_unix_nano", rename = "timeUnixNano")]
    time: Integer,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Deserialize)]
struct Link {
    #[serde(default, alias = "trace_id", rename = "traceId", deserialize_with = "or_default")]
    trace_id: String,
    #[serde(default, alias = "span_id", rename = "spanId", deserialize_with = "or_default")]
    span_id: String,
}

#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    code: Code,
    #[serde(default, deserialize_with = "or_default")]
    message: String,
}

#[derive(Deserialize)]
struct LogRecord {
    #[serde(default, alias = "trace_id", rename = "traceId", deserialize_with = "or_default")]
    trace_id: String,
    #[serde(default, alias = "span_id", rename = "spanId", deserialize_with = "or_default")]
    span_id: String,
    #[serde(default, alias = "time_unix_nano", rename = "timeUnixNano")]
    time: Integer,
    #[serde(default, alias = "observed_time_unix_nano", rename = "observedTimeUnixNano")]
    observed: Integer,
    #[serde(default, alias = "severity_text", rename = "severityText", deserialize_with = "or_default")]
    severity: String,
    #[serde(default, alias = "event_name", rename = "eventName", deserialize_with = "or_default")]
    event_name: String,
    #[serde(default)]
    body: AnyValue,
    #[serde(default)]
    attributes: Attributes,
}

/// `ExportTraceServiceRequest`.
pub fn traces(body: &[u8]) -> Result<Decoded, Refused> {
    let request = parse(body, "an OTLP trace request in JSON")?;
    let mut decoded = Decoded::default();
    for_each(request, |resource, scope, record| match read_span(record) {
        Ok(mut span) => {
            span.resource = resource.clone();
            span.scope = scope.cloned();
            decoded.spans.push(span);
        }
        Err(why) => decoded.rejected.add(|| format!("a span was left out: {why}")),
    });
    Ok(decoded)
}

/// `ExportLogsServiceRequest`. `received` is for records without a time.
pub fn logs(body: &[u8], received: i64) -> Result<Decoded, Refused> {
    let request = parse(body, "an OTLP log request in JSON")?;
    let mut decoded = Decoded::default();
    for_each(request, |resource, scope, record| match read_log(record, received) {
        Ok(Some(mut log)) => {
            log.resource = resource.clone();
            log.scope = scope.cloned();
            decoded.logs.push(log);
        }
        Ok(None) => decoded.homeless += 1,
        Err(why) => decoded.rejected.add(|| format!("a log record was left out: {why}")),
    });
    Ok(decoded)
}

/// How many metrics an `ExportMetricsServiceRequest` holds.
pub fn metrics(body: &[u8]) -> Result<u64, Refused> {
    let request = parse(body, "an OTLP metrics request in JSON")?;
    let mut count = 0;
    for_each(request, |_, _, _| count += 1);
    Ok(count)
}

/// Refuses what a parser would make far too much of, before it starts.
pub(super) fn check_size(body: &[u8]) -> Result<(), Refused> {
    if body.iter().filter(|byte| **byte == b',').count() > MAX_COMMAS { Err(Refused::TooMany) } else { Ok(()) }
}

fn parse<'a>(body: &'a [u8], what: &'static str) -> Result<Request<'a>, Refused> {
    check_size(body)?;
    // A list would be taken for the fields of an object, in their order.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(Refused::Malformed { what, why: "it is a list".to_owned() });
    }
    serde_json::from_slice(body).map_err(|error| Refused::Malformed { what, why: error.to_string() })
}

fn for_each<'a>(request: Request<'a>, mut record: impl FnMut(&Map<String, Value>, Option<&String>, &'a RawValue)) {
    for resources in request.resources {
        for scopes in resources.scopes {
            let scope = scope_text(scopes.scope.name, &scopes.scope.version);
            for raw in scopes.records {
                record(&resources.resource.attributes.0, scope.as_ref(), raw);
            }
        }
    }
}

/// Reads one record. JavaScript that cuts a text in the middle of an emoji leaves half a character, which no text may hold: it is
/// replaced as bytes that are no UTF-8 are, and costs nothing else.
pub(super) fn parse_record<T: de::DeserializeOwned>(raw: &RawValue) -> Result<T, String> {
    serde_json::from_str(raw.get())
        .or_else(|error| match without_halves(raw.get()) {
            Some(mended) => serde_json::from_str(&mended),
            None => Err(error),
        })
        .map_err(|error| error.to_string())
}

/// The JSON with `\ufffd` for every escaped half of a surrogate pair that stands alone; `None` if there is none.
fn without_halves(json: &str) -> Option<String> {
    let half = |at: usize| {
        let code = json.get(at..at + 6)?.strip_prefix("\\u").and_then(|hex| u16::from_str_radix(hex, 16).ok())?;
        (0xD800..0xE000).contains(&code).then_some(code)
    };
    let mut mended = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = json.get(at..).and_then(|rest| rest.find('\\')) {
        at += found;
        match (half(at), half(at + 6)) {
            (Some(0xD800..0xDC00), Some(0xDC00..)) => at += 12,
            (Some(_), _) => {
                mended.push_str(&json[copied..at]);
                mended.push_str("\\ufffd");
                at += 6;
                copied = at;
            }
            // Any other escape is a backslash and what follows it.
            (None, _) => at += 2,
        }
    }
    mended.push_str(&json[copied..]);
    (copied > 0).then_some(mended)
}

fn too_deep(value: &Value, left: usize) -> bool {
    match value {
        Value::Array(values) => left == 0 || values.iter().any(|value| too_deep(value, left - 1)),
        Value::Object(values) => left == 0 || values.values().any(|value| too_deep(value, left - 1)),
        _ => false,
    }
}

fn read_span(raw: &RawValue) -> Result<RawSpan, String> {
    let span: Span = parse_record(raw)?;
    let trace_id =
        TraceId::parse(&span.trace_id).ok_or_else(|| "its `traceId` is not 32 hexadecimal digits, not all zero".to_owned())?;
    let span_id =
        SpanId::parse(&span.span_id).ok_or_else(|| "its `spanId` is not 16 hexadecimal digits, not all zero".to_owned())?;
    if span.attributes.0.len() + span.events.len() + span.links.len() > MAX_ITEMS_PER_SPAN {
        return Err(format!("it has more than {MAX_ITEMS_PER_SPAN} attributes, events and links"));
    }
    if span.attributes.0.values().any(|value| too_deep(value, MAX_DEPTH)) {
        return Err(format!("a value is nested more than {MAX_DEPTH} levels deep"));
    }
    let (started_at, ended_at) = times(span.start.unsigned()?, span.end.unsigned()?)?;
    let mut read = RawSpan::new(trace_id, span_id, started_at, ended_at);
    read.parent_span_id = SpanId::parse(&span.parent_span_id);
    read.name = span.name;
    read.attributes = span.attributes.0;
    let event = |event: Event| SpanEvent {
        name: event.name,
        at: event.time.unsigned().map_or(started_at, |time| moment(time, started_at)),
        attributes: event.attributes.0,
    };
    read.events = span.events.into_iter().map(event).collect();
    let link = |link: Link| Some(SpanLink { trace_id: TraceId::parse(&link.trace_id)?, span_id: SpanId::parse(&link.span_id)? });
    read.links = span.links.into_iter().filter_map(link).collect();
    read.status = span.status.code.0;
    read.status_message = span.status.message;
    Ok(read)
}

fn read_log(raw: &RawValue, received: i64) -> Result<Option<RawLog>, String> {
    let log: LogRecord = parse_record(raw)?;
    let (Some(trace_id), Some(span_id)) = (TraceId::parse(&log.trace_id), SpanId::parse(&log.span_id)) else { return Ok(None) };
    if log.attributes.0.len() > MAX_ITEMS_PER_SPAN {
        return Err(format!("it has more than {MAX_ITEMS_PER_SPAN} attributes"));
    }
    let time = |integer: Integer, otherwise| integer.unsigned().map_or(otherwise, |time| moment(time, otherwise));
    Ok(Some(RawLog {
        trace_id,
        span_id,
        at: time(log.time, time(log.observed, received)),
        event_name: log.event_name,
        severity: log.severity,
        body: log.body.0,
        attributes: log.attributes.0,
        resource: Map::new(),
        scope: None,
    }))
}

/// `null` is as good as nothing.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A 64-bit integer as a number or as a text. What does not fit is remembered as such.
#[derive(Clone, Copy, Default)]
enum Integer {
    #[default]
    None,
    Signed(i64),
    Unsigned(u64),
    TooLarge,
}

impl Integer {
    fn unsigned(self) -> Result<u64, String> {
        match self {
            Integer::None => Ok(0),
            Integer::Unsigned(value) => Ok(value),
            Integer::Signed(_) => Err("a time of it is negative".to_owned()),
            Integer::TooLarge => Err("a time of it is not within the years 2000 and 2100".to_owned()),
        }
    }

    fn of_text(text: &str) -> Option<Integer> {
        let text = text.trim();
        if let Ok(value) = text.parse::<u64>() {
            return Some(Integer::Unsigned(value));
        }
        if let Ok(value) = text.parse::<i64>() {
            return Some(Integer::Signed(value));
        }
        let digits = text.strip_prefix('-').unwrap_or(text);
        (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(Integer::TooLarge)
    }
}

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IntegerVisitor;
        impl Visitor<'_> for IntegerVisitor {
            type Value = Integer;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer, or one written as text")
            }
            fn visit_unit<E>(self) -> Result<Integer, E> {
                Ok(Integer::None)
            }
            fn visit_u64<E>(self, value: u64) -> Result<Integer, E> {
                Ok(Integer::Unsigned(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Integer, E> {
                Ok(Integer::Signed(value))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Integer, E> {
                // JavaScript writes large whole numbers so.
                Ok(if (0.0..1.8e19).contains(&value) { Integer::Unsigned(value as u64) } else { Integer::TooLarge })
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Integer, E> {
                if text.is_empty() {
                    return Ok(Integer::None);
                }
                Integer::of_text(text)
                    .ok_or_else(|| E::custom(format_args!("`{}` is no integer", text.chars().take(40).collect::<String>())))
            }
        }
        deserializer.deserialize_any(IntegerVisitor)
    }
}

/// A status code as a number or by its name.
#[derive(Clone, Copy, Default)]
struct Code(SpanStatus);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Code(match Value::deserialize(deserializer)? {
            Value::Number(code) => status_of(code.as_u64().unwrap_or(0)),
            Value::String(name) => match name.as_str() {
                "STATUS_CODE_OK" | "OK" | "1" => SpanStatus::Ok,
                "STATUS_CODE_ERROR" | "ERROR" | "2" => SpanStatus::Error,
                _ => SpanStatus::Unset,
            },
            _ => SpanStatus::Unset,
        }))
    }
}

/// `[{"key": …, "value": {"stringValue": …}}]` as an object.
#[derive(Default)]
struct Attributes(Map<String, Value>);

#[derive(Deserialize)]
struct KeyValue {
    #[serde(default, deserialize_with = "or_default")]
    key: String,
    #[serde(default)]
    value: AnyValue,
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AttributesVisitor;
        impl<'de> Visitor<'de> for AttributesVisitor {
            type Value = Attributes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of attributes")
            }
            fn visit_unit<E>(self) -> Result<Attributes, E> {
                Ok(Attributes::default())
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Attributes, A::Error> {
                let mut attributes = Map::new();
                while let Some(KeyValue { key, value }) = list.next_element()? {
                    attributes.insert(key, value.0);
                }
                Ok(Attributes(attributes))
            }
        }
        deserializer.deserialize_any(AttributesVisitor)
    }
}

/// `{"stringValue": …}` and its kin as the value itself.
#[derive(Default)]
struct AnyValue(Value);

#[derive(Deserialize)]
struct Values {
    #[serde(default, deserialize_with = "or_default")]
    values: Vec<AnyValue>,
}

#[derive(Deserialize)]
struct KeyValues {
    #[serde(default)]
    values: Attributes,
}

impl<'de> Deserialize<'de> for AnyValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyVisitor;
        impl<'de> Visitor<'de> for AnyVisitor {
            type Value = AnyValue;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value such as {\"stringValue\": …}")
            }
            fn visit_unit<E>(self) -> Result<AnyValue, E> {
                Ok(AnyValue(Value::Null))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AnyValue, A::Error> {
                let mut value = Value::Null;
                while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
                    value = match &*key {
                        "stringValue" | "string_value" | "bytesValue" | "bytes_value" => {
                            map.next_value::<Option<String>>()?.into()
                        }
                        "boolValue" | "bool_value" => map.next_value::<Option<bool>>()?.into(),
                        "intValue" | "int_value" => match map.next_value::<Integer>()? {
                            Integer::None => Value::Null,
                            Integer::Signed(number) => number.into(),
                            Integer::Unsigned(number) => number.into(),
                            Integer::TooLarge => return Err(de::Error::custom("an `intValue` does not fit 64 bits")),
                        },
                        "doubleValue" | "double_value" => match map.next_value::<Value>()? {
                            Value::Number(number) => Value::Number(number),
                            Value::String(text) => match text.parse::<f64>() {
                                Ok(number) => double(number),
                                Err(_) => Value::String(text),
                            },
                            _ => Value::Null,
                        },
                        "arrayValue" | "array_value" => match map.next_value::<Option<Values>>()? {
                            Some(list) => Value::Array(list.values.into_iter().map(|value| value.0).collect()),
                            None => Value::Null,
                        },
                        "kvlistValue" | "kvlist_value" => match map.next_value::<Option<KeyValues>>()? {
                            Some(list) => Value::Object(list.values.0),
                            None => Value::Null,
                        },
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                }
                Ok(AnyValue(value))
            }
        }
        deserializer.deserialize_any(AnyVisitor)
    }
}
