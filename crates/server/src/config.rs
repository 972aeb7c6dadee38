//! What the operator decides: flags, `FLOWTRACE_*` variables and `flowtrace.toml`, in this order of precedence.
//!
//! `docs/configuration.md` lists all of it; a test compares.

mod secrets;
mod tools;

pub use self::secrets::ProviderKey;
use crate::boundary::Token;
use crate::cli::args::{CommonArgs, EngineArgs, ServeArgs};
use flowtrace_adapters::guard::HostPort;
use flowtrace_adapters::provider::{ApiKey, Kind, MaxTokensField, ProviderSettings};
use flowtrace_core::event::Limits;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
pub use tools::{McpFile, ProcessFile, ToolSettings, ToolsFile};

pub const DEFAULT_LISTEN: &str = "127.0.0.1:7878";
pub const DEFAULT_DATA: &str = "./flowtrace-data";
pub const DEFAULT_FILE: &str = "flowtrace.toml";
const DEFAULT_ACTIVE_RUNS: usize = 1000;

/// `flowtrace.toml`. Unknown keys are errors, because a misspelt limit would be no limit.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub listen: Option<String>,
    pub data: Option<PathBuf>,
    pub token_file: Option<PathBuf>,
    pub secret_key_file: Option<PathBuf>,
    /// Names under which the server is reached, besides its address and `localhost`.
    #[serde(default)]
    pub hosts: Vec<String>,
    pub simulate: Option<bool>,
    pub demo: Option<bool>,
    #[serde(default)]
    pub outbound: OutboundFile,
    #[serde(default)]
    pub limits: LimitsFile,
    #[serde(default)]
    pub providers: BTreeMap<String, ProviderFile>,
    /// By provider, then by model.
    #[serde(default)]
    pub prices: BTreeMap<String, BTreeMap<String, PriceFile>>,
    /// `"provider/model" = "provider/model"`, or `false` for none.
    #[serde(default)]
    pub equivalence: BTreeMap<String, StandIn>,
    #[serde(default)]
    pub retention: RetentionFile,
    pub export: Option<ExportFile>,
    /// What workflows read as `config.<name>`.
    #[serde(default)]
    pub variables: serde_json::Map<String, serde_json::Value>,
    #[serde(default)]
    pub tools: ToolsFile,
    /// MCP servers by name.
    #[serde(default)]
    pub mcp: BTreeMap<String, McpFile>,
    /// Programs that are tools, by name.
    #[serde(default)]
    pub process: BTreeMap<String, ProcessFile>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionFile {
    /// Days after which traces go; 0 keeps them for ever.
    pub days: Option<u32>,
}

/// Where every span is sent on to, as OTLP over HTTP.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportFile {
    /// The whole URL, for instance `http://localhost:4318/v1/traces`.
    pub endpoint: String,
    #[serde(default)]
    pub protocol: Protocol,
    #[serde(default)]
    pub compression: Compression,
    /// Header names, and the environment variables that hold their values.
    #[serde(default)]
    pub headers_env: BTreeMap<String, String>,
    /// Only the engine's own runs.
    #[serde(default)]
    pub runs_only: bool,
}

/// The form of the bodies, by the words of OpenTelemetry's own exporters.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub enum Protocol {
    /// What every backend takes.
    #[default]
    #[serde(rename = "http/protobuf")]
    Protobuf,
    #[serde(rename = "http/json")]
    Json,
}

/// How the bodies are packed, by the words of OpenTelemetry's own exporters.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    #[default]
    None,
    Gzip,
}

/// Everything of `[export]`, checked.
#[derive(Clone, Debug)]
pub struct Export {
    pub endpoint: reqwest::Url,
    pub protocol: Protocol,
    pub compression: Compression,
    pub headers: http::HeaderMap,
    pub runs_only: bool,
}

