//! One connection to a server: made, listed, and told what went wrong with it.

use super::link::Link;
use super::stdio::{self, Pipes};
use super::{McpSettings, McpTransport, Surroundings};
use crate::guard::{display, transport_failure};
use crate::secrets::{Redactor, resolve_settings};
use flowtrace_core::answer::Validator;
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::tool::Effect;
use rmcp::handler::client::ClientHandler;
use rmcp::model::{ClientCapabilities, ClientConfig, Implementation, PaginatedRequestParams, Tool};
use rmcp::service::{ClientInitializeError, NotificationContext, Peer, RoleClient, RunningService, ServiceError, serve_client};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::streamable_http_client::{StreamableHttpClientTransportConfig, StreamableHttpError};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// Bounds on what a server may list.
const MOST_TOOLS: usize = 1000;
const MOST_PAGES: usize = 100;
const LONGEST_NAME: usize = 128;
const LONGEST_DESCRIPTION: usize = 10_000;
const LARGEST_SCHEMA: usize = 100_000;
/// Of all tools of a server, in bytes.
const ALL_SCHEMAS: usize = 10_000_000;

/// What a server says about one of its tools.
pub struct Info {
    pub description: String,
    pub input_schema: Value,
    pub output_schema: Option<Value>,
    pub effect: Effect,
    /// `None` where the schema is one that cannot be checked within bounds; the server checks it anyway.
    pub input: Option<Validator>,
    pub output: Option<Validator>,
}

pub struct Connection {
    name: String,
    service: RunningService<RoleClient, Handler>,
    /// `Some` for a program; taken when it is ended.
    pipes: Mutex<Option<Pipes>>,
    url: Option<Url>,
    redactor: Redactor,
    since: Instant,
    timeouts: AtomicU32,
}

pub struct Handler {
    link: Weak<Link>,
}

impl ClientHandler for Handler {
    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(ClientCapabilities::default(), Implementation::new("flowtrace", env!("CARGO_PKG_VERSION")))
    }

    async fn on_tool_list_changed(&self, context: NotificationContext<RoleClient>) {
        let Some(link) = self.link.upgrade() else { return };
        // In a task of its own, because the answer to the question arrives where this notification was handled.
        tokio::spawn(async move {
            let listing = tokio::time::timeout(link.settings.start_timeout, list(&link.settings.name, &context.peer)).await;
            match listing {
                Ok(Ok(tools)) => link.learn(tools),
                Ok(Err(error)) => tracing::warn!(server = link.settings.name, %error, "the changed tools could not be listed"),
                Err(_) => tracing::warn!(server = link.settings.name, "the changed tools were not listed in time"),
            }
        });
    }
}

/// Connects, shakes hands and lists the tools. The caller limits the time.
pub async fn connect(
    settings: &McpSettings,
    surroundings: &Surroundings,
    link: Weak<Link>,
) -> Result<(Connection, BTreeMap<String, Arc<Info>>), Failure> {
    let handler = Handler { link };
    let name = settings.name.clone();
    let (service, pipes, url, redactor) = match &settings.transport {
        McpTransport::Stdio(program) => {
            let what = format!("The MCP server `{name}`");
            let arguments = program.command.as_slice();
            let mut running = program.start(&what, arguments, &*surroundings.secrets, surroundings.launcher.as_ref())?;
            let redactor = running.redactor.clone();
            let (pipes, read, write) = stdio::pipes(&name, &mut running, settings.max_output_bytes)?;
            let pipes = pipes.holding(running);
            // The pipe is limited itself; a line that is dropped here would leave its call without an answer.
            let transport = AsyncRwTransport::new_client(read, write).with_max_line_length(usize::MAX);
            match serve_client(handler, transport).await {
                Ok(service) => (service, Some(pipes), None, redactor),
                Err(error) => return Err(redactor.failure(pipes.start_failure(&name, &start_words(&error)).await)),
            }
        }
        McpTransport::Http { url, headers } => {
            let (headers, redactor) = resolve_settings(&*surroundings.secrets, headers)?;
            let client = surroundings.guard.client(url)?.clone();
            let mut config = StreamableHttpClientTransportConfig::with_uri(url.as_str())
                .custom_headers(header_map(&name, &headers)?)
                .max_sse_event_size(settings.max_output_bytes);
            config.control_request_timeout = Duration::from_secs(5);
            let transport = StreamableHttpClientTransport::with_client(client, config);
            match serve_client(handler, transport).await {
                Ok(service) => (service, None, Some(url.clone()), redactor),
                Err(error) => {
                    let cause: &(dyn Error + 'static) = match &error {
                        ClientInitializeError::TransportError { error, .. } => error,
                        other => other,
                    };
                    let (failure, _) = http_failure(&format!("The MCP server `{name}` could not be reached"), url, cause);
                    return Err(redactor.failure(failure));
                }
            }
        }
    };
    let peer = service.peer().clone();
    let connection =
        Connection { name, service, pipes: Mutex::new(pipes), url, redactor, since: Instant::now(), timeouts: AtomicU32::new(0) };
    let tools = list(&connection.name, &peer).await.map_err(|error| {
        let (failure, _) = connection.failure("could not list its tools", error);
        connection.redactor.failure(failure)
    })?;
    Ok((connection, tools))
}

