//! `kill -9` at random moments of runs that hold every kind of node: nothing is lost, and nothing is done twice that was done.

use super::*;
use crate::support::Call;
use std::collections::{BTreeMap, HashMap};

const LANES: u64 = 3;
const KILLS_PER_LANE: usize = 20;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

fn get(id: &str, url: &str, path: &str) -> Value {
    json!({"id": id, "type": "tool", "config": {"url": format!("{url}/{id}/{path}")}})
}

/// Every kind of node, and a map in a loop in a workflow.
fn everything(url: &str) -> Value {
    let ask = |id: &str, says: &str| {
        json!({"id": id, "type": "llm", "config": {"provider": "openai", "model": "gpt-4o-mini", "prompt": format!("{id} {{{{input.n}}}}"),
               "cache": {"enabled": false}, "simulate": {"text": says, "latencyMs": 10}}})
    };
    let mut all = document(
        json!([
            get("begin", url, "x"),
            {"id": "each", "type": "map", "config": {"items": [1, 2, 3], "body": body(json!([get("item", url, "{{each.item}}")]))}},
            {"id": "round", "type": "loop", "config": {"maxIterations": 3, "state": {"said": [], "n": 0},
                "update": {"said": {"$append": "{{node.think.output}}"}, "n": {"$add": 1}},
                "body": body(json!([ask("think", "Thought.")]))}},
            {"id": "remember", "type": "set", "config": {"vars": {"n": "{{node.round.output.state.n}}"}, "session": {"runs": {"$add": 1}}}},
            {"id": "agent", "type": "agent", "config": {"provider": "openai", "model": "gpt-4o-mini", "prompt": "Look {{input.n}}.",
                "cache": {"enabled": false},
                "tools": [{"tool": "http", "name": "look", "parameters": {"type": "object"}, "config": {"url": format!("{url}/look/{{{{what}}}}")}}],
                "handoffs": {"helper": {"instructions": "Help.", "simulate": {"latencyMs": 10, "turns": [
                    {}, {}, {"toolCalls": [{"name": "ask", "arguments": {"what": "three"}}]},
                    {"text": "Not mine.", "toolCalls": [{"name": "handoff_to_agent"}, {"name": "ask", "arguments": {"what": "four"}}]}]},
                    "tools": [{"tool": "http", "name": "ask", "parameters": {"type": "object"}, "config": {"url": format!("{url}/ask/{{{{what}}}}")}}]}},
                "simulate": {"latencyMs": 10, "turns": [
                    {"toolCalls": [{"name": "look", "arguments": {"what": "one"}}, {"name": "look", "arguments": {"what": "two"}}]},
                    {"toolCalls": [{"name": "handoff_to_helper"}]}, {}, {}, {"text": "Looked."}]}}},
            {"id": "sub", "type": "workflow", "config": {"workflow": "Child", "input": {"n": "{{input.n}}"}}},
            {"id": "hold", "type": "wait", "config": {"seconds": 0.05}},
            {"id": "sure", "type": "approval", "config": {"message": "Sure?"}},
            {"id": "check", "type": "gate", "config": {"check": "n == 3"}, "inputs": {"n": "{{vars.n}}"}},
            {"id": "way", "type": "router", "config": {"rule": "len(said) == 3 ? 'on' : 'off'"}, "inputs": {"said": "{{node.round.output.state.said}}"}}
        ]),
        &[
            ("begin each", ""),
            ("begin round", ""),
            ("begin agent", ""),
            ("begin sub", ""),
            ("round remember", ""),
            ("each hold", ""),
            ("agent hold", ""),
            ("sub hold", ""),
            ("remember hold", ""),
            ("hold sure", ""),
            ("sure check", ""),
            ("check way", ""),
            ("way last", "branch == 'on'"),
        ],
    );
    let last = echo(
        "last",
        json!({"items": "{{node.each.output}}", "agent": "{{node.agent.output}}", "sub": "{{node.sub.output}}", "state": "{{vars}}"}),
    );
    all["nodes"].as_array_mut().unwrap().push(last);
    all["execution"] = json!({"mode": "parallel"});
    all
}

