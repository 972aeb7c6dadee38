"""Traceloop's decorators and its instrumentation of `openai`."""

from openai import BadRequestError, OpenAI
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import agent, task, tool, workflow
import story

Traceloop.init(app_name="support", disable_batch=False)
client = OpenAI(max_retries=0)


@tool(name="lookup_order")
def lookup_order(order):
    return story.lookup_order(order)


@agent(name="answerer")
def answer():
    answer = client.chat.completions.create(model="gpt-4o", messages=story.ASK, tools=story.TOOLS)
    message = answer.choices[0].message
    found = lookup_order(order="4711")
    talk = [*story.ASK, message, {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": found}]
    stream = client.chat.completions.create(
        model="gpt-4o", messages=talk, tools=story.TOOLS, stream=True, stream_options={"include_usage": True}
    )
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


@task(name="generate_response")
def generate_response():
    return answer()


@workflow(name="support_request")
def support_request(question):
    Traceloop.set_association_properties({"session_id": "sess-42", "user_id": "user-1001", "tier": "gold"})
    return generate_response()


@workflow(name="failing_request")
def failing_request():
    client.chat.completions.create(model="error-400", messages=story.ASK)


support_request("returns?")
try:
    failing_request()
except BadRequestError:
    pass
