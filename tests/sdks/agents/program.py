"""The OpenAI Agents SDK with its own exporter: a triage that hands over, an agent with a tool, a failure."""

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    RunConfig,
    Runner,
    custom_span,
    flush_traces,
    function_tool,
    set_trace_processors,
    trace,
)
from agents.tracing.processors import BackendSpanExporter, BatchTraceProcessor
from openai import AsyncOpenAI
import story

exporter = BackendSpanExporter(endpoint="http://localhost:7878/v1/traces/ingest")
set_trace_processors([BatchTraceProcessor(exporter)])


@function_tool
def lookup_order(order: str) -> str:
    return story.lookup_order(order)


# Over the Responses API.
support = Agent(name="support", instructions="You answer customers.", model="gpt-4o", tools=[lookup_order])
triage = Agent(name="triage", instructions="Hand over.", model="gpt-4o", handoffs=[support])
with trace("support_request", group_id="sess-42", metadata={"tier": "gold"}):
    Runner.run_sync(triage, story.ASK[1]["content"])
    with custom_span("verify", {"claims": 2}):
        pass

# Over chat completions, where the exporter sends messages and the model as well.
chat = OpenAIChatCompletionsModel("gpt-4o", AsyncOpenAI(max_retries=0))
helper = Agent(name="helper", instructions="You answer customers.", model=chat, tools=[lookup_order])
Runner.run_sync(helper, story.ASK[1]["content"], run_config=RunConfig(workflow_name="helper_request", group_id="sess-43"))

try:
    Runner.run_sync(Agent(name="broken", model="error-400"), "?", run_config=RunConfig(workflow_name="failing_request"))
except Exception:
    pass

flush_traces()
