//! Every limit of a run ends it before the spending, with what there is so far.

use super::*;
use crate::support::Tokens;

/// Runs a document until a limit stops it: the run, and the one `budget.exceeded`.
async fn stopped(api: &Api, document: &Value, limit: &str) -> (Value, Value) {
    let id = start(api, document).await;
    let ended_run = ended(api, &id).await;
    let events = trace(api, &id).await;
    assert_eq!(
        (&ended_run["status"], &ended_run["error"]["code"]),
        (&json!("failed"), &json!("budget_exceeded")),
        "{ended_run:#}"
    );
    assert!(ended_run["error"]["message"].as_str().unwrap().contains(limit), "{ended_run:#}");
    let exceeded: Vec<&Value> = events.iter().filter(|event| event["kind"] == "budget.exceeded").collect();
    assert_eq!((exceeded.len(), &exceeded[0]["payload"]["limit"]), (1, &json!(limit)), "{events:#?}");
    (ended_run, exceeded[0].clone())
}

fn with_limits(mut document: Value, limits: Value) -> Value {
    document["limits"] = limits;
    document
}

fn succeeded(run: &Value) -> usize {
    run["steps"].as_array().unwrap().iter().filter(|step| step["status"] == "succeeded").count()
}

#[tokio::test]
async fn steps_and_tool_calls() {
    let server = simulated(fresh());
    let api = server.api();
    let chain = document(
        json!([echo("a", json!({"n": 1})), echo("b", json!({"n": 2})), echo("c", json!({"n": 3}))]),
        &[("a b", ""), ("b c", "")],
    );
    for limit in ["maxSteps", "maxToolCalls"] {
        let (run, event) = stopped(&api, &with_limits(chain.clone(), json!({limit: 2})), limit).await;
        assert_eq!((succeeded(&run), &run["output"]), (2, &json!({"n": 2})), "{run:#}");
        assert_eq!((&event["payload"]["allowed"], &event["payload"]["used"]), (&json!(2.0), &json!(2.0)), "{event}");
    }
    // Many at once do not slip through together.
    let items: Vec<u32> = (0..50).collect();
    let wide = document(
        json!([echo("a", json!({"n": 1})), {"id": "each", "type": "map", "config": {
            "items": items, "maxConcurrency": 50, "body": body(json!([echo("item", json!({"n": "{{each.item}}"}))]))}}]),
        &[("a each", "")],
    );
    let (run, _) = stopped(&api, &with_limits(wide, json!({"maxToolCalls": 10})), "maxToolCalls").await;
    let calls = shape(&trace(&api, run["id"].as_str().unwrap()).await, &["tool.request"]).len();
    assert_eq!(calls, 10, "{run:#}");
}

#[tokio::test]
async fn tokens_cost_and_time() {
    let upstream = Upstream::start(|call| match call.prompt() {
        "" => Reply::silence(),
        _ => Reply::says(call, "Said.", Tokens::plain(100, 20)),
    });
    let server = serve(fresh(), &upstream);
    let api = server.api();
    let ask = |id: &str| {
        json!({"id": id, "type": "llm", "config": {
            "provider": "openai", "model": "gpt-4o-mini", "prompt": format!("about {id}"), "cache": {"enabled": false}}})
    };
    let chain = document(json!([ask("a"), ask("b"), ask("c")]), &[("a b", ""), ("b c", "")]);
    let (run, event) = stopped(&api, &with_limits(chain.clone(), json!({"maxTokens": 150})), "maxTokens").await;
    assert_eq!((succeeded(&run), &run["output"], &run["total_tokens"]), (2, &json!("Said."), &json!(240)), "{run:#}");
    assert_eq!(event["payload"]["allowed"], 150.0);
    // The second call was told what is left.
    let told = upstream.calls_about("about b")[0].body.clone();
    let told = told.get("max_completion_tokens").or(told.get("max_tokens")).and_then(Value::as_u64);
    assert!(told.is_some_and(|told| told <= 30), "{told:?}");
    // 100 × 150 + 20 × 600 nano-dollars a call.
    let (run, _) = stopped(&api, &with_limits(chain, json!({"maxCostUsd": 0.00003})), "maxCostUsd").await;
    assert_eq!((succeeded(&run), &run["total_cost_nanousd"]), (2, &json!(54_000)), "{run:#}");

    let hang = json!({"id": "hang", "type": "tool", "timeoutSeconds": 60, "config": {"url": format!("{}/hang", upstream.url)}});
    let slow = document(json!([echo("a", json!({"n": 1})), hang]), &[("a hang", "")]);
    let (run, _) = stopped(&api, &with_limits(slow, json!({"timeoutSeconds": 1})), "timeoutSeconds").await;
    assert_eq!((succeeded(&run), &run["output"]), (1, &json!({"n": 1})), "{run:#}");
}

