//! The index of words: which traces contain a word. It follows the spans by about half a second, can be made again from them, and
//! says how far it has come by the number of the last block that it covers.

use super::block;
use super::partition::{Partition, Partitions};
use super::schema::{self, Kind, Period};
use super::words::Words;
use crate::store::sqlite::error::store_error_in;
use flowtrace_core::id::TraceId;
use flowtrace_core::trace::words::{CUT, TextQuery};
use flowtrace_engine::port::store::StoreError;
use rusqlite::{Connection, OptionalExtension};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Bytes of words that may wait in memory. With more, the writer waits for the index, but not for long: an index that has fallen far
/// behind, or cannot be written, must not hold up spans. What was not taken is read from the blocks when its turn comes, for twice
/// the work.
const WAITING: usize = 8 << 20;
const WAIT: Duration = Duration::from_millis(100);

/// Bytes of words that one transaction takes, and how long it waits for them.
const BATCH_BYTES: usize = 4 << 20;
const BATCH_TIME: Duration = Duration::from_millis(300);

/// Blocks that are read again at once.
const CATCH_UP: i64 = 16;

/// What one transaction brought to one file.
pub struct Batch {
    pub period: Period,
    /// The last block before it, and its own last.
    pub after: i64,
    pub through: i64,
    /// Numbers of traces with words.
    pub docs: Vec<(i64, String)>,
}

enum Message {
    Batch(Batch, usize),
    /// A file that may have words to catch up with.
    File(Period),
    /// Lets go of a file that is about to be removed, and says so.
    Forget(Period, mpsc::Sender<()>),
    /// Says when everything before it is in the index.
    Flush(mpsc::Sender<()>),
    Stop,
}

#[derive(Clone)]
pub struct Feed {
    queue: mpsc::Sender<Message>,
    waiting: Arc<Waiting>,
}

/// Bytes that wait.
#[derive(Default)]
struct Waiting {
    bytes: Mutex<usize>,
    less: Condvar,
}

impl Waiting {
    fn add(&self, bytes: usize) -> bool {
        let full = |waiting: &mut usize| *waiting > 0 && *waiting + bytes > WAITING;
        let waiting = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut waiting, timeout) = self.less.wait_timeout_while(waiting, WAIT, full).unwrap_or_else(PoisonError::into_inner);
        if !timeout.timed_out() {
            *waiting += bytes;
        }
        !timeout.timed_out()
    }

    fn subtract(&self, bytes: usize) {
        *self.bytes.lock().unwrap_or_else(PoisonError::into_inner) -= bytes;
        self.less.notify_one();
    }
}

impl Feed {
    pub fn send(&self, batch: Batch) {
        let bytes = batch.docs.iter().map(|(_, words)| words.len() + 64).sum();
        // The gap that a batch leaves is found and filled from the blocks.
        let message = if self.waiting.add(bytes) { Message::Batch(batch, bytes) } else { Message::File(batch.period) };
        let _ = self.queue.send(message);
    }

    pub fn file(&self, period: Period) {
        let _ = self.queue.send(Message::File(period));
    }

    /// Returns when the index no longer has the file open.
    pub fn forget(&self, period: Period) {
        let (done, wait) = mpsc::channel();
        if self.queue.send(Message::Forget(period, done)).is_ok() {
            let _ = wait.recv();
        }
    }

    /// Returns when everything that was sent before is in the index.
    pub fn flush(&self) {
        let (done, wait) = mpsc::channel();
        if self.queue.send(Message::Flush(done)).is_ok() {
            let _ = wait.recv();
        }
    }

    pub fn stop(&self) {
        let _ = self.queue.send(Message::Stop);
    }
}

pub fn spawn(partitions: Arc<Partitions>) -> Result<(Feed, JoinHandle<()>), StoreError> {
    let (queue, messages) = mpsc::channel();
    let waiting = Arc::new(Waiting::default());
    let feed = Feed { queue, waiting: waiting.clone() };
    let mut indexer = Indexer { partitions, files: BTreeMap::new(), waiting };
    let thread = std::thread::Builder::new()
        .name("span-words".to_string())
        .spawn(move || {
            crate::background::yield_to_others();
            indexer.run(messages)
        })
        .map_err(|error| StoreError::Unavailable(format!("no thread for the index of words: {error}")))?;
    Ok((feed, thread))
}

