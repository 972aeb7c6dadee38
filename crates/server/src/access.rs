//! Access keys: what clients prove with them, and when they were last used.

use flowtrace_core::id::Timestamp;
use flowtrace_core::payload::sha256_hex;
use flowtrace_engine::port::credentials::AccessKey;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use subtle::ConstantTimeEq;

/// How every key begins, so that people and scanners for leaked keys recognise it.
pub const PREFIX: &str = "ft_";

/// Characters of a key that are kept and shown, to tell keys apart.
const HINT: usize = PREFIX.len() + 4;

/// Keys that there may be.
pub const MOST: usize = 100;

/// A use is written down when the last one that was is at least this old, in microseconds: an hour.
const COARSE: u64 = 3_600_000_000;

/// What a request may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Send spans and scores, and nothing else.
    Ingest,
    All,
}

impl Scope {
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::All => "all",
            Scope::Ingest => "ingest",
        }
    }

    /// What is not known may do least.
    fn parse(text: &str) -> Self {
        if text == "all" { Scope::All } else { Scope::Ingest }
    }
}

/// A new key in the clear, and what is kept of it.
pub fn make(name: String, scope: Scope, now: Timestamp) -> (String, AccessKey) {
    // Twice 122 random bits.
    let secret = format!("{PREFIX}{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let key = AccessKey {
        id: uuid::Uuid::now_v7().to_string(),
        name,
        hash: sha256_hex(secret.as_bytes()),
        hint: secret[..HINT].to_owned(),
        scope: scope.as_str().to_owned(),
        created_at: now,
        last_used_at: None,
    };
    (secret, key)
}

/// One key as requests are compared with it.
#[derive(Debug)]
pub struct Known {
    pub key: AccessKey,
    pub scope: Scope,
    /// Microseconds of the last use that was written down; 0 for none.
    used: AtomicU64,
}

impl Known {
    pub fn last_used_at(&self) -> Option<Timestamp> {
        Some(self.used.load(Ordering::Relaxed)).filter(|used| *used > 0).map(Timestamp)
    }

    /// Whether this use has to be written down.
    pub fn used(&self, now: Timestamp) -> bool {
        let last = self.used.load(Ordering::Relaxed);
        let due = last == 0 || now.0.saturating_sub(last) >= COARSE;
        // Of several at once, one writes.
        due && self.used.compare_exchange(last, now.0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// The keys that count now.
#[derive(Debug, Default)]
pub struct KeyRing(RwLock<Arc<Vec<Arc<Known>>>>);

impl KeyRing {
    /// After a change in the store.
    pub fn replace(&self, keys: Vec<AccessKey>) {
        let known = keys.into_iter().map(|key| {
            let (scope, used) = (Scope::parse(&key.scope), AtomicU64::new(key.last_used_at.map_or(0, |at| at.0)));
            Arc::new(Known { key, scope, used })
        });
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known.collect());
    }

    /// In the order in which they were made.
    pub fn all(&self) -> Arc<Vec<Arc<Known>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The key that this is. All are compared, each in constant time.
    pub fn find(&self, candidate: &str) -> Option<Arc<Known>> {
        let keys = self.all();
        if keys.is_empty() || !candidate.starts_with(PREFIX) {
            return None;
        }
        let hash = sha256_hex(candidate.as_bytes());
        let mut found = None;
        for known in keys.iter() {
            if bool::from(known.key.hash.as_bytes().ct_eq(hash.as_bytes())) {
                found = Some(known.clone());
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_hash_alone() {
        let (secret, key) = make("ci".to_owned(), Scope::Ingest, Timestamp(5));
        assert!(secret.len() == 67 && secret.starts_with(&key.hint) && key.hint.len() == 7, "{secret} {}", key.hint);
        assert!(!format!("{key:?}").contains(&secret));
        let ring = KeyRing::default();
        assert!(ring.find(&secret).is_none());
        let (other, second) = make("other".to_owned(), Scope::All, Timestamp(6));
        ring.replace(vec![key.clone(), second]);
        assert_eq!(ring.find(&secret).map(|known| (known.key.id.clone(), known.scope)), Some((key.id, Scope::Ingest)));
        assert_eq!(ring.find(&other).map(|known| known.scope), Some(Scope::All));
        for wrong in ["", PREFIX, &secret[..66], &format!("{secret}0"), &key.hash, &format!("{PREFIX}{}", key.hash)] {
            assert!(ring.find(wrong).is_none(), "{wrong}");
        }
        ring.replace(Vec::new());
        assert!(ring.find(&secret).is_none());
    }

    #[test]
    fn uses_are_written_down_once_an_hour() {
        let ring = KeyRing::default();
        ring.replace(vec![make("a".to_owned(), Scope::All, Timestamp(5)).1]);
        let known = ring.all()[0].clone();
        assert_eq!(known.last_used_at(), None);
        let start = 1_000 * COARSE;
        let written: Vec<bool> = [0, 1, COARSE - 1, COARSE, COARSE + 1].map(|at| known.used(Timestamp(start + at))).into();
        assert_eq!(written, [true, false, false, true, false]);
        assert_eq!(known.last_used_at(), Some(Timestamp(start + COARSE)));
    }

    #[test]
    fn an_unknown_scope_may_do_least() {
        assert_eq!(
            (Scope::parse("all"), Scope::parse("ingest"), Scope::parse("admin")),
            (Scope::All, Scope::Ingest, Scope::Ingest)
        );
        assert!(Scope::All > Scope::Ingest);
    }
}
