//! Documents, templates and expressions that are made to exhaust the stack, the memory or patience: refused, or done within
//! bounds. A stack overflow aborts the whole test program, so that this file runs to its end is part of what it shows.

use super::expressions::evaluate;
use super::problems::catalog;
use flowtrace_core::check::check;
use flowtrace_core::expression::Expression;
use flowtrace_core::node::NodeKind;
use flowtrace_core::plan::Plan;
use flowtrace_core::scope::{NodeValue, Scope};
use flowtrace_core::stack::with_large_stack;
use flowtrace_core::template::{MAX_SOURCE, Template};
use flowtrace_core::value::{MAX_DEPTH, deeper_than};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Far more than anything here takes, even on a loaded machine without optimisation.
const PATIENCE: Duration = Duration::from_secs(120);

/// The smallest stack that a caller of the core may have: a quarter of what the host's worker threads have.
const SMALL_STACK: usize = 512 * 1024;

fn on_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(SMALL_STACK).spawn(work).unwrap().join().unwrap()
}

fn codes(document: &str) -> Vec<String> {
    let document = document.to_owned();
    let start = Instant::now();
    let codes = on_small_stack(move || match check(document.as_bytes(), &catalog()) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.into_iter().map(|problem| problem.code).collect(),
    });
    assert!(start.elapsed() < PATIENCE, "checking took {:?}", start.elapsed());
    codes
}

fn chain(count: usize) -> Vec<Value> {
    let node = |at: usize| match at {
        0 => json!({"id": "n0", "type": "router", "config": {"rule": "true"}}),
        _ => {
            json!({"id": format!("n{at}"), "type": "router", "config": {"rule": "true"}, "inputs": {"x": format!("{{{{node.n{}.branch}}}}", at - 1)}})
        }
    };
    (0..count).map(node).collect()
}

fn edges(pairs: impl Iterator<Item = (usize, usize)>) -> Vec<Value> {
    pairs.map(|(from, to)| json!({"from": format!("n{from}"), "to": format!("n{to}")})).collect()
}

#[test]
fn a_document_of_fifty_megabytes_is_refused_unread() {
    let document = format!("{{\"x\": \"{}\"}}", "x".repeat(50_000_000));
    assert_eq!(codes(&document), ["document_too_large"]);
}

#[test]
fn ten_thousand_nodes_in_a_chain_and_in_a_dense_graph() {
    let count = 10_000;
    let document = |edges: Vec<Value>, most: usize| {
        json!({"version": "1", "entry": "n0", "nodes": chain(count), "edges": edges, "limits": {"maxNodes": most}}).to_string()
    };
    let line = document(edges((1..count).map(|to| (to - 1, to))), count);
    let plan = on_small_stack(move || Plan::compile(line.as_bytes())).unwrap();
    assert_eq!((plan.nodes.len(), plan.edges.len(), plan.graphs[0].entry), (count, count - 1, 0));

    let dense = edges((1..count).flat_map(|to| (1..=5.min(to)).map(move |back| (to - back, to))));
    assert_eq!(dense.len(), 49_985);
    assert_eq!(codes(&document(dense.clone(), count)), [""; 0]);
    assert_eq!(codes(&document(dense, 9_999)), ["too_many_nodes"]);

    // Everything in one cycle, and everything reading something that is not upstream.
    let ring = edges((0..count).map(|from| (from, (from + 1) % count)));
    assert_eq!(codes(&document(ring, count)), ["cycle"]);
    let star = edges((1..count).map(|to| (0, to)));
    let found = codes(&document(star, count));
    assert_eq!((found.len(), found[0].as_str(), found[200].as_str()), (201, "not_upstream", "more_problems"));
}

#[test]
fn more_nodes_than_are_allowed_at_all_are_refused_at_once() {
    let nodes: Vec<Value> = (0..10_001).map(|at| json!({"id": format!("n{at}"), "type": "?"})).collect();
    assert_eq!(codes(&json!({"version": "1", "entry": "n0", "nodes": nodes}).to_string()), ["too_many_nodes"]);
}

