//! What a simulated model says when its script does not: the same words for the same prompt, always.

use serde_json::{Map, Value, json};
use std::cell::Cell;
use std::collections::HashMap;
use std::ops::RangeInclusive;

/// Characters that count as one token, in prompts and answers alike. A rule of thumb for English, not a tokenizer.
pub const CHARACTERS_PER_TOKEN: u64 = 4;

/// Sentences of the prompt that an answer repeats.
const SENTENCES: usize = 3;

/// Characters of one sentence that are repeated.
const SENTENCE_CHARS: usize = 240;

/// Results of tools that an answer repeats.
const RESULTS: usize = 5;

/// How deep an answer to a schema goes, and how many values it has; a recursive schema has no end.
const DEPTH: usize = 12;
const VALUES: usize = 1_000;

pub fn count_tokens(text: &str) -> u64 {
    (text.chars().count() as u64).div_ceil(CHARACTERS_PER_TOKEN)
}

/// A stable number for a text (FNV-1a), from which everything that varies is drawn.
pub fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// An extract of the prompt, marked as simulated.
pub fn text_for(model: &str, prompt: &str) -> String {
    let points = key_sentences(prompt);
    if points.is_empty() {
        return format!("[simulated answer of {model}] The prompt has no text to answer.");
    }
    format!("[simulated answer of {model}] {}", points.join(" "))
}

/// What tools found, word for word where it is short.
pub fn text_from_results(model: &str, results: &[(String, String)]) -> String {
    let found: Vec<String> = results
        .iter()
        .take(RESULTS)
        .map(|(name, result)| {
            let words = result.split_whitespace().collect::<Vec<_>>().join(" ");
            let long = words.chars().count() > SENTENCE_CHARS;
            let words = if long { key_sentences(result).join(" ") } else { words };
            format!("{name} says: {}", if words.is_empty() { "nothing" } else { &words })
        })
        .collect();
    format!("[simulated answer of {model}] {}", found.join(" "))
}

/// The JSON that fits a schema as far as one can tell without a model, with the extract in its strings. Samples differ where the
/// schema leaves a choice.
pub fn json_for(schema: &Value, prompt: &str, sample: Option<u64>) -> Value {
    let salt = sample.map(|sample| format!("sample {sample}")).unwrap_or_default();
    Fitter { root: schema, extract: extract(prompt), salt, argument_prompt: None, left: Cell::new(VALUES) }
        .value(schema, "value", 0)
}

/// Arguments of a tool call: what its schema requires and nothing else, with words and numbers of the prompt.
pub fn arguments_for(schema: &Value, prompt: &str) -> Value {
    let text = readable(prompt);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short = (1..=SENTENCE_CHARS).contains(&words.chars().count());
    let extract = if short { words } else { extract(prompt) };
    let fitter = Fitter { root: schema, extract, salt: String::new(), argument_prompt: Some(text), left: Cell::new(VALUES) };
    match fitter.value(schema, "value", 0) {
        object @ Value::Object(_) => object,
        _ => json!({}),
    }
}

fn extract(prompt: &str) -> String {
    key_sentences(prompt).into_iter().next().unwrap_or_else(|| "nothing to say".to_owned())
}

/// The sentences with the most frequent words, in the order of the text.
fn key_sentences(prompt: &str) -> Vec<String> {
    let text = readable(prompt);
    let mut sentences: Vec<String> = Vec::new();
    for sentence in text.split_inclusive(['.', '!', '?', '\n', '。', '！', '？']) {
        let sentence = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
        let sentence: String = sentence.chars().take(SENTENCE_CHARS).collect();
        if sentence.chars().filter(|c| c.is_alphanumeric()).count() >= 3 && !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
        if sentences.len() == 500 {
            break; // enough to choose from, and the search for repetitions above stays cheap
        }
    }
    let words = |sentence: &str| -> Vec<String> {
        let long_enough = sentence.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 3);
        long_enough.map(str::to_lowercase).collect()
    };
    let mut frequency: HashMap<String, usize> = HashMap::new();
    for word in sentences.iter().flat_map(|sentence| words(sentence)) {
        *frequency.entry(word).or_default() += 1;
    }
    let score = |sentence: &str| {
        let words = words(sentence);
        words.iter().filter_map(|word| frequency.get(word)).sum::<usize>() * 100 / (words.len() + 4)
    };
    let mut ranked: Vec<usize> = (0..sentences.len()).collect();
    ranked.sort_by_key(|at| (std::cmp::Reverse(score(&sentences[*at])), *at));
    ranked.truncate(SENTENCES);
    ranked.sort_unstable();
    ranked.into_iter().map(|at| sentences[at].clone()).collect()
}

