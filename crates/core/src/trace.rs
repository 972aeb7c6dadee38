//! A trace as a whole: what its spans add up to, whoever recorded them.
//!
//! [`facts`] are the few things of a span that sums need, small enough to stand in a row; [`summary`] adds them up; [`merge`]
//! joins the pieces of a span that arrive one after the other; [`words`] says by which words a text is found.

pub mod facts;
pub mod handoff;
pub mod merge;
pub mod of_run;
pub mod summary;
#[cfg(test)]
mod summary_tests;
pub mod words;

use crate::id::TraceId;
use serde::{Deserialize, Serialize};

/// How a trace ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TraceStatus {
    #[default]
    Ok,
    /// The root failed, or a model call or an agent failed and no retry made it good.
    Failed,
    /// A span of it is known to be still open.
    Running,
}

impl TraceStatus {
    pub const ALL: [TraceStatus; 3] = [TraceStatus::Ok, TraceStatus::Failed, TraceStatus::Running];

    pub fn as_str(self) -> &'static str {
        match self {
            TraceStatus::Ok => "ok",
            TraceStatus::Failed => "failed",
            TraceStatus::Running => "running",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// What a list shows of a trace. Everything in it follows from the spans.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSummary {
    pub trace_id: TraceId,
    /// The name of the root; of the earliest span while no root is there.
    pub name: String,
    pub service: Option<String>,
    pub environment: Option<String>,
    pub workflow: Option<String>,
    pub session_id: Option<String>,
    pub user_id: Option<String>,
    pub tags: Vec<String>,
    pub status: TraceStatus,
    /// The first line of what went wrong.
    pub error: Option<String>,
    /// Nanoseconds since the Unix epoch: the earliest start and the latest end of a span.
    pub started_at: i64,
    pub ended_at: i64,
    pub totals: summary::Totals,
    /// Models of the calls that count, in the order of the first call of each; at most [`summary::MOST_MODELS`].
    pub models: Vec<String>,
    /// Kept when its age would have it removed.
    pub pinned: bool,
}
