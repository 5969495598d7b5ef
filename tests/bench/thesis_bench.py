"""The thesis's own experiment again: how long a packet stays inside the proxy, by its way of forwarding.

Its Table 2 (KTH, 2010: virtual machines on a laptop of two cores at 2.0 GHz; three runs of 100 packets each) stands
beside. Measured here: three runs of 100 packets at 10 a second, and runs at 1,000 and 10,000 a second. Usage:
thesis_bench.py FOLDER [--rounds N] [--only NAME,...]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("bench", "lab", "lab/multicast")]

from mcbench import peers, thesis  # noqa: E402
from mcbench.capture import Capture, delays_us  # noqa: E402
from mcbench.figures import Figures, percentile  # noqa: E402
from mcbench.tool import Sender  # noqa: E402

SIZE = 1316
RUNS = ((10, 100), (1000, 3000), (10_000, 10_000))  # packets a second, packets
TABLE_2_MS = {  # average, median, variance
    "forwarder.py": (1.22, 0.86, 0.82), "ECMH": (0.93, 0.63, 0.73), "kernel + smcroute": (2.11, 2.27, 1.70),
}
THEIRS = {"python_relay": "forwarder.py", "socat_relay": "ECMH", "kernel_route": "kernel + smcroute"}
FILTER = f"(ip6 and dst host {thesis.GROUP}) or (ip and src host {thesis.HOME4} and dst host {thesis.AWAY4} and udp)"

Samples = dict[tuple[str, int], list[list[float]]]  # way, rate: the delays of each run in us


def measure(bed: thesis.TestBed, way: str, folder: Path, samples: Samples, lost: dict[tuple[str, int], int]) -> None:
    target = f"[{thesis.GROUP}]:{thesis.PORT}"
    first = Sender(bed["provider"], target, thesis.SOURCE, "--rate", "100", "--size", str(SIZE))  # until all are ready
    with thesis.WAYS[way](bed, folder):
        first.stop()
        for rate, count in RUNS:
            capture = Capture(bed["home"], "eth0", FILTER, folder.parent / "capture.pcap")
            Sender(bed["provider"], target, thesis.SOURCE, "--rate", str(rate), "--size", str(SIZE), "--count", str(count)).wait()
            delays, missing = delays_us(capture.stop(), SIZE, socket.inet_aton(thesis.HOME4))
            lost[way, rate] += missing
            if delays:
                samples[way, rate].append(delays)


def report(samples: Samples, lost: dict[tuple[str, int], int], ways: list[str]) -> Figures:
    figures = Figures("thesis")
    figures.notes["peers"] = ", ".join(peers.version(name) for name in ("smcroute", "socat"))
    figures.notes["tunnel"] = "VXLAN for the three ways of the thesis, sealed (GRE over DTLS) for hearthcast"
    figures.notes["load"] = " ".join(f"{value:.1f}" for value in os.getloadavg())
    for rate, _ in RUNS:
        for way in ways:
            runs = samples.get((way, rate), [])
            if not runs:
                figures.never(f"{way}_{rate}pps_median", "us", f"no run without loss ({lost[way, rate]} packets lost)")
                continue
            figures.row(f"{way}_{rate}pps_median", [statistics.median(run) for run in runs], "us")
            figures.row(f"{way}_{rate}pps_p99", [percentile(run, 0.99) for run in runs], "us")
            figures.row(f"{way}_{rate}pps_lost", [float(lost[way, rate])], "packets")
    return figures


def table(samples: Samples, ways: list[str]) -> str:
    """Average, median and variance as the thesis gives them, its own figures beside ours."""
    lines = ["| ms, 3 x 100 packets | average | median | variance | thesis 2010: average | median | variance |", "|---|---|---|---|---|---|---|"]
    for way in ways:
        every = [value / 1000 for run in samples.get((way, RUNS[0][0]), []) for value in run]
        if len(every) < 2:
            continue
        theirs = TABLE_2_MS.get(THEIRS.get(way, ""))
        beside = " | ".join(f"{value:.2f}" for value in theirs) if theirs else "- | - | -"
        name = way.replace("_", " ") + (f" ({THEIRS[way]})" if theirs else "")
        lines.append(
            f"| {name} | {statistics.fmean(every):.3f} | {statistics.median(every):.3f} | {statistics.variance(every):.5f} | {beside} |"
        )
    return "\n".join(lines)


def plot_rows(figures: Figures) -> list[dict[str, object]]:
    """The medians, and those of the thesis first."""
    old = [
        {"name": f"thesis 2010, {name}", "value": row[1] * 1000, "unit": "us", "goal": None, "met": True}
        for name, row in TABLE_2_MS.items()
    ]
    return old + [row for row in figures.rows if row["name"].endswith("_median")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="some of: " + ",".join(thesis.WAYS))
    options = parser.parse_args()
    ways = options.only.split(",") if options.only else list(thesis.WAYS)
    folder = Path(tempfile.mkdtemp(prefix="hearthcast-bench-"))
    folder.chmod(0o755)
    samples: Samples = defaultdict(list)
    lost: dict[tuple[str, int], int] = defaultdict(int)
    try:
        for number in range(options.rounds):
            for way in ways:
                print(f"round {number + 1} of {options.rounds}: {way}", flush=True)
                bed = thesis.TestBed(f"hc-th{os.getpid()}-", folder / f"bed-{number}-{way}")
                try:
                    bed.up()
                    measure(bed, way, folder / f"{way}-{number}", samples, lost)
                finally:
                    bed.down()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figures = report(samples, lost, ways)
    print(figures.text())
    print(table(samples, ways))
    path = figures.write(options.folder)
    content = json.loads(path.read_text(encoding="utf-8"))
    content["thesis_table_2_ms"] = {name: dict(zip(("average", "median", "variance"), row)) for name, row in TABLE_2_MS.items()}
    content["table"] = table(samples, ways)
    content["plot"] = {"rows": plot_rows(figures), "logarithmic": True}
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 0 if figures.all_met() else 1


if __name__ == "__main__":
    sys.exit(main())
