#!/usr/bin/env python3
"""How many runs of the demo workflows succeed while a tenth of all provider calls fails. The cache is off, so that every step calls."""

import argparse
import collections
import concurrent.futures
import glob
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from server import ROOT, Server  # noqa: E402

from upstream import Upstream  # noqa: E402

GOAL = 0.95


def demos():
    for path in sorted(glob.glob(os.path.join(ROOT, "crates", "server", "demos", "*.json"))):
        with open(path, encoding="utf-8") as file:
            demo = json.load(file)
        for node in demo["nodes"]:
            if node["type"] == "llm":
                node["config"]["cache"] = {"enabled": False}
        yield os.path.basename(path).removesuffix(".json"), demo


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=250, help="runs of each demo [250]")
    parser.add_argument("--share", type=float, default=0.10, help="of the provider calls that fail [0.10]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=16)
    options = parser.parse_args()

    load_1m, begin = os.getloadavg()[0], time.time()
    results, retries, fallbacks, failures = collections.Counter(), 0, 0, []
    with Upstream(options.share, options.seed) as upstream, Server(env=upstream.env()) as server:
        ids = {name: server.post("/api/workflows", {"name": name, "graph_json": demo})["id"] for name, demo in demos()}
        work = [name for _ in range(options.runs) for name in ids]
        with concurrent.futures.ThreadPoolExecutor(options.at_once) as threads:
            start = lambda name: (name, server.post(f"/api/workflows/{ids[name]}/runs?wait=60", {})["run"])  # noqa: E731
            for name, view in threads.map(start, work):
                results[name, view["status"]] += 1
                retries, fallbacks = retries + view["retries"], fallbacks + view["fallbacks"]
                if view["status"] != "succeeded":
                    failures.append(f"{name} {view['id']}: {view['status']}, {view['error_summary']}")
    calls, healthy = sum(upstream.calls.values()), upstream.calls[None]
    succeeded = sum(count for (_, status), count in results.items() if status == "succeeded")

    print(f"seed {options.seed}, {options.at_once} runs at once, 1-minute load {load_1m:.1f}, {time.time() - begin:.0f} s")
    drawn = ", ".join(f"{fate} {count}" for fate, count in sorted(upstream.calls.items(), key=str) if fate)
    print(f"{calls} provider calls, {calls - healthy} failed ({1 - healthy / calls:.1%}): {drawn}")
    print(f"{retries} retries, {fallbacks} fallbacks\n")
    print("| demo | runs | succeeded |\n|---|---|---|")
    for name in ids:
        print(f"| {name} | {options.runs} | {results[name, 'succeeded']} |")
    print(f"| all | {len(work)} | {succeeded} ({succeeded / len(work):.1%}, goal ≥ {GOAL:.0%}) |")
    print(*failures, sep="\n", file=sys.stderr)
    if succeeded < GOAL * len(work):
        sys.exit("the goal is missed")


main()
