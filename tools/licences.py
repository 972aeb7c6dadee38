#!/usr/bin/env python3
"""Fails when a dependency of the binary has a licence that is not on the list below, or none at all."""

import json
import pathlib
import re
import subprocess
import sys

ALLOWED = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0",
    "CDLA-Permissive-2.0", "ISC", "MIT", "MIT-0", "MPL-2.0", "Unicode-3.0", "Unlicense", "Zlib", "bzip2-1.0.6",
}


def acceptable(expression: str) -> bool:
    """A choice (OR, or the old slash) needs one allowed side, a sum (AND) needs every side."""
    expression = expression.replace("/", " OR ").strip()
    while re.search(r"\([^()]*\)", expression):
        expression = re.sub(r"\(([^()]*)\)", lambda m: "MIT" if acceptable(m.group(1)) else "refused", expression)
    return any(
        all(part.strip() in ALLOWED for part in side.split(" AND ")) for side in expression.split(" OR ")
    )


def main() -> int:
    root = pathlib.Path(__file__).resolve().parent.parent
    text = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--locked"], cwd=root, check=True, capture_output=True, text=True
    ).stdout
    refused = [
        f"{package['name']} {package['version']}: {package['license'] or 'no licence'}"
        for package in json.loads(text)["packages"]
        if package["source"] and not acceptable(package["license"] or "")
    ]
    if refused:
        print("These dependencies have licences that are not allowed (tools/licences.py has the list):", file=sys.stderr)
        print("\n".join(refused), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
