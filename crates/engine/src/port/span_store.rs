//! Where spans live, whoever recorded them: those that SDKs send and those of the engine's own runs.

use super::BoxFuture;
use super::store::StoreError;
use flowtrace_core::id::{SpanId, TraceId};
use flowtrace_core::span::{Score, Span, SpanKind};
use flowtrace_core::trace::{TraceStatus, TraceSummary};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, broadcast};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpanStoreError {
    /// More waits to be written than may stand in memory. Nothing of this call was kept; the same call may succeed after the time.
    #[error("more spans wait to be written than fit in memory: send them again in {} s", retry_after.as_secs().max(1))]
    Overloaded { retry_after: Duration },
    #[error("the cursor is not one that this list gave: start again without it")]
    InvalidCursor,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Room for a request of some size, held from before its body is decoded until its spans are written.
#[derive(Debug)]
pub struct Admission(pub Option<OwnedSemaphorePermit>);

/// One span, or a piece of one.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanWrite {
    pub span: Span,
    pub part: Part,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The whole span. It takes the place of an earlier copy; pieces that came before are kept where the span says nothing.
    Whole,
    /// A piece: what is set goes on top of what is stored, see [`flowtrace_core::trace::merge`]. The span may come later.
    Piece,
}

impl From<Span> for SpanWrite {
    fn from(span: Span) -> Self {
        SpanWrite { span, part: Part::Whole }
    }
}

/// What became of a write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Spans that were not there before.
    pub new: u64,
    /// Copies and pieces of spans that were there.
    pub updated: u64,
}

/// A trace with its spans, earliest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    pub summary: TraceSummary,
    pub spans: Vec<Span>,
    /// For each span, whether its usage counts in the totals. A second record of the same call does not.
    pub counted: Vec<bool>,
    pub scores: Vec<Score>,
}

/// Which traces. Every condition has to hold; times are nanoseconds since the Unix epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TraceQuery {
    pub started: Option<RangeInclusive<i64>>,
    pub status: Option<TraceStatus>,
    /// Some span of the trace has the kind, the name, the model (asked for or answering), the provider.
    pub kind: Option<SpanKind>,
    pub name: Option<String>,
    pub model: Option<String>,
    pub provider: Option<String>,
    pub prompt: Option<String>,
    /// Of some span; of the prompt where that is named too.
    pub prompt_version: Option<String>,
    pub service: Option<String>,
    pub environment: Option<String>,
    pub workflow: Option<String>,
    pub session: Option<String>,
    pub user: Option<String>,
    /// All of them.
    pub tags: Vec<String>,
    /// Keys with the text of their values (the JSON for anything but a text).
    pub metadata: Vec<(String, String)>,
    pub duration_ns: Option<RangeInclusive<i64>>,
    pub cost_nanousd: Option<RangeInclusive<u64>>,
    pub tokens: Option<RangeInclusive<u64>>,
    pub score: Option<ScoreFilter>,
    pub pinned: Option<bool>,
    /// Words and quoted phrases; see [`flowtrace_core::trace::words::TextQuery`].
    pub text: Option<String>,
    pub sort: Sort,
    pub after: Option<Cursor>,
    pub limit: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ScoreFilter {
    pub name: String,
    /// Numbers within the range; `None` for any value.
    pub range: Option<RangeInclusive<f64>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The trace whose first span arrived last goes first. The order of a trace never changes, so pages are stable while more
    /// arrives.
    #[default]
    Newest,
    By(SortKey, Direction),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKey {
    StartedAt,
    Duration,
    Cost,
    Tokens,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Ascending,
    Descending,
}

/// The place of a row in a list; what it says is the store's own business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub String);

#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end. A page may be short, even empty, and still not be the last: a search stops
    /// after a bounded amount of work.
    pub next: Option<Cursor>,
}

/// A piece of the log of spans.
#[derive(Clone, Debug, PartialEq)]
pub struct LogPage {
    pub spans: Vec<Span>,
    pub next: Cursor,
}

/// Traces that share a session.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionSummary {
    pub session_id: String,
    pub user_id: Option<String>,
    pub first_started_at: i64,
    pub last_ended_at: i64,
    pub traces: u64,
    pub failed_traces: u64,
    pub totals: flowtrace_core::trace::summary::Totals,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionQuery {
    /// Who has a trace of it.
    pub user: Option<String>,
    /// A part of the session's or its user's name, whatever its case.
    pub text: Option<String>,
    /// Whether some trace of it failed.
    pub failed: Option<bool>,
    pub sort: SessionSort,
    pub after: Option<Cursor>,
    pub limit: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionSort {
    /// Last active first.
    #[default]
    Newest,
    By(SessionKey, Direction),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKey {
    StartedAt,
    Traces,
    Cost,
    Tokens,
}

/// What calls add up to by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RollupBy {
    Day,
    Model,
    User,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollup {
    /// The day as `YYYY-MM-DD` in UTC, the model or the user; empty for calls without one.
    pub key: String,
    pub calls: u64,
    pub tokens_input: u64,
    pub tokens_output: u64,
    pub cost_nanousd: u64,
    pub unpriced_calls: u64,
}

/// A model of which some calls are missing in the cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnpricedModel {
    /// Of the newest of those calls; empty if it named none.
    pub provider: String,
    /// Empty for calls that named none.
    pub model: String,
    pub calls: u64,
    /// Days since the Unix epoch on which the latest of them began.
    pub last_day: i64,
}

/// Proof that nothing is lost: `accepted` = `stored` = `queryable` whenever nothing is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Distinct spans that were acknowledged, less those that retention removed.
    pub accepted: u64,
    /// Spans that a reader counts in the files.
    pub stored: u64,
    /// Spans that a reader reaches through a trace.
    pub queryable: u64,
    /// Copies and pieces of spans that were there already, since the start of the process.
    pub repeated: u64,
    /// Calls that were refused because of overload, since the start of the process.
    pub refused: u64,
    /// Spans that are stored and not yet found by their words.
    pub unindexed: u64,
}

