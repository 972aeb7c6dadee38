//! The files: `spans-YYYYMMDD.db`, one for the spans that arrived in a week, and `text-YYYYMMDD.db` beside it.

use crate::store::sqlite::error::store_error_in;
use flowtrace_engine::port::store::StoreError;
use jiff::civil::Date;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Format of the files; a newer one is refused. 2: `words` has one document a trace, and there is `unsummed`.
const FORMAT: i64 = 2;

const DAY: i64 = 86_400_000_000_000;
const WEEK: i64 = 7;

/// A week, by the number of its first day (a Monday) since the Unix epoch. The first of all is the file of pinned traces whose
/// own file was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(i64);

impl Period {
    pub const PINNED: Period = Period(i64::MIN);

    /// The week of a moment in nanoseconds since the Unix epoch, which was a Thursday.
    pub fn of(now: i64) -> Period {
        let day = now.div_euclid(DAY);
        Period((day + 3).div_euclid(WEEK) * WEEK - 3)
    }

    /// Its first moment.
    pub fn start(self) -> i64 {
        self.0.saturating_mul(DAY)
    }

    /// Whether everything in it arrived more than `age` nanoseconds before `now`. Pinned traces are never too old.
    pub fn is_past(self, now: i64, age: i64) -> bool {
        self != Period::PINNED && self.end().saturating_add(age) <= now
    }

    /// The first moment after it.
    pub fn end(self) -> i64 {
        self.0.saturating_add(WEEK).saturating_mul(DAY)
    }

    pub fn spans(self, dir: &Path) -> PathBuf {
        dir.join(format!("spans-{self}.db"))
    }

    pub fn text(self, dir: &Path) -> PathBuf {
        dir.join(format!("text-{self}.db"))
    }

    pub fn parse(text: &str) -> Option<Period> {
        if text == "pinned" {
            return Some(Period::PINNED);
        }
        let date = Date::strptime("%Y%m%d", text).ok()?;
        let days = date.since(epoch()).ok()?.get_days();
        let period = Period(i64::from(days));
        (Period::of(period.0 * DAY) == period && period.to_string() == text).then_some(period)
    }

    /// Those in a directory, oldest first.
    pub fn in_dir(dir: &Path) -> std::io::Result<Vec<Period>> {
        let mut all = Vec::new();
        for entry in std::fs::read_dir(dir)? {
            let name = entry?.file_name();
            let name = name.to_string_lossy();
            all.extend(name.strip_prefix("spans-").and_then(|name| name.strip_suffix(".db")).and_then(Period::parse));
        }
        all.sort();
        Ok(all)
    }
}

fn epoch() -> Date {
    jiff::civil::date(1970, 1, 1)
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Period::PINNED {
            return f.write_str("pinned");
        }
        let date = epoch().checked_add(jiff::Span::new().days(self.0)).unwrap_or(Date::MAX);
        write!(f, "{:04}{:02}{:02}", date.year(), date.month(), date.day())
    }
}

/// Days since the Unix epoch as `YYYY-MM-DD`.
pub fn day_text(day: i64) -> String {
    match jiff::Span::new().try_days(day).and_then(|days| epoch().checked_add(days)) {
        Ok(date) => date.to_string(),
        Err(_) => day.to_string(),
    }
}

pub fn day_of(nanoseconds: i64) -> i64 {
    nanoseconds.div_euclid(DAY)
}

