"""The OpenAI Agents SDK, seen by OpenInference's instrumentation: an agent with a tool, a triage that hands over to it, a failure."""

from agents import Agent, Runner, function_tool
from openinference.instrumentation import using_attributes
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
import story

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
OpenAIAgentsInstrumentor().instrument()


@function_tool
def lookup_order(order: str) -> str:
    return story.lookup_order(order)


support = Agent(name="support", instructions="You answer customers.", model="gpt-4o", tools=[lookup_order])
triage = Agent(name="triage", instructions="Hand over.", model="gpt-4o", handoffs=[support])
with using_attributes(session_id="sess-42", user_id="user-1001"):
    Runner.run_sync(support, story.ASK[1]["content"])
    Runner.run_sync(triage, story.ASK[1]["content"])

try:
    Runner.run_sync(Agent(name="broken", model="error-400"), story.ASK[1]["content"])
except Exception:
    pass

provider.shutdown()
