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
/// `maxConcurrency` of a map where the node does not say.
pub const DEFAULT_MAP_CONCURRENCY: u32 = 8;
/// `maxSteps` of an agent where the node does not say.
pub const DEFAULT_AGENT_STEPS: u32 = 20;
/// `maxHandoffs` of an agent where the node does not say.
pub const DEFAULT_HANDOFFS: u32 = 4;
/// How many of the tools that an agent asks for at once are called at the same time.
pub const AGENT_TOOL_CONCURRENCY: u32 = 8;
/// How deeply bodies may be nested in one document.
pub const MAX_BODIES_DEEP: usize = 16;
/// How deeply a run may nest workflows in workflows, where `limits.maxDepth` does not say.
pub const DEFAULT_MAX_DEPTH: u64 = 16;
/// How many workflows a run may call in all, where `limits.maxSpawns` does not say.
pub const DEFAULT_MAX_SPAWNS: u64 = 1_000;

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
    /// How many of the edges into the node have to be taken: `all` that are taken at all, `any`, or a number. The default is `all`.
    #[serde(default)]
    #[schemars(schema_with = "join_schema")]
    pub join: Option<Value>,
    /// What the run goes on with when the step fails, instead of failing with it.
    pub on_error: Option<OnError>,
    /// The call of a tool that takes back what this step did, should the run fail or be cancelled later.
    pub undo: Option<Undo>,
    /// Free for editors, for instance the position; the engine ignores it.
    pub ui: Option<Map<String, Value>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NodeType {
    Llm,
    Tool,
    Router,
    Map,
    Loop,
    Agent,
    Approval,
    Wait,
    Workflow,
    Gate,
    Set,
}

impl NodeType {
    /// Whether its `config.body` is a graph of its own.
    pub fn has_body(self) -> bool {
        matches!(self, NodeType::Map | NodeType::Loop)
    }

    /// Whether it makes a decision that edges can compare as `branch`.
    pub fn has_branch(self) -> bool {
        matches!(self, NodeType::Router | NodeType::Gate | NodeType::Approval)
    }
}

fn join_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": ["string", "integer", "null"],
        "description": "How many of the edges into the node have to be taken: `all`, `any`, or a number."
    })
}

/// What a failed step leaves behind.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnError {
    /// The output of the step in that case. May hold bindings.
    pub value: Value,
}

