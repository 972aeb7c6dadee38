//! Input that is too large, too deep or too clever: refused or handled, in bounded time and memory, and never taken for code.

use crate::support::binary::{Finished, finish};
use crate::support::sse::Stream;
use crate::support::{Api, Call, Reply, Server, To, Tokens, Upstream, documents, flowtrace};
use axum::body::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

const MIB: usize = 1 << 20;

/// Generous for a busy machine and an unoptimised binary, and far from what unbounded work would take.
const BOUNDED: Duration = Duration::from_secs(30);

fn with_upstream(answer: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> (Upstream, Server) {
    let upstream = Upstream::start(answer);
    let server = Server::on(Arc::new(tempfile::tempdir().unwrap()), &["--allow-private-network", "--no-demo"], |command| {
        upstream.configure(command);
        command.env("FLOWTRACE_SECRET_TREASURE", SECRET);
    });
    (upstream, server)
}

const SECRET: &str = "gold-and-silver-2718";

/// A figure of `/proc/<pid>/status` in bytes.
#[cfg(target_os = "linux")]
fn memory(server: &Server, name: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

fn get(url: &str, more: Value) -> Value {
    let mut config = json!({"url": url});
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let node = json!({"id": "get", "type": "tool", "config": config, "retry": {"maxAttempts": 1}});
    json!({"version": "1", "entry": "get", "nodes": [node], "edges": []})
}

async fn trace(api: &Api, run: &Value) -> Vec<Value> {
    let path = format!("/api/runs/{}/trace?limit=5000", run["id"].as_str().unwrap());
    api.get(&path).await.expect(200)["events"].as_array().unwrap().clone()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn fifty_megabytes_are_refused_without_being_kept() {
    let server = Server::simulated();
    let api = server.api();
    api.run(documents::echo(), json!({"text": "warm"})).await;
    let before = memory(&server, "VmHWM");
    let filler = "x".repeat(50 * MIB);
    let body = json!({"graph_json": documents::echo(), "input_vars": {"text": filler}}).to_string();
    for path in ["/api/runs", "/api/workflows", "/api/workflows/validate"] {
        let known = api
            .send(reqwest::Method::POST, path, |request| request.header("content-type", "application/json").body(body.clone()));
        let detail = known.await.problem(413, "too_large");
        assert!(detail.contains("MB"), "{detail}");
        // Without a length that could be looked at first.
        let pieces: Vec<Result<Bytes, std::io::Error>> =
            body.as_bytes().chunks(MIB).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let unknown = api.send(reqwest::Method::POST, path, |request| {
            let stream = reqwest::Body::wrap_stream(futures::stream::iter(pieces));
            request.header("content-type", "application/json").body(stream)
        });
        unknown.await.problem(413, "too_large");
    }
    let grown = memory(&server, "VmHWM") - before;
    assert!(grown < 64 * MIB, "{} MiB more at the peak", grown / MIB);

    // Below what a request may have, above what a document may have.
    let mut document = documents::echo();
    document["description"] = json!("x".repeat(5 * MIB + MIB / 2));
    api.post("/api/workflows", json!({"name": "large", "graph_json": document})).await.problem(422, "invalid_workflow");

    // The command line reads files of any size.
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("large.json");
    std::fs::write(&file, body).unwrap();
    for command in ["validate", "run"] {
        let Finished { code, stdout, stderr } = finish(flowtrace(&place.path().join("data"), &[command, file.to_str().unwrap()]));
        assert_eq!(code, Some(2), "{command}: {stdout}{stderr}");
        assert!((stdout.clone() + &stderr).len() < 2000 && !stderr.contains("panicked"), "{command}: {stdout}{stderr}");
    }
}

#[tokio::test]
async fn ten_thousand_nodes_run_and_one_more_is_refused() {
    let server = Server::simulated();
    let api = server.api();
    let begin = Instant::now();
    let started = api.post("/api/runs", json!({"graph_json": documents::chain(10_000)})).await.expect(201);
    let run = crate::api::end_of(&api, started["id"].as_str().unwrap()).await;
    assert_eq!((&run["status"], &run["step_count"]), (&json!("succeeded"), &json!(10_000)), "{}", run["error"]);
    println!("a chain of 10,000 steps: {:?}", begin.elapsed());
    assert_eq!(run["output"], json!({"i": 9999}));

    let mut wide = documents::chain(10_000);
    wide["execution"] = json!({"mode": "parallel", "maxConcurrency": 10_000});
    wide["edges"] = (1..10_000).map(|i| json!({"from": "s0", "to": format!("s{i}")})).collect();
    let begin = Instant::now();
    let run = api.run(wide, json!({})).await;
    assert_eq!((&run["status"], &run["step_count"]), (&json!("succeeded"), &json!(10_000)), "{}", run["error"]);
    println!("10,000 steps at once: {:?}", begin.elapsed());

    let begin = Instant::now();
    let detail = api.post("/api/workflows", json!({"name": "too many", "graph_json": documents::chain(10_001)})).await;
    assert!(detail.status == 422 && detail.text.contains("10000"), "{}", &detail.text[..detail.text.len().min(500)]);
    // So many problems that a report of all of them would be a bomb itself.
    let mut broken = documents::chain(10_000);
    for node in broken["nodes"].as_array_mut().unwrap() {
        node["config"] = json!({"tool": "nothing of the kind", "template": "{{ node.nobody.output }}"});
    }
    let answer = api.post("/api/workflows", json!({"name": "broken", "graph_json": broken})).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text.len() < 8 * MIB, "{} bytes", answer.text.len());
    assert!(begin.elapsed() < BOUNDED, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn depth_bombs_are_duds() {
    let server = Server::simulated();
    let api = server.api();
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let begin = Instant::now();
    let echo = documents::echo().to_string();
    for depth in [200, 100_000] {
        let bomb = deep(depth);
        let bodies = [
            format!("{{\"graph_json\": {bomb}}}"),
            format!("{{\"graph_json\": {}}}", json!(bomb)),
            format!("{{\"graph_json\": {echo}, \"input_vars\": {{\"text\": {bomb}}}}}"),
            format!("{{\"graph_json\": {}}}", echo.replace("\"{{input.text}}\"", &bomb)),
            format!("{{\"graph_json\": {}}}", json!(echo.replace("\"{{input.text}}\"", &bomb))),
            format!("{{\"graph_json\": {}}}", "{\"a\":".repeat(depth)),
            bomb.clone(),
        ];
        for (number, body) in bodies.into_iter().enumerate() {
            let post = |request: reqwest::RequestBuilder| request.header("content-type", "application/json").body(body);
            let answer = api.send(reqwest::Method::POST, "/api/runs", post).await;
            assert!([400, 422].contains(&answer.status), "depth {depth}, number {number}: {} {}", answer.status, answer.text);
            assert!(answer.text.len() < 5000, "depth {depth}, number {number}: {} bytes", answer.text.len());
        }
    }
    // In templates and rules.
    let nested =
        |open: &str, inside: &str, close: &str, times: usize| format!("{}{inside}{}", open.repeat(times), close.repeat(times));
    let templates = [
        format!("{{{{ {} }}}}", nested("(", "1", ")", 50_000)),
        format!("{{{{ {} }}}}", nested("[", "1", "]", 50_000)),
        format!("{{{{ {} }}}}", nested("not ", "1", "", 50_000)),
        format!("{{{{ input{} }}}}", ".a".repeat(50_000)),
        format!("{{{{ input{} }}}}", " | upper".repeat(50_000)),
        format!("{{{{ 1{} }}}}", " + 1".repeat(50_000)),
        format!("{{{{ 'x'{} }}}}", " ~ 'x'".repeat(50_000)),
        nested("{% if true %}", "x", "{% endif %}", 20_000),
        "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}".to_owned(),
        "{{ 'x' * 1000000000 }}".to_owned(),
        "{{ range(1000000000) | list }}".to_owned(),
        "{{ 'x' | center(1000000000) }}".to_owned(),
        "{{ ['x'] * 100000000 }}".to_owned(),
    ];
    for template in templates {
        let mut document = documents::echo();
        document["nodes"][0]["inputs"] = json!({"text": template});
        bounded(&api, document, &template).await;
    }
    let rules = [
        nested("(", "1 == 1", ")", 240),
        nested("!", "true", "", 500),
        nested("[", "1", "]", 250),
        format!("1{} > 0", "+1".repeat(250)),
        format!("true{}", "&&true".repeat(80)),
        nested("true ? ", "true", " : false", 30),
        nested("(", "1 == 1", ")", 100_000),
        "[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, true))))"
            .to_owned(),
        "text.matches('(a+)+$')".to_owned(),
        format!("text.matches('{}')", nested("(", "a", ")*", 80)),
        "'a{1000}{1000}{1000}'.matches('a{1000}{1000}{1000}')".to_owned(),
    ];
    for rule in rules {
        let document = json!({
            "version": "1", "entry": "decide", "edges": [],
            "nodes": [{"id": "decide", "type": "router", "config": {"rule": rule}, "inputs": {"text": "a".repeat(5000)}}]
        });
        bounded(&api, document, &rule).await;
    }
    assert!(begin.elapsed() < 2 * BOUNDED, "{:?}", begin.elapsed());
    api.get("/health").await.expect(200);
}

/// Refused with a short report, or run to an end; either way soon.
async fn bounded(api: &Api, document: Value, what: &str) {
    let what: String = what.chars().take(60).collect();
    let begin = Instant::now();
    let answer = api.post("/api/runs?wait=30", json!({"graph_json": document, "input_vars": {"a": 1}})).await;
    match answer.status {
        422 => assert!(answer.text.len() < 20_000, "{what}: a report of {} bytes", answer.text.len()),
        201 => {
            let run = &answer.json()["run"];
            assert!(["succeeded", "failed"].contains(&run["status"].as_str().unwrap()), "{what}: {run:#}");
            assert!(answer.text.len() < MIB, "{what}: {} bytes", answer.text.len());
        }
        other => panic!("{what}: {other} {}", answer.text),
    }
    assert!(begin.elapsed() < BOUNDED, "{what}: {:?}", begin.elapsed());
}

/// What a service answers may be nested as deep as a parser takes it, and the journal has to be able to give it back.
#[tokio::test]
async fn deep_answers_of_services_never_lock_a_run() {
    let (upstream, server) = with_upstream(|call| {
        let depth: usize = call.path.rsplit('/').next().unwrap().parse().unwrap();
        Reply::frames("application/json", vec![Bytes::from(format!("{}{}", "[".repeat(depth), "]".repeat(depth)))])
    });
    let api = server.api();
    for depth in
        [50, 90, 95, 96, 97, 98, 99, 100, 101, 105, 110, 115, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 100_000]
    {
        let mut document = get(&format!("{}/{depth}", upstream.url), json!({}));
        document["nodes"].as_array_mut().unwrap().push(json!({
            "id": "pass", "type": "tool", "config": {"tool": "echo"}, "inputs": {"answer": "{{node.get.output}}"}
        }));
        document["edges"] = json!([{"from": "get", "to": "pass"}]);
        let run = api.run(document, json!({})).await;
        let status = run["status"].as_str().unwrap();
        assert!(["succeeded", "failed"].contains(&status), "depth {depth}: {run:#}\n{}", server.log.lock().unwrap());
        if depth < 90 {
            assert_eq!(status, "succeeded", "{run:#}");
        }
        if status == "failed" {
            // The copy of it in the next step's input would be too deep.
            let message = run["error"]["message"].as_str().unwrap();
            assert!((98..100).contains(&depth) && message.contains("deep"), "depth {depth}: {message}");
        } else {
            let parsed = run["steps"][0]["output"].get("json").is_some();
            assert_eq!(parsed, depth < 100, "depth {depth}: what is too deep is there as text only");
            assert_eq!(run["steps"][0]["output"]["content"].as_str().unwrap().len(), 2 * depth);
        }
        let events = trace(&api, &run).await;
        assert_eq!(events.len() as u64, run["last_seq"].as_u64().unwrap());
    }
    // The same from a caller.
    for depth in [90, 100, 110, 115, 118, 120, 121, 122, 123, 124, 125, 126] {
        let body = format!(
            "{{\"graph_json\": {}, \"input_vars\": {{\"text\": {}{}}}}}",
            documents::echo(),
            "[".repeat(depth),
            "]".repeat(depth)
        );
        let post = |request: reqwest::RequestBuilder| request.header("content-type", "application/json").body(body);
        let answer = api.send(reqwest::Method::POST, "/api/runs?wait=30", post).await;
        match answer.status {
            201 => {
                let run = &answer.json()["run"];
                assert!(["succeeded", "failed"].contains(&run["status"].as_str().unwrap()), "depth {depth}: {run:#}");
                trace(&api, run).await;
            }
            status => assert!([400, 422].contains(&status), "depth {depth}: {status} {}", answer.text),
        }
    }
    // Nothing of it keeps the next process from starting.
    let (directory, _) = server.stop();
    let server = Server::on(directory, &[], |_| {});
    assert!(!server.banner.contains("unfinished"), "{}", server.banner);
}

const CLEVER: &str = "{{node.first.output}} {{ 7*7 }} {% for i in range(9) %}x{% endfor %} {# gone #} {{input.password}} \
                      {\"$secret\": \"treasure\"} ${jndi:ldap://x} ' || true || ' \" ) ? 'deep' : 'shallow' <script>alert(1)</script> \\n %s";

#[tokio::test]
async fn what_a_model_says_is_never_code() {
    let (upstream, server) = with_upstream(|call| match call.to {
        To::Http => Reply::text("ok"),
        _ if call.prompt() == "be clever" => Reply::says(call, CLEVER, Tokens::plain(3, 50)),
        _ if call.prompt() == "be structured" => {
            let text = json!({"header": {"$secret": "treasure"}, "url": "{{input.password}}", "text": CLEVER}).to_string();
            Reply::says(call, &text, Tokens::plain(3, 50))
        }
        _ => Reply::says(call, "fine", Tokens::plain(3, 1)),
    });
    let api = server.api();
    let url = &upstream.url;
    let llm = |id: &str, config: Value| {
        let mut all = json!({"provider": "openai", "model": "gpt-4o-mini"});
        all.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
        json!({"id": id, "type": "llm", "config": all})
    };
    let tool = |id: &str, config: Value, inputs: Value| json!({"id": id, "type": "tool", "config": config, "inputs": inputs});
    let mut as_inputs = llm("as_inputs", json!({}));
    as_inputs["inputs"] = json!({"text": "{{node.first.output}}"});
    let schema = json!({"type": "object", "required": ["header"]});
    let document = json!({
        "version": "1", "entry": "first",
        "nodes": [
            llm("first", json!({"prompt": "be clever"})),
            llm("prompted", json!({"system": "S: {{node.first.output}}", "prompt": "P: {{node.first.output}}"})),
            as_inputs,
            tool("texted", json!({"tool": "text", "template": "T: {{node.first.output}}"}), json!({})),
            tool("twice", json!({"tool": "text", "template": "{{node.texted.output}}"}), json!({})),
            tool("merged", json!({"tool": "echo"}), json!({"a": "{{node.first.output}}", "b": ["{{node.twice.output}}"]})),
            tool("posted", json!({"url": format!("{url}/posted"), "body": "{{node.first.output}}",
                "query": {"q": "{{node.first.output}}"}}), json!({})),
            {"id": "decide", "type": "router", "inputs": {"text": "{{node.first.output}}"},
             "config": {"rule": "text.contains('deep') && len(text) > 5 ? text : 'no'"}},
            llm("structured", json!({"prompt": "be structured", "schema": schema})),
            tool("sent", json!({"url": format!("{url}/sent"), "body": "{{node.structured.output}}"}), json!({}))
        ],
        "edges": [
            {"from": "first", "to": "prompted"}, {"from": "prompted", "to": "as_inputs"}, {"from": "as_inputs", "to": "texted"},
            {"from": "texted", "to": "twice"}, {"from": "twice", "to": "merged"}, {"from": "merged", "to": "posted"},
            {"from": "posted", "to": "decide"}, {"from": "decide", "to": "structured", "when": "branch.contains('7*7')"},
            {"from": "structured", "to": "sent"}
        ]
    });
    let run = api.run(document, json!({"password": "hunter2"})).await;
    assert_eq!(run["status"], "succeeded", "{run:#}");
    let output = |id: &str| {
        let steps = run["steps"].as_array().unwrap();
        steps.iter().find(|step| step["step_id"] == id).unwrap_or_else(|| panic!("no {id} in {run:#}"))["output"].clone()
    };
    let texted = format!("T: {CLEVER}");
    assert_eq!(output("first"), CLEVER);
    assert_eq!(output("twice"), texted);
    assert_eq!(output("merged"), json!({"a": CLEVER, "b": [texted]}));
    let prompts: Vec<_> = upstream.calls().iter().map(|call| call.prompt().to_owned()).collect();
    assert!(prompts.contains(&format!("P: {CLEVER}")) && prompts.contains(&CLEVER.to_owned()), "{prompts:#?}");
    let prompted = upstream.calls_about("P: ").pop().unwrap();
    assert_eq!(prompted.body["messages"][0]["content"], format!("S: {CLEVER}"));
    let decided = trace(&api, &run).await.into_iter().find(|event| event["kind"] == "router.branch").unwrap();
    assert_eq!(decided["payload"]["branch"], CLEVER, "the rule gave the text itself, and nobody evaluated it");
    let sent = upstream.calls_about("/sent").pop().unwrap();
    assert_eq!(sent.body["header"], json!({"$secret": "treasure"}), "a reference that a model writes is only text");
    assert_eq!(sent.body["url"], "{{input.password}}");

    // In the place of a header, where an author could have written the reference.
    let document = json!({
        "version": "1", "entry": "structured",
        "nodes": [
            llm("structured", json!({"prompt": "be structured", "schema": schema})),
            tool("leak", json!({"url": format!("{url}/leak"), "headers": {"x-header": "{{node.structured.output.header}}"}}), json!({})),
        ],
        "edges": [{"from": "structured", "to": "leak"}]
    });
    let run = api.run(document, json!({})).await;
    assert_eq!((&run["status"], &run["failed_step"]), (&json!("failed"), &json!("leak")), "{run:#}");
    for call in upstream.calls() {
        assert!(!format!("{call:?}").contains(SECRET), "{call:?}");
    }
    assert!(!run.to_string().contains(SECRET));
}

#[tokio::test]
async fn two_megabytes_of_answer_are_served_whole() {
    let answer: Arc<str> = (0..)
        .map(|i| format!("{i} "))
        .scan(0, |length, piece| {
            *length += piece.len();
            (*length < 2 * MIB).then_some(piece)
        })
        .collect::<String>()
        .into();
    let said = answer.clone();
    let (upstream, server) = with_upstream(move |call| match call.prompt() {
        "talk" => Reply::says(call, &said, Tokens::plain(3, 500_000)),
        _ => Reply::says(call, "heard", Tokens::plain(500_000, 1)),
    });
    let api = server.api();
    let llm = |id: &str, prompt: &str| json!({"id": id, "type": "llm", "config": {"provider": "openai", "model": "gpt-4o-mini", "prompt": prompt}});
    let mut document = json!({
        "version": "1", "entry": "talk", "nodes": [llm("talk", "talk"), llm("listen", "{{node.talk.output}}")],
        "edges": [{"from": "talk", "to": "listen"}]
    });
    let run = api.run(document.clone(), json!({})).await;
    assert_eq!((&run["status"], &run["output"]), (&json!("succeeded"), &json!("heard")), "{}", run["error"]);
    assert!(upstream.calls()[1].prompt() == &*answer, "the next step gets all of it");
    let id = run["id"].as_str().unwrap();
    let step = api.get(&format!("/api/runs/{id}/steps/talk")).await.expect(200);
    assert!(step["output"] == *answer && step["output_truncated"] == false);
    let view = api.get(&format!("/api/runs/{id}")).await.expect(200);
    assert_eq!(
        (&view["steps"][0]["output_truncated"], &view["steps"][0]["output_bytes"]),
        (&json!(true), &json!(answer.len() + 2))
    );
    assert!(view.to_string().len() < 20_000, "a list of steps carries previews");
    let events = trace(&api, &run).await;
    let response = events.iter().find(|event| event["kind"] == "llm.response").unwrap();
    let hash = response["payload"]["output"]["blob"]["hash"].as_str().unwrap();
    assert!(api.get(&format!("/api/runs/{id}/blobs/{hash}")).await.expect(200) == *answer);

    // As the run's output, and from the cache.
    document["nodes"].as_array_mut().unwrap().pop();
    document["edges"] = json!([]);
    let again = api.run(document, json!({})).await;
    assert!(again["output"] == *answer && again["cache_hits"] == 1);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn twenty_megabytes_of_body() {
    let body: Bytes = "0123456789abcdef".repeat(20 * MIB / 16).into();
    let served = body.clone();
    let (upstream, server) = with_upstream(move |_| Reply::frames("text/plain", vec![served.clone()]));
    let api = server.api();
    let refused = api.run(get(&upstream.url, json!({})), json!({})).await;
    assert_eq!((&refused["status"], &refused["error"]["code"]), (&json!("failed"), &json!("too_large")), "{refused:#}");
    assert!(refused["error"]["message"].as_str().unwrap().contains("maxBytes"), "{refused:#}");
    let run = api.run(get(&upstream.url, json!({"maxBytes": 30_000_000})), json!({})).await;
    assert_eq!(run["status"], "succeeded", "{}", run["error"]);
    assert!(run["output"]["content"].as_str().unwrap().as_bytes() == body);
    let peak = memory(&server, "VmHWM");
    println!("the peak is {} MiB", peak / MIB);
    assert!(peak < 400 * MIB, "{} MiB for a value of 20 MiB", peak / MIB);
    // Too much for a prompt: a sentence, not a crash.
    let mut document = get(&upstream.url, json!({"maxBytes": 30_000_000}));
    document["nodes"].as_array_mut().unwrap().push(json!({
        "id": "say", "type": "tool", "config": {"tool": "text", "template": "{{node.get.output.content}}!"}
    }));
    document["edges"] = json!([{"from": "get", "to": "say"}]);
    let run = api.run(document, json!({})).await;
    assert_eq!((&run["status"], &run["error"]["code"]), (&json!("failed"), &json!("template")), "{}", run["error"]);
    assert!(run["error"]["message"].as_str().unwrap().contains("8 MiB"), "{}", run["error"]);
}

#[tokio::test]
async fn any_text_goes_through_unchanged() {
    let (upstream, server) = with_upstream(|call| Reply::says(call, call.prompt(), Tokens::plain(9, 9)));
    let api = server.api();
    let texts = [
        "שלום עולם، مرحبا بالعالم",
        "\u{202e}gnihton\u{202c} \u{2066}x\u{2069}",
        "e\u{301} 👩‍👩‍👧‍👦 🇺🇳 ﷽ 𝕳𝖎",
        "nul \0, bell \u{7}, escape \u{1b}[31m, del \u{7f}, \u{85}\u{2028}\u{2029}\u{feff}",
        "a\r\nb\nc\rd\n\ndata: x\n\nevent: end\n\n: y",
        "\u{10ffff}\u{e000}\u{fffd}",
    ];
    for text in texts {
        let document = json!({
            "version": "1", "name": text, "entry": "say", "nodes": [
                {"id": "say", "type": "llm", "name": text, "config": {
                    "provider": "anthropic", "model": "claude-sonnet-4-6", "prompt": "{{input.text}}"}}
            ], "edges": []
        });
        let created = api.post("/api/workflows", json!({"name": text, "graph_json": document})).await.expect(201);
        let path = format!("/api/workflows/{}", created["id"].as_str().unwrap());
        assert_eq!(api.get(&path).await.expect(200)["graph_json"]["name"], text);
        let run =
            api.post(&format!("{path}/runs?wait=30"), json!({"input_vars": {"text": text}})).await.expect(201)["run"].clone();
        assert_eq!((&run["status"], &run["output"]), (&json!("succeeded"), &json!(text)), "{run:#}");
        assert_eq!((&run["steps"][0]["name"], &run["input"]["text"]), (&json!(text), &json!(text)));
        assert_eq!(upstream.calls().last().unwrap().prompt(), text);
        let mut stream = Stream::open(&api, run["id"].as_str().unwrap(), None).await.unwrap();
        let messages = stream.rest().await;
        let response = messages.iter().find(|message| message.data["kind"] == "llm.response").unwrap();
        assert_eq!(response.data["payload"]["output"]["inline"], text);
    }
    // Half of a character is no text.
    let body = r#"{"graph_json": {}, "input_vars": {"text": "\ud800"}}"#;
    let post = |request: reqwest::RequestBuilder| request.header("content-type", "application/json").body(body);
    api.send(reqwest::Method::POST, "/api/runs", post).await.problem(400, "invalid_json");
    let post = |request: reqwest::RequestBuilder| {
        request.header("content-type", "application/json").body(&b"{\"graph_json\": \"\xff\"}"[..])
    };
    api.send(reqwest::Method::POST, "/api/runs", post).await.problem(400, "invalid_json");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn two_thousand_readers_wait_without_weighing_much() {
    const READERS: usize = 2000;
    let open_files = |server: &Server| std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().count();
    let (upstream, server) = with_upstream(|_| Reply::silence());
    let api = server.api();
    let id = api.post("/api/runs", json!({"graph_json": get(&upstream.url, json!({}))})).await.expect(201)["id"].clone();
    let id = id.as_str().unwrap();
    upstream.wait_for_calls("/", 1);
    let (memory_before, files_before) = (memory(&server, "VmRSS"), open_files(&server));
    let mut streams = Vec::new();
    for _ in 0..READERS / 100 {
        let some = futures::future::join_all((0..100).map(|_| Stream::open(&api, id, None))).await;
        for stream in some {
            let mut stream = stream.expect("one more reader");
            assert_eq!(stream.next().await.unwrap().id, Some(1));
            streams.push(stream);
        }
    }
    let grown = memory(&server, "VmRSS").saturating_sub(memory_before);
    println!("{READERS} readers take {} KiB each", grown / 1024 / READERS);
    assert!(grown < 200 * MIB, "{} MiB", grown / MIB);
    let begin = Instant::now();
    api.get("/api/runs").await.expect(200);
    assert!(begin.elapsed() < BOUNDED);

    // All of them see the end.
    api.post(&format!("/api/runs/{id}/cancel"), json!({})).await.expect(202);
    let ends = futures::future::join_all(streams.iter_mut().map(Stream::rest)).await;
    assert!(ends.iter().all(|messages| messages.last().is_some_and(|message| message.event == "end")));
    drop(streams);
    drop(api);
    let begin = Instant::now();
    while open_files(&server) > files_before + 50 {
        assert!(begin.elapsed() < BOUNDED, "{} files are still open", open_files(&server));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
