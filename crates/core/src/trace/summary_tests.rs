use super::facts::{NONE, SpanFacts};
use super::summary::{order, summarize};
use super::{TraceStatus, facts};
use crate::id::{SpanId, TraceId};
use crate::span::{SpanKind, SpanStatus, Tokens};

fn span(id: u64, parent: Option<u64>, kind: SpanKind) -> SpanFacts {
    SpanFacts {
        span: SpanId(id),
        parent: parent.map(SpanId),
        name: 1,
        kind,
        status: SpanStatus::Ok,
        open: false,
        run: false,
        step: false,
        handoffs: 0,
        started_at: id as i64,
        ended_at: id as i64 + 1,
        service: NONE,
        environment: NONE,
        workflow: NONE,
        session: NONE,
        user: NONE,
        tags: NONE,
        provider: NONE,
        model_requested: NONE,
        model: NONE,
        tokens: Tokens::default(),
        cost_nanousd: None,
        simulated: false,
        response: 0,
        messages: false,
        team: false,
    }
}

fn call(id: u64, parent: u64, response: u64) -> SpanFacts {
    let tokens = Tokens { input: Some(10), output: Some(1), ..Tokens::default() };
    SpanFacts { tokens, cost_nanousd: Some(7), response, ..span(id, Some(parent), SpanKind::Llm) }
}

fn failed(span: SpanFacts) -> SpanFacts {
    SpanFacts { status: SpanStatus::Error, ..span }
}

#[test]
fn an_answer_that_two_libraries_recorded_counts_once() {
    use SpanKind::*;
    let root = span(1, None, Workflow);
    // Beside each other: the one with messages counts, though it began later.
    let with_messages = SpanFacts { messages: true, ..call(3, 1, 99) };
    let summary = summarize(&[root, call(2, 1, 99), with_messages]);
    assert_eq!(summary.counted, [false, false, true]);
    assert_eq!((summary.totals.llm_calls, summary.totals.tokens(), summary.totals.cost_nanousd), (1, 11, 7));
    // One in the other.
    assert_eq!(summarize(&[root, call(2, 1, 99), call(3, 2, 99)]).counted, [false, true, false]);
    // Under different parents they are two calls: a cache or a proxy gave the same answer twice.
    let two = [root, span(2, Some(1), Task), span(3, Some(1), Task), call(4, 2, 99), call(5, 3, 99)];
    assert_eq!(summarize(&two).totals.llm_calls, 2);
    assert_eq!(summarize(&[root, call(2, 1, 0), call(3, 1, 0)]).totals.llm_calls, 2, "without an id they are two");
}

#[test]
fn a_call_around_calls_counts_once() {
    use SpanKind::*;
    let root = span(1, None, Workflow);
    let of = |id, parent, tokens: Option<(u64, u64)>| SpanFacts {
        tokens: Tokens { input: tokens.map(|of| of.0), output: tokens.map(|of| of.1), ..Tokens::default() },
        ..call(id, parent, 0)
    };
    let (some, none) = (Some((10, 1)), None);
    let counted = |spans: &[SpanFacts]| summarize(spans).counted;
    let twice = [root, of(2, 1, some), of(3, 2, some)];
    assert_eq!(counted(&twice), [false, false, true]);
    assert_eq!(summarize(&twice).totals.tokens(), 11);
    assert_eq!(counted(&[of(3, 2, some), root, of(2, 1, some)]), [true, false, false], "in any order");
    assert_eq!(counted(&[root, of(2, 1, some), span(3, Some(2), Span), of(4, 3, some)]), [false, false, false, true]);
    assert_eq!(counted(&[root, of(2, 1, some), of(3, 2, some), of(4, 3, some)]), [false, false, false, true]);
    // The sum of what is inside, or a try that failed and one that did not.
    assert_eq!(counted(&[root, of(2, 1, Some((20, 2))), of(3, 2, some), of(4, 2, some)]), [false, false, true, true]);
    assert_eq!(counted(&[root, of(2, 1, some), failed(of(3, 2, none)), of(4, 2, some)]), [false, false, true, true]);
    // One of them does not know.
    assert_eq!(counted(&[root, of(2, 1, none), of(3, 2, some)]), [false, false, true]);
    assert_eq!(counted(&[root, of(2, 1, some), of(3, 2, none)]), [false, true, false]);
    assert_eq!(counted(&[root, of(2, 1, some), of(3, 2, none), of(4, 3, some)]), [false, false, false, true]);
    // Different calls: other use, a tool between them, another kind.
    assert_eq!(counted(&[root, of(2, 1, some), of(3, 2, Some((11, 1)))]), [false, true, true]);
    assert_eq!(counted(&[root, of(2, 1, some), span(3, Some(2), Tool), of(4, 3, some)]), [false, true, false, true]);
    let embedding = SpanFacts { kind: Embedding, ..of(3, 2, some) };
    assert_eq!(counted(&[root, of(2, 1, some), embedding]), [false, true, true]);
    // Where the id of the answer has told already, and where parents go round.
    assert_eq!(counted(&[root, call(2, 1, 99), call(3, 2, 99)]), [false, true, false]);
    assert_eq!(summarize(&[of(2, 3, some), of(3, 2, some)]).totals.llm_calls, 1);
}

