//! Each lint by documents that earn it and by those that do not.

use flowtrace_core::check::Catalog;
use flowtrace_core::check::lint::lint;
use flowtrace_core::tool::{Effect, ToolDescription, ToolSourceStatus};
use proptest::prelude::*;
use serde_json::{Value, json};

fn catalog() -> Catalog {
    let tool = |name: &str, input_schema, effect: Effect| ToolDescription {
        name: name.into(),
        description: String::new(),
        config_schema: json!({"type": "object"}),
        input_schema,
        output_schema: json!({}),
        effect,
        idempotent: effect.is_repeatable(),
        remote: false,
        timeout_ms: None,
    };
    let strict = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false});
    Catalog {
        tools: vec![
            tool("text", json!({"type": "object"}), Effect::ReadOnly),
            tool("mail", json!({"type": "object"}), Effect::SideEffect),
            tool("weather", strict, Effect::ReadOnly),
        ],
        sources: vec![ToolSourceStatus {
            name: "far".into(),
            prefix: "mcp.far.".into(),
            reached: false,
            problem: Some("It is down.".into()),
        }],
        ..Catalog::default()
    }
}

/// Codes and places of all warnings.
fn found(document: &Value) -> Vec<(String, String)> {
    let warnings = lint(document.to_string().as_bytes(), &catalog());
    for warning in &warnings {
        assert!(document.pointer(&warning.pointer).is_some(), "nothing is at {}", warning.pointer);
        let whole = warning.suggestion.is_some() && !warning.message.ends_with('.');
        assert!(whole || warning.code == "more_warnings", "{warning:?}");
    }
    warnings.into_iter().map(|warning| (warning.code, warning.pointer)).collect()
}

#[track_caller]
fn expect(document: &Value, expected: &[(&str, &str)]) {
    let expected: Vec<(String, String)> = expected.iter().map(|(code, at)| ((*code).into(), (*at).into())).collect();
    assert_eq!(found(document), expected, "{document:#}");
}

fn document(nodes: Value, edges: Value, limits: Value) -> Value {
    let mut nodes = nodes;
    for node in nodes.as_array_mut().unwrap() {
        let id = node["type"].as_str().unwrap().to_owned();
        node.as_object_mut().unwrap().entry("id").or_insert(json!(id));
    }
    json!({"version": "1", "entry": "x", "nodes": nodes, "edges": edges, "limits": limits})
}

fn body(nodes: Value, edges: Value) -> Value {
    json!({"entry": "x", "nodes": nodes, "edges": edges})
}

const GATE: &str = "gate";

fn capped_agent() -> Value {
    json!({"maxTokens": 1, "maxSteps": 1, "maxToolCalls": 1, "timeoutSeconds": 1})
}

#[test]
fn agents_without_caps() {
    let agent = |config: Value, limits: Value| document(json!([{"type": "agent", "config": config}]), json!([]), limits);
    expect(&agent(json!({}), json!({})), &[("uncapped_agent", "/nodes/0")]);
    expect(&agent(capped_agent(), json!({})), &[]);
    let mut three = capped_agent();
    three["maxToolCalls"] = json!(null);
    expect(&agent(three.clone(), json!({})), &[("uncapped_agent", "/nodes/0")]);
    expect(&agent(three, json!({"maxToolCalls": 9})), &[]);
    // The run's own limits cap what is in it.
    expect(&agent(json!({"maxToolCalls": 5}), json!({"maxTokens": 1, "maxSteps": 1, "timeoutSeconds": 1})), &[]);
    expect(&agent(json!({"maxTokens": 5}), json!({})), &[("token_only_budget", "/nodes/0/config/maxTokens")]);
    // The node's own timeout counts.
    let mut timed = agent(json!({"maxTokens": 1, "maxSteps": 1, "maxToolCalls": 1}), json!({}));
    timed["nodes"][0]["timeoutSeconds"] = json!(60);
    expect(&timed, &[]);
}

