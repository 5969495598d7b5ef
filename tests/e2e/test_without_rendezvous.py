"""A laptop that finds its box with nobody in the middle: by what it was told, and by what its owner says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hearthlab import nat
from hearthlab.channels import ONE, TWO
from hearthlab.program import Refused
from hearthlab.topology import BOX_IP4, HOME_WAN_IP4, RENDEZVOUS_IP4
from hearthlab.waiting import until
from hearthlab.world import RENDEZVOUS_URL, Away, World

LIMIT = 90
FORWARDED = f"{HOME_WAN_IP4}:9755"
# What an owner enters on the router's page: UDP port 9755 outside is the box's 4755.
FORWARD = f"""
table ip forwarded {{
  chain before {{ type nat hook prerouting priority dstnat - 5; iifname "wan" udp dport 9755 dnat to {BOX_IP4}:4755; }}
}}
insert rule ip filter through ip daddr {BOX_IP4} udp dport 4755 accept
"""


def box_settings(world: World, **network: Any) -> dict[str, Any]:
    return {
        "name": "Home",
        "network": {"upstream_interface": "eth0", **network},
        "rendezvous": {"url": RENDEZVOUS_URL, "pin": world.pin},
        "log": {"level": "debug"},
    }


@pytest.fixture
def alone(world: World, away: Away) -> Iterator[Away]:
    """The rendezvous is dead, the laptop stopped, and no NAT knows of anything; all is well again afterwards."""
    away.playing(ONE).close()
    away.program.stop()
    world.rendezvous.supervisor.stop()
    world.topology["homenat"].nft(FORWARD)
    nat.forget_mappings(world.topology["homenat"])
    nat.forget_mappings(world.topology["awaynat"])
    yield away
    nat.apply(world.topology["homenat"], HOME_WAN_IP4, nat.PORT_RESTRICTED)
    if world.rendezvous.supervisor.stopped:
        world.rendezvous.supervisor.start()
    world.wait_for_rendezvous(world.box)
    away.program.start() if away.program.supervisor.stopped else None
    until(lambda: away.program.ask("status"), "the laptop's control socket")
    away.program.call("reach", "--forget")


def test_an_address_said_by_hand_is_enough_and_kept(world: World, alone: Away) -> None:
    alone.forget("endpoints", "candidates", "told")
    alone.program.start()
    until(lambda: alone.program.ask("status"), "the laptop's control socket")
    assert alone.program.ask("reach", FORWARDED)["manual"] == [FORWARDED]
    alone.playing(ONE, timeout=LIMIT).close()
    assert alone.program.ask("status")["path"]["endpoint"] == FORWARDED

    alone.program.stop()
    alone.forget("endpoints", "candidates", "told")
    nat.forget_mappings(world.topology["awaynat"])
    alone.program.start()
    alone.playing(TWO, timeout=LIMIT).close()
    assert f"by hand:    {FORWARDED}" in alone.program.call("reach")


def test_what_is_no_address_is_refused_in_words(world: World, away: Away) -> None:
    for wrong in ("http://home", "home:99999", "1.2.3"):
        with pytest.raises(Refused, match="is no address: write HOST or HOST:PORT") as refused:
            away.program.call("reach", wrong)
        assert refused.value.status == 4
    assert away.program.ask("reach")["manual"] == []


def test_the_public_address_of_the_settings_is_told_and_remembered(world: World, away: Away, alone: Away) -> None:
    world.rendezvous.supervisor.start()
    world.box.stop()
    world.box.write_settings(box_settings(world, public_address=FORWARDED))
    world.box.start()
    world.wait_for_rendezvous(world.box)
    alone.program.start()
    alone.playing(ONE, timeout=LIMIT).close()
    until(lambda: FORWARDED in alone.program.ask("reach")["told"], "the laptop to be told", 30)

    alone.program.stop()
    world.rendezvous.supervisor.stop()
    alone.forget("endpoints", "candidates")
    nat.forget_mappings(world.topology["homenat"])
    nat.forget_mappings(world.topology["awaynat"])
    alone.program.start()
    alone.playing(ONE, timeout=LIMIT).close()
    assert alone.program.ask("status")["path"]["endpoint"] == FORWARDED
    world.box.write_settings(box_settings(world))


def test_moving_to_another_rendezvous_keeps_the_pairing(world: World, away: Away) -> None:
    """The box is told of it by its settings, the laptop by the box; then the first one may go for good."""
    url = f"wss://{RENDEZVOUS_IP4}:8443/v1"
    other = world._program(
        "rendezvous", "rendezvous", "other-rendezvous", {"listen": {"wss": "0.0.0.0:8443", "udp_port": 3479}}, unprivileged=True
    )
    other.start()
    pin = until(lambda: other.call("pin").strip(), "the other rendezvous' pin").split()[-1]
    away.playing(ONE, timeout=LIMIT).close()
    settings = box_settings(world)
    settings["rendezvous"] = {"url": url, "pin": pin}
    world.box.stop()
    world.box.write_settings(settings)
    world.box.start()
    world.wait_for_rendezvous(world.box)
    until(lambda: away.program.ask("reach").get("rendezvous") == url, "the laptop to hear of the other rendezvous", LIMIT)

    world.rendezvous.supervisor.stop()
    away.program.stop()
    away.forget("endpoints", "candidates", "told")
    away.program.start()
    until(lambda: away.program.ask("status")["rendezvous"] == "connected", "the laptop at the other rendezvous", LIMIT)
    away.playing(ONE, timeout=LIMIT).close()

    # And back, by the command, for a laptop that was away all the time.
    world.rendezvous.supervisor.start()
    away.program.stop()
    world.box.stop()
    world.box.write_settings(box_settings(world))
    world.box.start()
    world.wait_for_rendezvous(world.box)
    other.stop()
    away.forget("endpoints", "candidates", "told")
    away.program.start()
    until(lambda: away.program.ask("status"), "the laptop's control socket")
    away.program.call("rendezvous", RENDEZVOUS_URL, "--pin", world.pin)
    away.playing(ONE, timeout=LIMIT).close()
    assert away.program.ask("reach")["rendezvous"] == RENDEZVOUS_URL