/// `terms.term` is a symbol (or a number) with the field that it stands for; see `terms.rs`.
const SPANS: &str = "
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE symbols(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE blocks(no INTEGER PRIMARY KEY, spans INTEGER NOT NULL, z BLOB NOT NULL);
CREATE TABLE traces(
    no INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, spans INTEGER NOT NULL, pinned INTEGER NOT NULL,
    name INTEGER, service INTEGER, environment INTEGER, workflow INTEGER, session INTEGER, user INTEGER, tags INTEGER,
    status INTEGER, error TEXT, started INTEGER, duration INTEGER, tokens INTEGER, cost INTEGER, totals TEXT);
CREATE INDEX traces_started ON traces(started);
CREATE INDEX traces_pinned ON traces(no) WHERE pinned = 1;
CREATE TABLE spans(
    trace INTEGER, span INTEGER, parent INTEGER, name INTEGER, kind INTEGER, status INTEGER, flags INTEGER,
    started INTEGER, duration INTEGER,
    service INTEGER, environment INTEGER, workflow INTEGER, session INTEGER, user INTEGER, tags INTEGER,
    provider INTEGER, asked INTEGER, model INTEGER,
    input INTEGER, output INTEGER, cached INTEGER, cache_write INTEGER, reasoning INTEGER, cost INTEGER, response INTEGER,
    error TEXT, block INTEGER, offset INTEGER, length INTEGER,
    PRIMARY KEY(trace, span)) WITHOUT ROWID;
CREATE TABLE terms(term INTEGER, trace INTEGER, PRIMARY KEY(term, trace)) WITHOUT ROWID;
CREATE TABLE sessions(session INTEGER PRIMARY KEY, last INTEGER NOT NULL);
CREATE INDEX sessions_last ON sessions(last);
CREATE TABLE rollups(
    day INTEGER, model INTEGER, user INTEGER,
    calls INTEGER NOT NULL, input INTEGER NOT NULL, output INTEGER NOT NULL, cost INTEGER NOT NULL, unpriced INTEGER NOT NULL,
    PRIMARY KEY(day, model, user)) WITHOUT ROWID;
CREATE TABLE scores(
    id TEXT PRIMARY KEY, trace INTEGER NOT NULL, at INTEGER NOT NULL, name INTEGER NOT NULL, number REAL, json TEXT NOT NULL);
CREATE INDEX scores_trace ON scores(trace, name);
";

/// What format 1 lacks: the traces that are still to be added up, and the scores of sessions. Those have no file of their own; they
/// lie in the file of the week in which they came.
const SPANS_SINCE_1: &str = "
CREATE TABLE unsummed(trace INTEGER PRIMARY KEY, gone TEXT NOT NULL);
CREATE TABLE session_scores(
    id TEXT PRIMARY KEY, session TEXT NOT NULL, at INTEGER NOT NULL, json TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX session_scores_session ON session_scores(session);
";

/// A document is a trace and has its number.
const TEXT: &str = "
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(text, content='', columnsize=0, detail=none, tokenize=\"ascii\");
INSERT INTO words(words, rank) VALUES('automerge', 8);
INSERT INTO words(words, rank) VALUES('hashsize', 8388608);
";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Spans,
    Text,
}

impl Kind {
    pub fn path(self, dir: &Path, period: Period) -> PathBuf {
        match self {
            Kind::Spans => period.spans(dir),
            Kind::Text => period.text(dir),
        }
    }
}

/// Opens a file for writing and makes it if it is missing.
pub fn open_writer(dir: &Path, kind: Kind, period: Period) -> Result<Connection, StoreError> {
    let path = kind.path(dir, period);
    let name = file_name(&path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<(Connection, i64)> {
        let mut connection = Connection::open_with_flags(&path, flags)?;
        if kind == Kind::Text && (1..FORMAT).contains(&user_version(&connection)?) {
            tracing::info!("{name} is of an earlier format; it is made again from the spans");
            drop(connection);
            remove(dir, kind, period).map_err(|_| rusqlite::Error::InvalidPath(path.clone()))?;
            connection = Connection::open_with_flags(&path, flags)?;
        }
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "page_size", PAGE)?;
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", if kind == Kind::Spans { "FULL" } else { "NORMAL" })?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_BYTES / PAGE)?;
        connection.pragma_update(None, "journal_size_limit", CHECKPOINT_BYTES * 2)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(64);
        let tables = match (kind, user_version(&connection)?) {
            (Kind::Spans, 0) => [SPANS, SPANS_SINCE_1],
            (Kind::Spans, 1) => [SPANS_SINCE_1, ""],
            (Kind::Text, 0) => [TEXT, ""],
            (_, version) => return Ok((connection, version)),
        };
        connection.execute_batch(&format!("BEGIN IMMEDIATE;{}PRAGMA user_version = {FORMAT};COMMIT", tables.concat()))?;
        Ok((connection, FORMAT))
    };
    let (connection, version) = open().map_err(|error| store_error_in(&name, error))?;
    if version != FORMAT {
        return Err(StoreError::Unavailable(format!(
            "{name} was written by a newer FlowTrace (format {version}, this build knows {FORMAT}); use that version, or another \
             data directory"
        )));
    }
    crate::store::sqlite::data_dir::sync_dir(dir)?;
    Ok(connection)
}

fn user_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

pub fn open_reader(dir: &Path, kind: Kind, period: Period) -> Result<Connection, StoreError> {
    let path = kind.path(dir, period);
    let open = || -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    open().map_err(|error| store_error_in(&file_name(&path), error))
}

pub fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A file and what SQLite keeps beside it.
fn files(dir: &Path, kind: Kind, period: Period) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|end| {
        let mut name = kind.path(dir, period).into_os_string();
        name.push(end);
        PathBuf::from(name)
    })
}

/// What they take on the disk. What cannot be seen counts nothing.
pub fn bytes(dir: &Path, kind: Kind, period: Period) -> u64 {
    files(dir, kind, period).iter().filter_map(|path| std::fs::metadata(path).ok()).map(|metadata| metadata.len()).sum()
}

/// Removes them.
pub fn remove(dir: &Path, kind: Kind, period: Period) -> std::io::Result<()> {
    for name in files(dir, kind, period) {
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

const PAGE: i64 = 4096;
const WRITER_CACHE_KIB: i64 = 8 * 1024;
const READER_CACHE_KIB: i64 = 1024;
/// Bytes in the log at which the writer moves them into the database.
const CHECKPOINT_BYTES: i64 = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_week_from_monday_and_survives_its_name() {
        // 2026-11-21 is a Saturday.
        let now = 1_795_233_600_000_000_000;
        let period = Period::of(now);
        assert_eq!(period.to_string(), "20261116");
        assert_eq!(Period::parse("20261116"), Some(period));
        assert_eq!(Period::of(period.end()).to_string(), "20261123");
        assert_eq!(Period::of(period.end() - 1), period);
        assert_eq!(Period::parse("20261117"), None, "a Tuesday begins no period");
        assert_eq!(Period::parse("pinned"), Some(Period::PINNED));
        assert!(Period::PINNED < Period::of(-1));
        assert_eq!(Period::parse(&Period::of(0).to_string()), Some(Period::of(0)));
        assert_eq!(day_text(0), "1970-01-01");
    }
}
