//! The load that the peers get too: traces of eight spans, two of them model calls with about 2 kB of prompt and 1 kB of answer.
//! Every number and word follows from the seed.

use flowtrace_core::id::{SpanId, TraceId};
use flowtrace_core::span::{Span, SpanEvent, SpanKind, SpanStatus, Tokens};
use flowtrace_core::trace::merge::empty;
use serde_json::{Map, Value, json};

pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// About 6,000 made-up words, and some that are searched for.
pub fn words() -> Vec<String> {
    let syllables: Vec<&str> =
        "ba be bi bo da de di do ka ke ki ko la le li lo ma me mi mo na ne no pa pe ra re ri ro sa se si so ta te ti to va ve vi"
            .split(' ')
            .collect();
    let mut random = Random::new(77_777);
    let mut words: Vec<String> = (0..6000)
        .map(|_| (0..=random.below(4)).map(|_| syllables[random.below(syllables.len() as u64) as usize]).collect())
        .collect();
    for _ in 0..20 {
        let common = "order refund invoice customer delivery late please cancel account number shipped warehouse policy";
        words.extend(common.split(' ').map(String::from));
    }
    words
}

fn text(random: &mut Random, words: &[String], length: usize) -> String {
    let mut text = String::with_capacity(length + 12);
    while text.len() < length {
        text.push_str(&words[random.below(words.len() as u64) as usize]);
        text.push(' ');
    }
    text.truncate(length);
    text
}

