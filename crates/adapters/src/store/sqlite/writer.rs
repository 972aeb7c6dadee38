//! The one thread that writes. It takes everything that waits, writes it in one transaction with one sync (group commit), then
//! publishes and answers.

use super::apply;
use super::error::{is_doubtful_commit, is_failed_sync, store_error};
use super::heads::{Head, Heads};
use super::log_room::LogRoom;
use super::prepare::Prepared;
use super::times::Times;
use super::watchers::Watchers;
use flowtrace_core::id::{RunId, StreamId};
use flowtrace_engine::port::store::{AppendError, StoreError};
use rusqlite::{Connection, ErrorCode};
use std::sync::{Arc, mpsc};
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// One transaction takes at most so many jobs and about so many bytes; more would only make everybody wait longer.
const BATCH_JOBS: usize = 1024;
const BATCH_BYTES: usize = 4 << 20;

/// Called with a sentence when the journal can no longer be trusted to keep what it acknowledges. It should end the process: the
/// next start reads what really is on the disk.
pub type OnFatal = Arc<dyn Fn(&str) + Send + Sync>;

pub struct Job {
    pub work: Work,
    pub bytes: usize,
    /// Room in the queue, given back when the job is answered. The store's own jobs need none.
    pub _permit: Option<OwnedSemaphorePermit>,
}

pub enum Work {
    Append {
        appends: Vec<Prepared>,
        queued: Instant,
        reply: oneshot::Sender<Answer>,
    },
    Other(Box<dyn Write>),
    /// Moves what is left in the log into the database; see `checkpoint.rs`.
    Checkpoint,
    /// The last job.
    Stop,
}

/// The appends go back with the answer, so that it is the caller who spends the time of freeing them (a tenth of the writer's).
pub type Answer = (Result<(), AppendError>, Vec<Prepared>);

/// Any other change. `run` may be called again after a rollback.
pub trait Write: Send {
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()>;
    fn answer(self: Box<Self>, result: Result<(), StoreError>);
}

pub struct Writer {
    pub connection: Connection,
    pub heads: Heads,
    pub watchers: Arc<Watchers>,
    pub times: Times,
    /// Without it, the log grows with each commit.
    pub log_room: Option<LogRoom>,
    pub on_fatal: OnFatal,
    /// Why nothing is written any more.
    pub stopped: Option<StoreError>,
}

/// A job with what became of it; told to the caller only after the commit.
struct Pending {
    job: Job,
    refused: Option<AppendError>,
}

enum Failed {
    /// Rolled back, because of somebody's work; the others' may succeed without it.
    Somebody(StoreError),
    /// Rolled back, for a reason that has nothing to do with the work.
    Everybody(StoreError),
    /// The journal is not written any more.
    Stopped(StoreError),
}

impl Writer {
    /// Returns when everything that was queued before the stop is written.
    pub fn run(mut self, queue: mpsc::Receiver<Job>) {
        let mut batch = Vec::new();
        let mut stop = false;
        while !stop && let Ok(first) = queue.recv() {
            let mut bytes = 0;
            let mut next = Some(first);
            while let Some(job) = next {
                bytes += job.bytes;
                stop = matches!(job.work, Work::Stop);
                batch.push(Pending { job, refused: None });
                let room = !stop && batch.len() < BATCH_JOBS && bytes < BATCH_BYTES;
                next = if room { queue.try_recv().ok() } else { None };
            }
            self.commit(&mut batch);
        }
    }

    fn commit(&mut self, batch: &mut Vec<Pending>) {
        let checkpoint = batch.iter().any(|pending| matches!(pending.job.work, Work::Checkpoint));
        match self.transact(batch) {
            Ok(()) => self.publish_and_answer(batch),
            Err(Failed::Somebody(error)) if batch.len() == 1 => answer_all(batch, &error),
            // Something does not fit on a full disk, or cannot be. Alone, everybody gets their own result.
            Err(Failed::Somebody(_)) => {
                for pending in std::mem::take(batch) {
                    self.commit(&mut vec![pending]);
                }
            }
            Err(Failed::Everybody(error) | Failed::Stopped(error)) => answer_all(batch, &error),
        }
        if checkpoint && self.stopped.is_none() {
            self.checkpoint();
        }
        if let Some(room) = &mut self.log_room
            && let Err(error) = room.keep()
        {
            tracing::debug!("no space could be made for the log of journal.db beforehand: {error}");
        }
    }

