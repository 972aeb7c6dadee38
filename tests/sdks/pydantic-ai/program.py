"""pydantic-ai's own instrumentation."""

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from pydantic_ai import Agent
import story

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
Agent.instrument_all()

agent = Agent("openai-chat:gpt-4o", name="support", system_prompt="You answer customers.")


@agent.tool_plain
def lookup_order(order: str) -> str:
    """What became of an order"""
    return story.lookup_order(order)


agent.run_sync(story.ASK[1]["content"], conversation_id="sess-42")
try:
    Agent("openai-chat:error-400", name="broken").run_sync("?", conversation_id="sess-43")
except Exception:
    pass

provider.shutdown()