#[test]
fn json_that_is_nested_without_end() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [200, 100_000, 500_000] {
            assert_eq!(codes(&format!("{}1{}", open.repeat(depth), close.repeat(depth))), ["json"], "{open} {depth}");
        }
        assert_eq!(codes(&open.repeat(500_000)), ["json"], "{open}");
        // Just within what the reader allows, in every place that takes any value.
        let deep = format!("{}\"{{{{input.x}}}}\"{}", open.repeat(120), close.repeat(120));
        let node = |config: &str, inputs: &str| {
            format!(
                "{{\"version\":\"1\",\"entry\":\"a\",\"nodes\":[{{\"id\":\"a\",\"type\":\"tool\",\"config\":{config},\"inputs\":{inputs}}}]}}"
            )
        };
        assert_eq!(codes(&node("{\"tool\":\"csv\",\"x\":1}", &format!("{{\"x\":{deep}}}"))), [""; 0]);
        assert_eq!(codes(&node(&format!("{{\"tool\":\"csv\",\"x\":{deep}}}"), "{}")), [""; 0]);
        assert!(!codes(&node(&deep, &deep)).is_empty());
    }
}

#[test]
fn values_that_are_too_deep_are_not_rendered() {
    on_small_stack(|| {
        let nested = |levels: usize| (0..levels).fold(json!("{{input}}"), |inner, _| json!([inner]));
        let scope = Scope { input: Arc::new(json!({"a": [1]})), ..Scope::default() };
        let fits = Template::compile(nested(MAX_DEPTH - 2), "").unwrap().render(&scope).unwrap();
        assert!(!deeper_than(&fits, MAX_DEPTH));
        let message = Template::compile(nested(MAX_DEPTH - 1), "").unwrap().render(&scope).unwrap_err().message;
        assert!(message.contains("more than 100 levels deep"), "{message}");
    });
}

/// Each router passes on twice what it got: without a bound the hundredth would hold 2^100 texts.
#[test]
fn values_that_double_at_every_step() {
    let template = Template::compile(json!({"a": "{{node.up.output}}", "b": "{{node.up.output}}"}), "/nodes/1/inputs").unwrap();
    let mut value = json!("x".repeat(1000));
    for _ in 0..100 {
        let mut scope = Scope::default();
        scope.nodes.insert("up".into(), NodeValue { output: Arc::new(value), ..NodeValue::default() });
        match template.render(&scope) {
            Ok(next) => value = next,
            Err(failure) => {
                assert!(failure.message.contains("became larger than 8 MiB"), "{}", failure.message);
                return;
            }
        }
    }
    panic!("nothing stopped the doubling");
}

#[test]
fn templates_that_are_nested_or_chained_without_end() {
    let n = MAX_SOURCE / 16;
    let sources = [
        "{% if input %}".repeat(n / 2),
        format!("{}{}", "{% if input %}".repeat(100), "{% endif %}".repeat(100)),
        format!("{{% if input %}}{}{{% endif %}}", "{% elif input %}".repeat(n / 2)),
        format!("{}{}", "{% for a in input %}".repeat(140), "{% endfor %}".repeat(140)),
        format!("{{{{ {}1{} }}}}", "(".repeat(n), ")".repeat(n)),
        format!("{{{{ {}1{} }}}}", "[".repeat(n), "]".repeat(n)),
        format!("{{{{ {}1 }}}}", "not ".repeat(n)),
        format!("{{{{ {}1 }}}}", "-".repeat(n)),
        format!("{{{{ input{} }}}}", "|upper".repeat(n)),
        format!("{{{{ input{} }}}}", "|upper".repeat(200)),
        format!("{{{{ input{} }}}}", ".a".repeat(n)),
        format!("{{{{ input{} }}}}", "[0]".repeat(n)),
        format!("{{{{ 1{} }}}}", " + 1".repeat(n)),
        format!("{{{{ 1{} }}}}", " - 1".repeat(200)),
        format!("{{{{ input{} }}}}", " and input".repeat(n / 2)),
        format!("{{{{ input{} }}}}", " if input else input".repeat(n / 4)),
        format!("{{{{ [{}] }}}}", "1,".repeat(n)),
        format!("{{{{ {}input{} }}}}", "input[".repeat(100), "]".repeat(100)),
        "{{ input }}".repeat(n),
        "{{ input | d }}".repeat(n),
        "{{".repeat(n),
        "{#".repeat(n),
        "}}{{".repeat(n),
        format!("{{{{ {} }}}}", "9".repeat(n)),
        format!("{{{{ '{}' }}}}", "\\u0000".repeat(n / 2)),
    ];
    for source in sources {
        let name: String = source.chars().take(40).collect();
        let start = Instant::now();
        let document = json!({"version": "1", "entry": "a", "nodes": [{"id": "a", "type": "llm", "config": {"prompt": source}}]})
            .to_string();
        let found = codes(&document);
        assert!(found.iter().all(|code| code == "template" || code == "template_too_long"), "{name}: {found:?}");
        if found.is_empty() {
            on_small_stack(move || {
                let plan = Plan::compile(document.as_bytes()).unwrap();
                let NodeKind::Llm(llm) = &plan.node(0).kind else { panic!("it is an llm node") };
                let scope = Scope { input: Arc::new(json!("x".repeat(2_000))), ..Scope::default() };
                // Whether it works or fails is not the point.
                let _ = llm.call(&scope, &Default::default());
            });
        }
        assert!(start.elapsed() < PATIENCE, "{name}: {:?}", start.elapsed());
    }
}

