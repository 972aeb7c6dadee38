//! Programs that are on every Unix machine stand in for the operator's.

use super::*;
use crate::secrets::tests::Fixed;
use crate::secrets::{SecretSetting, Setting};
use crate::tool::run;
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

fn settings(command: &[&str]) -> ProcessSettings {
    ProcessSettings {
        name: "probe".to_owned(),
        description: None,
        program: Program {
            command: command.iter().map(|part| (*part).to_owned()).collect(),
            env: BTreeMap::new(),
            inherit_env: Vec::new(),
            directory: None,
            memory_bytes: None,
        },
        stdin: Stdin::None,
        output: Output::Text,
        max_output_bytes: 10_000,
        timeout_ms: 20_000,
        max_concurrent: 4,
        effect: Effect::SideEffect,
        input_schema: None,
        output_schema: None,
    }
}

fn shell(script: &str) -> ProcessSettings {
    settings(&["sh", "-c", script])
}

fn tool(settings: ProcessSettings) -> Process {
    let secrets = Fixed(HashMap::from([("key", "s3cr3t-value")]));
    Process::new(settings, Arc::new(secrets), None).unwrap()
}

#[test]
fn inputs_become_single_arguments_and_never_a_shell_s_words() {
    let echo = tool(settings(&["printf", "%s|", "--name={name}", "{count}", "{}", "{not a name}", "a{b"]));
    let inputs = json!({"name": "x; rm -rf / $(id) 'q' \"", "count": 7});
    let out = run(&echo, json!({}), inputs).unwrap();
    assert_eq!(out, json!("--name=x; rm -rf / $(id) 'q' \"|7|{}|{not a name}|a{b|"));
    assert_eq!(echo.describe().input_schema["required"], json!(["name", "count"]));

    for (inputs, expected) in [
        (json!({"name": "x"}), "\"count\" is a required property"),
        (json!({"name": "x", "count": 1, "more": 2}), "'more' was unexpected"),
        (json!({"name": ["x"], "count": 1}), "at `/name`"),
        (json!({"name": "a\u{0}b", "count": 1}), "NUL"),
    ] {
        let failure = run(&echo, json!({}), inputs.clone()).unwrap_err();
        assert!(failure.code == FailureCode::Tool && failure.message.contains(expected), "{inputs}: {failure}");
    }
    assert!(run(&echo, json!({"a": 1}), json!({})).unwrap_err().message.contains("takes no config"));
}

#[test]
fn standard_input_and_output_as_text_and_as_json() {
    let all = json!({"n": [1, {"a": "é"}]});
    let cat = tool(ProcessSettings { stdin: Stdin::Json, output: Output::Json, ..settings(&["cat"]) });
    assert_eq!(run(&cat, json!({}), all.clone()).unwrap(), all);

    let text = tool(ProcessSettings { stdin: Stdin::Text, ..settings(&["cat"]) });
    assert_eq!(run(&text, json!({}), json!({"stdin": "a\nb"})).unwrap(), json!("a\nb"));

    let schema = json!({"type": "object", "required": ["ok"]});
    let checked =
        tool(ProcessSettings { output_schema: Some(schema), ..ProcessSettings { output: Output::Json, ..shell("echo '{}'") } });
    let failure = run(&checked, json!({}), json!({})).unwrap_err();
    assert!(failure.message.contains("does not fit its schema: ") && failure.message.contains("ok"), "{failure}");

    for (script, expected) in [("echo nonsense", "did not write JSON"), ("printf '\\377'", "not UTF-8")] {
        let failure = run(&tool(ProcessSettings { output: Output::Json, ..shell(script) }), json!({}), json!({})).unwrap_err();
        assert!(failure.message.contains(expected), "{script}: {failure}");
    }
    // One that does not read what it is given, and 1 MB of it: more than a pipe holds.
    let deaf = tool(ProcessSettings { stdin: Stdin::Json, ..shell("echo done") });
    assert_eq!(run(&deaf, json!({}), json!({"x": "y".repeat(1 << 20)})).unwrap(), json!("done\n"));
}

#[test]
fn a_bad_end_is_told_with_the_end_of_standard_error() {
    for (script, expected) in [
        ("echo out; echo 'bad luck' >&2; exit 3", "ended with exit code 3. Its standard error ends: bad luck"),
        ("kill -9 $$", "ended by signal 9"),
        ("exit 1", "ended with exit code 1."),
    ] {
        let failure = run(&tool(shell(script)), json!({}), json!({})).unwrap_err();
        assert!(failure.code == FailureCode::Tool && failure.message.contains(expected), "{script}: {failure}");
    }
    let long = run(&tool(shell("yes | head -c 1000000 >&2; echo last >&2; exit 1")), json!({}), json!({})).unwrap_err();
    assert!(long.message.len() < 3000 && long.message.ends_with("last"), "{long}");
    let missing = run(&tool(settings(&["/no/such/program"])), json!({}), json!({})).unwrap_err();
    assert!(missing.message.contains("`/no/such/program`") && missing.code == FailureCode::NotConfigured, "{missing}");
}

