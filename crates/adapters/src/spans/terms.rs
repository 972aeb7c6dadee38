//! What traces are found by, besides numbers and text: one row of `terms` for each pair of such a value and a trace that has it.

use flowtrace_core::trace::facts::{Symbol, hash};

/// What a term is about. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    Status = 1,
    Kind = 2,
    Name = 3,
    Model = 4,
    Provider = 5,
    Service = 6,
    Environment = 7,
    Workflow = 8,
    Session = 9,
    User = 10,
    Tag = 11,
    Metadata = 12,
    Prompt = 13,
    Score = 14,
    /// With the name of the prompt, and without.
    PromptVersion = 15,
}

/// A field and a symbol (or the number of a status or kind) in one integer.
pub fn term(field: Field, value: Symbol) -> i64 {
    value << 4 | field as i64
}

/// A version of a prompt, and of whichever prompt where `name` is empty.
pub fn prompt_version(name: &str, version: &str) -> String {
    metadata_text(name, version)
}

/// The text of a key and its value, of bounded length.
pub fn metadata(key: &str, value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => metadata_text(key, text),
        other => metadata_text(key, &other.to_string()),
    }
}

pub fn metadata_text(key: &str, value: &str) -> String {
    if key.len() + value.len() <= 256 {
        // The length of the key tells `a=b` = `c` from `a` = `b=c`.
        format!("{}:{key}={value}", key.len())
    } else {
        format!("#{:016x}{:016x}", hash(key), hash(value))
    }
}
