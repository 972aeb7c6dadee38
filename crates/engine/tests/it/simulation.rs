//! Random workflows in a random world with crashes at random moments. Every failure prints its seed; repeat it with
//! `FLOWTRACE_SIM_SEED=<seed> cargo test -p flowtrace-engine simulation`, and run more with `FLOWTRACE_SIM_SCHEDULES=<count>`.

use crate::generate;
use crate::world::{CrashingStore, Rng, SimulatedClock, SimulatedProvider, SimulatedTool, World};
use flowtrace_core::equivalence::Equivalence;
use flowtrace_core::event::{Body, Limits, ModelDefaults, WorkflowRef};
use flowtrace_core::id::{RunId, StreamId};
use flowtrace_core::payload::sha256_hex;
use flowtrace_core::plan::Plan;
use flowtrace_core::price::PriceTable;
use flowtrace_core::state::{RunState, RunStatus, StepStatus};
use flowtrace_engine::host::rows::{run_row, step_row};
use flowtrace_engine::host::{Host, Ports, Settings, StartRun};
use flowtrace_engine::port::store::Journal;
use flowtrace_engine::port::tool::Tools;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Schedules that every run of the tests tries.
const SCHEDULES: u64 = 20_000;

/// No healthy schedule needs more virtual time than this: it is far above every backoff added up.
const VIRTUAL_LIMIT: Duration = Duration::from_secs(3600);

struct Schedule {
    documents: Vec<Arc<str>>,
    plans: Vec<Arc<Plan>>,
    fault_percent: u64,
    cancel: Option<(usize, u64)>,
    cache: bool,
}

fn schedule(seed: u64) -> Schedule {
    let mut rng = Rng(seed);
    let cache = rng.chance(30);
    let count = 1 + rng.below(3) as usize;
    let documents: Vec<Arc<str>> = (0..count).map(|_| generate::workflow(&mut rng, cache).to_string().into()).collect();
    let plans = documents
        .iter()
        .map(|document| match Plan::compile(document.as_bytes()) {
            Ok(plan) => Arc::new(plan),
            Err(problems) => panic!("seed {seed}: the generated workflow is refused: {problems:#?}\n{document}"),
        })
        .collect();
    let cancel = rng.chance(15).then(|| (rng.below(count as u64) as usize, rng.below(200)));
    Schedule { documents, plans, fault_percent: [0, 10, 40][rng.below(3) as usize], cancel, cache }
}

fn run_id(ix: usize) -> RunId {
    StreamId(0x0190_0000_0000_7000_8000_0000_0000_0000 + ix as u128)
}

fn host(world: &Arc<World>) -> Host {
    let ports = Ports {
        store: Arc::new(CrashingStore(world.clone())),
        providers: vec![
            Arc::new(SimulatedProvider { world: world.clone(), name: "openai" }),
            Arc::new(SimulatedProvider { world: world.clone(), name: "anthropic" }),
        ],
        tools: Tools::new(vec![Arc::new(SimulatedTool { world: world.clone(), name: "http" })], Vec::new()),
        clock: Arc::new(SimulatedClock::new(world)),
    };
    let settings = Settings {
        prices: PriceTable::default(),
        equivalence: Equivalence::default(),
        ceilings: Limits::default(),
        max_active_runs: 2,
        simulated: true,
        variables: Default::default(),
    };
    Host::new(ports, settings)
}

