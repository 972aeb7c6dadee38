"""A LangGraph agent, seen by OpenInference's instrumentation of LangChain."""

from typing import Annotated, TypedDict

from langchain_core.messages import AnyMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, tools_condition
from openinference.instrumentation import using_attributes
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
import story

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
LangChainInstrumentor().instrument()


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


@tool
def lookup_order(order: str) -> str:
    """What became of an order"""
    return story.lookup_order(order)


def graph(model):
    model = ChatOpenAI(model=model, max_retries=0).bind_tools([lookup_order])
    graph = StateGraph(State)
    graph.add_node("answer", lambda state: {"messages": [model.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode([lookup_order]))
    graph.add_edge(START, "answer")
    graph.add_conditional_edges("answer", tools_condition, {"tools": "tools", END: END})
    graph.add_edge("tools", "answer")
    return graph.compile()


asked = {"messages": [(message["role"], message["content"]) for message in story.ASK]}
with using_attributes(session_id="sess-42", user_id="user-1001"):
    graph("gpt-4o").invoke(asked)
try:
    graph("error-400").invoke(asked)
except Exception:
    pass

provider.shutdown()