#[test]
fn templates_that_make_a_lot_out_of_a_little() {
    let many: Vec<Value> = (0..100_000).map(|at| json!(at)).collect();
    let scope = || Scope {
        input: Arc::new(
            json!({"list": many, "long": "ab".repeat(1_000_000), "other": "ab".repeat(1_000_000), "half": "ab".repeat(500_000)}),
        ),
        ..Scope::default()
    };
    let loops = |body: &str| format!("{{% for a in input.list %}}{{% for b in input.list %}}{body}{{% endfor %}}{{% endfor %}}");
    let table = [
        (loops("x"), "instructions"),
        (loops(""), "instructions"),
        (loops("{{ input.long }}"), "larger than 8 MiB"),
        (loops("{{ input.long | upper | length }}"), "its filters go through more than"),
        (loops("{{ input.long | replace('a', input.half) | length }}"), "its filters go through more than"),
        (loops("{% if input.long == input.other %}{% endif %}"), "instructions"),
        ("{{ input.long }}".repeat(10), "larger than 8 MiB"),
        ("{{ input.list | join(input.long) }}".to_owned(), "its filters go through more than"),
        ("{{ input.long | replace('', input.half) }}".to_owned(), "its filters go through more than"),
    ];
    for (source, expected) in table {
        let start = Instant::now();
        let message = Template::compile(json!(source), "/nodes/0/config/prompt").unwrap().render(&scope()).unwrap_err().message;
        assert!(message.contains(expected), "{source}: {message}");
        assert!(message.len() < 1_000 && start.elapsed() < PATIENCE, "{source}: {:?} {message}", start.elapsed());
    }
}

/// Five megabytes of small templates: compiled they would take a thousand times as much.
#[test]
fn templates_without_number() {
    for (text, count) in [("{{a}}", 600_000), ("{{a|d}}", 450_000), ("{{", 600_000)] {
        let items = vec![text; count];
        let node =
            json!({"id": "a", "type": "tool", "config": {"tool": "csv", "x": items}, "inputs": {"a": 1, "b": "{{input.x | d}}"}});
        let found = codes(&json!({"version": "1", "entry": "a", "nodes": [node]}).to_string());
        let expected = if text == "{{" { "template" } else { "too_many" };
        assert!(found.iter().all(|code| code == expected || code == "more_problems"), "{text}: {found:?}");
        assert_eq!(found.len(), if text == "{{" { 201 } else { 1 }, "{text}");
    }
}

#[test]
fn expressions_without_number() {
    let nodes: Vec<Value> = (0..5_000)
        .map(|at| {
            let rule = format!("{}{at} > 0", "1 + ".repeat(120));
            json!({"id": format!("n{at}"), "type": "router", "config": {"rule": rule}})
        })
        .collect();
    let edges = edges((1..5_000).map(|to| (0, to)));
    let document = json!({"version": "1", "entry": "n0", "nodes": nodes, "edges": edges, "limits": {"maxNodes": 5_000}});
    assert_eq!(codes(&document.to_string()), ["too_many"]);
}

