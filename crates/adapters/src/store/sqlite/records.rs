//! The inbox and the cache.

use super::SqliteStore;
use super::error::store_error;
use super::journal::list;
use super::rows::{int, key, optional_time, time};
use flowtrace_core::id::{StreamId, Timestamp};
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::store::*;
use rusqlite::types::Type;
use rusqlite::{Error, OptionalExtension, Row, params};
use serde::de::DeserializeOwned;

impl Inbox for SqliteStore {
    fn post(&self, stream: StreamId, client_key: String, request: InboxRequest) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move {
            let request = to_json(&request)?;
            let insert = move |connection: &rusqlite::Connection| {
                let sql = "INSERT INTO inbox (stream, key, request) SELECT ?1, ?2, ?3 \
                           WHERE NOT EXISTS (SELECT 1 FROM workflow_runs WHERE id = ?1 AND finished_at IS NOT NULL) \
                           ON CONFLICT DO NOTHING";
                Ok(connection.prepare_cached(sql)?.execute(params![key(stream), client_key, request])? == 1)
            };
            self.write(1024, insert).await
        })
    }

    fn inbox(&self, stream: StreamId) -> BoxFuture<'_, Result<Vec<InboxItem>, StoreError>> {
        Box::pin(self.readers.read(move |connection| {
            let sql = "SELECT id, request FROM inbox WHERE stream = ?1 ORDER BY id";
            list(connection, sql, [key(stream)], |row| Ok(InboxItem { id: row.get(0)?, stream, request: from_json(row, 1)? }))
        }))
    }
}

impl Cache for SqliteStore {
    fn cached(&self, cache_key: &str, now: Timestamp) -> BoxFuture<'_, Result<Option<CacheRow>, StoreError>> {
        let cache_key = cache_key.to_string();
        Box::pin(self.readers.read(move |connection| {
            let sql = "SELECT response, created_at, expires_at FROM cache WHERE key_hash = ?1 \
                       AND (expires_at IS NULL OR expires_at > ?2)";
            let mut query = connection.prepare_cached(sql).map_err(store_error)?;
            let row = |row: &Row<'_>| {
                let (created_at, expires_at) = (time(row, 1)?, optional_time(row, 2)?);
                Ok(CacheRow { key: cache_key.clone(), answer: from_json(row, 0)?, created_at, expires_at })
            };
            query.query_row(params![cache_key, int(now.0)], row).optional().map_err(store_error)
        }))
    }

    fn clear_cache(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(self.write(1024, |connection| Ok(connection.execute("DELETE FROM cache", [])? as u64)))
    }
}

pub(super) fn to_json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Invalid(format!("a value cannot be written as JSON: {error}")))
}

pub(super) fn from_json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let damaged = |error: Box<dyn std::error::Error + Send + Sync>| Error::FromSqlConversionFailure(column, Type::Text, error);
    let text = row.get_ref(column)?.as_str().map_err(|error| damaged(error.into()))?;
    serde_json::from_str(text).map_err(|error| damaged(error.into()))
}
