//! SQLite's errors as the sentences of the port.

use flowtrace_engine::port::store::StoreError;
use rusqlite::{Error, ErrorCode, ffi};

pub fn store_error(error: Error) -> StoreError {
    store_error_in("journal.db", error)
}

/// `file` is the name of the database, for the sentence.
pub fn store_error_in(file: &str, error: Error) -> StoreError {
    let text = error.to_string();
    // The index of the log could not grow, for which a full disk is the reason; SQLite calls it an I/O error.
    if error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_SHMSIZE) {
        return StoreError::Full(text);
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full(text),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreError::ReadOnly(text),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt(format!("{file}: {text}")),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Unavailable(format!("another program keeps {file} locked; close it, then try again ({text})"))
        }
        Some(_) => StoreError::Unavailable(text),
        None => match error {
            // A value in a row that is not what this build wrote.
            Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..) => StoreError::Corrupt(format!("{file}: {text}")),
            _ => StoreError::Unavailable(text),
        },
    }
}

/// Whether a sync to the disk failed. After that nobody knows what the disk holds: a second sync may report success without
/// having written anything (<https://www.postgresql.org/docs/current/wal-reliability.html>).
pub fn is_failed_sync(error: &Error) -> bool {
    matches!(error.sqlite_error().map(|error| error.extended_code), Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC))
}

/// Whether a failed commit leaves it open what the disk holds. A full disk and a lock are refused before anything is written
/// that counts.
pub fn is_doubtful_commit(error: &Error) -> bool {
    !matches!(error.sqlite_error_code(), Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::ReadOnly))
}