#[test]
fn a_trace_has_the_name_of_its_first_span_where_the_root_has_none() {
    let root = SpanFacts { name: NONE, ..span(1, None, SpanKind::Workflow) };
    assert_eq!(summarize(&[root, SpanFacts { name: 5, ..span(2, Some(1), SpanKind::Task) }]).name, 5);
}

#[test]
fn models_are_those_of_the_calls_that_count_in_their_order() {
    use SpanKind::*;
    let of = |id, response, asked, answered| SpanFacts { model_requested: asked, model: answered, ..call(id, 1, response) };
    let wrapper = SpanFacts { model: 9, ..span(2, Some(1), Agent) };
    let spans = [of(5, 0, 3, 4), span(1, None, Workflow), wrapper, of(3, 7, 2, NONE), of(4, 7, 8, 8), of(6, 0, 2, NONE)];
    assert_eq!(summarize(&spans).models, [2, 4], "neither what wraps a call nor its second record names a model");
    let many: Vec<_> = (2..40).map(|id| of(id, 0, id as i64, NONE)).collect();
    assert_eq!(summarize(&many).models, [2, 3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn a_trace_fails_with_its_agents_and_calls_unless_a_retry_made_it_good() {
    use SpanKind::*;
    let root = span(1, None, Workflow);
    let status = |spans: &[SpanFacts]| summarize(spans).status;
    assert_eq!(status(&[root, failed(span(2, Some(1), Agent))]), TraceStatus::Failed, "the root says OK");
    assert_eq!(status(&[root, failed(call(2, 1, 0))]), TraceStatus::Failed);
    assert_eq!(status(&[root, failed(call(2, 1, 0)), call(3, 1, 0)]), TraceStatus::Ok);
    assert_eq!(summarize(&[root, failed(call(2, 1, 0)), call(3, 1, 0)]).totals.retries, 1);
    assert_eq!(status(&[root, call(2, 1, 0), failed(call(3, 1, 0))]), TraceStatus::Failed, "the later one failed");
    let other_model = SpanFacts { model_requested: 5, ..call(3, 1, 0) };
    assert_eq!(status(&[root, failed(call(2, 1, 0)), other_model]), TraceStatus::Failed, "another call");
    assert_eq!(status(&[root, failed(span(2, Some(1), Tool))]), TraceStatus::Ok, "the caller may have dealt with it");
    assert_eq!(status(&[failed(root)]), TraceStatus::Failed);
    // A run knows what was made good inside of it, and what was not, also where it is a part of somebody else's trace.
    let run = SpanFacts { run: true, ..span(2, Some(1), Workflow) };
    assert_eq!(status(&[root, run, span(3, Some(2), Task), failed(call(4, 3, 0))]), TraceStatus::Ok, "the run went well");
    assert_eq!(status(&[root, failed(run), span(3, Some(2), Task), call(4, 3, 0)]), TraceStatus::Failed, "the run failed");
    // A service that the run called: of what it says nothing about the run does not know.
    let service = |parent, kind| SpanFacts { service: 9, ..failed(span(4, Some(parent), kind)) };
    let tool = span(3, Some(2), Tool);
    assert_eq!(status(&[root, run, tool, service(3, Agent)]), TraceStatus::Failed, "the service answered all the same");
    assert_eq!(status(&[root, run, failed(tool), service(3, Agent)]), TraceStatus::Ok, "the run heard of it");
    assert_eq!(status(&[root, run, tool, service(3, Tool)]), TraceStatus::Ok);
    assert_eq!(status(&[SpanFacts { open: true, ..root }, failed(call(2, 1, 0))]), TraceStatus::Running);
}

#[test]
fn steps_are_the_leaves_of_work_and_handoffs_are_agents_in_agents() {
    use SpanKind::*;
    let spans = [
        span(1, None, Workflow),
        span(2, Some(1), Agent),
        span(3, Some(2), Agent),
        span(4, Some(3), Tool),
        call(5, 3, 0),
        span(6, Some(2), Task),
        span(7, Some(1), Span),
        span(8, Some(7), Agent),
    ];
    let totals = summarize(&spans).totals;
    // The tool, the call, the task that contains nothing, and the agent that contains nothing.
    assert_eq!((totals.steps, totals.handoff_depth, totals.tool_calls), (4, 1, 1));
}

#[test]
fn handoffs_count_in_each_shape() {
    use SpanKind::*;
    let depth = |spans: &[SpanFacts]| {
        let backwards: Vec<_> = spans.iter().rev().copied().collect();
        assert_eq!(summarize(&backwards).totals.handoff_depth, summarize(spans).totals.handoff_depth, "in any order");
        summarize(spans).totals.handoff_depth
    };
    let agent = |id, parent| span(id, Some(parent), Agent);
    let handed = |id, parent, count| SpanFacts { handoffs: count, ..span(id, Some(parent), Task) };
    let root = span(1, None, Workflow);
    assert_eq!(depth(&[root, agent(2, 1), call(3, 2, 0)]), 0, "one agent");
    // One in the other: each works.
    let nested = [root, agent(2, 1), call(3, 2, 0), agent(4, 2), call(5, 4, 0), agent(6, 4), call(7, 6, 0)];
    assert_eq!(depth(&nested), 2);
    let team = SpanFacts { team: true, ..span(1, None, Agent) };
    assert_eq!(depth(&[team, agent(2, 1), call(3, 2, 0)]), 0);
    assert_eq!(depth(&[team, agent(2, 1), call(3, 2, 0), agent(4, 2), call(5, 4, 0)]), 1);
    assert_eq!(depth(&[team, agent(2, 1), handed(3, 2, 1), agent(4, 1)]), 1);
    // Beside each other: only what was recorded tells, however it lies in the agent that hands over.
    let beside = [root, agent(2, 1), call(3, 2, 0), agent(4, 1), call(5, 4, 0), agent(6, 1), call(7, 6, 0)];
    assert_eq!(depth(&beside), 0, "one after the other");
    assert_eq!(depth(&[&beside[..], &[handed(8, 2, 1), span(9, Some(4), Task), handed(10, 9, 1)]].concat()), 2);
    // Two teams: the deeper one.
    let team = |first: u64| {
        let [lead, other] = [agent(first + 1, first), agent(first + 2, first)];
        [
            span(first, Some(1), Task),
            lead,
            call(first + 3, first + 1, 0),
            handed(first + 4, first + 1, 1),
            other,
            call(first + 5, first + 2, 0),
        ]
    };
    assert_eq!(depth(&[&[root][..], &team(10), &team(20)].concat()), 1);
    // The engine's agent is one span.
    let own = SpanFacts { handoffs: 3, ..agent(2, 1) };
    assert_eq!(depth(&[root, own, call(3, 2, 0)]), 3);
    // Without any agent, and in a cycle of agents, it ends.
    assert_eq!(depth(&[root, handed(2, 1, 1)]), 1);
    assert!(depth(&[agent(1, 2), agent(2, 1), call(3, 1, 0), handed(4, 2, 1)]) <= 3);
}

#[test]
fn cycles_and_missing_parents_end_and_count() {
    let cycle = [span(1, Some(2), SpanKind::Agent), span(2, Some(1), SpanKind::Agent), span(3, Some(2), SpanKind::Llm)];
    assert_eq!(summarize(&cycle).totals.spans, 3);
    assert_eq!(order(&cycle).len(), 3);
    let orphan = [span(5, Some(77), SpanKind::Task), span(6, Some(5), SpanKind::Llm)];
    let summary = summarize(&orphan);
    assert_eq!((summary.name, summary.totals.unpriced_calls), (1, 1));
    assert_eq!(summarize(&[]).totals.spans, 0);
}

#[test]
fn a_parent_is_shown_before_a_child_that_began_with_it() {
    let at = |id, parent| SpanFacts { started_at: 0, ..span(id, parent, SpanKind::Task) };
    let spans = [at(1, Some(3)), at(2, Some(1)), at(3, None)];
    assert_eq!(order(&spans), [2, 0, 1]);
    // A decision that took no time, and the step that it led to.
    let spans = [at(3, None), SpanFacts { ended_at: 9, ..at(1, Some(3)) }, SpanFacts { ended_at: 0, ..at(2, Some(3)) }];
    assert_eq!(order(&spans), [0, 2, 1]);
}

#[test]
fn hashes_are_those_that_are_stored() {
    assert_eq!(facts::hash("resp-1"), facts::hash("resp-1"));
    assert_eq!(facts::hash(""), 0xe3b0_c442_98fc_1c14);
}

mod words {
    use super::{SpanId, TraceId};
    use crate::trace::words::{TextQuery, each, texts};

    fn cut(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        each(text, |word| words.push(word.to_owned()));
        words
    }

    #[test]
    fn each_script_is_cut_its_own_way() {
        for (text, words) in [
            ("Hello, WORLD-2!", vec!["hello", "world", "2"]),
            ("naïve Ärger Straße", vec!["naive", "arger", "strasse"]),
            ("nai\u{308}ve A\u{30a}ngstro\u{308}m", vec!["naive", "angstrom"]),
            ("Łódź đường İstanbul ﬁne", vec!["lodz", "duong", "istanbul", "fine"]),
            ("Ελληνικά ΣΊΣΥΦΟΣ", vec!["ελληνικα", "σισυφοσ"]),
            ("ёлка", vec!["елка"]),
            ("السَّلامُ", vec!["السلام"]),
            ("ｶﾞﾗｽ か\u{3099}", vec!["ガラ", "ラス", "ス", "が"]),
            ("\u{1112}\u{1161}\u{11ab}국", vec!["한국", "국"]),
            ("ok👍🏽👨\u{200d}👩 ❤\u{fe0f}", vec!["ok", "👍", "👨", "👩", "❤"]),
            ("日本語", vec!["日本", "本語", "語"]),
            ("東 京", vec!["東", "京"]),
            ("GPT日本4o", vec!["gpt", "日本", "本", "4o"]),
            ("ＧＰＴ４", vec!["gpt4"]),
            ("привет мир", vec!["привет", "мир"]),
            ("हिन्दी", vec!["हिन्दी"]),
            ("ไทย", vec!["ไท", "ทย", "ย"]),
            ("", vec![]),
            ("\0\u{fffd}…", vec![]),
        ] {
            assert_eq!(cut(text), words, "{text}");
        }
        assert_eq!(cut(&"a".repeat(500))[0].len(), 64);
    }

    #[test]
    fn queries_ask_for_what_texts_give() {
        let query = TextQuery::parse("Refund \"late delivery\" invoic* 日本語");
        let words: Vec<(&str, bool)> = query.words.iter().map(|(word, prefix)| (word.as_str(), *prefix)).collect();
        let mut expected =
            [("refund", false), ("late", false), ("delivery", false), ("invoic", true), ("日本", false), ("本語", false)];
        expected.sort();
        assert_eq!(words, expected);
        assert_eq!(query.phrases.len(), 2, "pairs of characters that stand apart are no word");
        assert!(TextQuery::parse(" … \"\" * ").is_empty());
        assert_eq!(TextQuery::parse("語").words, [("語".to_owned(), true)]);
        assert_eq!(TextQuery::parse("👍").words, [("👍".to_owned(), false)]);
    }

    #[test]
    fn numbers_of_arguments_are_found_and_embeddings_are_not() {
        let mut span = crate::trace::merge::empty(TraceId(1), SpanId(1));
        span.input = Some(serde_json::json!({"order": 987654, "price": 19.99, "ids": [11, true], "vector": [0.25, 1.5]}));
        let mut found = Vec::new();
        texts(&span, &mut |text| found.push(text.to_owned()));
        assert_eq!(found, ["", "987654", "19.99", "11"]);
    }
}

#[test]
fn only_a_try_that_began_after_the_failed_one_is_another_try() {
    use SpanKind::*;
    let root = span(1, None, Workflow);
    let at = |id, start, end| SpanFacts { started_at: start, ended_at: end, ..call(id, 1, 0) };
    // Three at once, of which the first fails: nobody tried again, and nothing made it good.
    let beside = [root, failed(at(2, 10, 50)), at(3, 11, 40), at(4, 12, 60)];
    let summary = summarize(&beside);
    assert_eq!((summary.totals.retries, summary.status), (0, TraceStatus::Failed));
    let after = [root, failed(at(2, 10, 50)), at(3, 50, 90)];
    let summary = summarize(&after);
    assert_eq!((summary.totals.retries, summary.status), (1, TraceStatus::Ok));
    // The same model of another provider is a fallback.
    let elsewhere = [root, failed(at(2, 10, 50)), SpanFacts { provider: 7, ..at(3, 50, 90) }];
    assert_eq!(summarize(&elsewhere).totals.retries, 0);
}

#[test]
fn steps_of_a_run_are_counted_as_the_run_counts_them() {
    use SpanKind::*;
    let run = SpanFacts { run: true, service: 5, ..span(1, None, Workflow) };
    let step = |id, parent, kind| SpanFacts { step: true, service: 5, ..span(id, Some(parent), kind) };
    let attempt = |id, parent| SpanFacts { service: 5, ..call(id, parent, 0) };
    let spans = [
        run,
        // A map with two items, of which the first fails.
        step(2, 1, Task),
        failed(step(3, 2, Task)),
        failed(attempt(4, 3)),
        step(5, 2, Task),
        attempt(6, 5),
        // Another workflow, with a step that is tried twice.
        step(7, 1, Workflow),
        step(8, 7, Task),
        failed(attempt(9, 8)),
        attempt(10, 8),
        // A tool, and the agent of the service that it calls.
        step(11, 1, Task),
        SpanFacts { service: 5, ..span(12, Some(11), Tool) },
        SpanFacts { service: 6, ..span(13, Some(12), Agent) },
    ];
    let summary = summarize(&spans);
    assert_eq!((summary.totals.steps, summary.totals.retries), (7, 1), "six of the run, one of the service");
    assert_eq!((summary.totals.llm_calls, summary.status), (4, TraceStatus::Ok));
}

#[test]
fn a_simulated_call_of_a_model_without_a_price_leaves_the_cost_incomplete() {
    let simulated = |cost_nanousd| SpanFacts { simulated: true, cost_nanousd, ..call(2, 1, 0) };
    let totals = |span| summarize(&[self::span(1, None, SpanKind::Workflow), span]).totals;
    assert_eq!(totals(simulated(None)).simulated_unpriced_calls, 1);
    assert_eq!(totals(simulated(None)).unpriced_calls, 0, "nobody pays for it");
    assert_eq!(totals(simulated(Some(3))).simulated_unpriced_calls, 0);
    let nothing = failed(SpanFacts { tokens: Tokens::default(), ..simulated(None) });
    assert_eq!(totals(nothing).simulated_unpriced_calls, 0);
}

#[test]
fn an_agent_counts_where_nothing_inside_of_it_does() {
    use SpanKind::*;
    let agent = |id, parent, input| {
        let tokens = Tokens { input: Some(input), output: Some(1), ..Tokens::default() };
        SpanFacts { tokens, cost_nanousd: Some(50), ..span(id, parent, Agent) }
    };
    let alone = [agent(1, None, 99), span(2, Some(1), Tool)];
    let summary = summarize(&alone);
    assert_eq!((summary.totals.tokens(), summary.totals.cost_nanousd, summary.totals.llm_calls), (100, 50, 0));
    let told = [agent(1, None, 99), span(2, Some(1), Task), call(3, 2, 0)];
    let summary = summarize(&told);
    assert_eq!((summary.totals.tokens(), summary.totals.cost_nanousd, summary.totals.llm_calls), (11, 7, 1));
    // One that stands for others inside of it counts once.
    let nested = [agent(1, None, 99), agent(2, Some(1), 99)];
    assert_eq!(summarize(&nested).totals.cost_nanousd, 50);
    let unpriced = [SpanFacts { cost_nanousd: None, ..agent(1, None, 99) }];
    assert_eq!(summarize(&unpriced).totals.unpriced_calls, 1);
}
