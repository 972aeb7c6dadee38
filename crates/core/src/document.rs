//! The workflow document, version "1", as people write it. The JSON Schema that editors use is generated from these types, and
//! [`crate::check`] checks a document against the same schema, so a default or a range stands here and nowhere else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The largest document that is read, in bytes: 5 MiB.
pub const MAX_DOCUMENT_BYTES: usize = 5 * 1024 * 1024;
/// The largest number of nodes that `limits.maxNodes` may allow.
pub const MAX_NODES: u32 = 10_000;
/// `limits.maxNodes` where the document does not say.
pub const DEFAULT_MAX_NODES: u32 = 1_000;
/// `execution.maxConcurrency` in parallel mode where the document does not say.
pub const DEFAULT_CONCURRENCY: u32 = 8;
/// The longest time that one attempt of an llm step may take, where the node does not say.
pub const LLM_TIMEOUT_SECONDS: u32 = 120;
/// The longest time that one attempt of a tool step may take, where the node does not say.
pub const TOOL_TIMEOUT_SECONDS: u32 = 30;

/// A FlowTrace workflow: a graph of steps without cycles that starts at `entry`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "FlowTrace workflow")]
pub struct Document {
    /// The version of the language.
    pub version: Version,
    /// A name for people.
    #[schemars(length(max = 200))]
    pub name: Option<String>,
    /// What the workflow is for.
    #[schemars(length(max = 10_000))]
    pub description: Option<String>,
    /// The id of the node that runs first.
    pub entry: String,
    /// The steps.
    #[schemars(length(min = 1))]
    pub nodes: Vec<Node>,
    /// What follows what.
    #[serde(default)]
    pub edges: Vec<Edge>,
    /// When a run is stopped.
    #[serde(default)]
    pub limits: Limits,
    /// How many steps run at once.
    #[serde(default)]
    pub execution: Execution,
    /// Free for editors; the engine ignores it.
    pub ui: Option<Map<String, Value>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Version {
    #[serde(rename = "1")]
    One,
}

/// One step.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Node {
    /// Names the node in edges, bindings and rules. A letter or `_`, then letters, digits and `_`.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]*$"))]
    pub id: String,
    /// The kind of step.
    pub r#type: NodeType,
    /// A name for people; the id where it is absent.
    #[schemars(length(max = 200))]
    pub name: Option<String>,
    /// What the kind of step needs to know; see each kind.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// Values for the step by name. Strings may hold bindings such as `{{node.ingest.output.content}}`.
    #[serde(default)]
    pub inputs: Map<String, Value>,
    /// How failed attempts are repeated. The default is 3 attempts for steps that reach over a network and 1 for others.
    pub retry: Option<Retry>,
    /// The longest time that one attempt may take, in seconds. The default is 120 for llm steps and 30 for tools.
    #[schemars(range(min = 1, max = 86_400))]
    pub timeout_seconds: Option<u32>,
    /// Free for editors, for instance the position; the engine ignores it.
    pub ui: Option<Map<String, Value>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NodeType {
    Llm,
    Tool,
    Router,
}

/// `to` runs after `from`, if `when` holds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Edge {
    /// The id of a node.
    pub from: String,
    /// The id of a node.
    pub to: String,
    /// An expression that is true where the edge is taken, such as `branch == 'deep'`. Without it the edge always is.
    #[schemars(length(min = 1, max = 512), extend("format" = "expression"))]
    pub when: Option<String>,
    /// Free for editors; the engine ignores it.
    pub ui: Option<Map<String, Value>>,
}

/// How failed attempts are repeated: with a wait that doubles from `initialMs` to `maxMs`, half of it random.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retry {
    /// Attempts in all, the first included.
    #[schemars(range(min = 1, max = 20))]
    pub max_attempts: Option<u32>,
    /// The first wait, in milliseconds. The default is 500.
    #[schemars(range(max = 3_600_000))]
    pub initial_ms: Option<u64>,
    /// The longest wait, in milliseconds. The default is 20000.
    #[schemars(range(max = 86_400_000))]
    pub max_ms: Option<u64>,
}

