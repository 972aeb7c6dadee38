//! Read-only connections. A read runs on a thread of its own, so that a cold page never holds up the tasks of the engine.

use super::schema::open_reader;
use flowtrace_engine::port::store::StoreError;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// So many reads run at once; the others wait. Each connection costs about 1 MiB when its cache is full.
const CONNECTIONS: usize = 4;

#[derive(Debug)]
pub struct Readers {
    data_dir: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Readers {
    pub fn open(data_dir: &Path) -> Result<Arc<Readers>, StoreError> {
        // The first connection is opened now, so that a journal that cannot be read is found at the start.
        let first = open_reader(data_dir)?;
        Ok(Arc::new(Readers {
            data_dir: data_dir.to_path_buf(),
            idle: Mutex::new(vec![first]),
            permits: Semaphore::new(CONNECTIONS),
        }))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub async fn read<R, F>(self: &Arc<Self>, work: F) -> Result<R, StoreError>
    where
        R: Send + 'static,
        F: FnOnce(&Connection) -> Result<R, StoreError> + Send + 'static,
    {
        let _permit = self.permits.acquire().await.map_err(|_| gone())?;
        let readers = self.clone();
        tokio::task::spawn_blocking(move || readers.read_here(work)).await.map_err(|_| gone())?
    }

    /// Reads on the calling thread.
    pub fn read_here<R>(&self, work: impl FnOnce(&Connection) -> Result<R, StoreError>) -> Result<R, StoreError> {
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open_reader(&self.data_dir)?,
        };
        let result = work(&connection);
        let mut idle = self.idle();
        if idle.len() < CONNECTIONS {
            idle.push(connection);
        }
        result
    }

    pub fn close(&self) {
        self.idle().clear();
    }
}

fn gone() -> StoreError {
    StoreError::Unavailable("the process is shutting down".to_string())
}
