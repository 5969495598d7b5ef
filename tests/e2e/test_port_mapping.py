"""A box behind a router that opens ports on request: miniupnpd, which is not ours, on a NAT that otherwise refuses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hearthlab import nat
from hearthlab.channels import ONE
from hearthlab.port_router import PUBLIC_IP4, PortRouter
from hearthlab.sites import give_access
from hearthlab.waiting import until
from hearthlab.world import RENDEZVOUS_URL, Away, World

PORT = 4755
# PCP and NAT-PMP are asked first, for 13 s when nobody answers.
LIMIT = 90


def settings(world: World, *, mapping: bool) -> dict[str, Any]:
    return {
        "name": "Home",
        "network": {"upstream_interface": "eth0", "port_mapping": mapping},
        "rendezvous": {"url": RENDEZVOUS_URL, "pin": world.pin},
        "log": {"level": "debug"},
    }


def mapping_of(world: World) -> dict[str, Any]:
    return dict(world.box.ask("status")["port_mapping"])


def wait_for_mapping(world: World) -> dict[str, Any]:
    def mapped() -> dict[str, Any] | None:
        now = mapping_of(world)
        return now if now["state"] == "mapped" else None

    return until(mapped, "the port at the router", LIMIT)


@pytest.fixture(scope="module")
def device(world: World, away: Away) -> int:
    """Paired through plain NATs."""
    away.playing(ONE).close()
    return int(world.box.ask("devices")["devices"][0]["id"])


@pytest.fixture
def router(world: World, device: int, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[PortRouter]:
    """The home behind it, with a box that asks it; the laptop is behind a NAT that no symmetric one gets through to."""
    laptop = world.aways["away"]
    laptop.program.stop()
    world.box.stop()
    give_access(world.topology, home="symmetric", away="port-restricted")
    router = PortRouter(world.topology, tmp_path, **getattr(request, "param", {"pcp": True, "upnp": False}))
    world.box.write_settings(settings(world, mapping=True))
    world.box.start()
    try:
        yield router
        print(router.log()[-3000:])
    finally:
        laptop.program.stop()
        world.box.stop()
        router.close()
        give_access(world.topology, home="port-restricted", away="port-restricted")
        world.rendezvous.supervisor.start() if world.rendezvous.supervisor.stopped else None
        world.box.write_settings(settings(world, mapping=False))
        world.box.start()
        world.wait_for_rendezvous(world.box)
        laptop.program.start()


@pytest.mark.parametrize(
    ("router", "way"), [({"pcp": True, "upnp": True}, "PCP"), ({"pcp": False, "upnp": True}, "UPnP")], indirect=["router"]
)
def test_a_mapped_port_makes_a_direct_path(world: World, device: int, router: PortRouter, way: str) -> None:
    mapping = wait_for_mapping(world)
    assert mapping["way"] == way
    assert mapping["external"] == f"{PUBLIC_IP4}:{PORT}"
    assert "port mapping The router forwards UDP port 4755" in world.box.call("status")
    assert router.ports() == [PORT]
    world.wait_for_rendezvous(world.box)
    laptop = world.aways["away"]
    laptop.program.start()
    laptop.playing(ONE, timeout=LIMIT).close()
    assert world.device(device)["path"] == "direct"
    world.box.stop()
    assert router.ports() == [], "given back at exit"


def test_the_mapped_port_needs_no_rendezvous(world: World, device: int, router: PortRouter) -> None:
    """Once the box has told it in the tunnel, the laptop finds the port in a later life, with the rendezvous gone."""
    wait_for_mapping(world)
    world.wait_for_rendezvous(world.box)
    laptop = world.aways["away"]
    laptop.program.start()
    laptop.playing(ONE, timeout=LIMIT).close()
    external = f"{PUBLIC_IP4}:{PORT}"
    until(lambda: external in laptop.program.ask("reach")["told"], "the laptop to be told", 30)
    laptop.program.stop()
    world.rendezvous.supervisor.stop()
    laptop.forget("endpoints", "candidates")
    nat.forget_mappings(world.topology["homenat"])
    nat.forget_mappings(world.topology["awaynat"])
    laptop.program.start()
    laptop.playing(ONE, timeout=LIMIT).close()
    assert laptop.program.ask("status")["path"]["endpoint"] == external


def test_a_router_that_restarts_is_asked_again(world: World, device: int, router: PortRouter) -> None:
    wait_for_mapping(world)
    time.sleep(5)  # it tells how many seconds it has been running: only so a restart can be told from none
    router.restart()
    until(lambda: router.ports() == [PORT], "the port after the router's restart", LIMIT)


@pytest.mark.parametrize("router", [{"pcp": False, "upnp": False}], indirect=True)
def test_a_router_that_knows_no_way_is_named(world: World, device: int, router: PortRouter) -> None:
    failed = until(
        lambda: (now := mapping_of(world))["state"] == "failed" and now, "the box to have tried all ways", LIMIT
    )
    assert "neither PCP nor NAT-PMP nor UPnP" in failed["text"]
    assert world.box.ask("status")["reachability"]["state"] in ("anywhere", "lan_only")


def test_no_port_is_asked_for_unless_the_owner_wants_it(world: World, device: int, router: PortRouter) -> None:
    wait_for_mapping(world)
    world.box.stop()
    before = len(router.log())
    world.box.write_settings(settings(world, mapping=False))
    world.box.start()
    until(lambda: world.box.ask("status"), "the box's control socket")
    world.wait_for_rendezvous(world.box)
    assert mapping_of(world)["state"] == "off"
    assert "port mapping" not in world.box.call("status")
    assert router.ports() == []
    assert "request" not in router.log()[before:]
