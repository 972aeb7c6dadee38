use super::*;
use crate::provider::{HttpClient, Kind, ProviderSettings, build};
use flowtrace_core::call::{Message, ModelAnswer, Parameters, Role, Target};
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
    let providers = build(&settings, &HttpClient::new().unwrap(), Some(&simulator.base_url())).unwrap();
    Bench { simulator, providers }
}

const TARGETS: [(&str, &str); 2] = [("openai", "gpt-4o-mini"), ("anthropic", "claude-sonnet-4-6")];

fn call(target: (&str, &str), script: Value) -> ModelCall {
    ModelCall {
        target: Target { provider: target.0.to_owned(), model: target.1.to_owned() },
        messages: vec![
            Message { role: Role::System, content: "Be concise".to_owned() },
            Message { role: Role::User, content: "Cats sleep a lot. Cats hunt mice. Rain falls.".to_owned() },
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
