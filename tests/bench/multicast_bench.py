"""hearthcast-box as a multicast proxy beside smcroute, igmpproxy and FRR's pimd, in turn in one run; then its tunnels
beside a bare host, and a large house.

For each program and family: from join to first packet, from leave to the last packet on the link, delay at 1,000 and
10,000 packets a second, and how many packets a second pass when as many come as the source can send. For a device away:
from a player's request to its first octet, cold and with the channel at the box already, and from its end to the last
packet. For 50 devices that want 1,000 groups from 10 sources each: memory, steady state, storms of reports. Usage:
multicast_bench.py FOLDER [--rounds N] [--only NAME,...] [--parts lan,tunnel,house]
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

from mcbench import house, peers, tunnel  # noqa: E402
from mcbench.figures import Figures  # noqa: E402
from mcbench.link import SOURCE4, SOURCE6, Line, received_packets  # noqa: E402
from mcbench.tool import Sender, receive  # noqa: E402

SIZE = "1316"
CYCLES = 2  # joins and leaves in each round


class Run:
    """All samples of one run, by peer, family and what was measured."""

    def __init__(self, prefix: str) -> None:
        self.line = Line(prefix)
        self.folder = Path(tempfile.mkdtemp(prefix="hearthcast-bench-"))
        self.folder.chmod(0o755)
        self.samples: dict[tuple[str, int, str], list[float]] = defaultdict(list)
        self.still_flowing: set[tuple[str, int]] = set()

    def round(self, number: int, peer: str, family: int) -> None:
        self.line.up()
        try:
            with peers.ALL[peer](self.line["proxy"], self.folder / f"{peer}-{family}-{number}"):
                self._measure(peer, family)
        finally:
            self.line.down()

    def _measure(self, peer: str, family: int) -> None:
        group, source = (peers.GROUP4, SOURCE4) if family == 4 else (peers.GROUP6, SOURCE6)
        target = f"{group}:5000" if family == 4 else f"[{group}]:5000"
        # igmpproxy speaks IGMPv2 only, where nobody can name a source.
        flow = target if peer == "igmpproxy" else f"{source}@{target}"
        add = lambda what, value: self.samples[peer, family, what].append(value)  # noqa: E731

        sender = Sender(self.line["source"], target, source, "--rate", "1000", "--size", SIZE)
        for _ in range(CYCLES):
            flows_already = (peer, family) in self.still_flowing
            watch = [] if flows_already else "--leave --quiet 3 --watch 12".split()
            report = receive(self.line["receiver"], flow, "--seconds", "5", "--count", "500", *watch)
            if report["join_to_first_ms"] is None:
                raise RuntimeError(f"{peer}: nothing came")
            if not flows_already:  # nothing would be joined
                add("join_ms", report["join_to_first_ms"])
            if watch and report["leave_to_stop_ms"] is None:
                self.still_flowing.add((peer, family))
            elif watch:
                add("leave_ms", report["leave_to_stop_ms"])
        sender.stop()

        for rate, seconds in ((1000, 3), (10_000, 2)):
            sender = Sender(self.line["source"], target, source, "--rate", str(rate), "--size", SIZE)
            report = receive(self.line["receiver"], flow, "--seconds", str(seconds))
            sender.stop()
            stream = report["streams"][0]
            add(f"p50_us_at_{rate}", stream["latency_us"]["p50"])
            add(f"p99_us_at_{rate}", stream["latency_us"]["p99"])
            add(f"lost_at_{rate}", stream["lost"])
        self._saturate(add, target, source, flow)

    def _saturate(self, add: object, target: str, source: str, flow: str) -> None:
        """Counts what arrives at the receiver's interface, so that the receiver's own speed does not matter."""
        sender = Sender(self.line["source"], target, source, "--rate", "0", "--size", SIZE, "--seconds", "3")
        counts: list[tuple[float, int]] = []

        def count() -> None:
            counts.append((time.monotonic(), received_packets(self.line["receiver"], "eth0")))

        import threading  # noqa: PLC0415

        timers = [threading.Timer(after, count) for after in (1.0, 2.5)]
        for timer in timers:
            timer.start()
        receive(self.line["receiver"], flow, "--seconds", "3")
        for timer in timers:
            timer.join()
        sender.wait()
        (t0, n0), (t1, n1) = counts
        add("kpps", (n1 - n0) / (t1 - t0) / 1000)  # type: ignore[operator]

    def close(self) -> None:
        self.line.down()
        shutil.rmtree(self.folder, ignore_errors=True)


UNITS = {"join_ms": "ms", "leave_ms": "ms", "kpps": "kpps"}


def report(run: Run, names: list[str]) -> Figures:
    figures = Figures("multicast")
    figures.notes["peers"] = ", ".join(peers.version(name) for name in names if name != "hearthcast")
    figures.notes["network"] = "veth, 1316 octets, segmentation in software, source and receiver on the same two cores"
    figures.notes["load"] = " ".join(f"{value:.1f}" for value in os.getloadavg())
    whats = ["join_ms", "leave_ms", "p50_us_at_1000", "p99_us_at_1000", "lost_at_1000", "p50_us_at_10000",
             "p99_us_at_10000", "lost_at_10000", "kpps"]
    for what in whats:
        for family in (4, 6):
            for name in names:
                samples = run.samples.get((name, family, what))
                unit = UNITS.get(what, "us" if "_us_" in what else "packets")
                row = f"{name}_ipv{family}_{what}"
                if samples:
                    figures.row(row, samples, unit, **_goal(run, names, name, family, what))
                elif what == "leave_ms" and (name, family) in run.still_flowing:
                    figures.never(row, unit, "it still flowed 12 s after the leave")
    return figures


def _goal(run: Run, names: list[str], name: str, family: int, what: str) -> dict[str, object]:
    """The box against the peers of the same run: on a LAN no worse than the best that follows joins, and forwarding as
    fast as a static route, within noise."""
    if name != "hearthcast":
        return {}
    median = lambda peer: statistics.median(run.samples[peer, family, what])  # noqa: E731
    followers = [p for p in names if p in ("igmpproxy", "pimd") and run.samples.get((p, family, what))]
    static = bool(run.samples.get(("smcroute", family, what)))
    if what == "join_ms" and followers:
        return {"goal": min(median(p) for p in followers), "noise": 1.3}
    if what == "leave_ms" and followers:
        return {"goal": min(median(p) for p in followers)}
    if what.startswith("p50") and static:
        return {"goal": median("smcroute"), "noise": 1.3}
    if what == "kpps" and static:
        return {"goal": median("smcroute"), "floor": True, "noise": 1.3}
    return {}


class TunnelRun:
    """Samples of the tunnel by family and what was measured."""

    def __init__(self, prefix: str, folder: Path) -> None:
        self._prefix, self._folder = prefix, folder
        self.samples: dict[tuple[int, str], list[float]] = defaultdict(list)
        self.round_trips: list[float] = []

    def round(self, number: int) -> None:
        bed = tunnel.TunnelBed(self._prefix, self._folder / f"tunnel-{number}")
        try:
            bed.up()
            self.round_trips.append(bed.round_trip_ms())
            for family in (6, 4):
                for what, value in tunnel.measure(bed, family):
                    self.samples[family, what].append(value)
        except Exception:
            print(bed.log()[-4000:], file=sys.stderr)
            raise
        finally:
            bed.down()


def report_tunnel(run: TunnelRun, figures: Figures) -> None:
    figures.notes["tunnel"] = "direct path, DTLS; from the player's connect to its first octet; 2,000 packets a second"
    trip = statistics.median(run.round_trips)
    figures.row("tunnel_round_trip_ms", run.round_trips, "ms")
    for family in (4, 6):
        bare = run.samples[family, "bare_join_ms"]
        goals = {
            "bare_join_ms": {}, "join_cold_ms": {"goal": statistics.median(bare) + 2}, "join_flowing_ms": {"goal": 2.0},
            "leave_cold_ms": {"goal": 5 + trip}, "leave_flowing_ms": {"goal": 5 + trip},
        }
        for what, goal in goals.items():
            name = f"bare_host_ipv{family}_join_ms" if what == "bare_join_ms" else f"tunnel_ipv{family}_{what}"
            figures.row(name, run.samples[family, what], "ms", **goal)  # type: ignore[arg-type]


HOUSE_ROWS: dict[str, tuple[str, dict[str, float]]] = {
    "memory_over_idle_MB": ("MB", {"goal": 20}), "memory_of_50_tunnels_MB": ("MB", {}), "seconds_until_all_joined": ("s", {}),
    "steady_percent": ("% core", {"goal": 5}),
    "storm_same_per_second": ("reports", {}), "storm_same_percent": ("% core", {}),
    "storm_same_reports_lost": ("reports", {"goal": 0}), "storm_same_settled_s": ("s", {}),
    "storm_change_per_second": ("reports", {}), "storm_change_percent": ("% core", {}),
    "storm_change_reports_lost": ("reports", {"goal": 0}), "storm_change_settled_s": ("s", {}),
    "sessions_broken": ("sessions", {"goal": 0}), "unsent": ("reports", {}),
}


def report_house(samples: dict[str, list[float]], figures: Figures) -> None:
    figures.notes["house"] = "1,000 groups of 10 sources over 50 tunnels of one box; 10,000 reports a second for 10 s"
    for what, (unit, goal) in HOUSE_ROWS.items():
        figures.row(f"house_{what}", samples[what], unit, **goal)  # type: ignore[arg-type]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="some of: " + ",".join(peers.ALL))
    parser.add_argument("--parts", default="lan,tunnel,house")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else list(peers.ALL)
    parts = options.parts.split(",")
    run = Run(f"hc-mb{os.getpid()}-")
    tunnels = TunnelRun(f"hc-mt{os.getpid()}-", run.folder)
    houses: dict[str, list[float]] = defaultdict(list)
    try:
        for number in range(options.rounds):
            for name in names if "lan" in parts else []:
                for family in peers.FAMILIES[name]:
                    print(f"round {number + 1} of {options.rounds}: {name}, IPv{family}", flush=True)
                    run.round(number, name, family)
            if "tunnel" in parts:
                print(f"round {number + 1} of {options.rounds}: tunnel", flush=True)
                tunnels.round(number)
            if "house" in parts:
                print(f"round {number + 1} of {options.rounds}: a large house", flush=True)
                for what, value in house.round_of(f"hc-mh{os.getpid()}-", run.folder / f"house-{number}").items():
                    houses[what].append(value)
    finally:
        run.close()
    figures = report(run, names) if "lan" in parts else Figures("multicast")
    figures.notes["load"] = " ".join(f"{value:.1f}" for value in os.getloadavg())
    if "tunnel" in parts:
        report_tunnel(tunnels, figures)
    if "house" in parts:
        report_house(houses, figures)
    print(figures.text())
    figures.write(options.folder)
    return 0 if figures.all_met() else 1


if __name__ == "__main__":
    sys.exit(main())
