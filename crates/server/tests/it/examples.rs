//! Every document in `examples/`, as its README says to run it: with the built binary, offline, by simulated models.

use crate::support::binary::finish;
use crate::support::flowtrace;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

fn examples() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

struct Ran {
    code: Option<i32>,
    run: Value,
    events: Vec<Value>,
}

impl Ran {
    /// `kind step`, in the order of the journal, of these kinds.
    fn shape(&self, kinds: &[&str]) -> Vec<String> {
        let wanted = self.events.iter().filter(|event| kinds.contains(&event["kind"].as_str().unwrap()));
        wanted
            .map(|event| match event["step_id"].as_str() {
                Some(step) => format!("{} {step}", event["kind"].as_str().unwrap()),
                None => event["kind"].as_str().unwrap().to_owned(),
            })
            .collect()
    }

    fn steps(&self, status: &str) -> Vec<&str> {
        let steps = self.run["steps"].as_array().unwrap().iter();
        steps.filter(|step| step["status"] == status).map(|step| step["step_id"].as_str().unwrap()).collect()
    }

    fn output(&self) -> &Value {
        &self.run["output"]
    }
}

#[track_caller]
fn run(name: &str, more: &[&str]) -> Ran {
    let directory = tempfile::tempdir().unwrap();
    let file = examples().join(format!("{name}.json"));
    let mut command = flowtrace(&directory.path().join("data"), &["run"]);
    command.arg(&file).args(["--simulate", "--json"]).args(more);
    let ran = finish(command);
    let mut events: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let end = events.pop().unwrap_or_else(|| panic!("{name} printed nothing: {}", ran.stderr));
    assert_eq!(end["kind"], "end", "{end}\n{}", ran.stderr);
    let run = end["run"].clone();
    assert_eq!(run["simulated"], true, "{run:#}");
    let expected = if run["status"] == "succeeded" { 0 } else { 1 };
    assert_eq!(ran.code, Some(expected), "{run:#}\n{}", ran.stderr);
    Ran { code: ran.code, run, events }
}

#[test]
fn each_is_valid_and_has_no_warnings_and_is_in_the_readme() {
    let readme = std::fs::read_to_string(examples().join("README.md")).unwrap();
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(examples()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(name) = name.strip_suffix(".json") else { continue };
        let directory = tempfile::tempdir().unwrap();
        let mut command = flowtrace(&directory.path().join("data"), &["validate", "--json"]);
        command.arg(&path);
        let validated = finish(command);
        assert_eq!(validated.code, Some(0), "{name}: {}{}", validated.stdout, validated.stderr);
        let report: Value = serde_json::from_str(&validated.stdout).unwrap();
        assert_eq!(report["warnings"], json!([]), "{name}: {report:#}");
        assert!(readme.contains(&format!("[`{name}.json`]({name}.json)")), "examples/README.md lacks {name}");
        names.insert(name.to_owned());
    }
    assert_eq!(names.len(), 6, "{names:?}");
}

#[test]
fn chain_with_a_gate() {
    let passed = run("chain-with-gate", &[]);
    assert_eq!(passed.steps("succeeded"), ["outline", "enough", "article"], "{:#}", passed.run);
    assert_eq!(passed.steps("skipped"), ["refuse"]);
    assert_eq!(passed.output(), "Arches push outwards, beams bend, cables pull: that is how bridges stand.");
    assert_eq!(passed.shape(&["gate.checked"]), ["gate.checked enough"]);

    let refused = run("chain-with-gate", &["--input", "topic=tea"]);
    assert_eq!(refused.steps("succeeded"), ["outline", "enough", "refuse"], "{:#}", refused.run);
    assert_eq!(refused.output(), "The outline 'Tea' has too few points for an article.");
}

#[test]
fn map_and_reduce() {
    let ran = run("map-reduce", &[]);
    let mut steps = ran.steps("succeeded");
    steps.sort_unstable();
    let expected =
        ["documents", "report", "summaries", "summaries[0]/summarize", "summaries[1]/summarize", "summaries[2]/summarize"];
    assert_eq!(steps, expected, "{:#}", ran.run);
    assert_eq!(ran.output(), "A busy harbour, a market hall that is nearly full, and rain without a flood.");
    let map = ran.run["steps"].as_array().unwrap().iter().find(|step| step["step_id"] == "summaries").unwrap();
    // In the order of the documents, whichever ended first.
    let summaries = json!(["More ships than last month.", "The hall is open and nearly full.", "Wet, but no flood."]);
    assert_eq!(map["output"], summaries, "{map:#}");
    assert_eq!(ran.shape(&["map.expanded", "map.item"]).len(), 4);
}

