//! Spans in SQLite: what SDKs send and what the engine's own runs look like from outside. The files stand beside `journal.db` and
//! have writers of their own, so that their traffic does not hold up the engine's commits. `docs/storage.md` tells what each
//! file holds.
//!
//! A write goes through three pairs of hands: the caller's thread makes rows, compressed blocks and words of the spans
//! ([`prepare`]); the one writer puts them into the file of the week and adds the touched traces up ([`apply`]); the indexer
//! follows with the words ([`text`]).

mod agenda;
mod apply;
mod block;
mod changes;
mod db;
mod derived;
mod find;
mod later;
mod log;
mod partition;
mod prepare;
mod read;
mod rows;
mod schema;
mod sessions;
mod terms;
mod text;
mod totals;
mod unpriced;
mod words;
mod writer;

#[cfg(test)]
mod tests;

use crate::background;
use crate::store::sqlite::OnFatal;
use flowtrace_core::id::{SpanId, TraceId};
use flowtrace_core::span::{Score, Span};
use flowtrace_core::trace::TraceSummary;
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::clock::Clock;
use flowtrace_engine::port::span_store::*;
use flowtrace_engine::port::store::StoreError;
use partition::Partitions;
use std::ops::RangeInclusive;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, oneshot};
use writer::{Counts, Job, Writer};

/// What may be on its way to the writer, in KiB on the wire. Decoded, it takes a few times as much.
const ROOM_KIB: usize = 16 * 1024;

/// When whoever was refused should try again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Reads that run at once; others wait.
const READERS: usize = 4;

/// Commits that a slow follower may be behind before it is told that it missed some.
const TAIL: usize = 64;

pub struct SqliteSpans {
    queue: mpsc::Sender<Job>,
    room: Arc<Semaphore>,
    reads: Arc<Semaphore>,
    partitions: Arc<Partitions>,
    counts: Arc<Counts>,
    tail: broadcast::Sender<Arc<[TraceId]>>,
    feed: text::Feed,
    writing: Option<JoinHandle<()>>,
    indexing: Option<JoinHandle<()>>,
}

impl SqliteSpans {
    /// Opens the files of a data directory, whose lock the caller holds. `on_fatal` is called when the disk fails to confirm a
    /// commit; when it returns, all further writes are refused.
    pub fn open(data_dir: &Path, clock: Arc<dyn Clock>, on_fatal: OnFatal) -> Result<SqliteSpans, StoreError> {
        crate::store::sqlite::data_dir::create(data_dir)?;
        let partitions = Arc::new(Partitions::open(data_dir)?);
        let (feed, indexing) = text::spawn(partitions.clone())?;
        let mut stored = 0;
        for partition in partitions.newest_first() {
            // Opening for writing finds what cannot be used before anything is accepted, and makes a log whole that a crash left.
            schema::open_writer(data_dir, schema::Kind::Spans, partition.period)?;
            stored += partition.spans(reachable)?;
            text::begin(data_dir, partition.period);
            feed.file(partition.period);
        }
        let counts = Arc::new(Counts { accepted: AtomicU64::new(stored), ..Counts::default() });
        let (tail, _) = broadcast::channel(TAIL);
        let (queue, jobs) = mpsc::channel();
        let mut writer = Writer {
            partitions: partitions.clone(),
            clock,
            dbs: Default::default(),
            feed: feed.clone(),
            counts: counts.clone(),
            tail: tail.clone(),
            on_fatal,
            homes: Default::default(),
            agenda: Default::default(),
            stopped: None,
        };
        writer.current()?;
        writer.remember_unsummed()?;
        let writing = std::thread::Builder::new()
            .name("span-writer".to_string())
            .spawn(move || {
                background::yield_to_others();
                let on_fatal = writer.on_fatal.clone();
                if std::panic::catch_unwind(AssertUnwindSafe(|| writer.run(jobs))).is_err() {
                    on_fatal("the writer of spans failed by a fault of FlowTrace; what was acknowledged is kept. Start it again");
                }
            })
            .map_err(|error| StoreError::Unavailable(format!("no thread for the writer of spans: {error}")))?;
        Ok(SqliteSpans {
            queue,
            room: Arc::new(Semaphore::new(ROOM_KIB)),
            reads: Arc::new(Semaphore::new(READERS)),
            partitions,
            counts,
            tail,
            feed,
            writing: Some(writing),
            indexing: Some(indexing),
        })
    }

    /// Waits until everything that is stored is found by its words.
    pub async fn indexed(&self) {
        let feed = self.feed.clone();
        let _ = tokio::task::spawn_blocking(move || feed.flush()).await;
    }

