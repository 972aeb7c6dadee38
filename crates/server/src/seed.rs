//! The demo workflows that a new data directory begins with.

use flowtrace_core::id::Timestamp;
use flowtrace_core::payload::sha256_hex;
use flowtrace_core::plan::Plan;
use flowtrace_engine::port::clock::Clock;
use flowtrace_engine::port::store::{Store, StoreError, Workflow, WorkflowError};
use rust_embed::RustEmbed;
use serde::Deserialize;
use serde_json::json;

/// One file a demo; its name without `.json` is the workflow's id.
#[derive(RustEmbed)]
#[folder = "demos"]
#[allow_missing = true]
struct Files;

/// What is read of a demo besides the document itself.
#[derive(Deserialize)]
struct Demo {
    name: String,
    #[serde(default)]
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
                Err(error @ (WorkflowError::NotFound | WorkflowError::DraftConflict)) => {
                    return Err(StoreError::Invalid(error.to_string()));
                }
            },
        }
        seeded.push(id.to_owned());
    }
    if seeded.len() > before {
        store.put_meta(META_KEY, json!(seeded)).await?;
    }
    Ok(())
}

/// The demo as a workflow. Its providers may be missing here: it is shown all the same, and a run says what to configure.
fn read(id: &str, now: Timestamp) -> Result<Workflow, String> {
    let file = Files::get(&format!("{id}.json")).ok_or("the file is missing")?;
    let document = std::str::from_utf8(&file.data).map_err(|error| error.to_string())?;
    let demo: Demo = serde_json::from_str(document).map_err(|error| error.to_string())?;
    Plan::compile(document.as_bytes()).map_err(|problems| json!(problems).to_string())?;
    Ok(Workflow {
        id: id.to_owned(),
        owner_id: None,
        name: demo.name,
        description: demo.description,
        version: 1,
        hash: sha256_hex(document.as_bytes()).into(),
        graph_json: document.into(),
        created_at: now,
        updated_at: now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_demo_can_be_read() {
        let ids: Vec<String> = Files::iter().filter_map(|file| file.strip_suffix(".json").map(str::to_owned)).collect();
        assert!(ids.len() >= 2, "the demos are missing: {ids:?}");
        for id in ids {
            read(&id, Timestamp(0)).unwrap_or_else(|error| panic!("{id}: {error}"));
        }
    }
}
