//! What templates and expressions can see.

use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// The values in reach of one node. Only what the node refers to is loaded, so building it costs what is used.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// `input`: what the run, or the workflow that a step calls, was started with.
    pub input: Arc<Value>,
    /// The node's own rendered inputs, visible to rules by name; empty while the inputs themselves are rendered.
    pub inputs: Map<String, Value>,
    /// `node.<id>`.
    pub nodes: HashMap<Arc<str>, NodeValue>,
    /// `branch`: the decision of the node whose outgoing edges are being evaluated.
    pub branch: Option<Value>,
    /// `each`: inside of a map.
    pub each: Option<Each>,
    /// `iteration`: inside of a loop.
    pub iteration: Option<Iteration>,
    /// `vars`: an object of the variables of the run.
    pub vars: Arc<Value>,
    /// `session`: an object of the variables of the session.
    pub session: Arc<Value>,
    /// `config`: an object of the variables of the deployment.
    pub config: Arc<Value>,
}

/// What other nodes can read of a finished one. A skipped node reads as `null`.
#[derive(Clone, Debug, Default)]
pub struct NodeValue {
    pub output: Arc<Value>,
    /// The decision of a node that makes one.
    pub branch: Option<Value>,
    /// `{code, message}` of a failure that the run went on from.
    pub error: Option<Value>,
}

/// The item of a map that a step works on.
#[derive(Clone, Debug)]
pub struct Each {
    /// All of them, so that none is copied.
    pub items: Arc<Value>,
    pub at: usize,
    /// `at`, as a value.
    pub index: Value,
}

impl Each {
    pub fn new(items: Arc<Value>, at: usize) -> Self {
        Each { items, at, index: Value::from(at) }
    }
}

/// The iteration of a loop that a step belongs to.
#[derive(Clone, Debug)]
pub struct Iteration {
    /// From 0.
    pub index: Value,
    /// An object.
    pub state: Arc<Value>,
    /// What the iteration before gave; `null` in the first.
    pub last: Arc<Value>,
}