    fn permit(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        // Something larger than all the room takes all of it and so travels alone.
        let kib = bytes.div_ceil(1024).clamp(1, ROOM_KIB) as u32;
        self.room.clone().try_acquire_many_owned(kib).ok()
    }

    async fn write_prepared(&self, spans: Vec<SpanWrite>, admission: Admission) -> Result<Written, SpanStoreError> {
        if spans.is_empty() {
            return Ok(Written::default());
        }
        let prepared = background::run(move || prepare::prepare(spans)).await.map_err(|_| stopped())??;
        let (reply, answer) = oneshot::channel();
        self.queue.send(Job::Write { prepared, admission, reply }).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Reads on a thread of its own.
    async fn read<R, E, F>(&self, work: F) -> Result<R, SpanStoreError>
    where
        R: Send + 'static,
        E: Into<SpanStoreError> + Send + 'static,
        F: FnOnce(&Partitions) -> Result<R, E> + Send + 'static,
    {
        let _permit = self.reads.acquire().await.map_err(|_| stopped())?;
        let partitions = self.partitions.clone();
        tokio::task::spawn_blocking(move || work(&partitions)).await.map_err(|_| stopped())?.map_err(Into::into)
    }

    /// Carries out a change in a transaction of its own.
    async fn change<R, F>(&self, work: F) -> Result<R, SpanStoreError>
    where
        R: Send + 'static,
        F: FnMut(&mut Writer) -> Result<R, db::Failed> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let change = OneChange { work, result: None, reply };
        self.queue.send(Job::Other(Box::new(change))).map_err(|_| stopped())?;
        Ok(answer.await.map_err(|_| stopped())??)
    }
}

/// Spans that the traces of a file lead to.
fn reachable(connection: &rusqlite::Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT coalesce(sum(spans), 0) FROM traces", [], |row| row.get(0))
}

/// Spans of a file. Reads all their rows.
fn count(connection: &rusqlite::Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT count(*) FROM spans", [], |row| row.get(0))
}

impl Drop for SqliteSpans {
    fn drop(&mut self) {
        self.partitions.close();
        let _ = self.queue.send(Job::Stop);
        // A panic was reported when it happened.
        let _ = self.writing.take().map(JoinHandle::join);
        self.feed.stop();
        let _ = self.indexing.take().map(JoinHandle::join);
        self.partitions.close();
    }
}

struct OneChange<R, F> {
    work: F,
    result: Option<R>,
    reply: oneshot::Sender<Result<R, StoreError>>,
}

impl<R: Send, F: FnMut(&mut Writer) -> Result<R, db::Failed> + Send> writer::Change for OneChange<R, F> {
    fn run(&mut self, writer: &mut Writer) -> Result<(), db::Failed> {
        self.result = Some((self.work)(writer)?);
        Ok(())
    }

    fn answer(self: Box<Self>, result: Result<(), StoreError>) {
        let OneChange { result: done, reply, .. } = *self;
        // A caller that went away does not need the answer.
        let _ = reply.send(result.and_then(|()| done.ok_or_else(stopped)));
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the writer of spans has stopped".to_string())
}

impl SpanStore for SqliteSpans {
    fn admit(&self, bytes: usize) -> Result<Admission, SpanStoreError> {
        match self.permit(bytes) {
            Some(permit) => Ok(Admission(Some(permit))),
            None => {
                self.counts.refused.fetch_add(1, Ordering::Relaxed);
                Err(SpanStoreError::Overloaded { retry_after: RETRY_AFTER })
            }
        }
    }

    fn write(&self, spans: Vec<SpanWrite>, admission: Admission) -> BoxFuture<'_, Result<Written, SpanStoreError>> {
        Box::pin(self.write_prepared(spans, admission))
    }

