//! The store in SQLite: `journal.db` in the data directory, and the files of large blobs beside it. What each file holds, what
//! a crash leaves and how to back it up is told in `docs/storage.md`.
//!
//! The files of spans and of their words stand beside `journal.db`, each with a writer of its own (`crate::spans`): their heavy
//! traffic must not wait in the same log as the engine's commits.

mod apply;
mod blobs;
mod checkpoint;
mod credentials;
pub(crate) mod data_dir;
pub(crate) mod error;
mod heads;
mod journal;
mod log_room;
mod prepare;
mod readers;
mod records;
mod rows;
mod schema;
mod times;
mod watchers;
mod workflows;
mod writer;

#[cfg(test)]
mod tests;

pub use blobs::IN_DATABASE;
pub use data_dir::DataDir;
pub use schema::{journal_path, migrate};
pub use times::Times;
pub use writer::OnFatal;

use blobs::BlobFiles;
use flowtrace_engine::port::store::StoreError;
use log_room::LogRoom;
use readers::Readers;
use rusqlite::Connection;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use watchers::Watchers;
use writer::{Job, Work, Write, Writer};

/// What may wait for the writer, in KiB; every job takes at least one. More callers wait for room: the queue is bounded in
/// number and in bytes.
const QUEUE_KIB: usize = 64 * 1024;

/// Exit status after a failed sync: an internal fault, as in `sysexits.h`.
const EXIT_FATAL: i32 = 70;

/// What to do when the disk fails to confirm a commit: say so and end the process.
pub fn end_process() -> OnFatal {
    Arc::new(|sentence: &str| {
        if tracing::enabled!(tracing::Level::ERROR) {
            tracing::error!("{sentence}");
        } else {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "flowtrace: {sentence}");
        }
        std::process::exit(EXIT_FATAL);
    })
}

/// Hold the directory's [`DataDir::lock`] while one of these is open: two writing processes would not damage the file, but each
/// would run the other's runs.
pub struct SqliteStore {
    queue: mpsc::Sender<Job>,
    room: Arc<Semaphore>,
    readers: Arc<Readers>,
    watchers: Arc<Watchers>,
    blobs: BlobFiles,
    times: Times,
    writing: Option<JoinHandle<()>>,
    checkpointing: Option<JoinHandle<()>>,
    /// While this is there, the checkpointer runs.
    want_checkpoint: Option<mpsc::SyncSender<()>>,
}

impl SqliteStore {
    /// Opens or creates the store and applies pending migrations. The process ends when the disk fails to confirm a commit.
    pub fn open(data_dir: &Path) -> Result<SqliteStore, StoreError> {
        Self::open_with(data_dir, end_process())
    }

    /// As [`SqliteStore::open`], with another reaction to a disk that fails to confirm a commit. When the hook returns, the
    /// store refuses all further writes.
    pub fn open_with(data_dir: &Path, on_fatal: OnFatal) -> Result<SqliteStore, StoreError> {
        Self::open_tuned(data_dir, on_fatal, |_| Ok(()))
    }

