//! What single SDKs do beside the conventions.

use super::*;

#[test]
fn the_kit_of_google() {
    let request = json!({"model": "gemini-2.5-flash", "contents": [
        {"role": "user", "parts": [{"text": "Where is it?"}]},
        {"role": "model", "parts": [{"function_call": {"name": "find", "args": {"order": 1}, "id": "c"}}]},
        {"role": "user", "parts": [{"function_response": {"name": "find", "response": {"at": "sea"}, "id": "c"}}]}]});
    let response = json!({"content": {"role": "model", "parts": [{"text": "At sea."}]}, "finish_reason": "STOP"});
    check(
        json!({"gen_ai.operation.name": "generate_content", "gen_ai.system": "gcp.vertex.agent", "gen_ai.request.model": "gemini-2.5-flash",
            "gcp.vertex.agent.llm_request": request.to_string(), "gcp.vertex.agent.llm_response": response.to_string(),
            "gcp.vertex.agent.session_id": "s"}),
        json!({"kind": "llm", "provider": "gemini", "session_id": "s", "input": [
            {"role": "user", "content": "Where is it?"},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "name": "find", "arguments": {"order": 1}}]},
            {"role": "tool", "content": {"at": "sea"}, "tool_call_id": "c", "name": "find"}],
            "output": [{"role": "assistant", "content": "At sea."}]}),
    );
    check(
        json!({"gen_ai.operation.name": "execute_tool", "gcp.vertex.agent.tool_call_args": "{\"order\": 1}",
            "gcp.vertex.agent.llm_request": "{}", "gcp.vertex.agent.tool_response": "{\"at\": \"sea\"}"}),
        json!({"kind": "tool", "input": {"order": 1}, "output": {"at": "sea"}}),
    );
}