/// A prompt that is JSON (the inputs of a node) is read for its strings.
fn readable(prompt: &str) -> String {
    fn strings(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::String(text) => into.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| strings(item, into)),
            Value::Object(map) => map.values().for_each(|item| strings(item, into)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let json: Option<Value> = prompt.trim_start().starts_with(['{', '[']).then(|| serde_json::from_str(prompt).ok()).flatten();
    match json {
        Some(json) => {
            let mut found = Vec::new();
            strings(&json, &mut found);
            if found.is_empty() { prompt.to_owned() } else { found.join("\n") }
        }
        None => prompt.to_owned(),
    }
}

struct Fitter<'a> {
    root: &'a Value,
    extract: String,
    /// Changes every choice.
    salt: String,
    /// For arguments of a tool call: the text to take them from.
    argument_prompt: Option<String>,
    /// Values that may still be made.
    left: Cell<usize>,
}

impl Fitter<'_> {
    fn value(&self, schema: &Value, name: &str, depth: usize) -> Value {
        if depth > DEPTH || self.left.get() == 0 {
            return Value::Null;
        }
        self.left.set(self.left.get() - 1);
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return target.map_or(Value::Null, |target| self.value(target, name, depth + 1));
        }
        if let Some(value) = schema.get("const").or_else(|| schema.get("default")) {
            return value.clone();
        }
        if let Some(Value::Array(options)) = schema.get("enum") {
            return self.pick(name, options).cloned().unwrap_or(Value::Null);
        }
        for choice in ["anyOf", "oneOf", "allOf"] {
            if let Some(first) = schema.get(choice).and_then(|options| options.get(0)) {
                return self.value(first, name, depth + 1);
            }
        }
        let kind = match schema.get("type") {
            Some(Value::String(kind)) => kind.as_str(),
            Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str).unwrap_or("string"),
            _ if schema.get("properties").is_some() => "object",
            _ => "string",
        };
        match kind {
            "object" => {
                let properties = schema.get("properties").and_then(Value::as_object);
                let required = schema.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                let fields = properties
                    .into_iter()
                    .flatten()
                    .filter(|(name, _)| self.argument_prompt.is_none() || required.iter().any(|one| one == name.as_str()));
                Value::Object(
                    fields.map(|(name, schema)| (name.clone(), self.value(schema, name, depth + 1))).collect::<Map<_, _>>(),
                )
            }
            "array" => {
                let bound = |keyword| schema.get(keyword).and_then(Value::as_u64);
                let count = bound("minItems").unwrap_or(1).clamp(1, 100).min(bound("maxItems").unwrap_or(100));
                let items = schema.get("items").unwrap_or(&Value::Null);
                Value::Array((0..count).map(|i| self.value(items, &format!("{name} {}", i + 1), depth + 1)).collect())
            }
            "boolean" => json!(self.draw(name).is_multiple_of(2)),
            "integer" | "number" => self.number(schema, name, kind == "integer"),
            "null" => Value::Null,
            _ => Value::String(self.string(schema, name)),
        }
    }

    fn pick<'v>(&self, name: &str, options: &'v [Value]) -> Option<&'v Value> {
        if let Some(prompt) = &self.argument_prompt {
            let prompt = prompt.to_lowercase();
            let named =
                |option: &&Value| option.as_str().is_some_and(|text| !text.is_empty() && prompt.contains(&text.to_lowercase()));
            if let Some(option) = options.iter().find(named) {
                return Some(option);
            }
        }
        let count = options.len() as u64;
        options.get((self.draw(name).checked_rem(count)?) as usize)
    }

    /// A stable number for this value of this answer.
    fn draw(&self, name: &str) -> u64 {
        fingerprint(&format!("{name}{}{}", self.extract, self.salt))
    }

    /// Somewhere between the bounds; 0 to 10 where there are none.
    fn number(&self, schema: &Value, name: &str, integer: bool) -> Value {
        let bound = |keyword| schema.get(keyword).and_then(Value::as_f64);
        let lowest = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|low| low + if integer { 1.0 } else { 1e-3 }));
        let highest = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|high| high - if integer { 1.0 } else { 1e-3 }));
        let between = lowest.unwrap_or(f64::MIN)..=highest.unwrap_or(f64::MAX);
        if let Some(number) = self.argument_prompt.as_deref().and_then(|prompt| number_in(prompt, &between, integer)) {
            return number;
        }
        let low = lowest.unwrap_or_else(|| highest.map_or(0.0, |high| high.min(0.0)));
        let high = highest.unwrap_or(low + 10.0).max(low);
        let share = (self.draw(name) % 1000) as f64 / 999.0;
        let value = low + (high - low) * share;
        if integer { json!(value.floor().max(low.ceil()) as i64) } else { json!((value * 1000.0).round() / 1000.0) }
    }

    fn string(&self, schema: &Value, name: &str) -> String {
        let fixed = match schema.get("format").and_then(Value::as_str) {
            Some("date-time") => Some("2000-01-01T00:00:00Z"),
            Some("date") => Some("2000-01-01"),
            Some("time") => Some("00:00:00Z"),
            Some("email") => Some("simulated@example.com"),
            Some("uri") => Some("https://example.com/simulated"),
            Some("uuid") => Some("00000000-0000-4000-8000-000000000000"),
            _ => None,
        };
        if let Some(fixed) = fixed {
            return fixed.to_owned();
        }
        let bound = |keyword| schema.get(keyword).and_then(Value::as_u64).map(|bound| bound.min(10_000) as usize);
        let mut text = match self.argument_prompt {
            Some(_) => self.extract.clone(),
            None => format!("[simulated {name}] {}", self.extract),
        };
        if let Some(longest) = bound("maxLength") {
            text = text.chars().take(longest).collect();
        }
        let missing = bound("minLength").unwrap_or(0).saturating_sub(text.chars().count());
        text.extend(std::iter::repeat_n('.', missing));
        text
    }
}

