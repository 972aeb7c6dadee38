//! Spans in the order in which they were written: the blocks of each file are a log, so a place is a block for each file.

use super::block;
use super::partition::{Partition, Partitions};
use super::schema::{Kind, Period};
use flowtrace_engine::port::span_store::{Cursor, LogPage, SpanStoreError};
use flowtrace_engine::port::store::StoreError;
use std::collections::BTreeMap;

/// Blocks that one call reads.
const BLOCKS: i64 = 4;

pub fn read(partitions: &Partitions, after: Option<&Cursor>) -> Result<LogPage, SpanStoreError> {
    let mut oldest_first = partitions.newest_first();
    oldest_first.reverse();
    // What was kept because it is pinned was in the log before.
    oldest_first.retain(|partition| partition.period != Period::PINNED);
    let Some(after) = after else {
        let mut marks = BTreeMap::new();
        for partition in &oldest_first {
            marks.insert(partition.period, last(partition)?);
        }
        return Ok(LogPage { spans: Vec::new(), next: text(&marks) });
    };
    let mut marks = parse(after).ok_or(SpanStoreError::InvalidCursor)?;
    // Files that were removed are not asked for again.
    marks.retain(|period, _| oldest_first.iter().any(|partition| partition.period == *period));
    for partition in &oldest_first {
        let mark = marks.entry(partition.period).or_insert(0);
        let blocks: Vec<(i64, Vec<u8>)> = partition.spans(|connection| {
            let mut some = connection.prepare_cached("SELECT no, z FROM blocks WHERE no > ?1 ORDER BY no LIMIT ?2")?;
            some.query_map([*mark, BLOCKS], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })?;
        let Some((end, _)) = blocks.last() else { continue };
        *mark = *end;
        let file = partition.name(Kind::Spans);
        let mut spans = Vec::new();
        for (_, block) in &blocks {
            spans.extend(block::parse_all(&block::decompress(block, &file)?, &file)?);
        }
        return Ok(LogPage { spans, next: text(&marks) });
    }
    Ok(LogPage { spans: Vec::new(), next: text(&marks) })
}

fn last(partition: &Partition) -> Result<i64, StoreError> {
    partition.spans(|connection| connection.query_row("SELECT coalesce(max(no), 0) FROM blocks", [], |row| row.get(0)))
}

fn text(marks: &BTreeMap<Period, i64>) -> Cursor {
    let marks: Vec<String> = marks.iter().map(|(period, block)| format!("{period}.{block}")).collect();
    Cursor(marks.join(","))
}

fn parse(cursor: &Cursor) -> Option<BTreeMap<Period, i64>> {
    let marks = cursor.0.split(',').filter(|mark| !mark.is_empty());
    marks
        .map(|mark| {
            let (period, block) = mark.split_once('.')?;
            Some((Period::parse(period)?, block.parse().ok()?))
        })
        .collect()
}