/// What one file of traces holds. A file goes as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The first moment after the time in which its traces arrived, in nanoseconds since the Unix epoch. `None` for the file of
    /// pinned traces that outlived their own.
    pub until: Option<i64>,
    /// When its earliest trace began; `None` without traces.
    pub oldest: Option<i64>,
    pub traces: u64,
    /// How many of these are pinned.
    pub pinned: u64,
    /// On the disk.
    pub bytes: u64,
    /// Whether [`SpanStore::expire`] would remove it.
    pub expired: bool,
}

pub trait SpanStore: Send + Sync {
    /// Room for about `bytes` on the wire; taken before decoding, so that an overload is answered before memory grows.
    fn admit(&self, bytes: usize) -> Result<Admission, SpanStoreError>;

    /// Durable when it answers, and found by every query but those for text, which follow within about a second. Writing the
    /// same spans again changes nothing.
    fn write(&self, spans: Vec<SpanWrite>, admission: Admission) -> BoxFuture<'_, Result<Written, SpanStoreError>>;

    /// `None` for a trace of which no span is there.
    fn trace(&self, id: TraceId) -> BoxFuture<'_, Result<Option<Trace>, SpanStoreError>>;

    /// The same without what only the blocks hold (input, output, attributes, events, …): quick, however large the trace is.
    fn outline(&self, id: TraceId) -> BoxFuture<'_, Result<Option<Trace>, SpanStoreError>>;

    /// One span of a trace.
    fn span(&self, trace: TraceId, span: SpanId) -> BoxFuture<'_, Result<Option<Span>, SpanStoreError>>;

    /// The summary alone.
    fn summary(&self, id: TraceId) -> BoxFuture<'_, Result<Option<TraceSummary>, SpanStoreError>>;

    /// The spans of a trace piece by piece, for readers that cannot take all at once: at most `limit` of them after a span, in the order of
    /// their ids.
    fn spans(&self, id: TraceId, after: Option<SpanId>, limit: usize) -> BoxFuture<'_, Result<Vec<Span>, SpanStoreError>>;

    /// The summary of a trace if it matches the query, whose order and page count for nothing. Words are not compared: they are
    /// indexed a moment later than the rest.
    fn matches(&self, id: TraceId, query: TraceQuery) -> BoxFuture<'_, Result<Option<TraceSummary>, SpanStoreError>>;

    fn find(&self, query: TraceQuery) -> BoxFuture<'_, Result<Page<TraceSummary>, SpanStoreError>>;

    /// Sessions that match, last active first unless it is asked otherwise.
    fn sessions(&self, query: SessionQuery) -> BoxFuture<'_, Result<Page<SessionSummary>, SpanStoreError>>;

    fn session(&self, id: &str) -> BoxFuture<'_, Result<Option<SessionSummary>, SpanStoreError>>;

    /// What calls cost, exactly, over the days (since the Unix epoch) in which they began; in the order of the keys.
    fn rollup(&self, by: RollupBy, days: RangeInclusive<i64>) -> BoxFuture<'_, Result<Vec<Rollup>, SpanStoreError>>;

    /// Models of which calls are missing in the cost, those with the most calls first.
    fn unpriced_models(&self) -> BoxFuture<'_, Result<Vec<UnpricedModel>, SpanStoreError>>;

    /// The calls that are missing in the cost, as [`SpanStore::outline`] has them. A page holds those of a bounded number of traces.
    fn unpriced(&self, after: Option<Cursor>) -> BoxFuture<'_, Result<Page<Span>, SpanStoreError>>;

    /// Keeps scores; one with the id of another of its kind takes its place. Their trace or session may come later.
    fn score(&self, scores: Vec<Score>) -> BoxFuture<'_, Result<(), SpanStoreError>>;

    /// The scores of a trace, oldest first.
    fn scores(&self, trace: TraceId) -> BoxFuture<'_, Result<Vec<Score>, SpanStoreError>>;

    /// The scores of a session as a whole, oldest first.
    fn session_scores(&self, session: &str) -> BoxFuture<'_, Result<Vec<Score>, SpanStoreError>>;

    /// Keeps a trace however old it gets, or lets go of it. `false` if there is no such trace.
    fn pin(&self, trace: TraceId, pinned: bool) -> BoxFuture<'_, Result<bool, SpanStoreError>>;

    /// Spans in the order in which they were written, after a place that an earlier call gave; `None` is the place where the log
    /// ends now, which comes without spans. A span that was written again comes again. Nothing at the end.
    fn log(&self, after: Option<Cursor>) -> BoxFuture<'_, Result<LogPage, SpanStoreError>>;

    fn counters(&self) -> BoxFuture<'_, Result<Counters, SpanStoreError>>;

    /// Removes what arrived more than `age` before `now` (nanoseconds since the Unix epoch), but for pinned traces. Whole files
    /// go at once, so it may stay up to a week longer. Returns how many spans were removed.
    fn expire(&self, now: i64, age: Duration) -> BoxFuture<'_, Result<u64, SpanStoreError>>;

    /// What there is, oldest first, and what of it would go with `(now, age)` of [`SpanStore::expire`].
    fn kept(&self, expiry: Option<(i64, Duration)>) -> BoxFuture<'_, Result<Vec<Kept>, SpanStoreError>>;

    /// The traces that each commit touched, as it happens. A reader that is too slow is told that it missed some.
    fn tail(&self) -> broadcast::Receiver<Arc<[TraceId]>>;
}
