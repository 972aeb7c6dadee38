//! Space for the write-ahead log before it is needed.
//!
//! A commit that lets the log grow changes the file's size, and syncing that waits for the log of the file system, in which the
//! syncs of all files meet: those of the span files, which write a thousand times as much, too. A commit that overwrites what the
//! file has already waits for its own bytes only. So the log is filled with zeros some way ahead, between two commits. SQLite reads a
//! log up to the first frame whose salt and checksum do not fit, and zeros never do. <https://sqlite.org/fileformat2.html#walformat>

use super::schema::{PAGE_SIZE, journal_path};
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Shorter logs are left to grow: each byte of the space is written twice, and a server that does little gains nothing from it.
const SHORT: u64 = 2 << 20;

/// Bytes that are added at a time: more would hold up the commits behind it.
const ADDED: u64 = 1 << 20;

/// With less than this behind the last frame, more is added. A larger batch makes the file longer by itself.
const LOW: u64 = ADDED / 2;

/// Zeros are written a page of memory at a time. In one go, the kernel would keep them in larger pages, and count one of those as written
/// whenever a commit changes a part of it.
const ZEROS: [u8; 4096] = [0; 4096];

const FRAME: u64 = 24 + PAGE_SIZE as u64;

pub struct LogRoom {
    file: File,
    /// Of the file when it was last looked at. SQLite may have made it longer meanwhile, and shorter when it started anew.
    length: u64,
    /// Where about the last commit had ended.
    end: u64,
    frames: Arc<AtomicU64>,
}

impl LogRoom {
    /// The log must be there: SQLite makes it with the first write. `frames` is how many the last commit left in it.
    pub fn open(data_dir: &Path, frames: Arc<AtomicU64>) -> io::Result<LogRoom> {
        let mut path = journal_path(data_dir).into_os_string();
        path.push("-wal");
        let file = OpenOptions::new().write(true).open(path)?;
        Ok(LogRoom { file, length: 0, end: 0, frames })
    }

    /// Called by the thread that writes, between two commits. When it fails, the log grows with each commit as it would anyway.
    pub fn keep(&mut self) -> io::Result<()> {
        let before = std::mem::replace(&mut self.end, self.frames.load(Ordering::Relaxed) * FRAME);
        if self.end < SHORT || (self.length >= self.end + LOW && self.end >= before) {
            return Ok(());
        }
        // Only ever behind what is there, whatever the length was thought to be.
        self.length = self.file.seek(SeekFrom::End(0))?;
        if self.length < self.end + LOW {
            for _ in 0..ADDED / ZEROS.len() as u64 {
                self.file.write_all(&ZEROS)?;
            }
            self.length += ADDED;
            self.file.sync_data()?;
        }
        Ok(())
    }
}
