//! Payloads resolved to values, with the blobs read last kept in memory.

use crate::port::store::{Journal, StoreError};
use flowtrace_core::payload::{Blob, Payload};
use moka::sync::Cache;
use serde_json::Value;
use std::sync::Arc;

/// Bytes of blob JSON that are kept parsed. The parsed form takes a few times as much.
const KEPT_BYTES: u64 = 32 << 20;

pub(crate) struct Values {
    kept: Cache<Arc<str>, (u32, Arc<Value>)>,
}

impl Values {
    pub fn new() -> Self {
        Values { kept: Cache::builder().max_capacity(KEPT_BYTES).weigher(|_, (bytes, _)| *bytes).build() }
    }

    /// Remembers a value that was just made into a blob, since the next step most likely reads it.
    pub fn remember(&self, blob: &Blob, value: &Arc<Value>) {
        self.kept.insert(blob.hash.clone(), (blob.json.len().try_into().unwrap_or(u32::MAX), value.clone()));
    }

    pub async fn load<J: Journal + ?Sized>(&self, store: &J, payload: &Payload) -> Result<Arc<Value>, StoreError> {
        let reference = match payload {
            Payload::Inline(value) => return Ok(value.clone()),
            Payload::Blob(reference) => reference,
        };
        if let Some((_, value)) = self.kept.get(&reference.hash) {
            return Ok(value);
        }
        let json = store.blob(&reference.hash).await?.ok_or_else(|| {
            StoreError::Corrupt(format!("the blob {} that an event refers to is not in the store", reference.hash))
        })?;
        let value: Value = serde_json::from_slice(&json)
            .map_err(|error| StoreError::Corrupt(format!("the blob {} is not JSON: {error}", reference.hash)))?;
        let value = Arc::new(value);
        self.kept.insert(reference.hash.clone(), (json.len().try_into().unwrap_or(u32::MAX), value.clone()));
        Ok(value)
    }
}
