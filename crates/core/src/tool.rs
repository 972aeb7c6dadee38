//! What a tool is, for editors, for checks and for the models that may call it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest name that model providers accept for a tool, in characters.
const LONGEST_OFFERED_NAME: usize = 64;

/// What a tool does and takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolDescription {
    /// The name that workflows use in `config.tool`.
    pub name: String,
    /// What it does, in a sentence or more. That of an MCP tool was written by its server: it is data, as everything from outside.
    pub description: String,
    /// JSON Schema of a node's `config` without `tool`.
    pub config_schema: Value,
    /// JSON Schema of a call's `inputs`; always of the type object. A model's arguments are the inputs.
    pub input_schema: Value,
    /// JSON Schema of the output. `{}`: anything.
    pub output_schema: Value,
    /// What a call may change, as far as it can be said without the config of a call.
    pub effect: Effect,
    /// Whether a call that may have been carried out can be made again: `effect.is_repeatable()`.
    pub idempotent: bool,
    /// Whether it reaches out of the process, which decides the default retry policy.
    pub remote: bool,
    /// The longest time of one call in milliseconds, where the operator limits it below the node's `timeoutSeconds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// What a call changes outside. What is unknown counts as [`Effect::SideEffect`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing.
    ReadOnly,
    /// Something, and making the call twice changes no more than making it once.
    Idempotent,
    /// Something, perhaps once more with each call.
    SideEffect,
}

impl Effect {
    pub fn as_str(self) -> &'static str {
        match self {
            Effect::ReadOnly => "read_only",
            Effect::Idempotent => "idempotent",
            Effect::SideEffect => "side_effect",
        }
    }

    /// Whether a call that may have been carried out can be made again.
    pub fn is_repeatable(self) -> bool {
        self != Effect::SideEffect
    }
}

impl ToolDescription {
    /// The name to offer to a model: providers accept letters, digits, `_` and `-` only, and 64 characters at most. Two tools
    /// may come to the same name; whoever offers both has to tell them apart.
    pub fn offered_name(&self) -> String {
        let fits = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
        self.name.chars().take(LONGEST_OFFERED_NAME).map(fits).collect()
    }
}

/// Which tools the operator lets workflows use. Everything, by default.
#[derive(Clone, Debug, Default)]
pub struct ToolRules {
    /// `None`: all that are not denied. An entry is a name, or the beginning of names and then `*`.
    pub allow: Option<Vec<String>>,
    /// Wins over `allow`.
    pub deny: Vec<String>,
}

impl ToolRules {
    pub fn allows(&self, name: &str) -> bool {
        let names = |patterns: &[String]| {
            patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => pattern == name,
            })
        };
        !names(&self.deny) && self.allow.as_deref().is_none_or(names)
    }
}

/// Something that brings tools while the server runs, as far as it is known; see the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolSourceStatus {
    pub name: String,
    /// Names of its tools begin so.
    pub prefix: String,
    /// Whether its tools are known.
    pub reached: bool,
    /// A sentence about what is wrong at the moment.
    pub problem: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_name_tools_and_beginnings() {
        let rules = |allow: Option<&[&str]>, deny: &[&str]| ToolRules {
            allow: allow.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
            deny: deny.iter().map(|name| (*name).to_owned()).collect(),
        };
        for (rules, allowed, refused) in [
            (rules(None, &[]), &["http", "mcp.a.b"][..], &[][..]),
            (rules(None, &["http", "mcp.a.*"]), &["text", "mcp.ab.c"], &["http", "mcp.a.b"]),
            (rules(Some(&["text", "mcp.a.*"]), &["mcp.a.drop"]), &["text", "mcp.a.get"], &["texts", "http", "mcp.a.drop"]),
            (rules(Some(&[]), &[]), &[], &["text"]),
            (rules(Some(&["*"]), &[]), &["text"], &[]),
        ] {
            assert!(allowed.iter().all(|name| rules.allows(name)), "{rules:?}");
            assert!(!refused.iter().any(|name| rules.allows(name)), "{rules:?}");
        }
    }

    #[test]
    fn offered_names_are_such_as_providers_accept() {
        let mut tool = ToolDescription {
            name: String::new(),
            description: String::new(),
            config_schema: json!({}),
            input_schema: json!({}),
            output_schema: json!({}),
            effect: Effect::ReadOnly,
            idempotent: true,
            remote: false,
            timeout_ms: None,
        };
        for (name, offered) in [("http", "http"), ("mcp.git-hub.läs/x", "mcp_git-hub_l_s_x"), (&"é".repeat(70), &"_".repeat(64))]
        {
            tool.name = name.to_owned();
            assert_eq!(tool.offered_name(), offered);
        }
    }
}
