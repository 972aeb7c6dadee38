//! The trust boundary: which requests are answered at all.
//!
//! Loopback is no authentication. Any web page can make a browser send requests to 127.0.0.1, and with DNS rebinding it can
//! even read the answers. So every request is checked for the name it was sent to (`Host`) and for the page that sent it
//! (`Origin`, `Sec-Fetch-Site`), and a mutation has to carry a content type that a browser does not send across origins
//! without asking first. There are no CORS headers, so asking never succeeds.

use crate::access::{KeyRing, Known, Scope};
use crate::api::problem::ApiError;
use crate::app::Shared;
use crate::otlp::{is_content_type, is_ingest};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use flowtrace_engine::port::credentials::AccessKey;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use std::net::IpAddr;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Routes that need no token: what a load balancer asks, and what the page asks that wants the token. The UI's files are no
/// routes, and hold no secret.
const OPEN: [&str; 3] = ["/health", "/version", "/api/session"];

/// Besides the paths of SDKs, what a key for sending may use.
const SCORES: &str = "/api/scores";

/// The cookie that stands for the token in a browser.
pub const COOKIE: &str = "flowtrace_session";

#[derive(Debug)]
pub struct Boundary {
    /// Lower-case names and addresses without port under which this server may be addressed.
    hosts: Vec<String>,
    /// Whether any IP address may be: the server listens on all of them, and rebinding needs a name.
    any_address: bool,
    token: Option<Token>,
    /// Besides the token, these are accepted where one is demanded.
    pub keys: KeyRing,
}

/// The secret that every request has to carry, where one is demanded.
pub struct Token(String);

impl Token {
    pub const MIN_CHARACTERS: usize = 16;

