//! `wait`: until a time, or for a signal.

use crate::document::Exhausted;
use crate::failure::{Failure, FailureCode};
use crate::id::Timestamp;
use crate::scope::Scope;
use crate::template::Template;
use serde_json::Value;

/// The longest wait, in seconds: ten years.
const MAX_SECONDS: f64 = 315_360_000.0;

#[derive(Debug)]
pub enum Wait {
    Seconds(Template),
    Until(Template),
    Signal { name: String, timeout_ms: Option<u64>, on_timeout: Exhausted },
}

impl Wait {
    /// When the wait is over without anything else happening; `None`: never.
    pub fn due(&self, scope: &Scope, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
        match self {
            Wait::Seconds(template) => {
                let value = template.render(scope)?;
                let seconds = match &value {
                    Value::Number(number) => number.as_f64(),
                    Value::String(text) => text.trim().parse().ok(),
                    _ => None,
                };
                match seconds {
                    Some(seconds) if (0.0..=MAX_SECONDS).contains(&seconds) => {
                        Ok(Some(Timestamp(now.0.saturating_add((seconds * 1e6) as u64))))
                    }
                    _ => Err(refused(format!("`seconds` has to be a number from 0 to {MAX_SECONDS}, but is {value}"))),
                }
            }
            Wait::Until(template) => {
                let value = template.render(scope)?;
                let time = value.as_str().and_then(|text| text.trim().parse::<jiff::Timestamp>().ok());
                match time {
                    Some(time) => Ok(Some(Timestamp(u64::try_from(time.as_microsecond()).unwrap_or(0)))),
                    None => Err(refused(format!("`until` has to be a time as in 2027-01-31T09:00:00Z, but is {value}"))),
                }
            }
            Wait::Signal { timeout_ms, .. } => Ok(timeout_ms.map(|millis| now.plus_millis(millis))),
        }
    }
}

fn refused(message: String) -> Failure {
    Failure::new(FailureCode::Template, message)
}
