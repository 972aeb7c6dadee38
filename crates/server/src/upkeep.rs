//! What a server does by itself from time to time.

use crate::app::Shared;
use std::time::Duration;

const HOURLY: Duration = Duration::from_secs(3600);

/// Removes traces that are older than `age`, once an hour until the server stops.
pub async fn retention(app: Shared, age: Duration) {
    loop {
        let now = i64::try_from(app.clock.now().0).unwrap_or(i64::MAX).saturating_mul(1000);
        match app.spans.expire(now, age).await {
            Ok(0) => {}
            Ok(spans) => tracing::info!(spans, "spans past their age were removed"),
            Err(error) => tracing::warn!(%error, "old spans could not be removed; this is tried again in an hour"),
        }
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = tokio::time::sleep(HOURLY) => {}
        }
    }
}
