//! What changes traces besides spans: scores, pins, age.

use super::apply::Touched;
use super::db::Failed;
use super::partition::{Partition, Partitions};
use super::schema::{self, Kind, Period};
use super::terms::{Field, term};
use super::writer::Writer;
use crate::store::sqlite::data_dir::unusable;
use flowtrace_core::id::TraceId;
use flowtrace_core::span::{Score, Scored};
use flowtrace_engine::port::span_store::Kept;
use flowtrace_engine::port::store::StoreError;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A score whose trace is not there yet gets a row of a trace without spans, which no list shows.
pub fn score(writer: &mut Writer, scores: &[Score]) -> Result<(), Failed> {
    let current = writer.current()?;
    for score in scores {
        let trace_id = match &score.of {
            Scored::Trace { trace_id, .. } => *trace_id,
            Scored::Session { session_id } => {
                session_score(writer, session_id, score)?;
                continue;
            }
        };
        let home = writer.home(trace_id, current)?;
        let db = writer.db(home.map_or(current, |(period, _)| period))?;
        db.begin()?;
        let no = match home {
            Some((_, no)) => no,
            None => {
                let no = db.new_trace();
                let sql = "INSERT INTO traces(no, id, spans, pinned) VALUES(?1, ?2, 0, 0)";
                db.connection.prepare_cached(sql)?.execute(params![no, trace_id.0.to_be_bytes()])?;
                no
            }
        };
        let name = db.symbol(&score.name)?;
        let earlier: Option<(i64, i64)> = db
            .connection
            .prepare_cached("SELECT trace, name FROM scores WHERE id = ?1")?
            .query_row([&score.id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let json = json_of(score)?;
        let number = score.value.as_f64().or(score.value.as_bool().map(f64::from));
        let sql = "INSERT OR REPLACE INTO scores VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
        db.connection.prepare_cached(sql)?.execute(params![score.id, no, score.at, name, number, json])?;
        db.connection.prepare_cached("INSERT OR IGNORE INTO terms VALUES(?1, ?2)")?.execute([term(Field::Score, name), no])?;
        if let Some((trace, name)) = earlier {
            let sql = "DELETE FROM terms WHERE term = ?1 AND trace = ?2 \
                       AND NOT EXISTS(SELECT 1 FROM scores WHERE trace = ?2 AND name = ?3)";
            db.connection.prepare_cached(sql)?.execute([term(Field::Score, name), trace, name])?;
        }
    }
    Ok(())
}

/// A session is in many files, so its scores go where everything goes that comes now. An older copy in another file is hidden by
/// this one.
fn session_score(writer: &mut Writer, session: &str, score: &Score) -> Result<(), Failed> {
    let current = writer.current()?;
    let db = writer.db(current)?;
    db.begin()?;
    let sql = "INSERT OR REPLACE INTO session_scores VALUES(?1, ?2, ?3, ?4)";
    db.connection.prepare_cached(sql)?.execute(params![score.id, session, score.at, json_of(score)?])?;
    Ok(())
}

fn json_of(score: &Score) -> Result<String, StoreError> {
    serde_json::to_string(score).map_err(|error| StoreError::Invalid(format!("a score is not JSON: {error}")))
}

pub fn pin(writer: &mut Writer, id: TraceId, pinned: bool) -> Result<bool, Failed> {
    let current = writer.current()?;
    let Some((period, no)) = writer.home(id, current)? else { return Ok(false) };
    let db = writer.db(period)?;
    db.begin()?;
    let sql = "UPDATE traces SET pinned = ?1 WHERE no = ?2 AND spans > 0";
    let changed = db.connection.prepare_cached(sql)?.execute(params![pinned, no])?;
    // What stands in the file of pinned traces is past its age already and goes when that file is swept.
    Ok(changed > 0)
}

/// Copies pinned traces out of every file that is too old, then removes it.
pub fn expire(writer: &mut Writer, now: i64, age: Duration) -> Result<u64, Failed> {
    let current = writer.current()?;
    let age = nanoseconds(age);
    let mut removed = 0;
    for partition in writer.partitions.newest_first() {
        let period = partition.period;
        if period == Period::PINNED {
            removed += sweep(writer)?;
            continue;
        }
        if period == current || !period.is_past(now, age) {
            continue;
        }
        let pinned: Vec<i64> = partition.spans(|connection| {
            let mut all = connection.prepare_cached("SELECT no FROM traces WHERE pinned = 1")?;
            all.query_map([], |row| row.get(0))?.collect()
        })?;
        let spans: u64 =
            partition.spans(|connection| connection.query_row("SELECT count(*) FROM spans", [], |row| row.get(0)))?;
        let mut kept = 0;
        for no in pinned {
            kept += copy(writer, period, no)?;
        }
        // The copies have to be safe before the originals go. What fails after this is done again by the next sweep.
        if kept > 0 {
            let db = writer.db(Period::PINNED)?;
            db.flush()?;
            db.commit()?;
            writer.feed.file(Period::PINNED);
        }
        writer.homes.clear();
        writer.agenda.forget(period);
        writer.dbs.remove(&period);
        writer.feed.forget(period);
        writer.partitions.forget(period);
        let dir = writer.partitions.dir.clone();
        let failed = |error: std::io::Error| unusable(&period.spans(&dir), &error);
        // The words go first: without spans nothing would remove them later.
        schema::remove(&dir, Kind::Text, period).map_err(failed)?;
        schema::remove(&dir, Kind::Spans, period).map_err(failed)?;
        removed += spans - kept.min(spans);
        writer.counts.accepted.fetch_sub(spans - kept.min(spans), Ordering::Relaxed);
    }
    Ok(removed)
}

fn nanoseconds(age: Duration) -> i64 {
    i64::try_from(age.as_nanos()).unwrap_or(i64::MAX)
}

/// What a file holds, and whether [`expire`] would remove it.
pub fn kept(partitions: &Partitions, partition: &Partition, expiry: Option<(i64, Duration)>) -> Result<Kept, StoreError> {
    let period = partition.period;
    let (traces, pinned, oldest): (u64, u64, Option<i64>) = partition.spans(|connection| {
        let count = |sql: &str| connection.query_row(sql, [], |row| row.get(0));
        // A trace without spans is only the place of scores that came before them.
        let traces = count("SELECT count(*) FROM traces WHERE spans > 0")?;
        let pinned = count("SELECT count(*) FROM traces WHERE pinned = 1")?;
        Ok((traces, pinned, connection.query_row("SELECT min(started) FROM traces", [], |row| row.get(0))?))
    })?;
    let is_pinned = period == Period::PINNED;
    let past = expiry.is_some_and(|(now, age)| period.is_past(now, nanoseconds(age)));
    Ok(Kept {
        until: (!is_pinned).then(|| period.end()),
        // What senders say of their times may be anything; the file knows when they came.
        oldest: oldest.map(|oldest| if is_pinned { oldest } else { oldest.max(period.start()) }),
        traces,
        pinned,
        bytes: [Kind::Spans, Kind::Text].map(|kind| schema::bytes(&partitions.dir, kind, period)).iter().sum(),
        expired: past && partitions.current() != Some(period),
    })
}

/// Copies one trace into the file of pinned traces and returns how many spans it has.
fn copy(writer: &mut Writer, from: Period, no: i64) -> Result<u64, Failed> {
    let partition = writer.partitions.get(from).ok_or_else(|| StoreError::Invalid(format!("spans-{from}.db is not open")))?;
    let (id, rows, scores) = partition.spans(|connection| {
        let id: [u8; 16] = connection.query_row("SELECT id FROM traces WHERE no = ?1", [no], |row| row.get(0))?;
        let scores = super::read::scores_of(connection, no)?;
        Ok((TraceId(u128::from_be_bytes(id)), super::rows::of_trace(connection, no)?, scores))
    })?;
    let db = writer.db(Period::PINNED)?;
    let there = super::partition::number(&db.connection, id)?;
    db.begin()?;
    let mut trace = match there {
        Some(no) => Touched::whole(db, id, no)?,
        None => Touched::open(db, id, None)?,
    };
    let spans = rows.len() as u64;
    for chunk in rows.chunks(500) {
        let places: Vec<_> = chunk.iter().map(|row| row.place).collect();
        let whole = super::read::spans(&partition, &places)?;
        let writes = whole.into_iter().map(Into::into).collect();
        let prepared = super::prepare::prepare(writes)?;
        trace.take_all(db, &prepared)?;
    }
    let no = trace.no;
    trace.finish(db)?;
    db.connection.execute("UPDATE traces SET pinned = 1 WHERE no = ?1", [no])?;
    for score in scores {
        let name = db.symbol(&score.name)?;
        let json = json_of(&score)?;
        let number = score.value.as_f64().or(score.value.as_bool().map(f64::from));
        let sql = "INSERT OR REPLACE INTO scores VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
        db.connection.execute(sql, params![score.id, no, score.at, name, number, json])?;
        db.connection.execute("INSERT OR IGNORE INTO terms VALUES(?1, ?2)", [term(Field::Score, name), no])?;
    }
    Ok(spans)
}

/// Removes what is no longer pinned from the file of pinned traces.
fn sweep(writer: &mut Writer) -> Result<u64, Failed> {
    let db = writer.db(Period::PINNED)?;
    let gone: Vec<i64> = {
        let mut all = db.connection.prepare("SELECT no FROM traces WHERE pinned = 0")?;
        all.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?
    };
    if gone.is_empty() {
        return Ok(0);
    }
    db.begin()?;
    let mut removed = 0;
    for no in gone {
        removed += remove(db, no)?;
    }
    let used = "DELETE FROM blocks WHERE no NOT IN (SELECT block FROM spans)";
    db.connection.execute(used, [])?;
    writer.homes.clear();
    writer.counts.accepted.fetch_sub(removed, Ordering::Relaxed);
    Ok(removed)
}

fn remove(db: &mut super::db::Db, no: i64) -> Result<u64, Failed> {
    let id: [u8; 16] = db.connection.query_row("SELECT id FROM traces WHERE no = ?1", [no], |row| row.get(0))?;
    let removed = Touched::whole(db, TraceId(u128::from_be_bytes(id)), no)?.clear(db)?;
    super::later::done(db, no)?;
    let connection: &Connection = &db.connection;
    connection.execute("DELETE FROM terms WHERE trace = ?1", [no])?;
    connection.execute("DELETE FROM scores WHERE trace = ?1", [no])?;
    connection.execute("DELETE FROM spans WHERE trace = ?1", [no])?;
    connection.execute("DELETE FROM traces WHERE no = ?1", [no])?;
    Ok(removed)
}
