//! `flowtrace migrate`

use super::args::Migrate;
use super::{Outcome, out};
use crate::config;
use flowtrace_adapters::store::sqlite;
use std::process::ExitCode;

pub fn run(arguments: Migrate) -> Outcome {
    let data = config::data_directory(&arguments.common)?;
    let applied = sqlite::migrate(&data).map_err(|error| error.to_string())?;
    match applied.as_slice() {
        [] => out::line(format!("{} is up to date", data.display())),
        names => out::line(format!("{} is up to date now: applied {}", data.display(), names.join(", "))),
    }
    Ok(ExitCode::SUCCESS)
}
