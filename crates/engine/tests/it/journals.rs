//! Journals of earlier versions, in `fixtures/journals/`. Cut after any event, every one of them must finish under this build: that is
//! what makes an upgrade safe for runs in flight. `docs/adding/event.md` says how a journal gets there.

use crate::check::check_journal;
use crate::world::{SimulatedClock, SimulatedProvider, SimulatedTool, World};
use flowtrace_core::equivalence::Equivalence;
use flowtrace_core::event::{self, Body, Event, Limits};
use flowtrace_core::id::{RunId, StreamId};
use flowtrace_core::payload::{Blob, sha256_hex};
use flowtrace_core::plan::Plan;
use flowtrace_core::price::PriceTable;
use flowtrace_core::problem::Problem;
use flowtrace_core::state::RunState;
use flowtrace_engine::host::rows::{approval_row, run_row, step_row};
use flowtrace_engine::host::{Host, Ports, Settings};
use flowtrace_engine::port::store::{Append, ApprovalQuery, InboxRequest, Journal, Workflows};
use flowtrace_engine::port::tool::Tools;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The signal that recorded runs wait for.
const SIGNAL: &str = "go";

const RUN: RunId = StreamId(0x0190_0000_0000_7000_8000_0000_0000_0001);

/// One journal, as it was stored.
#[derive(Serialize, Deserialize)]
struct Fixture {
    /// What the journal shows, for a reader.
    about: String,
    format: u16,
    document: Value,
    /// The documents of the workflows that it calls, in the order in which the run links them.
    #[serde(default)]
    linked: Vec<Value>,
    events: Box<RawValue>,
    #[serde(default)]
    blobs: BTreeMap<String, Value>,
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/journals"))
}

/// Puts the first `length` events into a fresh store, with the rows that they lead to.
async fn load(world: &World, fixture: &Fixture, plan: &Plan, events: &[Event]) {
    for document in fixture.linked.iter().chain([&fixture.document]) {
        let document = document.to_string();
        world.store.put_document(&sha256_hex(document.as_bytes()), &document).await.unwrap();
    }
    let state = RunState::fold(plan, events).unwrap();
    let all = 0..state.steps.len() as u32;
    let steps = all.clone().filter(|ix| state.step(*ix).status.is_final());
    let append = Append {
        stream: RUN,
        events: events.to_vec(),
        blobs: fixture
            .blobs
            .iter()
            .map(|(hash, value)| Blob { hash: hash.as_str().into(), json: value.to_string().into_bytes().into() })
            .collect(),
        run: run_row(RUN, &state),
        steps: steps.map(|ix| step_row(plan, &state, ix)).collect(),
        approvals: all.filter_map(|ix| approval_row(RUN, plan, &state, ix)).collect(),
        ..Append::default()
    };
    world.store.append(append).await.unwrap();
}

/// The plan of the run, with what it calls.
fn plan(fixture: &Fixture, started: Option<&Event>) -> Result<Plan, Vec<Problem>> {
    let mut plan = Plan::compile(fixture.document.to_string().as_bytes())?;
    if let Some(Event { body: Body::RunStarted(started), .. }) = started {
        for (link, document) in started.linked.iter().zip(&fixture.linked) {
            plan.link((link.name.clone(), link.asked), document.to_string().as_bytes())?;
        }
    }
    Ok(plan)
}

async fn finish(world: &Arc<World>) {
    let providers = ["openai", "anthropic"].map(|name| Arc::new(SimulatedProvider { world: world.clone(), name }) as Arc<_>);
    let tools = ["http", "once", "csv", "text", "json", "echo"]
        .map(|name| Arc::new(SimulatedTool { world: world.clone(), name }) as Arc<_>);
    let ports = Ports {
        store: world.store.clone(),
        providers: providers.into(),
        tools: Tools::new(tools.into(), Vec::new()),
        clock: Arc::new(SimulatedClock::new(world)),
    };
    let settings = Settings {
        prices: PriceTable::default(),
        equivalence: Equivalence::default(),
        ceilings: Limits::default(),
        max_active_runs: 4,
        simulated: true,
        variables: Default::default(),
    };
    let host = Host::new(ports, settings);
    host.recover().await.unwrap();
    for round in 0..10_000 {
        if world.store.run(RUN).await.unwrap().is_some_and(|row| row.finished_at.is_some()) {
            return;
        }
        // Whatever is asked is approved, whatever is paused goes on, and the signal comes that journals wait for.
        let by = || "somebody".to_owned();
        let open = ApprovalQuery { open: Some(true), run: Some(RUN), after: None, limit: 100 };
        for row in world.store.approvals(open).await.unwrap() {
            let (step, key) = (row.path.clone(), format!("{} {}", row.path, row.asked_at.0));
            let request = InboxRequest::Decide { step, approved: true, key: key.clone(), payload: None, by: by(), reason: None };
            host.ask(RUN, key, request).await.unwrap();
        }
        if round % 50 == 49 {
            host.ask(RUN, format!("resume {round}"), InboxRequest::Resume { by: by() }).await.unwrap();
            let request = InboxRequest::Signal { name: SIGNAL.to_owned(), payload: Value::Null, by: by() };
            host.ask(RUN, format!("signal {round}"), request).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it does not finish");
}

#[test]
fn every_journal_finishes_from_every_event_on() {
    let mut prefixes = 0;
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "json")) {
        let name = file.display();
        let fixture: Fixture = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let events = event::decode(fixture.format, fixture.events.get().as_bytes()).unwrap_or_else(|e| panic!("{name}: {e}"));
        // The hash in the journal is that of the document as it is here, written without spaces.
        let plan = plan(&fixture, events.first()).unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
        for length in 1..=events.len() {
            prefixes += 1;
            let world = World::new(7, 0);
            world.begin_life(None, events.last().unwrap().ts.0.saturating_sub(1_700_000_000_000_000));
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let finished = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                runtime.block_on(async {
                    load(&world, &fixture, &plan, &events[..length]).await;
                    finish(&world).await;
                });
            }));
            assert!(finished.is_ok(), "{name}: the first {length} of {} events", events.len());
            assert_eq!(world.violations(), Vec::<String>::new(), "{name}: the first {length} events");
            let all = runtime.block_on(world.store.read(RUN, 0, usize::MAX)).unwrap();
            assert_eq!(all[..length], events[..length], "{name}: what was written was changed");
            let state = RunState::fold(&plan, &all).unwrap();
            check_journal(&all, &plan, &state, &format!("{name}: the first {length} events"));
        }
    }
    assert!(prefixes > 20, "the fixtures are missing");
}
