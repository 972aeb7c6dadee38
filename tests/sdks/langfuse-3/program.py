"""Langfuse 3: OTLP that is not packed, scores through the batches of version 2."""

from langfuse import get_client, observe
from langfuse.openai import openai
import story

langfuse = get_client()
client = openai.OpenAI(max_retries=0)


@observe
def support_request(question):
    langfuse.update_current_trace(session_id="sess-42", user_id="user-1001", tags=["returns"], metadata={"tier": "gold"})
    answer = client.chat.completions.create(model="gpt-4o", messages=story.ASK)
    langfuse.score_current_trace(name="helpful", value=0.9)
    return answer.choices[0].message.content


support_request("returns?")
langfuse.create_score(name="satisfied", value="yes", session_id="sess-42", data_type="CATEGORICAL")
langfuse.flush()
