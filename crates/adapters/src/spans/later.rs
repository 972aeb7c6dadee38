//! Large traces are added up later. Adding up reads every row of a trace, so a trace that comes in many batches would cost the square
//! of its size if each of them did it. Instead a batch writes its own rows and counts them, and leaves a row in `unsummed`; the
//! writer adds the trace up when it has time, and for no more than a small share of its time. Until then its totals are behind;
//! whoever opens the trace gets them added up on the spot.
//!
//! What holds all the time: the sums over calls are those of the rows marked as counted, and each term of the trace follows from its
//! rows or stands in `unsummed.gone`.

use super::apply::{Sums, Touched, add_calls, fact_terms};
use super::db::{Db, Failed};
use super::rows::{self, SpanRow};
use super::schema::Period;
use super::writer::Writer;
use flowtrace_core::id::{SpanId, TraceId};
use flowtrace_core::trace::facts::{NONE, Symbol};
use flowtrace_engine::port::store::StoreError;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Spans from which on a trace is added up later. Up to there it takes about a millisecond.
const LARGE: u64 = 1_000;

/// How long a first batch waits for others.
const SOON: Duration = Duration::from_millis(200);

/// A trace rests so many times longer than adding it up took.
const REST: u32 = 20;

/// A trace of which a batch knows only its own rows.
pub struct Later {
    /// Under which its calls were counted.
    user: Symbol,
}

impl Later {
    /// If the trace is a large one.
    pub fn of(db: &Db, no: i64) -> rusqlite::Result<Option<Later>> {
        let large = "SELECT user FROM traces WHERE no = ?1 AND spans >= ?2";
        let user = db.connection.prepare_cached(large)?.query_row(params![no, LARGE], |row| row.get::<_, Option<i64>>(0));
        Ok(user.optional()?.map(|user| Later { user: user.unwrap_or(NONE) }))
    }

    /// Before `row` takes the place of `stored`: takes away what followed from that. Returns whether the new one is counted.
    pub fn undo(&self, stored: &SpanRow, row: &SpanRow, gone: &mut Vec<i64>, sums: &mut Sums) -> bool {
        if stored.facts == row.facts {
            return stored.counted;
        }
        gone.extend(fact_terms(std::slice::from_ref(stored)));
        add_calls(sums, std::slice::from_ref(stored), self.user, -1);
        false
    }
}

impl Touched {
    /// Reads what is stored of one span.
    pub(super) fn look(&mut self, db: &Db, span: SpanId) -> rusqlite::Result<()> {
        if self.index.contains_key(&span) {
            return Ok(());
        }
        if let Some(row) = rows::of_span(&db.connection, self.no, span)? {
            self.index.insert(span, self.rows.len());
            self.rows.push(row);
            self.changed.push(false);
        }
        Ok(())
    }

    /// Writes what the batch brought, and that the rest has to follow.
    pub(super) fn put_off(&mut self, db: &Db) -> Result<(), Failed> {
        for row in self.rows.iter().zip(&self.changed).filter(|(_, changed)| **changed).map(|(row, _)| row) {
            row.write(&db.connection, self.no)?;
        }
        let sql = "UPDATE traces SET spans = spans + ?2 WHERE no = ?1";
        db.connection.prepare_cached(sql)?.execute(params![self.no, self.added])?;
        // They are found by what they are at once; what they no longer are goes when the trace is added up.
        self.terms.extend(fact_terms(&self.rows));
        let mut insert = db.connection.prepare_cached("INSERT OR IGNORE INTO terms VALUES(?1, ?2)")?;
        for term in &self.terms {
            insert.execute([*term, self.no])?;
        }
        self.write_sums(db)?;
        let known = gone(&db.connection, self.no)?;
        if known.is_none() || !self.gone.is_empty() {
            self.gone.extend(known.unwrap_or_default());
            self.gone.sort_unstable();
            self.gone.dedup();
            let text: Vec<String> = self.gone.iter().map(i64::to_string).collect();
            let sql = "INSERT OR REPLACE INTO unsummed VALUES(?1, ?2)";
            db.connection.prepare_cached(sql)?.execute(params![self.no, text.join(" ")])?;
        }
        Ok(())
    }
}

/// Terms that a trace had before it was touched last; `None` if it is added up.
pub fn gone(connection: &Connection, no: i64) -> rusqlite::Result<Option<Vec<i64>>> {
    let mut find = connection.prepare_cached("SELECT gone FROM unsummed WHERE trace = ?1")?;
    let text: Option<String> = find.query_row([no], |row| row.get(0)).optional()?;
    Ok(text.map(|text| text.split(' ').filter_map(|term| term.parse().ok()).collect()))
}

/// After a trace was added up.
pub fn done(db: &Db, no: i64) -> rusqlite::Result<()> {
    db.connection.prepare_cached("DELETE FROM unsummed WHERE trace = ?1")?.execute([no]).map(|_| ())
}

/// When large traces are added up.
#[derive(Default)]
pub struct Agenda(HashMap<(Period, i64), Entry>);

struct Entry {
    id: TraceId,
    due: Option<Instant>,
    rests_until: Instant,
}

/// Traces whose rest is remembered, at most.
const REMEMBERED: usize = 10_000;

impl Agenda {
    pub fn add(&mut self, period: Period, no: i64, id: TraceId) {
        let now = Instant::now();
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, entry| entry.due.is_some() || entry.rests_until > now);
        }
        let entry = self.0.entry((period, no)).or_insert(Entry { id, due: None, rests_until: now });
        entry.due.get_or_insert(entry.rests_until.max(now + SOON));
    }

    pub fn forget(&mut self, period: Period) {
        self.0.retain(|(of, _), _| *of != period);
    }

    /// How long nothing has to be done.
    pub fn idle(&self) -> Option<Duration> {
        let due = self.0.values().filter_map(|entry| entry.due).min()?;
        Some(due.saturating_duration_since(Instant::now()))
    }

    fn take_due(&mut self) -> Option<(Period, i64, TraceId)> {
        let now = Instant::now();
        let due = self.0.iter_mut().filter(|(_, entry)| entry.due.is_some_and(|due| due <= now));
        let ((period, no), entry) = due.min_by_key(|(_, entry)| entry.due)?;
        entry.due = None;
        Some((*period, *no, entry.id))
    }

    fn rest(&mut self, period: Period, no: i64, took: Duration) {
        if let Some(entry) = self.0.get_mut(&(period, no)) {
            entry.rests_until = Instant::now() + took * REST;
        }
    }
}

impl Writer {
    /// Remembers what an earlier process did not come to.
    pub fn remember_unsummed(&mut self) -> Result<(), StoreError> {
        for partition in self.partitions.newest_first() {
            let traces: Vec<(i64, [u8; 16])> = partition.spans(|connection| {
                let mut all = connection.prepare("SELECT no, id FROM unsummed JOIN traces ON no = trace")?;
                all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
            })?;
            for (no, id) in traces {
                self.agenda.add(partition.period, no, TraceId(u128::from_be_bytes(id)));
            }
        }
        Ok(())
    }

    /// Adds up one trace, if one is due.
    pub fn add_up_one(&mut self) {
        let Some((period, no, id)) = self.agenda.take_due() else { return };
        let began = Instant::now();
        let added = self.transaction(|writer| {
            let db = writer.db(period)?;
            db.begin()?;
            Touched::whole(db, id, no)?.finish(db)?;
            Ok(())
        });
        self.agenda.rest(period, no, began.elapsed());
        if let Err(error) = added {
            tracing::warn!("the totals of trace {id} are behind: {error}");
            self.agenda.add(period, no, id);
        }
    }
}
