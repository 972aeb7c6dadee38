//! What a run keeps from its start, whatever changes later.

use super::Origin;
use crate::id::{SpanId, TraceId};
use crate::payload::Payload;
use crate::span::SpanLink;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    pub workflow: WorkflowRef,
    pub trace_id: TraceId,
    /// The caller's span, where a `traceparent` came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_span: Option<SpanId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// `api`, `cli`, …
    pub triggered_by: String,
    pub input: Payload,
    /// Provider, model and temperature for llm nodes that name none.
    #[serde(default)]
    pub defaults: ModelDefaults,
    /// The workflows that `workflow` nodes name, as they were when the run started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub linked: Vec<LinkedWorkflow>,
    /// The run and step that this one was forked from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<Origin>,
    /// The model call of a trace that this run makes again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<SpanLink>,
    /// The limits that hold for this run: the document's, lowered to the deployment's ceilings.
    pub limits: Limits,
    /// Whether the models are simulated; such a run never counts as spend.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
}

/// What whoever started a run says about it, for finding its trace again. Nothing in the run depends on it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Labels {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

impl Labels {
    pub fn is_empty(&self) -> bool {
        *self == Labels::default()
    }
}

/// The workflow that a run keeps, whatever is saved later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowRef {
    /// Absent for a document that was run without being saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// SHA-256 of the document's JSON as it was stored.
    pub hash: Arc<str>,
}

/// A workflow that others call, by the words under which they call it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedWorkflow {
    /// As `config.workflow` says it.
    pub name: String,
    /// As `config.version` says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<u32>,
    pub workflow: WorkflowRef,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelDefaults {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
}

/// The limits of a run; `None` is no limit. `maxNodes` is missing because it is a matter of the document alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Active time, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost_nanousd: Option<u64>,
    /// Whether calls without a known price are allowed under a cost cap.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_unpriced: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tool_calls: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_iterations: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_depth: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_spawns: Option<u64>,
}

impl Limits {
    /// Each limit no higher than the ceiling; a ceiling also holds where the document sets nothing.
    pub fn lowered_to(self, ceilings: &Limits) -> Limits {
        let lower = |own: Option<u64>, ceiling: Option<u64>| [own, ceiling].into_iter().flatten().min();
        Limits {
            max_tokens: lower(self.max_tokens, ceilings.max_tokens),
            timeout_ms: lower(self.timeout_ms, ceilings.timeout_ms),
            max_steps: lower(self.max_steps, ceilings.max_steps),
            max_cost_nanousd: lower(self.max_cost_nanousd, ceilings.max_cost_nanousd),
            allow_unpriced: self.allow_unpriced,
            max_tool_calls: lower(self.max_tool_calls, ceilings.max_tool_calls),
            max_iterations: lower(self.max_iterations, ceilings.max_iterations),
            max_depth: lower(self.max_depth, ceilings.max_depth),
            max_spawns: lower(self.max_spawns, ceilings.max_spawns),
        }
    }
}
