//! The demo workflows pass the checks, and go the way that they promise when their models say what their scripts say.

use super::*;
use crate::guard::GuardPolicy;
use crate::secrets::EnvironmentSecrets;
use flowtrace_core::check::{Catalog, ToolSpec, check};
use flowtrace_core::event::ModelDefaults;
use flowtrace_core::node::NodeKind;
use flowtrace_core::scope::{NodeValue, Scope};
use flowtrace_engine::port::provider::CallContext;
use serde_json::json;
use std::collections::HashMap;

const RESEARCH: &str = include_str!("../../../server/demos/research.json");
const CSV: &str = include_str!("../../../server/demos/csv.json");

/// Runs every step whose edges are taken, and returns the outputs by node.
async fn walk(document: &str) -> HashMap<String, Value> {
    let tools = builtin(Guard::new(GuardPolicy::default()).unwrap(), Arc::new(EnvironmentSecrets));
    let specs = tools.iter().map(|tool| ToolSpec {
        name: tool.name().to_owned(),
        description: tool.description().to_owned(),
        config_schema: tool.config_schema(),
        remote: tool.is_remote(),
    });
    let providers = Some(vec!["openai".to_owned(), "anthropic".to_owned()]);
    let plan = check(document.as_bytes(), &Catalog { tools: specs.collect(), providers }).unwrap();

    let context =
        CallContext { idempotency_key: "run/step/1".into(), traceparent: String::new(), attempt: 1, timeout_ms: 10_000 };
    let mut scope = Scope::default();
    let mut outputs = HashMap::new();
    for (ix, node) in plan.nodes.iter().enumerate() {
        let taken = node.incoming.iter().map(|edge| plan.edge(*edge)).any(|edge| {
            let from = &plan.node(edge.from).id;
            let branch = scope.nodes.get(from).and_then(|value| value.branch.clone());
            let inside = Scope { branch, ..scope.clone() };
            outputs.contains_key(&**from) && edge.when.as_ref().is_none_or(|when| when.evaluate(&inside).unwrap() == json!(true))
        });
        if ix as u32 != plan.entry && !taken {
            continue;
        }
        let Value::Object(inputs) = node.inputs.render(&scope).unwrap() else { panic!("inputs are an object") };
        let inside = Scope { inputs: inputs.clone(), ..scope.clone() };
        let mut branch = None;
        let output = match &node.kind {
            NodeKind::Tool(tool) => {
                let call = tool.call(&inside).unwrap();
                let tool = tools.iter().find(|known| known.name() == call.tool).unwrap();
                assert!(!tool.is_remote(), "the demos run offline");
                tool.call(&call, &context).await.unwrap()
            }
            NodeKind::Llm(llm) => {
                let call = llm.call(&inside, &ModelDefaults::default()).unwrap();
                assert!(call.messages.iter().all(|message| !message.content.contains("{{")), "{call:?}");
                call.simulate.unwrap()["answer"].clone()
            }
            NodeKind::Router(router) => {
                branch = Some(router.decide(&inside).unwrap());
                Value::Object(inputs)
            }
        };
        scope.nodes.insert(node.id.clone(), NodeValue { output: Arc::new(output.clone()), branch });
        outputs.insert(node.id.to_string(), output);
    }
    outputs
}

#[tokio::test]
async fn research_goes_deep() {
    let outputs = walk(RESEARCH).await;
    let mut steps: Vec<&str> = outputs.keys().map(String::as_str).collect();
    steps.sort_unstable();
    assert_eq!(steps, ["decide", "deep", "research", "summarize"]);
}

#[tokio::test]
async fn the_scripted_analysis_says_what_the_table_says() {
    let outputs = walk(CSV).await;
    let sales = &outputs["sales"];
    assert_eq!(sales["rowCount"], 30);
    let groups = sales["groups"].as_array().unwrap();
    let total = |field: &str, region: Option<&str>, product: Option<&str>| -> f64 {
        let wanted = |group: &&Value, name: &str, value: Option<&str>| value.is_none_or(|value| group[name] == value);
        let rows = groups.iter().filter(|group| wanted(group, "region", region) && wanted(group, "product", product));
        rows.map(|group| group[field].as_f64().unwrap()).sum()
    };
    let money = |value: f64| {
        let text = format!("{value:.2}");
        if value >= 1000.0 { format!("{},{}", &text[..text.len() - 6], &text[text.len() - 6..]) } else { text }
    };
    let analysis = outputs["analysis"].as_str().unwrap();
    for (region, product) in [
        (None, None),
        (Some("South"), None),
        (Some("North"), None),
        (Some("West"), None),
        (None, Some("Coffee")),
        (None, Some("Mug")),
        (None, Some("Tea")),
        (None, Some("Teapot")),
        (Some("South"), Some("Coffee")),
        (Some("West"), Some("Mug")),
        (Some("North"), Some("Mug")),
    ] {
        let figure = money(total("revenue", region, product));
        assert!(analysis.contains(&figure), "{region:?} {product:?}: {figure} is not in the analysis");
    }
    assert!(analysis.contains(&format!("{} units", total("units", None, None))));
    assert!(outputs["writeup"].as_str().unwrap().contains(&money(total("revenue", None, None))));
}
