//! `kill -9` of the real process, at random moments and at the worst ones. The upstream counts what is asked of it.

use crate::support::binary::kill_while_starting;
use crate::support::{Api, Call, PATIENCE, Reply, Server, To, Tokens, Upstream, flowtrace, wait_until};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const ARGUMENTS: [&str; 2] = ["--allow-private-network", "--no-demo"];

/// Four servers are killed side by side.
const LANES: u64 = 4;
const KILLS_PER_LANE: usize = 55;
/// The documents' input takes so many values.
const INPUTS: u64 = 12;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// What is answered depends on what is asked alone, so runs with the same input come to the same.
fn answer(call: &Call, slow: bool) -> Reply {
    let said = format!("{:016x}", hash((call.path.as_str(), call.body.to_string())));
    let reply = match call.to {
        To::Http => Reply::json(&json!({"said": said})),
        _ => Reply::says(call, &format!("Says {said}."), Tokens::plain(call.prompt().len() as u64, 20 + hash(call.prompt()) % 9)),
    };
    // 5 to 30 ms.
    reply.after(Duration::from_micros(if slow { 5_000 + hash((&call.key, call.at)) % 25_000 } else { 0 }))
}

/// Two http calls and two model calls at once, joined by a third http call, a router, and a last model call.
fn document(url: &str, execution: Value) -> Value {
    // Every process has its own secret, so that a call tells which one made it.
    let headers = json!({"x-life": {"$secret": "life"}});
    let get = |id: &str, query: &str| json!({"id": id, "type": "tool", "config": {"url": format!("{url}/{id}?{query}"), "headers": headers}});
    let ask = |id: &str, provider: &str, model: &str, prompt: &str| {
        json!({"id": id, "type": "llm", "config": {
            "provider": provider, "model": model, "prompt": format!("{id}: {prompt}"), "cache": {"enabled": false}
        }})
    };
    let said = "{{node.fetch.output.json.said}}";
    json!({
        "version": "1",
        "entry": "fetch",
        "execution": execution,
        "nodes": [
            get("fetch", "n={{input.n}}"),
            get("left", &format!("from={said}")),
            get("right", &format!("from={said}")),
            ask("draft", "openai", "gpt-4o-mini", &format!("write about {said} in run {{{{input.n}}}}")),
            ask("check", "anthropic", "claude-3.5-sonnet", &format!("check {said} in run {{{{input.n}}}}")),
            {"id": "join", "type": "tool", "config": {"url": format!("{url}/join"), "method": "POST", "headers": headers, "body": [
                "{{node.left.output.json.said}}", "{{node.right.output.json.said}}", "{{node.draft.output}}", "{{node.check.output}}"
            ]}},
            {"id": "decide", "type": "router", "config": {"rule": "len(text) > 3 ? 'go' : 'stop'"},
             "inputs": {"text": "{{node.join.output.json.said}}"}},
            ask("final", "openai", "gpt-4o-mini", "sum up {{node.join.output.json.said}}")
        ],
        "edges": [
            {"from": "fetch", "to": "left"}, {"from": "fetch", "to": "right"},
            {"from": "fetch", "to": "draft"}, {"from": "fetch", "to": "check"},
            {"from": "left", "to": "join"}, {"from": "right", "to": "join"},
            {"from": "draft", "to": "join"}, {"from": "check", "to": "join"},
            {"from": "join", "to": "decide"}, {"from": "decide", "to": "final", "when": "branch == 'go'"}
        ]
    })
}

/// Half of the runs are parallel.
fn body(url: &str, number: u64) -> Value {
    let execution = match number % 2 {
        0 => json!({"mode": "parallel", "maxConcurrency": 3}),
        _ => json!({"mode": "sequential"}),
    };
    json!({"graph_json": document(url, execution), "input_vars": {"n": format!("input{}", number % INPUTS)}})
}

