//! Reading traces: summaries from their rows, whole spans from their blocks.

use super::block;
use super::partition::{Partition, Partitions};
use super::rows::{self, Place, SpanRow};
use super::schema::Kind;
use super::totals;
use flowtrace_core::id::{SpanId, TraceId};
use flowtrace_core::span::{Score, Span};
use flowtrace_core::trace::facts::{NONE, OPEN, Symbol};
use flowtrace_core::trace::merge::empty;
use flowtrace_core::trace::summary::{order, summarize};
use flowtrace_core::trace::{TraceStatus, TraceSummary};
use flowtrace_engine::port::span_store::Trace;
use flowtrace_engine::port::store::StoreError;
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::HashMap;

/// A block that was read last.
pub type OpenBlock = Option<(i64, Vec<u8>)>;

/// Whole spans, each block read once.
pub fn spans(partition: &Partition, places: &[Place]) -> Result<Vec<Span>, StoreError> {
    spans_from(partition, places, &mut None)
}

/// The same for several traces of one file: those that arrived together stand in the same block.
pub fn spans_from(partition: &Partition, places: &[Place], open: &mut OpenBlock) -> Result<Vec<Span>, StoreError> {
    let file = partition.name(Kind::Spans);
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|at| (places[*at].block, places[*at].offset));
    let mut found: Vec<Option<Span>> = vec![None; places.len()];
    for at in order {
        let place = places[at];
        if open.as_ref().is_none_or(|(no, _)| *no != place.block) {
            let compressed = partition.spans(|connection| block::stored(connection, place.block))?;
            *open = Some((place.block, block::decompress(&compressed, &file)?));
        }
        if let Some((_, bytes)) = open {
            found[at] = Some(block::parse_at(bytes, place, &file)?);
        }
    }
    Ok(found.into_iter().flatten().collect())
}

pub fn symbol_text(connection: &Connection, symbol: Option<Symbol>) -> rusqlite::Result<Option<String>> {
    let Some(symbol) = symbol else { return Ok(None) };
    let mut find = connection.prepare_cached("SELECT text FROM symbols WHERE id = ?1")?;
    find.query_row([symbol], |row| row.get(0)).optional()
}

/// The number of a text, if any span has it.
pub fn symbol_of(connection: &Connection, text: &str) -> rusqlite::Result<Option<Symbol>> {
    connection.prepare_cached("SELECT id FROM symbols WHERE text = ?1")?.query_row([text], |row| row.get(0)).optional()
}

pub const SUMMARY: &str = "id, name, service, environment, workflow, session, user, tags, status, error, started, duration, \
    totals, pinned, no";

