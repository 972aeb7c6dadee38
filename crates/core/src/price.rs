//! What calls cost, in integers: prices are pico-dollars per token, costs are nano-dollars, rounded once per line.

use crate::model_name;
use crate::usage::Usage;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The cost of one call, with the price that was applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// The sum of the lines.
    pub nanousd: u64,
    pub lines: Vec<CostLine>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostLine {
    /// `input`, `cache_read`, `cache_write` or `output`.
    pub what: String,
    pub tokens: u64,
    /// Pico-dollars (10⁻¹² USD) per token.
    pub picousd_per_token: u64,
    pub nanousd: u64,
}

/// What one model costs, in pico-dollars (10⁻¹² USD) per token: one dollar per million tokens is 1,000,000.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    pub input: u64,
    pub output: u64,
    /// Absent: tokens read from the prompt cache cost as much as others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<u64>,
    /// Absent: tokens written to the prompt cache cost as much as others. Where a provider has several (by how long an entry
    /// lives), this is the cheapest, which is also the default of the providers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<u64>,
    /// Applies to the whole call, the answer included, once the prompt is long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long_context: Option<LongContextPrice>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LongContextPrice {
    /// Prompts with more tokens than this, cached ones included.
    pub above_input_tokens: u64,
    pub input: u64,
    pub output: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<u64>,
}

impl Price {
    pub fn new(input: u64, output: u64) -> Self {
        Price { input, output, cache_read: None, cache_write: None, long_context: None }
    }

    /// Prices as providers print them, in dollars per million tokens. `None` for what is not a price: negative or not a number.
    pub fn from_usd_per_million(input: f64, output: f64) -> Option<Self> {
        Some(Price::new(picousd(input)?, picousd(output)?))
    }
}

/// Dollars per million tokens as pico-dollars per token, to the nearest.
pub fn picousd(usd_per_million: f64) -> Option<u64> {
    // 9,000 dollars a token is beyond any price and within the integers that an f64 holds exactly.
    (0.0..=9e9).contains(&usd_per_million).then(|| (usd_per_million * 1e6).round() as u64)
}

/// The cost of a call, line by line. Reasoning is part of the output and costs the same. Lines without tokens are left out.
/// Each line is rounded once to nano-dollars, halves up; numbers too large for 64 bits stay at the largest.
pub fn cost(usage: &Usage, price: &Price) -> Cost {
    let long = price.long_context.as_ref().filter(|long| usage.input() > long.above_input_tokens);
    let (input, output, cache_read, cache_write) = match long {
        Some(long) => (long.input, long.output, long.cache_read, long.cache_write),
        None => (price.input, price.output, price.cache_read, price.cache_write),
    };
    let lines = [
        ("input", usage.input_uncached, input),
        ("cache_read", usage.cache_read, cache_read.unwrap_or(input)),
        ("cache_write", usage.cache_write, cache_write.unwrap_or(input)),
        ("output", usage.output, output),
    ];
    let mut cost = Cost { nanousd: 0, lines: Vec::new() };
    for (what, tokens, picousd_per_token) in lines {
        if tokens == 0 {
            continue;
        }
        let exact = u128::from(tokens) * u128::from(picousd_per_token);
        let nanousd = u64::try_from((exact + 500) / 1000).unwrap_or(u64::MAX);
        cost.nanousd = cost.nanousd.saturating_add(nanousd);
        cost.lines.push(CostLine { what: what.to_owned(), tokens, picousd_per_token, nanousd });
    }
    cost
}

#[derive(Debug, Deserialize)]
struct Listed {
    source: String,
    generated: String,
    models: HashMap<String, HashMap<String, ListedModel>>,
}

#[derive(Debug, Deserialize)]
struct ListedModel {
    #[serde(flatten)]
    price: Price,
    #[serde(default = "yes")]
    sampling: bool,
    /// It embeds texts and answers nothing: it is priced, and not offered to workflows.
    #[serde(default)]
    embedding: bool,
}

fn yes() -> bool {
    true
}

/// Written by `tools/update-prices.py`; the file says where the numbers come from and when they were taken.
static LISTED: LazyLock<Listed> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/prices.json")).expect("the embedded list is read by a test of this module")
});

/// Prices by provider and model: the embedded list, under what the user says.
#[derive(Clone, Debug, Default)]
pub struct PriceTable {
    overrides: HashMap<String, HashMap<String, Price>>,
}

