//! The demo workflows run offline, on the real host with the simulator, and show what they promise.

use super::*;
use crate::guard::GuardPolicy;
use crate::provider::simulated::{Simulator, SimulatorOptions};
use crate::provider::{HttpClient, Kind, ProviderSettings, build};
use crate::secrets::EnvironmentSecrets;
use flowtrace_core::check::{Catalog, check};
use flowtrace_core::event::{Body, Event, Limits, ModelDefaults, WorkflowRef};
use flowtrace_core::payload::sha256_hex;
use flowtrace_engine::host::{Host, Ports, Settings, StartRun};
use flowtrace_engine::memory::MemoryStore;
use flowtrace_engine::port::clock::SystemClock;
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;

const RESEARCH: &str = include_str!("../../../server/demos/research.json");
const CSV: &str = include_str!("../../../server/demos/csv.json");

struct Demo {
    host: Host,
    catalog: Catalog,
    _simulator: Simulator,
}

struct Finished {
    events: Vec<Event>,
    outputs: HashMap<String, Arc<Value>>,
}

impl Demo {
    async fn new() -> Demo {
        let simulator = Simulator::start(SimulatorOptions { paced: false, ..SimulatorOptions::default() }).await.unwrap();
        let settings = [ProviderSettings::new("openai", Kind::OpenAi), ProviderSettings::new("anthropic", Kind::Anthropic)];
        let providers =
            build(&settings, &HttpClient::new().unwrap(), Some(&simulator.base_url()), Arc::new(EnvironmentSecrets)).unwrap();
        let tools = builtin(Guard::new(GuardPolicy::default()), Arc::new(EnvironmentSecrets));
        let specs = tools.iter().map(|tool| tool.describe());
        let names = providers.iter().map(|provider| provider.name().to_owned()).collect();
        let catalog = Catalog { tools: specs.collect(), providers: Some(names), ..Catalog::default() };
        let ports = Ports { store: MemoryStore::new(), providers, tools: tools.into(), clock: Arc::new(SystemClock) };
        let settings = Settings {
            prices: Default::default(),
            equivalence: Default::default(),
            ceilings: Limits::default(),
            max_active_runs: 1,
            simulated: true,
            variables: Default::default(),
        };
        Demo { host: Host::new(ports, settings), catalog, _simulator: simulator }
    }

    async fn run(&self, document: &str) -> Finished {
        let plan = check(document.as_bytes(), &self.catalog).unwrap();
        let start = StartRun {
            workflow: WorkflowRef { id: None, version: None, hash: sha256_hex(document.as_bytes()).into() },
            graph_json: document.into(),
            plan,
            linked: Vec::new(),
            input: json!({}),
            session_id: None,
            labels: Default::default(),
            triggered_by: "test".to_owned(),
            parent: None,
            replay_of: None,
            defaults: ModelDefaults::default(),
            idempotency: None,
        };
        let run = self.host.start(start).await.unwrap().id;
        let over = async {
            while self.host.store().run(run).await.unwrap().is_none_or(|row| row.finished_at.is_none()) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(180), over).await.expect("the demo did not end within three minutes");
        let events = self.host.store().read(run, 0, 1000).await.unwrap();
        let mut outputs = HashMap::new();
        for event in &events {
            if let (Some(step), Body::StepSucceeded { output, .. }) = (&event.step, &event.body) {
                outputs.insert(step.to_string(), self.host.value(output).await.unwrap());
            }
        }
        Finished { events, outputs }
    }
}

impl Finished {
    /// What happened at a step, in order.
    fn story(&self, step: &str) -> Vec<&str> {
        self.events
            .iter()
            .filter(|event| event.step.as_ref().is_some_and(|path| path.to_string() == step))
            .map(|event| event.body.kind())
            .collect()
    }

    fn last(&self) -> &str {
        self.events.last().unwrap().body.kind()
    }
}

