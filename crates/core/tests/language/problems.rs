//! The table of bad documents in `fixtures/problems.txt`.

use flowtrace_core::check::{Catalog, check};
use flowtrace_core::problem::Problem;
use flowtrace_core::tool::{Effect, ToolDescription};
use serde_json::json;
use std::fmt::Write;
use std::path::Path;

pub fn catalog() -> Catalog {
    let http = json!({
        "type": "object",
        "properties": {
            "url": {"type": "string"},
            "method": {"type": "string", "enum": ["GET", "POST"]},
            "headers": {"type": "object"},
            "timeout": {"type": "integer", "minimum": 1}
        },
        "required": ["url"],
        "additionalProperties": false
    });
    let tool = |name: &str, config_schema, remote| ToolDescription {
        name: name.into(),
        description: String::new(),
        config_schema,
        input_schema: json!({"type": "object"}),
        output_schema: json!({}),
        effect: Effect::Idempotent,
        idempotent: true,
        remote,
        timeout_ms: None,
    };
    Catalog {
        tools: vec![tool("http", http, true), tool("csv", json!({"type": "object"}), false)],
        providers: Some(vec!["openai".to_owned(), "anthropic".to_owned()]),
        ..Catalog::default()
    }
}

struct Case {
    name: String,
    document: String,
    report: String,
}

fn read(text: &str) -> (String, Vec<Case>) {
    let mut blocks = text.split("\n=== ");
    let head = blocks.next().unwrap_or_default().to_owned();
    let cases = blocks
        .map(|block| {
            let (name, rest) = block.split_once('\n').expect("a case has a name and a document");
            let (document, report) = rest.split_once("\n---\n").expect("a case has `---` after the document");
            Case { name: name.to_owned(), document: document.to_owned(), report: report.trim_end().to_owned() }
        })
        .collect();
    (head, cases)
}

fn report(problems: &[Problem]) -> String {
    let mut text = String::new();
    for problem in problems {
        let pointer = if problem.pointer.is_empty() { "." } else { &problem.pointer };
        let _ = writeln!(text, "{} {pointer}\n  {}", problem.code, problem.message);
        if let Some(suggestion) = &problem.suggestion {
            let _ = writeln!(text, "  ? {suggestion}");
        }
    }
    text.trim_end().to_owned()
}

#[test]
fn every_mistake_is_reported_as_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/problems.txt");
    let (head, cases) = read(&std::fs::read_to_string(&path).unwrap());
    assert!(cases.len() >= 60, "the table has only {} cases", cases.len());
    let update = std::env::var_os("FLOWTRACE_UPDATE").is_some();
    let (mut text, mut wrong) = (head, Vec::new());
    for case in &cases {
        let problems = check(case.document.as_bytes(), &catalog()).err().unwrap_or_default();
        let report = report(&problems);
        if report != case.report || report.is_empty() {
            wrong.push(format!("=== {}\n{}\n--- expected\n{}\n--- reported\n{report}", case.name, case.document, case.report));
        }
        let _ = write!(text, "\n=== {}\n{}\n---\n{report}\n", case.name, case.document);
    }
    if update {
        std::fs::write(&path, text).unwrap();
    } else {
        assert!(wrong.is_empty(), "{} cases differ (FLOWTRACE_UPDATE=1 accepts them):\n\n{}", wrong.len(), wrong.join("\n\n"));
    }
}

#[test]
fn a_flood_of_problems_is_capped_and_counted() {
    let nodes: Vec<_> = (0..500).map(|at| json!({"id": format!("n-{at}"), "type": "nothing"})).collect();
    let document = json!({"version": "1", "entry": "n-0", "nodes": nodes}).to_string();
    let problems = check(document.as_bytes(), &catalog()).unwrap_err();
    assert_eq!(problems.len(), 201);
    let last = problems.last().unwrap();
    assert_eq!((last.code.as_str(), last.pointer.as_str()), ("more_problems", ""));
    assert!(last.message.contains("more problems"), "{}", last.message);
}
