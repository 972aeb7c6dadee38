//! `process.<name>`: a program of the operator's configuration file. Running one is executing code on the server's machine, so
//! there is no other way to define one: not through the API, not in a document.

#[cfg(test)]
mod tests;

use super::refuse;
use crate::child::{Launcher, Program, Running, Tail, ending};
use crate::secrets::Secrets;
use flowtrace_core::answer::Validator;
use flowtrace_core::call::ToolCall;
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::tool::Effect;
use flowtrace_core::value::{MAX_DEPTH, deeper_than, type_name};
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::provider::CallContext;
use flowtrace_engine::port::tool::Tool;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;

/// What may still come out of the pipes after the program has ended and its group was killed: somebody outside of the group may
/// hold them open.
const DRAIN: Duration = Duration::from_secs(1);

/// `[process.<name>]` of the configuration file.
#[derive(Clone, Debug)]
pub struct ProcessSettings {
    /// The tool is called `process.<name>`.
    pub name: String,
    pub description: Option<String>,
    /// `{input}` in an argument stands for an input of the call, as text. It never becomes more than one argument.
    pub program: Program,
    pub stdin: Stdin,
    pub output: Output,
    /// The most bytes of standard output; more is a failure.
    pub max_output_bytes: usize,
    pub timeout_ms: u64,
    /// Programs of this tool that run at once; more calls wait, within their timeouts.
    pub max_concurrent: usize,
    pub effect: Effect,
    /// JSON Schemas, where the operator wrote them.
    pub input_schema: Option<Value>,
    pub output_schema: Option<Value>,
}

/// What the program reads from standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stdin {
    /// Nothing.
    None,
    /// All inputs, as a JSON object on one line.
    Json,
    /// The input `stdin`, as text.
    Text,
}

/// What standard output holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    Text,
    Json,
}

pub struct Process {
    name: String,
    description: String,
    settings: ProcessSettings,
    command: Vec<Vec<Part>>,
    input_schema: Value,
    input: Validator,
    output: Option<Validator>,
    permits: Semaphore,
    secrets: Arc<dyn Secrets>,
    launcher: Option<Launcher>,
}

/// A piece of an argument.
#[derive(Debug, PartialEq)]
enum Part {
    Text(String),
    Input(String),
}

impl Process {
    /// The error is a sentence about the configuration.
    pub fn new(settings: ProcessSettings, secrets: Arc<dyn Secrets>, launcher: Option<Launcher>) -> Result<Self, String> {
        let wrong = |what: &str| format!("[process.{}]: {what}", settings.name);
        let Some(program) = settings.program.command.first().filter(|program| !program.is_empty()) else {
            return Err(wrong("`command` has to name a program"));
        };
        let command: Vec<Vec<Part>> = settings.program.command.iter().map(|argument| parts(argument)).collect();
        if !matches!(&command[0][..], [Part::Text(_)]) {
            return Err(wrong(&format!("the program `{program}` has to be written out: an input cannot choose it")));
        }
        if settings.max_concurrent == 0 || settings.timeout_ms == 0 || settings.max_output_bytes == 0 {
            return Err(wrong("`max_concurrent`, `timeout_seconds` and `max_output_bytes` have to be more than 0"));
        }
        let needed: Vec<&str> = command
            .iter()
            .flatten()
            .filter_map(|part| match part {
                Part::Input(name) => Some(name.as_str()),
                Part::Text(_) => None,
            })
            .chain((settings.stdin == Stdin::Text).then_some("stdin"))
            .collect();
        let input_schema = settings.input_schema.clone().unwrap_or_else(|| {
            let text = json!({"type": ["string", "number", "boolean"]});
            let properties: Map<String, Value> = needed.iter().map(|name| ((*name).to_owned(), text.clone())).collect();
            json!({
                "type": "object", "properties": properties, "required": needed,
                "additionalProperties": settings.stdin == Stdin::Json
            })
        });
        let input = Validator::compile(&input_schema).map_err(|why| wrong(&format!("`input_schema` cannot be used: {why}")))?;
        let output = match &settings.output_schema {
            Some(schema) => {
                Some(Validator::compile(schema).map_err(|why| wrong(&format!("`output_schema` cannot be used: {why}")))?)
            }
            None => None,
        };
        Ok(Process {
            name: format!("process.{}", settings.name),
            description: settings.description.clone().unwrap_or_else(|| format!("Runs the program `{program}` on the server.")),
            command,
            input_schema,
            input,
            output,
            permits: Semaphore::new(settings.max_concurrent.min(Semaphore::MAX_PERMITS)),
            settings,
            secrets,
            launcher,
        })
    }

