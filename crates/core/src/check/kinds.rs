//! The kinds of nodes whose work is done by other steps, by people or by time.

use super::nodes::{Maker, Place, config, known_tool, plain, provider};
use crate::document::{
    AGENT_TOOL_CONCURRENCY, AgentConfig, AgentTool, ApprovalConfig, ApprovalTimeout, DEFAULT_AGENT_STEPS, DEFAULT_HANDOFFS,
    DEFAULT_MAP_CONCURRENCY, Exhausted, GateConfig, HandoffConfig, ItemError, LoopConfig, MapConfig, SetConfig, WaitConfig,
    WorkflowConfig,
};
use crate::expression::Expression;
use crate::node::Caps;
use crate::node::agent::{Agent, HANDOFF, OfferedTool, Persona};
use crate::node::approval::Approval;
use crate::node::gate::Gate;
use crate::node::llm::CachePolicy;
use crate::node::loop_::Loop;
use crate::node::map::Map;
use crate::node::set::Set;
use crate::node::wait::Wait;
use crate::node::workflow::Workflow;
use crate::problem::Problem;
use crate::reference::{clip, is_identifier, pointer};
use crate::template::Template;
use serde_json::Value;
use std::collections::HashSet;
use std::sync::Arc;

fn nanousd(dollars: Option<f64>) -> Option<u64> {
    // The range of the schema keeps this far from overflow.
    dollars.map(|dollars| (dollars * 1e9).round() as u64)
}

