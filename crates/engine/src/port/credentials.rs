//! What opens doors: secrets, which are sealed before they come here, and access keys, of which only the hash comes here.

use super::BoxFuture;
use super::store::StoreError;
use flowtrace_core::id::Timestamp;

/// A secret as it is kept. Its name is no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    pub name: String,
    /// What only the holder of the key can open.
    pub sealed: Vec<u8>,
    /// Tells which key that is, without telling the key.
    pub key_id: String,
    pub set_at: Timestamp,
}

/// What a request proves with it, and what it may do then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    pub id: String,
    /// What people call it.
    pub name: String,
    /// SHA-256 of the key, in hex.
    pub hash: String,
    /// How the key begins, for people who look for the one they have.
    pub hint: String,
    /// `all` or `ingest`.
    pub scope: String,
    pub created_at: Timestamp,
    /// Roughly: not every use is written down.
    pub last_used_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("another access key has this name")]
    NameTaken,
    #[error("there are as many access keys as there may be")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub trait Credentials: Send + Sync {
    /// In the order of their names.
    fn secrets(&self) -> BoxFuture<'_, Result<Vec<SealedSecret>, StoreError>>;
    /// Sets a secret, or takes the place of the one of this name. `false`, and nothing is written, if there would be more than
    /// `most` then.
    fn put_secret(&self, secret: SealedSecret, most: usize) -> BoxFuture<'_, Result<bool, StoreError>>;
    fn delete_secret(&self, name: &str) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// In the order in which they were made.
    fn access_keys(&self) -> BoxFuture<'_, Result<Vec<AccessKey>, StoreError>>;
    /// Names are taken once, and there are at most `most`.
    fn create_access_key(&self, key: AccessKey, most: usize) -> BoxFuture<'_, Result<(), KeyError>>;
    fn delete_access_key(&self, id: &str) -> BoxFuture<'_, Result<bool, StoreError>>;
    /// Writes down that a key was used. One that is gone stays gone.
    fn touch_access_key(&self, id: &str, used_at: Timestamp) -> BoxFuture<'_, Result<(), StoreError>>;
}