    fn transact(&mut self, batch: &mut [Pending]) -> Result<(), Failed> {
        if let Some(error) = &self.stopped {
            return Err(Failed::Stopped(error.clone()));
        }
        let began = Instant::now();
        let written = self.write(batch);
        let committed = match written {
            Ok(()) => self.execute("COMMIT").map_err(|error| (is_doubtful_commit(&error), error)),
            Err(error) => Err((false, error)),
        };
        let Err((doubtful, error)) = committed else {
            self.times.commit.observe(began.elapsed().as_secs_f64());
            self.heads.keep();
            return Ok(());
        };
        self.heads.undo();
        if doubtful || is_failed_sync(&error) {
            return Err(Failed::Stopped(self.stop(&error)));
        }
        // After some errors SQLite has rolled back by itself.
        if !self.connection.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            return Err(Failed::Stopped(self.stop(&error)));
        }
        match error.sqlite_error_code() {
            // We have waited for the lock already; each one waiting again would take minutes.
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => return Err(Failed::Everybody(store_error(error))),
            // Only another program that wrote to the file can make the known heads wrong.
            Some(ErrorCode::ConstraintViolation) => self.heads.forget(),
            _ => {}
        }
        Err(Failed::Somebody(store_error(error)))
    }

    fn write(&mut self, batch: &mut [Pending]) -> rusqlite::Result<()> {
        self.execute("BEGIN IMMEDIATE")?;
        for pending in batch {
            match &mut pending.job.work {
                Work::Append { appends, .. } => {
                    pending.refused = self.check(appends)?;
                    if pending.refused.is_none() {
                        self.append(appends)?;
                    }
                }
                Work::Other(work) => work.run(&self.connection)?,
                Work::Checkpoint | Work::Stop => {}
            }
        }
        Ok(())
    }

    /// Everything that can refuse an append, before anything of it is written: so a conflict fails one append, not the batch.
    fn check(&mut self, appends: &[Prepared]) -> rusqlite::Result<Option<AppendError>> {
        // Within one call, later appends follow the earlier ones. There are few, so a list is enough.
        let mut heads: Vec<(StreamId, u64)> = Vec::new();
        let mut keys: Vec<(&str, RunId, &str)> = Vec::new();
        for append in appends {
            if let Some(idempotency) = &append.idempotency {
                let same_call = keys.iter().find(|(key, ..)| *key == idempotency.key).map(|(_, run, fp)| (*run, fp.to_string()));
                let used = match same_call {
                    Some(used) => Some(used),
                    None => apply::used_key(&self.connection, &idempotency.key, append.ts)?,
                };
                if let Some((run, fingerprint)) = used {
                    return Ok(Some(AppendError::Duplicate { run, fingerprint }));
                }
                keys.push((&idempotency.key, append.stream, &idempotency.fingerprint));
            }
            let known = heads.iter().rev().find(|(stream, _)| *stream == append.stream);
            let actual = match known {
                Some((_, head)) => *head,
                None => self.heads.get(&self.connection, append)?.seq,
            };
            if actual != append.expected {
                return Ok(Some(AppendError::Conflict { actual }));
            }
            heads.push((append.stream, append.head));
        }
        Ok(None)
    }

    fn append(&mut self, appends: &[Prepared]) -> rusqlite::Result<()> {
        for append in appends {
            let before = self.heads.get(&self.connection, append)?;
            let shape = append.shape;
            let stream = match before.stream {
                Some(stream) => stream,
                None => apply::new_stream(&self.connection, &append.key)?,
            };
            apply::write(&self.connection, append, stream, shape.is_some() && shape == before.shape)?;
            self.heads.set(append.stream, Head { stream: Some(stream), seq: append.head, shape: shape.or(before.shape) });
        }
        Ok(())
    }

    fn publish_and_answer(&mut self, batch: &mut Vec<Pending>) {
        let appended = batch.iter().filter(|pending| pending.refused.is_none()).flat_map(|pending| match &pending.job.work {
            Work::Append { appends, .. } => appends.as_slice(),
            _ => &[],
        });
        self.watchers.publish(appended.clone().map(|append| (append.stream, append.head)));
        for append in appended {
            if append.run.as_ref().is_some_and(|run| run.finished_at.is_some()) {
                self.heads.evict(append.stream);
            }
        }
        for pending in batch.drain(..) {
            match pending.job.work {
                // A caller that went away does not need the answer.
                Work::Append { appends, queued, reply } => {
                    self.times.append.observe(queued.elapsed().as_secs_f64());
                    drop(reply.send((pending.refused.map_or(Ok(()), Err), appends)));
                }
                Work::Other(work) => work.answer(Ok(())),
                Work::Checkpoint | Work::Stop => {}
            }
        }
    }

    fn checkpoint(&mut self) {
        // A checkpoint that fails leaves everything in the log, which is just as durable; the next one tries again.
        if let Err(error) = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            tracing::warn!("the log could not be moved into journal.db: {error}");
        }
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(|_| ())
    }

    fn stop(&mut self, error: &rusqlite::Error) -> StoreError {
        let sentence = format!(
            "the disk did not confirm a write to journal.db ({error}); FlowTrace stops, because it can no longer promise that what \
             it acknowledges is kept. Check the disk, then start it again: nothing that was acknowledged is lost"
        );
        let error = StoreError::Unavailable(sentence.clone());
        self.stopped = Some(error.clone());
        (self.on_fatal)(&sentence);
        error
    }
}

fn answer_all(batch: &mut Vec<Pending>, error: &StoreError) {
    for pending in batch.drain(..) {
        match pending.job.work {
            Work::Append { appends, reply, .. } => drop(reply.send((Err(AppendError::Store(error.clone())), appends))),
            Work::Other(work) => work.answer(Err(error.clone())),
            Work::Checkpoint | Work::Stop => {}
        }
    }
}
