//! What goes wrong on the other side of the wire, through the whole binary: each fault ends in the documented way.

use crate::support::sse::Stream;
use crate::support::{Api, Call, End, Reply, Server, To, Tokens, Upstream, wait_until};
use axum::body::Bytes;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const FINE: &str = "All is well again.";

fn tokens() -> Tokens {
    Tokens::plain(100, 20)
}

fn fine(call: &Call) -> Reply {
    Reply::says(call, FINE, tokens())
}

fn upstream(answer: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> (Upstream, Server) {
    let upstream = Upstream::start(answer);
    let server = serve(&upstream, Arc::new(tempfile::tempdir().unwrap()));
    (upstream, server)
}

fn serve(upstream: &Upstream, directory: Arc<tempfile::TempDir>) -> Server {
    Server::on(directory, &["--allow-private-network", "--no-demo"], |command| upstream.configure(command))
}

/// One model step; `more` goes over its config.
fn ask(provider: &str, prompt: &str, more: Value) -> Value {
    let model = if provider == "openai" { "gpt-4o-mini" } else { "claude-sonnet-4-6" };
    let mut config =
        json!({"provider": provider, "model": model, "prompt": prompt, "fallbacks": [], "cache": {"enabled": false}});
    for (name, value) in more.as_object().unwrap() {
        match value {
            Value::Null => drop(config.as_object_mut().unwrap().remove(name)),
            value => config[name] = value.clone(),
        }
    }
    let retry = json!({"maxAttempts": 2, "initialMs": 20, "maxMs": 5000});
    let node = json!({"id": "ask", "type": "llm", "config": config, "retry": retry, "timeoutSeconds": 1});
    json!({"version": "1", "entry": "ask", "nodes": [node], "edges": []})
}

async fn run(api: &Api, document: Value) -> (Value, Vec<Value>) {
    let run = api.run(document, json!({})).await;
    let trace = api.get(&format!("/api/runs/{}/trace?limit=5000", run["id"].as_str().unwrap())).await.expect(200);
    (run, trace["events"].as_array().unwrap().clone())
}

fn of_kind<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["kind"] == kind).map(|event| &event["payload"]).collect()
}

/// Microseconds since the epoch of one of the API's times.
fn micros(time: &Value) -> i64 {
    time.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_microsecond()
}

