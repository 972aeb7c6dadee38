//! Secrets of tools: put into a call at the last moment, and taken out of everything that comes back.

pub use crate::redactor::Redactor;
use crate::vault::Vault;
use flowtrace_core::call::ToolCall;
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::secret;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where the values of `{"$secret": name}` come from.
pub trait Secrets: Send + Sync {
    /// `None` where there is no such secret.
    fn get(&self, name: &str) -> Option<String>;

    /// How a person sets the secret, for the message that says it is missing.
    fn how_to_set(&self, name: &str) -> String;
}

/// How the variables begin that workflows can reach.
pub const PREFIX: &str = "FLOWTRACE_SECRET_";

/// Begins like a secret and is none: where the key of the stored ones is.
pub const KEY_FILE: &str = "FLOWTRACE_SECRET_KEY_FILE";

/// Reads the secret `name` from the environment variable `FLOWTRACE_SECRET_NAME`: the name in capitals, with `_` for
/// every character that is not a letter, a digit or `_`. No other variable can be reached.
pub struct EnvironmentSecrets;

impl EnvironmentSecrets {
    pub fn variable(name: &str) -> String {
        let upper = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
        format!("{PREFIX}{}", upper.collect::<String>())
    }
}

impl Secrets for EnvironmentSecrets {
    fn get(&self, name: &str) -> Option<String> {
        Some(Self::variable(name)).filter(|variable| variable != KEY_FILE).and_then(|variable| std::env::var(variable).ok())
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

/// What workflows can reach: variables of the environment first, then the vault. What the operator's configuration names is not
/// for them: it belongs to a provider or a tool, and a workflow could send it anywhere.
pub struct WorkflowSecrets {
    pub vault: Arc<Vault>,
    /// Names, and who each belongs to: `provider openai`.
    pub owned: Arc<BTreeMap<String, Vec<String>>>,
}

impl Secrets for WorkflowSecrets {
    fn get(&self, name: &str) -> Option<String> {
        let given = EnvironmentSecrets.get(name).filter(|value| !value.is_empty());
        given.or_else(|| if self.owned.contains_key(name) { None } else { self.vault.get(name) })
    }

    fn how_to_set(&self, name: &str) -> String {
        if let Some(owners) = self.owned.get(name) {
            return format!(
                "the secret of this name belongs to {}, and no workflow can use it; set one of another name",
                owners.join(", ")
            );
        }
        match self.vault.why_not(name) {
            Some(why) => why,
            None => format!("set it in the settings, or {}", EnvironmentSecrets.how_to_set(name)),
        }
    }
}

/// What the operator's own configuration names: variables of the environment first, then the vault.
pub struct OperatorSecrets {
    pub vault: Arc<Vault>,
}

impl Secrets for OperatorSecrets {
    fn get(&self, name: &str) -> Option<String> {
        OperatorEnvironment.get(name).filter(|value| !value.trim().is_empty()).or_else(|| self.vault.get(name))
    }

    fn how_to_set(&self, name: &str) -> String {
        match self.vault.why_not(name) {
            Some(why) => why,
            None => format!("set it in the settings, or {}", OperatorEnvironment.how_to_set(name)),
        }
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
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
