#!/usr/bin/env python3
"""Measures FlowTrace (and, with --peers, what else is installed) on the engine workloads, and prints a table.

Builds nothing: `make bench` builds first. Every single measurement is kept in results.json with the load it was taken under; the table
shows medians.
"""

import argparse
import collections
import datetime
import glob
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
WORKLOADS = ["W0", "W1", "W2", "W3", "W5"]


def load(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return json.load(file)


SIZES, GOALS, PEERS = load("workloads.json"), load("goals.json"), load("peers.json")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reps", type=int, default=5, help="measurements of each cell [5]")
    parser.add_argument("--workloads", default=",".join(WORKLOADS), help="which ones, separated by commas [all]")
    parser.add_argument("--only", default="", metavar="REGEX", help="only subjects whose name matches")
    parser.add_argument("--peers", metavar="DIR", help="also run the peers that install-peers.py put there")
    parser.add_argument("--build", default=os.path.join(ROOT, "target", "fast"), metavar="DIR", help="where the measured programs are [target/fast]")
    parser.add_argument("--workdir", default=os.path.join(ROOT, "target"), metavar="DIR", help="a directory on the disk that is measured [target]")
    parser.add_argument("--max-load", type=float, metavar="LOAD", help="before each measurement, wait until the 1-minute load is below this")
    parser.add_argument("--load-wait", type=float, default=60, metavar="SECONDS", help="but no longer than this [60]")
    parser.add_argument("--timeout", type=float, default=240, metavar="SECONDS", help="for one measurement [240]")
    parser.add_argument("--out", default=os.path.join(HERE, "results.json"), metavar="FILE")
    parser.add_argument("--table", action="store_true", help="measure nothing, print the table of --out")
    return parser.parse_args()


def subjects(options):
    """Name, command and environment of everything that can be measured."""
    program = os.path.join(options.build, "flowtrace-bench-engine")
    missing = [path for path in (program, os.path.join(options.build, "flowtrace")) if not os.path.exists(path)]
    if missing:
        sys.exit(f"{missing[0]} is not there: `make bench` builds it and starts this script.")
    found = [
        {"name": "FlowTrace in process", "command": [program, "--store", "inproc"], "env": {}},
        {"name": "FlowTrace over HTTP", "command": [program, "--store", "http"], "env": {}},
    ]
    for peer in PEERS if options.peers else []:
        home = os.path.join(os.path.abspath(options.peers), peer["venv"])
        python = os.path.join(home, "bin", "python")
        servers = glob.glob(os.path.join(home, "node_modules", "@restatedev", "restate-server-*", "bin", "restate-server"))
        if not os.path.exists(python) or ("npm" in peer and not servers):
            print(f"{peer['name']} is not installed in {home}: left out", file=sys.stderr)
            continue
        command = [python, os.path.join(HERE, "peers", peer["program"]), "--store", "default"]
        found.append({"name": peer["name"], "command": command, "env": {"BENCH_RESTATE": servers[0]} if servers else {}})
    return [subject for subject in found if re.search(options.only, subject["name"])]


def execute(subject, workload, workdir, phase, timeout):
    """One process of one subject; what it reported, or why it did not."""
    command = [*subject["command"], "--workload", workload, "--workdir", workdir, "--phase", phase]
    env = os.environ | subject["env"] | {"PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, env=env, start_new_session=True)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            code = None
        try:
            # Whatever it left running is in its own process group.
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        out.seek(0)
        err.seek(0)
        lines = [line for line in out.read().splitlines() if line.startswith("BENCH ")]
        if lines and code == 0:
            return json.loads(lines[-1].removeprefix("BENCH "))
        return {"error": "no end within the time" if code is None else f"exit status {code}", "stderr": err.read()[-500:]}


def executed(workdir):
    path = os.path.join(workdir, "steps.log")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return file.read().split()


def crash_and_resume(subject, workdir, timeout):
    execute(subject, "W5", workdir, "crash", timeout)
    before = executed(workdir)
    if not before:
        return {"error": "the crash phase did no step"}
    result = execute(subject, "W5", workdir, "resume", timeout)
    after = executed(workdir)
    if len(set(after)) != SIZES["W5"]["steps"] and "error" not in result:
        result = {"error": f"{len(set(after))} different steps were done, not {SIZES['W5']['steps']}"}
    return result | {"before_kill": len(before), "executions": len(after), "reexecuted": len(after) - len(set(after))}


def wait_for_quiet(options):
    end = time.time() + options.load_wait
    while options.max_load is not None and os.getloadavg()[0] > options.max_load and time.time() < end:
        time.sleep(1)


def cpu_times():
    """All CPUs together since boot, in ticks: everything, and what the hypervisor gave to other machines."""
    with open("/proc/stat", encoding="utf-8") as file:
        fields = [int(field) for field in file.readline().split()[1:9]]
    return sum(fields), fields[7]


def measure(subject, workload, rep, options):
    wait_for_quiet(options)
    load_1m, at = os.getloadavg()[0], datetime.datetime.now(datetime.timezone.utc)
    before = cpu_times()
    workdir = tempfile.mkdtemp(prefix="bench-", dir=options.workdir)
    try:
        if workload == "W5":
            result = crash_and_resume(subject, workdir, options.timeout)
        else:
            result = execute(subject, workload, workdir, "run", options.timeout)
    finally:
        shutil.rmtree(workdir, ignore_errors=True)
    total, stolen = (after - earlier for after, earlier in zip(cpu_times(), before))
    where = {"subject": subject["name"], "workload": workload, "rep": rep, "load_1m": round(load_1m, 2)}
    return where | {"steal": round(stolen / max(total, 1), 3), "at": at.isoformat(timespec="seconds")} | result


def disk(directory, writes=300):
    """How long the disk takes to confirm 4 KiB at the end of a file, in milliseconds: the floor of every durable step."""
    times = []
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        for _ in range(writes):
            begin = time.perf_counter()
            os.write(file.fileno(), b"x" * 4096)
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - begin) * 1000)
    times.sort()
    return {"p50_ms": round(times[writes // 2], 3), "p99_ms": round(times[writes * 99 // 100], 3)}


def machine(options):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = re.findall(r"^model name\s*:\s*(.+)$", file.read(), re.M)
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory = int(re.search(r"MemTotal:\s*(\d+)", file.read())[1])
    return {
        "cores": os.cpu_count(),
        "cpu": models[0] if models else platform.machine(),
        "memory_gb": round(memory / 1024**2, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "fdatasync_before": disk(options.workdir),
    }


def binaries(options):
    """Sizes in MB; the goal is for the release profile."""
    found = {}
    for profile, path in (("release", os.path.join(ROOT, "target", "release", "flowtrace")), ("fast", os.path.join(options.build, "flowtrace"))):
        if os.path.exists(path):
            found[profile] = round(os.path.getsize(path) / 1e6, 1)
    return found


def save(results, path):
    temporary = path + ".new"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
        file.write("\n")
    os.replace(temporary, path)


def cell(values, goal, digits):
    if not values:
        return ""
    middle, low, high = statistics.median(values), min(values), max(values)
    text = f"{middle:,.{digits}f}"
    if f"{low:,.{digits}f}" != f"{high:,.{digits}f}":
        text += f" ({low:,.{digits}f} to {high:,.{digits}f})"
    return text if goal is None else f"{text} {'✓' if goal(middle) else '✗'}"


def print_table(results):
    values = collections.defaultdict(list)
    for run in results["runs"]:
        for metric, value in run.items():
            if isinstance(value, (int, float)) and "error" not in run:
                values[run["subject"], run["workload"], metric].append(value)
    stores = {"inproc": "FlowTrace in process", "http": "FlowTrace over HTTP"}
    names = [*stores.values(), *(peer["name"] for peer in PEERS if any(peer["name"] == run["subject"] for run in results["runs"]))]
    loads, steals = (sorted(run[key] for run in results["runs"]) for key in ("load_1m", "steal"))
    about = results["machine"]
    print(f"{about['cores']} cores ({about['cpu']}), {about['memory_gb']} GB, Linux {about['kernel']}; 1-minute load {loads[0]} to {loads[-1]}")
    print(f"CPU time that the hypervisor took meanwhile: median {statistics.median(steals):.0%}, up to {steals[-1]:.0%}")
    print(f"fdatasync of 4 KiB: p50 {about['fdatasync_before']['p50_ms']} ms before, {about.get('fdatasync_after', {}).get('p50_ms', '?')} ms after")
    print(f"median (lowest to highest) of {max((run['rep'] for run in results['runs']), default=0) + 1} measurements\n")
    print("| | goal | " + " | ".join(names) + " | published for peers |")
    print("|---|---|" + "---|" * (len(names) + 1))
    for row in GOALS:
        sign, better = ("≥", lambda limit: lambda value: value >= limit) if row.get("higher") else ("≤", lambda limit: lambda value: value <= limit)
        goals = {stores[store]: limit for store, limit in row["goal"].items()}
        cells = []
        for name in names:
            test = better(goals[name]) if name in goals else None
            cells.append(cell(values[name, row["workload"], row["metric"]], test, row["digits"]))
        limits = list(dict.fromkeys(f"{sign} {limit:,g}" for limit in row["goal"].values()))
        print(f"| {row['label']} | {', '.join(limits)} | " + " | ".join(cells) + f" | {row['published']} |")
    sizes = results["binary_mb"]
    text = ", ".join(f"{size} ({profile} profile)" for profile, size in sizes.items())
    test = f" {'✓' if sizes['release'] <= 35 else '✗'}" if "release" in sizes else ""
    print(f"| binary, MB | ≤ 35 | | {text}{test} |" + " |" * (len(names) - 1))
    for run in results["runs"]:
        if "error" in run:
            print(f"\n{run['subject']}, {run['workload']}: {run['error']}. {run.get('stderr', '').strip()}")


def main():
    options = arguments()
    if options.table:
        with open(options.out, encoding="utf-8") as file:
            print_table(json.load(file))
        return
    os.makedirs(options.workdir, exist_ok=True)
    chosen = subjects(options)
    results = {"machine": machine(options), "binary_mb": binaries(options), "runs": []}
    # Repetitions are outermost, so that a noisy minute touches every cell once instead of one cell five times.
    for rep in range(options.reps):
        for workload in options.workloads.split(","):
            for subject in chosen:
                run = measure(subject, workload, rep, options)
                results["runs"].append(run)
                save(results, options.out)
                shown = {key: round(value, 4) if isinstance(value, float) else value for key, value in run.items()}
                print(json.dumps(shown), file=sys.stderr, flush=True)
    results["machine"]["fdatasync_after"] = disk(options.workdir)
    save(results, options.out)
    print_table(results)
    if any("error" in run for run in results["runs"]):
        sys.exit(1)


main()