#[test]
fn only_what_is_allowed_is_in_the_environment_and_secrets_do_not_come_back() {
    let mut program = shell("env; echo $KEY >&2");
    program.program.env = BTreeMap::from([
        ("PLAIN".to_owned(), Setting::Text("text".to_owned())),
        ("KEY".to_owned(), Setting::Secret(SecretSetting { env: "key".to_owned(), prefix: "Bearer ".to_owned() })),
    ]);
    let Value::String(env) = run(&tool(program.clone()), json!({}), json!({})).unwrap() else { panic!("no text") };
    let mut names: Vec<&str> = env.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    // The shell's own.
    names.retain(|name| !["PWD", "SHLVL", "_", "OLDPWD"].contains(name));
    assert!(names.iter().all(|name| ["PLAIN", "KEY"].contains(name) || crate::child::ALWAYS_INHERITED.contains(name)), "{env}");
    assert!(env.contains("KEY=Bearer [secret:key]") && !env.contains("s3cr3t"), "{env}");

    program.program.command[2] = "echo $KEY >&2; exit 1".to_owned();
    let failure = run(&tool(program.clone()), json!({}), json!({})).unwrap_err();
    assert!(failure.message.contains("[secret:key]") && !failure.message.contains("s3cr3t"), "{failure}");

    program.program.env.insert("X".to_owned(), Setting::Secret(SecretSetting { env: "unset".to_owned(), prefix: String::new() }));
    assert!(
        run(&tool(program), json!({}), json!({}))
            .unwrap_err()
            .message
            .contains("`unset`, which the configuration names for `X`, is not set")
    );
}

#[test]
fn time_and_output_are_limited_and_the_whole_group_ends() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("alive");
    // A child of the child, which would write its mark after the time is up.
    let script = format!("(sleep 3; touch {0}) & (sleep 3; touch {0})", mark.display());
    let started = Instant::now();
    let failure = run(&tool(ProcessSettings { timeout_ms: 200, ..shell(&script) }), json!({}), json!({})).unwrap_err();
    assert!(failure.code == FailureCode::Timeout && failure.message.contains("within 200 ms"), "{failure}");

    let endless = run(&tool(shell("yes")), json!({}), json!({})).unwrap_err();
    assert!(endless.code == FailureCode::TooLarge && endless.message.contains("more than 10000 bytes"), "{endless}");

    // It ends, and what it leaves behind holds its output open.
    let left = run(&tool(shell("sleep 600 & echo done")), json!({}), json!({})).unwrap();
    assert_eq!(left, json!("done\n"));

    std::thread::sleep(Duration::from_millis(3500).saturating_sub(started.elapsed()));
    assert!(!mark.exists(), "a process of the group outlived its time");
}

#[test]
fn a_call_that_is_dropped_ends_its_program() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("alive");
    let slow = tool(shell(&format!("sleep 1; touch {}", mark.display())));
    let call = ToolCall { tool: slow.name.clone(), config: json!({}), inputs: json!({}), secrets: Vec::new() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let _ = tokio::time::timeout(Duration::from_millis(200), slow.run(&call)).await;
        tokio::time::sleep(Duration::from_millis(1500)).await;
    });
    assert!(!mark.exists(), "the program went on after the call was dropped");
}

#[test]
fn no_more_than_the_permitted_number_run_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let lock = dir.path().join("lock");
    // `mkdir` fails where another one holds the lock.
    let script = format!("mkdir {0} && sleep 0.1 && rmdir {0}", lock.display());
    let single = tool(ProcessSettings { max_concurrent: 1, ..shell(&script) });
    let call = ToolCall { tool: single.name.clone(), config: json!({}), inputs: json!({}), secrets: Vec::new() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcomes = runtime.block_on(futures::future::join_all((0..4).map(|_| single.run(&call))));
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
}

#[test]
fn mistakes_of_the_configuration_are_sentences() {
    let mut bad_schema = settings(&["true"]);
    bad_schema.input_schema = Some(json!({"type": "nonsense"}));
    for (settings, expected) in [
        (settings(&[]), "has to name a program"),
        (settings(&["{program}"]), "an input cannot choose it"),
        (settings(&["a{b}"]), "an input cannot choose it"),
        (ProcessSettings { max_concurrent: 0, ..settings(&["true"]) }, "more than 0"),
        (bad_schema, "`input_schema` cannot be used"),
    ] {
        let error = Process::new(settings, Arc::new(Fixed(HashMap::new())), None).err().unwrap();
        assert!(error.starts_with("[process.probe]: ") && error.contains(expected), "{error}");
    }
    let mut limited = settings(&["true"]);
    limited.program.memory_bytes = Some(1 << 30);
    assert!(run(&tool(limited), json!({}), json!({})).unwrap_err().message.contains("memory limit"));
}