#[track_caller]
fn is_sentence(text: &str, parts: &[&str]) {
    assert!(text.ends_with(['.', '!', '?', '…']) && text.contains(' '), "no sentence: {text}");
    for part in parts {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}

type Fault = fn(&Call) -> Reply;

/// Faults that another try may mend, with their codes.
const TRANSIENT: [(&str, &str, Fault); 17] = [
    ("429", "rate_limited", |_| Reply::error(429, "rate_limit_error", "Too fast.")),
    ("overloaded", "rate_limited", |_| Reply::error(529, "overloaded_error", "Overloaded.")),
    ("500", "server_error", |_| Reply::error(500, "api_error", "Broken inside.")),
    ("503", "server_error", |_| Reply::status(503, "<html>Service unavailable</html>")),
    ("silence", "timeout", |_| Reply::silence()),
    ("hang in the stream", "timeout", |call| fine(call).hanging_after(4)),
    ("hang before the first event", "timeout", |call| fine(call).hanging_after(0)),
    ("cut after the first event", "stream_cut", |call| fine(call).cut_after(1)),
    ("cut in the text", "stream_cut", |call| fine(call).cut_after(5)),
    ("cut before the end marker", "stream_cut", |call| {
        let reply = fine(call);
        let last = reply.frame_count() - 1;
        reply.cut_after(last)
    }),
    ("closed in the text", "stream_cut", |call| fine(call).stopped_in_frame(5)),
    ("closed in the end marker", "stream_cut", |call| {
        let reply = fine(call);
        let last = reply.frame_count() - 1;
        reply.stopped_in_frame(last)
    }),
    ("half a JSON", "malformed", |_| Reply::frames("application/json", vec![Bytes::from_static(b"{\"choices\": [")])),
    ("another JSON", "malformed", |_| Reply::json(&json!({"hello": "world"}))),
    ("an event that is not JSON", "malformed", |_| {
        Reply::frames("text/event-stream", vec![Bytes::from_static(b"data: {no\n\n")])
    }),
    ("an empty body", "malformed", |_| Reply::frames("application/json", vec![Bytes::new()])),
    ("an empty stream", "malformed", |_| Reply::frames("text/event-stream", vec![Bytes::new()])),
];

fn transient(prompt: &str) -> Fault {
    let found = TRANSIENT.iter().find(|(name, ..)| prompt.ends_with(&format!(": {name}")));
    found.unwrap_or_else(|| panic!("no fault is called {prompt}")).2
}

/// `once: …` fails on the first attempt, `always: …` always, `there: …` always at the provider that the prompt names.
fn faulty(call: &Call, seen: &Mutex<HashMap<String, u32>>) -> Reply {
    let prompt = call.prompt();
    let mut seen = seen.lock().unwrap();
    let number = seen.entry(call.key.clone()).or_default();
    *number += 1;
    let own = prompt.starts_with(if call.to == To::OpenAi { "openai" } else { "anthropic" });
    let fails = match () {
        _ if prompt.contains(" once: ") => *number == 1,
        _ if prompt.contains(" there: ") => own,
        _ => true,
    };
    if fails { transient(prompt)(call) } else { fine(call) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_that_may_pass_is_tried_again_then_left_to_another() {
    let seen = Mutex::default();
    let (upstream, server) = upstream(move |call| faulty(call, &seen));
    let api = server.api();
    api.contract().await;
    let mut cases = Vec::new();
    for (provider, other) in [("openai", "anthropic"), ("anthropic", "openai")] {
        for (name, code, _) in TRANSIENT {
            let api = api.clone();
            cases.push(async move {
                // Once: the second attempt answers.
                let (run, events) = self::run(&api, ask(provider, &format!("{provider} once: {name}"), json!({}))).await;
                assert_eq!((&run["status"], &run["output"]), (&json!("succeeded"), &json!(FINE)), "{name}: {run:#}");
                let retries = of_kind(&events, "retry");
                assert_eq!((retries.len(), &retries[0]["error"]["code"]), (1, &json!(code)), "{provider} {name}: {retries:#?}");
                assert_eq!((&retries[0]["attempt"], &retries[0]["request"]), (&json!(2), &json!(1)));
                let ts = events.iter().find(|event| event["kind"] == "retry").map(|event| micros(&event["ts"])).unwrap();
                let after = retries[0]["after_ms"].as_i64().unwrap();
                assert_eq!(micros(&retries[0]["due"]), ts + after * 1000, "{retries:#?}");
                // The first wait is 20 ms, half of it random.
                assert!((10..=20).contains(&after), "{retries:#?}");
                let second = events.iter().filter(|event| event["kind"] == "llm.request").nth(1).unwrap();
                assert!(micros(&second["ts"]) >= ts + after * 1000, "the second attempt came too early: {events:#?}");
                assert_eq!((&run["total_tokens"], &run["retries"]), (&json!(120), &json!(1)), "a failed attempt counts nothing");

                // Always, and nobody else: the run fails with the last attempt's failure.
                let (run, events) = self::run(&api, ask(provider, &format!("{provider} always: {name}"), json!({}))).await;
                assert_eq!((&run["status"], &run["failed_step"]), (&json!("failed"), &json!("ask")), "{name}: {run:#}");
                assert_eq!(run["error"]["code"], code, "{provider} {name}: {run:#}");
                is_sentence(run["error"]["message"].as_str().unwrap(), &[provider, "model"]);
                assert_eq!((of_kind(&events, "retry").len(), of_kind(&events, "fallback").len()), (1, 0), "{events:#?}");

                // Always, and somebody else is listed.
                let listed = json!({"fallbacks": [{"provider": other, "model": "model-of-the-other"}]});
                let (run, events) = self::run(&api, ask(provider, &format!("{provider} there: {name}"), listed)).await;
                assert_eq!((&run["status"], &run["output"]), (&json!("succeeded"), &json!(FINE)), "{name}: {run:#}");
                let fallbacks = of_kind(&events, "fallback");
                assert_eq!((fallbacks.len(), &fallbacks[0]["error"]["code"]), (1, &json!(code)), "{name}: {fallbacks:#?}");
                assert_eq!(fallbacks[0]["to"], json!({"provider": other, "model": "model-of-the-other"}));
                let step = &run["steps"][0];
                assert_eq!((&step["provider"], &step["attempts"], &step["requests"]), (&json!(other), &json!(3), &json!(2)));
            });
        }
    }
    futures::future::join_all(cases).await;
    for call in upstream.calls() {
        assert!(call.key.ends_with("/ask/1") || call.prompt().contains(" there: ") && call.key.ends_with("/ask/2"), "{call:?}");
    }
}

#[tokio::test]
async fn what_would_fail_again_is_neither_retried_nor_passed_on() {
    let (upstream, server) = upstream(|call| {
        let status: u16 = call.prompt().rsplit(' ').next().unwrap().parse().unwrap();
        match status {
            // More than any answer may have.
            200 => {
                let text = "x".repeat(512 << 10);
                let chunk = match call.to {
                    To::OpenAi => json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]}),
                    _ => json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}),
                };
                Reply::frames("text/event-stream", vec![Bytes::from(format!("data: {chunk}\n\n"))]).endless()
            }
            status => Reply::error(status, "some_error", "The upstream's own words"),
        }
    });
    let api = server.api();
    for (provider, other) in [("openai", "anthropic"), ("anthropic", "openai")] {
        let setting = format!("{}_API_KEY", provider.to_uppercase());
        for (status, code, part) in [
            (400, "bad_request", "own words"),
            (401, "unauthorized", setting.as_str()),
            (403, "unauthorized", setting.as_str()),
            (404, "bad_request", "model's name"),
            (422, "bad_request", "own words"),
            (200, "too_large", "more than"),
        ] {
            let prompt = format!("{provider} {status}");
            let mut document = ask(provider, &prompt, json!({"fallbacks": [{"provider": other, "model": "x"}]}));
            document["nodes"][0]["timeoutSeconds"] = json!(60);
            let (run, events) = self::run(&api, document).await;
            assert_eq!((&run["status"], &run["error"]["code"]), (&json!("failed"), &json!(code)), "{prompt}: {run:#}");
            assert_eq!(run["error"]["status"], status);
            is_sentence(run["error"]["message"].as_str().unwrap(), &[provider, part]);
            assert!(of_kind(&events, "retry").is_empty() && of_kind(&events, "fallback").is_empty(), "{events:#?}");
            assert_eq!(upstream.calls_about(&prompt).len(), 1, "{prompt}");
        }
    }
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let seen: Mutex<BTreeSet<String>> = Mutex::default();
    let (upstream, server) = upstream(move |call| match seen.lock().unwrap().insert(call.key.clone()) {
        true if call.prompt() == "long" => Reply::error(429, "rate_limit_error", "Later.").header("retry-after", 60),
        true => Reply::error(429, "rate_limit_error", "Later.").header("retry-after", 1),
        false => fine(call),
    });
    let api = server.api();
    for provider in ["openai", "anthropic"] {
        let (run, events) = self::run(&api, ask(provider, &format!("wait, {provider}"), json!({}))).await;
        assert_eq!(run["status"], "succeeded", "{run:#}");
        let retry = of_kind(&events, "retry")[0];
        assert_eq!((&retry["error"]["retry_after_ms"], &retry["error"]["status"]), (&json!(1000), &json!(429)));
        assert!((1000..=1100).contains(&retry["after_ms"].as_u64().unwrap()), "{retry}");
        let calls = upstream.calls_about(&format!("wait, {provider}"));
        assert!(calls.len() == 2 && calls[1].at - calls[0].at >= Duration::from_secs(1), "{calls:#?}");
        assert_eq!(calls[0].key, calls[1].key);
    }
    // Longer than the node's longest wait, and somebody else can answer now. That one says the same, and has nobody to pass
    // it on to: so the run waits its minute.
    let document = ask("openai", "long", json!({"fallbacks": [{"provider": "anthropic", "model": "x"}]}));
    let id = api.post("/api/runs", json!({"graph_json": document})).await.expect(201)["id"].as_str().unwrap().to_owned();
    upstream.wait_for_calls("long", 2);
    let events = loop {
        let events = api.get(&format!("/api/runs/{id}/trace")).await.expect(200)["events"].as_array().unwrap().clone();
        if !of_kind(&events, "retry").is_empty() {
            break events;
        }
    };
    assert_eq!((of_kind(&events, "retry").len(), of_kind(&events, "fallback").len()), (1, 1), "{events:#?}");
    assert_eq!(of_kind(&events, "retry")[0]["request"], 2, "the stand-in's request waits: {events:#?}");
    assert_eq!(of_kind(&events, "llm.request")[1]["provider"], "anthropic");
    assert_eq!(api.get(&format!("/api/runs/{id}")).await.expect(200)["phase"], "waiting");
    api.post(&format!("/api/runs/{id}/cancel"), json!({})).await.expect(202);
}

