//! Reading traces: summaries from their rows, whole spans from their blocks.

use super::partition::{Partition, Partitions};
use super::rows::{self, Place, SpanRow};
use super::schema::Kind;
use flowtrace_core::id::{SpanId, TraceId};
use flowtrace_core::span::{Score, Span};
use flowtrace_core::trace::facts::{NONE, OPEN, Symbol};
use flowtrace_core::trace::merge::empty;
use flowtrace_core::trace::summary::{Totals, order, summarize};
use flowtrace_core::trace::{TraceStatus, TraceSummary};
use flowtrace_engine::port::span_store::Trace;
use flowtrace_engine::port::store::StoreError;
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::HashMap;

/// The most that a block may hold uncompressed: one span of the largest request, and room.
const BLOCK_LIMIT: usize = 1 << 30;

pub fn block(connection: &Connection, no: i64) -> rusqlite::Result<Vec<u8>> {
    connection.prepare_cached("SELECT z FROM blocks WHERE no = ?1")?.query_row([no], |row| row.get(0))
}

pub fn decompress(block: &[u8], file: &str) -> Result<Vec<u8>, StoreError> {
    let size = zstd::zstd_safe::get_frame_content_size(block).ok().flatten().unwrap_or(0);
    let size = usize::try_from(size).unwrap_or(usize::MAX).min(BLOCK_LIMIT);
    zstd::bulk::decompress(block, size)
        .map_err(|error| StoreError::Corrupt(format!("{file}: a block of spans cannot be decompressed: {error}")))
}

pub fn parse_at(block: &[u8], place: Place, file: &str) -> Result<Span, StoreError> {
    let json = block.get(place.offset..place.offset.saturating_add(place.length));
    let json = json.ok_or_else(|| StoreError::Corrupt(format!("{file}: block {} is shorter than it was", place.block)))?;
    parse(json).map_err(|error| StoreError::Corrupt(format!("{file}: a span in block {} cannot be read: {error}", place.block)))
}

/// One span's JSON. What was taken in was as deep as its reader allowed, so there is no other limit here.
fn parse(json: &[u8]) -> serde_json::Result<Span> {
    use serde::Deserialize;
    let mut reader = serde_json::Deserializer::from_slice(json);
    reader.disable_recursion_limit();
    Span::deserialize(&mut reader)
}

/// All spans of a block, for the index of words.
pub fn parse_all(block: &[u8], file: &str) -> Result<Vec<Span>, StoreError> {
    use serde::Deserialize;
    let mut spans = Vec::new();
    let mut rest = block;
    while !rest.is_empty() {
        let mut reader = serde_json::Deserializer::from_slice(rest);
        reader.disable_recursion_limit();
        let mut stream = reader.into_iter::<serde::de::IgnoredAny>();
        let end = match stream.next() {
            Some(Ok(_)) => stream.byte_offset(),
            _ => return Err(StoreError::Corrupt(format!("{file}: a block of spans cannot be read"))),
        };
        let mut reader = serde_json::Deserializer::from_slice(&rest[..end]);
        reader.disable_recursion_limit();
        let span = Span::deserialize(&mut reader)
            .map_err(|error| StoreError::Corrupt(format!("{file}: a span cannot be read: {error}")))?;
        spans.push(span);
        rest = &rest[end..];
    }
    Ok(spans)
}

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
            let compressed = partition.spans(|connection| block(connection, place.block))?;
            *open = Some((place.block, decompress(&compressed, &file)?));
        }
        if let Some((_, bytes)) = open {
            found[at] = Some(parse_at(bytes, place, &file)?);
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
        totals: totals(row.get_ref(12)?.as_str().unwrap_or("")),
        models: models(connection, row.get_ref(12)?.as_str().unwrap_or(""))?,
        pinned: row.get::<_, i64>(13)? != 0,
    })
}

pub fn summary_of(connection: &Connection, no: i64) -> rusqlite::Result<Option<TraceSummary>> {
    let sql = format!("SELECT {SUMMARY} FROM traces WHERE no = ?1 AND spans > 0");
    connection.prepare_cached(&sql)?.query_row([no], |row| summary(connection, row)).optional()
}

/// The numbers in the order of the struct, with spaces; those at the end that are 0 are left out. After a `|` the symbols of the
/// models, of which files of earlier builds say nothing.
pub fn totals_text(totals: &Totals, models: &[Symbol]) -> String {
    use std::fmt::Write;
    let numbers = numbers(totals);
    let used = numbers.iter().rposition(|number| *number != 0).map_or(0, |last| last + 1);
    let mut text = String::with_capacity(40);
    for number in &numbers[..used] {
        let _ = write!(text, "{}{number}", if text.is_empty() { "" } else { " " });
    }
    for (at, model) in models.iter().enumerate() {
        let _ = write!(text, "{}{model}", if at == 0 { "|" } else { " " });
    }
    text
}

/// Never changed but at the end: it is stored.
fn numbers(t: &Totals) -> [u64; 17] {
    [
        t.spans,
        t.errors,
        t.steps,
        t.llm_calls,
        t.tool_calls,
        t.handoff_depth,
        t.retries,
        t.tokens_input,
        t.tokens_output,
        t.cost_nanousd,
        t.tokens_cached,
        t.tokens_cache_write,
        t.tokens_reasoning,
        t.unpriced_calls,
        t.simulated_calls,
        t.simulated_nanousd,
        t.simulated_unpriced_calls,
    ]
}

fn models(connection: &Connection, text: &str) -> rusqlite::Result<Vec<String>> {
    let symbols = text.split_once('|').map_or("", |(_, symbols)| symbols);
    let mut models = Vec::new();
    for symbol in symbols.split(' ').filter_map(|symbol| symbol.parse().ok()) {
        models.extend(symbol_text(connection, Some(symbol))?);
    }
    Ok(models)
}

pub fn totals(text: &str) -> Totals {
    let text = text.split_once('|').map_or(text, |(numbers, _)| numbers);
    let mut numbers = text.split(' ').map(|number| number.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    Totals {
        spans: next(),
        errors: next(),
        steps: next(),
        llm_calls: next(),
        tool_calls: next(),
        handoff_depth: next(),
        retries: next(),
        tokens_input: next(),
        tokens_output: next(),
        cost_nanousd: next(),
        tokens_cached: next(),
        tokens_cache_write: next(),
        tokens_reasoning: next(),
        unpriced_calls: next(),
        simulated_calls: next(),
        simulated_nanousd: next(),
        simulated_unpriced_calls: next(),
    }
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
