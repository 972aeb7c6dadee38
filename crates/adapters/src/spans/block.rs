//! Blocks: the JSON of spans, one after the other, compressed together.

use super::rows::Place;
use flowtrace_core::span::Span;
use flowtrace_engine::port::store::StoreError;
use rusqlite::Connection;
use std::sync::{Mutex, PoisonError};

/// Bytes of spans that are compressed together. Larger ones compress better, and reading one span takes longer.
pub const SIZE: usize = 1024 * 1024;

/// The most that a block may hold uncompressed: one span of the largest request, and room.
const LIMIT: usize = 1 << 30;

const LEVEL: i32 = 3;

/// Puts the JSON of a span at the end of a block.
pub fn append(block: &mut Vec<u8>, span: &Span) -> Result<(), StoreError> {
    serde_json::to_writer(block, span).map_err(|error| StoreError::Invalid(format!("a span cannot be written as JSON: {error}")))
}

/// Setting one up costs more than compressing a small block, and each takes some megabytes: so as many are kept as were in use at
/// once.
static COMPRESSORS: Mutex<Vec<zstd::bulk::Compressor<'static>>> = Mutex::new(Vec::new());

pub fn compress(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    let failed = |error: std::io::Error| StoreError::Unavailable(format!("a block of spans cannot be compressed: {error}"));
    let idle = || COMPRESSORS.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = idle().pop();
    let mut compressor = match kept {
        Some(compressor) => compressor,
        None => zstd::bulk::Compressor::new(LEVEL).map_err(failed)?,
    };
    let compressed = compressor.compress(bytes).map_err(failed);
    idle().push(compressor);
    compressed
}

/// A block as it is stored.
pub fn stored(connection: &Connection, no: i64) -> rusqlite::Result<Vec<u8>> {
    connection.prepare_cached("SELECT z FROM blocks WHERE no = ?1")?.query_row([no], |row| row.get(0))
}

pub fn decompress(block: &[u8], file: &str) -> Result<Vec<u8>, StoreError> {
    let size = zstd::zstd_safe::get_frame_content_size(block).ok().flatten().unwrap_or(0);
    let size = usize::try_from(size).unwrap_or(usize::MAX).min(LIMIT);
    zstd::bulk::decompress(block, size)
        .map_err(|error| StoreError::Corrupt(format!("{file}: a block of spans cannot be decompressed: {error}")))
}

pub fn parse_at(block: &[u8], place: Place, file: &str) -> Result<Span, StoreError> {
    let json = block.get(place.offset..place.offset.saturating_add(place.length));
    let json = json.ok_or_else(|| StoreError::Corrupt(format!("{file}: block {} is shorter than it was", place.block)))?;
    parse(json).map_err(|error| StoreError::Corrupt(format!("{file}: a span in block {} cannot be read: {error}", place.block)))
}

/// One span's JSON. What was taken in was as deep as its reader allowed, so there is no other limit here.
fn parse(json: &[u8]) -> serde_json::Result<Span> {
    use serde::Deserialize;
    let mut reader = serde_json::Deserializer::from_slice(json);
    reader.disable_recursion_limit();
    Span::deserialize(&mut reader)
}

/// All spans of a block, for the index of words.
pub fn parse_all(block: &[u8], file: &str) -> Result<Vec<Span>, StoreError> {
    use serde::Deserialize;
    let mut spans = Vec::new();
    let mut rest = block;
    while !rest.is_empty() {
        let mut reader = serde_json::Deserializer::from_slice(rest);
        reader.disable_recursion_limit();
        let mut stream = reader.into_iter::<serde::de::IgnoredAny>();
        let end = match stream.next() {
            Some(Ok(_)) => stream.byte_offset(),
            _ => return Err(StoreError::Corrupt(format!("{file}: a block of spans cannot be read"))),
        };
        let mut reader = serde_json::Deserializer::from_slice(&rest[..end]);
        reader.disable_recursion_limit();
        let span = Span::deserialize(&mut reader)
            .map_err(|error| StoreError::Corrupt(format!("{file}: a span cannot be read: {error}")))?;
        spans.push(span);
        rest = &rest[end..];
    }
    Ok(spans)
}
