//! The real binary as a process of its own, and what it takes.

use crate::client::Client;
use serde_json::{Map, Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub struct Server {
    child: Child,
    pub address: SocketAddr,
    pub ready_s: f64,
}

impl Server {
    pub fn start(binary: &Path, data: &Path) -> Result<Server, String> {
        let begin = Instant::now();
        // What an earlier process noted.
        let note = data.join("server.json");
        let _ = std::fs::remove_file(&note);
        let child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--no-demo", "--data"])
            .arg(data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{} cannot be started: {error}", binary.display()))?;
        let mut server = Server { child, address: ([127, 0, 0, 1], 0).into(), ready_s: 0.0 };
        while begin.elapsed() < Duration::from_secs(60) {
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(format!("the server ended with {status} instead of becoming ready"));
            }
            if let Some(address) = announced(&note)
                && Client::connect(address).is_ok_and(|mut client| client.get("/health").is_ok())
            {
                server.address = address;
                server.ready_s = begin.elapsed().as_secs_f64();
                return Ok(server);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err("the server did not become ready within 60 s".to_owned())
    }

    pub fn connect(&self) -> Result<Client, String> {
        Client::connect(self.address).map_err(|error| error.to_string())
    }

    /// Ends it as an operator does, so that its files are whole.
    pub fn stop(mut self) -> Result<(), String> {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        if !asked.is_ok_and(|status| status.success()) {
            return Err("the server could not be asked to end".to_owned());
        }
        for _ in 0..600 {
            if let Ok(Some(_)) = self.child.try_wait() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err("the server did not end within 30 s".to_owned())
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{name}", self.child.id())).unwrap_or_default()
    }

    /// User and system time in seconds. The kernel counts in ticks of 10 ms.
    pub fn cpu_s(&self) -> f64 {
        ticks(&self.file("stat"))
    }

    pub fn written_bytes(&self) -> u64 {
        field(&self.file("io"), "write_bytes:")
    }

    /// Memory now, and the most that it was.
    pub fn rss_mb(&self) -> [u64; 2] {
        let status = self.file("status");
        [field(&status, "VmRSS:") / 1024, field(&status, "VmHWM:") / 1024]
    }

    /// Seconds of each thread that is still there, by name.
    pub fn threads_s(&self) -> Map<String, Value> {
        let mut all = Map::new();
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id())).into_iter().flatten().flatten() {
            let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            let name = stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).map_or("", |(name, _)| name);
            let before = all.get(name).and_then(Value::as_f64).unwrap_or(0.0);
            all.insert(name.to_owned(), json!(before + ticks(&stat)));
        }
        all
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn announced(note: &Path) -> Option<SocketAddr> {
    let note: Value = serde_json::from_str(&std::fs::read_to_string(note).ok()?).ok()?;
    note["url"].as_str()?.strip_prefix("http://")?.trim_end_matches('/').parse().ok()
}

fn ticks(stat: &str) -> f64 {
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn field(text: &str, name: &str) -> u64 {
    let value = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    value.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
