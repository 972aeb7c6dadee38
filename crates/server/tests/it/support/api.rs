//! A client of the API. Every JSON answer is checked against the schema that the server documents for it.

use jsonschema::Validator;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock};

#[derive(Clone)]
pub struct Api {
    pub url: String,
    pub http: reqwest::Client,
    /// Operations that were called, as `GET /api/runs`.
    pub called: Arc<Mutex<BTreeSet<String>>>,
    token: Option<String>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{} is not JSON ({error}): {}", self.status, self.text))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The answer's JSON, if it has the status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// A problem document with this status and code; returns its sentence.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text);
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(problem["type"], format!("urn:flowtrace:problem:{code}"), "{problem}");
        let detail = problem["detail"].as_str().unwrap().to_owned();
        assert!(detail.ends_with(['.', '!', '?']) && detail.starts_with(|c: char| !c.is_lowercase()), "no sentence: {detail}");
        detail
    }
}

impl Api {
    pub fn new(url: &str) -> Api {
        let http = reqwest::Client::builder().no_proxy().timeout(super::PATIENCE).build().unwrap();
        Api { url: url.to_owned(), http, called: Arc::default(), token: None }
    }

    pub fn with_token(mut self, token: &str) -> Api {
        self.token = Some(token.to_owned());
        self
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, |request| request).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, |request| request).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, |request| request.json(&body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, |request| request.json(&body)).await
    }

    pub async fn send(&self, method: Method, path: &str, adjust: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Answer {
        let mut request = adjust(self.http.request(method.clone(), format!("{}{path}", self.url)));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap_or_else(|error| panic!("{method} {path}: {error:?}"));
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let answer = Answer { status, headers, text: response.text().await.unwrap() };
        self.check(&method, path, &answer).await;
        answer
    }

    async fn check(&self, method: &Method, path: &str, answer: &Answer) {
        let path = path.split('?').next().unwrap();
        // A client without the token cannot read the contract.
        let Some(contract) = self.try_contract().await else { return };
        let Some(operation) = contract.operation(method, path) else { return };
        self.called.lock().unwrap().insert(operation.name.clone());
        let content_type = answer.header("content-type").unwrap_or_default();
        if let Err(wrong) = operation.check(answer.status, content_type, &answer.text) {
            panic!("{method} {path} answered {} with what is not documented: {wrong}\n{}", answer.status, answer.text);
        }
    }

    pub async fn contract(&self) -> Arc<Contract> {
        self.try_contract().await.expect("/api/openapi.json cannot be read")
    }

    async fn try_contract(&self) -> Option<Arc<Contract>> {
        // Every server of this binary serves the same one.
        static CONTRACT: OnceLock<Arc<Contract>> = OnceLock::new();
        if let Some(contract) = CONTRACT.get() {
            return Some(contract.clone());
        }
        let mut request = self.http.get(format!("{}/api/openapi.json", self.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        if response.status() == 401 {
            return None;
        }
        let document = response.json().await.unwrap();
        Some(CONTRACT.get_or_init(|| Arc::new(Contract::new(document))).clone())
    }

    /// Starts a document and waits for its end.
    #[track_caller]
    pub fn run(&self, document: Value, input: Value) -> impl Future<Output = Value> {
        let api = self.clone();
        async move {
            let body = json!({"graph_json": document, "input_vars": input});
            api.post("/api/runs?wait=60", body).await.expect(201)["run"].clone()
        }
    }
}

/// What the OpenAPI document promises.
pub struct Contract {
    pub document: Value,
    operations: Vec<Operation>,
}

pub struct Operation {
    /// `GET /api/runs/{id}`
    pub name: String,
    method: String,
    segments: Vec<String>,
    /// By status or `default`, then by content type; `None`: no body.
    responses: HashMap<String, HashMap<String, Validator>>,
}

impl Contract {
    fn new(document: Value) -> Contract {
        let mut operations = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let responses = operation["responses"].as_object().unwrap().iter().map(|(status, response)| {
                    let content = response["content"].as_object().into_iter().flatten();
                    let validators = content.map(|(content_type, media)| {
                        let schema = json!({
                            "$schema": "https://json-schema.org/draft/2020-12/schema",
                            "components": document["components"],
                            "allOf": [media["schema"]],
                        });
                        let validator = jsonschema::validator_for(&schema)
                            .unwrap_or_else(|error| panic!("{method} {path} {status}: {error}"));
                        (content_type.clone(), validator)
                    });
                    (status.clone(), validators.collect())
                });
                operations.push(Operation {
                    name: format!("{} {path}", method.to_uppercase()),
                    method: method.to_uppercase(),
                    segments: path.split('/').map(str::to_owned).collect(),
                    responses: responses.collect(),
                });
            }
        }
        Contract { document, operations }
    }

    pub fn names(&self) -> BTreeSet<String> {
        self.operations.iter().map(|operation| operation.name.clone()).collect()
    }

    fn operation(&self, method: &Method, path: &str) -> Option<&Operation> {
        let segments: Vec<&str> = path.split('/').collect();
        // A literal segment beats a parameter, as in the router.
        self.operations
            .iter()
            .filter(|operation| operation.method == method.as_str() && operation.matches(&segments))
            .max_by_key(|operation| operation.segments.iter().filter(|segment| !segment.starts_with('{')).count())
    }
}

impl Operation {
    fn matches(&self, segments: &[&str]) -> bool {
        self.segments.len() == segments.len()
            && self.segments.iter().zip(segments).all(|(own, other)| own.starts_with('{') || own == other)
    }

    fn check(&self, status: u16, content_type: &str, text: &str) -> Result<(), String> {
        let exact = self.responses.get(&status.to_string());
        let response = exact.or_else(|| self.responses.get("default").filter(|_| status >= 400));
        let response = response.ok_or_else(|| format!("status {status}"))?;
        if response.is_empty() {
            return if text.is_empty() { Ok(()) } else { Err("a body".to_owned()) };
        }
        let validator = response.get(content_type).ok_or_else(|| format!("content type `{content_type}`"))?;
        if ["text/event-stream", "application/jsonl", "application/openmetrics-text"]
            .contains(&content_type.split(';').next().unwrap())
        {
            return Ok(());
        }
        let body: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let errors: Vec<_> =
            validator.iter_errors(&body).map(|error| format!("{}: {error}", error.instance_path())).take(5).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors.join("\n")) }
    }
}
