//! Adding up the spans of a trace. The result depends on the set of spans alone, not on the order in which they came.

use super::TraceStatus;
use super::facts::{NONE, SpanFacts, Symbol};
use crate::id::SpanId;
use crate::span::{SpanKind, SpanStatus};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What a trace did and what it cost. Only model calls and embeddings count as spending, and an answer that two libraries
/// recorded side by side counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub spans: u64,
    pub errors: u64,
    /// Of a run its steps. Elsewhere units of work: model calls, tool calls, retrievals, and tasks and agents that contain none of them.
    pub steps: u64,
    pub llm_calls: u64,
    pub tool_calls: u64,
    /// How many times an agent handed over to another one, at the deepest place; see [`super::handoff`].
    pub handoff_depth: u64,
    /// Failed calls, tasks or agents that were tried again.
    pub retries: u64,
    pub tokens_input: u64,
    pub tokens_output: u64,
    pub tokens_cached: u64,
    pub tokens_cache_write: u64,
    pub tokens_reasoning: u64,
    /// Simulated calls included.
    pub cost_nanousd: u64,
    /// The part of the cost that nobody pays, because the simulated provider answered.
    pub simulated_nanousd: u64,
    /// Calls that are missing in the cost, because their model has no known price or they came without usage.
    pub unpriced_calls: u64,
    pub simulated_calls: u64,
    /// Those of the simulated calls whose model has no known price.
    pub simulated_unpriced_calls: u64,
}

impl Totals {
    /// Sums of several traces; the deepest hand-over is the deepest of all.
    pub fn add(&mut self, other: &Totals) {
        let add = |sum: &mut u64, part: u64| *sum = sum.saturating_add(part);
        add(&mut self.spans, other.spans);
        add(&mut self.errors, other.errors);
        add(&mut self.steps, other.steps);
        add(&mut self.llm_calls, other.llm_calls);
        add(&mut self.tool_calls, other.tool_calls);
        self.handoff_depth = self.handoff_depth.max(other.handoff_depth);
        add(&mut self.retries, other.retries);
        add(&mut self.tokens_input, other.tokens_input);
        add(&mut self.tokens_output, other.tokens_output);
        add(&mut self.tokens_cached, other.tokens_cached);
        add(&mut self.tokens_cache_write, other.tokens_cache_write);
        add(&mut self.tokens_reasoning, other.tokens_reasoning);
        add(&mut self.cost_nanousd, other.cost_nanousd);
        add(&mut self.simulated_nanousd, other.simulated_nanousd);
        add(&mut self.unpriced_calls, other.unpriced_calls);
        add(&mut self.simulated_calls, other.simulated_calls);
        add(&mut self.simulated_unpriced_calls, other.simulated_unpriced_calls);
    }

    /// What really was paid.
    pub fn spent_nanousd(&self) -> u64 {
        self.cost_nanousd.saturating_sub(self.simulated_nanousd)
    }

