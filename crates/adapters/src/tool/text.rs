//! `text`: a text put together from the results of other steps, or written into the workflow.

use super::{config, present, refuse};
use flowtrace_core::call::ToolCall;
use flowtrace_core::failure::Failure;
use flowtrace_core::tool::Effect;
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::provider::CallContext;
use flowtrace_engine::port::tool::Tool;
use serde::Deserialize;
use serde_json::{Value, json};

pub struct Text;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Config {
    /// The engine has put in the bindings already.
    #[serde(default, deserialize_with = "present")]
    template: Option<Value>,
    #[serde(default)]
    trim: bool,
    case: Option<Case>,
    max_chars: Option<u64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Case {
    Upper,
    Lower,
}

impl Tool for Text {
    fn name(&self) -> &str {
        "text"
    }

    fn description(&self) -> &str {
        "Puts a text together from a template, and can trim it, change its case and cut it."
    }

    fn config_schema(&self) -> Value {
        json!({
            "type": "object",
            "properties": {
                "template": {
                    "type": "string",
                    "description": "The text, with bindings such as {{node.summary.output}}. Without it, the input `text` is used."
                },
                "trim": {"type": "boolean", "default": false, "description": "Remove white space at both ends."},
                "case": {"enum": ["upper", "lower"], "description": "Turn all letters into capitals or small letters."},
                "maxChars": {"type": "integer", "minimum": 0, "description": "Keep this many characters at most."}
            },
            "required": [],
            "additionalProperties": false
        })
    }

    fn input_schema(&self) -> Value {
        json!({
            "type": "object",
            "properties": {"text": {"description": "The text to work on, where the config has no template."}}
        })
    }

    fn output_schema(&self) -> Value {
        json!({"type": "string"})
    }

    fn effect(&self, _config: &Value) -> Effect {
        Effect::ReadOnly
    }

    fn is_remote(&self) -> bool {
        false
    }

    fn call<'a>(&'a self, call: &'a ToolCall, _context: &'a CallContext) -> BoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async { run(config("text", call.config.clone())?, &call.inputs).map(Value::String) })
    }
}

fn run(config: Config, inputs: &Value) -> Result<String, Failure> {
    let Some(source) = config.template.as_ref().or_else(|| inputs.get("text")) else {
        return Err(refuse("The text tool has no text: give `config.template` or an input named `text`."));
    };
    // A template that is one binding keeps the type of its value.
    let mut text = match source {
        Value::String(text) => text.clone(),
        Value::Null => return Err(refuse("The text of the text tool is null; the step that it binds to was probably skipped.")),
        Value::Number(_) | Value::Bool(_) => source.to_string(),
        Value::Array(_) | Value::Object(_) => format!("{source:#}"),
    };
    if config.trim {
        text = text.trim().to_owned();
    }
    match config.case {
        Some(Case::Upper) => text = text.to_uppercase(),
        Some(Case::Lower) => text = text.to_lowercase(),
        None => {}
    }
    if let Some((end, _)) = config.max_chars.and_then(|max| text.char_indices().nth(usize::try_from(max).unwrap_or(usize::MAX))) {
        text.truncate(end);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::run;

    #[test]
    fn the_table() {
        let table = [
            (json!({"template": "a {b} c"}), json!({}), "a {b} c"),
            (json!({"template": ""}), json!({"text": "unused"}), ""),
            (json!({}), json!({"text": "from the input"}), "from the input"),
            (json!({"template": 4.5}), json!({}), "4.5"),
            (json!({"template": [1, "é"]}), json!({}), "[\n  1,\n  \"é\"\n]"),
            (json!({"template": " \n ß é \t", "trim": true, "case": "upper"}), json!({}), "SS É"),
            (json!({"template": "ÀB", "case": "lower"}), json!({}), "àb"),
            (json!({"template": "äöü€😀", "maxChars": 4}), json!({}), "äöü€"),
            (json!({"template": "ab", "maxChars": 2}), json!({}), "ab"),
            (json!({"template": "ab", "maxChars": 0}), json!({}), ""),
        ];
        for (config, inputs, expected) in table {
            assert_eq!(run(&Text, config.clone(), inputs).unwrap(), json!(expected), "{config}");
        }
        let errors = [
            (json!({}), "has no text"),
            (json!({"template": null}), "is null"),
            (json!({"template": "a", "case": "title"}), "at `case`"),
            (json!({"template": "a", "maxChars": "many"}), "at `maxChars`"),
            (json!({"template": "a", "tirm": true}), "unknown field `tirm`"),
        ];
        for (config, expected) in errors {
            let failure = run(&Text, config.clone(), json!({})).unwrap_err();
            assert!(failure.message.contains(expected), "{config}: {failure}");
        }
        let skipped = run(&Text, json!({}), json!({"text": null})).unwrap_err();
        assert!(skipped.message.contains("skipped"), "{skipped}");
    }
}
