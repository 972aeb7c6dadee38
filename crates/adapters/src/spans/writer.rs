//! The one thread that writes spans. It takes what waits, writes it in one transaction with one sync (group commit), then answers.

use super::agenda::Agenda;
use super::apply::{Applied, Touched, Translation};
use super::block;
use super::db::{Db, Failed};
use super::partition::Partitions;
use super::prepare::{Prepared, PreparedSpan};
use super::rows::Place;
use super::schema::Period;
use super::terms::term;
use super::text::{Batch, Feed};
use crate::store::sqlite::OnFatal;
use crate::store::sqlite::error::{is_doubtful_commit, is_failed_sync, store_error_in};
use flowtrace_core::id::TraceId;
use flowtrace_engine::port::clock::Clock;
use flowtrace_engine::port::span_store::{Admission, SpanStoreError, Written};
use flowtrace_engine::port::store::StoreError;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Instant;
use tokio::sync::{broadcast, oneshot};

/// One transaction takes at most about so many spans; more would only make everybody wait longer.
const BATCH_SPANS: usize = 4000;

/// Traces whose home is kept in memory.
const HOMES: usize = 50_000;

/// Files of older periods that are kept open for writing.
const OPEN_FILES: usize = 4;

type Reply = oneshot::Sender<Result<Written, SpanStoreError>>;

pub enum Job {
    Write {
        prepared: Prepared,
        admission: Admission,
        reply: oneshot::Sender<Result<Written, SpanStoreError>>,
    },
    Other(Box<dyn Change>),
    /// The last job.
    Stop,
}

/// Any other change; it runs in a transaction of its own.
pub trait Change: Send {
    fn run(&mut self, writer: &mut Writer) -> Result<(), Failed>;
    fn answer(self: Box<Self>, result: Result<(), StoreError>);
}

#[derive(Debug, Default)]
pub struct Counts {
    /// Distinct spans in all files.
    pub accepted: AtomicU64,
    pub repeated: AtomicU64,
    pub refused: AtomicU64,
}

pub struct Writer {
    pub partitions: Arc<Partitions>,
    pub clock: Arc<dyn Clock>,
    pub dbs: BTreeMap<Period, Db>,
    pub feed: Feed,
    pub counts: Arc<Counts>,
    pub tail: broadcast::Sender<Arc<[TraceId]>>,
    pub on_fatal: OnFatal,
    pub homes: HashMap<TraceId, (Period, i64)>,
    pub agenda: Agenda,
    /// Why nothing is written any more.
    pub stopped: Option<StoreError>,
}

/// What a batch did besides writing, told after the commit.
#[derive(Default)]
struct Outcome {
    written: Vec<Written>,
    batches: Vec<Batch>,
    touched: Vec<TraceId>,
    homes: Vec<(TraceId, (Period, i64))>,
    later: Vec<(Period, i64, TraceId)>,
}

impl Writer {
    /// Returns when everything that was queued before the stop is written.
    pub fn run(mut self, queue: mpsc::Receiver<Job>) {
        let mut stop = false;
        while !stop {
            let mut next = match self.agenda.idle() {
                None => queue.recv().ok(),
                Some(idle) => match queue.recv_timeout(idle) {
                    Err(mpsc::RecvTimeoutError::Timeout) => {
                        self.add_up_one();
                        continue;
                    }
                    received => received.ok(),
                },
            };
            // Nobody is left to send.
            stop = next.is_none();
            let mut batch = Vec::new();
            let mut spans = 0;
            while let Some(job) = next.take() {
                match job {
                    Job::Write { prepared, admission, reply } => {
                        spans += prepared.traces.iter().map(|trace| trace.spans.len()).sum::<usize>();
                        batch.push((prepared, admission, reply));
                        if spans < BATCH_SPANS {
                            next = queue.try_recv().ok();
                        }
                    }
                    Job::Other(change) => {
                        self.write_all(std::mem::take(&mut batch));
                        self.change(change);
                    }
                    Job::Stop => stop = true,
                }
            }
            self.write_all(batch);
            self.add_up_one();
        }
    }

