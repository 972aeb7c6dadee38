//! Tool calling on the wire, in both formats: what is sent, and what the answers of providers come to.

use super::Kind;
use super::testing::{Act, Upstream, attempt, call, context, ok};
use flowtrace_core::call::{Message, ModelCall, Role, ToolOffer, ToolUse};
use flowtrace_core::failure::FailureCode;
use flowtrace_engine::port::provider::CallContext;
use serde_json::{Value, json};
use std::sync::Arc;

/// Two calls at once as OpenAI streams them, after a sentence.
pub const OPENAI_STREAM: &str = concat!(
    r#"data: {"id":"chatcmpl-2","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"role":"assistant","content":"Let me look. "},"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"id":"chatcmpl-2","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"search","arguments":""}}]},"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"id":"chatcmpl-2","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"q\":\"blå "}}]},"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"id":"chatcmpl-2","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"sky\"}"}}]},"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"id":"chatcmpl-2","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"now","arguments":"{}"}}]},"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"id":"chatcmpl-2","model":"gpt-4o-mini","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
    "\n\ndata: [DONE]\n\n",
);

/// The same as Anthropic streams it, with a search that the provider runs by itself in between.
pub const ANTHROPIC_STREAM: &str = concat!(
    r#"data: {"type":"message_start","message":{"model":"claude-sonnet-4-6","usage":{"input_tokens":9,"output_tokens":1}}}"#,
    "\n\n",
    r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
    "\n\n",
    r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Let me look. "}}"#,
    "\n\n",
    r#"data: {"type":"content_block_stop","index":0}"#,
    "\n\n",
    r#"data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"call_a","name":"search","input":{}}}"#,
    "\n\n",
    r#"data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":""}}"#,
    "\n\n",
    r#"data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"q\":\"blå "}}"#,
    "\n\n",
    r#"data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"sky\"}"}}"#,
    "\n\n",
    r#"data: {"type":"content_block_start","index":2,"content_block":{"type":"server_tool_use","id":"srv_1","name":"web_search","input":{}}}"#,
    "\n\n",
    r#"data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"query\":\"x\"}"}}"#,
    "\n\n",
    r#"data: {"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"call_b","name":"now","input":{}}}"#,
    "\n\n",
    r#"data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":17}}"#,
    "\n\n",
    r#"data: {"type":"message_stop"}"#,
    "\n\n",
);

const BOTH: [(Kind, &str, &str, &str); 2] =
    [(Kind::OpenAi, "openai", OPENAI_STREAM, "tool_calls"), (Kind::Anthropic, "anthropic", ANTHROPIC_STREAM, "tool_use")];

fn tool_use(id: &str, name: &str, arguments: Value) -> ToolUse {
    ToolUse { id: id.to_owned(), name: name.to_owned(), arguments }
}

fn result(id: &str, content: &str) -> Message {
    Message { tool_call_id: Some(id.to_owned()), ..Message::new(Role::Tool, content) }
}

/// A conversation with every kind of message: two calls at once, one of them without a text beside it, bad arguments.
fn conversation(provider: &str) -> ModelCall {
    let mut call = call(provider, "m");
    let schema = json!({"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]});
    call.tools = vec![
        ToolOffer { name: "search".into(), description: "Looks things up.".into(), parameters: Arc::new(schema) },
        ToolOffer { name: "now".into(), description: String::new(), parameters: Arc::new(json!({"type": "object"})) },
    ];
    call.sample = Some(7);
    call.messages.extend([
        Message {
            tool_calls: vec![tool_use("a", "search", json!({"q": "sky"})), tool_use("b", "now", json!({}))],
            ..Message::new(Role::Assistant, "Let me look.")
        },
        result("a", "It is blue."),
        result("b", "12:00"),
        Message { tool_calls: vec![tool_use("c", "search", json!("{oops"))], ..Message::new(Role::Assistant, "") },
        result("c", "These are no arguments."),
        Message::new(Role::User, "Go on."),
    ]);
    call
}

#[tokio::test]
async fn openai_requests() {
    let upstream = Upstream::start(Act::Send(ok("text/event-stream", OPENAI_STREAM))).await;
    attempt(&upstream.provider(Kind::OpenAi), &conversation("openai")).await.0.unwrap();
    let expected = json!({
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief"},
            {"role": "user", "content": "Why is the sky blue?"},
            {"role": "assistant", "content": "Let me look.", "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "search", "arguments": "{\"q\":\"sky\"}"}},
                {"id": "b", "type": "function", "function": {"name": "now", "arguments": "{}"}}
            ]},
            {"role": "tool", "tool_call_id": "a", "content": "It is blue."},
            {"role": "tool", "tool_call_id": "b", "content": "12:00"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "search", "arguments": "{oops"}}
            ]},
            {"role": "tool", "tool_call_id": "c", "content": "These are no arguments."},
            {"role": "user", "content": "Go on."}
        ],
        "tools": [
            {"type": "function", "function": {
                "name": "search", "description": "Looks things up.",
                "parameters": {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
            }},
            {"type": "function", "function": {"name": "now", "parameters": {"type": "object"}}}
        ],
        "stream": true,
        "stream_options": {"include_usage": true}
    });
    assert_eq!(upstream.last().body, expected, "the number of the sample is for the cache alone");
}

