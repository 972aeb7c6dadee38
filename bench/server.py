"""The built binary as a server, for the benches that are scripts."""

import http.client
import json
import os
import subprocess
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def binary():
    """The measured build, or whatever FLOWTRACE names."""
    path = os.environ.get("FLOWTRACE", os.path.join(ROOT, "target", "fast", "flowtrace"))
    if not os.path.exists(path):
        raise SystemExit(f"{path} is not there: `make bench` builds it. FLOWTRACE=... names another binary.")
    return path


class Server:
    """`with Server("--simulate") as server: server.post(...)`; on a data directory of its own, gone afterwards."""

    def __init__(self, *flags, env=None):
        self._flags, self._env = flags, os.environ | (env or {})
        self._connections = threading.local()

    def __enter__(self):
        self._data = tempfile.TemporaryDirectory(prefix="flowtrace-bench-")
        command = [binary(), "serve", "--listen", "127.0.0.1:0", "--no-demo", "--data", self._data.name, *self._flags]
        self._log = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log, env=self._env)
        note = os.path.join(self._data.name, "server.json")
        deadline = time.time() + 30
        while not os.path.exists(note):
            if self._process.poll() is not None or time.time() > deadline:
                self.__exit__()
                self._log.seek(0)
                raise SystemExit(f"the server did not become ready: {self._log.read()[-2000:]}")
            time.sleep(0.01)
        with open(note, encoding="utf-8") as file:
            self._address = json.load(file)["url"].removeprefix("http://")
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._data.cleanup()

    def request(self, method, path, body=None):
        """The JSON of the answer; a status that is no success is an error. Each thread has a connection of its own."""
        connection = getattr(self._connections, "value", None)
        if connection is None:
            connection = self._connections.value = http.client.HTTPConnection(self._address, timeout=120)
        payload = None if body is None else json.dumps(body)
        connection.request(method, path, payload, {"content-type": "application/json"})
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {text}")
        return json.loads(text)

    def post(self, path, body):
        return self.request("POST", path, body)

    def get(self, path):
        return self.request("GET", path)
