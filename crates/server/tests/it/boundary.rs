//! Who may talk to the server. The tables of hosts and origins are beside the code; here is what a whole server does.

use crate::support::{Api, Server, documents};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_page_of_another_origin_can_start_nothing() {
    let server = Server::simulated();
    let api = server.api();
    let body = json!({"graph_json": documents::echo(), "input_vars": {"text": "x"}}).to_string();
    for (name, headers, status, code) in [
        (
            "fetch with JSON",
            vec![("origin", "https://evil.example"), ("content-type", "application/json")],
            403,
            "foreign_origin",
        ),
        ("a sandboxed frame", vec![("origin", "null"), ("content-type", "application/json")], 403, "foreign_origin"),
        ("a form", vec![("origin", "https://evil.example"), ("content-type", "text/plain")], 403, "foreign_origin"),
        ("a form of an old browser", vec![("content-type", "text/plain")], 415, "not_json"),
        ("an old browser without a type", vec![], 415, "not_json"),
        ("no-cors", vec![("sec-fetch-site", "cross-site"), ("content-type", "application/json")], 403, "foreign_origin"),
        ("another port", vec![("origin", "http://127.0.0.1:1"), ("content-type", "application/json")], 403, "foreign_origin"),
        ("DNS rebinding", vec![("host", "evil.example"), ("content-type", "application/json")], 421, "wrong_host"),
    ] {
        for path in ["/api/runs", "/api/workflows", "/api/simulate/fail-next", "/api/session"] {
            let answer = api
                .send(Method::POST, path, |request| {
                    headers.iter().fold(request.body(body.clone()), |request, (name, value)| request.header(*name, *value))
                })
                .await;
            assert_eq!(answer.status, status, "{name}: POST {path}");
            answer.problem(status, code);
        }
    }
    // Asking first does not help, and nothing can be read either.
    let preflight = api
        .send(Method::OPTIONS, "/api/runs", |request| {
            request.header("origin", "https://evil.example").header("access-control-request-method", "POST")
        })
        .await;
    assert!(preflight.header("access-control-allow-origin").is_none());
    preflight.problem(403, "foreign_origin");
    let read = api.send(Method::GET, "/api/runs", |request| request.header("sec-fetch-site", "cross-site")).await;
    read.problem(403, "foreign_origin");
    assert_eq!(api.get("/api/runs").await.expect(200)["runs"], json!([]), "something was started");
    let own = api.url.clone();
    api.send(Method::GET, "/api/runs", |request| request.header("origin", own)).await.expect(200);
}

#[tokio::test]
async fn every_answer_is_hardened() {
    let server = Server::simulated();
    let api = server.api();
    for path in ["/", "/health", "/api/runs", "/api/nothing", "/runs/some-page"] {
        let answer = api.get(path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control-")), "{path}");
    }
    let refused = api.send(Method::GET, "/api/runs", |request| request.header("host", "evil.example")).await;
    assert_eq!(refused.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn a_token_given_by_the_operator() {
    let server = Server::with(&["--simulate", "--token", "a-secret-of-the-operator"]);
    let bare = server.api();
    bare.get("/health").await.expect(200);
    assert_eq!(bare.get("/version").await.expect(200)["name"], "flowtrace");
    let answer = bare.get("/api/runs").await;
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    answer.problem(401, "unauthorized");
    bare.get("/api/runs?token=a-secret-of-the-operator").await.problem(401, "unauthorized");
    let page = bare.get("/").await;
    assert_eq!(page.status, 200, "the page asks for the token");
    for odd in ["//api/runs", "/%61pi/runs", "/API/runs", "/api/runs/", "/x/..%2fapi/runs", "/;/api/runs"] {
        let answer = bare.get(odd).await;
        assert!(!answer.text.contains("\"runs\""), "{odd}: {}", answer.text);
    }
    let api = server.api().with_token("a-secret-of-the-operator");
    api.get("/api/runs").await.expect(200);
    server.api().with_token("a-secret-of-the-operatoR").get("/api/runs").await.problem(401, "unauthorized");

    // The way of a browser.
    let http = bare.http.clone();
    let login = async |token: &str| {
        let body = json!({"token": token});
        http.post(format!("{}/api/session", bare.url)).json(&body).send().await.unwrap()
    };
    assert_eq!(login("wrong").await.status(), 401);
    let answer = login("a-secret-of-the-operator").await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.contains("Path=/"), "{cookie}");
    assert!(!cookie.contains("a-secret-of-the-operator"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let with_cookie = http.get(format!("{}/api/session", bare.url)).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(with_cookie.json::<serde_json::Value>().await.unwrap(), json!({"token_required": true, "authenticated": true}));
    assert_eq!(http.get(format!("{}/api/runs", bare.url)).header("cookie", &cookie).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn any_other_address_demands_a_token() {
    let server = Server::with(&["--simulate", "--listen", "0.0.0.0:0"]);
    assert!(server.banner.contains("token"), "{}", server.banner);
    server.api().get("/api/runs").await.problem(401, "unauthorized");
    let path = server.data.join("token");
    assert!(server.banner.contains(&path.display().to_string()), "{}", server.banner);
    let token = std::fs::read_to_string(&path).unwrap();
    assert!(token.trim().len() >= 64, "{token}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    server.api().with_token(token.trim()).get("/api/runs").await.expect(200);

    // The next server keeps it, and the command line finds it.
    let (directory, _) = server.stop();
    let server = Server::on(directory, &["--simulate", "--listen", "0.0.0.0:0"], |_| {});
    server.api().with_token(token.trim()).get("/api/runs").await.expect(200);
    let runs = crate::support::binary::finish(crate::support::flowtrace(&server.data, &["runs"]));
    assert_eq!(runs.code, Some(0), "{}", runs.stderr);
}

#[tokio::test]
async fn other_names_are_the_operators_choice() {
    let server = Server::with(&["--simulate", "--host", "flow.example"]);
    let api: Api = server.api();
    api.send(Method::GET, "/api/runs", |request| request.header("host", "flow.example")).await.expect(200);
    let detail =
        api.send(Method::GET, "/api/runs", |request| request.header("host", "other.example")).await.problem(421, "wrong_host");
    assert!(detail.contains("--host other.example"), "{detail}");
}
