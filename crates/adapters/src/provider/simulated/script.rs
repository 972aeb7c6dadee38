//! What a simulated model does, as authors write it in a node's `simulate`.

use super::request::Wanted;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// No simulated call waits longer than this at any one point.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// Everything is optional: an empty script is a healthy model with a default answer.
///
/// A script may hold further scripts for certain calls (`match`, `samples`, `turns`). The chosen one is laid over the outer one:
/// what it says counts, and where it says nothing the outer script does. Which one is chosen depends on the request alone, so it is
/// the same after a crash.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Script {
    /// Only in `match`: the text that the last user message has to contain, in any case of letters.
    pub when: Option<String>,
    /// The answer, word for word; anything but a string is sent as its JSON.
    pub answer: Option<Value>,
    /// The answer as text; with `toolCalls`, the text beside them.
    pub text: Option<String>,
    /// The answer as JSON.
    pub json: Option<Value>,
    /// The tools that the answer asks for.
    #[serde(alias = "tool_calls")]
    pub tool_calls: Option<Vec<ScriptedCall>>,
    /// Milliseconds before the first token.
    pub latency_ms: Option<u64>,
    /// How fast the answer streams; absent together with `latencyMs`: a moment, so that a live view has something to show.
    pub tokens_per_second: Option<f64>,
    /// Prompt tokens, cached ones included. Default: a token for every 4 characters.
    pub input_tokens: Option<u64>,
    /// Answer tokens, reasoning included. Default: a token for every 4 characters.
    pub output_tokens: Option<u64>,
    /// Those of the prompt that came from the provider's cache.
    pub cached_tokens: Option<u64>,
    /// Tokens of reasoning before the answer.
    pub reasoning_tokens: Option<u64>,
    /// The i-th fault that applies to a provider is what its i-th attempt comes to. Attempts beyond the list succeed.
    pub faults: Option<Vec<Fault>>,
    /// The first one whose `when` fits is chosen, before anything below.
    #[serde(rename = "match")]
    pub matches: Vec<Script>,
    /// One for each vote, in turn.
    pub samples: Vec<Script>,
    /// One for each answer in a conversation; the last one also for all later answers.
    pub turns: Vec<Script>,
}

/// A tool call in a script.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScriptedCall {
    pub name: String,
    /// A string is sent word for word, so that a model that writes no JSON can be scripted.
    #[serde(default = "no_arguments")]
    pub arguments: Value,
}

fn no_arguments() -> Value {
    Value::Object(serde_json::Map::new())
}

/// One failure. Either a status or a kind; a fault with neither is HTTP 500.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Fault {
    /// Only for the provider of this name; absent: for every provider.
    pub provider: Option<String>,
    /// HTTP status, 400 to 599.
    pub status: Option<u16>,
    /// Sent as `Retry-After` and `retry-after-ms` beside a status.
    pub retry_after_ms: Option<u64>,
    pub kind: Option<FaultKind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The connection stays open and nothing comes.
    Hang,
    /// The stream breaks in the middle of the answer.
    Cut,
    /// HTTP 200 with something that is not JSON.
    Malformed,
    /// HTTP 200 with an empty body.
    Empty,
    /// The connection closes without an answer.
    Refuse,
}

impl Script {
    /// Reads a script; the error is a sentence for its author.
    pub fn parse(value: &Value) -> Result<Self, String> {
        let script = Script::deserialize(value).map_err(|error| format!("`simulate` is not a valid script: {error}."))?;
        script.check("simulate", false)?;
        Ok(script)
    }

    fn check(&self, at: &str, in_match: bool) -> Result<(), String> {
        if self.when.is_some() != in_match {
            return Err(match in_match {
                true => format!("`{at}` has no `when`: say what the last user message has to contain."),
                false => format!("`{at}.when` has no effect: `when` belongs into an entry of `match`."),
            });
        }
        let texts = [("answer", self.answer.is_some()), ("text", self.text.is_some()), ("json", self.json.is_some())];
        let texts: Vec<&str> = texts.into_iter().filter(|(_, present)| *present).map(|(name, _)| name).collect();
        if let [first, second, ..] = texts[..] {
            return Err(format!("`{at}` has both `{first}` and `{second}`; choose one."));
        }
        for (i, call) in self.tool_calls.iter().flatten().enumerate() {
            if call.name.is_empty() {
                return Err(format!("`{at}.toolCalls[{i}].name` is empty."));
            }
        }
        if self.tokens_per_second.is_some_and(|speed| !speed.is_finite() || speed <= 0.0) {
            return Err(format!("`{at}.tokensPerSecond` must be greater than 0."));
        }
        for (i, fault) in self.faults.iter().flatten().enumerate() {
            if fault.status.is_some_and(|status| !(400..=599).contains(&status)) {
                return Err(format!("`{at}.faults[{i}].status` must be an HTTP error status, 400 to 599."));
            }
            if fault.status.is_some() && fault.kind.is_some() {
                return Err(format!("`{at}.faults[{i}]` has both a status and a kind; choose one."));
            }
        }
        for (name, scripts) in [("match", &self.matches), ("samples", &self.samples), ("turns", &self.turns)] {
            for (i, script) in scripts.iter().enumerate() {
                script.check(&format!("{at}.{name}[{i}]"), name == "match")?;
            }
        }
        Ok(())
    }