#[tokio::test]
async fn anthropic_requests() {
    let upstream = Upstream::start(Act::Send(ok("text/event-stream", ANTHROPIC_STREAM))).await;
    let provider = upstream.provider(Kind::Anthropic);
    let mut call = conversation("anthropic");
    attempt(&provider, &call).await.0.unwrap();
    let expected = json!({
        "model": "m",
        "max_tokens": super::DEFAULT_MAX_TOKENS,
        "system": "Be brief",
        "messages": [
            {"role": "user", "content": "Why is the sky blue?"},
            {"role": "assistant", "content": [
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "a", "name": "search", "input": {"q": "sky"}},
                {"type": "tool_use", "id": "b", "name": "now", "input": {}}
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "It is blue."},
                {"type": "tool_result", "tool_use_id": "b", "content": "12:00"}
            ]},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "c", "name": "search", "input": {"invalid_arguments": "{oops"}}
            ]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "These are no arguments."}]},
            {"role": "user", "content": "Go on."}
        ],
        "tools": [
            {
                "name": "search", "description": "Looks things up.",
                "input_schema": {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
            },
            {"name": "now", "input_schema": {"type": "object"}}
        ],
        "stream": true
    });
    assert_eq!(upstream.last().body, expected);

    // The last message is a result, and no tool is offered any more.
    call.messages.pop();
    call.tools.clear();
    attempt(&provider, &call).await.0.unwrap();
    let body = upstream.last().body;
    assert_eq!(body["messages"].as_array().unwrap().len(), 5);
    assert_eq!(body["messages"][4]["content"][0]["tool_use_id"], "c");
    assert_eq!(
        body["tools"],
        json!([{"name": "now", "input_schema": {"type": "object"}}, {"name": "search", "input_schema": {"type": "object"}}])
    );
    assert_eq!(body["tool_choice"], json!({"type": "none"}));
}

#[tokio::test]
async fn streamed_calls() {
    for (kind, name, stream, reason) in BOTH {
        let upstream = Upstream::start(Act::Send(ok("text/event-stream", stream))).await;
        let (answer, seen) = attempt(&upstream.provider(kind), &call(name, "m")).await;
        let answer = answer.unwrap();
        let expected = vec![tool_use("call_a", "search", json!({"q": "blå sky"})), tool_use("call_b", "now", json!({}))];
        assert_eq!(answer.tool_calls, expected, "{name}");
        assert_eq!((answer.text.as_str(), seen.as_str()), ("Let me look. ", "Let me look. "), "{name}");
        assert_eq!(answer.finish_reason.as_deref(), Some(reason));

        // Without a word of text it is an answer too, and has a first token.
        let silent = stream.replace("Let me look. ", "");
        upstream.set(Act::Send(ok("text/event-stream", silent)));
        let (answer, seen) = attempt(&upstream.provider(kind), &call(name, "m")).await;
        let answer = answer.unwrap();
        assert_eq!((answer.tool_calls, answer.text.as_str(), seen.as_str()), (expected, "", ""), "{name}");
        assert!(answer.first_token_ms.is_some_and(|ms| ms > 0.0), "{name}");
    }
}