#[tokio::test]
async fn the_documented_stand_in_answers_in_both_directions() {
    // Nobody listens at one of the two.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (dead, alive, model, stand_in) in
        [("openai", "anthropic", "gpt-4o-mini", "claude-haiku-4-5"), ("anthropic", "openai", "claude-sonnet-4-6", "gpt-4.1")]
    {
        let upstream = Upstream::start(fine);
        let server = Server::on(Arc::new(tempfile::tempdir().unwrap()), &["--no-demo"], |command| {
            upstream.configure(command);
            command.env(format!("{}_BASE_URL", dead.to_uppercase()), format!("http://{closed}/v1"));
        });
        let api = server.api();
        let (run, events) = self::run(&api, ask(dead, "hello", json!({"fallbacks": null}))).await;
        assert_eq!((&run["status"], &run["output"]), (&json!("succeeded"), &json!(FINE)), "{run:#}");
        let fallback = of_kind(&events, "fallback");
        assert_eq!(fallback[0]["from"], json!({"provider": dead, "model": model}));
        assert_eq!(fallback[0]["to"], json!({"provider": alive, "model": stand_in}));
        assert_eq!(fallback[0]["error"]["code"], "connection");
        assert!(of_kind(&events, "retry").is_empty(), "nobody listens, so the other one is asked at once: {events:#?}");
        assert_eq!(upstream.calls()[0].body["model"], stand_in);

        // Where the author wants nobody else, it is tried again and then told.
        let (run, events) = self::run(&api, ask(dead, "hello", json!({}))).await;
        assert_eq!((&run["status"], &run["error"]["code"]), (&json!("failed"), &json!("connection")), "{run:#}");
        is_sentence(run["error"]["message"].as_str().unwrap(), &[dead, &closed.to_string(), "could not be reached"]);
        assert_eq!(of_kind(&events, "retry").len(), 1, "{events:#?}");
    }
}

