//! Which version of a workflow a run's document was made of, where somebody edited it for that run alone.

use super::problem::ApiResult;
use super::run_view::RunSummary;
use crate::app::Shared;
use flowtrace_core::event::{Body, Event};
use flowtrace_core::id::RunId;

/// Forks of forks of edited documents are followed as far as this.
const MOST_FORKS: usize = 32;

/// The version at the beginning of a chain of forks; `None` if the run is no fork, or one of the runs is gone.
pub async fn edited_version(app: &Shared, run: RunId) -> ApiResult<Option<u32>> {
    let mut run = run;
    for _ in 0..MOST_FORKS {
        let events = app.store.read(run, 0, 1).await?;
        let Some(Event { body: Body::RunStarted(started), .. }) = events.first() else { return Ok(None) };
        match (started.workflow.version, &started.forked_from) {
            (Some(version), _) => return Ok(Some(version)),
            (None, Some(origin)) => run = origin.run,
            (None, None) => return Ok(None),
        }
    }
    Ok(None)
}

/// Says of each run of an edited document what it was made of. Other runs cost nothing.
pub async fn say_edited(app: &Shared, runs: &mut [(RunId, RunSummary)]) -> ApiResult<()> {
    for (id, run) in runs {
        if run.workflow_id.is_some() && run.workflow_version.is_none() {
            run.edited_version = edited_version(app, *id).await?;
        }
    }
    Ok(())
}