impl Maker<'_> {
    fn config<T: serde::de::DeserializeOwned>(&mut self) -> Option<T> {
        config(self.node, self.part, self.place, self.problems)
    }

    fn template(&mut self, value: Value, within: Place, name: &str) -> Option<Template> {
        self.part.template(value, within, &pointer(self.place, name), self.shared, self.problems)
    }

    /// `None`: it is there and something is wrong with it.
    fn maybe(&mut self, value: Option<Value>, within: Place, name: &str) -> Option<Option<Template>> {
        match value {
            Some(value) => self.template(value, within, name).map(Some),
            None => Some(None),
        }
    }

    /// `None`: it is there and something is wrong with it.
    fn condition(&mut self, source: Option<&str>, within: Place, name: &str) -> Option<Option<Expression>> {
        let Some(source) = source else { return Some(None) };
        let expression = self.shared.expression(source, &pointer(self.place, name), self.problems)?;
        self.part.references.extend(expression.references().map(|reference| (within, reference)));
        Some(Some(expression))
    }

    pub fn map(&mut self) -> Option<Map> {
        let config: MapConfig = self.config()?;
        if !matches!(config.items, Value::Array(_)) && !config.items.as_str().is_some_and(crate::template::has_bindings) {
            let message = "`items` has to be a list, or a binding that gives one";
            self.problems.add("wrong_type", pointer(self.place, "items"), message);
            return None;
        }
        let items = self.template(config.items, Place::Config, "items")?;
        Some(Map {
            items,
            body: 0,
            max_concurrency: config.max_concurrency.unwrap_or(DEFAULT_MAP_CONCURRENCY),
            on_error: config.on_error.unwrap_or(ItemError::Fail),
        })
    }

    pub fn loop_(&mut self) -> Option<Loop> {
        let config: LoopConfig = self.config()?;
        let until = self.condition(config.until.as_deref(), Place::Inside, "until");
        let while_ = self.condition(config.r#while.as_deref(), Place::Inside, "while");
        let state = self.template(Value::Object(config.state), Place::Config, "state");
        let update = self.template(Value::Object(config.update), Place::Inside, "update");
        Some(Loop {
            body: 0,
            max_iterations: config.max_iterations,
            until: until?,
            while_: while_?,
            state: state?,
            update: update?,
            on_exhausted: config.on_exhausted.unwrap_or(Exhausted::Continue),
            caps: Caps {
                max_steps: config.max_steps,
                max_tool_calls: config.max_tool_calls,
                max_tokens: config.max_tokens,
                max_cost_nanousd: nanousd(config.max_cost_usd),
                max_iterations: None,
                timeout_ms: config.timeout_seconds.map(|seconds| u64::from(seconds) * 1000),
            },
        })
    }

    pub fn agent(&mut self) -> Option<Agent> {
        let config: AgentConfig = self.config()?;
        if config.prompt.is_none() && self.node.inputs.is_empty() && !self.part.pruned {
            let message = format!("agent `{}` has no task: it has neither a prompt nor inputs", clip(&self.node.id));
            let problem = Problem::new("no_prompt", self.place, message);
            self.problems.push(problem.suggest(Some("add `prompt` to its config, or `inputs`".to_owned())));
        }
        let first = HandoffConfig {
            description: None,
            provider: config.provider.clone(),
            model: config.model.clone(),
            instructions: config.instructions.unwrap_or_default(),
            tools: config.tools,
            simulate: config.simulate,
        };
        let place = self.place.to_owned();
        let mut personas = vec![self.persona(self.node.id.clone(), first, &place)];
        let handoffs_at = pointer(&place, "handoffs");
        for (name, value) in config.handoffs {
            let at = pointer(&handoffs_at, &name);
            if !is_identifier(&name) || name.len() > 40 {
                let message = format!("the agent `{}` needs a name of at most 40 letters, digits and `_`", clip(&name));
                self.problems.add("invalid_name", &at, message);
            }
            let before = self.problems.count();
            super::form::check_value(&value, &crate::schema::HANDOFF, &at, self.problems);
            let Ok(mut handoff) = serde_json::from_value::<HandoffConfig>(value) else { continue };
            if self.problems.count() > before {
                continue;
            }
            handoff.provider = handoff.provider.or_else(|| config.provider.clone().filter(|_| handoff.model.is_none()));
            handoff.model = handoff.model.or_else(|| config.model.clone());
            personas.push(self.persona(name, handoff, &at));
        }
        let prompt = self.maybe(config.prompt.map(Value::String), Place::Config, "prompt");
        let schema = config.schema.map(Value::Object).map(Arc::new);
        let validator = match &schema {
            Some(schema) => Some(self.shared.validator(schema, &pointer(&place, "schema"), self.problems)?),
            None => None,
        };
        self.part.remote = true;
        Some(Agent {
            personas: personas.into_iter().collect::<Option<Vec<_>>>()?,
            prompt: prompt?,
            body: 0,
            max_turns: config.max_steps.unwrap_or(DEFAULT_AGENT_STEPS),
            max_handoffs: config.max_handoffs.unwrap_or(DEFAULT_HANDOFFS),
            caps: Caps {
                max_steps: None,
                max_tool_calls: config.max_tool_calls,
                max_tokens: config.max_tokens,
                max_cost_nanousd: nanousd(config.max_cost_usd),
                max_iterations: None,
                timeout_ms: config.timeout_seconds.map(|seconds| u64::from(seconds) * 1000),
            },
            temperature: config.temperature,
            schema,
            validator,
            cache: CachePolicy { enabled: config.cache.enabled.unwrap_or(true), ttl_seconds: config.cache.ttl_seconds },
        })
    }

    fn persona(&mut self, name: String, config: HandoffConfig, place: &str) -> Option<Persona> {
        plain(config.provider.as_deref(), &pointer(place, "provider"), self.problems);
        plain(config.model.as_deref(), &pointer(place, "model"), self.problems);
        provider(config.provider.as_deref(), &pointer(place, "provider"), self.catalog, self.problems);
        let instructions = match config.instructions.is_empty() {
            true => Some(None),
            false => {
                let at = pointer(place, "instructions");
                let text = Value::String(config.instructions);
                self.part.template(text, Place::Config, &at, self.shared, self.problems).map(Some)
            }
        };
        let tools_at = pointer(place, "tools");
        let mut names = HashSet::new();
        let mut tools = Vec::with_capacity(config.tools.len());
        for (at, tool) in config.tools.into_iter().enumerate() {
            let at = pointer(&tools_at, at);
            let offered = self.offered(tool, &at);
            if let Some(offered) = &offered
                && !names.insert(offered.name.clone())
            {
                let message = format!("the agent has two tools of the name `{}`: give one of them another `name`", offered.name);
                self.problems.add("duplicate_id", &at, message);
            }
            tools.push(offered);
        }
        Some(Persona {
            name,
            description: config.description.unwrap_or_default(),
            provider: config.provider,
            model: config.model,
            instructions: instructions?,
            tools: tools.into_iter().collect::<Option<Vec<_>>>()?,
            simulate: config.simulate.map(Value::Object).map(Arc::new),
        })
    }

    fn offered(&mut self, tool: AgentTool, place: &str) -> Option<OfferedTool> {
        plain(Some(&tool.tool), &pointer(place, "tool"), self.problems);
        known_tool(&tool.tool, &pointer(place, "tool"), self.catalog, self.problems);
        let config_at = pointer(place, "config");
        for (name, value) in &tool.config {
            super::nodes::check_secrets(value, true, &pointer(&config_at, name), self.problems);
        }
        let name = tool.name.unwrap_or_else(|| offered_name(&tool.tool));
        if name != offered_name(&name) {
            let message = format!("the model sees the name `{}`, so it may only have letters, digits, `_` and `-`", clip(&name));
            let problem = Problem::new("invalid_name", pointer(place, "name"), message);
            self.problems.push(problem.suggest(Some(format!("write `{}`", offered_name(&name)))));
        }
        if name.starts_with(HANDOFF) {
            let message = format!("names that begin with `{HANDOFF}` are those of handoffs");
            self.problems.add("reserved_name", pointer(place, "name"), message);
        }
        let config = Value::Object(tool.config);
        Some(OfferedTool {
            tool: tool.tool,
            name,
            description: tool.description,
            parameters: tool.parameters.map(Value::Object).map(Arc::new),
            config: self.part.template(config, Place::Arguments, &config_at, self.shared, self.problems)?,
        })
    }

    pub fn approval(&mut self) -> Option<Approval> {
        let config: ApprovalConfig = self.config()?;
        let message = self.template(Value::String(config.message.unwrap_or_default()), Place::Config, "message");
        let payload = self.maybe(config.payload, Place::Config, "payload");
        Some(Approval {
            message: message?,
            payload: payload?,
            timeout_ms: config.timeout_seconds.map(|seconds| seconds.saturating_mul(1000)),
            on_timeout: config.on_timeout.unwrap_or(ApprovalTimeout::Fail),
        })
    }

    pub fn wait(&mut self) -> Option<Wait> {
        let config: WaitConfig = self.config()?;
        let (timeout_ms, on_timeout) =
            (config.timeout_seconds.map(|seconds| seconds.saturating_mul(1000)), config.on_timeout.unwrap_or(Exhausted::Fail));
        match (config.seconds, config.until, config.signal) {
            (Some(seconds), None, None) => self.template(seconds, Place::Config, "seconds").map(Wait::Seconds),
            (None, Some(until), None) => self.template(Value::String(until), Place::Config, "until").map(Wait::Until),
            (None, None, Some(signal)) => {
                plain(Some(&signal), &pointer(self.place, "signal"), self.problems);
                Some(Wait::Signal { name: signal, timeout_ms, on_timeout })
            }
            _ if self.part.pruned => None,
            _ => {
                let message = "a wait needs one of `seconds`, `until` and `signal`, and only one";
                self.problems.add("missing_property", self.place, message);
                None
            }
        }
    }

    pub fn workflow(&mut self) -> Option<Workflow> {
        let config: WorkflowConfig = self.config()?;
        plain(Some(&config.workflow), &pointer(self.place, "workflow"), self.problems);
        let input = self.maybe(config.input, Place::Config, "input");
        Some(Workflow { workflow: config.workflow, version: config.version, input: input? })
    }

    pub fn gate(&mut self) -> Option<Gate> {
        let config: GateConfig = self.config()?;
        if config.schema.is_none() && config.check.is_none() && !self.part.pruned {
            self.problems.add("missing_property", self.place, "a gate needs a `schema` or a `check`");
        }
        let check = self.condition(config.check.as_deref(), Place::Rule, "check");
        let validator = match config.schema {
            Some(schema) => Some(self.shared.validator(&Value::Object(schema), &pointer(self.place, "schema"), self.problems)?),
            None => None,
        };
        Some(Gate { validator, check: check? })
    }

    pub fn set(&mut self) -> Option<Set> {
        let config: SetConfig = self.config()?;
        if config.vars.is_empty() && config.session.is_empty() && !self.part.pruned {
            self.problems.add("missing_property", self.place, "a set node needs `vars` or `session`");
        }
        let vars = self.template(Value::Object(config.vars), Place::Config, "vars");
        let session = self.template(Value::Object(config.session), Place::Config, "session");
        Some(Set { vars: vars?, session: session? })
    }
}

/// A tool's name in the characters that models accept.
fn offered_name(tool: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    tool.chars().map(fits).take(64).collect()
}

/// How many calls of an agent's tools are made at once.
pub const TOOL_CONCURRENCY: u32 = AGENT_TOOL_CONCURRENCY;
