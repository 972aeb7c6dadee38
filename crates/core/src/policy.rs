//! The call policy: after a failed attempt, try again, ask another provider, or give up. Pure, so that the engine can drive
//! it durably and anything else can drive it in memory.

use crate::failure::{Failure, FailureCode};

/// `retry` of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts at each target, the first included: 1 to 20.
    pub max_attempts: u32,
    /// The first backoff, in milliseconds.
    pub initial_ms: u64,
    /// The longest backoff, in milliseconds.
    pub max_ms: u64,
}

impl RetryPolicy {
    /// For calls over a network.
    pub const REMOTE: RetryPolicy = RetryPolicy { max_attempts: 3, initial_ms: 500, max_ms: 20_000 };
    /// For work inside the process, which fails the same way every time.
    pub const LOCAL: RetryPolicy = RetryPolicy { max_attempts: 1, initial_ms: 0, max_ms: 0 };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    RetryAfter { millis: u64 },
    FallBack,
    GiveUp,
}

/// Decides after attempt number `attempt` (from 1) failed. `has_fallback` says whether another target is left; `jitter` is a
/// number in 0..1 that the caller derives from the address of the attempt, so that a replay gets the same delay.
pub fn after_failure(policy: &RetryPolicy, attempt: u32, failure: &Failure, has_fallback: bool, jitter: f64) -> Verdict {
    let give_up = if has_fallback && failure.code.is_transient() { Verdict::FallBack } else { Verdict::GiveUp };
    if !failure.code.is_transient() || attempt >= policy.max_attempts {
        return give_up;
    }
    match failure.retry_after_ms {
        // The upstream says when. Waiting long makes sense only where nobody else can answer now.
        Some(millis) if millis > policy.max_ms && has_fallback => Verdict::FallBack,
        // A little jitter on top: everybody was told the same moment.
        Some(millis) => Verdict::RetryAfter { millis: millis + (jitter * 100.0) as u64 },
        // Nobody listens there: another provider is quicker than a second try.
        None if failure.code == FailureCode::Connection && has_fallback => Verdict::FallBack,
        None => Verdict::RetryAfter { millis: backoff(policy, attempt, jitter) },
    }
}

/// Exponential with equal jitter: half of the step is fixed, half is random.
fn backoff(policy: &RetryPolicy, attempt: u32, jitter: f64) -> u64 {
    let step = policy.initial_ms.saturating_mul(1 << (attempt - 1).min(20)).min(policy.max_ms);
    step / 2 + (jitter * (step as f64 / 2.0)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy { max_attempts: 3, initial_ms: 100, max_ms: 1000 };

    fn verdict(code: FailureCode, retry_after_ms: Option<u64>, attempt: u32, has_fallback: bool) -> Verdict {
        after_failure(&POLICY, attempt, &Failure::new(code, "x").with_retry_after_ms(retry_after_ms), has_fallback, 0.0)
    }

    #[test]
    fn the_table() {
        use FailureCode::*;
        use Verdict::*;
        let table = [
            (RateLimited, None, 1, false, RetryAfter { millis: 50 }),
            (RateLimited, None, 2, false, RetryAfter { millis: 100 }),
            (RateLimited, None, 3, false, GiveUp),
            (RateLimited, None, 3, true, FallBack),
            (RateLimited, Some(700), 1, true, RetryAfter { millis: 700 }),
            (RateLimited, Some(60_000), 1, true, FallBack),
            (RateLimited, Some(60_000), 1, false, RetryAfter { millis: 60_000 }),
            (ServerError, None, 1, true, RetryAfter { millis: 50 }),
            (Timeout, None, 1, true, RetryAfter { millis: 50 }),
            (Malformed, None, 1, true, RetryAfter { millis: 50 }),
            (StreamCut, None, 3, true, FallBack),
            (Connection, None, 1, true, FallBack),
            (Connection, None, 1, false, RetryAfter { millis: 50 }),
            (BadRequest, None, 1, true, GiveUp),
            (Unauthorized, None, 1, true, GiveUp),
            (NotConfigured, None, 1, true, GiveUp),
            (AddressRefused, None, 1, true, GiveUp),
        ];
        for (code, after, attempt, fallback, expected) in table {
            assert_eq!(
                verdict(code, after, attempt, fallback),
                expected,
                "{code:?} after={after:?} attempt={attempt} fallback={fallback}"
            );
        }
    }

    #[test]
    fn backoff_grows_to_its_cap_and_never_overflows() {
        let policy = RetryPolicy { max_attempts: u32::MAX, initial_ms: 100, max_ms: 1000 };
        let millis =
            |attempt, jitter| match after_failure(&policy, attempt, &Failure::new(FailureCode::Timeout, ""), false, jitter) {
                Verdict::RetryAfter { millis } => millis,
                other => panic!("{other:?}"),
            };
        assert_eq!([millis(1, 1.0), millis(2, 1.0), millis(3, 1.0), millis(4, 1.0), millis(5, 1.0)], [100, 200, 400, 800, 1000]);
        assert_eq!(millis(u32::MAX - 1, 0.0), 500);
    }
}
