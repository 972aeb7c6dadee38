//! Which files there are, and reading from them.

use super::schema::{self, Kind, Period};
use crate::store::sqlite::error::store_error_in;
use flowtrace_core::id::TraceId;
use flowtrace_engine::port::store::StoreError;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// Connections that one file keeps open for its readers.
const IDLE: usize = 2;

/// The files of one period, for readers.
#[derive(Debug)]
pub struct Partition {
    pub period: Period,
    dir: PathBuf,
    spans: Mutex<Vec<Connection>>,
    text: Mutex<Vec<Connection>>,
    /// Which traces an older file may hold; made when it is first needed. `None` for a file that grows.
    filter: RwLock<Option<Arc<Filter>>>,
}

impl Partition {
    fn new(dir: &Path, period: Period) -> Partition {
        let dir = dir.to_path_buf();
        Partition { period, dir, spans: Mutex::default(), text: Mutex::default(), filter: RwLock::default() }
    }

    /// Reads the spans on the calling thread.
    pub fn spans<R>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<R>) -> Result<R, StoreError> {
        self.read(Kind::Spans, work)
    }

    /// Reads the words on the calling thread.
    pub fn text<R>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<R>) -> Result<R, StoreError> {
        self.read(Kind::Text, work)
    }

    fn read<R>(&self, kind: Kind, work: impl FnOnce(&Connection) -> rusqlite::Result<R>) -> Result<R, StoreError> {
        let connection = self.take(kind)?;
        let result = work(&connection);
        self.put_back(kind, connection);
        result.map_err(|error| store_error_in(&schema::file_name(&kind.path(&self.dir, self.period)), error))
    }

    /// A connection for a while; `put_back` returns it.
    pub fn take(&self, kind: Kind) -> Result<Connection, StoreError> {
        let idle = self.idle(kind).pop();
        idle.map_or_else(|| schema::open_reader(&self.dir, kind, self.period), Ok)
    }

    pub fn put_back(&self, kind: Kind, connection: Connection) {
        let mut idle = self.idle(kind);
        if idle.len() < IDLE {
            idle.push(connection);
        }
    }

    fn idle(&self, kind: Kind) -> MutexGuard<'_, Vec<Connection>> {
        let idle = if kind == Kind::Spans { &self.spans } else { &self.text };
        idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn name(&self, kind: Kind) -> String {
        schema::file_name(&kind.path(&self.dir, self.period))
    }

    /// Closes what readers left open.
    pub fn close(&self) {
        self.idle(Kind::Spans).clear();
        self.idle(Kind::Text).clear();
    }

    /// Whether the file has to be asked for the trace.
    pub fn may_hold(&self, id: TraceId) -> Result<bool, StoreError> {
        if let Some(filter) = &*self.filter.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(filter.may_hold(id));
        }
        let filter = self.spans(|connection| {
            let traces: usize = connection.query_row("SELECT count(*) FROM traces", [], |row| row.get(0))?;
            let mut filter = Filter::new(traces);
            let mut ids = connection.prepare("SELECT id FROM traces")?;
            let mut rows = ids.query([])?;
            while let Some(row) = rows.next()? {
                filter.insert(TraceId(u128::from_be_bytes(row.get(0)?)));
            }
            Ok(filter)
        })?;
        let may = filter.may_hold(id);
        *self.filter.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(filter));
        Ok(may)
    }

    /// Before the file gets traces that it did not have.
    pub fn grows(&self) {
        *self.filter.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Every period that has files.
#[derive(Debug)]
pub struct Partitions {
    pub dir: PathBuf,
    all: RwLock<BTreeMap<Period, Arc<Partition>>>,
    /// The one that new traces go to.
    current: RwLock<Option<Period>>,
}

impl Partitions {
    pub fn open(dir: &Path) -> Result<Partitions, StoreError> {
        let unusable = |error: std::io::Error| crate::store::sqlite::data_dir::unusable(dir, &error);
        let periods = Period::in_dir(dir).map_err(unusable)?;
        let all = periods.into_iter().map(|period| (period, Arc::new(Partition::new(dir, period)))).collect();
        Ok(Partitions { dir: dir.to_path_buf(), all: RwLock::new(all), current: RwLock::default() })
    }

    /// Newest first; pinned traces without a file of their own last.
    pub fn newest_first(&self) -> Vec<Arc<Partition>> {
        self.all.read().unwrap_or_else(PoisonError::into_inner).values().rev().cloned().collect()
    }

    pub fn get(&self, period: Period) -> Option<Arc<Partition>> {
        self.all.read().unwrap_or_else(PoisonError::into_inner).get(&period).cloned()
    }

    /// After the file was made.
    pub fn add(&self, period: Period) -> Arc<Partition> {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        all.entry(period).or_insert_with(|| Arc::new(Partition::new(&self.dir, period))).clone()
    }

    /// Before the files are removed.
    pub fn forget(&self, period: Period) {
        let partition = self.all.write().unwrap_or_else(PoisonError::into_inner).remove(&period);
        if let Some(partition) = partition {
            partition.close();
        }
    }

    pub fn set_current(&self, period: Period) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(period);
        if let Some(partition) = self.get(period) {
            partition.grows();
        }
    }

    pub fn current(&self) -> Option<Period> {
        *self.current.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file that holds the trace, and the number that the trace has there. A trace has one home, however long it lasts.
    pub fn home(&self, id: TraceId) -> Result<Option<(Arc<Partition>, i64)>, StoreError> {
        let current = self.current();
        for partition in self.newest_first() {
            if Some(partition.period) != current && partition.period != Period::PINNED && !partition.may_hold(id)? {
                continue;
            }
            let found = partition.spans(|connection| number(connection, id))?;
            if let Some(no) = found {
                return Ok(Some((partition, no)));
            }
        }
        Ok(None)
    }

    pub fn close(&self) {
        self.newest_first().iter().for_each(|partition| partition.close());
    }
}

/// The number of a trace in one file.
pub fn number(connection: &Connection, id: TraceId) -> rusqlite::Result<Option<i64>> {
    use rusqlite::OptionalExtension;
    let mut find = connection.prepare_cached("SELECT no FROM traces WHERE id = ?1")?;
    find.query_row([id.0.to_be_bytes()], |row| row.get(0)).optional()
}

/// A Bloom filter over trace ids: says "no" for sure, and "maybe" wrongly for about one id in a hundred.
#[derive(Debug)]
pub struct Filter {
    bits: Vec<u64>,
}

impl Filter {
    const BITS_EACH: usize = 10;
    const PROBES: u64 = 7;

    fn new(expected: usize) -> Filter {
        Filter { bits: vec![0; (expected * Self::BITS_EACH / 64 + 1).next_power_of_two()] }
    }

    fn places(&self, id: TraceId) -> impl Iterator<Item = (usize, u64)> {
        // Ids may be in order or made with little care, so their halves are mixed first.
        let mix = |half: u64| {
            let half = (half ^ (half >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (half ^ (half >> 29)).wrapping_mul(0xd6e8_feb8_6659_fd93)
        };
        let first = mix(id.0 as u64 ^ mix((id.0 >> 64) as u64));
        let step = mix(first) | 1;
        let mask = self.bits.len() as u64 * 64 - 1;
        (0..Self::PROBES).map(move |probe| {
            let bit = first.wrapping_add(step.wrapping_mul(probe)) & mask;
            ((bit / 64) as usize, 1 << (bit % 64))
        })
    }

    fn insert(&mut self, id: TraceId) {
        let places: Vec<_> = self.places(id).collect();
        for (word, bit) in places {
            self.bits[word] |= bit;
        }
    }

    fn may_hold(&self, id: TraceId) -> bool {
        self.places(id).all(|(word, bit)| self.bits[word] & bit != 0)
    }
}
