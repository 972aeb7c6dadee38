"""OpenInference's instrumentation of `openai`, sent over OTLP/HTTP."""

from openai import BadRequestError, OpenAI
from openinference.instrumentation import using_attributes
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from story import ASK, TOOLS, lookup_order

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
OpenAIInstrumentor().instrument()
tracer = trace.get_tracer("support")
client = OpenAI(max_retries=0)

with using_attributes(
    session_id="sess-42",
    user_id="user-1001",
    metadata={"tier": "gold"},
    tags=["returns"],
    prompt_template="Answer {question}",
    prompt_template_version="3",
    prompt_template_variables={"question": "returns"},
), tracer.start_as_current_span("support_request", attributes={"openinference.span.kind": "CHAIN", "input.value": "returns?"}):
    client.embeddings.create(model="text-embedding-3-small", input="returns")
    answer = client.chat.completions.create(model="gpt-4o", messages=ASK, tools=TOOLS, temperature=0.2)
    call = answer.choices[0].message.tool_calls[0]
    with tracer.start_as_current_span("lookup_order", attributes={"openinference.span.kind": "TOOL"}) as tool:
        found = lookup_order(order="4711")
        tool.set_attribute("output.value", found)
    talk = [*ASK, answer.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": found}]
    for _ in client.chat.completions.create(
        model="gpt-4o", messages=talk, tools=TOOLS, stream=True, stream_options={"include_usage": True}
    ):
        pass
    client.responses.create(model="gpt-4o-mini", instructions="Be brief.", input="Is this right?")

with tracer.start_as_current_span("failing_request"):
    try:
        client.chat.completions.create(model="error-400", messages=ASK)
    except BadRequestError:
        pass

provider.shutdown()