    async fn run(&self, call: &ToolCall) -> Result<Value, Failure> {
        let name = &self.name;
        if call.config.as_object().is_some_and(|config| !config.is_empty()) {
            return Err(refuse(format!("The tool `{name}` takes no config; its values are inputs.")));
        }
        self.input.check(&call.inputs).map_err(|why| refuse(format!("The inputs of the tool `{name}` do not fit: {why}.")))?;
        let arguments = self.command.iter().map(|parts| self.fill(parts, &call.inputs)).collect::<Result<Vec<_>, _>>()?;
        let feed = match self.settings.stdin {
            Stdin::None => Vec::new(),
            Stdin::Json => format!("{}\n", call.inputs).into_bytes(),
            Stdin::Text => self.text("stdin", &call.inputs)?.into_bytes(),
        };
        // Closed never, so this cannot fail.
        let _permit = self.permits.acquire().await;
        let what = format!("The tool `{name}`");
        let mut running = self.settings.program.start(&what, &arguments, &*self.secrets, self.launcher.as_ref())?;
        let outcome = self.attend(&mut running, feed).await;
        running.kill();
        outcome
            .and_then(|bytes| self.output(bytes))
            .map(|value| running.redactor.value(value))
            .map_err(|failure| running.redactor.failure(failure))
    }

    /// Feeds the program, reads what it writes, and waits for its end.
    async fn attend(&self, running: &mut Running, feed: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let (stdin, stdout, stderr) = (running.child.stdin.take(), running.child.stdout.take(), running.child.stderr.take());
        let (tail, mut collected) = (Tail::default(), Vec::new());
        let status = {
            let talk = async {
                let feed = async {
                    if let Some(mut stdin) = stdin {
                        // A program that does not read to the end has read what it needs.
                        let _ = stdin.write_all(&feed).await;
                    }
                    Ok(())
                };
                let read = async {
                    match stdout {
                        Some(stdout) => self.collect(stdout, &mut collected).await,
                        None => Ok(()),
                    }
                };
                let listen = async {
                    if let Some(stderr) = stderr {
                        tail.follow(stderr).await;
                    }
                    Ok(())
                };
                futures::future::try_join3(feed, read, listen).await.map(|_| ())
            };
            tokio::pin!(talk);
            let wait_failed = |error: std::io::Error| {
                Failure::new(FailureCode::Internal, format!("The end of the tool `{}` cannot be awaited: {error}.", self.name))
            };
            tokio::select! {
                talked = &mut talk => {
                    talked?;
                    running.child.wait().await.map_err(wait_failed)?
                }
                status = running.child.wait() => {
                    let status = status.map_err(wait_failed)?;
                    // What it left running holds the pipes open.
                    running.kill();
                    if let Ok(talked) = tokio::time::timeout(DRAIN, &mut talk).await {
                        talked?;
                    }
                    status
                }
            }
        };
        if !status.success() {
            let limit = match self.settings.program.memory_bytes {
                Some(bytes) if status.code().is_none() => format!(" It may use {} MB of memory.", bytes / 1_000_000),
                _ => String::new(),
            };
            return Err(refuse(format!("The tool `{}` ended {}.{limit}{}", self.name, ending(status), tail.sentence())));
        }
        Ok(collected)
    }

    async fn collect(&self, mut stdout: impl AsyncRead + Unpin, collected: &mut Vec<u8>) -> Result<(), Failure> {
        let limit = self.settings.max_output_bytes;
        let mut piece = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = stdout.read(&mut piece).await {
            if collected.len() + count > limit {
                let message = format!(
                    "The tool `{}` wrote more than {limit} bytes and was ended. Its operator can raise `max_output_bytes`.",
                    self.name
                );
                return Err(Failure::new(FailureCode::TooLarge, message));
            }
            collected.extend_from_slice(&piece[..count]);
        }
        Ok(())
    }

