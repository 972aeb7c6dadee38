//! `flowtrace exec-with-limits --memory-bytes N -- program arguments…`: sets limits for itself and becomes the program. The
//! server starts programs of its configuration through this, because limits that somebody else sets come too late, and the
//! place between fork and exec is open to unsafe code only. Not a command for people, so `--help` does not show it.

use rustix::process::{Resource, Rlimit, setrlimit};
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

pub const WORD: &str = "exec-with-limits";

/// As a shell says that a program cannot be started.
const NOT_STARTED: u8 = 127;

/// Returns only where this was not asked for, or failed.
pub fn requested(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.into_iter().skip(1);
    if arguments.next()? != WORD {
        return None;
    }
    let why = match (arguments.next(), arguments.next(), arguments.next(), arguments.next()) {
        (Some(flag), Some(bytes), Some(dashes), Some(program)) if flag == "--memory-bytes" && dashes == "--" => {
            match bytes.to_str().and_then(|bytes| bytes.parse().ok()) {
                Some(bytes) => become_limited(bytes, program, arguments),
                None => "--memory-bytes takes a number".to_owned(),
            }
        }
        _ => format!("{WORD} is used by the server itself"),
    };
    // Goes to the server, which quotes it.
    let _ = writeln!(std::io::stderr(), "flowtrace: {why}");
    Some(ExitCode::from(NOT_STARTED))
}

/// Returns what went wrong.
fn become_limited(bytes: u64, program: OsString, arguments: impl Iterator<Item = OsString>) -> String {
    // Made ready before the limit, which could refuse the memory for it.
    let mut command = Command::new(&program);
    command.args(arguments);
    if let Err(error) = setrlimit(Resource::As, Rlimit { current: Some(bytes), maximum: Some(bytes) }) {
        return format!("the memory of `{}` cannot be limited: {error}", program.display());
    }
    let error = command.exec();
    format!("`{}` cannot be started: {error}", program.display())
}
