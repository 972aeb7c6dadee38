"""Stands in for OpenAI and Anthropic on loopback, and lets a share of all calls fail.

Every call, a retry or a fallback as well, draws its own fate from a seeded generator: healthy, or one of FAULTS.
"""

import collections
import http.server
import json
import random
import threading

# What goes wrong, with its weight among the failures.
FAULTS = {
    "429 with Retry-After": 2,
    "429": 1,
    "500": 2,
    "503": 2,
    "529": 1,
    "cut stream": 2,
    "malformed": 1,
    "empty": 1,
    "connection closed": 2,
}

# About as long as an answer that makes the demos take all of their branches.
ANSWER = "The figures are close to each other, and the differences rest on few sales. " * 10


class Upstream:
    """`with Upstream(share, seed) as upstream:`; `upstream.calls` counts what became of the calls."""

    def __init__(self, share, seed):
        self.share = share
        self.calls = collections.Counter()
        self._random, self._lock = random.Random(seed), threading.Lock()
        self._drawn = []

    def fate(self):
        with self._lock:
            if not self._drawn:
                # Of each hundred calls exactly the share fails, at random places.
                failing = round(self.share * 100)
                self._drawn = [True] * failing + [False] * (100 - failing)
                self._random.shuffle(self._drawn)
            fate = None
            if self._drawn.pop():
                fate = self._random.choices(list(FAULTS), list(FAULTS.values()))[0]
            self.calls[fate] += 1
            return fate

    def __enter__(self):
        upstream = self

        class Handler(_Handler):
            fate = upstream.fate

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def env(self):
        base = f"http://127.0.0.1:{self._server.server_address[1]}"
        keys = {"OPENAI_API_KEY": "not-a-key", "ANTHROPIC_API_KEY": "not-a-key"}
        return keys | {"OPENAI_BASE_URL": f"{base}/v1", "ANTHROPIC_BASE_URL": base}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        fate = type(self).fate()
        if fate == "connection closed":
            self.close_connection = True
        elif fate and fate[0] in "45":
            headers = {"retry-after": "1"} if "Retry-After" in fate else {}
            self.whole(int(fate[:3]), json.dumps({"type": "error", "error": {"type": "error", "message": "Drawn by the bench."}}), headers)
        elif fate == "malformed":
            self.whole(200, '{"this is": "not the end of', {})
        elif fate == "empty":
            self.whole(200, "", {})
        else:
            frames = anthropic(request) if self.path.endswith("/messages") else openai(request)
            self.stream(frames, cut=fate == "cut stream")

    def whole(self, status, body, headers):
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(body))}.items() | headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def stream(self, frames, cut):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for frame in frames[: len(frames) // 2] if cut else frames:
            self.wfile.write(f"{len(frame.encode()):x}\r\n{frame}\r\n".encode())
        if cut:
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")


def pieces():
    return [ANSWER[at : at + 100] for at in range(0, len(ANSWER), 100)]


def openai(request):
    def chunk(choices, usage=None):
        body = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 0, "model": request["model"], "choices": choices}
        return f"data: {json.dumps(body | ({'usage': usage} if usage else {}))}\n\n"

    frames = [chunk([{"index": 0, "delta": {"content": piece}, "finish_reason": None}]) for piece in pieces()]
    frames.append(chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}]))
    frames.append(chunk([], {"prompt_tokens": 200, "completion_tokens": 190, "total_tokens": 390}))
    return [*frames, "data: [DONE]\n\n"]


def anthropic(request):
    def event(kind, **data):
        return f"event: {kind}\ndata: {json.dumps({'type': kind} | data)}\n\n"

    message = {"id": "msg_bench", "type": "message", "role": "assistant", "model": request["model"], "content": []}
    start = message | {"stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 200, "output_tokens": 1}}
    frames = [event("message_start", message=start), event("content_block_start", index=0, content_block={"type": "text", "text": ""})]
    frames += [event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece}) for piece in pieces()]
    frames.append(event("content_block_stop", index=0))
    frames.append(event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 190}))
    return [*frames, event("message_stop")]