    pub fn tokens(&self) -> u64 {
        self.tokens_input.saturating_add(self.tokens_output)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    pub name: Symbol,
    pub service: Symbol,
    pub environment: Symbol,
    pub workflow: Symbol,
    pub session: Symbol,
    pub user: Symbol,
    pub tags: Symbol,
    pub status: TraceStatus,
    /// The span whose error explains the status, as an index into the spans.
    pub failed: Option<usize>,
    pub started_at: i64,
    pub ended_at: i64,
    pub totals: Totals,
    /// Models that counted calls were answered by (or asked for), in the order of the first call of each.
    pub models: Vec<Symbol>,
    /// For each span whether its usage counts.
    pub counted: Vec<bool>,
}

/// Models that a summary names.
pub const MOST_MODELS: usize = 8;

/// The order in which spans are shown: by their start, and of those that start together a parent before its children, and what
/// was over first before what came of it.
pub fn order(spans: &[SpanFacts]) -> Vec<usize> {
    let tree = Tree::new(spans);
    let depth = tree.down(0u64, |above, _| above + 1);
    let mut order = tree.by_time.clone();
    order.sort_by_key(|at| (spans[*at].started_at, depth[*at], spans[*at].ended_at, spans[*at].span));
    order
}

/// Adds up the spans, in any order.
pub fn summarize(spans: &[SpanFacts]) -> Summary {
    let tree = Tree::new(spans);
    let mut counted = counted(spans);
    tree.add_agents(&mut counted);
    tree.leave_out_wrappers(&mut counted);
    let retried = retried(spans);
    let root = tree.root();
    let first = |field: fn(&SpanFacts) -> Symbol| {
        let own = root.map_or(NONE, |root| field(&spans[root]));
        let found = || tree.by_time.iter().map(|at| field(&spans[*at])).find(|symbol| *symbol != NONE);
        if own == NONE { found().unwrap_or(NONE) } else { own }
    };
    let failed = tree.failed(root, &retried);
    let open = spans.iter().any(|span| span.open);
    Summary {
        name: first(|span| span.name),
        service: first(|span| span.service),
        environment: first(|span| span.environment),
        workflow: first(|span| span.workflow),
        session: first(|span| span.session),
        user: first(|span| span.user),
        tags: first(|span| span.tags),
        status: match failed {
            _ if open => TraceStatus::Running,
            Some(_) => TraceStatus::Failed,
            None => TraceStatus::Ok,
        },
        failed,
        started_at: spans.iter().map(|span| span.started_at).min().unwrap_or(0),
        ended_at: spans.iter().map(|span| span.ended_at).max().unwrap_or(0),
        totals: tree.totals(&counted, &retried),
        models: tree.models(&counted),
        counted,
    }
}

/// Two libraries that watch one call leave two spans with the provider's id of the answer, beside each other or one in the
/// other. One of them counts: the one with messages, else the one with tokens, else the first.
fn counted(spans: &[SpanFacts]) -> Vec<bool> {
    let mut counted: Vec<bool> = spans.iter().map(|span| span.kind.spends()).collect();
    let mut calls: HashMap<u64, Vec<usize>> = HashMap::new();
    for (at, span) in spans.iter().enumerate() {
        if counted[at] && span.response != 0 {
            calls.entry(span.response).or_default().push(at);
        }
    }
    for copies in calls.values().filter(|copies| copies.len() > 1) {
        let ids: HashMap<SpanId, usize> = copies.iter().map(|at| (spans[*at].span, *at)).collect();
        let mut groups: HashMap<Option<SpanId>, Vec<usize>> = HashMap::new();
        for at in copies {
            // The outermost copy stands for those inside it.
            let mut parent = spans[*at].parent;
            for _ in 0..copies.len() {
                match parent.and_then(|parent| ids.get(&parent)) {
                    Some(outer) => parent = spans[*outer].parent,
                    None => break,
                }
            }
            groups.entry(parent).or_default().push(*at);
        }
        for group in groups.values() {
            let best = group.iter().copied().min_by_key(|at| {
                let span = &spans[*at];
                (!span.messages, span.tokens.usage().is_none(), span.started_at, span.span)
            });
            for at in group {
                counted[*at] = Some(*at) == best;
            }
        }
    }
    counted
}

/// How far up a run is looked for; parents may form a cycle.
const MOST_LEVELS: usize = 256;

/// Spans that failed and were followed by another try: same parent, kind, name, provider and model, begun when the failed one was over.
/// What ran beside it was no other try. Steps of a run are not tried again, only what is below them: one of the same name beside
/// a failed one is another item of a map or another iteration of a loop.
fn retried(spans: &[SpanFacts]) -> Vec<Retried> {
    type Call = (Option<SpanId>, SpanKind, Symbol, Symbol, Symbol);
    let call = |span: &SpanFacts| -> Call { (span.parent, span.kind, span.name, span.provider, span.model_requested) };
    let repeats = |span: &SpanFacts| span.kind != SpanKind::Workflow && span.kind != SpanKind::Span && !span.step;
    let mut result = vec![Retried::default(); spans.len()];
    if !spans.iter().any(|span| span.status == SpanStatus::Error) {
        return result;
    }
    // The latest start of each call, and the latest start of one that went well.
    let mut latest: HashMap<Call, (i64, SpanId)> = HashMap::new();
    let mut latest_good: HashMap<Call, (i64, SpanId)> = HashMap::new();
    for span in spans.iter().filter(|span| repeats(span)) {
        let start = (span.started_at, span.span);
        let raise = |map: &mut HashMap<Call, (i64, SpanId)>| {
            let known = map.entry(call(span)).or_insert(start);
            *known = (*known).max(start);
        };
        raise(&mut latest);
        if span.status != SpanStatus::Error {
            raise(&mut latest_good);
        }
    }
    for (span, retried) in spans.iter().zip(&mut result) {
        if span.status == SpanStatus::Error && repeats(span) {
            let start = (span.started_at, span.span);
            let later = |map: &HashMap<Call, (i64, SpanId)>| {
                map.get(&call(span)).is_some_and(|last| *last > start && last.0 >= span.ended_at)
            };
            *retried = Retried { again: later(&latest), made_good: later(&latest_good) };
        }
    }
    result
}

#[derive(Clone, Copy, Debug, Default)]
struct Retried {
    again: bool,
    made_good: bool,
}

pub(super) struct Tree<'a> {
    pub(super) spans: &'a [SpanFacts],
    /// Index of each span's parent, if that is there.
    pub(super) parent: Vec<Option<usize>>,
    by_time: Vec<usize>,
}

