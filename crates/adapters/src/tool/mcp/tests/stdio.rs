use super::server::{Reply, reply};
use super::*;
use crate::child::ALWAYS_INHERITED;
use crate::secrets::SecretSetting;
use std::io::Write;

const MODE: &str = "FLOWTRACE_TEST_MCP_MODE";

/// The server: this test binary, started again for this one test. What the test framework itself prints is garbage on standard
/// output, which a server may be guilty of as well.
#[test]
fn serve() {
    let Ok(mode) = std::env::var(MODE) else { return };
    match mode.as_str() {
        "exit" => {
            eprintln!("no license");
            std::process::exit(7);
        }
        "mute" => std::thread::sleep(Duration::from_secs(600)),
        _ => {}
    }
    let mut grown = false;
    let mut out = std::io::stdout();
    let mut send = |bytes: &[u8]| {
        let written = out.write_all(bytes).and_then(|()| out.flush());
        if written.is_err() {
            std::process::exit(0);
        }
    };
    for line in std::io::stdin().lines() {
        let request: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let Some(id) = request.get("id") else { continue };
        let answer = |body: Value| {
            let mut answer = json!({"jsonrpc": "2.0", "id": id});
            answer.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
            format!("{answer}\n").into_bytes()
        };
        match reply(&request, &mut grown) {
            Reply::Result(result) => send(&answer(json!({"result": result}))),
            Reply::Error(code, message) => send(&answer(json!({"error": {"code": code, "message": message}}))),
            Reply::Notify(method, result) => {
                send(format!("{}\n", json!({"jsonrpc": "2.0", "method": method})).as_bytes());
                send(&answer(json!({"result": result})));
            }
            Reply::Raw(bytes, result) => {
                send(&bytes);
                send(&answer(json!({"result": result})));
            }
            Reply::Only(bytes) => send(&bytes),
            Reply::Silence => {}
            Reply::Crash => {
                eprintln!("segmentation fault, or so");
                std::process::exit(3);
            }
        }
    }
    std::process::exit(0);
}

fn program(mode: &str) -> Program {
    let this = std::env::current_exe().unwrap();
    let command = [this.to_str().unwrap(), "--exact", "tool::mcp::tests::stdio::serve", "--nocapture"];
    Program {
        command: command.map(str::to_owned).to_vec(),
        env: BTreeMap::from([(MODE.to_owned(), Setting::Text(mode.to_owned()))]),
        inherit_env: Vec::new(),
        directory: None,
        memory_bytes: None,
    }
}

