//! The reference document, as it stands, against one loopback server that serves its text and speaks both model protocols.

use crate::support::binary::finish;
use crate::support::{Call, Finished, Reply, Server, To, Tokens, Upstream, flowtrace};
use serde_json::{Value, json};
use std::sync::Arc;

const DOCUMENT: &str = include_str!("fixtures/reference.json");

/// Where the document fetches its text.
const ADDRESS: &str = "127.0.0.1:8099";

const ANALYSIS: &str = "Deep: the text is long. {{node.ingest.output.content}} is not filled in.";

/// Serves `text`; the summary of a text is the text itself, so that its length decides about the branch.
fn upstream(text: &str) -> Upstream {
    let text = text.to_owned();
    Upstream::at(ADDRESS, move |call| match call.to {
        To::Http if call.path == "/doc.txt" => Reply::text(text.clone()),
        To::Http => Reply::status(404, "nothing here"),
        To::OpenAi => {
            let tokens = Tokens { input: 1000, cache_read: 256, cache_write: 0, output: 123, reasoning: 23 };
            Reply::says(call, call.prompt(), tokens).header("x-request-id", "req_openai_1")
        }
        To::Anthropic => {
            let tokens = Tokens { input: 927, cache_read: 100, cache_write: 50, output: 45, reasoning: 0 };
            Reply::says(call, ANALYSIS, tokens).header("request-id", "req_anthropic_1")
        }
    })
}

fn server(upstream: &Upstream, arguments: &[&str]) -> Server {
    Server::on(Arc::new(tempfile::tempdir().unwrap()), arguments, |command| upstream.configure(command))
}

async fn run(server: &Server) -> (Value, Vec<Value>) {
    let api = server.api();
    let created = api.post("/api/workflows", json!({"name": "Reference", "graph_json": DOCUMENT})).await.expect(201);
    let id = created["id"].as_str().unwrap();
    let run = api.post(&format!("/api/workflows/{id}/runs?wait=60"), json!({})).await.expect(201)["run"].clone();
    let trace = api.get(&format!("/api/runs/{}/trace", run["id"].as_str().unwrap())).await.expect(200);
    (run, trace["events"].as_array().unwrap().clone())
}

fn kinds(events: &[Value]) -> Vec<String> {
    events
        .iter()
        .map(|event| match event["step_id"].as_str() {
            Some(step) => format!("{step} {}", event["kind"].as_str().unwrap()),
            None => event["kind"].as_str().unwrap().to_owned(),
        })
        .collect()
}

fn by_id<'a>(run: &'a Value, id: &str) -> &'a Value {
    run["steps"].as_array().unwrap().iter().find(|step| step["step_id"] == id).unwrap_or_else(|| panic!("no {id} in {run:#}"))
}

const COMMON: [&str; 13] = [
    "run.started",
    "timer.set",
    "ingest step.scheduled",
    "ingest tool.request",
    "ingest tool.response",
    "ingest step.succeeded",
    "summarize step.scheduled",
    "summarize llm.request",
    "summarize llm.response",
    "summarize step.succeeded",
    "decide step.scheduled",
    "decide router.branch",
    "decide step.succeeded",
];

// By hand, from the published prices in dollars per million tokens:
// gpt-4o-mini 0.15 in, 0.075 cached, 0.60 out: 744 × 150 + 256 × 75 + 123 × 600 nano-dollars.
const SUMMARY_NANOUSD: u64 = 111_600 + 19_200 + 73_800;
// claude-3.5-sonnet 3 in, 0.30 read, 3.75 written, 15 out: 777 × 3000 + 100 × 300 + 50 × 3750 + 45 × 15000 nano-dollars.
const ANALYSIS_NANOUSD: u64 = 2_331_000 + 30_000 + 187_500 + 675_000;

fn check_summary_on_the_wire(call: &Call, text: &str) {
    assert_eq!(call.to, To::OpenAi);
    assert_eq!(
        call.body,
        json!({
            "model": "gpt-4o-mini",
            "messages": [{"role": "system", "content": "Be concise"}, {"role": "user", "content": text}],
            "stream": true,
            "stream_options": {"include_usage": true}
        })
    );
    assert_eq!(call.header("authorization"), "Bearer key-for-openai-tests");
}