#[tokio::test]
async fn a_list_of_fallbacks_is_gone_through_in_order() {
    let (upstream, server) = upstream(|call| match call.body["model"].as_str().unwrap() {
        "third" => fine(call),
        _ => Reply::error(500, "api_error", "Broken."),
    });
    let listed = json!({"fallbacks": [
        {"provider": "anthropic", "model": "second"}, {"provider": "openai", "model": "third"}, {"provider": "openai", "model": "fourth"}
    ]});
    let (run, events) = self::run(&server.api(), ask("openai", "hello", listed)).await;
    assert_eq!((&run["status"], &run["fallbacks"], &run["retries"]), (&json!("succeeded"), &json!(2), &json!(2)), "{run:#}");
    let asked: Vec<_> = upstream.calls().iter().map(|call| call.body["model"].as_str().unwrap().to_owned()).collect();
    assert_eq!(asked, ["gpt-4o-mini", "gpt-4o-mini", "second", "second", "third"]);
    let keys: Vec<_> = upstream.calls().iter().map(|call| call.key.rsplit('/').next().unwrap().to_owned()).collect();
    assert_eq!(keys, ["1", "1", "2", "2", "3"], "a stand-in is a new request, a retry is not");
    assert_eq!(of_kind(&events, "fallback")[1]["request"], 3);
    // Two failed requests cost nothing, and the price is that of the model that says it answered.
    assert_eq!(
        (&run["total_cost_nanousd"], &run["steps"][0]["answered_by"]),
        (&json!(24_000 + 3_000), &json!("gpt-4o-mini-2024-07-18"))
    );
}

