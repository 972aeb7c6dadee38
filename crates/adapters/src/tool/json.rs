//! `json`: reads JSON out of text, merges objects, and takes out a part by its path.

use super::{config, kind, present, refuse, work};
use flowtrace_core::call::ToolCall;
use flowtrace_core::failure::Failure;
use flowtrace_core::tool::Effect;
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::provider::CallContext;
use flowtrace_engine::port::tool::Tool;
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub struct Json;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Config {
    #[serde(default, deserialize_with = "present")]
    value: Option<Value>,
    #[serde(default)]
    parse: bool,
    #[serde(default)]
    merge: bool,
    path: Option<String>,
    #[serde(default, deserialize_with = "present")]
    default: Option<Value>,
}

impl Tool for Json {
    fn name(&self) -> &str {
        "json"
    }

    fn description(&self) -> &str {
        "Reads JSON from text, merges objects, and takes out a part by its path."
    }

    fn config_schema(&self) -> Value {
        json!({
            "type": "object",
            "properties": {
                "value": {"description": "What to work on, usually one binding. Without it, the node's inputs are used as an object."},
                "parse": {
                    "type": "boolean", "default": false,
                    "description": "Read the value, a text, as JSON. A Markdown code fence around it is removed."
                },
                "merge": {
                    "type": "boolean", "default": false,
                    "description": "Merge the members of the value, which are objects, in their order: later ones win, null removes (RFC 7396)."
                },
                "path": {
                    "type": "string",
                    "description": "The part to return: a JSON Pointer such as /items/0/name, or the same with dots, items.0.name."
                },
                "default": {"description": "What to return where nothing is at the path. Without it, that is an error."}
            },
            "required": [],
            "additionalProperties": false
        })
    }

    fn input_schema(&self) -> Value {
        json!({"type": "object", "description": "The value to work on, where the config has none."})
    }

    fn effect(&self, _config: &Value) -> Effect {
        Effect::ReadOnly
    }

    fn is_remote(&self) -> bool {
        false
    }

    fn call<'a>(&'a self, call: &'a ToolCall, _context: &'a CallContext) -> BoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async {
            let config: Config = config("json", call.config.clone())?;
            let value = config.value.clone().unwrap_or_else(|| call.inputs.clone());
            let bytes = value.as_str().map_or(0, str::len);
            work(bytes, move || run(config, value)).await
        })
    }
}

fn run(config: Config, mut value: Value) -> Result<Value, Failure> {
    if config.parse {
        let Value::String(text) = &value else {
            return Err(refuse(format!("The json tool cannot parse {}; only a text can be parsed.", kind(&value))));
        };
        let text = without_fence(text);
        value = serde_json::from_str(text).map_err(|error| {
            let start: String = text.chars().take(80).collect();
            refuse(format!("The json tool could not parse the text, which starts with {start:?}: {error}."))
        })?;
    }
    if config.merge {
        value = merge_members(value)?;
    }
    match (config.path.as_deref().map(|path| find(&value, path)), config.default) {
        (None, _) => Ok(value),
        (Some(Ok(found)), _) => Ok(found.clone()),
        (Some(Err(_)), Some(default)) => Ok(default),
        (Some(Err(why)), None) => Err(refuse(why)),
    }
}

