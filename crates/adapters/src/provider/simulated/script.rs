//! What a simulated model does, as authors write it in a node's `simulate`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// No simulated call waits longer than this at any one point.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// Everything is optional: an empty script is a healthy model with a default answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Script {
    /// The answer, word for word; anything but a string is sent as its JSON.
    pub answer: Option<Value>,
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
    pub faults: Vec<Fault>,
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
        if script.tokens_per_second.is_some_and(|speed| !speed.is_finite() || speed <= 0.0) {
            return Err("`simulate.tokensPerSecond` must be greater than 0.".to_owned());
        }
        for (i, fault) in script.faults.iter().enumerate() {
            if fault.status.is_some_and(|status| !(400..=599).contains(&status)) {
                return Err(format!("`simulate.faults[{i}].status` must be an HTTP error status, 400 to 599."));
            }
            if fault.status.is_some() && fault.kind.is_some() {
                return Err(format!("`simulate.faults[{i}]` has both a status and a kind; choose one."));
            }
        }
        Ok(script)
    }

    /// What attempt number `attempt` (from 1) at `provider` comes to.
    pub fn fault(&self, provider: &str, attempt: u32) -> Option<&Fault> {
        let mut own = self.faults.iter().filter(|fault| fault.provider.as_deref().is_none_or(|name| name == provider));
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
            (json!({"faults": [{"status": 200}]}), "faults[0].status"),
            (json!({"faults": [{"status": 500, "kind": "cut"}]}), "both a status and a kind"),
            (json!({"faults": [{"kind": "explode"}]}), "unknown variant `explode`"),
        ];
        for (script, expected) in table {
            let error = Script::parse(&script).unwrap_err();
            assert!(error.contains(expected), "{script}: {error}");
        }
        assert_eq!(Script::parse(&json!({})), Ok(Script::default()));
    }
}