#[tokio::test]
async fn whole_calls() {
    let openai = json!({"choices": [{"message": {"role": "assistant", "content": null, "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\":[1]}"}},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": "never mind"}}
    ]}, "finish_reason": "tool_calls"}]});
    let anthropic = json!({"model": "m", "content": [
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": [1]}},
        {"type": "tool_use", "id": "b", "name": "g", "input": "never mind"}
    ], "stop_reason": "tool_use"});
    for ((kind, name, ..), body) in BOTH.into_iter().zip([openai, anthropic]) {
        let upstream = Upstream::start(Act::Send(ok("application/json", body.to_string()))).await;
        let answer = attempt(&upstream.provider(kind), &call(name, "m")).await.0.unwrap();
        let expected = vec![tool_use("a", "f", json!({"x": [1]})), tool_use("b", "g", json!("never mind"))];
        assert_eq!(answer.tool_calls, expected, "{name}");
    }
}

/// A stream that breaks is a failure; arguments that the model itself left unfinished are an answer, and text.
#[tokio::test]
async fn calls_that_end_early() {
    for (kind, name, stream, reason) in BOTH {
        let upstream = Upstream::start(Act::Send(vec![])).await;
        let provider = upstream.provider(kind);
        let mid_arguments = stream.find("sky").unwrap();
        for cut in [mid_arguments, stream[..mid_arguments].rfind("\n\n").unwrap() + 2] {
            upstream.set(Act::Send(ok("text/event-stream", &stream[..cut])));
            let failure = attempt(&provider, &call(name, "m")).await.0.unwrap_err();
            assert_eq!(failure.code, FailureCode::StreamCut, "{name}: {failure:?}");
        }
        let limit = if kind == Kind::OpenAi { "length" } else { "max_tokens" };
        let unfinished =
            stream.replace(r#"sky\"}"#, "sk").replace(reason_field(kind, reason).as_str(), &reason_field(kind, limit));
        upstream.set(Act::Send(ok("text/event-stream", unfinished)));
        let answer = attempt(&provider, &call(name, "m")).await.0.unwrap();
        assert_eq!(answer.finish_reason.as_deref(), Some(limit));
        assert_eq!(answer.tool_calls[0], tool_use("call_a", "search", json!("{\"q\":\"blå sk")), "{name}");

        for (damage, sentence) in [
            (stream.replace(r#""name":"search""#, r#""name":"""#), "without a name"),
            (stream.replace(r#""name":"search""#, r#""name":7"#), "without a name"),
            (stream.replace(r#""type":"tool_use""#, r#""type":"odd""#).replace("\"tool_calls\":[", "\"odd\":["), "named none"),
        ] {
            upstream.set(Act::Send(ok("text/event-stream", &damage)));
            let failure = attempt(&provider, &call(name, "m")).await.0.expect_err(&damage);
            assert_eq!(failure.code, FailureCode::Malformed, "{name}: {failure:?}");
            assert!(failure.message.contains(sentence), "{name}: {}", failure.message);
        }
    }
}

fn reason_field(kind: Kind, reason: &str) -> String {
    let field = if kind == Kind::OpenAi { "finish_reason" } else { "stop_reason" };
    format!("\"{field}\":\"{reason}\"")
}

#[tokio::test]
async fn the_smaller_limit_is_sent() {
    let table = [
        (None, None, json!(null), json!(super::DEFAULT_MAX_TOKENS)),
        (None, Some(50), json!(50), json!(50)),
        (Some(100), None, json!(100), json!(100)),
        (Some(100), Some(50), json!(50), json!(50)),
        (Some(100), Some(500), json!(100), json!(100)),
        (None, Some(u64::MAX), json!(u64::MAX), json!(super::DEFAULT_MAX_TOKENS)),
    ];
    for (kind, name, stream, _) in BOTH {
        let upstream = Upstream::start(Act::Send(ok("text/event-stream", stream))).await;
        let provider = upstream.provider(kind);
        for (own, cap, openai, anthropic) in &table {
            let mut call = call(name, "m");
            call.parameters.max_tokens = *own;
            let context = CallContext { max_output_tokens: *cap, ..context(20_000) };
            provider.call(&call, &context, &|_| {}).await.unwrap();
            let expected = if kind == Kind::OpenAi { openai } else { anthropic };
            assert_eq!(&upstream.last().body["max_tokens"], expected, "{name}: own {own:?}, cap {cap:?}");
        }
    }
}
