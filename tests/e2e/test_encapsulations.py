"""6in4 and AYIYA inside DTLS instead of GRE: every channel comes whole, to HTTP players and through the TUN interface, over either
family outside; and what is too narrow for them gets GRE, and says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hearthlab.channels import ALL, ONE, THREE, TWO, Channel
from hearthlab.comparison import compare
from hearthlab.film import DATAGRAM
from hearthlab.listener import Listener
from hearthlab.sites import join_by_ip6, narrow_away, part_ip6
from hearthlab.waiting import until
from hearthlab.world import Away, World

WANTED = 700 * DATAGRAM
FORMS = ("6in4", "ayiya")


@pytest.fixture(scope="module")
def number(world: World) -> int:
    """The device's number; its client, which has an interface, is `world.aways["away"]`."""
    device = world.pair(world.new_away("away", tun=True))
    world.approve(device)
    return device


def begin_anew(world: World, form: str, mtu: int = 1500) -> Away:
    """The client begins with that setting, on a path of that size."""
    laptop = world.aways["away"]
    laptop.program.stop()
    narrow_away(world.topology, mtu)
    laptop.program.write_settings({**laptop.program.settings, "network": {"encapsulation": form}})
    laptop.program.start()
    until(lambda: laptop.program.ask("status")["state"] == "connected", "the client to find its box", 60)
    return laptop


def whole(world: World, laptop: Away, channel: Channel, octets: int = WANTED) -> str:
    """Plays a channel; its octets are the provider's. The form in which they came."""
    player = laptop.playing(channel)
    try:
        player.wait_for_octets(octets)
        form = until(lambda: form_of(laptop), "statistics", 30)
        result = compare(world.service.film(channel), player.data())
        assert result.bytes_equal, result
        assert result.continuity_errors == 0
        return form
    finally:
        player.close()


def form_of(laptop: Away) -> str | None:
    streams = [stream for stream in laptop.program.ask("status")["streams"] if stream["players"] > 0]
    return str(streams[0]["form"]) if streams and streams[0]["packets"] else None


@pytest.mark.parametrize("form", FORMS)
def test_every_channel_is_whole(world: World, number: int, form: str) -> None:
    laptop = begin_anew(world, form)
    assert laptop.program.ask("status")["encapsulation"] == {"asked": form, "granted": form, "text": form}
    assert f"in DTLS: {form}\n" in laptop.program.call("status")
    assert world.device(number)["encapsulation"] == form
    assert [whole(world, laptop, channel) for channel in ALL] == [form] * len(ALL)
    malformed = laptop.program.ask("status")["counters"]["malformed"]
    assert malformed == 0


@pytest.mark.parametrize("form", FORMS)
def test_programs_find_them_on_the_interface(world: World, number: int, form: str) -> None:
    laptop = begin_anew(world, form)
    listeners = [Listener(laptop.space, channel, "hearthcast0") for channel in (ONE, TWO)]
    try:
        for listener in listeners:
            listener.wait_for(500, timeout=60)
    finally:
        for listener in listeners:
            listener.close()
    for listener in listeners:
        result = compare(world.service.film(listener.channel), listener.data())
        assert result.bytes_equal, result
        assert result.continuity_errors == 0


@pytest.mark.parametrize("form", FORMS)
def test_a_path_that_becomes_too_narrow_gets_gre(world: World, number: int, form: str) -> None:
    laptop = begin_anew(world, form)
    player = laptop.playing(ONE)
    try:
        until(lambda: form_of(laptop) == form, "the stream without numbers", 20)
        narrow_away(world.topology, 1280)
        until(lambda: form_of(laptop) == "fragments", "the stream in GRE", 20)
        status = laptop.program.ask("status")["encapsulation"]
        assert status == {"asked": form, "granted": form, "text": f"gre, since the path is too narrow for {form}"}
        until(lambda: world.device(number).get("form") == "fragments", "the form in the box's statistics", 20)
        mark = player.octets()
        player.wait_for_more(WANTED)
        result = compare(world.service.film(ONE), player.data()[mark - mark % 188 + 188 :])
        assert result.bytes_equal, result
    finally:
        player.close()


def test_a_path_that_is_too_narrow_from_the_beginning(world: World, number: int) -> None:
    laptop = begin_anew(world, "ayiya", 1280)
    for channel in (ONE, TWO):
        assert whole(world, laptop, channel) == "fragments"


@pytest.fixture
def only_ip6(world: World) -> Iterator[None]:
    join_by_ip6(world.topology)
    yield
    part_ip6(world.topology)


@pytest.mark.parametrize("form", FORMS)
def test_over_ip6(world: World, number: int, only_ip6: None, form: str) -> None:
    laptop = begin_anew(world, form)
    path = until(lambda: laptop.program.ask("status")["path"]["endpoint"], "a path", 60)
    assert path.startswith("["), path
    for channel in (ONE, THREE):
        assert whole(world, laptop, channel) == form
