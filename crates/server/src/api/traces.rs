//! `/api/traces`: finding traces and reading them, whoever recorded them.

use super::dto::{cents, page_size};
use super::extract::{Path, Query};
use super::problem::{ApiError, ApiResult, ProblemDocument};
use crate::app::Shared;
use axum::Json;
use axum::extract::State;
use flowtrace_core::id::{SpanId, StreamId, TraceId};
use flowtrace_core::span::SpanKind;
use flowtrace_core::trace::{self, TraceStatus};
use flowtrace_engine::port::span_store::{Cursor, Direction, ScoreFilter, Sort, SortKey, TraceQuery};
use flowtrace_engine::port::store::StoreError;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use utoipa::{IntoParams, ToSchema};

pub use super::trace_view::{Span, SpanTime, Trace, TraceSummary};

/// Which traces. All conditions have to hold.
#[derive(Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Started at this time or later; RFC 3339.
    from: Option<String>,
    /// Started at this time or earlier; RFC 3339.
    to: Option<String>,
    /// `ok`, `failed` or `running`.
    status: Option<String>,
    /// Some span has the kind: `workflow`, `task`, `agent`, `tool`, `llm`, `embedding`, `retrieval` or `span`.
    kind: Option<String>,
    /// Some span has the name.
    name: Option<String>,
    /// Some span asked for the model, or was answered by it.
    model: Option<String>,
    provider: Option<String>,
    /// The name of a prompt.
    prompt: Option<String>,
    /// A version of a prompt: of the one that `prompt` names, or else of any. The prompts of a run are named after its workflow and node, and
    /// their version is that of the workflow.
    prompt_version: Option<String>,
    service: Option<String>,
    environment: Option<String>,
    workflow: Option<String>,
    session_id: Option<String>,
    user_id: Option<String>,
    /// A tag, or several with commas between them; they may also be given one by one.
    tag: Option<String>,
    /// A JSON object of keys and their values, for instance `{"ticket":17}`.
    metadata: Option<String>,
    min_duration_ms: Option<f64>,
    max_duration_ms: Option<f64>,
    min_cost_nanousd: Option<u64>,
    max_cost_nanousd: Option<u64>,
    min_tokens: Option<u64>,
    max_tokens: Option<u64>,
    /// It has a score of this name.
    score: Option<String>,
    min_score: Option<f64>,
    max_score: Option<f64>,
    pinned: Option<bool>,
    /// Words, `"phrases"` and beginnings of words (`refun*`) of prompts, answers, arguments, results and errors.
    q: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `newest` (the default: by arrival, so that pages are stable), `started_at`, `duration`, `cost` or `tokens`; with a `-` before
    /// it from the highest.
    sort: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// 1 to 200; 50 if absent.
    limit: Option<usize>,
}

#[derive(Serialize, ToSchema)]
pub struct TraceList {
    traces: Vec<TraceSummary>,
    /// Null at the end. A search for a phrase may give a short page, even an empty one, with a cursor to go on.
    next_cursor: Option<String>,
}

/// Lists traces, the last that arrived first.
#[utoipa::path(get, path = "/api/traces", operation_id = "listTraces", tag = "traces", params(Filter, ListQuery), responses(
    (status = 200, body = TraceList),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list(State(app): State<Shared>, raw: axum::extract::RawQuery) -> ApiResult<Json<TraceList>> {
    let (filter, page) = split(raw.0.as_deref().unwrap_or(""))?;
    let mut query = filter.query()?;
    query.limit = page_size(page.limit, 50, 200)?;
    query.sort = sort(page.sort.as_deref())?;
    query.after = page.cursor.map(Cursor);
    let found = app.spans.find(query).await?;
    Ok(Json(TraceList { traces: summaries(&app, &found.items).await?, next_cursor: found.next.map(|cursor| cursor.0) }))
}

/// As lists show them; of those that are runs and wait, what for.
pub async fn summaries(app: &Shared, traces: &[trace::TraceSummary]) -> Result<Vec<TraceSummary>, StoreError> {
    let running = traces.iter().filter(|trace| trace.status == TraceStatus::Running);
    // The trace that a run begins has its id.
    let waiting = super::runs::waits(app, running.map(|trace| StreamId(trace.trace_id.0)).collect()).await?;
    let mut shown: Vec<TraceSummary> = traces.iter().map(TraceSummary::from).collect();
    for (summary, trace) in shown.iter_mut().zip(traces) {
        summary.waits_for = waiting.get(&StreamId(trace.trace_id.0)).copied();
    }
    Ok(shown)
}

