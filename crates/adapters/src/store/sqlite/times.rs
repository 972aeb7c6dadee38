//! How long the journal makes its callers wait.

use prometheus_client::metrics::histogram::Histogram;

/// Upper ends, in seconds. Dense around 10 ms, which is what 99 of 100 commits should stay below whatever else the server does.
const BUCKETS: [f64; 16] =
    [0.00025, 0.0005, 0.001, 0.002, 0.003, 0.004, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// Copies count into the same histograms.
#[derive(Clone, Debug)]
pub struct Times {
    /// Of each transaction, from its first write to the end of its sync.
    pub commit: Histogram,
    /// Of each append, from the moment it waits for the writer to its answer.
    pub append: Histogram,
}

impl Default for Times {
    fn default() -> Self {
        Times { commit: Histogram::new(BUCKETS), append: Histogram::new(BUCKETS) }
    }
}
