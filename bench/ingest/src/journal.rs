//! How long the engine's own commits took, by the server's histogram.

use crate::client::Client;
use serde_json::{Map, Value, json};

/// How many there were, and which share of them, in percent, took no longer than each end of the histogram's buckets.
pub fn commits(client: &mut Client) -> Result<Value, String> {
    let text = client.text("/metrics")?;
    let mut upto: Vec<(String, f64)> = Vec::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("flowtrace_journal_commit_seconds_bucket{le=\"")) {
        let (end, count) = line.split_once("\"} ").ok_or(format!("this is no bucket: {line}"))?;
        upto.push((end.to_owned(), count.parse().map_err(|_| format!("this is no count: {count}"))?));
    }
    let all = upto.last().map_or(0.0, |(_, count)| *count);
    let percent = |count: f64| (count / all.max(1.0) * 10_000.0).round() / 100.0;
    let shares: Map<String, Value> = upto.into_iter().map(|(end, count)| (format!("{end} s"), json!(percent(count)))).collect();
    Ok(json!({"of": all, "percent_within": shares}))
}