#[test]
fn loops_without_caps() {
    let looped = |kind: &str, config: Value, limits: Value| {
        let mut config = config;
        config["body"] = body(json!([{"id": "x", "type": kind, "config": {}}]), json!([]));
        document(json!([{"type": "loop", "config": config}]), json!([]), limits)
    };
    let code = [("uncapped_loop", "/nodes/0")];
    expect(&looped("llm", json!({}), json!({})), &code);
    expect(&looped("llm", json!({"maxIterations": 3}), json!({"timeoutSeconds": 9})), &code);
    expect(&looped("llm", json!({"maxIterations": 3}), json!({"timeoutSeconds": 9, "maxTokens": 9})), &[]);
    // Nothing in it uses tokens.
    expect(&looped("tool", json!({"maxIterations": 3}), json!({"timeoutSeconds": 9})), &[]);
    expect(&looped("tool", json!({"maxIterations": 3}), json!({})), &code);
    expect(
        &looped("llm", json!({"maxIterations": 3, "timeoutSeconds": 1}), json!({"maxTokens": 9})),
        &[("token_only_budget", "/limits")],
    );
}

#[test]
fn agents_without_a_path() {
    let agent = |tools: Value, more: Value, extra: Value, edges: Value| {
        let mut config = capped_agent();
        config["tools"] = tools;
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut nodes = vec![json!({"id": "a", "type": "agent", "config": config})];
        nodes.extend(extra.as_array().unwrap().clone());
        document(Value::Array(nodes), edges, json!({}))
    };
    let (none, to_gate) = (json!([]), json!([{"from": "a", "to": "g"}]));
    let gate = json!([{"id": "g", "type": GATE}]);
    expect(&agent(json!(["mail"]), json!({}), none.clone(), none.clone()), &[("unconstrained_agent", "/nodes/0")]);
    expect(&agent(json!([{"tool": "mail"}]), json!({}), none.clone(), none.clone()), &[("unconstrained_agent", "/nodes/0")]);
    expect(&agent(json!(["mail"]), json!({}), gate.clone(), to_gate), &[]);
    // A gate that is not after it does not check it.
    expect(&agent(json!(["mail"]), json!({}), gate, none.clone()), &[("unconstrained_agent", "/nodes/0")]);
    expect(&agent(json!(["mail"]), json!({"schema": {"type": "object"}}), none.clone(), none.clone()), &[]);
    expect(&agent(json!(["text", "weather"]), json!({}), none.clone(), none.clone()), &[]);
    expect(&agent(json!([]), json!({}), none.clone(), none.clone()), &[]);
    expect(
        &agent(json!(["text", "mcp.x.*"]), json!({}), none.clone(), none),
        &[("unconstrained_agent", "/nodes/0/config/tools/1")],
    );
}

#[test]
fn a_model_that_judges_itself() {
    let pair = |id: &str, author: Value, critic: Value, edges: Value, inputs: Value| {
        let nodes = json!([{"id": "draft", "type": "llm", "config": author}, {"id": id, "type": "llm", "config": critic, "inputs": inputs}]);
        document(nodes, edges, json!({}))
    };
    let (a, b) = (json!({"provider": "openai", "model": "m1"}), json!({"provider": "openai", "model": "m2"}));
    let edge = |to: &str| json!([{"from": "draft", "to": to}]);
    expect(&pair("review", a.clone(), a.clone(), edge("review"), json!({})), &[("self_critique", "/nodes/1/config/model")]);
    expect(
        &pair("strictReview2", a.clone(), a.clone(), edge("strictReview2"), json!({})),
        &[("self_critique", "/nodes/1/config/model")],
    );
    // Both are the default model.
    expect(&pair("judge", json!({}), json!({}), edge("judge"), json!({})), &[("self_critique", "/nodes/1")]);
    // By what it reads.
    let reads = json!({"text": "{{node.draft.output}}"});
    expect(&pair("judge", a.clone(), a.clone(), json!([]), reads), &[("self_critique", "/nodes/1/config/model")]);
    expect(&pair("review", a.clone(), b, edge("review"), json!({})), &[]);
    expect(&pair("preview", a.clone(), a.clone(), edge("preview"), json!({})), &[]);
    expect(&pair("judge", a.clone(), a, json!([]), json!({"text": "{{node.draftsman.output}}"})), &[]);
}

