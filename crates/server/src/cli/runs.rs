//! `flowtrace runs`

use super::args::Runs;
use super::client::connect;
use super::{Outcome, out};
use crate::cli::args::EngineArgs;
use crate::config::Config;
use crate::server::Mode;
use serde_json::Value;
use std::process::ExitCode;

pub async fn run(arguments: Runs) -> Outcome {
    let token = super::token(&arguments.token)?;
    let config = || Config::load(&arguments.common, &EngineArgs::default(), None);
    let connection = connect(config, Mode::Read, token).await?;
    let mut path = format!("/api/runs?limit={}", arguments.limit);
    if let Some(status) = &arguments.status {
        path.push_str(&format!("&status={status}"));
    }
    if let Some(workflow) = &arguments.workflow {
        path.push_str(&format!("&workflow_id={}", super::encode(workflow)));
    }
    let answer = connection.client.get(&path).await;
    connection.close().await;
    let answer = answer?;
    let runs = answer["runs"].as_array().map(Vec::as_slice).unwrap_or_default();
    if arguments.json {
        runs.iter().for_each(out::line);
        return Ok(ExitCode::SUCCESS);
    }
    if runs.is_empty() {
        out::note("no runs");
        return Ok(ExitCode::SUCCESS);
    }
    out::line(format!(
        "{:<36}  {:<9}  {:<27}  {:>10}  {:>8}  {:>12}  {}",
        "RUN", "STATUS", "STARTED", "DURATION", "TOKENS", "COST", "WORKFLOW"
    ));
    runs.iter().for_each(|run| out::line(out::harmless(&row(run))));
    Ok(ExitCode::SUCCESS)
}

fn row(run: &Value) -> String {
    let string = |key: &str| run[key].as_str().unwrap_or("—");
    let duration = run["total_latency_ms"].as_f64().map_or("—".to_owned(), out::duration);
    let cost = out::dollars(run["total_cost_nanousd"].as_u64().unwrap_or(0), run["cost_complete"] == true);
    let cost = if run["simulated"] == true { "simulated".to_owned() } else { cost };
    let error = run["error_summary"].as_str().map_or(String::new(), |error| format!("  {}", error.replace('\n', " ")));
    format!(
        "{:<36}  {:<9}  {:<27}  {duration:>10}  {:>8}  {cost:>12}  {}{error}",
        string("id"),
        string("status"),
        string("started_at"),
        run["total_tokens"].to_string(),
        string("workflow_id"),
    )
}
