//! The demos, offline, as a newcomer meets them: they run within seconds, faults are mended, and the figures add up.

use crate::support::{Api, PATIENCE, Server};
use serde_json::{Value, json};
use std::time::Instant;

async fn demos(api: &Api) -> Vec<String> {
    let list = api.get("/api/workflows").await.expect(200);
    let ids: Vec<_> =
        list["workflows"].as_array().unwrap().iter().map(|workflow| workflow["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 2, "{list:#}");
    ids
}

async fn run(api: &Api, workflow: &str) -> Value {
    api.post(&format!("/api/workflows/{workflow}/runs?wait=60"), json!({})).await.expect(201)["run"].clone()
}

async fn trace(api: &Api, run: &Value) -> Vec<Value> {
    let path = format!("/api/runs/{}/trace?limit=5000", run["id"].as_str().unwrap());
    api.get(&path).await.expect(200)["events"].as_array().unwrap().clone()
}

async fn clear_cache(api: &Api) {
    let answer = api.delete("/api/cache").await;
    assert!(answer.status < 300, "{}", answer.text);
}

fn micros(time: &Value) -> i64 {
    time.as_str().unwrap_or_else(|| panic!("no time: {time}")).parse::<jiff::Timestamp>().unwrap().as_microsecond()
}

fn sum<'a>(values: impl Iterator<Item = &'a Value>) -> u64 {
    values.filter_map(Value::as_u64).sum()
}

/// Every figure of the run is told three times: by the run, by its steps, and by its events.
fn adds_up(run: &Value, events: &[Value]) {
    let steps = run["steps"].as_array().unwrap();
    let of = |kind: &'static str| events.iter().filter(move |event| event["kind"] == kind).map(|event| &event["payload"]);
    let number = |key: &str| run[key].as_u64().unwrap();

    let cost = number("total_cost_nanousd");
    assert_eq!(cost, sum(steps.iter().map(|step| &step["cost_nanousd"])), "{run:#}");
    assert_eq!(cost, sum(of("llm.response").map(|response| &response["cost"]["nanousd"])), "{events:#?}");
    let lines = of("llm.response").flat_map(|response| response["cost"]["lines"].as_array().into_iter().flatten());
    // Tokens times price, each line rounded once.
    let exact = lines.map(|line| {
        let pico = u128::from(line["tokens"].as_u64().unwrap()) * u128::from(line["picousd_per_token"].as_u64().unwrap());
        assert_eq!(u128::from(line["nanousd"].as_u64().unwrap()), (pico + 500) / 1000, "{line}");
        line["nanousd"].as_u64().unwrap()
    });
    assert_eq!(cost, exact.sum::<u64>(), "{events:#?}");
    assert_eq!(run["total_cost_cents"].as_f64().unwrap(), cost as f64 / 1e7);

    let usage = |response: &Value| {
        sum(["input_uncached", "cache_read", "cache_write", "output"].iter().map(|part| &response["usage"][*part]))
    };
    let tokens = number("total_tokens");
    assert_eq!(tokens, of("llm.response").map(usage).sum::<u64>(), "{events:#?}");
    let of_steps = steps.iter().flat_map(|step| [&step["tokens_input"], &step["tokens_output"]]);
    assert_eq!(tokens, sum(of_steps), "{run:#}");

    for (key, kind) in [("retries", "retry"), ("fallbacks", "fallback"), ("cache_hits", "cache.hit")] {
        assert_eq!(number(key), of(kind).count() as u64, "{key}: {run:#}");
    }
    assert_eq!(number("saved_nanousd"), sum(of("cache.hit").map(|hit| &hit["saved_nanousd"])), "{run:#}");

    // Times: each of the view is the time of an event, and durations are their differences.
    let at = |event: &Value| micros(&event["ts"]);
    assert!(events.is_sorted_by_key(at), "time goes backwards: {events:#?}");
    let millis = |from: i64, to: i64| (to - from) as f64 / 1000.0;
    let (first, last) = (events.first().unwrap(), events.last().unwrap());
    assert_eq!((micros(&run["started_at"]), micros(&run["finished_at"])), (at(first), at(last)));
    assert_eq!(run["total_latency_ms"].as_f64().unwrap(), millis(at(first), at(last)));
    for step in steps {
        let own = |kind: &str| {
            let mut found = events.iter().filter(|event| event["step_id"] == step["step_id"] && event["kind"] == kind);
            found.next().map(at)
        };
        match (own("step.scheduled"), own("step.succeeded").or(own("step.failed"))) {
            (Some(from), Some(to)) => {
                assert_eq!((micros(&step["started_at"]), micros(&step["finished_at"])), (from, to), "{step:#}");
                assert_eq!(step["latency_ms"].as_f64().unwrap(), millis(from, to), "{step:#}");
                assert!(step["first_token_ms"].as_f64().unwrap_or(0.0) <= millis(from, to), "{step:#}");
            }
            _ => assert_eq!((&step["status"], &step["latency_ms"]), (&json!("skipped"), &Value::Null), "{step:#}"),
        }
    }
}

#[tokio::test]
async fn both_run_offline_within_seconds_and_the_second_time_for_nothing() {
    let server = Server::on(std::sync::Arc::new(tempfile::tempdir().unwrap()), &["--simulate"], |command| {
        // Nothing of what the environment says is called.
        command.env("OPENAI_BASE_URL", "http://127.0.0.1:1/v1").env("ANTHROPIC_BASE_URL", "http://127.0.0.1:1");
    });
    let api = server.api();
    let (mut retries, mut fallbacks) = (0, 0);
    for id in demos(&api).await {
        let begin = Instant::now();
        let first = run(&api, &id).await;
        assert_eq!((&first["status"], &first["simulated"]), (&json!("succeeded"), &json!(true)), "{first:#}");
        assert!(begin.elapsed() < PATIENCE, "{:?}", begin.elapsed());
        assert!(first["total_cost_nanousd"].as_u64().unwrap() > 0 && first["cost_complete"] == true, "{first:#}");
        assert_eq!(first["cache_hits"], 0);
        let events = trace(&api, &first).await;
        adds_up(&first, &events);
        for event in events.iter().filter(|event| ["llm.request", "llm.response"].contains(&event["kind"].as_str().unwrap())) {
            assert_eq!(event["payload"]["simulated"], true, "every answer says that it is simulated: {event:#}");
        }
        retries += first["retries"].as_u64().unwrap();
        fallbacks += first["fallbacks"].as_u64().unwrap();

        let second = run(&api, &id).await;
        let models =
            first["steps"].as_array().unwrap().iter().filter(|step| step["node_type"] == "llm" && step["status"] == "succeeded");
        assert_eq!((&second["status"], &second["output"]), (&json!("succeeded"), &first["output"]));
        assert_eq!((&second["total_cost_nanousd"], &second["total_tokens"]), (&json!(0), &json!(0)), "{second:#}");
        assert_eq!(second["cache_hits"].as_u64().unwrap() as usize, models.count(), "{second:#}");
        assert_eq!(second["saved_nanousd"], first["total_cost_nanousd"], "{second:#}");
        adds_up(&second, &trace(&api, &second).await);
    }
    assert!(retries >= 1 && fallbacks >= 1, "one demo shows a retry and a fallback: {retries} and {fallbacks}");
}

#[tokio::test]
async fn a_forced_failure_shows_a_retry_or_a_fallback() {
    let server = Server::simulated();
    let api = server.api();
    let demos = demos(&api).await;
    let mut usual = Vec::new();
    for id in &demos {
        usual.push(run(&api, id).await);
    }
    let faults = [
        (json!({"status": 429, "retry_after_ms": 50}), 1, 0),
        (json!({"status": 500}), 1, 0),
        (json!({"kind": "cut"}), 1, 0),
        (json!({"kind": "malformed"}), 1, 0),
        (json!({"kind": "empty"}), 1, 0),
        // As often as the first target is asked.
        (json!({"status": 503, "provider": "openai", "times": 3}), 2, 1),
    ];
    // Turn by turn, because the demos take their time on purpose.
    for (number, (fault, retried, passed_on)) in faults.into_iter().enumerate() {
        let (id, usual) = (&demos[number % 2], &usual[number % 2]);
        clear_cache(&api).await;
        let count = fault["times"].as_u64().unwrap_or(1);
        assert_eq!(api.post("/api/simulate/fail-next", fault.clone()).await.expect(200)["waiting"], count);
        let run = run(&api, id).await;
        assert_eq!(run["status"], "succeeded", "{fault}: {run:#}");
        let events = trace(&api, &run).await;
        adds_up(&run, &events);
        let first = run["steps"].as_array().unwrap().iter().find(|step| step["node_type"] == "llm").unwrap();
        let of_first =
            |kind: &str| events.iter().filter(|event| event["kind"] == kind && event["step_id"] == first["step_id"]).count();
        assert!(of_first("retry") >= retried && of_first("fallback") >= passed_on, "{fault}: {events:#?}");
        assert_eq!(run["output"], usual["output"], "a mended fault changes nothing about the result");
    }
}

/// One in ten model calls fails, in one of the ways in which providers do.
#[tokio::test]
async fn ninety_five_of_a_hundred_survive_a_bad_day() {
    let server = Server::simulated();
    let api = server.api();
    api.contract().await;
    let demos = demos(&api).await;
    // The demos without their own pace and faults; every call of a run fails with a chance of one in ten, by a fixed seed.
    let mut random: u64 = 42;
    let mut chance = |one_in: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33).is_multiple_of(one_in)
    };
    let faults = [
        json!({"status": 429, "retryAfterMs": 20}),
        json!({"status": 500}),
        json!({"kind": "cut"}),
        json!({"kind": "malformed"}),
        json!({"kind": "empty"}),
    ];
    let mut documents = Vec::new();
    let mut faulty = 0;
    for number in 0..100 {
        let mut document = api.get(&format!("/api/workflows/{}", demos[number % 2])).await.expect(200)["graph_json"].clone();
        for node in document["nodes"].as_array_mut().unwrap().iter_mut().filter(|node| node["type"] == "llm") {
            // For each attempt at each provider.
            let mut own = Vec::new();
            for provider in ["openai", "anthropic"] {
                for attempt in 0..3 {
                    if !chance(10) {
                        // Attempts that come after this one are another matter: a list of faults has no gaps.
                        break;
                    }
                    let mut fault = faults[(number + attempt) % faults.len()].clone();
                    fault["provider"] = json!(provider);
                    own.push(fault);
                    faulty += 1;
                }
            }
            node["config"]["simulate"] = json!({"answer": node["config"]["simulate"]["answer"], "latencyMs": 1, "faults": own});
            node["config"]["cache"] = json!({"enabled": false});
            node["retry"] = json!({"maxAttempts": 3, "initialMs": 5, "maxMs": 50});
        }
        documents.push(document);
    }
    let runs = futures::future::join_all(documents.into_iter().map(|document| api.run(document, json!({})))).await;
    let mut succeeded = 0;
    let mut mended = 0;
    for run in &runs {
        adds_up(run, &trace(&api, run).await);
        succeeded += usize::from(run["status"] == "succeeded");
        mended += run["retries"].as_u64().unwrap();
    }
    println!("{faulty} faults scripted, {mended} retries, {succeeded} of 100 runs succeeded");
    assert!(mended >= 10, "the day was not bad enough: {mended} retries");
    assert!(succeeded >= 95, "{succeeded} of 100 runs succeeded");
}
