//! How the totals of a trace are stored: as a line of numbers.

use flowtrace_core::trace::facts::Symbol;
use flowtrace_core::trace::summary::Totals;

/// The numbers in the order of the struct, with spaces; those at the end that are 0 are left out. After a `|` the symbols of the
/// models, of which files of earlier builds say nothing.
pub fn write(totals: &Totals, models: &[Symbol]) -> String {
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

pub fn read(text: &str) -> Totals {
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

/// The symbols of the models.
pub fn models(text: &str) -> impl Iterator<Item = Symbol> {
    text.split_once('|').map_or("", |(_, symbols)| symbols).split(' ').filter_map(|symbol| symbol.parse().ok())
}