    fn write_all(&mut self, mut batch: Vec<(Prepared, Admission, Reply)>) {
        if batch.is_empty() {
            return;
        }
        let mut prepared: Vec<&mut Prepared> = batch.iter_mut().map(|(prepared, ..)| prepared).collect();
        match self.transaction(|writer| writer.write(&mut prepared)) {
            Ok(outcome) => {
                for batch in outcome.batches {
                    self.feed.send(batch);
                }
                for ((_, admission, reply), written) in batch.into_iter().zip(&outcome.written) {
                    self.counts.accepted.fetch_add(written.new, Ordering::Relaxed);
                    self.counts.repeated.fetch_add(written.updated, Ordering::Relaxed);
                    drop(admission);
                    // A caller that went away does not need the answer.
                    let _ = reply.send(Ok(*written));
                }
                if self.homes.len() > HOMES {
                    self.homes.clear();
                }
                self.homes.extend(outcome.homes);
                for (period, no, id) in outcome.later {
                    self.agenda.add(period, no, id);
                }
                // Nobody may listen.
                let _ = self.tail.send(outcome.touched.into());
            }
            Err(error) if batch.len() == 1 || self.stopped.is_some() => {
                for (.., reply) in batch {
                    let _ = reply.send(Err(error.clone().into()));
                }
            }
            // Alone, everybody gets their own result.
            Err(_) => batch.into_iter().for_each(|one| self.write_all(vec![one])),
        }
    }

    fn change(&mut self, mut change: Box<dyn Change>) {
        let result = self.transaction(|writer| change.run(writer));
        change.answer(result);
    }

    /// All or nothing in each file.
    pub fn transaction<R>(&mut self, work: impl FnOnce(&mut Writer) -> Result<R, Failed>) -> Result<R, StoreError> {
        if let Some(error) = &self.stopped {
            return Err(error.clone());
        }
        let (error, file, committing) = match work(self) {
            Err(error) => (error, None, false),
            Ok(result) => match self.commit() {
                Ok(()) => return Ok(result),
                Err((error, file)) => (error, Some(file), true),
            },
        };
        let written = self.dbs.values().find(|db| db.writing).map(Db::name);
        let file = file.or(written).unwrap_or_else(|| "the files of spans".to_string());
        if let Failed::Sqlite(error) = &error
            && (is_failed_sync(error) || (committing && is_doubtful_commit(error)))
        {
            return Err(self.stop(&file, error));
        }
        self.homes.clear();
        for db in self.dbs.values_mut() {
            if let Err(error) = db.rollback() {
                return Err(self.stop(&file, &error));
            }
        }
        Err(match error {
            Failed::Sqlite(error) => store_error_in(&file, error),
            Failed::Store(error) => error,
        })
    }

    fn commit(&mut self) -> Result<(), (Failed, String)> {
        for db in self.dbs.values_mut().filter(|db| db.writing) {
            db.flush().map_err(|error| (error, db.name()))?;
        }
        for db in self.dbs.values_mut() {
            db.commit().map_err(|error| (error.into(), db.name()))?;
        }
        Ok(())
    }

    fn stop(&mut self, file: &str, error: &rusqlite::Error) -> StoreError {
        let sentence = format!(
            "the disk did not confirm a write to {file} ({error}); FlowTrace stops, because it can no longer promise that what it \
             acknowledges is kept. Check the disk, then start it again: nothing that was acknowledged is lost"
        );
        let error = StoreError::Unavailable(sentence.clone());
        self.stopped = Some(error.clone());
        (self.on_fatal)(&sentence);
        error
    }