/// The filter's parameters and the page's; whatever is in neither is refused.
fn split(raw: &str) -> ApiResult<(Filter, ListQuery)> {
    let (page, filter): (Vec<&str>, Vec<&str>) = raw
        .split('&')
        .filter(|part| !part.is_empty())
        .partition(|part| ["sort", "cursor", "limit"].contains(&part.split('=').next().unwrap_or("")));
    Ok((parse(&one_tag(&filter.join("&")))?, parse(&page.join("&"))?))
}

/// `tag=a&tag=b` as `tag=a,b`.
fn one_tag(query: &str) -> String {
    let (tags, mut rest): (Vec<&str>, Vec<&str>) = query.split('&').partition(|part| part.starts_with("tag="));
    let tags = tags.join(",").replace(",tag=", ",");
    rest.push(&tags);
    rest.retain(|part| !part.is_empty());
    rest.join("&")
}

pub fn parse<T: serde::de::DeserializeOwned>(query: &str) -> ApiResult<T> {
    let uri: http::Uri = format!("/?{query}").parse().map_err(|_| {
        ApiError::bad_request("invalid_query", "The query string holds characters that have to be percent-encoded.")
    })?;
    axum::extract::Query::try_from_uri(&uri).map(|query| query.0).map_err(|rejection| {
        let detail = format!("The query string is not what this endpoint takes: {}.", rejection.body_text());
        ApiError::bad_request("invalid_query", detail)
    })
}

fn wrong(detail: String) -> ApiError {
    ApiError::bad_request("invalid_query", detail)
}

fn sort(text: Option<&str>) -> ApiResult<Sort> {
    let text = text.unwrap_or("newest");
    let (direction, key) = match text.strip_prefix('-') {
        Some(key) => (Direction::Descending, key),
        None => (Direction::Ascending, text),
    };
    let key = match key {
        "newest" if direction == Direction::Ascending => return Ok(Sort::Newest),
        "started_at" => SortKey::StartedAt,
        "duration" => SortKey::Duration,
        "cost" => SortKey::Cost,
        "tokens" => SortKey::Tokens,
        _ => {
            let known = "`newest`, `started_at`, `duration`, `cost` or `tokens`, the last four with a `-` for the highest first";
            return Err(wrong(format!("`sort` has to be {known}.")));
        }
    };
    Ok(Sort::By(key, direction))
}

impl Filter {
    /// From a query string that holds nothing else.
    pub fn of(raw: Option<String>) -> ApiResult<TraceQuery> {
        parse::<Filter>(&one_tag(raw.as_deref().unwrap_or("")))?.query()
    }

    fn query(self) -> ApiResult<TraceQuery> {
        let time = |name: &str, text: &Option<String>| {
            text.as_ref()
                .map(|text| nanos(text).ok_or_else(|| wrong(format!("`{name}` has to be a time as in RFC 3339."))))
                .transpose()
        };
        let (from, to) = (time("from", &self.from)?, time("to", &self.to)?);
        let status = self.status.as_deref().map(|text| {
            TraceStatus::parse(text).ok_or_else(|| wrong("`status` has to be `ok`, `failed` or `running`.".to_owned()))
        });
        let kind = self.kind.as_deref().map(|text| {
            let kinds = SpanKind::ALL.map(SpanKind::as_str).join(", ");
            SpanKind::parse(text).ok_or_else(|| wrong(format!("`kind` has to be one of {kinds}.")))
        });
        let metadata = match &self.metadata {
            None => Vec::new(),
            Some(text) => serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text)
                .map_err(|_| wrong("`metadata` has to be a JSON object.".to_owned()))?
                .into_iter()
                .map(|(key, value)| (key, value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
                .collect(),
        };
        for (name, number) in [
            ("min_duration_ms", self.min_duration_ms),
            ("max_duration_ms", self.max_duration_ms),
            ("min_score", self.min_score),
            ("max_score", self.max_score),
        ] {
            if number.is_some_and(f64::is_nan) {
                return Err(wrong(format!("`{name}` has to be a number.")));
            }
        }
        if self.score.is_none() && (self.min_score.is_some() || self.max_score.is_some()) {
            return Err(wrong("`min_score` and `max_score` need the name of a score in `score`.".to_owned()));
        }
        let scores = (self.min_score.is_some() || self.max_score.is_some())
            .then(|| self.min_score.unwrap_or(f64::NEG_INFINITY)..=self.max_score.unwrap_or(f64::INFINITY));
        let millis = |ms: f64| (ms * 1e6) as i64;
        Ok(TraceQuery {
            started: range(from, to, i64::MIN, i64::MAX),
            status: status.transpose()?,
            kind: kind.transpose()?,
            name: self.name,
            model: self.model,
            provider: self.provider,
            prompt: self.prompt,
            prompt_version: self.prompt_version,
            service: self.service,
            environment: self.environment,
            workflow: self.workflow,
            session: self.session_id,
            user: self.user_id,
            tags: self.tag.iter().flat_map(|tags| tags.split(',')).filter(|tag| !tag.is_empty()).map(str::to_owned).collect(),
            metadata,
            duration_ns: range(self.min_duration_ms.map(millis), self.max_duration_ms.map(millis), 0, i64::MAX),
            cost_nanousd: range(self.min_cost_nanousd, self.max_cost_nanousd, 0, u64::MAX),
            tokens: range(self.min_tokens, self.max_tokens, 0, u64::MAX),
            score: self.score.map(|name| ScoreFilter { name, range: scores }),
            pinned: self.pinned,
            text: self.q.filter(|text| !text.trim().is_empty()),
            ..TraceQuery::default()
        })
    }
}

fn nanos(text: &str) -> Option<i64> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(i64::try_from(time.as_nanosecond()).unwrap_or(if time < jiff::Timestamp::UNIX_EPOCH { i64::MIN } else { i64::MAX }))
}

