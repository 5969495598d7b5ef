"""How long a packet stays inside the box, over how long it stays inside a kernel that routes multicast: clear (GRE in UDP) and
sealed (GRE in DTLS), one HD channel and 100,000 evenly spaced packets a second, whether datagrams gather under load or not.

The sender has one processor for itself and the box the other; tcpdump stamps packets in the kernel as they enter and leave, and
writes when the box leaves it time. The away client is stopped meanwhile: what arrives is nobody's work. Usage:
delay_bench.py FOLDER [--rounds N] [--only WAY,...]
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import shutil
import signal
import socket
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("bench", "lab", "lab/multicast", "lab/tunnels")]

from mcbench import thesis  # noqa: E402
from mcbench.capture import Capture, delays_us  # noqa: E402
from mcbench.clear import hearthcast_clear  # noqa: E402
from mcbench.figures import Figures, percentile  # noqa: E402
from mcbench.tool import Sender  # noqa: E402

SIZE = 1316
RUNS = {760: 1_500, 100_000: 50_000}  # packets a second: 8 Mbit/s, 1.05 Gbit/s; packets
FILTER = f"(ip6 and dst host {thesis.GROUP}) or (ip and src host {thesis.HOME4} and dst host {thesis.AWAY4} and udp)"
WAYS = {
    "kernel": thesis.kernel_route,
    "clear": functools.partial(hearthcast_clear, gather=False),
    "sealed": functools.partial(thesis.hearthcast, gather=False),
    "clear_gathering": hearthcast_clear,
    "sealed_gathering": thesis.hearthcast,
}
ADDED_US = {("clear", 760): 45, ("clear", 100_000): 15, ("sealed", 760): 60, ("sealed", 100_000): 25}  # goals, median
CLEAR_P99_US = 200  # goal, one HD channel

Samples = dict[tuple[str, int], list[list[float]]]  # way, rate: the delays of each run in us


def processes(space: str) -> list[int]:
    found = []
    for pid in (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()):
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{pid}/ns/net").st_ino == os.stat(f"/run/netns/{space}").st_ino:
                found.append(pid)
    return found


@contextlib.contextmanager
def apart(bed: thesis.TestBed) -> Iterator[None]:
    """The box on the second processor, and the client away stopped."""
    for pid in processes(bed["home"].name):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {1})
    stopped = [pid for pid in processes(bed["away"].name) if "hearthcast-away" in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


def measure(bed: thesis.TestBed, way: str, folder: Path, samples: Samples, lost: dict[tuple[str, int], int]) -> None:
    target = f"[{thesis.GROUP}]:{thesis.PORT}"
    first = Sender(bed["provider"], target, thesis.SOURCE, "--rate", "100", "--size", str(SIZE))  # until all are ready
    with WAYS[way](bed, folder):
        first.stop()
        for rate, count in RUNS.items():
            with apart(bed):
                capture = Capture(bed["home"], "eth0", FILTER, folder.parent / "capture.pcap")
                own = ("--rate", str(rate), "--size", str(SIZE), "--count", str(count), "--even")
                Sender(bed["provider"], target, thesis.SOURCE, *own, processor=0).wait()
                delays, missing = delays_us(capture.stop(), SIZE, socket.inet_aton(thesis.HOME4))
            lost[way, rate] += missing
            if delays:
                samples[way, rate].append(delays)


def report(samples: Samples, lost: dict[tuple[str, int], int], ways: list[str]) -> Figures:
    figures = Figures("delay")
    figures.notes["load"] = " ".join(f"{value:.1f}" for value in os.getloadavg())
    for rate in RUNS:
        bare = samples.get(("kernel", rate), [])
        for way in ways:
            runs = samples.get((way, rate), [])
            if not runs:
                figures.never(f"{way}_{rate}pps_median", "us", f"no run without loss ({lost[way, rate]} packets lost)")
                continue
            medians = [statistics.median(run) for run in runs]
            figures.row(f"{way}_{rate}pps_median", medians, "us")
            strict = {"goal": float(CLEAR_P99_US)} if (way, rate) == ("clear", 760) else {}
            figures.row(f"{way}_{rate}pps_p99", [percentile(run, 0.99) for run in runs], "us", **strict)
            figures.row(f"{way}_{rate}pps_lost", [float(lost[way, rate])], "packets")
            if way != "kernel" and bare:
                added = [own - statistics.median(other) for own, other in zip(medians, bare)]
                figures.row(f"{way}_{rate}pps_added", added, "us", goal=ADDED_US.get((way, rate)))
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="some of: " + ",".join(WAYS))
    options = parser.parse_args()
    ways = options.only.split(",") if options.only else list(WAYS)
    folder = Path(tempfile.mkdtemp(prefix="hearthcast-bench-"))
    folder.chmod(0o755)
    samples: Samples = defaultdict(list)
    lost: dict[tuple[str, int], int] = defaultdict(int)
    bed = thesis.TestBed(f"hc-de{os.getpid()}-", folder)
    try:
        bed.up()
        for number in range(options.rounds):
            for way in ways:
                print(f"round {number + 1} of {options.rounds}: {way}", flush=True)
                measure(bed, way, folder / f"{way}-{number}", samples, lost)
    finally:
        bed.down()
        shutil.rmtree(folder, ignore_errors=True)
    figures = report(samples, lost, ways)
    print(figures.text())
    figures.write(options.folder)
    return 0 if figures.all_met() else 1


if __name__ == "__main__":
    sys.exit(main())
