//! The vault: secrets that people set in the settings. They are stored sealed (XChaCha20-Poly1305, a random nonce for each, the name
//! as associated data) and are in the clear only in the memory of this process, which is also what they are known by when they
//! come back and have to be taken out. No way leads out but [`Vault::get`], which tools and providers use.

mod key_file;
#[cfg(test)]
mod tests;

pub use key_file::{KeyFile, NoKey};

use crate::redactor::Known;
use flowtrace_core::id::Timestamp;
use flowtrace_engine::port::credentials::{Credentials, SealedSecret};
use flowtrace_engine::port::store::StoreError;
use key_file::SealingKey;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

/// Secrets that there may be.
pub const MOST: usize = 200;
/// Bytes of a value.
pub const MAX_VALUE: usize = 64 * 1024;
/// Characters of a name.
pub const MAX_NAME: usize = 100;

pub struct Vault {
    store: Arc<dyn Credentials>,
    key_file: KeyFile,
    /// What is not in the vault and must not be shown either: variables of the environment.
    others: Vec<(String, String)>,
    known: Known,
    state: RwLock<Arc<State>>,
    /// Held over a change and the reading of what came of it.
    changing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    key: KeyStatus,
    secrets: BTreeMap<String, Secret>,
}

struct Secret {
    set_at: Timestamp,
    /// `None`: the key at hand does not open it.
    value: Option<Arc<str>>,
}

/// How it is about the key that seals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KeyStatus {
    /// It will be made when the first secret is set.
    #[default]
    NotMade,
    /// It opens every secret.
    Ready,
    /// Secrets are there, and the key file is not.
    Missing,
    /// Some secrets were sealed with another key.
    Other,
    /// The file cannot be used, as the sentence says.
    Unusable(String),
}

