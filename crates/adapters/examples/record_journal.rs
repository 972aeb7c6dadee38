//! Turns a stored run into a fixture: the journal of a run, the document that it pins and the blobs that it refers to, as one JSON
//! file. Every build must be able to finish it from any of its events on (`crates/engine/tests/it/journals.rs`).
//!
//!     cargo run -p flowtrace-adapters --example record_journal -- DATA_DIR RUN_ID NAME "what it shows"
//!
//! writes `fixtures/journals/NAME.json`. A file that is there stays as it is: it stands for a version that wrote it.

#![allow(clippy::print_stdout)]

use flowtrace_adapters::store::sqlite::{DataDir, SqliteStore};
use flowtrace_core::event::{self, Body, Event};
use flowtrace_core::id::RunId;
use flowtrace_engine::port::store::{Journal, Workflows};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data_dir, run, name, about] = arguments.as_slice() else {
        return Err("use: record_journal DATA_DIR RUN_ID NAME ABOUT".into());
    };
    let run = RunId::parse(run).ok_or("the second argument is not the id of a run")?;
    let data_dir = DataDir::lock(Path::new(data_dir))?;
    let store = SqliteStore::open(data_dir.path())?;
    let events = store.read(run, 0, usize::MAX).await?;
    let Some(Event { body: Body::RunStarted(started), .. }) = events.first() else {
        return Err(format!("there is no run {run} in {}", data_dir.path().display()).into());
    };
    let document = compact_document(&store, &started.workflow.hash).await?;
    // The workflows that it calls, in the order in which they are linked.
    let mut linked = Vec::new();
    for link in &started.linked {
        linked.push(compact_document(&store, &link.workflow.hash).await?.to_string());
    }

    let mut hashes = Vec::new();
    for event in &events {
        collect_hashes(&serde_json::to_value(event)?, &mut hashes);
    }
    let mut blobs: BTreeMap<String, Box<RawValue>> = BTreeMap::new();
    for hash in hashes {
        let json = store.blob(&hash).await?.ok_or_else(|| format!("blob {hash} is missing"))?;
        blobs.insert(hash, RawValue::from_string(String::from_utf8(json.to_vec())?)?);
    }

    // One event a line, so that a person can read and compare them.
    let lines = events.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?.join(",\n");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/journals").join(format!("{name}.json"));
    std::fs::create_dir_all(path.parent().ok_or("the fixture has no directory")?)?;
    let mut file = File::create_new(&path)?;
    writeln!(
        file,
        "{{\n\"about\": {},\n\"format\": {},\n\"document\": {document},\n\"linked\": [{}],\n\"events\": [\n{lines}\n],\n\"blobs\": {}\n}}",
        json!(about),
        event::FORMAT,
        linked.join(",\n"),
        serde_json::to_string(&blobs)?,
    )?;
    println!("{}: {} events, {} blobs", path.display(), events.len(), blobs.len());
    Ok(())
}

async fn compact_document(store: &SqliteStore, hash: &str) -> Result<Arc<str>, Box<dyn Error>> {
    let document = store.document(hash).await?.ok_or("a document of the run is missing")?;
    let compact = serde_json::from_str::<Value>(&document)?.to_string();
    if *compact != *document {
        return Err("the run's document was sent with spaces; send it without any, so that the fixture can be reformatted".into());
    }
    Ok(document)
}

/// References stand only where the stored form has a payload: as `{"blob": {"hash": …}}`. What users wrote stands below `inline`.
fn collect_hashes(value: &Value, hashes: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value.get("hash").and_then(Value::as_str)) {
                    ("blob", Some(hash)) => hashes.push(hash.to_string()),
                    ("inline", _) => {}
                    _ => collect_hashes(value, hashes),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_hashes(item, hashes)),
        _ => {}
    }
}
