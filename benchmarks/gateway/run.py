"""How fast the gateway is: durable against itself without durability, and against Node-RED, in interleaved rounds.

    .venv/bin/python benchmarks/gateway/run.py [--rounds 3] [--seconds 3] [--processes N] [--node-red FOLDER]

Starts its own PostgreSQL (fsync on) in a temporary folder, the gateway twice (durable; `durable=False`: everything but the
commit), each with as many processes as `./run` starts on this machine, and Node-RED if a folder with
`npm install node-red@4.1` is named. Load: wrk, 428-byte bodies, 128 in flight.
Every answer other than 200 fails the run; the rows in the database are counted against the answers.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import psutil

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "src"))
SECRET = "ctwing-of-the-tests-0123456789abcdef"  # noqa: S105 - the worthless one of the test mode
IN_FLIGHT = 128


@dataclass(frozen=True)
class Result:
    """One run of wrk: requests/s, milliseconds; microseconds of processor that the server (and its database) used for each."""

    rate: float
    p50: float
    p99: float
    mean: float
    bad: int
    cpu: float = 0.0
    total: float = 0.0  # the same with wrk


def used(pids: list[int]) -> float:
    """Seconds of processor of these processes and their children so far."""
    processes = [p for pid in pids for p in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))]
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def wrk(port: int, seconds: float, delay_ms: float = 0, pids: list[int] | None = None) -> Result:
    """Load one server. `pids`: the processes whose use of the processor is counted."""
    env = os.environ | {"BENCH_SECRET": SECRET, "BENCH_DELAY": f"{delay_ms:.0f}"}
    command = [
        "wrk",
        "-t1",
        f"-c{IN_FLIGHT}",
        f"-d{seconds:.0f}s",
        "--timeout",
        "10s",
        "-s",
        str(HERE / "load.lua"),
        f"http://127.0.0.1:{port}",
    ]
    before, own = used(pids or []), resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    served, after = used(pids or []) - before, resource.getrusage(resource.RUSAGE_CHILDREN)
    line = next(x for x in out.splitlines() if x.startswith("RESULT")).split()[1:]
    rate, p50, p99, mean = map(float, line[:4])
    load = after.ru_utime + after.ru_stime - own.ru_utime - own.ru_stime
    count = rate * seconds / 1e6
    return Result(rate, p50, p99, mean, int(line[4]), served / count, (served + load) / count)


def wait_for(port: int, path: str = "/healthz") -> None:
    """Until a server answers anything."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=1)
        except urllib.error.HTTPError:
            return
        except OSError:
            subprocess.run(["sleep", "0.1"], check=True)
        else:
            return
    raise SystemExit(f"nothing answers at port {port}")


def metrics(port: int) -> dict[str, float]:
    """What a gateway counts, all its processes added up."""
    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
    return {x.split()[0]: float(x.split()[1]) for x in text.splitlines() if not x.startswith("#")}


def wait_for_all(port: int, processes: int) -> None:
    """Until every process of a gateway answers."""
    while metrics(port)["anju_gateway_processes_up"] < processes:
        subprocess.run(["sleep", "0.1"], check=True)


