"""LangGraph with its SQLite checkpointer, `durability="sync"`: a step begins when the checkpoint before it is written.

One graph node is one step; the state holds the latest result only. Sequential work uses the synchronous API, parallel work the
asynchronous one, which is the faster choice of the two for each.
"""

import time

_begin = time.time()

import asyncio
import operator
import os
import sqlite3
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

import contract

args = contract.arguments()
size = contract.SIZES[args.workload]
side_log = contract.SideLog(args.workdir, args.phase == "crash") if args.workload == "W5" else None
database = os.path.join(args.workdir, "langgraph.db")


class Chain(TypedDict, total=False):
    result: Any


class Fan(TypedDict, total=False):
    index: int
    parts: Annotated[list, operator.add]
    result: Any


def work(index):
    contract.enter()
    if side_log:
        side_log.note(index)
    return {"result": contract.payload(index)}


def chain(steps, asynchronous=False):
    def node(index):
        async def in_the_loop(_state):
            return work(index)

        return in_the_loop if asynchronous else lambda _state: work(index)

    graph = StateGraph(Chain)
    before = START
    for index in range(steps):
        graph.add_node(f"step{index}", node(index))
        graph.add_edge(before, f"step{index}")
        before = f"step{index}"
    graph.add_edge(before, END)
    return graph


def fan(branches):
    async def branch(state):
        return {"parts": [contract.payload(state["index"])]}

    async def join(state):
        return {"result": len(state["parts"])}

    graph = StateGraph(Fan)
    graph.add_node("branch", branch)
    graph.add_node("join", join)
    graph.add_conditional_edges(START, lambda _state: [Send("branch", {"index": i}) for i in range(branches)], ["branch"])
    graph.add_edge("branch", "join")
    graph.add_edge("join", END)
    return graph


def thread(name):
    return {"configurable": {"thread_id": name}, "recursion_limit": 10_000}


def sequential():
    saver = SqliteSaver(sqlite3.connect(database, check_same_thread=False))
    if args.workload == "W0":
        chain(1).compile(checkpointer=saver).invoke({}, thread("first"), durability="sync")
        return {"total_s": time.time() - _begin, "rss_mb": contract.rss_mb([os.getpid()])}
    if args.workload == "W5":
        app = chain(size["steps"]).compile(checkpointer=saver)
        begin = time.perf_counter()
        app.invoke(None if args.phase == "resume" else {}, thread("crashing"), durability="sync")
        return {"resume_s": time.perf_counter() - begin, "manual": True}
    chain(contract.SIZES["warm_up_steps"]).compile(checkpointer=saver).invoke({}, thread("warm-up"), durability="sync")
    app = chain(size["steps"]).compile(checkpointer=saver)
    with contract.Meter() as meter:
        app.invoke({}, thread("measured"), durability="sync")
    return contract.chain_result(meter, size["steps"])


async def parallel():
    async with AsyncSqliteSaver.from_conn_string(database) as saver:
        await saver.setup()
        warm = chain(contract.SIZES["warm_up_steps"], asynchronous=True).compile(checkpointer=saver)
        await warm.ainvoke({}, thread("warm-up"), durability="sync")
        if args.workload == "W2":
            app = fan(size["branches"]).compile(checkpointer=saver)
            with contract.Meter() as meter:
                done = await app.ainvoke({}, thread("measured"), durability="sync")
            assert done["result"] == size["branches"]
            return {"total_s": meter.total_s, "cpu_s": meter.cpu_s}
        app = chain(size["steps"], asynchronous=True).compile(checkpointer=saver)
        room = asyncio.Semaphore(size["in_flight"])
        seconds = []

        async def one(number):
            async with room:
                begin = time.perf_counter()
                await app.ainvoke({}, thread(f"run{number}"), durability="sync")
                seconds.append(time.perf_counter() - begin)

        with contract.Meter() as meter:
            await asyncio.gather(*map(one, range(size["runs"])))
        return contract.throughput_result(meter, seconds)


contract.report(asyncio.run(parallel()) if args.workload in ("W2", "W3") else sequential())