impl Tree<'_> {
    fn new(spans: &[SpanFacts]) -> Tree<'_> {
        let index: HashMap<SpanId, usize> = spans.iter().enumerate().map(|(at, span)| (span.span, at)).collect();
        let parent = spans.iter().map(|span| span.parent.and_then(|parent| index.get(&parent).copied())).collect();
        let mut by_time: Vec<usize> = (0..spans.len()).collect();
        by_time.sort_by_key(|at| (spans[*at].started_at, spans[*at].span));
        Tree { spans, parent, by_time }
    }

    /// The earliest span without a parent; if all have one, the earliest whose parent is missing; in a cycle the earliest.
    fn root(&self) -> Option<usize> {
        let first = |test: &dyn Fn(usize) -> bool| self.by_time.iter().copied().find(|at| test(*at));
        first(&|at| self.spans[at].parent.is_none())
            .or_else(|| first(&|at| self.parent[at].is_none()))
            .or_else(|| self.by_time.first().copied())
    }

    /// A call around calls is one call that two libraries told of, or a wrapper with what the tries inside of it used together. The
    /// inner ones count, if only the outer one knows what was used it counts instead, and where the two tell of different use, both do.
    fn leave_out_wrappers(&self, counted: &mut [bool]) {
        let mut within: HashMap<usize, Vec<usize>> = HashMap::new();
        for at in (0..self.spans.len()).filter(|at| counted[*at]) {
            let kind = self.spans[at].kind;
            // What lies between them can only be the transport.
            let above = std::iter::successors(self.parent[at], |at| self.parent[*at]).take(MOST_LEVELS);
            let mut above = above.skip_while(|at| self.spans[*at].kind == SpanKind::Span);
            if let Some(outer) = above.next().filter(|outer| self.spans[*outer].kind == kind && counted[*outer] && *outer != at) {
                within.entry(outer).or_default().push(at);
            }
        }
        if within.is_empty() {
            return;
        }
        let depth = self.down(0u64, |above, _| above + 1);
        // In a cycle each would be inside of the other.
        for (outer, inner) in &mut within {
            inner.retain(|inner| depth[*inner] > depth[*outer]);
        }
        within.retain(|_, inner| !inner.is_empty());
        let mut outer: Vec<usize> = within.keys().copied().collect();
        outer.sort_by_key(|at| (std::cmp::Reverse(depth[*at]), *at));
        let used = |at: usize| {
            let tokens = &self.spans[at].tokens;
            tokens.usage().map(|_| (tokens.input.unwrap_or(0), tokens.output.unwrap_or(0)))
        };
        // What is known of calls whose own spans do not say it.
        let mut told_inside: HashMap<usize, (u64, u64)> = HashMap::new();
        for at in outer {
            let told = |at: &usize| used(*at).or_else(|| told_inside.get(at).copied());
            let parts: Vec<(u64, u64)> = within[&at].iter().filter_map(told).collect();
            let add = |sum: (u64, u64), part: &(u64, u64)| (sum.0.saturating_add(part.0), sum.1.saturating_add(part.1));
            let sum = parts.iter().fold((0, 0), add);
            match used(at) {
                Some(_) if parts.is_empty() => within[&at].iter().for_each(|inner| counted[*inner] = false),
                Some(own) if own != sum => {}
                Some(_) => counted[at] = false,
                None => {
                    counted[at] = false;
                    if !parts.is_empty() {
                        told_inside.insert(at, sum);
                    }
                }
            }
        }
    }

    /// An agent that says what it used counts if nothing inside of it does: then nobody else has told of its calls.
    fn add_agents(&self, counted: &mut [bool]) {
        let tells = |at: &usize| self.spans[*at].kind == SpanKind::Agent && self.spans[*at].tokens.usage().is_some();
        let agents: Vec<usize> = (0..self.spans.len()).filter(tells).collect();
        if agents.is_empty() {
            return;
        }
        let mut calls = vec![false; self.spans.len()];
        for at in (0..self.spans.len()).filter(|at| self.spans[*at].kind.spends()) {
            let mut above = self.parent[at];
            while let Some(parent) = above {
                if std::mem::replace(&mut calls[parent], true) {
                    break;
                }
                above = self.parent[parent];
            }
        }
        for at in agents {
            counted[at] = !calls[at];
        }
    }

    fn failed(&self, root: Option<usize>, retried: &[Retried]) -> Option<usize> {
        let failed = |at: usize| self.spans[at].status == SpanStatus::Error;
        let decisive = |at: &usize| {
            let span = &self.spans[*at];
            let call = matches!(span.kind, SpanKind::Llm | SpanKind::Agent) && !retried[*at].made_good && !self.in_run(*at);
            failed(*at) && (call || span.run)
        };
        let cause = self.by_time.iter().copied().find(decisive);
        cause.or_else(|| root.filter(|root| failed(*root)))
    }

    /// Whether a run of the engine is around the span and knows of its failure: then the run's own status says how it came out. What
    /// failed in a service whose answer was good the run does not know.
    fn in_run(&self, at: usize) -> bool {
        let above = || std::iter::successors(self.parent[at], |at| self.parent[*at]).take(MOST_LEVELS);
        let Some(run) = above().find(|at| self.spans[*at].run) else { return false };
        let own = |at: usize| self.spans[at].service == self.spans[run].service;
        own(at) || above().find(|at| own(*at)).is_some_and(|caller| self.spans[caller].status == SpanStatus::Error)
    }

    fn totals(&self, counted: &[bool], retried: &[Retried]) -> Totals {
        let mut totals = Totals { spans: self.spans.len() as u64, ..Totals::default() };
        let contains_work = self.contains_work(counted);
        for (at, span) in self.spans.iter().enumerate() {
            let duplicate = span.kind.spends() && !counted[at];
            totals.errors += u64::from(span.status == SpanStatus::Error);
            totals.retries += u64::from(retried[at].again && !duplicate);
            totals.steps +=
                u64::from(span.step || (is_work(span.kind) && !duplicate && !contains_work[at] && !self.is_attempt(at)));
            totals.tool_calls += u64::from(span.kind == SpanKind::Tool);
            if !counted[at] {
                continue;
            }
            totals.llm_calls += u64::from(span.kind == SpanKind::Llm);
            let tokens = &span.tokens;
            let add = |sum: &mut u64, part: Option<u64>| *sum = sum.saturating_add(part.unwrap_or(0));
            add(&mut totals.tokens_input, tokens.input);
            add(&mut totals.tokens_output, tokens.output);
            add(&mut totals.tokens_cached, tokens.cached);
            add(&mut totals.tokens_cache_write, tokens.cache_write);
            add(&mut totals.tokens_reasoning, tokens.reasoning);
            match Spend::of(span) {
                Spend::Simulated(cost) => {
                    totals.simulated_calls += 1;
                    totals.simulated_unpriced_calls += u64::from(cost.is_none() && !Spend::is_nothing(span));
                    add(&mut totals.cost_nanousd, cost);
                    add(&mut totals.simulated_nanousd, cost);
                }
                Spend::Known(cost) => totals.cost_nanousd = totals.cost_nanousd.saturating_add(cost),
                Spend::Unknown => totals.unpriced_calls += 1,
                Spend::Nothing => {}
            }
        }
        totals.handoff_depth = super::handoff::depth(self);
        totals
    }

    /// Whether it is a try of a step of a run, which is counted with its step.
    fn is_attempt(&self, at: usize) -> bool {
        self.parent[at].is_some_and(|parent| self.spans[parent].step && self.spans[parent].service == self.spans[at].service)
    }

    fn models(&self, counted: &[bool]) -> Vec<Symbol> {
        let mut models = Vec::new();
        for at in self.by_time.iter().copied().filter(|at| counted[*at]) {
            let model = self.spans[at].shown_model();
            if model != NONE && !models.contains(&model) {
                models.push(model);
                if models.len() == MOST_MODELS {
                    break;
                }
            }
        }
        models
    }

    /// For each span whether a step is below it. Every link is followed once, so cycles do no harm.
    fn contains_work(&self, counted: &[bool]) -> Vec<bool> {
        let mut contains = vec![false; self.spans.len()];
        for (at, span) in self.spans.iter().enumerate() {
            if !is_work(span.kind) || (span.kind.spends() && !counted[at]) {
                continue;
            }
            let mut above = self.parent[at];
            while let Some(parent) = above {
                if std::mem::replace(&mut contains[parent], true) {
                    break;
                }
                above = self.parent[parent];
            }
        }
        // Calls are steps whatever they contain.
        for (contains, span) in contains.iter_mut().zip(self.spans) {
            *contains &= matches!(span.kind, SpanKind::Task | SpanKind::Agent);
        }
        contains
    }

    /// For each span what comes of that of its parent, or of `above` where it has none. A cycle begins where the walk entered it.
    pub(super) fn down<T: Copy>(&self, above: T, of: impl Fn(T, usize) -> T) -> Vec<T> {
        let mut all: Vec<Option<T>> = vec![None; self.spans.len()];
        let mut path = Vec::new();
        let mut on_path = vec![false; self.spans.len()];
        for start in self.by_time.iter().copied() {
            let mut at = Some(start);
            while let Some(span) = at.filter(|span| all[*span].is_none() && !on_path[*span]) {
                on_path[span] = true;
                path.push(span);
                at = self.parent[span];
            }
            let mut value = at.and_then(|known| all[known]).unwrap_or(above);
            while let Some(span) = path.pop() {
                on_path[span] = false;
                value = of(value, span);
                all[span] = Some(value);
            }
        }
        all.into_iter().map(|value| value.unwrap_or(above)).collect()
    }
}

fn is_work(kind: SpanKind) -> bool {
    !matches!(kind, SpanKind::Workflow | SpanKind::Span)
}

/// What is known about the price of a call that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spend {
    /// Answered by the simulated provider: what it would have cost, where that is known.
    Simulated(Option<u64>),
    Known(u64),
    Unknown,
    /// It failed without having used anything.
    Nothing,
}

impl Spend {
    pub fn of(span: &SpanFacts) -> Spend {
        match span.cost_nanousd {
            cost if span.simulated => Spend::Simulated(cost),
            Some(cost) => Spend::Known(cost),
            None if Spend::is_nothing(span) => Spend::Nothing,
            None => Spend::Unknown,
        }
    }

    fn is_nothing(span: &SpanFacts) -> bool {
        span.open || (span.status == SpanStatus::Error && span.tokens.usage().is_none())
    }
}
