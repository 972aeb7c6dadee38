//! The writer's side of one file of spans: its transaction, its symbols, its blocks.

use super::block;
use super::rows::Place;
use super::schema::{self, Kind, Period};
use crate::store::sqlite::error::store_error_in;
use flowtrace_core::span::Span;
use flowtrace_core::trace::facts::Symbol;
use flowtrace_engine::port::store::StoreError;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;
use std::path::Path;

/// Symbols that are kept in memory.
const SYMBOLS: usize = 100_000;

pub struct Db {
    pub period: Period,
    pub connection: Connection,
    pub writing: bool,
    symbols: HashMap<Box<str>, Symbol>,
    next_trace: i64,
    next_block: i64,
    /// Spans that go into a block of their own; its number is known already.
    open: Vec<u8>,
    open_spans: u64,
    open_no: i64,
    /// Blocks of the transaction: the last one before it.
    pub first_block: i64,
}

/// Why a transaction cannot go on.
#[derive(Debug)]
pub enum Failed {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Failed::Sqlite(error)
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Failed::Store(error)
    }
}

impl Db {
    pub fn open(dir: &Path, period: Period) -> Result<Db, StoreError> {
        let connection = schema::open_writer(dir, Kind::Spans, period)?;
        let mut db = Db {
            period,
            connection,
            writing: false,
            symbols: HashMap::new(),
            next_trace: 0,
            next_block: 0,
            open: Vec::new(),
            open_spans: 0,
            open_no: 0,
            first_block: 0,
        };
        db.read_numbers().map_err(|error| store_error_in(&db.name(), error))?;
        Ok(db)
    }

    pub fn name(&self) -> String {
        format!("spans-{}.db", self.period)
    }

    fn read_numbers(&mut self) -> rusqlite::Result<()> {
        let last = |table: &str| -> rusqlite::Result<i64> {
            self.connection.query_row(&format!("SELECT coalesce(max(no), 0) FROM {table}"), [], |row| row.get(0))
        };
        (self.next_trace, self.next_block) = (last("traces")? + 1, last("blocks")? + 1);
        Ok(())
    }

    pub fn begin(&mut self) -> rusqlite::Result<()> {
        if !self.writing {
            self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            self.writing = true;
            self.first_block = self.next_block - 1;
        }
        Ok(())
    }

    /// The last block of what was written.
    pub fn last_block(&self) -> i64 {
        self.next_block - 1
    }

    pub fn commit(&mut self) -> rusqlite::Result<()> {
        if self.writing {
            self.connection.prepare_cached("COMMIT")?.execute([])?;
            self.writing = false;
        }
        Ok(())
    }

    pub fn rollback(&mut self) -> rusqlite::Result<()> {
        if !self.writing {
            return Ok(());
        }
        self.writing = false;
        self.open.clear();
        self.open_no = 0;
        self.open_spans = 0;
        self.symbols.clear();
        // After some errors SQLite has rolled back by itself.
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        self.read_numbers()
    }

    pub fn new_trace(&mut self) -> i64 {
        self.next_trace += 1;
        self.next_trace - 1
    }

    pub fn symbol(&mut self, text: &str) -> rusqlite::Result<Symbol> {
        if let Some(symbol) = self.symbols.get(text) {
            return Ok(*symbol);
        }
        let known = self
            .connection
            .prepare_cached("SELECT id FROM symbols WHERE text = ?1")?
            .query_row([text], |row| row.get(0))
            .optional()?;
        let symbol = match known {
            Some(symbol) => symbol,
            None => {
                self.connection.prepare_cached("INSERT INTO symbols(text) VALUES(?1)")?.execute([text])?;
                self.connection.last_insert_rowid()
            }
        };
        if self.symbols.len() >= SYMBOLS {
            self.symbols.clear();
        }
        self.symbols.insert(text.into(), symbol);
        Ok(symbol)
    }

    /// Writes a block that is compressed already.
    pub fn block(&mut self, compressed: &[u8], spans: u64) -> rusqlite::Result<i64> {
        let no = self.next_block;
        self.next_block += 1;
        self.insert_block(no, compressed, spans)?;
        Ok(no)
    }

    fn insert_block(&self, no: i64, compressed: &[u8], spans: u64) -> rusqlite::Result<()> {
        let sql = "INSERT INTO blocks(no, spans, z) VALUES(?1, ?2, ?3)";
        self.connection.prepare_cached(sql)?.execute(params![no, spans, compressed]).map(|_| ())
    }

    /// Puts the JSON of spans into the block that is being filled; the place is that of the first byte.
    pub fn push(&mut self, json: &[u8], spans: u64) -> Result<Place, Failed> {
        if self.open.len() >= block::SIZE {
            self.flush()?;
        }
        if self.open.is_empty() {
            self.open_no = self.next_block;
            self.next_block += 1;
        }
        let place = Place { block: self.open_no, offset: self.open.len(), length: json.len() };
        self.open.extend_from_slice(json);
        self.open_spans += spans;
        Ok(place)
    }

    /// Writes the block that is being filled; before every commit.
    pub fn flush(&mut self) -> Result<(), Failed> {
        if !self.open.is_empty() {
            let compressed = block::compress(&self.open)?;
            self.insert_block(self.open_no, &compressed, self.open_spans)?;
            self.open.clear();
            self.open_spans = 0;
        }
        Ok(())
    }

    /// A span that was written, perhaps in this transaction.
    pub fn span(&self, place: Place) -> Result<Span, Failed> {
        if place.block == self.open_no && !self.open.is_empty() {
            return Ok(block::parse_at(&self.open, place, &self.name())?);
        }
        let stored = block::stored(&self.connection, place.block)?;
        Ok(block::parse_at(&block::decompress(&stored, &self.name())?, place, &self.name())?)
    }
}
