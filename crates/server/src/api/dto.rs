//! Pieces that several resources share: times, money, and values that may be too large to show whole.

use super::problem::{ApiError, ApiResult};
use flowtrace_core::id::{RunId, Timestamp};
use flowtrace_core::payload::{PREVIEW_CHARS, Payload};
use flowtrace_engine::host::Host;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// RFC 3339, UTC, always six decimals.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-01-02T03:04:05.678901Z")]
pub struct Time(pub Timestamp);

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Out of range only beyond the year 9999.
        let time = i64::try_from(self.0.0).ok().and_then(|micros| jiff::Timestamp::from_microsecond(micros).ok());
        write!(f, "{:.6}", time.unwrap_or(jiff::Timestamp::MAX))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Nano-dollars as US cents. Exact up to 9 million dollars, where a double runs out of integers.
pub fn cents(nanousd: u64) -> f64 {
    nanousd as f64 / 1e7
}

/// A value for a response: whole, or cut to its beginning.
pub struct Shown {
    /// The value; if `truncated`, the first characters of it as a string.
    pub value: Arc<Value>,
    /// Length of the whole value as JSON.
    pub bytes: u64,
    pub truncated: bool,
}

/// Resolves a payload. A value of more than `limit` bytes is cut.
pub async fn show(host: &Host, payload: &Payload, limit: u64) -> ApiResult<Shown> {
    let bytes = match payload {
        Payload::Inline(value) => json_length(value),
        Payload::Blob(reference) => reference.bytes,
    };
    if bytes <= limit {
        return Ok(Shown { value: host.value(payload).await?, bytes, truncated: false });
    }
    let preview = match payload {
        Payload::Blob(reference) => reference.preview.to_string(),
        Payload::Inline(value) => match &**value {
            Value::String(text) => text.chars().take(PREVIEW_CHARS).collect(),
            other => other.to_string().chars().take(PREVIEW_CHARS).collect(),
        },
    };
    Ok(Shown { value: Arc::new(Value::String(preview)), bytes, truncated: true })
}

fn json_length(value: &Value) -> u64 {
    struct Count(u64);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    match serde_json::to_writer(&mut count, value) {
        Ok(()) => count.0,
        Err(_) => u64::MAX,
    }
}

pub fn run_id(text: &str) -> ApiResult<RunId> {
    RunId::parse(text).ok_or_else(|| no_such_run(text))
}

pub fn no_such_run(id: impl std::fmt::Display) -> ApiError {
    ApiError::not_found(format!("run `{}`", id.to_string().chars().take(100).collect::<String>()))
}

/// The size of a page: what was asked for, within 1 to `most`.
pub fn page_size(asked: Option<usize>, usual: usize, most: usize) -> ApiResult<usize> {
    match asked {
        None => Ok(usual),
        Some(limit) if (1..=most).contains(&limit) => Ok(limit),
        Some(limit) => Err(ApiError::bad_request("invalid_query", format!("`limit` is {limit}, but it has to be 1 to {most}."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_six_decimals() {
        assert_eq!(Time(Timestamp(0)).to_string(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(Time(Timestamp(1_767_323_045_678_900)).to_string(), "2026-01-02T03:04:05.678900Z");
        assert_eq!(Time(Timestamp(u64::MAX)).to_string().len(), 27);
    }

    #[test]
    fn cents_are_not_rounded() {
        assert_eq!(cents(1), 1e-7);
        assert_eq!(cents(2_700), 0.00027);
        assert_eq!(cents(12_345_678_901), 1234.5678901);
    }
}
