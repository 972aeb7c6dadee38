//! Tools and providers whose answers hold no secret of this server: everything that comes back through them is searched, whatever
//! the tool or the provider did itself. What they return is what the journal, the events and the pages show.

use crate::redactor::{Known, Redactor, Stream};
use flowtrace_core::call::{ModelAnswer, ModelCall, ToolCall, ToolUse};
use flowtrace_core::failure::Failure;
use flowtrace_core::tool::{Effect, ToolDescription, ToolSourceStatus};
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::provider::{CallContext, OnDelta, Provider};
use flowtrace_engine::port::tool::{Tool, ToolSource};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};

pub struct CleanProvider {
    pub inner: Arc<dyn Provider>,
    pub known: Known,
}

impl Provider for CleanProvider {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn configured(&self) -> bool {
        self.inner.configured()
    }

    fn simulated(&self) -> bool {
        self.inner.simulated()
    }

    fn call<'a>(
        &'a self,
        call: &'a ModelCall,
        context: &'a CallContext,
        on_delta: OnDelta<'a>,
    ) -> BoxFuture<'a, Result<ModelAnswer, Failure>> {
        let redactor = self.known.redactor();
        if redactor.is_empty() {
            return self.inner.call(call, context, on_delta);
        }
        Box::pin(async move {
            let stream = Mutex::new(Stream::default());
            let show = |text: String| {
                if !text.is_empty() {
                    on_delta(&text);
                }
            };
            let clean = |piece: &str| show(stream.lock().unwrap_or_else(PoisonError::into_inner).push(&redactor, piece));
            let outcome = self.inner.call(call, context, &clean).await;
            match outcome {
                Ok(answer) => {
                    show(stream.lock().unwrap_or_else(PoisonError::into_inner).rest(&redactor));
                    Ok(clean_answer(&redactor, answer))
                }
                Err(failure) => Err(redactor.failure(failure)),
            }
        })
    }
}

fn clean_answer(redactor: &Redactor, answer: ModelAnswer) -> ModelAnswer {
    let text = |text: String| redactor.text(&text).into_owned();
    let calls = answer.tool_calls.into_iter();
    ModelAnswer {
        text: text(answer.text),
        tool_calls: calls
            .map(|call| ToolUse { name: text(call.name), arguments: redactor.value(call.arguments), ..call })
            .collect(),
        model: text(answer.model),
        finish_reason: answer.finish_reason.map(text),
        usage: answer.usage,
        raw_usage: answer.raw_usage.map(|usage| redactor.value(usage)),
        upstream_request_id: answer.upstream_request_id.map(text),
        first_token_ms: answer.first_token_ms,
        simulated: answer.simulated,
    }
}

pub struct CleanTool {
    pub inner: Arc<dyn Tool>,
    pub known: Known,
}

impl Tool for CleanTool {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn description(&self) -> &str {
        self.inner.description()
    }

    fn config_schema(&self) -> Value {
        self.inner.config_schema()
    }

    fn input_schema(&self) -> Value {
        self.inner.input_schema()
    }

    fn output_schema(&self) -> Value {
        self.inner.output_schema()
    }

    fn effect(&self, config: &Value) -> Effect {
        self.inner.effect(config)
    }

    fn is_remote(&self) -> bool {
        self.inner.is_remote()
    }

    fn timeout_ms(&self) -> Option<u64> {
        self.inner.timeout_ms()
    }

    fn describe(&self) -> ToolDescription {
        self.inner.describe()
    }

    fn look_up(&self) -> BoxFuture<'_, Result<ToolDescription, Failure>> {
        Box::pin(async move { self.inner.look_up().await.map_err(|failure| self.known.redactor().failure(failure)) })
    }

    fn call<'a>(&'a self, call: &'a ToolCall, context: &'a CallContext) -> BoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            let outcome = self.inner.call(call, context).await;
            // As they are when the answer is here: one that was set meanwhile is known too.
            let redactor = self.known.redactor();
            match outcome {
                Ok(output) => Ok(redactor.value(output)),
                Err(failure) => Err(redactor.failure(failure)),
            }
        })
    }
}

pub struct CleanSource {
    pub inner: Arc<dyn ToolSource>,
    pub known: Known,
}

impl CleanSource {
    fn clean(&self, inner: Arc<dyn Tool>) -> Arc<dyn Tool> {
        Arc::new(CleanTool { inner, known: self.known.clone() })
    }
}

