#!/usr/bin/env python3
"""What the cache saves on the workload `support-tickets`: every ticket is one run, in the order in which they came in, once with the
cache and once with `cache.enabled: false`. The models are simulated; tokens and list prices are counted as for real ones."""

import copy
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from server import Server  # noqa: E402

GOALS = {"hit rate": 0.30, "lower cost": 0.40}


def load(name):
    with open(os.path.join(HERE, "support-tickets", name), encoding="utf-8") as file:
        return json.load(file)


def without_cache(workflow):
    workflow = copy.deepcopy(workflow)
    for node in workflow["nodes"]:
        if node["type"] == "llm":
            node["config"]["cache"] = {"enabled": False}
    return workflow


def run(workflow, tickets):
    """Totals over all tickets."""
    totals = {"calls": 0, "hits": 0, "tokens": 0, "cost_nanousd": 0, "saved_nanousd": 0, "seconds": 0.0}
    with Server("--simulate") as server:
        workflow_id = server.post("/api/workflows", {"name": "support-tickets", "graph_json": workflow})["id"]
        for ticket in tickets:
            started = server.post(f"/api/workflows/{workflow_id}/runs?wait=60", {"input_vars": {"message": ticket["message"]}})
            view = started["run"]
            if view["status"] != "succeeded" or not view["cost_complete"] or not view["simulated"]:
                raise SystemExit(f"ticket {ticket['id']}: {json.dumps(view)}")
            totals["calls"] += sum(step["node_type"] == "llm" for step in view["steps"])
            totals["hits"] += view["cache_hits"]
            totals["tokens"] += view["total_tokens"]
            totals["cost_nanousd"] += view["total_cost_nanousd"]
            totals["saved_nanousd"] += view["saved_nanousd"]
            totals["seconds"] += view["total_latency_ms"] / 1000
    return totals


def main():
    workflow, tickets = load("workflow.json"), load("tickets.json")
    load_1m, begin = os.getloadavg()[0], time.time()
    plain = run(without_cache(workflow), tickets)
    cached = run(workflow, tickets)
    distinct = len({ticket["message"] for ticket in tickets})
    hit_rate = cached["hits"] / cached["calls"]
    lower = 1 - cached["cost_nanousd"] / plain["cost_nanousd"]
    # What the cache says it saved has to be what it saved.
    consistent = cached["cost_nanousd"] + cached["saved_nanousd"] == plain["cost_nanousd"]

    print(f"{len(tickets)} tickets, {distinct} different messages, {cached['calls']} model calls; 1-minute load {load_1m:.1f}, {time.time() - begin:.0f} s\n")
    print("| | without cache | with cache | |")
    print("|---|---|---|---|")
    print(f"| calls that the cache answered | {plain['hits']} | {cached['hits']} | hit rate {hit_rate:.1%} (goal ≥ {GOALS['hit rate']:.0%}) |")
    print(f"| tokens | {plain['tokens']:,} | {cached['tokens']:,} | |")
    print(f"| cost at list prices, US cents | {plain['cost_nanousd'] / 1e7:.3f} | {cached['cost_nanousd'] / 1e7:.3f} | {lower:.1%} lower (goal ≥ {GOALS['lower cost']:.0%}) |")
    print(f"| sum of the runs' latencies, s | {plain['seconds']:.1f} | {cached['seconds']:.1f} | |")
    if plain["hits"] or not consistent:
        sys.exit(f"the totals contradict each other: {plain}, {cached}")
    if hit_rate < GOALS["hit rate"] or lower < GOALS["lower cost"]:
        sys.exit("a goal is missed")


main()
