//! What follows from the rows of a trace: the terms that it is found by, and what its calls add to the sums.

use super::rows::{SpanRow, int};
use super::schema::day_of;
use super::terms::{Field, term};
use flowtrace_core::trace::facts::{NONE, Symbol};
use flowtrace_core::trace::summary::Spend;
use std::collections::BTreeMap;

/// By day, model and user: calls, tokens in, tokens out, cost, calls without a price.
pub type Sums = BTreeMap<(i64, Symbol, Symbol), [i64; 5]>;

/// What the calls of a trace add to the sums, or take from them. Simulated calls are no spend.
pub fn add_calls(sums: &mut Sums, rows: &[SpanRow], user: Symbol, sign: i64) {
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

/// The terms of a trace as a whole.
pub fn own_terms(session: Symbol, user: Symbol, status: i64) -> Vec<i64> {
    let mut terms = vec![term(Field::Status, status)];
    for (field, symbol) in [(Field::Session, session), (Field::User, user)] {
        terms.extend((symbol != NONE).then(|| term(field, symbol)));
    }
    terms
}

pub fn fact_terms(rows: &[SpanRow]) -> Vec<i64> {
    let mut terms = Vec::new();
    let mut add = |field, symbol: Symbol| {
        if symbol != NONE {
            terms.push(term(field, symbol));
        }
    };
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
