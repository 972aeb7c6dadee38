use super::*;
use proptest::prelude::*;

fn usage(input_uncached: u64, cache_read: u64, cache_write: u64, output: u64) -> Usage {
    Usage { input_uncached, cache_read, cache_write, output, reasoning: 0 }
}

#[test]
fn the_embedded_list_is_readable_and_has_no_free_model() {
    let mut models = 0;
    for (provider, model, price) in PriceTable::listed() {
        models += 1;
        assert!(!model.contains("embed"), "{provider}/{model} answers nothing, so no workflow can name it");
        assert!(price.input > 0 || price.output > 0, "{provider}/{model} would be free");
        if let Some(long) = &price.long_context {
            assert!(long.input >= price.input && long.output >= price.output, "{provider}/{model} is cheaper when long");
        }
    }
    assert!(models > 100, "only {models} models");
    assert!(PriceTable::source().contains("litellm"));
    assert_eq!(PriceTable::date().len(), 10);
}

#[test]
fn names_and_their_prices() {
    let table = PriceTable::default();
    let cases = [
        ("openai", "gpt-4o-mini", Some((150_000, 600_000))),
        ("openai", "gpt-4o-mini-2024-07-18", Some((150_000, 600_000))),
        ("openai", "gpt-4o-mini-2031-12-31", Some((150_000, 600_000))),
        ("openai", "GPT-4o-Mini", Some((150_000, 600_000))),
        ("openai", "text-embedding-3-small", Some((20_000, 0))),
        ("openai", "gpt-4o-2024-05-13", Some((5_000_000, 15_000_000))), // dated and dearer than the plain name
        ("openai", "gpt-4o", Some((2_500_000, 10_000_000))),
        ("openai", "openai/gpt-4o", Some((2_500_000, 10_000_000))),
        ("openai", "ft:gpt-4o-mini-2024-07-18:acme::x1", Some((300_000, 1_200_000))),
        ("anthropic", "claude-3.5-sonnet", Some((3_000_000, 15_000_000))),
        ("anthropic", "claude-3-5-sonnet-latest", Some((3_000_000, 15_000_000))),
        ("anthropic", "claude-3-5-haiku-latest", Some((800_000, 4_000_000))),
        ("anthropic", "claude-sonnet-4.5", Some((3_000_000, 15_000_000))),
        ("anthropic", "claude-haiku-4-5-20251001", Some((1_000_000, 5_000_000))),
        ("gemini", "gemini-2.5-pro", Some((1_250_000, 10_000_000))),
        // Dearer where it has to stay in a region.
        ("aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", Some((3_300_000, 16_500_000))),
        ("aws.bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0", Some((3_000_000, 15_000_000))),
        ("aws.bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", Some((3_000_000, 15_000_000))),
        ("aws.bedrock", "xx.anthropic.claude-sonnet-4-5-20250929-v1:0", Some((3_000_000, 15_000_000))),
        (
            "aws.bedrock",
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            Some((3_300_000, 16_500_000)),
        ),
        ("openai", "no-such-model", None),
        ("openai", "", None),
        ("openai", "-2024-05-13", None),
        ("openai", "é-2024-05-13", None),
        ("openai", "gpt-4o-mini-20240718x", None),
        ("local", "gpt-4o", None),
    ];
    for (provider, model, expected) in cases {
        let found = table.price(provider, model).map(|price| (price.input, price.output));
        assert_eq!(found, expected, "{provider}/{model}");
    }
    assert_eq!(table.price_of_answer("openai", "gpt-4o", "deployment-7").map(|price| price.input), Some(2_500_000));
    assert_eq!(table.price_of_answer("openai", "gpt-4o", "gpt-4o-mini").map(|price| price.input), Some(150_000));
}

#[test]
fn overrides_win_and_add() {
    let own = Price::new(1, 2);
    let table = PriceTable::default().with_overrides([
        ("openai".to_owned(), "gpt-4o".to_owned(), own.clone()),
        ("anthropic".to_owned(), "claude-3.5-sonnet".to_owned(), own.clone()),
        ("local".to_owned(), "llama".to_owned(), own.clone()),
    ]);
    for (provider, model) in [
        ("openai", "gpt-4o"),
        ("anthropic", "claude-3.5-sonnet"),
        ("anthropic", "claude-3-5-sonnet-20241022"),
        ("local", "llama"),
    ] {
        assert_eq!(table.price(provider, model), Some(&own), "{provider}/{model}");
    }
    assert_eq!(table.price("openai", "gpt-4o-mini").map(|price| price.input), Some(150_000));
    assert_eq!(table.price("local", "other"), None);
}