#[tokio::test]
async fn a_provider_that_is_not_set_up_names_the_setting() {
    let upstream = Upstream::start(|_| Reply::error(500, "api_error", "Broken."));
    let server = Server::on(Arc::new(tempfile::tempdir().unwrap()), &["--no-demo"], |command| {
        upstream.configure(command);
        command.env_remove("ANTHROPIC_API_KEY").env_remove("ANTHROPIC_BASE_URL");
    });
    assert!(server.banner.contains("openai") && !server.banner.contains("anthropic"), "{}", server.banner);
    let api = server.api();
    let (run, events) = self::run(&api, ask("anthropic", "hello", json!({"fallbacks": null}))).await;
    assert_eq!((&run["status"], &run["error"]["code"]), (&json!("failed"), &json!("not_configured")), "{run:#}");
    is_sentence(run["error"]["message"].as_str().unwrap(), &["anthropic", "ANTHROPIC_API_KEY", "--simulate"]);
    assert!(of_kind(&events, "retry").is_empty() && of_kind(&events, "fallback").is_empty(), "{events:#?}");
    // It is no stand-in either.
    let (run, events) = self::run(&api, ask("openai", "hello", json!({"fallbacks": null}))).await;
    assert_eq!((&run["error"]["code"], of_kind(&events, "fallback").len()), (&json!("server_error"), 0), "{run:#}");
}

#[tokio::test]
async fn an_identical_call_is_answered_by_the_cache() {
    let (upstream, server) = upstream(fine);
    let api = server.api();
    let cost = 100 * 150 + 20 * 600;
    let cached = |prompt: &str, cache: Value| ask("openai", prompt, json!({"cache": cache}));
    let figures =
        |run: &Value| ["total_cost_nanousd", "saved_nanousd", "total_tokens", "cache_hits"].map(|key| run[key].as_u64().unwrap());

    let (first, _) = run(&api, cached("again", Value::Null)).await;
    assert_eq!(figures(&first), [cost, 0, 120, 0]);
    let (second, events) = run(&api, cached("again", Value::Null)).await;
    assert_eq!(figures(&second), [0, cost, 0, 1]);
    assert_eq!((&second["output"], &second["steps"][0]["cached"]), (&json!(FINE), &json!(true)));
    let hit = of_kind(&events, "cache.hit")[0];
    assert_eq!((&hit["origin_run"], &hit["saved_tokens"]), (&first["id"], &json!(120)));
    assert_eq!(upstream.calls_about("again").len(), 1);
    // Another prompt, another parameter: another call.
    let mut warmer = cached("again", Value::Null);
    warmer["nodes"][0]["config"]["temperature"] = json!(0.5);
    assert_eq!(figures(&run(&api, warmer).await.0)[3], 0);
    assert_eq!(figures(&run(&api, cached("again?", Value::Null)).await.0)[3], 0);

    for _ in 0..2 {
        assert_eq!(figures(&run(&api, cached("never", json!({"enabled": false}))).await.0), [cost, 0, 120, 0]);
    }
    assert_eq!(upstream.calls_about("never").len(), 2);

    let short = || cached("short-lived", json!({"ttlSeconds": 1}));
    assert_eq!(figures(&run(&api, short()).await.0)[3], 0);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(figures(&run(&api, short()).await.0)[3], 0, "the entry has expired");

    // It survives the process.
    let (directory, _) = server.stop();
    let server = serve(&upstream, directory);
    assert_eq!(figures(&run(&server.api(), cached("again", Value::Null)).await.0), [0, cost, 0, 1]);
}

#[tokio::test]
async fn twenty_at_once_are_one_call() {
    let (upstream, server) = upstream(|call| fine(call).after(Duration::from_millis(300)));
    let api = server.api();
    api.contract().await;
    let runs = (0..20).map(|_| self::run(&api, ask("openai", "all the same", json!({"cache": null}))));
    let mut runs: Vec<Value> = futures::future::join_all(runs).await.into_iter().map(|(run, _)| run).collect();
    assert!(runs.iter().all(|run| run["output"] == FINE), "{runs:#?}");
    assert_eq!(upstream.calls().len(), 1);
    runs.sort_by_key(|run| run["cache_hits"].as_u64());
    let hits: Vec<_> = runs.iter().map(|run| run["cache_hits"].as_u64().unwrap()).collect();
    assert_eq!((hits[0], hits[1], hits[19]), (0, 1, 1), "{hits:?}");
    assert_eq!(runs.iter().map(|run| run["total_cost_nanousd"].as_u64().unwrap()).sum::<u64>(), 27_000);

    // A leader that fails does not take the others with it.
    let seen = Mutex::new(0);
    let (upstream, server) = self::upstream(move |call| {
        let mut seen = seen.lock().unwrap();
        *seen += 1;
        if *seen == 1 { Reply::error(400, "bad", "No.").after(Duration::from_millis(200)) } else { fine(call) }
    });
    let api = server.api();
    let runs = (0..5).map(|_| self::run(&api, ask("openai", "all the same", json!({"cache": null}))));
    let runs: Vec<Value> = futures::future::join_all(runs).await.into_iter().map(|(run, _)| run).collect();
    let failed = runs.iter().filter(|run| run["status"] == "failed").count();
    assert_eq!((failed, upstream.calls().len()), (1, 2), "{runs:#?}");
}

