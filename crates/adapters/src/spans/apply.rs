//! Writing prepared spans: each trace that a batch touches is added up again from its rows, so that its summary, its terms and
//! the sums over calls are always those of the spans that are there.

use super::db::{Db, Failed};
use super::prepare::{Prepared, PreparedSpan, Words};
use super::rows::{self, Place, SpanRow, int};
use super::schema::day_of;
use super::terms::{Field, term};
use flowtrace_core::id::{SpanId, TraceId};
use flowtrace_core::trace::facts::{NONE, SpanFacts, Symbol};
use flowtrace_core::trace::merge::merge;
use flowtrace_core::trace::summary::{Spend, Summary, summarize};
use rusqlite::{OptionalExtension, params};
use std::collections::{BTreeMap, HashMap};

/// A trace that a batch touches.
pub struct Touched {
    pub no: i64,
    pub id: TraceId,
    rows: Vec<SpanRow>,
    index: HashMap<SpanId, usize>,
    /// How many of the rows were there before, and of those what was stored.
    before: Before,
    changed: Vec<bool>,
    /// Terms that follow from no fact.
    terms: Vec<i64>,
    /// Words of spans that were put together here.
    pub words: Vec<String>,
}

#[derive(Default)]
struct Before {
    rows: Vec<SpanRow>,
    row: Option<Stored>,
}

/// What of a trace's row is needed to undo it.
struct Stored {
    session: Symbol,
    user: Symbol,
    status: i64,
}

/// What one call of `write` did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Applied {
    pub new: u64,
    pub updated: u64,
}

impl Touched {
    /// Reads what is there of a trace; `no` is `None` for a new one.
    pub fn open(db: &mut Db, id: TraceId, no: Option<i64>) -> Result<Touched, Failed> {
        let mut touched = Touched {
            no: no.unwrap_or(0),
            id,
            rows: Vec::new(),
            index: HashMap::new(),
            before: Before::default(),
            changed: Vec::new(),
            terms: Vec::new(),
            words: Vec::new(),
        };
        let Some(no) = no else {
            touched.no = db.new_trace();
            return Ok(touched);
        };
        let stored = "SELECT session, user, status FROM traces WHERE no = ?1 AND spans > 0";
        touched.before.row = db
            .connection
            .prepare_cached(stored)?
            .query_row([no], |row| {
                let symbol = |at: usize| -> rusqlite::Result<Symbol> { Ok(row.get::<_, Option<i64>>(at)?.unwrap_or(NONE)) };
                Ok(Stored { session: symbol(0)?, user: symbol(1)?, status: row.get(2)? })
            })
            .optional()?;
        touched.rows = rows::of_trace(&db.connection, no)?;
        touched.before.rows = touched.rows.clone();
        touched.index = touched.rows.iter().enumerate().map(|(at, row)| (row.facts.span, at)).collect();
        touched.changed = vec![false; touched.rows.len()];
        Ok(touched)
    }

