//! Random workflows in a random world with crashes at random moments. Every failure prints its seed; repeat it with
//! `FLOWTRACE_SIM_SEED=<seed> cargo test -p flowtrace-engine simulation`, and run more with `FLOWTRACE_SIM_SCHEDULES=<count>`.

use crate::check::{check, check_coverage, check_journal, check_sessions, result};
use crate::generate::{self, CALLEE, SIGNALS};
use crate::world::{CrashingStore, Rng, SimulatedClock, SimulatedProvider, SimulatedTool, World};
use flowtrace_core::equivalence::Equivalence;
use flowtrace_core::event::{Event, Limits, LinkedWorkflow, ModelDefaults, WorkflowRef};
use flowtrace_core::id::{RunId, StreamId};
use flowtrace_core::payload::sha256_hex;
use flowtrace_core::plan::Plan;
use flowtrace_core::price::PriceTable;
use flowtrace_core::state::{RunState, RunStatus, StepState, StepStatus};
use flowtrace_engine::host::fork::ForkRun;
use flowtrace_engine::host::{Host, Ports, Settings, StartRun};
use flowtrace_engine::port::store::{ApprovalQuery, InboxRequest, Journal, Workflows};
use flowtrace_engine::port::tool::Tools;
use serde_json::json;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

/// Schedules that every run of the tests tries.
const SCHEDULES: u64 = 100_000;

/// No healthy schedule needs more virtual time than this: it is far above every backoff and every wait added up.
const VIRTUAL_LIMIT: Duration = Duration::from_secs(200_000);

pub struct Run {
    pub document: Arc<str>,
    callee: Option<Arc<str>>,
    pub plan: Arc<Plan>,
    pub session: Option<String>,
    signals: bool,
    parallel: bool,
    racing: bool,
}

pub struct Schedule {
    pub runs: Vec<Run>,
    fault_percent: u64,
    cache: bool,
    /// What people ask for: after so many milliseconds, of which run.
    asks: Vec<(u64, usize, InboxRequest)>,
    canceled: bool,
}

fn schedule(seed: u64) -> Schedule {
    let mut rng = Rng(seed);
    let cache = rng.chance(20);
    let count = 1 + rng.below(5) as usize / 2;
    let sessions = rng.chance(40);
    let runs: Vec<Run> = (0..count)
        .map(|_| {
            let large = if rng.chance(5) { 14 } else { 2 + rng.below(5) };
            let made = generate::workflow(&mut rng, cache, sessions, large);
            let document: Arc<str> = made.document.to_string().into();
            let callee: Option<Arc<str>> = made.callee.map(|callee| callee.to_string().into());
            let refused =
                |problems| panic!("seed {seed}: the generated workflow is refused: {problems:#?}\n{document}\n{callee:?}");
            let mut plan = Plan::compile(document.as_bytes()).unwrap_or_else(refused);
            if let Some(callee) = &callee {
                plan.link((CALLEE.to_owned(), None), callee.as_bytes()).unwrap_or_else(|problems| {
                    panic!("seed {seed}: the generated workflow cannot be linked: {problems:#?}\n{callee}")
                });
            }
            let session = sessions.then(|| format!("session {}", rng.below(2)));
            let (signals, parallel, racing) = (made.signals, made.parallel, made.racing);
            Run { document, callee, plan: Arc::new(plan), session, signals, parallel, racing }
        })
        .collect();
    let mut asks = Vec::new();
    let by = || "simulation".to_owned();
    let canceled = rng.chance(15);
    if canceled {
        asks.push((rng.below(400), rng.below(count as u64) as usize, InboxRequest::Cancel { by: by() }));
    }
    for (ix, run) in runs.iter().enumerate() {
        if rng.chance(10) {
            let at = rng.below(300);
            asks.push((at, ix, InboxRequest::Pause { by: by() }));
            asks.push((at + rng.below(100_000), ix, InboxRequest::Resume { by: by() }));
        }
        // Signals that come before anybody waits for them.
        if run.signals && rng.chance(40) {
            let name = SIGNALS[rng.below(2) as usize].to_owned();
            asks.push((rng.below(100), ix, InboxRequest::Signal { name, payload: json!("now"), by: by() }));
        }
    }
    asks.sort_by_key(|ask| ask.0);
    Schedule { runs, fault_percent: [0, 10, 40][rng.below(3) as usize], cache, asks, canceled }
}