fn child(url: &str) -> Value {
    let inner = json!({"id": "rounds", "type": "loop", "config": {"maxIterations": 2, "body": body(json!([
        {"id": "pairs", "type": "map", "config": {"items": [1, 2], "body": body(json!([get("deep", url, "{{iteration.index}}{{each.index}}")]))}}]))}});
    document(
        json!([inner, echo("out", json!({"n": "{{input.n}}", "rounds": "{{node.rounds.output.iterations}}"}))]),
        &[("rounds out", "")],
    )
}

/// Books, fails, and is taken back.
fn saga(url: &str) -> Value {
    let undo = json!({"config": {"url": format!("{url}/undo/book"), "method": "POST"}});
    let book = json!({"id": "book", "type": "tool", "config": {"url": format!("{url}/book/x"), "method": "POST"}, "undo": undo});
    let deep = json!({"id": "more", "type": "map", "config": {"items": [1, 2], "maxConcurrency": 1, "body": body(json!([
        {"id": "part", "type": "tool", "config": {"url": format!("{url}/part/{{{{each.item}}}}"), "method": "POST"},
         "undo": {"config": {"url": format!("{url}/undo/part"), "method": "POST"}, "inputs": {"item": "{{each.item}}"}}}]))}});
    let last = json!({"id": "last", "type": "gate", "config": {"check": "false"}});
    document(json!([book, deep, last]), &[("book more", ""), ("more last", "")])
}

fn answer(call: &Call) -> Reply {
    Reply::json(&json!({"path": call.path})).after(Duration::from_millis(8))
}

fn start_body(url: &str, number: usize) -> Value {
    let document = if number.is_multiple_of(2) { everything(url) } else { saga(url) };
    json!({"graph_json": document, "input_vars": {"n": number % 4}, "session_id": "kills"})
}

/// What has to be the same whether the process died or not.
fn essence(run: &Value) -> Value {
    let steps: BTreeMap<&str, Value> = run["steps"]
        .as_array()
        .unwrap()
        .iter()
        // What the session counts depends on who came first, and a person's decision on when.
        .filter(|step| !["remember", "sure"].contains(&step["step_id"].as_str().unwrap()))
        .map(|step| {
            let output = if step["output"]["json"].is_null() { &step["output"] } else { &step["output"]["json"] };
            (
                step["step_id"].as_str().unwrap(),
                json!([step["status"], step["branch"], step["attempts"], without_headers(output)]),
            )
        })
        .collect();
    json!({"status": run["status"], "error": run["error"]["code"], "steps": steps})
}

/// Answers of http calls carry their date.
fn without_headers(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(name, _)| *name != "headers")
            .map(|(name, value)| (name.clone(), without_headers(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_headers).collect(),
        other => other.clone(),
    }
}

async fn answer_questions(api: &Api) {
    let list = api.get("/api/approvals?limit=200").await.expect(200);
    for question in list["approvals"].as_array().unwrap() {
        let answer = decide(api, question, json!({"decision": "approve"})).await;
        assert!([200, 409].contains(&answer.status), "{}", answer.text);
    }
}

