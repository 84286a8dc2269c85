"""How long the pages take that look at all devices, in a small and in a large district.

    DATABASE_URL=postgresql://… .venv/bin/python benchmarks/district/pages.py --homes 100 10000

Builds the homes (two devices each) in a database of its own, asks each page ten times without a cache and throws the database away.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anju.config.settings")
os.environ.setdefault("ANJU_MODE", "test")
PAGES = {
    "street": ["/district/", "/district/devices/", "/district/devices/?trouble=silent&page=3"],
    "agent": ["/desk/idle"],
}
PLACES = ["330199001001", "330199001002"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Pages of a large district")
    parser.add_argument("--homes", type=int, nargs="+", default=[100, 10_000])
    options = parser.parse_args()
    import django

    django.setup()
    from django.core.cache import cache
    from django.db import connection
    from django.test import Client
    from django.test.utils import setup_test_environment

    from anju.accounts.roles import Role
    from anju.accounts.tests.factories import make_user
    from anju.devices import actions
    from anju.devices.tests.factories import build
    from anju.kernel.scope import EVERYWHERE, seen_by
    from anju.places.tests.factories import make_district
    from anju.portals.desk.tests.conftest import session_of

    setup_test_environment()
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        with seen_by(EVERYWHERE):
            make_district()
            actions.load_products()
            users = {"street": make_user(Role.STREET), "agent": make_user(Role.AGENT)}
        built = 0
        for homes in options.homes:
            with seen_by(EVERYWHERE):
                build(homes - built, Random(homes), places=PLACES)
            built = homes
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
            for name, paths in PAGES.items():
                client = Client(headers={"HX-Request": "true"} if name == "agent" else {})
                client.cookies["sessionid"] = session_of(users[name])
                for path in paths:
                    took = []
                    for _ in range(11):
                        cache.clear()
                        start = time.perf_counter()
                        answer = client.get(path)
                        took.append(time.perf_counter() - start)
                        assert answer.status_code == 200, (path, answer.status_code)
                    took = took[1:]  # the first compiles templates
                    print(
                        f"{2 * homes:6} devices  {path:42} median {statistics.median(took) * 1e3:6.1f} ms, worst {max(took) * 1e3:6.1f} ms"
                    )
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


if __name__ == "__main__":
    main()