/// Makes the file of the index, because a search may come before the first words do. The indexer reports what is wrong with it.
pub fn begin(dir: &Path, period: Period) {
    let _ = schema::open_writer(dir, Kind::Text, period);
}

/// One file of the index.
struct File {
    connection: Connection,
    /// The last block that the index covers.
    through: i64,
}

struct Indexer {
    partitions: Arc<Partitions>,
    files: BTreeMap<Period, File>,
    waiting: Arc<Waiting>,
}

impl Indexer {
    fn run(&mut self, messages: mpsc::Receiver<Message>) {
        let mut stop = false;
        while !stop && let Ok(first) = messages.recv() {
            let mut batches: BTreeMap<Period, Vec<Batch>> = BTreeMap::new();
            let mut files = Vec::new();
            let mut flushed = Vec::new();
            let (mut bytes, mut total) = (0, 0);
            let due = Instant::now() + BATCH_TIME;
            let mut next = Some(first);
            while let Some(message) = next.take() {
                match message {
                    Message::Batch(batch, size) => {
                        bytes += size;
                        total += size;
                        batches.entry(batch.period).or_default().push(batch);
                    }
                    Message::File(period) => files.push(period),
                    Message::Forget(period, done) => {
                        self.files.remove(&period);
                        batches.remove(&period);
                        files.retain(|file| *file != period);
                        let _ = done.send(());
                    }
                    Message::Flush(done) => {
                        flushed.push(done);
                        break;
                    }
                    Message::Stop => {
                        stop = true;
                        break;
                    }
                }
                if bytes < BATCH_BYTES {
                    next = messages.recv_timeout(due.saturating_duration_since(Instant::now())).ok();
                }
            }
            for (period, batches) in batches {
                self.report(period, |indexer| indexer.index(period, batches));
            }
            self.waiting.subtract(total);
            files.sort();
            files.dedup();
            if !stop {
                // Newest first: that is where people look.
                for period in files.into_iter().rev() {
                    self.report(period, |indexer| indexer.catch_up(period));
                }
            }
            drop(flushed);
        }
    }

    fn report(&mut self, period: Period, work: impl FnOnce(&mut Indexer) -> Result<(), StoreError>) {
        if let Err(error) = work(self) {
            // What is missing is found by its number and indexed with the next batch.
            tracing::warn!("the index of words of {period} is behind: {error}");
            self.files.remove(&period);
        }
    }

    fn open(&mut self, period: Period) -> Result<&mut File, StoreError> {
        if !self.files.contains_key(&period) {
            if self.files.len() >= 4 {
                self.files.pop_first();
            }
            let connection = schema::open_writer(&self.partitions.dir, Kind::Text, period)?;
            let through = through_of(&connection).map_err(failed(period))?;
            self.files.insert(period, File { connection, through });
        }
        self.files.get_mut(&period).ok_or_else(|| StoreError::Invalid("a file of words is not open".to_string()))
    }

    fn index(&mut self, period: Period, batches: Vec<Batch>) -> Result<(), StoreError> {
        let file = self.open(period)?;
        let through = batches.iter().map(|batch| batch.through).max().unwrap_or(0);
        let mut docs: Vec<(i64, String)> = Vec::new();
        let mut covered = file.through;
        for batch in batches {
            if batch.through <= covered {
                continue;
            }
            // Something in between went another way.
            if batch.after > covered {
                break;
            }
            covered = batch.through;
            docs.extend(batch.docs);
        }
        if covered > file.through {
            file.write(period, docs, covered)?;
        }
        if covered < through { self.catch_up(period) } else { Ok(()) }
    }

    /// Indexes the blocks that are not covered yet.
    fn catch_up(&mut self, period: Period) -> Result<(), StoreError> {
        let partitions = self.partitions.clone();
        let Some(partition) = partitions.get(period) else { return Ok(()) };
        let file = self.open(period)?;
        loop {
            let blocks = partition.spans(|connection| {
                let mut some = connection.prepare_cached("SELECT no, z FROM blocks WHERE no > ?1 ORDER BY no LIMIT ?2")?;
                let rows = some.query_map([file.through, CATCH_UP], |row| Ok((row.get(0)?, row.get(1)?)))?;
                rows.collect::<rusqlite::Result<Vec<(i64, Vec<u8>)>>>()
            })?;
            let Some((through, _)) = blocks.last() else { return Ok(()) };
            let through = *through;
            let docs = words_of(&partition, blocks)?;
            file.write(period, docs, through)?;
        }
    }
}