async fn all_ended(api: &Api, ids: &[String]) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        answer_questions(api).await;
        let mut open = Vec::new();
        for id in ids {
            let status = api.get(&format!("/api/runs/{id}")).await.expect(200)["status"].clone();
            if ["queued", "running"].contains(&status.as_str().unwrap()) {
                open.push(id);
            }
        }
        let Some(first) = open.first() else { return };
        assert!(Instant::now() < deadline, "stuck: {:#}\n{:#?}", run(api, first).await, trace(api, first).await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_kills_across_every_kind_of_node() {
    let seed = std::env::var("FLOWTRACE_CRASH_SEED").ok().map(|text| text.parse().expect("FLOWTRACE_CRASH_SEED is a number"));
    let seed: u64 = seed.unwrap_or_else(|| {
        u64::from(std::process::id()) << 20 | u64::from(jiff::Timestamp::now().subsec_nanosecond().unsigned_abs())
    });
    // Shown when the test fails.
    println!("the kills are chosen by this seed: FLOWTRACE_CRASH_SEED={seed}");
    let lanes = (0..LANES).map(|lane| tokio::spawn(self::lane(seed.wrapping_add(lane))));
    let (mut lost, mut runs) = (0, 0);
    for lane in futures::future::join_all(lanes).await {
        let (of_lane, count) = lane.expect("a lane failed");
        lost += of_lane;
        runs += count;
    }
    println!("{} kills, {runs} runs, {lost} steps in flight at a kill", LANES * KILLS_PER_LANE as u64);
    assert!(lost > 10, "the kills hit too little: {lost}");
}

async fn lane(seed: u64) -> (usize, usize) {
    let mut random = Random(seed);
    let upstream = Upstream::start(answer);
    // The same without a kill.
    let mut expected = Vec::new();
    {
        let server = simulated(fresh());
        let api = server.api();
        save(&api, "Child", &child(&upstream.url)).await;
        for number in 0..4 {
            let id =
                api.post("/api/runs", start_body(&upstream.url, number)).await.expect(201)["id"].as_str().unwrap().to_owned();
            all_ended(&api, std::slice::from_ref(&id)).await;
            expected.push(essence(&run(&api, &id).await));
        }
        assert_eq!((&expected[0]["status"], &expected[1]["status"]), (&json!("succeeded"), &json!("failed")), "{expected:#?}");
    }
    let mut server = simulated(fresh());
    save(&server.api(), "Child", &child(&upstream.url)).await;
    let mut ids = Vec::new();
    for _ in 0..KILLS_PER_LANE {
        let api = server.api();
        for _ in 0..1 + random.below(2) {
            ids.push(
                api.post("/api/runs", start_body(&upstream.url, ids.len())).await.expect(201)["id"].as_str().unwrap().to_owned(),
            );
        }
        let moment = Duration::from_millis(20 + random.below(250));
        let _ = tokio::time::timeout(moment, async {
            loop {
                answer_questions(&api).await;
                tokio::time::sleep(Duration::from_millis(15)).await;
            }
        })
        .await;
        server = simulated(server.kill());
    }
    let api = server.api();
    all_ended(&api, &ids).await;
    let mut calls: HashMap<String, usize> = HashMap::new();
    for call in upstream.calls() {
        *calls.entry(call.key).or_default() += 1;
    }
    let mut lost = 0;
    for (number, id) in ids.iter().enumerate() {
        let (run, events) = (run(&api, id).await, trace(&api, id).await);
        assert_eq!(essence(&run), expected[number % 4], "run {id}, seed {seed}: {events:#?}");
        assert!(events.iter().zip(1..).all(|(event, seq)| event["seq"] == seq), "{events:#?}");
        let mut of_step: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
        for event in &events {
            let counts = of_step.entry(event["step_id"].as_str().unwrap_or_default()).or_default();
            match event["kind"].as_str().unwrap() {
                "step.scheduled" => counts.0 += 1,
                "step.succeeded" | "step.failed" => counts.1 += 1,
                "step.lost" => counts.2 += 1,
                _ => {}
            }
        }
        for (step, (scheduled, ended, losses)) in of_step.into_iter().filter(|(step, _)| !step.is_empty()) {
            assert!(scheduled <= 1 && ended <= 1, "{step} of {id}, seed {seed}: {events:#?}");
            let made = calls.get(&format!("{id}/{step}/1")).copied().unwrap_or_default();
            assert!(made <= 1 + losses, "{made} calls and {losses} losses of {step} of {id}, seed {seed}: {events:#?}");
            lost += losses;
        }
    }
    // The session counted every run that counts once.
    let reading = document(json!([echo("read", json!({"runs": "{{session.runs}}"}))]), &[]);
    let id = start_with(&api, &reading, json!({}), Some("kills")).await;
    assert_eq!(ended(&api, &id).await["output"]["runs"], ids.len().div_ceil(2), "seed {seed}");
    (lost, ids.len())
}
