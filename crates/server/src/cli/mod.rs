//! The command line: one file for each command. All but `validate` and `migrate` speak the HTTP API, to the server that
//! holds the data directory or to one that they start inside themselves.

pub mod args;
mod client;
mod keys;
mod migrate;
mod out;
mod progress;
mod run;
mod runs;
mod secrets;
mod serve;
mod sse;
mod trace;
mod validate;

use args::{Cli, Command};
use std::process::ExitCode;

/// Nothing is wrong with the input, but it could not be done.
pub const FAILED: u8 = 1;
/// The input is not valid.
pub const INVALID: u8 = 2;

/// Why a command ended badly: a sentence for standard error, and the exit code.
pub struct Failed {
    pub sentence: String,
    pub code: u8,
}

impl From<String> for Failed {
    fn from(sentence: String) -> Self {
        Failed { sentence, code: FAILED }
    }
}

pub type Outcome = Result<ExitCode, Failed>;

pub fn run(cli: Cli) -> ExitCode {
    let outcome = match cli.command {
        Command::Validate(arguments) => validate::run(arguments),
        Command::Migrate(arguments) => migrate::run(arguments),
        Command::Serve(arguments) => asynchronously("info,refinery_core=warn,rmcp=warn", serve::run(arguments)),
        Command::Run(arguments) => asynchronously("error", run::run(arguments)),
        Command::Runs(arguments) => asynchronously("error", runs::run(arguments)),
        Command::Trace(arguments) => asynchronously("error", trace::run(arguments)),
        Command::Secrets(arguments) => asynchronously("error", secrets::run(arguments)),
        Command::Keys(arguments) => asynchronously("error", keys::run(arguments)),
    };
    outcome.unwrap_or_else(|failed| {
        out::error(&failed.sentence);
        ExitCode::from(failed.code)
    })
}

fn asynchronously(log_level: &str, command: impl Future<Output = Outcome>) -> Outcome {
    crate::log::start(log_level);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no threads to work with: {error}"))?;
    let outcome = runtime.block_on(command);
    // A blocking read of standard input must not keep the process alive.
    runtime.shutdown_background();
    outcome
}

/// The token that a client sends: given, or in a file. Absent, the one that a server left in the data directory is tried.
fn token(arguments: &args::TokenArgs) -> Result<Option<String>, String> {
    match (&arguments.token, &arguments.token_file) {
        (Some(token), _) => Ok(Some(token.trim().to_owned())),
        (None, Some(path)) => match std::fs::read_to_string(path) {
            Ok(token) => Ok(Some(token.trim().to_owned())),
            Err(error) => Err(format!("the token file {} cannot be read: {error}", path.display())),
        },
        (None, None) => Ok(None),
    }
}

/// A piece of a URL.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// Waits for the first signal to stop; a second one ends the process at once.
fn stop_signal() -> Result<impl Future<Output = ()>, String> {
    let failed = |error: std::io::Error| format!("signals cannot be received: {error}");
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        Ok(async move {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            tokio::spawn(async move {
                tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
                std::process::exit(130);
            });
        })
    }
    #[cfg(not(unix))]
    {
        let _ = failed;
        Ok(async {
            let _ = tokio::signal::ctrl_c().await;
        })
    }
}
