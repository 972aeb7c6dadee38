//! Names of models: people write `claude-3.5-sonnet`, the API wants `claude-3-5-sonnet-20241022`, and some day it wants that no
//! longer. Everything here is about names of the first-party endpoints; other servers give names as they like.

use std::borrow::Cow;

/// The name as the provider spells it. A name that needs no change comes back as it is.
pub fn canonical<'a>(provider: &str, model: &'a str) -> Cow<'a, str> {
    let model = model.trim();
    match provider {
        "anthropic" => anthropic(model.strip_prefix("anthropic/").unwrap_or(model)),
        "openai" => Cow::Borrowed(model.strip_prefix("openai/").unwrap_or(model)),
        // The name is the last part of an ARN, and of what LiteLLM writes.
        "aws.bedrock" => Cow::Borrowed(model.rsplit('/').next().unwrap_or(model)),
        // The name of the resource that the API lists.
        "gemini" => Cow::Borrowed(model.strip_prefix("models/").or(model.strip_prefix("gemini/")).unwrap_or(model)),
        _ => Cow::Borrowed(model),
    }
}

/// Names that Anthropic gave a date from the start; later ones are complete without.
const ANTHROPIC_DATED: [(&str, &str); 8] = [
    ("claude-3-haiku", "claude-3-haiku-20240307"),
    ("claude-3-sonnet", "claude-3-sonnet-20240229"),
    ("claude-3-opus", "claude-3-opus-20240229"),
    ("claude-3-5-haiku", "claude-3-5-haiku-20241022"),
    ("claude-3-5-sonnet", "claude-3-5-sonnet-20241022"),
    ("claude-3-7-sonnet", "claude-3-7-sonnet-20250219"),
    ("claude-sonnet-4", "claude-sonnet-4-20250514"),
    ("claude-opus-4", "claude-opus-4-20250514"),
];

fn anthropic(model: &str) -> Cow<'_, str> {
    let lower = as_sold_elsewhere(&model.to_ascii_lowercase()).replace('.', "-");
    let name = lower.strip_suffix("-latest").unwrap_or(&lower);
    let name = family_first(name);
    let name = name.strip_suffix("-0").unwrap_or(&name);
    let name = ANTHROPIC_DATED.iter().find(|(short, _)| *short == name).map_or(name, |(_, dated)| dated);
    if name == model { Cow::Borrowed(model) } else { Cow::Owned(name.to_owned()) }
}

/// Bedrock puts where a model runs and who made it before its name and a version behind it (`us.anthropic.claude-sonnet-4-5-20250929-v1:0`),
/// Vertex its date behind an `@` (`claude-sonnet-4-5@20250929`, `@default`).
fn as_sold_elsewhere(name: &str) -> String {
    let name = name.rsplit_once("anthropic.").map_or(name, |(_, name)| name);
    let name = name.split_once(':').map_or(name, |(name, _)| name);
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let name = name.rsplit_once("-v").filter(|(_, version)| number(version)).map_or(name, |(name, _)| name);
    name.strip_suffix("@default").unwrap_or(name).replace('@', "-")
}

/// From generation 4 on the family comes before the version: `claude-4-5-sonnet` is `claude-sonnet-4-5`.
fn family_first(name: &str) -> String {
    let parts: Vec<&str> = name.split('-').collect();
    let is_version = |part: &str| !part.is_empty() && part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let Some(family) = parts.iter().position(|part| matches!(*part, "haiku" | "sonnet" | "opus")) else { return name.to_owned() };
    let version = &parts[1..family.max(1)];
    let major = version.first().and_then(|part| part.parse::<u32>().ok());
    if parts[0] != "claude" || !version.iter().all(|part| is_version(part)) || major.is_none_or(|major| major < 4) {
        return name.to_owned();
    }
    let mut moved = vec!["claude", parts[family]];
    moved.extend(version);
    moved.extend(&parts[family + 1..]);
    moved.join("-")
}

