#![allow(clippy::unwrap_used)]

mod crash;
mod damage;
mod files;
mod refusals;
mod schema;

use crate::store::sqlite::SqliteStore;
use flowtrace_core::event::{Body, Event, LogLevel};
use flowtrace_core::id::{RunId, StreamId, Timestamp};
use flowtrace_core::payload::{Blob, Payload};
use flowtrace_engine::port::store::*;
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

mod conformance {
    use super::*;

    fn open() -> (Arc<dyn Store>, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        (Arc::new(SqliteStore::open(dir.path()).unwrap()), dir)
    }

    flowtrace_engine::store_conformance!(open());
}

mod credentials {
    use super::*;
    use flowtrace_engine::port::credentials::Credentials;

    fn open() -> (Arc<dyn Credentials>, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        (Arc::new(SqliteStore::open(dir.path()).unwrap()), dir)
    }

    flowtrace_engine::credentials_conformance!(open());
}

fn stream(number: u128) -> StreamId {
    StreamId(0x0190_0000_0000_7000_8000_0000_0000_0000 + number)
}

fn log(seq: u64, message: &str) -> Event {
    let body = Body::Log { level: LogLevel::Info, message: message.to_string() };
    Event { seq, ts: Timestamp::from_millis(seq), step: Some("a/b".into()), body }
}

fn logs(stream: StreamId, expected: u64, count: u64) -> Append {
    let events = (expected + 1..=expected + count).map(|seq| log(seq, &format!("event {seq}"))).collect();
    Append { stream, expected, events, ..Append::default() }
}

/// The blob of a text that compresses badly, of about `bytes` bytes.
fn noise(seed: u64, bytes: usize) -> Blob {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'0' + (state % 75) as u8)
    };
    let text: String = (0..bytes).map(|_| next()).collect();
    Payload::new(Arc::new(json!(text))).1.unwrap()
}

/// The blob of a text of about `bytes` bytes that is quickly made.
fn filled(seed: u64, bytes: usize) -> Blob {
    Payload::new(Arc::new(json!(format!("{seed:016x}").repeat(bytes / 16)))).1.unwrap()
}

fn run_row(id: RunId) -> RunRow {
    RunRow {
        id,
        workflow_id: Some("w".to_string()),
        workflow_version: Some(1),
        workflow_hash: "abc".into(),
        session_id: None,
        trace_id: "0af7651916cd43dd8448eb211c80319c".to_string(),
        triggered_by: "api".to_string(),
        status: "running".to_string(),
        simulated: false,
        started_at: Timestamp::from_millis(1_000),
        finished_at: None,
        total_tokens: 0,
        total_cost_nanousd: 0,
        cost_complete: true,
        steps: 0,
        retries: 0,
        cache_hits: 0,
        error_summary: None,
        failed_step: None,
    }
}

/// This test binary again, to run the one test `name`, which does its work only when `FLOWTRACE_TEST_DIR` is set.
fn child(name: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("store::sqlite::tests::{name}"), "--nocapture", "--test-threads=1"]);
    command.env("FLOWTRACE_TEST_DIR", dir).env("RUST_BACKTRACE", "0");
    command
}

/// Where the parent wants this process to work; `None` when it was not started as a child.
fn parent_dir() -> Option<std::path::PathBuf> {
    std::env::var_os("FLOWTRACE_TEST_DIR").map(Into::into)
}
