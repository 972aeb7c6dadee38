//! A small server, written without the client's library, as a program and over HTTP, which does everything wrong on request.

mod http;
mod server;
mod stdio;

use super::*;
use crate::guard::GuardPolicy;
use crate::secrets::tests::Fixed;
use std::collections::HashMap;

fn settings(transport: McpTransport) -> McpSettings {
    McpSettings {
        name: "probe".to_owned(),
        transport,
        start_timeout: Duration::from_secs(20),
        timeout: Duration::from_secs(20),
        max_output_bytes: 1_000_000,
        effect: None,
    }
}

fn surroundings(allow_private: bool) -> Surroundings {
    Surroundings {
        guard: Guard::new(GuardPolicy { allow_private, ..GuardPolicy::default() }),
        secrets: Arc::new(Fixed(HashMap::from([("key", "s3cr3t-value")]))),
        launcher: None,
    }
}

async fn call(server: &McpServer, tool: &str, inputs: Value) -> Result<Value, Failure> {
    call_within(server, tool, inputs, 20_000).await
}

async fn call_within(server: &McpServer, tool: &str, inputs: Value, timeout_ms: u64) -> Result<Value, Failure> {
    let name = format!("mcp.probe.{tool}");
    let tool = server.find(&name).expect("the name has the prefix of the server");
    let context = CallContext {
        idempotency_key: "run/step/1".into(),
        traceparent: "00-11111111111111111111111111111111-2222222222222222-01".into(),
        attempt: 1,
        timeout_ms,
        max_output_tokens: None,
    };
    let call = ToolCall { tool: name, config: json!({}), inputs, secrets: Vec::new() };
    tool.call(&call, &context).await
}

/// Asks until it is so; the library handles notifications in tasks of its own.
async fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..500 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not within 10 s: {what}");
}
