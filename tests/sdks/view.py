"""What the API shows, in a form that can be written down, compared and checked against what really happened."""

import difflib
import json
import re
import urllib.parse

# Pico-dollars a token: input, input from the cache, output. The price lists of the providers, by hand, as of 2026-11.
PRICES = {
    "gpt-4o-2024-08-06": (2_500_000, 1_250_000, 10_000_000),
    "gpt-4o-mini-2024-07-18": (150_000, 75_000, 600_000),
    "text-embedding-3-small": (20_000, 20_000, 0),
    "gemini-2.5-flash": (300_000, 30_000, 2_500_000),
}
UNSTABLE = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\b(trace_|span_|run-+|run_)?[0-9a-f]{16,32}\b"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(Z|[+-]\d\d:\d\d)"), "<time>"),
    (re.compile(r"\b0x[0-9a-f]+\b"), "<address>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:<port>"),
    (re.compile(r"/[^\s\"']*/flowtrace-sdk-[^\s\"'/]*/"), "<folder>/"),
    (re.compile(r"\b(chatcmpl-|resp_|msg_)\d+\b"), r"\1<n>"),
]
UNSTABLE_KEYS = {"llamaindex.run_id"}


def everything(get):
    """Traces by the order in which they came, and the sessions that they name."""
    page = get("/api/traces?limit=100")
    found = page.get("traces", page.get("items"))
    traces = [get(f"/api/traces/{summary['trace_id']}") for summary in reversed(found)]
    traces.sort(key=lambda trace: trace["started_at"])
    sessions = sorted({trace["session_id"] for trace in traces if trace["session_id"]})
    return {
        "traces": traces,
        "sessions": [get(f"/api/sessions/{urllib.parse.quote(session, safe='')}") for session in sessions],
    }


def stable(shown):
    """The same of every run of the same program."""
    return settle({
        "traces": [trace_of(trace) for trace in shown["traces"]],
        "sessions": [session_of(session) for session in shown["sessions"]],
    })


def trace_of(trace):
    known = {span["span_id"] for span in trace["spans"]}
    summary = ("name", "status", "error", "session_id", "user_id", "service", "environment", "workflow", "tags",
               "total_tokens", "total_cost_nanousd", "cost_complete")  # fmt: skip
    work = ("llm_calls", "tool_calls", "handoff_depth", "retries")
    return drop_empty({
        **{key: trace[key] for key in summary},
        **{key: trace["summary"][key] for key in work},
        "scores": [score_of(score) for score in trace["scores"]],
        "spans": [span_of(span, trace["spans"]) for span in trace["spans"] if span["parent_span_id"] not in known],
    })


def span_of(span, all_spans):
    plain = ("name", "kind", "error", "provider", "model_requested", "model", "tokens_input", "tokens_output", "tokens_cached",
             "tokens_cache_write", "tokens_reasoning", "cost_nanousd", "finish_reason", "prompt_name", "prompt_version", "tags",
             "metadata", "parameters", "input", "output")  # fmt: skip
    return drop_empty({
        **{key: span[key] for key in plain},
        "failed": span["status"] == "error",
        "not_counted": span["kind"] in ("llm", "embedding") and not span["counted"],
        "tools": [tool.get("name") or tool.get("function", {}).get("name") for tool in span["tools"] or []],
        "events": [event["name"] for event in span["events"]],
        "has_first_token": span["first_token_ms"] is not None,
        "spans": [span_of(child, all_spans) for child in all_spans if child["parent_span_id"] == span["span_id"]],
    })


def session_of(session):
    keys = ("session_id", "user_id", "traces", "failed_traces", "total_tokens", "total_cost_nanousd", "cost_complete")
    scores = [score_of(score) for score in session.get("scores", [])]
    return drop_empty({**{key: session[key] for key in keys}, "scores": scores})


def score_of(score):
    return drop_empty({key: score.get(key) for key in ("name", "value", "comment")} | {"of_span": score.get("span_id") is not None})


def drop_empty(fields):
    return {key: value for key, value in fields.items() if value not in (None, "", [], {}, False) or key == "cost_complete"}


def settle(value):
    """Replaces what is new in each run."""
    if isinstance(value, dict):
        return {settle(key): "<id>" if key in UNSTABLE_KEYS else settle(item) for key, item in value.items()}
    if isinstance(value, list):
        return [settle(item) for item in value]
    if isinstance(value, str):
        for pattern, instead in UNSTABLE:
            value = pattern.sub(instead, value)
    return value


def invariants(expected, counters, served, traces):
    """What has to hold whatever was written down before."""
    wrong = []

    def same(what, found, wanted):
        if found != wanted:
            wrong.append(f"{what}: {found}, and it has to be {wanted}")

    spans = [span for trace in traces for span in trace["spans"]]
    for counter in ("accepted", "stored", "queryable"):
        same(f"spans that are {counter}", counters[counter], len(spans))
    for counter in ("rejected", "refused_requests", "overloaded_requests"):
        same(counter, counters[counter], 0)
    same("addresses outside that the SDK wanted to reach", served.outside, [])
    same("requests that no model server answers", served.unknown, [])
    # The SDK may not tell everything; what it does not tell is written down beside the program.
    unseen = expected.get("not_told", {})
    calls = [span for span in spans if span["counted"] and span["status"] != "error"]
    total = lambda field: sum(span[field] or 0 for span in calls)  # noqa: E731
    made = expected.get("told_without_calls", {})
    same("model calls", len(calls), served.calls - unseen.get("calls", 0) + made.get("calls", 0))
    for field in ("tokens_input", "tokens_output", "tokens_cached"):
        same(field, total(field), getattr(served, field) - unseen.get(field, 0) + made.get(field, 0))
    for span in calls:
        price = PRICES.get(span["model"] or span["model_requested"])
        if span["tokens_input"] is None or price is None:
            continue
        cached = span["tokens_cached"] or 0
        cost = (span["tokens_input"] - cached) * price[0] + cached * price[1] + (span["tokens_output"] or 0) * price[2]
        same(f"cost of {span['name']}", span["cost_nanousd"], cost // 1000)
    for trace in traces:
        counted = [span for span in trace["spans"] if span["counted"]]
        same("cost of the trace", trace["total_cost_nanousd"], sum(span["cost_nanousd"] or 0 for span in counted))
    return wrong


def differences(wanted, found):
    text = lambda value: json.dumps(value, indent=2, ensure_ascii=False).splitlines()  # noqa: E731
    lines = list(difflib.unified_diff(text(wanted), text(found), "expected", "shown", lineterm="", n=6))
    return ["\n".join(lines)] if lines else []
