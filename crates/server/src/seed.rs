//! The demo workflows that a new data directory begins with.

use flowtrace_core::id::Timestamp;
use flowtrace_core::payload::sha256_hex;
use flowtrace_core::plan::Plan;
use flowtrace_engine::port::clock::Clock;
use flowtrace_engine::port::store::{Store, StoreError, Workflow, WorkflowError};
use rust_embed::RustEmbed;
use serde::Deserialize;
use serde_json::json;
<<<<<<< HEAD
=======
use std::sync::Arc;
>>>>>>> server

/// One file a demo; its name without `.json` is the workflow's id.
#[derive(RustEmbed)]
#[folder = "demos"]
#[allow_missing = true]
struct Files;

<<<<<<< HEAD
/// What is read of a demo besides the document itself.
=======
/// What the list of workflows shows of a document.
>>>>>>> server
#[derive(Deserialize)]
struct Demo {
    name: String,
    description: Option<String>,
}

/// Which demos were added before. One that the user has deleted does not come back.
const META_KEY: &str = "seeded_demos";

pub async fn demos(store: &dyn Store, clock: &dyn Clock) -> Result<(), StoreError> {
    let mut seeded: Vec<String> = match store.meta(META_KEY).await? {
        Some(value) => serde_json::from_value(value).unwrap_or_default(),
        None => Vec::new(),
    };
    let before = seeded.len();
    for file in Files::iter() {
        let Some(id) = file.strip_suffix(".json") else { continue };
        if seeded.iter().any(|known| known == id) {
            continue;
        }
        match read(id, clock.now()) {
            Err(error) => tracing::warn!(id, error, "a demo could not be read"),
            Ok(workflow) => match store.create_workflow(workflow).await {
                // A crash between the two writes leaves a demo that is there already.
                Ok(()) | Err(WorkflowError::VersionConflict { .. }) => {}
                Err(WorkflowError::Store(error)) => return Err(error),
                Err(error @ WorkflowError::NotFound) => return Err(StoreError::Invalid(error.to_string())),
            },
        }
        seeded.push(id.to_owned());
    }
    if seeded.len() > before {
        store.put_meta(META_KEY, json!(seeded)).await?;
    }
    Ok(())
}

<<<<<<< HEAD
/// The demo as a workflow. Its providers may be missing here: it is shown all the same, and a run says what to configure.
fn read(id: &str, now: Timestamp) -> Result<Workflow, String> {
    let file = Files::get(&format!("{id}.json")).ok_or("the file is missing")?;
    let document = std::str::from_utf8(&file.data).map_err(|error| error.to_string())?;
    let demo: Demo = serde_json::from_str(document).map_err(|error| error.to_string())?;
    Plan::compile(document.as_bytes()).map_err(|problems| json!(problems).to_string())?;
    Ok(Workflow {
=======
/// `None` with a warning for a demo that this deployment cannot run, for instance because of a missing provider.
fn read(id: &str, catalog: &Catalog, clock: &dyn Clock) -> Option<Workflow> {
    let file = Files::get(&format!("{id}.json"))?;
    if let Err(problems) = check(&file.data, catalog) {
        tracing::warn!(id, problems = %json!(problems), "a demo is not valid here");
        return None;
    }
    let graph_json: Arc<str> = std::str::from_utf8(&file.data).ok()?.into();
    let demo: Demo = serde_json::from_str(&graph_json).ok()?;
    let now = clock.now();
    Some(Workflow {
>>>>>>> server
        id: id.to_owned(),
        owner_id: None,
        name: demo.name,
        description: demo.description,
        version: 1,
<<<<<<< HEAD
        hash: sha256_hex(document.as_bytes()).into(),
        graph_json: document.into(),
=======
        hash: sha256_hex(graph_json.as_bytes()).into(),
        graph_json,
>>>>>>> server
        created_at: now,
        updated_at: now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
<<<<<<< HEAD
    fn every_demo_can_be_read() {
        let ids: Vec<String> = Files::iter().filter_map(|file| file.strip_suffix(".json").map(str::to_owned)).collect();
        assert!(ids.len() >= 2, "the demos are missing: {ids:?}");
        for id in ids {
            read(&id, Timestamp(0)).unwrap_or_else(|error| panic!("{id}: {error}"));
=======
    fn every_demo_has_a_name_and_a_description() {
        for file in Files::iter() {
            let data = Files::get(&file).unwrap().data;
            let demo: Demo = serde_json::from_slice(&data).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(!demo.name.is_empty() && demo.description.is_some(), "{file}");
>>>>>>> server
        }
    }
}
