//! What the http tool sends.

use super::{Config, HIGHEST_MAX_BYTES};
use crate::guard::display;
use crate::secrets::Redactor;
use crate::tool::{kind, refuse};
use flowtrace_core::call::ToolCall;
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_engine::port::provider::CallContext;
use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use url::Url;

const METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Headers that belong to the connection and not to the author: they frame the message, choose the compression that the tool
/// has to undo, or (`host`) would ask a checked address for somebody else's site.
const OWN: [&str; 13] = [
    "host",
    "content-length",
    "transfer-encoding",
    "accept-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "proxy-authorization",
    "proxy-connection",
    "http2-settings",
];

/// What another origin may see after a redirect, unless a secret is in it. Everything else, credentials under whatever
/// name, stays behind.
const MAY_CROSS: [HeaderName; 6] = [ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, USER_AGENT, IDEMPOTENCY_KEY, TRACEPARENT];

/// A checked request that can be sent, and sent on.
pub struct Request {
    pub method: Method,
    pub url: Url,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    /// Whether the body contains a secret.
    secret_body: bool,
    redactor: Arc<Redactor>,
}

impl Request {
    pub fn new(config: &Config, call: &ToolCall, context: &CallContext, redactor: Arc<Redactor>) -> Result<Self, Failure> {
        let short = |text| short(&redactor, text);
        if !(1..=HIGHEST_MAX_BYTES).contains(&config.max_bytes) {
            return Err(refuse(format!(
                "`maxBytes` of the http tool is {}; it must be from 1 to {HIGHEST_MAX_BYTES}.",
                config.max_bytes
            )));
        }
        let mut url = Url::parse(&config.url).map_err(|error| {
            refuse(format!(
                "The http tool cannot read the URL {:?}: {error}. Write it like https://example.com/path.",
                short(&config.url)
            ))
        })?;
        add_query(&mut url, &config.query)?;
        let method = match &config.method {
            Some(name) => METHODS.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(name)).ok_or_else(|| {
                refuse(format!(
                    "The http tool does not know the method {:?}; it knows GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS.",
                    short(name)
                ))
            })?,
            None if config.body.is_some() => Method::POST,
            None => Method::GET,
        };
        let mut headers = author_headers(config, &call.secrets)?;
        let sends_inputs = matches!(method, Method::POST | Method::PUT | Method::PATCH);
        let body = match (&config.body, &call.inputs) {
            (Some(Value::String(text)), _) => Some((text.clone().into_bytes(), "text/plain; charset=utf-8")),
            (Some(body), _) => Some((body.to_string().into_bytes(), "application/json")),
            (None, Value::Object(inputs)) if sends_inputs && !inputs.is_empty() => {
                Some((call.inputs.to_string().into_bytes(), "application/json"))
            }
            (None, _) => None,
        };
        if let Some((_, content_type)) = &body {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
        }
        for (name, value) in [(IDEMPOTENCY_KEY, &context.idempotency_key), (TRACEPARENT, &context.traceparent)] {
            // A key that cannot be a header (a map item with an odd name) is better left out than a reason to fail.
            if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_str(value)) {
                headers.entry(name).or_insert(value);
            }
        }
        let secret_body = call.secrets.iter().any(|pointer| pointer == "/body" || pointer.starts_with("/body/"));
        Ok(Request { method, url, headers, body: body.map(|(bytes, _)| bytes), secret_body, redactor })
    }

    pub fn build(&self) -> reqwest::Request {
        let mut request = reqwest::Request::new(self.method.clone(), self.url.clone());
        *request.headers_mut() = self.headers.clone();
        *request.body_mut() = self.body.clone().map(reqwest::Body::from);
        request
    }

    /// The request that a redirect asks for, as browsers and RFC 9110, section 15.4 do it: 303 turns into a GET, and so do 301
    /// and 302 after a POST; the others repeat method and body.
    pub fn redirected(mut self, status: StatusCode, location: &str) -> Result<Self, Failure> {
        let next = self.url.join(location).map_err(|error| {
            let message =
                format!("{self} was redirected to {:?}, which is not a URL ({error}).", short(&self.redactor, location));
            Failure::new(FailureCode::Malformed, message).with_status(status.as_u16())
        })?;
        let to_get = match status.as_u16() {
            303 => self.method != Method::HEAD,
            301 | 302 => self.method == Method::POST,
            _ => false,
        };
        if to_get {
            self.method = Method::GET;
            self.body = None;
            self.secret_body = false;
            self.headers.remove(CONTENT_TYPE);
        }
        if next.origin() != self.url.origin() {
            if self.secret_body {
                let message = format!(
                    "{self} was redirected to {}, and its body carries a secret that was not meant for that place. \
                     If it was, call that address directly.",
                    display(&next)
                );
                return Err(Failure::new(FailureCode::BadRequest, message).with_status(status.as_u16()));
            }
            let crossing = self.headers.iter().filter(|(name, value)| MAY_CROSS.contains(name) && !value.is_sensitive());
            self.headers = crossing.map(|(name, value)| (name.clone(), value.clone())).collect();
        }
        self.url = next;
        Ok(self)
    }
}

/// For messages: the method and the URL without its query.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, display(&self.url))
    }
}

fn add_query(url: &mut Url, query: &serde_json::Map<String, Value>) -> Result<(), Failure> {
    let mut pairs = Vec::new();
    for (name, value) in query {
        let items = match value {
            Value::Array(items) => items.as_slice(),
            Value::Null => &[],
            single => std::slice::from_ref(single),
        };
        for item in items {
            let text = scalar(item).ok_or_else(|| {
                refuse(format!(
                    "`query.{name}` of the http tool holds {}; only texts, numbers, booleans and lists of them can be sent.",
                    kind(item)
                ))
            })?;
            pairs.push((name, text));
        }
    }
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    Ok(())
}

/// Values that come from secrets are marked as sensitive.
fn author_headers(config: &Config, secrets: &[String]) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for (name, value) in &config.headers {
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| refuse(format!("{name:?} is not a name that a header can have.")))?;
        if OWN.contains(&header.as_str()) {
            return Err(refuse(format!(
                "The header `{header}` is set by FlowTrace and cannot be changed; remove it from `headers`."
            )));
        }
        let text = scalar(value).ok_or_else(|| {
            refuse(format!("`headers.{name}` of the http tool is {}; it must be a text, a number or a boolean.", kind(value)))
        })?;
        // The value itself stays out of the message: it may be a secret.
        let mut value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| {
            refuse(format!(
                "The value of the header `{header}` contains a character that headers cannot have, such as a line break."
            ))
        })?;
        value.set_sensitive(secrets.contains(&format!("/headers/{}", name.replace('~', "~0").replace('/', "~1"))));
        headers.insert(header, value);
    }
    Ok(headers)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Enough of what somebody wrote to recognise it in a message.
/// Secrets go first: cutting could leave the half of one, which nobody would recognise later.
fn short(redactor: &Redactor, text: &str) -> String {
    redactor.text(text).chars().take(200).collect()
}
