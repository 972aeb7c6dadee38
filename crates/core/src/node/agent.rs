//! `agent`: a model that calls tools until it has an answer.
//!
//! An agent runs as a loop does: each iteration is one turn of the model and then the calls that it asked for, every one of them a
//! step of its own. The conversation is the loop's state, so it grows by what is new.

use super::Caps;
use super::llm::{CachePolicy, inputs_as_text, text_of, without_fence};
use crate::answer::Validator;
use crate::call::{Message, ModelCall, Parameters, Role, ToolOffer, ToolUse};
use crate::event::ModelDefaults;
use crate::failure::{Failure, FailureCode};
use crate::plan::GraphIx;
use crate::scope::Scope;
use crate::template::Template;
use crate::value::{MAX_DEPTH, deeper_than};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The node of a turn, and that of the calls that follow it.
pub const TURN: &str = "model";
pub const CALLS: &str = "tools";
pub const CALL: &str = "call";

/// What the model calls to hand the conversation over: this, and the name of the agent.
pub const HANDOFF: &str = "handoff_to_";

/// Names in the state of the loop.
pub const MESSAGES: &str = "messages";
pub const ACTIVE: &str = "agent";
pub const INSTRUCTIONS: &str = "instructions";
pub const HANDOFFS: &str = "handoffs";

#[derive(Debug)]
pub struct Agent {
    /// The one that begins first.
    pub personas: Vec<Persona>,
    pub prompt: Option<Template>,
    pub body: GraphIx,
    pub max_turns: u32,
    pub max_handoffs: u32,
    pub caps: Caps,
    pub temperature: Option<f64>,
    pub schema: Option<Arc<Value>>,
    pub validator: Option<Validator>,
    pub cache: CachePolicy,
}

/// Who speaks: instructions, a model, and what may be called.
#[derive(Debug)]
pub struct Persona {
    /// The node's id for the first one, the key in `handoffs` for the others.
    pub name: String,
    pub description: String,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub instructions: Option<Template>,
    pub tools: Vec<OfferedTool>,
    pub simulate: Option<Arc<Value>>,
}

#[derive(Debug)]
pub struct OfferedTool {
    /// The name of the tool in the deployment.
    pub tool: String,
    /// The name that the model sees.
    pub name: String,
    /// Absent: the tool's own.
    pub description: Option<String>,
    /// Absent: the tool's own.
    pub parameters: Option<Arc<Value>>,
    pub config: Template,
}

impl Persona {
    /// The system message.
    pub fn instructions(&self, scope: &Scope) -> Result<String, Failure> {
        match &self.instructions {
            Some(template) => template.render(scope).map(|value| text_of(&value)),
            None => Ok(String::new()),
        }
    }
}

impl Agent {
    pub fn persona(&self, name: &str) -> Option<&Persona> {
        self.personas.iter().find(|persona| persona.name == name)
    }

    /// The task, as the user says it. `scope.inputs` holds the rendered inputs.
    pub fn task(&self, scope: &Scope) -> Result<Message, Failure> {
        let task = match &self.prompt {
            Some(prompt) => text_of(&prompt.render(scope)?),
            None => inputs_as_text(&scope.inputs)?,
        };
        Ok(Message::new(Role::User, task))
    }

    /// The call of the next turn. `offers` are the tools of the persona as the deployment describes them.
    pub fn call(
        &self,
        persona: &Persona,
        messages: Vec<Message>,
        mut offers: Vec<ToolOffer>,
        defaults: &ModelDefaults,
    ) -> Result<ModelCall, Failure> {
        for other in self.personas.iter().filter(|other| other.name != persona.name) {
            let parameters = json!({"type": "object", "properties": {"reason": {"type": "string"}}, "required": ["reason"]});
            offers.push(ToolOffer {
                name: format!("{HANDOFF}{}", other.name),
                description: format!(
                    "Hands the conversation over to `{}`, who goes on in your place. {}",
                    other.name, other.description
                ),
                parameters: Arc::new(parameters),
            });
        }
        Ok(ModelCall {
            target: super::llm::target(persona.provider.as_ref(), persona.model.as_ref(), defaults)?,
            messages,
            parameters: Parameters { temperature: self.temperature.or(defaults.temperature), ..Parameters::default() },
            schema: self.schema.clone(),
            tools: offers,
            sample: None,
            simulate: persona.simulate.clone(),
        })
    }

    /// The output of a turn: `{text, tool_calls}`.
    pub fn turn_output(&self, text: &str, tool_calls: &[ToolUse]) -> Result<Value, Failure> {
        if tool_calls.is_empty() {
            self.answer(text)?;
        }
        Ok(json!({"text": text, "tool_calls": tool_calls}))
    }

    /// The agent's output: the text of its last turn, or the JSON that a schema asks for.
    pub fn answer(&self, text: &str) -> Result<Value, Failure> {
        let Some(validator) = &self.validator else { return Ok(Value::String(text.to_owned())) };
        let malformed = |why: String| Failure::new(FailureCode::Malformed, format!("the agent's answer {why}"));
        let value: Value = serde_json::from_str(without_fence(text))
            .map_err(|error| malformed(format!("is not JSON, as the node's `schema` asks for: {error}")))?;
        if deeper_than(&value, MAX_DEPTH) {
            return Err(malformed(format!("is nested more than {MAX_DEPTH} levels deep")));
        }
        validator.check(&value).map_err(|why| malformed(format!("does not conform to the node's `schema`: {why}")))?;
        Ok(value)
    }
}

/// The messages that an iteration adds: what the model said, and what the tools gave it.
pub fn messages_of(turn: &Value, results: Option<&Value>) -> Vec<Message> {
    let text = turn["text"].as_str().unwrap_or_default();
    let calls = tool_calls_of(turn);
    let mut said = Message::new(Role::Assistant, text);
    said.tool_calls = calls.clone();
    let mut messages = vec![said];
    for (at, call) in calls.iter().enumerate() {
        let result = results.and_then(|results| results.get(at)).unwrap_or(&Value::Null);
        let mut message = Message::new(Role::Tool, text_of(result));
        message.tool_call_id = Some(call.id.clone());
        messages.push(message);
    }
    messages
}

pub fn tool_calls_of(turn: &Value) -> Vec<ToolUse> {
    serde_json::from_value(turn["tool_calls"].clone()).unwrap_or_default()
}

/// The arguments of a call as the inputs of a tool.
pub fn arguments(call: &ToolUse) -> Result<Map<String, Value>, String> {
    match &call.arguments {
        Value::Object(map) => Ok(map.clone()),
        Value::Null => Ok(Map::new()),
        Value::String(text) if text.trim().is_empty() => Ok(Map::new()),
        other => Err(format!("the arguments of `{}` are no JSON object: {other}", call.name)),
    }
}
