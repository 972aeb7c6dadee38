//! The JSON Schema of the language, for editors and for [`crate::check`].

use crate::document::{
    AgentConfig, ApprovalConfig, Document, GateConfig, HandoffConfig, LlmConfig, LoopConfig, MapConfig, NodeType, RouterConfig,
    SetConfig, ToolConfig, WaitConfig, WorkflowConfig,
};
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

/// A body: the parts of a document that make a graph.
pub(crate) static BODY: LazyLock<Value> = LazyLock::new(|| {
    let whole = &DOCUMENT["properties"];
    json!({
        "type": "object",
        "description": "A graph of its own, with the same kinds of nodes.",
        "properties": {"entry": whole["entry"], "nodes": whole["nodes"], "edges": whole["edges"], "ui": whole["ui"]},
        "required": ["entry", "nodes"],
        "additionalProperties": false
    })
});

macro_rules! configs {
    ($($kind:ident => $config:ty),*) => {
        /// The schema of the `config` of a kind of node, without its body.
        pub(crate) fn config(kind: NodeType) -> &'static Value {
            match kind {$(
                NodeType::$kind => {
                    static SCHEMA: LazyLock<Value> = LazyLock::new(schema_of::<$config>);
                    &SCHEMA
                }
            )*}
        }

        /// Every kind of node, in the order in which people read about them.
        pub(crate) const KINDS: &[NodeType] = &[$(NodeType::$kind),*];
    };
}
configs! {
    Llm => LlmConfig, Tool => ToolConfig, Router => RouterConfig, Agent => AgentConfig, Map => MapConfig, Loop => LoopConfig,
    Workflow => WorkflowConfig, Approval => ApprovalConfig, Wait => WaitConfig, Gate => GateConfig, Set => SetConfig
}

pub(crate) static HANDOFF: LazyLock<Value> = LazyLock::new(schema_of::<HandoffConfig>);

/// JSON Schema (draft 2020-12) of a workflow document. It says what can be said about the form; [`crate::check`] knows more.
pub fn workflow_schema() -> Value {
    let mut schema = DOCUMENT.clone();
    schema["$id"] = json!(ID);
    // A body is written as a reference, so that the schema stays finite.
    let mut body = BODY.clone();
    body["properties"]["nodes"]["items"] = json!({"$ref": "#/properties/nodes/items"});
    let kinds = KINDS.iter().map(|kind| {
        let mut config = config(*kind).clone();
        let mut needed = kind.has_body();
        if let Some(config) = config.as_object_mut() {
            config.remove("$schema");
            config.remove("title");
            let required = config.entry("required").or_insert_with(|| json!([]));
            if let (true, Some(required)) = (kind.has_body(), required.as_array_mut()) {
                required.push(json!("body"));
            }
            needed |= required.as_array().is_some_and(|required| !required.is_empty());
        }
        if kind.has_body() {
            config["properties"]["body"] = body.clone();
        }
        if let Some(handoffs) = config["properties"].get_mut("handoffs") {
            let mut agent = HANDOFF.clone();
            agent.as_object_mut().into_iter().for_each(|agent| {
                agent.remove("$schema");
                agent.remove("title");
            });
            handoffs["additionalProperties"] = agent;
        }
        let mut then = json!({"properties": {"config": config}});
        if needed {
            then["required"] = json!(["config"]);
        }
        json!({"if": {"properties": {"type": {"const": kind}}, "required": ["type"]}, "then": then})
    });
    schema["properties"]["nodes"]["items"]["allOf"] = kinds.collect();
    schema
}

/// The words that `type` of a node can be, in the order in which people read about them.
pub fn node_types() -> Vec<String> {
    KINDS.iter().filter_map(|kind| json!(kind).as_str().map(str::to_owned)).collect()
}
