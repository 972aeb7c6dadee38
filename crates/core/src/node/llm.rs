//! `llm`: one call of a language model.

use crate::answer::Validator;
use crate::call::{Message, ModelCall, Parameters, Role, Target};
use crate::event::ModelDefaults;
use crate::expression::Expression;
use crate::failure::{Failure, FailureCode};
use crate::scope::Scope;
use crate::template::Template;
use crate::value::{MAX_BYTES, MAX_DEPTH, deeper_than};
use serde_json::{Map, Value};
use std::sync::Arc;

#[derive(Debug)]
pub struct Llm {
    /// Absent: the workflow's or the deployment's default.
    pub provider: Option<String>,
    pub model: Option<String>,
    pub system: Option<Template>,
    /// Absent: the inputs are the user message, unless there are `messages`.
    pub prompt: Option<Template>,
    /// What was said before.
    pub messages: Option<Template>,
    pub parameters: Parameters,
    pub schema: Option<Arc<Value>>,
    /// `schema`, ready to use; present exactly with it.
    pub validator: Option<Validator>,
    /// What else has to be true of the answer.
    pub check: Option<Expression>,
    /// How often the model is asked to mend an answer that misses `schema` or `check`.
    pub repairs: u32,
    /// Tells identical calls apart that shall not share an answer.
    pub sample: Option<Template>,
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
    pub fn call(&self, scope: &Scope, defaults: &ModelDefaults) -> Result<ModelCall, Failure> {
        let mut messages = Vec::with_capacity(2);
        if let Some(system) = &self.system {
            messages.push(Message::new(Role::System, text_of(&system.render(scope)?)));
        }
        if let Some(said) = &self.messages {
            messages.extend(conversation(&said.render(scope)?)?);
        }
        let user = match &self.prompt {
            Some(prompt) => Some(text_of(&prompt.render(scope)?)),
            None if self.messages.is_some() => None,
            None => Some(inputs_as_text(&scope.inputs)?),
        };
        messages.extend(user.map(|user| Message::new(Role::User, user)));
        let mut parameters = self.parameters.clone();
        parameters.temperature = parameters.temperature.or(defaults.temperature);
        Ok(ModelCall {
            target: target(self.provider.as_ref(), self.model.as_ref(), defaults)?,
            messages,
            parameters,
            schema: self.schema.clone(),
            tools: Vec::new(),
            sample: self.sample(scope)?,
            simulate: self.simulate.clone(),
        })
    }

    fn sample(&self, scope: &Scope) -> Result<Option<u64>, Failure> {
        let Some(template) = &self.sample else { return Ok(None) };
        let value = template.render(scope)?;
        let number = value.as_u64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
        number.map(Some).ok_or_else(|| {
            Failure::new(FailureCode::Template, format!("`sample` has to be a whole number from 0, but is {value}"))
        })
    }

    /// The conversation that asks the model to mend its answer.
    pub fn repair(&self, call: &ModelCall, answer: &str, why: &str) -> ModelCall {
        let mut next = call.clone();
        next.messages.push(Message::new(Role::Assistant, answer));
        next.messages.push(Message::new(Role::User, format!("This answer cannot be used: {why}. Answer again, and mend that.")));
        next
    }

    /// `{system?, messages?, prompt?}` as the author wrote them, for the trace.
    pub fn template_source(&self) -> Value {
        let mut source = Map::new();
        let parts = [("system", &self.system), ("messages", &self.messages), ("prompt", &self.prompt)];
        for (name, template) in parts {
            if let Some(template) = template {
                source.insert(name.to_owned(), template.source().clone());
            }
        }
        Value::Object(source)
    }

    /// The node's output for the model's text: the text, or the parsed JSON where a schema is asked for.
    pub fn output(&self, text: &str) -> Result<Value, Failure> {
        let Some(validator) = &self.validator else {
            return Ok(Value::String(text.to_owned()));
        };
        let malformed = |why: String| Err(Failure::new(FailureCode::Malformed, format!("the model's answer {why}")));
        let value: Value = match serde_json::from_str(without_fence(text)) {
            Ok(value) => value,
            Err(error) => return malformed(format!("is not JSON, as the node's `schema` asks for: {error}")),
        };
        if deeper_than(&value, MAX_DEPTH) {
            return malformed(format!("is nested more than {MAX_DEPTH} levels deep"));
        }
        match validator.check(&value) {
            Ok(()) => Ok(value),
            Err(why) => malformed(format!("does not conform to the node's `schema`: {why}")),
        }
    }
}

/// Who is asked, with the defaults where the author names nobody.
pub(crate) fn target(provider: Option<&String>, model: Option<&String>, defaults: &ModelDefaults) -> Result<Target, Failure> {
    // A default model belongs to the default provider; another provider would not know it.
    let default_model = defaults.model.as_ref().filter(|_| provider.is_none() || provider == defaults.provider.as_ref());
    let (provider, model) = (provider.or(defaults.provider.as_ref()), model.or(default_model));
    let missing = match (provider, model) {
        (Some(provider), Some(model)) => return Ok(Target { provider: provider.clone(), model: model.clone() }),
        (None, None) => "names neither provider nor model",
        (None, Some(_)) => "names no provider",
        (Some(_), None) => "names no model",
    };
    let message = format!(
        "the node {missing} and there is no default for it: set `provider` and `model` in its config, or a default for the workflow"
    );
    Err(Failure::new(FailureCode::NotConfigured, message))
}

/// Models like to put JSON between code fences even when they are told not to.
pub(crate) fn without_fence(text: &str) -> &str {
    let text = text.trim();
    let Some(inside) = text.strip_prefix("```").and_then(|inside| inside.strip_suffix("```")) else {
        return text;
    };
    match inside.split_once('\n') {
        Some((language, body)) if language.trim().chars().all(|c| c.is_ascii_alphanumeric()) => body.trim(),
        _ => inside.trim(),
    }
}

/// The messages in a rendered `messages`.
fn conversation(value: &Value) -> Result<Vec<Message>, Failure> {
    let wrong = |what: &str| {
        let message = format!(
            "`messages` has to be a list of `{{role, content}}`, with the roles `user` and `assistant` and texts; {what}"
        );
        Failure::new(FailureCode::Template, message)
    };
    let all = value.as_array().filter(|all| !all.is_empty()).ok_or_else(|| wrong("it is none, or empty"))?;
    let one = |(at, message): (usize, &Value)| {
        let role = match message["role"].as_str() {
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            _ => return Err(wrong(&format!("number {} has another role", at + 1))),
        };
        let content = message["content"].as_str().ok_or_else(|| wrong(&format!("number {} has no text", at + 1)))?;
        Ok(Message::new(role, content))
    };
    all.iter().enumerate().map(one).collect()
}

/// One input is the message; several are labelled blocks in the order of the document.
pub(crate) fn inputs_as_text(inputs: &Map<String, Value>) -> Result<String, Failure> {
    let mut parts = inputs.iter();
    let text = match (parts.next(), parts.next()) {
        (Some((_, only)), None) => text_of(only),
        _ => {
            let blocks: Vec<String> = inputs.iter().map(|(name, value)| format!("{name}:\n{}", text_of(value))).collect();
            blocks.join("\n\n")
        }
    };
    if text.len() > MAX_BYTES {
        let message =
            format!("the inputs make a prompt of more than {} MiB: bind only what the model needs", MAX_BYTES / (1024 * 1024));
        return Err(Failure::new(FailureCode::Template, message));
    }
    Ok(text)
}

pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
