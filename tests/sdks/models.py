"""A model server on loopback that speaks the wire formats of OpenAI, Anthropic and Gemini, so that real SDKs can call it.

What it answers depends on the request alone, and what it says it used is always the same, so a trace can be checked to the token:

    OpenAI        42 in, of which 8 from the cache; 17 out, of which 5 reasoning
    Anthropic     46 in, of which 8 from the cache and 4 written to it; 17 out
    Gemini        42 in, of which 8 from the cache; 12 out, and 5 reasoning beside them
    embeddings    6 in

A request with tools is answered with a call of the first one, unless a tool has answered already. The model `error-400` is refused.
It is a proxy as well, one that refuses everybody: an SDK that wants to talk to somebody outside is found out.
"""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWERED_BY = {"gpt-4o": "gpt-4o-2024-08-06", "gpt-4o-mini": "gpt-4o-mini-2024-07-18"}
ANSWER = "You can return it within 30 days."


class Served:
    """What was asked of the server."""

    def __init__(self):
        self.lock = threading.Lock()
        self.calls = 0
        self.tokens_input = 0
        self.tokens_output = 0
        self.tokens_cached = 0
        self.outside = []
        self.unknown = []

    def add(self, tokens_input, tokens_output, tokens_cached):
        with self.lock:
            self.calls += 1
            self.tokens_input += tokens_input
            self.tokens_output += tokens_output
            self.tokens_cached += tokens_cached


def start():
    """Starts the server; returns its address, what it served, and how to stop it."""
    served = Served()
    handler = type("Handler", (Models,), {"served": served})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def stop():
        server.shutdown()
        server.server_close()

    return f"http://127.0.0.1:{server.server_address[1]}", served, stop


