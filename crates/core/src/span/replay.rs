//! A model call that was recorded, as one that can be made again.

use super::Span;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What was asked: the part of a call that an `llm` node can say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    pub system: Option<String>,
    /// Of `user` and `assistant`.
    pub messages: Vec<Said>,
    /// By the names that `config` of an `llm` node has for them.
    pub parameters: Map<String, Value>,
    /// What was left out or is said in another way, as sentences.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub role: String,
    pub content: String,
}

/// What the span's call asked. Without messages where the sender did not record any.
pub fn asked(span: &Span) -> Asked {
    let mut asked = Asked::default();
    let mut system: Vec<String> = Vec::new();
    let mut parts = Left::default();
    match &span.input {
        Some(Value::Array(messages)) if messages.iter().all(|message| message["role"].is_string()) => {
            for message in messages {
                let text = text_of(message, &mut parts);
                match message["role"].as_str() {
                    Some("system" | "developer") => system.push(text),
                    Some("assistant" | "model") => asked.messages.push(Said { role: "assistant".to_owned(), content: text }),
                    _ => asked.messages.push(Said { role: "user".to_owned(), content: text }),
                }
            }
        }
        Some(Value::String(text)) => asked.messages.push(Said { role: "user".to_owned(), content: text.clone() }),
        Some(Value::Null) | None => {}
        Some(other) => asked.messages.push(Said { role: "user".to_owned(), content: other.to_string() }),
    }
    asked.messages.retain(|said| !said.content.trim().is_empty());
    if !system.is_empty() {
        asked.system = Some(system.join("\n\n"));
    }
    let offered = span.tools.as_ref().and_then(Value::as_array).map_or(0, Vec::len);
    if offered > 0 {
        asked.notes.push(format!("The model was offered {}; the replay offers none.", count(offered, "tool")));
    }
    if parts.tools {
        asked.notes.push("Calls of tools and their results stand in the messages as text.".to_owned());
    }
    if parts.others > 0 {
        let (parts, are) = (count(parts.others, "part"), if parts.others == 1 { "is" } else { "are" });
        asked.notes.push(format!("Only text is sent: {parts} of the messages, such as an image, {are} left out."));
    }
    parameters(span, &mut asked);
    asked
}

/// The answer as one text.
pub fn answered(span: &Span) -> Option<String> {
    match span.output.as_ref()? {
        Value::Array(messages) if messages.iter().all(|message| message["role"].is_string()) => {
            let texts: Vec<String> = messages.iter().map(|message| text_of(message, &mut Left::default())).collect();
            Some(texts.join("\n\n"))
        }
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

/// What messages have besides text.
#[derive(Default)]
struct Left {
    tools: bool,
    others: usize,
}

fn text_of(message: &Value, left: &mut Left) -> String {
    let mut text = match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts: Vec<&str> = parts.iter().filter_map(|part| part.as_str().or_else(|| part["text"].as_str())).collect();
            left.others += parts.len() - texts.len();
            texts.join("\n")
        }
        Value::Null => String::new(),
        other => other.to_string(),
    };
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        left.tools = true;
        let name = call["name"].as_str().unwrap_or("a tool");
        let arguments = match &call["arguments"] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let line = format!("[calls {name}({arguments})]");
        text = if text.is_empty() { line } else { format!("{text}\n{line}") };
    }
    if message["role"] == "tool" {
        left.tools = true;
        let name = message["name"].as_str().map(|name| format!(" of {name}")).unwrap_or_default();
        text = format!("[result{name}]\n{text}");
    }
    text
}

/// The names that senders use, the node's name, and its highest value.
const PARAMETERS: [(&[&str], &str, f64); 4] = [
    (&["temperature"], "temperature", 2.0),
    (&["top_p", "topP"], "topP", 1.0),
    (&["max_tokens", "max_completion_tokens", "max_output_tokens", "maxTokens", "maxOutputTokens"], "maxTokens", 1e7),
    (&["seed"], "seed", 9e15),
];

/// Ways of sending rather than of asking.
const UNSAID: [&str; 5] = ["model", "stream", "stream_options", "user", "n"];

