//! A server under full control of a test: it reads one request per connection and answers with exactly the bytes it is told.

use super::{ApiKey, HttpClient, Kind, ProviderSettings, build};
use flowtrace_core::call::{Message, ModelAnswer, ModelCall, Parameters, Role, Target};
use flowtrace_core::failure::Failure;
use flowtrace_engine::port::provider::{CallContext, Provider};
use serde_json::Value;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub fn no_secrets() -> Arc<dyn crate::secrets::Secrets> {
    Arc::new(crate::secrets::tests::Fixed(Default::default()))
}

pub const KEY: &str = "sk-test-0123456789abcdef";

/// What to do with a connection once its request has come in.
#[derive(Clone, Debug)]
pub enum Act {
    /// Send the bytes and close.
    Send(Vec<u8>),
    /// Send the bytes and keep the connection open until the client leaves.
    SendAndHang(Vec<u8>),
}

/// One request as it came in.
#[derive(Clone, Debug)]
pub struct Seen {
    pub head: String,
    pub body: Value,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

pub struct Upstream {
    pub base_url: String,
    pub seen: Arc<Mutex<Vec<Seen>>>,
    /// Receives a message whenever a client has closed a connection that hung.
    pub closed: mpsc::UnboundedReceiver<()>,
    act: Arc<Mutex<Act>>,
    task: JoinHandle<()>,
}

impl Upstream {
    pub async fn start(act: Act) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let act = Arc::new(Mutex::new(act));
        let (sender, closed) = mpsc::unbounded_channel();
        let (task_seen, task_act) = (seen.clone(), act.clone());
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let act = task_act.lock().unwrap().clone();
                tokio::spawn(serve(stream, act, task_seen.clone(), sender.clone()));
            }
        });
        Upstream { base_url, seen, closed, act, task }
    }

    pub fn set(&self, act: Act) {
        *self.act.lock().unwrap() = act;
    }

    /// A provider of `kind` that calls this server, with a key.
    pub fn provider(&self, kind: Kind) -> Arc<dyn Provider> {
        provider_at(kind, &self.base_url)
    }

    pub fn last(&self) -> Seen {
        self.seen.lock().unwrap().last().cloned().unwrap()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub fn provider_at(kind: Kind, base_url: &str) -> Arc<dyn Provider> {
    let base_url = Some(match kind {
        Kind::OpenAi => format!("{base_url}/v1"),
        Kind::Anthropic => base_url.to_owned(),
    });
    let name = match kind {
        Kind::OpenAi => "openai",
        Kind::Anthropic => "anthropic",
    };
    let key_setting = Some(format!("{}_API_KEY", name.to_uppercase()));
    let settings =
        ProviderSettings { base_url, api_key: ApiKey::new(KEY).ok(), key_setting, ..ProviderSettings::new(name, kind) };
    build(&[settings], &HttpClient::new().unwrap(), None, no_secrets()).unwrap().remove(0)
}

async fn serve(mut stream: TcpStream, act: Act, seen: Arc<Mutex<Vec<Seen>>>, closed: mpsc::UnboundedSender<()>) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let (head, length) = loop {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            bytes.drain(..end + 4);
            break (head, length.unwrap_or(0));
        }
    };
    while bytes.len() < length {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
    seen.lock().unwrap().push(Seen { head, body: serde_json::from_slice(&bytes).unwrap_or_default() });
    let (reply, hang) = match act {
        Act::Send(reply) => (reply, false),
        Act::SendAndHang(reply) => (reply, true),
    };
    if stream.write_all(&reply).await.is_err() {
        return;
    }
    if hang {
        while !matches!(stream.read(&mut buffer).await, Ok(0) | Err(_)) {}
        let _ = closed.send(());
    }
}

/// HTTP 200 whose body ends with the connection.
pub fn ok(content_type: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    response(200, &format!("content-type: {content_type}\r\nx-request-id: req_1\r\n"), body)
}

pub fn response(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status} x\r\n{headers}connection: close\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body.as_ref());
    bytes
}

pub fn call(provider: &str, model: &str) -> ModelCall {
    let message = |role, content: &str| Message::new(role, content);
    ModelCall {
        tools: Vec::new(),
        sample: None,
        target: Target { provider: provider.to_owned(), model: model.to_owned() },
        messages: vec![message(Role::System, "Be brief"), message(Role::User, "Why is the sky blue?")],
        parameters: Parameters::default(),
        schema: None,
        simulate: None,
    }
}

pub fn context(timeout_ms: u64) -> CallContext {
    CallContext {
        idempotency_key: "01900000/each[1]/sum/1".to_owned(),
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
        attempt: 1,
        timeout_ms,
        max_output_tokens: None,
    }
}

/// One attempt with a generous deadline, and the text that was reported while it ran.
pub async fn attempt(provider: &Arc<dyn Provider>, call: &ModelCall) -> (Result<ModelAnswer, Failure>, String) {
    let seen = Mutex::new(String::new());
    let result = provider.call(call, &context(20_000), &|text: &str| seen.lock().unwrap().push_str(text)).await;
    (result, seen.into_inner().unwrap())
}