#[tokio::test]
async fn simulated_and_real_answers_never_share_the_cache() {
    let upstream = Upstream::start(fine);
    let document =
        || ask("openai", "who are you?", json!({"cache": null, "simulate": {"answer": "A simulation.", "latencyMs": 0}}));
    let simulate = |directory| Server::on(directory, &["--simulate", "--no-demo"], |command| upstream.configure(command));
    let server = simulate(Arc::new(tempfile::tempdir().unwrap()));
    let (first, _) = run(&server.api(), document()).await;
    assert_eq!((&first["output"], &first["simulated"]), (&json!("A simulation."), &json!(true)), "{first:#}");
    assert!(upstream.calls().is_empty(), "a simulation calls nobody");
    let (directory, _) = server.stop();

    let server = serve(&upstream, directory);
    let (real, _) = run(&server.api(), document()).await;
    assert_eq!((&real["output"], &real["cache_hits"], &real["simulated"]), (&json!(FINE), &json!(0), &json!(false)), "{real:#}");
    let (directory, _) = server.stop();

    let server = simulate(directory);
    let (again, _) = run(&server.api(), document()).await;
    assert_eq!((&again["output"], &again["cache_hits"], &again["simulated"]), (&json!("A simulation."), &json!(1), &json!(true)));
    assert_eq!(upstream.calls().len(), 1);
}

#[tokio::test]
async fn text_arrives_while_the_upstream_is_still_talking() {
    for provider in ["openai", "anthropic"] {
        // The end does not come before the test has seen the beginning.
        let (upstream, server) = upstream(|call| fine(call).hanging_after(6));
        let api = server.api();
        let mut document = ask(provider, "talk", json!({}));
        document["nodes"][0]["timeoutSeconds"] = json!(60);
        let id = api.post("/api/runs", json!({"graph_json": document})).await.expect(201)["id"].as_str().unwrap().to_owned();
        let mut stream = Stream::open(&api, &id, None).await.unwrap();
        let mut text = String::new();
        while text.len() < 5 {
            let message = stream.next().await.expect("the stream ended");
            if message.event == "delta" {
                text.push_str(message.data["text"].as_str().unwrap());
            }
        }
        assert!(FINE.starts_with(&text), "{text}");
        assert_eq!(upstream.calls()[0].end(), None);

        // Cancel: the upstream sees the connection close, and the run is over.
        api.post(&format!("/api/runs/{id}/cancel"), json!({})).await.expect(202);
        let (end, _) = wait_until("the call to be given up", || upstream.calls()[0].end());
        assert_eq!(end, End::Abandoned);
        let rest = stream.rest().await;
        assert_eq!(rest.last().unwrap().data["status"], "canceled", "{rest:#?}");
        let run = api.get(&format!("/api/runs/{id}")).await.expect(200);
        assert_eq!((&run["status"], &run["steps"][0]["status"]), (&json!("canceled"), &json!("canceled")), "{run:#}");
        api.post(&format!("/api/runs/{id}/cancel"), json!({})).await.expect(202);
    }
    // The same for a tool.
    let (upstream, server) = upstream(|_| Reply::silence());
    let api = server.api();
    let document = json!({"version": "1", "entry": "get", "edges": [],
        "nodes": [{"id": "get", "type": "tool", "config": {"url": format!("{}/slow", upstream.url)}}]});
    let id = api.post("/api/runs", json!({"graph_json": document})).await.expect(201)["id"].as_str().unwrap().to_owned();
    upstream.wait_for_calls("/slow", 1);
    api.post(&format!("/api/runs/{id}/cancel"), json!({})).await.expect(202);
    assert_eq!(wait_until("the call to be given up", || upstream.calls()[0].end()).0, End::Abandoned);
}