    fn put(&mut self, row: SpanRow) -> bool {
        match self.index.get(&row.facts.span) {
            Some(at) => {
                self.rows[*at] = row;
                self.changed[*at] = true;
                false
            }
            None => {
                self.index.insert(row.facts.span, self.rows.len());
                self.rows.push(row);
                self.changed.push(true);
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
        let json = super::prepare::json(&whole)?;
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
        Ok(SpanRow { facts, error: super::prepare::shown_error(&whole), place, counted: false, pieces: true })
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
    pub fn clear(&mut self, db: &mut Db) -> Result<u64, Failed> {
        let spans = self.rows.len() as u64;
        self.rows.clear();
        self.write_rollups(db, &Summary::default())?;
        Ok(spans)
    }

    pub fn add_terms(&mut self, terms: impl Iterator<Item = i64>) {
        self.terms.extend(terms);
    }

    /// Writes what follows from the rows.
    pub fn finish(&mut self, db: &mut Db) -> Result<(), Failed> {
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
        self.write_terms(db, &summary)?;
        if summary.session != NONE {
            let sql = "INSERT INTO sessions VALUES(?1, ?2) ON CONFLICT(session) DO UPDATE SET last = max(last, excluded.last)";
            db.connection.prepare_cached(sql)?.execute([summary.session, self.no])?;
        }
        self.write_rollups(db, &summary)
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
            super::read::totals_text(totals, &summary.models),
        ])?;
        Ok(())
    }

    fn write_terms(&mut self, db: &Db, summary: &Summary) -> rusqlite::Result<()> {
        let mut new = fact_terms(&self.rows, summary.session, summary.user, summary.status as i64);
        new.append(&mut self.terms);
        new.sort_unstable();
        new.dedup();
        let old = match &self.before.row {
            None => Vec::new(),
            Some(stored) => {
                let mut old = fact_terms(&self.before.rows, stored.session, stored.user, stored.status);
                old.sort_unstable();
                old.dedup();
                old
            }
        };
        let mut insert = db.connection.prepare_cached("INSERT OR IGNORE INTO terms VALUES(?1, ?2)")?;
        for term in new.iter().filter(|term| old.binary_search(term).is_err()) {
            insert.execute([*term, self.no])?;
        }
        let mut delete = db.connection.prepare_cached("DELETE FROM terms WHERE term = ?1 AND trace = ?2")?;
        for term in old.iter().filter(|term| new.binary_search(term).is_err()) {
            delete.execute([*term, self.no])?;
        }
        Ok(())
    }

    fn write_rollups(&self, db: &Db, summary: &Summary) -> Result<(), Failed> {
        let mut sums: BTreeMap<(i64, Symbol, Symbol), [i64; 5]> = BTreeMap::new();
        if let Some(stored) = &self.before.row {
            add_calls(&mut sums, &self.before.rows, stored.user, -1);
        }
        add_calls(&mut sums, &self.rows, summary.user, 1);
        let sql = "INSERT INTO rollups VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET calls = calls + ?4, \
                   input = input + ?5, output = output + ?6, cost = cost + ?7, unpriced = unpriced + ?8";
        let mut add = db.connection.prepare_cached(sql)?;
        for ((day, model, user), sum) in sums {
            if sum != [0; 5] {
                add.execute(params![day, model, user, sum[0], sum[1], sum[2], sum[3], sum[4]])?;
            }
        }
        Ok(())
    }
}

/// What the calls of a trace add to the sums, or take from them. Simulated calls are no spend.
fn add_calls(sums: &mut BTreeMap<(i64, Symbol, Symbol), [i64; 5]>, rows: &[SpanRow], user: Symbol, sign: i64) {
    for row in rows.iter().filter(|row| row.counted) {
        let facts = &row.facts;
        let (cost, unpriced) = match Spend::of(facts) {
            Spend::Simulated(_) => continue,
            Spend::Known(cost) => (int(cost), 0),
            Spend::Unknown => (0, 1),
            Spend::Nothing => (0, 0),
        };
        let sum = sums.entry((day_of(facts.started_at), facts.shown_model(), user)).or_default();
        let (input, output) = (int(facts.tokens.input.unwrap_or(0)), int(facts.tokens.output.unwrap_or(0)));
        for (sum, part) in sum.iter_mut().zip([1, input, output, cost, unpriced]) {
            *sum = sum.saturating_add(part.saturating_mul(sign));
        }
    }
}

fn fact_terms(rows: &[SpanRow], session: Symbol, user: Symbol, status: i64) -> Vec<i64> {
    let mut terms = vec![term(Field::Status, status)];
    let mut add = |field, symbol: Symbol| {
        if symbol != NONE {
            terms.push(term(field, symbol));
        }
    };
    add(Field::Session, session);
    add(Field::User, user);
    for SpanRow { facts, .. } in rows {
        add(Field::Name, facts.name);
        add(Field::Model, facts.model);
        add(Field::Model, facts.model_requested);
        add(Field::Provider, facts.provider);
        add(Field::Service, facts.service);
        add(Field::Environment, facts.environment);
        add(Field::Workflow, facts.workflow);
    }
    // The first kind has the number 0.
    terms.extend(rows.iter().map(|row| term(Field::Kind, row.facts.kind as i64)));
    terms.sort_unstable();
    terms.dedup();
    terms
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
