//! The command line: exit codes, and output for people and for programs.

use crate::support::binary::{Watched, finish, signal};
use crate::support::{Finished, Server, documents, flowtrace};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;

struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Place {
        Place { directory: tempfile::tempdir().unwrap() }
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn file(&self, document: &Value) -> String {
        self.text(&serde_json::to_string_pretty(document).unwrap())
    }

    fn text(&self, text: &str) -> String {
        let path = self.directory.path().join("workflow.json");
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        finish(flowtrace(&self.data(), arguments))
    }
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn version_and_help() {
    let place = Place::new();
    let version = place.run(&["--version"]);
    assert_eq!(version.code, Some(0));
    let expected = concat!("flowtrace ", env!("CARGO_PKG_VERSION"), " (");
    assert!(version.stdout.starts_with(expected) && version.stdout.trim().ends_with(')'), "{}", version.stdout);
    let help = place.run(&["--help"]);
    for command in ["serve", "run", "validate", "runs", "trace", "migrate"] {
        assert!(help.stdout.contains(command), "{}", help.stdout);
    }
    assert_eq!(place.run(&["nonsense"]).code, Some(2));
}

#[test]
fn validate_tells_every_problem_and_its_line() {
    let place = Place::new();
    let good = place.run(&["validate", &place.file(&documents::routed())]);
    assert_eq!(good.code, Some(0), "{}", good.stderr);
    assert!(good.stdout.contains("is valid"), "{}", good.stdout);

    let file = place.file(&documents::broken());
    let bad = place.run(&["validate", &file]);
    assert_eq!(bad.code, Some(2));
    assert!(bad.stdout.contains(&format!("{file}:3: /entry:")), "{}", bad.stdout);
    assert!(bad.stdout.contains("summarize") && bad.stdout.contains("2 problems"), "{}", bad.stdout);
    let bad = place.run(&["validate", "--json", &file]);
    assert_eq!(bad.code, Some(2));
    let report: Value = serde_json::from_str(&bad.stdout).unwrap();
    assert_eq!(report["valid"], false);
    let entry = report["problems"].as_array().unwrap().iter().find(|problem| problem["pointer"] == "/entry").unwrap();
    assert_eq!(entry["line"], 3);

    assert_eq!(place.run(&["validate", &place.text("{not json")]).code, Some(2));
    let missing = place.run(&["validate", "nowhere.json"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("nowhere.json cannot be read"), "{}", missing.stderr);
    assert!(!place.data().exists(), "checking needs no data directory");
}

#[test]
fn run_succeeds_fails_or_refuses() {
    let place = Place::new();
    let good = place.run(&["run", &place.file(&documents::routed()), "--simulate", "--input", "topic=cats"]);
    assert_eq!(good.code, Some(0), "{}", good.stderr);
    assert_eq!(serde_json::from_str::<Value>(&good.stdout).unwrap(), json!({"text": "Short."}));
    for part in ["summarize: started", "summarize: ", "again in", "deep: skipped", "succeeded", "tokens", "simulated", "1 retry"]
    {
        assert!(good.stderr.contains(part), "no `{part}` in {}", good.stderr);
    }

    let failing = place.file(&documents::model(json!({"faults": [{"status": 400}, {"status": 400}]})));
    let failed = place.run(&["run", &failing, "--simulate"]);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    assert!(failed.stderr.contains("ask:") && failed.stderr.contains("failed ·"), "{}", failed.stderr);

    let invalid = place.run(&["run", &place.file(&documents::broken()), "--simulate"]);
    assert_eq!(invalid.code, Some(2));
    assert!(invalid.stdout.contains("/entry"), "{}", invalid.stdout);
    let invalid = place.run(&["run", &place.file(&documents::echo()), "--input", "nonsense"]);
    assert_eq!(invalid.code, Some(2), "{}", invalid.stderr);

    let runs = place.run(&["runs", "--json"]);
    assert_eq!(runs.code, Some(0), "{}", runs.stderr);
    let runs = lines(&runs.stdout);
    let statuses: Vec<_> = runs.iter().map(|run| run["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["failed", "succeeded"]);
    assert!(runs.iter().all(|run| run["triggered_by"] == "cli"));
    let listed = place.run(&["runs", "--status", "failed"]);
    assert!(listed.stdout.contains("failed") && !listed.stdout.contains("succeeded"), "{}", listed.stdout);

    let id = runs[1]["id"].as_str().unwrap();
    let trace = place.run(&["trace", id, "--json"]);
    assert_eq!(trace.code, Some(0), "{}", trace.stderr);
    let events = lines(&trace.stdout);
    assert_eq!((&events[0]["seq"], &events[0]["kind"]), (&json!(1), &json!("run.started")));
    assert_eq!(events.last().unwrap()["kind"], "run.succeeded");
    assert!(place.run(&["trace", id]).stdout.contains("router.branch"));
    assert_eq!(lines(&place.run(&["trace", id, "--json", "--follow"]).stdout), events);
    let missing = place.run(&["trace", "nonsense"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("There is no run `nonsense`"), "{}", missing.stderr);
}

#[test]
fn run_prints_events_as_json_lines() {
    let place = Place::new();
    let file = place.file(&documents::echo());
    let inputs = place.directory.path().join("inputs.json");
    std::fs::write(&inputs, r#"{"text": "overridden", "more": 1}"#).unwrap();
    let arguments = ["run", &file, "--json", "--input", r#"text:={"a": [1]}"#, "--input-json", inputs.to_str().unwrap()];
    let ran = place.run(&arguments);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let events = lines(&ran.stdout);
    let (end, events) = events.split_last().unwrap();
    assert!(events.iter().zip(1..).all(|(event, seq)| event["seq"] == seq), "{}", ran.stdout);
    assert_eq!(events.last().unwrap()["kind"], "run.succeeded");
    assert_eq!((&end["kind"], &end["run"]["output"]), (&json!("end"), &json!({"text": {"a": [1]}})));
    assert_eq!(end["run"]["input"], json!({"text": {"a": [1]}, "more": 1}));
    assert_eq!(ran.stderr, "");

    // From standard input, and with variables instead of flags.
    let mut command = flowtrace(&place.data(), &["run", "-", "--input", "text=x"]);
    command.env("FLOWTRACE_JSON", "1").stdin(std::fs::File::open(&file).unwrap());
    let ran = finish(command);
    assert_eq!(lines(&ran.stdout).last().unwrap()["run"]["output"], json!({"text": "x"}), "{}", ran.stderr);
}

#[test]
fn an_interrupted_run_is_canceled() {
    let place = Place::new();
    let file = place.file(&documents::model(json!({"faults": [{"kind": "hang"}]})));
    let mut command = flowtrace(&place.data(), &["run", &file, "--simulate", "--json"]);
    let mut child = Watched(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let pid = child.0.id();
    let mut kinds = Vec::new();
    for line in BufReader::new(child.0.stdout.take().unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        kinds.push(event["kind"].as_str().unwrap().to_owned());
        if event["kind"] == "llm.request" {
            signal(pid, "INT");
        }
    }
    assert_eq!(child.wait("flowtrace run after SIGINT").code(), Some(1));
    assert!(kinds.ends_with(&["run.canceled".to_owned(), "end".to_owned()]), "{kinds:?}");
}

/// A run from the command line can be watched, but a second one has to wait: the first one's server goes when it ends.
#[test]
fn two_runs_on_one_directory() {
    let place = Place::new();
    let hanging = place.file(&documents::model(json!({"faults": [{"kind": "hang"}]})));
    let mut command = flowtrace(&place.data(), &["run", &hanging, "--simulate", "--json"]);
    let mut first = Watched(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let pid = first.0.id();
    let mut lines_of_first = BufReader::new(first.0.stdout.take().unwrap()).lines();
    lines_of_first.find(|line| line.as_ref().unwrap().contains("llm.request")).unwrap().unwrap();

    let second = place.run(&["run", &place.file(&documents::echo()), "-i", "text=x"]);
    let watched = place.run(&["runs", "--json"]);
    signal(pid, "INT");
    lines_of_first.for_each(drop);
    assert_eq!(first.wait("flowtrace run after SIGINT").code(), Some(1));

    assert_eq!(second.code, Some(1));
    let expected = format!("another `flowtrace run` (process {pid}) uses the data directory");
    assert!(second.stderr.contains(&expected), "{}", second.stderr);
    assert_eq!(lines(&watched.stdout)[0]["status"], "running", "{}", watched.stderr);
    assert_eq!(place.run(&["run", &place.file(&documents::echo()), "-i", "text=x"]).code, Some(0), "afterwards it is free");
}

#[tokio::test]
async fn commands_talk_to_the_server_that_holds_the_directory() {
    let server = Server::simulated();
    let place = Place::new();
    let file = place.file(&documents::echo());
    let command = |arguments: &[&str]| finish(flowtrace(&server.data, arguments));
    let ran = command(&["run", &file, "--input", "text=hello", "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let id = lines(&ran.stdout).last().unwrap()["run"]["id"].as_str().unwrap().to_owned();
    let run = server.api().get(&format!("/api/runs/{id}")).await.expect(200);
    assert_eq!((&run["triggered_by"], &run["status"]), (&json!("cli"), &json!("succeeded")));
    assert_eq!(lines(&command(&["runs", "--json"]).stdout)[0]["id"], id.as_str());
    assert_eq!(lines(&command(&["trace", &id, "--json", "--follow"]).stdout).last().unwrap()["kind"], "run.succeeded");
}

#[tokio::test]
async fn simulated_is_never_taken_for_real() {
    let server = Server::with(&[]);
    let place = Place::new();
    let ran = finish(flowtrace(&server.data, &["run", &place.file(&documents::echo()), "--simulate"]));
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("its models are real"), "{}", ran.stderr);
}

#[tokio::test]
async fn unfinished_runs_are_left_to_the_server() {
    let server = Server::simulated();
    let document = documents::model(json!({"faults": [{"kind": "hang"}]}));
    let started = server.api().post("/api/runs", json!({"graph_json": document})).await.expect(201);
    let id = started["id"].as_str().unwrap().to_owned();
    let directory = server.kill();
    let data = directory.path().join("data");

    let place = Place::new();
    let ran = finish(flowtrace(&data, &["run", &place.file(&documents::echo()), "-i", "text=x"]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 unfinished runs wait") && ran.stderr.contains("flowtrace serve"), "{}", ran.stderr);
    let followed = finish(flowtrace(&data, &["trace", &id, "--follow"]));
    assert_eq!(followed.code, Some(0), "{}", followed.stderr);
    assert!(followed.stdout.contains("run.started") && followed.stderr.contains("no server works on it"), "{}", followed.stderr);
    let runs = lines(&finish(flowtrace(&data, &["runs", "--json", "--status", "running"])).stdout);
    assert_eq!(runs[0]["id"], id.as_str(), "it was not touched");
}

#[test]
fn reading_needs_data_and_migrating_makes_it() {
    let place = Place::new();
    for arguments in [&["runs"][..], &["trace", "00000000-0000-7000-8000-000000000000"]] {
        let read = place.run(arguments);
        assert_eq!(read.code, Some(1));
        assert!(read.stderr.contains("there is no data in"), "{}", read.stderr);
    }
    assert!(!place.data().exists());
    let first = place.run(&["migrate"]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert!(first.stdout.contains("applied V1"), "{}", first.stdout);
    let second = place.run(&["migrate"]);
    assert!(second.stdout.contains("is up to date\n"), "{}", second.stdout);
    let runs = place.run(&["runs"]);
    assert_eq!((runs.code, runs.stderr.as_str()), (Some(0), "no runs\n"));
}

#[test]
fn the_configuration_file_counts_and_is_checked() {
    let place = Place::new();
    let file = place.file(&documents::chain(5));
    let config = place.directory.path().join("flowtrace.toml");
    std::fs::write(&config, "[limits]\nmax_steps = 3\n").unwrap();
    let ran = place.run(&["run", &file]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("maxSteps"), "{}", ran.stderr);
    std::fs::write(&config, "[limits]\nmax_step = 3\n").unwrap();
    let refused = place.run(&["run", &file]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("flowtrace.toml cannot be used: line 2: unknown field `max_step`"), "{}", refused.stderr);
    assert!(!Path::new(&place.data()).join("server.json").exists());
}