impl ExportFile {
    fn check(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Export, String> {
        let url =
            reqwest::Url::parse(&self.endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let Some(endpoint) = url else {
            return Err(format!("`endpoint = \"{}\"` under [export] is not an http or https URL", self.endpoint));
        };
        let mut headers = http::HeaderMap::new();
        for (name, from) in &self.headers_env {
            let header = http::HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| format!("`{name}` under [export.headers_env] is not the name of a header"))?;
            let Some(value) = variable(from) else {
                return Err(format!("the variable {from}, which holds the header `{name}` of [export], is not set"));
            };
            let mut value = http::HeaderValue::from_str(value.trim())
                .map_err(|_| format!("the variable {from} holds what cannot stand in the header `{name}` of [export]"))?;
            value.set_sensitive(true);
            headers.insert(header, value);
        }
        Ok(Export { endpoint, protocol: self.protocol, compression: self.compression, headers, runs_only: self.runs_only })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboundFile {
    pub allow_private_network: Option<bool>,
    /// `host:port` pairs that may be called although their address is not public.
    #[serde(default)]
    pub allow: Vec<String>,
}

/// Ceilings: no run may have limits above these.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsFile {
    pub max_tokens: Option<u64>,
    pub timeout_seconds: Option<f64>,
    pub max_steps: Option<u64>,
    pub max_cost_usd: Option<f64>,
    pub max_tool_calls: Option<u64>,
    pub max_iterations: Option<u64>,
    pub max_depth: Option<u64>,
    pub max_spawns: Option<u64>,
    pub max_active_runs: Option<usize>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderFile {
    /// `openai` (and everything compatible with it) or `anthropic`; known for the providers of these names.
    pub kind: Option<Kind>,
    pub base_url: Option<String>,
    /// The environment variable that holds the key; absent: no key is sent.
    pub api_key_env: Option<String>,
    pub max_tokens_field: Option<MaxTokensField>,
    pub stream_usage: Option<bool>,
    pub default_max_tokens: Option<u64>,
    /// Names of models in workflows, and what to ask this provider for instead.
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
}

/// Dollars per million tokens, as providers print them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceFile {
    pub input: f64,
    pub output: f64,
    pub cache_read: Option<f64>,
    pub cache_write: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum StandIn {
    Model(String),
    Off(bool),
}

/// Everything decided.
#[derive(Debug)]
pub struct Config {
    pub listen: String,
    pub data: PathBuf,
    pub hosts: Vec<String>,
    pub token: Option<Token>,
    pub simulate: bool,
    pub demo: bool,
    pub allow_private_network: bool,
    pub allow: Vec<HostPort>,
    pub ceilings: Limits,
    pub max_active_runs: usize,
    pub providers: Vec<ProviderSettings>,
    pub prices: Vec<(String, String, flowtrace_core::price::Price)>,
    pub equivalence: Vec<(flowtrace_core::call::Target, Option<flowtrace_core::call::Target>)>,
    pub tools: ToolSettings,
    /// What workflows read as `config`, an object.
    pub variables: serde_json::Value,
    /// What the file says, if it says something; 0: traces stay for ever.
    pub retention_days: Option<u32>,
    /// Where the key that seals secrets is, or will be. `None`: nobody said, and there is no home directory.
    pub secret_key_file: Option<PathBuf>,
    pub export: Option<Export>,
}

impl Config {
    /// `serve` is absent for commands that start no server of their own to be reached by others.
    pub fn load(common: &CommonArgs, engine: &EngineArgs, serve: Option<&ServeArgs>) -> Result<Config, String> {
        let (path, file) = read(common.config.as_deref())?;
        let wrong = |what: String| format!("{} cannot be used: {what}", path.display());
        let token = token(serve, &file)?;
        let allow = file.outbound.allow.iter().map(|text| text.parse::<HostPort>()).collect::<Result<_, _>>();
        let mut prices = Vec::new();
        for (provider, models) in &file.prices {
            for (model, price) in models {
                let price = price.convert().ok_or_else(|| {
                    wrong(format!("the price of {provider}/{model} is not a number of dollars per million tokens, 0 or more"))
                })?;
                prices.push((provider.clone(), model.clone(), price));
            }
        }
        let mut equivalence = Vec::new();
        for (model, stand_in) in &file.equivalence {
            let target = |text: &str| {
                target(text).ok_or_else(|| wrong(format!("`{text}` under [equivalence] has to be `provider/model`")))
            };
            let stand_in = match stand_in {
                StandIn::Model(text) => Some(target(text)?),
                StandIn::Off(false) => None,
                StandIn::Off(true) => {
                    return Err(wrong(format!(
                        "`{model} = true` under [equivalence] says nothing: name a model, or `false` for none"
                    )));
                }
            };
            equivalence.push((target(model)?, stand_in));
        }
        let tools = tools::convert(file.tools, file.mcp, file.process).map_err(&wrong)?;
        let providers = providers(&file.providers, |name| std::env::var(name).ok()).map_err(&wrong)?;
        let export = file.export.as_ref().map(|export| export.check(|name| std::env::var(name).ok()));
        Ok(Config {
            listen: serve
                .and_then(|serve| serve.listen.clone())
                .or(file.listen.clone())
                .unwrap_or_else(|| DEFAULT_LISTEN.to_owned()),
            data: common.data.clone().or(file.data.clone()).unwrap_or_else(|| DEFAULT_DATA.into()),
            hosts: serve
                .map(|serve| serve.host.clone())
                .unwrap_or_default()
                .into_iter()
                .chain(file.hosts.iter().cloned())
                .collect(),
            token,
            simulate: engine.simulate || file.simulate.unwrap_or(false),
            demo: !serve.is_some_and(|serve| serve.no_demo) && file.demo.unwrap_or(true),
            allow_private_network: engine.allow_private_network || file.outbound.allow_private_network.unwrap_or(false),
            allow: allow.map_err(&wrong)?,
            ceilings: file.limits.ceilings().map_err(&wrong)?,
            variables: serde_json::Value::Object(file.variables.clone()),
            max_active_runs: file.limits.max_active_runs.unwrap_or(DEFAULT_ACTIVE_RUNS),
            providers,
            prices,
            equivalence,
            tools,
            retention_days: file.retention.days,
            secret_key_file: common.secret_key_file.clone().or(file.secret_key_file.clone()).or_else(usual_key_file),
            export: export.transpose().map_err(&wrong)?,
        })
    }
}

/// Where a user's programs keep their configuration: <https://specifications.freedesktop.org/basedir-spec/latest/>.
fn usual_key_file() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let directory = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")))?;
    Some(directory.join("flowtrace/secret.key"))
}

/// The data directory alone, for commands that need nothing else.
pub fn data_directory(common: &CommonArgs) -> Result<PathBuf, String> {
    let (_, file) = read(common.config.as_deref())?;
    Ok(common.data.clone().or(file.data).unwrap_or_else(|| DEFAULT_DATA.into()))
}

/// The file that was asked for has to be there; the usual one may be missing.
fn read(asked: Option<&Path>) -> Result<(PathBuf, File), String> {
    let path = asked.unwrap_or(Path::new(DEFAULT_FILE)).to_owned();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if asked.is_none() && error.kind() == std::io::ErrorKind::NotFound => return Ok((path, File::default())),
        Err(error) => return Err(format!("the configuration file {} cannot be read: {error}", path.display())),
    };
    match toml::from_str(&text) {
        Ok(file) => Ok((path, file)),
        Err(error) => {
            let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            Err(format!("{} cannot be used: line {line}: {}", path.display(), error.message()))
        }
    }
}

/// The two providers that the environment configures, and what the file says about them and others.
fn providers(
    file: &BTreeMap<String, ProviderFile>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Vec<ProviderSettings>, String> {
    let mut all = ProviderSettings::from_env(&variable).map_err(|error| error.to_string())?;
    for (name, file) in file {
        let valid = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if !valid {
            return Err(format!("the provider name `{name}` may hold letters, digits, `-`, `_` and `.` only"));
        }
        let known = all.iter().position(|known| known.name == *name);
        let mut settings = match (known, file.kind) {
            (Some(at), _) => all.remove(at),
            (None, Some(kind)) => ProviderSettings::new(name, kind),
            (None, None) => {
                return Err(format!(
                    "provider `{name}` needs a `kind`: `openai` for everything compatible with OpenAI, or `anthropic`"
                ));
            }
        };
        settings.kind = file.kind.unwrap_or(settings.kind);
        settings.base_url = file.base_url.clone().or(settings.base_url);
        if let Some(name) = &file.api_key_env {
            settings.key_setting = Some(name.clone());
            // A key that is not there yet is told by the calls that need it; the server still has other work.
            settings.api_key = match variable(name).filter(|text| !text.trim().is_empty()) {
                Some(text) => Some(ApiKey::new(text.trim()).map_err(|error| format!("{name} is not usable: {error}"))?),
                None => None,
            };
        }
        settings.max_tokens_field = file.max_tokens_field.or(settings.max_tokens_field);
        settings.stream_usage = file.stream_usage.unwrap_or(settings.stream_usage);
        settings.default_max_tokens = file.default_max_tokens.or(settings.default_max_tokens);
        settings.aliases.extend(file.aliases.clone());
        all.push(settings);
    }
    Ok(all)
}

/// A token given on the command line, in the environment or in a file. A file's path may also stand in the configuration.
fn token(serve: Option<&ServeArgs>, file: &File) -> Result<Option<Token>, String> {
    if let Some(secret) = serve.and_then(|serve| serve.token.as_deref()) {
        return Token::new(secret).map(Some);
    }
    let path = serve.and_then(|serve| serve.token_file.clone()).or(file.token_file.clone());
    let Some(path) = path else { return Ok(None) };
    let secret =
        std::fs::read_to_string(&path).map_err(|error| format!("the token file {} cannot be read: {error}", path.display()))?;
    Token::new(&secret).map(Some).map_err(|error| format!("the token file {} cannot be used: {error}", path.display()))
}

fn target(text: &str) -> Option<flowtrace_core::call::Target> {
    let (provider, model) = text.split_once('/')?;
    (!provider.is_empty() && !model.is_empty())
        .then(|| flowtrace_core::call::Target { provider: provider.to_owned(), model: model.to_owned() })
}

impl PriceFile {
    fn convert(&self) -> Option<flowtrace_core::price::Price> {
        use flowtrace_core::price::{Price, picousd};
        let mut price = Price::from_usd_per_million(self.input, self.output)?;
        price.cache_read = match self.cache_read {
            Some(dollars) => Some(picousd(dollars)?),
            None => None,
        };
        price.cache_write = match self.cache_write {
            Some(dollars) => Some(picousd(dollars)?),
            None => None,
        };
        Some(price)
    }
}

impl LimitsFile {
    fn ceilings(&self) -> Result<Limits, String> {
        // 10 million dollars and 300 years are beyond any ceiling and far within the integers.
        let scaled = |name: &str, value: Option<f64>, factor: f64, most: f64| match value {
            None => Ok(None),
            Some(value) if value > 0.0 && value <= most => Ok(Some((value * factor).round() as u64)),
            Some(value) => Err(format!("`{name} = {value}` under [limits] has to be more than 0 and at most {most}")),
        };
        if self.max_active_runs == Some(0) {
            return Err("`max_active_runs = 0` under [limits] would let nothing run: it has to be 1 or more".to_owned());
        }
        Ok(Limits {
            max_tokens: self.max_tokens,
            timeout_ms: scaled("timeout_seconds", self.timeout_seconds, 1e3, 1e10)?,
            max_steps: self.max_steps,
            max_cost_nanousd: scaled("max_cost_usd", self.max_cost_usd, 1e9, 1e7)?,
            allow_unpriced: false,
            max_tool_calls: self.max_tool_calls,
            max_iterations: self.max_iterations,
            max_depth: self.max_depth,
            max_spawns: self.max_spawns,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("flowtrace.toml");
        std::fs::write(&path, text).unwrap();
        let common = CommonArgs { config: Some(path), ..CommonArgs::default() };
        Config::load(&common, &EngineArgs::default(), None)
            .map_err(|error| error.replace(&dir.path().display().to_string(), "DIR"))
    }

    #[test]
    fn a_full_file() {
        let config = parse(
            r#"
            listen = "127.0.0.1:9000"
            data = "/var/lib/flowtrace"
            hosts = ["flow.example"]
            simulate = true
            demo = false
            [outbound]
            allow = ["10.0.0.5:8080", "localhost:11434"]
            [limits]
            max_tokens = 1000
            timeout_seconds = 1.5
            max_cost_usd = 0.25
            max_active_runs = 7
            [providers.local]
            kind = "openai"
            base_url = "http://localhost:11434/v1"
            [providers.local.aliases]
            small = "llama3.2:3b"
            [prices.local."llama3.2:3b"]
            input = 0.1
            output = 0.4
            cache_read = 0.025
            [equivalence]
            "openai/gpt-4o-mini" = "local/small"
            "openai/gpt-4.1" = false
            [tools]
            deny = ["http"]
            [mcp.files]
            command = "mcp-files"
            args = ["--root", "/srv"]
            env = { LEVEL = "1", TOKEN = { env = "FILES_TOKEN", prefix = "T " } }
            inherit_env = ["LC_ALL"]
            [mcp.issues]
            url = "https://mcp.example/mcp"
            headers = { Authorization = { env = "ISSUES_TOKEN", prefix = "Bearer " } }
            effect = "idempotent"
            [process.count]
            command = ["wc", "-w"]
            stdin = "json"
            output = "json"
            [process.count.input_schema]
            type = "object"
            required = ["text"]
            [retention]
            days = 30
            [export]
            endpoint = "http://localhost:4318/v1/traces"
            headers_env = { x-path = "PATH" }
            "#,
        )
        .unwrap();
        assert_eq!((config.tools.mcp.len(), config.tools.processes.len()), (2, 1));
        assert!(!config.tools.rules.allows("http") && config.tools.rules.allows("text"));
        assert_eq!(config.tools.processes[0].program.memory_bytes, Some(1_024_000_000));
        assert_eq!(config.tools.processes[0].input_schema.as_ref().unwrap()["required"][0], "text");
        assert_eq!(config.listen, "127.0.0.1:9000");
        assert!(config.simulate && !config.demo);
        assert_eq!(config.ceilings.timeout_ms, Some(1500));
        assert_eq!(config.ceilings.max_cost_nanousd, Some(250_000_000));
        assert_eq!(config.prices[0].2.input, 100_000);
        assert_eq!(config.prices[0].2.cache_read, Some(25_000));
        assert_eq!(config.equivalence.len(), 2);
        assert_eq!(config.allow.len(), 2);
        assert_eq!(config.retention_days, Some(30));
        let export = config.export.unwrap();
        assert!(export.headers.contains_key("x-path") && export.protocol == Protocol::Protobuf);
        let json = parse("[export]\nendpoint = \"http://a/\"\nprotocol = \"http/json\"").unwrap().export.unwrap();
        assert_eq!(json.protocol, Protocol::Json);
        assert_eq!(parse("[retention]\ndays = 0").unwrap().retention_days, Some(0));
        assert_eq!(parse("").unwrap().retention_days, None);
    }

    #[test]
    fn mistakes_are_sentences() {
        for (text, expected) in [
            ("lisen = 1", "line 1: unknown field `lisen`"),
            ("\n\n[limits]\nmax_token = 1", "line 4: unknown field `max_token`"),
            ("[limits]\nmax_cost_usd = 0", "`max_cost_usd = 0` under [limits] has to be more than 0"),
            ("[limits]\nmax_active_runs = 0", "would let nothing run"),
            ("[outbound]\nallow = [\"nonsense\"]", "`nonsense` is not a host and a port"),
            ("[equivalence]\n\"gpt\" = \"x/y\"", "`gpt` under [equivalence] has to be `provider/model`"),
            ("[equivalence]\n\"a/b\" = true", "says nothing"),
            ("[prices.openai.x]\ninput = -1\noutput = 1", "the price of openai/x"),
            ("[providers.\"a b\"]\nkind = \"openai\"\nbase_url = \"x\"", "the provider name `a b`"),
            ("[providers.a]\nkind = \"gemini\"\nbase_url = \"x\"", "unknown variant `gemini`"),
            ("[providers.a]\nbase_url = \"x\"", "provider `a` needs a `kind`"),
            ("[tools]\nalow = []", "unknown field `alow`"),
            ("[mcp.\"a.b\"]\ncommand = \"x\"", "the name of [mcp.\"a.b\"] may hold"),
            ("[mcp.a]\ncommand = \"x\"\nurl = \"https://x\"", "[mcp.a]: either a `command`"),
            ("[mcp.a]\nurl = \"nonsense\"", "[mcp.a]: `nonsense` is not a URL"),
            ("[mcp.a]\nurl = \"https://x\"\nargs = [\"y\"]", "belong to a server with a `command`"),
            ("[mcp.a]\ncommand = \"x\"\nheaders = { A = \"b\" }", "`headers` belong to a server with a `url`"),
            ("[mcp.a]\ncommand = \"x\"\ntimeout_seconds = 0", "`timeout_seconds = 0` has to be from"),
            ("[process.a]\ncommand = [\"x\"]\nmax_output_bytes = 0", "`max_output_bytes = 0` has to be from"),
            ("[process.a]\ncommand = [\"x\"]\neffect = \"none\"", "unknown variant `none`"),
            ("[export]\nendpoint = \"http://a/\"\nprotocol = \"grpc\"", "http/protobuf"),
            ("[export]\nendpoint = \"localhost\"", "is not an http or https URL"),
            ("[export]\nendpoint = \"http://a/\"\nheaders_env = { \"a b\" = \"PATH\" }", "is not the name of a header"),
            ("[export]\nendpoint = \"http://a/\"\nheaders_env = { a = \"FLOWTRACE_NOT_SET\" }", "FLOWTRACE_NOT_SET"),
            ("token_file = \"/nowhere/at/all\"", "the token file /nowhere/at/all cannot be read"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}\n  gives {error}\n  expected {expected}");
            assert!(!error.contains('\n'), "{error}");
        }
        let common = CommonArgs { config: Some("/nowhere.toml".into()), ..CommonArgs::default() };
        assert!(Config::load(&common, &EngineArgs::default(), None).unwrap_err().contains("/nowhere.toml cannot be read"));
    }
}
