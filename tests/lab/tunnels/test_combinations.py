"""Encapsulation x inner family x outer family: in each a kernel far away joins, and gets the picture octet by octet.

docs/tunnels/combinations.md names each cell.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hearthlab import channels
from hearthlab.service import ROOT
from tunlab.plans import PLANS, Plan
from tunlab.world import PeerWorld

CHANNELS = {6: channels.ONE, 4: channels.TWO}
CELLS = [(plan, inner) for plan in PLANS for inner in plan.inner]


def cell_name(plan: Plan, inner: int) -> str:
    return f"{plan.name}-carries-{inner}"


@pytest.mark.parametrize(("plan", "inner"), CELLS, ids=[cell_name(*cell) for cell in CELLS])
def test_the_picture_arrives_whole(peers: PeerWorld, plan: Plan, inner: int) -> None:
    seen = peers.watch(plan, CHANNELS[inner])
    assert seen.bytes_equal, seen
    assert seen.continuity_errors == 0
    peer = peers.peer(plan)
    assert peer.wrong == [], "a strict peer would have dropped these"
    shown = peers.shown(plan)
    assert shown["sealed"] is False
    assert not shown.get("trouble")
    peers.wait_until_quiet(plan)  # the leave was understood, too


def test_every_cell_stands_in_the_document() -> None:
    text = Path(ROOT, "docs", "tunnels", "combinations.md").read_text(encoding="utf-8")
    for cell in CELLS:
        assert f"`{cell_name(*cell)}`" in text
