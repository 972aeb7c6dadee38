//! `flowtrace trace`

use super::args::Trace;
use super::client::{Client, connect};
use super::{Failed, Outcome, out};
use crate::cli::args::EngineArgs;
use crate::config::Config;
use crate::server::Mode;
use serde_json::{Value, json};
use std::process::ExitCode;

pub async fn run(arguments: Trace) -> Outcome {
    let token = super::token(&arguments.token)?;
    let config = || Config::load(&arguments.common, &EngineArgs::default(), None);
    let connection = connect(config, Mode::Read, token).await?;
    let run = super::encode(&arguments.run);
    // A server of our own works on nothing, so following would wait for ever.
    let outcome = match arguments.follow && connection.own.is_none() {
        true => follow(&connection.client, &run, arguments.json).await,
        false => print(&connection.client, &run, arguments.json).await,
    };
    let unfinished = outcome.is_ok()
        && arguments.follow
        && connection.own.is_some()
        && connection.client.get(&format!("/api/runs/{run}")).await.is_ok_and(|run| run["finished_at"].is_null());
    connection.close().await;
    if unfinished {
        out::note(
            "the run is not finished, and no server works on it: `flowtrace serve` with this data directory goes on with it",
        );
    }
    outcome
}

async fn print(client: &Client, run: &str, as_json: bool) -> Outcome {
    let mut after = json!(0);
    while !after.is_null() {
        let page = client.get(&format!("/api/runs/{run}/trace?after_seq={after}")).await?;
        for event in page["events"].as_array().into_iter().flatten() {
            show(event, as_json);
        }
        after = page["next_after_seq"].clone();
    }
    Ok(ExitCode::SUCCESS)
}

async fn follow(client: &Client, run: &str, as_json: bool) -> Outcome {
    let mut stream = client.follow(run);
    while let Some(message) = stream.next().await? {
        if message.event == "trace" {
            show(&event(&message.id, &message.data)?, as_json);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A message of the stream in the form of `/trace`.
pub fn event(id: &Option<String>, data: &str) -> Result<Value, Failed> {
    let mut event: Value = serde_json::from_str(data)
        .map_err(|error| Failed::from(format!("the server sent an event that is not JSON: {error}")))?;
    let seq = id.as_deref().and_then(|id| id.parse::<u64>().ok());
    if let Some(fields) = event.as_object_mut() {
        fields.shift_insert(0, "seq".to_owned(), json!(seq));
    }
    Ok(event)
}

fn show(event: &Value, as_json: bool) {
    if as_json {
        return out::line(event);
    }
    let string = |key: &str| event[key].as_str().unwrap_or_default();
    let mut payload = event["payload"].to_string();
    if let Some((at, _)) = payload.char_indices().nth(200) {
        payload.truncate(at);
        payload.push('…');
    }
    out::line(out::harmless(&format!(
        "{:>5}  {}  {:<20}  {:<20}  {payload}",
        event["seq"].to_string(),
        string("ts"),
        string("kind"),
        string("step_id")
    )));
}
