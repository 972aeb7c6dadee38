//! What the recorded traffic does not show: other modes, other versions, names that disagree.

use super::*;
use crate::id::{SpanId, TraceId};
use serde_json::json;

#[path = "sdk_tests.rs"]
mod sdks;

const START: i64 = 1_790_000_000_000_000_000;

fn raw(attributes: Value) -> RawSpan {
    let mut raw = RawSpan::new(TraceId(1), SpanId(2), START, START + 2_000_000_000);
    raw.name = "wire".to_owned();
    let Value::Object(attributes) = attributes else { panic!("attributes are an object") };
    raw.attributes = attributes;
    raw
}

fn span(attributes: Value) -> Span {
    normalise(raw(attributes), &PriceTable::default())
}

/// Every member of `expected` is in the span.
#[track_caller]
fn check(attributes: Value, expected: Value) {
    let span = serde_json::to_value(span(attributes.clone())).unwrap();
    for (key, value) in expected.as_object().unwrap() {
        let mut found = &span;
        for part in key.split('.') {
            found = &found[part];
        }
        assert_eq!(found, value, "`{key}` of {attributes}");
    }
}

#[test]
fn kinds() {
    for (attributes, kind) in [
        (json!({"gen_ai.operation.name": "chat"}), "llm"),
        (json!({"gen_ai.operation.name": "text_completion"}), "llm"),
        (json!({"gen_ai.operation.name": "generate_content"}), "llm"),
        (json!({"gen_ai.operation.name": "embeddings"}), "embedding"),
        (json!({"gen_ai.operation.name": "execute_tool"}), "tool"),
        (json!({"gen_ai.operation.name": "create_agent"}), "agent"),
        (json!({"gen_ai.operation.name": "invoke_workflow"}), "workflow"),
        (json!({"gen_ai.operation.name": "juggle"}), "span"),
        (json!({"openinference.span.kind": "llm"}), "llm"),
        (json!({"openinference.span.kind": "RERANKER"}), "retrieval"),
        (json!({"openinference.span.kind": "GUARDRAIL"}), "task"),
        (json!({"openinference.span.kind": "UNKNOWN"}), "span"),
        (json!({"langfuse.observation.type": "generation", "gen_ai.operation.name": "invoke_agent"}), "llm"),
        (json!({"langfuse.observation.type": "retriever"}), "retrieval"),
        (json!({"langfuse.observation.type": "event"}), "span"),
        (json!({"gen_ai.input.messages": "[]"}), "llm"),
        (json!({"gen_ai.prompt.0.content": "hi"}), "llm"),
        (json!({"gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o"}), "span"),
        (json!({"respan.entity.log_type": "embedding"}), "embedding"),
        (json!({"llm.request.type": "completion"}), "llm"),
        (json!({"llm.request.type": "rerank"}), "retrieval"),
        (json!({"llm.request.type": "chat", "traceloop.span.kind": "task"}), "task"),
        (json!({"gen_ai.operation.name": "chat", "traceloop.span.kind": "odd"}), "task"),
        (json!({"ai.operationId": "ai.streamText.doStream"}), "llm"),
        (json!({"ai.operationId": "ai.streamText", "gen_ai.operation.name": "chat"}), "agent"),
        (json!({"ai.operationId": "ai.embed.doEmbed"}), "embedding"),
        (json!({"ai.operationId": "ai.embedMany"}), "task"),
        (
            json!({"gen_ai.system": "openai", "gen_ai.request.model": "x", "gen_ai.usage.prompt_tokens": 1, "gen_ai.usage.completion_tokens": 1}),
            "llm",
        ),
        (json!({"gen_ai.system": "openai", "gen_ai.request.model": "x"}), "span"),
        (json!({"http.route": "/"}), "span"),
    ] {
        check(attributes, json!({ "kind": kind }));
    }
}