#[test]
fn a_judge_whom_nobody_judges() {
    let with = |more: Value| {
        let mut nodes = json!([
            {"id": "draft", "type": "llm", "config": {"model": "m1"}},
            {"id": "judge", "type": "llm", "config": {"model": "m2"}, "inputs": {"t": "{{node.draft.output}}"}},
            {"id": "decide", "type": "router", "config": {"rule": "node.judge.output == 'ok'"}}
        ]);
        nodes.as_array_mut().unwrap().extend(more.as_array().unwrap().clone());
        document(nodes, json!([{"from": "draft", "to": "judge"}, {"from": "judge", "to": "decide"}]), json!({}))
    };
    expect(&with(json!([])), &[("ungraded_evaluator", "/nodes/1")]);
    expect(&with(json!([{"id": "ask", "type": "approval"}])), &[]);
    let second = json!([{"id": "referee", "type": "llm", "config": {"model": "m3"}, "inputs": {"v": "{{node.judge.output}}"}}]);
    expect(&with(second), &[]);
    // It decides when the loop ends.
    let mut looped = document(
        json!([{"type": "loop", "config": {
            "maxIterations": 3, "until": "node.judge.output == 'ok'",
            "body": body(json!([{"id": "judge", "type": "llm", "config": {"model": "m2"}}]), json!([]))
        }}]),
        json!([]),
        json!({"maxTokens": 9, "timeoutSeconds": 9}),
    );
    expect(&looped, &[("ungraded_evaluator", "/nodes/0/config/body/nodes/0")]);
    looped["nodes"][0]["config"]["until"] = json!("iteration > 2");
    expect(&looped, &[]);
}

#[test]
fn reviewers_who_are_asked_the_same() {
    let reviewers = |second: Value, edges: Value| {
        document(
            json!([
                {"id": "review1", "type": "llm", "config": {"system": "Find faults", "model": "m1"}, "inputs": {"t": "{{input.t}}"}},
                {"id": "review2", "type": "llm", "config": second, "inputs": {"t": "{{input.t}}"}}
            ]),
            edges,
            json!({}),
        )
    };
    let same = json!({"system": "Find faults", "model": "m2"});
    expect(&reviewers(same.clone(), json!([])), &[("same_prompt_reviewers", "/nodes/1")]);
    expect(&reviewers(same, json!([{"from": "review1", "to": "review2"}])), &[]);
    expect(&reviewers(json!({"system": "Find unsafe advice", "model": "m1"}), json!([])), &[]);
}

#[test]
fn routers_without_a_way_for_the_rest() {
    let router = |rule: &str, whens: &[Option<&str>]| {
        let edges: Vec<Value> = whens.iter().map(|when| json!({"from": "r", "to": "a", "when": when})).collect();
        document(
            json!([{"id": "r", "type": "router", "config": {"rule": rule}}, {"id": "a", "type": "set"}]),
            json!(edges),
            json!({}),
        )
    };
    let code = [("router_without_other", "/nodes/0/config/rule")];
    let (refund, other) = (Some("branch == 'refund'"), Some("branch == 'other'"));
    expect(&router("kind", &[refund]), &code);
    expect(&router("node.c.output.kind", &[refund, other]), &code);
    expect(&router("kind", &[Some("branch == 'a' || 'b' == branch")]), &code);
    // An edge without a condition, or with another one than a list of names, may be the way.
    expect(&router("kind", &[refund, None]), &[]);
    expect(&router("kind", &[refund, Some("branch != 'refund'")]), &[]);
    expect(&router("kind", &[refund, Some("!(branch in ['refund'])")]), &[]);
    // A rule that lists its results has no others.
    expect(&router("len(text) > 2000 ? 'deep' : 'shallow'", &[Some("branch == 'deep'")]), &[]);
    expect(&router("score > 3", &[Some("branch == 'true'")]), &[]);
    expect(&router("a ? 'x' : b ? 'y' : kind", &[Some("branch == 'x'")]), &code);
    expect(&router("kind in ['a', 'b'] ? 'known' : 'other'", &[other]), &[]);
    // A router at the end goes nowhere, and a rule that cannot be read is a problem of its own.
    expect(&router("kind", &[]), &[]);
    expect(&router("kind ==", &[refund]), &[]);
}

#[test]
fn work_that_makes_work() {
    let map = |items: Value, kind: &str, limits: Value| {
        let inner = json!([{"id": "w", "type": kind, "config": capped_agent()}]);
        document(json!([{"type": "map", "config": {"items": items, "body": body(inner, json!([]))}}]), json!([]), limits)
    };
    let code = [("unbounded_spawning", "/nodes/0/config/body/nodes/0")];
    expect(&map(json!("{{input.list}}"), "agent", json!({})), &code);
    expect(&map(json!("{{input.list}}"), "workflow", json!({})), &code);
    expect(&map(json!("{{input.list}}"), "tool", json!({})), &[]);
    expect(&map(json!([1, 2, 3]), "agent", json!({})), &[]);
    expect(&map(json!("{{input.list}}"), "agent", json!({"maxSteps": 100})), &[]);
    // Two levels down.
    let mut deep = map(json!("{{input.list}}"), "map", json!({}));
    deep["nodes"][0]["config"]["body"]["nodes"][0]["config"] =
        json!({"items": [1], "body": body(json!([{"id": "s", "type": "workflow"}]), json!([]))});
    expect(&deep, &[("unbounded_spawning", "/nodes/0/config/body/nodes/0/config/body/nodes/0")]);

    let mut handing = capped_agent();
    handing["handoffs"] = json!(["billing"]);
    handing["schema"] = json!({"type": "object"});
    expect(&document(json!([{"type": "agent", "config": handing}]), json!([]), json!({})), &[("unbounded_spawning", "/nodes/0")]);
}

