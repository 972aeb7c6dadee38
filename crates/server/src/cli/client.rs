//! The client of the HTTP API, and how a command finds a server to talk to.

use super::sse::{Message, Parser};
use crate::config::Config;
use crate::server::{Announcement, Mode, Server, StartFailure};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;

/// How long a directory may be held by somebody who does not say where it listens, for instance a server that is starting.
const PATIENCE: Duration = Duration::from_secs(5);

/// Times that a broken stream is taken up again before the command gives up.
const RECONNECTS: u32 = 10;

#[derive(Clone)]
pub struct Client {
    url: String,
    token: Option<String>,
    http: reqwest::Client,
}

/// What an answer with an error says.
pub struct ApiFailure {
    pub status: u16,
    pub detail: String,
    pub problems: Vec<Value>,
}

impl From<ApiFailure> for super::Failed {
    fn from(failure: ApiFailure) -> Self {
        super::Failed::from(failure.detail)
    }
}

/// A server to talk to, and the server itself where it had to be started.
pub struct Connection {
    pub client: Client,
    pub own: Option<Server>,
}

impl Connection {
    pub async fn close(self) {
        if let Some(server) = self.own {
            server.stop().await;
        }
    }
}

/// Finds the server that holds the data directory, or starts one that nobody else is told about.
pub async fn connect(
    config: impl Fn() -> Result<Config, String>,
    mode: Mode,
    token: Option<String>,
) -> Result<Connection, String> {
    let data = config()?.data;
    if mode == Mode::Read && !data.join("journal.db").exists() {
        return Err(format!(
            "there is no data in {}: start `flowtrace serve`, or name another directory with --data",
            data.display()
        ));
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(client) = running(&data, mode, &token).await? {
            return Ok(Connection { client, own: None });
        }
        // The address only matters to this process.
        let own = Config { listen: "127.0.0.1:0".to_owned(), ..config()? };
        match Server::start(own, mode).await {
            Ok(server) => {
                // A token in the configuration holds for this server too.
                let token = server.app.boundary.token().map(|token| token.secret().to_owned());
                return Ok(Connection { client: Client::new(&server.url, token)?, own: Some(server) });
            }
            Err(StartFailure::Locked(_)) if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(failure) => return Err(failure.to_string()),
        }
    }
}

/// The announced server, if it is there and holds this directory.
async fn running(data: &Path, mode: Mode, token: &Option<String>) -> Result<Option<Client>, String> {
    let Some(announced) = Announcement::read(data) else { return Ok(None) };
    let token = token.clone().or_else(|| std::fs::read_to_string(data.join("token")).ok().map(|text| text.trim().to_owned()));
    let client = Client::new(&announced.url, token)?;
    let Ok(version) = client.get("/version").await else { return Ok(None) };
    if version["instance"].as_str() != Some(&announced.instance) {
        return Ok(None);
    }
    if mode == Mode::Run && announced.mode != Mode::Serve {
        return Err(format!(
            "another `flowtrace run` (process {}) uses the data directory {}: wait for it, name another directory with --data, or \
             start `flowtrace serve`, which many can use at once",
            announced.pid,
            data.display()
        ));
    }
    Ok(Some(client))
}

