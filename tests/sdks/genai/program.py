"""OpenTelemetry's own instrumentation of `openai`: the GenAI conventions."""

from openai import BadRequestError, OpenAI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from story import ASK, TOOLS, lookup_order

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
OpenAIInstrumentor().instrument()
tracer = trace.get_tracer("support")
client = OpenAI(max_retries=0)

with tracer.start_as_current_span("support_request") as span:
    span.set_attributes({"session.id": "sess-42", "user.id": "user-1001"})
    answer = client.chat.completions.create(model="gpt-4o", messages=ASK, tools=TOOLS)
    call = answer.choices[0].message.tool_calls[0]
    with tracer.start_as_current_span(
        "execute_tool lookup_order",
        attributes={"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lookup_order", "gen_ai.tool.call.id": call.id},
    ):
        found = lookup_order(order="4711")
    talk = [*ASK, answer.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": found}]
    for _ in client.chat.completions.create(
        model="gpt-4o", messages=talk, tools=TOOLS, stream=True, stream_options={"include_usage": True}
    ):
        pass
    client.embeddings.create(model="text-embedding-3-small", input="returns")

with tracer.start_as_current_span("failing_request"):
    try:
        client.chat.completions.create(model="error-400", messages=ASK)
    except BadRequestError:
        pass

provider.shutdown()
