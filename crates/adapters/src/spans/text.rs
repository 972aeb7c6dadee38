//! The index of words: which traces contain a word. It follows the spans by about half a second, can be made again from them, and
//! says how far it has come by the number of the last block that it covers.

use super::partition::{Partition, Partitions};
use super::prepare::Words;
use super::read;
use super::schema::{self, Kind, Period};
use crate::store::sqlite::error::store_error_in;
use flowtrace_core::id::TraceId;
use flowtrace_core::trace::words::TextQuery;
use flowtrace_engine::port::store::StoreError;
use rusqlite::{Connection, OptionalExtension};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Bytes of words that may wait in memory; what is more is read from the blocks when its turn comes.
const WAITING: usize = 16 << 20;

/// Bytes of words that one transaction takes, and how long it waits for them.
const BATCH_BYTES: usize = 4 << 20;
const BATCH_TIME: Duration = Duration::from_millis(300);

/// Blocks that are read again at once.
const CATCH_UP: i64 = 16;

/// Pieces of a trace in the index; with more, they are put together into one. Few, because the index stores how far apart the
/// numbers of documents are: with 256 it took twice the space.
const PIECES: i64 = 16;

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
    waiting: Arc<AtomicUsize>,
}

impl Feed {
    pub fn send(&self, mut batch: Batch) {
        let bytes = batch.docs.iter().map(|(_, words)| words.len() + 64).sum();
        if self.waiting.load(Ordering::Relaxed) + bytes > WAITING {
            // The gap that this leaves is found and filled from the blocks.
            batch.docs = Vec::new();
            let _ = self.queue.send(Message::File(batch.period));
            return;
        }
        self.waiting.fetch_add(bytes, Ordering::Relaxed);
        let _ = self.queue.send(Message::Batch(batch, bytes));
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
    let waiting = Arc::new(AtomicUsize::new(0));
    let feed = Feed { queue, waiting: waiting.clone() };
    let mut indexer = Indexer { partitions, files: BTreeMap::new(), waiting };
    let thread = std::thread::Builder::new()
        .name("span-words".to_string())
        .spawn(move || indexer.run(messages))
        .map_err(|error| StoreError::Unavailable(format!("no thread for the index of words: {error}")))?;
    Ok((feed, thread))
}

/// One file of the index.
struct File {
    connection: Connection,
    /// The last block that the index covers.
    through: i64,
    /// The next piece of traces that were indexed lately.
    pieces: HashMap<i64, i64>,
}

struct Indexer {
    partitions: Arc<Partitions>,
    files: BTreeMap<Period, File>,
    waiting: Arc<AtomicUsize>,
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
            self.waiting.fetch_sub(total, Ordering::Relaxed);
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
            let read = "SELECT value FROM meta WHERE key = 'through'";
            let through = connection.query_row(read, [], |row| row.get(0)).optional().map_err(failed(period))?;
            self.files.insert(period, File { connection, through: through.unwrap_or(0), pieces: HashMap::new() });
        }
        self.files.get_mut(&period).ok_or_else(|| StoreError::Invalid("a file of words is not open".to_string()))
    }

    fn index(&mut self, period: Period, batches: Vec<Batch>) -> Result<(), StoreError> {
        let partitions = self.partitions.clone();
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
            file.write(&partitions, period, docs, covered)?;
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
            file.write(&partitions, period, docs, through)?;
        }
    }
}

/// The words of blocks, by trace.
fn words_of(partition: &Partition, blocks: Vec<(i64, Vec<u8>)>) -> Result<Vec<(i64, String)>, StoreError> {
    let name = partition.name(Kind::Spans);
    let mut words: HashMap<TraceId, Words> = HashMap::new();
    for (_, block) in blocks {
        for span in read::parse_all(&read::decompress(&block, &name)?, &name)? {
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
    fn write(
        &mut self,
        partitions: &Partitions,
        period: Period,
        mut docs: Vec<(i64, String)>,
        through: i64,
    ) -> Result<(), StoreError> {
        // The index is quickest with documents in the order of their numbers.
        docs.sort_by_key(|(no, _)| *no);
        let mut joined: Vec<(i64, String)> = Vec::with_capacity(docs.len());
        for (no, words) in docs {
            match joined.last_mut() {
                Some((last, text)) if *last == no => text.push_str(&words),
                _ => joined.push((no, words)),
            }
        }
        if self.pieces.len() > 50_000 {
            self.pieces.clear();
        }
        let done = self.transaction(partitions, period, &joined, through);
        if done.is_err() {
            self.pieces.clear();
            if !self.connection.is_autocommit() {
                let _ = self.connection.execute_batch("ROLLBACK");
            }
        } else {
            self.through = through;
        }
        done
    }

    fn transaction(
        &mut self,
        partitions: &Partitions,
        period: Period,
        docs: &[(i64, String)],
        through: i64,
    ) -> Result<(), StoreError> {
        let sql = failed(period);
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(&sql)?;
        for (no, words) in docs {
            let piece = self.next_piece(*no).map_err(&sql)?;
            if piece < PIECES {
                self.insert(*no, piece, words).map_err(&sql)?;
                self.pieces.insert(*no, piece + 1);
                continue;
            }
            let whole = all_words(partitions, period, *no)?;
            let mut delete = self.connection.prepare_cached("DELETE FROM words WHERE rowid = ?1").map_err(&sql)?;
            for piece in 0..PIECES {
                delete.execute([no * PIECES + piece]).map_err(&sql)?;
            }
            drop(delete);
            self.insert(*no, 0, &whole).map_err(&sql)?;
            self.pieces.insert(*no, 1);
        }
        let watermark = "INSERT OR REPLACE INTO meta VALUES('through', ?1)";
        self.connection.execute(watermark, [through]).map_err(&sql)?;
        self.connection.execute_batch("COMMIT").map_err(&sql)
    }

    fn insert(&self, no: i64, piece: i64, words: &str) -> rusqlite::Result<()> {
        let mut insert = self.connection.prepare_cached("INSERT INTO words(rowid, text) VALUES(?1, ?2)")?;
        insert.execute((no * PIECES + piece, words)).map(|_| ())
    }

    fn next_piece(&self, no: i64) -> rusqlite::Result<i64> {
        if let Some(piece) = self.pieces.get(&no) {
            return Ok(*piece);
        }
        let mut last = self.connection.prepare_cached("SELECT max(id) FROM words_docsize WHERE id BETWEEN ?1 AND ?2")?;
        let last: Option<i64> = last.query_row([no * PIECES, no * PIECES + PIECES - 1], |row| row.get(0))?;
        Ok(last.map_or(0, |last| last - no * PIECES + 1))
    }
}

/// The words of a whole trace.
fn all_words(partitions: &Partitions, period: Period, no: i64) -> Result<String, StoreError> {
    let Some(partition) = partitions.get(period) else { return Ok(String::new()) };
    let rows = partition.spans(|connection| super::rows::of_trace(connection, no))?;
    let mut words = Words::default();
    for chunk in rows.chunks(500) {
        let places: Vec<_> = chunk.iter().map(|row| row.place).collect();
        for span in read::spans(&partition, &places)? {
            words.add(&span);
        }
    }
    Ok(words.text)
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
    let bound = before.saturating_mul(PIECES);
    let mut find = connection.prepare_cached(sql)?;
    let mut found: Vec<i64> = Vec::new();
    let mut rows = find.query((word, bound, limit))?;
    while let Some(row) = rows.next()? {
        let no = row.get::<_, i64>(0)? / PIECES;
        if found.last() != Some(&no) {
            found.push(no);
        }
    }
    Ok(found)
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