/// What has to be the same whether the process died or not.
fn essence(run: &Value) -> Value {
    let steps: BTreeMap<&str, Value> = run["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| {
            let output = if step["node_type"] == "tool" { &step["output"]["json"] } else { &step["output"] };
            let fields = ["status", "attempts", "requests", "tokens_input", "tokens_output", "cost_nanousd", "branch"];
            let mut essence: Vec<&Value> = fields.iter().map(|name| &step[*name]).collect();
            essence.push(output);
            (step["step_id"].as_str().unwrap(), json!(essence))
        })
        .collect();
    json!({
        "status": run["status"], "output": run["output"], "tokens": run["total_tokens"], "cost": run["total_cost_nanousd"],
        "cost_complete": run["cost_complete"], "retries": run["retries"], "steps": steps
    })
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// The next process on a data directory.
fn configure(command: &mut Command, upstream: &Upstream) {
    static LIVES: AtomicU64 = AtomicU64::new(0);
    let life = format!("life-{:06}", LIVES.fetch_add(1, Ordering::SeqCst));
    upstream.configure(command);
    for secret in ["FLOWTRACE_SECRET_LIFE", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"] {
        command.env(secret, &life);
    }
}

/// Which process made a call.
fn life(call: &Call) -> &str {
    match call.to {
        To::Http => call.header("x-life"),
        To::OpenAi => call.header("authorization").trim_start_matches("Bearer "),
        To::Anthropic => call.header("x-api-key"),
    }
}

fn serve(directory: Arc<TempDir>, upstream: &Upstream) -> Server {
    Server::on(directory, &ARGUMENTS, |command| configure(command, upstream))
}

fn starting(directory: &TempDir, upstream: &Upstream) -> Command {
    let mut command = flowtrace(&directory.path().join("data"), &["serve", "--listen", "127.0.0.1:0"]);
    command.args(ARGUMENTS);
    configure(&mut command, upstream);
    command
}

async fn whole_run(api: &Api, id: &str) -> Value {
    api.get(&format!("/api/runs/{id}?include=io")).await.expect(200)
}

async fn trace(api: &Api, id: &str) -> Vec<Value> {
    api.get(&format!("/api/runs/{id}/trace?limit=5000")).await.expect(200)["events"].as_array().unwrap().clone()
}

fn count(events: &[Value], step: &str, kind: &str) -> usize {
    events.iter().filter(|event| event["step_id"] == step && event["kind"] == kind).count()
}

