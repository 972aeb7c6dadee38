//! Tools of the operator's configuration file, through the whole binary: MCP servers, programs, and what may be used.
#![cfg(unix)]

use crate::support::binary::finish;
use crate::support::{Api, Server, documents, flowtrace};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// An MCP server of a few lines: its tool `who` says the number of its process.
const MCP_SERVER: &str = r#"
while IFS= read -r line; do
  id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
  case "$line" in
    *'"method":"initialize"'*)
      echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"sh\",\"version\":\"1\"}}}";;
    *'"method":"tools/list"'*)
      echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{\"tools\":[{\"name\":\"who\",\"description\":\"Says who it is.\",\"inputSchema\":{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}}]}}";;
    *'"method":"tools/call"'*)
      echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"process $$\"}]}}";;
  esac
done
"#;

#[track_caller]
fn server(configuration: &str) -> Server {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    std::fs::write(directory.path().join("mcp.sh"), MCP_SERVER).unwrap();
    let file = directory.path().join("flowtrace.toml");
    std::fs::write(&file, configuration.replace("DIR", directory.path().to_str().unwrap())).unwrap();
    let file = file.to_str().unwrap().to_owned();
    Server::on(directory, &["--simulate", "--no-demo", "--config", &file], |_| {})
}

fn one(tool: &str, inputs: Value) -> Value {
    let node = json!({"id": "step", "type": "tool", "config": {"tool": tool}, "inputs": inputs});
    json!({"version": "1", "entry": "step", "nodes": [node], "edges": []})
}

