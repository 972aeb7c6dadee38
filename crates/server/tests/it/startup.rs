//! Starting and stopping, also when something is in the way: a sentence and exit code 1, never a panic.

use crate::support::binary::finish;
use crate::support::{Finished, Server, documents, flowtrace};
use serde_json::{Value, json};

#[track_caller]
fn refused(finished: &Finished, parts: &[&str]) {
    assert_eq!(finished.code, Some(1), "{}{}", finished.stdout, finished.stderr);
    let last = finished.stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("flowtrace: "), "{}", finished.stderr);
    assert!(!finished.stderr.contains("panicked"), "{}", finished.stderr);
    for part in parts {
        assert!(last.contains(part), "no `{part}` in: {last}");
    }
}

#[tokio::test]
async fn the_second_server_on_a_directory_is_refused() {
    let server = Server::simulated();
    let second = finish(flowtrace(&server.data, &["serve", "--listen", "127.0.0.1:0"]));
    refused(&second, &["uses the data directory", &server.data.display().to_string(), &server.pid().to_string()]);
    refused(&finish(flowtrace(&server.data, &["migrate"])), &["uses the data directory"]);
    server.api().get("/health").await.expect(200);
}

#[tokio::test]
async fn a_port_that_is_taken() {
    let server = Server::simulated();
    let address = server.url.strip_prefix("http://").unwrap();
    let other = tempfile::tempdir().unwrap();
    let data = other.path().join("data");
    refused(&finish(flowtrace(&data, &["serve", "--listen", address])), &[address, "is in use", "--listen"]);
    assert!(!data.exists(), "nothing is touched before the port is ours");
    refused(&finish(flowtrace(&data, &["serve", "--listen", "nonsense"])), &["nonsense"]);
    refused(&finish(flowtrace(&data, &["serve", "--listen", "192.0.2.1:0"])), &["192.0.2.1:0", "not an address of this machine"]);
}

#[test]
fn data_directories_that_cannot_be_used() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    refused(&finish(flowtrace(&file, &serve)), &[file.to_str().unwrap()]);
    refused(&finish(flowtrace(&file.join("below"), &serve)), &[file.to_str().unwrap()]);

    let garbage = place.path().join("garbage");
    std::fs::create_dir(&garbage).unwrap();
    std::fs::write(garbage.join("journal.db"), "this is no database, whatever its name says ".repeat(100)).unwrap();
    refused(&finish(flowtrace(&garbage, &serve)), &["journal.db", "damaged"]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn disks_that_are_full_or_read_only() {
    use crate::support::binary::on_file_system;
    let place = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let data = place.path().join("data");
    let serve = ["serve", "--simulate", "--listen", "127.0.0.1:0"];
    let small = "mount -t tmpfs -o size=100k none \"$0\"";
    let Some(command) = on_file_system(&data, small, &serve) else {
        return eprintln!("this machine lets users mount nothing: skipped");
    };
    refused(&finish(command), &["is full", "free some space", data.to_str().unwrap()]);
    let read_only = "mount -t tmpfs -o ro none \"$0\"";
    refused(&finish(on_file_system(&data, read_only, &serve).unwrap()), &["cannot be written", data.to_str().unwrap()]);

    // It fills up while the server runs: what was answered stays, the rest is refused, and reading goes on.
    let enough = "mount -t tmpfs -o size=1500k none \"$0\"";
    let server = Server::from(on_file_system(&data, enough, &serve).unwrap(), place);
    let api = server.api();
    let mut started = Vec::new();
    let full = loop {
        assert!(started.len() < 100, "the disk never fills up");
        // Random, because what repeats is stored once and what is regular is compressed.
        let text: String = (0..4000).map(|_| uuid::Uuid::new_v4().to_string()).collect();
        let body = json!({"graph_json": documents::echo(), "input_vars": {"text": text}});
        let answer = api.post("/api/runs", body).await;
        match answer.status {
            201 => started.push(answer.json()["id"].as_str().unwrap().to_owned()),
            _ => break answer,
        }
    };
    let detail = full.problem(507, "disk_full");
    assert!(detail.contains("free some space"), "{detail}");
    api.get("/health").await.expect(200);
    let runs = api.get("/api/runs?limit=200").await.expect(200)["runs"].as_array().unwrap().len();
    assert_eq!(runs, started.len());
}

/// Permissions do not stop root, so a file system that is full or read-only is tried where there is one at hand.
#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_cannot_be_written() {
    for place in ["/proc/flowtrace-data", "/sys/flowtrace-data"] {
        refused(&finish(flowtrace(place.as_ref(), &["serve", "--listen", "127.0.0.1:0"])), &[place]);
    }
}