#[tokio::test]
async fn research_goes_deep_and_the_second_time_for_free() {
    let demo = Demo::new().await;
    let first = demo.run(RESEARCH).await;
    assert_eq!(first.last(), "run.succeeded", "{:#?}", first.events);
    assert_eq!(first.story("deep"), ["step.scheduled", "llm.request", "llm.response", "step.succeeded"]);
    assert_eq!(first.story("shallow"), ["step.skipped"]);

    let second = demo.run(RESEARCH).await;
    assert_eq!(second.last(), "run.succeeded");
    for step in ["summarize", "deep"] {
        let story = second.story(step);
        assert!(story.contains(&"cache.hit") && !story.contains(&"llm.response"), "{step}: {story:?}");
    }
}

#[tokio::test]
async fn the_csv_demo_shows_a_retry_and_a_fallback() {
    let demo = Demo::new().await;
    let run = demo.run(CSV).await;
    assert_eq!(run.last(), "run.succeeded", "{:#?}", run.events);
    let analysis = ["step.scheduled", "llm.request", "retry", "llm.request", "llm.response", "step.succeeded"];
    assert_eq!(run.story("analysis"), analysis);
    let writeup =
        ["step.scheduled", "llm.request", "retry", "llm.request", "fallback", "llm.request", "llm.response", "step.succeeded"];
    assert_eq!(run.story("writeup"), writeup);
    let Some(Body::Retry { error, after_ms, .. }) =
        run.events.iter().map(|event| &event.body).find(|body| body.kind() == "retry")
    else {
        panic!("no retry")
    };
    assert_eq!((error.status, error.retry_after_ms), (Some(429), Some(300)));
    assert!((300..=500).contains(after_ms), "{after_ms}");
    the_scripted_analysis_says_what_the_table_says(&run.outputs);

    let again = demo.run(CSV).await;
    // The cache knows each answer by who gave it, so the write-up asks OpenAI again before it finds Anthropic's.
    assert_eq!(again.story("analysis"), ["step.scheduled", "llm.request", "cache.hit", "step.succeeded"]);
    assert!(again.story("writeup").ends_with(&["fallback", "llm.request", "cache.hit", "step.succeeded"]));
    assert!(!again.events.iter().any(|event| event.body.kind() == "llm.response"), "the second run costs nothing");
}

fn the_scripted_analysis_says_what_the_table_says(outputs: &HashMap<String, Arc<Value>>) {
    let sales = &outputs["sales"];
    assert_eq!(sales["rowCount"], 30);
    let groups = sales["groups"].as_array().unwrap();
    let total = |field: &str, region: Option<&str>, product: Option<&str>| -> f64 {
        let wanted = |group: &&Value, name: &str, value: Option<&str>| value.is_none_or(|value| group[name] == value);
        let rows = groups.iter().filter(|group| wanted(group, "region", region) && wanted(group, "product", product));
        rows.map(|group| group[field].as_f64().unwrap()).sum()
    };
    let money = |value: f64| {
        let text = format!("{value:.2}");
        if value >= 1000.0 { format!("{},{}", &text[..text.len() - 6], &text[text.len() - 6..]) } else { text }
    };
    let analysis = outputs["analysis"].as_str().unwrap();
    for (region, product) in [
        (None, None),
        (Some("South"), None),
        (Some("North"), None),
        (Some("West"), None),
        (None, Some("Coffee")),
        (None, Some("Mug")),
        (None, Some("Tea")),
        (None, Some("Teapot")),
        (Some("South"), Some("Coffee")),
        (Some("West"), Some("Mug")),
        (Some("North"), Some("Mug")),
    ] {
        let figure = money(total("revenue", region, product));
        assert!(analysis.contains(&figure), "{region:?} {product:?}: {figure} is not in the analysis");
    }
    assert!(analysis.contains(&format!("{} units", total("units", None, None))));
    assert!(outputs["writeup"].as_str().unwrap().contains(&money(total("revenue", None, None))));
}
