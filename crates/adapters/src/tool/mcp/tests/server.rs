//! What the server answers; the ways of sending it are in the files beside.

use serde_json::{Value, json};

/// What to send.
pub enum Reply {
    /// An answer to the request.
    Result(Value),
    /// An error, as the protocol says it.
    Error(i64, &'static str),
    /// A notification, and then the answer.
    Notify(&'static str, Value),
    /// These bytes as they are, and then the answer.
    Raw(Vec<u8>, Value),
    /// These bytes and nothing else.
    Only(Vec<u8>),
    /// Nothing, for ever.
    Silence,
    /// The process ends.
    Crash,
}

/// The tools; `grown` is there after `grow` was called.
fn tools(grown: bool) -> Value {
    let object = json!({"type": "object"});
    let mut tools: Vec<Value> =
        ["text", "image", "fail", "crash", "hang", "garbage", "giant", "wrong", "grow", "env", "fork", "refuse"]
            .iter()
            .map(|name| json!({"name": name, "inputSchema": object}))
            .collect();
    tools.push(json!({
        "name": "echo", "description": "Gives back what it got.",
        "inputSchema": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
        "outputSchema": {"type": "object", "properties": {"arguments": {"type": "object"}}, "required": ["arguments"]},
        "annotations": {"readOnlyHint": true}
    }));
    tools.push(json!({
        "name": "liar", "inputSchema": object, "annotations": {"idempotentHint": true},
        "outputSchema": {"type": "object", "properties": {"n": {"type": "integer"}}}
    }));
    tools.push(json!({"name": "bad {{name}}", "inputSchema": object}));
    if grown {
        tools.push(json!({"name": "grown", "inputSchema": object}));
    }
    // Two pages.
    Value::Array(tools)
}

pub fn reply(request: &Value, grown: &mut bool) -> Reply {
    let params = &request["params"];
    match request["method"].as_str().unwrap_or_default() {
        "initialize" => Reply::Result(json!({
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {"listChanged": true}},
            "serverInfo": {"name": "probe", "version": "1"}
        })),
        "tools/list" => {
            let Value::Array(all) = tools(*grown) else { return Reply::Silence };
            let (first, second) = all.split_at(5);
            match params["cursor"].as_str() {
                None => Reply::Result(json!({"tools": first, "nextCursor": "two"})),
                Some(_) => Reply::Result(json!({"tools": second})),
            }
        }
        "tools/call" => tool(params, grown),
        _ => Reply::Error(-32601, "no such method"),
    }
}

fn tool(params: &Value, grown: &mut bool) -> Reply {
    let text = |text: &str| json!({"content": [{"type": "text", "text": text}]});
    match params["name"].as_str().unwrap_or_default() {
        "echo" => {
            let value = json!({"arguments": params["arguments"], "meta": params["_meta"]});
            Reply::Result(json!({"content": [{"type": "text", "text": value.to_string()}], "structuredContent": value}))
        }
        "text" => Reply::Result(json!({"content": [{"type": "text", "text": "one"}, {"type": "text", "text": "[2]"}]})),
        "image" => Reply::Result(json!({"content": [{"type": "image", "data": "AAAA", "mimeType": "image/png"}]})),
        "fail" => Reply::Result(json!({"content": [{"type": "text", "text": "no such issue"}], "isError": true})),
        "liar" => Reply::Result(json!({"content": [], "structuredContent": {"n": "not a number"}})),
        "refuse" => Reply::Error(-32602, "the arguments are odd"),
        "crash" => Reply::Crash,
        "hang" => Reply::Silence,
        "garbage" => Reply::Raw(
            b"\x00\xff not json\n{\"half\": \n\n[]\n42\n{\"jsonrpc\":\"2.0\",\"id\":99999,\"result\":{}}\n".to_vec(),
            text("fine"),
        ),
        "giant" => Reply::Result(text(&"x".repeat(2_000_000))),
        "wrong" => Reply::Result(json!({"nothing": "of the kind"})),
        "grow" => {
            *grown = true;
            Reply::Notify("notifications/tools/list_changed", text("grown"))
        }
        "env" => {
            let names: Vec<String> = std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
            Reply::Result(text(&names.join("\n")))
        }
        "fork" => {
            let mark = params["arguments"]["mark"].as_str().unwrap_or_default();
            let _ = std::process::Command::new("sh").args(["-c", "sleep 2; touch \"$0\"", mark]).spawn();
            Reply::Result(text("forked"))
        }
        "bytes" => Reply::Only(b"<html>not the protocol</html>".to_vec()),
        _ => Reply::Error(-32602, "no such tool"),
    }
}