/// What may be told of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub name: String,
    pub set_at: Timestamp,
    /// Whether the key opens it.
    pub usable: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    #[error("{0}")]
    Invalid(String),
    #[error("there are {MOST} secrets already, and no more may be: delete one first")]
    TooMany,
    /// Without the key nothing can be sealed. A sentence.
    #[error("{0}")]
    NoKey(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Vault {
    /// Only a store that cannot be read keeps a vault from opening; what is wrong with the key is told by [`Vault::problem`].
    /// `others` are names and values that come from elsewhere; with the secrets they make up what is `known`.
    pub async fn open(
        store: Arc<dyn Credentials>,
        key_file: KeyFile,
        others: Vec<(String, String)>,
        known: Known,
    ) -> Result<Arc<Vault>, StoreError> {
        let vault = Vault { store, key_file, others, known, state: RwLock::default(), changing: tokio::sync::Mutex::default() };
        vault.read().await?;
        Ok(Arc::new(vault))
    }

    fn state(&self) -> Arc<State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the store and the key file again, so that a key that somebody puts back counts without a restart.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let _changing = self.changing.lock().await;
        self.read().await
    }

    async fn read(&self) -> Result<(), StoreError> {
        let sealed = self.store.secrets().await?;
        let key_file = self.key_file.clone();
        let key = tokio::task::spawn_blocking(move || key_file.read()).await;
        let key = key.unwrap_or_else(|_| Err(NoKey::Unusable("the key file could not be read".to_owned())));
        let open = |secret: &SealedSecret| key.as_ref().ok().and_then(|key| key.open(&secret.name, &secret.sealed));
        let secrets: BTreeMap<String, Secret> = sealed
            .iter()
            .map(|secret| {
                let value = open(secret).map(Arc::from);
                (secret.name.clone(), Secret { set_at: secret.set_at, value })
            })
            .collect();
        let key = match &key {
            Ok(_) if secrets.values().all(|secret| secret.value.is_some()) => KeyStatus::Ready,
            Ok(_) => KeyStatus::Other,
            Err(NoKey::Absent) if secrets.is_empty() => KeyStatus::NotMade,
            Err(NoKey::Absent) => KeyStatus::Missing,
            Err(NoKey::Unusable(why)) => KeyStatus::Unusable(why.clone()),
        };
        let values = secrets.iter().filter_map(|(name, secret)| Some((name.clone(), secret.value.as_ref()?.to_string())));
        let all: Vec<_> = self.others.iter().cloned().chain(values).collect();
        // First, so that no moment is there in which a secret can be used and would not be recognised.
        self.known.replace(&all).map_err(|failure| StoreError::Unavailable(failure.message))?;
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(State { key, secrets });
        Ok(())
    }

    /// The value, for whoever calls something with it.
    pub fn get(&self, name: &str) -> Option<String> {
        self.state().secrets.get(name)?.value.as_ref().map(|value| value.to_string())
    }

    /// Why a secret that is there has no value, as the end of a sentence.
    pub fn why_not(&self, name: &str) -> Option<String> {
        let state = self.state();
        let secret = state.secrets.get(name)?;
        secret
            .value
            .is_none()
            .then(|| "it is stored, but it cannot be opened with the key file of this server; the settings say more".to_owned())
    }

    pub fn list(&self) -> Vec<Listed> {
        let state = self.state();
        let listed = |(name, secret): (&String, &Secret)| Listed {
            name: name.clone(),
            set_at: secret.set_at,
            usable: secret.value.is_some(),
        };
        state.secrets.iter().map(listed).collect()
    }

    pub fn key_path(&self) -> Option<&Path> {
        self.key_file.path.as_deref()
    }

    pub fn key(&self) -> KeyStatus {
        self.state().key.clone()
    }

    /// What is wrong with the key and what to do, without the period at the end.
    pub fn problem(&self) -> Option<String> {
        let state = self.state();
        let path = self.key_file.path.as_deref().unwrap_or(Path::new("?")).display();
        let closed = state.secrets.values().filter(|secret| secret.value.is_none()).count();
        let (secrets, they, them) = match closed {
            1 => ("1 secret".to_owned(), "it was", "it"),
            more => (format!("{more} secrets"), "they were", "them"),
        };
        match &state.key {
            KeyStatus::NotMade | KeyStatus::Ready => None,
            KeyStatus::Unusable(why) => Some(why.clone()),
            KeyStatus::Missing => Some(format!(
                "{secrets} cannot be opened, because the key file {path} is not there: put it back, or delete {them} and set {them} again"
            )),
            KeyStatus::Other => Some(format!(
                "{secrets} cannot be opened, because {they} not sealed with the key in {path}: put the right key file there, or set \
                 {them} again"
            )),
        }
    }

    /// Sets a secret, or replaces it. It counts from the next call on.
    pub async fn set(&self, name: &str, value: &str, now: Timestamp) -> Result<(), VaultError> {
        check_name(name).map_err(VaultError::Invalid)?;
        if value.is_empty() {
            return Err(VaultError::Invalid("the value is empty".to_owned()));
        }
        if value.len() > MAX_VALUE {
            return Err(VaultError::Invalid(format!("the value has {} bytes, and at most {MAX_VALUE} are kept", value.len())));
        }
        let _changing = self.changing.lock().await;
        // The state may be older than what somebody did to the key file.
        self.read().await?;
        if self.state().key == KeyStatus::Missing {
            return Err(VaultError::NoKey(self.problem().unwrap_or_default()));
        }
        let key = self.make_key().await.map_err(|reason| match reason {
            NoKey::Unusable(why) => VaultError::NoKey(why),
            NoKey::Absent => VaultError::NoKey("the key file was removed at this moment; try again".to_owned()),
        })?;
        let sealed = key.seal(name, value).map_err(VaultError::NoKey)?;
        let secret = SealedSecret { name: name.to_owned(), sealed, key_id: key.id.clone(), set_at: now };
        if !self.store.put_secret(secret, MOST).await? {
            return Err(VaultError::TooMany);
        }
        Ok(self.read().await?)
    }

    async fn make_key(&self) -> Result<SealingKey, NoKey> {
        let key_file = self.key_file.clone();
        let made = tokio::task::spawn_blocking(move || key_file.read_or_make()).await;
        made.unwrap_or_else(|_| Err(NoKey::Unusable("the key file could not be made".to_owned())))
    }

    /// `false` if there is none of this name.
    pub async fn delete(&self, name: &str) -> Result<bool, StoreError> {
        let _changing = self.changing.lock().await;
        let deleted = self.store.delete_secret(name).await?;
        self.read().await?;
        Ok(deleted)
    }
}

/// Letters, digits, `_`, `-` and `.`, none of the last two in front, so that a name is also a piece of a path. The error is what is
/// wrong, without the period at the end.
pub fn check_name(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(allowed) || name.starts_with(['-', '.']) {
        return Err(format!(
            "the name of a secret has 1 to {MAX_NAME} letters, digits, `_`, `-` and `.`, and begins with a letter, a digit or `_`"
        ));
    }
    Ok(())
}