pub fn run_id(ix: usize) -> RunId {
    StreamId(0x0190_0000_0000_7000_8000_0000_0000_0000 + ix as u128)
}

fn host(world: &Arc<World>) -> Host {
    let tools = ["http", "once"].map(|name| Arc::new(SimulatedTool { world: world.clone(), name }) as Arc<_>);
    let ports = Ports {
        store: Arc::new(CrashingStore(world.clone())),
        providers: vec![
            Arc::new(SimulatedProvider { world: world.clone(), name: "openai" }),
            Arc::new(SimulatedProvider { world: world.clone(), name: "anthropic" }),
        ],
        tools: Tools::new(tools.into(), Vec::new()),
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

async fn start(world: &World, host: &Host, ix: usize, run: &Run) {
    let hash = |text: &str| -> Arc<str> { sha256_hex(text.as_bytes()).into() };
    let mut linked = Vec::new();
    if let Some(callee) = &run.callee {
        world.store.put_document(&hash(callee), callee).await.unwrap();
        let workflow = WorkflowRef { id: None, version: None, hash: hash(callee) };
        linked.push(LinkedWorkflow { name: CALLEE.to_owned(), asked: None, workflow });
    }
    let start = StartRun {
        workflow: WorkflowRef { id: None, version: None, hash: hash(&run.document) },
        graph_json: run.document.clone(),
        plan: run.plan.clone(),
        linked,
        input: json!({"n": ix}),
        session_id: run.session.clone(),
        labels: Default::default(),
        triggered_by: "simulation".to_owned(),
        parent: None,
        replay_of: None,
        defaults: ModelDefaults::default(),
        idempotency: None,
    };
    host.start_as(run_id(ix), start).await.unwrap();
}

/// People who answer what they are asked, always the same to the same question, at some moment, and now and then twice.
async fn decide(world: &World, host: &Host, now: u64) {
    let query = ApprovalQuery { open: Some(true), run: None, after: None, limit: 100 };
    for row in world.store.approvals(query).await.unwrap() {
        let mut hasher = DefaultHasher::new();
        (world.seed, row.run, &row.path).hash(&mut hasher);
        let mut rng = Rng(hasher.finish());
        if now < row.asked_at.0 + rng.below(8_000_000) {
            continue;
        }
        let approved = row.interrupted || rng.chance(70);
        let payload = (!row.interrupted && rng.chance(20)).then(|| json!({"amount": 2}));
        let request = |approved, key: &str, payload| InboxRequest::Decide {
            step: row.path.clone(),
            approved,
            key: key.to_owned(),
            payload,
            by: "somebody".to_owned(),
            reason: None,
        };
        let key = format!("{}:{}", row.path, row.asked_at.0);
        host.ask(row.run, key.clone(), request(approved, &key, payload)).await.unwrap();
        if rng.chance(30) {
            // Too late: the first answer counts.
            let second = format!("{key}:second");
            host.ask(row.run, second.clone(), request(!approved, &second, None)).await.unwrap();
        }
    }
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
            for (ix, run) in schedule.runs.iter().enumerate() {
                if world.store.run(run_id(ix)).await.unwrap().is_none() {
                    start(world, &host, ix, run).await;
                }
            }
            let mut asks = schedule.asks.iter().enumerate().peekable();
            let mut pause = 10;
            loop {
                let now = begin.elapsed();
                while let Some((number, (_, ix, request))) = asks.next_if(|(_, ask)| u128::from(ask.0) <= now.as_millis()) {
                    // A signal of an earlier life was received; asking for anything else again changes nothing.
                    let again = matches!(request, InboxRequest::Signal { .. }) && world.is_known(number);
                    if !again {
                        host.ask(run_id(*ix), format!("ask {number}"), request.clone()).await.unwrap();
                        world.know(number);
                    }
                }
                let mut open = 0;
                for (ix, run) in schedule.runs.iter().enumerate() {
                    let over = world.store.run(run_id(ix)).await.unwrap().is_some_and(|row| row.finished_at.is_some());
                    open += usize::from(!over);
                    if !over && run.signals && pause >= 1_000 {
                        for name in SIGNALS {
                            let (name, by) = (name.to_owned(), "simulation".to_owned());
                            let key = format!("{name} {}", world.next_key());
                            let request = InboxRequest::Signal { name, payload: json!("now"), by };
                            host.ask(run_id(ix), key, request).await.unwrap();
                        }
                    }
                }
                if open == 0 {
                    break;
                }
                decide(world, &host, world.now_at(now)).await;
                let next = asks.peek().map_or(u64::MAX, |(_, ask)| ask.0.saturating_sub(now.as_millis() as u64).max(1));
                tokio::time::sleep(Duration::from_millis(next.min(pause))).await;
                pause = (pause * 2).min(5_000);
            }
        };
        let done = tokio::select! {
            biased;
            () = world.crashed() => false,
            done = tokio::time::timeout(VIRTUAL_LIMIT, work) => {
                assert!(done.is_ok(), "seed {}: runs are stuck\n{}", world.seed, stories(world, schedule));
                true
            }
        };
        world.end_life(begin.elapsed());
        done
    });
    drop(runtime);
    done
}