    pub fn new(secret: &str) -> Result<Self, String> {
        let secret = secret.trim();
        if secret.len() < Token::MIN_CHARACTERS {
            return Err(format!("the token is too short: it needs at least {} characters", Token::MIN_CHARACTERS));
        }
        if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the token may hold only visible ASCII characters, because it travels in a header".to_owned());
        }
        Ok(Token(secret.to_owned()))
    }

    pub fn matches(&self, candidate: &str) -> bool {
        self.0.as_bytes().ct_eq(candidate.as_bytes()).into()
    }

    /// What the cookie holds: derived, so that reading the cookie does not give away the token.
    pub fn cookie(&self) -> String {
        flowtrace_core::payload::sha256_hex(format!("flowtrace session\0{}", self.0).as_bytes())
    }

    /// What the cookie of an access key holds. The token goes into it, so that whoever reads the store cannot make one.
    pub fn cookie_of(&self, key: &AccessKey) -> String {
        let text = format!("flowtrace session of a key\0{}\0{}", self.0, key.hash);
        format!("{}.{}", key.id, flowtrace_core::payload::sha256_hex(text.as_bytes()))
    }

    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Boundary {
    /// `listen` is the address the server is bound to, `names` what the operator calls it besides.
    pub fn new(listen: IpAddr, names: &[String], token: Option<Token>) -> Self {
        let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).into();
        hosts.push(match listen {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        });
        hosts.extend(names.iter().map(|name| name.to_ascii_lowercase()));
        Boundary { hosts, any_address: listen.is_unspecified(), token, keys: KeyRing::default() }
    }

    pub fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    /// Whether a request with these headers may be answered.
    pub fn check(&self, method: &Method, path: &str, headers: &HeaderMap, authority: Option<&Authority>) -> Result<(), ApiError> {
        let host = self.check_host(headers, authority)?;
        check_origin(&host, headers)?;
        check_fetch_site(method, path, headers)?;
        check_content_type(method, path, headers)
    }

    fn check_host(&self, headers: &HeaderMap, authority: Option<&Authority>) -> Result<Authority, ApiError> {
        let misdirected = |what: String| ApiError::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", what);
        let mut all = headers.get_all(header::HOST).iter();
        let host = match (all.next(), all.next(), authority) {
            (Some(host), None, _) => host.to_str().ok().and_then(|text| text.parse::<Authority>().ok()),
            (None, _, Some(authority)) => Some(authority.clone()),
            _ => None,
        };
        let Some(host) = host.filter(|host| !host.as_str().contains('@')) else {
            return Err(misdirected("The request does not say which host it is for, in one valid `Host` header.".to_owned()));
        };
        let name = host.host().to_ascii_lowercase();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        if self.hosts.contains(&name) || (self.any_address && bare.parse::<IpAddr>().is_ok()) {
            return Ok(host);
        }
        Err(misdirected(format!(
            "This server does not answer for the host `{name}`. If that is its name, start it with `--host {name}` or put it under `hosts` in flowtrace.toml."
        )))
    }

    /// Who a request for this route comes from, if it may be answered: it carries the token or an access key, or needs neither.
    pub fn admit(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<Caller, ApiError> {
        if OPEN.contains(&path) {
            return Ok(Caller::ANYONE);
        }
        let Some(caller) = self.caller(path, headers) else {
            return Err(ApiError::new(
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "This server needs its token or an access key: send `Authorization: Bearer <token>`, or open the page in a browser and \
                 enter it there.",
            )
            .with_header(header::WWW_AUTHENTICATE, "Bearer"));
        };
        let sends = is_ingest(path) || (method == Method::POST && path == SCORES);
        if caller.scope == Scope::All || sends {
            return Ok(caller);
        }
        Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "ingest_only",
            "This access key may only send spans and scores: use the token of the server, or a key with the scope `all`.",
        ))
    }

    /// Who a request says it is, and can prove. `None` where that is needed and missing.
    fn caller(&self, path: &str, headers: &HeaderMap) -> Option<Caller> {
        let Some(token) = &self.token else { return Some(Caller::ANYONE) };
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let authorization = |scheme: &str| {
            let (said, rest) = text("authorization")?.split_once(' ')?;
            said.eq_ignore_ascii_case(scheme).then(|| rest.trim().to_owned())
        };
        let mut given: Vec<String> = authorization("bearer").into_iter().collect();
        // SDKs carry it where their vendor's key would stand: as the password of a user, or in a header of their own.
        if is_ingest(path) {
            let pair = authorization("basic").and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
            let pair = pair.and_then(|pair| String::from_utf8(pair).ok());
            given.extend(pair.and_then(|pair| pair.split_once(':').map(|(_, password)| password.to_owned())));
            given.extend(text("x-api-key").map(|key| key.trim().to_owned()));
        }
        let credentials = given.iter().filter_map(|given| self.judge(given));
        let sessions = cookies(headers).filter(|(name, _)| *name == COOKIE);
        let sessions = sessions.filter_map(|(_, value)| match value.split_once('.') {
            None => bool::from(value.as_bytes().ct_eq(token.cookie().as_bytes())).then_some(Caller::ANYONE),
            Some((id, _)) => {
                let key = self.keys.all().iter().find(|known| known.key.id == id).cloned()?;
                let expected = token.cookie_of(&key.key);
                bool::from(value.as_bytes().ct_eq(expected.as_bytes())).then(|| Caller::from(key))
            }
        });
        // Whoever shows several is who may do most.
        credentials.chain(sessions).max_by_key(|caller| caller.scope)
    }

    /// Who proves to be somebody with this: the token of the server, or an access key.
    pub fn judge(&self, given: &str) -> Option<Caller> {
        match &self.token {
            Some(token) if token.matches(given) => Some(Caller::ANYONE),
            _ => self.keys.find(given).map(Caller::from),
        }
    }

    /// Whether the request may use all of the API.
    pub fn authenticated(&self, headers: &HeaderMap) -> bool {
        self.caller("", headers).is_some_and(|caller| caller.scope == Scope::All)
    }
}

/// Who sent a request, as far as it matters.
#[derive(Clone, Debug)]
pub struct Caller {
    pub scope: Scope,
    /// The access key; `None` for the token, and where nothing is needed.
    pub key: Option<Arc<Known>>,
}

impl Caller {
    const ANYONE: Caller = Caller { scope: Scope::All, key: None };
}

impl Caller {
    /// Who it is, for what is written down of a decision: the key by its name, else what `otherwise` says.
    pub fn name(&self, otherwise: &str) -> String {
        self.key.as_ref().map_or_else(|| otherwise.to_owned(), |known| format!("key {}", known.key.name))
    }
}

impl From<Arc<Known>> for Caller {
    fn from(key: Arc<Known>) -> Self {
        Caller { scope: key.scope, key: Some(key) }
    }
}

fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

fn foreign(what: String) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "foreign_origin", what)
}

/// A browser names the page's origin in every request that could change something, and in every one across origins.
fn check_origin(host: &Authority, headers: &HeaderMap) -> Result<(), ApiError> {
    for origin in headers.get_all(header::ORIGIN) {
        let text = origin.to_str().unwrap_or("?");
        let same = text.split_once("://").is_some_and(|(scheme, authority)| {
            let default_port = match scheme {
                "http" => 80,
                "https" => 443,
                _ => return false,
            };
            authority.parse::<Authority>().is_ok_and(|authority| {
                !authority.as_str().contains('@')
                    && authority.host().eq_ignore_ascii_case(host.host())
                    && authority.port_u16().unwrap_or(default_port) == host.port_u16().unwrap_or(default_port)
            })
        });
        if !same {
            return Err(foreign(format!(
                "The request comes from a page of another origin (`{}`), and only this server's own pages may use it.",
                text.chars().take(100).collect::<String>()
            )));
        }
    }
    Ok(())
}

