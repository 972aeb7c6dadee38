"""The service that Restate calls. Started by restate_rocksdb.py under hypercorn."""

import os
import time

import restate

import contract

service = restate.Service("bench")
_workdir = os.environ["BENCH_WORKDIR"]
_crash = os.environ.get("BENCH_PHASE") == "crash"


@service.handler()
async def chain(context: restate.Context, steps: int) -> list:
    times = []

    def step(index):
        times.append(time.perf_counter())
        return contract.payload(index)

    for index in range(steps):
        await context.run_typed("step", step, index=index)
    return times


@service.handler()
async def noted_chain(context: restate.Context, steps: int) -> int:
    side_log = contract.SideLog(_workdir, _crash)

    def step(index):
        side_log.note(index)
        return contract.payload(index)

    for index in range(steps):
        await context.run_typed("step", step, index=index)
    return steps


@service.handler()
async def fan(context: restate.Context, branches: int) -> int:
    parts = [context.run_typed("branch", contract.payload, index=index) for index in range(branches)]
    await restate.gather(*parts)
    done = len([await part for part in parts])
    return await context.run_typed("join", lambda: done)


app = restate.app([service])
