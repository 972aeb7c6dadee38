//! What a server does by itself from time to time.

use crate::app::Shared;
use flowtrace_core::span::Span;
use flowtrace_core::trace::merge::empty;
use flowtrace_engine::port::span_store::{Part, SpanStoreError, SpanWrite};
use flowtrace_engine::port::store::{Store, StoreError};
use serde_json::{Value, json};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Notify;

const HOURLY: Duration = Duration::from_secs(3600);

/// For how many days traces are kept where nobody said: somewhat more than six months.
pub const DEFAULT_DAYS: u32 = 190;

/// A hundred years.
pub const MOST_DAYS: u32 = 36_500;

/// Where it is kept what people set.
const META: &str = "retention.days";

/// How long traces are kept. What people set in the settings counts; otherwise what the configuration file says.
pub struct Retention {
    pub file: Option<u32>,
    set: RwLock<Option<u32>>,
    changed: Notify,
}

impl Retention {
    pub async fn read(store: &dyn Store, file: Option<u32>) -> Result<Self, StoreError> {
        let set = store.meta(META).await?.and_then(|value| u32::try_from(value.as_u64()?).ok());
        Ok(Retention { file, set: RwLock::new(set), changed: Notify::new() })
    }

    pub fn set(&self) -> Option<u32> {
        *self.set.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// 0: for ever.
    pub fn days(&self) -> u32 {
        self.set().or(self.file).unwrap_or(DEFAULT_DAYS)
    }

    /// `None`: back to what the file says.
    pub async fn put(&self, store: &dyn Store, days: Option<u32>) -> Result<(), StoreError> {
        store.put_meta(META, days.map_or(Value::Null, |days| json!(days))).await?;
        *self.set.write().unwrap_or_else(PoisonError::into_inner) = days;
        self.changed.notify_one();
        Ok(())
    }
}

/// `None`: for ever.
pub fn age(days: u32) -> Option<Duration> {
    (days > 0).then(|| Duration::from_secs(u64::from(days) * 24 * 60 * 60))
}

/// Removes traces that are too old, once an hour and when somebody changed how old that is, until the server stops.
pub async fn retention(app: Shared) {
    loop {
        let now = i64::try_from(app.clock.now().0).unwrap_or(i64::MAX).saturating_mul(1000);
        if let Some(age) = age(app.retention.days()) {
            match app.spans.expire(now, age).await {
                Ok(0) => {}
                Ok(spans) => tracing::info!(spans, "spans past their age were removed"),
                Err(error) => tracing::warn!(%error, "old spans could not be removed; this is tried again in an hour"),
            }
        }
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = tokio::time::sleep(HOURLY) => {}
            () = app.retention.changed.notified() => {}
        }
    }
}

/// Gives a cost to calls whose price was not known when they came, once at the start (when the operator may have added prices) and then
/// once an hour, until the server stops.
pub async fn late_prices(app: Shared) {
    loop {
        match price_late(&app).await {
            Ok(0) => {}
            Ok(calls) => tracing::info!(calls, "calls that came before the price of their model was known have a cost now"),
            Err(error) => tracing::warn!(%error, "calls without a cost could not be priced; this is tried again in an hour"),
        }
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = tokio::time::sleep(HOURLY) => {}
        }
    }
}

/// Bytes on the wire that the piece of one span stands for.
const PIECE: usize = 500;

/// Returns how many calls got a cost.
pub async fn price_late(app: &Shared) -> Result<u64, SpanStoreError> {
    let mut priced = 0;
    let mut after = None;
    loop {
        let page = app.spans.unpriced(after).await?;
        let pieces: Vec<SpanWrite> = page
            .items
            .into_iter()
            // What a run cost is what its journal says; its trace shows the same.
            .filter(|span| span.service.as_deref() != Some("flowtrace"))
            .filter_map(|mut span| {
                span.price(&app.prices);
                let cost_nanousd = Some(span.cost_nanousd?);
                Some(SpanWrite { span: Span { cost_nanousd, ..empty(span.trace_id, span.span_id) }, part: Part::Piece })
            })
            .collect();
        priced += pieces.len() as u64;
        if !pieces.is_empty() {
            let admission = loop {
                match app.spans.admit(pieces.len() * PIECE) {
                    Err(SpanStoreError::Overloaded { retry_after }) => tokio::time::sleep(retry_after).await,
                    other => break other?,
                }
            };
            app.spans.write(pieces, admission).await?;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(priced),
        }
    }
}
