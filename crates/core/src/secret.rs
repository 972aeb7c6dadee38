//! References to secrets: `{"$secret": "name"}` in a node's `config`, optionally with text before it:
//! `{"$secret": "api_key", "prefix": "Bearer "}`.
//!
//! The value never enters the core or the journal: the adapter puts it in at the last moment. Only a reference that the
//! author wrote into the document counts. A binding can bring any JSON into a rendered config, also an object that looks like
//! a reference, and whoever controls that data (a web page, a model) must not be able to pick a secret of this server.
//! So the references are found in the document and go along with the call as [`ToolCall::secrets`](crate::call::ToolCall).

use serde_json::Value;

/// The key that marks a reference.
pub const KEY: &str = "$secret";

/// JSON Pointers (RFC 6901) to the references in a config as its author wrote it, in document order. A name that contains
/// a binding is no reference: data would choose the secret.
pub fn references(source: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(source, &mut String::new(), &mut found);
    found
}

/// The name and prefix, where `value` has the form of a reference.
pub fn parse(value: &Value) -> Option<(&str, &str)> {
    let map = value.as_object()?;
    let name = map.get(KEY)?.as_str()?;
    let prefix = match map.get("prefix") {
        Some(prefix) => prefix.as_str()?,
        None => "",
    };
    (map.len() == 1 + usize::from(map.contains_key("prefix"))).then_some((name, prefix))
}

fn walk(value: &Value, pointer: &mut String, found: &mut Vec<String>) {
    let length = pointer.len();
    match value {
        Value::Object(map) => {
            if let Some((name, _)) = parse(value) {
                if !name.contains("{{") {
                    found.push(pointer.clone());
                }
                return;
            }
            for (key, inner) in map {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                walk(inner, pointer, found);
                pointer.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                pointer.push_str(&format!("/{index}"));
                walk(inner, pointer, found);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_are_found_where_the_author_wrote_them() {
        let source = json!({
            "url": "https://api.example.com",
            "headers": {"Authorization": {"$secret": "token", "prefix": "Bearer "}, "a/b~c": {"$secret": "odd"}},
            "body": [{"$secret": "first"}, {"deep": {"$secret": "second"}}],
            "not": [{"$secret": "{{input.which}}"}, {"$secret": 1}, {"$secret": "x", "other": 1}, "{{node.a.output}}", {"$secret": "x", "prefix": 1}],
        });
        assert_eq!(references(&source), ["/headers/Authorization", "/headers/a~1b~0c", "/body/0", "/body/1/deep"]);
        for pointer in references(&source) {
            assert!(source.pointer(&pointer).and_then(parse).is_some(), "{pointer}");
        }
        assert!(references(&json!("text")).is_empty());
    }
}
