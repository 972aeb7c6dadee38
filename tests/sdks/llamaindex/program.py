"""A LlamaIndex agent with a tool, seen by OpenInference's instrumentation of LlamaIndex."""

import asyncio
import os

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.llms.openai import OpenAI
from openinference.instrumentation import using_attributes
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
import story

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
LlamaIndexInstrumentor().instrument(tracer_provider=provider)


class Failing(OpenAI):
    """The names of models are checked before anything is sent; this one is sent."""

    def _get_model_kwargs(self, **kwargs):
        return {**super()._get_model_kwargs(**kwargs), "model": "error-400"}


def lookup_order(order: str) -> str:
    """What became of an order"""
    return story.lookup_order(order)


async def main():
    system, question = (message["content"] for message in story.ASK)
    options = {"model": "gpt-4o", "max_retries": 0, "api_base": os.environ["OPENAI_BASE_URL"]}
    model = OpenAI(**options)
    agent = FunctionAgent(tools=[lookup_order], llm=model, system_prompt=system, streaming=False)
    with using_attributes(session_id="sess-42", user_id="user-1001", metadata={"tier": "gold"}, tags=["returns"]):
        await agent.run(question)
    model.complete("Can I return it?")
    for _ in model.stream_complete("Can I return it?", stream_options={"include_usage": True}):
        pass
    try:
        Failing(**options).complete("Can I return it?")
    except Exception:
        pass


asyncio.run(main())
provider.shutdown()