#[test]
fn tokens_that_cannot_be_used() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    refused(&finish(flowtrace(&data, &["serve", "--token", "short"])), &["too short", "16"]);
    refused(&finish(flowtrace(&data, &["serve", "--token-file", "nowhere"])), &["nowhere", "cannot be read"]);
    let mut command = flowtrace(&data, &["serve"]);
    command.env("OPENAI_BASE_URL", "nonsense");
    refused(&finish(command), &["openai", "URL"]);
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_leaves_nothing_behind() {
    let server = Server::simulated();
    let announced: Value = serde_json::from_slice(&std::fs::read(server.data.join("server.json")).unwrap()).unwrap();
    assert_eq!((&announced["url"], &announced["pid"]), (&json!(server.url), &json!(server.pid())));
    let document = documents::model(json!({"answer": "late", "latencyMs": 60_000}));
    let started = server.api().post("/api/runs", json!({"graph_json": document})).await.expect(201);
    // Somebody waits for a run that will not end in time, and still gets an answer.
    let api = server.api();
    api.contract().await;
    let waiting = tokio::spawn(async move {
        let document = documents::model(json!({"answer": "late", "latencyMs": 60_000}));
        api.post("/api/runs?wait=60", json!({"graph_json": document})).await
    });
    while server.api().get("/api/runs").await.expect(200)["runs"].as_array().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    let log = server.log.clone();
    let (directory, status) = server.stop();
    assert!(status.success(), "{status}: {}", log.lock().unwrap());
    assert!(!directory.path().join("data/server.json").exists());
    assert_eq!(waiting.await.unwrap().expect(201)["run"]["status"], "running");

    let server = Server::on(directory, &["--simulate"], |_| {});
    assert!(server.banner.contains("2 unfinished"), "{}", server.banner);
    let run = server.api().get(&format!("/api/runs/{}", started["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(run["status"], "running", "{run:#}");
}

#[tokio::test]
async fn demos_are_added_once() {
    let server = Server::simulated();
    let list = async |server: &Server| {
        let list = server.api().get("/api/workflows").await.expect(200);
        let ids = list["workflows"].as_array().unwrap().iter().map(|workflow| workflow["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    let demos = list(&server).await;
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/demos")).map_or(0, |files| files.count());
    assert_eq!(demos.len(), files, "{}", server.log.lock().unwrap());
    for id in &demos {
        server.api().delete(&format!("/api/workflows/{id}")).await.expect(204);
    }
    let (directory, _) = server.stop();
    let server = Server::on(directory, &["--simulate"], |_| {});
    assert_eq!(list(&server).await, Vec::<String>::new(), "a deleted demo stays deleted");
    assert_eq!(list(&Server::with(&["--simulate", "--no-demo"])).await, Vec::<String>::new());
}

/// Where the log goes to a file, its disk may be full too.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_log_that_cannot_be_written_stops_nobody() {
    use std::process::Command;
    let directory = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let server = Server::on(directory, &["--simulate"], |command| {
        let mut logged_nowhere = Command::new("sh");
        logged_nowhere.args(["-c", "exec \"$0\" \"$@\" 2>/dev/full"]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => logged_nowhere.env(name, value),
                None => logged_nowhere.env_remove(name),
            };
        }
        logged_nowhere.env("FLOWTRACE_LOG", "trace").stdin(std::process::Stdio::null());
        *command = logged_nowhere;
    });
    server.api().get("/health").await.expect(200);
    let run = server.api().run(documents::echo(), json!({"text": "two"})).await;
    assert_eq!(run["status"], "succeeded");
}
