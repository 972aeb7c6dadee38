//! What a server does by itself from time to time.

use crate::app::Shared;
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
