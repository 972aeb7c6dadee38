//! Spans as an `ExportTraceServiceRequest` in the JSON form of OTLP: ids in hexadecimal, 64-bit numbers as text.
//! <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>

use flowtrace_core::span::{Span, SpanKind, SpanStatus};
use flowtrace_core::trace::facts::{RUN, STEP};
use serde_json::{Map, Value, json};

pub fn request(spans: &[&Span]) -> Value {
    // Spans of one source stand together.
    let same = |a: &Span, b: &Span| a.resource == b.resource && a.service == b.service && a.scope == b.scope;
    let mut groups: Vec<(&Span, Vec<Value>)> = Vec::new();
    for span in spans {
        match groups.iter_mut().find(|(first, _)| same(first, span)) {
            Some((_, group)) => group.push(one(span)),
            None => groups.push((span, vec![one(span)])),
        }
    }
    let groups = groups.into_iter().map(|(first, spans)| {
        let mut resource = first.resource.clone();
        if let Some(service) = &first.service {
            resource.entry("service.name").or_insert_with(|| json!(service));
        }
        json!({
            "resource": {"attributes": attributes(&resource)},
            "scopeSpans": [{"scope": {"name": first.scope.as_deref().unwrap_or("flowtrace")}, "spans": spans}],
        })
    });
    json!({"resourceSpans": groups.collect::<Vec<_>>()})
}

fn one(span: &Span) -> Value {
    let mut own = span.attributes.clone();
    add_conventions(span, &mut own);
    let status = match span.status {
        SpanStatus::Unset => json!({}),
        SpanStatus::Ok => json!({"code": 1}),
        SpanStatus::Error => json!({"code": 2, "message": span.error.as_deref().unwrap_or("")}),
    };
    let events = span
        .events
        .iter()
        .map(|event| json!({"timeUnixNano": time(event.at), "name": event.name, "attributes": attributes(&event.attributes)}));
    let links = span.links.iter().map(|link| json!({"traceId": link.trace_id.to_string(), "spanId": link.span_id.to_string()}));
    let mut json = json!({
        "traceId": span.trace_id.to_string(),
        "spanId": span.span_id.to_string(),
        "name": span.name,
        // A call to a model goes out of the process.
        "kind": if span.kind.spends() { 3 } else { 1 },
        "startTimeUnixNano": time(span.started_at),
        "endTimeUnixNano": time(span.ended_at),
        "attributes": attributes(&own),
        "events": events.collect::<Vec<_>>(),
        "links": links.collect::<Vec<_>>(),
        "status": status,
    });
    if let (Some(parent), Some(json)) = (span.parent_span_id, json.as_object_mut()) {
        json.insert("parentSpanId".to_owned(), json!(parent.to_string()));
    }
    json
}

/// Times before 1970 cannot be said.
fn time(nanoseconds: i64) -> String {
    nanoseconds.max(0).to_string()
}

/// What other backends look for, where the sender did not say it in its own words.
/// <https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/>
fn add_conventions(span: &Span, own: &mut Map<String, Value>) {
    let operation = match span.kind {
        SpanKind::Llm => Some("chat"),
        SpanKind::Embedding => Some("embeddings"),
        SpanKind::Tool => Some("execute_tool"),
        SpanKind::Agent => Some("invoke_agent"),
        SpanKind::Workflow => Some("invoke_workflow"),
        SpanKind::Task | SpanKind::Retrieval | SpanKind::Span => None,
    };
    let text = |value: &Option<String>| value.as_ref().map(|value| json!(value));
    let content = |value: &Option<Value>| {
        value.as_ref().map(|value| match value {
            Value::String(text) => json!(text),
            other => json!(other.to_string()),
        })
    };
    let llm = span.kind == SpanKind::Llm;
    // Others said these in their own words, which are among the attributes.
    let own_run = own.contains_key(STEP) || own.contains_key(RUN);
    let tags = Some(&span.tags).filter(|tags| own_run && !tags.is_empty()).map(|tags| json!(tags));
    let metadata = Some(&span.metadata)
        .filter(|metadata| own_run && !metadata.is_empty())
        .map(|metadata| json!(json!(metadata).to_string()));
    let cost = span.cost_nanousd.filter(|_| span.kind.spends() && !span.simulated);
    for (key, value) in [
        ("gen_ai.operation.name", operation.map(|operation| json!(operation))),
        ("gen_ai.provider.name", text(&span.provider)),
        ("gen_ai.request.model", text(&span.model_requested)),
        ("gen_ai.response.model", text(&span.model)),
        ("gen_ai.response.id", text(&span.response_id)),
        ("gen_ai.usage.input_tokens", span.tokens.input.map(|tokens| json!(tokens))),
        ("gen_ai.usage.output_tokens", span.tokens.output.map(|tokens| json!(tokens))),
        ("gen_ai.usage.cache_read.input_tokens", span.tokens.cached.map(|tokens| json!(tokens))),
        ("gen_ai.usage.cache_creation.input_tokens", span.tokens.cache_write.map(|tokens| json!(tokens))),
        ("gen_ai.usage.reasoning.output_tokens", span.tokens.reasoning.map(|tokens| json!(tokens))),
        // In dollars.
        ("gen_ai.usage.cost", cost.map(|nanousd| json!(nanousd as f64 / 1e9))),
        ("gen_ai.response.finish_reasons", span.finish_reason.as_ref().map(|reason| json!([reason]))),
        // Of the backends only Langfuse has names for prompts.
        ("langfuse.observation.prompt.name", text(&span.prompt_name)),
        ("langfuse.observation.prompt.version", text(&span.prompt_version)),
        // By what Phoenix and Langfuse know what is neither a call nor an agent.
        ("openinference.span.kind", (own_run && span.kind == SpanKind::Task).then(|| json!("CHAIN"))),
        ("tag.tags", tags.clone()),
        ("langfuse.trace.tags", tags),
        ("metadata", metadata),
        ("flowtrace.simulated", span.simulated.then(|| json!(true))),
        ("gen_ai.tool.name", (span.kind == SpanKind::Tool).then(|| json!(span.name))),
        (if llm { "gen_ai.input.messages" } else { "input.value" }, content(&span.input)),
        (if llm { "gen_ai.output.messages" } else { "output.value" }, content(&span.output)),
        ("session.id", text(&span.session_id)),
        ("user.id", text(&span.user_id)),
        ("deployment.environment.name", text(&span.environment)),
    ] {
        if let Some(value) = value {
            own.entry(key).or_insert(value);
        }
    }
}

fn attributes(map: &Map<String, Value>) -> Vec<Value> {
    map.iter().filter_map(|(key, value)| Some(json!({"key": key, "value": any(value)?}))).collect()
}

/// `None` for null, which OTLP writes by leaving it out.
fn any(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => json!({"boolValue": value}),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => json!({"intValue": integer.to_string()}),
            None => json!({"doubleValue": number.as_f64()}),
        },
        Value::String(text) => json!({"stringValue": text}),
        Value::Array(items) => json!({"arrayValue": {"values": items.iter().filter_map(any).collect::<Vec<_>>()}}),
        Value::Object(map) => json!({"kvlistValue": {"values": attributes(map)}}),
    })
}