/// When a run is stopped. The first limit that is reached ends the run with a reason and what there is of a result.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// How many nodes the document may have. The default is 1000.
    #[schemars(range(min = 1, max = 10_000))]
    pub max_nodes: Option<u32>,
    /// Tokens of all model calls of a run, prompts and answers.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub max_tokens: Option<u64>,
    /// Active time of a run, in seconds.
    #[schemars(range(min = 1, max = 31_536_000))]
    pub timeout_seconds: Option<u32>,
    /// Steps that a run may start.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub max_steps: Option<u64>,
    /// Cost of a run in US dollars.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub max_cost_usd: Option<f64>,
    /// Whether models without a known price may be called under `maxCostUsd`. The default is false.
    pub allow_unpriced: Option<bool>,
}

/// How many steps run at once.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Execution {
    /// One step at a time, or every step that is ready. The default is sequential.
    pub mode: Option<Mode>,
    /// Steps in flight at once in parallel mode. The default is 8.
    #[schemars(range(min = 1, max = 10_000))]
    pub max_concurrency: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Sequential,
    Parallel,
}

/// `config` of an `llm` node: one call of a language model.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LlmConfig {
    /// Who is asked, for instance `openai` or `anthropic`. Where it is absent, the workflow's or the deployment's default.
    #[schemars(length(min = 1, max = 100))]
    pub provider: Option<String>,
    /// The provider's name of the model. Where it is absent, the workflow's or the deployment's default.
    #[schemars(length(min = 1, max = 200))]
    pub model: Option<String>,
    /// The system message. May hold bindings.
    pub system: Option<String>,
    /// The user message. May hold bindings, also of the node's own inputs by name. Where it is absent, the inputs are sent.
    pub prompt: Option<String>,
    /// Randomness of the answer; left to the provider where it is absent.
    #[schemars(range(min = 0, max = 2))]
    pub temperature: Option<f64>,
    /// Nucleus sampling; left to the provider where it is absent.
    #[schemars(range(min = 0, max = 1))]
    pub top_p: Option<f64>,
    /// The longest answer, in tokens.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub max_tokens: Option<u64>,
    /// Texts at which the model stops.
    #[serde(default)]
    #[schemars(length(max = 16))]
    pub stop: Vec<String>,
    /// For repeatable answers, where the provider supports it.
    pub seed: Option<i64>,
    /// A JSON Schema (draft 2020-12). The answer is then JSON that conforms to it, and so is the node's output.
    pub schema: Option<Map<String, Value>>,
    /// Whether an identical earlier call may answer.
    #[serde(default)]
    pub cache: Cache,
    /// Who answers when the call fails for good, in this order. An empty list: nobody.
    #[schemars(length(max = 10))]
    pub fallbacks: Option<Vec<Fallback>>,
    /// A script for the simulated provider. Real providers never see it.
    pub simulate: Option<Map<String, Value>>,
}

/// The exact-match cache of model calls.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cache {
    /// The default is true.
    pub enabled: Option<bool>,
    /// How long an answer may be used, in seconds. Without it: for ever.
    #[schemars(range(min = 1, max = 315_360_000))]
    pub ttl_seconds: Option<u64>,
}

/// A provider and a model.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fallback {
    /// Who is asked.
    #[schemars(length(min = 1, max = 100))]
    pub provider: String,
    /// The provider's name of the model.
    #[schemars(length(min = 1, max = 200))]
    pub model: String,
}

/// `config` of a `router` node: which of the outgoing edges are taken.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouterConfig {
    /// An expression that gives a text or a boolean, such as `len(text) > 2000 ? 'deep' : 'shallow'`. Edges compare it as `branch`.
    #[schemars(length(min = 1, max = 512), extend("format" = "expression"))]
    pub rule: String,
}

/// `config` of a `tool` node: one call of a tool.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolConfig {
    /// The name of the tool. `http` where only a `url` is given.
    #[schemars(length(min = 1, max = 100))]
    pub tool: Option<String>,
    /// The tool's own configuration. Strings may hold bindings.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}