/// Three model calls in a row, each of 120 tokens and 27,000 nano-dollars.
fn three(limits: Value) -> Value {
    let node = |id: &str| {
        json!({"id": id, "type": "llm", "config": {
            "provider": "openai", "model": "gpt-4o-mini", "prompt": format!("step {id}"), "fallbacks": [], "cache": {"enabled": false}
        }})
    };
    json!({
        "version": "1", "entry": "a", "nodes": [node("a"), node("b"), node("c")],
        "edges": [{"from": "a", "to": "b"}, {"from": "b", "to": "c"}], "limits": limits
    })
}

#[tokio::test]
async fn a_budget_that_is_used_up_ends_the_run_with_what_there_is() {
    let (upstream, server) = upstream(|call| match call.prompt() {
        "step slow" => Reply::silence(),
        prompt => Reply::says(call, &format!("Done: {prompt}"), tokens()),
    });
    let api = server.api();
    for (limits, name, used, made) in [
        (json!({"maxTokens": 121}), "maxTokens", 240.0, 2),
        (json!({"maxTokens": 240}), "maxTokens", 240.0, 2),
        (json!({"maxSteps": 2}), "maxSteps", 2.0, 2),
        (json!({"maxCostUsd": 0.00003}), "maxCostUsd", 0.000_054, 2),
        (json!({"maxCostUsd": 0.000001}), "maxCostUsd", 0.000_027, 1),
    ] {
        let before = upstream.calls().len();
        let (run, events) = self::run(&api, three(limits.clone())).await;
        assert_eq!((&run["status"], &run["error"]["code"]), (&json!("failed"), &json!("budget_exceeded")), "{limits}: {run:#}");
        assert_eq!((&run["budget_exceeded"], &run["failed_step"]), (&json!(name), &Value::Null), "{run:#}");
        is_sentence(run["error"]["message"].as_str().unwrap(), &[name]);
        let exceeded = of_kind(&events, "budget.exceeded")[0];
        assert_eq!((&exceeded["limit"], exceeded["used"].as_f64().unwrap()), (&json!(name), used), "{limits}: {exceeded}");
        assert_eq!(upstream.calls().len() - before, made, "{limits}");
        let last = ["a", "b", "c"][made - 1];
        assert_eq!(run["output"], format!("Done: step {last}"), "what was reached is the result");
        assert_eq!(run["steps"].as_array().unwrap().len(), made, "no step after the limit: {run:#}");
    }
    let (run, _) =
        self::run(&api, three(json!({"maxTokens": 361, "maxSteps": 3, "maxCostUsd": 0.01, "timeoutSeconds": 60}))).await;
    assert_eq!((&run["status"], &run["total_cost_nanousd"]), (&json!("succeeded"), &json!(81_000)), "{run:#}");

    // Nobody knows what this model costs.
    let unpriced = |limits: Value| {
        let mut document = three(limits);
        document["nodes"][1]["config"]["model"] = json!("model-without-a-price");
        document
    };
    let before = upstream.calls().len();
    let (run, _) = self::run(&api, unpriced(json!({"maxCostUsd": 1}))).await;
    assert_eq!((&run["status"], &run["error"]["code"]), (&json!("failed"), &json!("budget_exceeded")), "{run:#}");
    is_sentence(run["error"]["message"].as_str().unwrap(), &["model-without-a-price", "allowUnpriced"]);
    assert_eq!((upstream.calls().len() - before, &run["output"]), (1, &json!("Done: step a")));
    let (run, _) = self::run(&api, unpriced(json!({"maxCostUsd": 1, "allowUnpriced": true}))).await;
    assert_eq!(run["status"], "succeeded", "{run:#}");

    // Time: the call in flight is given up.
    let mut document = three(json!({"timeoutSeconds": 1}));
    document["nodes"][1]["config"]["prompt"] = json!("step slow");
    let (run, events) = self::run(&api, document).await;
    assert_eq!((&run["status"], &run["budget_exceeded"]), (&json!("failed"), &json!("timeoutSeconds")), "{run:#}");
    assert_eq!((&run["error"]["code"], &run["output"]), (&json!("budget_exceeded"), &json!("Done: step a")), "{run:#}");
    assert_eq!(of_kind(&events, "timer.fired").len(), 1);
    assert_eq!(run["steps"][1]["status"], "canceled", "{run:#}");
    let call = upstream.calls_about("step slow").pop().unwrap();
    assert_eq!(wait_until("the call to be given up", || call.end()).0, End::Abandoned);
}