impl Connection {
    pub fn peer(&self) -> &Peer<RoleClient> {
        self.service.peer()
    }

    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    pub fn is_closed(&self) -> bool {
        self.service.is_closed() || self.service.peer().is_transport_closed()
    }

    pub fn age(&self) -> Duration {
        self.since.elapsed()
    }

    pub fn answered(&self) {
        self.timeouts.store(0, Ordering::Relaxed);
    }

    /// How many calls in a row got no answer in time, this one included.
    pub fn timed_out(&self) -> u32 {
        self.timeouts.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Ends the service, and the program where there is one, whoever still holds the connection.
    pub fn end(&self) {
        self.service.cancellation_token().cancel();
        if let Some(pipes) = &mut *self.pipes.lock().unwrap_or_else(PoisonError::into_inner) {
            pipes.kill();
        }
    }

    pub fn why_closed(&self) -> Failure {
        match &mut *self.pipes.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(pipes) => pipes.ended(&self.name),
            None => Failure::new(FailureCode::Connection, format!("The connection to the MCP server `{}` ended.", self.name)),
        }
    }

    /// What an error of a call means, and whether the connection is of no more use.
    pub fn call_failure(&self, tool: &str, error: ServiceError) -> (Failure, bool) {
        self.failure(&format!("could not be asked for `{tool}`"), error)
    }