class Models(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: Served

    def log_message(self, *_):
        pass

    def do_CONNECT(self):
        self.refuse(self.path)

    def do_GET(self):
        self.refuse(self.path)

    def refuse(self, what):
        with self.served.lock:
            (self.served.outside if "://" in what or self.command == "CONNECT" else self.served.unknown).append(what)
        self.close_connection = True
        self.reply({"error": {"message": "There is nothing here."}}, status=404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        answers = {
            "/v1/chat/completions": self.chat,
            "/v1/responses": self.respond,
            "/v1/embeddings": self.embeddings,
            "/v1/messages": self.messages,
        }
        answer = answers.get(self.path.split("?")[0])
        if self.path.endswith(":generateContent"):
            answer = self.generate
            body = json.dumps({**json.loads(body), "model": self.path.rsplit("/", 1)[-1].split(":")[0]})
        if answer is None:
            self.refuse(self.path)
            return
        request = json.loads(body)
        if request["model"] == "error-400":
            error = {"message": "The model `error-400` does not exist.", "type": "invalid_request_error", "code": "model_not_found"}
            self.reply({"type": "error", "error": error}, status=400)
            return
        answer(request)

    def think(self, *tokens):
        self.served.add(*tokens)
        # Some SDKs count in milliseconds: what follows a call has to begin later than the call.
        time.sleep(0.01)

    def reply(self, value, status=200):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, events):
        """Server-sent events; each a value, or a name and a value."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        for event in events:
            if isinstance(event, tuple):
                text = f"event: {event[0]}\ndata: {json.dumps(event[1])}\n\n"
            else:
                text = f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n"
            self.wfile.write(text.encode())
            self.wfile.flush()

    # OpenAI: https://platform.openai.com/docs/api-reference

    def chat(self, request):
        self.think(42, 17, 8)
        model = ANSWERED_BY.get(request["model"], request["model"])
        usage = {
            "prompt_tokens": 42,
            "completion_tokens": 17,
            "total_tokens": 59,
            "prompt_tokens_details": {"cached_tokens": 8},
            "completion_tokens_details": {"reasoning_tokens": 5},
        }
        head = {"id": f"chatcmpl-{self.served.calls}", "created": 1795000000, "model": model}
        call = tool_to_call(request, any(message["role"] == "tool" for message in request["messages"]))
        reason = "tool_calls" if call else "stop"
        if call:
            call = {"id": "call_1", "type": "function", "function": {"name": call[0], "arguments": json.dumps(call[1])}}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        else:
            message = {"role": "assistant", "content": ANSWER}
        if not request.get("stream"):
            choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
            self.reply({**head, "object": "chat.completion", "choices": [choice], "usage": usage})
            return
        head["object"] = "chat.completion.chunk"

        def chunk(delta, finish=None):
            return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

        events = [chunk({"role": "assistant", "content": ""})]
        if call:
            events.append(chunk({"tool_calls": [{"index": 0, **call}]}))
        else:
            middle = len(ANSWER) // 2
            events += [chunk({"content": ANSWER[:middle]}), chunk({"content": ANSWER[middle:]})]
        events.append(chunk({}, reason))
        if (request.get("stream_options") or {}).get("include_usage"):
            events.append({**head, "choices": [], "usage": usage})
        self.stream([*events, "[DONE]"])

    def respond(self, request):
        self.think(42, 17, 8)
        given = request["input"] if isinstance(request["input"], list) else []
        call = tool_to_call(request, any(item.get("type") == "function_call_output" for item in given))
        if call:
            item = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": call[0], "arguments": json.dumps(call[1])}
        else:
            text = {"type": "output_text", "text": ANSWER, "annotations": []}
            item = {"type": "message", "id": "msg_1", "role": "assistant", "content": [text]}
        response = {
            "id": f"resp_{self.served.calls}",
            "object": "response",
            "created_at": 1795000000,
            "status": "completed",
            "model": ANSWERED_BY.get(request["model"], request["model"]),
            "output": [{**item, "status": "completed"}],
            "usage": {
                "input_tokens": 42,
                "input_tokens_details": {"cached_tokens": 8},
                "output_tokens": 17,
                "output_tokens_details": {"reasoning_tokens": 5},
                "total_tokens": 59,
            },
            "instructions": request.get("instructions"),
            "tools": request.get("tools", []),
            "tool_choice": "auto",
            "parallel_tool_calls": True,
            "metadata": {},
            "error": None,
            "incomplete_details": None,
            "temperature": 1.0,
            "top_p": 1.0,
        }
        self.reply(response)

    def embeddings(self, request):
        self.think(6, 0, 0)
        texts = request["input"] if isinstance(request["input"], list) else [request["input"]]
        data = [{"object": "embedding", "index": index, "embedding": [0.1, 0.2]} for index, _ in enumerate(texts)]
        usage = {"prompt_tokens": 6, "total_tokens": 6}
        self.reply({"object": "list", "data": data, "model": request["model"], "usage": usage})

    # Anthropic: https://docs.anthropic.com/en/api/messages

    def messages(self, request):
        self.think(46, 17, 8)
        usage = {"input_tokens": 34, "cache_creation_input_tokens": 4, "cache_read_input_tokens": 8, "output_tokens": 17}
        message = {
            "id": f"msg_{self.served.calls}",
            "type": "message",
            "role": "assistant",
            "model": request["model"],
            "content": [{"type": "text", "text": ANSWER}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": usage,
        }
        if not request.get("stream"):
            self.reply(message)
            return
        start = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
        delta = {"stop_reason": "end_turn", "stop_sequence": None}
        self.stream([
            ("message_start", {"type": "message_start", "message": start}),
            ("content_block_start", {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            ("content_block_delta", {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ANSWER}}),
            ("content_block_stop", {"type": "content_block_stop", "index": 0}),
            ("message_delta", {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 17}}),
            ("message_stop", {"type": "message_stop"}),
        ])


    # Gemini: https://ai.google.dev/api/generate-content

    def generate(self, request):
        self.think(42, 17, 8)
        tools = [tool["name"] for group in request.get("tools", []) for tool in group["functionDeclarations"]]
        parts = [part for content in request["contents"] for part in content["parts"]]
        used = [part["functionResponse"]["name"] for part in parts if "functionResponse" in part]
        part = {"text": ANSWER}
        # Whoever can look the order up does, and then hands over.
        for name, arguments in [("lookup_order", {"order": "4711"}), ("transfer_to_agent", {"agent_name": "refunds"})]:
            if "lookup_order" in tools and name in tools and name not in used:
                part = {"functionCall": {"name": name, "args": arguments}}
                break
        usage = {
            "promptTokenCount": 42,
            "cachedContentTokenCount": 8,
            "candidatesTokenCount": 12,
            "thoughtsTokenCount": 5,
            "totalTokenCount": 59,
        }
        candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
        answer = {"candidates": [candidate], "usageMetadata": usage, "responseId": f"resp_{self.served.calls}"}
        self.reply({**answer, "modelVersion": request["model"]})


def tool_to_call(request, answered):
    """The name and the arguments of the call to make, where one is to be made."""
    tools = request.get("tools") or []
    if answered or not tools:
        return None
    function = tools[0].get("function", tools[0])
    properties = function.get("parameters", {}).get("properties", {})
    return function["name"], {name: "4711" for name in properties}