    /// `tune` gets the writer's connection before the first write.
    fn open_tuned(
        data_dir: &Path,
        on_fatal: OnFatal,
        tune: impl FnOnce(&mut Connection) -> rusqlite::Result<()>,
    ) -> Result<SqliteStore, StoreError> {
        let mut connection = schema::open_writer(data_dir)?;
        schema::apply_migrations(&mut connection, data_dir)?;
        let blobs = BlobFiles::open(data_dir)?;
        let readers = Readers::open(data_dir)?;
        let watchers = Arc::new(Watchers::default());
        let (queue, jobs) = mpsc::channel();

        // At most one request waits; while a checkpoint runs, more requests say nothing new.
        let (want_checkpoint, wanted) = mpsc::sync_channel(1);
        let want = want_checkpoint.clone();
        let frames = Arc::new(AtomicU64::new(0));
        let last = frames.clone();
        let hook = move |_: &mut rusqlite::hooks::Wal, pages| {
            last.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            if pages >= checkpoint::CHECKPOINT_PAGES {
                let _ = want.try_send(());
            }
            Ok(())
        };
        connection.wal_hook(Some(hook)).map_err(error::store_error)?;
        tune(&mut connection).map_err(error::store_error)?;

        let times = Times::default();
        let writer = Writer {
            connection,
            heads: Default::default(),
            watchers: watchers.clone(),
            times: times.clone(),
            log_room: LogRoom::open(data_dir, frames).ok(),
            on_fatal,
            stopped: None,
        };
        let writing = std::thread::Builder::new()
            .name("journal-writer".to_string())
            .spawn(move || {
                let on_fatal = writer.on_fatal.clone();
                // Without its writer the process would go on and never get an answer again.
                if std::panic::catch_unwind(AssertUnwindSafe(|| writer.run(jobs))).is_err() {
                    on_fatal(
                        "the writer of the journal failed by a fault of FlowTrace; what was acknowledged is kept. Start it again",
                    );
                }
            })
            .map_err(|error| StoreError::Unavailable(format!("no thread for the writer of the journal: {error}")))?;
        let mut store = SqliteStore {
            queue: queue.clone(),
            room: Arc::new(Semaphore::new(QUEUE_KIB)),
            readers,
            watchers,
            blobs,
            times,
            writing: Some(writing),
            checkpointing: None,
            want_checkpoint: Some(want_checkpoint),
        };
        // First in the queue, so that nothing that is appended from now on is judged by it.
        store.queue.send(checkpoint::expire()).map_err(|_| stopped())?;
        store.checkpointing = Some(checkpoint::spawn(data_dir, wanted, queue)?);
        Ok(store)
    }

    pub fn times(&self) -> &Times {
        &self.times
    }

    async fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, StoreError> {
        // Something larger than the whole queue takes all of it and so travels alone.
        let kib = bytes.div_ceil(1024).clamp(1, QUEUE_KIB) as u32;
        self.room.clone().acquire_many_owned(kib).await.map_err(|_| stopped())
    }

    fn send(&self, work: Work, bytes: usize, permit: OwnedSemaphorePermit) -> Result<(), StoreError> {
        self.queue.send(Job { work, bytes, _permit: Some(permit) }).map_err(|_| stopped())
    }

    /// Carries out a change in the writer's next transaction. `work` must check before it writes: a result that it returns is
    /// committed, whatever it says.
    async fn write<R, F>(&self, bytes: usize, work: F) -> Result<R, StoreError>
    where
        R: Send + 'static,
        F: FnMut(&Connection) -> rusqlite::Result<R> + Send + 'static,
    {
        let permit = self.room(bytes).await?;
        let (reply, answer) = oneshot::channel();
        self.send(Work::Other(Box::new(Change { work, result: None, reply })), bytes, permit)?;
        answer.await.map_err(|_| stopped())?
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.readers.close();
        let _ = self.queue.send(Job { work: Work::Stop, bytes: 0, _permit: None });
        // One after the other: the last connection that closes moves the log into the database, and two that close at the same
        // time would each leave it to the other. A panic was reported when it happened.
        let _ = self.writing.take().map(JoinHandle::join);
        self.want_checkpoint = None;
        let _ = self.checkpointing.take().map(JoinHandle::join);
    }
}

struct Change<R, F> {
    work: F,
    result: Option<R>,
    reply: oneshot::Sender<Result<R, StoreError>>,
}

impl<R: Send, F: FnMut(&Connection) -> rusqlite::Result<R> + Send> Write for Change<R, F> {
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.result = Some((self.work)(connection)?);
        Ok(())
    }

    fn answer(self: Box<Self>, result: Result<(), StoreError>) {
        let Change { result: written, reply, .. } = *self;
        // A caller that went away does not need the answer.
        let _ = reply.send(result.and_then(|()| written.ok_or_else(stopped)));
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the journal's writer has stopped".to_string())
}