#[test]
fn tools_that_are_not_known_and_inputs_that_do_not_fit() {
    let tool = |name: &str, inputs: Value| {
        document(json!([{"type": "tool", "config": {"tool": name}, "inputs": inputs}]), json!([]), json!({}))
    };
    expect(&tool("weather", json!({"city": "Oslo"})), &[]);
    expect(&tool("weather", json!({})), &[("tool_inputs", "/nodes/0/inputs")]);
    expect(
        &tool("weather", json!({"town": "Oslo"})),
        &[("tool_inputs", "/nodes/0/inputs"), ("tool_inputs", "/nodes/0/inputs/town")],
    );
    expect(&tool("mcp.far.get", json!({})), &[("tool_not_reached", "/nodes/0/config/tool")]);
    // That it does not exist is a problem and no warning.
    expect(&tool("mcp.near.get", json!({})), &[]);
    let mut agent = capped_agent();
    agent["tools"] = json!(["text", {"tool": "mcp.far.get"}]);
    agent["schema"] = json!({});
    let agent = document(json!([{"type": "agent", "config": agent}]), json!([]), json!({}));
    expect(&agent, &[("tool_not_reached", "/nodes/0/config/tools/1")]);
    let warning = &lint(agent.to_string().as_bytes(), &catalog())[0];
    assert!(warning.message.contains("`far` was not reached yet: It is down"), "{warning:?}");
}

#[test]
fn a_warning_can_be_turned_off_where_it_is_wrong() {
    let mut twice = document(json!([{"id": "a", "type": "agent"}, {"id": "b", "type": "agent"}]), json!([]), json!({}));
    expect(&twice, &[("uncapped_agent", "/nodes/0"), ("uncapped_agent", "/nodes/1")]);
    twice["nodes"][0]["ui"] = json!({"ignoreWarnings": ["uncapped_agent"]});
    expect(&twice, &[("uncapped_agent", "/nodes/1")]);
    twice["ui"] = json!({"ignoreWarnings": ["uncapped_agent", "other"]});
    expect(&twice, &[]);
}

#[test]
fn documents_of_any_size_are_survived() {
    assert!(lint(b"", &catalog()).is_empty());
    assert!(lint(b"[1, 2", &catalog()).is_empty());
    assert!(lint("[".repeat(100_000).as_bytes(), &catalog()).is_empty());
    let nodes: Vec<Value> =
        (0..10_000).map(|at| json!({"id": format!("review{at}"), "type": "llm", "config": {"prompt": "same"}})).collect();
    let edges: Vec<Value> =
        (1..10_000).map(|at| json!({"from": format!("review{}", at - 1), "to": format!("review{at}")})).collect();
    let many = document(json!(nodes), json!([]), json!({}));
    assert_eq!(found(&many).len(), 201, "the first 200 and how many more there are");
    // In turn, so none of them is a warning, and each pair would be a walk.
    let started = std::time::Instant::now();
    expect(&document(json!(nodes), json!(edges), json!({})), &[]);
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

/// JSON that looks like a workflow and is wrong in every way.
fn odd() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        Just(json!("agent")),
        Just(json!("loop")),
        Just(json!("router")),
        Just(json!("review")),
        Just(json!("node.review.output")),
        Just(json!("branch == 'a'")),
        any::<i32>().prop_map(|number| json!(number)),
    ];
    let keys = prop::sample::select(vec![
        "nodes", "edges", "config", "body", "id", "type", "rule", "tools", "limits", "inputs", "items", "when", "from", "to",
        "ui",
    ]);
    leaf.prop_recursive(8, 80, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((keys.clone(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_a_document_holds_every_warning_has_a_place(document in odd()) {
        for warning in lint(document.to_string().as_bytes(), &catalog()) {
            prop_assert!(document.pointer(&warning.pointer).is_some() || warning.code == "more_warnings", "{:?}", warning);
        }
    }
}
