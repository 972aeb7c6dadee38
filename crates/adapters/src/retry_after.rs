//! The `Retry-After` header (RFC 9110, section 10.2.3): seconds, or a date. OpenAI and Azure also say it in milliseconds, under
//! `retry-after-ms`, which then is the more exact one.

use http::HeaderMap;
use http::header::RETRY_AFTER;
use std::time::{Duration, SystemTime};

/// Nobody waits longer than a day for a header; it also keeps sums of times far from overflow.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// How many milliseconds from `now` the upstream asks to wait, at most a day; `None` where it does not say or makes no sense.
pub fn retry_after_ms(headers: &HeaderMap, now: SystemTime) -> Option<u64> {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
        let table = [
            ("0", Some(0)),
            ("2", Some(2_000)),
            (" 1.5 ", Some(1_500)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10_000)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("99999999999999999999999999", Some(86_400_000)),
            ("inf", Some(86_400_000)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(86_400_000)),
            ("NaN", None),
            ("-1", None),
            ("soon", None),
            ("", None),
        ];
        for (text, expected) in table {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(retry_after_ms(&headers, now), expected, "{text:?}");
        }
        assert_eq!(retry_after_ms(&HeaderMap::new(), now), None);
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