impl Client {
    pub fn new(url: &str, token: Option<String>) -> Result<Self, String> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .build()
            .map_err(|error| format!("the HTTP client could not start: {error}"))?;
        Ok(Client { url: url.to_owned(), token, http })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.url)).header("flowtrace-client", "cli");
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        request
    }

    pub async fn get(&self, path: &str) -> Result<Value, ApiFailure> {
        self.json(self.request(Method::GET, path).timeout(Duration::from_secs(60))).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, ApiFailure> {
        self.json(self.request(Method::POST, path).timeout(Duration::from_secs(90)).json(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, ApiFailure> {
        self.json(self.request(Method::PUT, path).timeout(Duration::from_secs(60)).json(body)).await
    }

    /// For operations that answer nothing.
    pub async fn delete(&self, path: &str) -> Result<(), ApiFailure> {
        self.send(self.request(Method::DELETE, path).timeout(Duration::from_secs(60))).await.map(|_| ())
    }

    async fn json(&self, request: RequestBuilder) -> Result<Value, ApiFailure> {
        let response = self.send(request).await?;
        response.json().await.map_err(|error| self.broken(&error))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, ApiFailure> {
        let response = request.send().await.map_err(|error| self.broken(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let problem: Value = response.json().await.unwrap_or_default();
        let mut detail = problem["detail"].as_str().map_or_else(|| format!("the server answered {status}"), str::to_owned);
        if status == StatusCode::UNAUTHORIZED {
            detail.push_str(" For this command, put it into FLOWTRACE_TOKEN or name its file with --token-file.");
        }
        let problems = problem["problems"].as_array().cloned().unwrap_or_default();
        Err(ApiFailure { status: status.as_u16(), detail, problems })
    }

    fn broken(&self, error: &reqwest::Error) -> ApiFailure {
        let mut cause: &dyn std::error::Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        ApiFailure { status: 0, detail: format!("the server at {} did not answer: {cause}", self.url), problems: Vec::new() }
    }

    /// Follows a run from its first event.
    pub fn follow(&self, run: &str) -> Follow {
        let path = format!("/api/runs/{run}/stream");
        Follow {
            client: self.clone(),
            path,
            last_id: None,
            response: None,
            parser: Parser::default(),
            ready: VecDeque::new(),
            failures: 0,
        }
    }
}

/// The stream of a run, taken up again where it broke.
pub struct Follow {
    client: Client,
    path: String,
    last_id: Option<String>,
    response: Option<Response>,
    parser: Parser,
    ready: VecDeque<Message>,
    failures: u32,
}

impl Follow {
    /// `None` after the run's last event.
    pub async fn next(&mut self) -> Result<Option<Message>, ApiFailure> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                if message.event == "end" {
                    return Ok(None);
                }
                if message.id.is_some() {
                    self.last_id = message.id.clone();
                    self.failures = 0;
                }
                return Ok(Some(message));
            }
            let Some(response) = &mut self.response else {
                if self.connect().await? {
                    continue;
                }
                return Ok(None);
            };
            match response.chunk().await {
                Ok(Some(bytes)) => self.ready.extend(self.parser.push(&bytes)),
                Ok(None) => self.response = None,
                Err(error) => {
                    self.response = None;
                    self.failed(self.client.broken(&error)).await?;
                }
            }
        }
    }

    /// False if there is nothing more to come.
    async fn connect(&mut self) -> Result<bool, ApiFailure> {
        let mut request = self.client.request(Method::GET, &self.path);
        if let Some(id) = &self.last_id {
            request = request.header("last-event-id", id);
        }
        match self.client.send(request).await {
            Ok(response) if response.status() == StatusCode::NO_CONTENT => return Ok(false),
            Ok(response) => {
                self.parser = Parser::default();
                self.response = Some(response);
                // A stream that ends without `end` and without a failure is a server that stops.
                self.failures += 1;
                if self.failures > RECONNECTS {
                    return Err(ApiFailure {
                        status: 0,
                        detail: "the server keeps closing the stream".to_owned(),
                        problems: Vec::new(),
                    });
                }
            }
            Err(failure) if failure.status == 0 || failure.status >= 500 => self.failed(failure).await?,
            Err(failure) => return Err(failure),
        }
        Ok(true)
    }

    async fn failed(&mut self, failure: ApiFailure) -> Result<(), ApiFailure> {
        self.failures += 1;
        if self.failures > RECONNECTS {
            return Err(failure);
        }
        tokio::time::sleep(Duration::from_millis(100 * u64::from(self.failures))).await;
        Ok(())
    }
}
