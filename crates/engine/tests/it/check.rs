//! What has to hold after every schedule, whatever happened in it.

use crate::simulation::{Schedule, run_id};
use crate::world::World;
use flowtrace_core::event::{Body, Event};
use flowtrace_core::id::StepPath;
use flowtrace_core::node::NodeKind;
use flowtrace_core::payload::Payload;
use flowtrace_core::plan::Plan;
use flowtrace_core::state::{RunState, RunStatus, StepIx, StepState, StepStatus, Work};
use flowtrace_engine::host::rows::{approval_row, run_row, step_row};
use flowtrace_engine::host::sessions::session_stream;
use flowtrace_engine::port::store::{ApprovalQuery, Inbox, Journal};
use futures::executor::block_on;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// The kinds of events that all schedules together have led to.
static SEEN: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());

/// What random schedules have to lead to, if there are enough of them: otherwise they show less than they say. Forks and logs are
/// nothing that a schedule asks for.
pub fn check_coverage() {
    let expected = [
        "approval.decided",
        "approval.requested",
        "budget.exceeded",
        "cache.hit",
        "child.started",
        "fallback",
        "gate.checked",
        "llm.repair",
        "llm.request",
        "llm.response",
        "loop.checked",
        "map.expanded",
        "map.item",
        "retry",
        "router.branch",
        "run.cancel_requested",
        "run.canceled",
        "run.failed",
        "run.paused",
        "run.resumed",
        "run.started",
        "run.succeeded",
        "session.changed",
        "session.request",
        "signal.received",
        "step.failed",
        "step.lost",
        "step.scheduled",
        "step.skipped",
        "step.succeeded",
        "timer.fired",
        "timer.set",
        "tool.request",
        "tool.response",
        "undo.armed",
        "undo.started",
        "vars.changed",
    ];
    let seen = SEEN.lock().unwrap();
    let missing: Vec<&str> = expected.into_iter().filter(|kind| !seen.contains(kind)).collect();
    assert_eq!(missing, [""; 0], "no schedule led to these events");
}

fn events_of(world: &World, ix: usize) -> Vec<Event> {
    block_on(world.store.read(run_id(ix), 0, usize::MAX)).unwrap()
}

/// What a reader of the run would compare.
pub fn result(world: &World, plan: &Plan, ix: usize) -> Value {
    let state = RunState::fold(plan, &events_of(world, ix)).unwrap_or_else(|error| panic!("seed {}: {error}", world.seed));
    let mut steps: Vec<(StepPath, Value)> = state
        .steps
        .iter()
        .filter(|step| !step.path.is_empty())
        .map(|step| {
            let result = json!([step.status.as_str(), step.output, step.branch, step.attempts, step.request, step.repairs]);
            (step.path.clone(), result)
        })
        .collect();
    steps.sort_by(|a, b| a.0.cmp(&b.0));
    let smooth = state.steps.iter().all(|step| !matches!(step.status, StepStatus::Failed | StepStatus::Canceled));
    json!({"status": state.status.as_str(), "output": state.output, "steps": steps, "tokens": state.totals.tokens,
        "retries": state.totals.retries, "fallbacks": state.totals.fallbacks, "iterations": state.totals.iterations,
        "tool_calls": state.totals.tool_calls, "smooth": smooth})
}

pub fn check(world: &World, schedule: &Schedule, lives: u64) {
    let seed = world.seed;
    assert_eq!(world.violations(), Vec::<String>::new(), "seed {seed}");
    check_calls(world, lives as usize - 1);
    for (ix, run) in schedule.runs.iter().enumerate() {
        let events = events_of(world, ix);
        SEEN.lock().unwrap().extend(events.iter().map(|event| event.body.kind()));
        assert!(
            events.windows(2).all(|pair| pair[0].ts <= pair[1].ts && pair[0].seq + 1 == pair[1].seq),
            "seed {seed}, run {ix}"
        );
        let over = |event: &&Event| matches!(event.body, Body::RunSucceeded { .. } | Body::RunFailed { .. } | Body::RunCanceled);
        assert_eq!(events.iter().filter(over).count(), 1, "seed {seed}, run {ix}");
        let state = RunState::fold(&run.plan, &events).unwrap_or_else(|error| panic!("seed {seed}, run {ix}: {error}"));
        let at = format!("seed {seed}, run {ix}");
        check_journal(&events, &run.plan, &state, &at);
        check_caps(&run.plan, &state, &at);
        check_undo_keys(&events, world, ix, &at);
        check_rows(world, &run.plan, &state, ix, &at);
    }
    assert!(block_on(world.store.wakeups()).unwrap().is_empty(), "seed {seed} left a wake-up");
    assert_eq!(block_on(world.store.open_approvals()).unwrap(), 0, "seed {seed} left an open question");
}

