//! Secrets of tools: put into a call at the last moment, and taken out of everything that comes back.

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use flowtrace_core::call::ToolCall;
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::secret;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Where the values of `{"$secret": name}` come from.
pub trait Secrets: Send + Sync {
    /// `None` where there is no such secret.
    fn get(&self, name: &str) -> Option<String>;

    /// How a person sets the secret, for the message that says it is missing.
    fn how_to_set(&self, name: &str) -> String;
}

/// Reads the secret `name` from the environment variable `FLOWTRACE_SECRET_NAME`: the name in capitals, with `_` for
/// every character that is not a letter, a digit or `_`. No other variable can be reached.
pub struct EnvironmentSecrets;

impl EnvironmentSecrets {
    fn variable(name: &str) -> String {
        let upper = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
        format!("FLOWTRACE_SECRET_{}", upper.collect::<String>())
    }
}

impl Secrets for EnvironmentSecrets {
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(Self::variable(name)).ok()
    }

    fn how_to_set(&self, name: &str) -> String {
        format!("set the environment variable {} of the server", Self::variable(name))
    }
}

/// The call's config with the secrets in it, and what takes them out again. An empty secret is an error: it is almost
/// always a variable that somebody forgot to fill.
pub fn resolve(secrets: &dyn Secrets, call: &ToolCall) -> Result<(Value, Redactor), Failure> {
    let mut config = call.config.clone();
    let mut used = Vec::new();
    for pointer in &call.secrets {
        let wrong = || {
            let message = format!("There is no secret reference at `{pointer}` of the config; write {{\"$secret\": \"name\"}}.");
            Failure::new(FailureCode::Tool, message)
        };
        let place = config.pointer_mut(pointer).ok_or_else(wrong)?;
        let (name, prefix) = secret::parse(place).ok_or_else(wrong)?;
        let value = secrets.get(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            let help = secrets.how_to_set(name);
            Failure::new(
                FailureCode::NotConfigured,
                format!("The secret `{name}`, named at `{pointer}` of the config, is not set: {help}."),
            )
        })?;
        let resolved = Value::String(format!("{prefix}{value}"));
        used.push((name.to_owned(), value));
        *place = resolved;
    }
    Ok((config, Redactor::new(&used)?))
}

/// Reads any variable of the server's environment, for names that stand in the operator's own configuration and nowhere else.
/// What workflows name goes through [`EnvironmentSecrets`], so that they cannot reach these.
pub struct OperatorEnvironment;

impl Secrets for OperatorEnvironment {
    fn get(&self, name: &str) -> Option<String> {
        // A name with `=` or NUL in it is no variable, and asking for one would panic on some systems.
        let possible = !name.is_empty() && !name.contains(['=', '\0']);
        if possible { std::env::var(name).ok() } else { None }
    }

    fn how_to_set(&self, name: &str) -> String {
        format!("set the environment variable {name} of the server")
    }
}

/// A value in the operator's configuration: written out, or in a variable of the server's environment.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(untagged)]
pub enum Setting {
    Text(String),
    Secret(SecretSetting),
}

/// The value is `prefix` and then what the variable holds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretSetting {
    pub env: String,
    #[serde(default)]
    pub prefix: String,
}

/// The values of settings, and what takes the secrets among them out of everything that comes back.
pub fn resolve_settings(
    secrets: &dyn Secrets,
    settings: &BTreeMap<String, Setting>,
) -> Result<(BTreeMap<String, String>, Redactor), Failure> {
    let mut values = BTreeMap::new();
    let mut used = Vec::new();
    for (name, setting) in settings {
        let value = match setting {
            Setting::Text(text) => text.clone(),
            Setting::Secret(SecretSetting { env, prefix }) => {
                let value = secrets.get(env).filter(|value| !value.is_empty()).ok_or_else(|| {
                    let help = secrets.how_to_set(env);
                    let message = format!("`{env}`, which the configuration names for `{name}`, is not set: {help}.");
                    Failure::new(FailureCode::NotConfigured, message)
                })?;
                used.push((env.clone(), value.clone()));
                format!("{prefix}{value}")
            }
        };
        values.insert(name.clone(), value);
    }
    Ok((values, Redactor::new(&used)?))
}

/// Replaces secrets by `[secret:name]`. Besides the value itself it knows how it looks inside JSON, percent-encoded and in
/// base64; a part of a secret, or one that was encoded otherwise, is not recognised.
#[derive(Clone)]
pub struct Redactor {
    /// `None` where the call uses no secret.
    patterns: Option<(AhoCorasick, Vec<String>)>,
}

impl Redactor {
    fn new(secrets: &[(String, String)]) -> Result<Self, Failure> {
        if secrets.is_empty() {
            return Ok(Redactor { patterns: None });
        }
        let mut forms = Vec::new();
        let mut labels = Vec::new();
        for (name, value) in secrets {
            for form in Self::forms(value) {
                forms.push(form);
                labels.push(format!("[secret:{name}]"));
            }
        }
        let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(forms);
        // The only cause is a set of patterns of several gigabytes.
        let search = search.map_err(|_| Failure::new(FailureCode::Tool, "The secrets of this call are too large."))?;
        Ok(Redactor { patterns: Some((search, labels)) })
    }

    fn forms(value: &str) -> BTreeSet<String> {
        let json = Value::String(value.to_owned()).to_string();
        let percent = utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
        let form: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        // The way the `url` crate writes it into a path and into a query.
        let mut url = url::Url::parse("http://host").ok();
        let in_url = url.as_mut().map(|url| {
            url.set_query(Some(value));
            url.set_path(value);
            [url.path().trim_start_matches('/').to_owned(), url.query().unwrap_or_default().to_owned()]
        });
        let mut forms =
            BTreeSet::from([value.to_owned(), json[1..json.len() - 1].to_owned(), percent.to_lowercase(), percent, form]);
        forms.extend([STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].map(|engine| engine.encode(value)));
        forms.extend(in_url.into_iter().flatten());
        forms.remove("");
        forms
    }

