//! What templates come to, and what they refuse.

use flowtrace_core::failure::FailureCode;
use flowtrace_core::scope::{NodeValue, Scope};
use flowtrace_core::template::{MAX_SOURCE, Template};
use serde_json::{Value, json};
use std::sync::Arc;

pub fn scope() -> Scope {
    let mut scope = Scope { input: Arc::new(json!({"topic": "bees", "list": [3, 1, 2]})), ..Scope::default() };
    let doc = json!({
        "content": "Hello <world> & \"you\"",
        "items": [{"title": "A"}, {"title": "B"}],
        "count": 2,
        "ratio": 0.5,
        "big": 18_446_744_073_709_551_615_u64,
        "yes": true,
        "nothing": null,
        "odd key": {"x/y": 1}
    });
    scope.nodes.insert("doc".into(), NodeValue { output: Arc::new(doc), ..NodeValue::default() });
    scope.nodes.insert("skipped".into(), NodeValue::default());
    scope.nodes.insert("route".into(), NodeValue { output: Arc::new(json!({})), branch: Some(json!("deep")), error: None });
    scope.inputs.insert("text".into(), json!("my text"));
    scope
}

pub fn render(source: Value) -> Result<Value, String> {
    let template = Template::compile(source, "/nodes/0/config").map_err(|problems| problems[0].message.clone())?;
    template.render(&scope()).map_err(|failure| {
        assert_eq!(failure.code, FailureCode::Template);
        failure.message
    })
}

#[test]
fn what_they_come_to() {
    let table = [
        // One binding keeps the type.
        ("{{node.doc.output.content}}", json!("Hello <world> & \"you\"")),
        ("{{ node.doc.output.items }}", json!([{"title": "A"}, {"title": "B"}])),
        ("{{node.doc.output.items[1].title}}", json!("B")),
        ("{{node.doc.output['odd key']['x/y']}}", json!(1)),
        ("{{node.doc.output.count}}", json!(2)),
        ("{{node.doc.output.ratio}}", json!(0.5)),
        ("{{node.doc.output.big}}", json!(18_446_744_073_709_551_615_u64)),
        ("{{node.doc.output.yes}}", json!(true)),
        ("{{node.doc.output.nothing}}", json!(null)),
        ("{{node.skipped.output}}", json!(null)),
        ("{{node.skipped.branch}}", json!(null)),
        ("{{node.route.branch}}", json!("deep")),
        ("{{input}}", json!({"topic": "bees", "list": [3, 1, 2]})),
        ("{{text}}", json!("my text")),
        // Mixed text is text: strings as they are, everything else as JSON.
        ("On {{input.topic}}: {{node.doc.output.content}}!", json!("On bees: Hello <world> & \"you\"!")),
        ("{{input.list}}, {{node.doc.output.items[0]}}", json!("[3,1,2], {\"title\":\"A\"}")),
        ("{{node.doc.output.yes}} {{node.doc.output.nothing}} {{node.doc.output.ratio}}", json!("true null 0.5")),
        ("{{input.topic}}{{input.topic}}", json!("beesbees")),
        (" {{node.doc.output.count}}\n", json!(" 2\n")),
        // Without bindings nothing is touched.
        ("a { b } c", json!("a { b } c")),
        ("{\"a\": {\"b\": 1}}", json!("{\"a\": {\"b\": 1}}")),
        ("{ {{text}} }", json!("{ my text }")),
        // The template engine.
        ("{{ input.topic | upper }}", json!("BEES")),
        ("{{ input.list | sort | join(', ') }}", json!("1, 2, 3")),
        ("{% for item in node.doc.output.items %}{{ loop.index }}. {{ item.title }}\n{% endfor %}", json!("1. A\n2. B\n")),
        ("{% if node.skipped.output is none %}no{% else %}yes{% endif %}", json!("no")),
        ("{% if input.topic == 'bees' and input.list %}b{% endif %}", json!("b")),
        ("{{ input.missing | default('none given') }}", json!("none given")),
        ("{% if input.missing is defined %}{{ input.missing }}{% else %}-{% endif %}", json!("-")),
        ("{% if not input.topic %}{{ input.missing }}{% endif %}fine", json!("fine")),
        ("{{ node.doc.output.items | json }}", json!("[{\"title\":\"A\"},{\"title\":\"B\"}]")),
        ("{{ node.doc.output.content | json }}", json!("\"Hello <world> & \\\"you\\\"\"")),
        ("{{ node.doc.output.items }} is a list{# a comment #}", json!("[{\"title\":\"A\"},{\"title\":\"B\"}] is a list")),
        ("{{ node.doc.output.content[:5] }}|", json!("Hello|")),
        ("{{ node.doc.output.content | truncate(8) }}", json!("Hello...")),
        ("{{ 'ß' | upper }}{{ input.list | length }}", json!("SS3")),
        ("{{ input.list[0] + 1 }}", json!("4")),
        ("{{ input.list[-1] }}", json!("2")),
        ("{% raw %}{{ not this }}{% endraw %}", json!("{{ not this }}")),
        ("{{ '}}' }}", json!("}}")),
        ("{{ node['doc'].output.count | string }}", json!("2")),
        ("{% for key, value in node.doc.output['odd key'] | items %}{{ key }}={{ value }}{% endfor %}", json!("x/y=1")),
        ("ends with a line\n{{ text | lower }}\n", json!("ends with a line\nmy text\n")),
    ];
    for (source, expected) in table {
        assert_eq!(render(json!(source)), Ok(expected), "{source}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let table = [
        (
            "{{node.doc.output.contnt}}",
            "cannot fill in `config`: `node.doc.output` has no field `contnt`; it has: `content`, `items`, `count`, `ratio`, `big`, `yes`, `nothing`, `odd key`",
        ),
        (
            "see {{node.skipped.output.text}}",
            "cannot fill in `config`: `node.skipped.output` is null, so it has no field `text` (a skipped node reads as null)",
        ),
        (
            "{{ node.doc.output.items[7].title | upper }}",
            "cannot fill in `config`: `node.doc.output.items` has 2 items, so there is no item 7 (the first is 0)",
        ),
        ("{{ input.missing | upper }}", "cannot fill in `config`: `input` has no field `missing`; it has: `topic`, `list`"),
        (
            "{% if input.topic %}{{ input.missing }}{% endif %}",
            "cannot fill in `config`: `input` has no field `missing`; it has: `topic`, `list`",
        ),
        (
            "{% if input.topic %}{% if input.missing == 1 %}{% endif %}{% endif %}",
            "cannot fill in `config`: `input` has no field `missing`; it has: `topic`, `list`",
        ),
        (
            "{% for x in input.topic.parts %}{% endfor %}",
            "cannot fill in `config`: `input.topic` is a string, so it has no field `parts`",
        ),
        (
            "{% for x in node.doc.output.items %}{{ x.nope }}{% endfor %}",
            "cannot fill in `config`: a value that it uses does not exist",
        ),
    ];
    for (source, expected) in table {
        assert_eq!(render(json!(source)), Err(expected.to_owned()), "{source}");
    }
    let place = Template::compile(json!({"a/b": ["x", "{{nope}}"]}), "/nodes/3/inputs").unwrap();
    let message = place.render(&scope()).unwrap_err().message;
    assert!(message.starts_with("cannot fill in `inputs.a/b.1`: "), "{message}");
}

#[test]
fn whole_values_keep_their_shape_and_order() {
    let source = json!({"z": "{{input.list}}", "a": {"deep": ["{{text}}", 1, null]}, "m": true, "{{key}}": 1});
    let expected = json!({"z": [3, 1, 2], "a": {"deep": ["my text", 1, null]}, "m": true, "{{key}}": 1});
    let rendered = render(source.clone()).unwrap();
    assert_eq!(rendered, expected);
    let keys: Vec<_> = rendered.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["z", "a", "m", "{{key}}"]);
    assert_eq!(Template::compile(source.clone(), "").unwrap().source(), &source);
}

