"""Every kind of Internet access at home with every kind away: does the laptop get its picture, how soon, and which way?

A relay stands beside the rendezvous for those that find no direct way. `./hearth test` takes the cells in which the kinds differ
most; `./hearth test --all` takes all. The rows are written to build/test/nat-matrix.json.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hearthlab import nat
from hearthlab.channels import ONE
from hearthlab.fixtures import raised
from hearthlab.player import Player
from hearthlab.service import ROOT
from hearthlab.sites import CARRIER_GRADE, IP6_FIREWALL, KINDS, give_access, join_by_ip6, part_ip6
from hearthlab.waiting import until
from hearthlab.world import Away, World

SHORT = (
    ("port-restricted", "full-cone"),
    ("symmetric", "full-cone"),
    ("symmetric", "address-restricted"),
    ("address-restricted", "address-dependent"),
    ("hostile-cone", "full-cone"),
    ("hairpin", "symmetric"),
    (CARRIER_GRADE, CARRIER_GRADE),
    (IP6_FIREWALL, IP6_FIREWALL),
    ("symmetric", "symmetric"),
    ("port-restricted", "symmetric"),
    ("port-restricted", "udp-blocked"),
    ("udp-blocked", "port-restricted"),
    ("udp-blocked", "udp-blocked"),
)
# A laptop that is started anew every other second asks for more introductions than the rendezvous grants to one.
OFTEN = {"introductions_per_minute": 1000, "box_load_per_minute": 1000}
LIMIT = 30  # seconds until the picture, restarted programs and a busy machine included


def expected(home: str, away: str) -> str:
    """direct, relayed or either: what the kinds of NAT allow whoever knows both mappings (RFC 4787, RFC 5128)."""
    if IP6_FIREWALL in (home, away):
        return "direct"  # the lab's other site then has IPv6 too
    kinds = [nat.PROFILES.get(kind, nat.PORT_RESTRICTED) for kind in (home, away)]
    if None in (kinds[0].mapping, kinds[1].mapping):
        return "relayed"
    for one, other in (kinds, kinds[::-1]):
        if one.mapping == "EIM" or (other.mapping == "EIM" and other.filtering in ("EIF", "ADF")):
            continue
        names = {one.name, other.name}
        # A hostile cone keeps its mapping when its own packet is the first; and who met the other before knows the port that
        # a mapping by address has towards it.
        return "either" if names & {"hostile-cone", "address-dependent"} and "symmetric" not in names else "relayed"
    return "direct"


def cells() -> list[tuple[str, str]]:
    return [(home, away) for home in KINDS for away in KINDS] if os.environ.get("HEARTHCAST_ALL") else list(SHORT)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with raised(relay=True, limits=OFTEN) as lab:
        yield lab


@pytest.fixture(scope="module")
def rows() -> Iterator[list[dict[str, Any]]]:
    found: list[dict[str, Any]] = []
    yield found
    target = ROOT / "build" / "test" / "nat-matrix.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"rows": found}, indent=1), encoding="utf-8")


@pytest.fixture(scope="module")
def device(world: World) -> int:
    """Paired once, through plain NATs; every cell begins with programs that have just started."""
    number = world.pair(world.new_away("away"))
    world.approve(number)
    return number


@pytest.fixture
def access(world: World, device: int, home: str, away: str) -> Iterator[Away]:
    laptop = world.aways["away"]
    laptop.program.stop()
    world.box.stop()
    give_access(world.topology, home=home, away=away)
    if IP6_FIREWALL in (home, away):
        join_by_ip6(world.topology, firewall=True)
    world.box.start()
    world.wait_for_rendezvous(world.box)
    if home == "udp-blocked":
        world.wait_for_relay(world.box)
    laptop.program.start()
    yield laptop
    part_ip6(world.topology)


@pytest.mark.parametrize(("home", "away"), cells())
def test_cell(world: World, device: int, access: Away, rows: list[dict[str, Any]], home: str, away: str) -> None:
    started = time.monotonic()
    row = {"home": home, "away": away, "expected": expected(home, away), "seen": "none", "first_media_ms": None, "relayed": False}
    rows.append(row)
    player: Player | None = None
    try:
        player = access.playing(ONE, timeout=LIMIT)
        row["first_media_ms"] = round((time.monotonic() - started) * 1000)
        row["seen"] = until(lambda: world.device(device)["path"], "the path's kind", 10)
        if row["expected"] == "direct":  # the relay may have been quicker
            row["seen"] = until(lambda: world.device(device)["path"] == "direct" and "direct", "a direct path", LIMIT)
        row["relayed"] = row["seen"] == "relayed"
    finally:
        if player is not None:
            player.close()
    allowed = ("direct", "relayed") if row["expected"] == "either" else (row["expected"],)
    assert row["seen"] in allowed, row
