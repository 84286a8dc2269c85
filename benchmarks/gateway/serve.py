"""Start one process of the real gateway for a measurement: `serve.py PORT [--number N] [--undurable] [--profile FILE]`.
Uses DATABASE_URL, ANJU_HOME and ANJU_GATEWAY_PROCESSES.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "src"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anju.config.settings")


def main() -> None:
    """Serve until SIGTERM."""
    import django

    django.setup()
    from anju.portals.device_gateway.server import run
    from anju.portals.device_gateway.settings import GatewaySettings

    number = int(sys.argv[sys.argv.index("--number") + 1]) if "--number" in sys.argv else 1
    settings = replace(GatewaySettings.load(number), port=int(sys.argv[1]), durable="--undurable" not in sys.argv)
    if "--profile" in sys.argv:
        import cProfile

        profile = cProfile.Profile()
        profile.runcall(run, settings)
        profile.dump_stats(sys.argv[sys.argv.index("--profile") + 1])
    else:
        run(settings)


if __name__ == "__main__":
    main()
