//! What comes back to the http tool.

use crate::guard::transport_failure;
use crate::secrets::Redactor;
use crate::tool::work;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::{Encoding, WINDOWS_1252};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::value::{MAX_DEPTH, deeper_than};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use url::Url;

/// An answer that was received whole.
pub struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// Why an answer could not be received whole.
pub enum ReadError {
    TooLarge { limit: u64 },
    Broken(reqwest::Error),
}

impl ReadError {
    pub fn failure(&self, what: &str, url: &Url) -> Failure {
        match self {
            ReadError::TooLarge { limit } => {
                let message = format!("{what} answered with more than {limit} bytes. Raise `maxBytes`, or ask for less.");
                Failure::new(FailureCode::TooLarge, message)
            }
            ReadError::Broken(error) => transport_failure(what, url, error),
        }
    }
}

impl Answer {
    /// Counts what comes out of the decompression, piece by piece, so a small answer cannot grow without limit.
    pub async fn read(mut response: reqwest::Response, limit: u64) -> Result<Answer, ReadError> {
        // Known in advance only where nothing has to be decompressed.
        if response.content_length().is_some_and(|length| length > limit) {
            return Err(ReadError::TooLarge { limit });
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(ReadError::Broken)? {
            if body.len() as u64 + piece.len() as u64 > limit {
                return Err(ReadError::TooLarge { limit });
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), body })
    }

    /// The body as text, where it is text.
    ///
    /// A byte order mark or the `charset` of the content type says how to read it. Without either it is text if it is UTF-8
    /// without NUL bytes, whatever its type claims, since many servers send plain files as `application/octet-stream`. Other
    /// bytes of a text type are read as Windows-1252, as browsers do.
    pub fn text(&self) -> Option<String> {
        let content_type = ContentType::of(&self.headers);
        let declared = Encoding::for_bom(&self.body).map(|(encoding, _)| encoding).or(content_type.charset);
        if let Some(encoding) = declared {
            return Some(encoding.decode(&self.body).0.into_owned());
        }
        match std::str::from_utf8(&self.body) {
            Ok(text) if !text.contains('\0') => Some(text.to_owned()),
            _ if content_type.is_text() => Some(WINDOWS_1252.decode(&self.body).0.into_owned()),
            _ => None,
        }
    }

    /// The tool's output, without the secrets that went out with the request.
    pub async fn output(self, redactor: Arc<Redactor>) -> Result<Value, Failure> {
        work(self.body.len(), move || {
            let mut output = Map::new();
            output.insert("status".into(), json!(self.status));
            output.insert("headers".into(), redactor.value(headers(&self.headers)));
            match self.text() {
                Some(text) => {
                    output.insert("content".into(), redactor.text(&text).into());
                    if ContentType::of(&self.headers).is_json()
                        && let Ok(value) = serde_json::from_str::<Value>(&text)
                        // One level is the output's own.
                        && !deeper_than(&value, MAX_DEPTH - 1)
                    {
                        output.insert("json".into(), redactor.value(value));
                    }
                }
                None => {
                    output.insert("content".into(), STANDARD.encode(redactor.bytes(self.body)).into());
                    output.insert("contentEncoding".into(), "base64".into());
                }
            }
            Ok(Value::Object(output))
        })
        .await
    }
}

/// By lower-case name; the values of a repeated header are joined by a comma, which means the same (RFC 9110, section 5.2).
fn headers(headers: &HeaderMap) -> Value {
    let mut map = Map::new();
    for name in headers.keys() {
        let values: Vec<_> = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        map.insert(name.as_str().to_owned(), values.join(", ").into());
    }
    Value::Object(map)
}

#[derive(Default)]
struct ContentType {
    /// Lower case, without parameters; empty where there is none.
    essence: String,
    charset: Option<&'static Encoding>,
}

impl ContentType {
    fn of(headers: &HeaderMap) -> Self {
        let Some(text) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return ContentType::default() };
        let mut parts = text.split(';');
        let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let charset = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("charset").then(|| Encoding::for_label(value.trim().trim_matches('"').as_bytes()))?
        });
        ContentType { essence, charset }
    }

    fn is_json(&self) -> bool {
        matches!(self.essence.as_str(), "application/json" | "text/json") || self.essence.ends_with("+json")
    }

    fn is_text(&self) -> bool {
        self.essence.starts_with("text/")
            || self.is_json()
            || self.essence.ends_with("xml")
            || self.essence.ends_with("javascript")
    }
}