    fn trace(&self, id: TraceId) -> BoxFuture<'_, Result<Option<Trace>, SpanStoreError>> {
        Box::pin(self.read(move |partitions| read::trace(partitions, id)))
    }

    fn outline(&self, id: TraceId) -> BoxFuture<'_, Result<Option<Trace>, SpanStoreError>> {
        Box::pin(self.read(move |partitions| read::outline(partitions, id)))
    }

    fn span(&self, trace: TraceId, span: SpanId) -> BoxFuture<'_, Result<Option<Span>, SpanStoreError>> {
        Box::pin(self.read(move |partitions| read::one_span(partitions, trace, span)))
    }

    fn summary(&self, id: TraceId) -> BoxFuture<'_, Result<Option<TraceSummary>, SpanStoreError>> {
        Box::pin(self.read(move |partitions| {
            let Some((partition, no)) = partitions.home(id)? else { return Ok::<_, StoreError>(None) };
            partition.spans(|connection| read::summary_of(connection, no))
        }))
    }

    fn spans(&self, id: TraceId, after: Option<SpanId>, limit: usize) -> BoxFuture<'_, Result<Vec<Span>, SpanStoreError>> {
        Box::pin(self.read(move |partitions| read::some_spans(partitions, id, after, limit)))
    }

    fn matches(&self, id: TraceId, query: TraceQuery) -> BoxFuture<'_, Result<Option<TraceSummary>, SpanStoreError>> {
        Box::pin(self.read(move |partitions| find::matches(partitions, id, &query)))
    }

    fn find(&self, query: TraceQuery) -> BoxFuture<'_, Result<Page<TraceSummary>, SpanStoreError>> {
        Box::pin(self.read(move |partitions| find::find(partitions, &query)))
    }

    fn sessions(&self, query: SessionQuery) -> BoxFuture<'_, Result<Page<SessionSummary>, SpanStoreError>> {
        Box::pin(self.read(move |partitions| sessions::list(partitions, &query)))
    }

    fn session(&self, id: &str) -> BoxFuture<'_, Result<Option<SessionSummary>, SpanStoreError>> {
        let id = id.to_owned();
        Box::pin(self.read(move |partitions| sessions::one(partitions, &id)))
    }

    fn rollup(&self, by: RollupBy, days: RangeInclusive<i64>) -> BoxFuture<'_, Result<Vec<Rollup>, SpanStoreError>> {
        Box::pin(self.read(move |partitions| sessions::rollup(partitions, by, &days)))
    }

    fn unpriced_models(&self) -> BoxFuture<'_, Result<Vec<UnpricedModel>, SpanStoreError>> {
        Box::pin(self.read(unpriced::models))
    }

    fn unpriced(&self, after: Option<Cursor>) -> BoxFuture<'_, Result<Page<Span>, SpanStoreError>> {
        Box::pin(self.read(move |partitions| unpriced::calls(partitions, after.as_ref())))
    }

    fn score(&self, scores: Vec<Score>) -> BoxFuture<'_, Result<(), SpanStoreError>> {
        Box::pin(self.change(move |writer| changes::score(writer, &scores)))
    }

    fn scores(&self, trace: TraceId) -> BoxFuture<'_, Result<Vec<Score>, SpanStoreError>> {
        Box::pin(self.read(move |partitions| {
            let Some((partition, no)) = partitions.home(trace)? else { return Ok::<_, StoreError>(Vec::new()) };
            partition.spans(|connection| read::scores_of(connection, no))
        }))
    }

    fn session_scores(&self, session: &str) -> BoxFuture<'_, Result<Vec<Score>, SpanStoreError>> {
        let session = session.to_owned();
        Box::pin(self.read(move |partitions| sessions::scores(partitions, &session)))
    }

    fn pin(&self, trace: TraceId, pinned: bool) -> BoxFuture<'_, Result<bool, SpanStoreError>> {
        Box::pin(self.change(move |writer| changes::pin(writer, trace, pinned)))
    }

    fn log(&self, after: Option<Cursor>) -> BoxFuture<'_, Result<LogPage, SpanStoreError>> {
        Box::pin(self.read(move |partitions| log::read(partitions, after.as_ref())))
    }

    fn counters(&self) -> BoxFuture<'_, Result<Counters, SpanStoreError>> {
        let counts = self.counts.clone();
        Box::pin(self.read(move |partitions| {
            let mut counters = Counters {
                repeated: counts.repeated.load(Ordering::Relaxed),
                refused: counts.refused.load(Ordering::Relaxed),
                ..Counters::default()
            };
            for partition in partitions.newest_first() {
                counters.stored += partition.spans(count)?;
                counters.queryable += partition.spans(reachable)?;
                counters.unindexed += text::unindexed(&partition)?;
            }
            counters.accepted = counts.accepted.load(Ordering::Relaxed);
            Ok::<_, StoreError>(counters)
        }))
    }

    fn expire(&self, now: i64, age: Duration) -> BoxFuture<'_, Result<u64, SpanStoreError>> {
        Box::pin(self.change(move |writer| changes::expire(writer, now, age)))
    }

    fn kept(&self, expiry: Option<(i64, Duration)>) -> BoxFuture<'_, Result<Vec<Kept>, SpanStoreError>> {
        Box::pin(self.read(move |partitions| {
            let all = partitions.newest_first();
            all.iter().rev().map(|partition| changes::kept(partitions, partition, expiry)).collect::<Result<Vec<_>, StoreError>>()
        }))
    }

    fn tail(&self) -> broadcast::Receiver<Arc<[TraceId]>> {
        self.tail.subscribe()
    }
}
