//! Who answers: the names that SDKs give to providers, and what a model's name tells.

/// The provider as the price table spells it.
pub fn canonical(name: &str) -> String {
    let lower = name.trim().to_ascii_lowercase();
    let known = match lower.as_str() {
        "openai" => "openai",
        "anthropic" => "anthropic",
        "gemini" | "google" | "google_genai" | "google-genai" | "vertex_ai" | "vertexai" | "vertex" => "gemini",
        name if name.starts_with("gcp.") || name.starts_with("google.") || name.starts_with("google-vertex") => "gemini",
        "mistral" | "mistralai" | "mistral_ai" => "mistral",
        "azure" | "azure-openai" | "azure.ai.openai" | "az.ai.openai" | "azure_openai" => "azure.openai",
        "aws" | "amazon" | "bedrock" | "aws_bedrock" => "aws.bedrock",
        name if ["amazon-bedrock", "amazon_bedrock", "bedrock_", "bedrock-"].iter().any(|start| name.starts_with(start)) => {
            "aws.bedrock"
        }
        "x_ai" | "x-ai" | "grok" => "xai",
        // Dotted names of their own, from the list of OpenTelemetry's GenAI conventions.
        name if name.starts_with("aws.") || name.starts_with("azure.") || name.starts_with("ibm.") => name,
        // `openai.chat` and the like name an interface after the provider.
        name => return canonical_head(name),
    };
    known.to_owned()
}

fn canonical_head(name: &str) -> String {
    match name.split_once('.') {
        Some((head, _)) if !head.is_empty() => canonical(head),
        _ => name.to_owned(),
    }
}

/// Whose prices hold for a model where those of the provider are not known: Azure sells the models of OpenAI at the prices of OpenAI, Google
/// (on Vertex) and Amazon those of Anthropic at the prices of Anthropic but where the list says others, and some instrumentations name a framework for a provider.
pub fn maker(provider: &str, model: &str) -> Option<&'static str> {
    match provider {
        "azure.openai" => Some("openai"),
        "gemini" => of_model(model).filter(|maker| *maker == "anthropic"),
        "aws.bedrock" => of_bedrock(model).then_some("anthropic"),
        "langchain" | "langgraph" | "llamaindex" | "llama_index" | "litellm" | "haystack" | "unknown" => of_model(model),
        _ => None,
    }
}

/// Whether it is a model of Anthropic as Bedrock names it.
fn of_bedrock(model: &str) -> bool {
    let lower = model.to_ascii_lowercase();
    lower.starts_with("anthropic.") || lower.contains(".anthropic.") || lower.contains("/anthropic.")
}

/// The provider of a model, where its family says so.
pub fn of_model(model: &str) -> Option<&'static str> {
    if of_bedrock(model) {
        return Some("aws.bedrock");
    }
    let lower = model.to_ascii_lowercase();
    let name = lower.strip_prefix("models/").unwrap_or(&lower);
    let (prefix, name) = name.split_once('/').unwrap_or(("", name));
    for provider in ["openai", "anthropic", "gemini", "mistral", "deepseek"] {
        if prefix == provider {
            return Some(provider);
        }
    }
    if !prefix.is_empty() {
        return None;
    }
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    if starts(&["claude"]) {
        Some("anthropic")
    } else if starts(&["gpt-", "chatgpt-", "o1", "o3", "o4", "text-embedding-", "ft:gpt-", "davinci", "babbage"]) {
        Some("openai")
    } else if starts(&["gemini"]) {
        Some("gemini")
    } else if starts(&["mistral", "codestral", "ministral", "magistral", "pixtral", "open-mi"]) {
        Some("mistral")
    } else if starts(&["deepseek"]) {
        Some("deepseek")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, expected) in [
            ("openai", "openai"),
            ("OpenAI", "openai"),
            ("openai.chat", "openai"),
            ("openai.responses", "openai"),
            ("Anthropic", "anthropic"),
            ("anthropic.messages", "anthropic"),
            ("gcp.gemini", "gemini"),
            ("google.generative-ai", "gemini"),
            ("mistral_ai", "mistral"),
            ("mistral.chat", "mistral"),
            ("azure.ai.openai", "azure.openai"),
            ("aws.bedrock", "aws.bedrock"),
            ("amazon-bedrock", "aws.bedrock"),
            ("amazon_bedrock", "aws.bedrock"),
            ("bedrock_converse", "aws.bedrock"),
            ("vertex.anthropic.messages", "gemini"),
            ("xai.chat", "xai"),
            ("groq.chat", "groq"),
            ("My-Server", "my-server"),
            (".odd", ".odd"),
            ("", ""),
        ] {
            assert_eq!(canonical(name), expected, "{name}");
        }
        for (model, expected) in [
            ("gpt-4o-2024-08-06", Some("openai")),
            ("openai/gpt-4o", Some("openai")),
            ("o3-mini", Some("openai")),
            ("claude-sonnet-4-5", Some("anthropic")),
            ("gemini-2.5-pro", Some("gemini")),
            ("models/gemini-2.5-flash", Some("gemini")),
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", Some("aws.bedrock")),
            ("meta-llama/gpt-like", None),
            ("llama3", None),
            ("", None),
        ] {
            assert_eq!(of_model(model), expected, "{model}");
        }
    }
}
