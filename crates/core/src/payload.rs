//! Values in events. Small ones stand in the event itself; larger ones leave the journal and are addressed by their content.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A value whose JSON is longer than this many bytes becomes a blob.
pub const INLINE_LIMIT: usize = 4096;

/// Characters of a blob's JSON that stay in the event, for lists and previews.
pub const PREVIEW_CHARS: usize = 256;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    Inline(Arc<Value>),
    Blob(BlobRef),
}

/// A reference to a value outside the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobRef {
    /// SHA-256 of the JSON text, in hexadecimal.
    pub hash: Arc<str>,
    /// Length of the JSON text.
    pub bytes: u64,
    /// The first characters of the value: of the text itself for a string, of the JSON for anything else.
    pub preview: Arc<str>,
}

/// The content of a blob, on its way to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    pub hash: Arc<str>,
    pub json: Arc<[u8]>,
}

impl Payload {
    pub fn null() -> Self {
        Payload::Inline(Arc::new(Value::Null))
    }

    /// Wraps a value; a large one comes with the blob that the store has to keep.
    pub fn new(value: Arc<Value>) -> (Self, Option<Blob>) {
        if fits_inline(&value) {
            return (Payload::Inline(value), None);
        }
        let json = serde_json::to_vec(&*value).expect("a JSON value always serialises");
        let hash: Arc<str> = sha256_hex(&json).into();
        let preview: Arc<str> = preview_of(&value, &json).into();
        let reference = BlobRef { hash: hash.clone(), bytes: json.len() as u64, preview };
        (Payload::Blob(reference), Some(Blob { hash, json: json.into() }))
    }

    pub fn inline(&self) -> Option<&Arc<Value>> {
        match self {
            Payload::Inline(value) => Some(value),
            Payload::Blob(_) => None,
        }
    }
}

pub fn sha256_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        use std::fmt::Write;
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Whether the JSON of `value` stays under the limit, found without writing it and without walking much past the limit.
fn fits_inline(value: &Value) -> bool {
    fn spend(value: &Value, left: &mut usize) -> bool {
        let own = match value {
            Value::Null | Value::Bool(_) => 5,
            Value::Number(_) => 24,
            Value::String(text) => text.len() + 2,
            Value::Array(items) => items.len() + 2,
            Value::Object(map) => map.keys().map(|key| key.len() + 4).sum::<usize>() + 2,
        };
        let Some(rest) = left.checked_sub(own) else { return false };
        *left = rest;
        match value {
            Value::Array(items) => items.iter().all(|item| spend(item, left)),
            Value::Object(map) => map.values().all(|item| spend(item, left)),
            _ => true,
        }
    }
    spend(value, &mut { INLINE_LIMIT })
}

fn preview_of(value: &Value, json: &[u8]) -> String {
    match value {
        Value::String(text) => text.chars().take(PREVIEW_CHARS).collect(),
        // Cutting bytes may split a character; the lossy conversion marks it and the count of characters stays bounded.
        _ => String::from_utf8_lossy(&json[..json.len().min(PREVIEW_CHARS * 4)]).chars().take(PREVIEW_CHARS).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn small_values_stay_and_large_ones_leave() {
        let (small, blob) = Payload::new(Arc::new(json!({"a": [1, 2, {"b": "c"}]})));
        assert!(small.inline().is_some() && blob.is_none());

        let text = "é".repeat(INLINE_LIMIT);
        let (large, blob) = Payload::new(Arc::new(json!(text)));
        let Payload::Blob(reference) = large else { panic!("expected a blob") };
        let blob = blob.unwrap();
        assert_eq!(reference.hash, blob.hash);
        assert_eq!(reference.bytes as usize, blob.json.len());
        assert_eq!(reference.preview.chars().count(), PREVIEW_CHARS);
        assert_eq!(serde_json::from_slice::<Value>(&blob.json).unwrap(), json!(text));
    }

    #[test]
    fn user_data_that_looks_like_a_reference_stays_data() {
        let value = json!({"blob": {"hash": "x", "bytes": 1, "preview": ""}});
        let (payload, _) = Payload::new(Arc::new(value.clone()));
        let read: Payload = serde_json::from_str(&serde_json::to_string(&payload).unwrap()).unwrap();
        assert_eq!(**read.inline().unwrap(), value);
    }
}
