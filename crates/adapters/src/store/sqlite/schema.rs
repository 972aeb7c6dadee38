//! Opening `journal.db` and bringing its tables up to date.

use super::data_dir::{self, DataDir};
use super::error::store_error;
use flowtrace_engine::port::store::StoreError;
use refinery::{Migration, Runner};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// In the order of their versions. A migration that was released is never edited: its checksum stands in every data directory.
const MIGRATIONS: &[(&str, &str)] = &[
    ("V1__journal", include_str!("migrations/V1__journal.sql")),
    ("V2__approvals", include_str!("migrations/V2__approvals.sql")),
    ("V3__credentials", include_str!("migrations/V3__credentials.sql")),
];

/// Pages of 2 KiB: measured against 4, 8 and 16 KiB, see `docs/storage.md`. A file that was made with others keeps them.
pub(super) const PAGE_SIZE: u32 = 2048;

/// A page cache of this many KiB for the writer holds the dirty pages of the largest batch, so that nothing is spilled.
const WRITER_CACHE_KIB: i64 = 8 * 1024;
/// Bytes that the log keeps on the disk between its rounds.
const LOG_KEPT: i64 = 64 << 20;

const READER_CACHE_KIB: i64 = 1024;

pub fn journal_path(data_dir: &Path) -> PathBuf {
    data_dir.join("journal.db")
}

/// Brings the data directory up to date and says which migrations were applied, for instance `V1__journal`; nothing if it was
/// up to date. Takes the directory's lock: a running server has migrated already when it started.
pub fn migrate(data_dir: &Path) -> Result<Vec<String>, StoreError> {
    let locked = DataDir::lock(data_dir)?;
    let mut connection = open_writer(locked.path())?;
    apply_migrations(&mut connection, locked.path())
}

/// The one connection that writes. The tables may still be missing or old.
pub(super) fn open_writer(data_dir: &Path) -> Result<Connection, StoreError> {
    data_dir::create(data_dir)?;
    let path = journal_path(data_dir);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<(Connection, String)> {
        let connection = Connection::open_with_flags(&path, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "page_size", PAGE_SIZE)?;
        let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        // A log that a burst made longer is cut back to this when it starts anew; below that, its blocks are used again, and
        // overwriting is quicker to sync than growing.
        connection.pragma_update(None, "journal_size_limit", LOG_KEPT)?;
        keep_plans(&connection)?;
        // The checkpointer decides when; see `checkpoint.rs`.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok((connection, mode))
    };
    let (connection, mode) = open().map_err(|error| opening(&path, error))?;
    if connection.is_readonly("main").unwrap_or(false) {
        return Err(StoreError::ReadOnly(format!("{} may only be read by this user", path.display())));
    }
    if mode != "wal" {
        return Err(StoreError::Unavailable(format!(
            "{} cannot use a write-ahead log (SQLite answered `{mode}`); the data directory must be on a local disk",
            path.display()
        )));
    }
    // WAL keeps what is committed, but only if the file itself is still in its directory after a power cut.
    data_dir::sync_dir(data_dir)?;
    Ok(connection)
}

pub(super) fn open_reader(data_dir: &Path) -> Result<Connection, StoreError> {
    let path = journal_path(data_dir);
    let open = || -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        keep_plans(&connection)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    open().map_err(|error| opening(&path, error))
}

/// Without this, SQLite prepares a statement again for each new value of a parameter that it compared with the condition of a
/// partial index. That took longer than the queries themselves. <https://sqlite.org/queryplanner-ng.html#qpstab>
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(|_| ())
}

pub(super) fn apply_migrations(connection: &mut Connection, data_dir: &Path) -> Result<Vec<String>, StoreError> {
    let path = journal_path(data_dir);
    check_version(connection, &path)?;
    let migrations = MIGRATIONS
        .iter()
        .map(|(name, sql)| Migration::unapplied(name, sql))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| StoreError::Invalid(format!("a migration of this build is misnamed: {error}")))?;
    let report = Runner::new(&migrations).run(connection).map_err(|error| {
        let sqlite = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<rusqlite::Error>());
        match sqlite.and_then(|sqlite| sqlite.sqlite_error()) {
            Some(code) => opening(&path, rusqlite::Error::SqliteFailure(*code, Some(error.to_string()))),
            None => StoreError::Corrupt(format!("{} could not be migrated: {error}", path.display())),
        }
    })?;
    Ok(report.applied_migrations().iter().map(|migration| migration.to_string()).collect())
}

/// Refuses files of another program and of a newer FlowTrace before anything is changed.
pub(super) fn check_version(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let tables = |name: &str| -> rusqlite::Result<i64> {
        let named = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND (?1 = '' OR name = ?1)";
        connection.query_row(named, [name], |row| row.get(0))
    };
    let found = || -> rusqlite::Result<Option<i64>> {
        if tables("refinery_schema_history")? == 0 {
            return Ok(if tables("")? == 0 { Some(0) } else { None });
        }
        connection.query_row("SELECT coalesce(max(version), 0) FROM refinery_schema_history", [], |row| row.get(0)).map(Some)
    };
    let known = MIGRATIONS.len() as i64;
    match found().map_err(|error| opening(path, error))? {
        None => Err(StoreError::Corrupt(format!("{} belongs to another program: it has no FlowTrace tables", path.display()))),
        Some(version) if version > known => Err(StoreError::Unavailable(format!(
            "{} was written by a newer FlowTrace (schema {version}, this build knows {known}); use that version, or another \
             data directory",
            path.display()
        ))),
        Some(_) => Ok(()),
    }
}

/// Names the file, which SQLite does not do by itself.
fn opening(path: &Path, error: rusqlite::Error) -> StoreError {
    let text = format!("{}: {error}", path.display());
    match error.sqlite_error_code() {
        // SQLite does not say why; trying again without it does.
        Some(ErrorCode::CannotOpen) => match std::fs::OpenOptions::new().read(true).append(true).create(true).open(path) {
            Err(error) => data_dir::unusable(path, &error),
            Ok(_) => StoreError::Unavailable(text),
        },
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreError::ReadOnly(text),
        Some(ErrorCode::DiskFull) => StoreError::Full(text),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt(format!("{text}; restore it from a backup, or move it away to start with an empty journal"))
        }
        _ => store_error(error),
    }
}
