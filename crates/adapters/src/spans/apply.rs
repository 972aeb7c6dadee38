//! Writing prepared spans: each trace that a batch touches is added up again from its rows, so that its summary, its terms and
//! the sums over calls are always those of the spans that are there. A large one is added up later ([`super::later`]).

use super::block;
use super::db::{Db, Failed};
use super::derived::{Sums, add_calls, fact_terms, own_terms};
use super::later::{self, Later};
use super::prepare::{self, Prepared, PreparedSpan};
use super::rows::{self, Place, SpanRow, int};
use super::terms::term;
use super::totals;
use super::words::Words;
use flowtrace_core::id::{SpanId, TraceId};
use flowtrace_core::trace::facts::{NONE, SpanFacts, Symbol};
use flowtrace_core::trace::merge::{merge, replaces};
use flowtrace_core::trace::summary::{Summary, summarize};
use rusqlite::{OptionalExtension, params};
use std::collections::HashMap;

/// A trace that a batch touches.
pub struct Touched {
    pub no: i64,
    pub id: TraceId,
    /// All rows; or, if it is added up later, those that the batch touches.
    rows: Vec<SpanRow>,
    index: HashMap<SpanId, usize>,
    changed: Vec<bool>,
    added: u64,
    later: Option<Later>,
    /// Terms that were there and may no longer hold.
    gone: Vec<i64>,
    /// What is added to the sums over calls.
    sums: Sums,
    /// Terms that follow from no fact.
    terms: Vec<i64>,
    /// Words of spans that were put together here.
    pub words: Vec<String>,
}

/// What one call of `write` did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Applied {
    pub new: u64,
    pub updated: u64,
}

impl Touched {
    fn new(no: i64, id: TraceId) -> Touched {
        Touched {
            no,
            id,
            rows: Vec::new(),
            index: HashMap::new(),
            changed: Vec::new(),
            added: 0,
            later: None,
            gone: Vec::new(),
            sums: Sums::default(),
            terms: Vec::new(),
            words: Vec::new(),
        }
    }

    /// `no` is `None` for a new trace.
    pub fn open(db: &mut Db, id: TraceId, no: Option<i64>) -> Result<Touched, Failed> {
        let Some(no) = no else { return Ok(Touched::new(db.new_trace(), id)) };
        if let Some(later) = Later::of(db, no)? {
            return Ok(Touched { later: Some(later), ..Touched::new(no, id) });
        }
        Touched::whole(db, id, no)
    }

    /// Reads everything that is there of a trace.
    pub fn whole(db: &Db, id: TraceId, no: i64) -> Result<Touched, Failed> {
        let mut touched = Touched::new(no, id);
        touched.rows = rows::of_trace(&db.connection, no)?;
        touched.index = touched.rows.iter().enumerate().map(|(at, row)| (row.facts.span, at)).collect();
        touched.changed = vec![false; touched.rows.len()];
        let stored = "SELECT session, user, status FROM traces WHERE no = ?1 AND spans > 0";
        let stored = db.connection.prepare_cached(stored)?.query_row([no], |row| {
            let symbol = |at: usize| -> rusqlite::Result<Symbol> { Ok(row.get::<_, Option<i64>>(at)?.unwrap_or(NONE)) };
            Ok((symbol(0)?, symbol(1)?, row.get::<_, i64>(2)?))
        });
        if let Some((session, user, status)) = stored.optional()? {
            touched.gone = own_terms(session, user, status);
            match later::gone(&db.connection, no)? {
                Some(gone) => touched.gone.extend(gone),
                None => touched.gone.extend(fact_terms(&touched.rows)),
            }
            add_calls(&mut touched.sums, &touched.rows, user, -1);
        }
        Ok(touched)
    }

    fn put(&mut self, mut row: SpanRow) -> bool {
        match self.index.get(&row.facts.span) {
            Some(at) => {
                let stored = &mut self.rows[*at];
                let times = |row: &SpanRow| (row.facts.started_at, row.facts.ended_at);
                if !row.pieces && !replaces(times(stored), times(&row)) {
                    return false;
                }
                if let Some(later) = &self.later {
                    row.counted = later.undo(stored, &row, &mut self.gone, &mut self.sums);
                }
                *stored = row;
                self.changed[*at] = true;
                false
            }
            None => {
                self.index.insert(row.facts.span, self.rows.len());
                self.rows.push(row);
                self.changed.push(true);
                self.added += 1;
                true
            }
        }
    }

