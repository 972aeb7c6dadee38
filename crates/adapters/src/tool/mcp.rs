//! Tools of MCP servers (Model Context Protocol) that the operator's configuration names. The tool `create_issue` of the server
//! `[mcp.github]` is `mcp.github.create_issue` in workflows.
//!
//! A server is connected to in the background or at the first use, never while FlowTrace starts. What it offers is only known
//! then, so a document may name a tool of a server that was not reached yet; whether it exists turns out when the step runs.

mod answer;
mod connection;
mod link;
mod stdio;
#[cfg(test)]
mod tests;

use super::refuse;
use crate::child::{Launcher, Program};
use crate::guard::Guard;
use crate::secrets::{Secrets, Setting};
use connection::Info;
use flowtrace_core::call::ToolCall;
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::tool::{Effect, ToolDescription, ToolSourceStatus};
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::provider::CallContext;
use flowtrace_engine::port::tool::{Tool, ToolSource};
use link::Link;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Names of all these tools begin so.
pub const PREFIX: &str = "mcp.";

/// `[mcp.<name>]` of the configuration file.
#[derive(Clone, Debug)]
pub struct McpSettings {
    pub name: String,
    pub transport: McpTransport,
    /// How long a server may take to start, to shake hands and to list its tools.
    pub start_timeout: Duration,
    /// The longest time of one call.
    pub timeout: Duration,
    /// The largest message that is accepted, in bytes.
    pub max_output_bytes: usize,
    /// What the calls may change, where the operator knows it better than the hints of the server.
    pub effect: Option<Effect>,
}

#[derive(Clone, Debug)]
pub enum McpTransport {
    Stdio(Program),
    Http { url: Url, headers: BTreeMap<String, Setting> },
}

/// What a server needs from its surroundings.
#[derive(Clone)]
pub struct Surroundings {
    pub guard: Guard,
    pub secrets: Arc<dyn Secrets>,
    pub launcher: Option<Launcher>,
}

/// One MCP server: where its tools come from.
pub struct McpServer {
    link: Arc<Link>,
    /// `mcp.<name>.`
    prefix: String,
}

impl McpServer {
    pub fn new(settings: McpSettings, surroundings: Surroundings) -> Self {
        let prefix = format!("{PREFIX}{}.", settings.name);
        McpServer { link: Arc::new(Link::new(settings, surroundings)), prefix }
    }

    /// Connects in the background and keeps trying until it was reached once, so that the editor can list its tools. Needs a
    /// tokio runtime, and returns at once.
    pub fn reach(&self) {
        tokio::spawn(Link::reach(Arc::downgrade(&self.link)));
    }

    /// Ends the connection, and the program where there is one. Later calls fail.
    pub fn stop(&self) {
        self.link.stop();
    }

    fn tool(&self, name: &str, info: Option<Arc<Info>>) -> Arc<dyn Tool> {
        let description = match &info {
            Some(info) => info.description.clone(),
            None => format!("A tool of the MCP server `{}`, which was not reached yet.", self.link.settings.name),
        };
        Arc::new(McpTool {
            link: self.link.clone(),
            name: format!("{}{name}", self.prefix),
            own_name: name.to_owned(),
            description,
            info,
        })
    }
}

impl Drop for McpServer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl ToolSource for McpServer {
    fn find(&self, name: &str) -> Option<Arc<dyn Tool>> {
        let name = name.strip_prefix(&self.prefix)?;
        Some(self.tool(name, self.link.info(name)))
    }

    fn list(&self) -> Vec<Arc<dyn Tool>> {
        self.link.known().iter().map(|(name, info)| self.tool(name, Some(info.clone()))).collect()
    }

    fn status(&self) -> ToolSourceStatus {
        let (reached, problem) = self.link.status();
        ToolSourceStatus { name: self.link.settings.name.clone(), prefix: self.prefix.clone(), reached, problem }
    }
}

struct McpTool {
    link: Arc<Link>,
    name: String,
    /// As the server calls it.
    own_name: String,
    description: String,
    /// `None`: the server was not reached yet, or does not have it.
    info: Option<Arc<Info>>,
}

impl Tool for McpTool {
    fn name(&self) -> &str {
        &self.name
    }

    fn description(&self) -> &str {
        &self.description
    }

    fn config_schema(&self) -> Value {
        json!({"type": "object", "properties": {}, "required": [], "additionalProperties": false})
    }

    fn input_schema(&self) -> Value {
        self.info.as_ref().map_or_else(|| json!({"type": "object"}), |info| info.input_schema.clone())
    }

    fn output_schema(&self) -> Value {
        self.info.as_ref().and_then(|info| info.output_schema.clone()).unwrap_or_else(|| json!({}))
    }

    fn effect(&self, _config: &Value) -> Effect {
        let told = self.info.as_ref().map_or(Effect::SideEffect, |info| info.effect);
        self.link.settings.effect.unwrap_or(told)
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn timeout_ms(&self) -> Option<u64> {
        u64::try_from(self.link.settings.timeout.as_millis()).ok()
    }

    fn look_up(&self) -> BoxFuture<'_, Result<ToolDescription, Failure>> {
        Box::pin(async move {
            let limit = self.link.settings.start_timeout;
            let connected = tokio::time::timeout(limit, Link::connected(&self.link)).await;
            connected.unwrap_or_else(|_| Err(self.link.late("did not become ready", limit)))?;
            let info = self.link.info(&self.own_name).ok_or_else(|| self.link.no_such_tool(&self.own_name))?;
            let known = McpTool {
                link: self.link.clone(),
                name: self.name.clone(),
                own_name: self.own_name.clone(),
                description: info.description.clone(),
                info: Some(info),
            };
            Ok(known.describe())
        })
    }

    fn call<'a>(&'a self, call: &'a ToolCall, context: &'a CallContext) -> BoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            if call.config.as_object().is_some_and(|config| !config.is_empty()) {
                return Err(refuse(format!("The tool `{}` takes no config; its arguments are inputs.", self.name)));
            }
            let arguments = match &call.inputs {
                Value::Object(map) => map.clone(),
                _ => Map::new(),
            };
            let limit = Duration::from_millis(context.timeout_ms).min(self.link.settings.timeout);
            let called = tokio::time::timeout(limit, self.link.call(&self.own_name, arguments, context)).await;
            called.unwrap_or_else(|_| {
                self.link.note_timeout();
                Err(self.link.late(&format!("did not answer the call of `{}`", self.own_name), limit))
            })
        })
    }
}

impl Link {
    fn late(&self, what: &str, limit: Duration) -> Failure {
        let name = &self.settings.name;
        let message = format!(
            "The MCP server `{name}` {what} within {} ms. If that is too short, raise the node's `timeoutSeconds`, and the operator \
             `timeout_seconds` under [mcp.{name}].",
            limit.as_millis()
        );
        Failure::new(FailureCode::Timeout, message)
    }
}
