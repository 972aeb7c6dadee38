use super::super::testing::{attempt, call};
use super::*;
use flowtrace_core::failure::FailureCode;

fn environment(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
    move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
}

fn built(settings: &[ProviderSettings]) -> Vec<Arc<dyn Provider>> {
    build(settings, &HttpClient::new().unwrap(), None).unwrap()
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

#[test]
fn the_environment_is_read() {
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
    assert!(settings.iter().all(ProviderSettings::is_configured));
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
        let Err(error) = build(&settings, &HttpClient::new().unwrap(), None) else { panic!("{settings:?} was accepted") };
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
