"""Restate: its server (BENCH_RESTATE names the binary) and one worker, driven over the server's HTTP ingress."""

import time

_begin = time.time()

import asyncio
import os
import signal
import socket
import subprocess
import sys

import httpx

import contract

args = contract.arguments()
size = contract.SIZES[args.workload]
workdir = os.path.abspath(args.workdir)
here = os.path.dirname(os.path.abspath(__file__))


def ports(count):
    """Free ports; the resume phase takes those of the crash phase, because the server remembers where its worker was."""
    note = os.path.join(workdir, "ports")
    if args.phase == "resume":
        with open(note, encoding="utf-8") as file:
            return list(map(int, file.read().split()))
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    with open(note, "w", encoding="utf-8") as file:
        file.write(" ".join(map(str, found)))
    return found


INGRESS, ADMIN, NODE, WORKER = ports(4)


def start():
    log = open(os.path.join(workdir, "server.log"), "ab")
    server_env = os.environ | {
        "RESTATE_BASE_DIR": os.path.join(workdir, "data"),
        "RESTATE_NODE_NAME": "bench",
        "RESTATE_LISTEN_MODE": "tcp",
        "RESTATE_BIND_PORT": str(NODE),
        "RESTATE_INGRESS__BIND_PORT": str(INGRESS),
        "RESTATE_ADMIN__BIND_PORT": str(ADMIN),
        "RESTATE_LOG_FILTER": "error",
        "RESTATE_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "1",
    }
    worker_env = os.environ | {"BENCH_WORKDIR": workdir, "BENCH_PHASE": args.phase, "PYTHONPATH": here}
    server = subprocess.Popen([os.environ["BENCH_RESTATE"], "--no-logo"], env=server_env, cwd=workdir, stdout=log, stderr=log)
    command = [sys.executable, "-m", "hypercorn", "--workers", "0", "--bind", f"127.0.0.1:{WORKER}", "restate_worker:app"]
    worker = subprocess.Popen(command, env=worker_env, cwd=here, stdout=log, stderr=log)
    return server, worker


def until_ready(client):
    deadline = time.time() + 60
    while time.time() < deadline:
        try:
            healthy = [
                client.get(f"http://127.0.0.1:{ADMIN}/health").is_success,
                client.get(f"http://127.0.0.1:{INGRESS}/restate/health").is_success,
            ]
            if all(healthy) and (args.phase == "resume" or register(client)):
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.02)
    raise SystemExit("Restate did not become ready within 60 s")


def register(client):
    worker = {"uri": f"http://127.0.0.1:{WORKER}", "force": True}
    return client.post(f"http://127.0.0.1:{ADMIN}/deployments", json=worker).is_success


def call(client, handler, argument, **options):
    answer = client.post(f"http://127.0.0.1:{INGRESS}/bench/{handler}", json=argument, **options)
    answer.raise_for_status()
    return answer.json()


def crash(client, server, worker):
    key = {"idempotency-key": "crashing"}
    client.post(f"http://127.0.0.1:{INGRESS}/bench/noted_chain/send", json=size["steps"], headers=key).raise_for_status()
    worker.wait(60)
    server.send_signal(signal.SIGKILL)
    server.wait()
    return {"crashed": True}


def resume(client):
    begin = time.perf_counter()
    # The same key attaches to the invocation that the server already goes on with.
    call(client, "noted_chain", size["steps"], headers={"idempotency-key": "crashing"})
    return {"resume_s": time.perf_counter() - begin, "manual": False}


async def throughput(pids):
    seconds = []
    room = asyncio.Semaphore(size["in_flight"])
    limits = httpx.Limits(max_connections=size["in_flight"])
    async with httpx.AsyncClient(timeout=300, limits=limits) as client:

        async def one():
            async with room:
                begin = time.perf_counter()
                answer = await client.post(f"http://127.0.0.1:{INGRESS}/bench/chain", json=size["steps"])
                answer.raise_for_status()
                seconds.append(time.perf_counter() - begin)

        with contract.Meter(pids) as meter:
            await asyncio.gather(*(one() for _ in range(size["runs"])))
    return contract.throughput_result(meter, seconds)


def measure(client, server, worker):
    pids = [server.pid, worker.pid]
    if args.workload == "W5":
        return resume(client) if args.phase == "resume" else crash(client, server, worker)
    # The first call may come before the partition has a leader.
    for attempt in range(100):
        try:
            call(client, "chain", 1 if args.workload == "W0" else contract.SIZES["warm_up_steps"])
            break
        except httpx.HTTPStatusError:
            time.sleep(0.05)
    if args.workload == "W0":
        return {"total_s": time.time() - _begin, "rss_mb": contract.rss_mb(pids)}
    if args.workload == "W1":
        with contract.Meter(pids) as meter:
            times = call(client, "chain", size["steps"])
        return contract.chain_result(meter, size["steps"], times)
    if args.workload == "W2":
        with contract.Meter(pids) as meter:
            assert call(client, "fan", size["branches"]) == size["branches"]
        return {"total_s": meter.total_s, "cpu_s": meter.cpu_s}
    return asyncio.run(throughput(pids))


started = start()
try:
    with httpx.Client(timeout=300) as connection:
        until_ready(connection)
        contract.report(measure(connection, *started))
finally:
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()
