//! Where the streams stand: a cache of what the journal holds, so that an append is checked without reading.

use super::apply;
use super::prepare::Prepared;
use flowtrace_core::id::StreamId;
use rusqlite::Connection;
use std::collections::HashMap;

/// Streams that are known at once, about 4 MB; above that the cache starts anew.
const MAX_KNOWN: usize = 65_536;

#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// The stream's number in the tables; `None` before its first append.
    pub stream: Option<i64>,
    /// Of the last event.
    pub seq: u64,
    /// `rows::shape` of the run's row as it was written last; `None` where this process has not written it.
    pub shape: Option<u64>,
}

/// Changes count at once and are kept or undone with the transaction.
#[derive(Debug, Default)]
pub struct Heads {
    known: HashMap<StreamId, Head>,
    undo: Vec<(StreamId, Option<Head>)>,
}

impl Heads {
    pub fn get(&mut self, connection: &Connection, append: &Prepared) -> rusqlite::Result<Head> {
        if let Some(head) = self.known.get(&append.stream) {
            return Ok(*head);
        }
        let stored = apply::stored_head(connection, &append.key)?;
        let head = Head { stream: stored.map(|(stream, _)| stream), seq: stored.map_or(0, |(_, seq)| seq), shape: None };
        self.set(append.stream, head);
        Ok(head)
    }

    pub fn set(&mut self, stream: StreamId, head: Head) {
        let before = self.known.insert(stream, head);
        self.undo.push((stream, before));
    }

    /// After a commit.
    pub fn keep(&mut self) {
        self.undo.clear();
        if self.known.len() > MAX_KNOWN {
            self.known.clear();
        }
    }

    /// After a rollback.
    pub fn undo(&mut self) {
        for (stream, before) in self.undo.drain(..).rev() {
            match before {
                Some(head) => self.known.insert(stream, head),
                None => self.known.remove(&stream),
            };
        }
    }

    /// A finished run is hardly ever appended to again.
    pub fn evict(&mut self, stream: StreamId) {
        self.known.remove(&stream);
    }

    pub fn forget(&mut self) {
        self.known.clear();
    }
}
