//! Finding traces. Each condition on a value is a stream of trace numbers, from the highest; the streams are walked together, each
//! leaping to where the others are. Numbers are given in the order of arrival, so that order needs no sorting.

use super::partition::{Partition, Partitions};
use super::read::{self, OpenBlock};
use super::schema::{Kind, Period};
use super::terms::{Field, metadata_text, prompt_version, term};
use super::text;
use crate::store::sqlite::error::store_error_in;
use flowtrace_core::id::TraceId;
use flowtrace_core::span::SpanKind;
use flowtrace_core::trace::TraceSummary;
use flowtrace_core::trace::words::TextQuery;
use flowtrace_engine::port::span_store::{Cursor, Direction, Page, Sort, SortKey, SpanStoreError, TraceQuery};
use flowtrace_engine::port::store::StoreError;
use rusqlite::{Connection, OptionalExtension, params};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::RangeInclusive;

/// Traces whose spans are read for a phrase in one call; then the page ends and its cursor says where to go on.
const PHRASE_BUDGET: usize = 200;

/// Traces that are looked at for conditions on numbers in one call; then the page ends in the same way.
const LOOK_BUDGET: usize = 50_000;

/// Numbers that a stream reads at once: few at first, more while they are used.
const CHUNK: usize = 32;
const CHUNK_MOST: usize = 2048;

pub fn find(partitions: &Partitions, query: &TraceQuery) -> Result<Page<TraceSummary>, SpanStoreError> {
    let text = query.text.as_deref().map(TextQuery::parse);
    if text.as_ref().is_some_and(TextQuery::is_empty) {
        return Ok(Page { items: Vec::new(), next: None });
    }
    match query.sort {
        Sort::Newest => newest(partitions, query, text.as_ref()),
        Sort::By(key, direction) => sorted(partitions, query, text.as_ref(), key, direction),
    }
}

/// The trace, if it is among those that the query finds, words aside.
pub fn matches(partitions: &Partitions, id: TraceId, query: &TraceQuery) -> Result<Option<TraceSummary>, SpanStoreError> {
    let Some((partition, no)) = partitions.home(id)? else { return Ok(None) };
    let mut found = None;
    with(&partition, query, None, |candidates| {
        if candidates.next(no.saturating_add(1))? == Some(no) && candidates.holds(no)? {
            found = candidates.sqlite(|connection| read::summary_of(connection, no))?;
        }
        Ok(())
    })?;
    Ok(found)
}

fn newest(partitions: &Partitions, query: &TraceQuery, text: Option<&TextQuery>) -> Result<Page<TraceSummary>, SpanStoreError> {
    let after = query.after.as_ref().map(parse_place).transpose()?;
    let mut items = Vec::new();
    let mut budget = PHRASE_BUDGET;
    let mut looks = LOOK_BUDGET;
    for partition in partitions.newest_first() {
        let below = match after {
            Some((period, _)) if partition.period > period => continue,
            Some((period, no)) if partition.period == period => no,
            _ => i64::MAX,
        };
        let mut last = None;
        with(&partition, query, text, |candidates| {
            let mut below = below;
            let mut open = None;
            while items.len() <= query.limit && budget > 0 && looks > 0 {
                let Some(no) = candidates.next(below)? else { break };
                below = no;
                if !candidates.holds(no)? {
                    looks -= 1;
                    last = Some(no);
                    continue;
                }
                if let Some(text) = text.filter(|text| !text.phrases.is_empty()) {
                    budget -= 1;
                    last = Some(no);
                    if !phrases_in(&partition, no, text, &mut open)? {
                        continue;
                    }
                }
                if let Some(summary) = candidates.sqlite(|connection| read::summary_of(connection, no))? {
                    items.push((no, partition.period, summary));
                }
            }
            Ok(())
        })?;
        if items.len() > query.limit {
            items.truncate(query.limit);
            let next = items.last().map(|(no, period, _)| place(*period, *no));
            return Ok(page(items, next));
        }
        if (budget == 0 || looks == 0)
            && let Some(no) = last
        {
            return Ok(page(items, Some(place(partition.period, no))));
        }
    }
    Ok(page(items, None))
}

fn page(items: Vec<(i64, Period, TraceSummary)>, next: Option<Cursor>) -> Page<TraceSummary> {
    Page { items: items.into_iter().map(|(_, _, summary)| summary).collect(), next }
}

