"""The box with a foreign peer, GRE in UDP, of which nothing runs but its socket: it joined, and reads nothing."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

from hearthlab.program import Program, binaries
from hearthlab.service import ROOT
from hearthlab.waiting import until
from tunlab.forms import Gre
from tunlab.packets import mld_report

from .thesis import AWAY4, GROUP, HOME4, TestBed, import_group

PEER_PORT = 4754  # RFC 8086


@contextlib.contextmanager
def hearthcast_clear(bed: TestBed, folder: Path, **network: object) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    peer = {
        "name": "cabin", "encapsulation": "gre-udp", "seal": "none", "endpoint": f"{AWAY4}:{PEER_PORT}", "key": "42", "sequence": True,
        "channels": ["all"],
    }
    settings = {"name": "Home", "network": {"upstream_interface": "eth0", **network}, "peer": [peer]}
    box = Program(bed["home"], binaries(ROOT, folder / "bin") / "hearthcast-box", folder / "box", settings, unprivileged=False)
    with bed["away"].socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.bind((AWAY4, PEER_PORT))
        box.start()
        try:
            until(lambda: box.ask("status"), "the box")
            import_group(box)
            end.sendto(Gre(key=42, sequence=True).wrap(mld_report(GROUP)), (HOME4, PEER_PORT))
            until(lambda: box.ask("peers")["peers"][0]["watching"], "the peer's join")
            yield
        finally:
            box.stop()