    fn failure(&self, what: &str, error: ServiceError) -> (Failure, bool) {
        let name = &self.name;
        match error {
            ServiceError::McpError(error) => {
                let message =
                    format!("The MCP server `{name}` {what}: {} (code {}).", answer_words(&error.message), error.code.0);
                (Failure::new(FailureCode::Tool, message), false)
            }
            ServiceError::TransportClosed => (self.why_closed(), true),
            ServiceError::TransportSend(error) => match &self.url {
                Some(url) => http_failure(&format!("The MCP server `{name}` {what}"), url, &error),
                None => (self.why_closed(), true),
            },
            ServiceError::UnexpectedResponse => {
                let message = format!("The MCP server `{name}` {what}: it answered with something else than the protocol says.");
                (Failure::new(FailureCode::Malformed, message), false)
            }
            other => (Failure::new(FailureCode::Tool, format!("The MCP server `{name}` {what}: {other}.")), false),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.end();
    }
}

/// What a server says, cut to what a message can hold.
pub fn answer_words(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut short: String = text.chars().take(2000).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

fn start_words(error: &ClientInitializeError) -> String {
    match error {
        ClientInitializeError::JsonRpcError(error) => {
            format!("it refused the handshake: {} (code {})", answer_words(&error.message), error.code.0)
        }
        ClientInitializeError::NoCompatibleProtocolVersion { .. } => {
            "it speaks no version of the protocol that FlowTrace does".to_owned()
        }
        ClientInitializeError::ConnectionClosed(_) | ClientInitializeError::TransportError { .. } => {
            "the connection ended before the handshake was done".to_owned()
        }
        _ => "it did not answer the handshake as the protocol says".to_owned(),
    }
}

/// What went wrong over HTTP, and whether the session is lost with it.
fn http_failure(what: &str, url: &Url, error: &(dyn Error + 'static)) -> (Failure, bool) {
    let what = format!("{what} at {}", display(url));
    for source in std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source()) {
        let Some(known) = source.downcast_ref::<StreamableHttpError<reqwest::Error>>() else { continue };
        return match known {
            StreamableHttpError::Client(error) => match error.status() {
                Some(status) => (status_failure(&what, status.as_u16()), true),
                None => (transport_failure(&what, url, error), true),
            },
            StreamableHttpError::UnexpectedServerResponse(text) if status_in(text).is_some() => {
                (status_failure(&what, status_in(text).unwrap_or_default()), true)
            }
            StreamableHttpError::HttpStatus(status) => (status_failure(&what, status.status), true),
            StreamableHttpError::AuthRequired(_) => (status_failure(&what, 401), true),
            StreamableHttpError::InsufficientScope(_) => (status_failure(&what, 403), true),
            StreamableHttpError::ResponseBodyTooLarge { max_size } => {
                let message = format!("{what}: the answer has more than {max_size} bytes.");
                (Failure::new(FailureCode::TooLarge, message), false)
            }
            other => (Failure::new(FailureCode::Connection, format!("{what}: {}.", answer_words(&other.to_string()))), true),
        };
    }
    (Failure::new(FailureCode::Connection, format!("{what}: {}.", answer_words(&error.to_string()))), true)
}

/// The library has only a text for most statuses: `HTTP 404 Not Found: …`.
fn status_in(text: &str) -> Option<u16> {
    text.strip_prefix("HTTP ")?.split(' ').next()?.parse().ok()
}

fn status_failure(what: &str, status: u16) -> Failure {
    let (code, help) = match status {
        429 => (FailureCode::RateLimited, ""),
        401 | 403 => (FailureCode::Unauthorized, " Its operator has to give it a key in `headers` of the configuration file."),
        500.. => (FailureCode::ServerError, ""),
        _ => (FailureCode::BadRequest, ""),
    };
    Failure::new(code, format!("{what}: it answered with status {status}.{help}")).with_status(status)
}

fn header_map(name: &str, headers: &BTreeMap<String, String>) -> Result<HashMap<http::HeaderName, http::HeaderValue>, Failure> {
    headers
        .iter()
        .map(|(header, value)| {
            // The value stays out of the message: it may be a secret.
            let wrong = || {
                let message = format!("The header `{header}` of the MCP server `{name}` is not one that can be sent.");
                Failure::new(FailureCode::NotConfigured, message)
            };
            let header = http::HeaderName::from_bytes(header.as_bytes()).map_err(|_| wrong())?;
            let mut value = http::HeaderValue::from_str(value).map_err(|_| wrong())?;
            value.set_sensitive(true);
            Ok((header, value))
        })
        .collect()
}

/// All tools, page by page and within bounds. What cannot be used is left out, and the log says so.
async fn list(server: &str, peer: &Peer<RoleClient>) -> Result<BTreeMap<String, Arc<Info>>, ServiceError> {
    let mut tools = BTreeMap::new();
    let mut cursor = None;
    let mut room = ALL_SCHEMAS;
    for _ in 0..MOST_PAGES {
        let page = peer.list_tools(Some(PaginatedRequestParams::default().with_cursor(cursor))).await?;
        for tool in page.tools {
            let name = tool.name.to_string();
            match info(tool, &mut room) {
                Ok(info) if tools.len() < MOST_TOOLS => {
                    tools.insert(name, Arc::new(info));
                }
                Ok(_) => tracing::warn!(server, "the server has more than {MOST_TOOLS} tools; the others are left out"),
                Err(why) => tracing::warn!(server, tool = %name.escape_debug(), "a tool is left out: {why}"),
            }
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(tools);
        }
    }
    tracing::warn!(server, "the server lists its tools on more than {MOST_PAGES} pages; the others are left out");
    Ok(tools)
}

fn info(tool: Tool, room: &mut usize) -> Result<Info, &'static str> {
    // As the protocol wants names to be (SEP-986), which also keeps them out of the way of bindings.
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    if tool.name.is_empty() || tool.name.len() > LONGEST_NAME || !tool.name.chars().all(fits) {
        return Err("its name may hold letters, digits and _ - . / only, 128 at most");
    }
    let mut schema = |schema: &Arc<serde_json::Map<String, Value>>| {
        let schema = Value::Object((**schema).clone());
        let bytes = schema.to_string().len();
        if bytes > LARGEST_SCHEMA || bytes > *room {
            return Err("its schemas, or those of all tools together, are too large");
        }
        *room -= bytes;
        Ok(schema)
    };
    let input_schema = schema(&tool.input_schema)?;
    let output_schema = tool.output_schema.as_ref().map(&mut schema).transpose()?;
    let hints = tool.annotations.unwrap_or_default();
    let effect = match (hints.read_only_hint, hints.idempotent_hint) {
        (Some(true), _) => Effect::ReadOnly,
        (_, Some(true)) => Effect::Idempotent,
        _ => Effect::SideEffect,
    };
    let description = tool.description.as_deref().or(tool.title.as_deref()).unwrap_or_default();
    Ok(Info {
        description: description.chars().take(LONGEST_DESCRIPTION).collect(),
        input: Validator::compile(&input_schema).ok(),
        output: output_schema.as_ref().and_then(|schema| Validator::compile(schema).ok()),
        input_schema,
        output_schema,
        effect,
    })
}
