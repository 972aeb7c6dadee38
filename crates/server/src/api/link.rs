//! The workflows that a document calls, found when a run starts: the run keeps them as they are then.

use super::problem::{ApiError, ApiResult};
use crate::app::Shared;
use flowtrace_core::event::{LinkedWorkflow, WorkflowRef};
use flowtrace_core::plan::{LinkName, Plan};
use flowtrace_engine::port::store::Workflow;
use std::sync::Arc;

/// How many different workflows a run may call, directly and through others.
const MOST_LINKED: usize = 100;

/// Workflows that are looked through at once for a name.
const PAGE: usize = 200;

/// The plan with everything linked that it calls. A workflow that does not exist is left out: the step that calls it fails then.
pub async fn link(app: &Shared, graph_json: &str, plan: Arc<Plan>) -> ApiResult<(Arc<Plan>, Vec<LinkedWorkflow>)> {
    if plan.unlinked().is_empty() {
        return Ok((plan, Vec::new()));
    }
    let mut plan = Plan::compile(graph_json.as_bytes()).map_err(ApiError::invalid_workflow)?;
    let mut linked: Vec<LinkedWorkflow> = Vec::new();
    let mut missing: Vec<LinkName> = Vec::new();
    loop {
        let next = plan.unlinked().into_iter().find(|name| !missing.contains(name));
        let Some(name) = next else { break };
        if linked.len() >= MOST_LINKED {
            let detail = format!("The workflow calls more than {MOST_LINKED} different workflows, directly and through others.");
            return Err(ApiError::bad_request("too_many_workflows", detail));
        }
        let Some((workflow, json)) = find(app, &name).await? else {
            missing.push(name);
            continue;
        };
        plan.link(name.clone(), json.as_bytes()).map_err(ApiError::invalid_workflow)?;
        linked.push(LinkedWorkflow { name: name.0, asked: name.1, workflow });
    }
    Ok((Arc::new(plan), linked))
}

/// By id, else by name, the one that was changed last first.
async fn find(app: &Shared, (name, version): &LinkName) -> ApiResult<Option<(WorkflowRef, Arc<str>)>> {
    let workflow = match app.store.workflow(name).await? {
        Some(workflow) => Some(workflow),
        None => by_name(app, name).await?,
    };
    let Some(workflow) = workflow else { return Ok(None) };
    let reference = |version, hash| WorkflowRef { id: Some(workflow.id.clone()), version: Some(version), hash };
    let Some(version) = version.filter(|version| *version != workflow.version) else {
        return Ok(Some((reference(workflow.version, workflow.hash.clone()), workflow.graph_json.clone())));
    };
    let versions = app.store.workflow_versions(&workflow.id).await?;
    let Some(found) = versions.into_iter().find(|found| found.version == version) else { return Ok(None) };
    let json = app.store.document(&found.hash).await?;
    Ok(json.map(|json| (reference(version, found.hash), json)))
}

async fn by_name(app: &Shared, name: &str) -> ApiResult<Option<Workflow>> {
    let mut after = None;
    loop {
        let page = app.store.workflows(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(None) };
        after = Some(last.id.clone());
        if let Some(found) = page.into_iter().find(|workflow| workflow.name == name) {
            return Ok(Some(found));
        }
    }
}