#[test]
fn expressions_that_are_nested_or_chained_without_end() {
    let fill = |part: &str, rest: usize| part.repeat((512 - rest) / part.len());
    let pairs =
        [("(", ")"), ("[", "]"), ("{1:", "}"), ("!(", ")"), ("len(", ")"), ("true ? (", ") : 1"), ("a[", "]"), ("has(", ")")];
    let mut sources: Vec<String> = Vec::new();
    for (open, close) in pairs {
        for count in [5, 20, 24, 25, 30, 500 / (open.len() + close.len())] {
            sources.push(format!("{}1{}", open.repeat(count), close.repeat(count)));
        }
        sources.push(fill(open, 0));
    }
    for chained in ["1+", "1*", "1-", "1==", "1<", "true&&", "false||", "true?1:", "-", "!", "- ", "! "] {
        sources.push(format!("{}1", fill(chained, 1)));
    }
    for chained in [".a", "[0]", ".size()", ".map(x,x)", ".filter(x,true)", "['a']"] {
        sources.push(format!("input{}", fill(chained, 5)));
        sources.push(format!("[1]{}", fill(chained, 5)));
    }
    sources.extend([
        "9".repeat(512),
        "'".repeat(512),
        "\"\\u00".to_owned(),
        "`".repeat(100),
        "'\\".repeat(200),
        "é".repeat(256),
        "a".repeat(100_000),
    ]);
    for source in sources {
        let start = Instant::now();
        let shown = source.clone();
        on_small_stack(move || {
            let compiled = with_large_stack(|| Expression::compile(&source, "/x"));
            if let Some(Ok(expression)) = compiled {
                let scope = Scope { input: Arc::new(json!({"a": {"a": 1}})), ..Scope::default() };
                let _ = expression.evaluate(&scope);
            }
        });
        assert!(start.elapsed() < PATIENCE, "{shown}: {:?}", start.elapsed());
    }
}

#[test]
fn expressions_that_make_a_lot_out_of_a_little() {
    let list: Vec<Value> = (0..100_000).map(|at| json!(at)).collect();
    let scope = || Scope {
        input: Arc::new(json!({"list": list, "short": [1, 2, 3], "long": "ab".repeat(2_000_000)})),
        ..Scope::default()
    };
    let sum = format!("len({}input.long) > 1", "input.long+".repeat(40));
    let table = [
        (sum.as_str(), "too large a value"),
        ("input.short.map(x, input.long + 'x' + 'y')", "too large a value"),
        ("input.list.map(x, input.list)", "too much data"),
        ("input.list.exists(x, input.list == [x])", "too much data"),
        (
            "input.list.map(x, [x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x])",
            "too much data",
        ),
        ("input.list.exists(x, input.long.contains(string(x)))", "too much data"),
    ];
    for (source, expected) in table {
        let start = Instant::now();
        let expression = Expression::compile(source, "").unwrap();
        let message = expression.evaluate(&scope()).unwrap_err().message;
        assert!(message.contains(expected), "{source}: {message}");
        assert!(start.elapsed() < PATIENCE, "{source}: {:?}", start.elapsed());
    }
    // What an author may well want still works.
    for (source, expected) in
        [("input.list.exists(x, x == 99999)", json!(true)), ("len(input.list.filter(x, x % 2 == 0))", json!(50_000))]
    {
        assert_eq!(Expression::compile(source, "").unwrap().evaluate(&scope()).unwrap(), expected, "{source}");
    }
    assert_eq!(evaluate("len(input.topic + input.topic)"), Ok(json!(8)));
}

/// A schema may refer to itself; what it asks of an answer must end all the same.
#[test]
fn schemas_that_never_end() {
    let exponential: serde_json::Map<String, Value> = (0..20)
        .map(|at| {
            let next = format!("#/$defs/d{}", at + 1);
            (
                format!("d{at}"),
                if at == 19 { json!({"type": "null"}) } else { json!({"anyOf": [{"$ref": next}, {"$ref": next}]}) },
            )
        })
        .collect();
    let schemas = [
        json!({"$ref": "#"}),
        json!({"allOf": [{"$ref": "#"}]}),
        json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}),
        json!({"$ref": "#/$defs/d0", "$defs": exponential}),
        json!({"type": "string", "pattern": "^(a+)+$"}),
        json!({"type": "string", "pattern": "(a{1000}){1000}"}),
        json!({"type": "array", "items": {"$ref": "#"}}),
    ];
    for schema in schemas {
        let document = json!({"version": "1", "entry": "a", "nodes": [{"id": "a", "type": "llm", "config": {"prompt": "x", "schema": schema}}]});
        let start = Instant::now();
        let name: String = schema.to_string().chars().take(80).collect();
        let found = codes(&document.to_string());
        assert!(found.iter().all(|code| code == "schema"), "{name}: {found:?}");
        if found.is_empty() {
            on_small_stack(move || {
                let plan = Plan::compile(document.to_string().as_bytes()).unwrap();
                let NodeKind::Llm(llm) = &plan.node(0).kind else { panic!("it is an llm node") };
                let deep = format!("{}{}", "[".repeat(90), "]".repeat(90));
                for answer in ["1", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"", deep.as_str()] {
                    let _ = llm.output(answer);
                }
            });
        }
        assert!(start.elapsed() < PATIENCE, "{name}: {:?}", start.elapsed());
    }
}