#[tokio::test]
async fn iterations_depth_and_spawns() {
    let server = simulated(fresh());
    let api = server.api();
    let looped = |config: Value| {
        let mut with = json!({"maxIterations": 10, "body": body(json!([echo("x", json!({"n": "{{iteration.index}}"}))]))});
        with.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
        document(json!([echo("a", json!({"n": 1})), {"id": "round", "type": "loop", "config": with}]), &[("a round", "")])
    };
    let iterations = |run: &Value| {
        let steps = run["steps"].as_array().unwrap();
        steps.iter().filter(|step| step["step_id"].as_str().unwrap().ends_with("]/x") && step["status"] == "succeeded").count()
    };
    let (run, _) = stopped(&api, &with_limits(looped(json!({})), json!({"maxIterations": 4})), "maxIterations").await;
    assert_eq!((iterations(&run), &run["output"]), (4, &json!({"n": 1})), "{run:#}");
    // Limits of the loop itself.
    for limit in ["maxSteps", "maxToolCalls"] {
        let (run, event) = stopped(&api, &looped(json!({limit: 3})), limit).await;
        assert_eq!((iterations(&run), &event["step_id"]), (3, &json!("round")), "{run:#}");
    }
    // What the loop came to may be handled.
    let mut handled = looped(json!({"maxSteps": 3}));
    handled["nodes"].as_array_mut().unwrap().push(echo("instead", json!({"why": "{{node.round.error.code}}"})));
    handled["edges"].as_array_mut().unwrap().push(json!({"from": "round", "to": "instead", "on": "error"}));
    let id = start(&api, &handled).await;
    assert_eq!(ended(&api, &id).await["output"], json!({"why": "budget_exceeded"}));

    // A workflow that calls itself.
    let itself = document(json!([{"id": "again", "type": "workflow", "config": {"workflow": "Itself"}}]), &[]);
    let itself = with_limits(itself, json!({"maxDepth": 3}));
    save(&api, "Itself", &itself).await;
    let (run, _) = stopped(&api, &itself, "maxDepth").await;
    // The third is begun, and the fourth is not.
    assert_eq!(run["steps"].as_array().unwrap().len(), 3, "{run:#}");
    assert_eq!(step(&run, "again[0]/again[0]/again")["status"], "canceled", "{run:#}");
    save(&api, "Leaf", &document(json!([echo("leaf", json!({}))]), &[])).await;
    let many = document(
        json!([{"id": "each", "type": "map", "config": {"items": [1, 2, 3, 4, 5], "maxConcurrency": 5, "body": body(json!([
            {"id": "call", "type": "workflow", "config": {"workflow": "Leaf"}}]))}}]),
        &[],
    );
    let (run, _) = stopped(&api, &with_limits(many, json!({"maxSpawns": 3})), "maxSpawns").await;
    let children = shape(&trace(&api, run["id"].as_str().unwrap()).await, &["child.started"]).len();
    assert_eq!(children, 3, "{run:#}");
}

#[tokio::test]
async fn agents() {
    let server = simulated(fresh());
    let api = server.api();
    let agent = |more: Value| {
        let mut config = json!({
            "provider": "openai", "model": "gpt-4o-mini", "prompt": "Go on.", "cache": {"enabled": false},
            "tools": [{"tool": "echo", "parameters": {"type": "object"}}],
            "handoffs": {"other": {"instructions": "Hand back.", "simulate": {"toolCalls": [{"name": "handoff_to_agent"}]}}},
            "simulate": {"toolCalls": [{"name": "echo", "arguments": {"x": 1}}]}
        });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        document(json!([echo("a", json!({"n": 1})), {"id": "agent", "type": "agent", "config": config}]), &[("a agent", "")])
    };
    let turns = |run: &Value| {
        let steps = run["steps"].as_array().unwrap();
        steps.iter().filter(|step| step["step_id"].as_str().unwrap().ends_with("]/model")).count()
    };
    let (run, _) = stopped(&api, &agent(json!({"maxSteps": 3})), "maxSteps").await;
    assert_eq!((turns(&run), &run["output"]), (3, &json!({"n": 1})), "{run:#}");
    let (run, _) = stopped(&api, &agent(json!({"maxToolCalls": 2})), "maxToolCalls").await;
    let calls = run["steps"].as_array().unwrap().iter().filter(|step| step["step_id"].as_str().unwrap().ends_with("/call"));
    assert_eq!(calls.filter(|step| step["status"] == "succeeded").count(), 2, "{run:#}");
    stopped(&api, &agent(json!({"maxTokens": 60})), "maxTokens").await;
    let (run, _) = stopped(&api, &with_limits(agent(json!({})), json!({"maxIterations": 2})), "maxIterations").await;
    assert_eq!(turns(&run), 2, "{run:#}");
    let handing = agent(json!({"maxHandoffs": 2, "simulate": {"toolCalls": [{"name": "handoff_to_other"}]}}));
    let (run, _) = stopped(&api, &handing, "maxHandoffs").await;
    assert_eq!(turns(&run), 3, "{run:#}");
    // The third hand-over is the one too many.
    let traces = format!("/api/traces/{}", run["trace_id"].as_str().unwrap());
    let mut trace = api.get(&traces).await;
    for _ in 0..100 {
        if trace.status == 200 && trace.json()["status"] != "running" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        trace = api.get(&traces).await;
    }
    let trace = trace.expect(200);
    assert_eq!(trace["summary"]["handoff_depth"], 2, "{trace:#}");
}