/// Forks a run of the schedule from one of its steps, and lets the fork end: it keeps what it can, and comes to the same where what
/// comes out is determined.
fn fork_of(world: &Arc<World>, schedule: &Schedule, rng: &mut Rng) {
    let (seed, ix) = (world.seed, rng.below(schedule.runs.len() as u64) as usize);
    let run = &schedule.runs[ix];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    world.begin_life(None, 0);
    runtime.block_on(async {
        let begin = tokio::time::Instant::now();
        let host = host(world);
        let origin = world.store.read(run_id(ix), 0, usize::MAX).await.unwrap();
        let origin = RunState::fold(&run.plan, &origin).unwrap();
        let begun: Vec<&StepState> = origin.steps.iter().filter(|step| !step.path.is_empty() && !step.is_undo).collect();
        if begun.is_empty() {
            return;
        }
        let from = begun[rng.below(begun.len() as u64) as usize].path.to_string();
        let wanted = ForkRun { run: run_id(ix), from: from.clone(), triggered_by: "simulation".to_owned(), ..ForkRun::default() };
        let at = format!("seed {seed}, run {ix} forked from {from}");
        let fork = host.fork(&wanted).await.unwrap_or_else(|error| panic!("{at}: {error}")).id;
        while world.store.run(fork).await.unwrap().is_none_or(|row| row.finished_at.is_none()) {
            let events = world.store.read(fork, 0, usize::MAX).await.unwrap();
            assert!(begin.elapsed() < VIRTUAL_LIMIT, "{at}: the fork is stuck\n{}{}", stories(world, schedule), story(&events));
            for name in SIGNALS.iter().filter(|_| run.signals) {
                let request =
                    InboxRequest::Signal { name: (*name).to_owned(), payload: json!("now"), by: "simulation".to_owned() };
                host.ask(fork, format!("{name} {}", world.next_key()), request).await.unwrap();
            }
            decide(world, &host, world.now_at(begin.elapsed())).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let events = world.store.read(fork, 0, usize::MAX).await.unwrap();
        let state = RunState::fold(&run.plan, &events).unwrap_or_else(|error| panic!("{at}: {error}"));
        check_journal(&events, &run.plan, &state, &at);
        assert_eq!(world.violations(), Vec::<String>::new(), "{at}");
        // People may decide otherwise about another run.
        let determined =
            |step: &StepState| !matches!(step.status, StepStatus::Failed | StepStatus::Canceled) && step.question.is_none();
        let smooth = origin.steps.iter().all(determined);
        if origin.status == RunStatus::Succeeded && smooth && !run.racing && !schedule.cache {
            let told = || format!("{at}\n{}{}", stories(world, schedule), story(&events));
            assert_eq!((state.status, state.output), (origin.status, origin.output), "{}", told());
        }
        world.end_life(begin.elapsed());
    });
}

/// The journals of all runs, for a reader.
fn stories(world: &World, schedule: &Schedule) -> String {
    let mut story = String::new();
    for (ix, run) in schedule.runs.iter().enumerate() {
        story.push_str(&format!("run {ix}: {}\n", run.document));
        story.push_str(&self::story(&futures::executor::block_on(world.store.read(run_id(ix), 0, usize::MAX)).unwrap()));
    }
    story
}

fn story(events: &[Event]) -> String {
    let line = |event: &Event| {
        let (step, body) = (event.step.as_deref().unwrap_or_default(), serde_json::to_string(&event.body).unwrap());
        format!("{:4} {} {step} {}\n", event.seq, event.ts.0, body.chars().take(300).collect::<String>())
    };
    events.iter().map(line).collect()
}

/// With `told` the journals of both schedules are printed, whether it fails or not.
fn simulate(seed: u64, told: bool) {
    let schedule = schedule(seed);
    // The same schedule without a crash says what has to come out, and how many operations there are to die at.
    let calm = World::new(seed, schedule.fault_percent);
    assert!(live(&calm, &schedule, None, 0));
    if told {
        eprintln!("without a crash:\n{}", stories(&calm, &schedule));
    }
    check(&calm, &schedule, 1);
    let mut rng = Rng(seed ^ 0xf02c);
    if rng.chance(10) {
        fork_of(&calm, &schedule, &mut rng);
    }

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
    if told {
        eprintln!("with {} crashes:\n{}", lives - 1, stories(&world, &schedule));
    }
    check(&world, &schedule, lives);
    check_sessions(&world, &schedule);

    // Which steps end is a matter of timing where runs share a cache, are cancelled, or fail while others are in flight.
    if schedule.cache || schedule.canceled {
        return;
    }
    for (ix, run) in schedule.runs.iter().enumerate().filter(|(_, run)| !run.racing) {
        let (expected, found) = (result(&calm, &run.plan, ix), result(&world, &run.plan, ix));
        let smooth = expected["status"] == "succeeded" && expected["smooth"] == true;
        match !run.parallel || smooth {
            true => assert_eq!(found, expected, "seed {seed}, run {ix}: the crashed schedule ended differently"),
            false => assert_eq!(found["status"], expected["status"], "seed {seed}, run {ix}"),
        }
    }
}

#[test]
fn random_schedules_with_crashes_end_as_without() {
    if let Some(seed) = std::env::var("FLOWTRACE_SIM_SEED").ok().and_then(|seed| seed.parse().ok()) {
        return simulate(seed, true);
    }
    let schedules = std::env::var("FLOWTRACE_SIM_SCHEDULES").ok().and_then(|count| count.parse().ok()).unwrap_or(SCHEDULES);
    let threads = std::thread::available_parallelism().map_or(2, |count| count.get() as u64);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for seed in (thread..schedules).step_by(threads as usize) {
                    // What panics below this does not know the seed.
                    let done = std::panic::catch_unwind(|| simulate(seed, false));
                    assert!(done.is_ok(), "repeat it with FLOWTRACE_SIM_SEED={seed}");
                }
            });
        }
    });
    if schedules >= 1_000 {
        check_coverage();
    }
}
