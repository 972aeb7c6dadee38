//! `flowtrace run`: one run, its steps as they happen, and what it came to.

use super::args::Run;
use super::client::{ApiFailure, Client, connect};
use super::progress::Progress;
use super::{FAILED, Failed, INVALID, Outcome, out, trace, validate};
use crate::config::Config;
use crate::server::Mode;
use serde_json::{Map, Value, json};
use std::process::ExitCode;

pub async fn run(arguments: Run) -> Outcome {
    let text = validate::read(&arguments.file)?;
    let input = input(&arguments)?;
    let token = super::token(&arguments.token)?;
    let config = || Config::load(&arguments.common, &arguments.engine, None);
    let connection = connect(config, Mode::Run, token).await?;
    if arguments.engine.simulate && connection.own.is_none() {
        let version = connection.client.get("/version").await?;
        if version["simulated"] != true {
            return Err(Failed::from(format!(
                "the server at {} holds this data directory, and its models are real: name another directory with --data, or start \
                 that server with --simulate",
                connection.client.url()
            )));
        }
    }
    if let Some(server) = &connection.own
        && server.unfinished > 0
    {
        out::note(format!(
            "{} unfinished runs wait in this data directory; `flowtrace serve` goes on with them",
            server.unfinished
        ));
    }
    let outcome = execute(&connection.client, &arguments, text, input).await;
    connection.close().await;
    outcome
}

async fn execute(client: &Client, arguments: &Run, text: String, input: Value) -> Outcome {
    let mut body = json!({"graph_json": text, "input_vars": input});
    if let Some(session) = &arguments.session {
        body["session_id"] = json!(session);
    }
    let started = match client.post("/api/runs", &body).await {
        Ok(started) => started,
        Err(ApiFailure { status: 422, problems, .. }) if !problems.is_empty() => {
            return validate::report(&arguments.file, &text, problems, Vec::new(), arguments.json);
        }
        Err(failure) if (400..500).contains(&failure.status) => return Err(Failed { sentence: failure.detail, code: INVALID }),
        Err(failure) => return Err(failure.into()),
    };
    let id = started["runId"].as_str().unwrap_or_default().to_owned();

    let mut progress = Progress::new(arguments.json);
    progress.started(&id);
    let mut stream = client.follow(&id);
    let mut interrupted = false;
    loop {
        tokio::select! {
            message = stream.next() => match message? {
                Some(message) if message.event == "trace" => {
                    let event = trace::event(&message.id, &message.data)?;
                    progress.event(&event);
                    if event["kind"] == "approval.requested" {
                        question(client, &id, &event, arguments.decide.as_deref(), &mut progress).await?;
                    }
                }
                Some(message) if message.event == "delta" => progress.delta(&message.data),
                Some(_) => {}
                None => break,
            },
            signal = tokio::signal::ctrl_c(), if !interrupted => {
                signal.map_err(|error| format!("signals cannot be received: {error}"))?;
                interrupted = true;
                progress.note("canceling the run (press Ctrl-C again to leave it to the server)");
                client.post(&format!("/api/runs/{id}/cancel"), &json!({})).await.or_else(ended_meanwhile)?;
            }
            signal = tokio::signal::ctrl_c(), if interrupted => {
                signal.map_err(|error| format!("signals cannot be received: {error}"))?;
                return Ok(ExitCode::from(FAILED));
            }
        }
    }
    let run = client.get(&format!("/api/runs/{id}?include=io")).await?;
    progress.ended(&run);
    Ok(ExitCode::from(if run["status"] == "succeeded" { 0 } else { FAILED }))
}

/// Somebody is asked: says so, or answers where the command line has the answer.
async fn question(
    client: &Client,
    run: &str,
    event: &Value,
    decision: Option<&str>,
    progress: &mut Progress,
) -> Result<(), Failed> {
    let step = event["step_id"].as_str().unwrap_or_default();
    // The other characters of a path stand for themselves in a URL.
    let path = format!("/api/approvals/{run}:{}", step.replace('/', "%2F"));
    let Some(decision) = decision else {
        progress.note(&format!(
            "? {step}: {}\n  POST {}{path} {{\"decision\": \"approve\"}} (or \"reject\") answers; `flowtrace run --decide` does so by itself",
            out::harmless(event["payload"]["message"].as_str().unwrap_or_default()),
            client.url()
        ));
        return Ok(());
    };
    let body = json!({"decision": decision, "reason": "by `flowtrace run --decide`"});
    client.post(&path, &body).await.or_else(ended_meanwhile)?;
    Ok(())
}

fn ended_meanwhile(failure: ApiFailure) -> Result<Value, ApiFailure> {
    if failure.status == 409 { Ok(Value::Null) } else { Err(failure) }
}

/// The input variables: those of the file, then the single ones.
fn input(arguments: &Run) -> Result<Value, Failed> {
    let invalid = |sentence: String| Failed { sentence, code: INVALID };
    let mut input = match &arguments.input_json {
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
            let value: Map<String, Value> = serde_json::from_str(&text)
                .map_err(|error| invalid(format!("{} has to hold a JSON object: {error}", file.display())))?;
            value
        }
        None => Map::new(),
    };
    for text in &arguments.inputs {
        let (name, value) = parse_input(text).map_err(invalid)?;
        input.insert(name, value);
    }
    Ok(Value::Object(input))
}

fn parse_input(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`--input {text}` has to be `name=text` or `name:=json`"))?;
    let (name, value) = match name.strip_suffix(':') {
        Some(name) => {
            let value =
                serde_json::from_str(value).map_err(|error| format!("`--input {text}` does not hold valid JSON: {error}"))?;
            (name, value)
        }
        None => (name, Value::String(value.to_owned())),
    };
    if name.is_empty() {
        return Err(format!("`--input {text}` names no variable: write `name=text`"));
    }
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs() {
        for (text, expected) in [
            ("a=1", Some(("a", json!("1")))),
            ("a:=1", Some(("a", json!(1)))),
            ("a:={\"b\":[true]}", Some(("a", json!({"b": [true]})))),
            ("a=", Some(("a", json!("")))),
            ("a=b=c", Some(("a", json!("b=c")))),
            ("a=:=", Some(("a", json!(":=")))),
            ("a", None),
            ("=x", None),
            (":=1", None),
            ("a:=nonsense", None),
        ] {
            let expected = expected.map(|(name, value)| (name.to_owned(), value));
            assert_eq!(parse_input(text).ok(), expected, "{text}");
        }
    }
}