/// Up to which block the index goes. One whose words were cut by other rules is emptied, so that it begins again.
fn through_of(connection: &Connection) -> rusqlite::Result<i64> {
    let read = |key: &str| -> rusqlite::Result<Option<i64>> {
        connection.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()
    };
    let through = read("through")?.unwrap_or(0);
    if read("cut")? == Some(CUT) {
        return Ok(through);
    }
    let again = "BEGIN IMMEDIATE;
        INSERT INTO words(words) VALUES('delete-all');
        DELETE FROM meta WHERE key = 'through';";
    connection.execute_batch(&format!("{again} INSERT OR REPLACE INTO meta VALUES('cut', {CUT}); COMMIT"))?;
    if through > 0 {
        tracing::info!("an index of words is made again, because words are cut differently now");
    }
    Ok(0)
}

/// The words of blocks, by trace.
fn words_of(partition: &Partition, blocks: Vec<(i64, Vec<u8>)>) -> Result<Vec<(i64, String)>, StoreError> {
    let name = partition.name(Kind::Spans);
    let mut words: HashMap<TraceId, Words> = HashMap::new();
    for (_, block) in blocks {
        for span in block::parse_all(&block::decompress(&block, &name)?, &name)? {
            words.entry(span.trace_id).or_default().add(&span);
        }
    }
    partition.spans(|connection| {
        let mut docs = Vec::new();
        for (trace, words) in words {
            if let Some(no) = super::partition::number(connection, trace)? {
                docs.push((no, words.text));
            }
        }
        Ok(docs)
    })
}

impl File {
    fn write(&mut self, period: Period, mut docs: Vec<(i64, String)>, through: i64) -> Result<(), StoreError> {
        // The index is quickest with documents in the order of their numbers.
        docs.sort_by_key(|(no, _)| *no);
        let done = self.transaction(&docs, through);
        if done.is_ok() {
            self.through = through;
        } else if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        done.map_err(failed(period))
    }

    /// A trace that is there already gets more words: without contents and sizes the index is nothing but pairs of a word and a
    /// number, of which it keeps each once.
    fn transaction(&self, docs: &[(i64, String)], through: i64) -> rusqlite::Result<()> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut insert = self.connection.prepare_cached("INSERT INTO words(rowid, text) VALUES(?1, ?2)")?;
        for of_trace in docs.chunk_by(|(one, _), (next, _)| one == next) {
            match of_trace {
                [(no, words)] => insert.execute((no, words))?,
                several => insert.execute((several[0].0, several.iter().map(|(_, words)| words.as_str()).collect::<String>()))?,
            };
        }
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES('through', ?1)", [through])?;
        self.connection.execute_batch("COMMIT")
    }
}

fn failed(period: Period) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| store_error_in(&format!("text-{period}.db"), error)
}

/// How to ask the index for each word: quoted, with a star where any word that begins so will do.
pub fn matches(query: &TextQuery) -> Vec<String> {
    query.words.iter().map(|(word, prefix)| format!("\"{word}\"{}", if *prefix { "*" } else { "" })).collect()
}

/// Numbers of traces below `before` that have the word, from the highest.
pub fn find(connection: &Connection, word: &str, before: i64, limit: usize) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT rowid FROM words WHERE words MATCH ?1 AND rowid < ?2 ORDER BY rowid DESC LIMIT ?3";
    let mut find = connection.prepare_cached(sql)?;
    find.query_map((word, before, limit), |row| row.get(0))?.collect()
}

/// Spans of a file that its index does not cover yet.
pub fn unindexed(partition: &Partition) -> Result<u64, StoreError> {
    let read = |connection: &Connection| {
        connection.query_row("SELECT value FROM meta WHERE key = 'through'", [], |row| row.get::<_, i64>(0)).optional()
    };
    // A file that is not there yet covers nothing.
    let through = partition.text(read).ok().flatten().unwrap_or(0);
    partition.spans(|connection| {
        let sql = "SELECT coalesce(sum(spans), 0) FROM blocks WHERE no > ?1";
        connection.prepare_cached(sql)?.query_row([through], |row| row.get(0))
    })
}
