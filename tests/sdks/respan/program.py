"""Respan's decorators and its instrumentation of `openai`."""

from openai import BadRequestError, OpenAI
from respan import Respan, propagate_attributes
from respan_tracing.decorators import task, tool, workflow
import story

respan = Respan()
client = OpenAI(max_retries=0)


@tool(name="lookup_order")
def lookup_order(order):
    return story.lookup_order(order)


@task(name="generate_response")
def generate_response():
    answer = client.chat.completions.create(model="gpt-4o", messages=story.ASK, tools=story.TOOLS)
    message = answer.choices[0].message
    found = lookup_order(order="4711")
    talk = [*story.ASK, message, {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": found}]
    return client.chat.completions.create(model="gpt-4o", messages=talk, tools=story.TOOLS).choices[0].message.content


@workflow(name="support_request")
def support_request(question):
    return generate_response()


@workflow(name="failing_request")
def failing_request():
    client.chat.completions.create(model="error-400", messages=story.ASK)


with propagate_attributes(
    customer_identifier="user-1001", session_identifier="sess-42", metadata={"tier": "gold"}, environment="staging"
):
    support_request("returns?")
try:
    failing_request()
except BadRequestError:
    pass

respan.flush()
