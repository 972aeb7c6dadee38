//! `http`: one request to a service, through the outbound guard.

mod answer;
mod request;
#[cfg(test)]
mod tests;

use super::config;
use crate::guard::{Guard, transport_failure};
use crate::retry_after::retry_after_ms;
use crate::secrets::{self, Redactor, Secrets};
use answer::Answer;
use flowtrace_core::call::ToolCall;
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::tool::Effect;
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::provider::CallContext;
use flowtrace_engine::port::tool::Tool;
use request::Request;
use reqwest::StatusCode;
use reqwest::header::LOCATION;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const DEFAULT_MAX_BYTES: u64 = 10_000_000;
/// Above this, a workflow moves files, and the memory of everybody's runs is at stake.
const HIGHEST_MAX_BYTES: u64 = 100_000_000;
const MAX_REDIRECTS: usize = 5;

/// How much of a failed answer is read for the error message, and how long that may take.
const ERROR_BODY_BYTES: u64 = 64_000;
const ERROR_BODY_TIME: Duration = Duration::from_secs(2);
const ERROR_BODY_CHARS: usize = 500;

pub struct Http {
    guard: Guard,
    secrets: Arc<dyn Secrets>,
}

impl Http {
    pub fn new(guard: Guard, secrets: Arc<dyn Secrets>) -> Self {
        Http { guard, secrets }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Config {
    url: String,
    method: Option<String>,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    query: Map<String, Value>,
    body: Option<Value>,
    #[serde(default = "default_max_bytes")]
    max_bytes: u64,
    #[serde(default = "yes")]
    follow_redirects: bool,
    #[serde(default = "yes")]
    fail_on_status: bool,
}

fn default_max_bytes() -> u64 {
    DEFAULT_MAX_BYTES
}

fn yes() -> bool {
    true
}

impl Tool for Http {
    fn name(&self) -> &str {
        "http"
    }

    fn description(&self) -> &str {
        "Calls a URL and returns its answer: status, headers, content and, where it is JSON, the parsed value."
    }

    fn config_schema(&self) -> Value {
        // A header, a query value and the URL may each be a reference to a secret.
        let text = json!(["string", "object"]);
        let value = json!(["string", "number", "boolean", "object"]);
        let values = json!(["string", "number", "boolean", "object", "array", "null"]);
        json!({
            "type": "object",
            "properties": {
                "url": {"type": text, "description": "The address to call: http or https, without user name and password."},
                "method": {
                    "type": "string",
                    "description": "GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS. Without it: POST where there is a body, else GET."
                },
                "headers": {
                    "type": "object", "additionalProperties": {"type": value},
                    "description": "Headers by name. Keep keys out of the document: {\"Authorization\": {\"$secret\": \"my_key\", \"prefix\": \"Bearer \"}}."
                },
                "query": {
                    "type": "object", "additionalProperties": {"type": values},
                    "description": "Parameters that are added to the URL. A list repeats the name, null leaves it out."
                },
                "body": {
                    "description": "A text is sent as it is, anything else as JSON. Without it, POST, PUT and PATCH send the node's inputs as JSON."
                },
                "maxBytes": {
                    "type": "integer", "minimum": 1, "maximum": HIGHEST_MAX_BYTES, "default": DEFAULT_MAX_BYTES,
                    "description": "The largest answer to accept, in bytes after decompression."
                },
                "followRedirects": {
                    "type": "boolean", "default": true,
                    "description": "Follow up to 5 redirects. Each target is checked like the first URL."
                },
                "failOnStatus": {
                    "type": "boolean", "default": true,
                    "description": "Treat a status of 400 and above as a failure of the step; 408, 429 and 5xx are retried."
                }
            },
            "required": ["url"],
            "additionalProperties": false
        })
    }

    fn input_schema(&self) -> Value {
        json!({"type": "object", "description": "Sent as JSON by POST, PUT and PATCH where the config has no body."})
    }

    fn output_schema(&self) -> Value {
        json!({
            "type": "object",
            "properties": {
                "status": {"type": "integer"},
                "headers": {"type": "object", "additionalProperties": {"type": "string"}},
                "content": {"type": "string"},
                "contentEncoding": {"const": "base64"},
                "json": {"description": "The parsed content, where it is JSON."}
            },
            "required": ["status", "headers", "content"]
        })
    }

    /// POST and PATCH send a key by which the service knows a repetition, so they count as repeatable until the author of the
    /// workflow says that this service does not look at it (`idempotent: false`).
    fn effect(&self, config: &Value) -> Effect {
        let method = config.get("method").and_then(Value::as_str).map(str::to_ascii_uppercase);
        match (method.as_deref(), config) {
            (Some("GET" | "HEAD" | "OPTIONS"), _) => Effect::ReadOnly,
            (None, Value::Object(config)) if config.get("body").is_none_or(Value::is_null) => Effect::ReadOnly,
            _ => Effect::Idempotent,
        }
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn call<'a>(&'a self, call: &'a ToolCall, context: &'a CallContext) -> BoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            let (resolved, redactor) = secrets::resolve(&*self.secrets, call)?;
            let redactor = Arc::new(redactor);
            let outcome = async {
                let config: Config = config("http", resolved)?;
                let request = Request::new(&config, call, context, redactor.clone())?;
                let what = request.to_string();
                let limit = Duration::from_millis(context.timeout_ms);
                tokio::time::timeout(limit, self.exchange(&config, request, &redactor)).await.unwrap_or_else(|_| {
                    Err(Failure::new(
                        FailureCode::Timeout,
                        format!(
                            "{what} was not done within {} ms. If that is too short, raise the node's `timeoutSeconds`.",
                            context.timeout_ms
                        ),
                    ))
                })
            };
            outcome.await.map_err(|failure: Failure| redactor.failure(failure))
        })
    }
}

