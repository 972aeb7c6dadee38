//! Who follows which stream.

use flowtrace_core::id::StreamId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// A channel exists only while somebody listens.
#[derive(Debug, Default)]
pub struct Watchers {
    channels: Mutex<Channels>,
}

#[derive(Debug, Default)]
struct Channels {
    by_stream: HashMap<StreamId, watch::Sender<u64>>,
    /// When the map has grown to this size, channels without a listener are dropped.
    sweep_at: usize,
}

impl Watchers {
    fn lock(&self) -> MutexGuard<'_, Channels> {
        // The map is whole after every statement, so a panic of another holder does no harm.
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows a stream whose committed head `head` reads. The channel is there before `head` is read: a commit in between raises
    /// the value, and a value never falls.
    pub fn watch(&self, stream: StreamId, head: impl FnOnce() -> u64) -> watch::Receiver<u64> {
        let sender = {
            let mut channels = self.lock();
            if channels.by_stream.len() >= channels.sweep_at {
                channels.by_stream.retain(|_, sender| !sender.is_closed());
                channels.sweep_at = 2 * channels.by_stream.len() + 64;
            }
            channels.by_stream.entry(stream).or_default().clone()
        };
        // This subscription keeps the channel alive while the head is read.
        let _alive = sender.subscribe();
        raise(&sender, head());
        sender.subscribe()
    }

    /// Tells the followers what is committed.
    pub fn publish(&self, heads: impl Iterator<Item = (StreamId, u64)>) {
        let mut channels = self.lock();
        if channels.by_stream.is_empty() {
            return;
        }
        for (stream, head) in heads {
            if let Some(sender) = channels.by_stream.get(&stream) {
                if sender.is_closed() {
                    channels.by_stream.remove(&stream);
                } else {
                    raise(sender, head);
                }
            }
        }
    }
}

fn raise(sender: &watch::Sender<u64>, head: u64) {
    sender.send_if_modified(|value| {
        let higher = head > *value;
        if higher {
            *value = head;
        }
        higher
    });
}