/// What has to hold of the journal of every run that has ended.
pub fn check_journal(events: &[Event], plan: &Plan, state: &RunState, at: &str) {
    check_ends(events, plan, state, at);
    check_joins(events, plan, state, at);
    check_undos(events, at);
    check_signals(events, plan, state, at);
}

/// An attempt is made once, and once more for every crash.
fn check_calls(world: &World, crashes: usize) {
    let seed = world.seed;
    for (key, attempts) in world.calls() {
        let mut counts = BTreeMap::new();
        attempts.iter().for_each(|attempt| *counts.entry(*attempt).or_insert(0usize) += 1);
        for (attempt, count) in counts {
            assert!(
                count <= 1 + crashes,
                "seed {seed}: attempt {attempt} of {key} was made {count} times with {crashes} crashes"
            );
        }
        assert!(attempts.is_sorted(), "seed {seed}: the attempts of {key} went backwards: {attempts:?}");
    }
}

/// No step is lost, and none ends twice.
fn check_ends(events: &[Event], plan: &Plan, state: &RunState, at: &str) {
    let mut begun = BTreeSet::new();
    let mut ended = BTreeSet::new();
    for event in events {
        let Some(step) = event.step.clone() else { continue };
        match event.body {
            Body::StepScheduled { .. } => assert!(begun.insert(step.clone()), "{at}: {step} began twice"),
            Body::StepSucceeded { .. } | Body::StepFailed { .. } | Body::StepSkipped => {
                assert!(ended.insert(step.clone()), "{at}: {step} ended twice")
            }
            _ => {}
        }
    }
    for step in &state.steps {
        assert!(!step.status.is_in_flight(), "{at}: {} is still under way", step.path);
    }
    if state.status != RunStatus::Succeeded {
        return;
    }
    for (ix, step) in state.steps.iter().enumerate() {
        let root = plan.node(step.node).graph == 0;
        let done = matches!(step.status, StepStatus::Succeeded | StepStatus::Skipped) || step.handled;
        assert!(done || !root, "{at} succeeded, and {} is {}", state.path(plan, ix as StepIx), step.status.as_str());
    }
}

/// A step begins when enough of the edges into it were taken, and is skipped when they never will be.
fn check_joins(events: &[Event], plan: &Plan, state: &RunState, at: &str) {
    let nodes: BTreeMap<&str, u32> = state.steps.iter().map(|step| (&*step.path, step.node)).collect();
    // What led on from the steps that have ended: the way (`None`: nowhere), and the conditional edges that were taken.
    let mut ended: BTreeMap<String, (Option<bool>, Vec<u32>)> = BTreeMap::new();
    for event in events {
        let Some(path) = event.step.as_deref().filter(|path| !path.ends_with("/undo")) else { continue };
        match &event.body {
            Body::StepSucceeded { taken, .. } => drop(ended.insert(path.to_owned(), (Some(false), taken.clone()))),
            Body::StepFailed { handled: Some(handled), .. } => {
                drop(ended.insert(path.to_owned(), (Some(handled.output.is_none()), handled.taken.clone())));
            }
            Body::StepFailed { handled: None, .. } => drop(ended.insert(path.to_owned(), (None, Vec::new()))),
            Body::StepReused(reused) => {
                let caught = reused.error.is_some() && reused.output == Payload::null();
                drop(ended.insert(path.to_owned(), (Some(caught), reused.taken.clone())));
            }
            Body::StepSkipped | Body::StepScheduled { .. } => {
                let node = plan.node(nodes[path]);
                let around = path.rsplit_once('/').map_or(String::new(), |(around, _)| format!("{around}/"));
                let (mut open, mut taken) = (0, 0);
                for ix in &node.incoming {
                    let edge = plan.edge(*ix);
                    match ended.get(&format!("{around}{}", plan.node(edge.from).id)) {
                        Some((way, chosen)) => {
                            taken += u32::from(*way == Some(edge.on_error) && (edge.when.is_none() || chosen.contains(ix)));
                        }
                        None => open += 1,
                    }
                }
                let enough = match node.join {
                    Some(needed) => taken >= needed,
                    None => open == 0 && taken > 0,
                };
                let skipped = matches!(event.body, Body::StepSkipped);
                let right = if skipped { open == 0 && !enough } else { enough || node.incoming.is_empty() };
                assert!(right, "{at}: {path}: {} with {taken} edges taken and {open} open", event.body.kind());
                if skipped {
                    ended.insert(path.to_owned(), (None, Vec::new()));
                }
            }
            _ => {}
        }
    }
}

