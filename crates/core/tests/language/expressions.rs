//! What expressions come to, and what they refuse.

use super::templates::scope;
use flowtrace_core::expression::Expression;
use flowtrace_core::failure::FailureCode;
use flowtrace_core::stack::with_large_stack;
use serde_json::{Value, json};

pub fn evaluate(source: &str) -> Result<Value, String> {
    let expression = with_large_stack(|| Expression::compile(source, "/x")).unwrap().map_err(|problem| problem.message)?;
    let mut scope = scope();
    scope.branch = Some(json!("deep"));
    scope.inputs.insert("items".into(), json!(["a", "b", "b"]));
    expression.evaluate(&scope).map_err(|failure| {
        assert_eq!(failure.code, FailureCode::Expression);
        assert!(failure.message.contains(source), "{}", failure.message);
        failure.message.replace(&format!("cannot evaluate `{source}`: "), "")
    })
}

#[test]
fn what_they_come_to() {
    let table = [
        ("len(text)>2000 ? 'deep' : 'shallow'", json!("shallow")),
        ("branch=='deep'", json!(true)),
        ("branch in ['deep', 'deeper']", json!(true)),
        ("len('größe')", json!(5)),
        ("len(items) + len(node.doc.output) + len([])", json!(11)),
        ("node.doc.output.count * 2 == 4", json!(true)),
        ("node.doc.output.count > 1.5", json!(true)),
        ("node.doc.output.ratio < 1", json!(true)),
        ("node.doc.output.ratio * 2.0", json!(1.0)),
        ("node.doc.output.big > 5u", json!(true)),
        ("node.doc.output.items[0].title + '!'", json!("A!")),
        ("node.doc.output['odd key']['x/y']", json!(1)),
        ("node['doc'].output.count", json!(2)),
        ("node.skipped.output == null", json!(true)),
        ("node.route.branch", json!("deep")),
        ("has(input.topic) && !has(input.nope)", json!(true)),
        ("has(input.nope) ? input.nope : 'none'", json!("none")),
        ("input.topic == 'bees' || input.nope == 1", json!(true)),
        ("input.topic.startsWith('be') && input.topic.contains('ee')", json!(true)),
        ("input.topic.matches('^b[e]+s$')", json!(true)),
        ("items.exists(item, item == 'b')", json!(true)),
        ("items.filter(item, item != 'b')", json!(["a"])),
        ("input.list.map(n, n * 2)", json!([6, 2, 4])),
        ("input.list.all(n, n > 0)", json!(true)),
        ("input.list.exists_one(n, n == node.doc.output.count)", json!(true)),
        ("input.list.filter(n, n > 1).map(n, n + 1)", json!([4, 3])),
        ("{'b': 1, 'a': [true, null]}", json!({"a": [true, null], "b": 1})),
        ("int('42') + 1", json!(43)),
        ("string(node.doc.output.count)", json!("2")),
        ("type(text) == string", json!(true)),
        ("text", json!("my text")),
        ("18446744073709551615u", json!(18_446_744_073_709_551_615_u64)),
        ("7 / 2", json!(3)),
        ("-node.doc.output.count", json!(-2)),
        ("timestamp('2024-01-02T00:00:00Z').getFullYear()", json!(2024)),
    ];
    for (source, expected) in table {
        assert_eq!(evaluate(source), Ok(expected), "{source}");
    }
}

#[test]
fn what_goes_wrong_is_said() {
    let table = [
        ("node.doc.output.nope == 1", "`node.doc.output` has no field `nope`; it has: `content`, `items`"),
        ("node.doc.output.count.x", "`node.doc.output.count` is a number, so it has no field `x`"),
        ("node.skipped.output.x == 1", "`node.skipped.output` is null, so it has no field `x` (a skipped node reads as null)"),
        ("node.other.output == 1", "node `other` has no value here"),
        ("nope == 1", "there is no `nope` here"),
        ("input.list[3] == 1", "Index out of bounds"),
        ("input.list[-1] == 1", "Index out of bounds"),
        ("1 / (node.doc.output.count - 2)", "Division by zero"),
        ("text > 3", "no matching overload"),
        ("text + 3", "Unsupported binary operator"),
        ("9223372036854775807 + 1", "Overflow"),
        ("len(3)", "no matching overload"),
        ("text ? 1 : 2", "got 'string', want 'bool'"),
        ("1.0 / 0.0", "not a finite number"),
        ("timestamp('2024-01-02T00:00:00Z')", "which is not JSON"),
        ("type(text)", "which is not JSON"),
        ("int('x')", "rror"),
    ];
    for (source, expected) in table {
        let message = evaluate(source).expect_err(source);
        assert!(message.contains(expected), "{source}: {message}");
        assert!(message.chars().count() < 400, "{source}: {message}");
    }
}

