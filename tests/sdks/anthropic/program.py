"""The spans that Anthropic's SDK makes by itself wherever OpenTelemetry is set up."""

from anthropic import Anthropic, BadRequestError
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
client = Anthropic(max_retries=0)
ask = {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": [{"role": "user", "content": "Can I return it?"}]}

with trace.get_tracer("support").start_as_current_span("support_request") as span:
    span.set_attribute("session.id", "sess-42")
    client.messages.create(**ask, system="You answer customers.")
    with client.messages.stream(**ask) as stream:
        stream.until_done()
    try:
        client.messages.create(**{**ask, "model": "error-400"})
    except BadRequestError:
        pass

provider.shutdown()
