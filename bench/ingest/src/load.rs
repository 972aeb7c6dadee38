//! The load that the peers get too: traces of eight spans, two of them model calls with about 2 kB of prompt and 1 kB of answer,
//! as requests in OTLP protobuf. Every number and word follows from the seed.

use crate::wire::{Attribute, Request, SpanBytes};

pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 11) % bound
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len() as u64) as usize]
    }
}

/// About 6,000 made-up words, and some that are searched for.
pub fn words() -> Vec<String> {
    let syllables: Vec<&str> =
        "ba be bi bo da de di do ka ke ki ko la le li lo ma me mi mo na ne no pa pe ra re ri ro sa se si so ta te ti to va ve vi"
            .split(' ')
            .collect();
    let mut random = Random::new(77_777);
    let mut words: Vec<String> = (0..6000).map(|_| (0..=random.below(4)).map(|_| random.one_of(&syllables)).collect()).collect();
    for _ in 0..20 {
        let common = "order refund invoice customer delivery late please cancel account number shipped warehouse policy";
        words.extend(common.split(' ').map(String::from));
    }
    words
}

/// Writes traces into one request.
pub struct Traces<'a> {
    pub random: Random,
    pub words: &'a [String],
    pub request: Request,
}

/// What the spans of one trace share.
struct Trace {
    id: u128,
    session: String,
    user: String,
    start: i64,
    /// A hundredth of its duration, in nanoseconds.
    part: i64,
}

impl Traces<'_> {
    fn text(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length + 12);
        while text.len() < length {
            text.push_str(&self.words[self.random.below(self.words.len() as u64) as usize]);
            text.push(' ');
        }
        text.truncate(length);
        text
    }

    /// From and length in hundredths of the trace. Returns the span's id.
    fn span(
        &mut self,
        trace: &Trace,
        [name, kind]: [&str; 2],
        parent: Option<u64>,
        [from, length]: [i64; 2],
        attributes: &[(&str, Attribute)],
        failed: bool,
    ) -> u64 {
        let id = self.random.next() | 1;
        let [session, user] = [&trace.session, &trace.user].map(|text| Attribute::Text(text.clone()));
        let end = trace.start + (from + length) * trace.part;
        let mut span = SpanBytes::new(trace.id, id, parent, name, trace.start + from * trace.part, end);
        span.attribute("openinference.span.kind", &kind.into());
        span.attribute("session.id", &session);
        span.attribute("user.id", &user);
        for (key, value) in attributes {
            span.attribute(key, value);
        }
        if failed {
            let trace = format!("Traceback (most recent call last):\n{}", self.text(300));
            span.exception(end, "TimeoutError", "upstream timeout", &trace);
        }
        span.status(failed.then_some("upstream timeout after 3 retries"));
        self.request.spans.push(span);
        id
    }

    fn step(&mut self, trace: &Trace, name: &str, parent: Option<u64>, when: [i64; 2], io: [&str; 2], failed: bool) -> u64 {
        let kind = if name == "search_orders" { "TOOL" } else { "CHAIN" };
        let [input, output] = io;
        let mut attributes: Vec<(&str, Attribute)> = vec![
            ("input.value", input.into()),
            ("output.value", output.into()),
            ("input.mime_type", "text/plain".into()),
            ("output.mime_type", "text/plain".into()),
        ];
        if kind == "TOOL" {
            attributes.push(("tool.name", name.into()));
        }
        self.span(trace, [name, kind], parent, when, &attributes, failed)
    }

    fn call(&mut self, trace: &Trace, name: &str, parent: u64, when: [i64; 2]) {
        let (system, user, answer) = (self.text(1200), self.text(800), self.text(1000));
        let provider_and_model = self.random.one_of(&["openai gpt-4o-mini", "openai gpt-4o", "anthropic claude-sonnet-4"]);
        let (provider, model) = provider_and_model.split_once(' ').unwrap_or_default();
        let (input, output) = (450 + self.random.below(110) as i64, 200 + self.random.below(80) as i64);
        let cached = if self.random.below(3) == 0 { 256 } else { 0 };
        let response = format!("chatcmpl-{:016x}", self.random.next());
        let attributes: Vec<(&str, Attribute)> = vec![
            ("gen_ai.operation.name", "chat".into()),
            ("gen_ai.provider.name", provider.into()),
            ("gen_ai.request.model", model.into()),
            ("gen_ai.response.model", model.into()),
            ("gen_ai.request.temperature", Attribute::Double(0.2)),
            ("gen_ai.request.max_tokens", Attribute::Int(1024)),
            ("gen_ai.usage.input_tokens", Attribute::Int(input)),
            ("gen_ai.usage.output_tokens", Attribute::Int(output)),
            ("gen_ai.response.id", response.as_str().into()),
            ("llm.model_name", model.into()),
            ("llm.provider", provider.into()),
            ("llm.system", provider.into()),
            ("llm.invocation_parameters", "{\"temperature\": 0.2, \"max_tokens\": 1024}".into()),
            ("llm.input_messages.0.message.role", "system".into()),
            ("llm.input_messages.0.message.content", system.as_str().into()),
            ("llm.input_messages.1.message.role", "user".into()),
            ("llm.input_messages.1.message.content", user.as_str().into()),
            ("llm.output_messages.0.message.role", "assistant".into()),
            ("llm.output_messages.0.message.content", answer.as_str().into()),
            ("llm.token_count.prompt", Attribute::Int(input)),
            ("llm.token_count.completion", Attribute::Int(output)),
            ("llm.token_count.total", Attribute::Int(input + output)),
            ("llm.token_count.prompt_details.cache_read", Attribute::Int(cached)),
        ];
        self.span(trace, [name, "LLM"], Some(parent), when, &attributes, false);
    }

    /// Adds one trace that began at `start`, nanoseconds since the Unix epoch.
    pub fn add(&mut self, id: u128, start: i64) {
        let trace = Trace {
            id,
            session: format!("sess-{:05}", self.random.below(20_000)),
            user: format!("user-{:04}", self.random.below(500)),
            start,
            part: (1_500 + self.random.below(7_500) as i64) * 10_000,
        };
        let failed = self.random.below(100) < 3;
        let question = self.text(200);
        let answer = self.text(500);
        let root = self.step(&trace, "support_agent.workflow", None, [0, 100], [&question, &answer], failed);
        self.step(&trace, "classify_intent", Some(root), [0, 10], [&question, "refund_request"], false);
        let found = self.text(300);
        let retrieve = self.step(&trace, "retrieve_context", Some(root), [10, 15], [&question, &found], false);
        let query = format!("{{\"q\":\"{}\",\"limit\":5}}", self.text(60));
        let hits = format!("{{\"hits\":[\"{}\"]}}", self.text(360));
        self.step(&trace, "search_orders", Some(retrieve), [11, 12], [&query, &hits], failed);
        let draft = self.text(300);
        let task = self.step(&trace, "draft_answer", Some(root), [25, 40], [&question, &draft], false);
        self.call(&trace, "chat draft", task, [26, 38]);
        let (input, output) = (self.text(300), self.text(300));
        let task = self.step(&trace, "review_answer", Some(root), [65, 30], [&input, &output], false);
        self.call(&trace, "chat review", task, [66, 28]);
    }
}
