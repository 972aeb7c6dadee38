//! What people set in the settings: secrets, access keys, and how long traces are kept.

use crate::support::binary::{Server, finish, flowtrace, key_file, on_file_system};
use crate::support::{Answer, Api, Reply, To, Tokens, Upstream, documents};
use base64::Engine;
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

/// Calls every operation of the settings, with its errors.
pub async fn operations(api: &Api) {
    secrets(api).await;
    keys(api).await;
    retention(api).await;
}

async fn secrets(api: &Api) {
    let empty = api.get("/api/secrets").await.expect(200);
    assert_eq!(
        (&empty["secrets"], &empty["key"]["status"], &empty["key"]["problem"]),
        (&json!([]), &json!("not_made"), &Value::Null)
    );
    let put = async |name: &str, value: Value| api.put(&format!("/api/secrets/{name}"), json!({"value": value})).await;
    let set = put("crm-key", json!("first value of it")).await.expect(200);
    assert_eq!((&set["name"], &set["usable"], &set["used_by"]), (&json!("crm-key"), &json!(true), &json!([])), "{set}");
    put("crm-key", json!("second value of it")).await.expect(200);
    let owned = put("ANTHROPIC_API_KEY", json!("sk-ant-0123456789\n")).await.expect(200);
    assert_eq!(owned["used_by"], json!(["provider anthropic"]));
    let list = api.get("/api/secrets").await;
    assert!(!list.text.contains("value of it") && !list.text.contains("0123456789"), "{}", list.text);
    let list = list.expect(200);
    let names: Vec<_> = list["secrets"].as_array().unwrap().iter().map(|secret| secret["name"].as_str().unwrap()).collect();
    assert_eq!((names, &list["key"]["status"]), (vec!["ANTHROPIC_API_KEY", "crm-key"], &json!("ready")));
    let catalog = api.get("/api/catalog").await.expect(200);
    let of =
        |name: &str| catalog["providers"].as_array().unwrap().iter().find(|provider| provider["name"] == name).unwrap().clone();
    assert_eq!((&of("anthropic")["key_source"], &of("openai")["key_source"]), (&json!("secret"), &Value::Null));
    assert_eq!(of("openai")["key_name"], "OPENAI_API_KEY");

    let detail = put("a%20b", json!("x")).await.problem(400, "invalid_name");
    assert!(detail.contains("letters, digits"), "{detail}");
    put(&"n".repeat(101), json!("x")).await.problem(400, "invalid_name");
    for (value, part) in [(json!(""), "empty"), (json!("y".repeat(65_537)), "65536"), (json!(20_340_596), "has to be a text")] {
        let answer = put("other", value).await;
        assert_eq!(answer.json()["pointer"], "/value");
        assert!(!answer.text.contains("20340596"), "what was refused is not quoted: {}", answer.text);
        let detail = answer.problem(400, "invalid_body");
        assert!(detail.contains(part), "{detail}");
    }
    let detail = put("OPENAI_API_KEY", json!("two\nlines")).await.problem(400, "invalid_body");
    assert!(detail.contains("no key of a provider"), "{detail}");
    api.put("/api/secrets/x", json!({"valu": "x"})).await.problem(400, "invalid_body");
    for name in ["crm-key", "ANTHROPIC_API_KEY"] {
        api.delete(&format!("/api/secrets/{name}")).await.expect(204);
    }
    api.delete("/api/secrets/crm-key").await.problem(404, "not_found");
}

async fn keys(api: &Api) {
    let list = api.get("/api/keys").await.expect(200);
    assert_eq!(list, json!({"required": false, "keys": []}), "on loopback without a token nobody asks");
    let made = api.post("/api/keys", json!({"name": " ci ", "scope": "ingest"})).await.expect(201);
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with("ft_") && key.len() == 67 && key.starts_with(made["hint"].as_str().unwrap()), "{made}");
    assert_eq!((&made["name"], &made["last_used_at"]), (&json!("ci"), &Value::Null));
    api.post("/api/keys", json!({"name": "ci"})).await.problem(409, "name_taken");
    for name in ["", "  ", "a\nb", &"n".repeat(101)] {
        api.post("/api/keys", json!({"name": name})).await.problem(400, "invalid_body");
    }
    api.post("/api/keys", json!({"name": "x", "scope": "root"})).await.problem(400, "invalid_body");
    let list = api.get("/api/keys").await;
    assert!(!list.text.contains(key), "{}", list.text);
    let id = list.expect(200)["keys"][0]["id"].as_str().unwrap().to_owned();
    api.delete(&format!("/api/keys/{id}")).await.expect(204);
    api.delete(&format!("/api/keys/{id}")).await.problem(404, "not_found");
}