/// `Sec-Fetch-Site` also tells for requests without `Origin`, such as an image on a foreign page.
fn check_fetch_site(method: &Method, path: &str, headers: &HeaderMap) -> Result<(), ApiError> {
    let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match value("sec-fetch-site") {
        None | Some("same-origin" | "none") => Ok(()),
        // Following a link from elsewhere to a page of the UI.
        Some(_)
            if method == Method::GET
                && !is_api(path)
                && value("sec-fetch-mode") == Some("navigate")
                && value("sec-fetch-dest") == Some("document") =>
        {
            Ok(())
        }
        Some(_) => Err(foreign("The request comes from another site, and only this server's own pages may use it.".to_owned())),
    }
}

/// A form on a foreign page can send three content types, and JSON is none of them. It cannot send a `DELETE` at all.
fn check_content_type(method: &Method, path: &str, headers: &HeaderMap) -> Result<(), ApiError> {
    if !matches!(*method, Method::POST | Method::PUT | Method::PATCH) {
        return Ok(());
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") || (is_ingest(path) && is_content_type(essence)) {
        return Ok(());
    }
    if essence.starts_with("application/grpc") {
        // A call that is not there: gRPC reads this status so.
        return Err(ApiError::not_found("method of that name"));
    }
    let needs = match is_ingest(path) {
        true => "What is sent here needs the header `Content-Type: application/x-protobuf` or `Content-Type: application/json`.",
        false => "A request that changes something needs the header `Content-Type: application/json`, also without a body.",
    };
    Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", needs))
}

