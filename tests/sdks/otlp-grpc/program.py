"""No code about tracing at all: run by `opentelemetry-instrument`, which takes everything from the environment."""

from openai import OpenAI
from opentelemetry import trace
from story import ASK

with trace.get_tracer("support").start_as_current_span("support_request") as span:
    span.set_attribute("session.id", "sess-42")
    OpenAI().chat.completions.create(model="gpt-4o", messages=ASK)
