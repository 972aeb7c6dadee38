//! Which model of the other provider stands in for a model, where a node lists no fallbacks of its own.
//!
//! Models are put into four classes, and each class has one stand-in per provider. Stand-ins are chosen by price and by taking the
//! same parameters (`temperature`, structured output), so that a call that was written for one is a valid call of the other.
//!
//! | class | OpenAI models | stand-in | Anthropic models | stand-in |
//! |---|---|---|---|---|
//! | small | `*-mini`, `*-nano`, `*-luna`, `gpt-3.5*` | `gpt-4o-mini` | `*haiku*`, `claude-instant*` | `claude-haiku-4-5` |
//! | medium | every other `gpt-*` | `gpt-4.1` | `*sonnet*`, `claude-2*` | `claude-sonnet-4-6` |
//! | large | `*-pro`, `*-astra`, `gpt-4`, `gpt-4-*`, `gpt-4.5*`, `gpt-5.4` to `gpt-5.6` | `gpt-5.4` | `*opus*`, `*fable*`, `*mythos*` | `claude-opus-4-6` |
//! | reasoning | `o1*`, `o3*`, `o4*`, `gpt-6.1-sol` | `gpt-6.1-sol` | `claude-sonnet-5-5` | `claude-sonnet-5-5` |

use crate::call::Target;
use crate::model_name;
use std::collections::HashMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    Small,
    Medium,
    Large,
    Reasoning,
}

/// The table above, under what the user says.
#[derive(Clone, Debug, Default)]
pub struct Equivalence {
    overrides: HashMap<Target, Option<Target>>,
}

impl Equivalence {
    /// Sets the stand-in of single models; `None` takes it away. An entry holds for the name as a workflow writes it.
    pub fn with_overrides(mut self, pairs: impl IntoIterator<Item = (Target, Option<Target>)>) -> Self {
        self.overrides.extend(pairs);
        self
    }

    /// Who answers when `target` cannot. `None` for providers other than `openai` and `anthropic`, and for models that are in no
    /// class, unless the user has said.
    pub fn counterpart(&self, target: &Target) -> Option<Target> {
        if let Some(chosen) = self.overrides.get(target) {
            return chosen.clone();
        }
        let (provider, model) = match (target.provider.as_str(), class(target)?) {
            ("openai", Class::Small) => ("anthropic", "claude-haiku-4-5"),
            ("openai", Class::Medium) => ("anthropic", "claude-sonnet-4-6"),
            ("openai", Class::Large) => ("anthropic", "claude-opus-4-6"),
            ("openai", Class::Reasoning) => ("anthropic", "claude-sonnet-5-5"),
            ("anthropic", Class::Small) => ("openai", "gpt-4o-mini"),
            ("anthropic", Class::Medium) => ("openai", "gpt-4.1"),
            ("anthropic", Class::Large) => ("openai", "gpt-5.4"),
            ("anthropic", Class::Reasoning) => ("openai", "gpt-6.1-sol"),
            _ => return None,
        };
        Some(Target { provider: provider.to_owned(), model: model.to_owned() })
    }
}

/// The class of a model of OpenAI or Anthropic.
pub fn class(target: &Target) -> Option<Class> {
    let model = model_name::canonical(&target.provider, &target.model).to_ascii_lowercase();
    match target.provider.as_str() {
        "openai" => openai(&model),
        "anthropic" => anthropic(&model),
        _ => None,
    }
}

fn openai(model: &str) -> Option<Class> {
    let model = model.strip_prefix("ft:").unwrap_or(model);
    let base = model.split(':').next().unwrap_or(model);
    let has_part = |word: &str| base.split('-').any(|part| part == word);
    let is = |name: &str| base == name || base.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'));
    if ["o1", "o3", "o4", "o3-mini", "o4-mini", "gpt-6.1-sol"].into_iter().any(is) {
        return Some(Class::Reasoning);
    }
    if !(base.starts_with("gpt-") || base.starts_with("chatgpt-")) {
        return None;
    }
    if ["mini", "nano", "luna"].into_iter().any(has_part) || base.starts_with("gpt-3.5") {
        return Some(Class::Small);
    }
    let large =
        ["pro", "astra"].into_iter().any(has_part) || ["gpt-4", "gpt-4.5", "gpt-5.4", "gpt-5.5", "gpt-5.6"].into_iter().any(is);
    Some(if large { Class::Large } else { Class::Medium })
}