/// Corners of arithmetic and of the standard functions: an answer or a reason, never a panic.
#[test]
fn corners_of_the_functions() {
    let sources = [
        "(-9223372036854775807 - 1) % -1",
        "(-9223372036854775807 - 1) / -1",
        "-(-9223372036854775807 - 1)",
        "(-9223372036854775807 - 1) * -1",
        "5 % 0",
        "5u % 0u",
        "5u - 6u",
        "uint(-1)",
        "uint(1e300)",
        "int(1e300)",
        "int(18446744073709551615u)",
        "double('nan') == double('nan')",
        "double('1e999')",
        "duration('9223372036854775807h')",
        "duration('-1h') + duration('9999999h')",
        "duration('1e5s')",
        "duration('h')",
        "timestamp('9999-12-31T23:59:59Z') + duration('48h')",
        "timestamp('0001-01-01T00:00:00Z') - duration('48h')",
        "timestamp('2024-13-01T00:00:00Z')",
        "timestamp(9223372036854775807)",
        "timestamp('2024-01-01T00:00:00Z').getHours('Nowhere/City')",
        "timestamp('2024-01-01T00:00:00Z').getHours('+99:99')",
        "string(timestamp('2024-01-01T00:00:00Z') - timestamp('0001-01-01T00:00:00Z'))",
        "'é'.size() + size(b'\\xff')",
        "string(b'\\xff')",
        "'abc'.matches('[')",
        "'abc'.matches('(a{1000}){1000}')",
        "{1: 1, 1u: 2}",
        "{1.5: 1}",
        "{'a': 1}['b']",
        "[1, 2][1.5]",
        "[1, 2][9223372036854775807]",
        "[1][-9223372036854775807]",
        "1 in 'a'",
        "'a' in {'a': 1}",
        "type(type(1)) == type",
        "has({'a': 1}.a)",
        "dyn(1)",
        "bool('maybe')",
        "'\\ud800' == ''",
        "'\\U00110000'",
    ];
    for source in sources {
        let result = evaluate(source);
        assert!(
            result.as_ref().is_ok_and(|value| !value.is_null()) || result.as_ref().is_err_and(|why| !why.is_empty()),
            "{source}: {result:?}"
        );
        assert!(!format!("{result:?}").contains("fault of FlowTrace"), "{source}: {result:?}");
    }
}

#[test]
fn a_condition_is_true_or_false() {
    let scope = scope();
    let test = |source: &str| Expression::compile(source, "").unwrap().test(&scope);
    assert_eq!(test("node.route.branch == 'deep'"), Ok(true));
    let failure = test("node.route.branch").unwrap_err();
    assert_eq!(failure.message, "cannot evaluate `node.route.branch`: it has to be true or false, but gave a string");
}

#[test]
fn what_is_refused() {
    let table = [
        ("", "is empty"),
        ("   ", "is empty"),
        ("a = 1", "cannot be read"),
        ("a..b", "cannot be read"),
        ("Foo{a: 1}", "objects are written"),
        ("a.?b", "cannot be read"),
        ("[1].map(x, [2].map(y, x))", "cannot be nested"),
        ("[1].exists(x, 'a'.matches('b'))", "inside a loop"),
        ("text.matches(input.pattern)", "plain text in quotes"),
        ("now() > 1", "no function `now`"),
        ("node[text].output", "name the node"),
        ("node", "name the node"),
        ("'unclosed", "cannot be read"),
        ("\u{0}", "cannot be read"),
    ];
    for (source, expected) in table {
        let message = evaluate(source).expect_err(source);
        assert!(message.contains(expected), "{source}: {message}");
    }
}

/// An input may be called like a type or a function of the language.
#[test]
fn inputs_hide_names_of_the_language() {
    let mut scope = scope();
    scope.inputs.insert("map".into(), json!({"size": 3}));
    scope.inputs.insert("list".into(), json!([1, 2]));
    scope.inputs.insert("len".into(), json!("x"));
    for (source, expected) in [("map.size", json!(3)), ("len(list)", json!(2)), ("len(len)", json!(1)), ("list[1]", json!(2))] {
        assert_eq!(Expression::compile(source, "").unwrap().evaluate(&scope).unwrap(), expected, "{source}");
    }
}

#[test]
fn it_says_what_it_reads() {
    let expression =
        Expression::compile("has(input.a.b) && node.x.output.y[0] > len(text) && items.all(i, i == node.y.branch)", "/p")
            .unwrap();
    let paths: Vec<String> = expression.references().map(|reference| reference.path.to_string()).collect();
    assert_eq!(paths, ["input.a", "node.x.output.y", "text", "items", "node.y.branch"]);
}
