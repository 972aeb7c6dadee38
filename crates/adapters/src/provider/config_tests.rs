use super::super::testing::{Act, KEY, Upstream, attempt, call, no_secrets};
use super::*;
use flowtrace_core::failure::FailureCode;

fn environment(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
    move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
}

fn built(settings: &[ProviderSettings]) -> Vec<Arc<dyn Provider>> {
    build(settings, &HttpClient::new().unwrap(), None, no_secrets()).unwrap()
}

#[tokio::test]
async fn an_empty_environment_gives_providers_that_say_what_is_missing() {
    let settings = ProviderSettings::from_env(environment(&[("OPENAI_API_KEY", "  ")])).unwrap();
    for (provider, setting) in built(&settings).iter().zip(["OPENAI_API_KEY", "ANTHROPIC_API_KEY"]) {
        let failure = attempt(provider, &call(provider.name(), "m")).await.0.unwrap_err();
        assert_eq!(failure.code, FailureCode::NotConfigured);
        assert!(failure.message.contains(setting) && failure.message.contains("--simulate"), "{}", failure.message);
        assert!(!provider.simulated() && !provider.configured(), "nobody may fall back to {}", provider.name());
    }
}

/// A secret is the key where the environment has none, from the next call on, and no longer when it is gone.
#[tokio::test]
async fn a_secret_is_the_key_while_it_is_there() {
    use std::sync::{Mutex, PoisonError};
    struct One(Mutex<Option<&'static str>>);
    impl Secrets for One {
        fn get(&self, name: &str) -> Option<String> {
            let now = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            now.filter(|_| name == "ANTHROPIC_API_KEY").map(str::to_owned)
        }
        fn how_to_set(&self, _name: &str) -> String {
            String::new()
        }
    }
    let secret = Arc::new(One(Mutex::new(None)));
    let mut settings = ProviderSettings::from_env(environment(&[])).unwrap();
    let provider = build(&settings, &HttpClient::new().unwrap(), None, secret.clone()).unwrap().remove(1);
    assert!(!provider.configured());
    *secret.0.lock().unwrap() = Some(KEY);
    assert!(provider.configured());
    *secret.0.lock().unwrap() = Some("no\nheader");
    assert!(!provider.configured(), "what cannot travel in a header is no key");

    let upstream = Upstream::start(Act::Send(b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n".to_vec())).await;
    for (given, secret_is, sent) in [(None, Some(KEY), Some(KEY)), (Some("given"), Some(KEY), Some("given")), (None, None, None)]
    {
        *secret.0.lock().unwrap() = secret_is;
        settings[1].api_key = given.map(|text| ApiKey::new(text).unwrap());
        settings[1].base_url = Some(upstream.base_url.clone());
        let provider = build(&settings, &HttpClient::new().unwrap(), None, secret.clone()).unwrap().remove(1);
        attempt(&provider, &call("anthropic", "m")).await.0.unwrap_err();
        assert_eq!(upstream.last().header("x-api-key"), sent);
    }
}

#[tokio::test]
async fn the_environment_is_read() {
    let settings = ProviderSettings::from_env(environment(&[
        ("OPENAI_API_KEY", "sk-secret-1"),
        ("ANTHROPIC_BASE_URL", " http://127.0.0.1:9/ "),
    ]))
    .unwrap();
    let names: Vec<&str> = settings.iter().map(|settings| settings.name.as_str()).collect();
    assert_eq!(names, ["openai", "anthropic"]);
    assert!(settings[0].api_key.is_some() && settings[0].base_url.is_none());
    assert_eq!(settings[1].base_url.as_deref(), Some("http://127.0.0.1:9/"));
    assert!(!format!("{settings:?}").contains("secret"), "{settings:?}");
    assert!(built(&settings).iter().all(|provider| provider.configured()));
    let error = ProviderSettings::from_env(environment(&[("OPENAI_API_KEY", "sk-bad\nkey")])).unwrap_err().to_string();
    assert!(error.contains("OPENAI_API_KEY") && !error.contains("sk-bad"), "{error}");
}

#[test]
fn settings_that_cannot_work_are_sentences() {
    let at =
        |base_url: &str| ProviderSettings { base_url: Some(base_url.to_owned()), ..ProviderSettings::new("local", Kind::OpenAi) };
    let table = [
        (vec![at("localhost:8080")], "has to start with http"),
        (vec![at("not a url")], "is not a URL"),
        (vec![at("ftp://host/v1")], "has to start with http"),
        (vec![at("http://user:hunter2@host/v1")], "`api_key`"),
        (vec![at("http://host/v1?key=1")], "a query"),
        (vec![at("http://host"), at("http://host")], "Two providers are called `local`"),
        (vec![ProviderSettings::new("", Kind::OpenAi)], "needs a name"),
    ];
    for (settings, sentence) in table {
        let Err(error) = build(&settings, &HttpClient::new().unwrap(), None, no_secrets()) else {
            panic!("{settings:?} was accepted")
        };
        assert!(error.to_string().contains(sentence), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn a_named_provider_from_a_file() {
    let text = r#"{"name": "local", "kind": "openai", "base_url": "http://127.0.0.1:8080/v1", "max_tokens_field": "max_completion_tokens",
        "stream_usage": false, "aliases": {"small": "qwen-0.5b"}}"#;
    let settings: ProviderSettings = serde_json::from_str(text).unwrap();
    assert_eq!(settings.max_tokens_field, Some(MaxTokensField::MaxCompletionTokens));
    let local = built(&[settings]).remove(0);
    assert!(local.name() == "local" && local.configured());
    assert!(serde_json::from_str::<ProviderSettings>(r#"{"name": "x", "kind": "openai", "url": "y"}"#).is_err());
}
