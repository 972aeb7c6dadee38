//! What the host is asked to do outside, and what comes back.

use crate::change::{Change, Op};
use crate::failure::Failure;
use crate::usage::Usage;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// One provider and model, as a workflow names them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target {
    pub provider: String,
    pub model: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    System,
    User,
    Assistant,
    /// The result of a tool that the model called.
    Tool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub role: Role,
    pub content: String,
    /// What the model asked for, in an assistant's message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolUse>,
    /// Which call a tool's message answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
}

impl Message {
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Message { role, content: content.into(), tool_calls: Vec::new(), tool_call_id: None }
    }
}

/// A tool that a model may call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolOffer {
    /// `[A-Za-z0-9_-]{1,64}`, which is what the providers accept.
    pub name: String,
    pub description: String,
    /// JSON Schema of the arguments, an object.
    pub parameters: Arc<Value>,
}

/// A model's wish to call a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolUse {
    /// The provider's id of the call, which the tool's message repeats.
    pub id: String,
    pub name: String,
    /// The arguments as the model wrote them; text where they are no JSON.
    pub arguments: Value,
}

/// Sampling parameters; absent ones are left to the provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Parameters {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
}

/// One logical model call. Everything that changes the answer is in here, so its hash is the cache key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelCall {
    pub target: Target,
    /// The system message, if any, comes first.
    pub messages: Vec<Message>,
    #[serde(default)]
    pub parameters: Parameters,
    /// JSON Schema of the answer, where the author asks for structured output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Arc<Value>>,
    /// The tools that the model may call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<ToolOffer>,
    /// Tells identical calls apart that shall not share an answer: the number of a vote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<u64>,
    /// The script for the simulated provider; real providers never see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulate: Option<Arc<Value>>,
}

/// A complete answer of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelAnswer {
    pub text: String,
    /// The tools that the model wants to call before it goes on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolUse>,
    /// The model that the provider says it used.
    pub model: String,
    /// Why the model stopped, in the provider's own word.
    pub finish_reason: Option<String>,
    /// Normalised usage; `None` where the provider sent none.
    pub usage: Option<Usage>,
    /// Usage as the provider sent it.
    pub raw_usage: Option<Value>,
    pub upstream_request_id: Option<String>,
    /// Milliseconds from the request to the first token.
    pub first_token_ms: Option<f64>,
    pub simulated: bool,
}

/// One logical call of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    pub tool: String,
    /// The node's rendered `config`, without `tool`.
    pub config: Value,
    /// The node's rendered `inputs`.
    pub inputs: Value,
    /// JSON Pointers to the `{"$secret": name}` references that the author wrote into `config`; see [`crate::secret`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
}

/// Changes of the variables of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionCall {
    pub session_id: String,
    pub changes: Vec<(String, Op, Value)>,
}

/// What a session came to.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionChange {
    /// Seq of the change in the session's own stream.
    pub version: u64,
    pub changes: Vec<Change>,
}

/// The call of one request of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    Model(Arc<ModelCall>),
    Tool(Arc<ToolCall>),
    Session(Arc<SessionCall>),
}

/// What one attempt came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Model(Result<ModelAnswer, Failure>),
    Tool(Result<Value, Failure>),
    Session(Result<SessionChange, Failure>),
    /// The cache, or an identical call that was in flight, answered instead of the provider.
    Cached(CachedAnswer),
}

/// An answer that was paid for earlier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CachedAnswer {
    pub answer: ModelAnswer,
    /// What the original call cost, in nano-dollars; `None` where its price is unknown.
    pub cost_nanousd: Option<u64>,
    /// The run that paid.
    pub origin_run: String,
    /// The step that paid.
    pub origin_step: String,
}