/// One trace that began at `start` (nanoseconds since the Unix epoch), appended to `spans`.
pub fn trace(random: &mut Random, words: &[String], start: i64, spans: &mut Vec<Span>) {
    let trace = TraceId(u128::from(random.next()) << 75 | u128::from(random.next()) << 20 | 1);
    let (session, user) = (format!("sess-{:05}", random.below(20_000)), format!("user-{:04}", random.below(500)));
    let failed = random.below(100) < 3;
    let total = 1_500 + random.below(7_500) as i64;
    let question = text(random, words, 200);
    let mut ids = Vec::new();
    let mut add =
        |random: &mut Random, name: &str, kind: SpanKind, parent: Option<usize>, from: i64, length: i64, io: [String; 2]| {
            let id = SpanId(random.next() << 10 | ids.len() as u64 | 1 << 9);
            ids.push(id);
            let [input, output] = io;
            let attributes = [
                ("openinference.span.kind", json!(kind.as_str().to_uppercase())),
                ("session.id", json!(session)),
                ("user.id", json!(user)),
                ("input.value", json!(input)),
                ("input.mime_type", json!("text/plain")),
                ("output.value", json!(output)),
                ("output.mime_type", json!("text/plain")),
            ];
            let span = Span {
                parent_span_id: parent.map(|parent| ids[parent]),
                name: name.to_owned(),
                kind,
                status: SpanStatus::Ok,
                started_at: start + from * total * 10_000,
                ended_at: start + (from + length) * total * 10_000,
                service: Some("bench-svc".to_owned()),
                session_id: Some(session.clone()),
                user_id: Some(user.clone()),
                input: Some(Value::String(input)),
                output: Some(Value::String(output)),
                attributes: attributes.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
                resource: Map::from_iter([("service.name".to_owned(), json!("bench-svc"))]),
                scope: Some("openinference.instrumentation.bench".to_owned()),
                ..empty(trace, id)
            };
            spans.push(span);
            (spans.len() - 1, ids.len() - 1)
        };
    let answer = text(random, words, 500);
    let (root_at, root) = add(random, "support_agent.workflow", SpanKind::Workflow, None, 0, 100, [question.clone(), answer]);
    add(random, "classify_intent", SpanKind::Task, Some(root), 0, 10, [question.clone(), "refund_request".to_owned()]);
    let found = text(random, words, 300);
    let (_, retrieve) = add(random, "retrieve_context", SpanKind::Task, Some(root), 10, 15, [question.clone(), found]);
    let (query, hits) = (text(random, words, 60), text(random, words, 360));
    let (tool_at, _) = add(
        random,
        "search_orders",
        SpanKind::Tool,
        Some(retrieve),
        11,
        12,
        [format!("{{\"q\":\"{query}\",\"limit\":5}}"), format!("{{\"hits\":[\"{hits}\"]}}")],
    );
    let mut calls = Vec::new();
    for (task, call, from, length) in [("draft_answer", "chat draft", 25, 40), ("review_answer", "chat review", 65, 30)] {
        let (input, output) = (if from == 25 { question.clone() } else { text(random, words, 300) }, text(random, words, 300));
        let (_, task) = add(random, task, SpanKind::Task, Some(root), from, length, [input, output]);
        let at = add(random, call, SpanKind::Llm, Some(task), from + 1, length - 2, [String::new(), String::new()]).0;
        let (system, user, answer) = (text(random, words, 1200), text(random, words, 800), text(random, words, 1000));
        let (model, provider) =
            [("gpt-4o-mini", "openai"), ("gpt-4o", "openai"), ("claude-sonnet-4", "anthropic")][random.below(3) as usize];
        let (input, output) = (450 + random.below(110), 200 + random.below(80));
        calls.push((
            at,
            system,
            user,
            answer,
            model,
            provider,
            input,
            output,
            [0, 0, 256][random.below(3) as usize],
            random.next(),
        ));
    }
    for (at, system, user, answer, model, provider, input, output, cached, response) in calls {
        let span = &mut spans[at];
        let response = format!("chatcmpl-{response:016x}");
        for (key, value) in [
            ("gen_ai.operation.name", json!("chat")),
            ("gen_ai.provider.name", json!(provider)),
            ("gen_ai.request.model", json!(model)),
            ("gen_ai.response.model", json!(model)),
            ("gen_ai.response.id", json!(response)),
            ("gen_ai.usage.input_tokens", json!(input)),
            ("gen_ai.usage.output_tokens", json!(output)),
            ("llm.invocation_parameters", json!("{\"temperature\": 0.2, \"max_tokens\": 1024}")),
            ("llm.input_messages.0.message.role", json!("system")),
            ("llm.input_messages.0.message.content", json!(system)),
            ("llm.input_messages.1.message.role", json!("user")),
            ("llm.input_messages.1.message.content", json!(user)),
            ("llm.output_messages.0.message.role", json!("assistant")),
            ("llm.output_messages.0.message.content", json!(answer)),
            ("llm.token_count.prompt_details.cache_read", json!(cached)),
        ] {
            span.attributes.insert(key.to_owned(), value);
        }
        for unused in ["input.value", "output.value", "input.mime_type", "output.mime_type"] {
            span.attributes.remove(unused);
        }
        span.input = Some(json!([{"role": "system", "content": system}, {"role": "user", "content": user}]));
        span.output = Some(json!([{"role": "assistant", "content": answer}]));
        span.provider = Some(provider.to_owned());
        (span.model_requested, span.model) = (Some(model.to_owned()), Some(model.to_owned()));
        span.tokens = Tokens { input: Some(input), output: Some(output), cached: Some(cached), ..Tokens::default() };
        span.cost_nanousd = Some(input * 150 + output * 600);
        span.response_id = Some(response);
        span.parameters = Map::from_iter([("temperature".to_owned(), json!(0.2)), ("max_tokens".to_owned(), json!(1024))]);
    }
    if failed {
        for at in [root_at, tool_at] {
            let trace = format!("Traceback (most recent call last):\n{}", text(random, words, 300));
            let span = &mut spans[at];
            span.status = SpanStatus::Error;
            span.error = Some("upstream timeout after 3 retries".to_owned());
            let attributes = Map::from_iter([
                ("exception.type".to_owned(), json!("TimeoutError")),
                ("exception.message".to_owned(), json!("upstream timeout")),
                ("exception.stacktrace".to_owned(), json!(trace)),
            ]);
            span.events.push(SpanEvent { name: "exception".to_owned(), at: span.ended_at, attributes });
        }
    }
}