async fn retention(api: &Api) {
    let now = api.get("/api/retention").await.expect(200);
    assert_eq!((&now["days"], &now["source"], &now["file_days"]), (&json!(190), &json!("default"), &Value::Null), "{now}");
    assert!(now["bytes"].as_u64().unwrap() > 0 && now["would_remove"].is_null(), "{now}");
    let asked = api.get("/api/retention?days=1").await.expect(200);
    assert_eq!(asked["would_remove"], json!({"before": null, "traces": 0, "bytes": 0, "pinned_traces": 0}), "this week stays");
    let changed = api.put("/api/retention", json!({"days": 30})).await.expect(200);
    assert_eq!((&changed["days"], &changed["source"]), (&json!(30), &json!("settings")));
    assert_eq!(api.put("/api/retention", json!({"days": 0, "confirm": true})).await.expect(200)["days"], 0);
    assert_eq!(api.put("/api/retention", json!({"days": null})).await.expect(200)["source"], "default");
    api.put("/api/retention", json!({"days": 36_501})).await.problem(400, "invalid_body");
    api.put("/api/retention", json!({"days": -1})).await.problem(400, "invalid_body");
    api.get("/api/retention?days=40000").await.problem(400, "invalid_query");
}

const TOOL_SECRET: &str = "t00l-s3cret/+&value";
const PROVIDER_SECRET: &str = "sk-proj-stored-0123456789abcdef";

/// Every file below a directory, as bytes.
fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => all.extend(files(&entry.path())),
            false => all.push((entry.path().display().to_string(), std::fs::read(entry.path()).unwrap_or_default())),
        }
    }
    all
}