pub fn summary(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<TraceSummary> {
    let text = |at: usize| symbol_text(connection, row.get(at)?);
    let (started, duration): (i64, i64) = (row.get(10)?, row.get(11)?);
    let status: usize = row.get(8)?;
    let line = row.get_ref(12)?.as_str().unwrap_or("");
    Ok(TraceSummary {
        trace_id: TraceId(u128::from_be_bytes(row.get(0)?)),
        name: text(1)?.unwrap_or_default(),
        service: text(2)?,
        environment: text(3)?,
        workflow: text(4)?,
        session_id: text(5)?,
        user_id: text(6)?,
        tags: tags(text(7)?),
        status: TraceStatus::ALL.get(status).copied().unwrap_or_default(),
        error: row.get(9)?,
        started_at: started,
        ended_at: started.saturating_add(duration),
        totals: totals::read(line),
        models: totals::models(line)
            .filter_map(|model| symbol_text(connection, Some(model)).transpose())
            .collect::<Result<_, _>>()?,
        pinned: row.get::<_, i64>(13)? != 0,
    })
}

pub fn summary_of(connection: &Connection, no: i64) -> rusqlite::Result<Option<TraceSummary>> {
    let sql = format!("SELECT {SUMMARY} FROM traces WHERE no = ?1 AND spans > 0");
    connection.prepare_cached(&sql)?.query_row([no], |row| summary(connection, row)).optional()
}

pub fn trace(partitions: &Partitions, id: TraceId) -> Result<Option<Trace>, StoreError> {
    let Some((partition, no)) = partitions.home(id)? else { return Ok(None) };
    // One transaction, so that summary and rows are of the same moment.
    let (summary, mut rows, scores) = partition.spans(|connection| {
        let transaction = connection.unchecked_transaction()?;
        let (summary, rows) = summary_and_rows(&transaction, no)?;
        Ok((summary, rows, scores_of(&transaction, no)?))
    })?;
    let Some(summary) = summary else { return Ok(None) };
    in_order(&mut rows);
    let places: Vec<Place> = rows.iter().map(|row| row.place).collect();
    let spans = spans(&partition, &places)?;
    Ok(Some(Trace { summary, spans, counted: rows.iter().map(|row| row.counted).collect(), scores }))
}

/// A trace that is not added up yet is added up here.
fn summary_and_rows(connection: &Connection, no: i64) -> rusqlite::Result<(Option<TraceSummary>, Vec<SpanRow>)> {
    let (mut stored, mut rows) = (summary_of(connection, no)?, rows::of_trace(connection, no)?);
    let Some(behind) = stored.as_mut().filter(|_| !rows.is_empty()) else { return Ok((stored, rows)) };
    if super::later::gone(connection, no)?.is_none() {
        return Ok((stored, rows));
    }
    let facts: Vec<_> = rows.iter().map(|row| row.facts).collect();
    let fresh = summarize(&facts);
    let text = |symbol: Symbol| symbol_text(connection, (symbol != NONE).then_some(symbol));
    let models = fresh.models.iter().filter_map(|model| text(*model).transpose()).collect::<rusqlite::Result<_>>()?;
    *behind = TraceSummary {
        trace_id: behind.trace_id,
        name: text(fresh.name)?.unwrap_or_default(),
        service: text(fresh.service)?,
        environment: text(fresh.environment)?,
        workflow: text(fresh.workflow)?,
        session_id: text(fresh.session)?,
        user_id: text(fresh.user)?,
        tags: tags(text(fresh.tags)?),
        status: fresh.status,
        error: fresh.failed.and_then(|at| rows[at].error.clone()),
        started_at: fresh.started_at,
        ended_at: fresh.ended_at,
        totals: fresh.totals,
        models,
        pinned: behind.pinned,
    };
    rows.iter_mut().zip(fresh.counted).for_each(|(row, counted)| row.counted = counted);
    Ok((stored, rows))
}

fn tags(json: Option<String>) -> Vec<String> {
    json.and_then(|tags| serde_json::from_str(&tags).ok()).unwrap_or_default()
}

fn in_order(rows: &mut Vec<SpanRow>) {
    let facts: Vec<_> = rows.iter().map(|row| row.facts).collect();
    let mut unordered: Vec<Option<SpanRow>> = std::mem::take(rows).into_iter().map(Some).collect();
    rows.extend(order(&facts).into_iter().filter_map(|at| unordered[at].take()));
}

/// The trace without its blocks.
pub fn outline(partitions: &Partitions, id: TraceId) -> Result<Option<Trace>, StoreError> {
    let Some((partition, no)) = partitions.home(id)? else { return Ok(None) };
    partition.spans(|connection| {
        let transaction = connection.unchecked_transaction()?;
        let (summary, mut rows) = summary_and_rows(&transaction, no)?;
        let Some(summary) = summary else { return Ok(None) };
        in_order(&mut rows);
        let mut texts: HashMap<Symbol, Option<String>> = HashMap::new();
        let mut text = |symbol: Symbol| -> rusqlite::Result<Option<String>> {
            if symbol == NONE {
                return Ok(None);
            }
            if let Some(text) = texts.get(&symbol) {
                return Ok(text.clone());
            }
            let found = symbol_text(&transaction, Some(symbol))?;
            texts.insert(symbol, found.clone());
            Ok(found)
        };
        let mut spans = Vec::with_capacity(rows.len());
        for row in &rows {
            let facts = &row.facts;
            spans.push(Span {
                parent_span_id: facts.parent,
                name: text(facts.name)?.unwrap_or_default(),
                kind: facts.kind,
                status: facts.status,
                error: row.error.clone(),
                started_at: facts.started_at,
                ended_at: facts.ended_at,
                service: text(facts.service)?,
                environment: text(facts.environment)?,
                workflow: text(facts.workflow)?,
                session_id: text(facts.session)?,
                user_id: text(facts.user)?,
                provider: text(facts.provider)?,
                model_requested: text(facts.model_requested)?,
                model: text(facts.model)?,
                tokens: facts.tokens,
                cost_nanousd: facts.cost_nanousd,
                simulated: facts.simulated,
                attributes: facts.open.then(|| (OPEN.to_owned(), true.into())).into_iter().collect(),
                ..empty(id, facts.span)
            });
        }
        let scores = scores_of(&transaction, no)?;
        Ok(Some(Trace { summary, spans, counted: rows.iter().map(|row| row.counted).collect(), scores }))
    })
}

pub fn one_span(partitions: &Partitions, trace: TraceId, span: SpanId) -> Result<Option<Span>, StoreError> {
    let Some((partition, no)) = partitions.home(trace)? else { return Ok(None) };
    let Some(row) = partition.spans(|connection| rows::of_span(connection, no, span))? else { return Ok(None) };
    Ok(spans(&partition, &[row.place])?.pop())
}

pub fn some_spans(partitions: &Partitions, id: TraceId, after: Option<SpanId>, limit: usize) -> Result<Vec<Span>, StoreError> {
    let Some((partition, no)) = partitions.home(id)? else { return Ok(Vec::new()) };
    let rows = partition.spans(|connection| {
        // Ids are unsigned and their columns are not, so the order is that of the column.
        let sql =
            format!("SELECT {} FROM spans WHERE trace = ?1 AND (?2 IS NULL OR span > ?2) ORDER BY span LIMIT ?3", rows::COLUMNS);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let after = after.map(|after| after.0 as i64);
        let mut some = connection.prepare_cached(&sql)?;
        let rows = some.query_map((no, after, limit), SpanRow::read)?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    })?;
    let places: Vec<Place> = rows.iter().map(|row| row.place).collect();
    spans(&partition, &places)
}

pub fn scores_of(connection: &Connection, no: i64) -> rusqlite::Result<Vec<Score>> {
    let mut all = connection.prepare_cached("SELECT json FROM scores WHERE trace = ?1 ORDER BY at, id")?;
    let texts = all.query_map([no], |row| row.get::<_, String>(0))?;
    let mut scores = Vec::new();
    for text in texts {
        scores.extend(serde_json::from_str::<Score>(&text?).ok());
    }
    Ok(scores)
}
