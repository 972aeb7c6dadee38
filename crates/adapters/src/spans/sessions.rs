//! Sessions, and what calls add up to.

use super::partition::{Partition, Partitions};
use super::read;
use super::schema::{Period, day_text};
use super::terms::{Field, term};
use flowtrace_core::span::Score;
use flowtrace_core::trace::TraceStatus;
use flowtrace_core::trace::summary::Totals;
use flowtrace_engine::port::span_store::{Cursor, Page, Rollup, RollupBy, SessionQuery, SessionSummary, SpanStoreError};
use flowtrace_engine::port::store::StoreError;
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Sessions that one call looks at; then the page ends and its cursor says where to go on.
const BUDGET: usize = 2000;

/// In the order of the last trace that began to arrive. A session stands in each file that has a trace of it, and is listed where
/// its newest one is.
pub fn list(partitions: &Partitions, query: &SessionQuery) -> Result<Page<SessionSummary>, SpanStoreError> {
    let after = match &query.after {
        None => None,
        Some(cursor) => {
            let parsed =
                cursor.0.split_once('.').and_then(|(period, no)| Some((Period::parse(period)?, no.parse::<i64>().ok()?)));
            Some(parsed.ok_or(SpanStoreError::InvalidCursor)?)
        }
    };
    let all = partitions.newest_first();
    let mut items: Vec<SessionSummary> = Vec::new();
    let mut budget = BUDGET;
    let mut place = None;
    for (at, partition) in all.iter().enumerate() {
        let mut below = match after {
            Some((period, _)) if partition.period > period => continue,
            Some((period, no)) if partition.period == period => no,
            _ => i64::MAX,
        };
        loop {
            let chunk: Vec<(i64, String)> = partition.spans(|connection| {
                let sql =
                    "SELECT last, text FROM sessions JOIN symbols ON id = session WHERE last < ?1 ORDER BY last DESC LIMIT 100";
                let mut some = connection.prepare_cached(sql)?;
                some.query_map([below], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
            })?;
            if chunk.is_empty() {
                break;
            }
            for (last, id) in chunk {
                if items.len() == query.limit || budget == 0 {
                    let next = place.map(|(period, no)| Cursor(format!("{period}.{no}")));
                    return Ok(Page { items, next });
                }
                budget -= 1;
                below = last;
                place = Some((partition.period, last));
                let newer = all[..at].iter().map(|newer| has(newer, &id)).collect::<Result<Vec<_>, _>>()?;
                if newer.contains(&true) {
                    continue;
                }
                let Some(session) = sum(&all[at..], &id)? else { continue };
                if query.user.is_none() || query.user == session.user_id {
                    items.push(session);
                }
            }
        }
    }
    Ok(Page { items, next: None })
}

pub fn one(partitions: &Partitions, id: &str) -> Result<Option<SessionSummary>, StoreError> {
    sum(&partitions.newest_first(), id)
}

/// The scores of a session as a whole, oldest first. Of two with the same id the one that came later counts, wherever it is.
pub fn scores(partitions: &Partitions, session: &str) -> Result<Vec<Score>, StoreError> {
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    for partition in partitions.newest_first() {
        let texts: Vec<String> = partition.spans(|connection| {
            // A file that nobody has written to since before there were such scores has no table for them.
            let there = "SELECT EXISTS(SELECT 1 FROM sqlite_master WHERE name = 'session_scores')";
            if !connection.prepare_cached(there)?.query_row([], |row| row.get::<_, bool>(0))? {
                return Ok(Vec::new());
            }
            let mut some = connection.prepare_cached("SELECT json FROM session_scores WHERE session = ?1")?;
            some.query_map([session], |row| row.get(0))?.collect()
        })?;
        for score in texts.iter().filter_map(|text| serde_json::from_str::<Score>(text).ok()) {
            scores.entry(score.id.clone()).or_insert(score);
        }
    }
    let mut scores: Vec<Score> = scores.into_values().collect();
    scores.sort_by_key(|score| score.at);
    Ok(scores)
}

/// Whether a file has a trace of the session.
fn has(partition: &Partition, id: &str) -> Result<bool, StoreError> {
    partition.spans(|connection| {
        let Some(symbol) = read::symbol_of(connection, id)? else { return Ok(false) };
        let mut any = connection.prepare_cached("SELECT EXISTS(SELECT 1 FROM terms WHERE term = ?1)")?;
        any.query_row([term(Field::Session, symbol)], |row| row.get(0))
    })
}

/// All traces of a session, newest file first. The user is that of the newest trace that names one.
fn sum(partitions: &[std::sync::Arc<Partition>], id: &str) -> Result<Option<SessionSummary>, StoreError> {
    let mut session: Option<SessionSummary> = None;
    for partition in partitions {
        partition.spans(|connection| add_file(connection, id, &mut session))?;
    }
    Ok(session)
}

fn add_file(connection: &Connection, id: &str, session: &mut Option<SessionSummary>) -> rusqlite::Result<()> {
    let Some(symbol) = read::symbol_of(connection, id)? else { return Ok(()) };
    let sql =
        "SELECT started, duration, status, totals, user FROM terms JOIN traces ON no = trace WHERE term = ?1 ORDER BY no DESC";
    let mut traces = connection.prepare_cached(sql)?;
    let mut rows = traces.query([term(Field::Session, symbol)])?;
    while let Some(row) = rows.next()? {
        let (started, duration): (i64, i64) = (row.get(0)?, row.get(1)?);
        let status: i64 = row.get(2)?;
        let ended = started.saturating_add(duration);
        let sum = session.get_or_insert_with(|| SessionSummary {
            session_id: id.to_owned(),
            user_id: None,
            first_started_at: started,
            last_ended_at: ended,
            traces: 0,
            failed_traces: 0,
            totals: Totals::default(),
        });
        sum.first_started_at = sum.first_started_at.min(started);
        sum.last_ended_at = sum.last_ended_at.max(ended);
        sum.traces += 1;
        sum.failed_traces += u64::from(status == TraceStatus::Failed as i64);
        sum.totals.add(&read::totals(row.get_ref(3)?.as_str().unwrap_or("")));
        if sum.user_id.is_none() {
            sum.user_id = read::symbol_text(connection, row.get(4)?)?;
        }
    }
    Ok(())
}

pub fn rollup(partitions: &Partitions, by: RollupBy, days: &RangeInclusive<i64>) -> Result<Vec<Rollup>, StoreError> {
    let column = match by {
        RollupBy::Day => "day",
        RollupBy::Model => "model",
        RollupBy::User => "user",
    };
    let sql = format!(
        "SELECT {column}, sum(calls), sum(input), sum(output), sum(cost), sum(unpriced) FROM rollups \
         WHERE day BETWEEN ?1 AND ?2 GROUP BY 1 HAVING sum(calls) > 0"
    );
    let mut sums: BTreeMap<String, Rollup> = BTreeMap::new();
    for partition in partitions.newest_first() {
        let rows: Vec<(i64, Rollup)> = partition.spans(|connection| {
            let mut some = connection.prepare_cached(&sql)?;
            let rows = some.query_map([days.start(), days.end()], |row| {
                let number = |at: usize| -> rusqlite::Result<u64> { Ok(u64::try_from(row.get::<_, i64>(at)?).unwrap_or(0)) };
                let rollup = Rollup {
                    key: String::new(),
                    calls: number(1)?,
                    tokens_input: number(2)?,
                    tokens_output: number(3)?,
                    cost_nanousd: number(4)?,
                    unpriced_calls: number(5)?,
                };
                Ok((row.get(0)?, rollup))
            })?;
            rows.collect()
        })?;
        for (key, part) in rows {
            let key = match by {
                RollupBy::Day => day_text(key),
                _ => partition
                    .spans(|connection| read::symbol_text(connection, Some(key)).optional())?
                    .flatten()
                    .unwrap_or_default(),
            };
            let sum = sums.entry(key.clone()).or_insert(Rollup {
                key,
                calls: 0,
                tokens_input: 0,
                tokens_output: 0,
                cost_nanousd: 0,
                unpriced_calls: 0,
            });
            sum.calls += part.calls;
            sum.tokens_input += part.tokens_input;
            sum.tokens_output += part.tokens_output;
            sum.cost_nanousd += part.cost_nanousd;
            sum.unpriced_calls += part.unpriced_calls;
        }
    }
    Ok(sums.into_values().collect())
}