    /// The period that new traces go to, by the clock.
    pub fn current(&mut self) -> Result<Period, StoreError> {
        let now = i64::try_from(self.clock.now().0).unwrap_or(i64::MAX).saturating_mul(1000);
        let period = Period::of(now);
        if self.partitions.current() != Some(period) {
            self.db(period)?;
            self.partitions.set_current(period);
        }
        Ok(period)
    }

    /// The open file of a period, made if it is missing.
    pub fn db(&mut self, period: Period) -> Result<&mut Db, StoreError> {
        if !self.dbs.contains_key(&period) {
            let idle = self.dbs.iter().find(|(open, db)| !db.writing && Some(**open) != self.partitions.current());
            if self.dbs.len() > OPEN_FILES
                && let Some(idle) = idle.map(|(period, _)| *period)
            {
                self.dbs.remove(&idle);
            }
            let db = Db::open(&self.partitions.dir, period)?;
            super::text::begin(&self.partitions.dir, period);
            self.partitions.add(period);
            self.feed.file(period);
            self.dbs.insert(period, db);
        }
        self.dbs.get_mut(&period).ok_or_else(|| StoreError::Invalid("a file of spans is not open".to_string()))
    }

    /// Where a trace is; `None` for one that is new.
    pub fn home(&mut self, id: TraceId, current: Period) -> Result<Option<(Period, i64)>, Failed> {
        if let Some(home) = self.homes.get(&id) {
            return Ok(Some(*home));
        }
        let db = self.db(current)?;
        if let Some(no) = super::partition::number(&db.connection, id)? {
            return Ok(Some((current, no)));
        }
        for partition in self.partitions.newest_first() {
            if partition.period == current || (partition.period != Period::PINNED && !partition.may_hold(id)?) {
                continue;
            }
            if let Some(no) = partition.spans(|connection| super::partition::number(connection, id))? {
                return Ok(Some((partition.period, no)));
            }
        }
        Ok(None)
    }

    fn write(&mut self, jobs: &mut [&mut Prepared]) -> Result<Outcome, Failed> {
        let current = self.current()?;
        let mut outcome = Outcome::default();
        let mut touched: Vec<(Period, Touched)> = Vec::new();
        let mut index: HashMap<TraceId, usize> = HashMap::new();
        let mut docs: BTreeMap<Period, Vec<(i64, String)>> = BTreeMap::new();
        for job in jobs.iter() {
            let mut blocks = JobBlocks::new(job, current);
            let mut translations: BTreeMap<Period, Translation> = BTreeMap::new();
            let mut applied = Applied::default();
            for trace in &job.traces {
                let at = match index.get(&trace.id) {
                    Some(at) => *at,
                    None => {
                        let home = self.home(trace.id, current)?;
                        let period = home.map_or(current, |(period, _)| period);
                        let db = self.db(period)?;
                        db.begin()?;
                        touched.push((period, Touched::open(db, trace.id, home.map(|(_, no)| no))?));
                        index.insert(trace.id, touched.len() - 1);
                        touched.len() - 1
                    }
                };
                let (period, touched) = &mut touched[at];
                let period = *period;
                let db = self.db(period)?;
                let translation = translations.entry(period).or_default();
                let one =
                    touched.take(db, &trace.spans, &mut |db, local| translation.symbol(db, job, local), &mut |db, span| {
                        blocks.place(db, job, span)
                    })?;
                applied.new += one.new;
                applied.updated += one.updated;
                let mut terms = Vec::with_capacity(trace.terms.len());
                for (field, local) in &trace.terms {
                    terms.push(term(*field, translation.symbol(db, job, *local)?));
                }
                touched.add_terms(terms.into_iter());
                if !trace.words.is_empty() {
                    docs.entry(period).or_default().push((touched.no, trace.words.clone()));
                }
            }
            outcome.written.push(Written { new: applied.new, updated: applied.updated + job.repeated });
        }
        for (period, mut trace) in touched {
            let db = self.db(period)?;
            let (no, id) = (trace.no, trace.id);
            docs.entry(period).or_default().extend(trace.words.drain(..).map(|words| (no, words)));
            if trace.finish(db)? {
                outcome.later.push((period, no, id));
            }
            outcome.touched.push(id);
            outcome.homes.push((id, (period, no)));
        }
        for (period, db) in self.dbs.iter_mut().filter(|(_, db)| db.writing) {
            db.flush()?;
            outcome.batches.push(Batch {
                period: *period,
                after: db.first_block,
                through: db.last_block(),
                docs: docs.remove(period).unwrap_or_default(),
            });
        }
        Ok(outcome)
    }

