//! The log goes to standard error, without the secrets that this server knows; `FLOWTRACE_LOG` filters it, for instance `debug` or
//! `flowtrace_engine=trace`.

use flowtrace_adapters::redactor::Known;
use std::io::Write;
use std::sync::LazyLock;
use tracing_subscriber::EnvFilter;

/// The secrets that this process knows.
pub static KNOWN: LazyLock<Known> = LazyLock::new(Known::default);

/// `usual` is the filter where nobody set one.
pub fn start(usual: &str) {
    let filter = std::env::var("FLOWTRACE_LOG").ok().and_then(|text| EnvFilter::try_new(text).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new(usual));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Clean);
    // A second subscriber exists only in tests.
    let _ = match std::env::var("FLOWTRACE_LOG_FORMAT").as_deref() {
        Ok("json") => builder.json().try_init(),
        _ => builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).compact().try_init(),
    };
}

struct Clean;

/// The subscriber writes each event at once, so no secret is cut between two writes.
impl Write for Clean {
    fn write(&mut self, event: &[u8]) -> std::io::Result<usize> {
        let redactor = KNOWN.redactor();
        // A log that cannot be written (its disk is full, nobody reads the pipe any more) is no reason to answer nobody: the subscriber would
        // complain about it where it cannot be written either, and panic.
        let _ = match redactor.is_empty() {
            true => std::io::stderr().write_all(event),
            false => std::io::stderr().write_all(&redactor.bytes(event.to_vec())),
        };
        Ok(event.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
