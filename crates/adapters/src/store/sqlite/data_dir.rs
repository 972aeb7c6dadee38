//! The data directory and its lock: one server per directory.

use flowtrace_engine::port::store::StoreError;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Holds the data directory for this process until it is dropped. The operating system lets go of the lock when the process
/// ends in any way, so a crash leaves nothing to clean up.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Creates the directory if it is missing and takes its lock. The pid in the lock file is a hint for messages; what counts
    /// is the lock itself.
    pub fn lock(path: &Path) -> Result<DataDir, StoreError> {
        create(path)?;
        let file = path.join("lock");
        let refused = |error: std::io::Error| unusable(&file, &error);
        let mut lock = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&file).map_err(refused)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let known = lock.read_to_string(&mut pid).is_ok() && pid.trim().parse::<u32>().is_ok();
                let holder = if known { format!("process {}", pid.trim()) } else { "another process".to_string() };
                return Err(StoreError::Unavailable(format!(
                    "{holder} uses the data directory {}; stop it, or choose another directory",
                    path.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(refused(error)),
        }
        lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id())).map_err(refused)?;
        Ok(DataDir { path: path.to_path_buf(), _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Creates a directory whose entry survives a crash. Nobody but the owner may look inside: traces hold what users typed.
pub(crate) fn create(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| unusable(path, &error))?;
    // An empty parent is the current directory.
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sync_dir(parent)
}

/// Makes created and renamed entries of a directory durable.
pub(crate) fn sync_dir(path: &Path) -> Result<(), StoreError> {
    // Windows has no handle to sync a directory with; NTFS journals its entries.
    if cfg!(unix) {
        File::open(path).and_then(|dir| dir.sync_all()).map_err(|error| unusable(path, &error))?;
    }
    Ok(())
}

pub(crate) fn unusable(path: &Path, error: &std::io::Error) -> StoreError {
    let what = format!("{}: {error}", path.display());
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full(what),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly(what),
        _ => StoreError::Unavailable(what),
    }
}