/// The middleware around everything.
pub async fn guard(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let checked = app.boundary.check(request.method(), request.uri().path(), request.headers(), request.uri().authority());
    match checked {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// The middleware around every route, also of those that are added one day.
pub async fn authenticate(State(app): State<Shared>, mut request: Request, next: Next) -> Response {
    let caller = match app.boundary.admit(request.method(), request.uri().path(), request.headers()) {
        Ok(caller) => caller,
        Err(error) => return error.into_response(),
    };
    if let Some(known) = &caller.key {
        note_use(&app, known);
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Writes down that a key is in use, once in a while and beside the request.
fn note_use(app: &Shared, known: &Arc<Known>) {
    let now = app.clock.now();
    if !known.used(now) {
        return;
    }
    let (app, id) = (app.clone(), known.key.id.clone());
    tokio::spawn(async move {
        if let Err(error) = app.credentials.touch_access_key(&id, now).await {
            tracing::warn!(%error, "the use of an access key could not be written down");
        }
    });
}

/// The headers of every response.
pub async fn harden(request: Request, next: Next) -> Response {
    let is_api = is_api(request.uri().path());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        // Scripts and styles come from this server only; nothing may be inline.
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
             worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_api {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn boundary(listen: &str, token: bool) -> Boundary {
        let token = token.then(|| Token::new(TOKEN).unwrap());
        Boundary::new(listen.parse().unwrap(), &["Flow.Example".to_owned()], token)
    }

    /// The status that a request gets, 200 if it passes.
    fn status(boundary: &Boundary, method: Method, path: &str, headers: &[(&str, &str)]) -> u16 {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())).collect();
        let checked = boundary.check(&method, path, &headers, None).and_then(|()| boundary.admit(&method, path, &headers));
        checked.map_or_else(|error| error.status.as_u16(), |_| 200)
    }

    #[test]
    fn hosts() {
        let table = [
            ("127.0.0.1", "127.0.0.1:7878", 200),
            ("127.0.0.1", "localhost:7878", 200),
            ("127.0.0.1", "LOCALHOST", 200),
            ("127.0.0.1", "[::1]:7878", 200),
            ("127.0.0.1", "localhost:9000", 200), // through a forwarded port
            ("127.0.0.1", "flow.example", 200),
            ("127.0.0.1", "evil.example", 421),
            ("127.0.0.1", "evil.example:7878", 421),
            ("127.0.0.1", "localhost.evil.example", 421),
            ("127.0.0.1", "127.0.0.1.evil.example", 421),
            ("127.0.0.1", "localhost@evil.example", 421),
            ("127.0.0.1", "evil@localhost", 421),
            ("127.0.0.1", "192.168.1.5", 421),
            ("127.0.0.1", "", 421),
            ("127.0.0.1", "a b", 421),
            ("192.168.1.5", "192.168.1.5:7878", 200),
            ("0.0.0.0", "192.168.1.5:7878", 200),
            ("0.0.0.0", "[2001:db8::1]", 200),
            ("0.0.0.0", "evil.example", 421),
            ("::", "10.0.0.1", 200),
        ];
        for (listen, host, expected) in table {
            assert_eq!(
                status(&boundary(listen, false), Method::GET, "/api/runs", &[("host", host)]),
                expected,
                "listen {listen}, Host: {host}"
            );
        }
        assert_eq!(status(&boundary("127.0.0.1", false), Method::GET, "/health", &[]), 421, "no Host at all");
    }

    #[test]
    fn origins() {
        let table: &[(&[(&str, &str)], u16)] = &[
            (&[], 200),
            (&[("origin", "http://localhost:7878")], 200),
            (&[("origin", "http://LOCALHOST:7878")], 200),
            (&[("origin", "http://localhost:7878"), ("sec-fetch-site", "same-origin")], 200),
            (&[("sec-fetch-site", "none")], 200),
            (&[("origin", "null")], 403),
            (&[("origin", "http://localhost")], 403),
            (&[("origin", "http://localhost:7879")], 403),
            (&[("origin", "http://127.0.0.1:7878")], 403),
            (&[("origin", "https://evil.example")], 403),
            (&[("origin", "http://localhost:7878.evil.example")], 403),
            (&[("origin", "http://localhost:7878@evil.example")], 403),
            (&[("origin", "http://x@localhost:7878")], 403),
            (&[("origin", "file://")], 403),
            (&[("origin", "chrome-extension://localhost:7878")], 403),
            (&[("origin", "localhost:7878")], 403),
            (&[("sec-fetch-site", "cross-site")], 403),
            (&[("sec-fetch-site", "same-site")], 403),
            (&[("sec-fetch-site", "nonsense")], 403),
            (&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")], 403),
            (&[("origin", "http://localhost:7878"), ("origin", "https://evil.example")], 403),
        ];
        let boundary = boundary("127.0.0.1", false);
        for (headers, expected) in table {
            for method in [Method::GET, Method::POST, Method::DELETE, Method::OPTIONS] {
                let mut all = vec![("host", "localhost:7878"), ("content-type", "application/json")];
                all.extend_from_slice(headers);
                assert_eq!(status(&boundary, method.clone(), "/api/runs", &all), *expected, "{method} {headers:?}");
            }
        }
        // Default ports are left out by browsers, and a proxy in front may speak TLS.
        for (host, origin) in [("flow.example", "https://flow.example"), ("flow.example:443", "https://flow.example")] {
            assert_eq!(
                status(&boundary, Method::GET, "/api/runs", &[("host", host), ("origin", origin)]),
                200,
                "{host} {origin}"
            );
        }
    }

    #[test]
    fn a_link_from_elsewhere_opens_the_page_and_nothing_more() {
        let boundary = boundary("127.0.0.1", false);
        let link = |dest| {
            vec![
                ("host", "localhost"),
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", dest),
            ]
        };
        assert_eq!(status(&boundary, Method::GET, "/runs/x", &link("document")), 200);
        assert_eq!(status(&boundary, Method::GET, "/runs/x", &link("iframe")), 403);
        assert_eq!(status(&boundary, Method::POST, "/runs/x", &link("document")), 403);
        assert_eq!(status(&boundary, Method::GET, "/api/runs", &link("document")), 403);
    }

    #[test]
    fn mutations_need_json() {
        let boundary = boundary("127.0.0.1", false);
        let with = |method: Method, content_type: Option<&'static str>| {
            let mut headers = vec![("host", "localhost")];
            headers.extend(content_type.map(|value| ("content-type", value)));
            status(&boundary, method, "/api/workflows", &headers)
        };
        for method in [Method::POST, Method::PUT, Method::PATCH] {
            assert_eq!(with(method.clone(), None), 415);
            assert_eq!(with(method.clone(), Some("text/plain")), 415);
            assert_eq!(with(method.clone(), Some("application/x-www-form-urlencoded")), 415);
            assert_eq!(with(method.clone(), Some("multipart/form-data; boundary=application/json")), 415);
            assert_eq!(with(method.clone(), Some("text/plain; application/json")), 415);
            assert_eq!(with(method.clone(), Some("application/json")), 200);
            assert_eq!(with(method, Some("Application/JSON; charset=utf-8")), 200);
        }
        assert_eq!(with(Method::GET, None), 200);
        assert_eq!(with(Method::DELETE, None), 200);
    }

    #[test]
    fn tokens() {
        let boundary = boundary("0.0.0.0", true);
        let cookie = format!("theme=dark; {COOKIE}={}", Token::new(TOKEN).unwrap().cookie());
        let with = |path: &str, header: Option<(&'static str, &str)>| {
            let mut headers = vec![("host", "localhost")];
            headers.extend(header);
            status(&boundary, Method::GET, path, &headers)
        };
        assert_eq!(with("/api/runs", None), 401);
        assert_eq!(with("/api/runs", Some(("authorization", "Bearer 0123456789abcdef"))), 200);
        assert_eq!(with("/api/runs", Some(("authorization", "bearer 0123456789abcdef"))), 200);
        assert_eq!(with("/api/runs", Some(("authorization", "Bearer 0123456789abcdeF"))), 401);
        assert_eq!(with("/api/runs", Some(("authorization", "Bearer "))), 401);
        assert_eq!(with("/api/runs", Some(("authorization", "Basic 0123456789abcdef"))), 401);
        assert_eq!(with("/api/runs?token=0123456789abcdef", None), 401);
        assert_eq!(with("/api/runs", Some(("cookie", &cookie))), 200);
        assert_eq!(with("/api/runs", Some(("cookie", "flowtrace_session=0123456789abcdef"))), 401);
        assert_eq!(with("/v1/models", None), 401);
        for open in OPEN {
            assert_eq!(with(open, None), 200, "{open}");
        }
        assert!(Token::new("short").is_err());
        assert!(Token::new("a token with spaces in it").is_err());
    }

    #[test]
    fn access_keys() {
        use crate::access::make;
        use flowtrace_core::id::Timestamp;
        let boundary = boundary("0.0.0.0", true);
        let (all, first) = make("all".to_owned(), Scope::All, Timestamp(1));
        let (ingest, second) = make("ingest".to_owned(), Scope::Ingest, Timestamp(1));
        boundary.keys.replace(vec![first.clone(), second.clone()]);
        let token = Token::new(TOKEN).unwrap();
        let cookie = |key: &AccessKey| format!("{COOKIE}={}", token.cookie_of(key));
        let basic = |key: &str| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("anybody:{key}")));
        let with = |method: &Method, path: &str, given: &[(&'static str, &str)]| {
            let headers: Vec<_> =
                [("host", "localhost"), ("content-type", "application/json")].into_iter().chain(given.iter().copied()).collect();
            status(&boundary, method.clone(), path, &headers)
        };
        for (name, value, of_all, of_ingest) in [
            ("authorization", format!("Bearer {all}"), 200, 200),
            ("authorization", format!("Bearer {ingest}"), 403, 200),
            ("cookie", cookie(&first), 200, 200),
            ("cookie", cookie(&second), 403, 200),
            ("authorization", basic(&all), 401, 200),
            ("authorization", basic(&ingest), 401, 200),
            ("x-api-key", all.clone(), 401, 200),
            ("x-api-key", ingest.clone(), 401, 200),
            ("authorization", format!("Bearer {}", first.hash), 401, 401),
            ("cookie", format!("{COOKIE}={}.{}", first.id, first.hash), 401, 401),
            ("cookie", format!("{COOKIE}={}.", first.id), 401, 401),
        ] {
            for path in ["/api/runs", "/api/keys", "/api/secrets", "/api/traces", "/api/ingest"] {
                assert_eq!(with(&Method::GET, path, &[(name, &value)]), of_all, "{path} {name}: {value}");
            }
            assert_eq!(with(&Method::POST, "/v1/traces", &[(name, &value)]), of_ingest, "{name}: {value}");
        }
        let bearer = format!("Bearer {ingest}");
        assert_eq!(with(&Method::POST, "/api/scores", &[("authorization", &bearer)]), 200);
        assert_eq!(with(&Method::GET, "/api/scores", &[("authorization", &bearer)]), 403);
        // A browser that is signed in and sends spans.
        assert_eq!(with(&Method::GET, "/api/runs", &[("authorization", &bearer), ("cookie", &cookie(&first))]), 200);
        boundary.keys.replace(vec![second]);
        assert_eq!(with(&Method::GET, "/api/runs", &[("authorization", &format!("Bearer {all}"))]), 401, "revoked");
        assert_eq!(with(&Method::GET, "/api/runs", &[("cookie", &cookie(&first))]), 401, "revoked");
    }
}
