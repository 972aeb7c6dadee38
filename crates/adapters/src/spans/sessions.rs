//! Sessions, and what calls add up to.

use super::partition::{Partition, Partitions};
use super::read;
use super::rows::int;
use super::schema::{Period, day_text};
use super::terms::{Field, term};
use super::totals;
use flowtrace_core::span::Score;
use flowtrace_core::trace::TraceStatus;
use flowtrace_core::trace::facts::Symbol;
use flowtrace_core::trace::summary::Totals;
use flowtrace_engine::port::span_store::{
    Cursor, Direction, Page, Rollup, RollupBy, SessionKey, SessionQuery, SessionSort, SessionSummary, SpanStoreError,
};
use flowtrace_engine::port::store::StoreError;
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

/// Sessions that one call looks at; then the page ends and its cursor says where to go on.
const BUDGET: usize = 2000;

/// Where a session stands: in the file that has its newest trace, by the number of that one.
type Place = (Period, i64);

pub fn list(partitions: &Partitions, query: &SessionQuery) -> Result<Page<SessionSummary>, SpanStoreError> {
    match query.sort {
        SessionSort::Newest => newest(partitions, query),
        SessionSort::By(key, direction) => sorted(partitions, query, key, direction),
    }
}

fn newest(partitions: &Partitions, query: &SessionQuery) -> Result<Page<SessionSummary>, SpanStoreError> {
    let after = query.after.as_ref().map(|cursor| parse_place(&cursor.0)).transpose()?;
    let mut items: Vec<SessionSummary> = Vec::new();
    // The place of the last session that was looked at.
    let mut seen = None;
    let mut next = None;
    let cut = walk(partitions, after, BUDGET, &mut |place, session| {
        if items.len() == query.limit {
            next = seen;
            return Ok(false);
        }
        seen = Some(place);
        if let Some(session) = session.filter(|session| fits(query, session))
            && of_user(partitions, query, &session)?
        {
            items.push(session);
        }
        Ok(true)
    })?;
    if cut {
        next = seen;
    }
    Ok(Page { items, next: next.map(|(period, no)| Cursor(format!("{period}.{no}"))) })
}

/// The sums of sessions are made when they are asked for, so this reads every trace that belongs to one.
fn sorted(
    partitions: &Partitions,
    query: &SessionQuery,
    key: SessionKey,
    direction: Direction,
) -> Result<Page<SessionSummary>, SpanStoreError> {
    let after = match &query.after {
        None => None,
        Some(cursor) => {
            let (value, id) = cursor.0.split_once('.').ok_or(SpanStoreError::InvalidCursor)?;
            Some((value.parse::<i64>().map_err(|_| SpanStoreError::InvalidCursor)?, id))
        }
    };
    let mut all = every(partitions)?;
    all.retain(|session| fits(query, session));
    // Of equal ones the order of their names, which no new trace changes.
    let place = |session: &SessionSummary| (value(key, session), session.session_id.clone());
    all.sort_by_cached_key(place);
    if direction == Direction::Descending {
        all.reverse();
    }
    let beyond = |session: &SessionSummary| match (after, direction) {
        (None, _) => true,
        (Some(after), Direction::Ascending) => (value(key, session), session.session_id.as_str()) > after,
        (Some(after), Direction::Descending) => (value(key, session), session.session_id.as_str()) < after,
    };
    let mut items: Vec<SessionSummary> = Vec::new();
    for session in all.into_iter().filter(beyond) {
        if of_user(partitions, query, &session)? {
            items.push(session);
        }
        if items.len() > query.limit {
            break;
        }
    }
    let more = items.len() > query.limit;
    items.truncate(query.limit);
    let next = items.last().filter(|_| more).map(|last| Cursor(format!("{}.{}", value(key, last), last.session_id)));
    Ok(Page { items, next })
}

/// All sessions with their sums.
fn every(partitions: &Partitions) -> Result<Vec<SessionSummary>, StoreError> {
    let mut all: Vec<SessionSummary> = Vec::new();
    let mut by_name: HashMap<String, usize> = HashMap::new();
    for partition in partitions.newest_first() {
        partition.spans(|connection| {
            let sql = format!("SELECT {OF_TRACE}, session FROM traces WHERE session IS NOT NULL ORDER BY no DESC");
            let mut by_symbol: HashMap<Symbol, usize> = HashMap::new();
            let mut traces = connection.prepare_cached(&sql)?;
            let mut rows = traces.query([])?;
            while let Some(row) = rows.next()? {
                let symbol: Symbol = row.get(5)?;
                let at = match by_symbol.get(&symbol) {
                    Some(at) => *at,
                    None => {
                        let Some(name) = read::symbol_text(connection, Some(symbol))? else { continue };
                        let at = *by_name.entry(name.clone()).or_insert(all.len());
                        if at == all.len() {
                            all.push(nothing_of(name));
                        }
                        by_symbol.insert(symbol, at);
                        at
                    }
                };
                add_trace(connection, row, &mut all[at])?;
            }
            Ok(())
        })?;
    }
    Ok(all)
}

