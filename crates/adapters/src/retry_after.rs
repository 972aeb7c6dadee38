<<<<<<< HEAD
//! When an upstream wants to be asked again.
=======
//! The `Retry-After` header (RFC 9110, section 10.2.3): seconds, or a date. OpenAI and Azure also say it in milliseconds, under
//! `retry-after-ms`, which then is the more exact one.
>>>>>>> provider

use http::HeaderMap;
use std::time::{Duration, SystemTime};

/// Longer waits than a day are cut to a day; nobody means them.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Reads `retry-after-ms` (milliseconds, OpenAI and Azure), else `Retry-After` as seconds or as an HTTP date
/// (RFC 9110, section 10.2.3). A date in the past is 0; anything unreadable is `None`.
pub fn retry_after_ms(headers: &HeaderMap, now: SystemTime) -> Option<u64> {
<<<<<<< HEAD
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let wait = match text("retry-after-ms").and_then(|text| from_number(text, 1.0)) {
        Some(wait) => wait,
        None => {
            let text = text("retry-after")?;
            from_number(text, 1000.0).or_else(|| {
                let due = httpdate::parse_http_date(text).ok()?;
                Some(due.duration_since(now).unwrap_or_default())
            })?
        }
    };
    Some(wait.min(LONGEST).as_millis() as u64)
}

/// Some servers send fractions of a second, which the RFC does not know; they are rounded up so that nobody comes too early.
fn from_number(text: &str, millis_per_unit: f64) -> Option<Duration> {
    let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)?;
    let millis = (number * millis_per_unit).ceil().min(LONGEST.as_millis() as f64);
    Some(Duration::from_millis(millis as u64))
=======
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(millis) = text("retry-after-ms").and_then(|text| from_number(text, 1.0)) {
        return Some(millis);
    }
    let text = text(RETRY_AFTER.as_str())?;
    if text.parse::<f64>().is_ok() {
        return from_number(text, 1000.0);
    }
    let wait = httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or(Duration::ZERO);
    Some(wait.min(LONGEST).as_millis() as u64)
}

/// RFC 9110 allows whole numbers only; some servers send fractions. Rounded up, so that nobody comes too early.
fn from_number(text: &str, millis_per_unit: f64) -> Option<u64> {
    let number: f64 = text.parse().ok()?;
    (number >= 0.0).then(|| (number * millis_per_unit).ceil().min(LONGEST.as_millis() as f64) as u64)
>>>>>>> provider
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_dates_and_milliseconds() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        type Headers = &'static [(&'static str, &'static str)];
        let table: [(Headers, Option<u64>); 14] = [
            (&[], None),
            (&[("retry-after", "2")], Some(2000)),
            (&[("retry-after", "0")], Some(0)),
            (&[("retry-after", " 1.5 ")], Some(1500)),
            (&[("retry-after-ms", "250")], Some(250)),
            (&[("retry-after-ms", "250.2")], Some(251)),
            (&[("retry-after-ms", "250"), ("retry-after", "9")], Some(250)),
            (&[("retry-after-ms", "soon"), ("retry-after", "9")], Some(9000)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT")], Some(10_000)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")], Some(0)),
            (&[("retry-after", "-5")], None),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "inf")], None),
            (&[("retry-after", "99999999999999999999")], Some(86_400_000)),
        ];
        for (headers, expected) in table {
            let map: HeaderMap = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
            assert_eq!(retry_after_ms(&map, now), expected, "{headers:?}");
        }
    }

    #[test]
    fn milliseconds_win_where_they_are_readable() {
        for (millis, expected) in [("250", 250), ("250.2", 251), ("soon", 9_000), ("-1", 9_000), ("1e99", 86_400_000)] {
            let mut headers = HeaderMap::from_iter([(RETRY_AFTER, "9".parse().unwrap())]);
            headers.insert("retry-after-ms", millis.parse().unwrap());
            assert_eq!(retry_after_ms(&headers, SystemTime::UNIX_EPOCH), Some(expected), "{millis:?}");
        }
    }
}
