"""Langfuse 2: batches of events instead of OTLP."""

from langfuse.decorators import langfuse_context, observe
from langfuse.openai import openai
import story

client = openai.OpenAI(max_retries=0)


@observe()
def generate_response():
    return client.chat.completions.create(model="gpt-4o", messages=story.ASK).choices[0].message.content


@observe()
def support_request(question):
    langfuse_context.update_current_trace(session_id="sess-42", user_id="user-1001", tags=["returns"], metadata={"tier": "gold"})
    answer = generate_response()
    langfuse_context.score_current_trace(name="helpful", value=0.9)
    return answer


@observe()
def failing_request():
    client.chat.completions.create(model="error-400", messages=story.ASK)


support_request("returns?")
try:
    failing_request()
except openai.BadRequestError:
    pass
langfuse_context.flush()