async fn source(api: &Api, ready: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..500 {
        let catalog = api.get("/api/catalog").await.expect(200);
        if ready(&catalog["tool_sources"][0]) {
            return catalog;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not within 10 s: {}", api.get("/api/catalog").await.text);
}

async fn validate(api: &Api, document: &Value) -> Value {
    api.post("/api/workflows/validate", json!({"graph_json": document})).await.expect(200)
}

fn alive(pid: &str) -> bool {
    Command::new("kill").args(["-0", pid]).stderr(Stdio::null()).status().unwrap().success()
}

#[tokio::test]
async fn an_mcp_server_and_a_program_are_tools() {
    let server = server(
        r#"
        [mcp.shell]
        command = "sh"
        args = ["DIR/mcp.sh"]
        [process.upper]
        command = ["tr", "a-z", "{to}"]
        stdin = "text"
        description = "Writes in capitals."
        effect = "read_only"
        timeout_seconds = 10
        "#,
    );
    let api = server.api();
    // In the background: nobody asked for it yet.
    let catalog = source(&api, |source| source["reached"] == true).await;
    assert_eq!(catalog["tool_sources"], json!([{"name": "shell", "prefix": "mcp.shell.", "reached": true, "problem": null}]));
    let tool = |name: &str| catalog["tools"].as_array().unwrap().iter().find(|tool| tool["name"] == name).cloned().unwrap();
    let who = tool("mcp.shell.who");
    assert_eq!((&who["description"], &who["effect"]), (&json!("Says who it is."), &json!("side_effect")));
    assert_eq!((&who["idempotent"], &who["timeout_ms"]), (&json!(false), &json!(60_000)));
    let upper = tool("process.upper");
    assert_eq!((&upper["effect"], &upper["timeout_ms"]), (&json!("read_only"), &json!(10_000)));
    assert_eq!(upper["input_schema"]["required"], json!(["to", "stdin"]));

    let chain = json!({
        "version": "1", "entry": "ask",
        "nodes": [
            {"id": "ask", "type": "tool", "config": {"tool": "mcp.shell.who", "idempotent": false}},
            {"id": "shout", "type": "tool", "config": {"tool": "process.upper"}, "inputs": {"stdin": "{{node.ask.output}}", "to": "A-Z"}}
        ],
        "edges": [{"from": "ask", "to": "shout"}]
    });
    assert_eq!(validate(&api, &chain).await, json!({"valid": true, "problems": [], "warnings": []}));
    let run = api.run(chain, json!({})).await;
    let output = run["output"].as_str().unwrap_or_else(|| panic!("{run:#}")).to_owned();
    let pid = output.strip_prefix("PROCESS ").unwrap_or_else(|| panic!("{output}")).to_owned();
    assert!(alive(&pid));

    let misfit = validate(&api, &one("process.upper", json!({"stdin": "x", "tu": "y"}))).await;
    assert_eq!(misfit["valid"], true);
    let warnings: Vec<&Value> = misfit["warnings"].as_array().unwrap().iter().map(|warning| &warning["pointer"]).collect();
    assert_eq!(warnings, ["/nodes/0/inputs", "/nodes/0/inputs/tu"]);
    let unknown = validate(&api, &one("mcp.shell.whom", json!({}))).await;
    assert_eq!(unknown["problems"][0]["suggestion"], "did you mean `mcp.shell.who`?");

    server.stop();
    for _ in 0..200 {
        if !alive(&pid) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the MCP server {pid} outlived the server that started it");
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_holds_up_nobody() {
    let server = server(
        r#"
        [mcp.mute]
        command = "sleep"
        args = ["600"]
        start_timeout_seconds = 0.4
        "#,
    );
    let api = server.api();
    api.get("/health").await.expect(200);
    let document = one("mcp.mute.anything", json!({}));
    let checked = validate(&api, &document).await;
    assert_eq!((&checked["valid"], &checked["problems"]), (&json!(true), &json!([])));
    assert_eq!(checked["warnings"][0]["code"], "tool_not_reached");
    let run = api.run(document, json!({})).await;
    assert_eq!(run["status"], "failed", "{run:#}");
    let text = run.to_string();
    assert!(text.contains("The MCP server `mute` was not ready within 0.4 s"), "{run:#}");
    let catalog = source(&api, |source| !source["problem"].is_null()).await;
    assert_eq!(catalog["tool_sources"][0]["reached"], false);
    // Another server's name is a mistake.
    let other = validate(&api, &one("mcp.other.anything", json!({}))).await;
    assert_eq!(other["problems"][0]["code"], "unknown_tool");
}

#[tokio::test]
async fn what_the_operator_does_not_allow_cannot_be_used() {
    let server = server(
        r#"
        [tools]
        allow = ["text", "process.*"]
        deny = ["process.danger"]
        [process.danger]
        command = ["true"]
        [process.fine]
        command = ["true"]
        "#,
    );
    let api = server.api();
    let catalog = api.get("/api/catalog").await.expect(200);
    let names: Vec<&str> = catalog["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["text", "process.fine"]);
    for tool in ["http", "echo", "process.danger"] {
        let checked = validate(&api, &one(tool, json!({"url": "x"}))).await;
        assert_eq!(checked["problems"][0]["code"], "tool_not_allowed", "{checked}");
    }
    assert_eq!(validate(&api, &one("process.fine", json!({}))).await["valid"], true);
    // What a document says cannot define a program.
    let mut own = one("process.fine", json!({}));
    own["nodes"][0]["config"]["command"] = json!(["sh", "-c", "id"]);
    assert_eq!(validate(&api, &own).await["problems"][0]["code"], "unknown_property");
}

#[tokio::test]
async fn memory_and_time_of_programs_are_limited() {
    // `tail` keeps what it reads until the line ends, and there is no end of line.
    let server = server(
        r#"
        [process.small]
        command = ["sh", "-c", "head -c 300000000 /dev/zero | tail -n 1 | wc -c"]
        memory_mb = 100
        [process.large]
        command = ["sh", "-c", "head -c 300000000 /dev/zero | tail -n 1 | wc -c"]
        memory_mb = 0
        [process.slow]
        command = ["sleep", "600"]
        timeout_seconds = 0.3
        [process.missing]
        command = ["/no/such/program"]
        "#,
    );
    let api = server.api();
    let large = api.run(one("process.large", json!({})), json!({})).await;
    assert_eq!(large["output"].as_str().map(str::trim), Some("300000000"), "{large:#}");
    let small = api.run(one("process.small", json!({})), json!({})).await;
    // The last program of the pipe succeeds: it counts what came before the memory ran out, which is nothing.
    assert_ne!(small["output"].as_str().map(str::trim), Some("300000000"), "{small:#}");
    let slow = api.run(one("process.slow", json!({})), json!({})).await;
    assert!(slow.to_string().contains("was not done within 300 ms and was ended"), "{slow:#}");
    let missing = api.run(one("process.missing", json!({})), json!({})).await;
    assert!(missing.to_string().contains("`/no/such/program` cannot be started"), "{missing:#}");
}

#[test]
fn validate_prints_warnings_and_calls_the_document_valid() {
    let place = tempfile::tempdir().unwrap();
    let mut document = documents::echo();
    document["nodes"][0]["config"] = json!({"tool": "mcp.far.away"});
    let (file, configuration) = (place.path().join("workflow.json"), place.path().join("flowtrace.toml"));
    std::fs::write(&file, serde_json::to_string_pretty(&document).unwrap()).unwrap();
    std::fs::write(&configuration, "[mcp.far]\nurl = \"https://example.com/mcp\"\n").unwrap();
    let run = |more: &[&str]| {
        let paths = [file.to_str().unwrap(), "--config", configuration.to_str().unwrap()];
        finish(flowtrace(&place.path().join("data"), &[&["validate"], &paths[..], more].concat()))
    };
    let people = run(&[]);
    assert_eq!(people.code, Some(0), "{}{}", people.stdout, people.stderr);
    assert!(
        people.stdout.contains(": warning: /nodes/0/config/tool: whether there is a tool `mcp.far.away`"),
        "{}",
        people.stdout
    );
    assert!(people.stdout.ends_with("is valid, with 1 warning\n"), "{}", people.stdout);
    let programs: Value = serde_json::from_str(&run(&["--json"]).stdout).unwrap();
    assert_eq!((&programs["valid"], &programs["warnings"][0]["code"]), (&json!(true), &json!("tool_not_reached")));
    assert!(programs["warnings"][0]["line"].as_u64().is_some_and(|line| line > 1), "{programs}");
}

#[test]
fn mistakes_in_the_configuration_stop_the_start() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("flowtrace.toml");
    for (text, expected) in [
        ("[process.x]\ncommand = []", "[process.x]: `command` has to name a program"),
        ("[process.x]\ncommand = [\"{p}\"]", "an input cannot choose it"),
        ("[process.x]\ncommand = [\"a\"]\nshell = true", "unknown field `shell`"),
        ("[mcp.x]", "[mcp.x]: either a `command`"),
    ] {
        std::fs::write(&file, text).unwrap();
        let data = place.path().join("data");
        let finished = finish(flowtrace(&data, &["serve", "--listen", "127.0.0.1:0", "--config", file.to_str().unwrap()]));
        assert!(finished.code == Some(1) && finished.stderr.contains(expected), "{text}: {}", finished.stderr);
    }
}
