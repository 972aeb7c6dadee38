//! The tool calls of an answer, put together from what the wire formats send of them.

use super::wire::WireError;
use flowtrace_core::call::ToolUse;
use flowtrace_core::failure::FailureCode;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Tool calls that one answer may ask for. A guard against broken servers: models ask for a handful at once.
const MAX_CALLS: usize = 1_000;

#[derive(Debug, Default)]
pub struct ToolCalls(Vec<Building>);

/// A call whose pieces still come in.
#[derive(Debug, Default)]
struct Building {
    /// The number that the stream refers to it by, where it has one.
    index: Option<u64>,
    id: String,
    name: String,
    /// The arguments as text, so far.
    text: String,
    /// The arguments as JSON, from a server that sends them whole.
    whole: Option<Value>,
}

impl ToolCalls {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One entry of `tool_calls` of chat completions, be it a piece of a stream or a whole call.
    pub fn take_openai(&mut self, delta: &Value) -> Result<(), WireError> {
        let index = delta.get("index").and_then(Value::as_u64);
        let id = text(delta.get("id"));
        let name = text(delta.pointer("/function/name"));
        let found = match (index, id) {
            (Some(_), _) => self.0.iter().rposition(|call| call.index == index),
            (None, Some(id)) => self.0.iter().rposition(|call| call.id == id),
            (None, None) if name.is_none() => self.0.len().checked_sub(1),
            (None, None) => None,
        };
        // Some compatible servers give every call the index 0; then only the id tells them apart.
        let found = found.filter(|at| id.is_none_or(|id| self.0[*at].id.is_empty() || self.0[*at].id == id));
        let at = match found {
            Some(at) => at,
            None => self.add(Building { index, ..Building::default() })?,
        };
        let call = &mut self.0[at];
        // Where a server repeats id and name in every piece, the first ones count.
        for (field, value) in [(&mut call.id, id), (&mut call.name, name)] {
            if let (true, Some(value)) = (field.is_empty(), value) {
                value.clone_into(field);
            }
        }
        match delta.pointer("/function/arguments") {
            Some(Value::String(piece)) => call.text.push_str(piece),
            Some(whole @ Value::Object(_)) => call.whole = Some(whole.clone()),
            _ => {}
        }
        Ok(())
    }

    /// A content block of Anthropic's format, at its start or whole; blocks that are no tool calls are passed over.
    pub fn take_block(&mut self, index: Option<u64>, block: &Value) -> Result<(), WireError> {
        if block.get("type").and_then(Value::as_str) == Some("tool_use") {
            let owned = |name| text(block.get(name)).unwrap_or_default().to_owned();
            let whole = block.get("input").filter(|input| !input.is_null()).cloned();
            self.add(Building { index, id: owned("id"), name: owned("name"), text: String::new(), whole })?;
        }
        Ok(())
    }

    /// A piece of the arguments of the block at `index`. Tools that the provider runs by itself send pieces too; nobody here
    /// knows their blocks, and nobody needs to.
    pub fn take_input(&mut self, index: Option<u64>, piece: &str) {
        if let Some(call) = self.0.iter_mut().rev().find(|call| call.index == index) {
            call.text.push_str(piece);
        }
    }

    fn add(&mut self, call: Building) -> Result<usize, WireError> {
        if self.0.len() == MAX_CALLS {
            let detail = format!("asked for more than {MAX_CALLS} tool calls in one answer");
            return Err(WireError::new(FailureCode::TooLarge, detail));
        }
        self.0.push(call);
        Ok(self.0.len() - 1)
    }

    /// The calls in their order. `turn` tells the conversation's answers apart, for ids that the server failed to give or gave
    /// twice: results refer to their calls by id.
    pub fn finish(self, turn: usize) -> Result<Vec<ToolUse>, WireError> {
        let mut seen = HashSet::new();
        let mut calls = Vec::with_capacity(self.0.len());
        for (number, call) in self.0.into_iter().enumerate() {
            if call.name.is_empty() {
                return Err(WireError::malformed("asked for a tool call without a name"));
            }
            let mut id = call.id;
            if id.is_empty() || seen.contains(&id) {
                id = format!("call_{turn}_{number}");
            }
            seen.insert(id.clone());
            calls.push(ToolUse { id, name: call.name, arguments: arguments(&call.text, call.whole) });
        }
        Ok(calls)
    }
}

