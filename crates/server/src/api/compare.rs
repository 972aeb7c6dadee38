//! `/api/compare`: two runs side by side, aligned by the paths of their steps.

use super::dto::{no_such_run, run_id, show};
use super::edited::say_edited;
use super::extract::Query;
use super::problem::{ApiError, ApiResult, ProblemDocument};
use super::run_view::RunSummary;
use super::runs::snapshot;
use crate::app::Shared;
use axum::Json;
use axum::extract::State;
use flowtrace_core::id::RunId;
use flowtrace_core::payload::Payload;
use flowtrace_core::state::{StepIx, StepState, StepStatus};
use flowtrace_engine::host::Snapshot;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Steps in one answer.
const PAGE: usize = 500;

/// Bytes of a value that the comparison shows; a step's own page has the rest.
const PREVIEW_BYTES: u64 = 8 * 1024;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct CompareQuery {
    /// A run.
    a: String,
    /// Another one.
    b: String,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct Comparison {
    a: RunSummary,
    b: RunSummary,
    /// The first step, in the order of `steps`, in which the runs differ.
    first_divergence: Option<String>,
    /// In the order in which they appeared in `a`; what only `b` has comes after what it followed there.
    steps: Vec<Aligned>,
    next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct Aligned {
    pub step_id: String,
    pub node_id: String,
    pub node_type: String,
    pub a: Option<Side>,
    pub b: Option<Side>,
    /// In what the two differ: `missing`, `status`, `input`, `prompt`, `target`, `output`, `branch`, `error`.
    pub differs: Vec<&'static str>,
}

/// A step in one of the runs.
#[derive(Serialize, ToSchema)]
pub struct Side {
    pub status: &'static str,
    pub latency_ms: Option<f64>,
    pub tokens: Option<u64>,
    pub cost_nanousd: Option<u64>,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub cached: bool,
    /// Whether another run did the work.
    pub reused: bool,
    #[schema(value_type = Value)]
    pub input: Option<Arc<Value>>,
    pub input_truncated: bool,
    #[schema(value_type = Value)]
    pub output: Option<Arc<Value>>,
    pub output_truncated: bool,
    /// What a model or a tool was called with.
    #[schema(value_type = Value)]
    pub prompt: Option<Arc<Value>>,
    pub prompt_truncated: bool,
    pub error: Option<String>,
}

/// Two runs side by side.
#[utoipa::path(get, path = "/api/compare", operation_id = "compareRuns", tag = "runs", params(CompareQuery), responses(
    (status = 200, body = Comparison),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn compare(State(app): State<Shared>, Query(query): Query<CompareQuery>) -> ApiResult<Json<Comparison>> {
    let from: usize = match &query.cursor {
        Some(cursor) => cursor
            .parse()
            .map_err(|_| ApiError::bad_request("invalid_cursor", "`cursor` has to be a `next_cursor` of this list."))?,
        None => 0,
    };
    let (a, b) = (run_id(&query.a)?, run_id(&query.b)?);
    let (left, right) = (snapshot(&app, a, None).await?, snapshot(&app, b, None).await?);
    let aligned = align(&left, &right);
    let differing = aligned.iter().find(|(a, b)| !differences(side(&left, *a), side(&right, *b)).is_empty());
    let first_divergence = differing.map(|pair| path(&left, &right, *pair));
    let page: Vec<_> = aligned.iter().skip(from).take(PAGE).copied().collect();
    let mut steps = Vec::with_capacity(page.len());
    for pair in page {
        let (ix, run) = match pair {
            (Some(ix), _) => (ix, &left),
            (None, Some(ix)) => (ix, &right),
            (None, None) => continue,
        };
        let node = run.plan.node(run.state.step(ix).node);
        steps.push(Aligned {
            step_id: path(&left, &right, pair),
            node_id: node.id.to_string(),
            node_type: node.kind.type_name().to_owned(),
            a: view(&app, side(&left, pair.0)).await?,
            b: view(&app, side(&right, pair.1)).await?,
            differs: differences(side(&left, pair.0), side(&right, pair.1)),
        });
    }
    let next_cursor = (aligned.len() > from + PAGE).then(|| (from + PAGE).to_string());
    Ok(Json(Comparison { a: summary(&app, a).await?, b: summary(&app, b).await?, first_divergence, steps, next_cursor }))
}

type Pair = (Option<StepIx>, Option<StepIx>);

async fn summary(app: &Shared, run: RunId) -> ApiResult<RunSummary> {
    let row = app.store.run(run).await?.ok_or_else(|| no_such_run(run))?;
    let mut one = [(run, RunSummary::from(row))];
    say_edited(app, &mut one).await?;
    let [(_, summary)] = one;
    Ok(summary)
}

pub fn seen(run: &Snapshot) -> Vec<StepIx> {
    let mut steps: Vec<StepIx> =
        (0..run.state.steps.len() as StepIx).filter(|ix| run.state.step(*ix).status != StepStatus::Pending).collect();
    steps.sort_by_key(|ix| run.state.step(*ix).ordinal);
    steps
}

fn align(a: &Snapshot, b: &Snapshot) -> Vec<Pair> {
    let (left, right) = (seen(a), seen(b));
    let by_path: HashMap<&str, StepIx> = right.iter().map(|ix| (&*b.state.step(*ix).path, *ix)).collect();
    let known: HashSet<&str> = left.iter().map(|ix| &*a.state.step(*ix).path).collect();
    // What only the second run has, after the step that came before it there.
    let mut after: HashMap<Option<&str>, Vec<StepIx>> = HashMap::new();
    let mut before = None;
    for ix in &right {
        let path = &*b.state.step(*ix).path;
        match known.contains(path) {
            true => before = Some(path),
            false => after.entry(before).or_default().push(*ix),
        }
    }
    let only = |before: Option<&str>| -> Vec<Pair> {
        after.get(&before).map_or_else(Vec::new, |steps| steps.iter().map(|ix| (None, Some(*ix))).collect())
    };
    let mut aligned = only(None);
    for ix in left {
        let path = &*a.state.step(ix).path;
        aligned.push((Some(ix), by_path.get(path).copied()));
        aligned.extend(only(Some(path)));
    }
    aligned
}

fn side(run: &Snapshot, ix: Option<StepIx>) -> Option<&StepState> {
    ix.map(|ix| run.state.step(ix))
}

fn path(a: &Snapshot, b: &Snapshot, pair: Pair) -> String {
    let step = side(a, pair.0).or(side(b, pair.1));
    step.map(|step| step.path.to_string()).unwrap_or_default()
}

fn differences(a: Option<&StepState>, b: Option<&StepState>) -> Vec<&'static str> {
    let (Some(a), Some(b)) = (a, b) else { return vec!["missing"] };
    // What was not made again is the same by definition.
    let calls = a.origin.is_none() && b.origin.is_none();
    let parts = [
        ("status", a.status != b.status),
        ("input", a.input != b.input),
        ("prompt", calls && a.call != b.call),
        ("target", calls && a.target != b.target),
        ("output", a.output != b.output),
        ("branch", a.branch != b.branch),
        ("error", a.error.as_ref().map(|error| error.code) != b.error.as_ref().map(|error| error.code)),
    ];
    parts.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

pub async fn view(app: &Shared, step: Option<&StepState>) -> ApiResult<Option<Side>> {
    let Some(step) = step else { return Ok(None) };
    let (input, input_truncated) = shown(app, step.input.as_ref()).await?;
    let (output, output_truncated) = shown(app, step.output.as_ref()).await?;
    let (prompt, prompt_truncated) = shown(app, step.call.as_ref()).await?;
    Ok(Some(Side {
        status: step.status.as_str(),
        latency_ms: step.finished_at.zip(step.started_at).map(|(end, start)| end.millis_since(start)),
        tokens: step.usage.map(|usage| usage.total()),
        cost_nanousd: step.cost_nanousd,
        provider: step.target.as_ref().map(|target| target.provider.clone()),
        model: step.target.as_ref().map(|target| target.model.clone()),
        cached: step.cached,
        reused: step.origin.is_some(),
        input,
        input_truncated,
        output,
        output_truncated,
        prompt,
        prompt_truncated,
        error: step.error.as_ref().map(|error| error.message.clone()),
    }))
}

async fn shown(app: &Shared, payload: Option<&Payload>) -> ApiResult<(Option<Arc<Value>>, bool)> {
    match payload {
        Some(payload) => show(&app.host, payload, PREVIEW_BYTES).await.map(|shown| (Some(shown.value), shown.truncated)),
        None => Ok((None, false)),
    }
}
