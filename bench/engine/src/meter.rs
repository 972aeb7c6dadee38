//! Wall clock, CPU time, bytes written and memory of a process tree, from /proc.

use std::path::Path;
use std::time::Instant;

pub struct Meter {
    pid: u32,
    begin: Instant,
    cpu: f64,
    written: u64,
}

pub struct Reading {
    pub total_s: f64,
    pub cpu_s: f64,
    pub bytes_written: u64,
}

impl Meter {
    pub fn start(pid: u32) -> Self {
        Meter { pid, cpu: cpu_seconds(pid), written: written_bytes(pid), begin: Instant::now() }
    }

    pub fn read(&self) -> Reading {
        Reading {
            total_s: self.begin.elapsed().as_secs_f64(),
            cpu_s: cpu_seconds(self.pid) - self.cpu,
            bytes_written: written_bytes(self.pid).saturating_sub(self.written),
        }
    }
}

/// User and system time. The kernel counts in ticks of 10 ms.
fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |ix: usize| fields.get(ix).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn written_bytes(pid: u32) -> u64 {
    field(&format!("/proc/{pid}/io"), "write_bytes:").unwrap_or(0)
}

pub fn rss_mb(pid: u32) -> f64 {
    field(&format!("/proc/{pid}/status"), "VmRSS:").unwrap_or(0) as f64 / 1024.0
}

pub fn peak_rss_mb(pid: u32) -> f64 {
    field(&format!("/proc/{pid}/status"), "VmHWM:").unwrap_or(0) as f64 / 1024.0
}

fn field(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

pub fn directory_bytes(path: &Path) -> u64 {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => directory_bytes(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

/// The value below which the given share of the sorted values lies.
pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(((values.len() as f64 * share) as usize).min(values.len().saturating_sub(1))).copied().unwrap_or(0.0)
}