#[test]
fn evaluator_and_optimizer() {
    let ran = run("evaluator-optimizer", &[]);
    assert_eq!(ran.output(), "Third draft: bring your own daylight.", "{:#}", ran.run);
    let looped = ran.run["steps"].as_array().unwrap().iter().find(|step| step["step_id"] == "improve").unwrap();
    assert_eq!(looped["output"]["state"]["scores"], json!([3, 6, 9]), "{looped:#}");
    assert_eq!(looped["output"]["iterations"], 3);
    assert_eq!(ran.shape(&["loop.checked"]).len(), 4);
    let models: BTreeSet<(&str, &str)> = ran
        .events
        .iter()
        .filter(|event| event["kind"] == "llm.request")
        .map(|event| {
            let step = event["step_id"].as_str().unwrap().rsplit('/').next().unwrap();
            (step, event["payload"]["provider"].as_str().unwrap())
        })
        .collect();
    assert_eq!(models, [("judge", "anthropic"), ("write", "openai")].into(), "another one judges");
}

#[test]
fn orchestrator_and_workers() {
    let ran = run("orchestrator-workers", &[]);
    assert_eq!(ran.output(), "Gas is cheap to install, a pump is cheap to run, and a stove makes work.", "{:#}", ran.run);
    let workers = ran.steps("succeeded").iter().filter(|step| step.starts_with("workers[")).count();
    assert_eq!((workers, ran.steps("skipped")), (3, vec!["simple"]));

    let over = run("orchestrator-workers", &["--input", "question=tell me everything"]);
    assert_eq!(over.output(), "A short answer instead of a long plan.", "{:#}", over.run);
    assert_eq!(over.steps("succeeded"), ["plan", "fits", "simple"]);
    assert_eq!(over.shape(&["map.expanded"]), [""; 0], "no worker began");
}

#[test]
fn support_agent() {
    let ran = run("support-agent", &["--decide", "approve"]);
    let paid = json!({"paid": {"order": "A-1001", "amountEur": 38}, "reply": "We are sorry. You get your 38 euros back."});
    assert_eq!(ran.output(), &paid, "{:#}", ran.run);
    let calls = ran.shape(&["tool.request", "llm.request", "approval.requested", "approval.decided"]);
    let expected = [
        "llm.request support[0]/model",
        "tool.request support[0]/tools[0]/call",
        "llm.request support[1]/model",
        "llm.request support[2]/model",
        "tool.request support[2]/tools[0]/call",
        "llm.request support[3]/model",
        "approval.requested confirm",
        "approval.decided confirm",
        "tool.request pay",
    ];
    assert_eq!(calls, expected, "each turn and each call is a step of its own");
    let looked = ran.run["steps"].as_array().unwrap().iter().find(|step| step["step_id"] == "support[0]/tools[0]/call");
    assert_eq!(looked.unwrap()["output"]["title"], "Atlas of Rivers");

    let declined = run("support-agent", &["--decide", "reject"]);
    assert_eq!(declined.output(), "We have looked at your order again and cannot pay back.", "{:#}", declined.run);
    assert!(declined.steps("skipped").contains(&"pay"), "{:#}", declined.run);
}

#[test]
fn trip_booking() {
    let ran = run("trip-booking", &[]);
    assert_eq!((ran.code, &ran.run["failed_step"]), (Some(1), &json!("car")), "{:#}", ran.run);
    let undone = ran.shape(&["undo.armed", "undo.started", "step.succeeded", "step.failed", "run.failed"]);
    let expected = [
        "undo.armed hotel",
        "step.succeeded hotel",
        "undo.armed flight",
        "step.succeeded flight",
        "step.failed car",
        "undo.started",
        "step.succeeded flight/undo",
        "step.succeeded hotel/undo",
        "run.failed",
    ];
    assert_eq!(undone, expected, "the last one is taken back first");
    let undo = ran.run["steps"].as_array().unwrap().iter().find(|step| step["step_id"] == "hotel/undo").unwrap();
    assert_eq!(undo["output"], json!({"cancelled": "hotel-Lisbon"}), "{undo:#}");

    let booked = run("trip-booking", &["--input", "car=compact", "--input", "city=Porto"]);
    let trip = json!({"hotel": "hotel-Porto", "flight": "flight-Porto", "car": "car-compact"});
    assert_eq!(booked.output(), &trip, "{:#}", booked.run);
    assert_eq!(booked.shape(&["undo.started"]), [""; 0]);
}
