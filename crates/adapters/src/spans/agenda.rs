//! When large traces are added up: soon after they were touched, and then they rest.

use super::schema::Period;
use flowtrace_core::id::TraceId;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How long a first batch waits for others.
const SOON: Duration = Duration::from_millis(200);

/// A trace rests so many times longer than adding it up took.
const REST: u32 = 20;

/// When large traces are added up.
#[derive(Default)]
pub struct Agenda(HashMap<(Period, i64), Entry>);

struct Entry {
    id: TraceId,
    due: Option<Instant>,
    rests_until: Instant,
}

/// Traces whose rest is remembered, at most.
const REMEMBERED: usize = 10_000;

impl Agenda {
    pub fn add(&mut self, period: Period, no: i64, id: TraceId) {
        let now = Instant::now();
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, entry| entry.due.is_some() || entry.rests_until > now);
        }
        let entry = self.0.entry((period, no)).or_insert(Entry { id, due: None, rests_until: now });
        entry.due.get_or_insert(entry.rests_until.max(now + SOON));
    }

    pub fn forget(&mut self, period: Period) {
        self.0.retain(|(of, _), _| *of != period);
    }

    /// How long nothing has to be done.
    pub fn idle(&self) -> Option<Duration> {
        let due = self.0.values().filter_map(|entry| entry.due).min()?;
        Some(due.saturating_duration_since(Instant::now()))
    }

    pub fn take_due(&mut self) -> Option<(Period, i64, TraceId)> {
        let now = Instant::now();
        let due = self.0.iter_mut().filter(|(_, entry)| entry.due.is_some_and(|due| due <= now));
        let ((period, no), entry) = due.min_by_key(|(_, entry)| entry.due)?;
        entry.due = None;
        Some((*period, *no, entry.id))
    }

    pub fn rest(&mut self, period: Period, no: i64, took: Duration) {
        if let Some(entry) = self.0.get_mut(&(period, no)) {
            entry.rests_until = Instant::now() + took * REST;
        }
    }
}