fn place(period: Period, no: i64) -> Cursor {
    Cursor(format!("{period}.{no}"))
}

fn parse_place(cursor: &Cursor) -> Result<(Period, i64), SpanStoreError> {
    let parsed = cursor.0.split_once('.').and_then(|(period, no)| Some((Period::parse(period)?, no.parse().ok()?)));
    parsed.ok_or(SpanStoreError::InvalidCursor)
}

/// A place in a sorted list: what it is sorted by, and then the order of arrival.
type SortedPlace = (i64, Period, i64);

fn sorted(
    partitions: &Partitions,
    query: &TraceQuery,
    text: Option<&TextQuery>,
    key: SortKey,
    direction: Direction,
) -> Result<Page<TraceSummary>, SpanStoreError> {
    let after = match &query.after {
        None => None,
        Some(cursor) => {
            let (key, place) = cursor.0.split_once('.').ok_or(SpanStoreError::InvalidCursor)?;
            let (period, no) = parse_place(&Cursor(place.to_owned()))?;
            Some((key.parse::<i64>().map_err(|_| SpanStoreError::InvalidCursor)?, period, no))
        }
    };
    let ascending = direction == Direction::Ascending;
    let beyond = |place: &SortedPlace| after.is_none_or(|after| if ascending { *place > after } else { *place < after });
    // The best so far, of which the worst is on top.
    let mut best = Best { ascending, keep: query.limit + 1, heap: BinaryHeap::new(), reversed: BinaryHeap::new() };
    for partition in partitions.newest_first() {
        with(&partition, query, text, |candidates| {
            if candidates.streams.is_empty() {
                let bound = after.map(|(key, ..)| key);
                return candidates.scan(key, ascending, bound, query.limit + 1, &mut |value, no| {
                    let place = (value, partition.period, no);
                    if beyond(&place) {
                        best.offer(place);
                        return true;
                    }
                    false
                });
            }
            let mut below = i64::MAX;
            let mut open = None;
            while let Some(no) = candidates.next(below)? {
                below = no;
                if !candidates.holds(no)? {
                    continue;
                }
                let place = (candidates.key(key, no)?, partition.period, no);
                if !beyond(&place) || !best.wants(&place) {
                    continue;
                }
                if let Some(text) = text.filter(|text| !text.phrases.is_empty())
                    && !phrases_in(&partition, no, text, &mut open)?
                {
                    continue;
                }
                best.offer(place);
            }
            Ok(())
        })?;
    }
    let mut places = best.sorted();
    let more = places.len() > query.limit;
    places.truncate(query.limit);
    let last = places.last().filter(|_| more);
    let next = last.map(|(key, period, no)| Cursor(format!("{key}.{period}.{no}")));
    let mut items = Vec::with_capacity(places.len());
    for (_, period, no) in places {
        let Some(partition) = partitions.get(period) else { continue };
        items.extend(partition.spans(|connection| read::summary_of(connection, no))?);
    }
    Ok(Page { items, next })
}

/// Keeps the first few in an order.
struct Best {
    ascending: bool,
    keep: usize,
    heap: BinaryHeap<SortedPlace>,
    reversed: BinaryHeap<Reverse<SortedPlace>>,
}

impl Best {
    fn wants(&self, place: &SortedPlace) -> bool {
        if self.ascending {
            self.heap.len() < self.keep || self.heap.peek().is_some_and(|worst| place < worst)
        } else {
            self.reversed.len() < self.keep || self.reversed.peek().is_some_and(|worst| *place > worst.0)
        }
    }

    fn offer(&mut self, place: SortedPlace) {
        if self.ascending {
            self.heap.push(place);
            if self.heap.len() > self.keep {
                self.heap.pop();
            }
        } else {
            self.reversed.push(Reverse(place));
            if self.reversed.len() > self.keep {
                self.reversed.pop();
            }
        }
    }

    fn sorted(self) -> Vec<SortedPlace> {
        if self.ascending {
            return self.heap.into_sorted_vec();
        }
        self.reversed.into_sorted_vec().into_iter().map(|Reverse(place)| place).collect()
    }
}

