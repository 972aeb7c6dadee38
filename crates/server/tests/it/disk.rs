//! Disks that fill up under a running server, and journals that were damaged: a sentence, never a panic, and nothing is done
//! twice. What keeps a server from starting at all is in `startup.rs`.
#![cfg(target_os = "linux")]

use crate::support::binary::{finish, on_file_system};
use crate::support::{PATIENCE, Reply, Server, Upstream, documents, flowtrace};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Random, because what repeats is stored once and what is regular is compressed.
fn random_text(bytes: usize) -> String {
    (0..bytes / 36).map(|_| uuid::Uuid::new_v4().to_string()).collect()
}

/// Takes all the space that is left.
fn fill(ballast: &Path) {
    let mut file = std::fs::File::create(ballast).unwrap();
    for block in [1 << 16, 1 << 12, 1] {
        while file.write_all(&vec![b'x'; block]).is_ok() {}
    }
}

#[tokio::test]
async fn runs_go_on_when_there_is_space_again() {
    let released = Arc::new(AtomicBool::new(false));
    let gate = released.clone();
    // Nothing is answered before the disk is full.
    let upstream = Upstream::start(move |call| {
        while !gate.load(Ordering::SeqCst) && call.path != "/quick" {
            std::thread::sleep(Duration::from_millis(5));
        }
        Reply::text(format!("{} {}", call.path, random_text(400_000)))
    });
    let place = Arc::new(tempfile::tempdir().unwrap());
    let mount = "mount -t tmpfs -o size=6m none \"$0\"";
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--allow-private-network", "--no-demo"];
    let Some(command) = on_file_system(&place.path().join("data"), mount, &arguments) else {
        return eprintln!("this machine lets users mount nothing: skipped");
    };
    let server = Server::from(command, place.clone());
    let api = server.api();
    // The mount is only there for the process.
    let inside: PathBuf = format!("/proc/{}/root{}", server.pid(), place.path().display()).into();
    let ballast = inside.join("ballast");

    let get = |path: &str| {
        json!({
            "version": "1", "entry": "get",
            "nodes": [
                {"id": "get", "type": "tool", "config": {"url": format!("{}{path}", upstream.url)}},
                {"id": "after", "type": "tool", "config": {"tool": "echo"}, "inputs": {"status": "{{node.get.output.status}}"}}
            ],
            "edges": [{"from": "get", "to": "after"}]
        })
    };
    let start = async |path: &str| {
        let started = api.post("/api/runs", json!({"graph_json": get(path)})).await.expect(201);
        started["id"].as_str().unwrap().to_owned()
    };
    // One at a time is answered by this upstream, so one of them is in its hands and the other two wait for it.
    let ids = [start("/a").await, start("/b").await, start("/c").await];
    upstream.wait_for_calls("/", 1);
    fill(&ballast);
    released.store(true, Ordering::SeqCst);

    // New work is refused, what is known can be read, and what is in hand is held on to.
    let large = json!({"graph_json": documents::echo(), "input_vars": {"text": random_text(500_000)}});
    let detail = api.post("/api/runs", large.clone()).await.problem(507, "disk_full");
    assert!(detail.contains("free some space"), "{detail}");
    let begin = Instant::now();
    while server.log.lock().unwrap().matches("the run cannot be written; trying again").count() < 4 {
        assert!(begin.elapsed() < PATIENCE, "{}", server.log.lock().unwrap());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    api.get("/health").await.expect(200);
    for id in &ids {
        assert_eq!(api.get(&format!("/api/runs/{id}")).await.expect(200)["status"], "running");
    }
    assert_eq!(api.get("/api/runs").await.expect(200)["runs"].as_array().unwrap().len(), ids.len());

    std::fs::remove_file(&ballast).unwrap();
    for id in &ids {
        let run = crate::api::end_of(&api, id).await;
        assert_eq!(
            (&run["status"], &run["output"], &run["retries"]),
            (&json!("succeeded"), &json!({"status": 200}), &json!(0)),
            "{run:#}"
        );
    }
    assert_eq!(upstream.calls().len(), 3, "what was answered once is not asked again");
    let run = api.post("/api/runs?wait=30", large).await.expect(201)["run"].clone();
    assert_eq!(run["status"], "succeeded", "{run:#}");
    let log = server.log.clone();
    let (_, status) = server.stop();
    assert!(status.success() && !log.lock().unwrap().contains("panicked"), "{status} {}", log.lock().unwrap());
}

#[test]
fn the_command_line_on_a_directory_that_cannot_be_written() {
    let (place, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = elsewhere.path().join("workflow.json");
    std::fs::write(&file, documents::echo().to_string()).unwrap();
    for arguments in [&["run", file.to_str().unwrap()][..], &["migrate"]] {
        for (mount, part) in [("-o ro", "cannot be written"), ("-o size=16k", "full")] {
            let mount = format!("mount -t tmpfs {mount} none \"$0\"");
            let Some(command) = on_file_system(&place.path().join("data"), &mount, arguments) else {
                return eprintln!("this machine lets users mount nothing: skipped");
            };
            let finished = finish(command);
            assert_eq!(finished.code, Some(1), "{arguments:?} {mount}: {}{}", finished.stdout, finished.stderr);
            let lines: Vec<_> = finished.stderr.lines().collect();
            assert!(
                lines.len() == 1 && lines[0].starts_with("flowtrace: ") && lines[0].contains(part),
                "{arguments:?}: {lines:?}"
            );
        }
    }
}

/// Copies the files of a data directory.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

type Damage = fn(&mut Vec<u8>);

#[tokio::test]
async fn a_damaged_journal_is_told_and_nothing_panics() {
    let server = Server::simulated();
    let api = server.api();
    let mut ids: Vec<Value> = Vec::new();
    for _ in 0..20 {
        ids.push(api.run(documents::routed(), json!({"topic": random_text(3000)})).await["id"].clone());
    }
    let (original, _) = server.stop();
    // Everything from the log into the file that will be damaged.
    let connection = rusqlite::Connection::open(original.path().join("data/journal.db")).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(connection);
    let damages: [(&str, Damage); 6] = [
        ("no header", |bytes| bytes[..100].fill(0)),
        ("no schema", |bytes| bytes[100..4096].fill(0x5a)),
        ("the first half only", |bytes| bytes.truncate(bytes.len() / 2)),
        ("cut in a page", |bytes| bytes.truncate(bytes.len() - 1000)),
        ("noise in the middle", |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle..middle + 20_000].fill(0xa5);
        }),
        ("noise nearly everywhere", |bytes| bytes[8192..].iter_mut().step_by(97).for_each(|byte| *byte = !*byte)),
    ];
    for (name, damage) in damages {
        let place = Arc::new(tempfile::tempdir().unwrap());
        let data = place.path().join("data");
        copy(&original.path().join("data"), &data);
        let journal = data.join("journal.db");
        let mut bytes = std::fs::read(&journal).unwrap();
        assert!(bytes.len() > 60_000, "too small to be damaged: {} bytes", bytes.len());
        damage(&mut bytes);
        std::fs::write(&journal, bytes).unwrap();

        // What the damage does not touch may still be used, so either it starts or it says why not.
        let looked = finish(flowtrace(&data, &["runs", "--json"]));
        let told = |text: &str| text.contains("damaged") || text.contains("malformed");
        assert!(!looked.stderr.contains("panicked"), "{name}: {}", looked.stderr);
        assert!(
            looked.code == Some(0) || looked.code == Some(1) && told(&looked.stderr),
            "{name}: {:?} {}",
            looked.code,
            looked.stderr
        );
        if looked.code == Some(1) {
            let served = finish(flowtrace(&data, &["serve", "--simulate", "--listen", "127.0.0.1:0"]));
            assert!(served.code == Some(1) && told(&served.stderr), "{name}: {:?} {}", served.code, served.stderr);
            assert!(!served.stderr.contains("panicked"), "{name}: {}", served.stderr);
            continue;
        }
        let server = Server::on(place, &["--simulate"], |_| {});
        let api = server.api();
        for id in &ids {
            let id = id.as_str().unwrap();
            for path in [format!("/api/runs/{id}?include=io"), format!("/api/runs/{id}/trace"), "/api/runs".to_owned()] {
                let answer = api.get(&path).await;
                match answer.status {
                    200 | 404 => {}
                    _ => assert!(told(&answer.problem(500, "store_damaged")), "{name}"),
                }
            }
        }
        api.get("/health").await;
        let log = server.log.lock().unwrap().clone();
        assert!(!log.contains("panicked"), "{name}: {log}");
    }
}
