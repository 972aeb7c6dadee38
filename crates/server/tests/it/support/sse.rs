//! Reads server-sent events of a run.

use super::api::Api;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub id: Option<u64>,
    pub event: String,
    pub data: Value,
}

pub struct Stream {
    response: reqwest::Response,
    buffer: Vec<u8>,
}

impl Stream {
    /// Opens the stream; `Err` is a status other than 200.
    pub async fn open(api: &Api, run: &str, last_event_id: Option<u64>) -> Result<Stream, u16> {
        let mut request = api.http.get(format!("{}/api/runs/{run}/stream", api.url));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id.to_string());
        }
        let response = request.send().await.unwrap();
        match response.status().as_u16() {
            200 => {
                assert_eq!(response.headers()["content-type"], "text/event-stream");
                Ok(Stream { response, buffer: Vec::new() })
            }
            status => Err(status),
        }
    }

    /// The next message; `None` when the server closes the stream or goes away.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|two| two == b"\n\n") {
                let text = String::from_utf8(self.buffer.drain(..at + 2).collect()).unwrap();
                let mut message = Message { id: None, event: String::new(), data: Value::Null };
                for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with(':')) {
                    match line.split_once(": ").unwrap_or((line, "")) {
                        ("id", id) => message.id = Some(id.parse().unwrap()),
                        ("event", name) => message.event = name.to_owned(),
                        ("data", data) => message.data = serde_json::from_str(data).unwrap(),
                        other => panic!("unexpected line {other:?}"),
                    }
                }
                if message.event.is_empty() {
                    continue;
                }
                return Some(message);
            }
            let chunk = tokio::time::timeout(super::PATIENCE, self.response.chunk()).await;
            match chunk.expect("the stream says nothing") {
                Ok(Some(bytes)) => self.buffer.extend_from_slice(&bytes),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    pub async fn rest(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(message) = self.next().await {
            messages.push(message);
        }
        messages
    }
}
