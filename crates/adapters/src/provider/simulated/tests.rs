use super::*;
use crate::provider::{HttpClient, Kind, ProviderSettings, build};
use flowtrace_core::call::{Message, ModelAnswer, Parameters, Role, Target, ToolOffer, ToolUse};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::usage::Usage;
use flowtrace_engine::port::provider::Provider;
use std::sync::Mutex;
use std::time::Duration;

struct Bench {
    simulator: Simulator,
    providers: Vec<Arc<dyn Provider>>,
}

/// Both built-in providers, simulated, without waits.
async fn bench() -> Bench {
    let simulator = Simulator::start(SimulatorOptions { paced: false, ..SimulatorOptions::default() }).await.unwrap();
    let settings = [ProviderSettings::new("openai", Kind::OpenAi), ProviderSettings::new("anthropic", Kind::Anthropic)];
    let providers =
        build(&settings, &HttpClient::new().unwrap(), Some(&simulator.base_url()), crate::provider::testing::no_secrets())
            .unwrap();
    Bench { simulator, providers }
}

const TARGETS: [(&str, &str); 2] = [("openai", "gpt-4o-mini"), ("anthropic", "claude-sonnet-4-6")];

fn call(target: (&str, &str), script: Value) -> ModelCall {
    ModelCall {
        tools: Vec::new(),
        sample: None,
        target: Target { provider: target.0.to_owned(), model: target.1.to_owned() },
        messages: vec![
            Message::new(Role::System, "Be concise"),
            Message::new(Role::User, "Cats sleep a lot. Cats hunt mice. Rain falls."),
        ],
        parameters: Parameters { temperature: Some(0.2), ..Parameters::default() },
        schema: None,
        simulate: Some(Arc::new(script)),
    }
}

impl Bench {
    async fn attempt(&self, call: &ModelCall, attempt: u32, timeout_ms: u64) -> (Result<ModelAnswer, Failure>, String) {
        let provider = self.providers.iter().find(|provider| provider.name() == call.target.provider).unwrap();
        let context = CallContext {
            idempotency_key: format!("run/{}/1", call.target.provider),
            traceparent: "00-00000000000000000000000000000001-0000000000000001-01".to_owned(),
            attempt,
            timeout_ms,
            max_output_tokens: None,
        };
        let seen = Mutex::new(String::new());
        let on_delta = |text: &str| seen.lock().unwrap().push_str(text);
        let result = provider.call(call, &context, &on_delta).await;
        (result, seen.into_inner().unwrap())
    }

    async fn answer(&self, call: &ModelCall) -> ModelAnswer {
        let (result, seen) = self.attempt(call, 1, 20_000).await;
        let answer = result.unwrap_or_else(|failure| panic!("{:?}: {failure:?}", call.target));
        assert_eq!(seen, answer.text, "the deltas are not the answer");
        answer
    }
}

#[tokio::test]
async fn both_protocols_answer_by_default() {
    let bench = bench().await;
    for target in TARGETS {
        let first = bench.answer(&call(target, json!({}))).await;
        assert!(first.text.starts_with("[simulated answer of ") && first.text.contains("Cats"), "{}", first.text);
        assert_eq!(first.model, target.1);
        assert!(first.simulated && first.first_token_ms.is_some_and(|ms| ms > 0.0));
        assert!(first.upstream_request_id.unwrap().starts_with("req_simulated_"));
        // "Be concise" and the prompt are 55 characters.
        let usage = first.usage.unwrap();
        assert_eq!(usage.input(), 14, "{target:?}");
        assert_eq!(usage.output, (first.text.chars().count() as u64).div_ceil(4));
        assert_eq!(bench.answer(&call(target, json!({}))).await.text, first.text, "the answer is not stable");
    }
    assert_eq!(bench.simulator.calls("run/openai/1"), 2);
    assert_eq!(bench.simulator.calls("run/other/1"), 0);
}

