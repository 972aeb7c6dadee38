"""What every peer program shares: its arguments, the step's payload, and the measuring.

A peer program is started as `program --workload W1 --store NAME --workdir DIR --phase run|crash|resume` and prints one line, `BENCH`
and a JSON object. Sizes come from ../workloads.json.
"""

import argparse
import json
import os
import signal
import time

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
with open(os.path.join(BENCH, "workloads.json"), encoding="utf-8") as file:
    SIZES = json.load(file)

_BARE = len(json.dumps({"i": 100, "ok": True, "text": ""}))
_TEXT = "x" * (SIZES["payload_bytes"] - _BARE)

entries = []
"""When each step was entered."""


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--workload", required=True)
    parser.add_argument("--store", required=True)
    parser.add_argument("--workdir", required=True)
    parser.add_argument("--phase", default="run", choices=["run", "crash", "resume"])
    return parser.parse_args()


def payload(index):
    return {"i": index, "ok": True, "text": _TEXT}


def enter():
    entries.append(time.perf_counter())


class SideLog:
    """W5: every execution of a step is one line; the process dies when the given step begins."""

    def __init__(self, workdir, crash):
        path = os.path.join(workdir, "steps.log")
        self._file = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o644)
        self._crash_at = SIZES["W5"]["crash_at"] if crash else None

    def note(self, index):
        os.write(self._file, f"{index}\n".encode())
        if index == self._crash_at:
            os.kill(os.getpid(), signal.SIGKILL)


def _process(pid, file):
    try:
        with open(f"/proc/{pid}/{file}", encoding="utf-8") as text:
            return text.read()
    except OSError:
        return ""


def _cpu(pid):
    fields = _process(pid, "stat").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def rss_mb(pids):
    lines = [line for pid in pids for line in _process(pid, "status").splitlines() if line.startswith("VmRSS:")]
    return sum(int(line.split()[1]) for line in lines) / 1024


class Meter:
    """Wall clock and CPU time of some processes."""

    def __init__(self, pids=None):
        self.pids = pids or [os.getpid()]

    def __enter__(self):
        entries.clear()
        self._cpu = sum(map(_cpu, self.pids))
        self._begin = time.perf_counter()
        return self

    def __exit__(self, *_):
        self.total_s = time.perf_counter() - self._begin
        self.cpu_s = sum(map(_cpu, self.pids)) - self._cpu


def percentile(values, share):
    values = sorted(values)
    return values[min(int(len(values) * share), len(values) - 1)]


def chain_result(meter, steps, times=None):
    times = times or entries
    gaps = [(after - before) * 1000 for before, after in zip(times, times[1:])]
    return {
        "total_s": meter.total_s,
        "step_ms_p50": percentile(gaps, 0.5),
        "step_ms_p99": percentile(gaps, 0.99),
        "cpu_ms_per_step": meter.cpu_s * 1000 / steps,
    }


def throughput_result(meter, run_seconds):
    steps = len(run_seconds) * SIZES["W3"]["steps"]
    return {
        "total_s": meter.total_s,
        "runs": len(run_seconds),
        "steps_per_s": steps / meter.total_s,
        "run_ms_p50": percentile(run_seconds, 0.5) * 1000,
        "run_ms_p99": percentile(run_seconds, 0.99) * 1000,
        "cpu_ms_per_step": meter.cpu_s * 1000 / steps,
        "rss_mb": rss_mb(meter.pids),
    }


def report(result):
    print("BENCH " + json.dumps(result), flush=True)
