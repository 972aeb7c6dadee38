//! The recorded traffic of `fixtures/wire`, and the little of protobuf that tests need to take it apart and make it up.

use super::Api;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use std::io::Read;
use std::path::PathBuf;

fn fixtures() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/wire"))
}

pub fn cases() -> Vec<Value> {
    let text = std::fs::read_to_string(fixtures().join("manifest.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["cases"].as_array().unwrap().clone()
}

pub fn name(case: &Value) -> String {
    format!("{}/{}", case["sdk"].as_str().unwrap(), case["case"].as_str().unwrap())
}

/// A request as it was recorded.
#[derive(Clone)]
pub struct Recorded {
    pub path: String,
    pub content_type: String,
    pub encoding: Option<String>,
    pub grpc: bool,
    pub body: Vec<u8>,
}

impl Recorded {
    pub fn all(case: &Value) -> Vec<Recorded> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let of = |request: &Value| Recorded {
            path: text(&request["path"]).unwrap(),
            content_type: text(&request["content_type"]).unwrap_or_else(|| "application/grpc".to_owned()),
            encoding: text(&request["content_encoding"]),
            grpc: request["grpc"] == true,
            body: std::fs::read(fixtures().join("captures").join(request["file"].as_str().unwrap())).unwrap(),
        };
        case["requests"].as_array().unwrap().iter().map(of).collect()
    }

    /// Sends it as it was sent; the status.
    pub async fn send(&self, api: &Api, http2: &Client) -> u16 {
        let url = format!("{}{}", api.url, self.path);
        if self.grpc {
            let mut framed = vec![0];
            framed.extend_from_slice(&(self.body.len() as u32).to_be_bytes());
            framed.extend_from_slice(&self.body);
            let response = http2.post(url).header("content-type", "application/grpc").header("te", "trailers").body(framed);
            let response = response.send().await.unwrap();
            assert_eq!(response.headers().get("grpc-status"), None, "a call that succeeds says so in its trailers");
            assert_eq!(response.headers()["content-type"], "application/grpc");
            let status = response.status().as_u16();
            assert_eq!(response.bytes().await.unwrap()[..], [0; 5], "an empty message in its frame");
            return status;
        }
        let mut request = api.http.post(url).header("content-type", &self.content_type).body(self.body.clone());
        if let Some(encoding) = &self.encoding {
            request = request.header("content-encoding", encoding);
        }
        request.send().await.unwrap().status().as_u16()
    }

    /// The same spans, each in a request of its own; other requests stay whole.
    pub fn split(&self) -> Vec<Recorded> {
        if !(self.path.ends_with("/traces") || self.path.ends_with("TraceService/Export")) {
            return vec![self.clone()];
        }
        let mut plain = self.clone();
        if plain.encoding.take().is_some() {
            plain.body.clear();
            flate2::read::GzDecoder::new(&self.body[..]).read_to_end(&mut plain.body).unwrap();
        }
        let bodies =
            if self.content_type.starts_with("application/json") { split_json(&plain.body) } else { split_protobuf(&plain.body) };
        bodies.into_iter().map(|body| Recorded { body, ..plain.clone() }).collect()
    }
}

fn split_json(body: &[u8]) -> Vec<Vec<u8>> {
    let request: Value = serde_json::from_slice(body).unwrap();
    let mut bodies = Vec::new();
    for resource in request["resourceSpans"].as_array().unwrap() {
        for scope in resource["scopeSpans"].as_array().unwrap() {
            for span in scope["spans"].as_array().unwrap() {
                let mut alone = scope.clone();
                alone["spans"] = json!([span]);
                let request = json!({"resourceSpans": [{"resource": resource["resource"], "scopeSpans": [alone]}]});
                bodies.push(request.to_string().into_bytes());
            }
        }
    }
    bodies
}

fn split_protobuf(body: &[u8]) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    for (_, resource) in messages(body, 1) {
        let about = whole(resource, 1);
        for (_, scope) in messages(resource, 2) {
            for (span, _) in messages(scope, 2) {
                let scope = [whole(scope, 1), span.to_vec()].concat();
                let resource = [about.clone(), message(2, &scope)].concat();
                bodies.push(message(1, &resource));
            }
        }
    }
    bodies
}

/// The first field with this number, key and all.
fn whole(bytes: &[u8], field: u64) -> Vec<u8> {
    messages(bytes, field).first().map(|(whole, _)| whole.to_vec()).unwrap_or_default()
}

/// Messages of one field: each with its key and length, and without.
fn messages(bytes: &[u8], field: u64) -> Vec<(&[u8], &[u8])> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let key = read_varint(bytes, &mut at);
        let length = match key & 7 {
            0 => {
                read_varint(bytes, &mut at);
                0
            }
            1 => 8,
            5 => 4,
            2 => read_varint(bytes, &mut at) as usize,
            other => panic!("wire type {other}"),
        };
        if key >> 3 == field && key & 7 == 2 {
            found.push((&bytes[start..at + length], &bytes[at..at + length]));
        }
        at += length;
    }
    found
}

fn read_varint(bytes: &[u8], at: &mut usize) -> u64 {
    let mut value = 0;
    for shift in 0.. {
        let byte = bytes[*at];
        *at += 1;
        value |= u64::from(byte & 0x7f) << (7 * shift);
        if byte < 0x80 {
            return value;
        }
    }
    unreachable!("the loop has no end")
}

pub fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

/// A field that holds bytes: a text, a message.
pub fn message(field: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

pub fn fixed64(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3 | 1), value.to_le_bytes().to_vec()].concat()
}

/// An attribute with a text.
pub fn attribute(key: &[u8], text: &[u8]) -> Vec<u8> {
    [message(1, key), message(2, &message(1, text))].concat()
}

pub const START: u64 = 1_790_000_000_000_000_000;

/// A span in protobuf; `fields` come after what every span has.
pub fn span(trace: u128, span: u64, parent: u64, fields: &[Vec<u8>]) -> Vec<u8> {
    let mut out = [
        message(1, &trace.to_be_bytes()),
        message(2, &span.to_be_bytes()),
        message(5, format!("span {span}").as_bytes()),
        fixed64(7, START),
        fixed64(8, START + 1_000_000),
    ]
    .concat();
    if parent != 0 {
        out.extend(message(4, &parent.to_be_bytes()));
    }
    out.extend(fields.concat());
    out
}

/// A request that holds these spans.
pub fn request(spans: &[Vec<u8>]) -> Vec<u8> {
    let spans: Vec<u8> = spans.iter().flat_map(|span| message(2, span)).collect();
    message(1, &message(2, &spans))
}

/// Posts protobuf to `/v1/traces`.
pub fn post(api: &Api, body: Vec<u8>) -> RequestBuilder {
    api.http.post(format!("{}/v1/traces", api.url)).header("content-type", "application/x-protobuf").body(body)
}
