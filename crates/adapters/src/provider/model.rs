//! The name under which a model is asked for.

use flowtrace_core::{model_name, price};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How one provider resolves the names of workflows.
#[derive(Clone, Debug)]
pub struct Models {
    /// `openai` or `anthropic`, whose spelling rules and model facts hold; `None` for a server with names of its own.
    pub first_party: Option<&'static str>,
    /// The operator's aliases, which come first.
    pub aliases: BTreeMap<String, String>,
}

impl Models {
    /// The operator's alias; else, at a first-party endpoint, the provider's spelling and the successor of a retired model.
    pub fn resolve<'a>(&'a self, model: &'a str) -> Cow<'a, str> {
        if let Some(chosen) = self.aliases.get(model) {
            return Cow::Borrowed(chosen);
        }
        let Some(provider) = self.first_party else { return Cow::Borrowed(model) };
        let name = model_name::canonical(provider, model);
        match model_name::successor(provider, &name) {
            Some(successor) => Cow::Borrowed(successor),
            None => name,
        }
    }

    pub fn accepts_sampling(&self, model: &str) -> bool {
        self.first_party.is_none_or(|provider| price::accepts_sampling(provider, model))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_then_spelling_then_successors() {
        let aliases = BTreeMap::from([("fast".to_owned(), "claude-haiku-4-5".to_owned())]);
        let first_party = Models { first_party: Some("anthropic"), aliases: aliases.clone() };
        assert_eq!(first_party.resolve("fast"), "claude-haiku-4-5");
        assert_eq!(first_party.resolve("claude-sonnet-4.5"), "claude-sonnet-4-5");
        assert_eq!(first_party.resolve("claude-3.5-sonnet"), "claude-sonnet-4-6");
        let elsewhere = Models { first_party: None, aliases };
        assert_eq!(elsewhere.resolve("fast"), "claude-haiku-4-5");
        assert_eq!(elsewhere.resolve("claude-3.5-sonnet"), "claude-3.5-sonnet");
        assert!(first_party.accepts_sampling("claude-sonnet-4-6") && !first_party.accepts_sampling("claude-sonnet-5-5"));
        assert!(elsewhere.accepts_sampling("claude-sonnet-5-5"));
    }
}
