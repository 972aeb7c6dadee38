//! Variables of sessions: durable, shared by the runs of a session, and changed one change at a time.
//!
//! A session is a stream of its own. A change is an append to it that expects the seq it has read, so of two changes at once one is
//! refused by the store and carried out again on what the other one left.

use super::Env;
use crate::port::store::{Append, AppendError, StoreError};
use flowtrace_core::call::{SessionCall, SessionChange};
use flowtrace_core::change::{Change, change};
use flowtrace_core::event::{Body, Event};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::id::{StreamId, Timestamp};
use flowtrace_core::payload::{Payload, sha256_hex};
use moka::sync::Cache;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Sessions that are kept in memory.
const KEPT: u64 = 1_000;

/// Events that are read at once.
const PAGE: usize = 1_024;

/// Changes whose keys are remembered, so that one that was interrupted is not carried out twice.
const KEYS: usize = 4_096;

/// How often a change is carried out again because somebody else was quicker.
const MOST_CONFLICTS: u32 = 1_000;

pub(crate) struct Sessions {
    kept: Cache<Arc<str>, Arc<Session>>,
}

#[derive(Clone, Default)]
struct Session {
    version: u64,
    last_ts: Timestamp,
    variables: Arc<Value>,
    /// The latest changes by key.
    done: BTreeMap<String, SessionChange>,
    order: VecDeque<String>,
}

/// The stream of a session. It is derived, so that no list of sessions has to be kept.
pub fn session_stream(session: &str) -> StreamId {
    let hash = sha256_hex(format!("session:{session}").as_bytes());
    StreamId(u128::from_str_radix(&hash[..32], 16).unwrap_or_default())
}

impl Sessions {
    pub fn new() -> Self {
        Sessions { kept: Cache::new(KEPT) }
    }

    /// The variables of a session as they are now, an object.
    pub async fn read(&self, env: &Env, session: &str) -> Result<Arc<Value>, StoreError> {
        self.follow(env, session).await.map(|session| session.variables.clone())
    }

    /// What is kept, brought up to date.
    async fn follow(&self, env: &Env, name: &str) -> Result<Arc<Session>, StoreError> {
        let mut session = self.kept.get(name).unwrap_or_default();
        let stream = session_stream(name);
        loop {
            let events = env.store.read(stream, session.version, PAGE).await?;
            if events.is_empty() {
                break;
            }
            let next = Arc::make_mut(&mut session);
            for event in events {
                next.apply(env, event).await?;
            }
            self.kept.insert(name.into(), session.clone());
        }
        Ok(session)
    }

    /// Carries out a change. `key` makes it unique: the same one again answers what the first one came to.
    pub async fn change(&self, env: &Env, call: &SessionCall, key: &str) -> Result<SessionChange, Failure> {
        let failed = |error: StoreError| Failure::new(FailureCode::Internal, format!("The session cannot be changed: {error}."));
        let stream = session_stream(&call.session_id);
        for _ in 0..MOST_CONFLICTS {
            let session = self.follow(env, &call.session_id).await.map_err(failed)?;
            if let Some(done) = session.done.get(key) {
                return Ok(done.clone());
            }
            let mut trial = session.variables.as_object().cloned().unwrap_or_default();
            let (mut changes, mut blobs) = (Vec::new(), Vec::new());
            for (name, op, value) in &call.changes {
                change(&mut trial, name, *op, value.clone())
                    .map_err(|why| Failure::new(FailureCode::Template, format!("the session cannot be changed: {why}")))?;
                let (value, blob) = Payload::new(Arc::new(value.clone()));
                blobs.extend(blob);
                changes.push(Change { name: name.clone(), op: *op, value });
            }
            let version = session.version + 1;
            let body = Body::SessionChanged {
                session_id: call.session_id.clone(),
                version,
                changes: changes.clone(),
                key: key.to_owned(),
            };
            let event = Event { seq: version, ts: env.clock.now().max(session.last_ts), step: None, body };
            let append = Append { stream, expected: session.version, events: vec![event], blobs, ..Append::default() };
            match env.store.append(append).await {
                Ok(()) => return Ok(SessionChange { version, changes }),
                Err(AppendError::Conflict { .. }) => {}
                Err(AppendError::Store(error)) => return Err(failed(error)),
                Err(other) => return Err(failed(StoreError::Unavailable(other.to_string()))),
            }
        }
        let message = "The session is changed by so many runs at once that this change found no gap. Try again later.";
        Err(Failure::new(FailureCode::ServerError, message))
    }
}

impl Session {
    async fn apply(&mut self, env: &Env, event: Event) -> Result<(), StoreError> {
        self.version = event.seq;
        self.last_ts = event.ts;
        let Body::SessionChanged { version, changes, key, .. } = event.body else { return Ok(()) };
        if !self.variables.is_object() {
            self.variables = Arc::new(Value::Object(Map::new()));
        }
        for Change { name, op, value } in &changes {
            let value = (*env.values.load(&*env.store, value).await?).clone();
            if let Value::Object(map) = Arc::make_mut(&mut self.variables) {
                change(map, name, *op, value).map_err(StoreError::Corrupt)?;
            }
        }
        self.order.push_back(key.clone());
        self.done.insert(key, SessionChange { version, changes });
        if self.order.len() > KEYS
            && let Some(oldest) = self.order.pop_front()
        {
            self.done.remove(&oldest);
        }
        Ok(())
    }
}