/// The first number in the text that lies between the bounds.
fn number_in(text: &str, between: &RangeInclusive<f64>, integer: bool) -> Option<Value> {
    let words = text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'));
    let words = words.map(|word| word.trim_matches('.').trim_end_matches('-'));
    if integer {
        let mut numbers = words.filter_map(|word| word.parse::<i64>().ok());
        return numbers.find(|number| between.contains(&(*number as f64))).map(|number| json!(number));
    }
    let mut numbers = words.filter_map(|word| word.parse::<f64>().ok());
    numbers.find(|number| between.contains(number)).map(|number| json!(number))
}

/// The pieces in which an answer streams: a few words each, at most about twenty pieces.
pub fn pieces(text: &str) -> Vec<&str> {
    let characters = text.chars().count();
    let size = (characters / 20).max(12);
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let least = rest.char_indices().nth(size).map_or(rest.len(), |(at, _)| at);
        // Words stay whole where there are words.
        let end = rest[least..].find(' ').filter(|extra| *extra <= 40).map_or(least, |extra| least + extra);
        let (piece, remaining) = rest.split_at(end);
        pieces.push(piece);
        rest = remaining;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_prompt_gets_the_same_marked_answer() {
        let prompt = "Cats sleep a lot. Dogs bark. Cats hunt mice and cats sleep. Rain falls. Birds sing in spring.";
        let answer = text_for("gpt-4o-mini", prompt);
        assert_eq!(answer, text_for("gpt-4o-mini", prompt));
        assert!(
            answer.starts_with("[simulated answer of gpt-4o-mini] ") && answer.contains("Cats hunt mice and cats sleep."),
            "{answer}"
        );
        assert!(text_for("m", " \n ").contains("no text"));
        assert!(text_for("m", r#"{"text": "Inputs of a node are read.", "n": 4}"#).ends_with("Inputs of a node are read."));
    }

    #[test]
    fn an_answer_to_a_schema_fits_it() {
        let schema = json!({
            "type": "object",
            "properties": {
                "summary": {"type": "string", "minLength": 300},
                "short": {"type": "string", "maxLength": 5},
                "score": {"type": "integer", "minimum": 3, "maximum": 5},
                "share": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
                "verdict": {"enum": ["deep", "shallow"]},
                "tags": {"type": "array", "minItems": 2, "items": {"type": "string"}},
                "when": {"type": "string", "format": "date"},
                "next": {"$ref": "#/$defs/next"},
                "maybe": {"type": ["string", "null"]}
            },
            "$defs": {"next": {"type": "object", "properties": {"next": {"$ref": "#/$defs/next"}}}}
        });
        let value = json_for(&schema, "Something happened.", None);
        assert!(value["summary"].as_str().unwrap().chars().count() >= 300);
        assert_eq!(value["short"].as_str().unwrap().chars().count(), 5);
        assert!((3..=5).contains(&value["score"].as_i64().unwrap()), "{value}");
        assert!(value["share"].as_f64().unwrap() > 0.0 && value["share"].as_f64().unwrap() <= 1.0);
        assert!(["deep", "shallow"].contains(&value["verdict"].as_str().unwrap()));
        assert_eq!(value["tags"].as_array().unwrap().len(), 2);
        assert_eq!(value["when"], "2000-01-01");
        assert!(value["maybe"].is_string());
        assert_eq!(value, json_for(&schema, "Something happened.", None));
        json_for(&json!({"enum": []}), "", None);
    }

    #[test]
    fn samples_differ_and_stay_the_same() {
        let schema = json!({"enum": ["a", "b", "c", "d"]});
        let votes: Vec<Value> = (0..20).map(|sample| json_for(&schema, "Which one?", Some(sample))).collect();
        assert!(votes.iter().any(|vote| *vote != votes[0]), "{votes:?}");
        assert_eq!(votes, (0..20).map(|sample| json_for(&schema, "Which one?", Some(sample))).collect::<Vec<_>>());
    }

    #[test]
    fn arguments_come_from_the_prompt() {
        let schema = json!({
            "type": "object",
            "properties": {
                "query": {"type": "string"},
                "note": {"type": "string"},
                "unit": {"enum": ["celsius", "Fahrenheit"]},
                "days": {"type": "integer", "minimum": 3},
                "any": {"type": "integer"},
                "least": {"type": "number", "maximum": 0},
                "where": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 4}, "x": {}}, "required": ["city"]}
            },
            "required": ["query", "unit", "days", "any", "least", "where"]
        });
        let prompt = "Weather for 2 people over 140 days from 2026-01-01 in fahrenheit, not under -4.5.";
        let expected = json!({
            "query": prompt, "unit": "Fahrenheit", "days": 140, "any": 2, "least": -4.5, "where": {"city": "Weat"}
        });
        assert_eq!(arguments_for(&schema, prompt), expected);
        assert_eq!(arguments_for(&json!({}), prompt), json!({}));
        assert_eq!(arguments_for(&json!({"type": "object", "properties": {"a": {}}}), prompt), json!({}));
        let huge = format!("{} and {}", "9".repeat(400), "7".repeat(30));
        let number = arguments_for(&json!({"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]}), &huge);
        assert!(number["a"].is_number(), "{number}");
    }

    #[test]
    fn a_schema_that_explodes_is_cut_off() {
        let properties: Map<String, Value> = (0..50).map(|i| (format!("p{i}"), json!({"$ref": "#"}))).collect();
        let value = json_for(&json!({"type": "object", "properties": properties}), "", None);
        assert!(value.to_string().len() < 1_000_000);
    }

    #[test]
    fn pieces_are_the_whole_text() {
        for text in ["", "a", "two words", &"漢字".repeat(500), &"word ".repeat(1000), &"x".repeat(5000)] {
            let pieces = pieces(text);
            assert_eq!(pieces.concat(), *text);
            assert!(pieces.len() <= 21, "{} pieces", pieces.len());
            assert!(pieces.iter().all(|piece| !piece.is_empty()));
        }
    }
}
