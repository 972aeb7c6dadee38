//! Whatever comes in, the check and the renderer answer; and what a model says stays text. `PROPTEST_CASES=20000` looks longer.

use super::problems::catalog;
use super::reference::REFERENCE;
use flowtrace_core::check::check;
use flowtrace_core::expression::Expression;
use flowtrace_core::plan::Plan;
use flowtrace_core::scope::{NodeValue, Scope};
use flowtrace_core::stack::with_large_stack;
use flowtrace_core::template::Template;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;

/// Pieces that make up templates and expressions, so that random strings get past the first character.
fn syntax() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{{".to_owned()),
        Just("}}".to_owned()),
        Just("{%".to_owned()),
        Just("%}".to_owned()),
        Just("{#".to_owned()),
        Just("node.a.output".to_owned()),
        Just("input".to_owned()),
        Just(".x".to_owned()),
        Just("[0]".to_owned()),
        Just("['k']".to_owned()),
        Just("|upper".to_owned()),
        Just("|d('')".to_owned()),
        Just("if ".to_owned()),
        Just("endif".to_owned()),
        Just("for x in ".to_owned()),
        Just("endfor".to_owned()),
        Just("==".to_owned()),
        Just("+".to_owned()),
        Just("?".to_owned()),
        Just(":".to_owned()),
        Just("(".to_owned()),
        Just(")".to_owned()),
        Just("len(".to_owned()),
        Just("'".to_owned()),
        Just("\"".to_owned()),
        Just("-9".to_owned()),
        Just("1e999".to_owned()),
        Just(".map(x, ".to_owned()),
        Just("\\".to_owned()),
        Just("é".to_owned()),
        Just(" ".to_owned()),
        ".{0,4}",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        syntax().prop_map(Value::from),
        prop::sample::select(vec!["a", "b", "llm", "tool", "router", "1", "http", "true"]).prop_map(Value::from),
    ];
    let name = prop_oneof![
        prop::sample::select(vec![
            "id",
            "type",
            "config",
            "inputs",
            "rule",
            "prompt",
            "schema",
            "retry",
            "from",
            "to",
            "when",
            "nodes",
            "edges",
            "entry",
            "version",
            "limits",
            "execution",
            "tool",
            "url",
            "$ref",
            "pattern",
            "ui",
        ])
        .prop_map(str::to_owned),
        ".{0,5}",
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The reference document with one value replaced.
fn mutated() -> impl Strategy<Value = Value> {
    let base: Value = serde_json::from_str(REFERENCE).expect("the fixture is JSON");
    let mut pointers = Vec::new();
    collect(&base, String::new(), &mut pointers);
    (prop::sample::select(pointers), any_json()).prop_map(move |(pointer, value)| {
        let mut document = base.clone();
        if let Some(place) = document.pointer_mut(&pointer) {
            *place = value;
        }
        document
    })
}

fn collect(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| collect(inner, format!("{pointer}/{key}"), pointers)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, inner)| collect(inner, format!("{pointer}/{at}"), pointers))
        }
        _ => {}
    }
    pointers.push(pointer);
}

/// What every answer of the check has to be.
fn well_formed(json: &[u8]) -> Result<(), TestCaseError> {
    let document: Option<Value> = serde_json::from_slice(json).ok();
    let Err(problems) = check(json, &catalog()) else {
        prop_assert!(Plan::compile(json).is_ok(), "accepted with a catalog and refused without");
        return Ok(());
    };
    prop_assert!(!problems.is_empty() && problems.len() <= 201);
    for problem in problems {
        prop_assert!(problem.code != "internal", "{problem:?}");
        prop_assert!(!problem.message.is_empty() && problem.message.len() < 2_000, "{problem:?}");
        let found = document.as_ref().and_then(|document| document.pointer(&problem.pointer));
        prop_assert!(document.is_none() || found.is_some(), "nothing stands at {}: {problem:?}", problem.pointer);
    }
    Ok(())
}

proptest! {
    #[test]
    fn the_check_answers_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        well_formed(&bytes)?;
    }

    #[test]
    fn the_check_answers_any_json(document in any_json()) {
        well_formed(document.to_string().as_bytes())?;
    }

    #[test]
    fn the_check_answers_any_change_of_the_reference(document in mutated()) {
        well_formed(document.to_string().as_bytes())?;
    }

    #[test]
    fn any_template_is_compiled_and_rendered_or_refused(source in syntax(), value in any_json()) {
        let Some(Ok(template)) = with_large_stack(|| Template::compile(json!({"x": source}), "/nodes/0/inputs")) else { return Ok(()) };
        let mut scope = Scope { input: Arc::new(value.clone()), ..Scope::default() };
        scope.nodes.insert("a".into(), NodeValue { output: Arc::new(value), ..NodeValue::default() });
        if let Err(failure) = template.render(&scope) {
            prop_assert!(failure.message.len() < 2_000, "{}", failure.message);
        }
    }

    #[test]
    fn any_expression_is_compiled_and_evaluated_or_refused(source in syntax(), value in any_json()) {
        let compiled = with_large_stack(|| Expression::compile(&source, "/x"));
        prop_assert!(compiled.is_some(), "the parser panicked on {source:?}");
        let Some(Ok(expression)) = compiled else { return Ok(()) };
        let mut scope = Scope { input: Arc::new(value.clone()), ..Scope::default() };
        scope.nodes.insert("a".into(), NodeValue { output: Arc::new(value), ..NodeValue::default() });
        if let Err(failure) = expression.evaluate(&scope) {
            prop_assert!(failure.message.len() < 2_000, "{}", failure.message);
        }
    }

    /// Text of a model that looks like a template goes through every kind of binding unchanged.
    #[test]
    fn what_a_model_says_stays_text(said in syntax()) {
        let mut scope = Scope::default();
        scope.nodes.insert("a".into(), NodeValue { output: Arc::new(json!(said)), ..NodeValue::default() });
        let source = json!(["{{node.a.output}}", "<{{node.a.output}}>", "{{ node.a.output | d('') }}", "{% if true %}{{ node.a.output }}{% endif %}"]);
        let rendered = Template::compile(source, "").map_err(|problems| TestCaseError::fail(format!("{problems:?}")))?.render(&scope);
        prop_assert_eq!(rendered, Ok(json!([said, format!("<{said}>"), said, said])));
    }
}