/// The content of a Markdown code fence where the whole text is one; models like to answer so.
fn without_fence(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```")).and_then(|rest| rest.split_once('\n'));
    inner.map_or(text, |(_language, body)| body)
}

fn merge_members(value: Value) -> Result<Value, Failure> {
    let members: Vec<(String, Value)> = match value {
        Value::Object(map) => map.into_iter().collect(),
        Value::Array(items) => items.into_iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
        other => {
            return Err(refuse(format!("The json tool merges the members of an object or a list, and got {}.", kind(&other))));
        }
    };
    let mut merged = Value::Object(Map::new());
    for (name, member) in members {
        if !member.is_object() {
            return Err(refuse(format!("The json tool merges objects, but `{name}` is {}.", kind(&member))));
        }
        merge_patch(&mut merged, member);
    }
    Ok(merged)
}

/// RFC 7396, section 2.
fn merge_patch(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(map) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            map.shift_remove(&key);
        } else {
            merge_patch(map.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// The value at a JSON Pointer (RFC 6901), or at a path of names with dots between them.
fn find<'a>(value: &'a Value, path: &str) -> Result<&'a Value, String> {
    let tokens: Vec<String> = if path.is_empty() {
        Vec::new()
    } else if let Some(pointer) = path.strip_prefix('/') {
        pointer.split('/').map(|token| token.replace("~1", "/").replace("~0", "~")).collect()
    } else {
        path.split('.').map(str::to_owned).collect()
    };
    let mut here = value;
    let mut walked = String::new();
    for token in &tokens {
        let next = match here {
            Value::Object(map) => map.get(token),
            // RFC 6901 knows no leading zeros and no sign.
            Value::Array(items) if token == "0" || !token.starts_with(['0', '+']) => {
                token.parse().ok().and_then(|index: usize| items.get(index))
            }
            _ => None,
        };
        here = next.ok_or_else(|| {
            let place = if walked.is_empty() { "at the top".to_owned() } else { format!("at `{walked}`") };
            format!("The json tool found nothing at `{path}`: there is no `{token}` in {} {place}.", describe(here))
        })?;
        walked.push('/');
        walked.push_str(token);
    }
    Ok(here)
}

fn describe(value: &Value) -> String {
    match value {
        Value::Object(map) if map.is_empty() => "the empty object".to_owned(),
        Value::Object(map) => {
            let names: Vec<&str> = map.keys().take(10).map(String::as_str).collect();
            let more = if map.len() > names.len() { ", …" } else { "" };
            format!("the object ({}{more})", names.join(", "))
        }
        Value::Array(items) => format!("the list of {}", items.len()),
        other => kind(other).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::run;

    #[test]
    fn the_table() {
        let doc = json!({"items": [{"name": "a"}, {"name": null}], "a/b~c": 1, "": 2, "x.y": 3});
        let table = [
            (json!({}), doc.clone()),
            (json!({"path": ""}), doc.clone()),
            (json!({"path": "/items/0/name"}), json!("a")),
            (json!({"path": "items.0.name"}), json!("a")),
            (json!({"path": "/items/1/name"}), json!(null)),
            (json!({"path": "/a~1b~0c"}), json!(1)),
            (json!({"path": "/"}), json!(2)),
            (json!({"path": "/x.y"}), json!(3)),
            (json!({"path": "/items/9", "default": null}), json!(null)),
            (json!({"path": "items.0.name.deeper", "default": {"d": 1}}), json!({"d": 1})),
            (json!({"value": "{\"a\": [1, 2]}", "parse": true, "path": "a.1"}), json!(2)),
            (json!({"value": "```json\n{\"a\": 1}\n```\n", "parse": true}), json!({"a": 1})),
            (json!({"value": "```\n[]```", "parse": true}), json!([])),
            (json!({"value": null}), json!(null)),
            (
                json!({"value": [{"a": {"b": 1, "c": 2}}, {"a": {"b": null, "d": [1]}}, {"e": {"f": null}}], "merge": true}),
                json!({"a": {"c": 2, "d": [1]}, "e": {}}),
            ),
        ];
        for (config, expected) in table {
            assert_eq!(run(&Json, config.clone(), doc.clone()).unwrap(), expected, "{config}");
        }
    }

    #[test]
    fn members_are_merged_in_order() {
        let inputs = json!({"z": {"a": 1, "b": {"x": 1}}, "a": {"a": 2, "b": {"y": 2}}});
        assert_eq!(run(&Json, json!({"merge": true}), inputs).unwrap(), json!({"a": 2, "b": {"x": 1, "y": 2}}));
    }

    /// The examples of RFC 7396, appendix A.
    #[test]
    fn merge_patch_does_what_the_rfc_shows() {
        let table = [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ];
        for (target, patch, expected) in table {
            let mut got = target.clone();
            merge_patch(&mut got, patch.clone());
            assert_eq!(got, expected, "{target} + {patch}");
        }
    }

    #[test]
    fn errors_say_where_and_what_is_there() {
        let doc = json!({"items": [{"name": "a"}], "n": 1});
        let table = [
            (json!({"path": "/item/0"}), "there is no `item` in the object (items, n) at the top"),
            (json!({"path": "items.1"}), "there is no `1` in the list of 1 at `/items`"),
            (json!({"path": "/items/00"}), "there is no `00`"),
            (json!({"path": "/items/+0"}), "there is no `+0`"),
            (json!({"path": "/items/-"}), "there is no `-`"),
            (json!({"path": "/n/x"}), "there is no `x` in a number at `/n`"),
            (json!({"value": "{\"a\": }", "parse": true}), "starts with \"{\\\"a\\\": }\": expected value at line 1 column 7"),
            (json!({"value": "", "parse": true}), "EOF"),
            (json!({"value": {}, "parse": true}), "cannot parse an object"),
            (json!({"merge": true}), "`items` is a list"),
            (json!({"value": 1, "merge": true}), "got a number"),
            (json!({"path": 1}), "at `path`"),
        ];
        for (config, expected) in table {
            let failure = run(&Json, config.clone(), doc.clone()).unwrap_err();
            assert!(failure.message.contains(expected), "{config}: {failure}");
        }
    }

    #[test]
    fn deep_and_large_texts_are_survived() {
        let deep = "[".repeat(100_000);
        assert!(run(&Json, json!({"value": deep, "parse": true}), json!({})).unwrap_err().message.contains("recursion"));
        let large = format!("[{}0]", "1234567,".repeat(200_000));
        assert_eq!(run(&Json, json!({"value": large, "parse": true, "path": "200000"}), json!({})).unwrap(), json!(0));
    }
}