/// One life of the process: recovers, starts what was not started yet, waits until all runs are over. False if it crashed.
fn live(world: &Arc<World>, schedule: &Schedule, crash_at: Option<u64>, down_micros: u64) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    world.begin_life(crash_at, down_micros);
    let done = runtime.block_on(async {
        let begin = tokio::time::Instant::now();
        let work = async {
            let host = host(world);
            host.recover().await.unwrap();
            for (ix, document) in schedule.documents.iter().enumerate() {
                if world.store.run(run_id(ix)).await.unwrap().is_none() {
                    let start = StartRun {
                        workflow: WorkflowRef { id: None, version: None, hash: sha256_hex(document.as_bytes()).into() },
                        graph_json: document.clone(),
                        plan: schedule.plans[ix].clone(),
                        linked: Vec::new(),
                        input: json!({"n": ix}),
                        session_id: None,
                        triggered_by: "simulation".to_owned(),
                        parent: None,
                        defaults: ModelDefaults::default(),
                        idempotency: None,
                    };
                    host.start_as(run_id(ix), start).await.unwrap();
                }
            }
            if let Some((ix, after_ms)) = schedule.cancel {
                tokio::time::sleep(Duration::from_millis(after_ms)).await;
                host.cancel(run_id(ix), "once".to_owned(), "simulation".to_owned()).await.unwrap();
            }
            loop {
                let mut open = 0;
                for ix in 0..schedule.documents.len() {
                    open += world.store.run(run_id(ix)).await.unwrap().is_none_or(|row| row.finished_at.is_none()) as usize;
                }
                if open == 0 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let done = tokio::select! {
            biased;
            () = world.crashed() => false,
            done = tokio::time::timeout(VIRTUAL_LIMIT, work) => {
                assert!(done.is_ok(), "seed {}: runs are stuck", world.seed);
                true
            }
        };
        world.end_life(begin.elapsed());
        done
    });
    drop(runtime);
    done
}

/// What a reader of the run would compare.
fn result(world: &World, plan: &Plan, ix: usize) -> Value {
    let events = futures::executor::block_on(world.store.read(run_id(ix), 0, usize::MAX)).unwrap();
    let state = RunState::fold(plan, &events).unwrap_or_else(|error| panic!("seed {}: {error}", world.seed));
    let steps: Vec<Value> = state
        .steps
        .iter()
        .map(|step| json!([step.status.as_str(), step.output, step.branch, step.attempts, step.request]))
        .collect();
    json!({"status": state.status.as_str(), "output": state.output, "steps": steps, "tokens": state.totals.tokens,
        "retries": state.totals.retries, "fallbacks": state.totals.fallbacks})
}

fn check(world: &World, schedule: &Schedule, lives: u64) {
    let seed = world.seed;
    let crashes = lives as usize - 1;
    assert_eq!(world.violations(), Vec::<String>::new(), "seed {seed}");
    for (key, attempts) in world.calls() {
        let mut counts = std::collections::BTreeMap::new();
        attempts.iter().for_each(|attempt| *counts.entry(*attempt).or_insert(0usize) += 1);
        for (attempt, count) in counts {
            assert!(
                count <= 1 + crashes,
                "seed {seed}: attempt {attempt} of {key} was made {count} times with {crashes} crashes"
            );
        }
        assert!(attempts.is_sorted(), "seed {seed}: the attempts of {key} went backwards: {attempts:?}");
    }
    for (ix, plan) in schedule.plans.iter().enumerate() {
        let run = run_id(ix);
        let events = futures::executor::block_on(world.store.read(run, 0, usize::MAX)).unwrap();
        assert!(
            events.windows(2).all(|pair| pair[0].ts <= pair[1].ts && pair[0].seq + 1 == pair[1].seq),
            "seed {seed}, run {ix}"
        );
        let ends = events
            .iter()
            .filter(|event| matches!(event.body, Body::RunSucceeded { .. } | Body::RunFailed { .. } | Body::RunCanceled))
            .count();
        assert_eq!(ends, 1, "seed {seed}, run {ix}");
        let state = RunState::fold(plan, &events).unwrap();
        if let Some(most) = state.limits().max_steps {
            assert!(state.totals.steps <= most, "seed {seed}, run {ix}: {} steps of {most}", state.totals.steps);
        }
        if state.status == RunStatus::Succeeded {
            let open = state.steps.iter().filter(|step| !matches!(step.status, StepStatus::Succeeded | StepStatus::Skipped));
            assert_eq!(open.count(), 0, "seed {seed}, run {ix} succeeded with open steps");
        }
        // The views that lists read say what the events say.
        let row = futures::executor::block_on(world.store.run(run)).unwrap();
        assert_eq!(row, run_row(run, &state), "seed {seed}, run {ix}");
        let mut rows = futures::executor::block_on(world.store.steps(run)).unwrap();
        rows.sort_by(|a, b| a.path.cmp(&b.path));
        let mut expected: Vec<_> = (0..plan.nodes.len() as u32)
            .filter(|ix| state.step(*ix).status.is_final())
            .map(|ix| step_row(plan, &state, ix))
            .collect();
        expected.sort_by(|a, b| a.path.cmp(&b.path));
        assert_eq!(rows, expected, "seed {seed}, run {ix}");
        assert!(futures::executor::block_on(world.store.wakeups()).unwrap().is_empty(), "seed {seed}, run {ix} left a wake-up");
    }
}

fn simulate(seed: u64) {
    let schedule = schedule(seed);
    // The same schedule without a crash says what has to come out, and how many operations there are to die at.
    let calm = World::new(seed, schedule.fault_percent);
    assert!(live(&calm, &schedule, None, 0));
    check(&calm, &schedule, 1);

    let world = World::new(seed, schedule.fault_percent);
    let mut rng = Rng(seed ^ 0xdead);
    let mut lives = 0;
    loop {
        lives += 1;
        let crash_at = (lives <= 4).then(|| 1 + rng.below(calm.operations().max(1)));
        if live(&world, &schedule, crash_at, rng.below(10_000_000)) {
            break;
        }
    }
    check(&world, &schedule, lives);

    // Which steps end is a matter of timing where runs share a cache, are cancelled, or fail while others are in flight.
    if !schedule.cache && schedule.cancel.is_none() {
        for (ix, plan) in schedule.plans.iter().enumerate() {
            let (expected, found) = (result(&calm, plan, ix), result(&world, plan, ix));
            let determined = plan.graphs[0].max_concurrency == 1 || expected["status"] == "succeeded";
            match determined {
                true => assert_eq!(found, expected, "seed {seed}, run {ix}: the crashed schedule ended differently"),
                false => assert_eq!(found["status"], expected["status"], "seed {seed}, run {ix}"),
            }
        }
    }
}

#[test]
fn random_schedules_with_crashes_end_as_without() {
    if let Some(seed) = std::env::var("FLOWTRACE_SIM_SEED").ok().and_then(|seed| seed.parse().ok()) {
        return simulate(seed);
    }
    let schedules = std::env::var("FLOWTRACE_SIM_SCHEDULES").ok().and_then(|count| count.parse().ok()).unwrap_or(SCHEDULES);
    let threads = std::thread::available_parallelism().map_or(2, |count| count.get() as u64);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || (thread..schedules).step_by(threads as usize).for_each(simulate));
        }
    });
}
