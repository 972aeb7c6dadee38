//! Moves committed pages from the write-ahead log into the database, and throws away what has expired.
//!
//! A checkpoint inside a commit holds up everybody who waits for that commit. So a second connection does the bulk of it beside
//! the writer; as the writer adds pages meanwhile, that alone would never empty the log. The writer then moves the little that
//! is left between two commits, after which SQLite starts the log again from its beginning and the file stops growing.

use super::schema::open_writer;
use super::writer::{Job, Work, Write};
use flowtrace_core::id::Timestamp;
use flowtrace_engine::port::clock::{Clock, SystemClock};
use flowtrace_engine::port::store::{IDEMPOTENCY_MICROS, StoreError};
use rusqlite::Connection;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Pages in the log, 2 KiB each, at which a checkpoint starts.
pub const CHECKPOINT_PAGES: i32 = 8192;

const HOUSEKEEPING: Duration = Duration::from_secs(3600);

/// Runs until the sender of `wanted` is gone.
pub fn spawn(data_dir: &Path, wanted: mpsc::Receiver<()>, writer: mpsc::Sender<Job>) -> Result<JoinHandle<()>, StoreError> {
    let connection = open_writer(data_dir)?;
    let run = move || {
        let mut swept = Instant::now();
        loop {
            if swept.elapsed() >= HOUSEKEEPING {
                swept = Instant::now();
                if writer.send(expire()).is_err() {
                    return;
                }
            }
            match wanted.recv_timeout(HOUSEKEEPING) {
                Ok(()) => {}
                Err(mpsc::RecvTimeoutError::Timeout) => continue,
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
            if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
                tracing::warn!("the log could not be moved into journal.db: {error}");
            }
            if writer.send(Job { work: Work::Checkpoint, bytes: 0, _permit: None }).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new()
        .name("journal-checkpoint".to_string())
        .spawn(run)
        .map_err(|error| StoreError::Unavailable(format!("no thread for the checkpoints: {error}")))
}

/// The job that throws away what has expired by the machine's clock.
pub fn expire() -> Job {
    let expired = Expired { now: SystemClock.now() };
    Job { work: Work::Other(Box::new(expired)), bytes: 0, _permit: None }
}

/// Removes idempotency keys and cached answers that no longer count, a bounded number at a time so that no commit waits long.
struct Expired {
    now: Timestamp,
}

impl Write for Expired {
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let old = super::rows::int(self.now.0.saturating_sub(IDEMPOTENCY_MICROS));
        let keys = "DELETE FROM idempotency_keys WHERE key IN \
                    (SELECT key FROM idempotency_keys WHERE created_at <= ?1 ORDER BY created_at LIMIT 5000)";
        connection.execute(keys, [old])?;
        let answers = "DELETE FROM cache WHERE rowid IN \
                       (SELECT rowid FROM cache WHERE expires_at <= ?1 ORDER BY expires_at LIMIT 5000)";
        connection.execute(answers, [super::rows::int(self.now.0)])?;
        Ok(())
    }

    fn answer(self: Box<Self>, result: Result<(), StoreError>) {
        if let Err(error) = result {
            tracing::warn!("expired entries could not be removed: {error}");
        }
    }
}