fn range<T>(low: Option<T>, high: Option<T>, least: T, most: T) -> Option<RangeInclusive<T>> {
    (low.is_some() || high.is_some()).then(|| low.unwrap_or(least)..=high.unwrap_or(most))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct GetQuery {
    /// `none` leaves out what only single spans are opened for (`input`, `output`, `attributes`, …), which makes large traces
    /// quick.
    io: Option<String>,
}

/// One trace with all its spans, earliest first.
#[utoipa::path(get, path = "/api/traces/{trace_id}", operation_id = "getTraceSpans", tag = "traces",
    params(("trace_id" = String, Path, description = "32 hexadecimal digits"), GetQuery), responses(
    (status = 200, body = Trace),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn get(State(app): State<Shared>, Path(id): Path<String>, Query(query): Query<GetQuery>) -> ApiResult<Json<Trace>> {
    let id = trace_id(&id)?;
    let trace = match query.io.as_deref() {
        None | Some("") => app.spans.trace(id).await?,
        Some("none") => app.spans.outline(id).await?,
        Some(_) => return Err(wrong("`io` can only be `none`.".to_owned())),
    };
    let trace = trace.ok_or_else(|| no_such_trace(id))?;
    let mut summary = summaries(&app, std::slice::from_ref(&trace.summary)).await?;
    let mut shown = Trace::from(trace);
    shown.trace.waits_for = summary.pop().and_then(|summary| summary.waits_for);
    Ok(Json(shown))
}

/// One span, whole.
#[utoipa::path(get, path = "/api/traces/{trace_id}/spans/{span_id}", operation_id = "getSpan", tag = "traces",
    params(("trace_id" = String, Path, description = "32 hexadecimal digits"), ("span_id" = String, Path, description = "16 hexadecimal digits")), responses(
    (status = 200, body = Span),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn span(State(app): State<Shared>, Path((trace, span)): Path<(String, String)>) -> ApiResult<Json<Span>> {
    let id = trace_id(&trace)?;
    let missing = || ApiError::not_found(format!("span `{}` in this trace", span.chars().take(100).collect::<String>()));
    let span_id = SpanId::parse(&span).ok_or_else(missing)?;
    let found = app.spans.span(id, span_id).await?.ok_or_else(missing)?;
    Ok(Json(Span::new(found, None)))
}

/// Keeps a trace however old it gets.
#[utoipa::path(put, path = "/api/traces/{trace_id}/pin", operation_id = "pinTrace", tag = "traces",
    params(("trace_id" = String, Path, description = "32 hexadecimal digits")), responses(
    (status = 204, description = "It is kept"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn pin(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<StatusCode> {
    set_pin(&app, &id, true).await
}

/// Lets a trace go when it is old.
#[utoipa::path(delete, path = "/api/traces/{trace_id}/pin", operation_id = "unpinTrace", tag = "traces",
    params(("trace_id" = String, Path, description = "32 hexadecimal digits")), responses(
    (status = 204, description = "It goes with its age"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn unpin(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<StatusCode> {
    set_pin(&app, &id, false).await
}

async fn set_pin(app: &Shared, id: &str, pinned: bool) -> ApiResult<StatusCode> {
    let id = trace_id(id)?;
    if app.spans.pin(id, pinned).await? { Ok(StatusCode::NO_CONTENT) } else { Err(no_such_trace(id)) }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SpendQuery {
    /// `day`, `model` or `user`.
    by: String,
    /// The first day, `YYYY-MM-DD` in UTC.
    from: Option<String>,
    /// The last day.
    to: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct SpendList {
    spend: Vec<Spend>,
}

/// What model calls and embeddings add up to; simulated ones and second records of one call are left out.
#[derive(Serialize, ToSchema)]
pub struct Spend {
    /// The day, the model or the user; empty for calls without one.
    key: String,
    calls: u64,
    tokens_input: u64,
    tokens_output: u64,
    cost_nanousd: u64,
    cost_cents: f64,
    /// False when some call has no known price.
    cost_complete: bool,
}

/// Calls, tokens and cost by day, model or user.
#[utoipa::path(get, path = "/api/spend", operation_id = "getSpend", tag = "traces", params(SpendQuery), responses(
    (status = 200, body = SpendList),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn spend(State(app): State<Shared>, Query(query): Query<SpendQuery>) -> ApiResult<Json<SpendList>> {
    use flowtrace_engine::port::span_store::RollupBy;
    let by = match query.by.as_str() {
        "day" => RollupBy::Day,
        "model" => RollupBy::Model,
        "user" => RollupBy::User,
        _ => return Err(wrong("`by` has to be `day`, `model` or `user`.".to_owned())),
    };
    let day = |name: &str, text: &Option<String>, other: i64| match text {
        None => Ok(other),
        Some(text) => {
            let epoch = jiff::civil::date(1970, 1, 1);
            let date = text.parse::<jiff::civil::Date>().ok().and_then(|date| date.since(epoch).ok());
            date.map(|span| i64::from(span.get_days())).ok_or_else(|| wrong(format!("`{name}` has to be a day as `YYYY-MM-DD`.")))
        }
    };
    let days = day("from", &query.from, i64::MIN)?..=day("to", &query.to, i64::MAX)?;
    let spend = app.spans.rollup(by, days).await?.into_iter().map(|sum| Spend {
        key: sum.key,
        calls: sum.calls,
        tokens_input: sum.tokens_input,
        tokens_output: sum.tokens_output,
        cost_nanousd: sum.cost_nanousd,
        cost_cents: cents(sum.cost_nanousd),
        cost_complete: sum.unpriced_calls == 0,
    });
    Ok(Json(SpendList { spend: spend.collect() }))
}

#[derive(Serialize, ToSchema)]
pub struct UnpricedList {
    models: Vec<UnpricedModel>,
}

/// A model whose calls are missing in the cost, because no price of it was known.
#[derive(Serialize, ToSchema)]
pub struct UnpricedModel {
    /// Of the newest of those calls; empty if it named none.
    provider: String,
    /// Empty for calls that named none.
    model: String,
    calls: u64,
    /// `YYYY-MM-DD` in UTC.
    last_day: String,
}

/// Models whose calls are missing in the cost, those with the most calls first.
#[utoipa::path(get, path = "/api/spend/unpriced", operation_id = "getUnpriced", tag = "traces", responses(
    (status = 200, body = UnpricedList),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn unpriced(State(app): State<Shared>) -> ApiResult<Json<UnpricedList>> {
    let models = app.spans.unpriced_models().await?.into_iter().map(|one| UnpricedModel {
        provider: one.provider,
        model: one.model,
        calls: one.calls,
        last_day: SpanTime(one.last_day.saturating_mul(86_400_000_000_000)).to_string().chars().take(10).collect(),
    });
    Ok(Json(UnpricedList { models: models.collect() }))
}

#[derive(Serialize, ToSchema)]
pub struct Counters {
    /// Distinct spans that were acknowledged.
    accepted: u64,
    /// Spans that are in the files.
    stored: u64,
    /// Spans that a trace leads to.
    queryable: u64,
    /// Spans that came again, since the server started.
    repeated: u64,
    /// Requests refused because too much was on its way, since the server started.
    refused: u64,
    /// Spans that are not found by their words yet.
    unindexed: u64,
}

/// Whether everything that was accepted is there: then the first three numbers are equal.
#[utoipa::path(get, path = "/api/traces/counters", operation_id = "getTraceCounters", tag = "traces", responses(
    (status = 200, body = Counters),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn counters(State(app): State<Shared>) -> ApiResult<Json<Counters>> {
    let counters = app.spans.counters().await?;
    Ok(Json(Counters {
        accepted: counters.accepted,
        stored: counters.stored,
        queryable: counters.queryable,
        repeated: counters.repeated,
        refused: counters.refused,
        unindexed: counters.unindexed,
    }))
}

pub fn trace_id(text: &str) -> ApiResult<TraceId> {
    // Ids of runs are written with hyphens, and a run is a trace.
    TraceId::parse(&text.replace('-', "")).ok_or_else(|| no_such_trace(text))
}

pub fn no_such_trace(id: impl std::fmt::Display) -> ApiError {
    ApiError::not_found(format!("trace `{}`", id.to_string().chars().take(100).collect::<String>()))
}