#[test]
fn every_line_is_rounded_once_halves_up() {
    // 0.0375 dollars per million tokens is 37,500 pico-dollars a token: 1 token is 37.5 nano-dollars.
    let price = Price { cache_read: Some(37_499), cache_write: Some(500), ..Price::new(37_500, 499) };
    let cost = cost(&usage(1, 1, 1, 1), &price);
    let lines: Vec<_> = cost.lines.iter().map(|line| (line.what.as_str(), line.nanousd)).collect();
    assert_eq!(lines, [("input", 38), ("cache_read", 37), ("cache_write", 1), ("output", 0)]);
    assert_eq!(cost.nanousd, 76);
}

#[test]
fn a_call_by_hand() {
    let table = PriceTable::default();
    // 1,000 × 0.15 + 500 × 0.075 + 200 × 0.60 dollars per million
    let price = table.price("openai", "gpt-4o-mini").unwrap();
    assert_eq!(cost(&usage(1000, 500, 0, 200), price).nanousd, 150_000 + 37_500 + 120_000);
    assert_eq!(cost(&Usage::default(), price), Cost { nanousd: 0, lines: vec![] });
}

#[test]
fn caches_without_a_price_of_their_own_cost_like_input() {
    let cost = cost(&usage(1, 2, 3, 0), &Price::new(1_000_000, 0));
    assert_eq!(cost.nanousd, 6_000);
    assert!(cost.lines.iter().all(|line| line.picousd_per_token == 1_000_000));
}

#[test]
fn a_long_prompt_makes_the_whole_call_dearer() {
    let long_context =
        LongContextPrice { above_input_tokens: 100, input: 20_000, output: 50_000, cache_read: Some(2_000), cache_write: None };
    let price = Price { cache_read: Some(1_000), long_context: Some(long_context), ..Price::new(10_000, 30_000) };
    assert_eq!(cost(&usage(60, 40, 0, 10), &price).nanousd, 600 + 40 + 300); // 100 tokens are not above 100
    assert_eq!(cost(&usage(60, 41, 0, 10), &price).nanousd, 1200 + 82 + 500);
}

#[test]
fn prices_as_people_write_them() {
    assert_eq!(Price::from_usd_per_million(0.15, 0.6), Some(Price::new(150_000, 600_000)));
    assert_eq!(picousd(0.0375), Some(37_500));
    for bad in [-0.1, f64::NAN, f64::INFINITY, 1e300] {
        assert_eq!(picousd(bad), None, "{bad}");
    }
}

proptest! {
    /// The sum is never further from the exact cost than half a nano-dollar a line, and nothing overflows.
    #[test]
    fn rounding_is_bounded(tokens in any::<[u32; 4]>(), input in 0u64..1 << 40, output in 0u64..1 << 40) {
        let used = usage(tokens[0].into(), tokens[1].into(), tokens[2].into(), tokens[3].into());
        let price = Price::new(input, output);
        let exact = u128::from(used.input()) * u128::from(input) + u128::from(used.output) * u128::from(output);
        let off = (u128::from(cost(&used, &price).nanousd) * 1000).abs_diff(exact);
        prop_assert!(off <= 4 * 500, "off by {off} pico-dollars");
    }

    #[test]
    fn the_largest_numbers_saturate(input in any::<u64>(), output in any::<u64>()) {
        let most = usage(u64::MAX, u64::MAX, u64::MAX, u64::MAX);
        let cost = cost(&most, &Price { long_context: None, ..Price::new(input, output) });
        prop_assert!(cost.lines.iter().all(|line| line.nanousd <= cost.nanousd));
    }

    #[test]
    fn no_name_panics(provider in "(openai|anthropic|gemini|x)", model in ".{0,40}") {
        let _ = PriceTable::default().price(&provider, &model);
        let _ = accepts_sampling(&provider, &model);
    }
}