/// The call of a tool that takes back what a step did.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// As the `config` of a tool node. May hold bindings, also of the step's own output.
    pub config: Map<String, Value>,
    /// Values for the tool by name. May hold bindings, also of the step's own output.
    #[serde(default)]
    pub inputs: Map<String, Value>,
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
    /// `error`: the edge is taken where the step fails, and the run does not fail with it. The default is `success`.
    pub on: Option<EdgeOn>,
    /// Free for editors; the engine ignores it.
    pub ui: Option<Map<String, Value>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EdgeOn {
    Success,
    Error,
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
    /// Calls of tools that a run may make, by tool nodes and by agents.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub max_tool_calls: Option<u64>,
    /// Iterations of all loops and turns of all agents of a run.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub max_iterations: Option<u64>,
    /// How deeply a run may nest workflows in workflows. The default is 16.
    #[schemars(range(min = 1, max = 100))]
    pub max_depth: Option<u64>,
    /// How many workflows a run may call in all. The default is 1000.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_spawns: Option<u64>,
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
    /// What was said before, between the system message and the prompt: a list of `{role, content}` with the roles `user` and
    /// `assistant`, or a binding that is one. With it and without `prompt`, the inputs are not sent.
    pub messages: Option<Value>,
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
    /// An expression that has to be true of the answer, such as `len(node.draft.output) < 500`.
    #[schemars(length(min = 1, max = 512), extend("format" = "expression"))]
    pub check: Option<String>,
    /// How often the model is asked to mend an answer that misses `schema` or `check`. The default is 2.
    #[schemars(range(max = 10))]
    pub repairs: Option<u32>,
    /// Tells identical calls apart that shall not share an answer, such as the number of a vote. May be a binding.
    pub sample: Option<Value>,
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
    #[schemars(length(min = 1, max = 250))]
    pub tool: Option<String>,
    /// Whether a call that may have been carried out can be made again: `false` asks a person after an interruption, `true` never does.
    /// Where it is absent, the tool decides.
    pub idempotent: Option<bool>,
    /// The tool's own configuration. Strings may hold bindings.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// `config` of a `map` node: the body runs once for each item, and the node's output is the list of what came out.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MapConfig {
    /// A list, or a binding that gives one. In the body an item is `each.item` and its number, from 0, `each.index`.
    pub items: Value,
    /// How many items are worked on at the same time. The default is 8.
    #[schemars(range(min = 1, max = 10_000))]
    pub max_concurrency: Option<u32>,
    /// What a failed item does: `fail` the node, leave `null` in its place, or `collect` its error there. The default is `fail`.
    pub on_error: Option<ItemError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ItemError {
    Fail,
    Null,
    Collect,
}

/// `config` of a `loop` node: the body runs again and again. The output is `{output, state, iterations, exhausted}`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoopConfig {
    /// How often the body runs at most.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_iterations: u32,
    /// An expression that ends the loop when it is true after an iteration, such as `iteration.state.score > 0.8`.
    #[schemars(length(min = 1, max = 512), extend("format" = "expression"))]
    pub until: Option<String>,
    /// An expression that has to be true before each iteration.
    #[schemars(length(min = 1, max = 512), extend("format" = "expression"))]
    pub r#while: Option<String>,
    /// What the loop carries along, by name; read as `iteration.state.<name>`. May hold bindings.
    #[serde(default)]
    pub state: Map<String, Value>,
    /// How the state changes after an iteration: a new value, or `{"$append": …}`, `{"$add": …}`, `{"$merge": …}`. May read the
    /// nodes of the body.
    #[serde(default)]
    pub update: Map<String, Value>,
    /// What happens when `maxIterations` are used up before `until` is true: `continue` or `fail`. The default is `continue`.
    pub on_exhausted: Option<Exhausted>,
    /// Steps that all iterations together may start.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub max_steps: Option<u64>,
    /// Calls of tools in all iterations together.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub max_tool_calls: Option<u64>,
    /// Tokens of all iterations together.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub max_tokens: Option<u64>,
    /// Cost of all iterations together, in US dollars.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub max_cost_usd: Option<f64>,
    /// Wall clock of all iterations together, in seconds.
    #[schemars(range(min = 1, max = 31_536_000))]
    pub timeout_seconds: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Exhausted {
    Continue,
    Fail,
}

/// `config` of an `agent` node: a model that calls tools until it has an answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AgentConfig {
    /// Who is asked. Where it is absent, the workflow's or the deployment's default.
    #[schemars(length(min = 1, max = 100))]
    pub provider: Option<String>,
    /// The provider's name of the model. Where it is absent, the workflow's or the deployment's default.
    #[schemars(length(min = 1, max = 200))]
    pub model: Option<String>,
    /// What the agent is and how it works: the system message. May hold bindings.
    pub instructions: Option<String>,
    /// The task: the user message. May hold bindings. Where it is absent, the inputs are sent.
    pub prompt: Option<String>,
    /// What the agent may call, and nothing else.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub tools: Vec<AgentTool>,
    /// Other agents that may take over, by name.
    #[serde(default)]
    pub handoffs: Map<String, Value>,
    /// How often the conversation may be handed over. The default is 4.
    #[schemars(range(max = 100))]
    pub max_handoffs: Option<u32>,
    /// Turns of the model. The default is 20.
    #[schemars(range(min = 1, max = 1_000))]
    pub max_steps: Option<u32>,
    /// Calls of tools.
    #[schemars(range(min = 1, max = 100_000))]
    pub max_tool_calls: Option<u64>,
    /// Tokens of all turns.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub max_tokens: Option<u64>,
    /// Cost of all turns, in US dollars.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub max_cost_usd: Option<f64>,
    /// Wall clock of all turns, in seconds.
    #[schemars(range(min = 1, max = 31_536_000))]
    pub timeout_seconds: Option<u32>,
    /// Randomness of the answers; left to the provider where it is absent.
    #[schemars(range(min = 0, max = 2))]
    pub temperature: Option<f64>,
    /// A JSON Schema (draft 2020-12) of the final answer, which is then JSON, and so is the node's output.
    pub schema: Option<Map<String, Value>>,
    /// Whether identical earlier turns may answer.
    #[serde(default)]
    pub cache: Cache,
    /// A script for the simulated provider. Real providers never see it.
    pub simulate: Option<Map<String, Value>>,
}

