//! `llm`: one call of a language model.

use crate::call::{ModelCall, Parameters, Target};
use crate::event::ModelDefaults;
use crate::failure::Failure;
use crate::scope::Scope;
use crate::template::Template;
use serde_json::Value;
use std::sync::Arc;

#[derive(Debug)]
pub struct Llm {
    /// Absent: the workflow's or the deployment's default.
    pub provider: Option<String>,
    pub model: Option<String>,
    pub system: Option<Template>,
    /// Absent: the inputs are the user message.
    pub prompt: Option<Template>,
    pub parameters: Parameters,
    pub schema: Option<Arc<Value>>,
    pub cache: CachePolicy,
    /// Absent: the documented model equivalence decides.
    pub fallbacks: Option<Vec<Target>>,
    pub simulate: Option<Arc<Value>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CachePolicy {
    pub enabled: bool,
    /// `None`: an entry never expires.
    pub ttl_seconds: Option<u64>,
}

impl Llm {
    /// The call for the node's own target. `scope.inputs` holds the rendered inputs.
    pub fn call(&self, _scope: &Scope, _defaults: &ModelDefaults) -> Result<ModelCall, Failure> {
        Err(Failure::new(crate::failure::FailureCode::Internal, "to be written"))
    }

    /// `{system?, prompt?}` as the author wrote them, for the trace.
    pub fn template_source(&self) -> Value {
        Value::Null
    }

    /// The node's output for the model's text: the text, or the parsed JSON where a schema is asked for.
    pub fn output(&self, text: &str) -> Result<Value, Failure> {
        Ok(Value::String(text.to_owned()))
    }
}