/// Waits until no run is queued or running.
async fn all_ended(api: &Api) {
    let deadline = Instant::now() + PATIENCE;
    for status in ["queued", "running"] {
        loop {
            let runs = api.get(&format!("/api/runs?status={status}&limit=200")).await.expect(200)["runs"].clone();
            let Some(stuck) = runs.as_array().unwrap().first() else { break };
            if Instant::now() > deadline {
                let events = trace(api, stuck["id"].as_str().unwrap()).await;
                panic!("a run is stuck: {stuck:#}\nits last events: {:#?}", &events[events.len().saturating_sub(6)..]);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn seed() -> u64 {
    let given = std::env::var("FLOWTRACE_CRASH_SEED").ok().map(|text| text.parse().expect("FLOWTRACE_CRASH_SEED is a number"));
    given.unwrap_or_else(|| {
        u64::from(std::process::id()) << 20
            | u64::from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.subsec_micros()))
    })
}

#[test]
fn two_hundred_kills_lose_nothing_and_repeat_only_what_was_in_flight() {
    let seed = seed();
    // Shown when the test fails.
    println!("the kills are chosen by this seed: FLOWTRACE_CRASH_SEED={seed}");
    let expected = uncrashed();
    let lanes: Vec<Lane> = std::thread::scope(|scope| {
        let lanes = (0..LANES).map(|lane| {
            let expected = &expected;
            scope.spawn(move || Lane::run(seed.wrapping_add(lane), expected))
        });
        lanes.collect::<Vec<_>>().into_iter().map(|lane| lane.join().expect("a lane failed")).collect()
    });
    let sum = |of: fn(&Lane) -> usize| lanes.iter().map(of).sum::<usize>();
    let (kills, runs, calls, lost, repeats) =
        (sum(|l| l.kills), sum(|l| l.runs), sum(|l| l.calls), sum(|l| l.lost), sum(|l| l.repeats));
    println!("{kills} kills, {runs} runs, {calls} calls, {lost} of them in flight at a kill, {repeats} repeated");
    assert!(kills >= 200, "{kills} kills");
    assert!(repeats <= lost, "{repeats} calls were repeated, and {lost} were in flight at the kills");
    assert!(lost >= kills / 4, "the kills hit too little: {lost} calls in flight at {kills} kills");
}

/// The same runs on a server that nobody kills.
fn uncrashed() -> Vec<Value> {
    let upstream = Upstream::start(|call| answer(call, false));
    let server = serve(Arc::new(tempfile::tempdir().unwrap()), &upstream);
    block_on(async {
        let api = server.api();
        let mut expected = Vec::new();
        // Parallel or sequential, with every input: both come to the same.
        for number in 0..2 * INPUTS {
            let started = api.post("/api/runs?wait=60", body(&upstream.url, number)).await.expect(201);
            let run = whole_run(&api, started["id"].as_str().unwrap()).await;
            assert_eq!(run["status"], "succeeded", "{run:#}");
            expected.push(essence(&run));
        }
        expected
    })
}

struct Lane {
    kills: usize,
    runs: usize,
    calls: usize,
    lost: usize,
    repeats: usize,
}

impl Lane {
    fn run(seed: u64, expected: &[Value]) -> Lane {
        let mut random = Random(seed);
        let upstream = Upstream::start(|call| answer(call, true));
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let mut kills = 0;
        // By idempotency key of the start: what was answered, if an answer came before the kill.
        let mut starts: Vec<Option<String>> = Vec::new();
        while kills < KILLS_PER_LANE {
            let server = serve(directory.clone(), &upstream);
            let moment = random.millis(30, 300);
            let more = 1 + random.below(3);
            block_on(async {
                let begin = Instant::now();
                let _ = tokio::time::timeout(moment, start_some(&server, &upstream.url, &mut starts, more)).await;
                tokio::time::sleep(moment.saturating_sub(begin.elapsed())).await;
            });
            drop(server.kill());
            kills += 1;
            // The next one dies too, while it starts or picks up the runs.
            if random.below(4) == 0 {
                kill_while_starting(starting(&directory, &upstream), random.millis(5, 200));
                kills += 1;
            }
        }
        let server = serve(directory, &upstream);
        let (runs, lost, repeats, calls) = block_on(check(&server, &upstream, starts, expected));
        Lane { kills, runs, calls, lost, repeats }
    }
}

/// Starts some runs more, and again those for which no answer came.
async fn start_some(server: &Server, url: &str, starts: &mut Vec<Option<String>>, more: u64) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    starts.resize(starts.len() + more as usize, None);
    for (number, start) in starts.iter_mut().enumerate().filter(|(_, start)| start.is_none()) {
        let request = client.post(format!("{}/api/runs", server.url)).header("idempotency-key", format!("start-{number}"));
        let response = request.json(&body(url, number as u64)).send().await.unwrap();
        let status = response.status().as_u16();
        let started: Value = response.json().await.unwrap();
        assert!(status == 201 || status == 200, "{status}: {started}");
        *start = started["id"].as_str().map(str::to_owned);
    }
}

async fn check(
    server: &Server,
    upstream: &Upstream,
    mut starts: Vec<Option<String>>,
    expected: &[Value],
) -> (usize, usize, usize, usize) {
    let api = server.api();
    start_some(server, &upstream.url, &mut starts, 0).await;
    all_ended(&api).await;
    let mut calls: HashMap<String, Vec<Call>> = HashMap::new();
    for call in upstream.calls() {
        calls.entry(call.key.clone()).or_default().push(call);
    }
    let total: usize = calls.values().map(Vec::len).sum();
    let (mut lost, mut repeats) = (0, 0);
    for (number, id) in starts.iter().enumerate() {
        let id = id.as_deref().unwrap();
        let run = whole_run(&api, id).await;
        let events = trace(&api, id).await;
        let context = || format!("run {id}, number {number}: {run:#}\n{events:#?}");
        let expected = &expected[number % (2 * INPUTS as usize)];
        assert_eq!(essence(&run), *expected, "not as without a crash, {}", context());
        assert!(events.iter().zip(1..).all(|(event, seq)| event["seq"] == seq), "{}", context());
        assert_eq!(events.iter().filter(|event| event["kind"] == "run.succeeded").count(), 1, "{}", context());
        for step in run["steps"].as_array().unwrap() {
            let (id_of_step, kind) = (step["step_id"].as_str().unwrap(), step["node_type"].as_str().unwrap());
            for kind in ["step.scheduled", "step.succeeded"] {
                assert_eq!(count(&events, id_of_step, kind), 1, "{id_of_step} {kind}, {}", context());
            }
            if kind == "router" {
                assert_eq!(count(&events, id_of_step, "router.branch"), 1, "{}", context());
                continue;
            }
            let losses = count(&events, id_of_step, "step.lost");
            lost += losses;
            assert_eq!(count(&events, id_of_step, &format!("{kind}.response")), 1, "{id_of_step}, {}", context());
            assert_eq!(count(&events, id_of_step, &format!("{kind}.request")), 1 + losses, "{id_of_step}, {}", context());
            let made = calls.remove(&format!("{id}/{id_of_step}/1")).unwrap_or_default();
            assert!(
                (1..=1 + losses).contains(&made.len()),
                "{} calls and {losses} losses of {id_of_step}, {}",
                made.len(),
                context()
            );
            repeats += made.len() - 1;
            let lives: BTreeSet<&str> = made.iter().map(life).collect();
            assert!(!lives.contains(""), "{made:#?}");
            assert_eq!(lives.len(), made.len(), "one process called {id_of_step} twice, {}", context());
            assert!(made.iter().all(|call| call.body == made[0].body), "a repeated call asks the same: {made:#?}");
        }
    }
    assert!(calls.is_empty(), "calls that belong to no step: {:?}", calls.keys());
    let mut listed = 0;
    let mut cursor = String::new();
    loop {
        let page = api.get(&format!("/api/runs?limit=200{cursor}")).await.expect(200);
        listed += page["runs"].as_array().unwrap().len();
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(listed, starts.len(), "a start that was sent again under its key is no second run");
    (starts.len(), lost, repeats, total)
}

fn one_call(config: Value) -> Value {
    json!({"version": "1", "entry": "ask", "nodes": [{"id": "ask", "type": "llm", "config": config}], "edges": []})
}

fn ask(prompt: &str) -> Value {
    one_call(json!({"provider": "openai", "model": "gpt-4o-mini", "prompt": prompt, "fallbacks": []}))
}

async fn start(api: &Api, document: Value) -> String {
    api.post("/api/runs", json!({"graph_json": document})).await.expect(201)["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_retry_that_waits_is_neither_lost_nor_early() {
    let upstream = Upstream::start(|_| Reply::error(429, "rate_limit_error", "Later.").header("retry-after", 3600));
    let first = AtomicBool::new(true);
    let soon = Upstream::start(move |call| match first.swap(false, Ordering::SeqCst) {
        true => Reply::error(429, "rate_limit_error", "Soon.").header("retry-after", 2),
        false => Reply::says(call, "Here.", Tokens::plain(5, 1)),
    });
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let server = serve(directory.clone(), &soon);
    let id = block_on(start(&server.api(), ask("soon")));
    wait_until("the retry", || (count(&block_on(trace(&server.api(), &id)), "ask", "retry") == 1).then_some(()));
    drop(server.kill());
    kill_while_starting(starting(&directory, &soon), Duration::from_millis(150));
    let server = serve(directory, &soon);
    block_on(all_ended(&server.api()));
    let (run, events) = block_on(async { (whole_run(&server.api(), &id).await, trace(&server.api(), &id).await) });
    assert_eq!((&run["status"], &run["output"]), (&json!("succeeded"), &json!("Here.")), "{run:#}");
    assert_eq!((&run["retries"], &run["steps"][0]["attempts"]), (&json!(1), &json!(2)), "{run:#}");
    assert_eq!(count(&events, "ask", "step.lost"), 0, "what waits is not in flight: {events:#?}");
    let calls = soon.calls();
    assert_eq!(calls.len(), 2, "{calls:#?}");
    assert!(calls[1].at - calls[0].at >= Duration::from_secs(2), "{:?}", calls[1].at - calls[0].at);
    assert_eq!(calls[0].key, calls[1].key);
    drop(server);

    // One that waits for an hour sleeps on the disk, and can still be canceled.
    let server = serve(Arc::new(tempfile::tempdir().unwrap()), &upstream);
    let id = block_on(start(&server.api(), ask("later")));
    wait_until("the retry", || (count(&block_on(trace(&server.api(), &id)), "ask", "retry") == 1).then_some(()));
    let server = serve(server.kill(), &upstream);
    block_on(async {
        let api = server.api();
        let run = whole_run(&api, &id).await;
        assert_eq!((&run["status"], &run["phase"]), (&json!("running"), &json!("waiting")), "{run:#}");
        api.post(&format!("/api/runs/{id}/cancel"), json!({})).await.expect(202);
        all_ended(&api).await;
        assert_eq!(whole_run(&api, &id).await["status"], "canceled");
    });
    assert_eq!(upstream.calls().len(), 1);
}

#[test]
fn a_call_that_many_wait_for_is_paid_once_also_after_a_kill() {
    // The call before the kill has no answer, however long starting the runs takes.
    let killed = Arc::new(AtomicBool::new(false));
    let answers = killed.clone();
    let upstream = Upstream::start(move |call| match answers.load(Ordering::Relaxed) {
        true => Reply::says(call, "Shared.", Tokens::plain(1000, 100)).after(Duration::from_millis(700)),
        false => Reply::silence(),
    });
    let server = serve(Arc::new(tempfile::tempdir().unwrap()), &upstream);
    let ids = block_on(async {
        let api = server.api();
        let mut ids = Vec::new();
        for _ in 0..6 {
            ids.push(start(&api, ask("the same for all")).await);
        }
        ids
    });
    upstream.wait_for_calls("the same", 1);
    let directory = server.kill();
    killed.store(true, Ordering::Relaxed);
    let server = serve(directory, &upstream);
    let runs = block_on(async {
        let api = server.api();
        all_ended(&api).await;
        let mut runs = Vec::new();
        for id in &ids {
            runs.push(whole_run(&api, id).await);
        }
        runs
    });
    assert!(runs.iter().all(|run| run["output"] == "Shared."), "{runs:#?}");
    assert_eq!(upstream.calls().len(), 2, "one before the kill and one after it");
    let sum = |key: &str| runs.iter().map(|run| run[key].as_u64().unwrap()).sum::<u64>();
    // 1000 × 150 + 100 × 600 nano-dollars.
    assert_eq!((sum("total_cost_nanousd"), sum("cache_hits"), sum("saved_nanousd")), (210_000, 5, 5 * 210_000), "{runs:#?}");
}

#[test]
fn a_cancel_that_was_accepted_survives_a_kill() {
    let mut random = Random(seed());
    let upstream = Upstream::start(|_| Reply::silence());
    let mut server = serve(Arc::new(tempfile::tempdir().unwrap()), &upstream);
    let mut accepted = 0;
    for round in 0..12 {
        let prompt = format!("round {round}.");
        let id = block_on(start(&server.api(), ask(&prompt)));
        upstream.wait_for_calls(&prompt, 1);
        let moment = random.millis(0, 12);
        let url = format!("{}/api/runs/{id}/cancel", server.url);
        let answered = block_on(async {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let answer = tokio::time::timeout(moment, client.post(url).json(&json!({})).send()).await;
            answer.is_ok_and(|answer| answer.unwrap().status() == 202)
        });
        server = serve(server.kill(), &upstream);
        block_on(async {
            let api = server.api();
            match answered {
                true => accepted += 1,
                false => {
                    let answer = api.post(&format!("/api/runs/{id}/cancel"), json!({})).await;
                    assert!([202, 409].contains(&answer.status), "{}", answer.text);
                }
            }
            all_ended(&api).await;
            let run = whole_run(&api, &id).await;
            assert_eq!((&run["status"], &run["steps"][0]["status"]), (&json!("canceled"), &json!("canceled")), "{run:#}");
            let events = trace(&api, &id).await;
            let requests = events.iter().filter(|event| event["kind"] == "run.cancel_requested").count();
            assert_eq!((requests, &events.last().unwrap()["kind"]), (1, &json!("run.canceled")), "{events:#?}");
        });
    }
    println!("{accepted} of 12 cancels were answered before the kill");
}

#[test]
fn killed_again_and_again_while_it_recovers() {
    let upstream = Upstream::start(|call| answer(call, true));
    let server = serve(Arc::new(tempfile::tempdir().unwrap()), &upstream);
    let mut starts = Vec::new();
    block_on(start_some(&server, &upstream.url, &mut starts, 24));
    let directory = server.kill();
    let mut random = Random(seed());
    for _ in 0..10 {
        kill_while_starting(starting(&directory, &upstream), random.millis(10, 250));
    }
    let server = serve(directory, &upstream);
    block_on(async {
        let api = server.api();
        all_ended(&api).await;
        for id in starts.iter().flatten() {
            let run = whole_run(&api, id).await;
            assert_eq!((&run["status"], &run["retries"]), (&json!("succeeded"), &json!(0)), "{run:#}");
        }
    });
}
