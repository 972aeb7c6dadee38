"""An agent of Google's Agent Development Kit that calls a tool and hands over to another agent; the kit makes spans by itself."""

import asyncio
import os

from google.adk.agents import Agent
from google.adk.models.google_llm import Gemini
from google.adk.runners import InMemoryRunner
from google.genai import types
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
import story

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)


def lookup_order(order: str) -> str:
    """What became of an order"""
    return story.lookup_order(order)


async def ask(model, session):
    system, question = (message["content"] for message in story.ASK)
    model = Gemini(model=model, base_url=os.environ["OPENAI_BASE_URL"].removesuffix("/v1"))
    refunds = Agent(name="refunds", model=model, description="Gives money back", instruction="You give money back.")
    agent = Agent(name="support", model=model, instruction=system, tools=[lookup_order], sub_agents=[refunds])
    runner = InMemoryRunner(agent=agent, app_name="support")
    await runner.session_service.create_session(app_name="support", user_id="user-1001", session_id=session)
    message = types.Content(role="user", parts=[types.Part(text=question)])
    async for _ in runner.run_async(user_id="user-1001", session_id=session, new_message=message):
        pass


asyncio.run(ask("gemini-2.5-flash", "sess-42"))
try:
    asyncio.run(ask("error-400", "sess-43"))
except Exception:
    pass
provider.shutdown()
