//! The JSON Schema of the language, for editors and for [`crate::check`].

use crate::document::{Document, LlmConfig, RouterConfig, ToolConfig};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The name of the schema. No address: every server serves it under its own.
const ID: &str = "urn:flowtrace:schema:workflow:1";

/// The schema of one type without references to others.
fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(schema_of::<Document>);
pub(crate) static LLM: LazyLock<Value> = LazyLock::new(schema_of::<LlmConfig>);
pub(crate) static ROUTER: LazyLock<Value> = LazyLock::new(schema_of::<RouterConfig>);
pub(crate) static TOOL: LazyLock<Value> = LazyLock::new(schema_of::<ToolConfig>);

/// JSON Schema (draft 2020-12) of a workflow document. It says what can be said about the form; [`crate::check`] knows more.
pub fn workflow_schema() -> Value {
    let mut schema = DOCUMENT.clone();
    schema["$id"] = json!(ID);
    let config = |kind: &str, config: &Value| {
        let mut config = config.clone();
        if let Some(config) = config.as_object_mut() {
            config.remove("$schema");
            config.remove("title");
        }
        json!({
            "if": {"properties": {"type": {"const": kind}}, "required": ["type"]},
            "then": {"properties": {"config": config}}
        })
    };
    schema["properties"]["nodes"]["items"]["allOf"] =
        json!([config("llm", &LLM), config("tool", &TOOL), config("router", &ROUTER)]);
    // A router cannot do without its rule.
    schema["properties"]["nodes"]["items"]["allOf"][2]["then"]["required"] = json!(["config"]);
    schema
}