fn server(mode: &str) -> McpServer {
    McpServer::new(settings(McpTransport::Stdio(program(mode))), surroundings(false))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tools_are_listed_described_and_called() {
    let server = server("ok");
    let status = server.status();
    assert_eq!((status.prefix.as_str(), status.reached, status.problem), ("mcp.probe.", false, None));
    assert!(server.list().is_empty(), "nobody has connected yet");
    let unknown = server.find("mcp.probe.echo").unwrap();
    assert!(unknown.description().contains("not reached yet"));
    assert!(!unknown.describe().idempotent, "what is unknown is not repeated");
    assert!(server.find("mcp.other.echo").is_none());

    let described = unknown.look_up().await.unwrap();
    assert_eq!(described.name, "mcp.probe.echo");
    assert_eq!(described.description, "Gives back what it got.");
    assert_eq!(described.input_schema["required"], json!(["a"]));
    assert_eq!(described.effect, Effect::ReadOnly);
    assert!(server.status().reached);
    let names: Vec<String> = server.list().iter().map(|tool| tool.name().to_owned()).collect();
    assert!(names.contains(&"mcp.probe.text".to_owned()) && names.contains(&"mcp.probe.echo".to_owned()), "{names:?}");
    assert!(!names.iter().any(|name| name.contains('{')), "{names:?}");
    let effect = |name: &str| server.find(name).unwrap().describe().effect;
    assert_eq!((effect("mcp.probe.liar"), effect("mcp.probe.text")), (Effect::Idempotent, Effect::SideEffect));

    let echoed = call(&server, "echo", json!({"a": 1, "b": ["é"]})).await.unwrap();
    assert_eq!(echoed["arguments"], json!({"a": 1, "b": ["é"]}));
    assert_eq!(echoed["meta"]["idempotencyKey"], "run/step/1");
    assert_eq!(echoed["meta"]["traceparent"], "00-11111111111111111111111111111111-2222222222222222-01");
    assert_eq!(call(&server, "text", json!({})).await.unwrap(), json!("one\n[2]"));
    let image = call(&server, "image", json!({})).await.unwrap();
    assert_eq!((&image["content"][0]["type"], &image["content"][0]["data"]), (&json!("image"), &json!("AAAA")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_wrong_is_a_sentence_and_the_server_goes_on() {
    let server = server("ok");
    for (tool, inputs, code, expected) in [
        ("fail", json!({}), FailureCode::Tool, "`fail` of the MCP server `probe` failed: no such issue."),
        ("refuse", json!({}), FailureCode::Tool, "the arguments are odd (code -32602)"),
        ("echo", json!({"a": "one"}), FailureCode::Tool, "do not fit: at `/a`"),
        ("echo", json!({}), FailureCode::Tool, "\"a\" is a required property"),
        ("liar", json!({}), FailureCode::Malformed, "does not fit its own schema: at `/n`"),
        ("wrong", json!({}), FailureCode::Malformed, "something else than the protocol says"),
        ("nothing", json!({}), FailureCode::NotConfigured, "has no tool `nothing`"),
    ] {
        let failure = call(&server, tool, inputs).await.unwrap_err();
        assert!(failure.code == code && failure.message.contains(expected), "{tool}: {failure:?}");
    }
    assert_eq!(call(&server, "garbage", json!({})).await.unwrap(), json!("fine"));
    // All over one connection.
    assert_eq!(call(&server, "text", json!({})).await.unwrap(), json!("one\n[2]"));
    assert_eq!(server.status().problem, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_fails_the_call_in_flight_and_the_server_is_started_again() {
    let server = server("ok");
    let (crash, bystander) = tokio::join!(call(&server, "crash", json!({})), call_within(&server, "hang", json!({}), 10_000));
    let failure = crash.unwrap_err();
    assert!(failure.code == FailureCode::Connection && failure.code.is_transient(), "{failure:?}");
    assert!(failure.message.contains("segmentation fault, or so"), "{failure}");
    assert_eq!(bystander.unwrap_err().code, FailureCode::Connection);
    assert!(server.status().problem.is_some());
    // Waits for the next try itself.
    assert_eq!(call(&server, "text", json!({})).await.unwrap(), json!("one\n[2]"));
    assert_eq!(server.status().problem, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_call_hits_its_timeout_and_a_hanging_server_is_given_up() {
    let server = server("ok");
    for attempt in 1..=3 {
        let failure = call_within(&server, "hang", json!({}), if attempt == 1 { 10_000 } else { 100 });
        let failure = match attempt {
            // The first one includes the start.
            1 => {
                call(&server, "text", json!({})).await.unwrap();
                call_within(&server, "hang", json!({}), 100).await.unwrap_err()
            }
            _ => failure.await.unwrap_err(),
        };
        assert!(failure.code == FailureCode::Timeout && failure.message.contains("within 100 ms"), "{failure:?}");
        assert_eq!(server.status().problem.is_some(), attempt == 3);
    }
    assert!(server.status().problem.unwrap().contains("did not answer 3 calls in a row"));
    assert_eq!(call(&server, "text", json!({})).await.unwrap(), json!("one\n[2]"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_giant_message_is_refused() {
    let server = server("ok");
    let failure = call(&server, "giant", json!({})).await.unwrap_err();
    assert!(failure.code == FailureCode::TooLarge && failure.message.contains("more than 1000000 bytes"), "{failure:?}");
    assert_eq!(call(&server, "text", json!({})).await.unwrap(), json!("one\n[2]"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_tools_are_listed_again() {
    let server = server("ok");
    let known = |server: &McpServer| server.list().iter().any(|tool| tool.name() == "mcp.probe.grown");
    call(&server, "text", json!({})).await.unwrap();
    assert!(!known(&server));
    call(&server, "grow", json!({})).await.unwrap();
    eventually("the new tool is listed", || known(&server)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_start_is_told_and_tried_with_growing_waits() {
    let exits = server("exit");
    let failure = call(&exits, "text", json!({})).await.unwrap_err();
    assert!(failure.message.contains("could not be started: it ended with exit code 7"), "{failure}");
    assert!(failure.message.contains("no license"), "{failure}");
    // 1, 2 and 4 s are waited for; from 8 s on a call fails at once and says how long it is.
    let mut down = failure;
    for _ in 0..6 {
        down = call(&exits, "text", json!({})).await.unwrap_err();
        if down.retry_after_ms.is_some() {
            break;
        }
    }
    assert!(down.message.contains("is down and is tried again in") && down.message.contains("exit code 7"), "{down}");
    assert!(down.retry_after_ms.is_some_and(|ms| ms > 5_000), "{down:?}");

    let mut mute = settings(McpTransport::Stdio(program("mute")));
    mute.start_timeout = Duration::from_millis(300);
    let mute = McpServer::new(mute, surroundings(false));
    let failure = call(&mute, "text", json!({})).await.unwrap_err();
    assert!(failure.code == FailureCode::Timeout && failure.message.contains("not ready within 0.3 s"), "{failure:?}");

    let mut missing = program("ok");
    missing.command[0] = "/no/such/server".to_owned();
    let missing = McpServer::new(settings(McpTransport::Stdio(missing)), surroundings(false));
    let failure = missing.find("mcp.probe.x").unwrap().look_up().await.unwrap_err();
    assert!(failure.message.contains("`/no/such/server`"), "{failure}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_environment_is_clean_and_secrets_do_not_come_back() {
    let mut program = program("ok");
    program.env.insert("KEY".to_owned(), Setting::Secret(SecretSetting { env: "key".to_owned(), prefix: String::new() }));
    let server = McpServer::new(settings(McpTransport::Stdio(program)), surroundings(false));
    let Value::String(env) = call(&server, "env", json!({})).await.unwrap() else { panic!("no text") };
    for line in env.lines() {
        let name = line.split_once('=').map_or(line, |(name, _)| name);
        assert!([MODE, "KEY"].contains(&name) || ALWAYS_INHERITED.contains(&name), "{line}");
    }
    assert!(env.contains("KEY=[secret:key]"), "{env}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_group_ends_with_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("alive");
    let server = server("ok");
    call(&server, "fork", json!({"mark": mark.to_str()})).await.unwrap();
    server.stop();
    let failure = call(&server, "text", json!({})).await.unwrap_err();
    assert!(failure.message.contains("FlowTrace is stopping"), "{failure}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!mark.exists(), "a child of the server outlived it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_at_once_share_one_server() {
    let server = server("ok");
    let calls = (0..50).map(|a| call(&server, "echo", json!({"a": a})));
    for (a, outcome) in futures::future::join_all(calls).await.into_iter().enumerate() {
        assert_eq!(outcome.unwrap()["arguments"], json!({"a": a}));
    }
}