/// Runs that use stored secrets, against tools and a provider that say them back in every way they have.
#[tokio::test]
async fn a_stored_secret_is_used_and_seen_nowhere() {
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let upstream = Upstream::start(move |call| {
        let sent = format!("{} {}", call.header("authorization"), call.header("x-key"));
        match call.to {
            // Says what nobody sent to it in this call.
            To::Http if call.path == "/gossip" => Reply::json(&json!({
                "text": format!("{TOOL_SECRET} {PROVIDER_SECRET} {}", base64(TOOL_SECRET)),
                PROVIDER_SECRET: [TOOL_SECRET],
            })),
            To::Http if call.path == "/broken" => Reply::status(500, format!("broken: {sent} {PROVIDER_SECRET}")),
            To::Http => Reply::text(sent.clone()).header("x-echo", sent),
            _ if call.prompt().contains("refuse") => {
                Reply::error(401, "invalid_api_key", &format!("wrong key: {sent} {TOOL_SECRET}"))
            }
            _ => Reply::says(call, &format!("You sent {sent}, and I know {TOOL_SECRET} too."), Tokens::plain(3, 9)),
        }
    });
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let start = |directory| {
        Server::on(directory, &["--allow-private-network", "--no-demo"], |command| {
            command.env("OPENAI_BASE_URL", format!("{}/v1", upstream.url)).env("FLOWTRACE_LOG", "trace");
        })
    };
    let server = start(directory);
    let api = server.api();
    api.put("/api/secrets/crm", json!({"value": TOOL_SECRET})).await.expect(200);
    api.put("/api/secrets/OPENAI_API_KEY", json!({"value": PROVIDER_SECRET})).await.expect(200);

    let url = &upstream.url;
    let http = |id: &str, path: &str, with: bool| {
        let mut config = json!({"url": format!("{url}{path}")});
        if with {
            config["headers"] = json!({"authorization": {"$secret": "crm", "prefix": "Bearer "}});
        }
        json!({"id": id, "type": "tool", "config": config, "retry": {"maxAttempts": 1}})
    };
    let llm = |id: &str, prompt: &str| {
        let config = json!({"provider": "openai", "model": "gpt-4o-mini", "prompt": prompt});
        json!({"id": id, "type": "llm", "config": config, "retry": {"maxAttempts": 1}})
    };
    let document = |nodes: Vec<Value>| {
        let ids: Vec<_> = nodes.iter().map(|node| node["id"].clone()).collect();
        let edges: Vec<_> = ids.windows(2).map(|pair| json!({"from": pair[0], "to": pair[1]})).collect();
        json!({"version": "1", "entry": ids[0], "nodes": nodes, "edges": edges})
    };
    let mut answers: Vec<Answer> = Vec::new();
    let mut run = async |nodes: Vec<Value>, status: &str| {
        let answer = api.post("/api/runs?wait=60", json!({"graph_json": document(nodes), "input_vars": {}})).await;
        let body = answer.json();
        assert_eq!(body["run"]["status"], status, "{body:#}");
        answers.push(answer);
        let (id, trace) = (body["id"].as_str().unwrap().to_owned(), body["trace_id"].as_str().unwrap().to_owned());
        // Until the projector has copied the run.
        for _ in 0..600 {
            let found = api.get(&format!("/api/traces/{trace}")).await;
            if found.status == 200 && found.json()["status"] != "running" {
                answers.push(found);
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        for path in ["trace?limit=1000", "steps", "state?at_seq=5", "graph", "stream"] {
            answers.push(api.get(&format!("/api/runs/{id}/{path}")).await);
        }
        answers.push(api.get(&format!("/api/runs/{id}?include=io")).await);
        body["run"].clone()
    };
    let merge = json!({"id": "merge", "type": "tool", "config": {"tool": "echo"},
        "inputs": {"a": "{{node.send.output}}", "b": "{{node.gossip.output}}", "c": "{{node.ask.output}}"}});
    let fine =
        run(vec![http("send", "/echo", true), http("gossip", "/gossip", false), llm("ask", "hello"), merge], "succeeded").await;
    assert!(fine.to_string().contains("[secret:crm]") && fine.to_string().contains("[secret:OPENAI_API_KEY]"), "{fine:#}");
    run(vec![http("send", "/broken", true)], "failed").await;
    run(vec![llm("ask", "refuse this")], "failed").await;
    // The provider's key is none that a workflow can send away.
    let mut stealing = http("steal", "/echo", false);
    stealing["config"]["headers"] = json!({"x-key": {"$secret": "OPENAI_API_KEY"}});
    let stolen = run(vec![stealing], "failed").await;
    assert!(stolen["error"]["message"].as_str().unwrap().contains("belongs to provider openai"), "{stolen:#}");
    answers.push(api.post("/api/providers/openai/test", json!({})).await);
    for path in ["/api/secrets", "/api/catalog", "/api/traces.jsonl", "/api/runs", "/api/approvals?status=all"] {
        answers.push(api.get(path).await);
    }

    // They did go out.
    let sent: Vec<_> = upstream.calls().iter().map(|call| call.header("authorization").to_owned()).collect();
    assert!(sent.contains(&format!("Bearer {TOOL_SECRET}")) && sent.contains(&format!("Bearer {PROVIDER_SECRET}")), "{sent:?}");
    assert!(upstream.calls().iter().all(|call| call.header("x-key").is_empty()));
    let hidden = [TOOL_SECRET.to_owned(), PROVIDER_SECRET.to_owned(), base64(TOOL_SECRET), base64(PROVIDER_SECRET)];
    for answer in &answers {
        for secret in &hidden {
            assert!(!answer.text.contains(secret.as_str()), "`{secret}` in {}", answer.text);
            assert!(!format!("{:?}", answer.headers).contains(secret.as_str()), "{:?}", answer.headers);
        }
    }
    let log = server.log.clone();
    let data = server.data.clone();
    let (directory, _) = server.stop();
    let log = log.lock().unwrap().clone();
    assert!(log.contains("TRACE"), "the log has everything");
    let mut everything = files(&data);
    everything.push(("the log".to_owned(), log.into_bytes()));
    for (name, bytes) in &everything {
        for secret in &hidden {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "`{secret}` is in {name}");
        }
    }
    // The next process opens them again, and without the key it starts all the same.
    let server = start(directory);
    let test = server.api().post("/api/providers/openai/test", json!({})).await.expect(200);
    assert_eq!(test["ok"], true, "{test}");
    std::fs::remove_file(key_file(&server.data)).unwrap();
    let (directory, _) = server.stop();
    let server = start(directory);
    let api = server.api();
    let list = api.get("/api/secrets").await.expect(200);
    assert_eq!((&list["key"]["status"], &list["secrets"][0]["usable"]), (&json!("missing"), &json!(false)), "{list:#}");
    assert!(list["key"]["problem"].as_str().unwrap().contains("put it back"), "{list:#}");
    let detail = api.put("/api/secrets/new", json!({"value": "x"})).await.problem(409, "secret_key");
    assert!(detail.contains("put it back"), "{detail}");
    let run = api.run(document(vec![http("send", "/echo", true)]), json!({})).await;
    assert_eq!(run["error"]["code"], "not_configured", "{run:#}");
    assert!(run["error"]["message"].as_str().unwrap().contains("cannot be opened"), "{run:#}");
    for name in ["crm", "OPENAI_API_KEY"] {
        api.delete(&format!("/api/secrets/{name}")).await.expect(204);
    }
    api.put("/api/secrets/new", json!({"value": "x"})).await.expect(200);
}

/// A secret stands in where the environment says nothing, and the environment comes first.
#[tokio::test]
async fn the_environment_comes_before_what_is_stored() {
    let upstream = Upstream::start(|call| match call.to {
        To::Http => Reply::text("ok"),
        _ => Reply::says(call, "fine", Tokens::plain(1, 1)),
    });
    let server = Server::on(Arc::new(tempfile::tempdir().unwrap()), &["--allow-private-network", "--no-demo"], |command| {
        upstream.configure(command);
        command.env("FLOWTRACE_SECRET_CRM_KEY", "from-the-environment").env_remove("ANTHROPIC_API_KEY");
    });
    let api = server.api();
    for name in ["crm-key", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"] {
        api.put(&format!("/api/secrets/{name}"), json!({"value": "from-the-settings"})).await.expect(200);
    }
    let list = api.get("/api/secrets").await.expect(200);
    let shadows: Vec<_> = list["secrets"].as_array().unwrap().iter().map(|secret| secret["shadowed_by"].clone()).collect();
    assert_eq!(shadows, [Value::Null, json!("OPENAI_API_KEY"), json!("FLOWTRACE_SECRET_CRM_KEY")], "{list:#}");
    for provider in ["openai", "anthropic"] {
        api.post(&format!("/api/providers/{provider}/test"), json!({})).await.expect(200);
    }
    let node = json!({"id": "get", "type": "tool", "config": {"url": format!("{}/x", upstream.url),
        "headers": {"x-key": {"$secret": "crm-key"}, "x-file": {"$secret": "other"}}}});
    let document = json!({"version": "1", "entry": "get", "nodes": [node], "edges": []});
    api.put("/api/secrets/other", json!({"value": "of its own"})).await.expect(200);
    assert_eq!(api.run(document, json!({})).await["status"], "succeeded");
    let calls = upstream.calls();
    assert_eq!(calls[0].header("authorization"), "Bearer key-for-openai-tests");
    assert_eq!(calls[1].header("x-api-key"), "from-the-settings");
    assert_eq!((calls[2].header("x-key"), calls[2].header("x-file")), ("from-the-environment", "of its own"));
    // The variable that names the key file begins like a secret, and is none.
    let node = json!({"id": "get", "type": "tool", "config": {"url": format!("{}/x", upstream.url), "headers": {"x-key": {"$secret": "key_file"}}}});
    let run = api.run(json!({"version": "1", "entry": "get", "nodes": [node], "edges": []}), json!({})).await;
    assert_eq!(run["error"]["code"], "not_configured", "{run:#}");
}

#[tokio::test]
async fn access_keys_open_what_they_may() {
    let token = "the-token-of-the-operator";
    let server = Server::with(&["--simulate", "--token", token]);
    let admin = server.api().with_token(token);
    let make = async |name: &str, scope: &str| {
        let made = admin.post("/api/keys", json!({"name": name, "scope": scope})).await.expect(201);
        (made["key"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned())
    };
    let (all, all_id) = make("all", "all").await;
    let (ingest, _) = make("ingest", "ingest").await;
    let span = |id: u8| {
        json!({"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": format!("{id:032x}"), "spanId": format!("{id:016x}"),
            "name": "call", "startTimeUnixNano": "1", "endTimeUnixNano": "2"}]}]}]})
    };
    let basic = |key: &str| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("pk:{key}")));
    for (number, (name, value)) in
        [("authorization", format!("Bearer {ingest}")), ("authorization", basic(&ingest)), ("x-api-key", ingest.clone())]
            .into_iter()
            .enumerate()
    {
        let body = span(number as u8 + 1);
        let sent = server.api().send(Method::POST, "/v1/traces", |request| request.header(name, value).json(&body)).await;
        assert_eq!(sent.status, 200, "{name}: {}", sent.text);
    }
    let sender = server.api().with_token(&ingest);
    let detail = sender.get("/api/runs").await.problem(403, "ingest_only");
    assert!(detail.contains("may only send spans and scores"), "{detail}");
    for path in ["/api/secrets", "/api/keys", "/api/traces"] {
        sender.get(path).await.problem(403, "ingest_only");
    }
    sender.put("/api/secrets/x", json!({"value": "y"})).await.problem(403, "ingest_only");
    sender.post("/api/scores", json!({"trace_id": format!("{:032x}", 1), "name": "good", "value": true})).await.expect(201);
    sender.get("/health").await.expect(200);
    sender.post("/api/session", json!({"token": ingest})).await.problem(403, "ingest_only");
    assert_eq!(sender.get("/api/session").await.expect(200)["authenticated"], false);

    let member = server.api().with_token(&all);
    assert_eq!(member.run(documents::echo(), json!({"text": "hi"})).await["status"], "succeeded");
    // Who decides is who the key says.
    let ask = json!({"version": "1", "entry": "ask", "edges": [],
        "nodes": [{"id": "ask", "type": "approval", "config": {"message": "Go on?"}, "inputs": {}}]});
    let asked = member.post("/api/runs", json!({"graph_json": ask})).await.expect(201)["id"].as_str().unwrap().to_owned();
    let approval = format!("/api/approvals/{asked}:ask");
    let mut decided = member.post(&approval, json!({"decision": "approve"})).await;
    for _ in 0..600 {
        if decided.status == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        decided = member.post(&approval, json!({"decision": "approve"})).await;
    }
    assert_eq!(decided.expect(200)["decided_by"], "key all");
    // A person signs in with it.
    let http = member.http.clone();
    let login = http.post(format!("{}/api/session", member.url)).json(&json!({"token": all})).send().await.unwrap();
    let cookie = login.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert!(!cookie.contains(&all), "{cookie}");
    let with_cookie = async || {
        let answer = http.get(format!("{}/api/runs", member.url)).header("cookie", &cookie).send().await.unwrap();
        answer.status().as_u16()
    };
    assert_eq!(with_cookie().await, 200);

    let list = admin.get("/api/keys").await.expect(200);
    assert_eq!(list["required"], true);
    assert!(list["keys"].as_array().unwrap().iter().all(|key| key["last_used_at"].is_string()), "{list:#}");
    admin.delete(&format!("/api/keys/{all_id}")).await.expect(204);
    member.get("/api/runs").await.problem(401, "unauthorized");
    assert_eq!(with_cookie().await, 401);

    // Only the hash is there, and the next process knows the rest.
    let (directory, _) = server.stop();
    for (name, bytes) in files(directory.path()) {
        assert!(!bytes.windows(ingest.len()).any(|window| window == ingest.as_bytes()), "the key is in {name}");
    }
    let server = Server::on(directory, &["--simulate", "--token", token], |_| {});
    server.api().with_token(&ingest).get("/api/runs").await.problem(403, "ingest_only");
    server.api().with_token(&all).get("/api/runs").await.problem(401, "unauthorized");
    let list = server.api().with_token(token).get("/api/keys").await.expect(200);
    assert!(list["keys"][0]["last_used_at"].is_string(), "{list:#}");
}