fn anthropic(model: &str) -> Option<Class> {
    let has = |word: &str| model.contains(word);
    if !model.starts_with("claude-") {
        return None;
    }
    Some(match () {
        _ if model.starts_with("claude-sonnet-5-5") => Class::Reasoning,
        _ if has("haiku") || has("instant") => Class::Small,
        _ if has("sonnet") || model.starts_with("claude-2") => Class::Medium,
        _ if has("opus") || has("fable") || has("mythos") => Class::Large,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::{PriceTable, accepts_sampling};

    fn target(text: &str) -> Target {
        let (provider, model) = text.split_once('/').unwrap();
        Target { provider: provider.to_owned(), model: model.to_owned() }
    }

    fn stand_in(text: &str) -> Option<String> {
        Equivalence::default().counterpart(&target(text)).map(|found| format!("{}/{}", found.provider, found.model))
    }

    #[test]
    fn the_table() {
        let table = [
            ("openai/gpt-4o-mini", Some("anthropic/claude-haiku-4-5")),
            ("openai/gpt-4o-mini-2024-07-18", Some("anthropic/claude-haiku-4-5")),
            ("openai/ft:gpt-4o-mini-2024-07-18:org::id", Some("anthropic/claude-haiku-4-5")),
            ("openai/gpt-5-nano", Some("anthropic/claude-haiku-4-5")),
            ("openai/gpt-4o", Some("anthropic/claude-sonnet-4-6")),
            ("openai/gpt-4.1", Some("anthropic/claude-sonnet-4-6")),
            ("openai/gpt-4-turbo", Some("anthropic/claude-opus-4-6")),
            ("openai/gpt-5.2-pro", Some("anthropic/claude-opus-4-6")),
            ("openai/o3", Some("anthropic/claude-sonnet-5-5")),
            ("openai/o4-mini-2025-04-16", Some("anthropic/claude-sonnet-5-5")),
            ("openai/text-embedding-3-small", None),
            ("anthropic/claude-3.5-sonnet", Some("openai/gpt-4.1")),
            ("anthropic/claude-3-haiku-20240307", Some("openai/gpt-4o-mini")),
            ("anthropic/claude-opus-4-6", Some("openai/gpt-5.4")),
            ("anthropic/other", None),
            ("local/gpt-4o", None),
        ];
        for (from, to) in table {
            assert_eq!(stand_in(from).as_deref(), to, "{from}");
        }
    }

    #[test]
    fn stand_ins_are_priced_mutual_and_take_the_same_parameters() {
        for (_, to) in [
            ("small", "openai/gpt-4o-mini"),
            ("medium", "openai/gpt-4.1"),
            ("large", "openai/gpt-5.4"),
            ("reasoning", "openai/gpt-6.1-sol"),
        ] {
            let here = target(to);
            let there = Equivalence::default().counterpart(&here).unwrap();
            assert_eq!(Equivalence::default().counterpart(&there), Some(here.clone()), "{to}");
            for side in [&here, &there] {
                assert!(PriceTable::default().price(&side.provider, &side.model).is_some(), "{side:?} has no price");
                assert_eq!(model_name::successor(&side.provider, &side.model), None, "{side:?} is retired");
            }
            let takes = |side: &Target| accepts_sampling(&side.provider, &side.model);
            assert_eq!(takes(&here), takes(&there), "{here:?} and {there:?} differ in what they accept");
        }
    }

    #[test]
    fn the_user_has_the_last_word() {
        let table = Equivalence::default()
            .with_overrides([(target("openai/gpt-4o"), None), (target("local/llama"), Some(target("openai/gpt-4o-mini")))]);
        assert_eq!(table.counterpart(&target("openai/gpt-4o")), None);
        assert_eq!(table.counterpart(&target("local/llama")), Some(target("openai/gpt-4o-mini")));
        assert!(table.counterpart(&target("openai/gpt-4.1")).is_some());
    }
}
