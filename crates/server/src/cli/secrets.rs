//! `flowtrace secrets`

use super::args::{EngineArgs, Place, Secrets, SecretsCommand};
use super::client::{Connection, connect};
use super::{Failed, Outcome, out};
use crate::config::Config;
use crate::server::Mode;
use flowtrace_adapters::vault::{self, MAX_VALUE};
use serde_json::{Value, json};
use std::io::{IsTerminal, Read};
use std::process::ExitCode;

pub async fn run(arguments: Secrets) -> Outcome {
    match arguments.command {
        SecretsCommand::Set { name, place } => {
            vault::check_name(&name)?;
            let value = value()?;
            let connection = open(&place).await?;
            let answer = connection.client.put(&format!("/api/secrets/{name}"), &json!({"value": value})).await;
            connection.close().await;
            let secret = answer?;
            out::note(format!("the secret `{name}` is set; it counts from the next call on"));
            if let Some(variable) = secret["shadowed_by"].as_str() {
                out::note(format!("the variable {variable} of the server is set too, and comes first"));
            }
        }
        SecretsCommand::List { json, place } => {
            let connection = open(&place).await?;
            let answer = connection.client.get("/api/secrets").await;
            connection.close().await;
            list(&answer?, json);
        }
        SecretsCommand::Delete { name, place } => {
            vault::check_name(&name)?;
            let connection = open(&place).await?;
            let answer = connection.client.delete(&format!("/api/secrets/{name}")).await;
            connection.close().await;
            answer?;
            out::note(format!("the secret `{name}` is deleted"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn open(place: &Place) -> Result<Connection, String> {
    let token = super::token(&place.token)?;
    let config = || Config::load(&place.common, &EngineArgs::default(), None);
    connect(config, Mode::Change, token).await
}

/// From standard input, never from the command line: other users can see that.
fn value() -> Result<String, Failed> {
    if std::io::stdin().is_terminal() {
        out::note("type or paste the value, then press Ctrl-D");
    }
    let mut bytes = Vec::new();
    let limit = MAX_VALUE as u64 + 3;
    std::io::stdin()
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("standard input, which has to hold the value, cannot be read: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| "the value on standard input is not UTF-8 text".to_owned())?;
    let value = text.strip_suffix('\n').unwrap_or(&text);
    Ok(value.strip_suffix('\r').unwrap_or(value).to_owned())
}

fn list(answer: &Value, as_json: bool) {
    let secrets = answer["secrets"].as_array().map(Vec::as_slice).unwrap_or_default();
    if as_json {
        return secrets.iter().for_each(out::line);
    }
    if let Some(problem) = answer["key"]["problem"].as_str() {
        out::note(problem);
    }
    if secrets.is_empty() {
        return out::note("no secrets");
    }
    let width = secrets.iter().filter_map(|secret| secret["name"].as_str()).map(str::len).max().unwrap_or(0).max(6);
    out::line(format!("{:<width$}  {:<27}  {}", "SECRET", "SET", "USED BY"));
    for secret in secrets {
        let string = |key: &str| secret[key].as_str().unwrap_or_default();
        let users: Vec<&str> = secret["used_by"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let users = if users.is_empty() { "workflows".to_owned() } else { users.join(", ") };
        let note = match (secret["usable"] == true, secret["shadowed_by"].as_str()) {
            (false, _) => "  (cannot be opened)".to_owned(),
            (true, Some(variable)) => format!("  (the variable {variable} comes first)"),
            (true, None) => String::new(),
        };
        out::line(out::harmless(&format!("{:<width$}  {:<27}  {users}{note}", string("name"), string("set_at"))));
    }
}