/// Text that is no JSON stays text: what the model wrote is for the engine to judge. A tool without arguments gets none from
/// many models, which is an empty object.
fn arguments(text: &str, whole: Option<Value>) -> Value {
    if text.trim().is_empty() {
        return whole.unwrap_or_else(|| Value::Object(Map::new()));
    }
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn text(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Id, name and arguments of the calls that the deltas add up to.
    fn openai(deltas: &[Value]) -> Result<Vec<(String, String, Value)>, WireError> {
        let mut calls = ToolCalls::default();
        for delta in deltas {
            calls.take_openai(delta)?;
        }
        Ok(calls.finish(3)?.into_iter().map(|call| (call.id, call.name, call.arguments)).collect())
    }

    #[test]
    fn pieces_find_their_call_whatever_the_server_leaves_out() {
        let one = |index: Value, id: Value, name: Value, arguments: Value| json!({"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
        let none = Value::Null;
        let table: [(&str, Vec<Value>, Value); 11] = [
            (
                "pieces by index, interleaved",
                vec![
                    one(json!(0), json!("a"), json!("f"), json!("")),
                    one(json!(1), json!("b"), json!("g"), json!("{\"y\"")),
                    json!({"index": 0, "function": {"arguments": "{\"x\":"}}),
                    json!({"index": 1, "function": {"arguments": ":2}"}}),
                    json!({"index": 0, "function": {"arguments": "1}"}}),
                ],
                json!([["a", "f", {"x": 1}], ["b", "g", {"y": 2}]]),
            ),
            (
                "index 0 for every call",
                vec![
                    one(json!(0), json!("a"), json!("f"), json!("{}")),
                    one(json!(0), json!("b"), json!("f"), json!("{\"x\":1}")),
                ],
                json!([["a", "f", {}], ["b", "f", {"x": 1}]]),
            ),
            (
                "no index, pieces follow their call",
                vec![
                    one(none.clone(), json!("a"), json!("f"), json!("{\"x\"")),
                    json!({"function": {"arguments": ":1}"}}),
                    one(none.clone(), json!("b"), json!("g"), json!("{}")),
                ],
                json!([["a", "f", {"x": 1}], ["b", "g", {}]]),
            ),
            (
                "id and name in every piece",
                vec![one(json!(0), json!("a"), json!("f"), json!("{\"x\"")), one(json!(0), json!("a"), json!("f"), json!(":1}"))],
                json!([["a", "f", {"x": 1}]]),
            ),
            (
                "no ids",
                vec![one(json!(0), none.clone(), json!("f"), json!("{}")), one(json!(1), json!(""), json!("f"), json!("{}"))],
                json!([["call_3_0", "f", {}], ["call_3_1", "f", {}]]),
            ),
            (
                "one id twice",
                vec![one(json!(0), json!("a"), json!("f"), json!("{}")), one(json!(1), json!("a"), json!("g"), json!("{}"))],
                json!([["a", "f", {}], ["call_3_1", "g", {}]]),
            ),
            ("no arguments", vec![json!({"index": 0, "id": "a", "function": {"name": "f"}})], json!([["a", "f", {}]])),
            ("empty arguments", vec![one(json!(0), json!("a"), json!("f"), json!(" "))], json!([["a", "f", {}]])),
            (
                "arguments as an object",
                vec![one(json!(0), json!("a"), json!("f"), json!({"x": 1}))],
                json!([["a", "f", {"x": 1}]]),
            ),
            ("no JSON", vec![one(json!(0), json!("a"), json!("f"), json!("{oops"))], json!([["a", "f", "{oops"]])),
            (
                "an index beyond all bounds",
                vec![one(json!(u64::MAX), json!("a"), json!("f"), json!("{}"))],
                json!([["a", "f", {}]]),
            ),
        ];
        for (what, deltas, expected) in table {
            assert_eq!(json!(openai(&deltas).unwrap()), expected, "{what}");
        }
    }

    #[test]
    fn calls_that_are_none() {
        for delta in [json!(null), json!("f"), json!({}), json!({"index": 0, "id": "a", "function": {"arguments": "{}"}})] {
            let error = openai(std::slice::from_ref(&delta)).expect_err(&delta.to_string());
            assert_eq!((error.code, error.detail.as_str()), (FailureCode::Malformed, "asked for a tool call without a name"));
        }
        let many: Vec<Value> =
            (0..=MAX_CALLS).map(|i| json!({"index": i, "id": format!("{i}"), "function": {"name": "f"}})).collect();
        assert_eq!(openai(&many[..MAX_CALLS]).map(|calls| calls.len()), Ok(MAX_CALLS));
        assert_eq!(openai(&many).unwrap_err().code, FailureCode::TooLarge);
    }

    #[test]
    fn deep_arguments_stay_text() {
        let deep = "[".repeat(100_000);
        let calls = openai(&[json!({"id": "a", "function": {"name": "f", "arguments": deep}})]).unwrap();
        assert_eq!(calls[0].2, Value::String(deep));
    }
}