#[tokio::test]
async fn the_script_decides_answer_and_usage() {
    let bench = bench().await;
    let script =
        json!({"answer": "Grüße 🦀 done", "inputTokens": 100, "cachedTokens": 40, "outputTokens": 30, "reasoningTokens": 12});
    for target in TARGETS {
        let answer = bench.answer(&call(target, script.clone())).await;
        assert_eq!(answer.text, "Grüße 🦀 done");
        let expected = Usage { input_uncached: 60, cache_read: 40, cache_write: 0, output: 30, reasoning: 12 };
        assert_eq!(answer.usage, Some(expected), "{target:?} {:?}", answer.raw_usage);
        let object = bench.answer(&call(target, json!({"answer": {"verdict": "deep"}}))).await;
        assert_eq!(object.text, r#"{"verdict":"deep"}"#);
    }
}

#[tokio::test]
async fn structured_output_fits_its_schema() {
    let bench = bench().await;
    let schema = json!({"type": "object", "properties": {"verdict": {"enum": ["a", "b"]}}, "required": ["verdict"], "additionalProperties": false});
    for target in TARGETS {
        let mut call = call(target, json!({}));
        call.schema = Some(Arc::new(schema.clone()));
        let value: Value = serde_json::from_str(&bench.answer(&call).await.text).unwrap();
        assert!(value["verdict"] == "a" || value["verdict"] == "b", "{value}");
    }
}

#[tokio::test]
async fn forced_failures_come_first_and_only_where_they_are_meant() {
    let bench = bench().await;
    let fault = Fault { status: Some(503), ..Fault::default() };
    let waiting =
        bench.simulator.fail_next(FailNext { provider: Some("anthropic".to_owned()), fault: fault.clone(), times: Some(2) });
    assert_eq!(waiting, 2);
    assert!(bench.attempt(&call(TARGETS[0], json!({})), 1, 20_000).await.0.is_ok());
    for _ in 0..2 {
        let failure = bench.attempt(&call(TARGETS[1], json!({})), 1, 20_000).await.0.unwrap_err();
        assert_eq!((failure.code, failure.status), (FailureCode::ServerError, Some(503)));
    }
    assert!(bench.attempt(&call(TARGETS[1], json!({})), 1, 20_000).await.0.is_ok());
    assert_eq!(bench.simulator.fail_next(FailNext { provider: None, fault, times: Some(u32::MAX) }), 1000);
}

#[tokio::test]
async fn a_limit_cuts_the_answer_as_a_real_model_would() {
    let bench = bench().await;
    for (target, reason) in TARGETS.into_iter().zip(["length", "max_tokens"]) {
        let mut call = call(target, json!({"answer": "é".repeat(100)}));
        call.parameters.max_tokens = Some(5);
        let answer = bench.answer(&call).await;
        assert_eq!((answer.text, answer.finish_reason.as_deref()), ("é".repeat(20), Some(reason)));
        assert_eq!(answer.usage.unwrap().output, 5);
    }
}

#[tokio::test]
async fn the_simulator_sees_cancelled_calls_and_goes_away_when_dropped() {
    let bench = bench().await;
    let slow = json!({"answer": "word ".repeat(200), "latencyMs": 0, "tokensPerSecond": 1});
    for target in TARGETS {
        let failure = bench.attempt(&call(target, slow.clone()), 1, 200).await.0.unwrap_err();
        assert_eq!(failure.code, FailureCode::Timeout);
    }
    let settled = async {
        while bench.simulator.stats().in_flight > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), settled).await.expect("the simulator still answers cancelled calls");
    let stats = bench.simulator.stats();
    assert_eq!((stats.calls, stats.aborted), (2, 2));

    let Bench { simulator, providers } = bench;
    drop(simulator);
    let gone = async {
        let context = CallContext {
            idempotency_key: "k".to_owned(),
            traceparent: String::new(),
            attempt: 1,
            timeout_ms: 1000,
            max_output_tokens: None,
        };
        while providers[0].call(&call(TARGETS[0], json!({})), &context, &|_| {}).await.is_ok() {}
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("the simulator outlives its handle");
}

#[tokio::test]
async fn many_calls_at_once() {
    let bench = Arc::new(bench().await);
    let tasks: Vec<_> = (0..200)
        .map(|i| {
            let bench = bench.clone();
            tokio::spawn(async move { bench.answer(&call(TARGETS[i % 2], json!({"answer": format!("answer {i}")}))).await.text })
        })
        .collect();
    for (i, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.await.unwrap(), format!("answer {i}"));
    }
    assert_eq!(bench.simulator.stats().calls, 200);
}