#[test]
fn the_order_of_attributes_does_not_matter() {
    let pairs = [
        ("gen_ai.usage.prompt_tokens", json!(1)),
        ("gen_ai.usage.input_tokens", json!("2")),
        ("llm.token_count.prompt", json!(3)),
        ("ai.usage.inputTokens", json!(4)),
        ("openinference.span.kind", json!("LLM")),
        ("session.id", json!("generic")),
        ("gen_ai.conversation.id", json!("conversation")),
        ("gen_ai.provider.name", json!("Anthropic")),
        ("gen_ai.system", json!("openai")),
    ];
    for turn in 0..pairs.len() {
        let turned = (0..pairs.len()).map(|at| &pairs[(at + turn) % pairs.len()]);
        let attributes = turned.map(|(key, value)| ((*key).to_owned(), value.clone())).collect::<Map<_, _>>();
        // OpenInference is the vendor here, so its words come first.
        let expected = json!({"tokens.input": 3, "session_id": "generic", "provider": "anthropic", "kind": "llm"});
        check(Value::Object(attributes), expected);
    }
    let plain = json!({"session.id": "generic", "gen_ai.conversation.id": "conversation"});
    check(plain, json!({"session_id": "conversation"}));
}

#[test]
fn tokens() {
    let call = |more: Value| {
        let mut attributes = json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "claude-sonnet-4-5"});
        attributes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        attributes
    };
    for (attributes, expected) in [
        // Missing is not zero.
        (json!({}), json!([null, null, null, null, null])),
        (json!({"gen_ai.usage.output_tokens": 0}), json!([null, 0, null, null, null])),
        (json!({"gen_ai.usage.input_tokens": "abc", "gen_ai.usage.output_tokens": -3}), json!([null, null, null, null, null])),
        // Cached tokens that are more than the input stand beside it.
        (
            json!({"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 5, "gen_ai.usage.cache_read_input_tokens": 90, "gen_ai.usage.cache_creation_input_tokens": 20}),
            json!([120, 5, 90, 20, null]),
        ),
        (
            json!({"langfuse.observation.usage_details": {"input_tokens": 34, "output_tokens": 17, "cache_read_input_tokens": 8, "cache_creation_input_tokens": 4}}),
            json!([46, 17, 8, 4, null]),
        ),
        // Langfuse's own lines add up to the total.
        (
            json!({"langfuse.observation.usage_details": "{\"input\": 34, \"input_cached_tokens\": 8, \"output\": 12, \"output_reasoning_tokens\": 5, \"total\": 59}"}),
            json!([42, 17, 8, null, 5]),
        ),
        (
            json!({"langfuse.observation.usage_details": {"input": 42, "output": 17, "total": 59, "unit": "TOKENS"}}),
            json!([42, 17, null, null, null]),
        ),
        // The Responses API.
        (
            json!({"langfuse.observation.usage_details": {"input_tokens": 42, "output_tokens": 17, "input_tokens_details": {"cached_tokens": 8}, "output_tokens_details": {"reasoning_tokens": 5}}}),
            json!([42, 17, 8, null, 5]),
        ),
        (json!({"langfuse.observation.usage_details": "no JSON"}), json!([null, null, null, null, null])),
    ] {
        let t = span(call(attributes.clone())).tokens;
        assert_eq!(json!([t.input, t.output, t.cached, t.cache_write, t.reasoning]), expected, "{attributes}");
    }
}

#[test]
fn costs() {
    let usage = json!({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100, "operation.cost": 0.5});
    let cost = |more: Value| {
        let mut attributes = usage.clone();
        attributes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        span(attributes).cost_nanousd
    };
    let price = PriceTable::default().price("openai", "gpt-4o").cloned().unwrap();
    let listed = (1000 * price.input + 100 * price.output) / 1000;
    assert_eq!(cost(json!({"gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06"})), Some(listed));
    assert_eq!(cost(json!({"gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "what-nobody-lists"})), Some(listed));
    assert_eq!(
        cost(json!({"gen_ai.request.model": "mine", "gen_ai.provider.name": "local"})),
        Some(500_000_000),
        "the sender's word"
    );
    assert_eq!(cost(json!({"gen_ai.request.model": "mine", "operation.cost": "NaN"})), None);
    assert_eq!(
        cost(json!({"gen_ai.request.model": "gpt-4o", "gen_ai.operation.name": "invoke_agent"})),
        None,
        "wrappers cost nothing"
    );
}

#[test]
fn errors() {
    let failed = |message: &str, attributes: Value, exception: Option<Value>| {
        let mut raw = raw(attributes);
        raw.status = SpanStatus::Error;
        raw.status_message = message.to_owned();
        raw.events.extend(exception.map(|attributes| SpanEvent {
            name: "exception".to_owned(),
            at: START,
            attributes: attributes.as_object().unwrap().clone(),
        }));
        normalise(raw, &PriceTable::default()).error
    };
    let exception = json!({"exception.type": "ValueError", "exception.message": "bad value"});
    assert_eq!(failed("went wrong", json!({}), Some(exception.clone())).as_deref(), Some("went wrong"));
    assert_eq!(failed("", json!({}), Some(exception.clone())).as_deref(), Some("bad value"));
    assert_eq!(failed("Traceback (most recent call last):\n x", json!({}), Some(exception)).as_deref(), Some("bad value"));
    assert_eq!(failed("", json!({}), Some(json!({"exception.type": "ValueError"}))).as_deref(), Some("ValueError"));
    assert_eq!(failed("", json!({"error.type": "timeout"}), None).as_deref(), Some("timeout"));
    assert_eq!(failed("", json!({"error.type": "429", "error.message": "slow down"}), None).as_deref(), Some("slow down"));
    assert_eq!(failed("", json!({}), None), None);
    check(
        json!({"langfuse.observation.level": "ERROR", "langfuse.observation.status_message": "no"}),
        json!({"status": "error", "error": "no"}),
    );
    check(json!({"error.type": "timeout"}), json!({"status": "unset", "error": null}));
}

#[test]
fn messages_of_every_shape() {
    let chat = |more: Value| {
        let mut attributes = json!({"gen_ai.operation.name": "chat"});
        attributes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        span(attributes)
    };
    let call = json!({"id": "c1", "name": "look", "arguments": {"a": 1}});
    let conversation = json!([
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": null, "tool_calls": [call]},
        {"role": "tool", "content": "42", "tool_call_id": "c1"},
    ]);
    for input in [
        // Parts.
        json!({"gen_ai.input.messages": [
            {"role": "user", "parts": [{"type": "text", "content": "hi"}]},
            {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "look", "arguments": {"a": 1}}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "42"}]}]}),
        // OpenAI's own.
        json!({"gen_ai.input.messages": json!([
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{\"a\": 1}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "42"}]).to_string()}),
        // Anthropic's own.
        json!({"traceloop.entity.input": json!({"messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "look", "input": {"a": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "42"}]}]}]}).to_string()}),
        // The AI SDK's.
        json!({"ai.prompt.messages": json!([
            {"role": "user", "content": [{"type": "text", "text": "hi"}]},
            {"role": "assistant", "content": [{"type": "tool-call", "toolCallId": "c1", "toolName": "look", "args": {"a": 1}}]},
            {"role": "tool", "content": [{"type": "tool-result", "toolCallId": "c1", "output": {"type": "text", "value": "42"}}]}]).to_string()}),
        // One attribute a field.
        json!({"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "hi", "gen_ai.prompt.1.role": "assistant",
            "gen_ai.prompt.1.tool_calls.0.id": "c1", "gen_ai.prompt.1.tool_calls.0.name": "look", "gen_ai.prompt.1.tool_calls.0.arguments": "{\"a\": 1}",
            "gen_ai.prompt.2.role": "tool", "gen_ai.prompt.2.content": "42", "gen_ai.prompt.2.tool_call_id": "c1"}),
        json!({"llm.input_messages.2.message.role": "tool", "llm.input_messages.2.message.content": "42", "llm.input_messages.2.message.tool_call_id": "c1",
            "llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.contents.0.message_content.type": "text",
            "llm.input_messages.0.message.contents.0.message_content.text": "hi", "llm.input_messages.1.message.role": "assistant",
            "llm.input_messages.1.message.tool_calls.0.tool_call.id": "c1",
            "llm.input_messages.1.message.tool_calls.0.tool_call.function.name": "look",
            "llm.input_messages.1.message.tool_calls.0.tool_call.function.arguments": "{\"a\": 1}"}),
        // The Responses API.
        json!({"input.value": json!([{"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{\"a\": 1}"},
            {"type": "function_call_output", "call_id": "c1", "output": "42"}]).to_string()}),
    ] {
        assert_eq!(chat(input.clone()).input, Some(conversation.clone()), "{input}");
    }
    let output = |more: Value| chat(more).output.unwrap();
    assert_eq!(output(json!({"ai.response.text": "x"})), json!([{"role": "assistant", "content": "x"}]));
    assert_eq!(
        output(json!({"langfuse.observation.output": "just text"})),
        json!([{"role": "assistant", "content": "just text"}])
    );
    assert_eq!(
        output(
            json!({"gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"}, {"type": "text", "content": "x"}], "finish_reason": "tool_call"}]})
        ),
        json!([{"role": "assistant", "content": "x", "reasoning": "hm", "finish_reason": "tool_calls"}])
    );
    assert_eq!(
        output(
            json!({"gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "a"}, {"type": "uri", "uri": "u"}]}]})
        ),
        json!([{"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "uri", "uri": "u"}]}])
    );
    assert_eq!(output(json!({"langfuse.observation.output": {"answer": 7}})), json!({"answer": 7}), "what is no message stays");
    let system = chat(json!({"gen_ai.system_instructions": "[{\"type\": \"text\", \"content\": \"Be kind.\"}]"}));
    assert_eq!(system.input, Some(json!([{"role": "system", "content": "Be kind."}])));
}

#[test]
fn messages_that_come_as_events() {
    let event = |name: &str, at: i64, attributes: Value| SpanEvent {
        name: name.to_owned(),
        at: START + at,
        attributes: attributes.as_object().unwrap().clone(),
    };
    let mut raw = raw(json!({"gen_ai.operation.name": "chat"}));
    raw.events = vec![
        event("gen_ai.user.message", 1, json!({"content": "hi"})),
        event("gen_ai.choice", 3, json!({"index": 0, "finish_reason": "stop", "message": "{\"content\": \"hello\"}"})),
        event("unrelated", 4, json!({})),
    ];
    let span = normalise(raw, &PriceTable::default());
    assert_eq!(span.input, Some(json!([{"role": "user", "content": "hi"}])));
    assert_eq!(span.output, Some(json!([{"role": "assistant", "content": "hello", "finish_reason": "stop"}])));

    // As log records, one by one and in any order, and the span somewhere between them.
    let log = |name: &str, at: i64, body: Value| {
        let attributes = Map::from_iter([("event.name".to_owned(), name.into()), ("gen_ai.system".to_owned(), "openai".into())]);
        let (event_name, severity) = (String::new(), String::new());
        let log = RawLog {
            trace_id: TraceId(1),
            span_id: SpanId(2),
            at: START + at,
            event_name,
            severity,
            body,
            attributes,
            resource: Map::new(),
            scope: None,
        };
        log_piece(log, &PriceTable::default())
    };
    let call = json!({"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]});
    let pieces = [
        log("gen_ai.system.message", 1, json!({"content": "Be kind."})),
        log("gen_ai.user.message", 1, json!({"content": "hi"})),
        log("gen_ai.assistant.message", 2, call),
        log("gen_ai.tool.message", 3, json!({"id": "c1", "content": "42"})),
        log("gen_ai.choice", 4, json!({"index": 0, "finish_reason": "stop", "message": {"content": "done"}})),
        normalise(self::raw(json!({"gen_ai.operation.name": "chat"})), &PriceTable::default()),
    ];
    for turn in 0..pieces.len() {
        let turned = (0..pieces.len()).map(|at| pieces[(at * 5 + turn) % pieces.len()].clone());
        let whole = turned.reduce(crate::trace::merge::merge).unwrap();
        let roles: Vec<_> =
            whole.input.as_ref().unwrap().as_array().unwrap().iter().map(|message| message["role"].clone()).collect();
        assert_eq!(roles, ["system", "user", "assistant", "tool"], "begun with piece {turn}");
        assert_eq!(whole.input.unwrap()[3]["tool_call_id"], "c1");
        assert_eq!(whole.output.unwrap()[0]["content"], "done");
        assert_eq!((whole.started_at, whole.ended_at), (START, START + 2_000_000_000));
        assert_eq!((whole.kind, whole.name.as_str()), (SpanKind::Llm, "wire"));
    }
    // A plain log line is an event of its span.
    let line = log("", 5, json!("something happened"));
    assert_eq!((line.events[0].name.as_str(), &line.events[0].attributes["body"]), ("log", &json!("something happened")));
    assert_eq!(line.kind, SpanKind::Span);
}

#[test]
fn what_else_is_read() {
    check(json!({"gen_ai.response.time_to_first_chunk": 0.25}), json!({"first_token_ms": 250.0}));
    check(json!({"ai.response.msToFirstChunk": 12.5}), json!({"first_token_ms": 12.5}));
    check(
        json!({"langfuse.observation.completion_start_time": "\"2026-09-21T14:13:20.500Z\""}),
        json!({"first_token_ms": 500.0}),
    );
    check(json!({"langfuse.observation.completion_start_time": "soon"}), json!({"first_token_ms": null}));
    check(
        json!({"app.tier": "gold", "app.tries": 3, "app.text": "x".repeat(300), "http.route": "/", "metadata": "{\"tenant\": \"acme\"}"}),
        json!({"metadata": {"app.tier": "gold", "app.tries": 3, "tenant": "acme"}}),
    );
    check(
        json!({"langfuse.trace.metadata.n": "7", "langfuse.trace.metadata.s": "\"7\""}),
        json!({"metadata": {"n": 7, "s": "7"}}),
    );
    check(json!({"tag.tags": ["a", "b", "a"], "langfuse.trace.tags": "[\"c\"]"}), json!({"tags": ["a", "b", "c"]}));
    check(
        json!({"traceloop.span.kind": "workflow", "traceloop.entity.name": "named", "traceloop.workflow.name": "flow"}),
        json!({"name": "named", "workflow": "flow"}),
    );
    check(json!({"traceloop.entity.name": "openai.chat", "llm.request.type": "chat"}), json!({"name": "wire", "kind": "llm"}));
    check(json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look"}), json!({"name": "look"}));
    check(json!({"respan.prompt": "{\"prompt_id\": \"p\", \"version\": 4}"}), json!({"prompt_name": "p", "prompt_version": "4"}));
    check(json!({"user.id": "a\u{0}b"}), json!({"user_id": "a\u{fffd}b"}));
    check(json!({"input.value": "{\"a\": 1}", "input.mime_type": "application/json"}), json!({"input": {"a": 1}}));
    check(json!({"input.value": "{\"a\": 1}"}), json!({"input": "{\"a\": 1}"}));
    check(json!({"output.value": "True", "output.mime_type": "application/json"}), json!({"output": "True"}));
    check(
        json!({"langfuse.observation.type": "generation", "langfuse.observation.model.parameters": "{\"temperature\": 0, \"max_tokens\": \"Infinity\"}"}),
        json!({"parameters": {"temperature": 0}}),
    );
    check(json!({"gen_ai.response.finish_reasons": "[\"tool-calls\"]"}), json!({"finish_reason": "tool_calls"}));
}

/// What real SDKs turned out to send; `tests/sdks` runs them.
#[test]
fn as_sdks_send_it() {
    // pydantic-ai: the whole talk of an agent, in parts.
    check(
        json!({
            "gen_ai.operation.name": "invoke_agent",
            "pydantic_ai.all_messages": r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]},
                {"role":"assistant","parts":[{"type":"tool_call","id":"c","name":"look","arguments":"{\"a\":1}"}],"finish_reason":"tool_call"},
                {"role":"user","parts":[{"type":"tool_call_response","id":"c","name":"look","result":"found"}]}]"#,
        }),
        json!({"input": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "name": "look", "arguments": {"a": 1}}], "finish_reason": "tool_calls"},
            {"role": "tool", "content": "found", "tool_call_id": "c", "name": "look"},
        ]}),
    );
    // An agent that was given no talk keeps what it was given.
    check(
        json!({"langfuse.observation.type": "agent", "langfuse.observation.input": "[1, {\"role\": \"user\"}]"}),
        json!({"input": [1, {"role": "user"}]}),
    );
    // Vercel's embeddings: each value a text in JSON.
    check(
        json!({"ai.operationId": "ai.embedMany.doEmbed", "ai.values": ["\"returns\"", "\"7\""]}),
        json!({"input": ["returns", "7"]}),
    );
    // OpenTelemetry's stream: why it ended stands in the answer alone.
    check(
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.output.messages": r#"[{"role":"assistant","parts":[{"type":"text","content":"yes"}],"finish_reason":"stop"}]"#,
        }),
        json!({"finish_reason": "stop"}),
    );
    // OpenAI's usage: what was written to the cache is a part of the input like what was read from it.
    check(
        json!({
            "langfuse.observation.type": "generation",
            "langfuse.observation.usage_details":
                r#"{"input_tokens":42,"output_tokens":17,"total_tokens":59,"input_tokens_details":{"cached_tokens":8,"cache_write_tokens":4}}"#,
        }),
        json!({"tokens.input": 42, "tokens.cached": 8, "tokens.cache_write": 4, "tokens.output": 17}),
    );
}

#[test]
fn sessions_and_users_in_every_spelling() {
    for (attributes, session, user) in [
        (json!({"langfuse.session.id": "s", "langfuse.user.id": "u"}), "s", "u"),
        (json!({"session_id": "s", "user_id": "u"}), "s", "u"),
        (json!({"session_id": "x", "session.id": "s", "user_id": "x", "user.id": "u"}), "s", "u"),
    ] {
        check(attributes, json!({"session_id": session, "user_id": user}));
    }
    let of_process = |attributes| {
        let mut raw = raw(attributes);
        raw.resource.extend([("session.id".to_owned(), json!("process")), ("user.id".to_owned(), json!("somebody"))]);
        raw
    };
    let span = normalise(of_process(json!({"user.id": "u"})), &PriceTable::default());
    assert_eq!((span.session_id.as_deref(), span.user_id.as_deref()), (Some("process"), Some("u")));
    let piece = RawSpan { started_at: 0, ..of_process(json!({})) };
    assert_eq!(normalise(piece, &PriceTable::default()).session_id, None, "the span itself may know better");
}

#[test]
fn instructions_of_agents_begin_their_talk() {
    let messages = json!([{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]).to_string();
    let instructions = json!([{"type": "text", "content": "Be kind."}]).to_string();
    let system = json!({"role": "system", "content": "Be kind."});
    let agent = json!({"gen_ai.operation.name": "invoke_agent", "gen_ai.system_instructions": instructions});
    check(agent.clone(), json!({"input": [system]}));
    let mut both = agent;
    both["gen_ai.input.messages"] = messages.into();
    check(both, json!({"input": [system, {"role": "user", "content": "hi"}]}));
}

#[test]
fn details_of_a_call_are_messages_also_where_they_name_no_operation() {
    let log = RawLog {
        trace_id: TraceId(1),
        span_id: SpanId(2),
        at: START,
        event_name: "gen_ai.client.inference.operation.details".to_owned(),
        severity: String::new(),
        body: Value::Null,
        attributes: Map::from_iter([(
            "gen_ai.input.messages".to_owned(),
            json!([{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]),
        )]),
        resource: Map::new(),
        scope: None,
    };
    let piece = log_piece(log, &PriceTable::default());
    assert_eq!((piece.kind, piece.input), (SpanKind::Llm, Some(json!([{"role": "user", "content": "hi"}]))));
}

#[test]
fn prices_of_those_who_resell() {
    let cost = |provider: &str, model: &str| {
        let usage = json!({"gen_ai.operation.name": "chat", "gen_ai.provider.name": provider, "gen_ai.request.model": model,
            "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100});
        span(usage).cost_nanousd
    };
    let openai = cost("openai", "gpt-4o");
    assert!(openai.is_some());
    assert_eq!(cost("azure.ai.openai", "gpt-4o"), openai);
    assert_eq!(cost("Langchain", "gpt-4o"), openai, "a framework, which sells nothing");
    assert_eq!(cost("gcp.gemini", "models/gemini-2.5-flash"), cost("gcp.gemini", "gemini-2.5-flash"));
    assert_eq!(cost("openrouter", "openai/gpt-4o"), None, "others have prices of their own");
}

#[test]
fn what_a_search_found_and_what_was_embedded() {
    check(
        json!({"openinference.span.kind": "RETRIEVER", "input.value": "refunds",
            "retrieval.documents.1.document.content": "Shipping", "retrieval.documents.0.document.content": "Refunds within 30 days",
            "retrieval.documents.0.document.score": 0.9, "retrieval.documents.0.document.metadata": "{\"page\": 3}"}),
        json!({"input": "refunds", "output": [
            {"content": "Refunds within 30 days", "score": 0.9, "metadata": {"page": 3}}, {"content": "Shipping"}]}),
    );
    check(
        json!({"openinference.span.kind": "RERANKER", "reranker.query": "refunds", "reranker.input_documents.0.document.content": "x",
            "reranker.output_documents.0.document.content": "y", "output.value": "said"}),
        json!({"kind": "retrieval", "input": "refunds", "output": "said"}),
    );
    check(
        json!({"openinference.span.kind": "EMBEDDING", "embedding.embeddings.1.embedding.text": "b",
            "embedding.embeddings.0.embedding.text": "a", "embedding.embeddings.0.embedding.vector": [0.1]}),
        json!({"input": ["a", "b"], "output": null}),
    );
}

#[test]
fn models_that_others_sell_have_a_price() {
    for (provider, model, found, cost) in [
        ("gcp.vertex_ai", "claude-sonnet-4-5@20250929", "gemini", Some(4_500_000)),
        ("vertex.anthropic.messages", "claude-opus-4-6@default", "gemini", Some(7_500_000)),
        ("aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws.bedrock", Some(4_950_000)),
        ("", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws.bedrock", Some(4_950_000)),
        // As the client for Bedrock of Anthropic's SDK has it.
        ("anthropic", "anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic", Some(4_500_000)),
        // Newer than the list: what Anthropic takes.
        ("aws.bedrock", "us.anthropic.claude-haiku-4-5-20991231-v7:0", "aws.bedrock", Some(1_500_000)),
        ("aws.bedrock", "nobody.knows-v1:0", "aws.bedrock", None),
    ] {
        let tokens = json!({"gen_ai.operation.name": "chat", "gen_ai.provider.name": provider, "gen_ai.request.model": model,
            "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100});
        let span = span(tokens);
        assert_eq!((span.provider.as_deref(), span.cost_nanousd), (Some(found), cost), "{model} of {provider}");
    }
}