impl PriceTable {
    /// Adds prices by provider and model, as a workflow names them; they win over the embedded list and over earlier ones.
    pub fn with_overrides(mut self, prices: impl IntoIterator<Item = (String, String, Price)>) -> Self {
        for (provider, model, price) in prices {
            self.overrides.entry(provider).or_default().insert(model, price);
        }
        self
    }

    /// Whether the user says prices.
    pub fn has_overrides(&self) -> bool {
        !self.overrides.is_empty()
    }

    /// Where the embedded list comes from.
    pub fn source() -> &'static str {
        &LISTED.source
    }

    /// The day on which the embedded list was taken: `2026-01-31`.
    pub fn date() -> &'static str {
        &LISTED.generated
    }

    /// The price of a model; `None` where nobody has said one. `provider` is the name of the binding (`openai`, `anthropic`, …): a
    /// server that only speaks OpenAI's wire format has its own prices, so its models are unknown unless the user says.
    pub fn price(&self, provider: &str, model: &str) -> Option<&Price> {
        let canonical = model_name::canonical(provider, model);
        if let Some(models) = self.overrides.get(provider) {
            let own = models.get(model).or_else(|| models.get(canonical.as_ref()));
            let own = own.or_else(|| {
                models.iter().find(|(name, _)| model_name::canonical(provider, name) == canonical).map(|(_, price)| price)
            });
            if own.is_some() {
                return own;
            }
        }
        listed(provider, &canonical).map(|listed| &listed.price)
    }

    /// The price of an answer: that of the model that answered, else that of the one that was asked for (a server may answer
    /// under a name that no list knows).
    pub fn price_of_answer(&self, provider: &str, requested: &str, answered: &str) -> Option<&Price> {
        self.price(provider, answered).or_else(|| self.price(provider, requested))
    }

    /// Every embedded provider and model that answers in text, with its price, for `flowtrace` to show.
    pub fn listed() -> impl Iterator<Item = (&'static str, &'static str, &'static Price)> {
        LISTED.models.iter().flat_map(|(provider, models)| {
            let answering = models.iter().filter(|(_, listed)| !listed.embedding);
            answering.map(move |(model, listed)| (provider.as_str(), model.as_str(), &listed.price))
        })
    }
}

/// Whether a model takes `temperature` and `top_p`. Some reasoning models answer HTTP 400 to them. Unknown models take them.
pub fn accepts_sampling(provider: &str, model: &str) -> bool {
    listed(provider, &model_name::canonical(provider, model)).is_none_or(|listed| listed.sampling)
}

/// The exact name first, then without `-latest`, then without its date: providers price dated names like the plain one unless they
/// list them apart.
fn listed(provider: &str, canonical: &str) -> Option<&'static ListedModel> {
    let models = LISTED.models.get(provider)?;
    if let Some(found) = models.get(canonical) {
        return Some(found);
    }
    let lower = canonical.to_ascii_lowercase();
    // A fine-tuned model is `ft:<base>:<organisation>:<suffix>:<id>`, listed as `ft:<base>`.
    let name = match lower.strip_prefix("ft:") {
        Some(tuned) => &lower[..3 + tuned.find(':').unwrap_or(tuned.len())],
        None => lower.as_str(),
    };
    let plain = name.strip_suffix("-latest").unwrap_or(name);
    // Bedrock puts where a model runs before its name, and lists apart what costs more there.
    let anywhere = || name.split_once('.').filter(|_| provider == "aws.bedrock").and_then(|(_, name)| models.get(name));
    models.get(name).or_else(|| models.get(plain)).or_else(|| models.get(without_date(plain)?)).or_else(anywhere)
}

/// `gpt-4o-2024-08-06` and `claude-sonnet-4-5-20250929` without their dates; `None` where there is none.
fn without_date(name: &str) -> Option<&str> {
    let is_date = |text: &str, dashes: [usize; 2]| {
        text.bytes().enumerate().all(|(i, byte)| if dashes.contains(&i) { byte == b'-' } else { byte.is_ascii_digit() })
    };
    let cut = |length: usize| {
        name.len().checked_sub(length + 1).filter(|at| name.is_char_boundary(*at) && name[*at..].starts_with('-'))
    };
    if let Some(at) = cut(10).filter(|at| is_date(&name[at + 1..], [4, 7])) {
        return Some(&name[..at]);
    }
    cut(8).filter(|at| is_date(&name[at + 1..], [usize::MAX; 2])).map(|at| &name[..at])
}

#[cfg(test)]
#[path = "price_tests.rs"]
mod tests;