/// Of two at once, with the same name, one is made.
#[tokio::test]
async fn two_keys_of_one_name_are_one() {
    let server = Server::simulated();
    let api = server.api();
    let tries = (0..6).map(|_| api.post("/api/keys", json!({"name": "same"})));
    let statuses: Vec<u16> = futures::future::join_all(tries).await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 5, "{statuses:?}");
    let puts = (0..6).map(|number| api.put("/api/secrets/same", json!({"value": format!("value {number}")})));
    assert!(futures::future::join_all(puts).await.iter().all(|answer| answer.status == 200));
    assert_eq!(api.get("/api/secrets").await.expect(200)["secrets"].as_array().unwrap().len(), 1);
}

/// Old traces go when somebody says so twice, and pinned ones stay.
#[tokio::test]
async fn fewer_days_are_confirmed_before_traces_go() {
    let server = Server::with(&["--simulate", "--no-demo"]);
    let api = server.api();
    let mut ids = Vec::new();
    for text in ["one", "two"] {
        let body = json!({"graph_json": documents::echo(), "input_vars": {"text": text}});
        let run = api.post("/api/runs?wait=60", body).await.expect(201);
        ids.push(run["trace_id"].as_str().unwrap().to_owned());
    }
    let traces = async || api.get("/api/traces").await.expect(200)["traces"].as_array().unwrap().clone();
    for _ in 0..600 {
        let all = traces().await;
        if all.len() == 2 && all.iter().all(|trace| trace["status"] == "ok") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    api.send(Method::PUT, &format!("/api/traces/{}/pin", ids[0]), |request| request.json(&json!({}))).await.expect(204);
    let data = server.data.clone();
    let (directory, _) = server.stop();
    // The file of this week becomes one of long ago.
    for entry in std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_name().unwrap().to_string_lossy().into_owned();
        if let Some((kind, _)) = name.split_once('-').filter(|(kind, _)| ["spans", "text"].contains(kind)) {
            let end = name.split_once(".db").unwrap().1;
            std::fs::rename(&entry, data.join(format!("{kind}-20260105.db{end}"))).unwrap();
        }
    }
    std::fs::write(directory.path().join("flowtrace.toml"), "[retention]\ndays = 0\n").unwrap();
    let config = directory.path().join("flowtrace.toml").display().to_string();
    let server = Server::on(directory, &["--simulate", "--no-demo", "--config", &config], |_| {});
    let api = server.api();
    let now = api.get("/api/retention?days=30").await.expect(200);
    assert_eq!((&now["days"], &now["source"], &now["file_days"]), (&json!(0), &json!("file"), &json!(0)), "{now:#}");
    assert_eq!((&now["traces"], &now["pinned_traces"]), (&json!(2), &json!(1)), "{now:#}");
    let removal = &now["would_remove"];
    assert_eq!(
        (&removal["traces"], &removal["pinned_traces"], &removal["before"]),
        (&json!(1), &json!(1), &json!("2026-01-12T00:00:00.000000Z"))
    );
    let detail = api.put("/api/retention", json!({"days": 30})).await.problem(409, "would_remove");
    assert!(detail.contains("1 trace ") && detail.contains("before 2026-01-12"), "{detail}");
    assert_eq!(api.get("/api/retention").await.expect(200)["days"], 0, "nothing was changed");
    let changed = api.put("/api/retention", json!({"days": 30, "confirm": true})).await.expect(200);
    assert_eq!((&changed["source"], &changed["file_days"]), (&json!("settings"), &json!(0)));
    for round in 0.. {
        let left = api.get("/api/traces").await.expect(200)["traces"].as_array().unwrap().clone();
        if left.len() == 1 {
            assert_eq!(left[0]["trace_id"], ids[0].as_str(), "the pinned one stays");
            break;
        }
        assert!(round < 600, "the trace was not removed: {left:#?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(!data.join("spans-20260105.db").exists());
    // It outlives the process.
    let (directory, _) = server.stop();
    let server = Server::on(directory, &["--simulate", "--no-demo", "--config", &config], |_| {});
    assert_eq!(server.api().get("/api/retention").await.expect(200)["days"], 30);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_keeps_what_was_there() {
    let place = Arc::new(tempfile::tempdir().unwrap());
    let mount = "mount -t tmpfs -o size=6m none \"$0\"";
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--simulate", "--no-demo"];
    let Some(command) = on_file_system(&place.path().join("data"), mount, &arguments) else {
        return eprintln!("this machine lets users mount nothing: skipped");
    };
    let server = Server::from(command, place.clone());
    let api = server.api();
    api.put("/api/secrets/a", json!({"value": "first"})).await.expect(200);
    let inside: std::path::PathBuf = format!("/proc/{}/root{}", server.pid(), place.path().display()).into();
    let ballast = inside.join("ballast");
    let mut file = std::fs::File::create(&ballast).unwrap();
    for block in [1 << 16, 1 << 12, 1] {
        while file.write_all(&vec![b'x'; block]).is_ok() {}
    }
    drop(file);
    let large = "y".repeat(60_000);
    // What the log of the store has room for may still be taken.
    let mut refused = None;
    for _ in 0..200 {
        let answer = api.put("/api/secrets/a", json!({"value": large})).await;
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
    }
    let detail = refused.expect("a full disk took 12 MB").problem(507, "disk_full");
    assert!(detail.contains("free some space"), "{detail}");
    assert_eq!(api.get("/api/secrets").await.expect(200)["secrets"].as_array().unwrap().len(), 1);
    std::fs::remove_file(&ballast).unwrap();
    api.put("/api/secrets/a", json!({"value": "again"})).await.expect(200);
    api.post("/api/keys", json!({"name": "k"})).await.expect(201);
}

#[test]
fn the_command_line_sets_secrets_and_makes_keys() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let run = |arguments: &[&str], input: &str| {
        let file = place.path().join("input");
        std::fs::write(&file, input).unwrap();
        let mut command = flowtrace(&data, arguments);
        command.stdin(Stdio::from(std::fs::File::open(file).unwrap()));
        finish(command)
    };
    // Without a server, before there is any data.
    let set = run(&["secrets", "set", "crm-key"], "s3cret-of-the-crm\n");
    assert_eq!((set.code, set.stdout.as_str()), (Some(0), ""), "{}", set.stderr);
    assert!(!set.stderr.contains("s3cret"), "{}", set.stderr);
    let refused = run(&["secrets", "set", "../x"], "y");
    assert!(refused.code == Some(1) && refused.stderr.contains("letters, digits"), "{}", refused.stderr);
    let empty = run(&["secrets", "set", "x"], "\n");
    assert!(empty.code == Some(1) && empty.stderr.contains("empty"), "{}", empty.stderr);
    let list = run(&["secrets", "list"], "");
    assert!(list.stdout.contains("crm-key") && !list.stdout.contains("s3cret"), "{}", list.stdout);
    let made = run(&["keys", "create", "ci", "--scope", "ingest"], "");
    assert!(made.stdout.starts_with("ft_") && made.stdout.trim().len() == 67, "{} {}", made.stdout, made.stderr);
    let list = run(&["keys", "list", "--json"], "");
    assert_eq!(serde_json::from_str::<Value>(&list.stdout).unwrap()["name"], "ci", "{}", list.stdout);

    // The server has them, and the commands talk to it.
    let directory = Arc::new(place);
    let data = data.clone();
    let server = Server::on(directory, &["--simulate", "--token", "the-token-of-the-operator"], |_| {});
    let run = |arguments: &[&str]| {
        let mut command = flowtrace(&data, arguments);
        command.env("FLOWTRACE_TOKEN", "the-token-of-the-operator");
        finish(command)
    };
    let send = |key: &str| {
        let mut command = flowtrace(&data, &["runs"]);
        command.env("FLOWTRACE_TOKEN", key);
        finish(command)
    };
    let refused = send(made.stdout.trim());
    assert!(refused.code == Some(1) && refused.stderr.contains("may only send spans"), "{}", refused.stderr);
    let revoked = run(&["keys", "revoke", "ci"]);
    assert_eq!(revoked.code, Some(0), "{}", revoked.stderr);
    let again = run(&["keys", "revoke", "ci"]);
    assert!(again.code == Some(1) && again.stderr.contains("no access key `ci`"), "{}", again.stderr);
    assert!(send(made.stdout.trim()).stderr.contains("needs its token"));
    let deleted = run(&["secrets", "delete", "crm-key"]);
    assert_eq!(deleted.code, Some(0), "{}", deleted.stderr);
    let again = run(&["secrets", "delete", "crm-key"]);
    assert_eq!(again.code, Some(1), "{}", again.stderr);
    assert!(run(&["secrets", "list"]).stderr.contains("no secrets"));
    drop(server);
}
