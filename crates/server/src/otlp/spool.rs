//! Bodies that could not be written when they came, on disk until they can. A body is acknowledged when its file is synced; a file is
//! removed when its spans are durable, so after a crash one may be read twice, which changes nothing.

use super::MAX_BODY;
use super::body;
use super::put::{Done, Failure, Ingest};
use axum::body::Body;
use flowtrace_adapters::otlp::json;
use flowtrace_engine::port::span_store::Admission;
use futures::StreamExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Bytes that may wait. When they are there, requests are refused after all.
const MAX_WAITING: u64 = 1 << 30;

pub struct Spool {
    directory: PathBuf,
    /// Of the next file; names sort by it.
    next: AtomicU64,
    waiting: AtomicU64,
    bytes: AtomicU64,
    arrived: Notify,
}

impl Spool {
    /// Takes up what an earlier process left.
    pub fn open(directory: PathBuf) -> std::io::Result<Self> {
        std::fs::create_dir_all(&directory)?;
        let (mut next, mut waiting, mut bytes) = (0, 0, 0);
        for entry in std::fs::read_dir(&directory)? {
            let entry = entry?;
            match number(&entry.path()) {
                Some(number) => {
                    next = next.max(number + 1);
                    waiting += 1;
                    bytes += entry.metadata()?.len();
                }
                // A body of which the end never came was never acknowledged.
                None if entry.path().extension().is_some_and(|extension| extension == "part") => {
                    std::fs::remove_file(entry.path())?;
                }
                None => {}
            }
        }
        Ok(Spool {
            directory,
            next: AtomicU64::new(next),
            waiting: AtomicU64::new(waiting),
            bytes: AtomicU64::new(bytes),
            arrived: Notify::new(),
        })
    }

    pub fn is_empty(&self) -> bool {
        self.waiting() == 0
    }

    /// Requests that wait.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Acquire)
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Acquire)
    }

    pub async fn keep(&self, bytes: &[u8], packed: bool) -> Result<Done, Failure> {
        self.keep_stream(Body::from(bytes.to_vec()), packed).await
    }

    /// Writes a body to disk as it comes. `Ok` means that it is synced.
    pub async fn keep_stream(&self, body: Body, packed: bool) -> Result<Done, Failure> {
        if self.bytes() >= MAX_WAITING {
            return Err(Failure::Later(Duration::from_secs(30), "more bodies wait on disk than may".to_owned()));
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let part = self.directory.join(format!("{number:020}.part"));
        let writing = tokio::time::timeout(body::BODY_TIME, self.write(&part, body)).await;
        let outcome = writing.unwrap_or_else(|_| Err(Failure::Bad(408, "the request body did not arrive in time".to_owned())));
        let kept = match outcome {
            Ok(length) => {
                let name = format!("{number:020}.{}", if packed { "json.gz" } else { "json" });
                self.name(&part, &name).await.map(|()| length).map_err(unwritable)
            }
            Err(failure) => Err(failure),
        };
        match kept {
            Ok(length) => {
                self.bytes.fetch_add(length, Ordering::AcqRel);
                self.waiting.fetch_add(1, Ordering::AcqRel);
                self.arrived.notify_one();
                Ok(Done::default())
            }
            Err(failure) => {
                let _ = tokio::fs::remove_file(&part).await;
                Err(failure)
            }
        }
    }

    async fn write(&self, part: &Path, body: Body) -> Result<u64, Failure> {
        let mut file = tokio::fs::File::create(part).await.map_err(unwritable)?;
        let mut length = 0;
        let mut stream = body.into_data_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| Failure::Bad(400, format!("the request body could not be read: {error}")))?;
            length += chunk.len();
            if length > MAX_BODY {
                return Err(Failure::TooLarge);
            }
            file.write_all(&chunk).await.map_err(unwritable)?;
        }
        file.flush().await.map_err(unwritable)?;
        file.sync_all().await.map_err(unwritable)?;
        Ok(length as u64)
    }

    /// The name is what makes the file count, so the directory is synced too.
    async fn name(&self, part: &Path, name: &str) -> std::io::Result<()> {
        tokio::fs::rename(part, self.directory.join(name)).await?;
        tokio::fs::File::open(&self.directory).await?.sync_all().await
    }

    /// Every waiting file, oldest first.
    async fn files(&self) -> std::io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        let mut entries = tokio::fs::read_dir(&self.directory).await?;
        while let Some(entry) = entries.next_entry().await? {
            if number(&entry.path()).is_some() {
                files.push(entry.path());
            }
        }
        files.sort();
        Ok(files)
    }

    async fn remove(&self, file: &Path, length: u64) -> std::io::Result<()> {
        tokio::fs::remove_file(file).await?;
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        self.bytes.fetch_sub(length, Ordering::AcqRel);
        Ok(())
    }
}

fn unwritable(error: std::io::Error) -> Failure {
    tracing::error!(%error, "a body could not be kept on disk");
    Failure::Later(Duration::from_secs(5), format!("the spans could be kept neither in the store nor on disk: {error}"))
}

/// `00000000000000000007.json` is number 7.
fn number(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    let number = name.strip_suffix(".json").or_else(|| name.strip_suffix(".json.gz"))?;
    number.parse().ok()
}

/// Puts waiting bodies into the store until the server stops.
pub async fn drain(ingest: Arc<Ingest>, shutdown: CancellationToken) {
    loop {
        let pause = match pass(&ingest, &shutdown).await {
            Ok(()) => Duration::from_secs(60),
            Err(error) => {
                tracing::warn!(%error, "bodies wait on disk");
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
            () = ingest.spool.arrived.notified() => {}
        }
    }
}

/// One time through all of them; `Err` says why it ended early.
async fn pass(ingest: &Arc<Ingest>, shutdown: &CancellationToken) -> Result<(), String> {
    for file in ingest.spool.files().await.map_err(|error| error.to_string())? {
        if shutdown.is_cancelled() {
            return Ok(());
        }
        let bytes = tokio::fs::read(&file).await.map_err(|error| format!("{}: {error}", file.display()))?;
        let length = bytes.len() as u64;
        match put(ingest, bytes, file.extension().is_some_and(|extension| extension == "gz")).await {
            Ok(_) => {}
            Err(Failure::Later(_, why)) => return Err(why),
            Err(failure) => {
                // It will never be read, and its sender is gone.
                let (_, _, why) = failure.describe();
                tracing::error!(file = %file.display(), why, "a body that was kept on disk cannot be read and is dropped");
                ingest.note(&failure);
            }
        }
        ingest.spool.remove(&file, length).await.map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}

async fn put(ingest: &Arc<Ingest>, bytes: Vec<u8>, packed: bool) -> Result<Done, Failure> {
    let fits = |length: usize| if length > MAX_BODY { Err(Failure::TooLarge) } else { Ok(()) };
    let plain = if packed { body::unpack(&bytes, fits)? } else { bytes };
    let admission: Admission = ingest.store.admit(plain.len())?;
    ingest.put(plain, admission, json::traces).await
}