impl ToolSource for CleanSource {
    fn find(&self, name: &str) -> Option<Arc<dyn Tool>> {
        self.inner.find(name).map(|tool| self.clean(tool))
    }

    fn list(&self) -> Vec<Arc<dyn Tool>> {
        self.inner.list().into_iter().map(|tool| self.clean(tool)).collect()
    }

    fn status(&self) -> ToolSourceStatus {
        let status = self.inner.status();
        let problem = status.problem.map(|problem| self.known.redactor().text(&problem).into_owned());
        ToolSourceStatus { problem, ..status }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::provider::{HttpClient, Kind, ProviderSettings, build};
    use serde_json::json;

    const SECRET: &str = "sk-sëcret-0123456789";

    fn context() -> CallContext {
        CallContext {
            idempotency_key: "r/a/1".to_owned(),
            traceparent: "00-00000000000000000000000000000001-0000000000000001-01".to_owned(),
            attempt: 1,
            timeout_ms: 10_000,
            max_output_tokens: None,
        }
    }

    fn known() -> Known {
        let known = Known::default();
        known.replace(&[("key".to_owned(), SECRET.to_owned())]).unwrap();
        known
    }

    /// A provider that says the secret everywhere, in pieces.
    struct Gossip;

    impl Provider for Gossip {
        fn name(&self) -> &str {
            "gossip"
        }
        fn simulated(&self) -> bool {
            false
        }
        fn call<'a>(
            &'a self,
            call: &'a ModelCall,
            _: &'a CallContext,
            on_delta: OnDelta<'a>,
        ) -> BoxFuture<'a, Result<ModelAnswer, Failure>> {
            Box::pin(async move {
                if call.target.model == "broken" {
                    return Err(Failure::new(flowtrace_core::failure::FailureCode::ServerError, format!("no: {SECRET}")));
                }
                for character in format!("It is {SECRET}, really").chars() {
                    on_delta(&character.to_string());
                }
                Ok(ModelAnswer {
                    text: format!("It is {SECRET}, really"),
                    tool_calls: vec![ToolUse { id: "1".to_owned(), name: "t".to_owned(), arguments: json!({SECRET: [SECRET]}) }],
                    model: SECRET.to_owned(),
                    finish_reason: Some(SECRET.to_owned()),
                    usage: None,
                    raw_usage: Some(json!({"note": SECRET})),
                    upstream_request_id: Some(SECRET.to_owned()),
                    first_token_ms: None,
                    simulated: false,
                })
            })
        }
    }

    fn call(model: &str) -> ModelCall {
        serde_json::from_value(json!({"target": {"provider": "gossip", "model": model}, "messages": []})).unwrap()
    }

    #[tokio::test]
    async fn what_a_provider_says_is_clean() {
        let provider = CleanProvider { inner: Arc::new(Gossip), known: known() };
        let seen = Mutex::new(String::new());
        let on_delta = |text: &str| seen.lock().unwrap().push_str(text);
        let answer = provider.call(&call("m"), &context(), &on_delta).await.unwrap();
        assert_eq!((answer.text.as_str(), &*seen.lock().unwrap()), ("It is [secret:key], really", &answer.text));
        assert!(!serde_json::to_string(&answer).unwrap().contains("0123456789"), "{answer:?}");
        let failure = provider.call(&call("broken"), &context(), &on_delta).await.unwrap_err();
        assert_eq!(failure.message, "no: [secret:key]");
    }

    #[tokio::test]
    async fn what_a_tool_brings_is_clean_whoever_said_it() {
        let tool = CleanTool { inner: Arc::new(crate::tool::echo::Echo), known: known() };
        assert_eq!(tool.describe(), tool.inner.describe());
        let inputs = json!({"text": format!("<{SECRET}>"), "list": [{SECRET: 1}]});
        let call = ToolCall { tool: "echo".to_owned(), config: json!({}), inputs, secrets: Vec::new() };
        let output = tool.call(&call, &context()).await.unwrap();
        assert_eq!(output, json!({"text": "<[secret:key]>", "list": [{"[secret:key]": 1}]}));
    }

    #[test]
    fn a_provider_is_still_what_it_is() {
        let settings = [ProviderSettings::new("openai", Kind::OpenAi)];
        let built = build(&settings, &HttpClient::new().unwrap(), None, Arc::new(crate::secrets::EnvironmentSecrets)).unwrap();
        let provider = CleanProvider { inner: built[0].clone(), known: known() };
        assert!((provider.name(), provider.configured(), provider.simulated()) == ("openai", false, false));
    }
}
