#!/usr/bin/env python3
"""The same load on Arize Phoenix and on FlowTrace, one after the other: `phoenix.py PHOENIX [SPANS]`.

PHOENIX is the program of an environment in which `pip install arize-phoenix` was run. It gets its default store, SQLite, in a directory
that is removed afterwards. The clock stops when all spans are in its own counts. FlowTrace takes a hundred times as many spans, so that
the run is long enough to measure. `make bench-build` builds what this runs.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BENCH = os.path.join(ROOT, "target", "fast", "flowtrace-bench-ingest")
SECONDS = 300
TIMES = 100


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def request(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise OSError(f"{method} {path} answered {answer.status}: {text[:300]!r}")
    return text


def wait(what, ready, process):
    end = time.monotonic() + SECONDS
    while not ready():
        if process.poll() is not None:
            sys.exit(f"Phoenix ended with {process.returncode} while waiting: {what}")
        if time.monotonic() > end:
            sys.exit(f"not within {SECONDS} s: {what}")
        time.sleep(0.05)


def answers(port):
    try:
        request(port, "GET", "/healthz")
    except OSError:
        return False
    return True


def counted(port):
    query = {"query": "{projects(first: 50) {edges {node {recordCount}}}}"}
    projects = json.loads(request(port, "POST", "/graphql", query))["data"]["projects"]["edges"]
    return sum(project["node"]["recordCount"] for project in projects)


def bench(*arguments):
    done = subprocess.run([BENCH, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{BENCH}: {done.stderr}")
    return json.loads(done.stdout)


def resident_mb(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) // 1024 for line in file if line.startswith("VmRSS:"))


def bytes_in(directory):
    files = (os.path.join(folder, name) for folder, _, names in os.walk(directory) for name in names)
    return sum(os.path.getsize(file) for file in files if not file.endswith("server.log"))


def measure_phoenix(program, spans):
    with tempfile.TemporaryDirectory(prefix="bench-phoenix-") as data:
        port, grpc = free_port(), free_port()
        environment = {
            "PHOENIX_WORKING_DIR": data, "PHOENIX_PORT": str(port), "PHOENIX_GRPC_PORT": str(grpc), "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_TELEMETRY_ENABLED": "false",
        }  # fmt: skip
        with open(os.path.join(data, "server.log"), "wb") as log:
            process = subprocess.Popen([program, "serve"], env=os.environ | environment, cwd=data, stdout=log, stderr=log)
        try:
            wait("it answers", lambda: answers(port), process)
            began = time.monotonic()
            sent = bench(os.path.join(data, "unused"), "--spans", str(spans), "--to", f"127.0.0.1:{port}")
            wait(f"it counts {spans} spans", lambda: counted(port) >= spans, process)
            return {
                "spans": spans,
                "spans_per_s": round(spans / (time.monotonic() - began), 1),
                "spans_per_s_acknowledged": sent["spans_per_s_acknowledged"],
                "disk_bytes_per_span": round(bytes_in(data) / spans),
                "rss_mb": resident_mb(process.pid),
            }
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def measure_flowtrace(spans):
    with tempfile.TemporaryDirectory(prefix="bench-flowtrace-") as data:
        figures = bench(os.path.join(data, "data"), "--spans", str(spans))
        return {
            "spans": spans,
            "spans_per_s": figures["spans_per_s_until_indexed"],
            "spans_per_s_acknowledged": figures["spans_per_s_acknowledged"],
            "disk_bytes_per_span": round(figures["disk_bytes_per_span"]),
            "rss_mb": figures["rss_mb_after_ingest"],
        }


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    spans = int(sys.argv[2]) if len(sys.argv) == 3 else 4000
    phoenix = measure_phoenix(os.path.abspath(sys.argv[1]), spans)
    flowtrace = measure_flowtrace(spans * TIMES)
    ratios = {
        "rate": round(flowtrace["spans_per_s"] / phoenix["spans_per_s"]),
        "disk": round(phoenix["disk_bytes_per_span"] / flowtrace["disk_bytes_per_span"], 1),
        "memory": round(phoenix["rss_mb"] / flowtrace["rss_mb"], 1),
    }
    load = open("/proc/loadavg", encoding="utf-8").read().split()[0]
    print(json.dumps({"load": load, "phoenix": phoenix, "flowtrace": flowtrace, "times_better": ratios}, indent=2))


main()
