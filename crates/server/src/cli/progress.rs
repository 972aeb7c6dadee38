//! What `flowtrace run` shows: bars on a terminal, plain lines elsewhere, or every event as JSON.

use super::out;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::IsTerminal;
use std::time::Duration;

pub enum Progress {
    Json,
    Lines,
    Bars(Bars),
}

/// One spinner for each step under way, below the lines of those that have ended.
pub struct Bars {
    all: MultiProgress,
    steps: HashMap<String, (ProgressBar, usize)>,
}

impl Progress {
    pub fn new(as_json: bool) -> Self {
        match (as_json, std::io::stderr().is_terminal()) {
            (true, _) => Progress::Json,
            (false, true) => Progress::Bars(Bars { all: MultiProgress::new(), steps: HashMap::new() }),
            (false, false) => Progress::Lines,
        }
    }

    pub fn started(&mut self, run: &str) {
        if !matches!(self, Progress::Json) {
            self.note(&format!("run {run}"));
        }
    }

    /// Something that is not output.
    pub fn note(&mut self, text: &str) {
        match self {
            Progress::Bars(bars) => bars.all.suspend(|| out::note(text)),
            _ => out::note(text),
        }
    }

    pub fn event(&mut self, event: &Value) {
        match self {
            Progress::Json => out::line(event),
            Progress::Lines => {
                if let Some(line) = line(event) {
                    out::note(line);
                }
            }
            Progress::Bars(bars) => bars.event(event),
        }
    }

    pub fn delta(&mut self, data: &str) {
        if let Progress::Bars(bars) = self
            && let Ok(delta) = serde_json::from_str::<Value>(data)
        {
            bars.delta(&delta);
        }
    }

    /// The output goes to standard output, so that it can be piped; the rest to standard error.
    pub fn ended(&mut self, run: &Value) {
        match self {
            Progress::Json => return out::line(json!({"kind": "end", "run": run})),
            Progress::Lines => {}
            Progress::Bars(bars) => bars.clear(),
        }
        match &run["output"] {
            Value::Null => {}
            Value::String(text) => out::line(if std::io::stdout().is_terminal() { out::harmless(text) } else { text.clone() }),
            // Alternate form: indented.
            other => out::line(format!("{other:#}")),
        }
        if let Some(error) = run["error"]["message"].as_str() {
            let step = run["failed_step"].as_str().map_or(String::new(), |step| format!("{step}: "));
            out::note(out::harmless(&format!("{step}{error}")));
        }
        out::note(summary(run));
    }
}

fn summary(run: &Value) -> String {
    let count = |key: &str| run[key].as_u64().unwrap_or(0);
    let mut parts = vec![
        run["status"].as_str().unwrap_or("unknown").to_owned(),
        run["total_latency_ms"].as_f64().map_or_else(String::new, out::duration),
        format!("{} tokens", count("total_tokens")),
        match run["simulated"] == true {
            true => "no cost (simulated)".to_owned(),
            false => out::dollars(count("total_cost_nanousd"), run["cost_complete"] == true),
        },
    ];
    for (key, one, many) in
        [("retries", "retry", "retries"), ("fallbacks", "fallback", "fallbacks"), ("cache_hits", "cache hit", "cache hits")]
    {
        match count(key) {
            0 => {}
            1 => parts.push(format!("1 {one}")),
            number => parts.push(format!("{number} {many}")),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" · ")
}

/// What an event says to a person, if anything.
fn line(event: &Value) -> Option<String> {
    let step = event["step_id"].as_str().unwrap_or_default();
    let payload = &event["payload"];
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let line = match event["kind"].as_str()? {
        "step.scheduled" => format!("  {step}: started"),
        "step.succeeded" => format!("  {step}: done"),
        "step.failed" => format!("✗ {step}: {}", text(&payload["error"]["message"])),
        "step.skipped" => format!("  {step}: skipped"),
        "step.lost" => format!("  {step}: was lost with the process, starts again"),
        "retry" => format!("! {step}: {} → again in {} ms", text(&payload["error"]["message"]), payload["after_ms"]),
        "fallback" => format!(
            "! {step}: {} → {}/{} takes over",
            text(&payload["error"]["message"]),
            text(&payload["to"]["provider"]),
            text(&payload["to"]["model"])
        ),
        "cache.hit" => format!("  {step}: answered by the cache"),
        "router.branch" => format!("  {step}: {}", payload["branch"]),
        "log" => format!("  {}{}", if step.is_empty() { String::new() } else { format!("{step}: ") }, text(&payload["message"])),
        "budget.exceeded" => format!("✗ {} is used up: {} of {}", text(&payload["limit"]), payload["used"], payload["allowed"]),
        _ => return None,
    };
    Some(out::harmless(&line))
}

impl Bars {
    fn event(&mut self, event: &Value) {
        let step = event["step_id"].as_str().unwrap_or_default();
        match event["kind"].as_str().unwrap_or_default() {
            "step.scheduled" => {
                let style = ProgressStyle::with_template("{spinner} {prefix} {elapsed} {wide_msg}");
                let bar = self.all.add(ProgressBar::new_spinner());
                if let Ok(style) = style {
                    bar.set_style(style);
                }
                bar.set_prefix(out::harmless(step));
                bar.enable_steady_tick(Duration::from_millis(100));
                self.steps.insert(step.to_owned(), (bar, 0));
            }
            "step.succeeded" => {
                if let Some((bar, _)) = self.steps.remove(step) {
                    let line = format!("✓ {step} {}", out::duration(bar.elapsed().as_secs_f64() * 1000.0));
                    bar.finish_and_clear();
                    self.print(&out::harmless(&line));
                }
            }
            "step.failed" => {
                if let Some((bar, _)) = self.steps.remove(step) {
                    bar.finish_and_clear();
                }
                self.print(&line(event).unwrap_or_default());
            }
            _ => {
                if let Some(line) = line(event) {
                    self.print(&line);
                }
            }
        }
    }

    fn delta(&mut self, delta: &Value) {
        let step = delta["step_id"].as_str().unwrap_or_default();
        if let Some((bar, characters)) = self.steps.get_mut(step) {
            let text = delta["text"].as_str().unwrap_or_default();
            *characters = text.chars().count() + if delta["so_far"] == true { 0 } else { *characters };
            bar.set_message(format!("{characters} characters"));
        }
    }

    fn print(&self, line: &str) {
        // A failed write to the terminal is no reason to end the run.
        let _ = self.all.println(line);
    }

    fn clear(&mut self) {
        self.steps.drain().for_each(|(_, (bar, _))| bar.finish_and_clear());
        let _ = self.all.clear();
    }
}