#[tokio::test]
async fn a_long_document_takes_the_deep_branch() {
    let text = format!("{}{}", "A long text about streets. ".repeat(90), "ünïcödé");
    let upstream = upstream(&text);
    let server = server(&upstream, &["--allow-private-network", "--no-demo"]);
    let (run, events) = run(&server).await;
    assert_eq!(run["status"], "succeeded", "{run:#}");

    let mut expected = COMMON.to_vec();
    expected.extend(["deep step.scheduled", "deep llm.request", "deep llm.response", "deep step.succeeded", "run.succeeded"]);
    assert_eq!(kinds(&events), expected);
    assert!(events.iter().zip(1..).all(|(event, seq)| event["seq"] == seq), "{events:#?}");
    assert_eq!(events[11]["payload"]["branch"], "deep");

    // What went over the wire, once each.
    let calls = upstream.calls();
    assert_eq!(calls.len(), 3, "{calls:#?}");
    assert_eq!((calls[0].to, calls[0].path.as_str()), (To::Http, "/doc.txt"));
    check_summary_on_the_wire(&calls[1], &text);
    assert_eq!(calls[2].to, To::Anthropic);
    assert_eq!(
        calls[2].body,
        json!({
            "model": "claude-3.5-sonnet", "max_tokens": 16_384, "messages": [{"role": "user", "content": text}], "stream": true
        })
    );
    assert_eq!(calls[2].header("x-api-key"), "key-for-anthropic-tests");
    assert_eq!(calls[2].header("anthropic-version"), "2023-06-01");
    let id = run["id"].as_str().unwrap();
    for (call, step) in calls.iter().zip(["ingest", "summarize", "deep"]) {
        assert_eq!(call.key, format!("{id}/{step}/1"));
        assert!(call.header("traceparent").starts_with(&format!("00-{}-", run["trace_id"].as_str().unwrap())), "{call:?}");
    }

    // Tokens and money, of each step and of all.
    let summarize = by_id(&run, "summarize");
    let tokens =
        |step: &Value| ["tokens_input", "tokens_output", "tokens_cached", "tokens_reasoning"].map(|key| step[key].as_u64());
    assert_eq!(tokens(summarize), [Some(1000), Some(123), Some(256), Some(23)]);
    assert_eq!(summarize["cost_nanousd"], SUMMARY_NANOUSD);
    assert_eq!(summarize["answered_by"], "gpt-4o-mini-2024-07-18");
    let deep = by_id(&run, "deep");
    assert_eq!(tokens(deep), [Some(927), Some(45), Some(100), Some(0)]);
    assert_eq!(deep["cost_nanousd"], ANALYSIS_NANOUSD);
    assert_eq!((&run["total_tokens"], &run["total_cost_nanousd"]), (&json!(1123 + 972), &json!(3_428_100)));
    assert_eq!(SUMMARY_NANOUSD + ANALYSIS_NANOUSD, 3_428_100);
    assert_eq!((&run["total_cost_cents"], &run["cost_complete"]), (&json!(0.342_81), &json!(true)));
    assert_eq!(run["output"], ANALYSIS, "what a model says is text, whatever it looks like");
    assert_eq!((&run["simulated"], &run["retries"], &run["cache_hits"]), (&json!(false), &json!(0), &json!(0)));
    let response = &events[8]["payload"];
    assert_eq!(response["upstream_request_id"], "req_openai_1");
    assert_eq!(response["raw_usage"]["prompt_tokens_details"]["cached_tokens"], 256, "usage is kept as it came");

    // The same document once more: both answers are paid for already.
    let (again, events) = self::run(&server).await;
    assert_eq!(again["output"], ANALYSIS);
    assert_eq!((&again["total_tokens"], &again["total_cost_nanousd"]), (&json!(0), &json!(0)));
    assert_eq!((&again["cache_hits"], &again["saved_nanousd"]), (&json!(2), &json!(3_428_100)));
    assert_eq!(kinds(&events)[8], "summarize cache.hit");
    assert_eq!(upstream.calls().len(), 4, "only the text is fetched again");
}