#[test]
fn what_is_refused() {
    let table = [
        ("{{ a ** 2 }}", "`*` is not available"),
        ("{{ [text, text] }}", "only constants"),
        ("{{ text + text }}", "`+` needs a number"),
        ("{{ text.upper() }}", "functions cannot be called"),
        ("{{ text[::2] }}", "without a step"),
        ("{{ text | indent(1000000) }}", "no filter `indent`"),
        ("{{ '%1000000000d' | format(1) }}", "no filter `format`"),
        ("{{ text is callable }}", "no test `callable`"),
        ("{% include 'x' %}", "`{% include %}` is not available"),
        ("{% macro x() %}{% endmacro %}", "cannot be read"),
        ("{% for x in input recursive %}{% endfor %}", "loops cannot be recursive"),
        ("{% for x.y in input %}{% endfor %}", "cannot be read"),
        ("{{ node | json }}", "name the node"),
        ("{{", "cannot be read"),
        ("{{}}", "cannot be read"),
        ("{%", "cannot be read"),
        ("{#", "cannot be read"),
    ];
    for (source, expected) in table {
        let message = render(json!(source)).expect_err(source);
        assert!(message.contains(expected), "{source}: {message}");
    }
    let long = format!("{{{{text}}}}{}", "x".repeat(MAX_SOURCE));
    assert!(render(json!(long)).unwrap_err().contains("may have 65536 bytes"));
}

/// Rendered text is data: what a model or a tool says is never rendered again.
#[test]
fn what_comes_out_is_never_rendered_again() {
    let hostile = "{{input.secret}} {% for x in input %}{{ x }}{% endfor %} {{ 7 | upper }} {# gone? #}";
    let mut scope = scope();
    scope.input = Arc::new(json!({"secret": "s3cret"}));
    scope.nodes.insert("model".into(), NodeValue { output: Arc::new(json!(hostile)), ..NodeValue::default() });
    for source in
        ["{{node.model.output}}", "{{node.model.output | default('')}}", "{% if true %}{{node.model.output}}{% endif %}"]
    {
        let first = Template::compile(json!({"text": source}), "").unwrap().render(&scope).unwrap();
        assert_eq!(first["text"], json!(hostile), "{source}");
        // The next node sees it as its input and puts it into its prompt.
        scope.inputs = first.as_object().unwrap().clone();
        let prompt = Template::compile(json!("Say: {{text}}"), "").unwrap().render(&scope).unwrap();
        assert_eq!(prompt, json!(format!("Say: {hostile}")), "{source}");
    }
}