#[test]
fn what_only_prepares_a_call_is_no_call() {
    let call = |name: &str, scope: &str, attributes: Value| {
        let mut raw = raw(attributes);
        raw.name = name.to_owned();
        raw.scope = Some(scope.to_owned());
        normalise(raw, &PriceTable::default()).kind
    };
    const LLAMA_INDEX: &str = "openinference.instrumentation.llama_index 4.6.1";
    let bare =
        || json!({"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "input.value": "{}", "output.value": "{}"});
    let used = || json!({"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "llm.token_count.prompt": 3});
    let said = || json!({"openinference.span.kind": "LLM", "llm.input_messages.0.message.content": "hi"});
    assert_eq!(call("OpenAI._prepare_chat_with_tools", LLAMA_INDEX, bare()), SpanKind::Task);
    for (name, scope, attributes) in [
        ("OpenAI.astream_chat", LLAMA_INDEX, bare()),
        ("OpenAI._achat", LLAMA_INDEX, used()),
        ("OpenAI._achat", LLAMA_INDEX, said()),
        ("Model.__call__", LLAMA_INDEX, bare()),
        ("OpenAI._prepare_chat_with_tools", "another library", bare()),
    ] {
        assert_eq!(call(name, scope, attributes.clone()), SpanKind::Llm, "{name} of {scope} with {attributes}");
    }
}

#[test]
fn a_prompt_without_messages_is_what_was_asked() {
    let completion = |prompts: Value| json!({"openinference.span.kind": "LLM", "llm.prompts": prompts, "input.value": "{\"args\": [1]}", "input.mime_type": "application/json"});
    check(completion(json!(["hello"])), json!({"input": [{"role": "user", "content": "hello"}], "metadata": null}));
    check(completion(json!(["a", "b"])), json!({"input": ["a", "b"], "metadata": null}));
}

/// As Claude Code 2 sends it for the Claude Agent SDK, shortened.
#[test]
fn traces_of_claude_code() {
    let of = |attributes: Value| {
        let mut raw = raw(attributes);
        raw.scope = Some("com.anthropic.claude_code.tracing 1.0.0".to_owned());
        raw
    };
    let normal = |raw| normalise(raw, &PriceTable::default());
    let call = normal(of(json!({
        "span.type": "llm_request", "model": "claude-sonnet-4-5", "gen_ai.request.model": "claude-sonnet-4-5", "gen_ai.provider.name": "anthropic",
        "gen_ai.conversation.id": "s1", "input_tokens": 34, "output_tokens": 17, "cache_read_tokens": 8, "cache_creation_tokens": 4,
        "ttft_ms": 51, "duration_ms": 256, "success": true, "stop_reason": "tool_use", "attempt": 1, "terminal.type": "non-interactive",
    })));
    assert_eq!((call.kind, call.session_id.as_deref(), call.metadata.len()), (SpanKind::Llm, Some("s1"), 0));
    let tokens = Tokens { input: Some(46), output: Some(17), cached: Some(8), cache_write: Some(4), reasoning: None };
    assert_eq!((call.tokens, call.cost_nanousd), (tokens, Some(374_400)), "what Claude Code says that it cost, too");
    assert_eq!((call.first_token_ms, call.finish_reason.as_deref()), (Some(51.0), Some("tool_calls")));
    let failed = normal(of(json!({"span.type": "llm_request", "success": false, "error": "529 overloaded"})));
    assert_eq!((failed.status, failed.error.as_deref()), (SpanStatus::Error, Some("529 overloaded")));

    let mut tool = of(
        json!({"span.type": "tool", "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lookup", "tool_name": "mcp__x__lookup"}),
    );
    let output = json!({"output": "shipped"}).as_object().cloned().unwrap();
    tool.events = vec![SpanEvent { name: "tool.output".to_owned(), at: START, attributes: output }];
    let tool = normal(tool);
    assert_eq!((tool.kind, tool.output), (SpanKind::Tool, Some(json!("shipped"))));

    // What was said comes as log records, in any order, before the span or after it.
    let said = |name: &str, at: i64, attributes: Value| {
        let mut log = RawLog {
            trace_id: TraceId(1),
            span_id: SpanId(2),
            at: START + at,
            event_name: String::new(),
            severity: String::new(),
            body: json!(format!("claude_code.{name}")),
            attributes: attributes.as_object().cloned().unwrap(),
            resource: Map::new(),
            scope: Some("com.anthropic.claude_code.events 2.0".to_owned()),
        };
        log.attributes.insert("event.name".to_owned(), json!(name));
        log_piece(log, &PriceTable::default())
    };
    let pieces = [
        normal(of(json!({"span.type": "interaction", "gen_ai.operation.name": "invoke_agent", "user_prompt": "Can I?"}))),
        said("user_prompt", 1, json!({"prompt": "Can I?"})),
        said("assistant_response", 2, json!({"response": "A title", "query_source": "generate_session_title"})),
        said("assistant_response", 3, json!({"response": "You can.", "query_source": "sdk"})),
    ];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        let span = order.map(|at| pieces[at].clone()).into_iter().reduce(crate::trace::merge::merge).unwrap();
        assert_eq!(span.kind, SpanKind::Agent, "{order:?}");
        assert_eq!(span.output, Some(json!([{"role": "assistant", "content": "You can."}])), "{order:?}");
        assert!(span.input.is_some());
    }
}

#[test]
fn an_agent_that_alone_tells_what_was_used() {
    let attributes = json!({"openinference.span.kind": "AGENT", "llm.model_name": "claude-sonnet-4-5", "llm.provider": "anthropic",
        "llm.token_count.prompt": 1000, "llm.token_count.completion": 100});
    let mut raw = raw(attributes.clone());
    raw.scope = Some("openinference.instrumentation.claude_agent_sdk 0.1.22".to_owned());
    let agent = normalise(raw, &PriceTable::default());
    assert_eq!(
        (agent.kind, agent.model.as_deref(), agent.cost_nanousd),
        (SpanKind::Agent, Some("claude-sonnet-4-5"), Some(4_500_000))
    );
    let other = span(attributes);
    assert_eq!((other.tokens.input, other.cost_nanousd), (None, None));
}

/// As its exporter sends it (`@mastra/otel-exporter` 1.4).
#[test]
fn traces_of_mastra() {
    let metadata = json!({"mastra.metadata.runId": "r", "mastra.metadata.userId": "ann", "mastra.metadata.sessionId": "s1", "mastra.metadata.tier": "gold"});
    let with = |attributes: Value| {
        let mut all = metadata.clone();
        all.as_object_mut().unwrap().extend(attributes.as_object().cloned().unwrap());
        all
    };
    check(
        with(
            json!({"gen_ai.operation.name": "invoke_agent", "mastra.span.type": "agent_run", "mastra.agent_run.input": "Can I?",
            "mastra.agent_run.output": "{\"text\":\"You can.\"}"}),
        ),
        json!({"kind": "agent", "user_id": "ann", "session_id": "s1", "metadata": {"tier": "gold"}, "input": "Can I?", "output": {"text": "You can."}}),
    );
    check(
        with(
            json!({"gen_ai.operation.name": "model_step", "mastra.span.type": "model_step", "mastra.model_step.input": "[{\"role\":\"user\",\"content\":\"Can I?\"}]"}),
        ),
        json!({"kind": "task", "input": [{"role": "user", "content": "Can I?"}]}),
    );
    check(with(json!({"gen_ai.operation.name": "chat", "mastra.span.type": "model_inference"})), json!({"kind": "llm"}));
    check(with(json!({"gen_ai.operation.name": "model_chunk", "mastra.span.type": "model_chunk"})), json!({"kind": "span"}));
}
