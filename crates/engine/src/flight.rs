//! Single flight: of several identical calls at the same time one goes out, and the others take its answer.

use flowtrace_core::call::CachedAnswer;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

type Waiting = watch::Sender<Option<Arc<CachedAnswer>>>;

#[derive(Default)]
pub(crate) struct Flights {
    under_way: Arc<Mutex<HashMap<String, Arc<Waiting>>>>,
}

pub(crate) enum Ticket {
    /// Nobody is asking this: go, and tell the others through the guard.
    Lead(Flight),
    /// Somebody is asking already. The value is the answer, or `None` if that call came to nothing: then ask again.
    Follow(watch::Receiver<Option<Arc<CachedAnswer>>>),
}

/// Held by the one who asks. Whoever waits is released when it is dropped, with the answer if there is one.
pub(crate) struct Flight {
    key: String,
    waiting: Arc<Waiting>,
    under_way: Arc<Mutex<HashMap<String, Arc<Waiting>>>>,
}

impl Flights {
    pub fn board(&self, key: &str) -> Ticket {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = under_way.get(key) {
            return Ticket::Follow(waiting.subscribe());
        }
        let waiting = Arc::new(watch::Sender::new(None));
        under_way.insert(key.to_owned(), waiting.clone());
        Ticket::Lead(Flight { key: key.to_owned(), waiting, under_way: self.under_way.clone() })
    }
}

impl Flight {
    /// Hands the answer to everybody who waits, and to whoever still boards before the guard is dropped.
    pub fn land(&self, answer: CachedAnswer) {
        self.waiting.send_replace(Some(Arc::new(answer)));
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// Waits for the leader. `None` when it gave up.
pub(crate) async fn follow(mut receiver: watch::Receiver<Option<Arc<CachedAnswer>>>) -> Option<Arc<CachedAnswer>> {
    loop {
        if let Some(answer) = receiver.borrow_and_update().clone() {
            return Some(answer);
        }
        if receiver.changed().await.is_err() {
            return receiver.borrow().clone();
        }
    }
}
