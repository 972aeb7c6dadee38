//! The stored form of events: the only way in and out of storage.

use super::{Body, Event, FORMAT};
use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer};
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// By hand, because a derived reader of a flattened field first copies the whole event into a tree of its own, and reading
/// events is most of what showing a run costs. `kind` and `payload` come last, as [`encode`] writes them.
impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EventVisitor)
    }
}

struct EventVisitor;

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Field {
    Seq,
    Ts,
    Step,
    Kind,
    #[serde(other)]
    Unknown,
}

impl<'de> Visitor<'de> for EventVisitor {
    type Value = Event;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Event, A::Error> {
        let (mut seq, mut ts, mut step) = (None, None, None);
        while let Some(field) = map.next_key()? {
            match field {
                Field::Seq => seq = Some(map.next_value()?),
                Field::Ts => ts = Some(map.next_value()?),
                Field::Step => step = map.next_value()?,
                Field::Unknown => drop(map.next_value::<IgnoredAny>()?),
                Field::Kind => {
                    let missing = A::Error::missing_field;
                    let (seq, ts) = (seq.ok_or_else(|| missing("seq"))?, ts.ok_or_else(|| missing("ts"))?);
                    let body = Body::deserialize(MapAccessDeserializer::new(FromKind { map, given: false }))?;
                    return Ok(Event { seq, ts, step, body });
                }
            }
        }
        Err(A::Error::missing_field("kind"))
    }
}

/// What is left of an event's fields after the key `kind` was read, with that key put back.
struct FromKind<A> {
    map: A,
    given: bool,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for FromKind<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        if self.given {
            return self.map.next_key_seed(seed);
        }
        self.given = true;
        seed.deserialize(BorrowedStrDeserializer::new("kind")).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// The events of one append in their stored form: a JSON array.
pub fn encode(events: &[Event]) -> Vec<u8> {
    serde_json::to_vec(events).expect("events hold only JSON values")
}

/// Reads what [`encode`] wrote, under the format version that was stored beside it.
pub fn decode(format: u16, bytes: &[u8]) -> Result<Vec<Event>, DecodeError> {
    if format != FORMAT {
        return Err(DecodeError::Format(format));
    }
    // The reader's own limit of 128 levels counts the envelope too: a tool's answer that was read at that limit could be written
    // and never read again. What this process wrote is as deep as what it read, and a few levels more.
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    reader.disable_recursion_limit();
    let events = Vec::deserialize(&mut reader).and_then(|events| reader.end().map(|()| events));
    events.map_err(|error| DecodeError::Corrupt(error.to_string()))
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("the journal has format {0}, this build reads format {FORMAT}: use a newer FlowTrace")]
    Format(u16),
    #[error("the journal holds events that cannot be read: {0}")]
    Corrupt(String),
}
