"""Who may not watch is told why, in words, and nothing is joined for it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hearthlab.channels import ALL, FOUR, ONE, TWO, Channel
from hearthlab.player import Player
from hearthlab.program import Refused
from hearthlab.waiting import until
from hearthlab.world import RENDEZVOUS_URL, Away, World


@pytest.fixture
def guest(world: World, request: pytest.FixtureRequest) -> Iterator[Away]:
    """One more laptop, that knows no box yet."""
    laptop = world.new_away(f"guest-{request.node.name}", port=8890)
    yield laptop
    laptop.program.stop()


def no_join(world: World, channels: tuple[Channel, ...] = ALL) -> None:
    """None of these groups comes into the home now."""
    before = [world.observer.packets(channel) for channel in channels]
    time.sleep(1.5)
    assert [world.observer.packets(channel) for channel in channels] == before


def refused_in_words(away: Away, path: str, *words: str) -> None:
    answer = away.get(path)
    assert 400 <= answer.status < 600
    assert answer.headers["content-type"].startswith("text/plain")
    assert any(word in answer.text.lower() for word in words), answer.text


def test_device_without_a_box_says_what_to_do(world: World, guest: Away) -> None:
    refused_in_words(guest, "/channel/1", "pair")
    no_join(world)


def test_device_that_waits_for_approval(world: World, guest: Away) -> None:
    number = world.pair(guest)
    assert world.device(number)["state"] == "pending"
    until(lambda: "approv" in guest.get("/channel/1").text.lower(), "a refusal that speaks of approval")
    assert guest.playlist() == {}
    no_join(world)


def test_channel_that_is_not_granted(world: World, guest: Away) -> None:
    world.approve(world.pair(guest), (ONE, TWO))
    player = guest.playing(ONE)
    assert set(guest.playlist()) == {ONE.name, TWO.name}
    before = world.observer.packets(FOUR)
    answer = guest.get(f"/channel/{world.channel_id(FOUR)}")
    assert answer.status in (403, 404)
    assert answer.text.strip()
    time.sleep(1.5)
    assert world.observer.packets(FOUR) == before
    player.close()


def test_revoked_device_is_cut_within_two_seconds(world: World, guest: Away) -> None:
    number = world.pair(guest)
    world.approve(number)
    player = guest.playing(TWO)
    path = guest.path_of(TWO)
    world.box.call("revoke", str(number))
    revoked = time.monotonic()
    time.sleep(2)
    after_two_seconds = player.octets()
    no_join_after = player.last_arrival_ns() / 1e9 - revoked
    assert no_join_after <= 2
    time.sleep(1)
    assert player.octets() == after_two_seconds
    player.close()
    until(lambda: "revoked" in guest.get(path).text.lower(), "a refusal that speaks of being revoked")
    time.sleep(3)
    no_join(world)


def test_grant_taken_back_cuts_that_channel_only(world: World, guest: Away) -> None:
    number = world.pair(guest)
    world.approve(number, (ONE, TWO))
    kept, lost = guest.playing(ONE), guest.playing(TWO)
    world.box.call("grant", str(number), str(world.channel_id(ONE)))
    time.sleep(2)
    octets = lost.octets()
    time.sleep(1)
    assert lost.octets() == octets
    kept.wait_for_more(1_000_000)
    kept.close()
    lost.close()


def test_used_link_pairs_nobody_else(world: World, guest: Away) -> None:
    link = world.box.ask("pair")["link"]
    guest.program.call("pair", link)
    other = world.new_away("second-hand", port=8891)
    with pytest.raises(Refused) as refusal:
        other.program.call("pair", link)
    other.program.stop()
    assert refusal.value.text


def test_pairing_by_typed_code(world: World, guest: Away) -> None:
    world.approve(world.pair(guest, by_code=True))
    guest.playing(ONE).close()


def test_guessed_codes_close_the_window(world: World, guest: Away) -> None:
    code = world.box.ask("pair")["code"]
    devices = len(world.box.ask("devices")["devices"])
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    for _ in range(5):
        with pytest.raises(Refused) as refusal:
            guest.program.call("pair", "--code", wrong, "--rendezvous", RENDEZVOUS_URL, "--pin", world.pin)
        assert refusal.value.text
    with pytest.raises(Refused):
        guest.program.call("pair", "--code", code, "--rendezvous", RENDEZVOUS_URL, "--pin", world.pin)
    assert len(world.box.ask("devices")["devices"]) == devices


def test_unknown_channel(world: World, away: Away) -> None:
    away.playing(ONE).close()
    answer = away.get("/channel/999999")
    assert answer.status == 404
    assert answer.text.strip()


def test_page_of_a_stranger_gets_nothing(world: World, away: Away) -> None:
    """A web page that a name server points at the loopback address (DNS rebinding) is not served."""
    answer = Player(away.space, "127.0.0.1", away.port, "/playlist.m3u", host="evil.example")
    assert answer.wait_for_head() in (400, 403, 421)
    answer.close()