    /// Takes the spans of one call. `place` finds where the call's blocks went.
    pub fn take(
        &mut self,
        db: &mut Db,
        spans: &[PreparedSpan],
        symbol: &mut dyn FnMut(&mut Db, Symbol) -> rusqlite::Result<Symbol>,
        place: &mut dyn FnMut(&mut Db, &PreparedSpan) -> Result<Place, Failed>,
    ) -> Result<Applied, Failed> {
        let mut applied = Applied::default();
        for span in spans {
            if self.later.is_some() {
                self.look(db, span.facts.span)?;
            }
            let stored = self.index.get(&span.facts.span).map(|at| &self.rows[*at]);
            let joined = stored.filter(|stored| stored.pieces || span.piece.is_some()).map(|stored| stored.place);
            let row = match joined {
                Some(under) => self.join(db, under, span, place)?,
                None => SpanRow {
                    facts: translate(db, &span.facts, symbol)?,
                    error: span.error.clone(),
                    place: place(db, span)?,
                    counted: false,
                    pieces: span.piece.is_some(),
                },
            };
            match self.put(row) {
                true => applied.new += 1,
                false => applied.updated += 1,
            }
        }
        Ok(applied)
    }

    /// Puts a span on top of what is stored of it.
    fn join(
        &mut self,
        db: &mut Db,
        under: Place,
        span: &PreparedSpan,
        place: &mut dyn FnMut(&mut Db, &PreparedSpan) -> Result<Place, Failed>,
    ) -> Result<SpanRow, Failed> {
        let over = match &span.piece {
            Some(piece) => (**piece).clone(),
            None => {
                let place = place(db, span)?;
                db.span(place)?
            }
        };
        let whole = merge(db.span(under)?, over);
        let mut json = Vec::new();
        block::append(&mut json, &whole)?;
        let place = db.push(&json, 1)?;
        let mut failed = None;
        let facts = SpanFacts::of(&whole, |text| {
            db.symbol(text).unwrap_or_else(|error| {
                failed.get_or_insert(error);
                NONE
            })
        });
        if let Some(error) = failed {
            return Err(error.into());
        }
        let mut words = Words::default();
        words.add(&whole);
        self.words.push(words.text);
        Ok(SpanRow { facts, error: prepare::shown_error(&whole), place, counted: false, pieces: true })
    }

    /// Takes all spans of a call that has no other trace, one by one.
    pub fn take_all(&mut self, db: &mut Db, prepared: &Prepared) -> Result<(), Failed> {
        let mut translation = Translation::default();
        for trace in &prepared.traces {
            for span in &trace.spans {
                let json = prepared.json(span)?;
                let place = db.push(&json, 1)?;
                let facts = translate(db, &span.facts, &mut |db, local| translation.symbol(db, prepared, local))?;
                self.put(SpanRow { facts, error: span.error.clone(), place, counted: false, pieces: false });
            }
            for (field, local) in &trace.terms {
                let symbol = translation.symbol(db, prepared, *local)?;
                self.terms.push(term(*field, symbol));
            }
        }
        Ok(())
    }

    /// Takes everything that follows from the trace's rows away, and says how many rows there are.
    pub fn clear(self, db: &Db) -> Result<u64, Failed> {
        self.write_sums(db)?;
        Ok(self.rows.len() as u64)
    }

    pub fn add_terms(&mut self, terms: impl Iterator<Item = i64>) {
        self.terms.extend(terms);
    }

