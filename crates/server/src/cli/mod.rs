//! The command line: one file for each command. All but `validate` and `migrate` speak the HTTP API, to the server that
//! holds the data directory or to one that they start inside themselves.

pub mod args;
mod client;
mod migrate;
mod out;
mod run;
mod runs;
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
        Command::Serve(arguments) => asynchronously("info", serve::run(arguments)),
        Command::Run(arguments) => asynchronously("error", run::run(arguments)),
        Command::Runs(arguments) => asynchronously("error", runs::run(arguments)),
        Command::Trace(arguments) => asynchronously("error", trace::run(arguments)),
    };
    outcome.unwrap_or_else(|failed| {
        out::error(&failed.sentence);
        ExitCode::from(failed.code)
    })
}

fn asynchronously(log_level: &str, command: impl Future<Output = Outcome>) -> Outcome {
    log(log_level);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no threads to work with: {error}"))?;
    let outcome = runtime.block_on(command);
    // A blocking read of standard input must not keep the process alive.
    runtime.shutdown_background();
    outcome
}

/// The log goes to standard error; `FLOWTRACE_LOG` filters it, for instance `debug` or `flowtrace_engine=trace`.
fn log(usual: &str) {
    use tracing_subscriber::EnvFilter;
    let filter = std::env::var("FLOWTRACE_LOG").ok().and_then(|text| EnvFilter::try_new(text).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new(usual));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second subscriber exists only in tests.
    let _ = match std::env::var("FLOWTRACE_LOG_FORMAT").as_deref() {
        Ok("json") => builder.json().try_init(),
        _ => builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).compact().try_init(),
    };
}
