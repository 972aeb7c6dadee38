//! `flowtrace validate`: needs no server and no data directory, because checking is a pure function.

use super::args::Validate;
use super::{FAILED, Failed, INVALID, Outcome, out};
use crate::cli::args::{CommonArgs, EngineArgs};
use crate::config::Config;
use crate::deployment;
use flowtrace_core::check::{check, lint};
use flowtrace_core::document::MAX_DOCUMENT_BYTES;
use flowtrace_core::problem::Problem;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

pub fn run(arguments: Validate) -> Outcome {
    let text = read(&arguments.file)?;
    let common = CommonArgs { config: arguments.config, ..CommonArgs::default() };
    let config = Config::load(&common, &EngineArgs::default(), None)?;
    let (tools, _) = deployment::tools(&config, deployment::environment())?;
    let catalog = deployment::catalog(&tools, config.providers.iter().map(|provider| provider.name.as_str()));
    let problems = check(text.as_bytes(), &catalog).err().unwrap_or_default();
    let warnings = lint::lint(text.as_bytes(), &catalog);
    let items = |found: Vec<Problem>| found.iter().map(|problem| json!(problem)).collect();
    report(&arguments.file, &text, items(problems), items(warnings), arguments.json)
}

/// Prints what is wrong with a document and what is odd about it, and ends the command accordingly. Warnings do no harm.
pub fn report(file: &Path, text: &str, problems: Vec<Value>, warnings: Vec<Value>, as_json: bool) -> Outcome {
    let with_lines = |items: Vec<Value>| -> Vec<Value> {
        items
            .into_iter()
            .map(|mut item| {
                item["line"] = json!(item["pointer"].as_str().and_then(|pointer| line_of(text, pointer)));
                item
            })
            .collect()
    };
    let (problems, warnings) = (with_lines(problems), with_lines(warnings));
    if as_json {
        out::line(json!({"valid": problems.is_empty(), "problems": problems, "warnings": warnings}));
    } else {
        problems.iter().for_each(|problem| out::line(sentence(file, "", problem)));
        warnings.iter().for_each(|warning| out::line(sentence(file, "warning: ", warning)));
        let count = |count: usize, what: &str| if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") };
        out::line(match (problems.len(), warnings.len()) {
            (0, 0) => format!("{} is valid", file.display()),
            (0, some) => format!("{} is valid, with {}", file.display(), count(some, "warning")),
            (some, 0) => count(some, "problem"),
            (some, more) => format!("{}, {}", count(some, "problem"), count(more, "warning")),
        });
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(INVALID) })
}

fn sentence(file: &Path, kind: &str, item: &Value) -> String {
    let string = |key: &str| item[key].as_str().unwrap_or_default();
    let place = item["line"].as_u64().map_or_else(String::new, |line| format!(":{line}"));
    let pointer = if string("pointer").is_empty() { String::new() } else { format!("{}: ", string("pointer")) };
    let suggestion = if string("suggestion").is_empty() { String::new() } else { format!(" ({})", string("suggestion")) };
    out::harmless(&format!("{}{place}: {kind}{pointer}{}{suggestion}", file.display(), string("message")))
}

/// The text of a document; `-` is standard input.
pub fn read(file: &Path) -> Result<String, Failed> {
    let wrong = |what: String| Failed { sentence: format!("{} cannot be read: {what}", file.display()), code: FAILED };
    let mut bytes = Vec::new();
    // One byte more than is allowed tells that there is more.
    let limit = MAX_DOCUMENT_BYTES as u64 + 1;
    let read = match file == Path::new("-") {
        true => std::io::stdin().take(limit).read_to_end(&mut bytes),
        false => std::fs::File::open(file).and_then(|file| file.take(limit).read_to_end(&mut bytes)),
    };
    read.map_err(|error| wrong(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| Failed { code: INVALID, ..wrong("it is not UTF-8 text".to_owned()) })
}

/// The line, from 1, on which the value begins that a JSON Pointer leads to.
fn line_of(text: &str, pointer: &str) -> Option<usize> {
    let mut here: &RawValue = serde_json::from_str(text).ok()?;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        here = if here.get().starts_with('[') {
            *serde_json::from_str::<Vec<&RawValue>>(here.get()).ok()?.get(token.parse::<usize>().ok()?)?
        } else {
            // A missing value is shown where it is missing.
            match serde_json::from_str::<HashMap<String, &RawValue>>(here.get()).ok()?.get(&token) {
                Some(value) => value,
                None => break,
            }
        };
    }
    // The raw values borrow from the text, so their place in it is the difference of the addresses.
    let offset = here.get().as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    Some(text.get(..offset)?.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_leads_to_a_line() {
        let text = "{\n  \"nodes\": [\n    {\"id\": \"a\"},\n    {\n      \"id\": \"b\",\n      \"c/d\": 1\n    }\n  ]\n}";
        for (pointer, line) in [
            ("", Some(1)),
            ("/nodes", Some(2)),
            ("/nodes/0/id", Some(3)),
            ("/nodes/1", Some(4)),
            ("/nodes/1/id", Some(5)),
            ("/nodes/1/c~1d", Some(6)),
            ("/nodes/1/config", Some(4)),
            ("/entry", Some(1)),
            ("/nodes/7", None),
        ] {
            assert_eq!(line_of(text, pointer), line, "{pointer}");
        }
        assert_eq!(line_of("{not json", ""), None);
    }
}