    /// The script for one request: without `match`, `samples` and `turns`.
    pub fn for_request(&self, wanted: &Wanted, sample: Option<u64>) -> Script {
        self.choose(&wanted.prompt, wanted.turn, sample)
    }

    fn choose(&self, prompt: &str, turn: usize, sample: Option<u64>) -> Script {
        let by_prompt = || {
            let prompt = if self.matches.is_empty() { String::new() } else { prompt.to_lowercase() };
            self.matches.iter().find(|script| script.when.as_ref().is_some_and(|when| prompt.contains(&when.to_lowercase())))
        };
        let own = Script { matches: Vec::new(), samples: Vec::new(), turns: Vec::new(), ..self.clone() };
        let by_sample = || {
            let at = sample?.checked_rem(self.samples.len() as u64)?;
            self.samples.get(at as usize)
        };
        let by_turn = || self.turns.get(turn).or_else(|| self.turns.last());
        let chosen = by_prompt().or_else(by_sample).or_else(by_turn);
        match chosen {
            Some(chosen) => own.overlaid(chosen.choose(prompt, turn, sample)),
            None => own,
        }
    }

    fn overlaid(self, top: Script) -> Script {
        // Text and calls are one answer: they come from the same script.
        let content = if top.says_something() { &top } else { &self };
        Script {
            when: None,
            answer: content.answer.clone(),
            text: content.text.clone(),
            json: content.json.clone(),
            tool_calls: content.tool_calls.clone(),
            latency_ms: top.latency_ms.or(self.latency_ms),
            tokens_per_second: top.tokens_per_second.or(self.tokens_per_second),
            input_tokens: top.input_tokens.or(self.input_tokens),
            output_tokens: top.output_tokens.or(self.output_tokens),
            cached_tokens: top.cached_tokens.or(self.cached_tokens),
            reasoning_tokens: top.reasoning_tokens.or(self.reasoning_tokens),
            faults: top.faults.or(self.faults),
            matches: Vec::new(),
            samples: Vec::new(),
            turns: Vec::new(),
        }
    }

    /// Whether the script itself says what to answer.
    pub fn says_something(&self) -> bool {
        self.answer.is_some() || self.text.is_some() || self.json.is_some() || self.tool_calls.is_some()
    }

    /// The scripted text of the answer.
    pub fn words(&self) -> Option<String> {
        match (&self.text, &self.answer) {
            (Some(text), _) | (None, Some(Value::String(text))) => Some(text.clone()),
            (None, json) => json.as_ref().or(self.json.as_ref()).map(Value::to_string),
        }
    }

    /// What attempt number `attempt` (from 1) at `provider` comes to.
    pub fn fault(&self, provider: &str, attempt: u32) -> Option<&Fault> {
        let all = self.faults.iter().flatten();
        let mut own = all.filter(|fault| fault.provider.as_deref().is_none_or(|name| name == provider));
        own.nth(attempt.saturating_sub(1) as usize)
    }

    /// The wait before the first token; `default` where the script does not say.
    pub fn latency(&self, default: Duration) -> Duration {
        self.latency_ms.map_or(default, Duration::from_millis).min(LONGEST_WAIT)
    }

