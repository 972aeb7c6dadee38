"""Langfuse 5: its decorator, its `openai`, and scores of a trace, a span and a session."""

from langfuse import get_client, observe, propagate_attributes
from langfuse.openai import openai
import story

langfuse = get_client()
assert langfuse.auth_check()
client = openai.OpenAI(max_retries=0)


@observe(as_type="tool")
def lookup_order(order):
    return story.lookup_order(order)


@observe
def generate_response():
    answer = client.chat.completions.create(model="gpt-4o", messages=story.ASK, tools=story.TOOLS)
    message = answer.choices[0].message
    found = lookup_order(order="4711")
    talk = [*story.ASK, message, {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": found}]
    stream = client.chat.completions.create(
        model="gpt-4o", messages=talk, tools=story.TOOLS, stream=True, stream_options={"include_usage": True}
    )
    langfuse.score_current_span(name="grounded", value=1, data_type="BOOLEAN")
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


@observe
def support_request(question):
    with propagate_attributes(session_id="sess-42", user_id="user-1001", tags=["returns"], metadata={"tier": "gold"}):
        answer = generate_response()
    langfuse.score_current_trace(name="helpful", value=0.9, comment="by hand")
    return answer


@observe
def failing_request():
    client.chat.completions.create(model="error-400", messages=story.ASK)


support_request("returns?")
langfuse.create_score(name="satisfied", value="yes", session_id="sess-42", data_type="CATEGORICAL")
try:
    failing_request()
except openai.BadRequestError:
    pass
langfuse.shutdown()
