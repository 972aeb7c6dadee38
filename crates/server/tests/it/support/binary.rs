//! Starts the binary, and never leaves it behind.

use super::api::Api;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Nothing here takes this long unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// The binary with a clean environment.
pub fn flowtrace(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowtrace"));
    for (name, _) in std::env::vars() {
        if ["FLOWTRACE_", "OPENAI_", "ANTHROPIC_"].iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
        .args(arguments)
        .env("FLOWTRACE_DATA", data)
        .env("FLOWTRACE_SECRET_KEY_FILE", key_file(data))
        .current_dir(data.ancestors().skip(1).find(|path| path.is_dir()).unwrap())
        .stdin(Stdio::null());
    command
}

/// Where the binary under test keeps the key of secrets: beside the data directory, and gone with it.
pub fn key_file(data: &Path) -> PathBuf {
    data.with_file_name("secret-keys").join("secret.key")
}

/// The binary with the data directory on a file system of its own: a small one in memory, mounted where only the process
/// sees it. `None` on machines that do not let users do so.
#[cfg(target_os = "linux")]
pub fn on_file_system(data: &Path, mount: &str, arguments: &[&str]) -> Option<Command> {
    let parent = data.parent().unwrap();
    let usable = Command::new("unshare").args(["-Urm", "mount", "-t", "tmpfs", "none"]).arg(parent).status();
    if !usable.is_ok_and(|status| status.success()) {
        return None;
    }
    let inner = flowtrace(data, arguments);
    let mut command = Command::new("unshare");
    command.args(["-Urm", "sh", "-c", &format!("{mount} && exec \"$@\"")]);
    // The mount's script has the directory as `$0`.
    command.arg(parent).arg(inner.get_program()).args(inner.get_args()).stdin(Stdio::null());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Some(command)
}

/// A command that ran to its end.
pub struct Finished {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a command to its end.
#[track_caller]
pub fn finish(mut command: Command) -> Finished {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let read = |stream: &mut dyn Read| {
        let mut text = String::new();
        stream.read_to_string(&mut text).map(|_| text).unwrap_or_default()
    };
    let reader = std::thread::spawn(move || read(&mut stderr));
    let watched = Watched(child);
    let stdout = read(&mut stdout);
    let status = watched.wait(&format!("{command:?}"));
    Finished { code: status.code(), stdout, stderr: reader.join().unwrap() }
}

/// A child that is killed when the test ends in any way.
pub struct Watched(pub Child);

impl Watched {
    #[track_caller]
    pub fn wait(mut self, what: &str) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "still running after {PATIENCE:?}: {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server and kills it after a time, whether it is ready by then or not.
#[track_caller]
pub fn kill_while_starting(mut command: Command, after: Duration) {
    let child = Watched(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    std::thread::sleep(after);
    drop(child);
}

/// A running `flowtrace serve`.
pub struct Server {
    child: Option<Watched>,
    pub url: String,
    /// What it printed on standard output until it was ready, and on standard error until now.
    pub banner: String,
    pub log: Arc<Mutex<String>>,
    pub data: PathBuf,
    /// Removed with the last server on it.
    directory: Arc<TempDir>,
}

impl Server {
    /// On a fresh data directory, with simulated models.
    #[track_caller]
    pub fn simulated() -> Server {
        Server::with(&["--simulate"])
    }

    #[track_caller]
    pub fn with(arguments: &[&str]) -> Server {
        Server::on(Arc::new(tempfile::tempdir().unwrap()), arguments, |_| {})
    }

    #[track_caller]
    pub fn on(directory: Arc<TempDir>, arguments: &[&str], adjust: impl FnOnce(&mut Command)) -> Server {
        let mut command = flowtrace(&directory.path().join("data"), &["serve"]);
        command.env("FLOWTRACE_LISTEN", "127.0.0.1:0").args(arguments);
        adjust(&mut command);
        Server::from(command, directory)
    }

    /// What the command becomes has to be `flowtrace serve` on `data` in the directory.
    #[track_caller]
    pub fn from(mut command: Command, directory: Arc<TempDir>) -> Server {
        let data = directory.path().join("data");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let child = Watched(child);
        let log = Arc::new(Mutex::new(String::new()));
        let sink = log.clone();
        std::thread::spawn(move || {
            let mut line = String::new();
            while stderr.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
                sink.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        // The banner is printed at once, and it ends with the line on models, tokens or runs.
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines() {
                let Ok(line) = line else { break };
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let mut banner = String::new();
        while let Ok(line) = receive.recv_timeout(match banner.contains("models") {
            true => Duration::from_millis(20),
            false => PATIENCE,
        }) {
            banner.push_str(&line);
            banner.push('\n');
        }
        let url = banner.lines().find_map(|line| line.split_once(" is ready at ")).map(|(_, url)| url.to_owned());
        let url = url.unwrap_or_else(|| panic!("the server did not start: {command:?}\n{banner}\n{}", log.lock().unwrap()));
        Server { child: Some(child), url, banner, log, data, directory }
    }

    pub fn api(&self) -> Api {
        Api::new(&self.url)
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().0.id()
    }

    /// SIGKILL, as a crash.
    pub fn kill(mut self) -> Arc<TempDir> {
        drop(self.child.take());
        self.directory.clone()
    }

    /// SIGTERM, and the wait for the end.
    #[track_caller]
    pub fn stop(mut self) -> (Arc<TempDir>, ExitStatus) {
        signal(self.pid(), "TERM");
        let status = self.child.take().unwrap().wait("flowtrace serve after SIGTERM");
        (self.directory.clone(), status)
    }
}

#[track_caller]
pub fn signal(pid: u32, name: &str) {
    assert!(Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().unwrap().success());
}