def main() -> None:
    """Measure and print."""
    from anju.ops.options import read_options
    from anju.ops.postgres import Server, free_port, server_user

    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--node-red", type=Path, help="a folder in which `npm install node-red@4.1` was run")
    parser.add_argument("--processes", type=int, default=read_options([], {}).gateway_processes)
    told = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="anju-bench-"))
    if user := server_user():
        os.chown(folder, user.uid, user.gid)
    server = Server(folder / "pg", "bench", "bench", durable=True)
    started: list[subprocess.Popen[bytes]] = [server.start()]
    base = os.environ | {"DATABASE_URL": server.url, "ANJU_MODE": "test", "ANJU_HOME": str(folder / "home")}
    try:
        subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "migrate", "--skip-checks", "-v0"], env=base, check=True
        )
        ports: dict[str, int] = {}
        pids: dict[str, list[int]] = {}
        for name, more in (("durable", []), ("undurable", ["--undurable"])):
            ports[name] = free_port()
            env = base | {"ANJU_HOME": str(folder / name), "ANJU_GATEWAY_PROCESSES": str(told.processes)}
            for number in range(1, told.processes + 1):
                command = [sys.executable, str(HERE / "serve.py"), str(ports[name]), "--number", str(number), *more]
                started.append(subprocess.Popen(command, env=env))
            pids[name] = [p.pid for p in started[-told.processes :]] + ([started[0].pid] if name == "durable" else [])
        if told.node_red:
            ports["node-red"] = free_port()
            home = folder / "node-red"
            home.mkdir()
            started.append(
                subprocess.Popen(
                    ["node", str(told.node_red / "node_modules/node-red/red.js"), "-s", str(HERE / "node_red_settings.cjs")],
                    env=base | {
                        "BENCH_FLOW": str(HERE / "node_red_flow.json"), "BENCH_NODE_RED_HOME": str(home),
                        "BENCH_NODE_RED_PORT": str(ports["node-red"]),
                    },
                )
            )  # fmt: skip
            pids["node-red"] = [started[-1].pid]
        for name, port in ports.items():
            wait_for(port, "/" if name == "node-red" else "/healthz")
            if name != "node-red":
                wait_for_all(port, told.processes)
            wrk(port, 1)  # warm
        report(ports, pids, told.rounds, told.seconds)
        check_rows(server.url, ports["durable"])
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGINT if process is started[0] else signal.SIGTERM)
            process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def report(ports: dict[str, int], pids: dict[str, list[int]], rounds: int, seconds: int) -> None:
    """Interleaved rounds, then the paced one."""
    rates: dict[str, list[Result]] = {name: [] for name in ports}
    for n in range(rounds):
        for name, port in ports.items():
            result = wrk(port, seconds, pids=pids[name])
            if result.bad and name != "node-red":
                raise SystemExit(f"{name}: {result.bad} answers were not 200")
            rates[name].append(result)
            print(
                f"round {n + 1} {name:10} {result.rate:9.0f} /s   p50 {result.p50:6.1f} ms   p99 {result.p99:6.1f} ms   "
                f"cpu {result.cpu:5.0f} us each, with wrk {result.total:5.0f}",
                flush=True,
            )
    median = {name: statistics.median(r.rate for r in results) for name, results in rates.items()}
    ratios = [d.rate / u.rate for d, u in zip(rates["durable"], rates["undurable"], strict=True)]
    print(
        f"durable / own limit without durability: {statistics.median(ratios):.2f}   (rounds {', '.join(f'{r:.2f}' for r in ratios)}; wanted ≥ 0.45)"
    )
    if "node-red" in rates:
        ratios = [d.rate / u.rate for d, u in zip(rates["durable"], rates["node-red"], strict=True)]
        print(
            f"durable / Node-RED not durable: {statistics.median(ratios):.1f}   (rounds {', '.join(f'{r:.1f}' for r in ratios)}; wanted ≥ 10)"
        )
    cpu = {name: statistics.median(r.cpu for r in results) for name, results in rates.items()}
    print("processor for one request: " + ", ".join(f"{name} {value:.0f} us" for name, value in cpu.items()))
    wanted = 0.8 * median["durable"]
    mean = 5.0
    paced = None
    for _ in range(2):  # the pause between two requests of a connection follows from the answer's own time
        paced = wrk(ports["durable"], seconds, max(1.0, IN_FLIGHT / wanted * 1000 - mean))
        mean = paced.mean
    assert paced is not None
    share = f"{paced.rate:.0f} /s = {paced.rate / median['durable']:.0%} of the maximum"
    print(f"paced: {share}   p50 {paced.p50:.1f} ms   p99 {paced.p99:.1f} ms   (wanted < 100 ms)")


def check_rows(url: str, port: int) -> None:
    """Every acknowledged message is a row."""
    import psycopg

    subprocess.run(["sleep", "2"], check=True)  # a process says once a second what it has counted
    acked = metrics(port)["anju_gateway_acked_total"]
    with psycopg.connect(url) as conn:
        row = conn.execute("SELECT count(*), count(DISTINCT uid) FROM signals_message").fetchone()
    assert row is not None
    print(f"acknowledged {acked:.0f}, rows {row[0]}, different {row[1]}")
    if row[0] < acked or row[0] != row[1]:
        raise SystemExit("the log does not hold what was acknowledged")


if __name__ == "__main__":
    main()