fn check_caps(plan: &Plan, state: &RunState, at: &str) {
    let (limits, totals) = (state.limits(), &state.totals);
    let within = |name: &str, used: u64, most: Option<u64>| {
        assert!(most.is_none_or(|most| used <= most), "{at}: {name}: {used} of {most:?}");
    };
    within("maxSteps", totals.steps, limits.max_steps);
    within("maxToolCalls", totals.tool_calls, limits.max_tool_calls);
    within("maxIterations", totals.iterations, limits.max_iterations);
    within("maxSpawns", totals.spawns, limits.max_spawns);
    for (ix, step) in state.steps.iter().enumerate() {
        let path = &step.path;
        let Some(control) = &step.control else { continue };
        let caps = plan.caps(step.node);
        match (&control.work, &plan.node(step.node).kind) {
            (Work::Child(_), _) => {
                within("maxDepth", state.depth(plan, ix as StepIx) + 1, limits.max_depth);
            }
            (Work::Loop(looped), NodeKind::Loop(loop_)) => {
                within(path, looped.done.into(), Some(loop_.max_iterations.into()));
            }
            (Work::Loop(turns), NodeKind::Agent(agent)) => within(path, turns.done.into(), Some(agent.max_turns.into())),
            _ => {}
        }
        if let Some(caps) = caps {
            within(&format!("maxSteps of {path}"), control.spent.steps, caps.max_steps);
            within(&format!("maxToolCalls of {path}"), control.spent.tool_calls, caps.max_tool_calls);
            within(&format!("maxIterations of {path}"), control.spent.iterations, caps.max_iterations);
        }
    }
}

/// What was done is taken back once each, the last first, and nothing else begins meanwhile.
fn check_undos(events: &[Event], at: &str) {
    let mut armed: Vec<StepPath> = Vec::new();
    let mut taking_back = false;
    let mut undone: Vec<StepPath> = Vec::new();
    let mut open: Option<StepPath> = None;
    for event in events {
        match (&event.body, &event.step) {
            (Body::UndoArmed { .. }, Some(step)) => armed.push(step.clone()),
            (Body::UndoStarted { steps, .. }, _) => {
                assert!(!taking_back, "{at} began twice to take back");
                assert_eq!(*steps as usize, armed.len(), "{at}");
                taking_back = true;
            }
            (Body::StepScheduled { .. }, Some(step)) if taking_back => {
                assert!(step.ends_with("/undo"), "{at}: {step} began after undo.started");
                assert_eq!(open.replace(step.clone()), None, "{at}: two undos at once");
            }
            (Body::StepSucceeded { .. } | Body::StepFailed { .. }, Some(step)) if taking_back => {
                assert_eq!(open.take().as_ref(), Some(step), "{at}: {step} ended after undo.started");
                undone.push(step.strip_suffix("/undo").unwrap_or_default().into());
            }
            (Body::RunSucceeded { .. }, _) => return assert!(!taking_back, "{at}"),
            (Body::RunFailed { .. } | Body::RunCanceled, _) => {
                assert!(taking_back || armed.is_empty(), "{at} ended without taking back {armed:?}");
            }
            _ => {}
        }
    }
    armed.reverse();
    assert_eq!(undone, armed, "{at}: what was taken back is not what was done, the last first");
}

