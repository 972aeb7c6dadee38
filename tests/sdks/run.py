#!/usr/bin/env python3
"""Runs real SDKs against the real binary, each pointed to it by the one line of README.md, and compares what the API then shows."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

import install
import models
import view

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
README_ADDRESS = "localhost:7878"
TIMEOUT = 120
# SDKs ask for keys and report on their users unless they are told not to.
ENV = {
    "OPENAI_API_KEY": "sk-test",
    "ANTHROPIC_API_KEY": "sk-ant-test",
    "RESPAN_API_KEY": "test",
    "TRACELOOP_API_KEY": "test",
    "LANGFUSE_PUBLIC_KEY": "pk-lf-test",
    "LANGFUSE_SECRET_KEY": "sk-lf-test",
    "OTEL_SERVICE_NAME": "support",
    "DO_NOT_TRACK": "1",
    "TRACELOOP_TELEMETRY": "FALSE",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "NO_PROXY": "127.0.0.1,localhost",
}


class Failed(Exception):
    """What is wrong, in words."""


class Case:
    """A folder with a program and what has to come of it."""

    def __init__(self, folder):
        self.folder = folder
        self.name = folder.name
        self.program = next(folder.glob("program.*"))
        self.expected_file = folder / "expected.json"
        self.expected = json.loads(self.expected_file.read_text(encoding="utf-8"))
        self.environment = self.expected["environment"]
        self.line = self.expected["line"]
        # Variables of the environment; or nothing, when the line is code.
        self.variables = re.findall(r"\b[A-Z_]+=\S+", self.line)
        self.optional = self.expected.get("optional", False)

    def check_line(self):
        """The line that points the SDK here has to be the one that the docs promise."""
        docs = (ROOT / "docs" / "ingest.md").read_text(encoding="utf-8")
        for part in self.variables or [self.line]:
            if part not in docs:
                raise Failed(f"docs/ingest.md does not say `{part}`")
        first = (self.variables or [self.line])[0]
        if not self.optional and first not in (ROOT / "README.md").read_text(encoding="utf-8"):
            raise Failed(f"README.md does not say `{first}`")
        for version in install.versions(self):
            if not re.search(rf"(?<![\w/-]){re.escape(version)}(?![.\w])", docs):
                raise Failed(f"docs/ingest.md does not say {version}")
        if not self.variables and self.line not in self.program.read_text(encoding="utf-8"):
            raise Failed(f"{self.program.name} does not use `{self.line}`")


def cases(names):
    found = {path.parent.name: Case(path.parent) for path in sorted(HERE.glob("*/expected.json"))}
    unknown = set(names) - set(found)
    if unknown:
        sys.exit(f"There is no {', '.join(sorted(unknown))} under {HERE.relative_to(ROOT)}: choose from {', '.join(found)}.")
    return [case for case in found.values() if not names or case.name in names]


class Server:
    """`flowtrace serve` on a free port, with a directory of its own."""

    def __init__(self, binary, folder):
        self.log = open(folder / "server.log", "wb")
        self.process = subprocess.Popen(
            [binary, "serve", "--no-demo", "--listen", "127.0.0.1:0", "--data", str(folder / "data")],
            cwd=folder,
            env={"PATH": os.environ["PATH"]},
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self.port = self.wait_for_port(folder / "server.log")

    def wait_for_port(self, log):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            text = log.read_text(encoding="utf-8", errors="replace")
            if "http://127.0.0.1:" in text:
                return int("".join(c for c in text.split("http://127.0.0.1:", 1)[1].split()[0].split("/")[0] if c.isdigit()))
            time.sleep(0.05)
        raise Failed(f"the server did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return json.load(answer)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()


def run_program(case, server, model_url, folder):
    """Runs a copy of the program in which the address of the docs is the server's."""
    home = install.home(case.environment) if case.program.suffix == ".mjs" else folder
    here = lambda text: text.replace(README_ADDRESS, f"localhost:{server.port}")  # noqa: E731
    program = home / f"{case.name}{case.program.suffix}" if case.program.suffix == ".mjs" else folder / "program.py"
    program.write_text(here(case.program.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.copy(HERE / "story.py", folder)
    env = {**ENV, "PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
    # Whatever an SDK sends past its loopback addresses goes to the model server, which takes notes and refuses.
    env |= {"HTTPS_PROXY": model_url, "HTTP_PROXY": model_url}
    env |= {"OPENAI_BASE_URL": f"{model_url}/v1", "ANTHROPIC_BASE_URL": model_url}
    env |= case.expected.get("env", {})
    env |= dict(here(variable).split("=", 1) for variable in case.variables)
    command = install.command(case.environment, case.expected.get("run_by")) + [str(program)]
    try:
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"the program did not end within {TIMEOUT} s:\n{tail(error.stdout)}{tail(error.stderr)}") from None
    finally:
        if home != folder:
            program.unlink()
    if done.returncode != 0:
        raise Failed(f"the program ended with {done.returncode}:\n{tail(done.stdout)}{tail(done.stderr)}")
    return tail(done.stdout) + tail(done.stderr)


def tail(output):
    return (output or b"").decode(errors="replace")[-6000:]


def settled(server):
    """The counters once nothing is on its way any more."""
    deadline = time.monotonic() + 20
    while True:
        counters = server.get("/api/ingest")
        calm = counters["accepted"] == counters["stored"] == counters["queryable"] and counters["waiting_requests"] == 0
        if calm or time.monotonic() > deadline:
            return counters
        time.sleep(0.1)


def check(case, binary, bless):
    """Runs one case from beginning to end; returns what is wrong with it."""
    case.check_line()
    with tempfile.TemporaryDirectory(prefix=f"flowtrace-sdk-{case.name}-") as folder:
        folder = pathlib.Path(folder)
        model_url, served, stop_models = models.start()
        server = Server(binary, folder)
        try:
            said = run_program(case, server, model_url, folder)
            counters = settled(server)
            shown = view.everything(server.get)
        finally:
            server.stop()
            stop_models()
    wrong = view.invariants(case.expected, counters, served, shown["traces"])
    if bless:
        case.expected["shows"] = view.stable(shown)
        case.expected_file.write_text(json.dumps(case.expected, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    else:
        wrong += view.differences(case.expected.get("shows", {}), view.stable(shown))
    if wrong and said:
        wrong.append(f"the program said:\n{said}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", help="folders beside this file [all]")
    parser.add_argument("--binary", default=str(ROOT / "target" / "debug" / "flowtrace"), help="[target/debug/flowtrace]")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="programs at once [one per processor]")
    parser.add_argument("--bless", action="store_true", help="write down what is shown as what is expected: read the difference!")
    options = parser.parse_args()
    chosen = cases(options.cases)
    begin = time.monotonic()

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as threads:
        environments = sorted({case.environment for case in chosen})
        missing = dict(zip(environments, threads.map(install.install, environments)))
        missing = {name: why for name, why in missing.items() if why}
        installed = time.monotonic()

        def one(case):
            if case.environment in missing:
                return ["skipped" if case.optional else "its packages could not be installed", missing[case.environment]]
            try:
                return check(case, options.binary, options.bless)
            except Failed as error:
                return [str(error)]

        failed, skipped_cases = [], 0
        for case, wrong in zip(chosen, threads.map(one, chosen)):
            skipped = wrong[:1] == ["skipped"]
            print(f"{'ok' if not wrong else 'SKIPPED' if skipped else 'FAILED':8}{case.name:24}{', '.join(install.versions(case))}", flush=True)
            for line in wrong:
                print("    " + line.replace("\n", "\n    "))
            skipped_cases += skipped
            if wrong and not skipped:
                failed.append(case.name)
    took = time.monotonic() - begin
    good = len(chosen) - len(failed) - skipped_cases
    print(f"{good} of {len(chosen)} good, {skipped_cases} skipped, in {took:.0f} s, {installed - begin:.0f} s of it for installing")
    if failed:
        print(f"Repeat with: {HERE.relative_to(ROOT)}/run.py {' '.join(failed)}")
        sys.exit(1)


if __name__ == "__main__":
    main()