fn parameters(span: &Span, asked: &mut Asked) {
    let mut left = Vec::new();
    for (key, value) in &span.parameters {
        // Some senders write numbers as text.
        let number = value.as_f64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
        if let Some((_, name, most)) = PARAMETERS.iter().find(|(names, ..)| names.contains(&key.as_str())) {
            let whole = matches!(*name, "maxTokens" | "seed");
            let least = if *name == "maxTokens" { 1.0 } else { 0.0 };
            match number.filter(|number| (least..=*most).contains(number) && (!whole || number.fract() == 0.0)) {
                Some(number) if whole => drop(asked.parameters.insert((*name).to_owned(), json!(number as u64))),
                Some(number) => drop(asked.parameters.insert((*name).to_owned(), json!(number))),
                None if value.is_null() => {}
                None => left.push(key.as_str()),
            }
        } else if ["stop", "stop_sequences", "stopSequences"].contains(&key.as_str()) {
            let texts: Vec<&str> = match value {
                Value::String(text) => vec![text.as_str()],
                Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            };
            if !texts.is_empty() && texts.len() <= 16 {
                asked.parameters.insert("stop".to_owned(), json!(texts));
            }
        } else if !value.is_null() && !UNSAID.contains(&key.as_str()) && !["tools", "tool_choice"].contains(&key.as_str()) {
            left.push(key.as_str());
        }
    }
    if !left.is_empty() {
        let shown: Vec<String> =
            left.iter().take(10).map(|key| format!("`{}`", key.chars().take(40).collect::<String>())).collect();
        asked.notes.push(format!("Parameters that an llm step does not take are left out: {}.", shown.join(", ")));
    }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("a {what}") } else { format!("{number} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{SpanId, TraceId};
    use crate::trace::merge::empty;

    fn call(input: Value, parameters: Value) -> Span {
        let parameters = parameters.as_object().cloned().unwrap_or_default();
        Span { input: Some(input), parameters, ..empty(TraceId(1), SpanId(1)) }
    }

    fn lines(asked: &Asked) -> Vec<String> {
        asked.messages.iter().map(|said| format!("{}: {}", said.role, said.content)).collect()
    }

    #[test]
    fn messages_keep_their_order_and_tools_become_text() {
        let mut span = call(
            json!([
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "Where is"}, {"type": "image_url", "image_url": {}}, {"type": "text", "text": "17?"}]},
                {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "name": "lookup", "arguments": {"id": 17}}]},
                {"role": "tool", "content": "sent", "tool_call_id": "c"},
                {"role": "developer", "content": "In English."},
                {"role": "assistant", "content": ""},
                {"role": "user", "content": "So?"},
            ]),
            json!({}),
        );
        span.tools = Some(json!([{"name": "lookup"}, {"name": "other"}]));
        let asked = asked(&span);
        assert_eq!(asked.system.as_deref(), Some("Be brief.\n\nIn English."));
        let expected = ["user: Where is\n17?", "assistant: [calls lookup({\"id\":17})]", "user: [result]\nsent", "user: So?"];
        assert_eq!(lines(&asked), expected);
        let notes = [
            "The model was offered 2 tools; the replay offers none.",
            "Calls of tools and their results stand in the messages as text.",
            "Only text is sent: a part of the messages, such as an image, is left out.",
        ];
        assert_eq!(asked.notes, notes);
    }

    #[test]
    fn what_is_no_list_of_messages_is_what_the_user_said() {
        assert_eq!(lines(&asked(&call(json!("Hi"), json!({})))), ["user: Hi"]);
        assert_eq!(lines(&asked(&call(json!({"a": 1}), json!({})))), ["user: {\"a\":1}"]);
        assert_eq!(lines(&asked(&call(Value::Null, json!({})))), [""; 0]);
        assert_eq!(lines(&asked(&empty(TraceId(1), SpanId(1)))), [""; 0]);
    }

    #[test]
    fn parameters_are_those_of_a_node_or_are_named_as_left_out() {
        let of = |parameters| {
            let asked = asked(&call(json!("x"), parameters));
            (Value::Object(asked.parameters), asked.notes.join(" "))
        };
        let (known, notes) = of(json!({
            "temperature": "0.5", "top_p": 1, "max_completion_tokens": 50, "seed": 7, "stop_sequences": ["a"], "model": "m", "stream": true,
        }));
        assert_eq!(known, json!({"temperature": 0.5, "topP": 1.0, "maxTokens": 50, "seed": 7, "stop": ["a"]}));
        assert_eq!(notes, "");
        let (known, notes) = of(json!({"temperature": 9, "max_tokens": "Infinity", "top_k": 4, "seed": null, "stop": "END"}));
        assert_eq!(known, json!({"stop": ["END"]}));
        assert_eq!(notes, "Parameters that an llm step does not take are left out: `temperature`, `max_tokens`, `top_k`.");
    }

    #[test]
    fn the_answer_is_one_text() {
        let of = |output| answered(&Span { output: Some(output), ..empty(TraceId(1), SpanId(1)) });
        assert_eq!(of(json!([{"role": "assistant", "content": "Yes."}])).as_deref(), Some("Yes."));
        assert_eq!(
            of(json!([{"role": "assistant", "content": "", "tool_calls": [{"name": "f", "arguments": {}}]}])).as_deref(),
            Some("[calls f({})]")
        );
        assert_eq!(of(json!({"a": 1})).as_deref(), Some("{\"a\":1}"));
        assert_eq!(of(Value::Null), None);
    }
}
