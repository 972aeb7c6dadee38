//! Keys that never show: not in `Debug`, not in errors, not in what an upstream echoes.

use crate::secrets::Secrets;
use http::HeaderValue;
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::sync::Arc;

/// A provider's key. Its only way out is the header of a call.
#[derive(Clone)]
pub struct ApiKey {
    text: Arc<str>,
    header: HeaderValue,
}

/// Why a text cannot be a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    #[error("it is empty")]
    Empty,
    #[error("it has a character that no HTTP header can carry (a line break inside, or one that is not ASCII)")]
    NotAHeader,
}

impl ApiKey {
    /// Surrounding white space goes, since keys come from files and shells.
    pub fn new(text: &str) -> Result<Self, InvalidKey> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidKey::Empty);
        }
        if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(InvalidKey::NotAHeader);
        }
        let mut header = HeaderValue::from_str(text).map_err(|_| InvalidKey::NotAHeader)?;
        header.set_sensitive(true);
        Ok(ApiKey { text: text.into(), header })
    }

    pub(super) fn expose(&self) -> &str {
        &self.text
    }

    pub(super) fn header(&self) -> HeaderValue {
        self.header.clone()
    }
}

impl<'de> Deserialize<'de> for ApiKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The deserializer's own error would print the value.
        let text = String::deserialize(deserializer).map_err(|_| serde::de::Error::custom("a key has to be a string"))?;
        ApiKey::new(&text).map_err(|error| serde::de::Error::custom(format!("the key is not usable: {error}")))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(redacted)")
    }
}

/// Where a provider's key comes from at each call.
#[derive(Clone, Default)]
pub struct KeySource {
    /// From the environment or the configuration; it is there for as long as the process.
    pub given: Option<ApiKey>,
    /// Otherwise a secret of this name, which may come and go.
    pub secret: Option<(String, Arc<dyn Secrets>)>,
}

impl KeySource {
    /// The key as it is now. A secret that cannot be a key counts as none.
    pub fn now(&self) -> Option<ApiKey> {
        let secret = || self.secret.as_ref().and_then(|(name, secrets)| ApiKey::new(&secrets.get(name)?).ok());
        self.given.clone().or_else(secret)
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySource(redacted)")
    }
}

const REDACTED: &str = "[redacted]";

/// Words that start like this and go on are keys, whoever's they are.
const PREFIXES: [&str; 2] = ["sk-", "Bearer "];

/// Characters after a prefix from which on a word is a key and not the mention of one.
const SHORTEST: usize = 6;

/// Removes `key`, and everything that looks like a key, from a text that came from outside.
pub fn redact(text: &str, key: Option<&ApiKey>) -> String {
    let mut text = match key {
        Some(key) => text.replace(key.expose(), REDACTED),
        None => text.to_owned(),
    };
    for prefix in PREFIXES {
        text = redact_words(&text, prefix);
    }
    text
}

fn redact_words(text: &str, prefix: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(prefix) {
        let after = start + prefix.len();
        let word = rest[after..].find(|c: char| !is_key_character(c)).unwrap_or(rest.len() - after);
        let inside_a_word = rest[..start].ends_with(|c: char| c.is_alphanumeric());
        if word >= SHORTEST && !inside_a_word {
            result.push_str(&rest[..start]);
            result.push_str(REDACTED);
        } else {
            result.push_str(&rest[..after + word]);
        }
        rest = &rest[after + word..];
    }
    result.push_str(rest);
    result
}

/// Stars are included because providers mask the middle of a key with them.
fn is_key_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '*' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_and_words_stay() {
        let key = Some(ApiKey::new(" weird+key/1 \n").unwrap());
        let table = [
            ("bad key weird+key/1!", "bad key [redacted]!"),
            ("Incorrect API key provided: sk-ab**********9xyz. See", "Incorrect API key provided: [redacted] See"),
            ("sk-ant-api03-AAAA_bbbb and sk-1234567", "[redacted] and [redacted]"),
            ("Authorization: Bearer abcdef123", "Authorization: [redacted]"),
            ("a task-oriented-answer, a disk-usage-report", "a task-oriented-answer, a disk-usage-report"),
            ("keys start with sk-", "keys start with sk-"),
            ("é sk-é", "é sk-é"),
        ];
        for (text, expected) in table {
            assert_eq!(redact(text, key.as_ref()), expected);
        }
        assert_eq!(format!("{key:?}"), "Some(ApiKey(redacted))");
        assert_eq!(ApiKey::new("  ").err(), Some(InvalidKey::Empty));
        assert_eq!(ApiKey::new("a\nb").err(), Some(InvalidKey::NotAHeader));
        assert_eq!(ApiKey::new("ké").err(), Some(InvalidKey::NotAHeader));
        let error = serde_json::from_value::<ApiKey>(serde_json::json!(987654)).unwrap_err();
        assert!(!error.to_string().contains("987654"), "{error}");
    }
}
