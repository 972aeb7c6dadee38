//! What templates and expressions can see.

use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// The values in reach of one node. Only what the node refers to is loaded, so building it costs what is used.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// `input`: what the run was started with.
    pub input: Arc<Value>,
    /// The node's own rendered inputs, visible to rules by name; empty while the inputs themselves are rendered.
    pub inputs: Map<String, Value>,
    /// `node.<id>`.
    pub nodes: HashMap<Arc<str>, NodeValue>,
    /// `branch`: the decision of the router whose outgoing edges are being evaluated.
    pub branch: Option<Value>,
}

/// What other nodes can read of a finished one. A skipped node reads as `null`.
#[derive(Clone, Debug, Default)]
pub struct NodeValue {
    pub output: Arc<Value>,
    /// A router's decision.
    pub branch: Option<Value>,
}