#[tokio::test]
async fn requests_without_streaming_and_nonsense() {
    let simulator = Simulator::start(SimulatorOptions { paced: false, ..SimulatorOptions::default() }).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = async |path: &str, body: &str| {
        let url = format!("{}{path}", simulator.base_url());
        let response = client.post(url).body(body.to_owned()).send().await.unwrap();
        assert_eq!(response.headers()["x-flowtrace-simulated"], "true");
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let hello = r#""messages": [{"role": "user", "content": [{"type": "text", "text": "Say hello to the parts."}]}]"#;
    let (status, body) = post("/v1/chat/completions", &format!(r#"{{"model": "m", {hello}}}"#)).await;
    assert_eq!((status, &body["object"], &body["system_fingerprint"]), (200, &json!("chat.completion"), &json!("simulated")));
    assert!(body["choices"][0]["message"]["content"].as_str().unwrap().contains("Say hello"), "{body}");
    let (status, body) = post("/v1/messages", &format!(r#"{{"model": "m", "max_tokens": 50, {hello}}}"#)).await;
    assert_eq!((status, &body["type"], &body["stop_reason"]), (200, &json!("message"), &json!("end_turn")));
    for (path, body, status) in [
        ("/v1/chat/completions", "{oops", 400),
        ("/v1/chat/completions", "[]", 400),
        ("/v1/chat/completions", r#"{"model": "m"}"#, 400),
        ("/v1/messages", r#"{"model": "m", "messages": []}"#, 400),
        ("/v1/messages", r#"{"model": "m", "max_tokens": 1, "messages": [null, 1, {"content": 5}]}"#, 200),
        ("/v1/embeddings", "{}", 404),
    ] {
        assert_eq!(post(path, body).await.0, status, "{path} {body}");
    }
}

fn offer(name: &str, parameters: Value) -> ToolOffer {
    ToolOffer { name: name.to_owned(), description: "A tool.".to_owned(), parameters: Arc::new(parameters) }
}

/// Appends an answer with calls and a result for each of them, as an agent does.
fn go_on(call: &mut ModelCall, answer: &ModelAnswer, result: &str) {
    let said = Message { tool_calls: answer.tool_calls.clone(), ..Message::new(Role::Assistant, answer.text.clone()) };
    call.messages.push(said);
    for used in &answer.tool_calls {
        call.messages.push(Message { tool_call_id: Some(used.id.clone()), ..Message::new(Role::Tool, result) });
    }
}

#[tokio::test]
async fn without_a_script_the_first_tool_is_called_once_for_each_message_of_the_user() {
    let bench = bench().await;
    for (target, reason) in TARGETS.into_iter().zip(["tool_calls", "tool_use"]) {
        let mut call = call(target, json!({}));
        let parameters =
            json!({"type": "object", "properties": {"q": {"type": "string"}, "page": {"type": "integer"}}, "required": ["q"]});
        call.tools = vec![offer("search", parameters), offer("other", json!({"type": "object"}))];
        let plain = bench.answer(&ModelCall { tools: Vec::new(), ..call.clone() }).await.usage.unwrap().input();
        let first = bench.answer(&call).await;
        let [used] = &first.tool_calls[..] else { panic!("{target:?}: {first:?}") };
        assert_eq!(
            (used.name.as_str(), &used.arguments),
            ("search", &json!({"q": "Cats sleep a lot. Cats hunt mice. Rain falls."}))
        );
        assert_eq!((first.text.as_str(), first.finish_reason.as_deref()), ("", Some(reason)));
        assert!(first.usage.unwrap().input() > plain, "the tools are part of the prompt");
        assert!(first.usage.unwrap().output > 0 && first.first_token_ms.is_some());
        assert_eq!(bench.answer(&call).await.tool_calls, first.tool_calls, "the answer is not stable");

        go_on(&mut call, &first, "{\"age\": 12}");
        let second = bench.answer(&call).await;
        assert_eq!(second.tool_calls, []);
        assert_eq!(second.text, format!("[simulated answer of {}] search says: {{\"age\": 12}}", target.1));

        go_on(&mut call, &second, "");
        call.messages.push(Message::new(Role::User, "And dogs?"));
        let third = bench.answer(&call).await;
        assert_eq!(third.tool_calls[0].arguments, json!({"q": "And dogs?"}));
        assert_ne!(third.tool_calls[0].id, first.tool_calls[0].id);

        // Structured output comes after the tools; a long result is summed up.
        go_on(&mut call, &third, &"Dogs bark at night. ".repeat(100));
        assert!(bench.answer(&call).await.text.ends_with("search says: Dogs bark at night."));
        call.schema = Some(Arc::new(json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})));
        let value: Value = serde_json::from_str(&bench.answer(&call).await.text).unwrap();
        assert!(value["n"].is_i64(), "{value}");

        // Without tools the conversation still goes on.
        call.schema = None;
        call.tools.clear();
        assert!(bench.answer(&call).await.text.contains("search says"));
    }
}

#[tokio::test]
async fn a_scripted_conversation() {
    let bench = bench().await;
    let script = json!({"latencyMs": 0, "turns": [
        {"text": "Let me look.", "tool_calls": [{"name": "search", "arguments": {"q": "é x"}}, {"name": "now"}]},
        {"toolCalls": [{"name": "search", "arguments": "{oops"}], "outputTokens": 9, "faults": [{"status": 500}]},
        {"text": "done"}
    ]});
    for target in TARGETS {
        let mut call = call(target, script.clone());
        let first = bench.answer(&call).await;
        let used = |id: &str, name: &str, arguments| ToolUse { id: id.to_owned(), name: name.to_owned(), arguments };
        assert_eq!(first.text, "Let me look.");
        let expected = [used("call_simulated_1_1", "search", json!({"q": "é x"})), used("call_simulated_1_2", "now", json!({}))];
        assert_eq!(first.tool_calls, expected, "{target:?}");
        go_on(&mut call, &first, "found");
        let failure = bench.attempt(&call, 1, 20_000).await.0.unwrap_err();
        assert_eq!(failure.status, Some(500), "the fault belongs to the second turn: {failure:?}");
        let second = bench.attempt(&call, 2, 20_000).await.0.unwrap();
        assert_eq!(second.tool_calls, [used("call_simulated_2_1", "search", json!("{oops"))]);
        assert_eq!(second.usage.unwrap().output, 9);
        for _ in 0..2 {
            go_on(&mut call, &second, "found again");
            assert_eq!(bench.answer(&call).await.text, "done", "the last turn holds for all that follow");
        }
    }
}

#[tokio::test]
async fn scripts_follow_the_prompt_and_the_vote() {
    let bench = bench().await;
    let script = json!({
        "json": {"score": 4},
        "match": [{"when": "draft 3", "json": {"score": 9}}, {"when": "draft 2", "json": {"score": 7}}],
        "samples": [{"text": "yes"}, {"text": "no"}]
    });
    for target in TARGETS {
        for (prompt, sample, expected) in [
            ("Draft 1", None, r#"{"score":4}"#),
            ("This is Draft 2.", None, r#"{"score":7}"#),
            ("This is Draft 3, after draft 2.", Some(1), r#"{"score":9}"#),
            ("Draft 1", Some(2), "yes"),
            ("Draft 1", Some(3), "no"),
        ] {
            let mut call = call(target, script.clone());
            call.messages = vec![Message::new(Role::User, "Draft 3"), Message::new(Role::User, prompt)];
            call.sample = sample;
            assert_eq!(bench.answer(&call).await.text, expected, "{target:?} {prompt} {sample:?}");
        }
    }
}

#[tokio::test]
async fn limits_and_cuts_reach_into_tool_calls() {
    let bench = bench().await;
    let calls = json!([{"name": "f", "arguments": {"text": "é".repeat(40)}}, {"name": "g"}]);
    for (target, reason) in TARGETS.into_iter().zip(["length", "max_tokens"]) {
        for (text, limit, expected) in [
            ("12345678", 1, json!([])),
            ("12345678", 2, json!([])),
            ("12345678", 4, json!(["{\"text\":"])),
            ("", 4, json!(["{\"text\":\"ééééééé"])),
        ] {
            let mut call = call(target, json!({"text": text, "toolCalls": calls}));
            call.parameters.max_tokens = Some(limit);
            let answer = bench.answer(&call).await;
            let shown = format!("{target:?} limit {limit}: {answer:?}");
            let arguments: Value = answer.tool_calls.iter().map(|call| call.arguments.clone()).collect();
            assert_eq!(arguments, expected, "{shown}");
            assert_eq!(answer.finish_reason.as_deref(), Some(reason), "{shown}");
        }
        let mut cut = call(target, json!({"toolCalls": calls, "faults": [{"kind": "cut"}]}));
        cut.tools = vec![offer("f", json!({"type": "object"}))];
        let failure = bench.attempt(&cut, 1, 20_000).await.0.unwrap_err();
        assert_eq!(failure.code, FailureCode::StreamCut);
        assert_eq!(bench.attempt(&cut, 2, 20_000).await.0.unwrap().tool_calls.len(), 2);
    }
}

#[tokio::test]
async fn tool_calls_without_streaming() {
    let simulator = Simulator::start(SimulatorOptions { paced: false, ..SimulatorOptions::default() }).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = async |path: &str, body: Value| -> Value {
        client.post(format!("{}{path}", simulator.base_url())).json(&body).send().await.unwrap().json().await.unwrap()
    };
    let ask = json!([{"role": "user", "content": "How old are cats?"}]);
    let tools = json!([{"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}]);
    let body = post("/v1/chat/completions", json!({"model": "m", "messages": ask, "tools": tools})).await;
    let expected = json!([{"id": "call_simulated_1_1", "type": "function", "function": {"name": "search", "arguments": "{}"}}]);
    assert_eq!(body["choices"][0]["message"]["tool_calls"], expected, "{body}");
    assert_eq!(body["choices"][0]["finish_reason"], "tool_calls");

    let tools = json!([{"name": "search", "input_schema": {"type": "object"}}]);
    let body = post("/v1/messages", json!({"model": "m", "max_tokens": 50, "messages": ask, "tools": tools})).await;
    assert_eq!(
        body["content"],
        json!([{"type": "tool_use", "id": "call_simulated_1_1", "name": "search", "input": {}}]),
        "{body}"
    );
    let none = json!({"model": "m", "max_tokens": 50, "messages": ask, "tools": tools, "tool_choice": {"type": "none"}});
    assert_eq!(post("/v1/messages", none).await["stop_reason"], "end_turn");
    // Odd shapes are read as far as they go.
    let odd = json!({"model": "m", "tools": [null, 1, {"name": 3}, {"function": {}}], "messages": [
        {"role": "tool"}, {"role": "assistant", "tool_calls": [null, {"id": 1}]}, {"role": "user", "content": [{"type": "tool_result"}, 3]}
    ]});
    assert_eq!(post("/v1/chat/completions", odd).await["choices"][0]["finish_reason"], "stop");
}