    /// Remembers what an earlier process did not come to.
    pub fn remember_unsummed(&mut self) -> Result<(), StoreError> {
        for partition in self.partitions.newest_first() {
            let traces: Vec<(i64, [u8; 16])> = partition.spans(|connection| {
                let mut all = connection.prepare("SELECT no, id FROM unsummed JOIN traces ON no = trace")?;
                all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
            })?;
            for (no, id) in traces {
                self.agenda.add(partition.period, no, TraceId(u128::from_be_bytes(id)));
            }
        }
        Ok(())
    }

    /// Adds up one trace, if one is due.
    pub fn add_up_one(&mut self) {
        let Some((period, no, id)) = self.agenda.take_due() else { return };
        let began = Instant::now();
        let added = self.transaction(|writer| {
            let db = writer.db(period)?;
            db.begin()?;
            Touched::whole(db, id, no)?.finish(db)?;
            Ok(())
        });
        self.agenda.rest(period, no, began.elapsed());
        if let Err(error) = added {
            tracing::warn!("the totals of trace {id} are behind: {error}");
            self.agenda.add(period, no, id);
        }
    }
}

/// Where the blocks of a call went in the current file. Spans of traces whose home is an older file go there one by one.
struct JobBlocks {
    current: Period,
    /// Numbers of the compressed blocks, written when the first span needs them.
    numbers: Vec<Option<i64>>,
    /// Where the small block begins in the block that is being filled.
    small: Option<Place>,
    spans: Vec<u64>,
    /// The last block that was decompressed for an older file.
    open: Option<(usize, Vec<u8>)>,
}

impl JobBlocks {
    fn new(job: &Prepared, current: Period) -> JobBlocks {
        let mut spans = vec![0; job.blocks.len().max(1)];
        for span in job.traces.iter().flat_map(|trace| &trace.spans) {
            spans[span.block] += 1;
        }
        JobBlocks { current, numbers: vec![None; job.blocks.len()], small: None, spans, open: None }
    }

    fn place(&mut self, db: &mut Db, job: &Prepared, span: &PreparedSpan) -> Result<Place, Failed> {
        if db.period != self.current {
            return self.copy(db, job, span);
        }
        if let Some(small) = &job.small {
            let start = match self.small {
                Some(start) => start,
                None => *self.small.insert(db.push(small, self.spans[0])?),
            };
            return Ok(Place { block: start.block, offset: start.offset + span.offset, length: span.length });
        }
        let block = match self.numbers[span.block] {
            Some(block) => block,
            None => *self.numbers[span.block].insert(db.block(&job.blocks[span.block], self.spans[span.block])?),
        };
        Ok(Place { block, offset: span.offset, length: span.length })
    }

    fn copy(&mut self, db: &mut Db, job: &Prepared, span: &PreparedSpan) -> Result<Place, Failed> {
        if let Some(small) = &job.small {
            return db.push(&small[span.offset..span.offset + span.length], 1);
        }
        if self.open.as_ref().is_none_or(|(block, _)| *block != span.block) {
            self.open = Some((span.block, block::decompress(&job.blocks[span.block], "a write")?));
        }
        let bytes = self.open.as_ref().map_or(&[][..], |(_, bytes)| bytes);
        db.push(&bytes[span.offset..span.offset + span.length], 1)
    }
}