fn check_undo_keys(events: &[Event], world: &World, ix: usize, at: &str) {
    let armed = events.iter().filter(|event| matches!(event.body, Body::UndoArmed { .. }));
    for path in armed.filter_map(|event| event.step.clone()) {
        let prefix = format!("{}/{path}/undo/", run_id(ix));
        let keys: Vec<String> = world.calls().into_keys().filter(|key| key.starts_with(&prefix)).collect();
        assert!(keys.len() <= 1, "{at}: {path} was taken back under several keys: {keys:?}");
    }
}

/// A signal ends one wait.
fn check_signals(events: &[Event], plan: &Plan, state: &RunState, at: &str) {
    let mut received = BTreeMap::new();
    let mut expired = BTreeSet::new();
    for event in events {
        match (&event.body, &event.step) {
            (Body::SignalReceived { name, .. }, _) => *received.entry(name.clone()).or_insert(0i64) += 1,
            (Body::TimerFired { .. }, Some(step)) => drop(expired.insert(step.clone())),
            _ => {}
        }
    }
    let here = |step: &&StepState| step.status == StepStatus::Succeeded && step.origin.is_none();
    for step in state.steps.iter().filter(here).filter(|step| !expired.contains(&step.path)) {
        if let NodeKind::Wait(flowtrace_core::node::wait::Wait::Signal { name, .. }) = &plan.node(step.node).kind
            && !step.is_undo
        {
            let left = received.entry(name.clone()).or_insert(0);
            *left -= 1;
            assert!(*left >= 0, "{at}: more waits for `{name}` ended than signals came");
        }
    }
}

/// The views that lists read say what the events say.
fn check_rows(world: &World, plan: &Plan, state: &RunState, ix: usize, at: &str) {
    let run = run_id(ix);
    assert_eq!(block_on(world.store.inbox(run)).unwrap(), [], "{at} left requests that nobody will read");
    let row = block_on(world.store.run(run)).unwrap();
    assert_eq!(row, run_row(run, state), "{at}");
    let mut rows = block_on(world.store.steps(run)).unwrap();
    rows.sort_by(|a, b| a.path.cmp(&b.path));
    let all = 0..state.steps.len() as StepIx;
    let ended = all.clone().filter(|ix| state.step(*ix).status.is_final());
    let mut expected: Vec<_> = ended.map(|ix| step_row(plan, state, ix)).collect();
    expected.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!(rows, expected, "{at}");
    let query = ApprovalQuery { open: None, run: Some(run), after: None, limit: usize::MAX };
    let rows = block_on(world.store.approvals(query)).unwrap();
    let mut expected: Vec<_> = all.filter_map(|ix| approval_row(run, plan, state, ix)).collect();
    expected.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!(rows, expected, "{at}");
}

/// Every change of a session is carried out exactly once, whoever crashed meanwhile.
pub fn check_sessions(world: &World, schedule: &Schedule) {
    let seed = world.seed;
    let names: BTreeSet<&String> = schedule.runs.iter().filter_map(|run| run.session.as_ref()).collect();
    for name in names {
        let changes = block_on(world.store.read(session_stream(name), 0, usize::MAX)).unwrap();
        let mut keys = BTreeSet::new();
        for event in &changes {
            let Body::SessionChanged { version, key, .. } = &event.body else { panic!("seed {seed}: {event:?}") };
            assert_eq!(*version, event.seq, "seed {seed}");
            assert!(keys.insert(key.clone()), "seed {seed}: {key} changed `{name}` twice");
        }
        for (ix, run) in schedule.runs.iter().enumerate().filter(|(_, run)| run.session.as_ref() == Some(name)) {
            let state = RunState::fold(&run.plan, &events_of(world, ix)).unwrap();
            for step in &state.steps {
                let NodeKind::Set(set) = &run.plan.node(step.node).kind else { continue };
                if !set.changes_session() || step.is_undo || step.path.is_empty() {
                    continue;
                }
                let changed = keys.remove(&format!("{}/{}/1", run_id(ix), step.path));
                match step.status {
                    StepStatus::Succeeded => assert!(changed, "seed {seed}, run {ix}: the change of {} is lost", step.path),
                    StepStatus::Skipped => assert!(!changed, "seed {seed}, run {ix}: {} was skipped", step.path),
                    _ => {}
                }
            }
        }
        assert_eq!(keys, BTreeSet::new(), "seed {seed}: changes of `{name}` that no step asked for");
    }
}
