//! The reference document is accepted as it stands, and its steps come to what they should.

use flowtrace_core::call::Role;
use flowtrace_core::event::ModelDefaults;
use flowtrace_core::node::NodeKind;
use flowtrace_core::plan::Plan;
use flowtrace_core::policy::RetryPolicy;
use flowtrace_core::scope::{NodeValue, Scope};
use serde_json::{Value, json};
use std::sync::Arc;

pub const REFERENCE: &str = include_str!("../fixtures/reference.json");

fn plan() -> Plan {
    Plan::compile(REFERENCE.as_bytes()).expect("the reference document is valid")
}

fn scope(id: &str, output: Value) -> Scope {
    let mut scope = Scope::default();
    scope.nodes.insert(id.into(), NodeValue { output: Arc::new(output), ..NodeValue::default() });
    scope
}

#[test]
fn it_becomes_a_plan() {
    let plan = plan();
    let ids: Vec<&str> = plan.nodes.iter().map(|node| &*node.id).collect();
    assert_eq!(ids, ["ingest", "summarize", "decide", "deep"]);
    assert_eq!(plan.graphs[0].entry, 0);
    assert_eq!(plan.graphs[0].max_concurrency, 1);
    assert_eq!(plan.limits.max_tokens, Some(150_000));
    assert_eq!(plan.limits.timeout_ms, Some(120_000));
    assert_eq!(plan.node(0).retry, RetryPolicy::REMOTE);
    assert_eq!((plan.node(0).timeout_ms, plan.node(1).timeout_ms), (30_000, 120_000));
    assert_eq!(plan.nodes.iter().map(|node| node.reads.clone()).collect::<Vec<_>>(), [vec![], vec![0], vec![1], vec![1]]);
    assert_eq!(plan.node(2).name.as_ref(), "Decider");
    assert_eq!((plan.edge(2).from, plan.edge(2).to), (2, 3));
}

#[test]
fn its_steps_come_to_calls_and_decisions() {
    let plan = plan();
    let NodeKind::Tool(tool) = &plan.node(0).kind else { panic!("ingest is a tool") };
    let call = tool.call(&Scope::default()).unwrap();
    assert_eq!(
        (call.tool.as_str(), call.config, call.inputs),
        ("http", json!({"url": "http://127.0.0.1:8099/doc.txt"}), json!({}))
    );

    let mut from_ingest = scope("ingest", json!({"content": "a document", "status": 200}));
    let inputs = plan.node(1).inputs.render(&from_ingest).unwrap();
    assert_eq!(inputs, json!({"text": "a document"}));
    let Value::Object(inputs) = inputs else { panic!("inputs are an object") };
    from_ingest.inputs = inputs;
    let NodeKind::Llm(llm) = &plan.node(1).kind else { panic!("summarize is an llm") };
    let call = llm.call(&from_ingest, &ModelDefaults::default()).unwrap();
    assert_eq!((call.target.provider.as_str(), call.target.model.as_str()), ("openai", "gpt-4o-mini"));
    let messages: Vec<_> = call.messages.iter().map(|message| (message.role, message.content.as_str())).collect();
    assert_eq!(messages, [(Role::System, "Be concise"), (Role::User, "a document")]);

    let NodeKind::Router(router) = &plan.node(2).kind else { panic!("decide is a router") };
    for (length, branch, taken) in [(2000, "shallow", false), (2001, "deep", true)] {
        let mut scope = Scope::default();
        scope.inputs.insert("text".into(), json!("ä".repeat(length)));
        assert_eq!(router.decide(&scope).unwrap(), json!(branch));
        scope.branch = Some(json!(branch));
        assert_eq!(plan.edge(2).when.as_ref().unwrap().test(&scope), Ok(taken));
    }
}
