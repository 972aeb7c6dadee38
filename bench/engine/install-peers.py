#!/usr/bin/env python3
"""Installs the peers of peers.json under a directory of their own: `install-peers.py DIR`, then `run.py --peers DIR`."""

import json
import os
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    target = os.path.abspath(sys.argv[1])
    with open(os.path.join(here, "peers.json"), encoding="utf-8") as file:
        peers = json.load(file)
    for peer in peers:
        home = os.path.join(target, peer["venv"])
        print(peer["name"], flush=True)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([os.path.join(home, "bin", "pip"), "install", "--quiet", *peer["packages"]], check=True)
        if "npm" in peer:
            subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", home, peer["npm"]], check=True)


main()