impl Http {
    async fn exchange(&self, config: &Config, mut request: Request, redactor: &Arc<Redactor>) -> Result<Value, Failure> {
        let mut redirects = 0;
        let response = loop {
            let client = self.guard.client(&request.url)?;
            let response = client.execute(request.build()).await;
            let response = response.map_err(|error| transport_failure(&request.to_string(), &request.url, &error))?;
            let location = response.headers().get(LOCATION).filter(|_| config.follow_redirects && is_redirect(response.status()));
            let Some(location) = location else { break response };
            redirects += 1;
            if redirects > MAX_REDIRECTS {
                let message = format!(
                    "{request} was redirected more than {MAX_REDIRECTS} times. Call the final address, or set `followRedirects` to false."
                );
                return Err(Failure::new(FailureCode::BadRequest, message).with_status(response.status().as_u16()));
            }
            let target = String::from_utf8_lossy(location.as_bytes()).into_owned();
            request = request.redirected(response.status(), &target)?;
        };
        if config.fail_on_status && response.status().as_u16() >= 400 {
            return Err(status_failure(&request.to_string(), response, redactor).await);
        }
        let what = request.to_string();
        let answer = Answer::read(response, config.max_bytes).await.map_err(|error| error.failure(&what, &request.url))?;
        answer.output(redactor.clone()).await
    }
}

/// The statuses that name another place for the same request; 300 and 304 do not.
fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

async fn status_failure(what: &str, response: reqwest::Response, redactor: &Redactor) -> Failure {
    let status = response.status();
    let code = match status.as_u16() {
        429 => FailureCode::RateLimited,
        408 => FailureCode::Timeout,
        401 | 403 => FailureCode::Unauthorized,
        500.. => FailureCode::ServerError,
        _ => FailureCode::BadRequest,
    };
    let retry_after = retry_after_ms(response.headers(), SystemTime::now());
    let request_id = response.headers().get("x-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    // The status decides. A body that is large, late or broken only makes the message shorter.
    let body = tokio::time::timeout(ERROR_BODY_TIME, Answer::read(response, ERROR_BODY_BYTES)).await;
    let excerpt = match body {
        Ok(Ok(answer)) => answer.text().unwrap_or_default(),
        _ => String::new(),
    };
    // Before cutting, which could leave half a secret.
    let excerpt = redactor.text(&excerpt).split_whitespace().collect::<Vec<_>>().join(" ");
    let excerpt: String = excerpt.chars().take(ERROR_BODY_CHARS).collect();
    let message =
        if excerpt.is_empty() { format!("{what} answered {status}.") } else { format!("{what} answered {status}: {excerpt}") };
    Failure::new(code, message).with_status(status.as_u16()).with_retry_after_ms(retry_after).with_request_id(request_id)
}
