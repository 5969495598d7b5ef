"""The programs that are compared, each started in the proxy's namespace of a Line and stopped again."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from hearthlab.namespace import Namespace
from hearthlab.waiting import until
from mclab.foreign import Daemon, Frr, Smcroute

from .link import SOURCE4, SOURCE6

GROUP4, GROUP6 = "232.1.1.1", "ff3e::8000:1"


def version(name: str) -> str:
    package = {"pimd": "frr"}.get(name, name)
    shown = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True, check=False)
    return f"{name} {shown.stdout or 'not installed'}"


@contextlib.contextmanager
def smcroute(space: Namespace, folder: Path) -> Iterator[None]:
    """Static routes of both families, and the joins that belong to them."""
    lines = []
    for group, source in ((GROUP4, SOURCE4), (GROUP6, SOURCE6)):
        lines += [f"mgroup from up0 source {source} group {group}", f"mroute from up0 source {source} group {group} to lan0"]
    running = Smcroute(space, folder, "phyint up0 enable", "phyint lan0 enable", *lines)
    try:
        yield
    finally:
        running.stop()


@contextlib.contextmanager
def igmpproxy(space: Namespace, folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "igmpproxy.conf"
    config.write_text("quickleave\nphyint up0 upstream ratelimit 0 threshold 1\nphyint lan0 downstream ratelimit 0 threshold 1\n", encoding="utf-8")
    running = Daemon(space, ["igmpproxy", "-n", str(config)], folder / "log")
    try:
        until(lambda: "lan0" in (Path(f"/proc/{running.pid}/net/ip_mr_vif").read_text(encoding="utf-8")), "igmpproxy", timeout=20)
        yield
    finally:
        running.stop()


@contextlib.contextmanager
def pimd(space: Namespace, folder: Path) -> Iterator[None]:
    """FRR as an IGMPv3 and PIM router that has the source on its own link."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o777)
    running = Frr(space, folder, pim=("up0",), igmp=("lan0",), last_member_s=1)  # the standard's
    try:
        until(lambda: "lan0" in running.show("ip", "igmp", "interface"), "pimd's IGMP", timeout=30)
        yield
    finally:
        running.stop()


@contextlib.contextmanager
def hearthcast(space: Namespace, folder: Path) -> Iterator[None]:
    from hearthlab.program import binaries  # noqa: PLC0415
    from hearthlab.service import ROOT  # noqa: PLC0415
    from mclab.box import Box  # noqa: PLC0415

    bin_folder = binaries(ROOT, folder.parent / f"{folder.name}-bin")
    box = Box(space, bin_folder / "hearthcast-box", folder, {"name": "tv", "upstream": ["up0"], "downstream": ["lan0"]})
    try:
        box.start()
        yield
    finally:
        box.stop()


ALL = {"smcroute": smcroute, "igmpproxy": igmpproxy, "pimd": pimd, "hearthcast": hearthcast}
FAMILIES = {"smcroute": (4, 6), "igmpproxy": (4,), "pimd": (4,), "hearthcast": (4, 6)}