/// Whether every phrase stands in some text of the trace.
fn phrases_in(partition: &Partition, no: i64, text: &TextQuery, open: &mut OpenBlock) -> Result<bool, StoreError> {
    let rows = partition.spans(|connection| super::rows::of_trace(connection, no))?;
    let mut found = vec![false; text.phrases.len()];
    for chunk in rows.chunks(200) {
        let places: Vec<_> = chunk.iter().map(|row| row.place).collect();
        for span in read::spans_from(partition, &places, open)? {
            text.phrases_in(&span, &mut found);
        }
        if found.iter().all(|found| *found) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Runs `work` over the traces of one file that may match; not at all if none can.
fn with(
    partition: &Partition,
    query: &TraceQuery,
    text: Option<&TextQuery>,
    work: impl FnOnce(&mut Candidates<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let spans = partition.take(Kind::Spans)?;
    let words = match text {
        None => None,
        Some(_) => match partition.take(Kind::Text) {
            Ok(words) => Some(words),
            // The index of this file was not begun yet.
            Err(_) => {
                partition.put_back(Kind::Spans, spans);
                return Ok(());
            }
        },
    };
    let result = (|| {
        let in_file = |error| store_error_in(&partition.name(Kind::Spans), error);
        let Some(terms) = terms_of(&spans, query).map_err(in_file)? else { return Ok(()) };
        let mut streams: Vec<Stream<'_>> = terms.into_iter().map(|term| Stream::new(Source::Term(&spans, term))).collect();
        if let (Some(words), Some(text)) = (&words, text) {
            streams.extend(text::matches(text).into_iter().map(|word| Stream::new(Source::Word(words, word))));
        }
        if query.pinned == Some(true) {
            streams.push(Stream::new(Source::Pinned(&spans)));
        }
        let mut candidates = Candidates {
            partition,
            spans: &spans,
            streams,
            query,
            all: Stream::new(Source::All(&spans)),
            score: None,
            most: i64::MAX - 1,
        };
        if let Some(score) = &query.score {
            candidates.score = candidates.sqlite(|connection| read::symbol_of(connection, &score.name))?;
        }
        if query.started.is_some() && !candidates.bound_by_time()? {
            return Ok(());
        }
        work(&mut candidates)
    })();
    partition.put_back(Kind::Spans, spans);
    if let Some(words) = words {
        partition.put_back(Kind::Text, words);
    }
    result
}

/// The terms that a trace has to have; `None` where the file knows one of them not at all.
fn terms_of(connection: &Connection, query: &TraceQuery) -> rusqlite::Result<Option<Vec<i64>>> {
    let mut terms = Vec::new();
    terms.extend(query.status.map(|status| term(Field::Status, status as i64)));
    terms.extend(query.kind.map(|kind: SpanKind| term(Field::Kind, kind as i64)));
    let one = |field, text: &Option<String>| text.as_ref().map(|text| (field, text.clone()));
    let mut wanted: Vec<(Field, String)> = [
        one(Field::Session, &query.session),
        one(Field::User, &query.user),
        one(Field::Name, &query.name),
        one(Field::Model, &query.model),
        one(Field::Provider, &query.provider),
        one(Field::Prompt, &query.prompt),
        one(Field::Service, &query.service),
        one(Field::Environment, &query.environment),
        one(Field::Workflow, &query.workflow),
    ]
    .into_iter()
    .flatten()
    .collect();
    // Of a span that has both: another version of the same prompt may stand beside another prompt of the same version.
    let prompt = query.prompt.as_deref().unwrap_or_default();
    wanted.extend(query.prompt_version.iter().map(|version| (Field::PromptVersion, prompt_version(prompt, version))));
    wanted.extend(query.tags.iter().map(|tag| (Field::Tag, tag.clone())));
    wanted.extend(query.metadata.iter().map(|(key, value)| (Field::Metadata, metadata_text(key, value))));
    wanted.extend(query.score.iter().map(|score| (Field::Score, score.name.clone())));
    for (field, text) in wanted {
        match read::symbol_of(connection, &text)? {
            Some(symbol) => terms.push(term(field, symbol)),
            None => return Ok(None),
        }
    }
    Ok(Some(terms))
}

enum Source<'a> {
    All(&'a Connection),
    Pinned(&'a Connection),
    Term(&'a Connection, i64),
    Word(&'a Connection, String),
}

/// Numbers of traces, from the highest.
struct Stream<'a> {
    source: Source<'a>,
    /// Read ahead, the next one last.
    ahead: Vec<i64>,
    chunk: usize,
    /// Whether nothing comes after what was read ahead.
    over: bool,
}

impl<'a> Stream<'a> {
    fn new(source: Source<'a>) -> Stream<'a> {
        Stream { source, ahead: Vec::new(), chunk: CHUNK, over: false }
    }

    /// The highest number below `below`.
    fn next(&mut self, below: i64) -> rusqlite::Result<Option<i64>> {
        let used = self.ahead.len();
        while self.ahead.last().is_some_and(|no| *no >= below) {
            self.ahead.pop();
        }
        if self.ahead.is_empty() && !self.over {
            // Long leaps need few numbers each, a walk many. Asking the index of words costs as much as some thousand numbers of it.
            let many = used <= 1 || matches!(self.source, Source::Word(..));
            self.chunk = if many { (self.chunk * 2).min(CHUNK_MOST) } else { CHUNK };
            let mut found = match &self.source {
                Source::Word(connection, word) => text::find(connection, word, below, self.chunk)?,
                Source::All(connection) => {
                    let sql = "SELECT no FROM traces WHERE no < ?1 AND spans > 0 ORDER BY no DESC LIMIT ?2";
                    numbers(connection, sql, (below, self.chunk))?
                }
                Source::Pinned(connection) => {
                    let sql = "SELECT no FROM traces WHERE pinned = 1 AND no < ?1 ORDER BY no DESC LIMIT ?2";
                    numbers(connection, sql, (below, self.chunk))?
                }
                Source::Term(connection, term) => {
                    let sql = "SELECT trace FROM terms WHERE term = ?1 AND trace < ?2 ORDER BY trace DESC LIMIT ?3";
                    numbers(connection, sql, (term, below, self.chunk))?
                }
            };
            self.over = found.len() < self.chunk;
            found.reverse();
            self.ahead = found;
        }
        Ok(self.ahead.last().copied())
    }
}

fn numbers(connection: &Connection, sql: &str, params: impl rusqlite::Params) -> rusqlite::Result<Vec<i64>> {
    let mut find = connection.prepare_cached(sql)?;
    find.query_map(params, |row| row.get(0))?.collect()
}

struct Candidates<'a> {
    partition: &'a Partition,
    spans: &'a Connection,
    streams: Vec<Stream<'a>>,
    query: &'a TraceQuery,
    all: Stream<'a>,
    /// The name of the score that is asked for.
    score: Option<i64>,
    /// No higher number can match.
    most: i64,
}

impl Candidates<'_> {
    fn sqlite<R>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<R>) -> Result<R, StoreError> {
        work(self.spans).map_err(|error| store_error_in(&self.partition.name(Kind::Spans), error))
    }

    /// The highest number below `below` that is in every stream.
    fn next(&mut self, below: i64) -> Result<Option<i64>, StoreError> {
        let in_file = |error| store_error_in(&self.partition.name(Kind::Spans), error);
        let mut below = below.min(self.most + 1);
        if self.streams.is_empty() {
            return self.all.next(below).map_err(in_file);
        }
        // The number that the streams up to now agree on.
        let mut agreed: Option<(i64, usize)> = None;
        let streams = self.streams.len();
        let mut at = 0;
        loop {
            let Some(no) = self.streams[at].next(below).map_err(in_file)? else { return Ok(None) };
            let count = match agreed {
                Some((same, count)) if same == no => count + 1,
                _ => 1,
            };
            if count == streams {
                return Ok(Some(no));
            }
            agreed = Some((no, count));
            below = no + 1;
            at = (at + 1) % streams;
        }
    }

    /// Whether the conditions on numbers hold.
    fn holds(&self, no: i64) -> Result<bool, StoreError> {
        let query = self.query;
        let numbers = query.started.is_some()
            || query.duration_ns.is_some()
            || query.tokens.is_some()
            || query.cost_nanousd.is_some()
            || query.pinned.is_some();
        if numbers {
            let sql = "SELECT started, duration, tokens, cost, pinned FROM traces WHERE no = ?1";
            let row: Option<(i64, i64, u64, u64, bool)> = self.sqlite(|connection| {
                let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
                connection.prepare_cached(sql)?.query_row([no], row).optional()
            })?;
            let Some((started, duration, tokens, cost, pinned)) = row else { return Ok(false) };
            let holds = within(&query.started, started)
                && within(&query.duration_ns, duration)
                && within(&query.tokens, tokens)
                && within(&query.cost_nanousd, cost)
                && query.pinned.is_none_or(|wanted| wanted == pinned);
            if !holds {
                return Ok(false);
            }
        }
        let Some((score, Some(range))) = query.score.as_ref().map(|score| (self.score, &score.range)) else { return Ok(true) };
        let sql = "SELECT EXISTS(SELECT 1 FROM scores WHERE trace = ?1 AND name = ?2 AND number BETWEEN ?3 AND ?4)";
        self.sqlite(|connection| {
            connection.prepare_cached(sql)?.query_row(params![no, score, range.start(), range.end()], |row| row.get(0))
        })
    }

    fn key(&self, key: SortKey, no: i64) -> Result<i64, StoreError> {
        let sql = format!("SELECT {} FROM traces WHERE no = ?1", column(key));
        self.sqlite(|connection| connection.prepare_cached(&sql)?.query_row([no], |row| row.get(0)))
    }

    /// Leaps over what arrived after everything that began in the time asked for. `false` if nothing did.
    fn bound_by_time(&mut self) -> Result<bool, StoreError> {
        let Some(range) = &self.query.started else { return Ok(true) };
        let latest: Option<i64> =
            self.sqlite(|connection| connection.query_row("SELECT max(started) FROM traces", [], |row| row.get(0)))?;
        if latest.is_none_or(|latest| latest < *range.start()) {
            return Ok(false);
        }
        if latest.is_some_and(|latest| latest <= *range.end()) {
            return Ok(true);
        }
        let sql = "SELECT max(no) FROM traces WHERE started BETWEEN ?1 AND ?2";
        let last: Option<i64> =
            self.sqlite(|connection| connection.query_row(sql, [range.start(), range.end()], |row| row.get(0)))?;
        self.most = last.unwrap_or(0);
        Ok(last.is_some())
    }

    /// All traces of the file that fit, in the order of a key, until `take` has taken `limit`.
    fn scan(
        &self,
        key: SortKey,
        ascending: bool,
        bound: Option<i64>,
        limit: usize,
        take: &mut dyn FnMut(i64, i64) -> bool,
    ) -> Result<(), StoreError> {
        let (column, order) = (column(key), if ascending { "ASC" } else { "DESC" });
        let compare = if ascending { ">=" } else { "<=" };
        let sql = format!(
            "SELECT {column}, no FROM traces WHERE spans > 0 AND (?1 IS NULL OR {column} {compare} ?1) \
             AND (?2 IS NULL OR started BETWEEN ?2 AND ?3) AND (?4 IS NULL OR duration BETWEEN ?4 AND ?5) \
             AND (?6 IS NULL OR tokens BETWEEN ?6 AND ?7) AND (?8 IS NULL OR cost BETWEEN ?8 AND ?9) \
             AND (?10 IS NULL OR pinned = ?10) ORDER BY {column} {order}, no {order}"
        );
        let signed = |range: &Option<RangeInclusive<u64>>| {
            range.as_ref().map(|range| (super::rows::int(*range.start()), super::rows::int(*range.end()))).unzip()
        };
        let times = |range: &Option<RangeInclusive<i64>>| range.clone().map(RangeInclusive::into_inner).unzip();
        let query = self.query;
        let (from, to) = times(&query.started);
        let (shortest, longest) = times(&query.duration_ns);
        let (fewest, most): (Option<i64>, Option<i64>) = signed(&query.tokens);
        let (cheapest, dearest): (Option<i64>, Option<i64>) = signed(&query.cost_nanousd);
        self.sqlite(|connection| {
            let mut scan = connection.prepare_cached(&sql)?;
            let mut rows =
                scan.query(params![bound, from, to, shortest, longest, fewest, most, cheapest, dearest, query.pinned])?;
            let mut taken = 0;
            while taken < limit
                && let Some(row) = rows.next()?
            {
                taken += usize::from(take(row.get(0)?, row.get(1)?));
            }
            Ok(())
        })
    }
}

fn column(key: SortKey) -> &'static str {
    match key {
        SortKey::StartedAt => "started",
        SortKey::Duration => "duration",
        SortKey::Cost => "cost",
        SortKey::Tokens => "tokens",
    }
}

fn within<T: PartialOrd>(range: &Option<RangeInclusive<T>>, value: T) -> bool {
    range.as_ref().is_none_or(|range| range.contains(&value))
}
