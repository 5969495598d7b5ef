"""Multicast traceroute (mtrace2): a host on the LAN asks the box where a group comes from."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hearthlab.namespace import Namespace
from hearthlab.service import ROOT
from hearthlab.waiting import until
from mclab.box import tv
from mclab.groups import ONE4, ONE6, sources
from mclab.world import MulticastWorld

BOX = {4: "192.168.1.10", 6: "2001:db8:1::10"}
UPSTREAM = {4: "10.64.0.2", 6: "2001:db8:64::2"}
NO_ERROR, NOT_FORWARDING = 0, 7


def trace(space: Namespace, flow: str, router: str, *options: str) -> tuple[int, dict[str, Any]]:
    program = Path(os.environ.get("HEARTHCAST_BIN", ROOT / "build" / "bin")).resolve() / "hearthcast-mcast"
    command = space.command(str(program), "trace", flow, router, "--json", *options)
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, dict(json.loads(done.stdout)) if done.stdout else {}


@pytest.mark.parametrize(("family", "group"), [(4, ONE4), (6, ONE6)])
def test_the_box_tells_the_way_of_a_group_that_flows(world: MulticastWorld, family: int, group: str) -> None:
    source = sources(group)[0]
    world.stream(group, source)
    world.box(tv(trace=True))
    world.listener("tv1", group, source).wait_for(20)

    def flowing() -> dict[str, Any] | None:
        status, told = trace(world["tv1"], f"{source}@{group}", BOX[family])
        assert status == 0, told
        hop = told["path"][0]
        return told if hop["code"] == NO_ERROR and hop["flow_packets"] else None

    told = until(flowing, "packets of the group on the path", timeout=60)
    hop = told["path"][0]
    assert told["ending"] == "reached", "the source is on the upstream's own link"
    assert (len(told["path"]), hop["incoming"], hop["upstream"]) == (1, UPSTREAM[family], None)
    assert hop["outgoing"] == (BOX[4] if family == 4 else None)


def test_the_box_says_that_nobody_here_wants_a_group(world: MulticastWorld) -> None:
    world.box(tv(trace=True))
    status, told = trace(world["tv1"], f"{sources(ONE4)[0]}@{ONE4}", BOX[4])
    assert (status, told["ending"], told["path"][0]["code"]) == (0, "stopped", NOT_FORWARDING)


def test_a_box_that_is_not_told_to_answer_is_silent(world: MulticastWorld) -> None:
    world.box(tv())
    status, told = trace(world["tv1"], ONE4, BOX[4], "--timeout", "0.3")
    assert (status, told["ending"], told["path"]) == (1, "silent", [])
