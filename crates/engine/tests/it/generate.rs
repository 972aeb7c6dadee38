//! Random workflows of every kind of node, nested: every node is reachable, edges only go forward, and bindings only look upstream.

use crate::world::Rng;
use serde_json::{Map, Value, json};

/// The name under which a workflow calls the one that is linked to it.
pub const CALLEE: &str = "callee";

/// The signals that waits listen for.
pub const SIGNALS: [&str; 2] = ["go", "stop"];

pub struct Generated {
    pub document: Value,
    /// The document of [`CALLEE`], where the workflow calls it.
    pub callee: Option<Value>,
    /// Whether steps of the run can be in flight at the same time.
    pub parallel: bool,
    /// Whether what comes out depends on what happens first.
    pub racing: bool,
    /// Whether it waits for signals.
    pub signals: bool,
}

/// What is around the nodes of a body.
#[derive(Clone, Default)]
struct Around {
    depth: u32,
    each: bool,
    iteration: bool,
    /// Nodes outside that come before.
    readable: Vec<String>,
    /// Tells the texts of several documents apart.
    name: &'static str,
}

struct Generator<'a> {
    rng: &'a mut Rng,
    cache: bool,
    session: bool,
    calls: bool,
    /// Nodes that may still be made.
    left: u64,
    next: usize,
    parallel: bool,
    overlapping: bool,
    racing: bool,
    signals: bool,
    called: bool,
}

/// `large`: how many nodes there may be in all.
pub fn workflow(rng: &mut Rng, cache: bool, session: bool, large: u64) -> Generated {
    let parallel = rng.chance(50);
    let mut generator = Generator {
        rng,
        cache,
        session,
        calls: true,
        left: large,
        next: 0,
        parallel,
        overlapping: parallel,
        racing: false,
        signals: false,
        called: false,
    };
    let mut document = generator.graph(2, &Around { name: "main", ..Around::default() });
    let callee = generator.called.then(|| {
        // One in six calls itself, until a limit says stop.
        generator.calls = generator.rng.chance(16);
        generator.left = 3;
        let mut callee = generator.graph(1, &Around { name: "callee", depth: 1, ..Around::default() });
        let mut limits = Map::new();
        if generator.rng.chance(10) {
            generator.racing |= generator.overlapping;
            limits.insert("maxSteps".to_owned(), json!(1 + generator.rng.below(3)));
        }
        if generator.rng.chance(10) {
            generator.racing |= generator.overlapping;
            limits.insert("maxIterations".to_owned(), json!(1 + generator.rng.below(3)));
        }
        generator.head(&mut callee, limits);
        callee
    });
    let mut limits = Map::new();
    for (name, share, most) in
        [("maxSteps", 12, 12), ("maxToolCalls", 7, 6), ("maxIterations", 7, 6), ("maxSpawns", 10, 3), ("maxDepth", 10, 2)]
    {
        if generator.rng.chance(share) {
            limits.insert(name.to_owned(), json!(1 + generator.rng.below(most)));
            generator.racing |= generator.overlapping;
        }
    }
    if callee.is_some() {
        // A workflow that calls itself is as deep as this.
        limits.entry("maxDepth").or_insert(json!(3));
        limits.entry("maxSpawns").or_insert(json!(12));
        generator.racing |= generator.overlapping && generator.calls;
    }
    if generator.rng.chance(6) {
        limits.insert("maxCostUsd".to_owned(), generator.cost());
        generator.racing |= generator.overlapping;
    }
    if generator.rng.chance(10) {
        limits.insert("timeoutSeconds".to_owned(), json!(1_000_000));
    } else if generator.rng.chance(5) {
        limits.insert("timeoutSeconds".to_owned(), json!(1 + generator.rng.below(3)));
        generator.racing = true;
    }
    generator.head(&mut document, limits);
    Generated { document, callee, parallel: generator.overlapping, racing: generator.racing, signals: generator.signals }
}