fn value(key: SessionKey, session: &SessionSummary) -> i64 {
    match key {
        SessionKey::StartedAt => session.first_started_at,
        SessionKey::Traces => int(session.traces),
        // What the API shows: simulated calls cost nothing.
        SessionKey::Cost => int(session.totals.spent_nanousd()),
        SessionKey::Tokens => int(session.totals.tokens()),
    }
}

fn fits(query: &SessionQuery, session: &SessionSummary) -> bool {
    let named = |text: &str| {
        let user = session.user_id.as_deref().unwrap_or("");
        [session.session_id.as_str(), user].iter().any(|name| name.to_lowercase().contains(&text.to_lowercase()))
    };
    query.text.as_deref().is_none_or(named) && query.failed.is_none_or(|failed| failed == (session.failed_traces > 0))
}

/// Whether some trace of the session is of the user that the query wants.
fn of_user(partitions: &Partitions, query: &SessionQuery, session: &SessionSummary) -> Result<bool, StoreError> {
    if query.user.is_none() || query.user == session.user_id {
        return Ok(true);
    }
    let user = query.user.as_deref().unwrap_or_default();
    for partition in partitions.newest_first() {
        let found = partition.spans(|connection| {
            let symbols = (read::symbol_of(connection, &session.session_id)?, read::symbol_of(connection, user)?);
            let (Some(session), Some(user)) = symbols else { return Ok(false) };
            let sql = "SELECT EXISTS(SELECT 1 FROM terms s JOIN terms u ON u.trace = s.trace WHERE s.term = ?1 AND u.term = ?2)";
            let mut any = connection.prepare_cached(sql)?;
            any.query_row([term(Field::Session, session), term(Field::User, user)], |row| row.get(0))
        })?;
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

fn parse_place(text: &str) -> Result<Place, SpanStoreError> {
    let parsed = text.split_once('.').and_then(|(period, no)| Some((Period::parse(period)?, no.parse().ok()?)));
    parsed.ok_or(SpanStoreError::InvalidCursor)
}

/// Goes through sessions in the order of the last trace that began to arrive, until `take` wants no more or `budget` is used up; whether
/// it is. A session stands in each file that has a trace of it, and counts where its newest one is; elsewhere it comes without its sums.
fn walk(
    partitions: &Partitions,
    after: Option<Place>,
    budget: usize,
    take: &mut dyn FnMut(Place, Option<SessionSummary>) -> Result<bool, StoreError>,
) -> Result<bool, SpanStoreError> {
    let all = partitions.newest_first();
    let mut left = budget;
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
                if left == 0 {
                    return Ok(true);
                }
                left -= 1;
                below = last;
                let newer = all[..at].iter().map(|newer| has(newer, &id)).collect::<Result<Vec<_>, _>>()?;
                let session = if newer.contains(&true) { None } else { sum(&all[at..], &id)? };
                if !take((partition.period, last), session)? {
                    return Ok(false);
                }
            }
        }
    }
    Ok(false)
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
    let sql = format!("SELECT {OF_TRACE} FROM terms JOIN traces ON no = trace WHERE term = ?1 ORDER BY no DESC");
    let mut traces = connection.prepare_cached(&sql)?;
    let mut rows = traces.query([term(Field::Session, symbol)])?;
    while let Some(row) = rows.next()? {
        add_trace(connection, row, session.get_or_insert_with(|| nothing_of(id.to_owned())))?;
    }
    Ok(())
}

/// What a trace adds to its session.
const OF_TRACE: &str = "started, duration, status, totals, user";

fn nothing_of(session_id: String) -> SessionSummary {
    SessionSummary {
        session_id,
        user_id: None,
        first_started_at: i64::MAX,
        last_ended_at: i64::MIN,
        traces: 0,
        failed_traces: 0,
        totals: Totals::default(),
    }
}

/// Called with the newest trace first.
fn add_trace(connection: &Connection, row: &Row<'_>, sum: &mut SessionSummary) -> rusqlite::Result<()> {
    let (started, duration): (i64, i64) = (row.get(0)?, row.get(1)?);
    let status: i64 = row.get(2)?;
    sum.first_started_at = sum.first_started_at.min(started);
    sum.last_ended_at = sum.last_ended_at.max(started.saturating_add(duration));
    sum.traces += 1;
    sum.failed_traces += u64::from(status == TraceStatus::Failed as i64);
    sum.totals.add(&totals::read(row.get_ref(3)?.as_str().unwrap_or("")));
    if sum.user_id.is_none() {
        sum.user_id = read::symbol_text(connection, row.get(4)?)?;
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
