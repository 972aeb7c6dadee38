//! Reading a body: never more of it in memory than the span store has room for, packed or unpacked.

use super::MAX_BODY;
use super::put::Failure;
use axum::body::{Body, BodyDataStream};
use flate2::read::MultiGzDecoder;
use flowtrace_engine::port::span_store::{Admission, SpanStore};
use futures::StreamExt;
use http::{HeaderMap, header};
use std::io::Read;
use std::time::Duration;

/// The longest that a body may take to arrive.
pub const BODY_TIME: Duration = Duration::from_secs(60);

/// Bytes of a refused body that are still read, and how long.
const DISCARDED: usize = 64 << 20;
const DISCARD_TIME: Duration = Duration::from_secs(10);

/// Room is taken as much again as there is, up to this many bytes at a time.
const STEP: usize = 256 << 10;

/// Room that was taken, and what of it is used.
pub struct Room<'a> {
    store: &'a dyn SpanStore,
    admission: Admission,
    taken: usize,
}

impl<'a> Room<'a> {
    /// Whoever announces more than there is room for is told before it sends. Otherwise room is taken as the bytes come, so that
    /// nobody holds it by announcing.
    pub fn new(store: &'a dyn SpanStore, announced: usize) -> Result<Self, Failure> {
        if announced > MAX_BODY {
            return Err(Failure::TooLarge);
        }
        drop(store.admit(announced.max(1))?);
        Ok(Room { store, admission: Admission(None), taken: 0 })
    }

    /// Takes more if `bytes` in all need it.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Failure> {
        if bytes > MAX_BODY {
            return Err(Failure::TooLarge);
        }
        if bytes > self.taken {
            // The store counts in KiB.
            let more = (bytes - self.taken).next_multiple_of(1024).max(self.taken.min(STEP)).min(MAX_BODY - self.taken);
            let further = self.store.admit(more)?;
            match (&mut self.admission.0, further.0) {
                (Some(permit), Some(further)) => permit.merge(further),
                (none, further) => *none = further,
            }
            self.taken += more;
        }
        Ok(())
    }

    pub fn into_admission(self) -> Admission {
        self.admission
    }
}

pub fn announced(headers: &HeaderMap) -> usize {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    length.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Reads a body as it came. Where it is refused, the rest is read and thrown away: a client that is still sending would not read
/// the answer.
pub async fn collect(body: Body, room: &mut Room<'_>) -> Result<Vec<u8>, Failure> {
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    let filled = fill(&mut stream, room, &mut bytes).await;
    if matches!(filled, Err(Failure::TooLarge | Failure::Later(..))) {
        drop(std::mem::take(&mut bytes));
        throw_away(&mut stream).await;
    }
    filled.map(|()| bytes)
}

/// Reads a body as far as there is room; what was read is in `bytes` also where it ends early.
pub async fn fill(stream: &mut BodyDataStream, room: &mut Room<'_>, bytes: &mut Vec<u8>) -> Result<(), Failure> {
    let collecting = async {
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| Failure::Bad(400, format!("the request body could not be read: {error}")))?;
            bytes.extend_from_slice(&chunk);
            room.grow(bytes.len())?;
        }
        Ok(())
    };
    tokio::time::timeout(BODY_TIME, collecting).await.unwrap_or_else(|_| {
        Err(Failure::Bad(408, format!("the request body did not arrive within {} seconds", BODY_TIME.as_secs())))
    })
}

async fn throw_away(stream: &mut BodyDataStream) {
    let reading = async {
        let mut left = DISCARDED;
        while let Some(Ok(chunk)) = stream.next().await
            && left > chunk.len()
        {
            left -= chunk.len();
        }
    };
    let _ = tokio::time::timeout(DISCARD_TIME, reading).await;
}

/// Room for a body, or its refusal before any of it is kept.
pub async fn admit<'a>(headers: &HeaderMap, body: Body, store: &'a dyn SpanStore) -> Result<(Room<'a>, Body), Failure> {
    let announced = announced(headers);
    match Room::new(store, announced) {
        Ok(room) => Ok((room, body)),
        Err(failure) => {
            if announced <= DISCARDED {
                throw_away(&mut body.into_data_stream()).await;
            }
            Err(failure)
        }
    }
}

/// Reads a body and unpacks it.
pub async fn read<'a>(headers: &HeaderMap, body: Body, store: &'a dyn SpanStore) -> Result<(Vec<u8>, Room<'a>), Failure> {
    let packed = is_packed(headers)?;
    let (mut room, body) = admit(headers, body, store).await?;
    let bytes = collect(body, &mut room).await?;
    if !packed {
        return Ok((bytes, room));
    }
    let plain = unpack(&bytes, |length| room.grow(length + bytes.len()))?;
    Ok((plain, room))
}

/// Whether the body is gzip.
pub fn is_packed(headers: &HeaderMap) -> Result<bool, Failure> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase());
    match encoding.as_deref() {
        None | Some("" | "identity") => Ok(false),
        Some("gzip" | "x-gzip") => Ok(true),
        Some(other) => Err(Failure::Bad(
            415,
            format!("the content encoding `{}` is not understood: send gzip or none", other.escape_debug()),
        )),
    }
}

/// Unpacks gzip, step by step. `room` is told the length in all after each step, and may end it.
pub fn unpack(packed: &[u8], mut room: impl FnMut(usize) -> Result<(), Failure>) -> Result<Vec<u8>, Failure> {
    // The last four bytes say how long the last member is. Where that is too much, it is unpacked once into nothing, to see whether
    // it is true.
    if packed.last_chunk::<4>().is_some_and(|length| u32::from_le_bytes(*length) as usize > MAX_BODY) {
        let mut start = MultiGzDecoder::new(packed).take(MAX_BODY as u64 + 1);
        if std::io::copy(&mut start, &mut std::io::sink()).is_ok_and(|length| length > MAX_BODY as u64) {
            return Err(Failure::TooLarge);
        }
    }
    let mut decoder = MultiGzDecoder::new(packed);
    let mut plain = Vec::new();
    loop {
        let before = plain.len();
        // Doubled, but never to more than a body may have.
        if plain.capacity() - before < STEP {
            plain.reserve_exact(plain.capacity().max(STEP).min(MAX_BODY + 2 * STEP - before));
        }
        let read = decoder.by_ref().take(STEP as u64).read_to_end(&mut plain);
        read.map_err(|error| Failure::Bad(400, format!("the body is not valid gzip: {error}")))?;
        if plain.len() == before {
            return Ok(plain);
        }
        room(plain.len())?;
    }
}
