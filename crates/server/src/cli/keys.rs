//! `flowtrace keys`

use super::args::{Keys, KeysCommand};
use super::secrets::open;
use super::{Outcome, out};
use serde_json::{Value, json};
use std::process::ExitCode;

pub async fn run(arguments: Keys) -> Outcome {
    match arguments.command {
        KeysCommand::Create { name, scope, place } => {
            let connection = open(&place).await?;
            let answer = connection.client.post("/api/keys", &json!({"name": name, "scope": scope})).await;
            connection.close().await;
            let key = answer?;
            out::line(key["key"].as_str().unwrap_or_default());
            out::note("keep it: it is never shown again");
        }
        KeysCommand::List { json, place } => {
            let connection = open(&place).await?;
            let answer = connection.client.get("/api/keys").await;
            connection.close().await;
            list(&answer?, json);
        }
        KeysCommand::Revoke { key, place } => {
            let connection = open(&place).await?;
            let revoked = async {
                let all = connection.client.get("/api/keys").await?;
                let named = |each: &&Value| each["name"] == key.as_str() || each["id"] == key.as_str();
                let id = all["keys"].as_array().into_iter().flatten().find(named).and_then(|each| each["id"].as_str());
                let id = id.ok_or_else(|| super::Failed::from(format!("there is no access key `{key}`")))?;
                connection.client.delete(&format!("/api/keys/{}", super::encode(id))).await?;
                Ok::<_, super::Failed>(())
            };
            let revoked = revoked.await;
            connection.close().await;
            revoked?;
            out::note(out::harmless(&format!("the access key `{key}` is revoked")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(answer: &Value, as_json: bool) {
    let keys = answer["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    if as_json {
        return keys.iter().for_each(out::line);
    }
    if keys.is_empty() {
        return out::note("no access keys");
    }
    out::line(format!("{:<8}  {:<6}  {:<27}  {:<27}  {}", "KEY", "SCOPE", "CREATED", "LAST USED", "NAME"));
    for key in keys {
        let string = |field: &str| key[field].as_str().unwrap_or("—");
        let [hint, scope, created, used, name] = ["hint", "scope", "created_at", "last_used_at", "name"].map(string);
        out::line(out::harmless(&format!("{:<8}  {scope:<6}  {created:<27}  {used:<27}  {name}", format!("{hint}…"))));
    }
}
