//! The demo workflows that a new data directory begins with.

use flowtrace_core::check::{Catalog, check};
use flowtrace_core::payload::sha256_hex;
use flowtrace_engine::port::clock::Clock;
use flowtrace_engine::port::store::{Store, StoreError, Workflow, WorkflowError};
use rust_embed::RustEmbed;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

/// One file a demo; its name without `.json` is the workflow's id.
#[derive(RustEmbed)]
#[folder = "demos"]
#[allow_missing = true]
struct Files;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Demo {
    name: String,
    #[serde(default)]
    description: Option<String>,
    graph_json: Box<RawValue>,
}

/// Which demos were added before. One that the user has deleted does not come back.
const META_KEY: &str = "seeded_demos";

pub async fn demos(store: &dyn Store, catalog: &Catalog, clock: &dyn Clock) -> Result<(), StoreError> {
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
        if let Some(workflow) = read(id, catalog, clock) {
            match store.create_workflow(workflow).await {
                // A crash between the two writes leaves a demo that is there already.
                Ok(()) | Err(WorkflowError::VersionConflict { .. }) => {}
                Err(WorkflowError::Store(error)) => return Err(error),
                Err(error @ WorkflowError::NotFound) => return Err(StoreError::Invalid(error.to_string())),
            }
        }
        seeded.push(id.to_owned());
    }
    if seeded.len() > before {
        store.put_meta(META_KEY, json!(seeded)).await?;
    }
    Ok(())
}

/// `None` with a warning for a demo that this deployment cannot run, for instance because of a missing provider.
fn read(id: &str, catalog: &Catalog, clock: &dyn Clock) -> Option<Workflow> {
    let file = Files::get(&format!("{id}.json"))?;
    let demo: Demo = match serde_json::from_slice(&file.data) {
        Ok(demo) => demo,
        Err(error) => {
            tracing::warn!(id, %error, "a demo could not be read");
            return None;
        }
    };
    if let Err(problems) = check(demo.graph_json.get().as_bytes(), catalog) {
        tracing::warn!(id, problems = %json!(problems), "a demo is not valid here");
        return None;
    }
    let now = clock.now();
    Some(Workflow {
        id: id.to_owned(),
        owner_id: None,
        name: demo.name,
        description: demo.description,
        version: 1,
        hash: sha256_hex(demo.graph_json.get().as_bytes()).into(),
        graph_json: demo.graph_json.get().into(),
        created_at: now,
        updated_at: now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    use serde_json::Value;

    #[test]
    fn every_demo_file_can_be_read() {
        for file in Files::iter() {
            let data = Files::get(&file).unwrap().data;
            let demo: Demo = serde_json::from_slice(&data).unwrap_or_else(|error| panic!("{file}: {error}"));
            let graph: Value = serde_json::from_str(demo.graph_json.get()).unwrap();
            assert_eq!(graph["version"], "1", "{file}");
        }
    }
}
