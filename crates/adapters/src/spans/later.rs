//! Large traces are added up later. Adding up reads every row of a trace, so a trace that comes in many batches would cost the square
//! of its size if each of them did it. Instead a batch writes its own rows and counts them, and leaves a row in `unsummed`; the
//! writer adds the trace up when it has time, and for no more than a small share of its time. Until then its totals are behind;
//! whoever opens the trace gets them added up on the spot.
//!
//! What holds all the time: the sums over calls are those of the rows marked as counted, and each term of the trace follows from its
//! rows or stands in `unsummed.gone`.

use super::db::Db;
use super::derived::{Sums, add_calls, fact_terms};
use super::rows::SpanRow;
use flowtrace_core::trace::facts::{NONE, Symbol};
use rusqlite::{Connection, OptionalExtension, params};

/// Spans from which on a trace is added up later. Up to there it takes about a millisecond.
const LARGE: u64 = 1_000;

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

/// Terms that a trace had before it was touched last; `None` if it is added up.
pub fn gone(connection: &Connection, no: i64) -> rusqlite::Result<Option<Vec<i64>>> {
    let mut find = connection.prepare_cached("SELECT gone FROM unsummed WHERE trace = ?1")?;
    let text: Option<String> = find.query_row([no], |row| row.get(0)).optional()?;
    Ok(text.map(|text| text.split(' ').filter_map(|term| term.parse().ok()).collect()))
}

/// Leaves the trace to be added up; `gone` are terms that it had before.
pub fn put_off(db: &Db, no: i64, gone: &[i64]) -> rusqlite::Result<()> {
    let text: Vec<String> = gone.iter().map(i64::to_string).collect();
    let sql = "INSERT OR REPLACE INTO unsummed VALUES(?1, ?2)";
    db.connection.prepare_cached(sql)?.execute(params![no, text.join(" ")]).map(|_| ())
}

/// After a trace was added up.
pub fn done(db: &Db, no: i64) -> rusqlite::Result<()> {
    db.connection.prepare_cached("DELETE FROM unsummed WHERE trace = ?1")?.execute([no]).map(|_| ())
}
