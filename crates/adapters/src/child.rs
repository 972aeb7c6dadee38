//! Programs that the operator's configuration names: the `process` tools and the MCP servers on standard input and output.
//!
//! A program is started without a shell, with the environment that was allowed and nothing else, and in a process group of its
//! own. The group is killed with whoever started it. If FlowTrace itself is killed (`kill -9`), nobody is left to do that: the
//! program finds its pipes closed, and one that does not care goes on until it ends by itself.

use crate::secrets::{Redactor, Secrets, Setting, resolve_settings};
use flowtrace_core::failure::{Failure, FailureCode};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

/// What every program gets of the server's environment, where it is set: what most programs need to find others, a home and
/// a language.
pub const ALWAYS_INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

/// How much of the end of standard error is kept for messages, in bytes.
const TAIL_BYTES: usize = 4096;
const TAIL_CHARS: usize = 2000;

/// A program and the conditions under which it runs.
#[derive(Clone, Debug)]
pub struct Program {
    /// The program and its arguments; has at least one entry.
    pub command: Vec<String>,
    pub env: BTreeMap<String, Setting>,
    /// Variables of the server's environment that are passed on, besides [`ALWAYS_INHERITED`].
    pub inherit_env: Vec<String>,
    /// Where it runs; absent: where the server was started.
    pub directory: Option<PathBuf>,
    /// The largest address space of each of its processes.
    pub memory_bytes: Option<u64>,
}

/// A command that sets limits for itself and then becomes another program: `<launcher…> --memory-bytes <n> -- <program…>`. Limits
/// that are set from outside would come after the program has begun, and setting them between fork and exec needs unsafe code.
#[derive(Clone, Debug)]
pub struct Launcher(pub Vec<OsString>);

/// A started program. Dropping it kills the whole group.
pub struct Running {
    pub child: Child,
    group: Option<i32>,
    pub redactor: Redactor,
}

impl Program {
    /// Starts it with pipes for all three streams. `what` begins the sentence of a failure, such as "The tool `process.jq`".
    pub fn start(
        &self,
        what: &str,
        arguments: &[String],
        secrets: &dyn Secrets,
        launcher: Option<&Launcher>,
    ) -> Result<Running, Failure> {
        let (env, redactor) = resolve_settings(secrets, &self.env)?;
        let mut command = match (self.memory_bytes, launcher) {
            (None, _) => {
                let mut command = Command::new(&arguments[0]);
                command.args(&arguments[1..]);
                command
            }
            (Some(bytes), Some(Launcher(parts))) if !parts.is_empty() => {
                let mut command = Command::new(&parts[0]);
                command.args(&parts[1..]).arg("--memory-bytes").arg(bytes.to_string()).arg("--").args(arguments);
                command
            }
            (Some(_), _) => {
                let message = format!("{what} has a memory limit, which cannot be set on this system. Set `memory_mb = 0`.");
                return Err(Failure::new(FailureCode::NotConfigured, message));
            }
        };
        command.env_clear();
        for name in ALWAYS_INHERITED.into_iter().chain(self.inherit_env.iter().map(String::as_str)) {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.envs(env).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn().map_err(|error| {
            let place = self.directory.as_ref().map(|d| format!(" in {}", d.display())).unwrap_or_default();
            let message = format!(
                "{what} could not be started: `{}`{place} failed with: {error}. Its operator has to correct `command` or \
                 `working_dir` in the configuration file.",
                arguments[0]
            );
            Failure::new(FailureCode::NotConfigured, message)
        })?;
        let group = child.id().and_then(|id| i32::try_from(id).ok());
        Ok(Running { child, group, redactor })
    }
}

impl Running {
    /// Ends every process of the group at once.
    pub fn kill(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self.group.take().and_then(rustix::process::Pid::from_raw) {
            // Fails only where nobody is left.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.start_kill();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The end of what a program writes to standard error.
#[derive(Clone, Default)]
pub struct Tail(Arc<Mutex<Vec<u8>>>);

impl Tail {
    /// Reads to the end, so that the program never waits for a reader, and keeps the last part.
    pub async fn follow(&self, mut stream: impl AsyncRead + Unpin) {
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut piece).await {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend_from_slice(&piece[..count]);
            let surplus = kept.len().saturating_sub(TAIL_BYTES);
            kept.drain(..surplus);
        }
    }

    /// ` Its standard error ends: …`, or nothing where it is empty.
    pub fn sentence(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&kept);
        let text = text.trim();
        let skipped = text.chars().count().saturating_sub(TAIL_CHARS);
        let end: String = text.chars().skip(skipped).collect();
        if end.is_empty() { String::new() } else { format!(" Its standard error ends: {end}") }
    }
}

/// How a program ended, in words: `with exit code 3`, `by signal 9`.
pub fn ending(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("by signal {signal}");
    }
    match status.code() {
        Some(code) => format!("with exit code {code}"),
        None => "in an unknown way".to_owned(),
    }
}