#[tokio::test]
async fn a_run_keeps_the_version_it_started_with() {
    let (upstream, server) = upstream(|call| fine(call).after(Duration::from_millis(600)));
    let api = server.api();
    let document = |word: &str| {
        let mut document = ask("openai", "slow", json!({}));
        document["nodes"].as_array_mut().unwrap().push(json!({
            "id": "say", "type": "tool", "config": {"tool": "text", "template": format!("{word}: {{{{node.ask.output}}}}")}
        }));
        document["nodes"][0]["timeoutSeconds"] = json!(30);
        document["edges"] = json!([{"from": "ask", "to": "say"}]);
        document
    };
    let created = api.post("/api/workflows", json!({"name": "Changing", "graph_json": document("first")})).await.expect(201);
    let path = format!("/api/workflows/{}", created["id"].as_str().unwrap());
    let started = api.post(&format!("{path}/runs"), json!({})).await.expect(201);
    upstream.wait_for_calls("slow", 1);
    api.put(&path, json!({"graph_json": document("second")})).await.expect(200);
    let second = api.post(&format!("{path}/runs?wait=60"), json!({})).await.expect(201)["run"].clone();
    let first = crate::api::end_of(&api, started["id"].as_str().unwrap()).await;
    assert_eq!((&first["output"], &first["workflow_version"]), (&json!(format!("first: {FINE}")), &json!(1)), "{first:#}");
    assert_eq!((&second["output"], &second["workflow_version"]), (&json!(format!("second: {FINE}")), &json!(2)), "{second:#}");
}

#[tokio::test]
async fn a_thousand_branches_at_once() {
    const BRANCHES: usize = 1000;
    const AT_ONCE: usize = 64;
    let (upstream, server) = upstream(|call| Reply::json(&json!({"path": call.path})).after(Duration::from_millis(5)));
    let url = &upstream.url;
    let mut nodes = vec![json!({"id": "start", "type": "tool", "config": {"tool": "echo"}, "inputs": {"n": 1}})];
    nodes.extend((0..BRANCHES).map(|i| json!({"id": format!("b{i}"), "type": "tool", "config": {"url": format!("{url}/b{i}")}})));
    nodes.push(json!({"id": "join", "type": "tool", "config": {"tool": "echo"}, "inputs": {
        "first": "{{node.b0.output.json.path}}", "last": "{{node.b999.output.json.path}}"
    }}));
    let out = (0..BRANCHES).map(|i| json!({"from": "start", "to": format!("b{i}")}));
    let back = (0..BRANCHES).map(|i| json!({"from": format!("b{i}"), "to": "join"}));
    let document = json!({
        "version": "1", "entry": "start", "nodes": nodes, "edges": out.chain(back).collect::<Vec<_>>(),
        "execution": {"mode": "parallel", "maxConcurrency": AT_ONCE}, "limits": {"maxNodes": BRANCHES + 2}
    });
    let api = server.api();
    let run = api.run(document, json!({})).await;
    assert_eq!((&run["status"], &run["step_count"]), (&json!("succeeded"), &json!(BRANCHES + 2)), "{}", run["error"]);
    assert_eq!(run["output"], json!({"first": "/b0", "last": "/b999"}));
    let calls = upstream.calls();
    let keys: BTreeSet<&str> = calls.iter().map(|call| call.key.as_str()).collect();
    assert_eq!((calls.len(), keys.len()), (BRANCHES, BRANCHES));
    // How many the upstream had at once, at most.
    let mut moments: Vec<_> = calls.iter().flat_map(|call| [(call.at, 1_i64), (call.end().unwrap().1, -1)]).collect();
    moments.sort();
    let most = moments
        .iter()
        .scan(0, |now, (_, change)| {
            *now += change;
            Some(*now)
        })
        .max()
        .unwrap();
    assert!((2..=AT_ONCE as i64).contains(&most), "{most} calls at once");
}
