"""DBOS with its SQLite system database. Sequential work in plain steps, the fan-out in asynchronous ones, 64 threads for W3."""

import time

_begin = time.time()

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

from dbos import DBOS, SetWorkflowID

import contract

args = contract.arguments()
size = contract.SIZES[args.workload]
side_log = contract.SideLog(args.workdir, args.phase == "crash") if args.workload == "W5" else None
database = os.path.join(os.path.abspath(args.workdir), "dbos.db")
DBOS(config={"name": "flowtrace-bench", "system_database_url": f"sqlite:///{database}", "log_level": "ERROR"})


@DBOS.step()
def step(index):
    contract.enter()
    if side_log:
        side_log.note(index)
    return contract.payload(index)


@DBOS.workflow()
def chain(steps):
    for index in range(steps):
        step(index)
    return steps


@DBOS.step()
async def branch(index):
    return contract.payload(index)


@DBOS.step()
async def join(parts):
    return parts


@DBOS.workflow()
async def fan(branches):
    parts = await asyncio.gather(*(branch(index) for index in range(branches)))
    return await join(len(parts))


def measure():
    if args.workload == "W0":
        chain(1)
        return {"total_s": time.time() - _begin, "rss_mb": contract.rss_mb([os.getpid()])}
    if args.workload == "W5":
        begin = time.perf_counter()
        if args.phase == "resume":
            DBOS.retrieve_workflow("crashing").get_result()
        else:
            with SetWorkflowID("crashing"):
                chain(size["steps"])
        return {"resume_s": time.perf_counter() - begin, "manual": False}
    chain(contract.SIZES["warm_up_steps"])
    if args.workload == "W1":
        with contract.Meter() as meter:
            chain(size["steps"])
        return contract.chain_result(meter, size["steps"])
    if args.workload == "W2":

        async def measured():
            with contract.Meter() as meter:
                assert await fan(size["branches"]) == size["branches"]
            return {"total_s": meter.total_s, "cpu_s": meter.cpu_s}

        return asyncio.run(measured())

    def one(_number):
        begin = time.perf_counter()
        chain(size["steps"])
        return time.perf_counter() - begin

    with ThreadPoolExecutor(size["in_flight"]) as threads, contract.Meter() as meter:
        seconds = list(threads.map(one, range(size["runs"])))
    return contract.throughput_result(meter, seconds)


DBOS.launch()
contract.report(measure())
# Its background threads are not waited for.
os._exit(0)
