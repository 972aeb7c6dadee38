//! `[tools]`, `[mcp.<name>]` and `[process.<name>]`. Both kinds of tools run code of the operator's choice, so this file is the
//! only place where they can be defined.

use flowtrace_adapters::child::Program;
use flowtrace_adapters::secrets::Setting;
use flowtrace_adapters::tool::mcp::{McpSettings, McpTransport};
use flowtrace_adapters::tool::process::{Output, ProcessSettings, Stdin};
use flowtrace_core::tool::{Effect, ToolRules};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

const MCP_TIMEOUT_SECONDS: f64 = 60.0;
const MCP_START_SECONDS: f64 = 30.0;
const MCP_OUTPUT_BYTES: usize = 10_000_000;
const PROCESS_TIMEOUT_SECONDS: f64 = 30.0;
const PROCESS_OUTPUT_BYTES: usize = 1_000_000;
const PROCESS_MEMORY_MB: u64 = 1024;
const PROCESSES_AT_ONCE: usize = 4;
/// Beyond this, a message takes the memory of everybody's runs.
const MOST_OUTPUT_BYTES: usize = 100_000_000;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolsFile {
    /// Names, or beginnings of names and then `*`.
    pub allow: Option<Vec<String>>,
    #[serde(default)]
    pub deny: Vec<String>,
}

/// A server that is a program (`command`), or one that is reached at a `url`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct McpFile {
    pub command: Option<String>,
    #[serde(default)]
    pub args: Vec<String>,
    #[serde(default)]
    pub env: BTreeMap<String, Setting>,
    #[serde(default)]
    pub inherit_env: Vec<String>,
    pub working_dir: Option<PathBuf>,
    /// Absent: no limit, because many runtimes reserve far more than they use.
    pub memory_mb: Option<u64>,
    pub url: Option<String>,
    #[serde(default)]
    pub headers: BTreeMap<String, Setting>,
    pub timeout_seconds: Option<f64>,
    pub start_timeout_seconds: Option<f64>,
    pub max_output_bytes: Option<usize>,
    pub effect: Option<Effect>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessFile {
    pub command: Vec<String>,
    pub description: Option<String>,
    pub stdin: Option<Stdin>,
    pub output: Option<Output>,
    pub timeout_seconds: Option<f64>,
    pub max_output_bytes: Option<usize>,
    /// 0: no limit.
    pub memory_mb: Option<u64>,
    pub working_dir: Option<PathBuf>,
    #[serde(default)]
    pub env: BTreeMap<String, Setting>,
    #[serde(default)]
    pub inherit_env: Vec<String>,
    pub max_concurrent: Option<usize>,
    pub effect: Option<Effect>,
    pub input_schema: Option<serde_json::Value>,
    pub output_schema: Option<serde_json::Value>,
}

/// What became of them.
#[derive(Debug, Default)]
pub struct ToolSettings {
    pub rules: ToolRules,
    pub mcp: Vec<McpSettings>,
    pub processes: Vec<ProcessSettings>,
}

pub fn convert(
    tools: ToolsFile,
    mcp: BTreeMap<String, McpFile>,
    process: BTreeMap<String, ProcessFile>,
) -> Result<ToolSettings, String> {
    Ok(ToolSettings {
        rules: ToolRules { allow: tools.allow, deny: tools.deny },
        mcp: mcp.into_iter().map(|(name, file)| server(name, file)).collect::<Result<_, _>>()?,
        processes: process.into_iter().map(|(name, file)| program(name, file)).collect::<Result<_, _>>()?,
    })
}

fn server(name: String, file: McpFile) -> Result<McpSettings, String> {
    check_name("mcp", &name)?;
    let wrong = |what: &str| format!("[mcp.{name}]: {what}");
    let transport = match (file.command, file.url) {
        (Some(command), None) if !command.is_empty() => {
            if !file.headers.is_empty() {
                return Err(wrong("`headers` belong to a server with a `url`"));
            }
            McpTransport::Stdio(Program {
                command: std::iter::once(command).chain(file.args).collect(),
                env: file.env,
                inherit_env: file.inherit_env,
                directory: file.working_dir,
                memory_bytes: megabytes(file.memory_mb.unwrap_or(0)),
            })
        }
        (None, Some(url)) => {
            let program = !file.args.is_empty() || !file.env.is_empty() || !file.inherit_env.is_empty();
            if program || file.working_dir.is_some() || file.memory_mb.is_some() {
                return Err(wrong(
                    "`args`, `env`, `inherit_env`, `working_dir` and `memory_mb` belong to a server with a `command`",
                ));
            }
            let url = url.parse().map_err(|error| wrong(&format!("`{url}` is not a URL: {error}")))?;
            McpTransport::Http { url, headers: file.headers }
        }
        _ => return Err(wrong("either a `command` (for a program) or a `url` is needed")),
    };
    Ok(McpSettings {
        transport,
        start_timeout: seconds("mcp", &name, "start_timeout_seconds", file.start_timeout_seconds, MCP_START_SECONDS)?,
        timeout: seconds("mcp", &name, "timeout_seconds", file.timeout_seconds, MCP_TIMEOUT_SECONDS)?,
        max_output_bytes: output_bytes("mcp", &name, file.max_output_bytes, MCP_OUTPUT_BYTES)?,
        effect: file.effect,
        name,
    })
}

fn program(name: String, file: ProcessFile) -> Result<ProcessSettings, String> {
    check_name("process", &name)?;
    let timeout = seconds("process", &name, "timeout_seconds", file.timeout_seconds, PROCESS_TIMEOUT_SECONDS)?;
    Ok(ProcessSettings {
        max_output_bytes: output_bytes("process", &name, file.max_output_bytes, PROCESS_OUTPUT_BYTES)?,
        name,
        description: file.description,
        program: Program {
            command: file.command,
            env: file.env,
            inherit_env: file.inherit_env,
            directory: file.working_dir,
            memory_bytes: megabytes(file.memory_mb.unwrap_or(PROCESS_MEMORY_MB)),
        },
        stdin: file.stdin.unwrap_or(Stdin::None),
        output: file.output.unwrap_or(Output::Text),
        timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
        max_concurrent: file.max_concurrent.unwrap_or(PROCESSES_AT_ONCE),
        effect: file.effect.unwrap_or(Effect::SideEffect),
        input_schema: file.input_schema,
        output_schema: file.output_schema,
    })
}

/// The name becomes a part of the name of tools.
fn check_name(section: &str, name: &str) -> Result<(), String> {
    let valid =
        !name.is_empty() && name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if valid {
        return Ok(());
    }
    Err(format!("the name of [{section}.\"{name}\"] may hold letters, digits, `-` and `_` only, 64 at most"))
}

fn seconds(section: &str, name: &str, key: &str, value: Option<f64>, default: f64) -> Result<Duration, String> {
    let value = value.unwrap_or(default);
    if (0.001..=86_400.0).contains(&value) {
        return Ok(Duration::from_secs_f64(value));
    }
    Err(format!("[{section}.{name}]: `{key} = {value}` has to be from 0.001 to 86400"))
}

fn output_bytes(section: &str, name: &str, value: Option<usize>, default: usize) -> Result<usize, String> {
    let value = value.unwrap_or(default);
    if (1..=MOST_OUTPUT_BYTES).contains(&value) {
        return Ok(value);
    }
    Err(format!("[{section}.{name}]: `max_output_bytes = {value}` has to be from 1 to {MOST_OUTPUT_BYTES}"))
}

fn megabytes(count: u64) -> Option<u64> {
    (count > 0).then(|| count.saturating_mul(1_000_000))
}