    /// The wait before a piece of `tokens` tokens.
    pub fn pause(&self, tokens: u64, default: Duration) -> Duration {
        match (self.tokens_per_second, self.latency_ms) {
            (Some(speed), _) => Duration::from_secs_f64((tokens as f64 / speed).min(LONGEST_WAIT.as_secs_f64())),
            (None, Some(_)) => Duration::ZERO,
            (None, None) => default,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn faults_count_per_provider() {
        let script = Script::parse(&json!({"faults": [
            {"provider": "openai", "status": 429, "retryAfterMs": 10}, {"kind": "cut"}, {"provider": "anthropic", "kind": "hang"}
        ]}))
        .unwrap();
        let kind = |provider, attempt| script.fault(provider, attempt).map(|fault| (fault.status, fault.kind));
        assert_eq!(kind("openai", 1), Some((Some(429), None)));
        assert_eq!(kind("openai", 2), Some((None, Some(FaultKind::Cut))));
        assert_eq!(kind("openai", 3), None);
        assert_eq!(kind("anthropic", 1), Some((None, Some(FaultKind::Cut))));
        assert_eq!(kind("anthropic", 2), Some((None, Some(FaultKind::Hang))));
        assert_eq!(kind("anthropic", 3), None);
    }

    #[test]
    fn a_bad_script_is_a_sentence() {
        let table = [
            (json!({"latency": 5}), "unknown field `latency`"),
            (json!("fast"), "not a valid script"),
            (json!({"tokensPerSecond": 0}), "greater than 0"),
            (json!({"faults": [{"status": 200}]}), "`simulate.faults[0].status`"),
            (json!({"faults": [{"status": 500, "kind": "cut"}]}), "both a status and a kind"),
            (json!({"faults": [{"kind": "explode"}]}), "unknown variant `explode`"),
            (json!({"when": "x"}), "`simulate.when` has no effect"),
            (json!({"match": [{"text": "x"}]}), "`simulate.match[0]` has no `when`"),
            (json!({"turns": [{}, {"when": "x"}]}), "`simulate.turns[1].when` has no effect"),
            (
                json!({"turns": [{"match": [{"when": "x", "tokensPerSecond": -1}]}]}),
                "`simulate.turns[0].match[0].tokensPerSecond`",
            ),
            (json!({"text": "x", "json": 1}), "both `text` and `json`"),
            (json!({"answer": "x", "text": "x"}), "both `answer` and `text`"),
            (json!({"toolCalls": [{"name": ""}]}), "`simulate.toolCalls[0].name` is empty"),
            (json!({"toolCalls": [{"arguments": {}}]}), "missing field `name`"),
            (json!({"toolCalls": [], "tool_calls": []}), "duplicate field `toolCalls`"),
        ];
        for (script, expected) in table {
            let error = Script::parse(&script).unwrap_err();
            assert!(error.contains(expected), "{script}: {error}");
        }
        assert_eq!(Script::parse(&json!({})), Ok(Script::default()));
    }

    #[test]
    fn the_request_chooses_the_script() {
        let script = Script::parse(&json!({
            "text": "outer", "latencyMs": 5, "cachedTokens": 3, "faults": [{"status": 500}],
            "match": [
                {"when": "REFUND", "turns": [{"tool_calls": [{"name": "lookup"}]}, {"text": "refunded", "faults": []}]},
                {"when": "refund now", "text": "never reached"},
                {"when": "slow", "latencyMs": 900}
            ],
            "samples": [{"text": "vote 0"}, {"json": {"vote": 1}}],
            "turns": [{"text": "first", "latencyMs": 7}, {"json": ["second"]}]
        }))
        .unwrap();
        let without_turns = Script { turns: Vec::new(), ..script.clone() };
        // script, prompt, turn, sample, words, latency, faults
        let table = [
            (&script, "Hello", 0, None, Some("first"), 7, 1),
            (&script, "Hello", 1, None, Some(r#"["second"]"#), 5, 1),
            (&script, "Hello", 9, None, Some(r#"["second"]"#), 5, 1),
            (&script, "Hello", 0, Some(0), Some("vote 0"), 5, 1),
            (&script, "Hello", 0, Some(3), Some(r#"{"vote":1}"#), 5, 1),
            (&script, "A refund now!", 0, None, None, 5, 1),
            (&script, "A refund now!", 4, Some(0), Some("refunded"), 5, 0),
            (&script, "Be SLOW", 0, None, Some("outer"), 900, 1),
            (&without_turns, "Hello", 2, None, Some("outer"), 5, 1),
        ];
        for (script, prompt, turn, sample, words, latency, faults) in table {
            let chosen = script.for_request(&Wanted { prompt: prompt.to_owned(), turn, ..Wanted::default() }, sample);
            let shown = format!("{prompt}, turn {turn}, sample {sample:?}: {chosen:?}");
            assert_eq!(chosen.words().as_deref(), words, "{shown}");
            assert_eq!((chosen.latency_ms, chosen.cached_tokens), (Some(latency), Some(3)), "{shown}");
            assert_eq!(chosen.faults.as_ref().map(Vec::len), Some(faults), "{shown}");
            assert_eq!(chosen.tool_calls.is_some(), words.is_none(), "{shown}");
        }
    }

    #[test]
    fn the_examples_of_the_documentation_are_scripts() {
        let page = include_str!("../../../../../docs/providers.md");
        let mut count = 0;
        for example in page.split("\n    \"simulate\": ").skip(1) {
            let lines: Vec<&str> = example.lines().take_while(|line| line.starts_with("    ") || *line == "{").collect();
            let value: Value = serde_json::from_str(&lines.join("\n")).unwrap_or_else(|error| panic!("{error}: {example}"));
            Script::parse(&value).unwrap_or_else(|error| panic!("{error} {example}"));
            count += 1;
        }
        assert_eq!(count, 3);
    }
}