impl Generator<'_> {
    fn head(&mut self, document: &mut Value, limits: Map<String, Value>) {
        document["version"] = json!("1");
        document["limits"] = Value::Object(limits);
        document["execution"] = match self.parallel {
            true => json!({"mode": "parallel", "maxConcurrency": 1 + self.rng.below(4)}),
            false => json!({"mode": "sequential"}),
        };
    }

    /// A graph of at least `least` nodes: `{entry, nodes, edges}`.
    fn graph(&mut self, least: u64, around: &Around) -> Value {
        let most = if around.depth == 0 { self.left.max(least) } else { self.left.clamp(least, 2 + least) };
        let count = (least + self.rng.below(most - least + 1)) as usize;
        self.left = self.left.saturating_sub(count as u64);
        let first = self.next;
        self.next += count;
        let id = |ix: usize| format!("n{}", first + ix);
        let kinds: Vec<&str> = (0..count).map(|_| self.kind(around)).collect();
        let mut edges: Vec<(usize, usize)> = Vec::new();
        for to in 1..count {
            let mut froms: Vec<usize> = (0..1 + self.rng.below(2)).map(|_| self.rng.below(to as u64) as usize).collect();
            froms.sort_unstable();
            froms.dedup();
            edges.extend(froms.into_iter().map(|from| (from, to)));
        }
        let mut upstream = vec![vec![false; count]; count];
        for to in 0..count {
            for from in edges.iter().filter(|edge| edge.1 == to).map(|edge| edge.0).collect::<Vec<_>>() {
                upstream[to][from] = true;
                let above = upstream[from].clone();
                upstream[to].iter_mut().zip(above).for_each(|(is, above)| *is |= above);
            }
        }
        let mut caught = vec![false; count];
        let listed: Vec<Value> = edges
            .iter()
            .map(|(from, to)| {
                let mut edge = json!({"from": id(*from), "to": id(*to)});
                let words = match kinds[*from] {
                    "router" => ["left", "right"],
                    "gate" => ["pass", "fail"],
                    "approval" => ["approved", "rejected"],
                    _ => ["", ""],
                };
                if self.rng.chance(8) {
                    edge["on"] = json!("error");
                    caught[*from] = true;
                } else if !words[0].is_empty() && self.rng.chance(70) {
                    let (yes, no) = (words[0], words[1]);
                    edge["when"] = json!(
                        [
                            format!("branch == '{yes}'"),
                            format!("branch != '{yes}'"),
                            format!("branch == '{no}' || len(branch) > 9")
                        ][self.rng.below(3) as usize]
                    );
                }
                edge
            })
            .collect();
        let mut nodes = Vec::with_capacity(count);
        for ix in 0..count {
            let mut readable = around.readable.clone();
            readable.extend((0..count).filter(|other| upstream[ix][*other]).map(id));
            let around = Around { readable, ..around.clone() };
            let mut node = self.node(kinds[ix], &id(ix), &around, caught[ix]);
            let into = edges.iter().filter(|edge| edge.1 == ix).count() as u64;
            if into > 1 && self.rng.chance(25) {
                node["join"] = if self.rng.chance(50) { json!("any") } else { json!(1 + self.rng.below(into)) };
                self.racing |= self.parallel;
            }
            nodes.push(node);
        }
        json!({"entry": id(0), "nodes": nodes, "edges": listed})
    }

    fn kind(&mut self, around: &Around) -> &'static str {
        let mut kinds = vec!["tool", "tool", "tool", "llm", "llm", "router", "router", "gate", "set", "wait", "approval"];
        if around.depth < 3 && self.left > 0 {
            kinds.extend(["map", "map", "loop", "loop", "agent"]);
            if self.calls {
                kinds.push("workflow");
            }
        }
        kinds[self.rng.below(kinds.len() as u64) as usize]
    }

    fn inputs(&mut self, id: &str, around: &Around) -> Map<String, Value> {
        let mut inputs = Map::new();
        inputs.insert("own".to_owned(), json!(format!("{} value {id}", around.name)));
        for other in &around.readable {
            if self.rng.chance(50) {
                let binding = format!("{{{{node.{other}.output}}}}");
                let text = if self.rng.chance(50) { binding } else { format!("from {other}: {binding}") };
                inputs.insert(format!("in_{other}"), json!(text));
            }
        }
        if around.each && self.rng.chance(80) {
            inputs.insert("item".to_owned(), json!("{{each.item}} at {{each.index}}"));
        }
        if around.iteration && self.rng.chance(80) {
            inputs.insert("turn".to_owned(), json!("{{iteration.index}} of {{iteration.state.total}}"));
        }
        if self.rng.chance(8) {
            inputs.insert("seen".to_owned(), json!("{{vars.count | default(0)}} of {{vars.list | default([])}}"));
            self.racing |= self.overlapping;
        }
        if self.session && self.rng.chance(5) {
            inputs.insert("remembered".to_owned(), json!("{{session.count | default(0)}}"));
            self.racing = true;
        }
        inputs
    }

    fn node(&mut self, kind: &str, id: &str, around: &Around, caught: bool) -> Value {
        let inputs = self.inputs(id, around);
        let config = self.config(kind, id, around);
        let mut node = json!({"id": id, "type": kind, "name": format!("Node {id}"), "config": config, "inputs": inputs});
        if matches!(kind, "tool" | "llm" | "agent" | "set") {
            node["retry"] = json!({"maxAttempts": 1 + self.rng.below(4), "initialMs": 1 + self.rng.below(200), "maxMs": 50_000});
        }
        if !caught && self.rng.chance(12) {
            node["onError"] = json!({"value": format!("instead of {id}")});
        }
        let share = if kind == "tool" { 25 } else { 4 };
        if self.rng.chance(share) {
            node["undo"] = json!({"config": {"tool": "http", "url": format!("http://example.test/undo/{id}")},
                "inputs": {"what": format!("{{{{node.{id}.output}}}}")}});
        }
        node
    }

    /// What a few calls of the simulated models cost, in dollars.
    fn cost(&mut self) -> Value {
        json!((1 + self.rng.below(8)) as f64 * 1e-5)
    }

    fn config(&mut self, kind: &str, id: &str, around: &Around) -> Value {
        let pick = |rng: &mut Rng, of: &[&'static str]| of[rng.below(of.len() as u64) as usize];
        match kind {
            "tool" => {
                let mut config = json!({"tool": "http", "url": format!("http://example.test/{id}")});
                if self.rng.chance(15) {
                    config["idempotent"] = json!(false);
                }
                config
            }
            "llm" => {
                let mut config =
                    json!({"provider": "openai", "model": "gpt-4o-mini", "cache": {"enabled": self.cache}, "fallbacks": []});
                if self.rng.chance(50) {
                    config["fallbacks"] = json!([{"provider": "anthropic", "model": "claude-3.5-sonnet"}]);
                }
                if self.rng.chance(30) {
                    // The simulated model now and then gives a short answer to whoever checks it.
                    config["system"] = json!("checked");
                    config["check"] = json!(format!("len(node.{id}.output) > 3"));
                    config["repairs"] = json!(self.rng.below(3));
                }
                config
            }
            "router" => json!({"rule": pick(self.rng, &["len(own) > 3 ? 'left' : 'right'", "'right'", "'left'"])}),
            "gate" if self.rng.chance(30) => {
                json!({"schema": {"type": "object", "required": [pick(self.rng, &["own", "other"])]}})
            }
            "gate" => json!({"check": pick(self.rng, &["len(own) > 3", "len(own) > 3", "len(own) > 99"])}),
            "set" => {
                let session = self.session && self.rng.chance(60);
                let mut config = json!({"vars": {"count": {"$add": 1}, "list": {"$append": id}}});
                if session {
                    config["session"] = json!({"count": {"$add": 1}});
                }
                if session && self.rng.chance(30) {
                    config["vars"] = json!({});
                }
                config
            }
            "wait" => match self.rng.below(5) {
                0 | 1 => {
                    self.signals = true;
                    let mut config = json!({"signal": pick(self.rng, &SIGNALS)});
                    if self.rng.chance(20) {
                        config["timeoutSeconds"] = json!(1 + self.rng.below(20));
                        config["onTimeout"] = json!(pick(self.rng, &["fail", "continue"]));
                        self.racing = true;
                    }
                    config
                }
                2 => json!({"seconds": 31 + self.rng.below(60)}),
                _ => json!({"seconds": self.rng.below(3)}),
            },
            "approval" => {
                let mut config = json!({"message": format!("May {id} go on?"), "payload": {"amount": 1, "own": "{{own}}"}});
                if self.rng.chance(25) {
                    config["timeoutSeconds"] = json!(1 + self.rng.below(5));
                    config["onTimeout"] = json!(pick(self.rng, &["approve", "reject", "fail"]));
                    self.racing = true;
                }
                config
            }
            "workflow" => {
                self.called = true;
                match self.rng.chance(50) {
                    true => json!({"workflow": CALLEE, "input": {"from": "{{own}}"}}),
                    false => json!({"workflow": CALLEE}),
                }
            }
            "map" => {
                let at_once = if self.parallel { 1 + self.rng.below(3) } else { 1 + self.rng.below(8) / 7 };
                let on_error = pick(self.rng, &["fail", "null", "collect"]);
                self.overlapping |= at_once > 1;
                let items: Vec<String> = (0..self.rng.below(4)).map(|item| format!("item {item}")).collect();
                let body = self.graph(1, &Around { depth: around.depth + 1, each: true, ..around.clone() });
                json!({"items": items, "body": body, "maxConcurrency": at_once, "onError": on_error})
            }
            "loop" => {
                let body = self.graph(1, &Around { depth: around.depth + 1, iteration: true, ..around.clone() });
                let entry = body["entry"].as_str().unwrap_or_default().to_owned();
                let mut config = json!({"body": body, "maxIterations": 1 + self.rng.below(3), "state": {"total": 0, "said": []},
                    "update": {"total": {"$add": 1}, "said": {"$append": format!("{{{{node.{entry}.output}}}}")}}});
                if self.rng.chance(50) {
                    config["until"] = json!(format!("iteration.state.total >= {}", 1 + self.rng.below(4)));
                    config["onExhausted"] = json!(pick(self.rng, &["continue", "fail"]));
                }
                if self.rng.chance(20) {
                    config["while"] = json!(format!("iteration.index < {}", self.rng.below(3)));
                }
                for (name, most) in [("maxSteps", 6), ("maxToolCalls", 4), ("maxTokens", 400)] {
                    if self.rng.chance(8) {
                        config[name] = json!(1 + self.rng.below(most));
                        self.racing |= self.overlapping;
                    }
                }
                if self.rng.chance(8) {
                    config["maxCostUsd"] = self.cost();
                    self.racing |= self.overlapping;
                }
                if self.rng.chance(5) {
                    config["timeoutSeconds"] = json!(1 + self.rng.below(3));
                    self.racing = true;
                }
                config
            }
            _ => {
                // The calls of one turn overlap.
                self.overlapping = true;
                let look = json!({"tool": "http", "name": "look", "config": {"url": format!("http://example.test/{id}")}});
                let once = json!({"tool": "once"});
                let mut config = json!({"provider": "openai", "model": "gpt-4o-mini", "instructions": format!("agent {id}"),
                    "prompt": "{{own}}", "cache": {"enabled": self.cache}, "tools": [look, once], "maxSteps": 1 + self.rng.below(4)});
                if self.rng.chance(50) {
                    config["handoffs"] = json!({"helper": {"instructions": "help", "tools": [look]}});
                    config["maxHandoffs"] = json!(self.rng.below(3));
                }
                if self.rng.chance(20) {
                    config["maxToolCalls"] = json!(1 + self.rng.below(4));
                    self.racing = true;
                }
                if self.rng.chance(20) {
                    config["schema"] = json!({"type": "object", "required": ["done"]});
                }
                if self.rng.chance(10) {
                    config["maxCostUsd"] = self.cost();
                }
                if self.rng.chance(5) {
                    config["timeoutSeconds"] = json!(1 + self.rng.below(3));
                    self.racing = true;
                }
                config
            }
        }
    }
}
