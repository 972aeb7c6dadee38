//! A span as a row: its facts, and where the whole of it stands.

use flowtrace_core::id::SpanId;
use flowtrace_core::span::{SpanKind, SpanStatus, Tokens};
use flowtrace_core::trace::facts::{SpanFacts, Symbol};
use rusqlite::{Connection, OptionalExtension, Row, params};

pub const COLUMNS: &str = "span, parent, name, kind, status, flags, started, duration, service, environment, workflow, session, \
    user, tags, provider, asked, model, input, output, cached, cache_write, reasoning, cost, response, error, block, offset, length";

const OPEN: i64 = 1;
const SIMULATED: i64 = 2;
const MESSAGES: i64 = 4;
const COUNTED: i64 = 8;
const PIECES: i64 = 16;
const RUN: i64 = 32;
const TEAM: i64 = 64;
const STEP: i64 = 128;
/// Above this bit the number of hand-overs.
const HANDOFFS: u32 = 8;

#[derive(Clone, Debug, PartialEq)]
pub struct SpanRow {
    pub facts: SpanFacts,
    pub error: Option<String>,
    pub place: Place,
    pub counted: bool,
    /// Whether it was put together from pieces.
    pub pieces: bool,
}

/// Where the JSON of a span stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub block: i64,
    pub offset: usize,
    pub length: usize,
}

/// No symbol as NULL, which takes no space.
fn symbol(symbol: Symbol) -> Option<Symbol> {
    (symbol != 0).then_some(symbol)
}

/// Integers of the database are signed; more than they hold is capped, which no count and no cost reaches.
pub fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl SpanRow {
    pub fn write(&self, connection: &Connection, trace: i64) -> rusqlite::Result<()> {
        let f = &self.facts;
        let mut flags = 0;
        for (set, flag) in [
            (f.open, OPEN),
            (f.simulated, SIMULATED),
            (f.messages, MESSAGES),
            (self.counted, COUNTED),
            (self.pieces, PIECES),
            (f.run, RUN),
            (f.team, TEAM),
            (f.step, STEP),
        ] {
            flags |= if set { flag } else { 0 };
        }
        flags |= i64::from(f.handoffs) << HANDOFFS;
        let sql = "INSERT OR REPLACE INTO spans VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, \
                   ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29)";
        connection.prepare_cached(sql)?.execute(params![
            trace,
            f.span.0 as i64,
            f.parent.map(|parent| parent.0 as i64),
            symbol(f.name),
            f.kind as i64,
            f.status as i64,
            flags,
            f.started_at,
            f.ended_at.saturating_sub(f.started_at),
            symbol(f.service),
            symbol(f.environment),
            symbol(f.workflow),
            symbol(f.session),
            symbol(f.user),
            symbol(f.tags),
            symbol(f.provider),
            symbol(f.model_requested),
            symbol(f.model),
            f.tokens.input.map(int),
            f.tokens.output.map(int),
            f.tokens.cached.map(int),
            f.tokens.cache_write.map(int),
            f.tokens.reasoning.map(int),
            f.cost_nanousd.map(int),
            (f.response != 0).then_some(f.response as i64),
            self.error,
            self.place.block,
            self.place.offset,
            self.place.length,
        ])?;
        Ok(())
    }

    /// From the columns of [`COLUMNS`].
    pub fn read(row: &Row<'_>) -> rusqlite::Result<SpanRow> {
        let symbol = |at: usize| -> rusqlite::Result<Symbol> { Ok(row.get::<_, Option<i64>>(at)?.unwrap_or(0)) };
        let (flags, started, duration): (i64, i64, i64) = (row.get(5)?, row.get(6)?, row.get(7)?);
        let kind: usize = row.get(3)?;
        let facts = SpanFacts {
            span: SpanId(row.get::<_, i64>(0)? as u64),
            parent: row.get::<_, Option<i64>>(1)?.map(|parent| SpanId(parent as u64)),
            name: symbol(2)?,
            kind: SpanKind::ALL.get(kind).copied().unwrap_or_default(),
            status: match row.get::<_, i64>(4)? {
                1 => SpanStatus::Ok,
                2 => SpanStatus::Error,
                _ => SpanStatus::Unset,
            },
            open: flags & OPEN != 0,
            run: flags & RUN != 0,
            step: flags & STEP != 0,
            started_at: started,
            ended_at: started.saturating_add(duration),
            service: symbol(8)?,
            environment: symbol(9)?,
            workflow: symbol(10)?,
            session: symbol(11)?,
            user: symbol(12)?,
            tags: symbol(13)?,
            provider: symbol(14)?,
            model_requested: symbol(15)?,
            model: symbol(16)?,
            tokens: Tokens {
                input: row.get(17)?,
                output: row.get(18)?,
                cached: row.get(19)?,
                cache_write: row.get(20)?,
                reasoning: row.get(21)?,
            },
            cost_nanousd: row.get(22)?,
            simulated: flags & SIMULATED != 0,
            response: symbol(23)? as u64,
            messages: flags & MESSAGES != 0,
            team: flags & TEAM != 0,
            handoffs: u32::try_from(flags >> HANDOFFS).unwrap_or(0),
        };
        Ok(SpanRow {
            facts,
            error: row.get(24)?,
            place: Place { block: row.get(25)?, offset: row.get(26)?, length: row.get(27)? },
            counted: flags & COUNTED != 0,
            pieces: flags & PIECES != 0,
        })
    }
}

pub fn of_span(connection: &Connection, trace: i64, span: SpanId) -> rusqlite::Result<Option<SpanRow>> {
    let mut one = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM spans WHERE trace = ?1 AND span = ?2"))?;
    one.query_row((trace, span.0 as i64), SpanRow::read).optional()
}

/// The rows of a trace, in the order of their ids.
pub fn of_trace(connection: &Connection, trace: i64) -> rusqlite::Result<Vec<SpanRow>> {
    let mut all = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM spans WHERE trace = ?1"))?;
    all.query_map([trace], SpanRow::read)?.collect()
}