#[tokio::test]
async fn a_short_document_skips_the_deep_branch() {
    // The rule counts characters, and 2,000 of them are not more than 2,000.
    let text = "é".repeat(2000);
    let upstream = upstream(&text);
    let server = server(&upstream, &["--allow-private-network", "--no-demo"]);
    let (run, events) = run(&server).await;
    assert_eq!(run["status"], "succeeded", "{run:#}");
    let mut expected = COMMON.to_vec();
    expected.extend(["deep step.skipped", "run.succeeded"]);
    assert_eq!(kinds(&events), expected);
    assert_eq!(events[11]["payload"]["branch"], "shallow");
    let deep = by_id(&run, "deep");
    assert_eq!((&deep["status"], &deep["cost_nanousd"], &deep["attempts"]), (&json!("skipped"), &Value::Null, &json!(0)));
    assert_eq!((&run["total_tokens"], &run["total_cost_nanousd"]), (&json!(1123), &json!(SUMMARY_NANOUSD)));
    assert_eq!(run["output"], json!({"text": text}), "the router is the last step, and its output is what it decided about");
    let calls = upstream.calls();
    assert_eq!(calls.len(), 2, "{calls:#?}");
    check_summary_on_the_wire(&calls[1], &text);
}

/// Nothing is listening there in this test, and nothing is asked.
#[tokio::test]
async fn without_permission_the_private_address_is_refused() {
    let server = Server::with(&["--no-demo"]);
    let (run, events) = run(&server).await;
    assert_eq!((&run["status"], &run["failed_step"]), (&json!("failed"), &json!("ingest")));
    assert_eq!(run["error"]["code"], "address_refused");
    let message = run["error"]["message"].as_str().unwrap();
    for part in ["127.0.0.1", "not a public one", "--allow-private-network", "127.0.0.1:8099", "[outbound]"] {
        assert!(message.contains(part), "no `{part}` in: {message}");
    }
    assert!(!kinds(&events).iter().any(|kind| kind.ends_with("retry")), "{events:#?}");
}

#[test]
fn from_the_command_line() {
    let text = "Short and sweet.";
    let upstream = upstream(text);
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("reference.json");
    std::fs::write(&file, DOCUMENT).unwrap();
    let run = |extra: &[&str]| -> Finished {
        let mut arguments = vec!["run", file.to_str().unwrap(), "--json"];
        arguments.extend(extra);
        let mut command = flowtrace(&place.path().join("data"), &arguments);
        upstream.configure(&mut command);
        finish(command)
    };
    let lines =
        |finished: &Finished| -> Vec<Value> { finished.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect() };

    let good = run(&["--allow-private-network"]);
    assert_eq!(good.code, Some(0), "{}{}", good.stdout, good.stderr);
    let good = lines(&good);
    let (end, events) = good.split_last().unwrap();
    let mut expected = COMMON.to_vec();
    expected.extend(["deep step.skipped", "run.succeeded"]);
    assert_eq!(kinds(events), expected);
    assert_eq!((&end["kind"], &end["run"]["status"]), (&json!("end"), &json!("succeeded")));
    assert_eq!(end["run"]["total_cost_nanousd"], SUMMARY_NANOUSD);

    let refused = run(&[]);
    assert_eq!(refused.code, Some(1), "{}{}", refused.stdout, refused.stderr);
    let refused = lines(&refused);
    assert_eq!(refused.last().unwrap()["run"]["error"]["code"], "address_refused");

    std::fs::write(&file, DOCUMENT.replace("\"ingest\", \"to\"", "\"injest\", \"to\"")).unwrap();
    let invalid = run(&[]);
    assert_eq!(invalid.code, Some(2), "{}{}", invalid.stdout, invalid.stderr);
    assert!(invalid.stdout.contains("injest") && invalid.stdout.contains("ingest"), "{}", invalid.stdout);
}
