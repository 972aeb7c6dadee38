//! Values outside the journal: compressed, in the database while they are small, as files when they are large.

use super::data_dir::{create, sync_dir, unusable};
use super::error::store_error;
use flowtrace_core::payload::{Blob, sha256_hex};
use flowtrace_engine::port::store::StoreError;
use rusqlite::{Connection, OptionalExtension};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Blobs up to this many bytes of JSON go through the group commit; larger ones would hold up everybody's commit.
pub const IN_DATABASE: usize = 256 * 1024;

/// What a damaged length must not make us allocate.
const MAX_BLOB: u64 = 1 << 30;

const ZSTD_LEVEL: i32 = 3;

#[derive(Debug)]
pub struct PreparedBlob {
    pub hash: Arc<str>,
    pub bytes: usize,
    /// `None` for a blob that is a file.
    pub data: Option<Vec<u8>>,
}

#[derive(Clone, Debug)]
pub struct BlobFiles {
    root: PathBuf,
}

impl BlobFiles {
    /// Also removes what a crash left half written.
    pub fn open(data_dir: &Path) -> Result<BlobFiles, StoreError> {
        let root = data_dir.join("blobs");
        create(&root)?;
        let entries = fs::read_dir(&root).map_err(|error| unusable(&root, &error))?;
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with("new-") {
                // Only space is lost if it stays.
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(BlobFiles { root })
    }

    /// Compresses a blob. A large one is on the disk when this returns, before the transaction that refers to it; a crash in
    /// between leaves a file that nothing refers to.
    pub fn prepare(&self, blob: &Blob) -> Result<PreparedBlob, StoreError> {
        let path = self.path(&blob.hash)?;
        let bytes = blob.json.len();
        if bytes as u64 > MAX_BLOB {
            return Err(StoreError::Invalid(format!(
                "a value of {bytes} bytes is longer than the {MAX_BLOB} bytes that are kept"
            )));
        }
        let data = zstd::bulk::compress(&blob.json, ZSTD_LEVEL)
            .map_err(|error| StoreError::Unavailable(format!("blob {} could not be compressed: {error}", blob.hash)))?;
        if bytes <= IN_DATABASE {
            return Ok(PreparedBlob { hash: blob.hash.clone(), bytes, data: Some(data) });
        }
        self.write(&path, &data)?;
        Ok(PreparedBlob { hash: blob.hash.clone(), bytes, data: None })
    }

    fn write(&self, path: &Path, data: &[u8]) -> Result<(), StoreError> {
        let directory = path.parent().unwrap_or(&self.root);
        create(directory)?;
        let temporary = self.root.join(format!("new-{}", uuid::Uuid::new_v4()));
        let write = || -> std::io::Result<()> {
            let mut file = File::create_new(&temporary)?;
            file.write_all(data)?;
            file.sync_all()?;
            // The name appears only when the content is complete, so a file that is there is whole.
            fs::rename(&temporary, path)
        };
        if let Err(error) = write() {
            let _ = fs::remove_file(&temporary);
            return Err(unusable(path, &error));
        }
        sync_dir(directory)
    }

    pub fn read(&self, connection: &Connection, hash: &str) -> Result<Option<Arc<[u8]>>, StoreError> {
        let mut query = connection.prepare_cached("SELECT bytes, data FROM blobs WHERE hash = ?1").map_err(store_error)?;
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, u64>(0)?, row.get::<_, Option<Vec<u8>>>(1)?));
        let Some((bytes, data)) = query.query_row([hash], row).optional().map_err(store_error)? else { return Ok(None) };
        let damaged = |what: &str| StoreError::Corrupt(format!("blob {hash}: {what}"));
        let data = match data {
            Some(data) => data,
            None => {
                let path = self.path(hash)?;
                match fs::read(&path) {
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                        return Err(damaged(&format!("its file {} is missing", path.display())));
                    }
                    data => data.map_err(|error| unusable(&path, &error))?,
                }
            }
        };
        if bytes > MAX_BLOB {
            return Err(damaged("its length is out of range"));
        }
        let json = zstd::bulk::decompress(&data, bytes as usize).map_err(|error| damaged(&error.to_string()))?;
        if json.len() as u64 != bytes || sha256_hex(&json) != hash {
            return Err(damaged("its content is not what was stored"));
        }
        Ok(Some(json.into()))
    }

    /// Only a hash makes a file name: hashes also come from requests.
    fn path(&self, hash: &str) -> Result<PathBuf, StoreError> {
        if !is_hash(hash) {
            return Err(StoreError::Invalid(format!("`{hash}` is not the SHA-256 of a blob")));
        }
        Ok(self.root.join(&hash[..2]).join(format!("{hash}.zst")))
    }
}

pub fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
