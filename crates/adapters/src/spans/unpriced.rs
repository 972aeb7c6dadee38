//! Calls whose price nobody knew when they came. The sums over calls say which models have some, so nothing else is looked at.

use super::partition::Partitions;
use super::read;
use super::rows::{self, SpanRow};
use super::schema::Period;
use super::terms::{Field, term};
use flowtrace_core::id::TraceId;
use flowtrace_core::span::Span;
use flowtrace_core::trace::facts::Symbol;
use flowtrace_core::trace::merge::empty;
use flowtrace_core::trace::summary::Spend;
use flowtrace_engine::port::span_store::{Cursor, Page, SpanStoreError, UnpricedModel};
use flowtrace_engine::port::store::StoreError;
use rusqlite::{Connection, OptionalExtension};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Traces of a page.
const TRACES: usize = 500;

/// Traces that are looked at for a provider.
const SAMPLE: usize = 20;

pub fn models(partitions: &Partitions) -> Result<Vec<UnpricedModel>, StoreError> {
    let mut models: BTreeMap<String, UnpricedModel> = BTreeMap::new();
    for partition in partitions.newest_first() {
        let found: Vec<UnpricedModel> = partition.spans(|connection| {
            let sql = "SELECT model, sum(unpriced), max(day) FROM rollups WHERE unpriced > 0 GROUP BY model";
            let mut all = connection.prepare_cached(sql)?;
            let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.map(|row| {
                let (symbol, calls, last_day): (Symbol, u64, i64) = row?;
                let provider = provider(connection, symbol)?;
                let model = read::symbol_text(connection, Some(symbol))?.unwrap_or_default();
                Ok(UnpricedModel { provider, model, calls, last_day })
            })
            .collect()
        })?;
        for one in found {
            let known = models.entry(one.model.clone()).or_insert(UnpricedModel { calls: 0, ..one.clone() });
            known.calls = known.calls.saturating_add(one.calls);
            known.last_day = known.last_day.max(one.last_day);
            if known.provider.is_empty() {
                known.provider = one.provider;
            }
        }
    }
    let mut models: Vec<UnpricedModel> = models.into_values().collect();
    models.sort_by_key(|model| Reverse(model.calls));
    Ok(models)
}

/// Of the newest call that is missing in the cost.
fn provider(connection: &Connection, model: Symbol) -> rusqlite::Result<String> {
    for no in traces(connection, model, i64::MAX, SAMPLE)? {
        let calls = calls_of(connection, no, model)?;
        if let Some(row) = calls.iter().find(|row| row.facts.provider != 0) {
            return Ok(read::symbol_text(connection, Some(row.facts.provider))?.unwrap_or_default());
        }
    }
    Ok(String::new())
}

/// Newest file first, in it by model, and of each model the newest trace first. Calls without the name of a model have no price to wait
/// for and are left out.
pub fn calls(partitions: &Partitions, after: Option<&Cursor>) -> Result<Page<Span>, SpanStoreError> {
    let after = match after {
        None => None,
        Some(cursor) => {
            let mut parts = cursor.0.splitn(3, '.');
            let mut part = || parts.next().unwrap_or("");
            let (period, model, no) = (Period::parse(part()), part().parse::<i64>(), part().parse::<i64>());
            match (period, model, no) {
                (Some(period), Ok(model), Ok(no)) => Some((period, model, no)),
                _ => return Err(SpanStoreError::InvalidCursor),
            }
        }
    };
    let mut items = Vec::new();
    let mut left = TRACES;
    for partition in partitions.newest_first() {
        let (mut first, mut below) = match after {
            Some((period, ..)) if partition.period > period => continue,
            Some((period, model, no)) if partition.period == period => (model, no),
            _ => (1, i64::MAX),
        };
        loop {
            let symbol: Option<Symbol> = partition.spans(|connection| {
                let sql = "SELECT min(model) FROM rollups WHERE unpriced > 0 AND model >= ?1";
                connection.prepare_cached(sql)?.query_row([first], |row| row.get(0))
            })?;
            let Some(symbol) = symbol else { break };
            if symbol != first {
                (first, below) = (symbol, i64::MAX);
            }
            let traces = partition.spans(|connection| {
                let traces = traces(connection, symbol, below, left)?;
                for no in &traces {
                    let rows = calls_of(connection, *no, symbol)?;
                    if !rows.is_empty() {
                        items.extend(spans(connection, *no, &rows)?);
                    }
                }
                Ok(traces)
            })?;
            left -= traces.len();
            match traces.last() {
                Some(last) if left == 0 => {
                    return Ok(Page { items, next: Some(Cursor(format!("{}.{symbol}.{last}", partition.period))) });
                }
                Some(last) => below = *last,
                None => (first, below) = (symbol + 1, i64::MAX),
            }
        }
    }
    Ok(Page { items, next: None })
}

fn traces(connection: &Connection, model: Symbol, below: i64, limit: usize) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT trace FROM terms WHERE term = ?1 AND trace < ?2 ORDER BY trace DESC LIMIT ?3";
    let mut some = connection.prepare_cached(sql)?;
    some.query_map((term(Field::Model, model), below, limit), |row| row.get(0))?.collect()
}

fn calls_of(connection: &Connection, trace: i64, model: Symbol) -> rusqlite::Result<Vec<SpanRow>> {
    let sql = format!("SELECT {} FROM spans WHERE trace = ?1 AND cost IS NULL AND coalesce(model, asked) = ?2", rows::COLUMNS);
    let mut some = connection.prepare_cached(&sql)?;
    let rows: Vec<SpanRow> = some.query_map((trace, model), SpanRow::read)?.collect::<rusqlite::Result<_>>()?;
    Ok(rows.into_iter().filter(|row| row.counted && Spend::of(&row.facts) == Spend::Unknown).collect())
}

fn spans(connection: &Connection, no: i64, rows: &[SpanRow]) -> rusqlite::Result<Vec<Span>> {
    let id: Option<[u8; 16]> =
        connection.prepare_cached("SELECT id FROM traces WHERE no = ?1")?.query_row([no], |row| row.get(0)).optional()?;
    let Some(id) = id else { return Ok(Vec::new()) };
    let text = |symbol: Symbol| read::symbol_text(connection, Some(symbol));
    let span = |row: &SpanRow| {
        let facts = &row.facts;
        Ok(Span {
            kind: facts.kind,
            started_at: facts.started_at,
            ended_at: facts.ended_at,
            service: text(facts.service)?,
            provider: text(facts.provider)?,
            model_requested: text(facts.model_requested)?,
            model: text(facts.model)?,
            tokens: facts.tokens,
            ..empty(TraceId(u128::from_be_bytes(id)), facts.span)
        })
    };
    rows.iter().map(span).collect()
}
