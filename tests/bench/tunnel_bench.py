"""The sealed tunnel beside wireguard-go and OpenVPN of Debian, in turn in one run: processor time for each gigabyte that
arrives (home's and away's program together), what is lost, the highest rate without loss, and the delay.

One stream of 1316-octet datagrams into an interface away, where hearthcast-mcast counts it. Usage:
tunnel_bench.py FOLDER [--rounds N] [--seconds S] [--only NAME,...]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("bench", "lab", "lab/multicast")]

from mcbench import vpns  # noqa: E402
from mcbench.figures import Figures  # noqa: E402
from mcbench.http_relay import cpu_seconds  # noqa: E402
from mcbench.link import Line  # noqa: E402
from mcbench.peers import GROUP4, version  # noqa: E402
from mcbench.tool import Sender, receive  # noqa: E402

SIZE = 1316
RATES = (1_000, 10_000, 30_000, 60_000)  # packets a second: 10, 105, 316 and 632 Mbit/s
LADDER = (10_000, 20_000, 30_000, 45_000, 60_000, 75_000, 90_000, 105_000, 120_000, 150_000, 180_000)
COMPARED = 60_000
GOALS = {"wireguard-go": 1 / 3, "openvpn": 1 / 2}  # of their processor time
CEILING = 3  # times the better of the two


class Run:
    def __init__(self, seconds: float) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hearthcast-bench-"))
        self.folder.chmod(0o755)
        self.line = Line(f"hc-tb{os.getpid()}-")
        self.seconds = seconds
        self.samples: dict[tuple[str, str], list[float]] = defaultdict(list)

    def round(self, number: int, name: str) -> None:
        add = lambda what, value: self.samples[name, what].append(value)  # noqa: E731
        self.line.up()
        try:
            with vpns.ALL[name](self.line, self.folder / f"{name}-{number}") as tunnel:
                self._pass(tunnel, 1_000, 1)  # keys, paths and neighbours are found
                for rate in RATES:
                    used, report = self._pass(tunnel, rate, self.seconds)
                    stream = report["streams"][0]
                    add(f"cpu_s_per_gb_{rate}", used / (report["packets"] * SIZE / 1e9))
                    add(f"lost_percent_{rate}", 100 * lost(report) / (report["packets"] + report["lost"]))
                    if rate == RATES[0]:
                        add("delay_p50_us", stream["latency_us"]["p50"])
                        add("delay_p99_us", stream["latency_us"]["p99"])
                add("ceiling_kpps", self._ceiling(tunnel) / 1000)
        finally:
            self.line.down()

    def _pass(self, tunnel: vpns.Tunnel, rate: int, seconds: float) -> tuple[float, dict]:
        """Processor seconds of the tunnel's programs, and the receiver's report."""
        space, port = tunnel.sender
        target, flow = f"{GROUP4}:{vpns.PORT}", f"{tunnel.source}@{GROUP4}:{vpns.PORT}"
        sender = Sender(space, target, tunnel.source, "--rate", str(rate), "--size", str(SIZE), port=port)
        try:
            before = cpu_seconds(tunnel.pids)
            report = receive(tunnel.receiver[0], flow, "--seconds", str(seconds), port=tunnel.receiver[1])
            used = cpu_seconds(tunnel.pids) - before
        finally:
            sender.stop()
        time.sleep(0.3)
        if not report["packets"]:
            raise RuntimeError(f"nothing came at {rate} packets a second")
        return used, report

    def _ceiling(self, tunnel: vpns.Tunnel) -> int:
        """The highest rung without loss. A rung may be tried twice: a program beside may have had the processor."""
        best = 0
        for rate in LADDER:
            if not any(clean(self._pass(tunnel, rate, self.seconds / 2)[1], rate, self.seconds / 2) for _ in range(2)):
                break
            best = rate
        return best

    def close(self) -> None:
        self.line.down()
        shutil.rmtree(self.folder, ignore_errors=True)


def lost(report: dict) -> int:
    """By the tunnel: what the receiver's own socket had no room for is not its fault."""
    return max(0, report["lost"] - report["dropped_here"])


def clean(report: dict, rate: int, seconds: float) -> bool:
    """Nothing lost, and about as much sent as was asked for."""
    return lost(report) == 0 and report["packets"] + report["dropped_here"] > 0.7 * rate * seconds


def ratios(run: Run, of: str, to: str, what: str) -> list[float]:
    return [own / other for own, other in zip(run.samples[of, what], run.samples[to, what]) if other]


def report(run: Run, names: list[str]) -> Figures:
    figures = Figures("tunnel")
    figures.notes["peers"] = ", ".join(version(name) for name in names if name != "hearthcast")
    figures.notes["network"] = "veth, segmentation in software; source, home, away and receiver on the same cores"
    figures.notes["load"] = " ".join(f"{value:.1f}" for value in os.getloadavg())
    for rate in RATES:
        for name in names:
            figures.row(f"{name}_cpu_s_per_gb_{rate}", run.samples[name, f"cpu_s_per_gb_{rate}"], "s/GB")
            goal = {"goal": 0.0} if name == "hearthcast" else {}
            figures.row(f"{name}_lost_percent_{rate}", run.samples[name, f"lost_percent_{rate}"], "%", **goal)
    for what, unit in (("delay_p50_us", "us"), ("delay_p99_us", "us"), ("ceiling_kpps", "kpps")):
        for name in names:
            figures.row(f"{name}_{what}", run.samples[name, what], unit)
    others = [name for name in names if name in GOALS]
    if "hearthcast" in names and others:
        for name in others:
            values = ratios(run, "hearthcast", name, f"cpu_s_per_gb_{COMPARED}")
            figures.row(f"cpu_of_{name}_at_{COMPARED}", values, "ratio", goal=GOALS[name])
        best = max(others, key=lambda name: statistics.median(run.samples[name, "ceiling_kpps"]))
        values = ratios(run, "hearthcast", best, "ceiling_kpps")
        if values:
            figures.row(f"ceiling_of_{best}", values, "ratio", goal=CEILING, floor=True)
        else:
            figures.never("ceiling_ratio", "ratio", f"{best} lost some even at {LADDER[0]} packets a second")
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--only", default="", help="some of: " + ",".join(vpns.ALL))
    options = parser.parse_args()
    names = options.only.split(",") if options.only else list(vpns.ALL)
    run = Run(options.seconds)
    try:
        for number in range(options.rounds):
            for name in names:
                print(f"round {number + 1} of {options.rounds}: {name}", flush=True)
                run.round(number, name)
    finally:
        run.close()
    figures = report(run, names)
    print(figures.text())
    figures.write(options.folder)
    return 0 if figures.all_met() else 1


if __name__ == "__main__":
    sys.exit(main())