    fn output(&self, bytes: Vec<u8>) -> Result<Value, Failure> {
        let name = &self.name;
        let text = String::from_utf8(bytes).map_err(|_| {
            refuse(format!("The tool `{name}` wrote bytes that are not UTF-8 text; let it write text, or base64."))
        })?;
        let value = match self.settings.output {
            Output::Text => Value::String(text),
            Output::Json => serde_json::from_str(&text)
                .map_err(|error| refuse(format!("The tool `{name}` did not write JSON: {error}.")))
                .and_then(|value| match deeper_than(&value, MAX_DEPTH) {
                    true => Err(refuse(format!("The tool `{name}` wrote JSON that is nested more than {MAX_DEPTH} deep."))),
                    false => Ok(value),
                })?,
        };
        if let Some(validator) = &self.output {
            validator
                .check(&value)
                .map_err(|why| refuse(format!("What the tool `{name}` wrote does not fit its schema: {why}.")))?;
        }
        Ok(value)
    }

    fn fill(&self, parts: &[Part], inputs: &Value) -> Result<String, Failure> {
        let mut argument = String::new();
        for part in parts {
            match part {
                Part::Text(text) => argument.push_str(text),
                Part::Input(name) => argument.push_str(&self.text(name, inputs)?),
            }
        }
        if argument.contains('\0') {
            return Err(refuse(format!("An argument of the tool `{}` holds a NUL character, which no argument can.", self.name)));
        }
        Ok(argument)
    }

    /// An input as text: texts as they are, numbers and booleans as JSON writes them.
    fn text(&self, name: &str, inputs: &Value) -> Result<String, Failure> {
        match inputs.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
            Some(other) => Err(refuse(format!(
                "The input `{name}` of the tool `{}` is {}; it has to be a text, a number or a boolean.",
                self.name,
                type_name(other)
            ))),
            None => Err(refuse(format!("The tool `{}` needs the input `{name}`.", self.name))),
        }
    }
}

/// `--lines={count}` is a text and an input. Braces around anything but a name are text.
fn parts(argument: &str) -> Vec<Part> {
    let is_name = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = argument;
    while let Some(open) = rest.find('{') {
        let after = &rest[open + 1..];
        match after.find('}').map(|close| (&after[..close], &after[close + 1..])) {
            Some((name, behind)) if is_name(name) => {
                text.push_str(&rest[..open]);
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                parts.push(Part::Input(name.to_owned()));
                rest = behind;
            }
            _ => {
                text.push_str(&rest[..=open]);
                rest = after;
            }
        }
    }
    text.push_str(rest);
    if !text.is_empty() || parts.is_empty() {
        parts.push(Part::Text(text));
    }
    parts
}

impl Tool for Process {
    fn name(&self) -> &str {
        &self.name
    }

    fn description(&self) -> &str {
        &self.description
    }

    fn config_schema(&self) -> Value {
        json!({"type": "object", "properties": {}, "required": [], "additionalProperties": false})
    }

    fn input_schema(&self) -> Value {
        self.input_schema.clone()
    }

    fn output_schema(&self) -> Value {
        match (&self.settings.output_schema, self.settings.output) {
            (Some(schema), _) => schema.clone(),
            (None, Output::Text) => json!({"type": "string"}),
            (None, Output::Json) => json!({}),
        }
    }

    fn effect(&self, _config: &Value) -> Effect {
        self.settings.effect
    }

    fn is_remote(&self) -> bool {
        false
    }

    fn timeout_ms(&self) -> Option<u64> {
        Some(self.settings.timeout_ms)
    }

    fn call<'a>(&'a self, call: &'a ToolCall, context: &'a CallContext) -> BoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            let limit = self.settings.timeout_ms.min(context.timeout_ms);
            let whose = match limit < context.timeout_ms {
                true => "its operator can raise `timeout_seconds`",
                false => "raise the node's `timeoutSeconds`",
            };
            // Dropping the run kills the group.
            tokio::time::timeout(Duration::from_millis(limit), self.run(call)).await.unwrap_or_else(|_| {
                let message = format!(
                    "The tool `{}` was not done within {limit} ms and was ended. If that is too short, {whose}.",
                    self.name
                );
                Err(Failure::new(FailureCode::Timeout, message))
            })
        })
    }
}
