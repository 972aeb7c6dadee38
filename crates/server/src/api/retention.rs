//! `/api/retention`: how long traces are kept, and what is there.

use super::dto::Time;
use super::extract::{Json as Body, Query};
use super::problem::{ApiError, ApiResult, ProblemDocument};
use crate::app::{App, Shared};
use crate::upkeep::{DEFAULT_DAYS, MOST_DAYS, age};
use axum::Json;
use axum::extract::State;
use flowtrace_core::id::Timestamp;
use flowtrace_engine::port::span_store::Kept;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RetentionQuery {
    /// What would go with so many days; 0: for ever.
    days: Option<u32>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutRetention {
    /// 0 to 36500; 0: for ever. Null: what the configuration file says.
    days: Option<u32>,
    /// Has to be true where traces go.
    #[serde(default)]
    confirm: bool,
}

#[derive(Serialize, ToSchema)]
pub struct RetentionView {
    /// For so many days traces are kept, and up to a week longer, because whole files go; 0: for ever.
    days: u32,
    /// Who says so: `settings`, `file` or `default`.
    source: &'static str,
    /// What the configuration file says; null: nothing.
    file_days: Option<u32>,
    default_days: u32,
    traces: u64,
    /// Those that stay however old they get.
    pinned_traces: u64,
    /// What all of them take on the disk.
    bytes: u64,
    /// When the oldest of them began; null without traces.
    oldest_at: Option<Time>,
    /// What would go with the `days` that the request asked about.
    would_remove: Option<Removal>,
}

#[derive(Clone, Serialize, ToSchema)]
pub struct Removal {
    /// Null: nothing would go. Otherwise what arrived before this moment, but for pinned traces.
    before: Option<Time>,
    traces: u64,
    /// About so many: the files in which they are.
    bytes: u64,
    /// Pinned traces among them, which stay.
    pinned_traces: u64,
}

/// How long traces are kept, and how many there are. With `days`, also what would go with that.
#[utoipa::path(get, path = "/api/retention", operation_id = "getRetention", tag = "server", params(RetentionQuery), responses(
    (status = 200, body = RetentionView),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn get(State(app): State<Shared>, Query(query): Query<RetentionQuery>) -> ApiResult<Json<RetentionView>> {
    check(query.days).map_err(|detail| ApiError::bad_request("invalid_query", detail))?;
    view(&app, query.days).await.map(Json)
}

/// Changes how long traces are kept. What is too old then goes within moments, so that has to be confirmed.
#[utoipa::path(put, path = "/api/retention", operation_id = "putRetention", tag = "server", request_body = PutRetention, responses(
    (status = 200, body = RetentionView),
    (status = 409, body = ProblemDocument, content_type = "application/problem+json", description = "Traces would go, and `confirm` is not true"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn put(State(app): State<Shared>, Body(body): Body<PutRetention>) -> ApiResult<Json<RetentionView>> {
    check(body.days).map_err(|detail| ApiError::bad_request("invalid_body", detail).at("/days"))?;
    let days = body.days.or(app.retention.file).unwrap_or(DEFAULT_DAYS);
    let removal = removal(&kept(&app, days).await?);
    if let Some(before) = removal.before.filter(|_| !body.confirm) {
        let detail = format!(
            "With {days} days, {} ({}) that arrived before {} would be removed: send `\"confirm\": true` if that is meant.",
            if removal.traces == 1 { "1 trace".to_owned() } else { format!("{} traces", removal.traces) },
            size(removal.bytes),
            &before.to_string()[..10],
        );
        return Err(ApiError::new(StatusCode::CONFLICT, "would_remove", detail).at("/confirm"));
    }
    app.retention.put(&*app.store, body.days).await?;
    tracing::info!(days, "the time for which traces are kept was changed");
    view(&app, None).await.map(Json)
}

fn check(days: Option<u32>) -> Result<(), String> {
    match days {
        Some(days) if days > MOST_DAYS => Err(format!("`days` is {days}, but it has to be 0 (for ever) to {MOST_DAYS}.")),
        _ => Ok(()),
    }
}

async fn view(app: &App, asked: Option<u32>) -> ApiResult<RetentionView> {
    let kept = kept(app, asked.unwrap_or(0)).await?;
    let retention = &app.retention;
    Ok(RetentionView {
        days: retention.days(),
        source: match (retention.set(), retention.file) {
            (Some(_), _) => "settings",
            (None, Some(_)) => "file",
            (None, None) => "default",
        },
        file_days: retention.file,
        default_days: DEFAULT_DAYS,
        traces: kept.iter().map(|kept| kept.traces).sum(),
        pinned_traces: kept.iter().map(|kept| kept.pinned).sum(),
        bytes: kept.iter().map(|kept| kept.bytes).sum(),
        oldest_at: kept.iter().filter_map(|kept| kept.oldest).min().map(time),
        would_remove: asked.map(|_| removal(&kept)),
    })
}

async fn kept(app: &App, days: u32) -> ApiResult<Vec<Kept>> {
    let now = i64::try_from(app.clock.now().0).unwrap_or(i64::MAX).saturating_mul(1000);
    Ok(app.spans.kept(age(days).map(|age| (now, age))).await?)
}

fn removal(kept: &[Kept]) -> Removal {
    let gone: Vec<&Kept> = kept.iter().filter(|kept| kept.expired).collect();
    let pinned_traces: u64 = gone.iter().map(|kept| kept.pinned).sum();
    Removal {
        before: gone.iter().filter_map(|kept| kept.until).max().map(time),
        traces: gone.iter().map(|kept| kept.traces).sum::<u64>().saturating_sub(pinned_traces),
        bytes: gone.iter().map(|kept| kept.bytes).sum(),
        pinned_traces,
    }
}

fn time(nanoseconds: i64) -> Time {
    Time(Timestamp(u64::try_from(nanoseconds / 1000).unwrap_or(0)))
}

fn size(bytes: u64) -> String {
    match bytes {
        bytes if bytes < 1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        bytes => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_is_what_is_expired_without_pinned_traces() {
        let week = 7 * 86_400_000_000_000;
        let file = |number: i64, pinned: u64, expired: bool| Kept {
            until: Some(number * week),
            oldest: Some((number - 1) * week),
            traces: 10,
            pinned,
            bytes: 1000,
            expired,
        };
        let outlived = Kept { until: None, ..file(0, 10, false) };
        let gone = removal(&[outlived, file(1, 3, true), file(2, 0, true), file(3, 1, false)]);
        assert_eq!((gone.traces, gone.bytes, gone.pinned_traces), (17, 2000, 3));
        assert_eq!(gone.before.map(|before| before.0), Some(Timestamp(14 * 86_400_000_000)));
        let nothing = removal(&[outlived, file(3, 1, false)]);
        assert!(nothing.before.is_none() && nothing.traces == 0);
        assert_eq!((size(1_234_567), size(2_340_000_000)), ("1.2 MB".to_owned(), "2.3 GB".to_owned()));
    }
}
