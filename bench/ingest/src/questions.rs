//! What people ask of many traces, and how long the answer takes over HTTP.

use crate::client::Client;
use crate::server::Server;
use serde_json::{Map, Value, json};
use std::time::Instant;

pub fn ask(server: &Server) -> Result<Value, String> {
    let mut client = server.connect()?;
    // Not the probes and not runs.
    let latest = client.get("/api/traces?limit=200&model=gpt-4o")?;
    let latest = latest["traces"].as_array().ok_or("there are no traces")?;
    let ids: Vec<&str> = latest.iter().filter_map(|trace| trace["trace_id"].as_str()).collect();
    let user = latest.iter().find_map(|trace| trace["user_id"].as_str()).ok_or("no trace has a user")?;
    let from = latest[0]["started_at"].as_str().and_then(|time| time.split_once('T')).ok_or("a trace has no start")?.0;
    let mut answers = Map::new();
    let by_id: Vec<String> = ids.iter().map(|id| format!("/api/traces/{id}")).collect();
    answers.insert("trace_by_id".to_owned(), measure(&mut client, &by_id, "spans")?);
    for (name, query) in [
        ("latest_100", String::new()),
        ("failed", "&status=failed".to_owned()),
        ("model", "&model=gpt-4o".to_owned()),
        ("user", format!("&user_id={user}")),
        ("a_common_word", "&q=warehouse".to_owned()),
        ("two_common_words", "&q=warehouse%20refund".to_owned()),
        ("a_word_that_is_nowhere", "&q=zzzznotthere".to_owned()),
        ("a_beginning", "&q=wareh*".to_owned()),
        ("word_user_time", format!("&q=warehouse&user_id={user}&from={from}T00:00:00Z")),
        ("all_by_cost", "&sort=-cost".to_owned()),
        ("model_by_duration", "&model=gpt-4o&sort=-duration".to_owned()),
        ("phrase_of_rare_words", "&q=%22warehouse%20refund%20policy%20late%22".to_owned()),
    ] {
        answers.insert(name.to_owned(), measure(&mut client, &[format!("/api/traces?limit=100{query}")], "traces")?);
    }
    for (name, query) in [("sessions", ""), ("sessions_by_cost", "&sort=-cost")] {
        answers.insert(name.to_owned(), measure(&mut client, &[format!("/api/sessions?limit=50{query}")], "sessions")?);
    }
    Ok(Value::Object(answers))
}

pub fn one_trace(server: &Server, id: u128) -> Result<Value, String> {
    let mut client = server.connect()?;
    Ok(json!({
        "without_texts": measure(&mut client, &[format!("/api/traces/{id:032x}?io=none")], "spans")?,
        "whole": measure(&mut client, &[format!("/api/traces/{id:032x}")], "spans")?,
        "latest": measure(&mut client, &["/api/traces".to_owned()], "traces")?,
    }))
}

/// The first call, then the median and the slowest of 15.
fn measure(client: &mut Client, paths: &[String], list: &str) -> Result<Value, String> {
    let mut times = Vec::new();
    let mut rows = 0;
    for path in paths.iter().cycle().take(16) {
        let request = client.head("GET", path, "application/json", 0);
        let began = Instant::now();
        let answer = client.send(&request).map_err(|error| format!("{path}: {error}"))?;
        times.push((began.elapsed().as_secs_f64() * 1e5).round() / 100.0);
        if answer.status != 200 {
            return Err(format!("{path} answered {}: {}", answer.status, String::from_utf8_lossy(&answer.body)));
        }
        let body: Value = serde_json::from_slice(&answer.body).map_err(|error| format!("{path}: {error}"))?;
        rows = body[list].as_array().map_or(0, Vec::len);
    }
    let first = times.remove(0);
    times.sort_by(f64::total_cmp);
    Ok(json!({"first": first, "median": times[7], "slowest": times[14], "rows": rows}))
}
