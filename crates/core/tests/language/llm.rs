//! What an llm node asks, and what it makes of the answer.

use super::templates::scope;
use flowtrace_core::call::{ModelCall, Role};
use flowtrace_core::event::ModelDefaults;
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::node::NodeKind;
use flowtrace_core::node::llm::Llm;
use flowtrace_core::plan::Plan;
use serde_json::{Value, json};

fn with_llm<T>(config: Value, inputs: Value, work: impl FnOnce(&Llm) -> T) -> T {
    let document =
        json!({"version": "1", "entry": "a", "nodes": [{"id": "a", "type": "llm", "config": config, "inputs": inputs}]});
    let plan = Plan::compile(document.to_string().as_bytes()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let NodeKind::Llm(llm) = &plan.node(0).kind else { panic!("it is an llm node") };
    work(llm)
}

fn call(config: Value, inputs: Value, defaults: ModelDefaults) -> Result<ModelCall, Failure> {
    let mut scope = scope();
    scope.inputs = inputs.as_object().cloned().unwrap_or_default();
    with_llm(config, inputs, |llm| llm.call(&scope, &defaults))
}

fn user(config: Value, inputs: Value) -> String {
    let mut config = config;
    config["provider"] = json!("p");
    config["model"] = json!("m");
    let call = call(config, inputs, ModelDefaults::default()).unwrap();
    let last = call.messages.last().unwrap();
    assert_eq!(last.role, Role::User);
    last.content.clone()
}

#[test]
fn the_user_message_is_the_prompt_or_the_inputs() {
    assert_eq!(user(json!({"prompt": "Read: {{text}} ({{ input.topic }})"}), json!({"text": "abc"})), "Read: abc (bees)");
    assert_eq!(user(json!({"prompt": "{{items}}"}), json!({"items": [1, 2]})), "[1,2]");
    assert_eq!(user(json!({}), json!({"text": "abc"})), "abc");
    assert_eq!(user(json!({}), json!({"data": {"a": 1}})), "{\"a\":1}");
    assert_eq!(user(json!({}), json!({"text": "abc", "data": [1], "who": "me"})), "text:\nabc\n\ndata:\n[1]\n\nwho:\nme");
}

#[test]
fn a_conversation_stands_between_the_system_message_and_the_prompt() {
    let ask = |config: Value| {
        let mut config = config;
        (config["provider"], config["model"]) = (json!("p"), json!("m"));
        call(
            config,
            json!({"said": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "n": 1}),
            ModelDefaults::default(),
        )
    };
    let texts = |config| {
        let call = ask(config).unwrap();
        call.messages.into_iter().map(|message| format!("{:?} {}", message.role, message.content)).collect::<Vec<_>>()
    };
    let all = json!({"system": "s", "messages": "{{said}}", "prompt": "p"});
    assert_eq!(texts(all), ["System s", "User a", "Assistant b", "User p"]);
    assert_eq!(texts(json!({"messages": "{{said}}"})), ["User a", "Assistant b"], "the inputs are not sent as well");
    assert_eq!(texts(json!({"messages": [{"role": "user", "content": "{{n}} {{input.topic}}"}]})), ["User 1 bees"]);
    for (messages, what) in [
        (json!("{{n}}"), "none"),
        (json!([]), "empty"),
        (json!([{"role": "system", "content": "x"}]), "number 1 has another role"),
        (json!([{"role": "user", "content": "x"}, {"role": "user", "content": [1]}]), "number 2 has no text"),
    ] {
        let failure = ask(json!({"messages": messages})).unwrap_err();
        assert_eq!(failure.code, FailureCode::Template);
        assert!(failure.message.contains(what), "{}", failure.message);
    }
}

#[test]
fn provider_and_model_come_from_the_node_or_the_defaults() {
    let defaults = |provider: Option<&str>, model: Option<&str>| ModelDefaults {
        provider: provider.map(str::to_owned),
        model: model.map(str::to_owned),
        temperature: Some(0.3),
    };
    let target = |config: Value, defaults: ModelDefaults| {
        let mut config = config;
        config["prompt"] = json!("x");
        call(config, json!({}), defaults).map(|call| format!("{}/{}", call.target.provider, call.target.model))
    };
    let both = defaults(Some("p"), Some("m"));
    assert_eq!(target(json!({"provider": "a", "model": "b"}), both.clone()).unwrap(), "a/b");
    assert_eq!(target(json!({"model": "b"}), both.clone()).unwrap(), "p/b");
    assert_eq!(target(json!({"provider": "p"}), both.clone()).unwrap(), "p/m");
    assert_eq!(target(json!({}), both.clone()).unwrap(), "p/m");
    // The default model is the default provider's.
    let failure = target(json!({"provider": "a"}), both.clone()).unwrap_err();
    assert_eq!(failure.code, FailureCode::NotConfigured);
    assert!(failure.message.starts_with("the node names no model"), "{}", failure.message);
    for (config, expected) in [
        (json!({}), "neither provider nor model"),
        (json!({"model": "b"}), "no provider"),
        (json!({"provider": "a"}), "no model"),
    ] {
        let failure = target(config, ModelDefaults::default()).unwrap_err();
        assert!(failure.message.contains(expected) && failure.message.contains("set `provider`"), "{}", failure.message);
    }
    let temperature = |config: Value| call(config, json!({}), both.clone()).unwrap().parameters.temperature;
    assert_eq!(temperature(json!({"prompt": "x"})), Some(0.3));
    assert_eq!(temperature(json!({"prompt": "x", "temperature": 0})), Some(0.0));
}

#[test]
fn the_output_is_the_text_or_the_json_that_the_schema_asks_for() {
    let schema = json!({"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]});
    let output = |text: &str| with_llm(json!({"prompt": "x", "schema": schema}), json!({}), |llm| llm.output(text));
    assert_eq!(with_llm(json!({"prompt": "x"}), json!({}), |llm| llm.output("{\"a\": 1}")).unwrap(), json!("{\"a\": 1}"));
    for text in [
        "{\"ok\": true}",
        " {\"ok\": true}\n",
        "```json\n{\"ok\": true}\n```",
        "```\n{\"ok\": true}\n```",
        "```{\"ok\": true}```",
    ] {
        assert_eq!(output(text).unwrap(), json!({"ok": true}), "{text}");
    }
    let deep = format!("{{\"ok\": true, \"x\": {}{}}}", "[".repeat(101), "]".repeat(101));
    let table = [
        ("Sure! {\"ok\": true}", "is not JSON, as the node's `schema` asks for"),
        ("", "is not JSON"),
        ("{\"ok\": true", "is not JSON"),
        ("{\"ok\": \"yes\"}", "does not conform to the node's `schema`: at `/ok`: \"yes\" is not of type \"boolean\""),
        ("[]", "does not conform"),
        (deep.as_str(), "more than 100 levels deep"),
    ];
    for (text, expected) in table {
        let failure = output(text).unwrap_err();
        assert_eq!(failure.code, FailureCode::Malformed, "{text}");
        assert!(failure.message.contains(expected), "{text}: {}", failure.message);
    }
}

#[test]
fn the_trace_shows_the_templates_as_written() {
    let config = json!({"system": "Be {{input.how}}", "prompt": "Read {{text}}", "model": "m"});
    let source = with_llm(config, json!({"text": "x"}), Llm::template_source);
    assert_eq!(source, json!({"system": "Be {{input.how}}", "prompt": "Read {{text}}"}));
    assert_eq!(with_llm(json!({}), json!({"text": "x"}), Llm::template_source), json!({}));
}

#[test]
fn what_is_cached_and_who_falls_back_is_kept() {
    with_llm(json!({"prompt": "x"}), json!({}), |llm| {
        assert_eq!((llm.cache.enabled, llm.cache.ttl_seconds, llm.fallbacks.is_none()), (true, None, true));
    });
    let config =
        json!({"prompt": "x", "cache": {"enabled": false, "ttlSeconds": 5}, "fallbacks": [{"provider": "p", "model": "m"}]});
    with_llm(config, json!({}), |llm| {
        assert_eq!((llm.cache.enabled, llm.cache.ttl_seconds), (false, Some(5)));
        assert_eq!(llm.fallbacks.as_deref().map(|list| list[0].provider.as_str()), Some("p"));
    });
}