/// What to ask for instead of a model that its provider has retired, so that a workflow that was written for it still runs: the
/// same family at the nearest generation that takes the same parameters. `model` is a canonical name. The list follows what
/// the price list of this build no longer carries.
pub fn successor(provider: &str, model: &str) -> Option<&'static str> {
    const HAIKU: &str = "claude-haiku-4-5";
    const SONNET: &str = "claude-sonnet-4-6";
    const OPUS: &str = "claude-opus-4-6";
    const RETIRED: [(&str, &str); 11] = [
        ("claude-instant", HAIKU),
        ("claude-2", SONNET),
        ("claude-3-haiku", HAIKU),
        ("claude-3-5-haiku", HAIKU),
        ("claude-3-sonnet", SONNET),
        ("claude-3-5-sonnet", SONNET),
        ("claude-3-7-sonnet", SONNET),
        ("claude-sonnet-4-20250514", SONNET),
        ("claude-3-opus", OPUS),
        ("claude-opus-4-20250514", OPUS),
        ("claude-opus-4-1", OPUS),
    ];
    if provider != "anthropic" {
        return None;
    }
    RETIRED.iter().find(|(old, _)| model.starts_with(old)).map(|(_, new)| *new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        let table = [
            ("anthropic", "claude-3.5-sonnet", "claude-3-5-sonnet-20241022"),
            ("anthropic", "claude-3-5-sonnet", "claude-3-5-sonnet-20241022"),
            ("anthropic", "claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022"),
            ("anthropic", "Claude-3.5-Sonnet", "claude-3-5-sonnet-20241022"),
            ("anthropic", "claude-3-5-sonnet-20240620", "claude-3-5-sonnet-20240620"),
            ("anthropic", "claude-3.7-sonnet", "claude-3-7-sonnet-20250219"),
            ("anthropic", "claude-3-opus", "claude-3-opus-20240229"),
            ("anthropic", "claude-sonnet-4", "claude-sonnet-4-20250514"),
            ("anthropic", "claude-sonnet-4-0", "claude-sonnet-4-20250514"),
            ("anthropic", "claude-4-sonnet", "claude-sonnet-4-20250514"),
            ("anthropic", "claude-sonnet-4.5", "claude-sonnet-4-5"),
            ("anthropic", "claude-4.5-sonnet", "claude-sonnet-4-5"),
            ("anthropic", "claude-sonnet-4-5-latest", "claude-sonnet-4-5"),
            ("anthropic", "claude-4-5-haiku-20251001", "claude-haiku-4-5-20251001"),
            ("anthropic", "anthropic/claude-opus-4.6", "claude-opus-4-6"),
            ("anthropic", "claude-fable-5", "claude-fable-5"),
            ("anthropic", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929"),
            ("anthropic", "anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet-20241022"),
            ("anthropic", "claude-sonnet-4-5@20250929", "claude-sonnet-4-5-20250929"),
            ("anthropic", "claude-opus-4-6@default", "claude-opus-4-6"),
            ("aws.bedrock", "bedrock/us.amazon.nova-pro-v1:0", "us.amazon.nova-pro-v1:0"),
            ("anthropic", "sonnet", "sonnet"),
            ("anthropic", "", ""),
            ("openai", "gpt-4o-mini", "gpt-4o-mini"),
            ("openai", "openai/gpt-4.1", "gpt-4.1"),
            ("openai", "ft:gpt-4o-mini-2024-07-18:Org::AbC", "ft:gpt-4o-mini-2024-07-18:Org::AbC"),
            ("gemini", "models/gemini-2.5-flash", "gemini-2.5-flash"),
            ("local", "meta-llama/Llama-3.1", "meta-llama/Llama-3.1"),
        ];
        for (provider, model, expected) in table {
            assert_eq!(canonical(provider, model), expected, "{provider} {model}");
            assert_eq!(canonical(provider, expected), expected, "{expected} is already canonical");
        }
    }

    #[test]
    fn only_retired_models_have_a_successor_and_no_successor_has_one() {
        let next = |model: &str| successor("anthropic", &canonical("anthropic", model));
        assert_eq!(next("claude-3.5-sonnet"), Some("claude-sonnet-4-6"));
        assert_eq!(next("claude-3.5-haiku"), Some("claude-haiku-4-5"));
        assert_eq!(next("claude-opus-4.1"), Some("claude-opus-4-6"));
        for current in
            ["claude-sonnet-4-5", "claude-sonnet-4-6", "claude-haiku-4-5", "claude-opus-4-6", "claude-opus-4-5", "claude-fable-5"]
        {
            assert_eq!(next(current), None, "{current}");
        }
        assert_eq!(successor("local", "claude-3-opus"), None);
    }
}