/// A tool as an agent may call it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentTool {
    /// The name of the tool in this deployment.
    #[schemars(length(min = 1, max = 100))]
    pub tool: String,
    /// The name that the model sees. The default is that of the tool.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9_-]+$"))]
    pub name: Option<String>,
    /// What the model is told about the tool. The default is the tool's own description.
    #[schemars(length(max = 4_000))]
    pub description: Option<String>,
    /// JSON Schema of the arguments. The default is the tool's own.
    pub parameters: Option<Map<String, Value>>,
    /// The tool's configuration. May hold bindings, also of the arguments by name.
    #[serde(default)]
    pub config: Map<String, Value>,
}

/// An agent that may take over a conversation: what it is, and what it may call.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HandoffConfig {
    /// When to hand over to it, for the model.
    #[schemars(length(max = 4_000))]
    pub description: Option<String>,
    /// Who is asked. Where it is absent, as for the first agent.
    #[schemars(length(min = 1, max = 100))]
    pub provider: Option<String>,
    /// The provider's name of the model. Where it is absent, as for the first agent.
    #[schemars(length(min = 1, max = 200))]
    pub model: Option<String>,
    /// The system message. May hold bindings.
    pub instructions: String,
    /// What this agent may call, and nothing else.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub tools: Vec<AgentTool>,
    /// A script for the simulated provider. Real providers never see it.
    pub simulate: Option<Map<String, Value>>,
}

/// `config` of an `approval` node: a person decides. The output is `{decision, payload, by, reason}`; edges compare the decision
/// as `branch`: `approved` or `rejected`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApprovalConfig {
    /// The question. May hold bindings.
    #[schemars(length(max = 10_000))]
    pub message: Option<String>,
    /// What is to be approved, and may be edited. May hold bindings. Where it is absent, the inputs.
    pub payload: Option<Value>,
    /// How long the question stands, in seconds. Without it: for ever.
    #[schemars(range(min = 1, max = 315_360_000))]
    pub timeout_seconds: Option<u64>,
    /// What happens then. The default is `fail`.
    pub on_timeout: Option<ApprovalTimeout>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApprovalTimeout {
    Approve,
    Reject,
    Fail,
}

/// `config` of a `wait` node: one of `seconds`, `until` and `signal`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WaitConfig {
    /// How long, in seconds. May be a binding.
    pub seconds: Option<Value>,
    /// Until when, as in `2027-01-31T09:00:00Z` (RFC 3339). May be a binding.
    pub until: Option<String>,
    /// The name of the signal that ends the wait; its payload is the output.
    #[schemars(length(min = 1, max = 200))]
    pub signal: Option<String>,
    /// How long a signal is waited for, in seconds. Without it: for ever.
    #[schemars(range(min = 1, max = 315_360_000))]
    pub timeout_seconds: Option<u64>,
    /// What happens then: `fail`, or `continue` with null. The default is `fail`.
    pub on_timeout: Option<Exhausted>,
}

/// `config` of a `workflow` node: another workflow runs as one step. Its output is that workflow's output.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkflowConfig {
    /// The id or the name of a workflow.
    #[schemars(length(min = 1, max = 200))]
    pub workflow: String,
    /// Where it is absent, the newest when the run starts.
    #[schemars(range(min = 1, max = 4_294_967_295_u64))]
    pub version: Option<u32>,
    /// What the workflow is started with. May hold bindings. Where it is absent, the inputs.
    pub input: Option<Value>,
}

/// `config` of a `gate` node: the inputs go on only if they hold up. The output is the inputs; edges compare the result as
/// `branch`: `pass` or `fail`. Without such edges, inputs that do not hold up fail the step.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateConfig {
    /// A JSON Schema (draft 2020-12) of the inputs.
    pub schema: Option<Map<String, Value>>,
    /// An expression that has to be true, such as `len(text) > 0`.
    #[schemars(length(min = 1, max = 512), extend("format" = "expression"))]
    pub check: Option<String>,
}

/// `config` of a `set` node: variables of the run, and of the session. A value, or `{"$append": …}`, `{"$add": …}`,
/// `{"$merge": …}`. The output is an object of the values that were given.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetConfig {
    /// Variables of this run, read as `vars.<name>`. May hold bindings.
    #[serde(default)]
    pub vars: Map<String, Value>,
    /// Variables of the session, read as `session.<name>` and shared by its runs. May hold bindings.
    #[serde(default)]
    pub session: Map<String, Value>,
}
