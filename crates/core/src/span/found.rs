//! What the conventions say about one span, before it is decided who is right.
//!
//! Every attribute is looked at once. A convention offers what it reads under a rank; the best rank wins whatever the order of the
//! attributes. Nothing is copied until the end.

use super::SpanKind;
use super::messages::indexed::Indexed;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Who is believed first. The SDK that made the span knows best; a name that any SDK may use says least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// `langfuse.*`, `respan.*`, OpenInference.
    Vendor,
    /// The `gen_ai.*` of today.
    Current,
    /// Names that `gen_ai.*` had before, and `llm.*`.
    Old,
    /// `traceloop.entity.*`.
    Entity,
    /// `ai.*`, `input.value` and what else says little about its sender.
    Generic,
}

/// The best offer for a field.
#[derive(Debug)]
pub struct Best<T>(Option<(Rank, T)>);

impl<T> Default for Best<T> {
    fn default() -> Self {
        Best(None)
    }
}

impl<T> Best<T> {
    /// Keeps the offer if nobody better has made one.
    pub fn offer(&mut self, rank: Rank, value: Option<T>) {
        if let Some(value) = value
            && self.0.as_ref().is_none_or(|(best, _)| rank < *best)
        {
            self.0 = Some((rank, value));
        }
    }

    pub fn take(&mut self) -> Option<T> {
        self.0.take().map(|(_, value)| value)
    }

    pub fn get(&self) -> Option<&T> {
        self.0.as_ref().map(|(_, value)| value)
    }

    pub fn is_some(&self) -> bool {
        self.0.is_some()
    }
}

/// A text that nobody has copied yet.
pub type Text<'a> = Cow<'a, str>;

/// An input or an output, and whether its sender writes values, or each value of a list, as JSON text.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    Json(&'a Value),
    Text(&'a Value),
    Texts(&'a Value),
}

#[derive(Debug, Default)]
pub struct Found<'a> {
    pub kind: Best<SpanKind>,
    /// Offered where the name on the wire is not the one that people gave.
    pub name: Best<Text<'a>>,
    pub workflow: Best<Text<'a>>,
    pub session: Best<Text<'a>>,
    /// `session.id`, which counts as the vendor's own word on a vendor's span only.
    pub session_generic: Option<Text<'a>>,
    pub vendor: bool,
    /// A decorator of a function: whatever else it says, it made no model call itself.
    pub decorator: bool,
    pub entity_name: Option<Text<'a>>,
    pub tool_name: Option<Text<'a>>,
    pub user: Best<Text<'a>>,
    pub environment: Best<Text<'a>>,
    pub provider: Best<Text<'a>>,
    pub model_requested: Best<Text<'a>>,
    pub model: Best<Text<'a>>,
    pub response_id: Best<Text<'a>>,
    pub finish_reason: Best<Text<'a>>,
    pub prompt_name: Best<Text<'a>>,
    pub prompt_version: Best<Text<'a>>,
    pub error: Best<Text<'a>>,
    /// The sender says that it failed, though its status may not.
    pub failed: bool,

    pub input_tokens: Best<u64>,
    /// Without what was read from a cache or written to it.
    pub input_beside_cache: Option<u64>,
    pub output_tokens: Best<u64>,
    pub cached: Best<u64>,
    pub cache_write: Best<u64>,
    pub reasoning: Best<u64>,
    pub cost_usd: Best<f64>,
    pub first_token_ms: Best<f64>,
    /// RFC 3339.
    pub first_token_at: Best<Text<'a>>,

    pub system: Option<&'a Value>,
    pub messages_in: Best<&'a Value>,
    pub messages_out: Best<&'a Value>,
    pub indexed_in: Indexed<'a>,
    pub indexed_out: Indexed<'a>,
    /// The answer as a text and a list of calls apart.
    pub answer_text: Option<&'a Value>,
    pub answer_calls: Option<&'a Value>,
    pub input: Best<Content<'a>>,
    pub output: Best<Content<'a>>,
    pub input_is_json: Option<bool>,
    pub output_is_json: Option<bool>,
    pub tools: Best<&'a Value>,
    pub indexed_tools: Vec<(u32, &'a Value)>,
    /// What a search found: number, field, value.
    pub documents: Vec<(u32, &'a str, &'a Value)>,
    /// The texts of embeddings by their numbers.
    pub embedded: Vec<(u32, &'a Value)>,

    pub parameters: Map<String, Value>,
    pub tags: Vec<String>,
    pub metadata: Map<String, Value>,
    pub simulated: bool,
}

impl Found<'_> {
    pub fn tags(&mut self, value: &Value) {
        let mut add = |text: &str| {
            if !text.is_empty() && !self.tags.iter().any(|tag| tag == text) {
                self.tags.push(text.to_owned());
            }
        };
        match value {
            Value::Array(values) => values.iter().filter_map(Value::as_str).for_each(add),
            Value::String(text) => match super::json::parse(text) {
                Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).for_each(add),
                _ => add(text),
            },
            _ => {}
        }
    }

    /// The members of a JSON object, or of a text that holds one.
    pub fn metadata_object(&mut self, value: &Value) {
        if let Some(Value::Object(object)) = super::json::value(value) {
            for (key, value) in object {
                if !value.is_null() {
                    self.metadata.entry(key).or_insert(value);
                }
            }
        }
    }

    pub fn metadata(&mut self, key: &str, value: Value) {
        if !key.is_empty() && !value.is_null() {
            self.metadata.entry(key.to_owned()).or_insert(value);
        }
    }

    pub fn parameter(&mut self, key: &str, value: &Value) {
        if !value.is_null() {
            self.parameters.entry(key.to_owned()).or_insert_with(|| value.clone());
        }
    }
}

/// A text that says something. Numbers and booleans are written out: a version may come as `3`.
pub fn text(value: &Value) -> Option<Text<'_>> {
    match value {
        Value::String(text) if !text.is_empty() => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(yes) => Some(Cow::Owned(yes.to_string())),
        _ => None,
    }
}

/// A count: a number or a number written as text.
pub fn count(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| {
            let number = number.as_f64()?;
            (0.0..=9e15).contains(&number).then_some(number as u64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A measure, 0 or more.
pub fn measure(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    (number.is_finite() && number >= 0.0).then_some(number)
}

/// A value that says something.
pub fn some(value: &Value) -> Option<&Value> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        value => Some(value),
    }
}
