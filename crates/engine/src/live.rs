//! Token deltas: what models are saying right now. Live only, never stored; the answer itself is in the journal.

use flowtrace_core::id::{RunId, StepPath};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;

/// Pieces that a slow reader may be behind before it has to start again from the text so far.
const BACKLOG: usize = 1024;

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    pub step: StepPath,
    pub request: u32,
    pub attempt: u32,
    pub text: Arc<str>,
}

/// What was said before the subscription, one delta for each answer under way, and what is said from then on.
pub struct Deltas {
    pub so_far: Vec<Delta>,
    pub next: broadcast::Receiver<Delta>,
}

#[derive(Default)]
pub(crate) struct Live {
    runs: Mutex<HashMap<RunId, Arc<LiveRun>>>,
}

#[derive(Default)]
pub(crate) struct LiveRun {
    inner: Mutex<Answers>,
}

#[derive(Default)]
struct Answers {
    texts: HashMap<(StepPath, u32, u32), String>,
    /// Made for the first reader: most runs have none, and the channel takes its whole backlog at once.
    sender: Option<broadcast::Sender<Delta>>,
}

impl Live {
    pub fn run(&self, run: RunId) -> Arc<LiveRun> {
        lock(&self.runs).entry(run).or_default().clone()
    }

    /// Forgets a run that is no longer active. Readers that are still there see the channel close.
    pub fn forget(&self, run: RunId) {
        lock(&self.runs).remove(&run);
    }

    /// `None` if nothing of the run is under way.
    pub fn subscribe(&self, run: RunId) -> Option<Deltas> {
        let live = lock(&self.runs).get(&run).cloned()?;
        let mut answers = lock(&live.inner);
        let mut so_far: Vec<Delta> = answers
            .texts
            .iter()
            .map(|((step, request, attempt), text)| Delta {
                step: step.clone(),
                request: *request,
                attempt: *attempt,
                text: text.as_str().into(),
            })
            .collect();
        so_far.sort_by(|a, b| (&a.step, a.request, a.attempt).cmp(&(&b.step, b.request, b.attempt)));
        let next = answers.sender.get_or_insert_with(|| broadcast::Sender::new(BACKLOG)).subscribe();
        Some(Deltas { so_far, next })
    }
}

impl LiveRun {
    pub fn push(&self, step: &StepPath, request: u32, attempt: u32, text: &str) {
        if text.is_empty() {
            return;
        }
        let mut answers = lock(&self.inner);
        answers.texts.entry((step.clone(), request, attempt)).or_default().push_str(text);
        if let Some(sender) = answers.sender.as_ref().filter(|sender| sender.receiver_count() > 0) {
            let _ = sender.send(Delta { step: step.clone(), request, attempt, text: text.into() });
        }
    }

    /// The attempt has ended, one way or the other: its text is in the journal or of no use.
    pub fn clear(&self, step: &StepPath, request: u32, attempt: u32) {
        lock(&self.inner).texts.remove(&(step.clone(), request, attempt));
    }
}

/// A poisoned lock only means that some other thread panicked between two map operations: the map itself is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_reader_gets_the_text_so_far_and_then_the_rest() {
        let live = Live::default();
        let run = RunId::default();
        assert!(live.subscribe(run).is_none());
        let step: StepPath = "say".into();
        let answers = live.run(run);
        answers.push(&step, 1, 1, "Hel");
        answers.push(&step, 1, 1, "lo");
        let mut deltas = live.subscribe(run).unwrap();
        assert_eq!(deltas.so_far.iter().map(|delta| delta.text.as_ref()).collect::<Vec<_>>(), ["Hello"]);
        answers.push(&step, 1, 1, " there");
        assert_eq!(deltas.next.try_recv().unwrap().text.as_ref(), " there");
        answers.clear(&step, 1, 1);
        assert!(live.subscribe(run).unwrap().so_far.is_empty());
    }
}