    /// Whether there is nothing to take out.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_none()
    }

    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match &self.patterns {
            Some((search, labels)) if search.is_match(text) => Cow::Owned(search.replace_all(text, labels)),
            _ => Cow::Borrowed(text),
        }
    }

    pub fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        match &self.patterns {
            Some((search, labels)) if search.is_match(&bytes) => search.replace_all_bytes(&bytes, labels),
            _ => bytes,
        }
    }

    /// In the strings, keys and numbers of a value.
    pub fn value(&self, value: Value) -> Value {
        if self.is_empty() {
            return value;
        }
        match value {
            Value::String(text) => match self.text(&text) {
                Cow::Owned(clean) => Value::String(clean),
                Cow::Borrowed(_) => Value::String(text),
            },
            Value::Number(number) => match self.text(&number.to_string()) {
                Cow::Owned(clean) => Value::String(clean),
                Cow::Borrowed(_) => Value::Number(number),
            },
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => map.into_iter().map(|(key, item)| (self.text(&key).into_owned(), self.value(item))).collect(),
            other => other,
        }
    }

    pub fn failure(&self, mut failure: Failure) -> Failure {
        failure.message = self.text(&failure.message).into_owned();
        failure.upstream_request_id = failure.upstream_request_id.map(|id| self.text(&id).into_owned());
        failure
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::HashMap;

    /// Secrets of a test.
    pub(crate) struct Fixed(pub HashMap<&'static str, &'static str>);

    impl Secrets for Fixed {
        fn get(&self, name: &str) -> Option<String> {
            self.0.get(name).map(|value| (*value).to_owned())
        }

        fn how_to_set(&self, _name: &str) -> String {
            "write it into the test".to_owned()
        }
    }

    fn call(config: Value) -> ToolCall {
        ToolCall { tool: "http".into(), secrets: secret::references(&config), config, inputs: json!({}) }
    }

    #[test]
    fn references_of_the_author_are_resolved_and_look_alikes_are_not() {
        let secrets = Fixed(HashMap::from([("token", "s3cr3t/+&\""), ("empty", "")]));
        let mut with_data = call(json!({"a": {"$secret": "token", "prefix": "Bearer "}, "b": ["{{node.x.output}}"]}));
        // What rendering makes of `b` when a tool answered with something that looks like a reference.
        with_data.config["b"][0] = json!({"$secret": "token"});
        let (config, redactor) = resolve(&secrets, &with_data).unwrap();
        assert_eq!(config, json!({"a": "Bearer s3cr3t/+&\"", "b": [{"$secret": "token"}]}));
        assert!(!redactor.is_empty());

        for name in ["missing", "empty"] {
            let Err(failure) = resolve(&secrets, &call(json!({"a": {"$secret": name}}))) else { panic!("{name} was resolved") };
            assert_eq!(failure.code, FailureCode::NotConfigured);
            assert!(failure.message.contains(&format!("`{name}`")) && failure.message.contains("write it"), "{failure}");
        }
    }

    #[test]
    fn a_secret_is_taken_out_in_every_form_it_may_come_back_in() {
        let (_, redactor) = resolve(&Fixed(HashMap::from([("t", "s3cr3t/+&\" ü")])), &call(json!([{"$secret": "t"}]))).unwrap();
        for form in [
            "s3cr3t/+&\" ü",
            "s3cr3t/+&\\\" ü",
            "s3cr3t%2F%2B%26%22%20%C3%BC",
            "s3cr3t%2f%2b%26%22%20%c3%bc",
            "s3cr3t%2F%2B%26%22+%C3%BC",
            "s3cr3t/+&%22%20%C3%BC",
            &STANDARD.encode("s3cr3t/+&\" ü"),
            &URL_SAFE_NO_PAD.encode("s3cr3t/+&\" ü"),
        ] {
            assert_eq!(redactor.text(&format!("<{form}>")), "<[secret:t]>", "{form}");
        }
        assert_eq!(redactor.text("s3cr3t"), "s3cr3t");
    }

    #[test]
    fn one_secret_never_reveals_another_and_numbers_count() {
        let secrets = Fixed(HashMap::from([("a", "secret"), ("b", "secret-long"), ("n", "123456")]));
        let (_, redactor) = resolve(&secrets, &call(json!([{"$secret": "a"}, {"$secret": "b"}, {"$secret": "n"}]))).unwrap();
        let value = json!({"secret-long": [123456, "secret secret-long", 7, null]});
        assert_eq!(redactor.value(value), json!({"[secret:b]": ["[secret:n]", "[secret:a] [secret:b]", 7, null]}));
        assert_eq!(redactor.bytes(b"\xffsecret\xfe".to_vec()), b"\xff[secret:a]\xfe");
    }

    #[test]
    fn a_name_maps_to_one_variable_and_stays_under_its_prefix() {
        assert_eq!(EnvironmentSecrets::variable("api_token"), "FLOWTRACE_SECRET_API_TOKEN");
        assert_eq!(EnvironmentSecrets::variable("github.com-ü=x"), "FLOWTRACE_SECRET_GITHUB_COM___X");
        assert!(EnvironmentSecrets.get("surely not set \0 =").is_none());
        assert!(OperatorEnvironment.get("surely not set \0 =").is_none());
        assert!(OperatorEnvironment.get("").is_none());
        assert_eq!(OperatorEnvironment.get("PATH"), std::env::var("PATH").ok());
    }
}
