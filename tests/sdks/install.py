"""Puts the packages of SDKs under target/sdks, once for each list of versions, by the ordinary pip and npm."""

import hashlib
import json
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TARGET = HERE.parent.parent / "target" / "sdks"
TIMEOUT = 600


def home(environment):
    """Where the packages of an environment are. Other versions, another place."""
    wanted = f"{sys.version_info[:2]}".encode()
    for file in sources(environment):
        wanted += file.read_bytes()
    return TARGET / f"{environment}-{hashlib.sha256(wanted).hexdigest()[:12]}"


def sources(environment):
    if environment == "node":
        return [HERE / "package.json", HERE / "package-lock.json"]
    return [HERE / "requirements" / f"{environment}.txt"]


def command(environment, run_by=None):
    """What runs a program there."""
    if environment == "node":
        return ["node"]
    bin_ = home(environment) / "bin"
    # By module: the script that pip writes has the path of the interpreter in it, which may be too long for the system.
    return [str(bin_ / "python")] + ([str(bin_ / run_by), str(bin_ / "python")] if run_by else [])


def install(environment):
    """Installs what is missing; returns why it could not."""
    place = home(environment)
    if (place / "complete").exists():
        return None
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    if environment == "node":
        for file in sources(environment):
            shutil.copy(file, place)
        # Not `npm ci`: it minds when a registry lacks an optional package of some other platform.
        steps = [["npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]]
    else:
        # The lists are complete, so nothing has to be resolved.
        pip = [sys.executable, "-m", "pip", "--python", str(place / "bin" / "python"), "--disable-pip-version-check", "install"]
        steps = [
            [sys.executable, "-m", "venv", "--without-pip", str(place)],
            [*pip, "--quiet", "--no-deps", "-r", str(sources(environment)[0])],
        ]
    for step in steps:
        try:
            done = subprocess.run(step, cwd=place, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        if done.returncode != 0:
            return f"{' '.join(step[:4])} … ended with {done.returncode}: {done.stderr.strip()[-1500:]}"
    (place / "complete").touch()
    return None


def versions(case):
    """The packages that a case is about, with their versions."""
    if case.environment == "node":
        pinned = json.loads(sources("node")[0].read_text(encoding="utf-8"))["dependencies"]
    else:
        lines = sources(case.environment)[0].read_text(encoding="utf-8").splitlines()
        pinned = dict(line.split("==") for line in lines if "==" in line)
    return [f"{name} {pinned[name]}" for name in case.expected["packages"]]