    /// Reads what is stored of one span.
    fn look(&mut self, db: &Db, span: SpanId) -> rusqlite::Result<()> {
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
    fn put_off(&mut self, db: &Db) -> Result<(), Failed> {
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
        let known = later::gone(&db.connection, self.no)?;
        if known.is_none() || !self.gone.is_empty() {
            self.gone.extend(known.unwrap_or_default());
            self.gone.sort_unstable();
            self.gone.dedup();
            later::put_off(db, self.no, &self.gone)?;
        }
        Ok(())
    }

    /// Writes the rows and what follows from them; `true` if the trace has to be added up later.
    pub fn finish(mut self, db: &Db) -> Result<bool, Failed> {
        if self.later.is_some() {
            self.put_off(db)?;
            return Ok(true);
        }
        let facts: Vec<SpanFacts> = self.rows.iter().map(|row| row.facts).collect();
        let summary = summarize(&facts);
        for (at, counted) in summary.counted.iter().enumerate() {
            let row = &mut self.rows[at];
            if self.changed[at] || row.counted != *counted {
                row.counted = *counted;
                row.write(&db.connection, self.no)?;
            }
        }
        self.write_summary(db, &summary)?;
        if summary.session != NONE {
            let sql = "INSERT INTO sessions VALUES(?1, ?2) ON CONFLICT(session) DO UPDATE SET last = max(last, excluded.last)";
            db.connection.prepare_cached(sql)?.execute([summary.session, self.no])?;
        }
        self.terms.extend(own_terms(summary.session, summary.user, summary.status as i64));
        add_calls(&mut self.sums, &self.rows, summary.user, 1);
        self.write_terms(db)?;
        self.write_sums(db)?;
        later::done(db, self.no)?;
        Ok(false)
    }

    fn write_summary(&self, db: &Db, summary: &Summary) -> rusqlite::Result<()> {
        let symbol = |symbol: Symbol| (symbol != NONE).then_some(symbol);
        let totals = &summary.totals;
        let error = summary.failed.and_then(|at| self.rows[at].error.as_deref());
        let sql = "INSERT INTO traces VALUES(?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) \
                   ON CONFLICT(no) DO UPDATE SET spans = excluded.spans, name = excluded.name, service = excluded.service, \
                   environment = excluded.environment, workflow = excluded.workflow, session = excluded.session, \
                   user = excluded.user, tags = excluded.tags, status = excluded.status, error = excluded.error, \
                   started = excluded.started, duration = excluded.duration, tokens = excluded.tokens, cost = excluded.cost, \
                   totals = excluded.totals";
        db.connection.prepare_cached(sql)?.execute(params![
            self.no,
            self.id.0.to_be_bytes(),
            int(totals.spans),
            symbol(summary.name),
            symbol(summary.service),
            symbol(summary.environment),
            symbol(summary.workflow),
            symbol(summary.session),
            symbol(summary.user),
            symbol(summary.tags),
            summary.status as i64,
            error,
            summary.started_at,
            summary.ended_at.saturating_sub(summary.started_at),
            int(totals.tokens()),
            int(totals.cost_nanousd),
            totals::write(totals, &summary.models),
        ])?;
        Ok(())
    }

    fn write_terms(&mut self, db: &Db) -> rusqlite::Result<()> {
        let mut new = fact_terms(&self.rows);
        new.append(&mut self.terms);
        for terms in [&mut new, &mut self.gone] {
            terms.sort_unstable();
            terms.dedup();
        }
        let mut insert = db.connection.prepare_cached("INSERT OR IGNORE INTO terms VALUES(?1, ?2)")?;
        for term in new.iter().filter(|term| self.gone.binary_search(term).is_err()) {
            insert.execute([*term, self.no])?;
        }
        let mut delete = db.connection.prepare_cached("DELETE FROM terms WHERE term = ?1 AND trace = ?2")?;
        for term in self.gone.iter().filter(|term| new.binary_search(term).is_err()) {
            delete.execute([*term, self.no])?;
        }
        Ok(())
    }

    fn write_sums(&self, db: &Db) -> rusqlite::Result<()> {
        let sql = "INSERT INTO rollups VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET calls = calls + ?4, \
                   input = input + ?5, output = output + ?6, cost = cost + ?7, unpriced = unpriced + ?8";
        let mut add = db.connection.prepare_cached(sql)?;
        for ((day, model, user), sum) in &self.sums {
            if *sum != [0; 5] {
                add.execute(params![day, model, user, sum[0], sum[1], sum[2], sum[3], sum[4]])?;
            }
        }
        Ok(())
    }
}

/// The facts with the symbols of the file instead of those of the call.
fn translate(
    db: &mut Db,
    facts: &SpanFacts,
    symbol: &mut dyn FnMut(&mut Db, Symbol) -> rusqlite::Result<Symbol>,
) -> rusqlite::Result<SpanFacts> {
    let mut facts = *facts;
    for field in [
        &mut facts.name,
        &mut facts.service,
        &mut facts.environment,
        &mut facts.workflow,
        &mut facts.session,
        &mut facts.user,
        &mut facts.tags,
        &mut facts.provider,
        &mut facts.model_requested,
        &mut facts.model,
    ] {
        if *field != NONE {
            *field = symbol(db, *field)?;
        }
    }
    Ok(facts)
}

/// The symbols of one call in one file.
#[derive(Default)]
pub struct Translation(Vec<Symbol>);

impl Translation {
    pub fn symbol(&mut self, db: &mut Db, prepared: &Prepared, local: Symbol) -> rusqlite::Result<Symbol> {
        self.0.resize(prepared.symbols.len(), NONE);
        let at = (local - 1) as usize;
        if self.0[at] == NONE {
            self.0[at] = db.symbol(&prepared.symbols[at])?;
        }
        Ok(self.0[at])
    }
}
