"""`python -m anju.ops run|command|check …`: called by the scripts `run` and `anju` of the checkout."""

from __future__ import annotations

import sys

from anju.ops import check, command, run

_WAYS = {"run": run.main, "command": command.main, "check": check.main}


def main() -> int:
    """Choose by the first word."""
    way = _WAYS.get(sys.argv[1] if len(sys.argv) > 1 else "")
    if way is None:
        sys.stderr.write("python -m anju.ops run|command|check …\n")
        return 2
    return way(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
